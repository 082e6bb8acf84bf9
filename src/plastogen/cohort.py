"""In: many plans of one grid, and answers that need no network. Out: their courses, followed side by side.

The same equations as `course`, in lockstep: the nodes of the grid, which is dense after every event, are the macro
steps. At each the activity is first taken to stay, the circuit's answer is asked at the end of the step, and the step
is taken again with the activity running to that answer (second order). Which courses stand side by side changes
nothing: a course depends on its own plan alone.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, fields
from typing import Any, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from plastogen.cache import digest
from plastogen.circuit import Drive
from plastogen.course import Course, Plan
from plastogen.glutamate import bin_centres_mV
from plastogen.observe import observe, switched
from plastogen.plasticity import STATES, Inputs, SlowModel, alongside
from plastogen.probe import Activity, State, agonist, reduce, voltages
from plastogen.receptor import BlockKinetics
from plastogen.stepper import class_weights, kinetics_of
from plastogen.treated import Treated

Array: TypeAlias = npt.NDArray[np.float64]

SUBSTEP = 1  # of the slow equations, in units of their fastest time constant
REST_ROUNDS, REST_TOLERANCE = 60, 1e-12  # of J, at rest under lasting stress
TARGETS = ("ampa", "gaba", "release", "silence", "bdnf", "mtorc1", "serotonin")


class Answers(Protocol):
    """What stands in for the network: `FormulaProbe`, or an emulator. One row a course, seeds (courses,)."""

    def ask(self, drive: Drive, seed: Any) -> Activity: ...


def alike(plan: Plan) -> Hashable:
    """Plans with equal marks can be followed side by side."""
    blockers = sorted(s for drug in plan.drugs.values() for s in drug.actions.nmdar)
    whole = [plan.circuit, plan.grid_h.tolist(), plan.switches.metabolites, blockers, sorted(plan.drugs)]
    return digest(whole)


def follow_many(plans: Sequence[Plan], answers: Answers, *, method: str) -> list[Course]:
    """The courses of `plans`, all `alike`. Raises ValueError when they are not, or when a state is not finite."""
    return Cohort(plans, answers).follow(method)


@dataclass(frozen=True)
class _Now:
    """Where all courses stand at a node: slow state (courses, states), blocked states, activity."""

    y: Array
    blocked: Array
    activity: Activity


class Cohort:
    """Courses side by side; `visited` are the drives the circuit was asked about, (nodes, courses, 12)."""

    def __init__(self, plans: Sequence[Plan], answers: Answers) -> None:
        if len({alike(plan) for plan in plans}) != 1:
            raise ValueError("courses side by side must have the same circuit, grid and blockers")
        first = plans[0]
        self.plans, self.answers, self.circuit, self.t_h = plans, answers, first.circuit, first.grid_h
        self.seeds = np.array([plan.seed for plan in plans])
        self.treated = _shared(_treated, plans)
        self.model = alongside(_shared(lambda plan: SlowModel(switched(plan.plasticity, plan.switches)), plans))
        each = _shared(lambda plan: kinetics_of(plan.circuit, plan.subject, self._blockers(plan)), plans)
        self.kinetics = BlockKinetics.alongside(each)
        self.pools = tuple(first.circuit.pools())
        self.site = np.array([[plan.switches.block.of(pool) for pool in self.pools] for plan in plans])
        self.weights = class_weights(self.pools)
        self.feedback = np.array([plan.switches.feedback == "on" for plan in plans])
        self.live = np.array([plan.switches.probe == "live" for plan in plans])
        middles = (self.t_h[1:] + self.t_h[:-1]) / 2
        self.brain_uM = self._gather(lambda treated: treated.blocker_uM(middles))
        late = np.nextafter(self.t_h, -np.inf)  # a level that starts or stops at a node belongs to the next step
        self.before, self.after = ({t: self._level(t, times) for t in TARGETS} for times in (late, self.t_h))
        self.stress_before, self.stress = (self._gather(lambda k, t=t: k.stress(t)) for t in (late, self.t_h))
        self.baseline = answers.ask(self._drive(State()), self.seeds)
        self.visited: list[Array] = []

    def _blockers(self, plan: Plan) -> Any:
        return self.treated[list(self.plans).index(plan)].blockers

    def _gather(self, of: Callable[[Treated], Array]) -> Array:
        """(times, courses, ...), from one array a course; equal treatments are asked once."""
        found = {id(treated): of(treated) for treated in self.treated}
        return np.stack([found[id(treated)] for treated in self.treated], axis=1)

    def _level(self, target: str, times: Array) -> Array:
        return self._gather(lambda treated: treated.effects(times).get(target, np.zeros(times.shape)))
