"""In: a plan whose induction goes through the spiking network, and the drive that is held. Out:
what becomes of the driven synapses.

Electrodes make the cells of a pathway fire, in a network whose cells fire by themselves as well.
The pathway goes to the principal cell that most principal cells reach; which of those are driven is
drawn. Its rule is that of a living brain (`in_vivo`), as everywhere in the network. Its synapses
transmit as before, so that their efficacies follow from the spikes of their cells.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from plastogen._base.streams import stream
from plastogen.model.circuit import Circuit, Drive, Engine, RuleNumbers, measures
from plastogen.model.plasticity import Efficacies, Induction, connection_probability, efficacies
from plastogen.simulation.course import Plan

Array: TypeAlias = npt.NDArray[np.float64]
Indices: TypeAlias = npt.NDArray[np.int32]

ANY_MS = 1  # of a network that only says who is connected to whom
AFTER = 5  # times of calcium after which too little is left to move anything


def induce_in_network(
    plan: Plan,
    engine: Engine,
    drive: Drive,
    numbers: RuleNumbers,
    at_s: Array,
    left: Callable[[float], float],
) -> list[Efficacies]:
    """Every driven synapse at the times `at_s` (s from the induction's first spike), `drive` held.

    `left(s)`: conductance of their NMDA receptors that drugs leave. Raises EngineError, StoreError.
    """
    induction = plan.induction
    assert induction is not None
    rng = np.random.default_rng(stream(plan.seed, "induction"))
    pre, post = induction.spike_times(rng)
    before, behind = _pathway(plan, engine, induction, rng)
    begin_s = min([0.0, *pre.ravel(), *post])
    driven_s = np.concatenate([pre.ravel(), post]) - begin_s
    cells = np.concatenate([np.repeat(before, pre.shape[1]), np.full(len(post), behind)])
    seconds = float(max(driven_s)) + AFTER * numbers.calcium_s + numbers.delay_s
    spikes = engine.run(
        drive, plan.seed, seconds=seconds, settle_s=plan.settle_s, driven=(driven_s, cells)
    )
    own, fired_s = 1 - float(induction.block), spikes.t_s + begin_s
    first = induction.first_efficacies(numbers.initial)
    return [
        efficacies(
            numbers,
            fired_s[spikes.i == cell],
            fired_s[spikes.i == behind],
            at_s,
            left=lambda s: own * left(s),
            initial=float(one),
        )
        for cell, one in zip(before, first, strict=True)
    ]


def most_synapses(circuit: Circuit) -> int:
    """As many principal cells as reach one of them on average: there is one that more reach."""
    others = circuit.populations[circuit.principal].count - 1
    return int(connection_probability(circuit) * others)


def _pathway(
    plan: Plan, engine: Engine, induction: Induction, rng: np.random.Generator
) -> tuple[Indices, int]:
    """Cells before, in rising order, and the cell behind."""
    wiring = engine.run(
        Drive(), plan.seed, seconds=ANY_MS / measures.MS_PER_S, settle_s=0, synapses=True
    ).synapses
    assert wiring is not None
    last = plan.circuit.slices()[plan.circuit.principal].stop
    before, behind = wiring[:, (wiring < last).all(axis=0)]
    target = int(np.argmax(np.bincount(behind, minlength=last)))
    found = before[behind == target]
    return np.sort(rng.choice(found, induction.synapses, replace=False)), target
