"""Which number matters: functions whose indices are known by hand, through the designs that an
experiment would use.
"""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Callable, Mapping
from typing import Any

import fake_sweeps
import numpy as np
import pytest
import xarray as xr
from SALib.analyze.sobol import analyze
from scipy import stats

from plastogen.analysis import sensitivity
from plastogen.errors import InputError
from plastogen.experiment.design import axes_of
from plastogen.experiment.sweep import Design, Span, size
from plastogen.runs.tables import table

PI = "3.14159265358979"
Function = Callable[[np.ndarray], np.ndarray]


def ishigami(x: np.ndarray) -> np.ndarray:
    """Ishigami & Homma 1990 with a 7, b 0.1: the test case whose indices are known (scipy's manual
    states them too).
    """
    return np.sin(x[:, 0]) + 7 * np.sin(x[:, 1]) ** 2 + 0.1 * x[:, 2] ** 4 * np.sin(x[:, 0])


TOTAL, FIRST = [0.5576, 0.4424, 0.2437], [0.3139, 0.4424, 0.0]


def swept(
    function: Function,
    kind: str,
    points: int,
    ends: Mapping[str, tuple[float, float]],
    seeds: int = 2,
) -> xr.Dataset:
    """Results of a design in which `function` of the numbers is the readout `y` of the arm `drug`;
    `base` gives 1.
    """
    spans: dict[str, Any] = {
        path: Span.model_validate({"from": low, "to": high}) for path, (low, high) in ends.items()
    }
    design = Design.model_validate({"kind": kind, "points": points})
    (axis,) = axes_of(spans, design)
    assert axis.size == size(spans, design)
    x = np.array([column.values for column in axis.columns], float).T
    y = np.repeat(function(x)[:, None], seeds, 1)
    noise = 0.5 * np.arange(seeds)  # seeds differ, and the arms share it
    ds = xr.Dataset(
        {
            "y": (("arm", "point", "seed"), np.stack([1 + 0 * y, 1 + y]) + noise, {"units": "Hz", "readout": 1, "scale": 1.0}),
            "same": (("arm", "point", "seed"), np.ones((2, *y.shape)), {"units": "1", "readout": 1, "scale": 1.0}),
            "status": (("arm", "point", "seed"), np.full((2, *y.shape), "complete")),
        },
        coords={"arm": ["base", "drug"], "seed": range(seeds), "point": range(axis.size)}
        | {c.name: ("point", np.array(c.values), {"units": c.unit, "path": c.path}) for c in reversed(axis.columns)}
        | ({"role": ("point", np.array(axis.roles, object))} if axis.roles else {}),
    )  # fmt: skip
    paths = [column.path for column in axis.columns]
    ds.attrs = {
        "design": json.dumps({"kind": kind, "paths": paths}),
        "dosing": '[{"arm": "drug"}]',
        "title": "T",
    }
    return ds


ISHIGAMI = {name: (-float(PI), float(PI)) for name in ("a.one", "b.two", "c.three")}
LINEAR = {"a.one": (0.0, 1.0), "b.two": (10.0, 12.0), "c.three": (-1.0, 1.0)}


def linear(x: np.ndarray) -> np.ndarray:
    return 3 * x[:, 0] - 4 * x[:, 1]


def by_number(ds: xr.Dataset, **k: Any) -> dict[str, sensitivity.Influence]:
    _, found, _ = sensitivity.influences(ds, **k)
    return {one.number: one for one in found}


# Sobol


def test_sobol_indices_of_ishigami() -> None:
    kind, found, _ = sensitivity.influences(swept(ishigami, "saltelli", 1024, ISHIGAMI))
    assert kind == "saltelli"
    assert [one.number for one in found] == [
        "one",
        "two",
        "three",
    ]  # the greatest first, and `same` left out
    for one, total, first in zip(found, TOTAL, FIRST, strict=True):
        assert one.value == pytest.approx(total, abs=0.03)
        assert one.beside == pytest.approx(first, abs=0.03)
        assert one.low < total < one.high
        assert one.high - one.low < 0.2
        assert (one.n, one.expected, one.unit) == (1024 * 5, 1024 * 5, "Hz")


def test_a_missing_run_costs_its_set_of_points_and_no_more() -> None:
    ds = swept(ishigami, "saltelli", 512, ISHIGAMI)
    ds["y"][1, 7, 1] = np.nan
    found = by_number(ds)
    assert (found["one"].n, found["one"].expected) == (256 * 5, 512 * 5)  # a power of two is left
    assert found["one"].value == pytest.approx(TOTAL[0], abs=0.06)


def test_salib_reads_table_csv_as_it_is_and_gives_our_indices() -> None:
    ds = swept(ishigami, "saltelli", 256, ISHIGAMI, seeds=1)
    ds["run"] = ds["status"]
    rows = [row for row in csv.DictReader(io.StringIO(table(ds))) if row["arm"] == "drug"]
    y = np.array([float(row["y [Hz]"]) for row in rows])
    problem = {"num_vars": 3, "names": ["one", "two", "three"], "bounds": [[-1, 1]] * 3}
    wanted = analyze(problem, y, calc_second_order=False, num_resamples=2, seed=1)
    found = by_number(ds)
    ours = [found[name] for name in problem["names"]]
    np.testing.assert_allclose([one.value for one in ours], wanted["ST"], rtol=1e-9)
    np.testing.assert_allclose([one.beside for one in ours], wanted["S1"], atol=0.02)
    assert [row["role"] for row in rows[:6]] == ["A", "AB one", "AB two", "AB three", "B", "A"]


def test_results_without_roles_have_the_order_of_old() -> None:
    ds = swept(ishigami, "saltelli", 256, ISHIGAMI)
    order = np.arange(256 * 5).reshape(-1, 5)[:, [0, 4, 1, 2, 3]].ravel()
    old = ds.isel(point=order).drop_vars("role")
    assert by_number(old) == by_number(ds)


def test_without_a_whole_set_of_points_there_is_no_index_and_that_is_said() -> None:
    for kind, together in (("saltelli", 5), ("morris", 4)):
        ds = swept(linear, kind, 16, LINEAR)
        ds["y"][1, ::together, 0] = np.nan
        wanted = f"has no value in any whole set of {together} points"
        assert sensitivity.influences(ds, ["y"])[1:] == ([], {"y": wanted})


def test_the_first_sets_do_not_depend_on_how_many_there_are() -> None:
    few, many = swept(ishigami, "saltelli", 8, ISHIGAMI), swept(ishigami, "saltelli", 64, ISHIGAMI)
    for name in ("one", "two", "three"):
        np.testing.assert_array_equal(few[name], many[name][: few.sizes["point"]])


@pytest.mark.parametrize("kind", ["saltelli", "morris", "sobol"])
def test_what_does_not_vary_has_no_index_and_that_is_said(kind: str) -> None:
    """Outputs that are constant but for rounding had total indices of 1.25."""
    rng = np.random.default_rng(4)
    ds = swept(lambda x: 0.8 + 1e-12 * rng.standard_normal(len(x)), kind, 16, LINEAR)
    _, found, unmeasured = sensitivity.influences(ds)
    assert found == []
    assert unmeasured == dict.fromkeys(("y", "same"), "is the same at every point")
    y = 0.8 + 1e-12 * rng.standard_normal(5 * 16)
    assert np.isnan(sensitivity.sobol(y, 3, scale=1.0).value).all()
    x = np.array([ds[name].values for name in ("one", "two", "three")]).T
    if kind == "morris":
        assert (sensitivity.morris(x, y[: len(x)], scale=1.0).value == 0).all()


def test_a_readout_with_too_few_values_is_named() -> None:
    ds = swept(linear, "sobol", 16, LINEAR)
    ds["y"][1, 3:] = np.nan
    assert sensitivity.influences(ds)[2]["y"] == "has a value at 3 of 16 points, which takes 6"


# Morris


def test_elementary_effects_of_a_line_are_its_slopes_over_the_ranges() -> None:
    kind, _, _ = sensitivity.influences(swept(linear, "morris", 12, LINEAR))
    found = by_number(swept(linear, "morris", 12, LINEAR))
    assert kind == "morris"
    assert {name: one.value for name, one in found.items()} == pytest.approx(
        {"two": 8, "one": 3, "three": 0}, abs=1e-9
    )
    assert found["two"].beside == pytest.approx(0, abs=1e-9)  # no bend, no interaction
    assert list(found) == ["two", "one", "three"]


def test_a_bend_shows_beside_the_effect() -> None:
    found = by_number(swept(lambda x: (x[:, 0] - 0.5) ** 2 + x[:, 2], "morris", 40, LINEAR))
    assert found["one"].beside > 0.1
    assert found["three"].beside == pytest.approx(0, abs=1e-9)


def test_a_trajectory_with_a_missing_run_is_left_out() -> None:
    ds = swept(linear, "morris", 12, LINEAR)
    ds["y"][1, 5, 0] = np.nan
    assert by_number(ds)["two"].value == pytest.approx(8)
    assert by_number(ds)["two"].n == 11 * 4


def test_without_salib_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    ds = swept(linear, "morris", 4, LINEAR)
    for name in ("SALib.analyze.morris", "SALib.sample.morris"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(InputError, match=r"plastogen\[sensitivity\]"):
        sensitivity.influences(ds)
    with pytest.raises(InputError, match=r"plastogen\[sensitivity\]"):
        swept(linear, "morris", 4, LINEAR)


# ranks


def test_rank_correlations_are_partial() -> None:
    ds = swept(lambda x: np.exp(3 * x[:, 0]) - 4 * x[:, 1], "latin_hypercube", 300, LINEAR)
    kind, found, _ = sensitivity.influences(ds)
    assert kind == ""
    ranks = {one.number: one for one in found}
    assert ranks["three"].low < 0 < ranks["three"].high
    x = np.column_stack([ds[name] for name in ("one", "two", "three")])
    y = ds["y"].sel(arm="drug").isel(seed=0).values
    rest = stats.rankdata(x, axis=0)
    other = np.column_stack(
        [rest[:, 1:], np.ones(len(y))]
    )  # by hand: what is left of both after the others
    left = [
        v - other @ np.linalg.lstsq(other, v, rcond=None)[0]
        for v in (rest[:, 0], stats.rankdata(y))
    ]
    assert ranks["one"].value == pytest.approx(stats.pearsonr(*left).statistic)
    assert ranks["two"].value < -0.5


def test_swings_are_the_means_of_the_ends() -> None:
    one = by_number(swept(linear, "sobol", 256, LINEAR))["one"]
    low, high = one.swing
    assert low[0] == pytest.approx(3 * 0.1 - 44, abs=0.3)
    assert high[0] - low[0] == pytest.approx(3 * 0.8, abs=0.4)
    assert low[1] < low[0] < low[2]


def test_no_swing_of_a_share_goes_beyond_all() -> None:
    """Of one arm, and of one less another, where nearly all say yes at one end of a number."""
    ds = fake_sweeps.people()
    for kept in (ds, ds.sel(arm=["ketamine"])):
        _, found, _ = sensitivity.influences(kept, ["responds"])
        ends = np.array([end for one in found for swing in one.swing for end in swing])
        assert len(ends) == 6 * len(found) > 0
        assert (np.abs(ends) <= 1).all()


def test_grids_and_people_are_samples_too() -> None:
    rng = np.random.default_rng(3)
    people, dose = rng.standard_normal(60), np.array([0.1, 0.5, 1.0])
    y = dose[None, :, None, None] + 0.01 * people[None, None, :, None] + np.zeros((1, 3, 60, 2))
    ds = xr.Dataset(
        {"y": (("arm", "dose", "subject", "seed"), y, {"units": "1", "readout": 1}),
         "status": (("arm", "dose", "subject", "seed"), np.full(y.shape, "complete"))},
        coords={"arm": ["drug"], "dose": ("dose", dose, {"path": "arms.drug.dose", "units": "mg"}),
                "subject": range(60), "stress": ("subject", people, {"path": "subject.stress", "units": "1"})},
    )  # fmt: skip
    found = by_number(ds)
    assert found["dose"].value > 0.9
    assert (found["stress"].value > 0.9, found["stress"].n) == (True, 180)


# what is asked


def test_the_effect_of_an_arm_is_held_against_the_untreated() -> None:
    ds = swept(linear, "sobol", 64, LINEAR)
    ds["y"] = ds["y"] + ds["three"] * 100  # in both arms: no effect of the drug
    assert abs(by_number(ds)["three"].value) < 0.5
    assert by_number(ds, arm="drug", than="drug")["three"].value > 0.9


def test_names_that_are_not_there_and_sweeps_of_nothing_are_told() -> None:
    ds = swept(linear, "sobol", 16, LINEAR)
    with pytest.raises(InputError, match="wanted one of y, same"):
        sensitivity.influences(ds, ["z"])
    with pytest.raises(InputError, match="nearest valid name: drug"):
        sensitivity.influences(ds, arm="drugs")
    with pytest.raises(InputError, match="a sweep, or virtual subjects"):
        sensitivity.influences(ds.isel(point=[0]))


def test_rows_and_table_say_measure_numbers_and_n() -> None:
    kind, found, _ = sensitivity.influences(swept(linear, "morris", 12, LINEAR))
    head, first, *_ = sensitivity.text_rows(kind, found)
    assert head[2].startswith("mean absolute elementary effect")
    assert first[:2] == ("y", "two")
    assert first[-1] == "48 of 48"
    rows = list(csv.DictReader(io.StringIO(sensitivity.csv_text(kind, found))))
    assert (rows[0]["path"], float(rows[0]["value"]), rows[0]["measure"]) == (
        "b.two",
        pytest.approx(8),
        head[2].split(" [")[0],
    )
