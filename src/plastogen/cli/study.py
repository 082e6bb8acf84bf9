"""In: results that are there. Out: what arms differ by and how surely, and which numbers matter, as
tables and CSV.
"""

from __future__ import annotations

from itertools import islice
from typing import Annotated

import typer

from plastogen.cli.exit_codes import guarded
from plastogen.cli.options import NUMBER, Name, Out, Set, difference, number, settings

MOST_ROWS = 60  # on the screen; all of them are in the CSV


@guarded
def trial(
    name: Name,
    set: Set = None,
    out: Out = None,
    readout: Annotated[
        list[str] | None,
        typer.Option(help="Readouts, or variables at every time; all readouts by default."),
    ] = None,
    than: Annotated[
        str | None, typer.Option(help="The arm to hold the others against; the untreated one.")
    ] = None,
    effect: Annotated[
        float | None,
        typer.Option(
            help="A difference, in the readout's unit: how many see it?",
            parser=number,
            metavar=NUMBER,
        ),
    ] = None,
) -> None:
    """Arms compared pair by pair: differences, intervals, effect sizes, noise floors, how many
    seeds see an effect.
    """
    from plastogen._base.files import atomic_write
    from plastogen._base.text import columns
    from plastogen.analysis import contrast as comparing
    from plastogen.publish import reopen

    effect = difference("--effect", effect)
    outcome = reopen(name, settings(set), out=out, say=typer.echo)
    contrasts = list(comparing.contrasts(outcome.ds, readout, than=than, effect=effect))
    above, below = comparing.describe_pairs(contrasts[0], effect)
    rows = list(islice(comparing.text_rows(contrasts), MOST_ROWS + 1))
    typer.echo("\n".join([above, *columns([comparing.HEAD, *rows[:MOST_ROWS]]), below]))
    path = outcome.request.folder / "trial.csv"
    atomic_write(path, comparing.csv_text(contrasts))
    typer.echo(f"{'these and more are in' if len(rows) > MOST_ROWS else 'table'} {path}")


@guarded
def responders(
    name: Name,
    set: Set = None,
    out: Out = None,
    readout: Annotated[
        str | None, typer.Option(help="One that says yes or no; the first by default.")
    ] = None,
    arm: Annotated[
        str | None, typer.Option(help="The arm; the one where most respond by default.")
    ] = None,
) -> None:
    """Which virtual subjects respond, and which numbers separate them from those who do not."""
    from plastogen._base.text import columns
    from plastogen.analysis import responders as who
    from plastogen.publish import reopen

    outcome = reopen(name, settings(set), out=out, say=typer.echo)
    response = who.find_responders(outcome.ds, readout, arm)
    typer.echo(who.describe_response(response))
    if response.separations:
        typer.echo("\n".join(columns([who.HEAD, *who.text_rows(response.separations)])))
    else:
        typer.echo("nothing separates them: fewer than two respond, or fewer than two do not")


@guarded
def sensitivity(
    name: Name,
    set: Set = None,
    out: Out = None,
    readout: Annotated[list[str] | None, typer.Option(help="Readouts; all by default.")] = None,
    arm: Annotated[
        str | None, typer.Option(help="The arm; the first treated one by default.")
    ] = None,
    than: Annotated[
        str | None, typer.Option(help="The arm to hold it against; the untreated one.")
    ] = None,
) -> None:
    """Which swept number, or number that differs between people, matters most for each readout."""
    from plastogen._base.files import atomic_write
    from plastogen._base.text import columns
    from plastogen.analysis import sensitivity as asking
    from plastogen.publish import reopen

    outcome = reopen(name, settings(set), out=out, say=typer.echo)
    kind, each, unmeasured = asking.influences(outcome.ds, readout, arm=arm, than=than)
    rows = list(islice(asking.text_rows(kind, each), MOST_ROWS + 1))
    typer.echo("\n".join([*columns(rows), *(f"{n}: {why}" for n, why in unmeasured.items())]))
    path = outcome.request.folder / "sensitivity.csv"
    atomic_write(path, asking.csv_text(kind, each))
    typer.echo(f"{'these and more are in' if len(each) >= MOST_ROWS else 'table'} {path}")
