"""In: jobs (a plan and its run id) and a `Store`. Out: finished runs on disk, told one by one as they come.

Threads, because a course spends its time in the compiled network, a process of its own. A finished run is
never run again; one that fails is remembered with its reason and the others go on. Ctrl-C lets nothing
half-done stand.
"""

from __future__ import annotations

import platform
import subprocess
import threading
import time
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from importlib import metadata
from pathlib import Path
from typing import Any, Literal, Protocol

from plastogen import __version__
from plastogen.cache import StoreError
from plastogen.case import Case, Question
from plastogen.circuit.engine import ready_for_threads, terminate_children
from plastogen.course import Course, Plan, follow
from plastogen.identity import run_id
from plastogen.store import Store

Came = Literal["stored", "borrowed", "run", "failed"]
POLL_S = 0.5
PATIENCE_S = 5  # how long Ctrl-C waits for running courses to notice


class Cancelled(BaseException):
    """Raised inside a course, at its next step, after Ctrl-C."""


@dataclass(frozen=True)
class Job:
    """One run to be had: which arm, point and seed first asked for it."""

    id: str
    plan: Plan
    arm: str
    index: tuple[int, ...]
    seed: int


@dataclass(frozen=True)
class Done:
    """What became of a job; `note` says why it failed, or what was wrong with the run found on disk."""

    job: Job
    came: Came
    note: str = ""


class Watcher(Protocol):
    """Told how far things are; called from many threads."""

    def begin(self, running: int) -> None: ...
    def moved(self, run: str, label: str, fraction: float) -> None: ...
    def finished(self, run: str) -> None: ...


class Silent:
    """A watcher that says nothing."""

    def begin(self, running: int) -> None: ...
    def moved(self, run: str, label: str, fraction: float) -> None: ...
    def finished(self, run: str) -> None: ...


def jobs_of(question: Question, cases: Iterable[Case], backend: str) -> tuple[list[Job], dict[Any, str]]:
    """The runs the cases need, equal ones once, first seed first; and (arm, index, seed) -> run id."""
    ids: dict[Any, str] = {}
    jobs: dict[str, Job] = {}
    whole = list(cases)
    for seed in question.seeds:
        for case in whole:
            plan = case.plan(seed, backend)
            run = run_id(plan)
            ids[case.arm, case.index, seed] = run
            jobs.setdefault(run, Job(run, plan, case.arm, case.index, seed))
    return list(jobs.values()), ids


def execute(
    jobs: Sequence[Job], store: Store, *, workers: int, watcher: Watcher | None = None,
    course: Callable[..., Course] | None = None,
) -> Generator[Done]:  # fmt: skip
    """Have every job done; yields each as it is finished. Close the iterator, or Ctrl-C, to stop the rest.

    Raises StoreError when the disk refuses; a course that fails does not raise.
    """
    watcher = watcher or Silent()
    store.prepare()
    waiting: list[tuple[Job, str]] = []
    for job in jobs:
        fault = store.fault(job.id)
        if fault is None:
            yield Done(job, "stored")
            continue
        note = "" if fault == "missing" else f"run {job.id} was broken ({fault}) and is run again"
        if note:
            store.discard(job.id)
        if store.borrow(job.id):
            yield Done(job, "borrowed", note)
        else:
            waiting.append((job, note))
    if waiting:
        watcher.begin(len(waiting))
        yield from _spread(waiting, store, workers, watcher, course or follow)


def _spread(
    waiting: list[tuple[Job, str]],
    store: Store,
    workers: int,
    watcher: Watcher,
    course: Callable[..., Course],
) -> Generator[Done]:
    ready_for_threads()
    stop = threading.Event()
    pool = ThreadPoolExecutor(max_workers=workers, thread_name_prefix="course")
    notes = {job.id: note for job, note in waiting}
    running: set[Future[Done]] = {pool.submit(_one, job, store, watcher, course, stop) for job, _ in waiting}
    try:
        while running:
            ready, running = wait(running, timeout=POLL_S, return_when=FIRST_COMPLETED)
            for future in sorted(ready, key=lambda f: f.result().job.id):
                done = future.result()
                watcher.finished(done.job.id)
                yield Done(done.job, done.came, "; ".join(filter(None, (notes[done.job.id], done.note))))
    finally:
        if running:
            stop.set()
            pool.shutdown(wait=False, cancel_futures=True)
            terminate_children()
            wait([future for future in running if not future.cancelled()], timeout=PATIENCE_S)
        else:
            pool.shutdown()


def _one(job: Job, store: Store, watcher: Watcher, course: Callable[..., Course], stop: threading.Event) -> Done:
    """Follow one course and keep it."""

    def progress(label: str, fraction: float) -> None:
        if stop.is_set():
            raise Cancelled
        watcher.moved(job.id, label, fraction)

    progress("starting", 0)
    began = time.monotonic()
    try:
        followed = course(job.plan, progress=progress)
    except Exception as error:
        if stop.is_set():
            raise Cancelled from None
        reason = f"{type(error).__name__}: {error}" if not str(error) else str(error)
        store.fail(job.id, reason)
        return Done(job, "failed", reason)
    progress("writing", 1)
    manifest = {
        "wall_s": round(time.monotonic() - began, 2), "log": followed.log, "versions": versions(),
        "backend": job.plan.backend, "arm": job.arm, "git": _commit(), "machine": platform.machine(),
    }  # fmt: skip
    try:
        store.write(job.id, job.plan, followed, manifest)
    except (ValueError, KeyError) as error:
        store.fail(job.id, str(error))
        return Done(job, "failed", str(error))
    return Done(job, "run")


@lru_cache(maxsize=1)
def versions() -> dict[str, str]:
    """What the numbers were computed with."""
    found = {"plastogen": __version__, "python": platform.python_version()}
    for name in ("brian2", "numpy", "scipy"):
        with suppress(metadata.PackageNotFoundError):
            found[name] = metadata.version(name)
    return found


@lru_cache(maxsize=1)
def _commit() -> str | None:
    """The commit of this checkout, if it is one."""
    here = Path(__file__).resolve().parents[2]
    if not (here / ".git").exists():
        return None
    with suppress(OSError):
        asked = subprocess.run(["git", "rev-parse", "HEAD"], cwd=here, capture_output=True, text=True, check=False)
        return asked.stdout.strip() or None
    return None


__all__ = ["Cancelled", "Done", "Job", "Silent", "StoreError", "Watcher", "execute", "jobs_of", "versions"]
