"""In: a plan with an induction. Out: its course: what the drugs do to the receptors, and what the
induction then leaves of the synapse.

Electrodes make both cells fire: alone (`method: formula`, no circuit is asked), or in the spiking
network (`direct`; see `pathway`), where what is given is held as it is when the induction begins.
Blockers meet the glutamate and the
voltage that the circuit's formula has at rest or under what else is given; what they leave of the
principal cells' synaptic receptors, times what is left of release, is what a presynaptic spike
finds.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from plastogen._base.streams import stream
from plastogen.model.circuit import Drive, Engine
from plastogen.model.pharmacology import S_PER_H, receptors, value
from plastogen.model.plasticity import Efficacies, induce, rule_in
from plastogen.simulation.course import Course, Plan, Progress
from plastogen.simulation.pathway import induce_in_network
from plastogen.simulation.probe import FormulaProbe
from plastogen.simulation.step import Moment, Stepper
from plastogen.simulation.variables import require_possible

Array: TypeAlias = npt.NDArray[np.float64]

SUBSTEPS = 8  # of block between two times of the grid


def simulate_induction(plan: Plan, tell: Progress = lambda what, share: None) -> Course:
    """The course of a plan that has an induction and a rule. `tell` hears of the compile step."""
    assert plan.induction is not None
    probe = FormulaProbe(plan.circuit)
    stepper = Stepper(
        [plan], lambda drives: probe.measure(Drive.from_array(plan.circuit, drives), plan.seed)
    )
    t_h = plan.grid_h
    block = _block(stepper, t_h)
    synaptic = f"{plan.circuit.principal}.synaptic"
    levels = {name: values[:, 0] for name, values in stepper.levels(t_h).items()}
    left = (
        (1 - block[:, stepper.pools.index(synaptic)])
        * receptors(levels, synaptic)
        * value(levels, "release")
    )
    begin_h = float(plan.induction.at)
    log: dict[str, Any] = {"probes": 0, "cap_hit": False, "steps": len(t_h) - 1}
    at_s = (t_h - begin_h) * S_PER_H

    def left_at(s: float) -> float:
        return float(np.interp(begin_h + s / S_PER_H, t_h, left))

    synapses: list[Efficacies]
    if plan.method == "direct":
        engine = Engine(plan.circuit, backend=plan.backend, announce=lambda what: tell(what, 0))
        held = int(np.searchsorted(t_h, begin_h, side="right")) - 1
        given = {name: values[held, None] for name, values in levels.items()}
        drive = stepper.drives(stepper.healthy(), block[held, None], given)[0]
        numbers = rule_in(plan.circuit, plan.rule, scale=float(plan.rule.in_vivo))
        synapses = induce_in_network(
            plan, engine, Drive.from_array(plan.circuit, drive), numbers, at_s, left_at
        )
        log |= {"probes": 1, "backend": engine.backend}
    else:
        rng = np.random.default_rng(stream(plan.seed, "induction"))
        synapses = induce(plan.induction, rule_in(plan.circuit, plan.rule), at_s, rng, left_at)
    efficacy = np.mean([one.efficacy for one in synapses], axis=0)
    found = {
        "efficacy": efficacy,
        "epsp_change": efficacy / efficacy[0] - 1,
        "potentiation": np.mean([one.potentiation for one in synapses], axis=0),
        "depression": np.mean([one.depression for one in synapses], axis=0),
        "peak_calcium": np.mean([one.peak_calcium for one in synapses], axis=0),
        "block": block,
    }
    require_possible(found, plan.grid_h)
    treated = stepper.treated[0]
    written = treated.written(plan.grid_h)
    written.pop("stress")
    return Course(plan.grid_h, found | written, stepper.pools, treated.species, {}, log)


def _block(stepper: Stepper, t_h: Array) -> Array:
    """Blocked share of every pool at the times `t_h`, (times, pools)."""
    if not stepper.kinetics.species:
        return np.zeros((len(t_h), len(stepper.pools)))
    now = Moment(float(t_h[0]), stepper.healthy(), stepper.kinetics.start(), stepper.baseline)
    held = [stepper.block(now.blocked)[0]]
    for given in stepper.given(t_h, SUBSTEPS):
        levels = {**{name: x[0] for name, x in given.targets.items()}, "stress": given.stress[0]}
        now = replace(
            now, activity=stepper.answer(stepper.drives(now.y, stepper.no_block(), levels))
        )
        blocked = stepper.advance_block(now, now.activity, given)[-1]
        now = replace(now, t_h=float(given.t_h[-1]), blocked=blocked)
        held.append(stepper.block(blocked)[0])
    return np.array(held)
