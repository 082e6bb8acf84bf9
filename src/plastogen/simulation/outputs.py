"""In: the slow state along a course and what the circuit did. Out: every variable that is written
down.

Arrays may carry one axis of courses after that of time: all that stands here is arithmetic along
the last axes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from plastogen._base.quantity import Quantity
from plastogen.model.circuit import Activity, Circuit, measures
from plastogen.model.plasticity import STATES, Plasticity, SlowModel
from plastogen.simulation.coupling import relative_balance
from plastogen.simulation.switches import Switches
from plastogen.simulation.variables import VARIABLES, variables_of

Array: TypeAlias = npt.NDArray[np.float64]


def switched(plasticity: Plasticity, switches: Switches) -> Plasticity:
    """The plasticity with homeostasis taken out when it is switched off."""
    if switches.homeostasis == "on":
        return plasticity
    none = Quantity(0.0, "1", "0")
    return plasticity.model_copy(
        update={"synapse": plasticity.synapse.model_copy(update={"scaling_range": none})}
    )


def observe(
    circuit: Circuit,
    model: SlowModel,
    y: Array,
    recorded: Callable[[str], Array],
    *,
    start: Activity,
    baseline: Activity,
    reference: Array,
    stress: Array,
) -> dict[str, Array]:
    """Variables of results.nc along a course, but concentrations, occupancy, stress and block;
    only those the circuit has (`variables_of`).

    y: (times, ..., states). recorded: a number of `Activity` along the course, (times, ...). start,
    baseline: activity when the course begins, and of the healthy circuit. reference: the slow state
    when the course begins.
    """
    found = {name: y[..., i] for i, name in enumerate(STATES)} | {
        "rate_hz": recorded("rate_hz"),
        "rate_se_hz": recorded("rate_se_hz"),
        "glutamate": 100 * recorded("glutamate") / start.glutamate,
        "ampa_throughput": recorded("ampa_throughput") / baseline.ampa_throughput,
        "calcium": recorded("calcium") / baseline.calcium,
        "balance": relative_balance(
            recorded("potentiation"),
            recorded("depression"),
            baseline,
            quiet=model.strength.quiet,
        ),
        "pattern_shift": recorded("pattern_shift"),
        "recurrent": model.recurrent(y),
        "structure": model.structure(y),
        "spine_density": model.spine_density(y),
        "vacant": model.vacant(y),
        "spine_formation": model.formation(y, stress),
        "spine_elimination": model.elimination(y, stress),
        "clinical_effect": model.clinical_effect(y, reference),
    }
    if circuit.of_role("dendritic"):
        found["dissociation"] = measures.dissociation(circuit, recorded("rate_hz"), start.rate_hz)
    absent = VARIABLES.keys() - variables_of(circuit).keys()
    return {name: values for name, values in found.items() if name not in absent}
