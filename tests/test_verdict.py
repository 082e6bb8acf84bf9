"""Claims over a sweep: the worst of all places, honest where cells are missing."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import xarray as xr
from test_experiment import question

from plastogen.experiment.judge_sweep import judge_claims
from plastogen.experiment.verdict import COMPLETE, Verdict, stored_verdicts

TEXT = """
question: What comes out?
model: {subject: healthy_adult, circuit: small}
course: {duration: 6 h, seeds: 2}
arms: {base: {}, drug: {}}
readouts:
  x: {of: weight, at: 2 h}
expect:
  - {claim: c, readout: x, %s}
sweep: {a.dose: [3 mg/kg, 1 mg/kg, 2 mg/kg], b.mg: [1, 2]}
"""
ARMS, SEEDS = ["base", "drug"], [1, 2]


def judged(claim: str, values: Any, missing: tuple[tuple[int, int, int, int], ...] = ()) -> Verdict:
    """The verdict where the drug has `values` (dose, mg) above the base, whatever the seed."""
    seeds = np.array([0.0, 0.25])
    drug = np.asarray(values, float)[..., None] + seeds
    x = np.stack([np.broadcast_to(seeds, drug.shape), drug])
    status = np.full(x.shape, COMPLETE, dtype=object)
    for at in missing:
        x[at], status[at] = np.nan, "missing"
    dims = ("arm", "dose", "mg", "seed")
    ds = xr.Dataset({"x": (dims, x), "status": (dims, status)}, {"arm": ARMS, "seed": SEEDS})
    (found,) = judge_claims(question(TEXT % claim), ds)
    return found


def test_a_difference_that_went_the_other_way_is_said_as_one_says_it() -> None:
    found = judged("less: drug, than: base, by: 1", np.full((3, 2), 2.0))
    (value, low, high), word = found.directed
    assert (found.value, value, word) == (-2, 2, "more")
    assert low <= value <= high
    assert judged("more: drug, than: base, by: 1", np.full((3, 2), 2.0)).directed[1] == "more"
    between = judged("arm: drug, minus: base, between: [3, 5]", np.full((3, 2), -2.0))
    assert (between.directed[0].value, between.directed[1]) == (-2, "")


UP = [[3, 6], [1, 2], [2, 4]]  # dose 3, 1, 2; mg 1, 2


def test_a_claim_of_arms_is_the_worst_of_all_points() -> None:
    found = judged("more: drug, than: base, by: 1.5", UP)
    assert (found.outcome, found.value, found.places, found.met_at) == ("missed", 1.0, 6, 5)
    assert "holds at 5 of 6 places; the worst: dose = 1 mg/kg, mg = 1" in found.sentence
    assert judged("more: drug, than: base, by: 1", UP).outcome == "met"


def test_the_worst_is_the_one_furthest_from_what_was_wanted() -> None:
    found = judged("less: base, than: drug, by: 5", UP)
    assert (found.outcome, found.value, found.where) == ("missed", 1.0, "dose = 1 mg/kg, mg = 1")
    found = judged("arm: drug, minus: base, between: [3, 5.5]", UP)
    assert (found.outcome, found.value, found.met_at) == ("missed", 1.0, 2)
    found = judged("arm: drug, minus: base, between: [0, 9]", UP)
    assert (found.outcome, found.value) == ("met", 1.0)
    found = judged("blocked: drug, alone: base, full: drug, base: base, to: 0.5", UP)
    assert (found.outcome, found.value) == ("missed", 1.0)


def test_where_leaves_out_points() -> None:
    assert judged("more: drug, than: base, by: 1.5, where: {dose: 3000 ug/kg}", UP).outcome == "met"
    found = judged("more: drug, than: base, by: 1.5, where: {dose: [1 mg/kg, 2 mg/kg], mg: 1}", UP)
    assert (found.outcome, found.places, found.met_at) == ("missed", 2, 1)


def test_a_line_along_an_axis_at_every_value_of_the_others() -> None:
    found = judged("arm: drug, minus: base, rises: dose, by: 2", UP)
    assert (found.outcome, found.places, found.value) == ("met", 2, 2.0)
    bent = [[3, 1], [1, 2], [2, 4]]
    found = judged("arm: drug, minus: base, rises: dose", bent)
    assert (found.outcome, found.met_at, found.where) == ("missed", 1, "mg = 2")
    found = judged("arm: drug, peak: dose, where: {mg: 2}", bent)
    assert (found.outcome, found.note) == ("met", "highest at dose = 2 mg/kg")
    assert judged("arm: drug, rises: mg, where: {dose: [1 mg/kg, 2 mg/kg]}", bent).outcome == "met"
    assert (
        judged("arm: drug, rises: dose, where: {dose: [1 mg/kg, 2 mg/kg]}", bent).outcome == "met"
    )


def test_minus_is_taken_seed_by_seed() -> None:
    assert judged("arm: drug, at_least: 2.05, share: [0, 1]", UP).value == 5 / 6
    assert judged("arm: drug, minus: base, at_least: 2.05, share: [0, 1]", UP).value == 3 / 6
    assert (
        judged("arm: drug, minus: base, at_least: 2.05, share: [0, 1], where: {mg: 1}", UP).expected
        == 3
    )


def test_missing_cells_leave_it_undecided() -> None:
    gone = ((1, 2, 0, 0), (1, 2, 0, 1))
    for claim in (
        "more: drug, than: base",
        "arm: drug, rises: dose",
        "arm: drug, at_least: 0, share: [0, 1]",
    ):
        found = judged(claim, UP, gone)
        assert found.outcome == "undecided", claim
        assert "seed finished" in found.sentence
    half = judged("arm: drug, rises: dose", UP, gone[:1])
    assert (half.outcome, half.n, half.expected) == ("met", 1, 2)
    lost = ((0, 2, 0, 0), (0, 2, 0, 1))  # of the arm it is compared with
    assert judged("arm: drug, minus: base, rises: dose", UP, lost).outcome == "undecided"
    assert judged("arm: drug, minus: base, at_least: 0, share: [0, 1]", UP, lost).n == 5


def test_verdicts_come_back_from_what_results_carry() -> None:
    found = judged("arm: drug, minus: base, rises: dose, by: 2", UP)
    never = judged("arm: drug, rises: dose", np.full((3, 2), np.nan))
    ds = xr.Dataset(attrs={"claims": json.dumps([found.as_dict(), never.as_dict()])})
    back = stored_verdicts(ds)
    assert back[0] == found
    assert np.isnan(back[1].value)
    assert back[1].outcome == "undecided"


PEOPLE = """
question: Who responds?
model: {subject: virtual_adult, circuit: small}
course: {duration: 6 h, seeds: 2, subjects: 30}
arms: {base: {}, drug: {}}
readouts:
  x: {of: weight, at: 2 h}
  y: {of: weight, at: 3 h}
expect:
  - {claim: c, readout: x, %s}
"""


def of_people(claim: str, missing: tuple[tuple[int, int, int], ...] = ()) -> Verdict:
    """The verdict where the drug adds each subject's own stress, and seeds differ by a quarter."""
    asked = question(PEOPLE % claim)
    stress = np.array(
        next(c for c in asked.axes[0].columns if c.name == "subject_stress").values, float
    )
    seeds = np.array([0.0, 0.25])
    x = np.stack([np.zeros((30, 2)) + seeds, stress[:, None] + seeds])
    status = np.full(x.shape, COMPLETE, dtype=object)
    for at in missing:
        x[at], status[at] = np.nan, "missing"
    dims = ("arm", "subject", "seed")
    ds = xr.Dataset(
        {"x": (dims, x), "y": (dims, -x), "status": (dims, status)}, {"arm": ARMS, "seed": SEEDS}
    )
    (found,) = judge_claims(asked, ds)
    return found


def test_virtual_subjects_stand_where_seeds_do() -> None:
    found = of_people("more: drug, than: base, by: 0.5")
    assert (found.n, found.expected, found.counted, found.places) == (30, 30, "virtual subjects", 1)
    assert 0.5 < found.value < 0.7
    assert found.high - found.low > 0.1  # people differ, seeds of a pair do not
    assert of_people("more: drug, than: base", missing=((1, 4, 0),)).n == 29
    assert of_people("arm: base, between: [0, 1]").value == 0.125  # the mean of the seeds


def test_a_share_of_virtual_subjects() -> None:
    found = of_people("arm: drug, minus: base, at_least: 0.5, share: [0.4, 0.9]")
    assert (found.outcome, found.n, found.counted) == ("met", 30, "virtual subjects")
    assert of_people("arm: drug, minus: base, at_least: 1.5, share: [0, 0.1]").value == 0


def test_what_goes_with_what_differs_between_people() -> None:
    found = of_people("arm: drug, minus: base, goes_with: subject_stress, correlation: [0.99, 1]")
    assert (found.outcome, found.n) == ("met", 30)
    assert of_people("arm: drug, goes_with: inhibition, correlation: [-0.4, 0.4]").outcome == "met"
    assert of_people("arm: drug, goes_with: y, correlation: [-1, -0.9]").outcome == "met"
    half = of_people(
        "arm: drug, minus: base, goes_with: subject_stress, correlation: [0.9, 1], where: {subject_stress: [0.6, 1]}"
    )
    assert half.n < 30
