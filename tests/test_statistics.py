"""Every statistic there is against scipy.stats, published tables, a textbook and simulation; and one
share has one interval wherever it is shown.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from test_experiment import question

from plastogen.analysis.contrast import paired_contrast
from plastogen.analysis.responders import find_responders
from plastogen.experiment.judge_sweep import judge_claims
from plastogen.experiment.statistics import (
    PAIRED,
    auc,
    average_ranks,
    detectable_effect,
    differences,
    false_discovery,
    mean_interval,
    mean_intervals,
    moments,
    noncentrality,
    paired_difference,
    paired_power,
    pairs_needed,
    partial_rank_correlations,
    rank_correlation,
    share_interval,
    t_test,
)
from plastogen.experiment.verdict import COMPLETE
from plastogen.figures import data
from plastogen.publish.lesson.places import read

RNG = np.random.default_rng(11)
SAMPLES = [np.random.default_rng(k).normal(k, 1 + k, (3 + 5 * k, 4)) for k in range(12)]
TIED = [np.random.default_rng(k).integers(0, 6, (8 + 3 * k, 2)).astype(float) for k in range(12)]


def correlated(
    n: int, effect: float, r: float = 0.7, rng: np.random.Generator = RNG
) -> tuple[np.ndarray, np.ndarray]:
    both = rng.multivariate_normal([0, 0], [[1, r], [r, 1]], n)
    return both[:, 0] + effect, both[:, 1]


# against scipy, over many samples


@pytest.mark.parametrize("x", SAMPLES)
def test_means_and_their_intervals_are_students(x: np.ndarray) -> None:
    n, mean, spread = moments(x)
    assert np.array_equal(n, [len(x)] * 4)
    np.testing.assert_allclose(mean, x.mean(0))
    np.testing.assert_allclose(spread, x.std(0, ddof=1))
    found = mean_intervals(x)
    wanted = stats.t.interval(0.95, len(x) - 1, x.mean(0), stats.sem(x))
    np.testing.assert_allclose([found.low, found.high], wanted)
    assert mean_interval(x[:, 1]) == pytest.approx((found.mean[1], found.low[1], found.high[1]))


def test_the_interval_of_a_share_is_wilsons_for_every_k_of_n() -> None:
    for n in (1, 2, 3, 7, 30, 200):
        for k in range(n + 1):
            wanted = stats.binomtest(k, n).proportion_ci(0.95, method="wilson")
            found = share_interval(k, n)
            assert found == pytest.approx((k / n, wanted.low, wanted.high), abs=1e-12)
            answers = np.repeat([1.0, 0.0], [k, n - k])
            assert mean_interval(answers, share=True) == pytest.approx(found, abs=1e-12)


@pytest.mark.parametrize("x", SAMPLES)
def test_the_p_of_a_mean_is_that_of_the_t_test(x: np.ndarray) -> None:
    for column in (x - x.mean(0) + x.std(0) / 3).T:
        assert t_test(column) == pytest.approx(
            (stats.sem(column), stats.ttest_1samp(column, 0).pvalue)
        )


def test_many_p_values_are_corrected_as_benjamini_and_hochberg_do() -> None:
    for k in range(1, 30):
        p = np.random.default_rng(k).random(k) ** 3
        np.testing.assert_allclose(false_discovery(p), stats.false_discovery_control(p))
    assert false_discovery(np.array([])).size == 0


@pytest.mark.parametrize("x", [*SAMPLES, *TIED])
def test_ranks_and_their_correlation_are_spearmans(x: np.ndarray) -> None:
    np.testing.assert_array_equal(average_ranks(x[:, 0]), stats.rankdata(x[:, 0]))
    if len(x) > 3:
        wanted = stats.spearmanr(x[:, 0], x[:, 1]).statistic
        assert rank_correlation(x[:, 0], x[:, 1]).value == pytest.approx(wanted)


# what is not known is NaN, without a warning (warnings are errors here)


@pytest.mark.parametrize("n", [0, 1, 2, 5])
@pytest.mark.parametrize("value", [0.0, 0.1, 1.0])
def test_equal_values_and_single_ones_do_not_warn(n: int, value: float) -> None:
    x = np.full(n, value)
    for found in (mean_interval(x), mean_interval(x, share=True)):
        assert np.isnan(found.value) == (n == 0)
    low = mean_interval(x).low
    assert np.isnan(low) if n < 2 else low == pytest.approx(value)
    error, p = t_test(x)
    assert (np.isnan(error), np.isnan(p)) == ((n < 2,) * 2)
    paired = paired_difference(x, x + 1)
    assert np.isnan(paired["low"]) == (n < 2)
    assert np.isnan(rank_correlation(x, x).value)
    assert np.isnan(auc(x, x).low) == (n < 2)


def test_a_missing_value_is_left_out_of_many_and_leaves_one_unknown() -> None:
    x = np.array([1.0, np.nan, 3.0])
    found = mean_intervals(x)
    assert (found.mean, found.n) == (2, 2)
    assert np.isnan(mean_interval(x)).all()


# one share has one interval, whatever shows it

PEOPLE = """
question: Who responds?
model: {subject: virtual_adult, circuit: small}
course: {duration: 6 h, seeds: 1, subjects: 200}
arms: {base: {}, drug: {}}
readouts:
  responds: {of: weight, at: 2 h, above: 1.5}
expect:
  - {claim: between, readout: responds, arm: drug, between: [0, 1]}
  - {claim: share, readout: responds, arm: drug, at_least: 1, share: [0, 1]}
"""


@pytest.mark.parametrize("k", [0, 1, 82, 199, 200])
def test_one_share_has_one_interval_wherever_it_is_shown(k: int) -> None:
    opened = question(PEOPLE)
    yes = np.zeros((2, 200, 1))
    yes[1, :k] = 1
    dims = ("arm", "subject", "seed")
    attrs = {
        "units": "1",
        "readout": 1,
        "yes_no": 1,
        "of": "weight",
        "threshold": 1.5,
        "beyond": "above",
    }
    ds = xr.Dataset(
        {"responds": (dims, yes, attrs), "status": (dims, np.full(yes.shape, COMPLETE))},
        {"arm": ["base", "drug"], "subject": np.arange(200), "seed": [1]},
    )
    judged = {v.claim: (v.value, v.low, v.high) for v in judge_claims(opened, ds)}
    drawn = data.interval(ds["responds"].sel(arm="drug"))
    lesson = read("responds of drug as %", opened, ds)
    shown = {
        **judged,
        "responders": find_responders(ds, "responds", "drug").rate,
        "figure": (drawn.mean, drawn.low, drawn.high),
        "lesson": (lesson.mean / 100, lesson.low / 100, lesson.high / 100),
    }
    for place, found in shown.items():
        assert found == pytest.approx(share_interval(k, 200)), place


@pytest.mark.parametrize("k", [0, 1, 11, 12])
def test_no_difference_of_shares_is_more_than_all(k: int) -> None:
    """Of twelve, k answer yes in one arm and nobody in the other, or the other way round."""
    dims = ("arm", "subject", "seed")
    yes = np.zeros((2, 12, 1))
    yes[1, :k] = 1
    attrs = {"units": "1", "readout": 1, "yes_no": 1, "of": "weight"}
    coords = {"arm": ["base", "drug"], "subject": np.arange(12), "seed": [1]}
    ds = xr.Dataset({"responds": (dims, yes, attrs)}, coords)
    for one, other in (("drug", "base"), ("base", "drug")):
        found = paired_contrast(ds["responds"].sel(arm=one), ds["responds"].sel(arm=other))
        assert -1 <= float(found["low"]) <= float(found["difference"]) <= float(found["high"]) <= 1


# one difference


def test_mean_and_interval_are_those_of_a_paired_t_test() -> None:
    a, b = correlated(9, 0.4)
    found, wanted = paired_difference(a, b), stats.ttest_rel(a, b).confidence_interval(0.95)
    assert found["difference"] == pytest.approx(float((a - b).mean()))
    assert (found["low"], found["high"]) == (pytest.approx(wanted.low), pytest.approx(wanted.high))


def test_hedges_g_is_that_of_the_textbook() -> None:
    # Borenstein 2009, chapter 4, matched groups: means 103 and 100, sd of differences 5.5, r 0.7, n
    # 50 -> g 0.4160, variance 0.0127. Values with exactly these moments:
    rng = np.random.default_rng(1)
    z = rng.standard_normal((50, 2))
    z = (z - z.mean(0)) @ np.linalg.inv(np.linalg.cholesky(np.cov(z.T, ddof=1))).T
    sd = 5.5 / np.sqrt(2 * (1 - 0.7))
    a, b = (sd * z @ np.linalg.cholesky([[1, 0.7], [0.7, 1]]).T).T + np.array([[103], [100]])
    found = paired_difference(a, b)
    assert float(found["g"]) == pytest.approx(0.4160, abs=2e-4)
    # the textbook's interval is the normal one of a large sample, 5 % narrower here
    half = float(found["g_high"] - found["g_low"]) / 2
    assert half == pytest.approx(stats.norm.ppf(0.975) * np.sqrt(0.0127), rel=0.05)


@settings(max_examples=30, deadline=None)
@given(st.integers(3, 60), st.floats(-60, 60), st.integers(0, 99))
def test_the_interval_of_g_is_that_of_the_noncentral_t_and_leaves_out_0_where_the_difference_does(
    n: int, effect: float, seed: int
) -> None:
    a, b = correlated(n, effect, rng=np.random.default_rng(seed))
    found = paired_difference(a, b)
    t, d = stats.ttest_rel(a, b).statistic, a - b
    ends = [
        float(end) * np.sqrt(n) / d.std(ddof=1) * d.mean() / found["g"]
        for end in (found["g_low"], found["g_high"])
    ]
    if abs(t) < 30:
        np.testing.assert_allclose(stats.nct.sf(t, n - 1, ends[0]), 0.025, atol=1e-4)
        np.testing.assert_allclose(stats.nct.cdf(t, n - 1, ends[1]), 0.025, atol=1e-4)
    assert found["g_low"] < found["g"] < found["g_high"]
    for d_end, g_end in (("low", "g_low"), ("high", "g_high")):
        assert (found[d_end] > 0) == (found[g_end] > 0)


def test_the_noncentrality_of_a_far_t_goes_on_where_the_near_one_ends() -> None:
    for degrees in (1, 2, 7, 49, 999):
        near, far = (noncentrality(np.array(t), degrees) for t in (100.0, 100.001))
        np.testing.assert_allclose(near, far, rtol=2e-3, atol=0.05)
        np.testing.assert_allclose(
            noncentrality(np.array(-1e8), degrees)[0], -noncentrality(np.array(1e8), degrees)[1]
        )


def test_a_pair_counts_only_when_both_arms_are_there() -> None:
    a, b = correlated(8, 0.5)
    a[2], b[5] = np.nan, np.nan
    kept = [0, 1, 3, 4, 6, 7]
    found, wanted = paired_difference(a, b), paired_difference(a[kept], b[kept])
    assert found["n"] == 6
    for name in PAIRED:
        assert found[name] == pytest.approx(wanted[name])


def test_one_pair_has_a_difference_and_no_interval() -> None:
    found = paired_difference(np.array([2.0]), np.array([0.5]))
    assert (found["difference"], found["n"]) == (1.5, 1)
    assert all(np.isnan(found[name]) for name in ("low", "high", "g", "detectable", "needed"))


def test_pairs_that_all_differ_by_the_same_leave_nothing_to_chance() -> None:
    same = paired_difference(np.array([1.0, 1, 1]), np.array([1.0, 1, 1]))
    moved = paired_difference(np.array([2.0, 2, 2]), np.array([1.0, 1, 1]))
    rounded = paired_difference(np.array([1.0, 2, 3]), np.array([1.0, 2, 3]) * (1 + 1e-15))
    for found, size in ((same, 0), (moved, 1), (rounded, 0)):
        assert found["low"] == found["difference"] == found["high"] == size
        assert np.isnan([found["detectable"], found["needed"]]).all()
    assert np.isnan([same["g"], moved["g"]]).all()


@pytest.mark.parametrize("scale", [1e-3, 1.0, 100.0])
@pytest.mark.parametrize("noise", [1e-17, 1e-12, 4e-7])
@pytest.mark.parametrize("effect", [0.0, -0.013])
def test_no_statistic_is_made_of_rounding(scale: float, noise: float, effect: float) -> None:
    """A difference of -2.8e-17 had a g of -0.51; seeds apart by 1e-7 made one of -150,000."""
    rng = np.random.default_rng(2)
    a, b = (scale * (at + noise * rng.uniform(-1, 1, 6)) for at in (effect, 0.0))
    found = paired_difference(a, b, scale=scale)
    assert found["difference"] == pytest.approx(effect * scale, abs=noise * scale)
    assert (found["difference"] == 0) == (effect == 0)
    assert found["low"] == found["high"]
    assert np.isnan([found[name] for name in ("g", "g_low", "detectable", "needed")]).all()
    assert t_test(differences(a, b, scale=scale), scale=scale)[1] == (1 if effect == 0 else 0)
    assert np.isnan(rank_correlation(a, np.arange(6.0), scales=(scale, 0)).value)
    span = mean_interval(a, scale=scale)
    assert span.low == span.high
    real = paired_difference(a + scale * rng.normal(0, 0.1, 6), b, scale=scale)
    assert np.isfinite([real["g"], real["needed"]]).all()


def test_every_time_is_compared_on_its_own() -> None:
    a, b = RNG.standard_normal((6, 4, 3)), RNG.standard_normal((6, 4, 3))
    found = paired_difference(a, b)
    one = paired_difference(a[:, 2, 1], b[:, 2, 1])
    for name in PAIRED:
        assert found[name].shape == (4, 3)
        assert found[name][2, 1] == pytest.approx(one[name])


# power


@pytest.mark.parametrize(
    ("size", "pairs"), [(0.2, 199), (0.3, 90), (0.5, 34), (0.8, 15), (1.0, 10), (2.0, 5)]
)
def test_how_many_pairs_are_needed_is_what_the_tables_say(size: float, pairs: int) -> None:
    assert (
        pairs_needed(size) == pairs
    )  # G*Power 3.1: difference of two dependent means, two tails, 0.05, 0.80


def test_power_is_that_of_simulated_trials() -> None:
    rng = np.random.default_rng(3)
    x = rng.standard_normal((20_000, 7)) + 1.1
    found = np.mean(np.abs(x.mean(1) / (x.std(1, ddof=1) / np.sqrt(7))) > stats.t.ppf(0.975, 6))
    assert float(paired_power(7, 1.1)) == pytest.approx(found, abs=0.01)


@pytest.mark.parametrize("n", [2, 3, 8, 200])
def test_what_is_detectable_has_the_power_and_takes_that_many(n: int) -> None:
    size = float(detectable_effect(n))
    assert float(paired_power(n, size)) == pytest.approx(0.8, abs=1e-5)
    assert pairs_needed(size * (1 + 1e-5)) == n


def test_what_is_needed_is_the_fewest() -> None:
    for size in np.geomspace(0.05, 5, 40):
        n = float(pairs_needed(size))
        assert paired_power(n, size) >= 0.8
        assert n == 2 or paired_power(n - 1, size) < 0.8


def test_no_effect_is_never_seen() -> None:
    assert pairs_needed(0) == np.inf
    assert np.isnan(pairs_needed(np.nan))


# two groups


def test_auc_is_the_statistic_of_mann_and_whitney() -> None:
    rng = np.random.default_rng(4)
    one, other = (
        rng.integers(0, 9, 30).astype(float),
        rng.integers(2, 12, 45).astype(float),
    )  # with ties
    u = stats.mannwhitneyu(one, other).statistic
    assert auc(one, other)[0] == pytest.approx(u / (30 * 45))


def test_the_interval_of_an_auc_is_that_of_the_bootstrap() -> None:
    rng = np.random.default_rng(5)
    one, other = rng.standard_normal(80) + 0.8, rng.standard_normal(120)

    def statistic(x: Any, y: Any) -> float:
        return float(stats.mannwhitneyu(x, y).statistic / (x.size * y.size))

    found = stats.bootstrap(
        (one, other), statistic, vectorized=False, n_resamples=600, rng=rng
    ).confidence_interval
    _, low, high = auc(one, other)
    assert (low, high) == (
        pytest.approx(found.low, abs=0.015),
        pytest.approx(found.high, abs=0.015),
    )


def test_the_interval_of_an_auc_holds_the_truth_as_often_as_it_says() -> None:
    rng = np.random.default_rng(6)
    truth = stats.norm.cdf(1 / np.sqrt(2))
    spans = [auc(rng.standard_normal(25) + 1, rng.standard_normal(35))[1:] for _ in range(600)]
    assert np.mean([low <= truth <= high for low, high in spans]) == pytest.approx(0.95, abs=0.025)


def test_groups_that_do_not_overlap_are_told_apart_without_a_width() -> None:
    assert auc(np.array([3.0, 4]), np.array([1.0, 2]))[0] == 1
    assert np.isnan(auc(np.array([1.0, 2]), np.array([3.0, 4]))[1])


# ranks


def test_the_interval_of_a_rank_correlation_holds_the_truth_as_often_as_it_says() -> None:
    rng = np.random.default_rng(9)
    rho = 0.6
    truth = 6 / np.pi * np.arcsin(rho / 2)  # Spearman's of a bivariate normal
    held = []
    for _ in range(500):
        x, y = rng.multivariate_normal([0, 0], [[1, rho], [rho, 1]], 60).T
        _, low, high = rank_correlation(x, y)
        held.append(low <= truth <= high)
    assert np.mean(held) == pytest.approx(0.95, abs=0.025)


def test_the_interval_of_a_partial_correlation_holds_the_truth_as_often_as_it_says() -> None:
    rng = np.random.default_rng(1)
    held = []
    for _ in range(400):
        x = rng.standard_normal((80, 3))
        _, low, high = partial_rank_correlations(x, x[:, 0] + rng.standard_normal(80))
        held.append(low[1] <= 0 <= high[1])
    assert np.mean(held) == pytest.approx(0.95, abs=0.03)


# Student


@given(st.lists(st.floats(-100, 100), min_size=2, max_size=12))
def test_the_interval_is_that_of_student(values: list[float]) -> None:
    x = np.array(values)
    mean, low, high = mean_interval(x)
    if x.std() > 1e-6:
        wanted = stats.t.interval(0.95, x.size - 1, loc=x.mean(), scale=stats.sem(x))
        assert (low, high) == pytest.approx(wanted, rel=1e-9, abs=1e-9)
    assert low <= mean <= high
