"""Emulated sweeps from file to results, the formula standing in for the network that is learned."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

import plastogen
from plastogen.errors import InputError
from plastogen.experiment.resolve import open_experiment
from plastogen.experiment.validate import resolve_conditions
from plastogen.runs import emulators
from plastogen.runs.emulators import describe_emulators, emulator_path, make_training_sets
from plastogen.runs.request import make_request
from plastogen.simulation import train_emulator
from plastogen.simulation.course import Plan
from plastogen.simulation.probe import CachedProbe, FormulaProbe

SWEEP = """question: What does the dose do?
model: {subject: stressed_adult, circuit: small}
course: {duration: 6 h, seeds: 2, method: emulated}
arms:
  vehicle: {}
  ketamine:
    give: {infusion: {drug: ketamine, dose: 0.5 mg/kg, route: iv, over: 40 min, at: 0 h}}
sweep:
  arms.ketamine.give.infusion.dose: {from: 0.1 mg/kg, to: 1 mg/kg, points: 3}
readouts:
  weight_6h: {of: weight, at: 6 h}
  glutamate_peak: {of: glutamate, take: peak}
figures: []
"""


def without_network(patch: pytest.MonkeyPatch, folder: Path) -> list[Plan]:
    """Work in `folder`, where the formula answers; the plans whose circuit is learned from now."""
    plans: list[Plan] = []

    def formula(plan: Plan, announce: object = None, *, since: float = 0.0) -> CachedProbe:
        plans.append(plan)
        return CachedProbe(FormulaProbe(plan.circuit, plan.rule), folder / "probes", since=since)

    patch.setattr(train_emulator, "network", formula)
    patch.setenv("PLASTOGEN_CACHE", str(folder / "cache"))
    patch.chdir(folder)
    (folder / "sweep.yaml").write_text(SWEEP)
    return plans


@pytest.fixture
def asked_of(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[Plan]:
    """The plans whose circuit was learned; nothing asks a network."""
    return without_network(monkeypatch, tmp_path)


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the sweep was run, once for all who begin there."""
    folder = tmp_path_factory.mktemp("swept")
    with pytest.MonkeyPatch.context() as patch:
        plans = without_network(patch, folder)
        plastogen.run("sweep.yaml", jobs=1)
    assert len(plans) == 1
    return folder


@pytest.fixture
def asked_since(asked_of: list[Plan], swept: Path, tmp_path: Path) -> list[Plan]:
    """The plans whose circuit was learned since the sweep was run here."""
    shutil.copytree(swept, tmp_path, dirs_exist_ok=True)
    return asked_of


def key(*changes: tuple[str, str], folder: Path) -> str:
    text = SWEEP
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    (folder / "other.yaml").write_text(text)
    question = open_experiment(folder / "other.yaml")
    (found,) = make_training_sets(question, resolve_conditions(question), "cpp").values()
    return found.key


def test_a_finer_sweep_over_the_same_range_has_the_same_emulator_and_runs(tmp_path: Path) -> None:
    assert key(folder=tmp_path) == key(("points: 3", "points: 7"), folder=tmp_path)
    assert key(folder=tmp_path) == key(("at: 6 h}", "at: 5 h}"), folder=tmp_path)


@pytest.mark.parametrize(
    "change",
    [("to: 1 mg/kg", "to: 2 mg/kg"), ("seeds: 2", "seeds: 3"), ("small", "prefrontal"), ("duration: 6 h", "duration: 7 h"),
     ("  vehicle: {}", "  vehicle: {stress: {level: 0.5, at: 1 h}}"), ("stressed_adult", "healthy_adult"),
     ("circuit: small", "circuit: small, rule: classical")],
)  # fmt: skip
def test_another_question_has_another_emulator(change: tuple[str, str], tmp_path: Path) -> None:
    assert key(folder=tmp_path) != key(change, folder=tmp_path)


def test_pilots_reach_the_ends_of_the_range_in_every_arm_and_seed(tmp_path: Path) -> None:
    (tmp_path / "sweep.yaml").write_text(SWEEP)
    question = open_experiment(tmp_path / "sweep.yaml")
    (found,) = make_training_sets(question, resolve_conditions(question), "cpp").values()
    doses = sorted(
        {
            float(t.dose)
            for plan in found.plans
            for t in plan.treatments.values()
            if t.dose is not None
        }
    )
    assert doses[0] == pytest.approx(0.1)
    assert doses[-1] == pytest.approx(1)
    assert {plan.seed for plan in found.plans} == {1, 2}
    assert any(not plan.treatments for plan in found.plans)


def test_every_circuit_of_a_sweep_has_its_own_and_too_many_are_refused(tmp_path: Path) -> None:
    path = "circuit.populations.SST.tonic_nmda: {from: 4 nS, to: 8 nS, points: 3}"
    (tmp_path / "sweep.yaml").write_text(SWEEP.replace("sweep:\n", f"sweep:\n  {path}\n"))
    question = open_experiment(tmp_path / "sweep.yaml")
    found = make_training_sets(question, resolve_conditions(question), "cpp")
    assert len({each.key for each in found.values()}) == 3
    rules = "rule.in_vivo: {from: 0.5, to: 0.8, points: 4}"
    (tmp_path / "rules.yaml").write_text(SWEEP.replace("sweep:\n", f"sweep:\n  {rules}\n"))
    question = open_experiment(tmp_path / "rules.yaml")
    found = make_training_sets(question, resolve_conditions(question), "cpp")
    scales = [{float(plan.rule.in_vivo) for plan in each.plans} for each in found.values()]
    assert [len(scale) for scale in scales] == [1] * 4
    assert len(set.union(*scales)) == 4
    (tmp_path / "sweep.yaml").write_text(
        SWEEP.replace("sweep:\n", f"sweep:\n  {path.replace('points: 3', 'points: 20')}\n")
    )
    question = open_experiment(tmp_path / "sweep.yaml")
    with pytest.raises(InputError, match="at most 16 circuits"):
        make_training_sets(question, resolve_conditions(question), "cpp")


def test_an_emulated_sweep_says_what_the_network_would_and_how_sure_it_is(
    asked_since: list[Plan], tmp_path: Path
) -> None:
    found = plastogen.run("sweep.yaml", jobs=1)
    direct = plastogen.run("sweep.yaml", jobs=1, method="formula", out="direct")
    assert (found["status"] == "complete").all()
    for name in ("weight_6h", "glutamate_peak"):
        true, near = (np.asarray(ds[name].sel(arm="ketamine")) for ds in (direct, found))
        assert np.abs(true - near).max() < 0.05 * np.ptp(true)
    error = np.asarray(found["weight_6h_se"].sel(arm="ketamine"))
    assert (error > 0).all()
    assert asked_since == []
    (about,) = (tmp_path / "results/sweep/emulators").glob("*.json")
    learned = json.loads(about.read_text())
    assert learned["asked"] > 2
    assert learned["error"] <= 2 * learned["wanted"]
    again = make_request("sweep.yaml", say=lambda line: None)
    manifest = again.store.load(again.runs[0].id).manifest
    assert manifest["emulator"]["key"] == again.runs[0].plan.emulator
    assert manifest["log"]["emulated"] > 5
    (line,) = describe_emulators(again.folder, again.training_sets.values())
    assert "learned from" in line


def test_what_was_learned_is_not_learned_again(asked_since: list[Plan], tmp_path: Path) -> None:
    (tmp_path / "sweep.yaml").write_text(SWEEP.replace("points: 3", "points: 5"))
    plastogen.run("sweep.yaml", jobs=1)
    plastogen.run("sweep.yaml", jobs=1, out="elsewhere")
    assert asked_since == []


def test_a_damaged_emulator_is_learned_anew_from_known_answers(
    asked_since: list[Plan], tmp_path: Path
) -> None:
    first = plastogen.run("sweep.yaml", jobs=1)["weight_6h"]
    for folder in (tmp_path / "cache", tmp_path / "results/sweep"):
        for path in (folder / emulators.FOLDER).glob("*.npz"):
            path.write_bytes(path.read_bytes()[:-50])
    again = plastogen.run("sweep.yaml", jobs=1, out="again")["weight_6h"]
    np.testing.assert_array_equal(first, again)
    assert len(asked_since) == 1
    (about,) = (tmp_path / "again/emulators").glob("*.json")
    assert json.loads(about.read_text())["asked"] == 0


def test_an_emulator_that_is_gone_when_a_worker_wants_it_is_told(
    asked_of: list[Plan], tmp_path: Path
) -> None:
    from plastogen.errors import StoreError
    from plastogen.runs.worker import group_into_tasks, run_task

    request = make_request("sweep.yaml", say=lambda line: None)
    request.store.prepare()
    with pytest.raises(StoreError, match="run the sweep again"):
        run_task(group_into_tasks(request.runs)[0], request.folder)
    assert not emulator_path(request.folder, "x").exists()


def test_a_course_that_leaves_the_finite_fails_alone(
    asked_of: list[Plan], monkeypatch: pytest.MonkeyPatch
) -> None:
    from plastogen.runs import worker

    whole = worker.simulate_with_errors

    def sometimes(plans: list[Plan], *more: object) -> object:
        if any(
            t.dose is not None and float(t.dose) > 0.9
            for plan in plans
            for t in plan.treatments.values()
        ):
            raise ValueError("the course of weight leaves the finite")
        return whole(plans, *more)  # type: ignore[arg-type]

    monkeypatch.setattr(worker, "simulate_with_errors", sometimes)
    found = plastogen.run("sweep.yaml", jobs=1)
    status = found["status"].sel(arm="ketamine").values
    assert (status[:2] == "complete").all()
    assert all("leaves the finite" in text for text in status[2].ravel())


def test_virtual_subjects_are_among_the_pilots_and_more_of_them_change_nothing(
    tmp_path: Path,
) -> None:
    text = SWEEP.replace("stressed_adult", "virtual_adult")
    keys, plans = set(), ()
    for count in (30, 200):
        (tmp_path / "people.yaml").write_text(
            text.replace("seeds: 2,", f"seeds: 2, subjects: {count},")
        )
        question = open_experiment(tmp_path / "people.yaml")
        (found,) = make_training_sets(question, resolve_conditions(question), "cpp").values()
        keys.add(found.key)
        plans = found.plans
    assert len(keys) == 1
    assert len({float(plan.subject.inhibition) for plan in plans}) == emulators.SUBJECTS
