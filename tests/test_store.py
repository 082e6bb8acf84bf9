"""Runs on disk: what names them, and that a broken one is never taken for a finished one."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import course_fake
import numpy as np
import pytest
from test_experiment import question

from plastogen._base.leftovers import HOST, SILENT_S
from plastogen.errors import CacheDamaged, StoreError
from plastogen.runs.batch import _tested
from plastogen.runs.identity import run_id
from plastogen.runs.store import FILES, Store
from plastogen.simulation.course import Plan

ASKED = question()


def plan(arm: str = "ketamine", seed: int = 5, **settings: object) -> Plan:
    asked = question(**settings) if settings else ASKED
    return asked.condition(arm).plan(seed, "cpp")


def stored(folder: Path, arm: str = "ketamine") -> tuple[Store, str]:
    store, one = Store(folder), plan(arm)
    store.prepare()
    run = run_id(one)
    store.write(
        run, one, course_fake.simulate(one), {"log": {"probes": 3, "cap_hit": False}, "wall_s": 1.5}
    )
    return store, run


def test_a_written_run_reads_back(tmp_path: Path) -> None:
    store, run = stored(tmp_path)
    assert store.fault(run) is None
    back = store.load(run)
    assert (back.arrays["weight"] == course_fake.simulate(plan()).arrays["weight"]).all()
    assert back.labels["species"] == ("ketamine", "norketamine", "hnk")
    assert back.manifest["log"]["probes"] == 3
    assert back.manifest["classes"]["PV"] == [200, 230]
    assert [p.name for p in sorted((tmp_path / "runs").iterdir())] == [run]


def test_spikes_read_back(tmp_path: Path) -> None:
    asked = question(snapshots={"during": "40 min"})
    one = asked.condition("ketamine").plan(5, "cpp")
    store = Store(tmp_path)
    store.prepare()
    store.write("0" * 12, one, course_fake.simulate(one), {"log": {}})
    times, cells = store.spikes("0" * 12)["during"]
    assert times.tolist() == [0.1, 0.2, 0.5]
    assert cells.dtype == np.int32
    assert store.load("0" * 12).arrays["gamma_power"].shape == (1,)


@pytest.mark.parametrize("name", [*FILES, "manifest.json"])
@pytest.mark.parametrize("how", ["missing", "cut short", "altered"])
def test_a_broken_run_is_never_taken_for_a_finished_one(
    tmp_path: Path, name: str, how: str
) -> None:
    store, run = stored(tmp_path)
    path = tmp_path / "runs" / run / name
    raw = path.read_bytes()
    if how == "missing":
        path.unlink()
    elif how == "cut short":
        path.write_bytes(raw[: len(raw) // 2])
    else:
        path.write_bytes(
            raw.replace(b"complete", b"running!") if name == "manifest.json" else raw[:-1] + b"?"
        )
    fault = store.fault(run)
    assert fault is not None
    assert name.split(".")[0] in fault
    store.discard(run)
    assert store.fault(run) == "missing"


def test_a_damaged_array_is_said_when_it_is_loaded(tmp_path: Path) -> None:
    store, run = stored(tmp_path)
    (tmp_path / "runs" / run / "course.npz").write_bytes(b"PK nonsense")
    with pytest.raises(CacheDamaged):
        store.load(run)
    with pytest.raises(CacheDamaged):
        store.load("f" * 12)


def test_a_course_that_is_not_finite_is_not_kept(tmp_path: Path) -> None:
    store, one = Store(tmp_path), plan()
    store.prepare()
    course = course_fake.simulate(one)
    course.arrays["bdnf"][3] = np.nan
    with pytest.raises(ValueError, match="bdnf"):
        store.write("0" * 12, one, course, {"log": {}})
    assert list((tmp_path / "runs").iterdir()) == []


def test_leftovers_of_killed_processes_are_swept_and_those_of_living_ones_stay(
    tmp_path: Path,
) -> None:
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    store = Store(tmp_path)
    store.prepare()
    gone, living = (
        store.runs / f"{'0' * 12}.partial-{HOST}-{pid}-abc" for pid in (dead.pid, os.getppid())
    )
    gone.mkdir()
    living.mkdir()
    (gone / "course.npz").write_bytes(b"half")
    store.prepare()
    assert [p.name for p in store.runs.iterdir()] == [living.name]


def test_leftovers_of_other_machines_are_swept_when_they_are_old(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.prepare()
    old, fresh = (store.runs / f"{'0' * 12}.partial-node-7-{pid}-abc" for pid in (1, 2))
    for folder in (old, fresh):
        folder.mkdir()
    then = time.time() - SILENT_S - 1
    os.utime(old, (then, then))
    store.prepare()
    assert [p.name for p in store.runs.iterdir()] == [fresh.name]


def test_a_finished_run_of_another_experiment_is_borrowed(tmp_path: Path) -> None:
    _, run = stored(tmp_path / "one")
    other = Store(tmp_path / "two")
    other.prepare()
    assert other.borrow(run)
    assert list(other.borrowed.items()) == [(tmp_path / "one", 1)]
    assert other.fault(run) is None
    assert not other.borrow("f" * 12)
    broken = Store(tmp_path / "three")
    broken.prepare()
    for folder in ("one", "two"):
        (tmp_path / folder / "runs" / run / "course.npz").unlink()
    assert not broken.borrow(run)


@pytest.mark.parametrize("place", [".", "runs"])
def test_a_run_that_others_may_have_written_is_not_borrowed(tmp_path: Path, place: str) -> None:
    _, run = stored(tmp_path / "one")
    foreign = tmp_path / "one" / place
    foreign.chmod(0o777)
    other = Store(tmp_path / "two")
    other.prepare()
    assert not other.borrow(run)
    assert not other.borrowed
    foreign.chmod(0o755)
    again = Store(tmp_path / "two")
    assert again.borrow(run)


def test_a_run_of_somebody_else_is_not_borrowed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, run = stored(tmp_path / "one")
    me = os.getuid()
    monkeypatch.setattr(os, "getuid", lambda: me + 1)
    monkeypatch.setattr("plastogen._base.files.ROOT", me + 2)
    other = Store(tmp_path / "two")
    other.prepare()
    assert not other.borrow(run)


def test_two_that_finish_the_same_run_do_not_quarrel(tmp_path: Path) -> None:
    store, run = stored(tmp_path)
    before = (store.runs / run / "manifest.json").read_bytes()
    store.write(run, plan(), course_fake.simulate(plan()), {"log": {}, "wall_s": 99.0})
    assert (store.runs / run / "manifest.json").read_bytes() == before
    assert [p.name for p in store.runs.iterdir()] == [run]


def test_failures_are_remembered_until_the_run_succeeds(tmp_path: Path) -> None:
    store, one = Store(tmp_path), plan()
    store.prepare()
    run = run_id(one)
    assert store.failure(run) is None
    store.fail(run, "the network exploded")
    assert store.failure(run) == "the network exploded"
    store.write(run, one, course_fake.simulate(one), {"log": {}})
    assert store.failure(run) is None


def test_a_folder_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "results").write_text("a file")
    with pytest.raises(StoreError, match="results"):
        Store(tmp_path / "results").prepare()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder_says_so(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(StoreError, match="may not write"):
        Store(tmp_path / "results").prepare()
    tmp_path.chmod(0o700)


def together(folder: Path) -> tuple[Store, list[str]]:
    """Three seeds of an arm in one file."""
    store = Store(folder)
    store.prepare()
    plans = [question().condition("ketamine").plan(seed, "cpp") for seed in (5, 6, 7)]
    whole = {
        run_id(one): (one, course_fake.simulate(one), course_fake.simulate(one)) for one in plans
    }
    for run in whole:
        store.fail(run, "no")
    store.write_batch(whole, {"backend": "cpp"}, dict.fromkeys(whole, "ketamine"))
    return store, list(whole)


def test_runs_that_share_a_file_are_finished_and_their_failures_forgotten(tmp_path: Path) -> None:
    store, runs = together(tmp_path / "one")
    assert store.finished() == set(runs)
    assert store.failures() == {}
    assert [store.fault(run) for run in runs] == [None] * 3
    assert Store(store.folder).finished() == set(runs)


def test_runs_that_share_a_file_are_borrowed_with_it(tmp_path: Path) -> None:
    store, runs = together(tmp_path / "one")
    other = Store(tmp_path / "two")
    other.prepare()
    assert other.borrow(runs[1])
    assert other.finished() == set(runs)
    (file,) = store.runs.glob("*.npz")
    file.write_bytes(file.read_bytes()[:-50])
    third = Store(tmp_path / "three")
    third.prepare()
    (copy,) = other.runs.glob("*.npz")
    copy.unlink()
    assert not third.borrow(runs[1])


def test_what_a_killed_writer_of_a_file_left_is_swept_when_it_is_old(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.prepare()
    for name in ("old", "fresh"):
        (store.runs / f".partial-{name}").write_bytes(b"half")
    then = time.time() - SILENT_S - 1
    os.utime(store.runs / ".partial-old", (then, then))
    store.prepare()
    assert [p.name for p in store.runs.iterdir()] == [".partial-fresh"]


def test_borrowing_looks_into_a_folder_beside_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, runs = together(tmp_path / "one")
    other, looked = Store(tmp_path / "two"), list[Path]()
    other.prepare()
    monkeypatch.setattr(
        "plastogen.runs.batch._tested", lambda path, real=_tested: looked.append(path) or real(path)
    )
    assert all(other.borrow(run) for run in runs)
    assert sum(path.parent == tmp_path / "one" / "runs" for path in looked) == 1


def test_a_file_that_is_borrowed_is_as_old_as_it_was(tmp_path: Path) -> None:
    """Of a run that stands in two files the younger counts: a copy is not younger."""
    store, runs = together(tmp_path / "one")
    (file,) = store.runs.glob("*.npz")
    os.utime(file, ns=(5, 5))
    other = Store(tmp_path / "two")
    other.prepare()
    assert other.borrow(runs[0])
    assert (other.runs / file.name).stat().st_mtime_ns == 5


def test_a_file_that_breaks_has_no_mark(tmp_path: Path) -> None:
    store, runs = together(tmp_path / "one")
    marked = Store(store.folder)
    assert marked.mark(runs[0])
    assert marked.mark("000000000000") == ""
    (file,) = store.runs.glob("*.npz")
    file.write_bytes(file.read_bytes()[:50])
    assert store.mark(runs[0]) == ""
