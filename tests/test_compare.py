"""Two results side by side: what differs beyond noise, and what could not be compared."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import xarray as xr

from plastogen.analysis.compare import Row, compare_results, describe_comparison

DOSES = (0.1, 0.5, 1.0)


def results(
    *,
    seed: int = 0,
    arms: tuple[str, ...] = ("vehicle", "ketamine"),
    seeds: int = 4,
    doses: tuple[float, ...] = DOSES,
    unit: str = "mg/kg",
    path: str = "arms.ketamine.give.x.dose",
    **readouts: Any,
) -> xr.Dataset:
    """Results as `plastogen run` writes them: a common noise of each seed, and `readouts` (dose,
    seed) -> value.
    """
    noise = np.random.default_rng(1).normal(size=(len(arms), len(doses), seeds))
    own = np.random.default_rng(seed).normal(scale=0.01, size=noise.shape)
    dims = ("arm", "dose", "seed")
    ds = xr.Dataset(
        {"status": (dims, np.full(noise.shape, "complete", dtype=object))},
        {
            "arm": list(arms),
            "seed": list(range(1, seeds + 1)),
            "dose": ("dose", list(doses), {"path": path, "units": unit}),
        },
    )
    for name, shift in readouts.items():
        ds[name] = (dims, 10 + noise + own + np.asarray(shift), {"units": "1", "readout": 1})
    return ds


def row(found: Any, readout: str, arm: str = "ketamine") -> Row:
    return next(r for r in found.rows if (r.readout, r.arm) == (readout, arm))


def test_what_is_the_same_is_equal_and_what_is_apart_differs() -> None:
    a = results(weight=0, rate=0, bdnf=0)
    b = results(seed=2, weight=0, rate=0.3, bdnf=0)
    b["bdnf"] = a["bdnf"] * (1 + 1e-12)
    found = compare_results(a, b)
    assert row(found, "bdnf").verdict == "equal"
    assert row(found, "rate").verdict == "DIFFERS"
    assert row(found, "weight").verdict == "within noise"
    assert row(found, "rate").difference == pytest.approx(0.3, abs=0.02)
    assert (row(found, "rate").n, row(found, "rate").seeds) == (12, 4)
    assert found.left_out == []


def test_pairs_of_one_seed_count_once() -> None:
    each = np.array([0.3, 0.1, -0.2, -0.1])  # by seed, the same at all of 30 points
    a, b = (
        results(seed=1, weight=0, doses=tuple(np.arange(30) / 10)),
        results(seed=1, weight=each, doses=tuple(np.arange(30) / 10)),
    )
    one = row(compare_results(a, b), "weight")
    assert one.error == pytest.approx(each.std(ddof=1) / 2)
    assert one.verdict == "within noise"


def test_pairs_are_of_equal_arm_point_and_seed_in_whatever_order() -> None:
    a = results(weight=0)
    b = results(weight=0).isel(arm=[1, 0], dose=[2, 0, 1], seed=[3, 1, 0, 2])
    assert {r.verdict for r in compare_results(a, b).rows} == {"equal"}


def test_a_small_chance_among_many_rows_is_not_told_as_a_difference() -> None:
    dice = np.random.default_rng(7)
    a, b = results(arms=("x",)), results(arms=("x",))
    for number in range(60):
        for ds in (a, b):
            values = dice.normal(size=(1, 3, 4))
            ds[f"r{number}"] = (("arm", "dose", "seed"), values, {"units": "1", "readout": 1})
    verdicts = [r.verdict for r in compare_results(a, b).rows]
    assert "DIFFERS" not in verdicts
    assert "perhaps" in verdicts


def test_the_same_shift_in_every_seed_differs_though_its_error_is_nought() -> None:
    a = results(weight=0)
    b = a.copy()
    b["weight"] = a["weight"] + 1
    b["weight"].attrs = a["weight"].attrs
    assert row(compare_results(a, b), "weight").verdict == "DIFFERS"


def test_the_largest_difference_at_a_point_shows_where_means_agree() -> None:
    shift = np.array([[0.5], [-0.5], [0.0]])
    one = row(compare_results(results(weight=0), results(weight=shift)), "weight")
    assert abs(one.difference) < 1e-9
    assert abs(one.most) == pytest.approx(0.5)


def test_one_seed_says_that_noise_is_not_known() -> None:
    found = compare_results(results(seeds=1, weight=0), results(seeds=1, weight=1))
    assert row(found, "weight").verdict == "one seed: noise is not known"
    assert row(found, "weight").difference == pytest.approx(1)


def test_runs_that_are_missing_are_left_out_in_pairs_and_said() -> None:
    a, b = results(weight=0), results(weight=0)
    b["status"][1, 0, :2] = "missing"
    b["weight"][1, 0, :2] = 1e9
    found = compare_results(a, b)
    assert (row(found, "weight").n, row(found, "weight").verdict) == (10, "equal")
    assert "B has 22 of the 24 runs both should have" in found.left_out


def test_a_readout_that_never_happens_in_one_has_no_pairs() -> None:
    found = compare_results(results(onset=np.nan), results(onset=0))
    assert row(found, "onset").verdict == "no pairs"


def test_what_only_one_has_is_said() -> None:
    a = results(arms=("vehicle", "ketamine", "nbqx"), seeds=4, weight=0, rate=0)
    b = results(arms=("vehicle", "ketamine"), seeds=2, doses=(0.5, 1.0, 2.0), weight=0, power=0)
    b["other"] = a["rate"].isel(arm=[0, 1], seed=[0, 1]).drop_vars("dose")
    found = compare_results(a, b)
    assert {r.n for r in found.rows} == {4}
    said = "\n".join(found.left_out)
    for line in (
        "only in A: arms nbqx",
        "only in A: seeds 3, 4",
        "only in A: readouts rate",
        "only in B: readouts power",
        "only in A: 1 of 3 points",
        "only in B: 1 of 3 points",
    ):
        assert line in said
    assert {r.readout for r in found.rows} == {"weight"}


def test_other_units_and_other_axes_are_not_compared() -> None:
    a, b = results(weight=0), results(weight=0, path="subject.weight")
    assert any("different paths" in line for line in compare_results(a, b).left_out)
    b = results(weight=0, rate=0)
    b["weight"].attrs["units"] = "h"
    assert "weight is in 1 in A and in h in B" in compare_results(a, b).left_out


def test_results_without_a_sweep_are_compared_too() -> None:
    a = results(doses=(0.1,), weight=0).squeeze("dose", drop=True)
    assert {r.verdict for r in compare_results(a, a).rows} == {"equal"}


def test_what_is_printed_has_a_verdict_in_every_row() -> None:
    shown = list(
        describe_comparison(compare_results(results(weight=0), results(seed=5, weight=1, rate=0)))
    )
    assert shown[0].split() == [
        "readout",
        "arm",
        "pairs",
        "A",
        "B",
        "B",
        "-",
        "A",
        "standard",
        "error",
        "most",
        "at",
        "a",
        "point",
        "verdict",
    ]
    assert shown[1].startswith("weight   vehicle   12")
    assert shown[1].endswith("DIFFERS")
    assert shown[3] == "2 DIFFERS"
    assert shown[4] == "not compared: only in B: readouts rate"
