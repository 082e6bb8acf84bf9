"""Running: every job once, failures told and survived, stopping leaves nothing half-done."""

from __future__ import annotations

import errno
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import course_fake
import numpy as np
import pytest
from test_experiment import question

from plastogen._base.leftovers import HOST
from plastogen.errors import MachineError, OtherCode, StoreError
from plastogen.experiment import open_experiment
from plastogen.runs.identity import run_id
from plastogen.runs.pool import WorkerPool, make_pool
from plastogen.runs.scheduler import list_runs, run_all
from plastogen.runs.store import Store
from plastogen.runs.worker import (
    Cancelled,
    Run,
    RunResult,
    _machine_aside,
    group_into_tasks,
)
from plastogen.simulation.adaptive import simulate
from plastogen.simulation.course import Course, Plan

ASKED = question()
JOBS, IDS = list_runs(ASKED, ASKED.conditions(), "cpp")


class Watching:
    """Notes what it is told."""

    def __init__(self) -> None:
        self.begun, self.labels, self.ended = 0, list[str](), list[str]()

    def begin(self, runs: int) -> None:
        self.begun = runs

    def moved(self, task: str, runs: int, label: str, share: float) -> None:
        assert 0 <= share <= 1
        self.labels.append(label)

    def finished(self, task: str, runs: int) -> None:
        self.ended += [task] * runs


def done(store: Store, jobs: list[Run] = JOBS, **options: Any) -> list[RunResult]:
    return list(
        run_all(
            jobs,
            store,
            workers=2,
            simulator=options.pop("simulator", course_fake.simulate),
            executor=options.pop("executor", "threads"),
            **options,
        )
    )


def test_jobs_are_all_arms_of_the_first_seed_first() -> None:
    assert [job.seed for job in JOBS] == [5] * 4 + [6] * 4 + [7] * 4
    assert len(IDS) == 12
    assert set(IDS.values()) == {job.id for job in JOBS}


def test_equal_arms_share_a_run() -> None:
    asked = question(
        """
question: Are two names one run?
model: {subject: healthy_adult, circuit: small}
course: {duration: 1 d, seeds: 2}
arms:
  a: {give: {x: {drug: nbqx, occupancy: 0.9, at: 0 h, for: 1 h}}}
  b: {title: the same, give: {y: {drug: nbqx, occupancy: 90 %, at: 0 min, for: 60 min}}}
"""
    )
    jobs, ids = list_runs(asked, asked.conditions(), "cpp")
    assert (len(jobs), len(ids)) == (2, 4)


def test_a_run_is_done_once_and_then_kept(tmp_path: Path) -> None:
    store, watching = Store(tmp_path / "a"), Watching()
    first = done(store, watcher=watching)
    assert {d.state for d in first} == {"run"}
    assert (watching.begun, len(watching.ended)) == (12, 12)
    again = Watching()
    assert {d.state for d in done(store, watcher=again)} == {"stored"}
    assert again.begun == 0


def test_the_watcher_hears_what_a_course_is_at(tmp_path: Path) -> None:
    watching = Watching()

    def course(plan: Plan, *, progress: Any) -> Course:
        progress("compiling the circuit", 0.25)
        for _ in range(1000):
            if "compiling the circuit" in watching.labels:
                break
            threading.Event().wait(0.01)
        return course_fake.simulate(plan)

    done(Store(tmp_path / "a"), JOBS[:2], watcher=watching, simulator=course)
    assert "compiling the circuit" in watching.labels
    assert not (tmp_path / "a" / ".working").exists()


def test_a_neighbours_run_is_borrowed(tmp_path: Path) -> None:
    done(Store(tmp_path / "a"))
    assert {d.state for d in done(Store(tmp_path / "b"))} == {"borrowed"}


def test_a_broken_run_is_told_and_run_again(tmp_path: Path) -> None:
    store = Store(tmp_path / "results" / "one")
    done(store)
    (store.runs / JOBS[2].id / "course.npz").unlink()
    came = {d.run.id: d for d in done(store)}
    assert came[JOBS[2].id].state == "run"
    assert "course.npz is missing" in came[JOBS[2].id].note
    assert [d.state for d in came.values()].count("stored") == 11
    assert store.fault(JOBS[2].id) is None


def test_one_failure_does_not_stop_the_others(tmp_path: Path) -> None:
    def course(plan: Plan, *, progress: Any) -> Course:
        if plan.seed == 6 and "infusion" not in plan.treatments:
            raise RuntimeError("the membrane blew up")
        return course_fake.simulate(plan, progress=progress)

    store = Store(tmp_path / "results" / "one")
    came = done(store, simulator=course)
    failed = [d for d in came if d.state == "failed"]
    assert [(d.run.arm, d.run.seed, d.note) for d in failed] == [
        ("vehicle", 6, "the membrane blew up")
    ]
    assert store.failure(failed[0].run.id) == "the membrane blew up"
    assert store.fault(failed[0].run.id) == "missing"


def test_a_failed_run_is_run_again_only_when_asked_for(tmp_path: Path) -> None:
    store = Store(tmp_path / "results" / "one")
    done(store, JOBS[:3])
    store.fail(JOBS[3].id, "the membrane blew up")
    came = {d.run.id: d for d in done(store, JOBS[:4])}
    assert (came[JOBS[3].id].state, came[JOBS[3].id].note) == (
        "failed before",
        "the membrane blew up",
    )
    assert [d.state for d in done(store, JOBS[:4], rerun="failed")] == ["stored"] * 3 + ["run"]
    assert store.failure(JOBS[3].id) is None
    assert [d.state for d in done(store, JOBS[:4])] == ["stored"] * 4


def test_all_can_be_run_again(tmp_path: Path) -> None:
    done(Store(tmp_path / "results" / "beside"), JOBS[:4])
    store = Store(tmp_path / "results" / "one")
    done(store, JOBS[:4])
    store.fail(JOBS[5].id, "no")
    assert [d.state for d in done(store, JOBS[:6], rerun="all")] == ["run"] * 6
    assert store.failure(JOBS[5].id) is None


def test_a_course_with_a_hole_fails_its_run(tmp_path: Path) -> None:
    def course(plan: Plan, *, progress: Any) -> Course:
        found = course_fake.simulate(plan)
        found.arrays["weight"][-1] = float("nan")
        return found

    came = done(Store(tmp_path / "results" / "one"), JOBS[:1], simulator=course)
    assert came[0].state == "failed"
    assert "weight" in came[0].note


def test_closing_stops_what_runs_at_its_next_step_and_leaves_nothing_half_done(
    tmp_path: Path,
) -> None:
    started, stopped = threading.Event(), list[int]()

    def course(plan: Plan, *, progress: Any) -> Course:
        if plan.seed == 5 and not plan.treatments:
            return course_fake.simulate(plan)
        started.set()
        try:
            while True:
                progress("course", 0.5)
                threading.Event().wait(0.01)
        except Cancelled:
            stopped.append(plan.seed)
            raise

    store = Store(tmp_path / "results" / "one")
    with closing(run_all(JOBS, store, workers=2, simulator=course, executor="threads")) as coming:
        assert next(coming).state == "run"
        assert started.wait(5)
    assert 1 <= len(stopped) <= 2
    assert [p.name for p in store.runs.iterdir()] == [JOBS[0].id]
    assert {d.state for d in done(store)} == {"stored", "run"}


@pytest.mark.parametrize("workers", [1, 2])
def test_what_is_on_disk_does_not_depend_on_how_many_run_at_once(
    tmp_path: Path, workers: int
) -> None:
    store = Store(tmp_path / "results" / "one")
    list(run_all(JOBS, store, workers=workers, simulator=course_fake.simulate))
    one = course_fake.simulate(JOBS[3].plan)
    assert (store.load(JOBS[3].id).arrays["recurrent"] == one.arrays["recurrent"]).all()


@pytest.mark.parametrize(("workers", "wanted"), [(1, "threads"), (2, "processes")])
def test_courses_that_ask_the_network_are_spread_over_processes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, workers: int, wanted: str
) -> None:
    """Half of such a course is Python's own work, over which threads would wait for each other."""
    kinds = []

    def make(kind: str, workers: int, **options: Any) -> WorkerPool:
        kinds.append(kind)
        return make_pool(kind, workers, **options)

    monkeypatch.setattr("plastogen.runs.scheduler.make_pool", make)
    assert JOBS[0].plan.asks_network
    store = Store(tmp_path / "results" / "one")
    came = list(run_all(JOBS[:2], store, workers=workers, simulator=course_fake.simulate))
    assert {result.state for result in came} == {"run"}
    assert kinds == [wanted]


def test_what_a_killed_worker_was_doing_is_given_to_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_LIVES", str(tmp_path))
    (tmp_path / "once").touch()
    store = Store(tmp_path / "results" / "one")
    came = done(store, simulator=course_fake.deadly, executor="processes")
    assert [d.state for d in came] == ["run"] * 12
    assert not (tmp_path / "once").exists()
    assert sorted(p.name for p in store.runs.iterdir()) == sorted(job.id for job in JOBS)


def test_what_a_killed_worker_left_half_written_is_gone_when_the_sweep_ends(tmp_path: Path) -> None:
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    store = Store(tmp_path / "results" / "one")
    left = store.runs / f"{JOBS[0].id}.partial-{HOST}-{dead.pid}-abc"

    def simulator(plan: Plan, **told: Any) -> Course:
        left.mkdir(exist_ok=True)
        return course_fake.simulate(plan, **told)

    done(store, simulator=simulator)
    assert sorted(p.name for p in store.runs.iterdir()) == sorted(job.id for job in JOBS)


def test_a_job_that_kills_its_worker_twice_gives_nothing_and_is_tried_again_next_time(
    tmp_path: Path,
) -> None:
    store = Store(tmp_path / "results" / "one")
    came = done(store, simulator=course_fake.deadly, executor="processes")
    failed = [d for d in came if d.state == "failed"]
    assert [(d.run.arm, d.run.seed) for d in failed] == [("vehicle", 6)]
    assert "worker was killed" in failed[0].note
    assert store.failures() == {}
    assert [d.state for d in came].count("run") == 11


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (MemoryError("Unable to allocate 9 GiB"), "memory is used up .*9 GiB.*--jobs"),
        (OSError(errno.EMFILE, "Too many open files", "/here"), "/here: too many files are open"),
        (OSError(errno.EAGAIN, "Resource temporarily unavailable"), "no more processes"),
        (MachineError("the network did not compile: no space"), "did not compile"),
        (StoreError("the disk is full"), "the disk is full"),
    ],
)
@pytest.mark.parametrize("wrapped", [False, True])
def test_trouble_of_the_machine_stops_a_sweep_and_is_held_against_no_run(
    tmp_path: Path, error: Exception, said: str, wrapped: bool
) -> None:
    asked: list[int] = []

    def simulator(plan: Plan, *, progress: Any) -> Course:
        asked.append(plan.seed)
        if wrapped and isinstance(error, MemoryError | OSError):
            raise ValueError("a library's own words") from error
        raise error

    store = Store(tmp_path / "results" / "one")
    with pytest.raises((MachineError, StoreError), match=said):
        list(run_all(JOBS, store, workers=1, simulator=simulator))
    assert len(asked) == 1
    assert store.failures() == {}


def test_one_deadly_job_costs_its_cohort_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "plastogen.runs.scheduler.group_into_tasks",
        lambda jobs, workers: [tuple(jobs[:3]), tuple(jobs[3:6]), tuple(jobs[6:])],
    )
    came = done(
        Store(tmp_path / "results" / "one"), simulator=course_fake.deadly, executor="processes"
    )
    assert [(d.run.arm, d.run.seed) for d in came if d.state == "failed"] == [("vehicle", 6)]
    assert sorted(d.run.id for d in came) == sorted(job.id for job in JOBS)


def test_two_sweeps_of_one_folder_share_the_work(tmp_path: Path) -> None:
    store, came = Store(tmp_path / "results" / "one"), list[list[RunResult]]()
    threads = [
        threading.Thread(
            target=lambda: came.append(
                done(store, simulator=course_fake.unhurried, executor="processes")
            )
        )
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [len(mine) for mine in came] == [12, 12]
    assert 12 <= sum(d.state == "run" for mine in came for d in mine) < 24
    assert {store.fault(job.id) for job in JOBS} == {None}


def test_a_disk_that_refuses_within_a_course_is_no_failure_of_the_run(tmp_path: Path) -> None:
    store = Store(tmp_path / "results" / "one")

    def full(plan: Plan, *, progress: Any) -> Course:
        raise StoreError("cannot write probes: the disk is full")

    with pytest.raises(StoreError, match="the disk is full"):
        done(store, JOBS[:1], simulator=full)
    assert store.failure(JOBS[0].id) is None


def test_a_worker_of_other_code_is_not_believed(tmp_path: Path) -> None:
    stranger = replace(JOBS[0], id="0123456789ab")
    with pytest.raises(OtherCode, match="another plastogen"):
        done(Store(tmp_path / "results" / "one"), [stranger])


def test_what_is_run_again_stays_until_the_new_run_is_there(tmp_path: Path) -> None:
    store = Store(tmp_path / "results" / "one")
    done(store, JOBS[:2])

    def course(plan: Plan, *, progress: Any) -> Course:
        assert {store.fault(job.id) for job in JOBS[:2]} == {None}
        return course_fake.simulate(plan)

    marks = [store.runs / job.id / "of_the_first_time" for job in JOBS[:2]]
    for mark in marks:
        mark.touch()
    assert [d.state for d in done(store, JOBS[:1], simulator=course, rerun="all")] == ["run"]
    assert [mark.exists() for mark in marks] == [False, True]


def test_formula_runs_are_made_side_by_side_and_each_is_as_one_made_alone(tmp_path: Path) -> None:
    """Seeds, subjects and doses share a task where their times do; a folder of its own for each."""
    asked = question(
        """
question: Does it matter?
model: {subject: virtual_adult, circuit: small}
course: {duration: 2 h, seeds: 2, subjects: 2, method: formula}
arms:
  vehicle: {}
  low: {give: {x: {drug: ketamine, dose: 0.2 mg/kg, route: iv, over: 40 min, at: 0 h}}}
  high: {give: {x: {drug: ketamine, dose: 0.5 mg/kg, route: iv, over: 40 min, at: 0 h}}}
"""
    )
    jobs, _ = list_runs(asked, asked.conditions(), "numpy")
    tasks = group_into_tasks(jobs)
    assert sorted(len(task) for task in tasks) == [4, 8]
    store = Store(tmp_path / "results" / "one")
    assert {result.state for result in run_all(jobs, store, workers=1)} == {"run"}
    for job in (jobs[0], jobs[-1]):
        kept, alone = store.load(job.id).arrays, simulate(job.plan).arrays
        assert len(kept.keys() & alone.keys()) > 20
        for name in kept.keys() & alone.keys():
            np.testing.assert_array_equal(kept[name], np.asarray(alone[name], kept[name].dtype))


def test_a_formula_run_that_fails_costs_those_beside_it_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    formula = [replace(job.plan, method="formula") for job in JOBS]
    jobs = [
        replace(job, id=run_id(plan), plan=plan) for job, plan in zip(JOBS, formula, strict=True)
    ]

    def sometimes(plans: Sequence[Plan], progress: Any = None) -> list[Course]:
        if any(plan.seed == 6 and not plan.treatments for plan in plans):
            raise RuntimeError("no rest is found")
        return [course_fake.simulate(plan) for plan in plans]

    monkeypatch.setattr("plastogen.runs.worker.simulate_formulas", sometimes)
    monkeypatch.setattr("plastogen.runs.worker.simulate", course_fake.simulate)
    monkeypatch.setattr("plastogen.runs.worker.alike", lambda plan: "all")
    came = list(run_all(jobs, Store(tmp_path / "results" / "one"), workers=1))
    failed = [(d.run.arm, d.run.seed, d.note) for d in came if d.state == "failed"]
    assert failed == [("vehicle", 6, "no rest is found")]
    assert sorted(d.run.id for d in came) == sorted(job.id for job in jobs)


def test_numbers_that_leave_the_finite_are_told_by_the_run_and_not_by_numpy() -> None:
    """Its warnings would stand raw between the lines of a sweep; here they are errors."""
    with _machine_aside():
        assert np.exp(np.float64(1e9)) == np.inf
        assert np.isnan(np.float64(0) / np.float64(0))
    with pytest.raises(RuntimeWarning):
        np.exp(np.float64(1e9))


def test_courses_that_follow_each_spine_are_spread_over_workers() -> None:
    """Beside each other they gain nothing: they are followed one by one."""
    asked = open_experiment("new_spines_deleted")
    jobs, _ = list_runs(asked, asked.conditions(), "numpy")
    assert all(job.plan.spines is not None for job in jobs)
    assert {len(task) for task in group_into_tasks(jobs, 8)} == {1}
