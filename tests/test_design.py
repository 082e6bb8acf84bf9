"""Designs: which points a sweep has, and the dimensions they make."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.stats import qmc

from plastogen.experiment.design import POINT, Axis, axes_of, columns, corners, points
from plastogen.experiment.sweep import Design, Span

DOSE, PART, WHO = "arms.ketamine.give.infusion.dose", "plasticity.spine.rescue", "model.subject"
DOSES = Span.model_validate({"from": "0.1 mg/kg", "to": "1.6 mg/kg", "points": 5, "spacing": "log"})
PARTS = Span.model_validate({"from": 0, "to": 1, "points": 5})


def design(kind: str, points: int | None = None, seed: int = 1) -> Design:
    return Design.model_validate({"kind": kind, "points": points, "seed": seed})


def test_ends_are_met_and_values_are_even_or_even_factors() -> None:
    dose, part = axes_of({DOSE: DOSES, PART: PARTS}, design("grid"))
    assert dose.columns[0].written == (
        "0.1 mg/kg",
        "0.2 mg/kg",
        "0.4 mg/kg",
        "0.8 mg/kg",
        "1.6 mg/kg",
    )
    assert part.columns[0].written == (0, 0.25, 0.5, 0.75, 1)
    assert (dose.name, dose.size, dose.columns[0].unit, part.columns[0].unit) == (
        "dose",
        5,
        "mg/kg",
        "1",
    )
    third = Span.model_validate({"from": "1 h", "to": "2 h"}).at(np.array([1 / 3]))
    assert third == ["1.33333333333 h"]


def test_a_zip_and_a_list_go_side_by_side() -> None:
    (zipped,) = axes_of({DOSE: DOSES, WHO: list("abcde")}, design("zip"))
    assert (zipped.name, zipped.size, [column.path for column in zipped.columns]) == (
        POINT,
        5,
        [DOSE, WHO],
    )
    assert list(points((zipped,)))[1] == ((1,), {DOSE: "0.2 mg/kg", WHO: "b"})
    (listed,) = axes_of([{DOSE: "1 mg/kg", WHO: "b"}, {WHO: "a", DOSE: "3 mg/kg"}], Design())
    assert listed.name == POINT
    assert [point for _, point in points((listed,))] == [
        {DOSE: "1 mg/kg", WHO: "b"},
        {DOSE: "3 mg/kg", WHO: "a"},
    ]


@pytest.mark.parametrize("kind", ["random", "latin_hypercube", "sobol"])
def test_drawn_points_fill_the_space_and_follow_the_seed(kind: str) -> None:
    swept = {DOSE: DOSES, PART: PARTS, WHO: ["a", "b"]}
    (axis,) = axes_of(swept, design(kind, 100))
    dose, part, who = axis.columns
    assert axis.size == 100
    assert all(0.1 <= value <= 1.6 for value in dose.values)
    assert np.median(dose.values) == pytest.approx(0.4, rel=0.25)  # half way in log
    assert np.median(part.values) == pytest.approx(0.5, abs=0.1)
    assert who.values.count("a") == pytest.approx(50, abs=15)
    assert axes_of(swept, design(kind, 100)) == (axis,)
    assert axes_of(swept, design(kind, 100, seed=2)) != (axis,)
    if kind != "latin_hypercube":
        (more,) = axes_of(swept, design(kind, 130))
        assert more.columns[0].written[:100] == dose.written


def test_designs_are_those_of_the_library() -> None:
    both = {
        "p": Span.model_validate({"from": 0, "to": 1}),
        "q": Span.model_validate({"from": 0, "to": 1}),
    }
    (axis,) = axes_of(both, design("sobol", 8, seed=3))
    ours = np.array([column.values for column in axis.columns]).T
    assert ours == pytest.approx(qmc.Sobol(2, rng=np.random.default_rng(3)).random(8))
    (axis,) = axes_of(both, design("latin_hypercube", 10))
    for column in axis.columns:
        assert sorted(int(value * 10) for value in column.values) == list(range(10))


@pytest.mark.filterwarnings("error")
def test_any_number_of_sobol_points_may_be_asked_for() -> None:
    for n in (1, 2, 3, 100):
        assert axes_of({PART: PARTS}, design("sobol", n))[0].size == n


def test_corners_are_few_and_hold_both_ends_and_every_name() -> None:
    swept = {DOSE: DOSES, PART: PARTS, WHO: ["a", "b", "a", "c"], "q": ["3 h", "1 h", "2 h"]}
    for kind in ("grid", "sobol"):
        found = list(corners(swept, design(kind, 10_000)))
        assert len(found) < 10
        assert {point[DOSE] for point in found} == {"0.1 mg/kg", "1.6 mg/kg"}
        assert {point[WHO] for point in found} == {"a", "b", "c"}
        assert {point["q"] for point in found} == {"3 h", "1 h"}
    zipped = list(corners({DOSE: DOSES, WHO: ["a", "a", "b", "a", "a"]}, design("zip")))
    assert [(point[DOSE], point[WHO]) for point in zipped] == [
        ("0.1 mg/kg", "a"),
        ("0.4 mg/kg", "b"),
        ("1.6 mg/kg", "a"),
    ]
    assert list(corners({}, Design())) == [{}]


@pytest.mark.parametrize(
    ("written", "values", "unit"),
    [
        (["1 mg/kg", "2 mg/kg"], (1.0, 2.0), "mg/kg"),
        (["30 min", "1 h"], (30.0, 60.0), "min"),
        ([0, 0.5], (0.0, 0.5), "1"),
        (["all", "spontaneous"], ("all", "spontaneous"), ""),
        (["1 mg/kg", "56 mg"], ("1 mg/kg", "56 mg"), ""),
        (["1 mg/kg", "nan mg/kg"], ("1 mg/kg", "nan mg/kg"), ""),
        (["1.1 mg/kg", "x mg/kg"], ("1.1 mg/kg", "x mg/kg"), ""),
        (["a word", "another word"], ("a word", "another word"), ""),
        (["500 ug/kg", "1e-3 g/kg"], (500.0, 1000.0), "ug/kg"),
    ],
)  # fmt: skip
def test_columns_are_numbers_where_they_can_be(
    written: list[Any], values: tuple[Any, ...], unit: str
) -> None:
    (column,) = columns({"some.path": written})
    assert (column.name, column.path, column.written) == ("path", "some.path", tuple(written))
    assert (column.values, column.unit) == (values, unit)


def test_a_column_is_named_by_its_last_word_unless_another_is_or_a_variable_has_that_name() -> None:
    swept = {"arms.a.dose": [1], "arms.b.dose": [2], "x.at": [3], "y.weight": [4]}
    assert [column.name for column in columns(swept, ["weight"])] == [
        "arms_a_dose",
        "arms_b_dose",
        "at",
        "y_weight",
    ]


def test_axes_multiply_and_the_columns_of_one_axis_go_together() -> None:
    one, two, three = columns({"p": ["1 h", "2 h"], "q": ["a", "b"], "r": [0, 1, 2]})
    axes = (Axis("point", 2, (one, two)), Axis("r", 3, (three,)))
    found = list(points(axes))
    assert [index for index, _ in found] == [(i, k) for i in range(2) for k in range(3)]
    assert found[4] == ((1, 1), {"p": "2 h", "q": "b", "r": 1})
    assert list(points(())) == [((), {})]


def test_a_saltelli_design_is_a_b_and_a_with_one_number_of_b() -> None:
    ends = {
        DOSE: Span.model_validate({"from": 0, "to": 1}),
        PART: Span.model_validate({"from": 2, "to": 4}),
    }
    (axis,) = axes_of(ends, design("saltelli", 8))
    x = np.array([column.values for column in axis.columns]).T.reshape(
        8, 4, 2
    )  # sets, points of a set, numbers
    assert axis.roles == ("A", "AB dose", "AB rescue", "B") * 8
    a, first, second, b = x.swapaxes(0, 1)
    np.testing.assert_array_equal(first, np.column_stack([b[:, 0], a[:, 1]]))
    np.testing.assert_array_equal(second, np.column_stack([a[:, 0], b[:, 1]]))
    both = np.column_stack([a, b]) / np.array([1, 2, 1, 2]) - np.array([0, 1, 0, 1])
    assert qmc.discrepancy(both) < qmc.discrepancy(np.random.default_rng(0).random((8, 4)))
    assert not np.intersect1d(a[:, 0], b[:, 0]).size


def test_morris_trajectories_move_one_number_at_a_time() -> None:
    ends = {
        DOSE: Span.model_validate({"from": 0, "to": 3}),
        PART: Span.model_validate({"from": 0, "to": 3}),
    }
    (axis,) = axes_of(ends, design("morris", 5))
    x = np.array([column.values for column in axis.columns]).T.reshape(5, 3, 2)
    moved = np.abs(np.diff(x, axis=1)) > 0
    assert (moved.sum(2) == 1).all()
    assert (moved.sum(1) == 1).all()
    assert set(np.unique(x)) <= {0.0, 1.0, 2.0, 3.0}  # the levels
