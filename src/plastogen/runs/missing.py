"""In: a request. Out: a result for each of its runs; those that were missing are run now, after the
emulators they need are trained.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, suppress
from functools import partial
from typing import Unpack

from plastogen._base.text import counted
from plastogen.errors import StoreError
from plastogen.runs.cost import record_cost, record_training_cost
from plastogen.runs.emulators import TrainingSet, ensure_emulator
from plastogen.runs.request import Request, RunOptions, Say, made_by_0_1, write_record
from plastogen.runs.scheduler import Watcher, run_all
from plastogen.runs.worker import Run, RunResult

REASONS = 5  # of earlier failures that are named at once


def run_missing(
    request: Request,
    runs: Sequence[Run],
    *,
    say: Say = print,
    watcher: Watcher | None = None,
    first_seed: Callable[[], None] | None = None,
    **options: Unpack[RunOptions],
) -> list[RunResult]:
    """Run what is not there yet of `runs`. Raises InputError, StoreError, WorkersLost.

    `first_seed` is called once, when the runs of the first seed are there and one of them is new.
    """
    opened = request.opened
    write_record(request.folder, opened.name, opened.set, request.runs)
    if sentence := made_by_0_1(request):
        say(sentence)
    workers = options.get("workers", 1)
    since = time.time() if options.get("rerun") == "all" else 0.0
    _train_emulators(request, runs, watcher=watcher, workers=workers, since=since)
    results: list[RunResult] = []
    waiting = {run.id for run in runs if run.seed == opened.seeds[0]}
    began = time.monotonic()
    with closing(run_all(runs, request.store, watcher=watcher, **options)) as coming:
        for result in coming:
            results.append(result)
            if result.note and result.state != "failed before":
                place = f"{result.run.place}: " if result.state == "failed" else ""
                say(f"{place}{result.note}")
            waiting.discard(result.run.id)
            if first_seed is not None and not waiting:
                if any(result.state == "run" for result in results):
                    first_seed()
                first_seed = None
    for folder, n in request.store.borrowed.items():
        say(f"{counted(n, 'run')} taken from {folder}, where the same was run before")
    fresh = [result.run for result in results if result.state == "run"]
    if fresh and not options.get("scheduler"):
        seconds = (time.monotonic() - began) * min(workers, len(fresh))
        with suppress(StoreError):  # the runs are there; only the next estimate goes without them
            record_cost(fresh, seconds, request.store)
    for line in _earlier_failures(request, results):
        say(line)
    return results


def _train_emulators(
    request: Request,
    runs: Sequence[Run],
    *,
    watcher: Watcher | None,
    workers: int,
    since: float,
) -> None:
    """Train the emulators that runs still to be made need. Raises EngineError, StoreError."""
    missing = [run for run in runs if since or request.store.fault(run.id) is not None]
    needed = {run.plan.emulator for run in missing if run.plan.emulator}
    for each in request.training_sets.values():
        if each.key in needed:
            _train(each, request, watcher=watcher, workers=workers, since=since)


def _train(
    training_set: TrainingSet,
    request: Request,
    *,
    watcher: Watcher | None,
    workers: int,
    since: float,
) -> None:
    moved = partial(_moved, watcher, training_set.key)
    began = time.monotonic()
    if ensure_emulator(training_set, request.folder, workers=workers, moved=moved, since=since):
        with suppress(StoreError):  # as above
            record_training_cost(training_set.plans[0], (time.monotonic() - began) * workers)
    if watcher is not None:
        watcher.finished(training_set.key, 0)


def _moved(watcher: Watcher | None, key: str, label: str, share: float) -> None:
    if watcher is not None:
        watcher.moved(key, 0, label, share)


def _earlier_failures(request: Request, results: Sequence[RunResult]) -> Iterator[str]:
    """What failed in an earlier run and was left alone, each reason once."""
    reasons = Counter(result.note for result in results if result.state == "failed before")
    for reason, times in reasons.most_common(REASONS):
        yield f"failed before, {counted(times, 'run')}: {reason}"
    if len(reasons) > REASONS:
        yield (
            f"and {len(reasons) - REASONS} more reasons; `plastogen status {request.folder}` has"
            " them all"
        )
    if reasons:
        yield "what failed is not run again unless asked for: add --rerun failed"
