"""In: nothing. Out: the arguments and options that several commands take, said once."""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from plastogen.runs import RunOptions


def whole(text: str) -> int:
    """A whole number that follows an option. Raises BadParameter."""
    try:
        return int(text)
    except ValueError:
        raise typer.BadParameter(f"found {_shown(text)}, wanted a whole number such as 4") from None


def at_least_one(text: str) -> int:
    """A whole number of things. Raises BadParameter."""
    if (number := whole(text)) < 1:
        raise typer.BadParameter(f"found {number}, wanted a whole number, at least 1")
    return number


def number(text: str) -> float:
    """A number that follows an option. Raises BadParameter."""
    try:
        return float(text)
    except ValueError:
        raise typer.BadParameter(f"found {_shown(text)}, wanted a number such as 0.1") from None


def place(text: str | Path) -> Path:
    """The path of a file or folder, which may not be left out. Raises BadParameter."""
    if not str(text).strip():
        raise typer.BadParameter(f"found {_shown(str(text))}, wanted the path of a file or folder")
    return Path(text)


def _shown(text: str) -> str:
    from plastogen._base.text import show

    return show(text)


WHOLE, NUMBER, PLACE = "<int>", "<float>", "<path>"  # as --help calls what follows
Name = Annotated[
    str,
    typer.Argument(help="An experiment: a name `plastogen list` prints, or the path of a file."),
]
Set = Annotated[
    list[str] | None,
    typer.Option("--set", help="path=value, such as course.seeds=1; may be repeated."),
]
Seed = Annotated[
    int | None, typer.Option(help="The first master seed.", parser=whole, metavar=WHOLE)
]
Seeds = Annotated[int | None, typer.Option(help="How many seeds.", parser=whole, metavar=WHOLE)]
Method = Annotated[
    str | None,
    typer.Option(
        help="direct (the network), emulated (learned from it) or formula (an analytic stand-in)."
    ),
]
Out = Annotated[
    Path | None,
    typer.Option(help="Results folder, instead of results/NAME.", parser=place, metavar=PLACE),
]
Jobs = Annotated[
    int | None,
    typer.Option(
        help="Runs at once; as many as there are cores by default.",
        parser=at_least_one,
        metavar=WHOLE,
    ),
]
Executor = Annotated[str, typer.Option(help="threads, processes (the default) or dask.")]
Scheduler = Annotated[
    str | None,
    typer.Option(
        help="Of dask: its address, the file it wrote, or local, for workers on this machine."
    ),
]
Rerun = Annotated[
    str, typer.Option(help="failed: try those again that failed before; all: run everything again.")
]


def settings(given: Iterable[str] | None) -> dict[str, object]:
    """What --set says, as path -> value. Raises InputError."""
    from plastogen._base.definition import override

    return dict(override(text) for text in given or ())


def difference(option: str, value: float | None) -> float | None:
    """A difference given as `option`. Raises InputError unless it is a finite number, not 0."""
    if value is not None and (value == 0 or not math.isfinite(value)):
        from plastogen.errors import InputError

        wanted = "a difference in the readout's unit, a number such as 0.1"
        raise InputError.one(file=option, found=str(value), wanted=wanted)
    return value


def how(
    jobs: int | None, executor: str = "", scheduler: str | None = None, rerun: str = ""
) -> RunOptions:
    """How runs are to be had. Raises InputError."""
    from plastogen._base.machine import cores
    from plastogen._base.text import any_of, nearest, show
    from plastogen.errors import InputError
    from plastogen.runs import KINDS, RERUNS

    if scheduler is not None and not scheduler.strip():
        wanted = "the address of a dask scheduler, the file it wrote, or local"
        raise InputError.one(file="--scheduler", found=show(scheduler), wanted=wanted)
    executor = executor or ("dask" if scheduler else "")
    for option, word, words in (("--executor", executor, KINDS), ("--rerun", rerun, RERUNS)):
        if word and word not in words:
            wanted = any_of(words)
            raise InputError.one(
                file=option, found=show(word), wanted=wanted, nearest=nearest(word, words)
            )
    if scheduler and executor != "dask":
        raise InputError.one(
            file="--scheduler",
            found=f"it beside --executor {executor}",
            wanted="it with dask alone",
        )
    return {
        "workers": jobs or cores(),
        "executor": executor,
        "scheduler": scheduler,
        "rerun": rerun,  # type: ignore[typeddict-item]
    }
