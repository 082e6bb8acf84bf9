"""In: many plans of one grid, and answers that need no network. Out: their courses, followed side
by side.

The same equations as `course`, in lockstep: the nodes of the grid, which is dense after every
event, are the macro steps. At each the slow state is first taken to go on as it went, the circuit's
answer is asked at the end of the step, and the step is taken with the activity running to that
answer (second order). A course depends on its own plan alone, not on those beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from plastogen._base.digest import digest, fingerprint
from plastogen.model.circuit import (
    Activity,
    Drive,
    State,
    agonist,
    bin_centres_mV,
    reduce,
    voltages,
)
from plastogen.model.pharmacology import BlockKinetics, TreatedSubject
from plastogen.model.plasticity import STATES, Inputs, SlowModel, stacked
from plastogen.simulation.course import Course, Plan, Progress, treated_of
from plastogen.simulation.outputs import observe, switched
from plastogen.simulation.step import frozen, inputs, kinetics_of, ratios

if TYPE_CHECKING:
    from plastogen.simulation.emulator import Emulator

Array: TypeAlias = npt.NDArray[np.float64]

SUBSTEP = 1.5  # of the slow equations, in units of their fastest time constant
REST_ROUNDS, REST_TOLERANCE = 100, 1e-13  # of J, at rest under lasting stress
TARGETS = ("ampa", "gaba", "release", "silence", "bdnf", "mtorc1", "serotonin")
HEARD = ("rate_hz", "rate_se_hz", "glutamate", "ampa_throughput", "calcium", "pattern_shift")


class Answers(Protocol):
    """What stands in for the network, such as `FormulaProbe`: asked for many courses at once, one
    row each.
    """

    def ask(self, drive: Drive, seed: Any) -> Activity: ...


def alike(plan: Plan) -> str:
    """Plans with equal marks can be followed side by side."""
    given = sorted((name, *drug.actions.nmdar) for name, drug in plan.drugs.items())
    switches = [plan.switches.feedback, plan.switches.probe, plan.switches.metabolites]
    pace = SlowModel(
        plan.plasticity
    ).fastest_h  # those of another pace would change the steps within a step
    return digest([fingerprint(plan.circuit), fingerprint(plan.grid_h), given, switches, pace])


def simulate_many(plans: Sequence[Plan], answers: Answers) -> list[Course]:
    """The courses of `plans`. Raises ValueError when they are not alike, or when a course leaves
    the finite.
    """
    return Lockstep(plans, answers).simulate()


def simulate_with_errors(
    plans: Sequence[Plan], emulator: Emulator, progress: Progress | None = None
) -> list[tuple[Course, Course]]:
    """Each course, and the same with the emulator's answers moved up by a standard error."""
    first = Lockstep(plans, emulator)
    begin = first.begin()
    moved = emulator.moved(first.asked[-1])
    both = Lockstep(
        [*plans, *plans], moved, begin=np.vstack([begin.y, begin.y]), treated=[*first.treated] * 2
    )
    found = both.simulate(progress)
    return list(zip(found[: len(plans)], found[len(plans) :], strict=True))


@dataclass(frozen=True)
class _Now:
    """Where all courses stand at a node: slow state (courses, states), blocked states, activity."""

    y: Array
    blocked: Array
    activity: Activity


class Lockstep:
    """Courses side by side. `asked`: the drives that answers were sought for, each (courses,
    numbers).
    """

    def __init__(
        self,
        plans: Sequence[Plan],
        answers: Answers,
        *,
        begin: Array | None = None,
        treated: Sequence[TreatedSubject] | None = None,
    ) -> None:
        """`begin`: slow states to begin with, (courses, states), in place of those that rest.
        `treated`: if known.
        """
        if len({alike(plan) for plan in plans}) != 1:
            raise ValueError(
                "courses side by side must have the same circuit, grid, drugs, switches and pace"
            )
        first = plans[0]
        self.plans, self.answers, self.circuit, self.t_h = (
            plans,
            answers,
            first.circuit,
            first.grid_h,
        )
        self.seeds = np.array([plan.seed for plan in plans])
        self.treated = treated or [treated_of(plan) for plan in plans]
        self.model = stacked(
            [SlowModel(switched(plan.plasticity, plan.switches)) for plan in plans]
        )
        each = [
            kinetics_of(plan.circuit, treated)
            for plan, treated in zip(plans, self.treated, strict=True)
        ]
        self.kinetics = BlockKinetics.stacked(each)
        self.pools = tuple(first.circuit.pools())
        self.site = np.array(
            [[plan.switches.block.of(pool) for pool in self.pools] for plan in plans]
        )
        self.inhibition = np.array([float(plan.subject.inhibition) for plan in plans])
        self.feedback, self.live = first.switches.feedback == "on", first.switches.probe == "live"
        middles = (self.t_h[1:] + self.t_h[:-1]) / 2
        self.brain_uM = self._gather(lambda treated: treated.blocker_uM(middles))
        late = np.nextafter(
            self.t_h, -np.inf
        )  # a level that starts or stops at a node belongs to the next step
        self.before, self.after = (self._levels(times) for times in (late, self.t_h))
        self.asked: list[Array] = []
        self.given = begin
        self.baseline = self._ask(State())

    def _gather(self, of: Callable[[TreatedSubject], Array]) -> Array:
        """(times, courses, ...), from one array for each treated subject, asked once each."""
        once = {
            key: of(treated)
            for key, treated in {id(treated): treated for treated in self.treated}.items()
        }
        return np.stack([once[id(treated)] for treated in self.treated], axis=1)

    def _levels(self, times: Array) -> dict[str, Array]:
        """What is given, beside blockers, and stress: target -> (times, courses)."""
        names, zero = (*TARGETS, "stress"), np.zeros(times.shape)

        def of(treated: TreatedSubject) -> Array:
            found = {**treated.effects(times), "stress": treated.stress(times)}
            return np.stack([found.get(name, zero) for name in names], axis=-1)

        return dict(zip(names, np.moveaxis(self._gather(of), -1, 0), strict=True))

    def _ask(self, state: State) -> Activity:
        k = self.circuit
        drives = np.broadcast_to(reduce(k, state).array(k), (len(self.plans), len(k.drive_numbers)))
        self.asked.append(drives)
        return self.answers.ask(Drive.from_array(k, drives), self.seeds)

    def simulate(self, progress: Progress | None = None) -> list[Course]:
        """All courses, from the first node to the last."""
        now = start = self.begin()
        before = now
        held = [self._note(now)]
        for k in range(len(self.t_h) - 1):
            if progress is not None:
                progress("course", k / len(self.t_h))
            before, now = now, self._step(now, before, k)
            held.append(self._note(now))  # what comes before a jump, as `course` writes it
            now = self._jumped(now, k + 1)
        found = self._observed(
            start, {name: np.stack([note[name] for note in held]) for name in held[0]}
        )
        return [self._course(i, found) for i in range(len(self.plans))]

    # rest

    def begin(self) -> _Now:
        """Where all courses begin: at rest, in the resting state of those who are stressed, or
        where they were put.
        """
        y = np.broadcast_to(self.model.healthy_state(), (len(self.plans), len(STATES))).copy()
        stress = np.array([float(plan.subject.stress) for plan in self.plans])
        blocked = self.kinetics.start()
        if self.given is None:
            moved = np.array([not plan.subject.at_set_points for plan in self.plans])
            if moved.any():
                y = np.where(moved[:, None], self._rest(y, stress, blocked), y)
            for state in {name for plan in self.plans for name in plan.start}:
                y[:, STATES.index(state)] *= [plan.start.get(state, 1) for plan in self.plans]
        else:
            y = self.given
        return _Now(
            y,
            blocked,
            self._ask(self._state(y, blocked, {name: x[0] for name, x in self.after.items()})),
        )

    def _rest(self, y: Array, stress: Array, blocked: Array) -> Array:
        """The state that rests under lasting stress: J = J(rest(activity(J))), by the secant rule
        in each course.
        """
        none = {name: np.zeros(len(self.plans)) for name in TARGETS} | {"stress": stress}
        last: tuple[Array, Array] | None = None
        kept, there = (
            y,
            np.zeros(len(self.plans), bool),
        )  # a course that is there stays, however long others take
        for _ in range(REST_ROUNDS):
            activity = self._ask(self._state(y, blocked, none))
            asked, rest = (
                self.model.recurrent(y),
                self.model.rest(self._inputs(activity, blocked, none)),
            )
            found = self.model.recurrent(rest)
            error = found - asked
            kept = np.where(there[:, None], kept, rest)
            there |= np.abs(error) <= REST_TOLERANCE
            if there.all():
                return kept
            aim = found
            if last is not None:
                gap = error - last[1]
                secant = asked - error * (asked - last[0]) / np.where(gap == 0, 1, gap)
                aim = np.where(
                    gap == 0,
                    found,
                    np.clip(secant, np.minimum(asked, found), np.maximum(asked, found)),
                )
            last = (asked, error)
            y = rest.copy()
            y[:, STATES.index("weight")] *= (
                aim / found
            )  # any state with this J asks the same question
        return kept

    # one step

    def _block(self, blocked: Array) -> Array:
        return np.asarray(self.kinetics.fraction(blocked) * self.site)

    def _state(self, y: Array, blocked: Array, effect: dict[str, Array]) -> State:
        slow = {name: y[:, i] for i, name in enumerate(STATES)}
        left = (1 - self._block(blocked)) * (1 + slow["tolerance"])[:, None]
        pools = dict(zip(self.pools, left.T, strict=True))
        density = self.model.spine_density(y)
        return frozen(
            pools, slow, density, effect, inhibition=self.inhibition, feedback=self.feedback
        )

    def _inputs(self, activity: Activity, blocked: Array, effect: dict[str, Array]) -> Inputs:
        rate, passed = ratios(activity, self.baseline)
        block = self._block(blocked)
        return inputs(
            self.circuit,
            block,
            rate_E=rate,
            ampa_throughput=passed,
            effect=effect,
            stress=effect["stress"],
        )

    def _step(self, now: _Now, last: _Now, k: int) -> _Now:
        """From node k to the next, `last` being the node before."""
        after, before = (
            {n: x[i] for n, x in level.items()}
            for level, i in ((self.after, k), (self.before, k + 1))
        )
        heard = now.activity
        if self.live:
            going_on = (self.t_h[k + 1] - self.t_h[k]) / (self.t_h[k] - self.t_h[k - 1]) if k else 0
            y = now.y + going_on * (now.y - last.y)
            heard = self._ask(self._state(y, self._blocked(now, now.activity, k), before))
        blocked = self._blocked(now, heard, k)
        first, second = (
            self._inputs(now.activity, now.blocked, after),
            self._inputs(heard, blocked, before),
        )
        return _Now(
            self._slow(now.y, first, second, float(self.t_h[k + 1] - self.t_h[k])), blocked, heard
        )

    def _jumped(self, now: _Now, k: int) -> _Now:
        """Just after node k: where a level jumps, the circuit is asked again."""
        before, after = (
            {name: x[k] for name, x in level.items()} for level in (self.before, self.after)
        )
        if not self.live or not any((after[name] != before[name]).any() for name in TARGETS):
            return now
        return replace(now, activity=self._ask(self._state(now.y, now.blocked, after)))

    def _blocked(self, now: _Now, last: Activity, k: int) -> Array:
        """The blocked states at node k + 1, with the activity running from now to `last`."""
        if not self.kinetics.species:
            return now.blocked
        own = [agonist(self.circuit, a, self.baseline) for a in (now.activity, last)]
        shape = [voltages(self.circuit, a) for a in (now.activity, last)]
        n = len(self.plans)
        a0, a1 = (
            np.stack([np.broadcast_to(of[pool], n) for pool in self.pools], axis=-1) for of in own
        )
        v0, v1 = (np.stack([of[pool] for pool in self.pools], axis=-2) for of in shape)
        path = self.kinetics.advance(
            now.blocked,
            a_start=a0,
            a_end=a1,
            v_weights_start=v0,
            v_weights_end=v1,
            v_mV=bin_centres_mV(),
            brain_uM=self.brain_uM[k : k + 1],
            dt_h=float(self.t_h[k + 1] - self.t_h[k]),
        )
        return np.asarray(path[-1])

    def _slow(self, y: Array, first: Inputs, second: Inputs, dt_h: float) -> Array:
        """The slow state `dt_h` later, inputs running from one to the other (Runge and Kutta,
        fourth order).
        """
        start, end = (
            np.stack([getattr(i, f.name) for f in fields(Inputs)]) for i in (first, second)
        )
        steps = max(1, int(np.ceil(dt_h * self.model.fastest_h / SUBSTEP)))
        h = dt_h / steps

        def rate(x: Array, share: float) -> Array:
            return np.stack(self.model.rates(list(x), Inputs(*(start + share * (end - start)))))

        x = np.ascontiguousarray(y.T)
        for i in range(steps):
            here, middle, there = i / steps, (i + 0.5) / steps, (i + 1) / steps
            k1 = rate(x, here)
            k2 = rate(x + h / 2 * k1, middle)
            k3 = rate(x + h / 2 * k2, middle)
            k4 = rate(x + h * k3, there)
            x = x + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
        return np.ascontiguousarray(x.T)

    # what is written down

    def _note(self, now: _Now) -> dict[str, Array]:
        heard = {name: np.asarray(getattr(now.activity, name)) for name in HEARD}
        return {"y": now.y, "block": self._block(now.blocked), **heard}

    def _observed(self, start: _Now, held: dict[str, Array]) -> dict[str, Array]:
        """Every variable, (times, courses, ...)."""
        found = observe(
            self.circuit,
            self.model,
            held["y"],
            lambda name: held[name],
            start=start.activity,
            baseline=self.baseline,
            reference=self.model.recurrent(start.y),
            stress=self.after["stress"],
        )
        found["block"] = held["block"]
        wrong = [name for name, values in found.items() if not np.isfinite(values).all()]
        if wrong:
            raise ValueError(
                f"the course of {wrong[0]} leaves the finite: a parameter is out of its useful"
                " range"
            )
        return found

    def _course(self, i: int, found: dict[str, Array]) -> Course:
        treated = self.treated[i]
        arrays = {name: values[:, i] for name, values in found.items()} | treated.written(self.t_h)
        log = {
            "probes": 0,
            "emulated": len(self.asked),
            "cap_hit": False,
            "steps": len(self.t_h) - 1,
        }
        return Course(self.t_h, arrays, self.pools, treated.species, {}, log)
