"""In: runs (a plan and its id) and a `Store`. Out: finished runs on disk, a result for each as it
comes.

A finished run is never run again; one that failed is reported with its reason and run again only
when asked for. A task whose worker died is given to another. Stopping, by Ctrl-C or a full disk,
lets nothing half-done stand.
"""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, wait
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Literal, Protocol, get_args

from plastogen.errors import WorkersLost
from plastogen.experiment import Condition, OpenExperiment
from plastogen.runs.emulators import TrainingSet, with_emulator
from plastogen.runs.heartbeat import active_workers, remove_folder_if_idle
from plastogen.runs.identity import run_id
from plastogen.runs.pool import WorkerPool, make_pool
from plastogen.runs.store import Store
from plastogen.runs.worker import (
    Run,
    RunResult,
    Simulator,
    Task,
    group_into_tasks,
    run_task,
)

Rerun = Literal["", "failed", "all"]
RERUNS = get_args(Rerun)[1:]
POLL_S = 0.5
KILLED = "its worker was killed, more than once: out of memory, perhaps; run fewer (--jobs)"


class Watcher(Protocol):
    """What follows how far things are: tasks by a name, each of one or more runs."""

    def begin(self, runs: int) -> None: ...
    def moved(self, task: str, runs: int, label: str, share: float) -> None: ...
    def finished(self, task: str, runs: int) -> None: ...


class Silent:
    """A watcher that says nothing."""

    def begin(self, runs: int) -> None: ...
    def moved(self, task: str, runs: int, label: str, share: float) -> None: ...
    def finished(self, task: str, runs: int) -> None: ...


def list_runs(
    opened: OpenExperiment,
    conditions: Iterable[Condition],
    backend: str,
    training_sets: Mapping[str, TrainingSet] | None = None,
) -> tuple[list[Run], dict[Any, str]]:
    """The runs the conditions need, equal ones once, first seed first; and (arm, index, seed) ->
    run id.

    `training_sets` say which emulator answers for a circuit, where runs are emulated.
    """
    ids: dict[Any, str] = {}
    runs: dict[str, Run] = {}
    resolved = list(conditions)
    for seed in opened.seeds:
        for condition in resolved:
            plan = with_emulator(condition.plan(seed, backend), training_sets or {})
            name = run_id(plan)
            ids[condition.arm, condition.index, seed] = name
            runs.setdefault(name, Run(name, plan, condition.arm, seed, _place(condition, seed)))
    return list(runs.values()), ids


def _place(condition: Condition, seed: int) -> str:
    point = (f"{path.rpartition('.')[2]} = {value}" for path, value in condition.point.items())
    return ", ".join((condition.arm, *point, f"seed {seed}"))


def run_all(
    runs: Sequence[Run],
    store: Store,
    *,
    workers: int = 1,
    executor: str = "",
    scheduler: str | None = None,
    rerun: Rerun = "",
    watcher: Watcher | None = None,
    simulator: Simulator | None = None,
) -> Generator[RunResult]:
    """Run all of `runs`, `workers` at once; yields the result of each as it comes. Close the
    iterator, or Ctrl-C, to stop.

    `executor`: threads, processes or dask, which needs a `scheduler`; `default_executor` by
    default. `rerun`: "failed" runs those again that failed before, "all" everything. Raises
    InputError (no such executor), StoreError when the disk refuses, WorkersLost; a course that
    fails does not raise.
    """
    store.prepare()
    notes: dict[str, str] = {}
    waiting: list[Run] = []
    for run in runs:
        result = _stored_result(run, store, rerun)
        if result.state == "run":
            notes[run.id] = result.note
            waiting.append(run)
        else:
            yield result
    if waiting:
        tasks = group_into_tasks(waiting, workers)
        workers = min(workers, len(tasks))
        pool = make_pool(executor or default_executor(workers), workers, scheduler=scheduler)
        watcher = watcher or Silent()
        watcher.begin(len(waiting))
        work = partial(run_task, simulator=simulator, since=time.time() if rerun == "all" else 0.0)
        for result in _dispatch(tasks, store, pool, watcher, work):
            yield replace(result, note="; ".join(filter(None, (notes[result.run.id], result.note))))
        store.sweep_up()  # a worker that was killed may have left a part


def default_executor(workers: int) -> str:
    """What spreads runs over `workers` if nobody says: half of a course is Python's own work, the
    other half the network's, which is a program of its own; threads would wait for each other.
    """
    return "threads" if workers == 1 else "processes"


def _stored_result(run: Run, store: Store, rerun: Rerun) -> RunResult:
    """The result of a run that needs no running; with the state "run" when it is to be run."""
    if rerun == "all":
        return RunResult(run, "run")
    fault = store.fault(run.id)
    if fault is None:
        return RunResult(run, "stored")
    note = "" if fault == "missing" else f"run {run.id} was broken ({fault}) and is run again"
    if note:
        store.discard(run.id)
    if store.borrow(run.id):
        return RunResult(run, "borrowed", note)
    reason = store.failure(run.id)
    if reason is not None and not rerun:
        return RunResult(run, "failed before", reason)
    return RunResult(run, "run", note)


def _dispatch(
    tasks: Iterable[Task],
    store: Store,
    pool: WorkerPool,
    watcher: Watcher,
    work: Callable[..., list[RunResult]],
) -> Generator[RunResult]:
    """Give out the tasks, and take back what comes of them."""
    folder = store.folder.absolute()
    left, running, deaths = (
        deque(tasks),
        dict[Future[list[RunResult]], Task](),
        Counter[tuple[str, int]](),
    )
    try:
        while left or running:
            busy = _report_progress(
                folder, {task[0].id: task for task in running.values()}, watcher
            )
            while left and len(running) < pool.slots:
                task = _next_task(left, busy)
                running[pool.submit(work, task, folder)] = task
            pool.check()
            ready, _ = wait(running, timeout=POLL_S, return_when=FIRST_COMPLETED)
            for future in sorted(ready, key=lambda one: running[one][0].id):
                task = running.pop(future)
                name = task[0].id
                try:
                    results = future.result()
                except CancelledError:
                    raise WorkersLost(f"{pool.name} is gone; what is finished is kept") from None
                except pool.lost:
                    deaths[name, len(task)] += 1
                    if deaths[name, len(task)] < pool.lives:
                        left.appendleft(task)
                        continue
                    if len(task) > 1:  # which of them it was, the halves will tell
                        half = len(task) // 2
                        left.extendleft((task[half:], task[:half]))
                        continue
                    results = [RunResult(task[0], "failed", KILLED)]  # the machine's: not kept
                watcher.finished(name, len(task))
                own = {run.id: run for run in task}  # what a process gives back are copies
                yield from (replace(result, run=own[result.run.id]) for result in results)
    except BaseException:
        pool.stop()
        store.sweep_up()
        raise
    finally:
        remove_folder_if_idle(folder)
    pool.close()


def _next_task(left: deque[Task], busy: set[str]) -> Task:
    """The next task that no other sweep of this folder is at work on, or the next."""
    for _ in range(len(left)):
        if left[0][0].id not in busy:
            break
        left.rotate(-1)
    return left.popleft()


def _report_progress(folder: Path, own: Mapping[str, Task], watcher: Watcher) -> set[str]:
    """Tell the watcher how far our tasks are; the runs that others are at work on."""
    busy = set()
    for one in active_workers(folder):
        task = own.get(one.runs[0])
        if task is None:
            busy |= set(one.runs)
        else:
            watcher.moved(one.runs[0], len(task), one.label, one.share)
    return busy
