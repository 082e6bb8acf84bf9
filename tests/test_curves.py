"""Runs with grids and names of their own meet on shared axes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from circuit_files import CLASSES, SMALL

from plastogen.runs.curves import Axes
from plastogen.runs.store import Stored
from plastogen.simulation.variables import VARIABLES

OWN_H = np.array([-1.0, 0.0, 1.0, 4.0])
AXES = Axes(
    np.array([-2.0, -1.0, 0.5, 1.0, 2.5, 4.0, 9.0]),
    CLASSES,
    tuple(SMALL.pools()),
    ("hnk", "ketamine"),
    ("before", "after"),
    np.arange(3.0),
)


def run(
    time_h: Any = OWN_H,
    species: tuple[str, ...] = ("ketamine",),
    snapshots: tuple[str, ...] = ("after",),
) -> Stored:
    """Every course is twice its time, one more for each place."""
    sizes = {
        "time": len(time_h),
        "class": 3,
        "pool": 7,
        "species": len(species),
        "snapshot": len(snapshots),
        "frequency": 3,
    }
    arrays = {}
    for name, variable in VARIABLES.items():
        shape = [sizes[dim] for dim in variable.dims]
        along = 2 * np.asarray(time_h) if "time" in variable.dims else np.full(shape[0], 5.0)
        arrays[name] = along.reshape(-1, *(1,) * (len(shape) - 1)) + np.broadcast_to(
            np.arange(shape[-1]), shape
        ) * (len(shape) > 1)
    labels = {
        "class": CLASSES,
        "pool": tuple(SMALL.pools()),
        "species": species,
        "snapshot": snapshots,
    }
    return Stored("x", np.asarray(time_h, float), arrays, labels, np.arange(3.0), {})


def test_between_its_times_a_course_is_a_line_and_outside_it_stands_still() -> None:
    found = dict(AXES.curves(run()))
    line = [-2, -2, 1, 2, 5, 8, 8]
    assert found["weight"].tolist() == line
    assert found["rate_hz"].tolist() == [[x, x + 1, x + 2] for x in line]
    assert {values.dtype for values in found.values()} == {np.dtype(np.float32)}
    assert {name: values.shape for name, values in found.items()} == {
        name: AXES.shape(name) for name in VARIABLES
    }


def test_a_species_not_given_is_zero_and_a_snapshot_not_taken_is_nan() -> None:
    found = dict(AXES.curves(run()))
    assert found["brain_uM"][:, 0].tolist() == [0] * 7
    assert found["brain_uM"][:, 1].tolist() == [-2, -2, 1, 2, 5, 8, 8]
    both = dict(AXES.curves(run(species=("ketamine", "hnk"))))["brain_uM"]
    assert (both[:, 0] - both[:, 1]).tolist() == [
        1
    ] * 7  # hnk is this run's second, and the first of all
    assert np.isnan(found["gamma_power"][0])
    assert found["gamma_power"][1] == 5
    assert found["spectrum"][1].tolist() == [5, 6, 7]


@pytest.mark.parametrize("time_h", [AXES.time_h, OWN_H])
def test_a_run_on_the_shared_grid_is_taken_as_it_is(time_h: Any) -> None:
    axes = Axes(
        np.asarray(time_h), CLASSES, tuple(SMALL.pools()), ("ketamine",), ("after",), np.arange(3.0)
    )
    kept = run(time_h)
    for name, values in axes.curves(kept):
        assert np.array_equal(values, kept.arrays[name])
