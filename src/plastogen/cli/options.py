"""In: nothing. Out: the arguments and options that several commands take, said once."""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from plastogen.runs import RunOptions

Name = Annotated[
    str,
    typer.Argument(help="An experiment: a name `plastogen list` prints, or the path of a file."),
]
Set = Annotated[
    list[str] | None,
    typer.Option("--set", help="path=value, such as course.seeds=1; may be repeated."),
]
Seed = Annotated[int | None, typer.Option(help="The first master seed.")]
Seeds = Annotated[int | None, typer.Option(help="How many seeds.")]
Method = Annotated[
    str | None,
    typer.Option(
        help="direct (the network), emulated (learned from it) or formula (an analytic stand-in)."
    ),
]
Out = Annotated[Path | None, typer.Option(help="Results folder, instead of results/NAME.")]
Jobs = Annotated[
    int | None, typer.Option(help="Runs at once; as many as there are cores by default.", min=1)
]
Executor = Annotated[
    str, typer.Option(help="threads, processes or dask; what suits the method by default.")
]
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
