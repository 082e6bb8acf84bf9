"""In: a command of the command line. Out: the same, its errors one clear message and an exit code
each; the table of exit codes.
"""

from __future__ import annotations

import functools
import os
import signal
import sys
from collections.abc import Callable
from enum import IntEnum
from typing import TYPE_CHECKING, NoReturn, ParamSpec

import typer

from plastogen._base.text import counted

if TYPE_CHECKING:
    from plastogen.publish import Outcome

P = ParamSpec("P")


class ExitCode(IntEnum):
    """How a command ended."""

    meaning: str

    def __new__(cls, value: int, meaning: str) -> ExitCode:
        """`meaning`: as `plastogen --help` says it."""
        code = int.__new__(cls, value)
        code._value_, code.meaning = value, meaning
        return code

    OK = 0, "all is well"
    BAD_INPUT = 2, "the input is wrong, and nothing was run"
    RUN_FAILED = 3, "a run failed or is missing, or a figure could not be drawn"
    CLAIM_MISSED = 4, "a claim was missed: a finding, not a fault"
    INTERRUPTED = 130, "stopped; what is finished is kept"


def exit_code(outcome: Outcome) -> ExitCode:
    """How a command ends that came to `outcome`: what failed weighs more than a missed claim."""
    if outcome.failed or outcome.undrawn:
        return ExitCode.RUN_FAILED
    return ExitCode.CLAIM_MISSED if outcome.missed else ExitCode.OK


def heed_signals() -> None:
    """Let SIGTERM and SIGHUP, where nobody has made them mean something else (as nohup does), end
    a command as Ctrl-C does: what is under way is put away, what is finished is kept.
    """

    def stop(number: int, frame: object) -> NoReturn:
        raise KeyboardInterrupt

    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, stop)


def guarded(command: Callable[P, None]) -> Callable[P, None]:
    """A command whose errors become one clear message and an exit code."""

    @functools.wraps(command)
    def safe(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            command(*args, **kwargs)
        except (typer.Exit, typer.Abort):
            raise
        except KeyboardInterrupt:
            _interrupted()
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(0) from None
        except Exception as error:
            raise typer.Exit(_explain(error)) from None

    return safe


def _explain(error: Exception) -> int:
    """Say what is wrong; the exit code."""
    from plastogen._base.files import advice
    from plastogen.errors import (
        CacheDamaged,
        EngineError,
        InputError,
        OtherCode,
        StoreError,
        WorkersLost,
    )

    if isinstance(error, InputError):
        problems = len(error.problems)
        _complain(f"{error}\n{counted(problems, 'problem')}; nothing was run.")
        return ExitCode.BAD_INPUT
    if isinstance(error, StoreError | EngineError | CacheDamaged | WorkersLost | OtherCode):
        _complain(str(error))
        return ExitCode.RUN_FAILED
    if isinstance(error, OSError):
        what = f"cannot use {error.filename}" if error.filename else "the system refuses"
        _complain(f"{what}: {advice(error)}")
        return ExitCode.RUN_FAILED
    if os.environ.get("PLASTOGEN_DEBUG"):
        raise error
    _complain(
        f"plastogen stumbled over something it did not expect: {type(error).__name__}: {error}\n"
        "Nothing finished is lost. PLASTOGEN_DEBUG=1 shows where; please report it."
    )
    return ExitCode.RUN_FAILED


def _complain(text: str) -> None:
    from plastogen.errors import printable

    typer.echo(printable(text), err=True)


def _interrupted() -> NoReturn:
    """After Ctrl-C: what is finished is kept; threads still busy are left to the system."""
    _complain("\nstopped. What is finished is kept; the same command goes on from there.")
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(ExitCode.INTERRUPTED)
