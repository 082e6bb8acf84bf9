"""Comparing arms pair by pair, in results."""

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
from plastogen.experiment.statistics import paired_difference, pairs_needed


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


# results


def test_every_arm_is_held_against_the_untreated() -> None:
    found = list(trial.contrasts(results()))
    assert [(c.name, c.arm, c.than, c.expected) for c in found] == [
        ("x", "ketamine", "vehicle", 6),
        ("x", "low", "vehicle", 6),
    ]
    ds = results()
    wanted = paired_difference(ds["x"].sel(arm="low").values, ds["x"].sel(arm="vehicle").values)
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
    assert "x dose 1" in " ".join(row[0] for row in trial.text_rows([found]))


def test_the_effect_asked_about_decides_what_is_needed_and_nothing_else() -> None:
    own, asked = (next(trial.contrasts(results(), effect=e)).stats for e in (None, 0.05))
    assert asked["needed"] > own["needed"]
    assert asked["detectable"] == own["detectable"]
    spread = float(
        (results()["x"].sel(arm="ketamine") - results()["x"].sel(arm="vehicle")).std(ddof=1)
    )
    assert asked["needed"] == pairs_needed(0.05 / spread)


def test_a_course_is_compared_at_every_time_and_told_where_it_differs_most() -> None:
    found = next(trial.contrasts(results(), ["weight"]))
    assert found.stats.sizes == {"time": 3}
    (row,) = trial.text_rows([found])
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
    rows = list(csv.DictReader(io.StringIO(trial.csv_text(found))))
    assert len(rows) == 2 + 2 * 3
    assert [row["time"] for row in rows if row["readout"] == "weight"][:3] == ["0.0", "6.0", "24.0"]
    assert float(rows[0]["difference"]) == pytest.approx(
        float(found[0].stats["difference"]), rel=1e-5
    )
    assert rows[0]["expected"] == "6"


def test_rows_say_n_of_n_and_the_unit() -> None:
    ds = results()
    ds["x"][1, 0] = np.nan
    row = next(trial.text_rows(trial.contrasts(ds)))
    assert row[-1] == "5 of 6"
    assert "ng/mL" in row[2]
    above, below = trial.describe_pairs(next(trial.contrasts(ds)), effect=0.5)
    assert above == "each arm less vehicle, matched pairs of seeds (df n - 1)"
    assert below.endswith("a difference of 0.5")


def test_real_looking_results_come_through() -> None:
    found = list(trial.contrasts(fake.results(seeds=4)))
    assert {c.than for c in found} == {"vehicle"}
    assert len(found) == 4 * 5
