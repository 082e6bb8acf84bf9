"""In: nothing. Out: the arguments and options that several commands take, said once."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

Name = Annotated[str, typer.Argument(help="An experiment: a name `plastogen list` prints, or the path of a file.")]
Set = Annotated[list[str] | None, typer.Option("--set", help="path=value, such as course.seeds=1; may be repeated.")]
Seed = Annotated[int | None, typer.Option(help="The first master seed.")]
Seeds = Annotated[int | None, typer.Option(help="How many seeds.")]
Method = Annotated[str | None, typer.Option(help="direct (the network) or formula (an analytic stand-in).")]
Out = Annotated[Path | None, typer.Option(help="Results folder, instead of results/NAME.")]
Jobs = Annotated[int | None, typer.Option(help="Runs at once; 2 by default.", min=1)]


def settings(given: Iterable[str] | None) -> dict[str, object]:
    """What --set says, as path -> value. Raises InputError."""
    from plastogen.definition import override

    return dict(override(text) for text in given or ())
