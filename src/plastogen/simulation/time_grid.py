"""In: when a course begins and ends and what happens in between. Out: the times at which it is
written down.

Every event stands on the grid, to the last bit. After each the grid is dense (four halvings of 2
min, then 2 min for 2 h), then widens by a tenth of the time since, and is never coarser than an
hour in the first two days and six hours later.
Hours throughout.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

MIN_PER_H = 60
DENSE_STEP_MIN = 2
DENSE_FOR_H = 2
WIDENING = 10  # each step is 1/10 of the time since the event
FINE_STEP_H, FINE_UNTIL_H, COARSE_STEP_H = 1, 48, 6
MAX_DENSE_POINTS = 1200
HALVINGS = 4  # of the first dense step after an event: 7.5, 15, 30 and 60 s
DECIMALS = 6  # of an hour: 4 ms, to which all but events are rounded
CLOSE_H = 2e-6  # times this close are one
SHARED, MANY = (
    80,
    12_000,
)  # times at which the courses of a large sweep are written down; of a small one, in all


def grid(start_h: float, end_h: float, events_h: Iterable[float]) -> NDArray[np.float64]:
    """Times from `start_h` to `end_h`, strictly increasing, events and both ends included."""
    events = sorted({float(e) for e in events_h if start_h <= e <= end_h})
    step_h = DENSE_STEP_MIN / MIN_PER_H
    per_event = DENSE_FOR_H * MIN_PER_H / DENSE_STEP_MIN + HALVINGS
    step_h *= max(1, len(events) * per_event / MAX_DENSE_POINTS)
    parts = [
        np.arange(start_h, min(end_h, FINE_UNTIL_H), FINE_STEP_H),
        np.arange(FINE_UNTIL_H, end_h, COARSE_STEP_H),
    ]
    for event, following in zip(events, [*events[1:], end_h], strict=False):
        parts += [event + _after(step_h, following - event)]
    exact = np.array([start_h, *_inside(start_h, end_h, [0.0, *events]), end_h])
    between = np.unique(np.round(np.concatenate(parts), DECIMALS))
    right = np.clip(np.searchsorted(exact, between), 1, exact.size - 1)
    gap = np.minimum(between - exact[right - 1], exact[right] - between)
    return np.unique(np.concatenate([exact, between[gap > CLOSE_H]]))


def _inside(start_h: float, end_h: float, times_h: Iterable[float]) -> NDArray[np.float64]:
    """Those of some times that lie between two, sorted; of what differs by rounding alone the
    last.
    """
    times = np.unique(list(times_h))
    times = times[(times > start_h + CLOSE_H) & (times < end_h - CLOSE_H)]
    return np.asarray(times[np.append(np.diff(times) > CLOSE_H, True)] if times.size else times)


def _after(step_h: float, until_h: float) -> NDArray[np.float64]:
    """Times since an event, up to the next."""
    first = step_h / 2 ** np.arange(HALVINGS, 0, -1)
    dense = np.arange(1, DENSE_FOR_H / step_h + 1) * step_h
    n = int(np.log(COARSE_STEP_H * WIDENING / DENSE_FOR_H) / np.log1p(1 / WIDENING)) + 1
    wide = DENSE_FOR_H * (1 + 1 / WIDENING) ** np.arange(1, n + 1)
    times = np.concatenate([first, dense, wide])
    return np.asarray(times[times < until_h])


def union(grids: Iterable[NDArray[np.float64]]) -> NDArray[np.float64]:
    """One grid that holds the times of all `grids`."""
    return np.unique(np.concatenate(list(grids)))


def shared(
    start_h: float, end_h: float, events_h: Iterable[float], most: int = SHARED
) -> NDArray[np.float64]:
    """At most `most` times for courses of many cases: both ends, 0, every event, and between them a
    thinner `grid`.

    `events_h`: those of each case, one after the other. Where that is too many, the half of `most`
    that most cases share are kept.
    """
    counted = Counter(round(float(e), DECIMALS) for e in events_h if start_h <= e <= end_h)
    events = sorted(counted, key=lambda e: (-counted[e], e))[: most // 2]
    times = grid(start_h, end_h, events)
    kept = np.isin(times, [start_h, 0, *events, end_h])
    between = np.flatnonzero(~kept)
    room = most - int(kept.sum())
    if between.size > room:
        between = between[np.linspace(0, between.size - 1, room).round().astype(int)]
    return np.asarray(times[np.sort(np.concatenate([np.flatnonzero(kept), between]))])
