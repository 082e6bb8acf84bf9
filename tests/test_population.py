"""Virtual subjects: a dimension of an experiment, the same people in every arm, seed and however
many there are.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from plastogen.analysis.provenance import numbers_in_use
from plastogen.errors import InputError
from plastogen.experiment.resolve import OpenExperiment, open_experiment
from plastogen.experiment.validate import check
from plastogen.runs.identity import run_id

EXPERIMENT = """
question: Who responds?
model: {subject: mine, circuit: small}
course: {duration: 6 h, seeds: 2, subjects: %s, method: formula}
arms:
  vehicle: {}
  ketamine: {give: {x: {drug: ketamine, dose: 1 mg/kg, route: iv, over: 40 min, at: 0 h}}}
readouts:
  weight_6h: {of: weight, at: 6 h}
%s
"""
CV = "cv: {value: %s, source: assumed, evidence: assumed, note: a guess}"
SUBJECT = f"""
extends: stressed_adult
title: Mine
varies:
  subject.weight: {{distribution: lognormal, {CV % 0.2}}}
  drugs.ketamine.kinetics.human.H2.clearance: {{distribution: uniform}}
  drugs.memantine.actions.nmdar.memantine.trapped: {{distribution: uniform}}
"""


@pytest.fixture
def lab(tmp_path: Path) -> Path:
    (tmp_path / "models" / "subjects").mkdir(parents=True)
    (tmp_path / "models" / "subjects" / "mine.yaml").write_text(SUBJECT)
    return tmp_path


def asked(lab: Path, count: int = 4, more: str = "", **settings: object) -> OpenExperiment:
    (lab / "mine.yaml").write_text(EXPERIMENT % (count, more))
    return open_experiment(lab / "mine.yaml", settings)


def test_people_are_an_axis_with_a_column_for_each_number_that_varies(lab: Path) -> None:
    question = asked(lab, 200)
    (axis,) = question.axes
    assert (axis.name, axis.size, question.size) == ("subject", 200, 200)
    assert [(c.name, c.unit) for c in axis.columns] == [
        ("subject_weight", "kg"),
        ("clearance", "L/min"),
    ]
    weight, clearance = (np.array(c.values, float) for c in axis.columns)
    spread = stats.lognorm(np.sqrt(np.log(1 + 0.2**2)), scale=70)
    assert stats.kstest(weight, spread.cdf).pvalue > 0.01
    assert 1.15 <= clearance.min() < 1.2
    assert 1.45 < clearance.max() <= 1.5
    assert abs(stats.spearmanr(weight, clearance).statistic) < 0.2  # drawn independently


def test_every_arm_and_seed_meets_the_same_people(lab: Path) -> None:
    cases = check(asked(lab))
    assert len(cases) == 8
    vehicle, ketamine = ([c for c in cases if c.arm == arm] for arm in ("vehicle", "ketamine"))
    assert [float(c.subject.weight) for c in vehicle] == [float(c.subject.weight) for c in ketamine]
    assert len({float(c.subject.weight) for c in vehicle}) == 4
    clearance = {float(c.drugs["ketamine"].kinetics["human"]["H2"].clearance) for c in ketamine}
    assert len(clearance) == 4
    assert len({run_id(c.plan(seed, "cpp")) for c in ketamine for seed in (1, 2)}) == 8


def test_more_people_leave_those_there_as_they_are(lab: Path) -> None:
    few, many = asked(lab, 3).axes[0], asked(lab, 50).axes[0]
    for one, other in zip(few.columns, many.columns, strict=True):
        assert one.written == other.written[:3]
    assert asked(lab, 3, **{"course.seed": 9}).axes[0].columns[0].written != few.columns[0].written


def test_they_vary_around_what_the_user_sets_and_not_in_what_is_swept(lab: Path) -> None:
    shifted = asked(lab, 200, **{"subject.weight": "50 kg"}).axes[0].columns[0]
    assert np.median(np.array(shifted.values, float)) == pytest.approx(50, rel=0.05)
    swept, people = asked(lab, 3, "sweep: {subject.weight: [60 kg, 90 kg]}").axes
    assert (swept.size, people.size) == (2, 3)
    assert [c.name for c in people.columns] == ["clearance"]
    assert asked(lab, 3, "sweep: {subject.weight: [60 kg, 90 kg]}").size == 6


def test_without_a_number_of_people_nobody_varies(lab: Path) -> None:
    text = EXPERIMENT.replace(", subjects: %s", "")
    (lab / "mine.yaml").write_text(text % "")
    question = open_experiment(lab / "mine.yaml")
    assert (question.axes, question.sweep_in_words, question.size) == ((), [], 1)
    assert float(check(question)[0].subject.weight) == 70


def test_who_they_are_is_said_in_words(lab: Path) -> None:
    ((whole, *each),) = asked(lab).sweep_in_words
    assert whole == "4 virtual subjects of mine"
    assert each == [
        "subject.weight: lognormal around 70 kg, cv 0.2",
        "drugs.ketamine.kinetics.human.H2.clearance: uniform around 1.317 L/min, its range",
    ]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (
            "subject.wieght: {distribution: uniform}",
            "varies.subject.wieght: found 'wieght', wanted one of",
        ),
        ("subject.species: {distribution: uniform}", "wanted a path that ends at a number"),
        (
            "subject.stress: {distribution: uniform}",
            "found 1 without a range, wanted a range:, for uniform to go over",
        ),
        ("course.duration: {distribution: uniform}", "wanted a path into a model"),
    ],
)
def test_a_number_that_cannot_vary_is_told_at_its_place(lab: Path, line: str, message: str) -> None:
    with (lab / "models" / "subjects" / "mine.yaml").open("a") as file:
        file.write(f"  {line}\n")
    with pytest.raises(InputError) as error:
        check(asked(lab))
    assert message in str(error.value)
    assert f"mine.yaml:{len(SUBJECT.splitlines()) + 1}" in str(error.value)


def test_the_virtual_adult_ships_and_resolves() -> None:
    question = open_experiment(
        "one_infusion", {"model.subject": "virtual_adult", "course.subjects": 60}
    )
    check(question)
    names = {column.name: np.array(column.values, float) for column in question.axes[0].columns}
    assert {
        "subject_stress",
        "inhibition",
        "glun2b",
        "clearance",
        "unbound_fraction",
        "release_gain",
    } <= set(names)
    assert 0 < names["subject_stress"].min() < names["subject_stress"].max() < 1


def test_the_sources_of_a_sweep_are_those_of_the_files() -> None:
    question = open_experiment(
        "one_infusion", {"model.subject": "virtual_adult", "course.subjects": 60}
    )
    used = {(n.model, n.path): n.quantity for n in numbers_in_use(question.typical_conditions())}
    clearance = used["drugs/ketamine", "kinetics.human.H2.clearance"]
    assert (clearance.source, clearance.text) == ("kamp2020", "1.317 L/min")
    assert used["subjects/virtual_adult", "varies.subject.weight.cv"].evidence == "assumed"
    both = open_experiment(
        "one_infusion", {"sweep": {"model.circuit": ["prefrontal", "small"]}}
    ).typical_conditions()
    assert {case.circuit.title for case in both} == {case.circuit.title for case in both[:1]} | {
        both[-1].circuit.title
    }
    assert len(both) == 2 * 6
