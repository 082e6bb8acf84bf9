"""In: a name. Out: what there is, what a file says, where its numbers come from, what this machine
can do.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from plastogen._base.text import counted
from plastogen.cli.exit_codes import ExitCode, guarded
from plastogen.cli.options import WHOLE, Name, Set, at_least_one, settings

if TYPE_CHECKING:
    from plastogen.experiment import Axis, Experiment


@guarded
def list_(
    what: Annotated[
        str, typer.Argument(help="experiments, drugs, circuits, subjects, variables, ...")
    ] = "",
    names: Annotated[bool, typer.Option("--names", help="Names alone, one a line.")] = False,
) -> None:
    """What there is: experiments, models, variables, figures, switches, references."""
    from plastogen._base.text import columns
    from plastogen.publish import KINDS, listing

    for kind in [what] if what else KINDS[:-1]:
        rows = listing(kind, here=Path())
        if names:
            typer.echo("\n".join(name for name, _ in rows))
        else:
            typer.echo(f"{kind}:")
            typer.echo("\n".join(columns((f"  {name}", title) for name, title in rows)))


@guarded
def show(
    name: Annotated[str, typer.Argument(help="A model, experiment, variable or reference.")],
) -> None:
    """One thing, with all its numbers and where they come from."""
    from plastogen.publish import describe

    for line in describe(name, here=Path()):
        typer.echo(line)


@guarded
def new(
    kind: Annotated[str, typer.Argument(help="experiment, sweep, lesson or a kind of model.")],
    name: Annotated[str, typer.Argument(help="What to call it.")],
) -> None:
    """Make a file to start from."""
    from plastogen.publish import new_file

    path = new_file(kind, name)
    typer.echo(f"made {path}")
    if kind in ("experiment", "sweep"):
        describe_plan = " --dry-run" if kind == "sweep" else ""
        typer.echo(f"next: plastogen check {name}; plastogen run {name}{describe_plan}")
    elif kind == "lesson":
        typer.echo(f"next: plastogen lesson {name}")
    else:
        typer.echo(f"next: name it in an experiment in this folder, as {kind}: {name}")


@guarded
def check(name: Name, set: Set = None) -> None:
    """Check a whole experiment, without running anything."""
    from plastogen.experiment import check as check_all
    from plastogen.experiment import open_experiment

    opened = open_experiment(name, settings(set))
    check_all(opened)
    experiment = opened.experiment
    crossed = (
        counted(len(experiment.arms), "arm"),
        *(_extent(axis, experiment) for axis in opened.axes),
        counted(experiment.course.seeds, "seed"),
    )
    typer.echo(
        f"{opened.name}: all is well. {' x '.join(crossed)},"
        f" {counted(len(experiment.readouts), 'readout')},"
        f" {counted(len(experiment.expect), 'claim')}"
    )


def _extent(axis: Axis, experiment: Experiment) -> str:
    """How many places an axis has, and of what: `30 values of dose`, `64 points`."""
    from plastogen.experiment import POINT, SUBJECT, title_in

    if axis.name in (POINT, SUBJECT):
        return counted(axis.size, axis.name)
    (column,) = axis.columns
    return f"{counted(axis.size, 'value')} of {title_in(experiment, column.path) or column.name}"


@guarded
def sources(
    name: Name,
    set: Set = None,
    bibtex: Annotated[bool, typer.Option("--bibtex", help="As BibTeX.")] = False,
) -> None:
    """Where the numbers and claims of an experiment come from, and how many are only assumed."""
    from plastogen.analysis import provenance as origin
    from plastogen.experiment import check as check_all
    from plastogen.experiment import open_experiment

    opened = open_experiment(name, settings(set))
    check_all(opened)
    used = origin.numbers_in_use(opened.typical_conditions())
    cited = origin.list_cited(
        used, [c.source for c in opened.experiment.expect], opened.models.library
    )
    if bibtex:
        typer.echo(origin.bibtex(cited), nl=False)
        return
    typer.echo(origin.describe_evidence(used))
    for one in cited:
        rests = [
            counted(n, word) for n, word in ((one.numbers, "number"), (one.claims, "claim")) if n
        ]
        typer.echo(f"{one.key}  ({', '.join(rests)})\n  {one.line}")


@guarded
def reliance(
    circuit: Annotated[str, typer.Argument(help="A circuit.")] = "prefrontal",
    seeds: Annotated[
        int, typer.Option(help="How many networks to look at.", parser=at_least_one, metavar=WHOLE)
    ] = 4,
    seconds: Annotated[
        int, typer.Option(help="Seconds of each probe.", parser=at_least_one, metavar=WHOLE)
    ] = 8,
    plasticity: Annotated[
        str, typer.Option(help="The synapses whose return to rest is told.")
    ] = "all",
    rule: Annotated[
        str, typer.Option(help="The calcium rule that synapses follow.")
    ] = "visual_nonlinear",
) -> None:
    """How much each class of cells relies on NMDA receptors: what decides who falls silent."""
    from plastogen._base.library import Library
    from plastogen._base.text import columns, percent
    from plastogen.model.circuit import Circuit
    from plastogen.model.plasticity import CalciumRule, Plasticity
    from plastogen.simulation import measure_reliance, slowest_return_per_h

    library = Library(Path())
    synapses = library.load("plasticity", plasticity, Plasticity)
    network = library.load("circuits", circuit, Circuit)
    followed = library.load("rules", rule, CalciumRule)
    found = measure_reliance(
        network,
        seeds=range(1, seeds + 1),
        seconds=seconds,
        settle_s=0.5,
    )
    numbers = found.numbers
    shown = [name for name in numbers if name.startswith(("nmda", "tonic"))]
    head = (
        "class",
        "rate",
        "voltage",
        "NMDA current",
        "tonic NMDA",
        *(f"d ln rate/d {name}" for name in shown),
    )
    rows = [head]
    for i, cls in enumerate(network.classes):
        slopes = [
            f"{found.slope[i, numbers.index(n)]:.2f} ± {found.slope_se[i, numbers.index(n)]:.2f}"
            for n in shown
        ]
        level = f"{found.rate_hz[i]:.1f} Hz", f"{found.voltage_mV[i]:.1f} mV"
        rows.append(
            (cls, *level, percent(found.nmda_share[i]), percent(found.tonic_share[i]), *slopes)
        )
    typer.echo(
        f"{circuit}, {counted(seeds, 'network')}; currents are shares of the mean excitatory"
        " current at baseline"
    )
    typer.echo("\n".join(columns(rows)))
    typer.echo(f"glutamate bound at {percent(found.bound)} of synaptic receptors")
    back = slowest_return_per_h(synapses, followed, found)
    fate = f"fades to a third in {-1 / back:.0f} h" if back < 0 else "grows"
    typer.echo(
        f"plasticity {plasticity}: a nudge of the synapses {fate} (spectral abscissa {back:.2g} /h)"
    )


@guarded
def doctor(
    action: Annotated[str, typer.Argument(help="clean: empty the cache.")] = "",
    clean: Annotated[bool, typer.Option("--clean", help="Empty the cache.")] = False,
) -> None:
    """Look at this machine: compiler, Brian2 and numpy, cache, cores; one fix for each problem."""
    from plastogen._base.machine import in_bytes
    from plastogen._base.text import nearest
    from plastogen.cli import doctor as surgery
    from plastogen.errors import InputError

    if action not in ("", "clean"):
        near = nearest(action, ["clean"])
        raise InputError.one(
            file="doctor", found=f"'{action}'", wanted="nothing, or clean", nearest=near
        )
    if clean or action:
        folder, freed = surgery.empty_cache()
        typer.echo(f"emptied {folder}: {in_bytes(freed)} freed")
        return
    findings = surgery.examine()
    for finding in findings:
        typer.echo(f"{'ok  ' if finding.well else 'FIX '} {finding.what}: {finding.seen}")
        if not finding.well:
            typer.echo(f"     {finding.fix}")
    raise typer.Exit(
        ExitCode.OK if all(finding.well for finding in findings) else ExitCode.RUN_FAILED
    )
