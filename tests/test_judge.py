"""Claims about a line along an axis, and about a share of points, against hand calculations."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats

from plastogen._base.definition import build
from plastogen._base.document import Document
from plastogen.experiment.claim import Claim
from plastogen.experiment.judge import judge_correlation, judge_line, judge_share
from plastogen.experiment.verdict import Verdict

NOISE = np.array([0.0, 0.1, -0.1])  # of three seeds


def claim(**fields: Any) -> Claim:
    return build(
        Document("test.yaml", {"claim": "it is so", "readout": "x", "arm": "a", **fields}), Claim
    )


def line(
    values: list[float], missing: tuple[tuple[int, int], ...] = (), unit: str = "1", **fields: Any
) -> Verdict:
    """The verdict on a line of `values`, the same for three seeds but for an offset each."""
    y = np.array(values)[:, None] + NOISE
    there = np.ones(y.shape, bool)
    for at in missing:
        there[at], y[at] = False, np.nan
    return judge_line(
        claim(**fields), y, there, [f"dose = {k} mg" for k in range(len(values))], unit=unit
    )


def test_a_line_that_rises_throughout() -> None:
    found = line([1, 2, 2, 4], rises="dose", by=2.5)
    assert (found.outcome, found.n, found.expected) == ("met", 3, 3)
    assert found.value == pytest.approx(3)
    assert found.low == pytest.approx(3)
    assert line([1, 2, 2, 4], rises="dose", by=3.5).outcome == "missed"
    assert line([1, 2, 2, 4], falls="dose").outcome == "missed"
    assert line([4, 2, 2, 1], falls="dose", by=3.0).outcome == "met"
    assert line([2, 2, 2, 2], rises="dose").outcome == "missed"


def test_it_may_go_back_by_no_more_than_its_slack() -> None:
    values = [1, 3, 2.7, 4]  # back by 0.3 of 3
    assert line(values, rises="dose").outcome == "missed"
    found = line(values, rises="dose", slack=0.12)
    assert found.outcome == "met"
    assert "back by 10 % of it" in found.sentence
    assert line(values, rises="dose", slack=0.05).outcome == "missed"


def test_going_back_by_far_more_than_it_rises_is_said_in_times() -> None:
    found = line([1, 9, 1.01], rises="dose", slack=0.5)
    assert "goes back by 799 times it on the way" in found.sentence


@pytest.mark.parametrize("form", [{"rises": "dose"}, {"peak": "dose"}])
def test_no_difference_of_shares_is_more_than_all(form: dict[str, str]) -> None:
    """Of twelve who answer, eleven differ as much as anybody can."""
    values = np.zeros((3, 12))
    values[1:, :11] = 1
    values[2] *= 0 if "peak" in form else 1
    places = [f"dose = {k} mg" for k in range(3)]
    there = np.ones(values.shape, bool)
    found = judge_line(claim(**form), values, there, places, unit="1", yes_no=True)
    assert (found.value, found.high) == (pytest.approx(11 / 12), 1)
    assert judge_line(claim(**form), values, there, places, unit="1").high > 1


def test_a_peak_stands_inside_and_above_both_ends() -> None:
    found = line([1, 3, 2], peak="dose", by=1.0)
    assert found.outcome == "met"
    assert found.value == pytest.approx(1)  # above the higher end
    assert "highest at dose = 1 mg" in found.sentence
    assert line([1, 3, 2], peak="dose", by=1.5).outcome == "missed"
    assert line([1, 2, 3], peak="dose").outcome == "missed"
    assert line([3, 2, 1], peak="dose").outcome == "missed"
    assert line([3, 1, 2], trough="dose", by=1.0).outcome == "met"
    assert line([1, 3, 2], trough="dose").outcome == "missed"


def test_noise_is_not_taken_for_a_peak() -> None:
    """Every seed is measured where the others have their top, so a flat line of noise stands above
    its ends by 0.
    """
    rng = np.random.default_rng(3)
    here = claim(peak="dose")
    found = [
        judge_line(here, rng.standard_normal((30, 4)), np.ones((30, 4), bool), [""] * 30, unit="1")
        for _ in range(400)
    ]
    assert sum(v.outcome == "met" for v in found) < 20
    naive = np.mean([v.value for v in found])
    assert (
        naive < 0.2
    )  # the lesser of two differences of mean 0; the highest of 30 means would stand 1 above


def test_one_seed_has_a_line_too() -> None:
    found = judge_line(
        claim(peak="dose"), np.array([[1.0], [2.0], [1.0]]), np.ones((3, 1), bool), "abc", unit="1"
    )
    assert found.outcome == "met"
    assert np.isnan(found.low)


def test_only_seeds_that_finished_at_every_point_count() -> None:
    found = line([1, 2, 3], missing=((1, 0),), rises="dose")
    assert (found.outcome, found.n, found.expected) == ("met", 2, 3)
    nobody = line(
        [1, 2, 3], missing=((0, 0), (1, 1), (2, 2)), rises="dose", known_miss="never mind"
    )
    assert (nobody.outcome, nobody.n) == ("undecided", 0)
    assert "no seed finished at every point" in nobody.sentence


def test_a_line_over_what_never_happens_is_not_met_and_without_a_value_undecided() -> None:
    assert line([1, np.nan, 3], rises="dose", unit="h").outcome == "missed"
    assert line([1, np.nan, 3], peak="dose", unit="h").outcome == "missed"
    assert line([1, np.nan, 3], rises="dose", unit="Hz").outcome == "undecided"


def test_a_known_miss_only_reports() -> None:
    assert line([3, 2, 1], rises="dose", known_miss="so it is").outcome == "known miss"


def points(
    missing: tuple[int, ...] = (), unit: str = "1", never: tuple[int, ...] = (), **fields: Any
) -> Verdict:
    """Ten subjects with means 0..9, two seeds each; of those `missing` the first seed."""
    values = np.arange(10.0)[:, None] + np.array([0.4, -0.4])
    there = np.ones(values.shape, bool)
    there[list(missing), 0] = False
    values[list(missing), 0] = values[list(never)] = np.nan
    return judge_share(claim(**fields), values, there, unit=unit)


def test_a_share_of_points_reaches_a_threshold() -> None:
    found = points(at_least=7.0, share=[0.2, 0.4])
    assert (found.outcome, found.value) == ("met", pytest.approx(0.3))
    assert (found.n, found.expected, found.counted) == (10, 10, "points")
    assert "n = 10 of 10 points" in found.sentence
    assert "3 of 10 points are at least 7" in found.sentence
    assert points(at_least=7.0, share=[0.4, 1.0]).outcome == "missed"
    assert points(at_most=3.0, share=[0.4, 0.4]).outcome == "met"


def test_a_share_is_undecided_while_points_are_missing() -> None:
    found = points(missing=(4,), at_least=7.0, share=[0.0, 1.0])
    assert (found.outcome, found.n, found.expected) == ("undecided", 9, 10)
    assert "not every seed finished at 1 of 10 points" in found.sentence


def test_what_never_happens_reaches_nothing() -> None:
    assert points(never=(9,), unit="h", at_least=7.0, share=[0.2, 0.2]).outcome == "met"
    assert points(never=(9,), unit="Hz", at_least=7.0, share=[0.0, 1.0]).outcome == "undecided"


def pairs(values: Any, other: Any, missing: tuple[int, ...] = (), **fields: Any) -> Verdict:
    x, y = np.asarray(values, float)[:, None] + NOISE, np.asarray(other, float)[:, None]
    there = np.ones(x.shape, bool)
    for at in missing:
        there[at, 0] = False
    asked = claim(goes_with="mg", **({"correlation": [0, 1]} | fields))
    return judge_correlation(asked, x, np.broadcast_to(y, x.shape), there)


def test_two_numbers_that_go_judge_correlation() -> None:
    rng = np.random.default_rng(8)
    x = rng.standard_normal(40)
    y = x + rng.standard_normal(40)
    found = pairs(x, y)
    assert found.value == pytest.approx(stats.spearmanr(x, y).statistic)
    assert (found.outcome, found.n, found.counted) == ("met", 40, "points")
    assert pairs(x, y, correlation=[-1, 0]).outcome == "missed"
    assert "a rank correlation of 0 to 1 with mg" in found.sentence


def test_points_without_all_their_seeds_decide_nothing() -> None:
    found = pairs([1, 2, 3, 4, 5], [1, 2, 3, 5, 4], missing=(2,))
    assert (found.outcome, found.n, found.expected) == ("undecided", 4, 5)
    assert pairs([1, 2, 3, 4, 5], [1, 1, 1, 1, 1]).reason == "one of the two does not vary"
