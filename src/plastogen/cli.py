"""In: a command line. Out: what it asked for, and an exit code: 0 good, 2 bad input, 3 a run failed, 4 a claim missed.

Errors become messages and exit codes in `guard`; nothing heavy is imported before a command needs it.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from plastogen import SCOPE, __version__
from plastogen.guard import RUN_FAILED, guarded

if TYPE_CHECKING:
    from plastogen.answer import Answer, Asked

app = typer.Typer(
    name="plastogen", no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False,
    help=f"From a dose of ketamine to synapses and spines, weeks later, through a real spiking network. {SCOPE}",
)  # fmt: skip

Name = Annotated[str, typer.Argument(help="An experiment: a name `plastogen list` prints, or the path of a file.")]
Set = Annotated[list[str] | None, typer.Option("--set", help="path=value, such as course.seeds=1; may be repeated.")]
Seed = Annotated[int | None, typer.Option(help="The first master seed.")]
Seeds = Annotated[int | None, typer.Option(help="How many seeds.")]
Method = Annotated[str | None, typer.Option(help="direct (the network) or formula (an analytic stand-in).")]
Out = Annotated[Path | None, typer.Option(help="Results folder, instead of results/NAME.")]


def _settings(given: Iterable[str] | None) -> dict[str, object]:
    from plastogen.definition import override

    return dict(override(text) for text in given or ())


@app.callback(invoke_without_command=True)
def about(version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False) -> None:
    """Say which version this is."""
    if version:
        typer.echo(f"plastogen {__version__}")
        raise typer.Exit


@app.command("list")
@guarded
def list_(
    what: Annotated[str, typer.Argument(help="experiments, drugs, circuits, subjects, variables, ...")] = "",
    names: Annotated[bool, typer.Option("--names", help="Names alone, one a line.")] = False,
) -> None:
    """What there is: experiments, models, variables, figures, switches, references."""
    from plastogen.catalogue import KINDS, columns, listing

    for kind in [what] if what else KINDS[:-1]:
        rows = listing(kind, here=Path())
        if names:
            typer.echo("\n".join(name for name, _ in rows))
        else:
            typer.echo(f"{kind}:")
            typer.echo("\n".join(columns((f"  {name}", title) for name, title in rows)))


@app.command()
@guarded
def show(name: Annotated[str, typer.Argument(help="A model, experiment, variable or reference.")]) -> None:
    """One thing, with all its numbers and where they come from."""
    from plastogen.catalogue import describe

    for line in describe(name, here=Path()):
        typer.echo(line)


@app.command()
@guarded
def new(
    kind: Annotated[str, typer.Argument(help="experiment, drug or circuit.")],
    name: Annotated[str, typer.Argument(help="What to call it.")],
) -> None:
    """Make a file to start from."""
    from plastogen import new as starter

    path = starter.new(kind, name)
    typer.echo(f"made {path}")
    if kind == "experiment":
        typer.echo(f"next: plastogen check {name}; plastogen run {name}")
    else:
        typer.echo(f"next: name it in an experiment in this folder, as {kind}: {name}")


@app.command()
@guarded
def check(name: Name, set: Set = None) -> None:
    """Check a whole experiment, without running anything."""
    from plastogen.case import open_question
    from plastogen.check import check as check_all

    question = open_question(name, _settings(set))
    cases = check_all(question)
    experiment = question.experiment
    typer.echo(
        f"{question.name}: all is well. {len(experiment.arms)} arms"
        + (f" x {len(cases) // len(experiment.arms)} points" if experiment.sweep else "")
        + f" x {experiment.course.seeds} seeds, {len(experiment.readouts)} readouts, {len(experiment.expect)} claims"
    )


@app.command()
@guarded
def run(
    name: Name, set: Set = None, seed: Seed = None, seeds: Seeds = None, method: Method = None, out: Out = None,
    jobs: Annotated[int | None, typer.Option(help="Runs at once; 2 by default.", min=1)] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be run, and stop.")] = False,
    figures: Annotated[bool, typer.Option(help="Draw the experiment's figures and write the report.")] = True,
) -> None:  # fmt: skip
    """Run an experiment: runs, results, verdicts on its claims, figures, report. What is finished is not run again."""
    from plastogen.answer import answer, ask
    from plastogen.doctor import default_jobs
    from plastogen.screen import Bar

    with Bar() as bar:
        asked = ask(name, _settings(set), seed=seed, seeds=seeds, method=method, out=out, say=bar.say)
        if dry_run:
            _plan(asked)
            return
        found = answer(asked, workers=jobs or default_jobs(), say=bar.say, watcher=bar, figures=figures)
    _tell(found)
    raise typer.Exit(found.exit_code)


def _plan(asked: Asked) -> None:
    """What a run would do."""
    faults = {job.id: asked.store.fault(job.id) for job in asked.jobs}
    todo = [job for job in asked.jobs if faults[job.id] is not None]
    experiment = asked.question.experiment
    typer.echo(f"{asked.question.name}: {len(asked.ids)} runs, {len(asked.jobs)} different, {len(todo)} still to do")
    for arm in experiment.arms:
        mine = [run for (name, _, _), run in asked.ids.items() if name == arm]
        there = sum(faults[run] is None for run in mine)
        typer.echo(f"  {arm}: {there} of {len(mine)} finished")
    for run, fault in faults.items():
        if fault not in (None, "missing"):
            typer.echo(f"  run {run} is broken ({fault}) and would be run again")
    if todo and experiment.takes:
        typer.echo(f"  takes {experiment.takes}")
    typer.echo(f"  results go to {asked.folder}")


def _tell(found: Answer) -> None:
    """How many runs there are, what became of the claims, where everything is."""
    came = [done.came for done in found.done]
    fresh, kept, failed = came.count("run"), came.count("stored") + came.count("borrowed"), came.count("failed")
    expected = found.ds.attrs["n_expected"]
    parts = [f"{fresh} new", f"{kept} kept"] + ([f"{failed} failed"] if failed else [])
    typer.echo(f"{found.ds.attrs['n_complete']} of {expected} runs ({', '.join(parts)})")
    log = found.ds["probes"].values
    capped = int(found.ds["cap_hit"].values.sum())
    cap = f"; the cap was hit in {capped} runs" if capped else ""
    typer.echo(f"probes a course: {log.min()} to {log.max()}{cap}")
    for verdict in found.verdicts:
        typer.echo(verdict.sentence)
    outcomes = [verdict.outcome for verdict in found.verdicts]
    if outcomes:
        typer.echo(f"claims: {outcomes.count('met')} of {len(outcomes)} met")
    typer.echo(f"results {found.asked.folder / 'results.nc'}")
    if found.report is not None:
        typer.echo(f"report {found.report}")
    typer.echo(SCOPE)


@app.command()
@guarded
def plot(
    name: Name,
    figure: Annotated[list[str] | None, typer.Argument(help="Figures; those of the experiment by default.")] = None,
    data: Annotated[Path | None, typer.Option(help="Your own data (CSV) to lay over the course.")] = None,
    set: Set = None, out: Out = None,
) -> None:  # fmt: skip
    """Draw figures again, or others, from results that are there."""
    from plastogen.answer import again, redraw

    redraw(again(name, _settings(set), out=out, say=typer.echo), figure or (), data, say=typer.echo)


@app.command()
@guarded
def report(name: Name, set: Set = None, out: Out = None) -> None:
    """Write the report again from results that are there."""
    from plastogen.answer import again, rewrite

    found = again(name, _settings(set), out=out, say=typer.echo)
    typer.echo(f"report {rewrite(found, say=typer.echo)}")


@app.command()
@guarded
def sources(
    name: Name, set: Set = None,
    bibtex: Annotated[bool, typer.Option("--bibtex", help="As BibTeX.")] = False,
) -> None:  # fmt: skip
    """Where the numbers and claims of an experiment come from, and how many are only assumed."""
    from plastogen import sources as origin
    from plastogen.case import open_question
    from plastogen.check import check as check_all

    question = open_question(name, _settings(set))
    used = origin.numbers(check_all(question))
    cited = origin.cited(used, [c.source for c in question.experiment.expect], question.models.library)
    if bibtex:
        typer.echo(origin.bibtex(cited), nl=False)
        return
    typer.echo(origin.summary(used))
    for one in cited:
        rests = [
            f"{n} {word}{'s' if n > 1 else ''}" for n, word in ((one.numbers, "number"), (one.claims, "claim")) if n
        ]
        typer.echo(f"{one.key}  ({', '.join(rests)})\n  {one.line}")


@app.command()
@guarded
def export(
    name: Name, set: Set = None, out: Out = None,
    csv: Annotated[bool, typer.Option("--csv", help="Tables (the default).")] = False,
    nwb: Annotated[bool, typer.Option("--nwb", help="Spikes of the snapshots as NWB (extra `nwb`).")] = False,
) -> None:  # fmt: skip
    """Results as CSV, spikes as NWB."""
    from plastogen.answer import again
    from plastogen.export import to_csv, to_nwb

    found = again(name, _settings(set), out=out, say=typer.echo)
    paths = to_nwb(found.ds, found.asked.store, found.asked.folder / "nwb") if nwb else []
    if csv or not nwb:
        paths += to_csv(found.ds, found.asked.folder / "csv")
    for path in paths:
        typer.echo(str(path))


@app.command()
@guarded
def doctor(
    action: Annotated[str, typer.Argument(help="clean: empty the cache.")] = "",
    clean: Annotated[bool, typer.Option("--clean", help="Empty the cache.")] = False,
) -> None:
    """Look at this machine: compiler, Brian2 and numpy, cache, cores; one fix for each problem."""
    from plastogen import doctor as surgery
    from plastogen.definition import InputError, nearest

    if action not in ("", "clean"):
        near = nearest(action, ["clean"])
        raise InputError.one(file="doctor", found=f"'{action}'", wanted="nothing, or clean", nearest=near)
    if clean or action:
        folder, freed = surgery.empty_cache()
        typer.echo(f"emptied {folder}: {surgery.in_bytes(freed)} freed")
        return
    findings = surgery.examine()
    for finding in findings:
        typer.echo(f"{'ok  ' if finding.well else 'FIX '} {finding.what}: {finding.seen}")
        if not finding.well:
            typer.echo(f"     {finding.fix}")
    raise typer.Exit(RUN_FAILED if not all(finding.well for finding in findings) else 0)


@app.command()
@guarded
def reliance(
    circuit: Annotated[str, typer.Argument(help="A circuit.")] = "prefrontal",
    seeds: Annotated[int, typer.Option(help="How many networks to look at.", min=1)] = 4,
    seconds: Annotated[int, typer.Option(help="Seconds of each probe.", min=1)] = 8,
) -> None:
    """How much each class of cells relies on NMDA receptors: what decides who falls silent."""
    from plastogen.catalogue import columns
    from plastogen.circuit import CLASSES, Circuit, Drive
    from plastogen.definition import Library
    from plastogen.reliance import measure

    found = measure(Library(Path()).load("circuits", circuit, Circuit), seeds=range(1, seeds + 1), seconds=seconds,
                    settle_s=0.5)  # fmt: skip
    numbers = Drive.names()
    shown = [name for name in numbers if name.startswith(("nmda", "tonic"))]
    head = ("class", "rate", "voltage", "NMDA current", "tonic NMDA", *(f"d ln rate/d {name}" for name in shown))
    rows = [head]
    for i, cls in enumerate(CLASSES):
        slopes = [f"{found.slope[i, numbers.index(n)]:.2f} ± {found.slope_se[i, numbers.index(n)]:.2f}" for n in shown]
        level = f"{found.rate_hz[i]:.1f} Hz", f"{found.voltage_mV[i]:.1f} mV"
        rows.append((cls, *level, f"{found.nmda_share[i]:.0%}", f"{found.tonic_share[i]:.0%}", *slopes))
    typer.echo(f"{circuit}, {seeds} networks; currents are shares of the mean excitatory current at baseline")
    typer.echo("\n".join(columns(rows)))


@app.command()
@guarded
def evidence(
    seeds: Seeds = None,
    jobs: Annotated[int | None, typer.Option(help="Runs at once; 2 by default.", min=1)] = None,
) -> None:
    """What was found beside what the model says, as Markdown (docs/evidence.md); runs what is not there yet."""
    from plastogen import evidence as table
    from plastogen.answer import answer, ask
    from plastogen.doctor import default_jobs
    from plastogen.screen import Bar

    rows, judged = table.rows(), {}
    for name in table.experiments(rows):
        with Bar(talks=False) as bar:
            asked = ask(name, seeds=seeds, say=bar.say)
            judged[name] = answer(
                asked, workers=jobs or default_jobs(), say=bar.say, watcher=bar, figures=False
            ).verdicts
    typer.echo(table.page(rows, judged), nl=False)


def main() -> Any:
    """Run the command line."""
    return app()


if __name__ == "__main__":
    main()
