"""Points that a claim picks, and axes it can walk along."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from plastogen.errors import QuantityError
from plastogen.experiment.design import Axis, columns
from plastogen.experiment.selection import along, column, picked

DOSE = {"arms.k.give.x.dose": ["2 mg/kg", "0.5 mg/kg", "1 mg/kg"]}
GRID = tuple(
    Axis(c.name, 3, (c,)) for c in columns({**DOSE, "model.plasticity": ["all", "none", "half"]})
)
RANDOM = (
    Axis(
        "point",
        4,
        columns({"a.dose": ["1 mg", "2 mg", "3 mg", "4 mg"], "a.mg": [2.0, 1.0, 4.0, 3.0]}),
    ),
)
ZIP = (Axis("point", 3, columns({**DOSE, "a.mg": [1, 3, 2], "a.word": ["x", "z", "y"]})),)


@pytest.mark.parametrize(
    ("where", "wanted"),
    [
        ({}, [0, 1, 2]),
        ({"dose": "500 ug/kg"}, [1]),
        ({"arms.k.give.x.dose": "2 mg/kg"}, [0]),
        ({"dose": ("0.5 mg/kg", "1 mg/kg")}, [1, 2]),
        ({"dose": ("0.7 mg/kg", "9 mg/kg"), "plasticity": "none"}, [0, 2]),
    ],
)  # fmt: skip
def test_points_are_picked_by_value_or_between_two_ends(where: Any, wanted: list[int]) -> None:
    mask = picked(GRID, where)
    assert mask.shape == (3, 3)
    assert np.flatnonzero(mask.any(1)).tolist() == wanted
    assert mask.any(0).tolist() == ([False, True, False] if "plasticity" in where else [True] * 3)


def test_in_a_design_of_one_dimension_columns_pick_together() -> None:
    where = {"dose": ("2 mg", "4 mg"), "mg": (0.5, 3.0)}
    assert picked(RANDOM, where).tolist() == [False, True, False, True]
    with pytest.raises(QuantityError, match="at least one point"):
        picked(RANDOM, {"dose": "1 mg", "mg": 4.0})


def test_without_a_sweep_there_is_one_point() -> None:
    assert picked((), {}).shape == ()
    with pytest.raises(QuantityError, match="there is no sweep"):
        picked((), {"dose": "1 mg"})


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ({"doze": "1 mg/kg"}, "nearest valid name: dose"),
        ({"dose": "3 mg/kg"}, "one of 2 mg/kg, 0.5 mg/kg, 1 mg/kg"),
        ({"dose": "3 h"}, "a dose per body weight"),
        ({"plasticity": ("all", "none")}, "one value"),
    ],
)  # fmt: skip
def test_what_picks_nothing_says_what_there_is(where: Any, found: str) -> None:
    with pytest.raises(QuantityError, match=found):
        picked(GRID, where)


def test_a_long_axis_is_not_listed() -> None:
    axes = (Axis("dose", 30, columns({"dose": [f"{k} mg" for k in range(30)]})),)
    with pytest.raises(QuantityError, match="one of 30 values from 0 mg to 29 mg"):
        picked(axes, {"dose": "77 mg"})


def test_an_axis_is_walked_in_the_order_of_its_numbers() -> None:
    place, order = along(GRID, "dose", picked(GRID, {}), 3)
    assert (place, order.tolist()) == (0, [1, 2, 0])
    assert along(ZIP, "mg", picked(ZIP, {}), 3)[1].tolist() == [0, 2, 1]
    assert column(ZIP, "mg")[1].path == "a.mg"


@pytest.mark.parametrize(
    ("axes", "name", "where", "found"),
    [
        (GRID, "plasticity", {}, "an axis of numbers"),
        (GRID, "dose", {"dose": ("1 mg/kg", "2 mg/kg")}, "found 2 values of dose, wanted 3 or more"),
        (RANDOM, "dose", {}, "found dose beside mg"),
        ((Axis("x", 3, columns({"x": [1, 1, 2]})),), "x", {}, "3 values of x, 2 of them different"),
    ],
)  # fmt: skip
def test_an_axis_that_cannot_be_walked_along_says_why(
    axes: Any, name: str, where: Any, found: str
) -> None:
    with pytest.raises(QuantityError, match=found):
        along(axes, name, picked(axes, where), 3)
