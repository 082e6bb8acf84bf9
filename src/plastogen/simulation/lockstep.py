"""In: many plans of one grid, and answers that need no network. Out: their courses, followed side
by side.

The times of the grid, which is dense after every event, are the ends of macro steps; where answers
cost nothing (a formula), `formula_nodes` lie between them. Each step is taken twice: with the
activity running on as in the step before, and, the circuit asked at its end, with the activity
running to that answer. A course depends on its own plan alone, not on those beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from plastogen._base.digest import digest, fingerprint
from plastogen.model.circuit import Activity, Drive
from plastogen.model.pharmacology import TreatedSubject
from plastogen.model.plasticity import SlowModel
from plastogen.simulation.course import Course, Plan, Progress, event_times
from plastogen.simulation.ensembles import with_ensembles
from plastogen.simulation.probe import FormulaProbe
from plastogen.simulation.rest import begin
from plastogen.simulation.spines import spine_steps
from plastogen.simulation.step import Given, Moment, Path, Stepper
from plastogen.simulation.variables import observe, require_possible

if TYPE_CHECKING:
    from plastogen.simulation.emulator import Emulator

Array: TypeAlias = npt.NDArray[np.float64]

SUBSTEPS = 2  # of block within a macro step
FIRST_STEP_H, GROWTH, LONGEST_STEP_H = (
    0.5 / 3600,
    0.1,
    3,
)  # of a formula's steps: see `formula_nodes`
FURTHEST = 4  # times its last change, that activity may be thought to run on
REST_ROUNDS, REST_TOLERANCE = 100, 1e-13  # of J, at rest under lasting stress
WRITTEN = tuple(  # of what circuits do; distributions of voltage would fill the memory
    field.name for field in fields(Activity) if field.name != "voltage"
)


class Answers(Protocol):
    """What stands in for the network, such as `FormulaProbe`: asked for many courses at once, one
    row each.
    """

    def measure(self, drive: Drive, seed: Any) -> Activity: ...


def alike(plan: Plan) -> str:
    """Plans with equal marks can be followed side by side."""
    given = sorted((name, *drug.actions.nmdar) for name, drug in plan.drugs.items())
    cut = plan.switches
    switches = [cut.feedback, cut.probe, cut.metabolites, cut.calcium_rule, plan.spines is None]
    pace = SlowModel(
        plan.plasticity
    ).fastest_h  # those of another pace would change the steps within a step
    times = [fingerprint(plan.grid_h), event_times(plan)]
    return digest([fingerprint(plan.circuit), fingerprint(plan.rule), times, given, switches, pace])


def simulate_formulas(plans: Sequence[Plan], progress: Progress | None = None) -> list[Course]:
    """The courses of `plans` with the answers of their circuit's formula. Raises ValueError when
    they are not alike, or when a course leaves the finite.
    """
    first = plans[0]
    if first.spines is not None and len(plans) > 1:  # a table each would fill the memory
        return [simulate_formulas([plan], progress)[0] for plan in plans]
    steps = spine_steps(first)
    inside = steps[(steps > first.grid_h[0]) & (steps < first.grid_h[-1])]
    nodes = formula_nodes(np.union1d(first.grid_h, inside), event_times(first))
    answers = FormulaProbe(first.circuit, first.rule)
    courses = Lockstep(plans, answers, nodes_h=nodes).simulate(progress)
    tell = progress or (lambda what, share: None)
    return [with_ensembles(plan, course, tell) for plan, course in zip(plans, courses, strict=True)]


def simulate_with_errors(
    plans: Sequence[Plan], emulator: Emulator, progress: Progress | None = None
) -> list[tuple[Course, Course]]:
    """Each course, and the same with the emulator's answers moved up by a standard error.

    The log of the first says where it goes beyond what the emulator was asked.
    """
    first = Lockstep(plans, emulator)
    y = first.begin().y
    moved = emulator.moved(first.first_drives)
    both = Lockstep(
        [*plans, *plans], moved, begin=np.vstack([y, y]), treated=[*first.stepper.treated] * 2
    )
    found = both.simulate(progress)
    asked = np.array(both.asked)
    for i, course in enumerate(found[: len(plans)]):
        course.log["beyond"] = emulator.beyond(asked[:, i])
    return list(zip(found[: len(plans)], found[len(plans) :], strict=True))


class Lockstep:
    """Courses side by side. `asked`: the drives that answers were sought for, each (courses,
    numbers); `first_drives`, once begun: those that courses began with.
    """

    def __init__(
        self,
        plans: Sequence[Plan],
        answers: Answers,
        *,
        begin: Array | None = None,
        treated: Sequence[TreatedSubject] | None = None,
        nodes_h: Array | None = None,
    ) -> None:
        """`begin`: slow states to begin with, (courses, states), in place of those that rest.
        `treated`: if known. `nodes_h`: ends of macro steps, if they are not the times of the grid
        alone; these are among them.
        """
        if len({alike(plan) for plan in plans}) != 1:
            raise ValueError(
                "courses side by side must have the same circuit, grid, drugs, switches and pace"
            )
        self.plans, self.answers, self.first_y = plans, answers, begin
        self.t_h, self.live = plans[0].grid_h, plans[0].switches.probe == "live"
        self.nodes_h = self.t_h if nodes_h is None else nodes_h
        self.written = np.isin(self.nodes_h, self.t_h)
        self.seeds = np.array([plan.seed for plan in plans])
        self.asked: list[Array] = []
        self.first_drives = np.empty((0, 0))
        self.stepper = Stepper(plans, self._answer, treated=treated)
        self.stress = self.stepper.levels(self.t_h)["stress"]

    def _answer(self, drives: Array) -> Activity:
        self.asked.append(drives)
        return self.answers.measure(Drive.from_array(self.plans[0].circuit, drives), self.seeds)

    def begin(self) -> Moment:
        """Where all courses begin: as `rest.begin` says, or where they were put."""
        stepper = self.stepper
        if self.first_y is None:
            moment = begin(stepper, within=REST_TOLERANCE, rounds=REST_ROUNDS)
            self.first_drives = self.asked[-1]
            return moment
        moment = Moment(
            float(self.t_h[0]), self.first_y, stepper.kinetics.start(), stepper.baseline
        )
        self.first_drives = stepper.drives_at(moment)
        return replace(moment, activity=self._answer(self.first_drives))

    def simulate(self, progress: Progress | None = None) -> list[Course]:
        """All courses, from the first time of the grid to the last."""
        now = start = self.begin()
        before: tuple[float, Activity] | None = None  # when and what the circuit did last
        jumped = np.ones(len(self.plans), bool)  # whose levels are not what they were then
        held = [self._note(now)]
        given = self.stepper.given(self.nodes_h, SUBSTEPS)
        after = self.stepper.levels(self.nodes_h)
        for k, step in enumerate(given):
            if progress is not None:
                progress("course", k / len(given))
            path = self.stepper.with_spines(self._step(before, now, step, jumped))
            before, now = (now.t_h, now.activity), path.end
            if self.written[k + 1]:
                held.append(self._note(now))  # what comes before a jump, as `adaptive` writes it
            found = self.stepper.intervene(now)
            jumped = np.full(len(self.plans), found is not now)
            for name, level in step.targets.items():
                jumped |= after[name][k + 1] != level[-1]
            now = found
            if self.live and jumped.any():  # ask again; the others go on as if they were alone
                levels = {name: level[k + 1] for name, level in after.items()}
                block = self.stepper.block(now.blocked)
                answer = self._answer(self.stepper.drives(now.y, block, levels))
                now = replace(now, activity=_where(jumped, answer, now.activity))
        notes = {name: np.stack([note[name] for note in held]) for name in held[0]}
        written = self._observed(start, notes)
        return [self._course(i, written) for i in range(len(self.plans))]

    def _step(
        self,
        before: tuple[float, Activity] | None,
        now: Moment,
        given: Given,
        jumped: npt.NDArray[np.bool_],
    ) -> Path:
        """One macro step: first with the activity running on as it did since `before` (None, or
        where it has `jumped` since: as it is), then with it running to the answer.
        """
        if not self.live:
            return self.stepper.step(now, given)
        expected = _expected(before, now, float(given.t_h[-1]), jumped)
        guess = self.stepper.step(now, given, expected)
        last = {name: level[-1] for name, level in given.targets.items()}
        answer = self._answer(self.stepper.drives(guess.end.y, guess.block[-1], last))
        return self.stepper.step(now, given, answer)

    # what is written down

    def _note(self, now: Moment) -> dict[str, Array]:
        recorded = {name: np.asarray(getattr(now.activity, name)) for name in WRITTEN}
        return {"y": now.y, "block": self.stepper.block(now.blocked), **recorded}

    def _observed(self, start: Moment, held: dict[str, Array]) -> dict[str, Array]:
        """Every variable, (times, courses, ...)."""
        model = self.stepper.model
        found = observe(
            self.stepper.circuit,
            model,
            held["y"],
            lambda name: held[name],
            start=start.activity,
            baseline=self.stepper.baseline,
            reference=start.y,
            stress=self.stress,
        )
        found["block"] = held["block"]
        require_possible(found, self.t_h)
        return found

    def _course(self, i: int, found: dict[str, Array]) -> Course:
        treated = self.stepper.treated[i]
        arrays = {name: values[:, i] for name, values in found.items()} | treated.written(self.t_h)
        log = {
            "probes": 0,
            "emulated": len(self.asked),
            "cap_hit": False,
            "steps": len(self.nodes_h) - 1,
        }
        course = Course(self.t_h, arrays, self.stepper.pools, treated.species, {}, log)
        return self.stepper.completed(course)


def _expected(
    before: tuple[float, Activity] | None,
    now: Moment,
    t_h: float,
    jumped: npt.NDArray[np.bool_],
) -> Activity | None:
    """The activity at `t_h` if it runs on as it did since `before`, as it is where it has `jumped`;
    None if nothing is known of before.
    """
    if before is None:
        return None
    then_h, then = before
    share = min((t_h - now.t_h) / (now.t_h - then_h), FURTHEST)
    was, there = then.arrays(), now.activity.arrays()
    found = {name: np.maximum(x + share * (x - was[name]), 0) for name, x in there.items()}
    return _where(
        jumped, now.activity, Activity(**found | {"bound": np.minimum(found["bound"], 1)})
    )


def _where(which: npt.NDArray[np.bool_], one: Activity, other: Activity) -> Activity:
    """The one activity of some courses, (courses,), and the other of the rest."""
    if which.all() or not which.any():
        return one if which.all() else other
    rest = other.arrays()
    merged: dict[str, Any] = {
        name: np.where(which.reshape(-1, *(1,) * (np.ndim(x) - 1)), x, rest[name])
        for name, x in one.arrays().items()
    }
    return Activity(**merged)


def formula_nodes(t_h: Array, events_h: Sequence[float]) -> Array:
    """The times of a grid, and between them steps that follow the need: `FIRST_STEP_H`
    after an event, where block is fast, then `GROWTH` of the time since, at most `LONGEST_STEP_H`.
    """
    events = np.array([-np.inf, *events_h])
    found = []
    for start, end in pairwise(t_h):
        event, t = events[np.searchsorted(events, start, side="right") - 1], start
        while t < end:
            found.append(t)
            step = min(max(FIRST_STEP_H, GROWTH * (t - event)), LONGEST_STEP_H)
            t = end if end - t <= (1 + GROWTH) * step else t + min(step, (end - t) / 2)
    return np.array([*found, t_h[-1]])
