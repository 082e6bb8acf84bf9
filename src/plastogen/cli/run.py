"""In: an experiment. Out: its runs, and what came of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from plastogen._base.scope import SCOPE
from plastogen.cli.exit_codes import ExitCode, exit_code, guarded
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
    from plastogen.publish import Outcome
    from plastogen.runs import Request, RunResult

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
    from plastogen.publish import ProgressBar, complete
    from plastogen.runs import Shard, make_request, run_missing, without_result

    part, spread = Shard.parse(shard) if shard else None, how(jobs, executor, scheduler, rerun)
    with ProgressBar() as bar:
        request = make_request(
            name, settings(set), seed=seed, seeds=seeds, method=method, out=out, say=bar.say
        )
        if dry_run or request.opened.sweep_in_words:
            _plan(request, spread["workers"], bar.say)
        if dry_run:
            return
        if part is not None:
            results = run_missing(
                request, part.part(request.runs), say=bar.say, watcher=bar, **spread
            )
        else:
            outcome = complete(request, say=bar.say, watcher=bar, figures=figures, **spread)
    if part is not None:
        whole = len(results) - len(without_result(results))
        typer.echo(f"{part}: {whole} of {len(results)} runs ({_came(results)})")
        typer.echo(f"when all parts are done: plastogen merge {name}")
        raise typer.Exit(ExitCode.RUN_FAILED if without_result(results) else ExitCode.OK)
    _tell(outcome)
    raise typer.Exit(exit_code(outcome))


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
    from plastogen.publish import publish_results
    from plastogen.runs import gather, repeat_request, without_result, write_record

    request = repeat_request(name, settings(set), out=out, beside=folders or (), say=typer.echo)
    results = gather(request.runs, request.store, folders or ())
    write_record(request.folder, request.opened.name, request.opened.set, request.runs)
    lost = without_result(results)
    for result in lost[:TOLD]:
        why = f"failed: {result.note}" if result.note else "missing"
        typer.echo(f"{result.run.place}: {why}")
    if len(lost) > TOLD:
        typer.echo(f"and {len(lost) - TOLD} more; `plastogen status {request.folder}` has them all")
    outcome = publish_results(request, results, say=typer.echo, figures=figures)
    _tell(outcome)
    if outcome.failed:
        typer.echo(
            f"INCOMPLETE: {len(outcome.failed)} of {len(results)} runs are not there; plastogen run"
            f" {name} runs them"
        )
    raise typer.Exit(exit_code(outcome))


def _came(results: Sequence[RunResult]) -> str:
    """How many runs are new, how many were there, how many are not."""
    came = Counter(one.state for one in results)
    kept, failed = came["stored"] + came["borrowed"], came["failed"] + came["failed before"]
    more = [f"{n} {word}" for n, word in ((failed, "failed"), (came["missing"], "missing")) if n]
    return ", ".join([f"{came['run']} new", f"{kept} kept", *more])


def _plan(request: Request, workers: int, say: Callable[[str], None]) -> None:
    """Say what a run would do."""
    from plastogen.runs import describe_plan

    for line in describe_plan(request, workers=workers):
        say(line)


def _tell(outcome: Outcome) -> None:
    """How many runs there are, what became of the claims, where everything is."""
    from plastogen.runs import describe_beyond, describe_cap, describe_emulators

    typer.echo(
        f"{outcome.ds.attrs['n_complete']} of {outcome.ds.attrs['n_expected']} runs"
        f" ({_came(outcome.results)})"
    )
    log = outcome.ds["probes"].values
    if log.max():
        typer.echo(f"probes a course: {log.min()} to {log.max()}")
    for sentence in (
        describe_cap(outcome.ds, outcome.request.store),
        describe_beyond(outcome.ds),
    ):
        if sentence:
            typer.echo(sentence)
    for line in describe_emulators(outcome.request.folder, outcome.request.training_sets.values()):
        typer.echo(line)
    for verdict in outcome.verdicts:
        typer.echo(verdict.sentence)
    outcomes = [verdict.outcome for verdict in outcome.verdicts]
    if outcomes:
        typer.echo(f"claims: {outcomes.count('met')} of {len(outcomes)} met")
    typer.echo(f"results {outcome.request.folder / 'results.nc'}")
    if outcome.report is not None:
        typer.echo(f"report {outcome.report}")
    typer.echo(SCOPE)
