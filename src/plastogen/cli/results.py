"""In: results that are there. Out: figures, reports, tables, the evidence page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from plastogen.cli.exit_codes import guarded
from plastogen.cli.options import PLACE, Jobs, Name, Out, Seeds, Set, how, place, settings


@guarded
def plot(
    name: Name,
    figure: Annotated[
        list[str] | None, typer.Argument(help="Figures; those of the experiment by default.")
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(
            help="Your own data (CSV) to lay over the course.", parser=place, metavar=PLACE
        ),
    ] = None,
    set: Set = None,
    out: Out = None,
) -> None:
    """Draw figures again, or others, from results that are there."""
    from plastogen.publish import redraw, reopen

    redraw(reopen(name, settings(set), out=out, say=typer.echo), figure or (), data, say=typer.echo)


@guarded
def report(name: Name, set: Set = None, out: Out = None) -> None:
    """Write the report again from results that are there."""
    from plastogen.publish import reopen, rewrite_report

    outcome = reopen(name, settings(set), out=out, say=typer.echo)
    typer.echo(f"report {rewrite_report(outcome, say=typer.echo)}")


@guarded
def export(
    name: Name,
    set: Set = None,
    out: Out = None,
    csv: Annotated[bool, typer.Option("--csv", help="Tables (the default).")] = False,
    nwb: Annotated[
        bool, typer.Option("--nwb", help="Spikes of the snapshots as NWB (extra `nwb`).")
    ] = False,
    spines: Annotated[
        bool,
        typer.Option("--spines", help="Each spine as CSV, their edges as SONATA (HDF5)."),
    ] = False,
    crate: Annotated[
        bool, typer.Option("--crate", help="Everything, with inputs and sources, as an RO-Crate.")
    ] = False,
) -> None:
    """Results as CSV, spikes as NWB, spines as CSV and SONATA, all of it as an RO-Crate."""
    from plastogen.publish import reopen, to_crate, to_csv, to_nwb, to_spine_tables

    outcome = reopen(name, settings(set), out=out, say=typer.echo)
    folder = outcome.request.folder
    if csv or not (nwb or crate or spines):
        for path in to_csv(outcome.ds, folder / "csv"):
            typer.echo(str(path))
    if nwb:
        to_nwb(outcome.ds, outcome.request.store, folder / "nwb", say=typer.echo)
    if spines:
        to_spine_tables(outcome.ds, outcome.request.store, folder / "spines", say=typer.echo)
    if crate:
        packed = to_crate(outcome, folder.parent / f"{folder.name}.crate.zip", say=typer.echo)
        typer.echo(str(packed))


@guarded
def status(
    folder: Annotated[str, typer.Argument(help="A results folder, or the name of an experiment.")],
) -> None:
    """How a sweep stands: what is finished, failed and why, under way, missing."""
    from plastogen._base.textfile import is_dir
    from plastogen.runs import RESULTS, describe_status, read_status

    named = RESULTS / folder
    for line in describe_status(
        read_status(named if not is_dir(Path(folder)) and is_dir(named) else folder)
    ):
        typer.echo(line)


@guarded
def compare(
    a: Annotated[Path, typer.Argument(help="A results folder, or a results.nc.", parser=place)],
    b: Annotated[Path, typer.Argument(help="Another.", parser=place)],
) -> None:
    """Which readouts differ between two results beyond noise, pair by pair of arm, point and
    seed.
    """
    from plastogen.analysis import compare_results, describe_comparison
    from plastogen.errors import InputError
    from plastogen.runs import load

    comparison = compare_results(load(a), load(b))
    if not any(row.n for row in comparison.rows):
        why = f" ({'; '.join(comparison.left_out)})" if comparison.left_out else ""
        raise InputError.one(
            file=f"{a} and {b}",
            found=f"nothing to compare{why}",
            wanted="results that share a readout, an arm, a point and a seed",
        )
    for side, folder in (("A", a), ("B", b)):
        typer.echo(f"{side}  {folder}")
    for line in describe_comparison(comparison):
        typer.echo(line)


@guarded
def evidence(
    run: Annotated[
        bool, typer.Option("--run", help="Run what is not there; some hours, the first time.")
    ] = False,
    seeds: Seeds = None,
    jobs: Jobs = None,
) -> None:
    """What was found beside what the model says, as Markdown (docs/evidence.md), from results of
    this version in ./results; experiments that have not been run are named and not counted.
    """
    from plastogen.publish import evidence_page

    typer.echo(evidence_page(run=run, seeds=seeds, **how(jobs)), nl=False)
