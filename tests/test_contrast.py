"""Comparing arms pair by pair: against scipy, published power tables, a textbook example and
brute-force simulation.
"""

from __future__ import annotations

import csv
import io

import fake_results as fake
import fake_sweeps
import numpy as np
import pytest
import xarray as xr
from scipy import stats

from plastogen.analysis import contrast as trial
from plastogen.errors import InputError

RNG = np.random.default_rng(11)


def correlated(
    n: int, effect: float, r: float = 0.7, rng: np.random.Generator = RNG
) -> tuple[np.ndarray, np.ndarray]:
    both = rng.multivariate_normal([0, 0], [[1, r], [r, 1]], n)
    return both[:, 0] + effect, both[:, 1]


def results(
    subjects: int = 0, seeds: int = 6, arms: tuple[str, ...] = ("vehicle", "ketamine", "low")
) -> xr.Dataset:
    """Invented results whose readout `x` differs by arm, beside a course `weight` that differs at
    one moment.
    """
    rng = np.random.default_rng(5)
    outer = {"arm": len(arms), **({"subject": subjects} if subjects else {}), "seed": seeds}
    own = rng.standard_normal([1, *list(outer.values())[1:]])
    x = (
        np.arange(len(arms)).reshape(-1, *(1,) * (len(outer) - 1)) * 0.5
        + own
        + 0.1 * rng.standard_normal([*outer.values()])
    )
    course = np.zeros((*outer.values(), 3)) + own[..., None]
    course[1:, ..., 1] += 2 + 0.1 * rng.standard_normal(course[1:, ..., 1].shape)
    ds = xr.Dataset(
        {
            "x": (tuple(outer), x, {"units": "ng/mL", "readout": 1}),
            "weight": ((*outer, "time"), course, {"units": "1"}),
        },
        coords={"arm": list(arms), "seed": range(1, seeds + 1), "time": [0.0, 6.0, 24.0]},
    )
    ds.attrs = {"title": "T", "dosing": '[{"arm": "ketamine"}, {"arm": "low"}]'}
    return ds


# one difference


def test_mean_and_interval_are_those_of_a_paired_t_test() -> None:
    a, b = correlated(9, 0.4)
    found, wanted = trial.paired(a, b), stats.ttest_rel(a, b).confidence_interval(0.95)
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
    found = trial.paired(a, b)
    assert float(found["g"]) == pytest.approx(0.4160, abs=2e-4)
    half = float(found["g_high"] - found["g_low"]) / 2
    assert (half / stats.norm.ppf(0.975)) ** 2 == pytest.approx(0.0127, abs=1e-4)


def test_a_pair_counts_only_when_both_arms_are_there() -> None:
    a, b = correlated(8, 0.5)
    a[2], b[5] = np.nan, np.nan
    kept = [0, 1, 3, 4, 6, 7]
    found, wanted = trial.paired(a, b), trial.paired(a[kept], b[kept])
    assert found["n"] == 6
    for name in trial.STATS:
        assert found[name] == pytest.approx(wanted[name])


def test_one_pair_has_a_difference_and_no_interval() -> None:
    found = trial.paired(np.array([2.0]), np.array([0.5]))
    assert (found["difference"], found["n"]) == (1.5, 1)
    assert all(np.isnan(found[name]) for name in ("low", "high", "g", "detectable", "needed"))


def test_pairs_that_all_differ_by_the_same_leave_nothing_to_chance() -> None:
    same = trial.paired(np.array([1.0, 1, 1]), np.array([1.0, 1, 1]))
    assert (same["difference"], same["detectable"], same["needed"]) == (0, 0, np.inf)
    moved = trial.paired(np.array([2.0, 2, 2]), np.array([1.0, 1, 1]))
    assert (moved["difference"], moved["needed"]) == (1, 2)
    assert np.isnan(moved["g"])
    rounded = trial.paired(np.array([1.0, 2, 3]), np.array([1.0, 2, 3]) * (1 + 1e-15))
    assert (rounded["difference"], rounded["needed"]) == (0, np.inf)


def test_every_time_is_compared_on_its_own() -> None:
    a, b = RNG.standard_normal((6, 4, 3)), RNG.standard_normal((6, 4, 3))
    found = trial.paired(a, b)
    one = trial.paired(a[:, 2, 1], b[:, 2, 1])
    for name in trial.STATS:
        assert found[name].shape == (4, 3)
        assert found[name][2, 1] == pytest.approx(one[name])


# power


@pytest.mark.parametrize(
    ("size", "pairs"), [(0.2, 199), (0.3, 90), (0.5, 34), (0.8, 15), (1.0, 10), (2.0, 5)]
)
def test_how_many_pairs_are_needed_is_what_the_tables_say(size: float, pairs: int) -> None:
    assert (
        trial.needed(size) == pairs
    )  # G*Power 3.1: difference of two dependent means, two tails, 0.05, 0.80


def test_power_is_that_of_simulated_trials() -> None:
    rng = np.random.default_rng(3)
    x = rng.standard_normal((20_000, 7)) + 1.1
    found = np.mean(np.abs(x.mean(1) / (x.std(1, ddof=1) / np.sqrt(7))) > stats.t.ppf(0.975, 6))
    assert float(trial.power(7, 1.1)) == pytest.approx(found, abs=0.01)


@pytest.mark.parametrize("n", [2, 3, 8, 200])
def test_what_is_detectable_has_the_power_and_takes_that_many(n: int) -> None:
    size = float(trial.detectable(n))
    assert float(trial.power(n, size)) == pytest.approx(0.8, abs=1e-5)
    assert trial.needed(size * (1 + 1e-5)) == n


def test_what_is_needed_is_the_fewest() -> None:
    for size in np.geomspace(0.05, 5, 40):
        n = float(trial.needed(size))
        assert trial.power(n, size) >= 0.8
        assert n == 2 or trial.power(n - 1, size) < 0.8


def test_no_effect_is_never_seen() -> None:
    assert trial.needed(0) == np.inf
    assert np.isnan(trial.needed(np.nan))


# results


def test_every_arm_is_held_against_the_untreated() -> None:
    found = list(trial.contrasts(results()))
    assert [(c.name, c.arm, c.than, c.expected) for c in found] == [
        ("x", "ketamine", "vehicle", 6),
        ("x", "low", "vehicle", 6),
    ]
    ds = results()
    wanted = trial.paired(ds["x"].sel(arm="low").values, ds["x"].sel(arm="vehicle").values)
    assert float(found[1].stats["difference"]) == pytest.approx(float(wanted["difference"]))
    assert {c.than for c in trial.contrasts(ds, than="low")} == {"low"}


def test_the_unit_is_the_subject_where_there_are_subjects() -> None:
    ds = results(subjects=30, seeds=2)
    found = next(trial.contrasts(ds))
    averaged = ds["x"].mean("seed")
    wanted = stats.ttest_rel(
        averaged.sel(arm="ketamine"), averaged.sel(arm="vehicle")
    ).confidence_interval(0.95)
    assert (found.expected, int(found.stats["n"]), found.of_subjects) == (30, 30, True)
    assert float(found.stats["high"]) == pytest.approx(wanted.high)


def test_a_subject_without_all_its_seeds_is_missing() -> None:
    ds = results(subjects=30, seeds=2)
    ds["x"][1, 4, 0] = np.nan
    assert int(next(trial.contrasts(ds)).stats["n"]) == 29


def test_points_of_a_sweep_are_compared_one_by_one() -> None:
    one, other = results(), results()
    other["x"] = other["x"] * 3
    both = fake_sweeps.along([one, other], "dose", [0.1, 1.0])
    found = next(trial.contrasts(both))
    assert found.stats["difference"].sel(dose=1.0) == pytest.approx(
        3 * found.stats["difference"].sel(dose=0.1)
    )
    assert "x dose 1" in " ".join(row[0] for row in trial.rows([found]))


def test_the_effect_asked_about_decides_what_is_needed_and_nothing_else() -> None:
    own, asked = (next(trial.contrasts(results(), effect=e)).stats for e in (None, 0.05))
    assert asked["needed"] > own["needed"]
    assert asked["detectable"] == own["detectable"]
    spread = float(
        (results()["x"].sel(arm="ketamine") - results()["x"].sel(arm="vehicle")).std(ddof=1)
    )
    assert asked["needed"] == trial.needed(0.05 / spread)


def test_a_course_is_compared_at_every_time_and_told_where_it_differs_most() -> None:
    found = next(trial.contrasts(results(), ["weight"]))
    assert found.stats.sizes == {"time": 3}
    (row,) = trial.rows([found])
    assert row[0] == "weight at 6 h"
    assert float(row[2].split()[0]) == pytest.approx(2, abs=0.1)


@pytest.mark.parametrize(
    ("names", "than", "message"),
    [
        (["y"], None, "readout: found 'y', wanted one of x, weight"),
        (
            None,
            "vehicl",
            "arm: found 'vehicl', wanted one of vehicle, ketamine, low; nearest valid name: vehicle",
        ),
    ],
)
def test_a_name_that_is_not_there_is_told(
    names: list[str] | None, than: str | None, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        list(trial.contrasts(results(), names, than=than))


def test_nothing_to_compare_is_an_error() -> None:
    with pytest.raises(InputError, match="two arms or more"):
        list(trial.contrasts(results(arms=("vehicle",))))


def test_the_table_has_a_row_for_every_place_and_reads_back() -> None:
    found = list(trial.contrasts(results(), ["x", "weight"]))
    rows = list(csv.DictReader(io.StringIO(trial.table(found))))
    assert len(rows) == 2 + 2 * 3
    assert [row["time"] for row in rows if row["readout"] == "weight"][:3] == ["0.0", "6.0", "24.0"]
    assert float(rows[0]["difference"]) == pytest.approx(
        float(found[0].stats["difference"]), rel=1e-5
    )
    assert rows[0]["expected"] == "6"


def test_rows_say_n_of_n_and_the_unit() -> None:
    ds = results()
    ds["x"][1, 0] = np.nan
    row = next(trial.rows(trial.contrasts(ds)))
    assert row[-1] == "5 of 6"
    assert "ng/mL" in row[2]
    above, below = trial.legend(next(trial.contrasts(ds)), effect=0.5)
    assert above == "each arm less vehicle, paired by seeds"
    assert below.endswith("a difference of 0.5")


def test_real_looking_results_come_through() -> None:
    found = list(trial.contrasts(fake.results(seeds=4)))
    assert {c.than for c in found} == {"vehicle"}
    assert len(found) == 4 * 5
