"""In: a task, jobs that are done together, and a results folder. Out: their runs in it, and what
became of each.

This is what a worker does, whether it is a thread, a process or another machine.
"""

from __future__ import annotations

import json
import platform
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from importlib import metadata
from pathlib import Path
from typing import Any, Literal, TypeAlias

from plastogen import __version__
from plastogen._base.machine import one_blas_thread
from plastogen.errors import CacheDamaged, OtherCode, StoreError
from plastogen.runs.emulators import path_of
from plastogen.runs.heartbeat import Heartbeat
from plastogen.runs.identity import run_id
from plastogen.runs.store import Store
from plastogen.simulation import MODEL_VERSION, Course, Plan, alike, simulate, simulate_with_errors

Came = Literal["stored", "borrowed", "run", "failed", "failed before", "missing"]
Follow: TypeAlias = Callable[..., Course]


class Cancelled(BaseException):
    """Raised inside a course, at its next step, when the sweep is stopped."""


@dataclass(frozen=True)
class Run:
    """One run to be had: which arm and seed first asked for it, and at which `place`, for a person
    to read.
    """

    id: str
    plan: Plan
    arm: str
    seed: int
    place: str


COHORT, FEWEST = (
    256,
    32,
)  # courses followed side by side at most, and, where there are workers for more, at least
Task: TypeAlias = tuple[Run, ...]


@dataclass(frozen=True)
class RunResult:
    """What became of a job; `note` says why it failed, or what was wrong with the run found on
    disk.
    """

    job: Run
    came: Came
    note: str = ""


def tasks_of(jobs: Sequence[Run], workers: int = 1) -> list[Task]:
    """What is given to a worker at a time: a job, or a cohort of emulated ones that can be followed
    side by side.
    """
    alone = [(job,) for job in jobs if job.plan.method != "emulated"]
    many = [job for job in jobs if job.plan.method == "emulated"]
    groups: dict[tuple[str, str], list[Run]] = {}
    for job in sorted(many, key=lambda job: (job.arm, job.plan.seed)):
        groups.setdefault((job.plan.emulator, alike(job.plan)), []).append(job)
    found = []
    for group in groups.values():
        parts = max(-(-len(group) // COHORT), min(workers, -(-len(group) // FEWEST)))
        size = -(-len(group) // parts)
        found += [tuple(group[i : i + size]) for i in range(0, len(group), size)]
    return [*alone, *found]


def perform(
    task: Task,
    folder: Path,
    *,
    course: Follow | None = None,
    anew: bool = False,
    stopped: Callable[[], bool] | None = None,
) -> list[RunResult]:
    """Have every job of `task` done, `anew` even if it is finished. `stopped()` is asked at every
    step of a course.

    A course that fails is remembered with its reason; nothing is raised for it. Raises StoreError
    when the disk refuses, OtherCode when these would not be the runs that were asked for.
    """
    job = task[0]
    if run_id(job.plan) != job.id:
        raise OtherCode(
            f"the worker on {platform.node()} has another plastogen, compiler or processor than"
            f" where the sweep was started (run {job.id} would be another there); give both the"
            " same, or start the sweep there"
        )
    store = _store(folder, threading.get_ident())
    store.refresh()
    with Heartbeat(folder, [job.id for job in task]) as mark:

        def progress(label: str, share: float) -> None:
            if stopped is not None and stopped():
                raise Cancelled
            mark.moved(label, share)

        if job.plan.emulator:
            return _together(task, store, progress, anew)
        found = []
        for number, job in enumerate(task):

            def one(label: str, share: float, number: int = number) -> None:
                progress(label, (number + share) / len(task))

            found.append(_one(job, store, course or simulate, one, anew))
        return found


@lru_cache(maxsize=64)
def _store(folder: Path, worker: int) -> Store:
    """The store of a worker, which looks into each file of many runs once, not at every task."""
    return Store(folder)


def _one(
    job: Run, store: Store, course: Follow, progress: Callable[[str, float], None], anew: bool
) -> RunResult:
    """Follow one course and keep it, unless another sweep has done so meanwhile."""
    progress("starting", 0)
    if not anew and store.fault(job.id) is None:
        return RunResult(job, "stored")
    began = time.monotonic()
    try:
        followed = course(job.plan, progress=progress)
    except StoreError:  # the disk's fault, not the run's
        raise
    except Exception as error:
        progress("starting", 0)  # a course that was stopped from outside has not failed
        return failed(
            store, job, f"{type(error).__name__}: {error}" if not str(error) else str(error)
        )
    progress("writing", 1)
    try:
        if anew:
            store.discard(job.id)
        store.write(
            job.id,
            job.plan,
            followed,
            {**_manifest(job, began), "log": followed.log, "arm": job.arm},
        )
    except (ValueError, KeyError) as error:
        return failed(store, job, str(error))
    return RunResult(job, "run")


def _together(
    task: Task, store: Store, progress: Callable[[str, float], None], anew: bool
) -> list[RunResult]:
    """Follow emulated courses side by side and keep them in one file."""
    progress("starting", 0)
    there = set() if anew else {job.id for job in task if store.fault(job.id) is None}
    left = [job for job in task if job.id not in there]
    found = [RunResult(job, "stored") for job in task if job.id in there]
    if not left:
        return found
    from plastogen.simulation import Emulator

    path = path_of(store.folder, task[0].plan.emulator)
    try:
        emulator = Emulator.load(path, task[0].plan.circuit)
        about = json.loads(path.with_suffix(".json").read_text())
    except (FileNotFoundError, CacheDamaged) as error:
        raise StoreError(
            f"{path} is gone or damaged ({error}); run the sweep again, which learns it anew"
        ) from error
    began = time.monotonic()
    try:
        with one_blas_thread():
            pairs = simulate_with_errors([job.plan for job in left], emulator, progress)
    except ValueError as error:
        if len(left) == 1:
            return [*found, failed(store, left[0], str(error))]
        half = len(left) // 2  # which of them it was, the halves will tell
        return [
            *found,
            *_together(tuple(left[:half]), store, progress, anew),
            *_together(tuple(left[half:]), store, progress, anew),
        ]
    progress("writing", 1)
    manifest = {
        **_manifest(left[0], began, len(left)),
        "emulator": {"key": task[0].plan.emulator, **about},
    }
    runs = {job.id: (job.plan, *pair) for job, pair in zip(left, pairs, strict=True)}
    store.write_batch(runs, manifest, {job.id: job.arm for job in left})
    return [*found, *(RunResult(job, "run") for job in left)]


def _manifest(job: Run, began: float, runs: int = 1) -> dict[str, Any]:
    return {
        "wall_s": round((time.monotonic() - began) / runs, 3),
        "versions": versions(),
        "model_version": MODEL_VERSION,
        "backend": job.plan.backend,
        "git": _commit(),
        "machine": platform.machine(),
    }


def failed(store: Store, job: Run, reason: str) -> RunResult:
    """Remember why a job failed. Raises StoreError."""
    store.fail(job.id, reason)
    return RunResult(job, "failed", reason)


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
    here = Path(__file__).resolve().parents[3]
    if not (here / ".git").exists():
        return None
    with suppress(OSError):
        asked = subprocess.run(
            ["git", "rev-parse", "HEAD"], cwd=here, capture_output=True, text=True, check=False
        )
        return asked.stdout.strip() or None
    return None
