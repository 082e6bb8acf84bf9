"""In: where many courses stand, what is given to them, and what their circuits do. Out: where they
stand a macro step later, and the way there.

The one integrator. The first axis of every array is that of courses; one course is a batch of one,
and has the same bits alone and in any batch. Within a macro step the activity runs linearly from
one answer of the circuit to the next, and

    block       in equal substeps by an exponential rule: rates of the middle solved exactly, their
                change from end to end as a force (second order, and stiff parts keep up)
    slow state  classical Runge-Kutta of fourth order over every two substeps, which lie at its
                stages; over parts of two, with the parabola through them, where an equation is fast

Who is asked, and when, is decided by `adaptive` and `lockstep`. docs/decisions/0016.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from plastogen.model.circuit import (
    Activity,
    Circuit,
    Drive,
    State,
    agonist,
    bin_centres_mV,
    measures,
    reduce,
    voltages,
)
from plastogen.model.pharmacology import BlockKinetics, Gating, Pool, TreatedSubject, target
from plastogen.model.plasticity import STATES, Inputs, SlowModel, nmda_share, stacked
from plastogen.simulation.coupling import held_state, relative, slow_inputs
from plastogen.simulation.course import Course, Plan, treated_of
from plastogen.simulation.spines import FollowedSpines
from plastogen.simulation.switches import switched

Array: TypeAlias = npt.NDArray[np.float64]
Answer: TypeAlias = Callable[[Array], Activity]  # drives (courses, numbers) -> what circuits do

SUBSTEP = 2  # of the slow equations, in units of their fastest time constant
INPUTS = tuple(field.name for field in fields(Inputs))


@dataclass(frozen=True)
class Moment:
    """Where courses stand: time (h), slow state (courses, states), blocked states (courses, pools,
    ...), and the activity of their circuits.
    """

    t_h: float
    y: Array
    blocked: Array
    activity: Activity


@dataclass(frozen=True)
class Given:
    """What is given in a macro step from `t_h[0]` to `t_h[-1]`, beside stress: (times, courses).

    A level that jumps at the end belongs to the next step. targets: name -> value. brain_uM: of
    the blockers, at `t_h` and in the middles between, (2 times - 1, courses, blockers).
    """

    t_h: Array
    targets: Mapping[str, Array]
    stress: Array
    brain_uM: Array


@dataclass(frozen=True)
class Path:
    """One macro step: block (times, courses, pools), after its switches, at `t_h`; the slow state
    and its slope (1/h) at `slow_t_h`.
    """

    start: Moment
    end: Moment
    t_h: Array
    block: Array
    slow_t_h: Array
    y: Array
    slope: Array

    def slow(self, t_h: npt.ArrayLike) -> Array:
        """The slow state at times along the step, (times, courses, states): cubic between steps."""
        times = np.atleast_1d(np.asarray(t_h, float))
        k = np.clip(np.searchsorted(self.slow_t_h, times, side="right"), 1, len(self.slow_t_h) - 1)
        width = (self.slow_t_h[k] - self.slow_t_h[k - 1])[:, None, None]
        x = (times[:, None, None] - self.slow_t_h[k - 1][:, None, None]) / width
        rise = self.y[k] - self.y[k - 1]
        bend = (1 - x) * (width * self.slope[k - 1] - rise) + x * (rise - width * self.slope[k])
        return np.asarray(self.y[k - 1] + x * rise + x * (1 - x) * bend)

    def blocks(self, t_h: Array) -> Array:
        """Block at times along the step, (times, courses, pools)."""
        k = np.clip(np.searchsorted(self.t_h, t_h, side="right"), 1, len(self.t_h) - 1)
        x = ((t_h - self.t_h[k - 1]) / (self.t_h[k] - self.t_h[k - 1]))[:, None, None]
        return np.asarray(self.block[k - 1] + x * (self.block[k] - self.block[k - 1]))

    def activity(self, name: str, t_h: Array) -> Array:
        """A number of `Activity` along the step, (times, courses, ...)."""
        share = (t_h - self.start.t_h) / (self.end.t_h - self.start.t_h)
        first, last = (np.asarray(getattr(m.activity, name)) for m in (self.start, self.end))
        share = share.reshape((-1,) + (1,) * first.ndim)
        return np.asarray(first + share * (last - first))


def kinetics_of(circuit: Circuit, treated: TreatedSubject) -> BlockKinetics:
    """How the pools of a circuit are blocked by what is given."""
    return BlockKinetics(
        [Pool(name, treated.subject.mix(shares)) for name, shares in circuit.pools().items()],
        treated.blockers,
        circuit.magnesium,
    )


class Stepper:
    """Courses of one circuit, side by side. `answer(drives)` says what each circuit does, from
    drives (courses, numbers of `Drive`). `baseline`: what the healthy, drug-free circuits do.
    """

    def __init__(
        self,
        plans: Sequence[Plan],
        answer: Answer,
        *,
        treated: Sequence[TreatedSubject] | None = None,
    ) -> None:
        """`treated`: those of the plans, if they are at hand; equal ones are asked only once."""
        first = plans[0]
        self.plans, self.answer, self.circuit = plans, answer, first.circuit
        self.treated = treated or [treated_of(plan) for plan in plans]
        self.model = stacked([SlowModel(switched(p.plasticity, p.switches)) for p in plans])
        self.spines: FollowedSpines | None = None
        if first.spines is not None:
            if len(plans) > 1:
                raise ValueError("courses that follow each spine are followed one by one")
            self.spines = FollowedSpines(first)
            self.model = self.spines.between_steps(self.model)
        self.kinetics = BlockKinetics.stacked([kinetics_of(self.circuit, t) for t in self.treated])
        self.carried = self.kinetics.carried(measures.unit_currents(self.circuit).values())
        self.pools = tuple(self.circuit.pools())
        self.targets = sorted({name for t in self.treated for name in t.target_names})
        self.site = np.array(
            [[p.switches.block_factor(pool) for pool in self.pools] for p in plans]
        )
        self.inhibition = np.array([float(plan.subject.inhibition) for plan in plans])
        self.feedback = first.switches.feedback == "on"
        self.hears_calcium = first.switches.calcium_rule == "on"
        self.nmda_share = nmda_share(first.rule)
        self._known: list[tuple[Activity, Gating]] = []
        self.baseline = answer(np.repeat(Drive().array(self.circuit)[None], len(plans), axis=0))

    def healthy(self) -> Array:
        """The slow state of the healthy, drug-free subject, (courses, states)."""
        return np.broadcast_to(self.model.healthy_state(), (len(self.plans), len(STATES))).copy()

    def no_block(self) -> Array:
        """Nothing blocked, (courses, pools)."""
        return np.zeros((len(self.plans), len(self.pools)))

    def no_levels(self) -> dict[str, Array]:
        """Nothing given and no stress: name -> (courses,)."""
        return {"stress": np.zeros(len(self.plans))}

    # single spines, where they are followed

    def imprint(self, y: Array) -> Array:
        """Slow states, (courses, states), with weight and spines as the table of spines says."""
        return y if self.spines is None else self.spines.imprint(y[0])[None]

    def with_spines(self, path: Path) -> Path:
        """A macro step at whose end the slow state is what the table of spines says, if the table
        takes a step there.
        """
        if self.spines is None:
            return path
        start, end = path.start, path.end
        (y,) = end.y
        passed = np.mean([self.relative(m.activity)["ampa_throughput"] for m in (start, end)])
        found = self.spines.follow(start.t_h, start.y[0], end.t_h, y, float(passed))
        if found is y:
            return path
        whole = path.y.copy()
        whole[-1] = found
        return replace(path, y=whole, end=replace(end, y=found[None]))

    def intervene(self, now: Moment) -> Moment:
        """The moment after what is done to spines at its time; the same if nothing is."""
        if self.spines is None:
            return now
        (y,) = now.y
        found = self.spines.intervene(now.t_h, y)
        return now if found is y else replace(now, y=found[None])

    def completed(self, course: Course) -> Course:
        """A course with its spines, where each is followed."""
        return course if self.spines is None else self.spines.completed(course)

    # what is given

    def given(self, nodes_h: Array, substeps: int) -> list[Given]:
        """What is given in each macro step from node to node, `substeps` of block in each."""
        share = np.arange(substeps + 1) / substeps
        starts, lengths = nodes_h[:-1, None], np.diff(nodes_h)[:, None]
        times = starts + share * lengths
        times[:, -1] = nodes_h[1:]
        before = times.copy()
        before[:, -1] = np.nextafter(before[:, -1], -np.inf)
        levels = self.levels(before)
        finer = np.empty((len(times), 2 * substeps + 1))
        finer[:, ::2], finer[:, 1::2] = before, (times[:, 1:] + times[:, :-1]) / 2
        brain = self._each(lambda treated: treated.blocker_uM(finer))
        return [
            Given(times[k], {n: x[k] for n, x in levels.items()}, levels["stress"][k], brain[k])
            for k in range(len(times))
        ]

    def levels(self, t_h: Array) -> dict[str, Array]:
        """Values of the targets that a drug of the courses has, and stress, at times of any shape:
        name -> (*times, courses).
        """

        def of_one(treated: TreatedSubject) -> Array:
            found = {**treated.targets(t_h), "stress": treated.stress(t_h)}
            rows = [found[n] if n in found else np.full(t_h.shape, target(n).base) for n in names]
            return np.stack(rows, axis=-1)

        names = (*self.targets, "stress")
        return dict(zip(names, np.moveaxis(self._each(of_one, t_h.ndim), -1, 0), strict=True))

    def _each(self, of_one: Callable[[TreatedSubject], Array], axis: int = 2) -> Array:
        """One array a treated subject, side by side on `axis`, after those of times."""
        once = {key: of_one(treated) for key, treated in {id(t): t for t in self.treated}.items()}
        return np.stack([once[id(treated)] for treated in self.treated], axis=axis)

    # what a circuit is told

    def block(self, blocked: Array) -> Array:
        """Share of each pool's current that is lost, after the switches: (..., courses, pools)."""
        return np.asarray(self.kinetics.fraction(blocked, self.carried) * self.site)

    def state(self, y: Array, block: Array, levels: Mapping[str, Array]) -> State:
        """What a probe holds: y (..., courses, states), block (..., courses, pools), levels (...,
        courses).
        """
        return held_state(
            self._of_pools(block),
            {name: y[..., i] for i, name in enumerate(STATES)},
            self.model.spine_density(y),
            levels,
            inhibition=self.inhibition,
            feedback=self.feedback,
        )

    def drives(self, y: Array, block: Array, levels: Mapping[str, Array]) -> Array:
        """The numbers of a `Drive` that circuits are told, (..., courses, numbers)."""
        numbers = reduce(self.circuit, self.state(y, block, levels)).array(self.circuit)
        return np.broadcast_to(numbers, (*y.shape[:-1], numbers.shape[-1]))

    def drives_at(self, moment: Moment, *, before: bool = False) -> Array:
        """Drives at a moment, (courses, numbers); `before` takes held levels as just before it."""
        t_h = np.array(np.nextafter(moment.t_h, -np.inf) if before else moment.t_h)
        return self.drives(moment.y, self.block(moment.blocked), self.levels(t_h))

    def drives_along(self, path: Path, given: Given) -> Array:
        """Drives at each `path.t_h`, (times, courses, numbers)."""
        return self.drives(path.slow(path.t_h), path.block, given.targets)

    # what the slow layer is told

    def inputs(self, activity: Activity, block: Array, levels: Mapping[str, Array]) -> Inputs:
        """Inputs of the slow layer: block (..., courses, pools), levels (..., courses)."""
        return slow_inputs(
            self.circuit,
            self._of_pools(block),
            levels,
            relative=self.relative(activity),
            stress=levels["stress"],
        )

    def relative(self, activity: Activity) -> dict[str, Any]:
        """What circuits do relative to the healthy ones, (courses,) each; names of `Inputs`."""
        quiet = self.model.strength.quiet
        found = relative(activity, self.baseline, nmda_share=self.nmda_share, quiet=quiet)
        return found if self.hears_calcium else found | {"balance": np.ones(len(self.plans))}

    def _of_pools(self, block: Array) -> dict[str, Array]:
        return {pool: block[..., i] for i, pool in enumerate(self.pools)}

    # one macro step

    def step(self, start: Moment, given: Given, arriving: Activity | None = None) -> Path:
        """From `start` through `given`, activity running to `arriving` (None: as it is)."""
        last = start.activity if arriving is None else arriving
        blocked = self.advance_block(start, last, given)
        block = self.block(blocked)
        slow_t_h, y, slope = self._advance_slow(start, last, block, given)
        end = Moment(float(given.t_h[-1]), y[-1], blocked[-1], last)
        return Path(start, end, given.t_h, block, slow_t_h, y, slope)

    def advance_block(self, start: Moment, last: Activity, given: Given) -> Array:
        """Blocked states (times, courses, pools, ...) through `given`, activity running to
        `last`.
        """
        return self.kinetics.advance(
            start.blocked,
            self._gating(start.activity),
            self._gating(last),
            brain_uM=given.brain_uM,
            dt_h=float(given.t_h[-1] - given.t_h[0]),
        )

    def _gating(self, activity: Activity) -> Gating:
        """What the receptors meet under an activity, found once for each of the last few."""
        for known, found in self._known:
            if known is activity:
                return found
        found = self.kinetics.gating(
            self._by_pool(agonist(self.circuit, activity, self.baseline), axis=-1),
            self._by_pool(voltages(self.circuit, activity), axis=-2),
            bin_centres_mV(),
        )
        self._known = [(activity, found), *self._known[:1]]
        return found

    def _by_pool(self, values: Mapping[str, Any], *, axis: int) -> Array:
        """(courses, pools, ...) from pool -> one number for all, or an array over courses."""
        shape = (len(self.plans),)
        return np.stack(
            [np.broadcast_to(values[p], (*shape, *np.shape(values[p])[1:])) for p in self.pools],
            axis=axis,
        )

    def _advance_slow(
        self, start: Moment, last: Activity, block: Array, given: Given
    ) -> tuple[Array, Array, Array]:
        """Times (n,), slow states and slopes (n, courses, states), from the start to the end."""
        levels = {**given.targets, "stress": given.stress}
        first, then = self.relative(start.activity), self.relative(last)
        told = self.inputs(start.activity, block, levels)
        share = np.linspace(0, 1, len(block))[:, None]
        rows = np.stack(
            [np.broadcast_to(getattr(told, name), block.shape[:-1]) for name in INPUTS], axis=1
        )
        for name, x0 in first.items():
            rows[:, INPUTS.index(name)] = x0 + share * (then[name] - x0)
        length, pairs = float(given.t_h[-1] - given.t_h[0]), (len(block) - 1) // 2
        each = max(1, int(np.ceil(length / pairs * self.model.fastest_h / SUBSTEP)))
        path = np.array(list(self._runge_kutta(start.y, rows, length / pairs, each)))
        times = given.t_h[0] + np.arange(len(path)) / (len(path) - 1) * length
        times[-1] = given.t_h[-1]
        return times, path[:, 0], path[:, 1]

    def _runge_kutta(
        self, y: Array, rows: Array, length: float, steps: int
    ) -> Iterator[tuple[Array, Array]]:
        """State and slope, (courses, states) each, at the start and after each step, `steps` of
        them over every two substeps of block, which take `length`.

        rows: inputs, (times, inputs, courses).
        """
        h = length / steps
        shares = np.arange(2 * steps + 1) / (2 * steps)
        x = np.ascontiguousarray(y.T)
        for first in range(0, len(rows) - 1, 2):
            told = _parabola(rows[first : first + 3], shares)
            for here, middle, there in zip(told[:-2:2], told[1:-1:2], told[2::2], strict=True):
                k1 = self._slope(x, here)
                yield np.ascontiguousarray(x.T), np.ascontiguousarray(k1.T)
                k2 = self._slope(x + h / 2 * k1, middle)
                k3 = self._slope(x + h / 2 * k2, middle)
                k4 = self._slope(x + h * k3, there)
                x = x + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
        yield np.ascontiguousarray(x.T), np.ascontiguousarray(self._slope(x, rows[-1]).T)

    def _slope(self, x: Array, told: Array) -> Array:
        """Slope of a state under inputs, (states or inputs, courses). Of one course by plain
        numbers, to the same bits: numpy takes ten times as long over one.
        """
        if len(self.plans) > 1:
            return np.array(self.model.rates(list(x), Inputs(*told)))
        return np.array([self.model.rates(x[:, 0].tolist(), Inputs(*told[:, 0].tolist()))]).T


def _parabola(rows: Array, shares: Array) -> Array:
    """The parabola through three rows at shares of the way, (shares, ...), within the three."""
    first, middle, last = rows
    bend = 2 * (first - 2 * middle + last)
    x = shares.reshape(-1, *(1,) * first.ndim)
    value = first + x * (last - first) + x * (x - 1) * bend
    found = np.clip(value, np.min(rows, axis=0), np.max(rows, axis=0))
    found[:: len(shares) // 2] = rows  # to the bit
    return np.asarray(found)
