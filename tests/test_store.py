"""Runs on disk: what names them, and that a broken one is never taken for a finished one."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import course_fake
import numpy as np
import pytest
from test_experiment import question

from plastogen import store as store_module
from plastogen.cache import CacheDamaged, StoreError
from plastogen.course import Plan
from plastogen.store import FILES, Store, determines, run_id

ASKED = question()


def plan(arm: str = "ketamine", seed: int = 5, **settings: object) -> Plan:
    asked = question(**settings) if settings else ASKED
    return asked.case(arm).plan(seed, "cpp")


def stored(folder: Path, arm: str = "ketamine") -> tuple[Store, str]:
    store, one = Store(folder), plan(arm)
    store.prepare()
    run = run_id(one)
    store.write(run, one, course_fake.follow(one), {"log": {"probes": 3, "cap_hit": False}, "wall_s": 1.5})
    return store, run


def test_the_id_is_twelve_digits_and_the_same_each_time() -> None:
    assert re.fullmatch(r"[0-9a-f]{12}", run_id(plan()))
    assert run_id(plan()) == run_id(question().case("ketamine").plan(5, "cpp"))


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 6}, {"duration_h": 47.0}, {"window_s": 4.0}, {"tolerance": 0.01}, {"backend": "numpy"},
        {"method": "formula"}, {"snapshots": {"x": 1.0}}, {"start": {"weight": 1.05}}, {"stress": ((0.0, 1.0, 0.5),)},
        {"grid_h": np.arange(3.0)}, {"max_probes": 7}, {"settle_s": 1.0},
    ],
    ids=lambda change: next(iter(change)),
)  # fmt: skip
def test_all_that_determines_a_course_is_in_the_id(change: dict[str, Any]) -> None:
    assert run_id(replace(plan(), **change)) != run_id(plan())


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("arms.ketamine.give.infusion.dose", "0.6 mg/kg"), ("circuit.populations.E.leak", "13 nS"),
        ("plasticity.signalling.mtorc1_gain", 7), ("subject.weight", "71 kg"), ("switches.feedback", "on"),
        ("drugs.ketamine.kinetics.human.H2.clearance", "1.4 L/min"), ("switches.block.E", 0.5),
    ],
)  # fmt: skip
def test_every_number_of_models_treatments_and_switches_is_in_the_id(path: str, value: object) -> None:
    assert run_id(plan(**{path.replace(".", "__"): value})) != run_id(plan())


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("question", "Another text?"), ("arms.ketamine.give.infusion.dose", "500 ug/kg"), ("circuit.title", "Another"),
        ("subject.note", "another"), ("course.seeds", 9), ("figures", ["arms"]), ("drugs.ketamine.title", "K"),
    ],
)  # fmt: skip
def test_what_only_reads_or_says_is_not_in_the_id(path: str, value: object) -> None:
    assert run_id(plan(**{path.replace(".", "__"): value})) == run_id(plan())


def test_labels_of_treatments_and_names_of_arms_are_not_in_the_id() -> None:
    one = plan()
    other = replace(one, treatments={"another label": one.treatments["infusion"]})
    assert run_id(one) == run_id(other)
    assert "infusion" not in json.dumps(determines(one))


@pytest.mark.parametrize("part", ["mechanisms", "signature"])
def test_code_and_engine_are_in_the_id(part: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before = run_id(plan())
    monkeypatch.setattr(store_module, part, lambda *told: "another")
    assert run_id(plan()) != before


def test_code_is_what_a_course_runs_through_and_no_comment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = store_module.mechanisms()
    package = shutil.copytree(Path(store_module.__file__).parent, tmp_path / "plastogen")
    monkeypatch.setattr(store_module, "__file__", str(package / "store.py"))

    def with_more(name: str, text: str) -> str:
        path = package / name
        before = path.read_text()
        path.write_text(text + before if text.startswith("#") else before + text)
        try:
            return store_module.mechanisms.__wrapped__()
        finally:
            path.write_text(before)

    assert with_more("synapse.py", "") == own
    for name in ("synapse.py", "course.py", "receptor.py", "circuit/network.py", "circuit/drive.py"):
        assert with_more(name, "\nMORE = 1\n") != own, name
        assert with_more(name, "# more\n") == own, name
    for name in ("cli.py", "definition.py", "figure/style.py"):
        assert with_more(name, "\nMORE = 1\n") == own, name


def test_a_written_run_reads_back(tmp_path: Path) -> None:
    store, run = stored(tmp_path)
    assert store.fault(run) is None
    back = store.load(run)
    assert (back.arrays["weight"] == course_fake.follow(plan()).arrays["weight"]).all()
    assert back.labels["species"] == ("ketamine", "norketamine", "hnk")
    assert back.manifest["log"]["probes"] == 3
    assert back.manifest["classes"]["PV"] == [200, 230]
    assert [p.name for p in sorted((tmp_path / "runs").iterdir())] == [run]


def test_spikes_read_back(tmp_path: Path) -> None:
    asked = question(snapshots={"during": "40 min"})
    one = asked.case("ketamine").plan(5, "cpp")
    store = Store(tmp_path)
    store.prepare()
    store.write("0" * 12, one, course_fake.follow(one), {"log": {}})
    times, cells = store.spikes("0" * 12)["during"]
    assert times.tolist() == [0.1, 0.2, 0.5]
    assert cells.dtype == np.int32
    assert store.load("0" * 12).arrays["gamma_power"].shape == (1,)


@pytest.mark.parametrize("name", [*FILES, "manifest.json"])
@pytest.mark.parametrize("how", ["missing", "cut short", "altered"])
def test_a_broken_run_is_never_taken_for_a_finished_one(tmp_path: Path, name: str, how: str) -> None:
    store, run = stored(tmp_path)
    path = tmp_path / "runs" / run / name
    raw = path.read_bytes()
    if how == "missing":
        path.unlink()
    elif how == "cut short":
        path.write_bytes(raw[: len(raw) // 2])
    else:
        path.write_bytes(raw.replace(b"complete", b"running!") if name == "manifest.json" else raw[:-1] + b"?")
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
    course = course_fake.follow(one)
    course.arrays["bdnf"][3] = np.nan
    with pytest.raises(ValueError, match="bdnf"):
        store.write("0" * 12, one, course, {"log": {}})
    assert list((tmp_path / "runs").iterdir()) == []


def test_leftovers_of_killed_processes_are_swept_and_those_of_living_ones_stay(tmp_path: Path) -> None:
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    store = Store(tmp_path)
    store.prepare()
    gone, living = (store.runs / f"{'0' * 12}.partial-{pid}-abc" for pid in (dead.pid, os.getppid()))
    gone.mkdir()
    living.mkdir()
    (gone / "course.npz").write_bytes(b"half")
    store.prepare()
    assert [p.name for p in store.runs.iterdir()] == [living.name]


def test_a_finished_run_of_another_experiment_is_borrowed(tmp_path: Path) -> None:
    _, run = stored(tmp_path / "one")
    other = Store(tmp_path / "two")
    other.prepare()
    assert other.borrow(run)
    assert other.fault(run) is None
    assert not other.borrow("f" * 12)
    broken = Store(tmp_path / "three")
    broken.prepare()
    for folder in ("one", "two"):
        (tmp_path / folder / "runs" / run / "course.npz").unlink()
    assert not broken.borrow(run)


def test_two_that_finish_the_same_run_do_not_quarrel(tmp_path: Path) -> None:
    store, run = stored(tmp_path)
    before = (store.runs / run / "manifest.json").read_bytes()
    store.write(run, plan(), course_fake.follow(plan()), {"log": {}, "wall_s": 99.0})
    assert (store.runs / run / "manifest.json").read_bytes() == before
    assert [p.name for p in store.runs.iterdir()] == [run]


def test_failures_are_remembered_until_the_run_succeeds(tmp_path: Path) -> None:
    store, one = Store(tmp_path), plan()
    store.prepare()
    run = run_id(one)
    assert store.failure(run) is None
    store.fail(run, "the network exploded")
    assert store.failure(run) == "the network exploded"
    store.write(run, one, course_fake.follow(one), {"log": {}})
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
