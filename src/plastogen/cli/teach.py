"""In: a lesson, an experiment, or nothing. Out: what a class looks at: a first picture, sheets,
slides, a film.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from plastogen._base.scope import SCOPE
from plastogen._base.text import counted
from plastogen.cli.exit_codes import ExitCode, guarded
from plastogen.cli.options import PLACE, WHOLE, Jobs, Set, how, place, settings, whole


@guarded
def demo(
    out: Annotated[
        Path | None,
        typer.Option(help="Folder, instead of results/demo.", parser=place, metavar=PLACE),
    ] = None,
) -> None:
    """A first picture within seconds, without a compiler: one network before and under ketamine."""
    from plastogen.publish import make_demo

    make_demo(out, say=typer.echo)
    typer.echo(SCOPE)


@guarded
def lesson(
    name: Annotated[str, typer.Argument(help="A lesson; none lists them.")] = "",
    full: Annotated[
        bool, typer.Option("--full", help="Run its experiment as it ships, not the short form.")
    ] = False,
    set: Set = None,
    jobs: Jobs = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Folder of the sheets, instead of results/lesson_NAME.",
            parser=place,
            metavar=PLACE,
        ),
    ] = None,
) -> None:
    """Make a lesson: student sheet, teacher sheet with answer key, slides, figures, from a run of
    its experiment.
    """
    from plastogen._base.text import columns
    from plastogen.publish import ProgressBar, listing, make_lesson

    if not name:
        typer.echo("\n".join(columns(listing("lessons", here=Path()))))
        return
    with ProgressBar() as bar:
        made = make_lesson(
            name, settings(set), full=full, out=out, say=bar.say, watcher=bar, **how(jobs)
        )
    for path in made.files:
        typer.echo(f"wrote {path}")
    rests = {one.verdict.claim for group in made.key.checked for one in group}
    typer.echo(
        f"answer key: {counted(len(made.key.numbers), 'number')} and"
        f" {counted(len(rests), 'claim')} of {made.ran.request.opened.name}"
    )
    for one in made.key.disagreements:
        wanted = "met" if one.holds else "not met"
        typer.echo(
            f"THE ANSWER KEY DISAGREES with this run, it says {wanted}: {one.verdict.sentence}"
        )
    for ask, one in made.key.left_out:
        typer.echo(f"LEFT OUT, for it takes for granted what this run lacks: {ask}")
        typer.echo(f"  {one.verdict.sentence}")
    typer.echo(SCOPE)
    wrong = made.key.disagreements or made.key.left_out
    raise typer.Exit(ExitCode.CLAIM_MISSED if wrong else ExitCode.OK)


@guarded
def animate(
    name: Annotated[str, typer.Argument(help="An experiment without a sweep.")] = "one_infusion",
    out: Annotated[
        Path | None,
        typer.Option(
            help="The file: .html (the default), .gif or .mp4.", parser=place, metavar=PLACE
        ),
    ] = None,
    arm: Annotated[
        str | None, typer.Option(help="The arm; the first that is given something by default.")
    ] = None,
    frames: Annotated[
        int, typer.Option(help="How many moments.", parser=whole, metavar=WHOLE)
    ] = 40,
    set: Set = None,
    jobs: Jobs = None,
) -> None:
    """A film of one run: raster, rates and a dendrite through an infusion, in the small circuit."""
    from plastogen.publish import ProgressBar, make_film

    with ProgressBar() as bar:
        path = make_film(
            name,
            settings(set),
            arm=arm,
            frames=frames,
            out=out,
            say=bar.say,
            watcher=bar,
            **how(jobs),
        )
    typer.echo(f"wrote {path}")
    typer.echo(SCOPE)
