"""In: the name of a lesson, or nothing. Out: sheets and slides made from a run of its experiment."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from plastogen import SCOPE
from plastogen.commands.options import Jobs, Set, how, settings
from plastogen.guard import CLAIM_MISSED, guarded


@guarded
def lesson(
    name: Annotated[str, typer.Argument(help="A lesson; none lists them.")] = "",
    full: Annotated[bool, typer.Option("--full", help="Run its experiment as it ships, not the short form.")] = False,
    set: Set = None, jobs: Jobs = None,
    out: Annotated[Path | None, typer.Option(help="Folder of the sheets, instead of results/lesson_NAME.")] = None,
) -> None:  # fmt: skip
    """Make a lesson: student sheet, teacher sheet with answer key, slides, figures, from a run of its experiment."""
    from plastogen.catalogue import columns, listing
    from plastogen.lesson.make import make
    from plastogen.screen import Bar

    if not name:
        typer.echo("\n".join(columns(listing("lessons", here=Path()))))
        return
    with Bar() as bar:
        made = make(name, settings(set), full=full, out=out, say=bar.say, watcher=bar, **how(jobs))
    for path in made.files:
        typer.echo(f"wrote {path}")
    rests = {one.verdict.claim for group in made.key.checked for one in group}
    typer.echo(f"answer key: {len(made.key.numbers)} numbers and {len(rests)} claims of {made.ran.asked.question.name}")
    for one in made.key.disagreements:
        wanted = "met" if one.holds else "not met"
        typer.echo(f"THE ANSWER KEY DISAGREES with this run, it says {wanted}: {one.verdict.sentence}")
    typer.echo(SCOPE)
    raise typer.Exit(CLAIM_MISSED if made.key.disagreements else 0)
