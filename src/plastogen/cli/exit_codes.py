"""In: a command of the command line. Out: the same, its errors one clear message and an exit code
each.
"""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable
from typing import NoReturn, ParamSpec

import typer

P = ParamSpec("P")
BAD_INPUT, RUN_FAILED, CLAIM_MISSED, INTERRUPTED = 2, 3, 4, 130


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
        _complain(f"{error}\n{problems} problem{'s' if problems > 1 else ''}; nothing was run.")
        return BAD_INPUT
    if isinstance(
        error, StoreError | EngineError | CacheDamaged | WorkersLost | OtherCode | OSError
    ):
        _complain(str(error))
        return RUN_FAILED
    if os.environ.get("PLASTOGEN_DEBUG"):
        raise error
    _complain(
        f"plastogen stumbled over something it did not expect: {type(error).__name__}: {error}\n"
        "Nothing finished is lost. PLASTOGEN_DEBUG=1 shows where; please report it."
    )
    return RUN_FAILED


def _complain(text: str) -> None:
    typer.echo(text, err=True)


def _interrupted() -> NoReturn:
    """After Ctrl-C: what is finished is kept; threads still busy are left to the system."""
    _complain("\nstopped. What is finished is kept; the same command goes on from there.")
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(INTERRUPTED)
