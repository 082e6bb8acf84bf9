"""Designs: which points a sweep has, and the dimensions they make."""

from __future__ import annotations

from typing import Any

import pytest

from plastogen.design import Axis, columns, points


@pytest.mark.parametrize(
    ("written", "values", "unit"),
    [
        (["1 mg/kg", "2 mg/kg"], (1.0, 2.0), "mg/kg"),
        (["30 min", "1 h"], (30.0, 60.0), "min"),
        ([0, 0.5], (0.0, 0.5), "1"),
        (["all", "spontaneous"], ("all", "spontaneous"), ""),
        (["1 mg/kg", "56 mg"], ("1 mg/kg", "56 mg"), ""),
    ],
)  # fmt: skip
def test_columns_are_numbers_where_they_can_be(written: list[Any], values: tuple[Any, ...], unit: str) -> None:
    (column,) = columns({"some.path": written})
    assert (column.name, column.path, column.written) == ("path", "some.path", tuple(written))
    assert (column.values, column.unit) == (values, unit)


def test_a_column_is_named_by_its_last_word_unless_another_is_or_a_variable_has_that_name() -> None:
    swept = {"arms.a.dose": [1], "arms.b.dose": [2], "x.at": [3], "y.weight": [4]}
    assert [column.name for column in columns(swept)] == ["arms_a_dose", "arms_b_dose", "at", "y_weight"]


def test_axes_multiply_and_the_columns_of_one_axis_go_together() -> None:
    one, two, three = columns({"p": ["1 h", "2 h"], "q": ["a", "b"], "r": [0, 1, 2]})
    axes = (Axis("point", 2, (one, two)), Axis("r", 3, (three,)))
    found = list(points(axes))
    assert [index for index, _ in found] == [(i, k) for i in range(2) for k in range(3)]
    assert found[4] == ((1, 1), {"p": "2 h", "q": "b", "r": 1})
    assert list(points(())) == [((), {})]
