"""Readouts: each summary against a hand-made course, and the faults of a readout that cannot be."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from circuit_files import CLASSES, SMALL
from hypothesis import given
from hypothesis import strategies as st

from plastogen._base.definition import build
from plastogen._base.document import Document
from plastogen.errors import InputError
from plastogen.experiment.reading import (
    ALREADY,
    NEVER,
    evaluate,
    onset,
    read,
    time_beyond,
)
from plastogen.experiment.readout import Readout
from plastogen.simulation.variables import READABLE, VARIABLES

TIME = np.array([-1.0, 0.0, 1.0, 2.0, 4.0, 8.0])
LABELS = {
    "class": CLASSES,
    "pool": tuple(SMALL.pools()),
    "species": ("ketamine",),
    "snapshot": ("before", "during"),
}


def readout(**fields: Any) -> Readout:
    return build(Document("test.yaml", fields), Readout)


def value(course: Any, **fields: Any) -> float:
    fields.setdefault("of", "weight")
    asked = readout(**fields)
    return evaluate(asked, arrays={asked.of: np.asarray(course, float)}, time_h=TIME, labels=LABELS)


def reading(course: Any, **fields: Any) -> tuple[float, str]:
    asked = readout(of="weight", **fields)
    arrays = {"weight": np.asarray(course, float)}
    return read(asked, arrays=arrays, time_h=TIME, labels=LABELS)


COURSE = [2.0, 2.0, 4.0, 6.0, 3.0, 2.0]


def test_at_interpolates_between_grid_points() -> None:
    assert value(COURSE, at="90 min") == 5.0


@pytest.mark.parametrize(
    ("take", "wanted"),
    [("peak", 6), ("trough", 2), ("time_of_peak", 2), ("area", 2 + 3 + 5 + 9 + 10),
     ("mean", 29 / 9)],
)  # fmt: skip
def test_summaries_of_a_whole_course(take: str, wanted: float) -> None:
    assert value(COURSE, take=take) == pytest.approx(wanted)


def test_a_stretch_has_interpolated_ends() -> None:
    assert value(COURSE, take="peak", until="90 min") == 5.0
    assert value(COURSE, take="trough", **{"from": "3 h"}) == 2.0
    assert value(COURSE, take="area", **{"from": "30 min", "until": "1 h"}) == pytest.approx(
        0.5 * 3.5
    )


def test_relative_to_start_as_ratio_and_difference() -> None:
    assert value(COURSE, take="peak", relative_to="start") == 3.0
    assert value(COURSE, take="peak", relative_to="start", **{"as": "difference"}) == 4.0
    assert np.isnan(value([0, 0, 1, 1, 1, 1], take="peak", relative_to="start"))


def test_onset_is_half_of_the_largest_change_unless_a_level_is_given() -> None:
    assert value(COURSE, take="onset") == 1.0
    assert value(COURSE, take="onset", above=3.0) == 0.5
    assert value(-np.array(COURSE), take="onset") == 1.0
    assert value(COURSE, take="onset", below=1.0) != value(
        COURSE, take="onset", below=1.0
    )  # never: NaN


def test_a_flat_course_has_no_onset_and_no_duration() -> None:
    assert np.isnan(value(np.ones(6), take="onset"))
    assert value(np.ones(6), take="duration") == 0


FLAT, RISES = np.full(6, 0.8), [0.0, 0.0, 1.0, 2.0, 3.0, 2.5]


@pytest.mark.parametrize("size", [0.0, 1e-17, 4e-7])
@pytest.mark.parametrize("take", ["time_of_peak", "time_of_trough", "onset"])
@pytest.mark.parametrize("stretch", [{}, {"from": "0 h"}, {"from": "30 min", "until": "3 h"}])
def test_the_time_of_what_never_happens_is_none(size: float, take: str, stretch: Any) -> None:
    """A course that never moves peaked at -1 h, or at 0 h; rounding is no move."""
    course = FLAT + size * np.array([0, 1, -1, 0.5, 1, -1])
    found = reading(course, take=take, **stretch)
    assert (np.isnan(found[0]), found[1]) == (True, NEVER)
    if take != "onset":
        assert reading(course, take=take, below="3 h", **stretch) == (0, "")
    assert value(course, take="duration", **stretch) == 0


def test_a_course_that_only_rises_has_no_trough_and_one_that_only_falls_no_peak() -> None:
    assert reading(RISES, take="time_of_peak") == (4, "")
    assert reading(RISES, take="time_of_trough")[1] == NEVER
    assert reading(RISES, take="time_of_trough", **{"from": "4 h"}) == (8, "")
    assert reading(-np.array(RISES), take="time_of_peak")[1] == NEVER
    # a bolus given before the stretch begins is highest as it begins
    assert reading([0, 9, 5, 3, 1, 0.5], take="time_of_peak", **{"from": "0 h"}) == (0, "")


def test_a_rate_moves_by_two_of_its_standard_errors() -> None:
    rates = np.array([4.0, 4.0, 4.3, 4.1, 4.0, 4.0])[:, None]
    for error, wanted in ((0.1, 1.0), (0.2, np.nan)):
        for relative in ({}, {"relative_to": "start"}):
            asked = readout(of="rate_hz", take="time_of_peak", **{"class": "E"}, **relative)
            arrays = {"rate_hz": rates, "rate_se_hz": np.full((6, 1), error)}
            found = evaluate(asked, arrays=arrays, time_h=TIME, labels={"class": ("E",)})
            assert found == pytest.approx(wanted, nan_ok=True)


def test_an_onset_that_lies_before_the_stretch_has_no_time_and_says_already() -> None:
    assert reading(RISES, take="onset", above=0.5)[0] == 0.5
    for above in (0.5, 1.9):
        found = reading(RISES, take="onset", above=above, **{"from": "2 h"})
        assert (np.isnan(found[0]), found[1]) == (True, ALREADY)
    assert reading(RISES, take="onset", below=1.0)[1] == ALREADY
    assert reading(RISES, take="onset", above=9.0)[1] == NEVER
    # what begins at its threshold, or off it by rounding, has not begun
    assert reading(np.array(RISES) + 1e-16, take="onset", above=0) == (0, "")
    assert reading(FLAT + 1e-16, take="onset", above=0.8)[1] == NEVER


def test_nothing_happens_to_a_species_that_was_never_given() -> None:
    for take in ("onset", "time_of_peak", "time_of_trough"):
        asked = readout(of="brain_uM", take=take, species="memantine")
        arrays = {"brain_uM": np.ones((6, 1))}
        number, reason = read(asked, arrays=arrays, time_h=TIME, labels=LABELS)
        assert (np.isnan(number), reason) == (True, NEVER)


def test_duration_counts_only_the_time_beyond() -> None:
    assert value(COURSE, take="duration", above=3.0) == pytest.approx(3.5)
    assert value(COURSE, take="duration", below=3.0) == pytest.approx(9 - 3.5)


@pytest.mark.parametrize(
    ("fields", "wanted"),
    [
        ({"at": "1 h", "above": 3.9}, 1.0),
        ({"at": "1 h", "below": 3.9}, 0.0),
        ({"take": "time_of_peak", "below": "3 h"}, 1.0),
        ({"take": "peak", "relative_to": "start", "above": 2.9}, 1.0),
        ({"take": "mean", "above": 6}, 0.0),
    ],
)
def test_any_other_readout_with_a_threshold_says_whether_its_number_is_beyond(
    fields: dict[str, Any], wanted: float
) -> None:
    assert value(COURSE, **fields) == wanted


def test_where_there_is_no_number_it_is_neither_beyond_nor_not() -> None:
    assert np.isnan(value([0, 0, 1, 1, 1, 1], take="peak", relative_to="start", above=2))
    asked = readout(of="glutamate", at="1 h", above="120 %")
    assert (asked.unit, asked.yes_no) == ("1", True)
    assert not readout(of="glutamate", take="onset", above="120 %").yes_no


@given(st.lists(st.floats(-5, 5), min_size=2, max_size=30))
def test_time_beyond_and_before_make_the_whole(levels: list[float]) -> None:
    x = np.array(levels)
    t = np.arange(x.size, dtype=float)
    on_the_line = ((x[:-1] == 0) & (x[1:] == 0)).sum()
    assert time_beyond(t, x) + time_beyond(t, -x) + on_the_line == pytest.approx(t[-1], abs=1e-6)


@given(st.lists(st.floats(-5, 5), min_size=2, max_size=30))
def test_the_course_is_at_its_threshold_at_onset(levels: list[float]) -> None:
    x = np.array(levels)
    t = np.arange(x.size, dtype=float)
    first, reason = onset(t, x)
    if reason:
        assert reason == (ALREADY if x[0] > 0 else NEVER)
        assert x[0] > 0 or (x <= 0).all()
    else:
        begun = np.flatnonzero(x)[0]  # what starts at 0 has not begun
        assert np.interp(first, t, x) >= -1e-9
        assert (x[begun:][t[begun:] < first] < 0).all()


def test_what_starts_at_its_threshold_has_its_onset_when_it_comes_back() -> None:
    assert onset(np.arange(4.0), np.array([0.0, -1.0, 0.0, 1.0])) == (2.0, "")


def test_places_are_picked_by_name() -> None:
    rates = np.arange(18.0).reshape(6, 3)
    assert value(rates, of="rate_hz", at="0 h", **{"class": "PV"}) == 4.0
    assert value(np.ones((6, 1)), of="brain_uM", species="ketamine", at="1 h") == 1.0
    assert value(np.ones((6, 1)), of="brain_uM", species="memantine", at="1 h") == 0.0


def test_snapshots_and_their_ratio() -> None:
    power = np.array([2.0, 5.0])
    assert value(power, of="gamma_power", snapshot="during") == 5.0
    assert value(power, of="gamma_power", snapshot="during", relative_to="before") == 2.5
    assert np.isnan(value(power, of="gamma_power", snapshot="later"))


@pytest.mark.parametrize(
    ("fields", "path", "near"),
    [
        ({"of": "wieght", "at": "1 h"}, "of", "weight"),
        ({"of": "rate_hz", "at": "1 h"}, "class", None),
        ({"of": "weight", "at": "1 h", "pool": "E.synaptic"}, "pool", None),
        ({"of": "weight"}, "", None),
        ({"of": "weight", "at": "1 h", "take": "peak"}, "", None),
        ({"of": "weight", "take": "peak", "from": "2 h", "until": "1 h"}, "until", None),
        ({"of": "weight", "snapshot": "before"}, "snapshot", None),
        ({"of": "gamma_power", "take": "peak"}, "take", None),
        ({"of": "weight", "take": "peak", "relative_to": "begin"}, "relative_to", None),
        ({"of": "glutamate", "take": "peak", "above": 1.0}, "above", None),
        ({"of": "glutamate", "take": "time_of_peak", "below": "120 %"}, "below", None),
        ({"of": "rate_hz", "class": "E", "take": "onset", "above": 3.0}, "above", None),
        ({"of": "weight", "take": "onset", "above": 1.0, "below": 0.5}, "below", None),
        ({"of": "weight", "take": "pek"}, "take", "peak"),
    ],
)  # fmt: skip
def test_a_readout_that_cannot_be_says_where_and_what(
    fields: Any, path: str, near: str | None
) -> None:
    with pytest.raises(InputError) as caught:
        readout(**fields)
    problems = {problem.path: problem for problem in caught.value.problems}
    assert path in problems
    assert problems[path].nearest == near


def test_units_follow_the_summary() -> None:
    assert readout(of="glutamate", take="peak").unit == "%"
    assert readout(of="glutamate", take="peak", relative_to="start").unit == "1"
    assert readout(of="glutamate", take="onset").unit == "h"
    assert readout(of="glutamate", take="area").unit == "% h"


def test_every_variable_but_the_spectrum_can_be_read() -> None:
    assert set(VARIABLES) - set(READABLE) == {"spectrum"}
