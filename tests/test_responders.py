"""Who responds and what separates them: against scipy's tests, the bootstrap, and populations whose
answer is known.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import xarray as xr
from scipy import stats

from plastogen.analysis import responders
from plastogen.errors import InputError

YES = {"units": "1", "readout": 1, "yes_no": 1, "of": "weight", "threshold": 0.5, "beyond": "above"}


def population(n: int = 200, seeds: int = 3, **changed: Any) -> xr.Dataset:
    """Virtual subjects who respond to `ketamine` when their stress, less a little noise, is above
    0.5; seeds differ.
    """
    rng = np.random.default_rng(2)
    stress, weight = rng.random(n), 70 + 8 * rng.standard_normal(n)
    effect = (
        stress[:, None] + 0.1 * rng.standard_normal((n, 1)) + 0.05 * rng.standard_normal((n, seeds))
    )
    yes = np.stack([np.zeros((n, seeds)), effect > 0.5]).astype(float)
    ds = xr.Dataset(
        {
            "responds": (("arm", "subject", "seed"), yes, YES),
            "effect": (("arm", "subject", "seed"), np.stack([0 * effect, effect]), {"units": "1", "readout": 1}),
        },
        coords={
            "arm": ["vehicle", "ketamine"], "subject": np.arange(1, n + 1), "seed": range(seeds),
            "subject_stress": ("subject", stress, {"units": "1", "path": "subject.stress"}),
            "subject_weight": ("subject", weight, {"units": "kg", "path": "subject.weight"}),
        },
    )  # fmt: skip
    return ds.assign(**changed)


def test_who_responds_and_how_many() -> None:
    ds = population()
    found = responders.find_responders(ds)
    wanted = ds["responds"].sel(arm="ketamine").mean("seed").values > 0.5
    np.testing.assert_array_equal(found.yes, wanted)
    assert (found.arm, found.n, found.expected) == ("ketamine", 200, 200)
    span = stats.binomtest(int(wanted.sum()), 200).proportion_ci(0.95, method="wilson")
    assert found.rate == (
        pytest.approx(wanted.mean()),
        pytest.approx(span.low),
        pytest.approx(span.high),
    )


def test_a_subject_is_judged_by_the_mean_of_the_number_behind_the_answer() -> None:
    ds = population(seeds=2)
    assert responders.number_behind(ds, "responds") is None
    by_seeds = responders.find_responders(ds).yes
    ds["effect"].attrs["of"] = "weight"
    assert responders.number_behind(ds, "responds") == "effect"
    by_mean = responders.find_responders(ds).yes
    np.testing.assert_array_equal(by_mean, ds["effect"].sel(arm="ketamine").mean("seed") > 0.5)
    assert by_mean.sum() > by_seeds.sum()  # both of two seeds had to say yes
    ds["responds"].attrs["beyond"] = "below"
    assert responders.number_behind(ds, "responds") is None


def test_what_decides_separates_best_and_what_does_not_does_not() -> None:
    first, second = responders.find_responders(population()).separations
    assert (first.name, first.path) == ("subject_stress", "subject.stress")
    assert first.low > 0.9
    assert first.responders > first.others + 0.3
    assert (second.name, second.unit) == ("subject_weight", "kg")
    assert second.low < 0.5 < second.high


def test_subjects_without_all_their_seeds_are_counted_and_left_out() -> None:
    ds = population()
    ds["responds"][1, 3, 1] = np.nan
    found = responders.find_responders(ds)
    assert (found.n, found.expected) == (199, 200)
    assert 4 not in found.subjects
    assert "n = 199 of 200" in responders.describe_response(found)


def test_where_everybody_responds_nothing_separates() -> None:
    ds = population()
    found = responders.find_responders(
        ds.assign(responds=ds["responds"] * 0 + 1).assign(
            responds=(ds["responds"] * 0 + 1).assign_attrs(ds["responds"].attrs)
        )
    )
    assert found.rate[0] == 1
    assert found.separations == ()


def test_rows_have_medians_with_units() -> None:
    table = {
        row[0]: row[1:]
        for row in responders.text_rows(responders.find_responders(population()).separations)
    }
    assert table["subject_weight"][1].endswith(" kg")
    assert table["subject_stress"][0].startswith("0.9")


@pytest.mark.parametrize(
    ("ds", "message"),
    [
        (population().isel(subject=0, drop=True), "no virtual subjects"),
        (population().drop_vars("responds"), "a readout that says yes or no"),
    ],
)
def test_what_is_missing_is_told(ds: xr.Dataset, message: str) -> None:
    with pytest.raises(InputError, match=message):
        responders.find_responders(ds)


def test_a_readout_or_arm_that_is_not_there_is_told() -> None:
    with pytest.raises(InputError, match="wanted one of responds"):
        responders.find_responders(population(), "effect")
    with pytest.raises(InputError, match="nearest valid name: ketamine"):
        responders.find_responders(population(), arm="ketamin")
