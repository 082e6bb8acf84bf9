"""What the table of spines does to its circuit, and what is done to spines: delete, freeze."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from refused import assert_refused

from plastogen.experiment import check, open_experiment
from plastogen.model.plasticity import Cells
from plastogen.publish.report.methods import given_text
from plastogen.runs.dosing import dosing_rows, dosing_text
from plastogen.runs.identity import run_id
from plastogen.simulation.adaptive import follow
from plastogen.simulation.course import Course, Lives, Plan
from plastogen.simulation.lockstep import simulate_formulas
from plastogen.simulation.probe import FormulaProbe

DOSE = "{it: {drug: ketamine, dose: 10 mg/kg, route: ip, at: 0 h}}"
EXPERIMENT = f"""
question: Does what came matter?
model: {{subject: stressed_mouse, circuit: small}}
course: {{duration: 3 d, seeds: 1, method: formula, synapses: each}}
arms:
  vehicle: {{}}
  dosed: {{give: {DOSE}}}
  deleted:
    extends: dosed
    intervene: {{new: {{delete: spines, born_since: 0 h, at: 27 h}}}}
  some:
    intervene: {{some: {{delete: spines, share: 30 %, onto: {{share: 20 %, draw: a}}, at: 1 d}}}}
  still:
    extends: dosed
    intervene: {{it: {{freeze: both, at: 0 h}}}}
  fixed:
    extends: dosed
    intervene: {{it: {{freeze: sizes, at: 12 h, for: 2 d}}}}
readouts: {{lost: {{of: spines_lost, at: 2 d}}}}
figures: [arms]
"""
CELLS = 90
SMALL: dict[str, object] = {"circuit.populations.E.count": CELLS}


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "mine.yaml"
    path.write_text(EXPERIMENT)
    return path


def planned(arm: str, seed: int = 1, text: str = EXPERIMENT, **settings: Any) -> Plan:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "mine.yaml"
        path.write_text(text)
        named = {path.replace("__", "."): value for path, value in settings.items()}
        return open_experiment(path, settings=SMALL | named).condition(arm).plan(seed, "numpy")


@cache
def followed(arm: str) -> tuple[Course, Lives]:
    (course,) = simulate_formulas([planned(arm)])
    assert course.spines is not None
    return course, course.spines


def at(course: Course, name: str, h: float) -> float:
    """A variable at the last time that is not after `h`."""
    return float(course.arrays[name][np.searchsorted(course.t_h, h, side="right") - 1])


@pytest.mark.parametrize("arm", ["vehicle", "dosed", "deleted"])
def test_the_circuit_hears_the_conductance_of_all_spines(arm: str) -> None:
    course, _ = followed(arm)
    a, steps = course.arrays, course.t_h % 6 == 0
    assert steps.sum() >= 5
    heard = a["recurrent"] / a["scaling"]
    counted = a["spines_conductance"]
    zero = int(np.searchsorted(course.t_h, 0))
    np.testing.assert_allclose((heard / heard[zero])[steps], counted[steps], rtol=1e-9)
    density = a["spine_density"] / a["spine_density"][zero]
    np.testing.assert_allclose(density[steps], a["spines_standing"][steps], rtol=1e-9)
    beyond = np.abs(heard / heard[zero] / counted - 1)
    assert beyond.max() < 0.06  # between steps: by the mean of the law


def test_more_spines_than_sites_of_mean_ones_are_no_fault() -> None:
    more = {"model__subject": "healthy_mouse", "course__duration": "30 h"}
    settings: dict[str, Any] = {"spines__homeostasis__rate": "0.5 1/d", **more}
    text = EXPERIMENT.replace("27 h", "25 h").replace("at: 2 d", "at: 1 d")
    text = text.replace(DOSE, "{it: {drug: nbqx, occupancy: 20 %, at: 0 h, for: 24 h}}")
    (course,) = simulate_formulas([planned("dosed", 1, text, **settings)])
    assert course.arrays["spine_density"][-1] > 1.05
    assert course.arrays["vacant"][-1] == 0


def test_a_healthy_course_begins_healthy() -> None:
    (course,) = simulate_formulas([planned("vehicle", model__subject="healthy_mouse")])
    for name in ("weight", "spine_density", "recurrent", "scaling"):
        assert course.arrays[name][0] == pytest.approx(1, abs=1e-12)


def test_the_mean_synapse_is_the_mean_of_each_under_a_law_of_means() -> None:
    law = {"turnover__slope": 0, "turnover__branch_spread": 0, "sizes__birth_size": 1}
    settings: dict[str, Any] = {f"spines__{name}": x for name, x in law.items()}
    mean_law = {"persistent_loss": "0.0029 1/d", "transient_lifetime": "3.6 d", "restorable": 1}
    settings |= {f"plasticity__spine__{name}": x for name, x in mean_law.items()}
    settings |= {"plasticity__spine__turnover": 0.056}  # in two weeks: transient spines are 1.7 %
    settings |= {"plasticity__synapse__capture": "0.02 1/h", "course__duration": "30 h"}
    # where most of a deficit is made good single spines bring back more, up to a twelfth of it
    settings |= {"plasticity__spine__growth": "5 1/h"}
    settings |= {"switches__feedback": "off"}  # the circuit's answer is no law of means
    text = EXPERIMENT.replace("27 h", "25 h").replace("at: 2 d", "at: 1 d")
    each = simulate_formulas([planned("dosed", s, text, **settings) for s in range(5)])
    plan = planned("dosed", 0, text, **settings)
    mean = simulate_formulas([replace(plan, spines=None, preparation=None)])[0]
    for name in ("spine_density", "weight", "recurrent"):
        for h in (0, 12, 30):
            found = np.array([at(course, name, h) for course in each])
            error = found.std(ddof=1) / np.sqrt(len(found))
            # of what a dose brings back, single spines bring back 1 to 2 % more (80 seeds)
            moved = abs(at(mean, name, h) - at(mean, name, 0))
            assert abs(found.mean() - at(mean, name, h)) < 2 * error + moved / 50, (name, h)
    assert at(mean, "spine_density", 30) > 1.05 * at(mean, "spine_density", 0)


def test_what_was_deleted_is_what_was_asked_for_and_the_circuit_hears_it() -> None:
    (course, lives), (other, _) = followed("deleted"), followed("dosed")
    gone = lives.lost_h == np.nextafter(np.float32(27), np.float32(np.inf))
    there = (lives.born_h < 27) & (lives.lost_h > 27)
    np.testing.assert_array_equal(gone, there & (lives.born_h > 0))
    assert gone.sum() > 10
    i = int(np.searchsorted(course.t_h, 27))
    for name in ("recurrent", "spine_density", "tag"):  # alike until then
        before = course.t_h[: i + 1]
        np.testing.assert_allclose(
            course.arrays[name][: i + 1],
            np.interp(before, other.t_h, other.arrays[name]),
            rtol=0.01,
            atol=0.003,
        )
    assert course.arrays["spine_density"][i + 1] < 0.97 * course.arrays["spine_density"][i]
    later = slice(i + 1, None)
    beside = np.interp(course.t_h[later], other.t_h, other.arrays["recurrent"])
    assert (course.arrays["recurrent"][later] < beside).all()
    fires = np.interp(40, course.t_h, course.arrays["rate_hz"][:, 0])
    assert fires < 0.99 * np.interp(40, other.t_h, other.arrays["rate_hz"][:, 0])


def test_a_group_of_cells_is_the_same_in_every_arm_and_a_share_lies_within_a_larger() -> None:
    course, lives = followed("some")
    gone = lives.lost_h == np.nextafter(np.float32(24), np.float32(np.inf))
    cells = np.unique(lives.post[gone])

    def members(share: str, draw: str = "a", seed: int = 1) -> set[int]:
        group = Cells.model_validate({"share": share, "draw": draw})
        return set(np.flatnonzero(group.members(CELLS, seed)).tolist())

    assert set(cells.tolist()) <= members("20 %")
    assert len(members("20 %")) == CELLS / 5
    assert members("10 %") < members("20 %") != members("20 %", "b")
    assert members("20 %") != members("20 %", seed=2)
    onto = np.isin(lives.post, list(members("20 %"))) & (lives.born_h < 24) & (lives.lost_h > 24)
    assert 0.2 < gone.sum() / onto.sum() < 0.4
    assert course.arrays["spine_density"][-1] < course.arrays["spine_density"][0]


def test_what_is_frozen_does_not_move() -> None:
    course, lives = followed("still")
    heard = course.arrays["recurrent"] / course.arrays["scaling"]
    frozen = course.t_h >= 6
    steps = frozen & (course.t_h % 6 == 0)
    np.testing.assert_allclose(heard[steps], heard[steps][0], rtol=1e-12)
    assert not ((lives.born_h > 0) | (np.isfinite(lives.lost_h) & (lives.lost_h > 0))).any()
    _, lives = followed("fixed")
    day = {h: lives.ln_size[:, list(lives.look_h).index(h)] for h in (0, 24, 48, 72)}
    kept = np.isfinite(day[24]) & np.isfinite(day[48])
    old = kept & (lives.born_h <= 12)
    np.testing.assert_array_equal(day[24][old], day[48][old])
    assert (day[24][kept & ~old] != day[48][kept & ~old]).all()  # these grow up
    assert (kept & ~old).sum() > 5
    for first, last in ((0, 24), (48, 72)):
        kept = np.isfinite(day[first]) & np.isfinite(day[last])
        assert (day[first][kept] != day[last][kept]).all()
    assert (lives.born_h > 24).any()


def test_the_network_course_and_the_formula_course_are_one() -> None:
    """The same answers, asked in adaptive steps."""
    plan = planned("deleted")
    course, _ = follow(replace(plan, tolerance=0.01), FormulaProbe(plan.circuit, plan.rule))
    other, _ = followed("deleted")
    for name in ("spine_density", "recurrent", "weight"):
        np.testing.assert_allclose(course.arrays[name], other.arrays[name], rtol=0.03)


def test_interventions_are_named_in_words_and_in_what_a_run_is_called(mine: Path) -> None:
    opened = open_experiment(mine, settings=SMALL)
    check(opened)
    condition = opened.condition("deleted")
    assert "spines born since 0 h deleted at 27 h" in given_text(condition)
    words = given_text(opened.condition("some"))
    assert words == ["30 % of spines onto 20 % of cells ('a') deleted at 1 d"]
    assert given_text(opened.condition("fixed"))[1] == "sizes of spines frozen from 12 h for 2 d"
    row = dosing_rows(condition)[1]
    assert (row["start_h"], row["end_h"], dosing_text(row)) == (
        27, 27, "spines born since 0 h deleted"
    )  # fmt: skip
    assert dosing_rows(opened.condition("still"))[1]["end_h"] == 72
    names = {run_id(planned(arm)) for arm in ("dosed", "deleted", "still", "fixed")}
    assert len(names) == 4
    mine.write_text(EXPERIMENT.replace("{new: {delete", "{another: {delete"))
    again = open_experiment(mine, settings=SMALL).condition("deleted").plan(1, "numpy")
    assert run_id(again) == run_id(planned("deleted"))


IT = "{delete: spines, born_since: 0 h, at: 27 h}"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("synapses: each", "tolerance: 0.02", r"intervene.new: found 'spines born .*: each; a mean"),
        (IT, "{at: 1 h}", "intervene.new: found neither delete nor freeze"),
        (IT, "{delete: spines, freeze: sizes, at: 1 h}", "found delete and freeze"),
        (IT, "{delete: spins, at: 1 h}", "intervene.new.delete: found 'spins'"),
        (IT, "{delete: spines, at: 1 h}", "all spines there are, wanted less than all"),
        (IT, "{delete: spines, share: 0, at: 1 h}", "intervene.new.share"),
        (IT, "{delete: spines, share: 2, at: 1 h}", "intervene.new.share"),
        (IT, "{delete: spines, born_since: 2 h, at: 1 h}", "intervene.new.born_since: found '2 h'"),
        (IT, "{delete: spines, share: 0.5, at: 1 h, for: 2 h}", "new.for: found '2 h' beside del"),
        (IT, "{freeze: sizes, at: 1 h, for: 2 h}", "new.for: found '2 h', wanted at least '6 h'"),
        (IT, "{freeze: sizes, born_since: 0 h, at: 1 h}", "new.born_since: found '0 h' beside fre"),
        (IT, "{freeze: size, at: 1 h}", "intervene.new.freeze: found 'size'"),
        (IT, "{delete: spines, share: 0.5, at: 3 d}", "new.at: found '3 d', wanted a time before"),
        (IT, "{delete: spines, onto: {share: 0}, at: 1 d}", "intervene.new.onto.share"),
        (IT, "{delete: spines, onto: {shares: 0.1}, at: 1 d}", "nearest.*share"),
        ("intervene: {new", "intervenes: {new", "intervene"),
        ("each}", "each, start: {weight: 1.1}}", "course.start.weight: found 'weight', which is c"),
        ("arms:", "induction: {rate: 1 Hz}\narms:", "an induction drives one synapse, which has no"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_to_spines_is_refused(
    mine: Path, old: str, new: str, message: str
) -> None:
    assert_refused(mine, EXPERIMENT, old, new, message, settings=SMALL)
