"""In: a treated subject and when anything acts on it. Out: its concentrations, occupancy and stress
as curves that are exact at any time, with points that hold their turns and weights that integrate
them.

What is given is known beforehand, so nothing of it need be read off a grid. Between two events the
curves are smooth: each such piece is cut into parts, the first short, each longer than the one
before, with Gauss and Legendre's points in each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from itertools import pairwise
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from plastogen.model.pharmacology.treated_subject import TreatedSubject

Array: TypeAlias = npt.NDArray[np.float64]

CONCENTRATIONS = ("plasma_ng_ml", "arterial_ng_ml", "brain_uM")  # of each species
KNOWN = (*CONCENTRATIONS, "occupancy", "stress")  # all that a `TreatedSubject` writes
FIRST_PART_H, WIDENING = 1e-3, 1.5  # of the parts of a piece: the first, and each to the one before
POINTS = 8  # in each part
ZOOMS, ZOOM_POINTS = 8, 9  # rounds that close in on a turn, and points in each


class Known:
    """The curves of one course's subject. `events_h`: when anything acts or ceases to."""

    def __init__(self, treated: TreatedSubject, events_h: Iterable[float]) -> None:
        self.treated, self.events_h = treated, np.unique(list(events_h))

    def curve(self, name: str, species: str | None = None) -> Callable[[Array], Array]:
        """One of `KNOWN` (of a species, if it has one value for each) as a function of times, h."""
        if name == "occupancy":
            return self.treated.occupancy
        if name == "stress":
            return self.treated.stress

        def value(t_h: Array) -> Array:
            found: dict[str, Array] = getattr(self.treated.concentrations(t_h), name)
            return found[str(species)]

        return value

    def points(
        self, value: Callable[[Array], Array], first_h: float, last_h: float, *, turns: bool
    ) -> tuple[Array, Array, Array]:
        """Times from first to last, what a curve is there, and weights, whose sum product with it
        is its integral. With `turns` where it is highest and where it is lowest are among them.
        """
        inside = self.events_h[(self.events_h > first_h) & (self.events_h < last_h)]
        pieces = [_piece(a, b) for a, b in pairwise([first_h, *inside, last_h])]
        t, weights = (np.concatenate(parts) for parts in zip(*pieces, strict=True))
        x = value(t)
        if turns:
            extra = np.sort([_highest(value, t, x), _highest(lambda at: -value(at), t, -x)])
            places = np.searchsorted(t, extra)
            t, weights = np.insert(t, places, extra), np.insert(weights, places, 0.0)
            x = np.insert(x, places, value(extra))
        return t, x, weights


def _piece(start_h: float, end_h: float) -> tuple[Array, Array]:
    """Times and weights from one event to the next, both ends among them; the last is just before
    the next.
    """
    length = end_h - start_h
    count = max(1, int(np.ceil(np.log(max(length / FIRST_PART_H, 1)) / np.log(WIDENING))))
    ends = start_h + length * np.append(0, WIDENING ** np.arange(1 - count, 1.0))
    share, weight = _gauss()
    width = np.diff(ends)[:, None]
    t = ends[:-1, None] + width * (1 + share) / 2
    inside, weights = t.ravel(), (width * weight / 2).ravel()
    last = np.nextafter(end_h, -np.inf)
    return np.concatenate([[start_h], inside, [last]]), np.concatenate([[0], weights, [0]])


@cache
def _gauss() -> tuple[Array, Array]:
    """Points and weights of a part, on -1..1."""
    share, weight = np.polynomial.legendre.leggauss(POINTS)
    return share, weight


def _highest(value: Callable[[Array], Array], t: Array, x: Array) -> float:
    """Where a curve is highest, from what it is at `t`, which stand close enough to tell its
    turns.
    """
    for _ in range(ZOOMS):
        k = int(np.argmax(x))
        t = np.linspace(t[max(k - 1, 0)], t[min(k + 1, len(t) - 1)], ZOOM_POINTS)
        x = value(t)
    return float(t[np.argmax(x)])
