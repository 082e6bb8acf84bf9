"""Experiments as written: arms that inherit, switches that merge, files found by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from plastogen._base.definition import build
from plastogen._base.document import Document, read_text
from plastogen._base.library import Library
from plastogen.errors import InputError
from plastogen.experiment.definition import Experiment, locate, shipped
from plastogen.experiment.models import Models
from plastogen.experiment.resolve import OpenExperiment
from plastogen.simulation.adaptive import simulate

TEXT = """
question: Does it matter?
model: {subject: healthy_adult, circuit: small}
course: {duration: 2 d, seeds: 3, seed: 5}
switches: {feedback: off, block: {SST: 0.5}}
arms:
  vehicle: {}
  ketamine:
    give:
      infusion: {drug: ketamine, dose: 0.5 mg/kg, route: iv, over: 40 min, at: 0 h}
  nbqx:
    extends: ketamine
    give:
      blocker: {drug: nbqx, occupancy: 0.9, at: -2 h, for: 4 h}
    switches: {block: {PV: 0}}
  both:
    extends: nbqx
    give:
      infusion: {drug: ketamine, dose: 1 mg/kg, route: iv, at: 1 h}
    switches: {block: {E: 0}, probe: frozen}
    stress: {level: 0.5, at: 3 h, for: 2 h}
    set: {circuit.populations.E.leak: 13 nS, course.window: 4 s, model.plasticity: spontaneous}
"""

ONCE = """
question: When does it arrive?
model: {subject: healthy_adult, circuit: small}
course: {duration: 2 d, method: formula}
arms:
  vehicle: {}
  ketamine:
    give:
      dose: {drug: ketamine, dose: 1 mg/kg, route: iv, at: 3 h, every: 24 h, times: 2}
"""

MODELS = Models(Library())


def question(text: str = TEXT, **settings: object) -> OpenExperiment:
    document = read_text(text, "test.yaml")
    return OpenExperiment(
        "test", document, MODELS, {k.replace("__", "."): v for k, v in settings.items()}
    )


def experiment(**fields: Any) -> Experiment:
    return build(Document("test.yaml", fields), Experiment)


def test_an_arm_inherits_and_replaces_by_name() -> None:
    arm = question().experiment.arm("both")
    assert list(arm.give) == ["infusion", "blocker"]
    assert arm.give["infusion"].dose is not None
    assert float(arm.give["infusion"].dose) == 1
    assert arm.give["infusion"].over is None


def test_switches_merge_from_experiment_through_every_ancestor() -> None:
    switches = question().condition("both").setting.switches
    block = switches.block
    assert {site: float(factor) for site, factor in block.items()} == {"E": 0, "PV": 0, "SST": 0.5}
    assert (switches.feedback, switches.probe) == ("off", "frozen")
    assert question().condition("vehicle").setting.switches.probe == "live"


def test_an_arm_changes_models_and_settings_for_itself_alone() -> None:
    both, vehicle = question().condition("both"), question().condition("vehicle")
    assert float(both.circuit.populations["E"].leak) == 13
    assert float(vehicle.circuit.populations["E"].leak) != 13
    assert (float(both.setting.course.window), float(vehicle.setting.course.window)) == (4, 8)
    assert both.plasticity.pathways.disinhibition == 0
    assert vehicle.plasticity.pathways.disinhibition == 1


def test_set_reaches_what_is_inherited_and_lies_under_an_arms_own() -> None:
    asked = question(
        arms__ketamine__give__infusion__dose="2 mg/kg", circuit__populations__E__leak="11 nS"
    )
    given = {
        arm: asked.condition(arm).treatments["infusion"].dose
        for arm in ("ketamine", "nbqx", "both")
    }
    assert {arm: float(dose or 0) for arm, dose in given.items()} == {
        "ketamine": 2,
        "nbqx": 2,
        "both": 1,
    }
    assert float(asked.condition("vehicle").circuit.populations["E"].leak) == 11
    assert float(asked.condition("both").circuit.populations["E"].leak) == 13


def test_a_course_begins_before_the_earliest_event() -> None:
    asked = question()
    assert asked.condition("vehicle").start_h == -1
    assert asked.condition("nbqx").start_h == -3
    assert asked.condition("both").events_h == pytest.approx((-2, 0.9999, 1, 2, 3, 5))
    assert asked.condition("both").stress == ((3, 5, 0.5),)


def test_nothing_is_in_the_blood_before_a_dose_that_arrives_at_once() -> None:
    case = OpenExperiment("test", read_text(ONCE, "test.yaml"), MODELS, {}).condition("ketamine")
    plasma = simulate(case.plan(1, "numpy")).arrays["plasma_ng_ml"].max(axis=-1)
    first, t = case.grid_h.searchsorted(3), case.grid_h
    assert t[first] == 3
    assert np.trapezoid(plasma[: first + 1], t[: first + 1]) < 0.001 * np.trapezoid(plasma, t)


def test_seeds_count_from_the_first() -> None:
    assert question().seeds == (5, 6, 7)


def test_a_sweep_is_a_grid_and_reaches_models() -> None:
    asked = question(
        TEXT
        + "sweep: {arms.ketamine.give.infusion.dose: [1 mg/kg, 2 mg/kg], circuit.populations.E.leak: [12 nS, 13 nS, 14 nS]}"
    )
    points = list(asked.points())
    assert [index for index, _ in points] == [(i, j) for i in range(2) for j in range(3)]
    case = asked.condition("nbqx", *points[5])
    assert float(case.treatments["infusion"].dose or 0) == 2
    assert float(case.circuit.populations["E"].leak) == 14
    assert len(asked.conditions()) == 24


def test_experiments_that_ship_are_found_by_name_and_near_names_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert "one_infusion" in shipped()
    assert locate("one_infusion").is_file()
    with pytest.raises(InputError, match="nearest valid name: one_infusion"):
        locate("one_infusoin")
    (tmp_path / "one_infusion.yaml").write_text("question: mine")
    assert locate("one_infusion") == Path("one_infusion.yaml")
    (tmp_path / "experiments").mkdir()
    (tmp_path / "experiments" / "other.yaml").write_text("question: mine")
    assert locate("other") == Path("experiments/other.yaml")


def test_own_models_beside_the_experiment_come_first(tmp_path: Path) -> None:
    own = tmp_path / "models" / "subjects"
    own.mkdir(parents=True)
    text = (Library().find("subjects", "healthy_adult")).read_text().replace("70 kg", "50 kg")
    (own / "healthy_adult.yaml").write_text(text)
    path = tmp_path / "mine.yaml"
    path.write_text(TEXT)
    document = read_text(TEXT, str(path))
    asked = OpenExperiment("mine", document, Models(Library(path)))
    assert float(asked.condition("vehicle").subject.weight) == 50
