"""In: an experiment. Out: its runs, and what came of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from plastogen import SCOPE
from plastogen.commands.options import Jobs, Method, Name, Out, Seed, Seeds, Set, settings
from plastogen.guard import guarded

if TYPE_CHECKING:
    from plastogen.answer import Answer, Asked


@guarded
def run(
    name: Name, set: Set = None, seed: Seed = None, seeds: Seeds = None, method: Method = None, out: Out = None,
    jobs: Jobs = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be run, and stop.")] = False,
    figures: Annotated[bool, typer.Option(help="Draw the experiment's figures and write the report.")] = True,
) -> None:  # fmt: skip
    """Run an experiment: runs, results, verdicts on its claims, figures, report. What is finished is not run again."""
    from plastogen.answer import answer, ask
    from plastogen.doctor import default_jobs
    from plastogen.screen import Bar

    with Bar() as bar:
        asked = ask(name, settings(set), seed=seed, seeds=seeds, method=method, out=out, say=bar.say)
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
