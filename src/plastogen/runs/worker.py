"""In: a task, runs that are made together, and a results folder. Out: the runs in it, and the
result of each.

This is what a worker does, whether it is a thread, a process or another machine.
"""

from __future__ import annotations

import platform
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache, partial
from importlib import metadata
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np

from plastogen import __version__
from plastogen._base.files import advice
from plastogen._base.machine import one_blas_thread
from plastogen.errors import CacheDamaged, MachineError, OtherCode, StoreError, in_words
from plastogen.runs.emulators import emulator_path, load_emulator
from plastogen.runs.heartbeat import Heartbeat
from plastogen.runs.identity import run_id
from plastogen.runs.store import Store
from plastogen.simulation import (
    MODEL_VERSION,
    Course,
    Plan,
    alike,
    simulate,
    simulate_formulas,
    simulate_with_errors,
)

RunState = Literal["stored", "borrowed", "run", "failed", "failed before", "missing"]
Simulator: TypeAlias = Callable[..., Course]


class Cancelled(BaseException):
    """Raised inside a course, at its next step, when the sweep is stopped."""


@dataclass(frozen=True)
class Run:
    """One run to be made: its plan, the arm and seed that first need it, and their `place` in
    words.
    """

    id: str
    plan: Plan
    arm: str
    seed: int
    place: str


# courses simulated side by side at most, and, where there are workers for more, at least
BATCH_MOST, BATCH_FEWEST = 256, 32
Task: TypeAlias = tuple[Run, ...]


@dataclass(frozen=True)
class RunResult:
    """What became of a run; `note` says why it failed, or what was wrong with the run found on
    disk.
    """

    run: Run
    state: RunState
    note: str = ""


def group_into_tasks(runs: Sequence[Run], workers: int = 1) -> list[Task]:
    """What is given to a worker at a time: one run, or a batch of those that ask no network and
    can be simulated side by side.
    """
    alone = [(run,) for run in runs if _needs_no_other(run.plan)]
    batched = [run for run in runs if not _needs_no_other(run.plan)]
    groups: dict[tuple[str, str], list[Run]] = {}
    for run in sorted(batched, key=lambda run: (run.arm, run.plan.seed)):
        groups.setdefault((run.plan.emulator, alike(run.plan)), []).append(run)
    found = []
    for group in groups.values():
        parts = max(-(-len(group) // BATCH_MOST), min(workers, -(-len(group) // BATCH_FEWEST)))
        size = -(-len(group) // parts)
        found += [tuple(group[i : i + size]) for i in range(0, len(group), size)]
    return [*alone, *found]


def _needs_no_other(plan: Plan) -> bool:
    """Whether a plan gains nothing from others beside it: it asks the network, is no course, or
    follows each spine.
    """
    return plan.asks_network or plan.induction is not None or plan.spines is not None


def run_task(
    task: Task,
    folder: Path,
    *,
    simulator: Simulator | None = None,
    since: float = 0.0,
    stopped: Callable[[], bool] | None = None,
) -> list[RunResult]:
    """Make every run of `task`; with `since` (s since 1970) even those that are finished, from
    answers of the network that were kept after it. `stopped()` is called at every step of a course.

    A course that fails is remembered with its reason; nothing is raised for it. Raises StoreError
    or MachineError when disk, memory, compiler or system refuse, which is never remembered against
    a run; OtherCode when these would not be the runs that were asked for.
    """
    run = task[0]
    if run_id(run.plan) != run.id:
        raise OtherCode(
            f"the worker on {platform.node()} has another plastogen, compiler or processor than"
            f" where the sweep was started (run {run.id} would be another there); give both the"
            " same, or start the sweep there"
        )
    store = _store(folder, threading.get_ident())
    store.refresh()
    with Heartbeat(folder, [run.id for run in task]) as mark, _machine_aside():

        def progress(label: str, share: float) -> None:
            if stopped is not None and stopped():
                raise Cancelled
            mark.moved(label, share)

        if run.plan.emulator or (simulator is None and len(task) > 1):
            return _run_batch(task, store, progress, anew=bool(since))
        ours = partial(simulate, since=since) if since else simulate
        follow = simulator or ours
        found = []
        for number, run in enumerate(task):

            def one(label: str, share: float, number: int = number) -> None:
                progress(label, (number + share) / len(task))

            found.append(_run_one(run, store, follow, one, anew=bool(since)))
        return found


@contextmanager
def _machine_aside() -> Iterator[None]:
    """Tell trouble of the machine from trouble of a run. That is found in what it computed and told
    with variable and time; numpy's warnings on the way are not. Raises MachineError, StoreError.
    """
    try:
        with np.errstate(all="ignore"):
            yield
    except (StoreError, MachineError):
        raise
    except (MemoryError, OSError) as error:
        raise MachineError(_refusal(error)) from error


def _refusal(error: MemoryError | OSError) -> str:
    if isinstance(error, OSError):
        where = f" {error.filename}" if error.filename else ""
        return f"the system refuses{where}: {advice(error)}"
    return f"memory is used up ({error}); close other programs, or run fewer at once (--jobs)"


def _trouble(error: BaseException | None) -> MemoryError | OSError | None:
    """What of the machine lies behind an error, if anything does."""
    while error is not None:
        if isinstance(error, MemoryError | OSError):
            return error
        error = error.__cause__ or error.__context__
    return None


@lru_cache(maxsize=64)
def _store(folder: Path, worker: int) -> Store:
    """The store of a worker, which looks into each file of many runs once, not at every task."""
    return Store(folder)


def _run_one(
    run: Run,
    store: Store,
    simulator: Simulator,
    progress: Callable[[str, float], None],
    *,
    anew: bool,
) -> RunResult:
    """Simulate one course and keep it, unless another sweep has done so meanwhile."""
    progress("starting", 0)
    if not anew and store.fault(run.id) is None:
        return RunResult(run, "stored")
    began = time.monotonic()
    try:
        simulated = simulator(run.plan, progress=progress)
    except Exception as error:
        progress("starting", 0)  # a course that was stopped from outside has not failed
        if isinstance(error, StoreError | MachineError):
            raise
        if (behind := _trouble(error)) is not None:
            raise behind from error
        return record_failure(store, run, in_words(error))
    return _keep(run, simulated, store, progress, _manifest(run, began), anew=anew)


def _keep(
    run: Run,
    course: Course,
    store: Store,
    progress: Callable[[str, float], None],
    manifest: dict[str, Any],
    *,
    anew: bool,
) -> RunResult:
    """Write a course into a folder of its own; one that cannot be written has failed."""
    progress("writing", 1)
    try:
        if anew:
            store.discard(run.id)
        store.write(run.id, run.plan, course, {**manifest, "log": course.log, "arm": run.arm})
    except (ValueError, KeyError) as error:
        return record_failure(store, run, in_words(error))
    return RunResult(run, "run")


def _run_batch(
    task: Task, store: Store, progress: Callable[[str, float], None], *, anew: bool
) -> list[RunResult]:
    """Simulate courses side by side and keep them, unless another sweep has done so meanwhile."""
    progress("starting", 0)
    there = set() if anew else {run.id for run in task if store.fault(run.id) is None}
    left = [run for run in task if run.id not in there]
    found = [RunResult(run, "stored") for run in task if run.id in there]
    if not left:
        return found
    make = _make_emulated if left[0].plan.emulator else _make_by_formula
    try:
        return [*found, *make(left, store, progress, anew=anew)]
    except (StoreError, MachineError):
        raise
    except Exception as error:
        progress("starting", 0)  # a course that was stopped from outside has not failed
        if (behind := _trouble(error)) is not None:
            raise behind from error
        if len(left) == 1:
            return [*found, record_failure(store, left[0], in_words(error))]
    half = len(left) // 2  # which of them it was, the halves will tell
    return [
        *found,
        *_run_batch(tuple(left[:half]), store, progress, anew=anew),
        *_run_batch(tuple(left[half:]), store, progress, anew=anew),
    ]


def _make_by_formula(
    runs: Sequence[Run], store: Store, progress: Callable[[str, float], None], *, anew: bool
) -> list[RunResult]:
    """Simulate with the answers of a formula; each course has a folder of its own. Raises
    ValueError.
    """
    began = time.monotonic()
    with one_blas_thread():
        courses = simulate_formulas([run.plan for run in runs], progress)
    manifest = _manifest(runs[0], began, len(runs))
    return [
        _keep(run, course, store, progress, manifest, anew=anew)
        for run, course in zip(runs, courses, strict=True)
    ]


def _make_emulated(
    runs: Sequence[Run], store: Store, progress: Callable[[str, float], None], *, anew: bool
) -> list[RunResult]:
    """Simulate with the answers of an emulator; all courses, each with the one its error leads to,
    are kept in one file. Raises ValueError.
    """
    path = emulator_path(store.folder, runs[0].plan.emulator)
    try:
        emulator, about = load_emulator(path, runs[0].plan.circuit)
    except (FileNotFoundError, CacheDamaged) as error:
        raise StoreError(
            f"{path} is gone or damaged ({error}); run the sweep again, which learns it anew"
        ) from error
    began = time.monotonic()
    with one_blas_thread():
        pairs = simulate_with_errors([run.plan for run in runs], emulator, progress)
    progress("writing", 1)
    manifest = {
        **_manifest(runs[0], began, len(runs)),
        "emulator": {"key": runs[0].plan.emulator, **about},
    }
    written = {run.id: (run.plan, *pair) for run, pair in zip(runs, pairs, strict=True)}
    store.write_batch(written, manifest, {run.id: run.arm for run in runs})
    return [RunResult(run, "run") for run in runs]


def _manifest(run: Run, began: float, runs: int = 1) -> dict[str, Any]:
    return {
        "wall_s": round((time.monotonic() - began) / runs, 3),
        "versions": versions(),
        "model_version": MODEL_VERSION,
        "backend": run.plan.backend,
        "git": _commit(),
        "machine": platform.machine(),
    }


def record_failure(store: Store, run: Run, reason: str) -> RunResult:
    """Remember why a run failed. Raises StoreError."""
    store.fail(run.id, reason)
    return RunResult(run, "failed", reason)


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
