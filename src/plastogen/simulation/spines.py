"""In: a plan that follows each spine, and its course. Out: the same course with every spine that
stood in it: when it was born and lost, and how large it was.

The course says what spines meet, step by step (`_surroundings`); they do not act back on it: the
circuit sees the mean synapse, as ever. A course of spines begins as they stand after a long time
under what its first moment has.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from plastogen.model.plasticity import (
    H_PER_DAY,
    TRANSIENT,
    Sites,
    SpineLaw,
    SpineTable,
    Surroundings,
    advance,
    connection_probability,
    law_of,
    potential_sites,
    table_at_rest,
)
from plastogen.simulation.course import Course, Lives, Plan, Progress
from plastogen.simulation.variables import require_possible

Array: TypeAlias = npt.NDArray[Any]
STEP_H = H_PER_DAY / 4
LOOKS_D = (0, 1, 2, 4, 7, 14, 21, 28)  # when each spine is measured, then every 28 d


def with_spines(plan: Plan, course: Course, tell: Progress) -> Course:
    """`course`; of a plan that follows each spine with its spines and what is counted of them, on
    its grid.
    """
    if plan.spines is None:
        return course
    assert plan.preparation is not None
    law = law_of(plan.spines, plan.plasticity, plan.preparation)
    cells = plan.circuit.populations[plan.circuit.principal].count
    sites = potential_sites(cells, connection_probability(plan.circuit), law, plan.seed)
    first, last = int(np.floor(plan.start_h / STEP_H)), int(np.ceil(plan.duration_h / STEP_H))
    steps_h = np.arange(first, last + 1) * STEP_H
    look_h = _looks(steps_h)
    table = table_at_rest(sites, law, plan.seed, steps_h[0], _surroundings(course, plan.start_h))
    census, counts = _Census(table, sites), []
    for h in steps_h:
        if h > table.now_h:
            table = advance(table, sites, law, STEP_H, _surroundings(course, h - STEP_H / 2))
            census.note(table)
            tell("spines", (h - steps_h[0]) / (steps_h[-1] - steps_h[0]))
        if h in look_h:
            census.measure(table, law)
        if table.stands.sum() < 2:
            raise ValueError(
                f"no spines are left at {h:g} h: a parameter is out of its useful range"
            )
        counts.append(_Count(table, law))
    found = dict(_counted(counts, steps_h, plan.grid_h))
    require_possible(found, plan.grid_h)
    return replace(course, arrays=course.arrays | found, spines=census.lives(look_h))


def _surroundings(course: Course, at_h: float) -> Surroundings:
    """What spines meet at a time: the only place that reads the slow state for them."""

    def level(name: str) -> float:
        return float(np.interp(at_h, course.t_h, course.arrays[name]))

    return Surroundings(
        protein=max(0.0, level("free_protein")),
        commit=max(0.0, level("commit_2")),
        early=level("tag"),
        stress=level("stress"),
    )


def _looks(steps_h: Array) -> Array:
    """When spines are measured: first and last step, and days in between."""
    later = np.arange(2 * LOOKS_D[-1], steps_h[-1] / H_PER_DAY, LOOKS_D[-1])
    days = np.concatenate([-later[::-1], -np.array(LOOKS_D[::-1]), LOOKS_D, later])
    inside = np.intersect1d(days * H_PER_DAY, steps_h)
    return np.unique([steps_h[0], *inside, steps_h[-1]])


class _Count:
    """What is kept of a table at a step."""

    def __init__(self, table: SpineTable, law: SpineLaw) -> None:
        x = table.ln_size(law)[table.stands].astype(float)
        centred = x - x.mean()
        self.stands = np.packbits(table.stands)
        self.number = len(x)
        self.returned = int((table.stands & table.returned).sum())
        self.transient = int((table.stands & (table.kind == TRANSIENT)).sum())
        self.conductance = float(np.exp(x).sum())
        self.spread = float(np.sqrt((centred**2).mean()))
        self.skewness = float((centred**3).mean() / self.spread**3)

    def beyond(self, other: _Count) -> int:
        """Sites with a spine here and none there."""
        return int(np.bitwise_count(self.stands & ~other.stands).sum())


def _counted(counts: list[_Count], steps_h: Array, t_h: Array) -> Iterator[tuple[str, Array]]:
    """Variables on the grid `t_h`, each as it was at the last step; shares are of the spines at
    time 0.
    """
    zero = counts[int(np.searchsorted(steps_h, 0))]
    at = np.searchsorted(steps_h, t_h, side="right") - 1

    def along(values: list[float]) -> Array:
        return np.array(values, float)[at]

    formed = along([one.beyond(zero) / zero.number for one in counts])
    lost = along([zero.beyond(one) / zero.number for one in counts])
    number = along([one.number for one in counts])
    yield "spines_standing", number / zero.number
    yield "spines_formed", formed
    yield "spines_lost", lost
    yield "spines_turnover", (formed + lost) / (1 + number / zero.number)
    yield "spines_returned", along([one.returned for one in counts]) / number
    yield "spines_transient", along([one.transient for one in counts]) / number
    yield "spines_conductance", along([one.conductance for one in counts]) / zero.conductance
    yield "size_mean", along([one.conductance for one in counts]) / number
    yield "size_spread", along([one.spread for one in counts])
    yield "size_skewness", along([one.skewness for one in counts])


class _Census:
    """Writes down every spine as tables go by."""

    def __init__(self, table: SpineTable, sites: Sites) -> None:
        self.sites = sites
        self.row = np.full(len(sites), -1)
        self.columns: list[tuple[Array, ...]] = []
        self.lost: list[tuple[Array, float]] = []
        self.looks: list[tuple[Array, Array]] = []
        self.size = 0
        self._enter(table, np.flatnonzero(table.stands))

    def note(self, table: SpineTable) -> None:
        """The births and deaths of the table's last step."""
        self.lost.append((self.row[table.just_lost], table.now_h))
        self._enter(table, table.just_born)

    def measure(self, table: SpineTable, law: SpineLaw) -> None:
        at = np.flatnonzero(table.stands)
        self.looks.append((self.row[at], table.ln_size(law)[at]))

    def lives(self, look_h: Array) -> Lives:
        site, kind, returned, born_h = map(np.concatenate, zip(*self.columns, strict=True))
        lost_h = np.full(self.size, np.inf, np.float32)
        for rows, h in self.lost:
            lost_h[rows] = h
        ln_size = np.full((self.size, len(look_h)), np.nan, np.float32)
        for i, (rows, sizes) in enumerate(self.looks):
            ln_size[rows, i] = sizes
        placed = {
            name: getattr(self.sites, name)[site]
            for name in ("pre", "post", "contact", "branch", "place")
        }
        return Lives(
            look_h,
            site,
            **placed,
            kind=kind,
            returned=returned,
            born_h=born_h,
            lost_h=lost_h,
            ln_size=ln_size,
        )

    def _enter(self, table: SpineTable, at: Array) -> None:
        self.row[at] = self.size + np.arange(len(at))
        self.size += len(at)
        self.columns.append((at, table.kind[at], table.returned[at], table.born_h[at]))
