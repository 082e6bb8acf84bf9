"""In: an experiment. Out: its runs, and what came of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from plastogen import SCOPE
from plastogen.cli.exit_codes import RUN_FAILED, guarded
from plastogen.cli.options import (
    Executor,
    Jobs,
    Method,
    Name,
    Out,
    Rerun,
    Scheduler,
    Seed,
    Seeds,
    Set,
    how,
    settings,
)

if TYPE_CHECKING:
    from plastogen.publish.workflow import Outcome
    from plastogen.runs.request import Request
    from plastogen.runs.scheduler import RunResult

TOLD = 20  # runs that are not there, by name


@guarded
def run(
    name: Name,
    set: Set = None,
    seed: Seed = None,
    seeds: Seeds = None,
    method: Method = None,
    out: Out = None,
    jobs: Jobs = None,
    executor: Executor = "",
    scheduler: Scheduler = None,
    rerun: Rerun = "",
    shard: Annotated[
        str, typer.Option(help="k/N: the k-th of N parts of the runs, and nothing else.")
    ] = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be run, and stop.")
    ] = False,
    figures: Annotated[
        bool, typer.Option(help="Draw the experiment's figures and write the report.")
    ] = True,
) -> None:
    """Run an experiment: runs, results, verdicts on its claims, figures, report. What is finished
    is not run again.
    """
    from plastogen.cli.progress_bar import ProgressBar
    from plastogen.publish.workflow import answer, have
    from plastogen.runs.request import ask, lacking
    from plastogen.runs.shard import Shard

    part, spread = Shard.of(shard) if shard else None, how(jobs, executor, scheduler, rerun)
    with ProgressBar() as bar:
        asked = ask(
            name, settings(set), seed=seed, seeds=seeds, method=method, out=out, say=bar.say
        )
        if dry_run or asked.question.over:
            _plan(asked, spread["workers"], bar.say)
        if dry_run:
            return
        if part is not None:
            done = have(asked, part.part(asked.jobs), say=bar.say, watcher=bar, **spread)
        else:
            found = answer(asked, say=bar.say, watcher=bar, figures=figures, **spread)
    if part is not None:
        whole = len(done) - len(lacking(done))
        typer.echo(f"{part}: {whole} of {len(done)} runs ({_came(done)})")
        typer.echo(f"when all parts are done: plastogen merge {name}")
        raise typer.Exit(RUN_FAILED if lacking(done) else 0)
    _tell(found)
    raise typer.Exit(found.exit_code)


@guarded
def merge(
    name: Name,
    set: Set = None,
    out: Out = None,
    folders: Annotated[
        list[Path] | None,
        typer.Option("--from", help="A results folder to take runs from; may be repeated."),
    ] = None,
    figures: Annotated[
        bool, typer.Option(help="Draw the experiment's figures and write the report.")
    ] = True,
) -> None:
    """Put together what the parts of a run left (`run --shard`), here or in folders copied back.
    Runs nothing.

    Asks what the parts were asked, --seeds and the like included, unless --set says something else.
    """
    from plastogen.publish.workflow import conclude
    from plastogen.runs.noted import note
    from plastogen.runs.request import ask_again, lacking
    from plastogen.runs.shard import gather

    asked = ask_again(name, settings(set), out=out, beside=folders or (), say=typer.echo)
    done = gather(asked.jobs, asked.store, folders or ())
    note(asked.folder, asked.question.name, asked.question.set, asked.jobs)
    for one in lacking(done)[:TOLD]:
        typer.echo(f"{one.job.place}: {f'failed: {one.note}' if one.note else 'missing'}")
    if len(lacking(done)) > TOLD:
        typer.echo(
            f"and {len(lacking(done)) - TOLD} more; `plastogen status {asked.folder}` has them all"
        )
    found = conclude(asked, done, say=typer.echo, figures=figures)
    _tell(found)
    if found.failed:
        typer.echo(
            f"INCOMPLETE: {len(found.failed)} of {len(done)} runs are not there; plastogen run"
            f" {name} runs them"
        )
    raise typer.Exit(found.exit_code)


def _came(done: Sequence[RunResult]) -> str:
    """How many runs are new, how many were there, how many are not."""
    came = Counter(one.came for one in done)
    kept, failed = came["stored"] + came["borrowed"], came["failed"] + came["failed before"]
    more = [f"{n} {word}" for n, word in ((failed, "failed"), (came["missing"], "missing")) if n]
    return ", ".join([f"{came['run']} new", f"{kept} kept", *more])


def _plan(asked: Request, workers: int, say: Callable[[str], None]) -> None:
    """Say what a run would do."""
    from plastogen.runs.dry_run import planned

    for line in planned(asked, workers=workers):
        say(line)


def _tell(found: Outcome) -> None:
    """How many runs there are, what became of the claims, where everything is."""
    from plastogen.runs.emulators import told

    typer.echo(
        f"{found.ds.attrs['n_complete']} of {found.ds.attrs['n_expected']} runs"
        f" ({_came(found.done)})"
    )
    log = found.ds["probes"].values
    capped = int(found.ds["cap_hit"].values.sum())
    cap = f"; the cap was hit in {capped} runs" if capped else ""
    if log.max():
        typer.echo(f"probes a course: {log.min()} to {log.max()}{cap}")
    for line in told(found.asked.folder, found.asked.pilots.values()):
        typer.echo(line)
    for verdict in found.verdicts:
        typer.echo(verdict.sentence)
    outcomes = [verdict.outcome for verdict in found.verdicts]
    if outcomes:
        typer.echo(f"claims: {outcomes.count('met')} of {len(outcomes)} met")
    typer.echo(f"results {found.asked.folder / 'results.nc'}")
    if found.report is not None:
        typer.echo(f"report {found.report}")
    typer.echo(SCOPE)
