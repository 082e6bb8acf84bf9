"""In: block, the slow state and the values of drugs' targets. Out: what the circuit is told
(`State`) and what the slow layer is told (`Inputs`).

One owner of the seam: a target of `model.pharmacology.TARGETS` reaches its reader here, whoever
follows the course. Numbers may be arrays with one number a course.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np

from plastogen.model.circuit import (
    PRINCIPAL,
    Activity,
    Circuit,
    Drive,
    State,
    balance,
    cell_values,
    reduce,
)
from plastogen.model.pharmacology import OF_SUBUNITS, TARGETS, by_pool, receptors, value
from plastogen.model.plasticity import STATES, Inputs, Plasticity, SlowModel

RAISED = 2  # times the healthy level: a slow state in which everything happens

_CIRCUIT = tuple(n for n, t in TARGETS.items() if t.read_by == "circuit" and n != "nmdar")
_SIGNALLING = tuple(n for n, t in TARGETS.items() if t.read_by == "signalling")


def held_state(
    block: Mapping[str, Any],
    slow: Mapping[str, Any],
    density: Any,
    targets: Mapping[str, Any],
    *,
    inhibition: Any,
    feedback: bool,
) -> State:
    """What a probe holds, from block by pool, the slow state by name, and the values of targets.

    density: of spines. inhibition: the subject's. Without `feedback` the circuit knows nothing of
    its synapses.
    """
    numbers = {name: value(targets, name) for name in _CIRCUIT}
    return State(
        nmdar={
            pool: (1 - share) * (1 + slow["tolerance"]) * receptors(targets, pool)
            for pool, share in block.items()
        },
        weight=slow["weight"] if feedback else 1,
        spines=density if feedback else 1,
        scaling=slow["scaling"] if feedback else 1,
        inhibitory_weight=slow["inhibitory_weight"] if feedback else 1,
        pv_integrity=slow["pv_integrity"],
        **{**numbers, "gaba": inhibition * numbers["gaba"]},
    )


def slow_inputs(
    circuit: Circuit,
    block: Mapping[str, Any],
    targets: Mapping[str, Any],
    *,
    relative: Mapping[str, Any] = MappingProxyType({}),
    stress: Any = 0.0,
) -> Inputs:
    """What the slow layer is told: activity relative to the healthy circuit's (`relative`), block
    by pool, the values of targets.

    What a class has lost is the mean of its synaptic and its tonic receptors; those at rest are
    not counted.
    """

    def lost(classes: Sequence[str], *kinds: str) -> Any:
        pools = {f"{name}.{kind}" for name in classes for kind in kinds}
        shares = [
            share + (1 - share) * np.maximum(1 - receptors(targets, pool), 0)
            for pool, share in block.items()
            if pool in pools
        ]
        return sum(shares) / len(shares) if shares else 0.0

    at_rest = f"{circuit.principal}.rest"
    resting = (1 - block[at_rest]) * receptors(targets, at_rest) if at_rest in block else 1.0
    return Inputs(
        **relative,
        rest_current=resting,
        pv_block=lost(circuit.of_role("perisomatic"), "synaptic", "tonic"),
        e_block=lost((circuit.principal,), "synaptic", "tonic"),
        stress=stress,
        **{name: value(targets, name) for name in _SIGNALLING},
    )


def relative(
    activity: Activity, baseline: Activity, *, nmda_share: Any, quiet: Any
) -> dict[str, Any]:
    """What the circuit does relative to the healthy one, (..., courses): by names of `Inputs`.

    nmda_share: part of a spine's calcium that comes in through NMDA receptors, the rest comes with
    the cell's own spikes. quiet: see `relative_balance`.
    """
    rate = activity.rate_hz[..., PRINCIPAL] / baseline.rate_hz[..., PRINCIPAL]
    inhibitory, inhibitory_0 = (
        a.rate_hz[..., PRINCIPAL + 1 :].sum(axis=-1) for a in (activity, baseline)
    )
    entry = activity.calcium / baseline.calcium
    moved, moved_0 = (a.potentiation + a.depression for a in (activity, baseline))
    return {
        "rate_E": rate,
        "rate_I": inhibitory / np.where(inhibitory_0 > 0, inhibitory_0, 1),
        "ampa_throughput": activity.ampa_throughput / baseline.ampa_throughput,
        "calcium": (1 - nmda_share) * rate + nmda_share * entry,
        "balance": relative_balance(
            activity.potentiation, activity.depression, baseline, quiet=quiet
        ),
        "above_threshold": moved.sum(axis=-1) / moved_0.sum(axis=-1),
    }


def relative_balance(potentiation: Any, depression: Any, baseline: Activity, *, quiet: Any) -> Any:
    """Where the rule drives synapses to, relative to the healthy circuit (`circuit.balance`); both
    (..., courses, classes).

    Little says little: a share `quiet` of what the healthy circuit does is added to both, so that
    the balance of a silent circuit is as it was, and a class that is seldom heard counts little.
    """
    share = np.asarray(quiet)[..., None]

    def goal(up: Any, down: Any) -> Any:
        return balance(up + share * baseline.potentiation, down + share * baseline.depression)

    return goal(potentiation, depression) / goal(baseline.potentiation, baseline.depression)


def targets_of(circuit: Circuit) -> tuple[str, ...]:
    """Names of the targets there are in a circuit, those of its pools included."""
    pools = circuit.pools()
    there = {f"nmdar.{subunit}" for mix in pools.values() for subunit in mix}
    subunits = tuple(name for name in OF_SUBUNITS if name in there)
    return (*TARGETS, *(f"nmdar.{pool}" for pool in pools), *subunits)


def reaches(circuit: Circuit, plasticity: Plasticity, name: str) -> bool:
    """Whether a target moves anything that the circuit's cells or the slow layer are given.

    Asked at rest, and where signals are raised: at rest no new protein is made, so that what takes
    it away does nothing there.
    """
    model, block = SlowModel(plasticity), dict.fromkeys(circuit.pools(), 0.0)
    rest = model.healthy_state()
    slow = dict(zip(STATES, rest.tolist(), strict=True))

    def told(given: Mapping[str, Any]) -> tuple[Drive, Inputs]:
        targets = by_pool(given, circuit.pools())
        state = held_state(block, slow, 1.0, targets, inhibition=1.0, feedback=True)
        return reduce(circuit, state), slow_inputs(circuit, block, targets)

    (drive, inputs), (drive_0, inputs_0) = told({name: 0.5}), told({})
    if drive != drive_0:
        cells, cells_0 = (cell_values(circuit, d, 0) for d in (drive, drive_0))
        if any(not np.array_equal(cells[key], cells_0[key]) for key in cells):
            return True
    return any(
        not np.array_equal(model.rate_of_change(y, inputs), model.rate_of_change(y, inputs_0))
        for y in (rest, RAISED * rest)
    )
