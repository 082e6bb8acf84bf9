"""Checking a whole experiment: little of a big sweep is looked at first, all of it before anything
runs.
"""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from test_experiment import TEXT, question

from plastogen.errors import InputError
from plastogen.experiment.definition import shipped
from plastogen.experiment.figure_table import FIGURES
from plastogen.experiment.resolve import OpenExperiment, open_experiment
from plastogen.experiment.validate import FEW, check, resolve_conditions

ROOT = Path(__file__).resolve().parents[1]

DOSE = "arms.ketamine.give.infusion.dose"
IC50 = "drugs.ketamine.actions.nmdar.ketamine.ic50"
ARMS = 4


def swept(text: str) -> OpenExperiment:
    return question(f"{TEXT}readouts: {{spines: {{of: spine_density, at: 24 h}}}}\n{text}")


def test_a_big_sweep_is_checked_at_its_corners_and_resolved_whole() -> None:
    asked = swept(f"sweep: {{{DOSE}: {{from: 0.1 mg/kg, to: 1 mg/kg, points: {FEW + 1}}}}}")
    assert len(check(asked)) == 2 * ARMS
    cases = resolve_conditions(asked)
    assert [(case.index, case.arm) for case in cases[-ARMS:]] == [
        ((FEW,), arm) for arm in asked.experiment.arms
    ]
    assert len(cases) == (FEW + 1) * ARMS


def test_what_is_wrong_between_the_corners_of_a_big_sweep_is_found_before_anything_runs() -> None:
    with_more = TEXT.replace(
        "at: -2 h, for: 4 h}",
        "at: 10 h, for: 20 h}\n      more: {drug: nbqx, occupancy: 0.5, at: 0 h, for: 1 h}",
    )
    times = [f"{i} h" for i in range(-FEW, 1)]
    times[7], times[9] = "12 h", "40 h"  # within the other hold of NBQX; beyond it
    asked = question(f"{with_more}sweep: {{arms.nbqx.give.more.at: [{', '.join(times)}]}}")
    assert len(check(asked)) == 2 * ARMS
    with pytest.raises(InputError, match="wanted times that do not overlap"):
        resolve_conditions(asked)


def test_ten_thousand_points_are_checked_in_a_second() -> None:
    paths = ", ".join(f"{IC50}.GluN2{subunit}: range" for subunit in "ABCD")
    asked = swept(
        f"sweep: {{{paths}, {DOSE}: {{from: 0.1 mg/kg, to: 2 mg/kg}}}}\ndesign: {{kind: sobol, points: 10000}}"
    )
    began = time.process_time()
    assert check(asked)
    assert time.process_time() - began < 1
    assert asked.size == 10_000


def test_faults_of_swept_values_stand_at_the_sweep() -> None:
    with pytest.raises(InputError) as caught:
        check(swept("sweep: {arms.ketamine.give.infusion.at: {from: 0 h, to: 5 d, points: 3}}"))
    assert {problem.path for problem in caught.value.problems} == {
        "sweep.arms.ketamine.give.infusion.at"
    }
    with pytest.raises(InputError, match=r"at sweep\.1\.arms"):
        check(swept(f"sweep: [{{{DOSE}: 1 mg/kg}}, {{{DOSE}: 1 mM}}]"))


@pytest.mark.parametrize("name", shipped())
def test_what_ships_is_sound(name: str) -> None:
    asked = open_experiment(name)
    assert check(asked)
    assert all(claim.source or claim.note for claim in asked.experiment.expect)


def test_a_model_of_ones_own_serves_an_experiment_that_ships(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "models" / "circuits").mkdir(parents=True)
    (tmp_path / "models" / "circuits" / "mine.yaml").write_text("extends: small\ntitle: Mine\n")
    assert {
        case.circuit.title
        for case in check(open_experiment("disinhibition", {"model.circuit": "mine"}))
    } == {"Mine"}


def test_every_figure_that_needs_something_is_refused_where_it_is_missing() -> None:
    plain = """
question: What?
model: {subject: healthy_adult, circuit: small}
course: {duration: 6 h, seeds: 1}
arms: {a: {}}
readouts: {x: {of: weight, at: 2 h}}
"""
    needy = [
        n
        for n, row in FIGURES.items()
        if row.snapshots or row.numbers or row.responders or row.own_data or row.held or row.claims
    ]
    assert len(needy) >= 7
    elsewhere = {n for n, row in FIGURES.items() if "course" not in row.of}
    assert "dendrite" in elsewhere
    for name in FIGURES:
        text = plain + f"figures: [{name}]\n"
        if name not in needy and name not in elsewhere:
            check(question(text))
            continue
        with pytest.raises(InputError) as caught:
            check(question(text))
        (problem,) = caught.value.problems
        assert problem.path == "figures.0"
        word = "in" if name in elsewhere else "with"
        assert problem.found.startswith(f"{name} {word}"), problem


@pytest.mark.parametrize(
    ("old", "new", "path", "found"),
    [
        ("question: Q", "question: '  '", "question", "nothing"),
        ("figures: [arms]", "figures: [arms, circuit, arms]", "figures.2", "'arms' once more"),
    ],
)
def test_a_question_that_asks_nothing_and_a_figure_twice_are_refused(
    old: str, new: str, path: str, found: str
) -> None:
    text = """question: Q
model: {subject: healthy_adult, circuit: small, plasticity: all}
course: {duration: 6 h, seeds: 1}
arms: {a: {}}
readouts: {x: {of: weight, at: 2 h}}
figures: [arms]
"""
    check(question(text))
    with pytest.raises(InputError) as caught:
        check(question(text.replace(old, new)))
    (problem,) = caught.value.problems
    assert (problem.path, problem.found) == (path, found)


def test_a_number_from_a_source_nobody_can_look_up_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("models/subjects").mkdir(parents=True)
    heavy = "extends: healthy_adult\ntitle: Heavy\nweight: {value: 90 kg, source: SOURCE, evidence: verified}\n"
    for source, fits in (("zanos2016", False), ("hashimotto2019", False), ("li2010", True)):
        Path("models/subjects/heavy.yaml").write_text(heavy.replace("SOURCE", source))
        opened = open_experiment("one_infusion", {"model.subject": "heavy"})
        if fits:
            check(opened)
            continue
        with pytest.raises(InputError, match=f"heavy.yaml:3 at weight.source: found '{source}'"):
            check(opened)


def test_two_drugs_of_an_arm_have_no_species_of_one_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The concentrations of one would stand for both."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "models" / "drugs").mkdir(parents=True)
    (tmp_path / "models" / "drugs" / "weak.yaml").write_text("extends: ketamine\ntitle: Weak\n")
    text = """
question: What do two do?
model: {subject: healthy_adult, circuit: small}
course: {duration: 6 h, seeds: 1, method: formula}
arms:
  one: {give: {a: {drug: ketamine, dose: 0.5 mg/kg, route: iv, over: 40 min, at: 0 h}}}
  two: {give: {a: {drug: weak, dose: 0.5 mg/kg, route: iv, over: 40 min, at: 0 h}}}
  both:
    extends: one
    give:
      b: {drug: weak, dose: 0.5 mg/kg, route: iv, over: 40 min, at: 2 h}
readouts: {peak: {of: plasma_ng_ml, species: ketamine, take: peak}}
"""
    (tmp_path / "mine.yaml").write_text(text)
    with pytest.raises(InputError) as refused:
        check(open_experiment("mine"))
    (problem,) = refused.value.problems
    assert problem.path == "arms.both.give.b"
    assert problem.found == "weak with ketamine and norketamine and hnk, which ketamine has too"
    (tmp_path / "mine.yaml").write_text(
        text[: text.index("  both:")] + text[text.index("readouts:") :]
    )
    assert check(open_experiment("mine"))


def test_what_drugs_do_together_is_looked_at_along_the_whole_sweep(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "models" / "drugs").mkdir(parents=True)
    text = (ROOT / "models" / "drugs" / "ciq.yaml").read_text("utf-8")
    (tmp_path / "models" / "drugs" / "other.yaml").write_text(text.replace("ciq:", "other:"))
    for values in ("[0.5, 1.9]", "[1.9, 0.5]"):
        (tmp_path / "mine.yaml").write_text(
            f"""
question: What do two do?
model: {{subject: healthy_adult, circuit: small}}
course: {{duration: 6 h, seeds: 1, method: formula}}
arms:
  both:
    give:
      a: {{drug: ciq, brain: 1 uM, at: 0 h, for: 1 h}}
      b: {{drug: other, brain: 1 uM, at: 0 h, for: 1 h}}
sweep: {{drugs.ciq.targets.nmdar.GluN2D.emax: {values}}}
readouts: {{rate: {{of: rate_hz, class: E, take: peak}}}}
"""
        )
        with pytest.raises(InputError, match="drugs that together can take nmdar"):
            check(open_experiment("mine"))
