"""Models without a mechanism, on the same claims, scored by the same function."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from test_evidence import MET, experiments
from test_experiment import question

from plastogen.analysis.evidence import CameOut
from plastogen.analysis.evidence_page import render_evidence
from plastogen.analysis.naive import (
    AS_KETAMINE,
    NOTHING,
    is_asked,
    is_treated,
    naive_verdicts,
    stand_ins,
)
from plastogen.analysis.score import distance, score
from plastogen.experiment.judge_sweep import judge_claims
from plastogen.experiment.resolve import open_experiment
from plastogen.experiment.verdict import COMPLETE, Verdict
from plastogen.publish.evidence import _came_out
from plastogen.publish.workflow import complete
from plastogen.runs.request import make_request

TEXT = """
question: What comes out?
model: {subject: stressed_mouse, circuit: small}
course: {duration: 3 h, seeds: 3}
arms:
  vehicle: {}
  ketamine: {give: {dose: {drug: ketamine, dose: 10 mg/kg, route: ip, at: 0 h}}}
  blocked: {extends: ketamine, give: {blocker: {drug: nbqx, occupancy: 0.9, at: 0 h, for: 1 h}}}
  other: {give: {dose: {drug: memantine, dose: 5 mg/kg, route: ip, at: 0 h}}}
  person: {set: {model.subject: stressed_adult}}
  infusion:
    set: {model.subject: stressed_adult}
    give: {infusion: {drug: ketamine, dose: 0.5 mg/kg, route: iv, over: 40 min, at: 0 h}}
readouts: {x: {of: weight, at: 2 h}}
expect:
  - {claim: raised, readout: x, more: ketamine, than: vehicle, by: 1}
  - {claim: blocked, readout: x, blocked: blocked, alone: vehicle, full: ketamine, base: vehicle, to: 0.2}
  - {claim: less, readout: x, less: other, than: ketamine, by: 1}
  - {claim: inert, readout: x, arm: other, minus: vehicle, between: [-0.5, 0.5]}
  - {claim: people, readout: x, more: infusion, than: person, by: 1}
  - {claim: stress alone, readout: x, arm: vehicle, between: [0, 1]}
"""
SHORT = """
question: What comes out?
model: {subject: healthy_mouse, circuit: small}
course: {duration: 1 h, seeds: 1, method: formula}
arms:
  vehicle: {}
  ketamine: {give: {dose: {drug: ketamine, dose: 10 mg/kg, route: ip, at: 0 h}}}
readouts: {x: {of: weight, at: 1 h}}
expect:
  - {claim: raised, readout: x, more: ketamine, than: vehicle}
"""
ARMS = {
    "vehicle": 0.0,
    "ketamine": 4.0,
    "blocked": 0.4,
    "other": 0.1,
    "person": 0.0,
    "infusion": 3.0,
}


def came_out() -> tuple[Any, xr.Dataset]:
    x = np.array(list(ARMS.values()))[:, None] + np.array([0.0, 0.1, 0.2])
    x[1:] += np.array([0.0, 0.05, -0.05]) * np.arange(1, len(ARMS))[:, None]
    dims = ("arm", "seed")
    data = {"x": (dims, x), "status": (dims, np.full(x.shape, COMPLETE, dtype=object))}
    return question(TEXT), xr.Dataset(data, {"arm": list(ARMS), "seed": [1, 2, 3]})


@pytest.mark.parametrize("name", sorted(experiments()))
def test_every_claim_that_ships_can_be_scored_for_every_model(name: str) -> None:
    opened = open_experiment(name)
    experiment, rng = opened.experiment, np.random.default_rng(1)
    dims = ("arm", *(axis.name for axis in opened.axes), "seed")
    shape = (len(experiment.arms), *(axis.size for axis in opened.axes), 2)
    data = {
        key: (dims, rng.integers(2, size=shape) if readout.yes_no else rng.normal(size=shape))
        for key, readout in experiment.readouts.items()
    }
    done = (dims, np.full(shape, COMPLETE, dtype=object))
    ds = xr.Dataset({**data, "status": done}, {"arm": list(experiment.arms), "seed": [1, 2]})
    naive = naive_verdicts(opened, ds)
    assert list(naive) == [NOTHING, AS_KETAMINE]
    for model, found in naive.items():
        stand = stand_ins(experiment)[model]
        asked = [c.claim for c in experiment.expect if is_asked(experiment, c, stand)]
        assert list(found) == asked
    told = CameOut(judge_claims(opened, ds), naive)
    assert f"(`{name}`)" in render_evidence([], {name: experiment}, {name: told})
    for one in told.verdicts:
        plain = json.loads(json.dumps(one.as_dict()))
        assert Verdict.from_dict(plain).sentence == one.sentence
        assert distance(Verdict.from_dict(plain)) == distance(one)


def test_verdicts_of_results_made_before_have_the_worth_of_a_prediction() -> None:
    plain = MET.as_dict()
    for key in ("status", "found", "found_range", "about"):
        del plain[key]
    assert Verdict.from_dict(plain) == MET


def files_of(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_evidence_reads_results_and_changes_none_whatever_else_they_were_asked_for(
    tmp_path: Path,
) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(SHORT)
    asked = make_request(file, out=tmp_path / "out", say=lambda line: None)
    assert _came_out(asked) is None
    ran = complete(asked, say=lambda line: None, figures=False)
    before = files_of(tmp_path)
    found = _came_out(asked)
    assert found is not None
    assert [one.sentence for one in found.verdicts] == [one.sentence for one in ran.verdicts]
    assert found.lacking == 0
    assert list(found.naive[NOTHING]) == ["raised"]
    more = _came_out(make_request(file, seeds=3, out=tmp_path / "out", say=lambda line: None))
    assert more is not None
    assert more.lacking == 2 * 2
    assert {one.n for one in more.verdicts} == {1}
    assert files_of(tmp_path) == before


def outcomes(found: dict[str, Verdict]) -> dict[str, str]:
    return {name: one.outcome for name, one in found.items()}


def test_where_nothing_changes_what_is_inert_is_right_and_every_effect_is_wrong() -> None:
    found = naive_verdicts(*came_out())[NOTHING]
    assert outcomes(found) == {
        "raised": "missed", "blocked": "met", "less": "missed", "inert": "met", "people": "missed",
    }  # fmt: skip
    assert {(found[name].value, found[name].low) for name in found} == {(0.0, 0.0)}


def test_where_everything_acts_as_ketamine_no_arm_differs_from_it() -> None:
    opened, ds = came_out()
    found = naive_verdicts(opened, ds)[AS_KETAMINE]
    assert outcomes(found) == {"blocked": "missed", "less": "missed", "inert": "missed"}
    assert found["blocked"].value == pytest.approx(1)
    mine = {one.claim: one for one in judge_claims(opened, ds)}
    assert found["inert"].value == pytest.approx(mine["raised"].value)
    assert {mine[name].outcome for name in found} == {"met"}


def test_an_arm_is_stood_in_for_by_the_same_subject() -> None:
    stand = stand_ins(came_out()[0].experiment)
    assert stand[NOTHING] == {
        "ketamine": "vehicle", "blocked": "vehicle", "other": "vehicle", "infusion": "person",
    }  # fmt: skip
    assert stand[AS_KETAMINE] == {
        "ketamine": "ketamine", "blocked": "ketamine", "other": "ketamine", "infusion": "infusion",
    }  # fmt: skip


def test_in_experiments_that_ship_nobody_treated_stands_in_for_the_untreated() -> None:
    asked = 0
    for experiment in experiments().values():
        stand = stand_ins(experiment)
        assert not any(is_treated(experiment, arm) for arm in stand[NOTHING].values())
        assert all(
            {one.drug for one in experiment.arm(arm).give.values()} == {"ketamine"}
            for arm in stand[AS_KETAMINE].values()
        )
        asked += sum(is_asked(experiment, claim, stand[NOTHING]) for claim in experiment.expect)
    assert asked > sum(len(experiment.expect) for experiment in experiments().values()) / 2
    people = stand_ins(experiments()["comparators"])[AS_KETAMINE]
    assert (people["person_01"], people["mk801"]) == ("person_05", "ketamine")


def test_a_score_counts_predictions_each_source_once_and_what_is_undecided_as_not_met() -> None:
    one = replace(MET, source="li2010")
    missed = replace(one, outcome="missed")
    told = [one, missed, replace(one, source="zuo2005"), replace(one, status="input")]
    assert (score(told).asked, score(told).met) == (3, 2)
    assert score(told).by_source == pytest.approx((1 / 2 + 1) / 2)
    assert score([replace(one, outcome="undecided")]).met == 0
    assert (score([]).asked, math.isnan(score([]).by_source)) == (0, True)


def test_a_distance_is_in_standard_errors_of_both_and_there_is_none_without_both() -> None:
    from scipy import stats

    found = replace(MET, found=(1.0, 0.5, 1.5))
    own, theirs = 0.3 / stats.t.ppf(0.975, 3), 0.5 / stats.norm.ppf(0.975)
    assert distance(found) == pytest.approx(0.5 / math.hypot(own, theirs))
    assert distance(replace(found, low=1.5, high=1.5)) == pytest.approx(0.5 / theirs)
    nan = float("nan")
    for lacking in (MET, replace(found, low=nan, high=nan), replace(found, value=nan)):
        assert distance(lacking) is None
    scored = score(
        [found, MET, replace(found, found_range=True), replace(found, found=(9.0, 8.9, 9.1))]
    )
    assert (len(scored.distances), scored.ranges, scored.near) == (3, 1, 2)
