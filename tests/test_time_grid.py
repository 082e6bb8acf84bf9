"""The times at which a course is written down."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plastogen.simulation.time_grid import MAX_DENSE_POINTS, SHARED, grid, shared, union

EVENTS = st.lists(st.floats(-20, 700).map(lambda t: round(t, 3)), max_size=12)


@given(EVENTS, st.floats(1, 800).map(lambda t: round(t, 3)))
def test_every_event_and_both_ends_stand_on_a_strictly_increasing_grid(
    events: list[float], end: float
) -> None:
    start = min([-1.0, *events])
    times = grid(start, end, events)
    assert times[0] == start
    assert times[-1] == end
    assert (np.diff(times) > 0).all()
    for event in events:
        if event <= end:
            assert event in times


@given(st.lists(st.floats(0, 20), min_size=1, max_size=5))
def test_events_stand_where_they_are_and_no_step_is_mere_rounding(events: list[float]) -> None:
    """Times such as 40 min are no round number of hours: a level must not jump within a step."""
    times = grid(-1, 24, [2 / 3, *events])
    assert 2 / 3 in times or min(abs(e - 2 / 3) for e in events) < 1e-5
    assert np.diff(times).min() > 1e-6
    assert all(np.abs(times - e).min() < 1e-5 for e in events)


def test_it_is_dense_after_an_event_and_never_coarser_than_promised() -> None:
    times = grid(-1, 336, [0.0, 40 / 60])
    steps = np.diff(times)
    assert steps[(times[:-1] >= 0) & (times[:-1] < 2)].max() == pytest.approx(2 / 60, abs=1e-5)
    assert steps[times[:-1] >= 0][:5] * 3600 == pytest.approx([7.5, 7.5, 15, 30, 60], abs=1e-2)
    assert steps[times[:-1] < 47].max() <= 1 + 1e-9
    assert steps.max() <= 6 + 1e-9
    assert times.size < 400


def test_many_events_do_not_make_it_endless() -> None:
    times = grid(-1, 1008, [24.0 * i for i in range(42)])
    assert times.size < 3 * MAX_DENSE_POINTS


def test_it_depends_on_nothing_but_what_it_is_given() -> None:
    assert (grid(-1, 24, [1.0, 0.0]) == grid(-1, 24, [0.0, 1.0, 1.0])).all()


def test_a_union_holds_all_times_once() -> None:
    a, b = grid(-1, 24, []), grid(-2, 24, [0.3])
    both = union([a, b])
    assert set(a) | set(b) == set(both)
    assert (np.diff(both) > 0).all()


@given(st.lists(EVENTS, min_size=1, max_size=30), st.floats(1, 800).map(lambda t: round(t, 3)))
def test_shared_times_are_few_and_hold_what_most_cases_share(
    cases: list[list[float]], end: float
) -> None:
    start = min([-1.0, *(e for events in cases for e in events)])
    times = shared(start, end, (e for events in cases for e in events))
    assert times.size <= SHARED
    assert (times[0], times[-1]) == (start, end)
    assert (np.diff(times) > 0).all()
    common = Counter(e for events in cases for e in events if e <= end)
    if len(common) <= SHARED // 2:
        assert all(np.abs(times - event).min() < 1e-5 for event in common)


def test_shared_times_thin_out_after_an_event() -> None:
    times = shared(-1, 336, [0, 40 / 60])
    assert times.size == SHARED
    widths = np.diff(times[times >= 2])
    assert widths[0] < 0.5 < 6 < widths.max() <= 24
    assert (np.diff(times[(times >= 0) & (times <= 2)]) < 0.15).all()


def test_of_too_many_events_those_stay_that_most_cases_share() -> None:
    own = [10 + k / 100 for k in range(200)]
    times = shared(-1, 100, [0, 5, *own, 0, 5])
    assert {0.0, 5.0} <= set(times.tolist())
    assert times.size <= SHARED
