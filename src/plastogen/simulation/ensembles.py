"""In: a plan with ensembles, and its course. Out: the same course with what the network has learned
and recalls of them.

The course says under which drive the network is taught and looked at (block, what drugs do, the
strength of recurrent synapses), and where each spine is followed, which stand (`taught_synapses`);
what the network learns does not act back on it. Each synapse between principal cells follows the
rule while ensembles are taught, or cells stimulated later, and transmits as its efficacy says; at
other times efficacies are frozen. One compiled program serves both: rates of potentiation and
depression are values of a run. Between what was measured, each number stands as it was last.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from plastogen._base.streams import stream
from plastogen.model.circuit import (
    Circuit,
    Cues,
    Drive,
    Engine,
    Learner,
    Learning,
    RuleNumbers,
    coactivity,
    cue_response,
    quiet_bins,
    rates_hz,
)
from plastogen.model.plasticity import (
    STATES,
    CalciumRule,
    Ensembles,
    Stimulation,
    connection_probability,
    rule_in,
)
from plastogen.simulation.course import Course, Lives, Plan, Progress, Weights
from plastogen.simulation.probe import FormulaProbe
from plastogen.simulation.step import Stepper
from plastogen.simulation.taught_synapses import (
    Kept,
    MeanSynapses,
    Synapses,
    TaughtSpines,
    everywhere,
    group_of,
    mean_of_cell,
)
from plastogen.simulation.variables import require_possible

Array: TypeAlias = npt.NDArray[Any]
FROZEN = 1e-12  # of the rates of potentiation and depression: nothing moves in a run


def with_ensembles(plan: Plan, course: Course, tell: Progress) -> Course:
    """`course`; of a plan that has ensembles with what became of them, on its grid. Raises
    EngineError, StoreError.
    """
    if plan.ensembles is None:
        return course
    network = _Network(plan, plan.ensembles, tell)
    drives = _Drives(plan, course)
    taught, looks_h = plan.ensembles.teaching, plan.ensembles.recall_h
    waiting = sorted(plan.stimulations or (), key=lambda one: float(one.at))
    taught_h = float(taught.at)
    kept = network.kept(drives.at(taught_h), course.spines)
    begun = kept.at(plan.start_h)
    found = [network.look(drives.at(plan.start_h), begun)]
    tell("ensembles", 1 / (2 + len(looks_h)))
    before = kept.at(taught_h)
    kept.take(network.teach(drives.at(taught_h), kept.begins(taught_h)), before, taught_h)
    if plan.ensembles.recall.weights == "shuffled":
        kept.shuffle(taught_h, network.random("shuffle"))
    known: dict[tuple[Drive, Synapses], dict[str, Any]] = {}
    for k, h in enumerate(looks_h):
        tell("ensembles", (2 + k) / (2 + len(looks_h)))
        while waiting and float(waiting[0].at) <= h:
            one = waiting.pop(0)
            before = kept.at(at_h := float(one.at))
            kept.take(network.stimulate(one, drives.at(at_h), before), before, at_h)
        met = drives.at(h), kept.at(h)
        if met not in known:  # nothing has changed: the same answer, to the last bit
            known[met] = network.look(*met)
        found.append(known[met])
    last = np.searchsorted(looks_h, plan.grid_h, side="right")
    arrays = {name: np.array([one[name] for one in found])[last] for name in found[0]}
    if isinstance(kept, TaughtSpines):
        looked_h = np.array([plan.start_h, *looks_h])[last]
        all_of_them = np.interp(looked_h, course.t_h, course.arrays["structure"])
        arrays["ensemble_strength"] = arrays["ensemble_weight"] * all_of_them
        left = [kept.left_within(network.members, taught_h, h) for h in looks_h]
        arrays["ensemble_spines_left"] = np.array([1.0, *left])[last]
    require_possible(arrays, plan.grid_h)
    after = kept.at(looks_h[-1])
    weights = Weights(network.members, begun.pre, begun.post, begun.conductance, after.conductance)
    log = course.log | {"backend": network.engine.backend}
    return replace(course, arrays=course.arrays | arrays, log=log, weights=weights)


def teaching_program(circuit: Circuit, rule: CalciumRule, *, each: bool) -> tuple[Circuit, Learner]:
    """The network that is taught and recalls, and how its synapses learn: with a synapse between
    all principal cells where each spine is followed. Electrodes drive its cells.
    """
    numbers = rule_in(circuit, rule, scale=float(rule.in_vivo))
    learner = Learner(numbers, live=True, sized=True, follows=True)
    return everywhere(circuit) if each else circuit, learner


class _Drives:
    """What a course tells its network at any time."""

    def __init__(self, plan: Plan, course: Course) -> None:
        self.plan, self.course = plan, course
        probe = FormulaProbe(plan.circuit)
        self.stepper = Stepper(
            [replace(plan, spines=None)],
            lambda drives: probe.measure(Drive.from_array(plan.circuit, drives), plan.seed),
        )

    def at(self, t_h: float) -> Drive:
        """The drive at a time; what is given there acts already."""
        arrays, grid_h = self.course.arrays, self.course.t_h
        y = self.stepper.healthy()
        for i, name in enumerate(STATES):
            if name in arrays:
                y[0, i] = np.interp(t_h, grid_h, arrays[name])
        block = np.array([[np.interp(t_h, grid_h, pool) for pool in arrays["block"].T]])
        levels = self.stepper.levels(np.array(t_h))
        numbers = self.stepper.drives(y, block, levels)[0]
        return Drive.from_array(self.plan.circuit, numbers)


class _Network:
    """The network of one seed, and the cells that belong together in it."""

    def __init__(self, plan: Plan, ensembles: Ensembles, tell: Progress) -> None:
        self.plan, self.ensembles = plan, ensembles
        wired, learner = teaching_program(plan.circuit, plan.rule, each=plan.spines is not None)
        self.engine = Engine(wired, backend=plan.backend, announce=lambda x: tell(x, 0))
        self.rule = learner.rule
        self.principal = plan.circuit.populations[plan.circuit.principal].count
        self.members = ensembles.members(self.principal, plan.seed)

    def random(self, what: str) -> np.random.Generator:
        return np.random.default_rng(stream(self.plan.seed, f"ensembles {what}"))

    def kept(self, drive: Drive, lives: Lives | None) -> Kept:
        """What synapses have learned: nothing yet."""
        begun = self.teach(drive, presented=False)
        if lives is None:
            return MeanSynapses(begun)
        chance = connection_probability(self.plan.circuit)
        return TaughtSpines(lives, begun, self.rule.initial, chance)

    def teach(
        self, drive: Drive, before: Synapses | None = None, *, presented: bool = True
    ) -> Synapses:
        """What synapses transmit after all presentations, or before any."""
        pulses = self.ensembles.teach(self.members, self.random("teaching"))
        seconds = pulses.seconds
        if not presented:
            pulses, seconds = pulses._replace(t_s=pulses.t_s[:0], cells=pulses.cells[:0]), 0.0
        rule = self.rule if presented else frozen(self.rule)
        _, learning = self.engine.learn(
            taken_out(self.plan.circuit, drive, float(self.ensembles.teaching.block)),
            self.plan.seed,
            rule,
            seconds=max(seconds, SHORTEST_S),
            settle_s=self.plan.settle_s if presented else 0.0,
            live=True,
            conductance=True,
            driven=(pulses.t_s, pulses.cells),
            noise="teaching",
            size=1.0 if before is None else before.size,
            efficacy=None if before is None else before.efficacy,
        )
        return self._synapses(learning, before)

    def stimulate(self, one: Stimulation, drive: Drive, synapses: Synapses) -> Synapses:
        """What synapses transmit after cells were made to fire, from what they did before."""
        what = f"{one.what} at {float(one.at):g} h"
        cells = one.cells(self.members, self.principal, self.plan.seed)
        pulses = one.pulses(cells, self.random(what))
        _, learning = self.engine.learn(
            drive,
            self.plan.seed,
            self.rule,
            seconds=pulses.seconds,
            settle_s=self.plan.settle_s,
            live=True,
            conductance=True,
            size=synapses.size,
            efficacy=synapses.efficacy,
            driven=(pulses.t_s, pulses.cells),
            noise=what,
        )
        return self._synapses(learning, synapses)

    def _synapses(self, learning: Learning, before: Synapses | None) -> Synapses:
        """Synapses of these efficacies, scaled where the experiment says so."""
        size, onto, filled = (
            (1.0, 1.0, 1.0) if before is None else (before.size, before.onto, before.filled)
        )
        relative, post = size * learning.efficacy / self.rule.initial, learning.post
        each: float | Array = 1.0
        if self.ensembles.scaling == "on":
            each = mean_of_cell(relative, post) / onto
        efficacy, sizes = learning.efficacy, np.broadcast_to(size / each, relative.shape)
        return Synapses(learning.pre, post, relative / each, efficacy, sizes, onto, filled)

    def look(self, drive: Drive, synapses: Synapses) -> dict[str, Any]:
        """Every number of ensembles, while `drive` is held and weights are frozen."""
        recall = self.ensembles.recall
        pulses = self.ensembles.remind(self.members, self.random("cues"))
        spikes, _ = self.engine.learn(
            taken_out(self.plan.circuit, drive, float(recall.block)),
            self.plan.seed,
            frozen(self.rule),
            seconds=pulses.seconds,
            settle_s=self.plan.settle_s,
            live=True,
            conductance=True,
            size=synapses.conductance,
            driven=(pulses.t_s, pulses.cells),
            noise="recall",
        )
        delay_s = float(recall.delay[0]), float(recall.delay[1])
        held_s = float(recall.held)
        cues = Cues(pulses.begin_s, pulses.ensemble, self.ensembles.cued, held_s, delay_s)
        response = cue_response(spikes, self.members, cues)
        quiet = quiet_bins(cues, pulses.seconds)
        together, apart = coactivity(spikes, self.members, quiet)
        within, outward = self._weights(synapses)
        return {
            "ensemble_weight": within,
            "ensemble_weight_outward": outward,
            "ensemble_coactivity": together,
            "outside_coactivity": apart,
            "ensemble_completion": response["completion"],
            "ensemble_overlap": response["overlap"],
            "delay_activity": response["delay"],
            "delay_outside": response["delay_outside"],
            "recall_rate_hz": rates_hz(spikes)[0],
        }

    def _weights(self, synapses: Synapses) -> tuple[float, float]:
        """Mean of what synapses within ensembles transmit, and of those between an ensemble and
        cells in none, relative to the circuit's.
        """
        group = group_of(self.members, self.principal)
        before, behind = group[synapses.pre], group[synapses.post]
        within = (before == behind) & (before >= 0)
        outward = (before >= 0) != (behind >= 0)
        each = (synapses.conductance[there] / synapses.filled for there in (within, outward))
        first, second = (float(x.mean()) if len(x) else 0.0 for x in each)
        return first, second


SHORTEST_S = 0.001  # of a network that only says who is connected to whom


def frozen(rule: RuleNumbers) -> RuleNumbers:
    """`rule` under which nothing moves, for the same compiled program."""
    return replace(
        rule, potentiation=FROZEN * rule.potentiation, depression=FROZEN * rule.depression
    )


def taken_out(circuit: Circuit, drive: Drive, share: float) -> Drive:
    """`drive` with a share of the NMDA receptors of all classes taken out, synaptic and tonic."""
    names = [f"{kind}_{name}" for name in circuit.classes for kind in ("nmda", "tonic")]
    return drive.changed(**{name: (1 - share) * drive[name] for name in names})
