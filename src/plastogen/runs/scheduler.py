"""In: jobs (a plan and its run id) and a `Store`. Out: finished runs on disk, told one by one as
they come.

A finished run is never run again; one that failed is told with its reason and run again only when
asked for. A task whose worker died is given to another. Stopping, by Ctrl-C or a full disk, lets
nothing half-done stand.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, wait
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Literal, Protocol, get_args

from plastogen.errors import StoreError, WorkersLost
from plastogen.experiment import Condition, OpenExperiment
from plastogen.runs.emulators import Pilots, standing_in
from plastogen.runs.heartbeat import tidy, working
from plastogen.runs.identity import run_id
from plastogen.runs.pool import WorkerPool, hire
from plastogen.runs.store import Store
from plastogen.runs.worker import (
    Cancelled,
    Follow,
    Run,
    RunResult,
    Task,
    failed,
    perform,
    tasks_of,
    versions,
)

Rerun = Literal["", "failed", "all"]
RERUNS = get_args(Rerun)[1:]
POLL_S = 0.5
KILLED = "its worker was killed, more than once: out of memory, perhaps"


class Watcher(Protocol):
    """Told how far things are: tasks by a name, each of one or more runs."""

    def begin(self, runs: int) -> None: ...
    def moved(self, task: str, runs: int, label: str, share: float) -> None: ...
    def finished(self, task: str, runs: int) -> None: ...


class Silent:
    """A watcher that says nothing."""

    def begin(self, runs: int) -> None: ...
    def moved(self, task: str, runs: int, label: str, share: float) -> None: ...
    def finished(self, task: str, runs: int) -> None: ...


def jobs_of(
    opened: OpenExperiment,
    conditions: Iterable[Condition],
    backend: str,
    pilots: Mapping[str, Pilots] | None = None,
) -> tuple[list[Run], dict[Any, str]]:
    """The runs the conditions need, equal ones once, first seed first; and (arm, index, seed) ->
    run id.

    `pilots` say which emulator answers for a circuit, where runs are emulated.
    """
    ids: dict[Any, str] = {}
    jobs: dict[str, Run] = {}
    whole = list(conditions)
    for seed in opened.seeds:
        for condition in whole:
            plan = standing_in(condition.plan(seed, backend), pilots or {})
            run = run_id(plan)
            ids[condition.arm, condition.index, seed] = run
            jobs.setdefault(run, Run(run, plan, condition.arm, seed, _place(condition, seed)))
    return list(jobs.values()), ids


def _place(condition: Condition, seed: int) -> str:
    point = (f"{path.rpartition('.')[2]} = {value}" for path, value in condition.point.items())
    return ", ".join((condition.arm, *point, f"seed {seed}"))


def execute(
    jobs: Sequence[Run],
    store: Store,
    *,
    workers: int = 1,
    executor: str = "",
    scheduler: str | None = None,
    rerun: Rerun = "",
    watcher: Watcher | None = None,
    course: Follow | None = None,
) -> Generator[RunResult]:
    """Have every job done, `workers` at once; yields each as it is finished. Close the iterator, or
    Ctrl-C, to stop.

    `executor`: threads, processes or dask, which needs a `scheduler`; what suits the method by
    default. `rerun`: "failed" runs those again that failed before, "all" everything. Raises
    InputError (no such executor), StoreError when the disk refuses, WorkersLost; a course that
    fails does not raise.
    """
    store.prepare()
    notes: dict[str, str] = {}
    waiting: list[Run] = []
    for job in jobs:
        done = _there(job, store, rerun)
        if done.came == "run":
            notes[job.id] = done.note
            waiting.append(job)
        else:
            yield done
    if waiting:
        network = any(job.plan.method == "direct" for job in waiting)
        tasks = tasks_of(waiting, workers)
        workers = min(workers, len(tasks))
        suits = "threads" if network or workers == 1 else "processes"
        crew = hire(executor or suits, workers, scheduler=scheduler)
        watcher = watcher or Silent()
        watcher.begin(len(waiting))
        work = partial(perform, course=course, anew=rerun == "all")
        for done in _spread(tasks, store, crew, watcher, work):
            yield replace(done, note="; ".join(filter(None, (notes[done.job.id], done.note))))
        store.refresh()


def _there(job: Run, store: Store, rerun: Rerun) -> RunResult:
    """What a job has come to already; "run" when it is still to be run."""
    if rerun == "all":
        return RunResult(job, "run")
    fault = store.fault(job.id)
    if fault is None:
        return RunResult(job, "stored")
    note = "" if fault == "missing" else f"run {job.id} was broken ({fault}) and is run again"
    if note:
        store.discard(job.id)
    if store.borrow(job.id):
        return RunResult(job, "borrowed", note)
    reason = store.failure(job.id)
    if reason is not None and not rerun:
        return RunResult(job, "failed before", reason)
    return RunResult(job, "run", note)


def _spread(
    tasks: Iterable[Task],
    store: Store,
    crew: WorkerPool,
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
            busy = _look(folder, {task[0].id: task for task in running.values()}, watcher)
            while left and len(running) < crew.slots:
                task = _next(left, busy)
                running[crew.submit(work, task, folder)] = task
            crew.check()
            ready, _ = wait(running, timeout=POLL_S, return_when=FIRST_COMPLETED)
            for future in sorted(ready, key=lambda one: running[one][0].id):
                task = running.pop(future)
                name = task[0].id
                try:
                    came = future.result()
                except CancelledError:
                    raise WorkersLost(f"{crew.name} is gone; what is finished is kept") from None
                except crew.lost:
                    deaths[name, len(task)] += 1
                    if deaths[name, len(task)] < crew.lives:
                        left.appendleft(task)
                        continue
                    if len(task) > 1:  # which of them it was, the halves will tell
                        half = len(task) // 2
                        left.extendleft((task[half:], task[:half]))
                        continue
                    came = [failed(store, task[0], KILLED)]
                watcher.finished(name, len(task))
                own = {job.id: job for job in task}  # what a process gives back are copies
                yield from (replace(done, job=own[done.job.id]) for done in came)
    except BaseException:
        crew.stop()
        store.prepare()
        raise
    finally:
        tidy(folder)
    crew.close()


def _next(left: deque[Task], busy: set[str]) -> Task:
    """The next task that no other sweep of this folder is at work on, or the next."""
    for _ in range(len(left)):
        if left[0][0].id not in busy:
            break
        left.rotate(-1)
    return left.popleft()


def _look(folder: Path, own: Mapping[str, Task], watcher: Watcher) -> set[str]:
    """Tell the watcher how far our tasks are; the runs that others are at work on."""
    busy = set()
    for one in working(folder):
        task = own.get(one.runs[0])
        if task is None:
            busy |= set(one.runs)
        else:
            watcher.moved(one.runs[0], len(task), one.label, one.share)
    return busy


__all__ = [
    "Cancelled", "Rerun", "Run", "RunResult", "Silent", "StoreError", "Task", "Watcher",
    "WorkersLost", "execute", "jobs_of", "versions",
]  # fmt: skip
