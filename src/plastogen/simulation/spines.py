"""In: a plan that follows each spine, and the slow state of its course, step by step. Out: what
the table of spines makes of weight and spines in that state; in the end every spine that stood:
when it was born and lost, and how large it was.

    weight        = mean size of spines                        each over that of the healthy table,
    spine density = spines, transient and persistent           of the same seed and preparation

so that J is the conductance of all spines, times scaling. Signals move the table in steps of
`STEP_H`, with what they were in the mean over the step; until the next the slow state goes on by
the mean of the same law (`SlowModel.between_steps_of`), and is then what the table says. A course
begins with the table as it stands after a long time under the subject's own stress.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from plastogen.model.plasticity import (
    COUNTED,
    H_PER_DAY,
    STATES,
    STEP_H,
    TRANSIENT,
    Sites,
    SlowModel,
    SpineLaw,
    SpineTable,
    Surroundings,
    advance,
    connection_probability,
    delete,
    frozen_sites,
    law_of,
    potential_sites,
    table_at_rest,
)
from plastogen.simulation.course import Course, Lives, Plan, treated_of
from plastogen.simulation.variables import require_possible

Array: TypeAlias = npt.NDArray[Any]
LOOKS_D = (0, 1, 2, 4, 7, 14, 21, 28)  # when each spine is measured, then every 28 d
HEARD = [STATES.index(name) for name in ("free_protein", "commit_2", "tag")]
_PLACES = [STATES.index(name) for name in COUNTED]


def spine_steps(plan: Plan) -> Array:
    """When the table of a course takes its steps, h; none where spines are not followed."""
    first, last = (np.floor(h / STEP_H) for h in (plan.start_h, plan.duration_h))
    steps: Array = np.arange(first, last + 1) * STEP_H
    return steps[:0] if plan.spines is None else steps


class FollowedSpines:
    """The spines of one course, which go along with its slow state."""

    def __init__(self, plan: Plan) -> None:
        assert plan.spines is not None
        assert plan.preparation is not None
        self.law = law_of(plan.spines, plan.plasticity, plan.preparation)
        self.steps_h = spine_steps(plan)
        self.interventions = plan.interventions or ()
        self._stress = treated_of(plan).stress
        cells = plan.circuit.populations[plan.circuit.principal].count
        places = (cells, connection_probability(plan.circuit), self.law, plan.seed)
        self.sites = _sites(*places)
        healthy = _at_rest(*places, self.steps_h[0], 0.0)
        self.table = _at_rest(*places, self.steps_h[0], float(plan.subject.stress))
        self._healthy = _Count(healthy, self.law)
        self._census = _Census(self.table, self.sites)
        self._look_h = _looks(self.steps_h, network_times(plan))
        self._members = None if plan.ensembles is None else plan.ensembles.members(cells, plan.seed)
        self._times_h, self._counts = list[float](), list[_Count]()
        self._met, self._length_h, self._next = np.zeros(len(HEARD) + 1), 0.0, 1
        self._write_down(self.steps_h[0])

    def between_steps(self, model: SlowModel) -> SlowModel:
        """`model` with the mean of this law of spines."""
        share = self._healthy.transient / self._healthy.number
        return model.between_steps_of(self.law, share)

    def imprint(self, y: Array) -> Array:
        """A slow state, (states,), with weight and spines as the table has them."""
        now, healthy, found = self._counts[-1], self._healthy, y.copy()
        size = now.conductance / now.number / (healthy.conductance / healthy.number)
        kinds = np.array([now.transient, now.number - now.transient]) / healthy.number
        found[_PLACES] = [size, *kinds]
        return found

    def follow(
        self, from_h: float, y_from: Array, until_h: float, y_until: Array, throughput: float = 1.0
    ) -> Array:
        """The slow state at the end of a part of the course, with AMPA throughput over the healthy
        as it was in the mean; where the table takes a step there, with what it says.
        """
        length = until_h - from_h
        slow = (y_from[HEARD] + y_until[HEARD]) / 2
        self._met = self._met + length * np.append(slow, throughput)
        self._length_h += length
        if self._next >= len(self.steps_h) or until_h < self.steps_h[self._next]:
            return y_until
        protein, commit, early, throughput = self._met / self._length_h
        middle_h = until_h - STEP_H / 2
        about = (self.table, self.sites, middle_h, self._members)
        given = Surroundings(
            protein=max(0.0, float(protein)),
            commit=max(0.0, float(commit)),
            early=float(early),
            stress=float(self._stress(np.array([middle_h]))[0]),
            throughput=float(throughput),
            fixed_size=frozen_sites(self.interventions, "sizes", *about),
            fixed_turnover=frozen_sites(self.interventions, "turnover", *about),
        )
        self.table = advance(self.table, self.sites, self.law, STEP_H, given)
        self._census.note(self.table)
        self._met[:], self._length_h, self._next = 0, 0.0, self._next + 1
        self._write_down(until_h)
        return self.imprint(y_until)

    def intervene(self, at_h: float, y: Array) -> Array:
        """The slow state after what is done to spines at a time; the same if nothing is."""
        now = [one for one in self.interventions if one.delete and float(one.at) == at_h]
        for one in now:
            gone = one.spines(self.table, self.sites, self._members)
            self.table = delete(self.table, gone, at_h)
            self._census.lose(np.flatnonzero(gone), self.table)
        if not now:
            return y
        self._write_down(np.nextafter(at_h, np.inf))
        return self.imprint(y)

    def _write_down(self, at_h: float) -> None:
        if self.table.stands.sum() < 2:
            raise ValueError(
                f"no spines are left at {at_h:g} h: a parameter is out of its useful range"
            )
        self._times_h.append(at_h)
        self._counts.append(_Count(self.table, self.law))
        if at_h in self._look_h:
            self._census.measure(self.table, self.law)

    def lives(self) -> Lives:
        """Every spine so far."""
        return self._census.lives(self._look_h)

    def completed(self, course: Course) -> Course:
        """The course with its spines and what is counted of them, on its grid."""
        found = dict(_counted(self._counts, np.array(self._times_h), course.t_h))
        require_possible(found, course.t_h)
        return replace(course, arrays=course.arrays | found, spines=self.lives())


@lru_cache(maxsize=1)
def _sites(cells: int, probability: float, law: SpineLaw, seed: int) -> Sites:
    return potential_sites(cells, probability, law, seed)


@lru_cache(maxsize=2)
def _at_rest(
    cells: int, probability: float, law: SpineLaw, seed: int, at_h: float, stress: float
) -> SpineTable:
    """Arms of a seed, and both times that a course is followed, begin alike."""
    sites = _sites(cells, probability, law, seed)
    return table_at_rest(sites, law, seed, at_h, Surroundings(stress=stress))


def network_times(plan: Plan) -> list[float]:
    """When the network of a plan's ensembles is given its spines, h; never where it has none."""
    if plan.ensembles is None:
        return []
    done = [float(one.at) for one in plan.stimulations or ()]
    return [float(plan.ensembles.teaching.at), *plan.ensembles.recall_h, *done]


def _looks(steps_h: Array, network_h: list[float]) -> Array:
    """When spines are measured: first and last step, days in between, and the last step before
    the network is given them.
    """
    later = np.arange(2 * LOOKS_D[-1], steps_h[-1] / H_PER_DAY, LOOKS_D[-1])
    days = np.concatenate([-later[::-1], -np.array(LOOKS_D[::-1]), LOOKS_D, later])
    inside = np.intersect1d(days * H_PER_DAY, steps_h)
    asked = steps_h[np.searchsorted(steps_h, network_h, side="right") - 1]
    return np.unique([steps_h[0], *inside, *asked, steps_h[-1]])


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
        self.median = float(np.exp(np.median(x)))
        self.of_half = share_with_half(np.exp(x))
        self.spread = float(np.sqrt((centred**2).mean()))
        self.skewness = float((centred**3).mean() / self.spread**3)

    def beyond(self, other: _Count) -> int:
        """Sites with a spine here and none there."""
        return int(np.bitwise_count(self.stands & ~other.stands).sum())


def share_with_half(sizes: Array) -> float:
    """Share of all that the largest are which make half of the sum."""
    together = np.cumsum(np.sort(sizes)[::-1])
    return float((np.searchsorted(together, together[-1] / 2) + 1) / len(sizes))


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
    yield "size_median", along([one.median for one in counts])
    yield "size_of_half", along([one.of_half for one in counts])
    yield "size_spread", along([one.spread for one in counts])
    yield "size_skewness", along([one.skewness for one in counts])


class _Census:
    """Writes down every spine as tables go by."""

    def __init__(self, table: SpineTable, sites: Sites) -> None:
        self.sites = sites
        self.row = np.full(len(sites), -1)
        self.columns: list[tuple[Array, ...]] = []
        self.lost: list[tuple[Array, Any]] = []
        self.looks: list[tuple[Array, Array]] = []
        self.size = 0
        self._enter(table, np.flatnonzero(table.stands))

    def note(self, table: SpineTable) -> None:
        """The births and deaths of the table's last step."""
        self.lost.append((self.row[table.just_lost], table.now_h))
        self._enter(table, table.just_born)

    def lose(self, at: Array, table: SpineTable) -> None:
        """Spines of these sites, which somebody took out of the table."""
        self.lost.append((self.row[at], table.lost_h[at]))

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
