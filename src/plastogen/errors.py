"""Everything that plastogen raises for a person to read; nothing else is ever meant for one.

Stands above all rooms, since every room raises some of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

# what moves a cursor, hides text or cannot be written; line ends and tabs are text
UNPRINTABLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f"
    "\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]"
)


def printable(text: str) -> str:
    """`text` with everything unprintable spelt out, so that no message moves the cursor."""
    return UNPRINTABLE.sub(lambda found: repr(found[0])[1:-1], text)


@dataclass(frozen=True)
class Problem:
    """One thing wrong with what was given. `found` may be empty when `wanted` is a whole
    sentence.
    """

    file: str
    line: int | None
    path: str
    found: str
    wanted: str
    nearest: str | None = None

    def __str__(self) -> str:
        place = self.file + (f":{self.line}" if self.line is not None else "")
        place += f" at {self.path}" if self.path else ""
        body = f"found {self.found}, wanted {self.wanted}" if self.found else self.wanted
        near = f"; nearest valid name: {self.nearest}" if self.nearest else ""
        return printable(f"{place}: {body}{near}".replace("\n", "\\n"))


class InputError(Exception):
    """What the user gave cannot be used; `problems` says why, one entry a fault. The command exits
    with 2.

    >>> try:
    ...     plastogen.check("one_infusio")
    ... except plastogen.InputError as error:
    ...     error.problems[0].nearest
    'one_infusion'
    """

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: tuple[Problem, ...] = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))

    @classmethod
    def one(
        cls,
        *,
        found: str = "",
        wanted: str,
        file: str = "",
        line: int | None = None,
        path: str = "",
        nearest: str | None = None,
    ) -> InputError:
        """An error with a single problem."""
        return cls([Problem(file, line, path, found, wanted, nearest)])


class StoreError(Exception):
    """The disk would not take or give a file; the message says what to do. The command exits with
    3.

    >>> from pathlib import Path
    >>> Path("full").write_text("no folder")
    9
    >>> plastogen.run("mine", method="formula", out="full")
    Traceback (most recent call last):
    plastogen.errors.StoreError: ...
    """


class CacheDamaged(Exception):
    """A cached file is unreadable or cut short: discard it and compute again."""


class EngineError(Exception):
    """The network could not be built or run; the message says what to do.

    >>> small = plastogen.load_model("circuits", "small")
    >>> probe = plastogen.simulation.NetworkProbe(small, seconds=0.5, settle_s=0.2, backend="numpy")
    >>> probe(plastogen.simulation.State(ampa=float("nan")), seed=1)
    Traceback (most recent call last):
    plastogen.errors.EngineError: the network was given values that are not finite: ...
    """


class MachineError(EngineError):
    """The machine would not do it: no memory, no compiler, no permission. It stops a sweep, and is
    no run's fault. The command exits with 3.
    """


class WorkersLost(Exception):
    """The workers are out of reach; what is finished is kept. The command exits with 3."""


class OtherCode(Exception):
    """This worker would give a run another name than it was asked for under: its plastogen or
    compiler differs.
    """


class QuantityError(ValueError):
    """One thing wrong with a number: what was found, what was wanted, the nearest valid name if
    any.
    """

    def __init__(self, found: str, wanted: str, nearest: str | None = None) -> None:
        self.found, self.wanted, self.nearest = found, wanted, nearest
        near = f"; nearest valid name: {nearest}" if nearest else ""
        super().__init__(f"found {found}, wanted {wanted}{near}")


OURS = (InputError, StoreError, CacheDamaged, EngineError, WorkersLost, OtherCode)
SENTENCES = (*OURS, ValueError, OSError, RuntimeError, ArithmeticError, MemoryError)


def in_words(error: BaseException) -> str:
    """What an error says to a person: its own sentence if it has one; what else was raised, a key
    that is missing for instance, by its kind, as something that was not expected.
    """
    if isinstance(error, SENTENCES) and str(error):
        return str(error)
    what = f"{type(error).__name__}: {error}".removesuffix(": ")
    return f"plastogen did not expect this ({what}); please report it"
