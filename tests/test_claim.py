"""Claims: each form against a hand calculation, and the honest answers when there is nothing to
say.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from plastogen._base.definition import build
from plastogen._base.document import Document
from plastogen.errors import InputError
from plastogen.experiment.claim import Claim
from plastogen.experiment.judge import judge_point
from plastogen.experiment.verdict import Verdict
from plastogen.figures._arms import verdict_numbers

SEEDS = 4
VALUES = {
    ("x", "a"): np.array([1.5, 1.6, 1.4, 1.5]),
    ("x", "b"): np.array([1.0, 1.1, 0.9, 1.0]),
    ("x", "ka"): np.array([1.05, 1.15, 0.95, 1.05]),
    ("x", "wild"): np.array([-9.0, 12.0, -8.0, 13.0]),
    ("early", "a"): np.array([1.0, 2.0, 1.0, 2.0]),
    ("late", "a"): np.array([5.0, 6.0, 4.0, 7.0]),
    ("never", "a"): np.full(SEEDS, np.nan),
}


def claim(**fields: Any) -> Claim:
    return build(Document("test.yaml", {"claim": "it is so", "readout": "x", **fields}), Claim)


def verdict(
    complete: dict[str, list[bool]] | None = None, unit: str = "1", **fields: Any
) -> Verdict:
    there = {arm: np.ones(SEEDS, bool) for _, arm in VALUES}
    there |= {arm: np.array(flags) for arm, flags in (complete or {}).items()}
    return judge_point(claim(**fields), lambda r, arm: VALUES[r, arm], complete=there, unit=unit)


def test_more_is_the_paired_difference_with_its_t_interval() -> None:
    found = verdict(more="a", than="b", by=0.4)
    assert found.outcome == "met"
    assert found.value == pytest.approx(0.5)
    assert (found.n, found.expected) == (4, 4)
    assert "0.5" in found.sentence
    assert "n = 4 of 4" in found.sentence


def test_a_claim_over_a_time_that_never_came_is_not_met_and_counted() -> None:
    for fields in (
        {"arm": "a", "between": (-9, 9)},
        {"arm": "a", "before": "late"},
        {"more": "a", "than": "a"},
    ):
        found = verdict(unit="h", readout="never", **fields)
        assert found.outcome == "missed"
        assert "it never happens" in found.reason
        assert "4 of 4 seeds" in found.reason
    reasons = np.array(["already", "already", "", "never"], dtype=object)
    found = judge_point(
        claim(readout="late", arm="a", between=(0, 9)),
        lambda r, arm: np.where(reasons == "", 5.0, np.nan),
        complete={"a": np.ones(SEEDS, bool)},
        unit="h",
        reasons=lambda r, arm: reasons,
    )
    assert found.outcome == "missed"
    assert "it never happens: a in 1 of 4" in found.reason
    assert "already when the readout begins: a in 2 of 4" in found.reason


def test_more_is_missed_when_the_margin_is() -> None:
    assert verdict(more="a", than="b", by=0.6).outcome == "missed"
    assert verdict(more="b", than="a").outcome == "missed"
    assert verdict(less="b", than="a", by=0.4).outcome == "met"
    assert verdict(less="a", than="b").outcome == "missed"


def test_a_mean_that_is_not_told_from_zero_does_not_count() -> None:
    found = verdict(more="wild", than="b")
    assert found.value > 0 > found.low
    assert found.outcome == "missed"


def test_equal_is_not_more() -> None:
    assert verdict(more="a", than="a").outcome == "missed"


def test_between_looks_at_the_mean_or_at_a_difference() -> None:
    assert verdict(arm="a", between=[1.4, 1.6]).outcome == "met"
    assert verdict(arm="a", between=[1.6, 1.7]).outcome == "missed"
    assert verdict(arm="a", between=[1.3, 1.4]).outcome == "missed"
    assert verdict(arm="a", minus="b", between=[0.45, 0.55]).outcome == "met"


def test_blocked_is_what_remains_of_the_effect() -> None:
    found = verdict(blocked="ka", alone="b", full="a", base="b", to=0.2)
    assert found.value == pytest.approx(0.1)
    assert found.outcome == "met"
    assert verdict(blocked="ka", alone="b", full="a", base="b", to=0.05).outcome == "missed"
    assert (
        verdict(blocked="b", alone="a", full="a", base="b", to=0.2).outcome == "missed"
    )  # overshoots below


def test_there_is_nothing_to_block_where_there_is_no_effect() -> None:
    none = verdict(blocked="ka", alone="b", full="b", base="b", to=0.2)
    assert (none.outcome, none.reason) == ("undecided", "there is no effect to block")
    assert verdict(blocked="ka", alone="b", full="wild", base="b", to=0.2).outcome == "undecided"


def test_before_orders_times_and_above_orders_levels() -> None:
    assert verdict(readout="early", arm="a", before="late", unit="h").outcome == "met"
    assert verdict(readout="early", arm="a", before="late", by=5.0, unit="h").outcome == "missed"
    assert verdict(readout="late", arm="a", before="early", unit="h").outcome == "missed"
    assert verdict(readout="late", arm="a", above="early").outcome == "met"
    assert verdict(readout="early", arm="a", above="late").outcome == "missed"


def test_what_never_happens_is_missed_and_says_so() -> None:
    found = verdict(readout="early", arm="a", before="never", unit="h")
    assert found.outcome == "missed"
    assert "never in 4 of 4 seeds" in found.sentence
    assert verdict(readout="never", arm="a", between=[0.0, 1.0], unit="Hz").outcome == "undecided"


def test_only_seeds_that_finished_everywhere_count() -> None:
    found = verdict(
        {"a": [True, True, False, True], "b": [True, False, True, True]}, more="a", than="b"
    )
    assert (found.n, found.expected) == (2, 4)
    nobody = verdict({"a": [False] * 4}, more="a", than="b")
    assert nobody.outcome == "undecided"


def test_one_seed_has_no_interval() -> None:
    found = verdict({"a": [True, False, False, False]}, more="a", than="b")
    assert found.outcome == "met"
    assert np.isnan(found.low)
    assert "[" not in found.sentence


def test_what_does_not_differ_between_seeds_is_fixed_by_the_model() -> None:
    found = replace(verdict(more="a", than="b"), low=0.3, value=0.3, high=0.3)
    for words in (found.sentence, verdict_numbers(found)):
        assert "0.3 (fixed by the model), wanted" in words
        assert "[" not in words


def test_a_known_miss_only_reports() -> None:
    found = verdict(more="b", than="a", known_miss="the circuit has no theta")
    assert found.outcome == "known miss"
    assert "the circuit has no theta" in found.sentence
    assert verdict(more="a", than="b", known_miss="once").outcome == "met"


def test_a_verdict_is_plain_json() -> None:
    plain = verdict(readout="never", arm="a", between=[0.0, 1.0]).as_dict()
    assert plain["value"] is None
    assert plain["outcome"] == "undecided"


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({}, ""),
        ({"more": "a"}, "than"),
        ({"more": "a", "less": "b", "than": "b"}, ""),
        ({"more": "a", "than": "b", "to": 0.2}, "to"),
        ({"arm": "a", "between": [0, 1], "than": "b"}, "than"),
        ({"blocked": "a", "alone": "b", "full": "a", "to": 0.2}, "base"),
        ({"arm": "a", "between": [0, 1, 2]}, "between"),
        ({"more": "a", "than": "b", "bye": 1}, "bye"),
    ],
)  # fmt: skip
def test_a_claim_that_cannot_be_says_where(fields: Any, path: str) -> None:
    with pytest.raises(InputError) as caught:
        claim(**fields)
    assert path in {problem.path for problem in caught.value.problems}
