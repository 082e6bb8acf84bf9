"""In: spikes and sampled voltages. Out: what a probe freezes (`State`), what it told the circuit
(`Drive`) and what the circuit did (`Activity`): all that the two clocks say to each other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from plastogen.model.circuit import measures
from plastogen.model.circuit.definition import PRINCIPAL, Circuit
from plastogen.model.circuit.drive import Drive
from plastogen.model.circuit.synapse_classes import Drift
from plastogen.model.pharmacology import BlockKinetics, Drug, Pool

Array: TypeAlias = npt.NDArray[np.float64]


@dataclass(frozen=True)
class State:
    """What a probe freezes. `nmdar`: pool -> conductance left (1: all; above 1 after
    up-regulation).

    ampa, gaba, release, perisomatic: factors on conductances, on release and on the output of
    perisomatic cells; silence: share of the silencing conductance open. weight, spines, scaling:
    the factors of the strength between principal cells; inhibitory_weight: of inhibitory synapses
    onto these; pv_integrity: what perisomatic cells have left. All relative to the healthy subject.

    >>> plastogen.simulation.State(nmdar={"PV.synaptic": 0.5}).nmdar
    {'PV.synaptic': 0.5}
    """

    nmdar: dict[str, float] = field(default_factory=dict)
    ampa: float = 1
    gaba: float = 1
    release: float = 1
    perisomatic: float = 1
    silence: float = 0
    weight: float = 1
    spines: float = 1
    scaling: float = 1
    inhibitory_weight: float = 1
    pv_integrity: float = 1


def reduce(circuit: Circuit, state: State) -> Drive:
    """What the network is told of a state: block by class and kind of receptor, and one product for
    strength. Inhibition and output of perisomatic cells are told where the circuit has them.
    """
    numbers: dict[str, Any] = {}
    for pool, share in state.nmdar.items():
        name, _, kind = pool.partition(".")
        if kind != "rest":
            numbers[f"{'nmda' if kind == 'synaptic' else 'tonic'}_{name}"] = share
    if circuit.inhibitory:
        numbers["inhibitory_weight"] = state.inhibitory_weight
    if circuit.of_role("perisomatic"):
        numbers["pv_output"] = state.pv_integrity * state.perisomatic
    return Drive(
        **numbers,
        ampa=state.ampa,
        gaba=state.gaba,
        release=state.release,
        silence=state.silence,
        recurrent=state.weight * state.spines * state.scaling,
    )


@dataclass(frozen=True, eq=False)
class Activity:
    """What the circuit did in a window, with standard errors of the rates.

    rate_hz, rate_se_hz: (classes,). glutamate: release of principal cells (Hz). ampa_throughput:
    AMPA current these pass to each other (Hz, relative units). bound: share of synaptic NMDA
    receptors with glutamate. calcium: entry through those of principal cells (mV, relative units).
    pattern_shift: see `measures.pattern_shift`. voltage: share of time at each of
    `measures.bin_centres_mV()`, (classes, bins).

    Over classes of synapse between principal cells, as in `synapse_classes`, at the efficacy where
    the calcium rule begins (not a number where none is followed): potentiation, depression: how
    often a second, in units of the rule's tau, either process has time to act; drift_variance:
    of what they come to, potentiation (1 - w) - depression w, between the synapses of a class
    (1/s^2).

    >>> small = plastogen.load_model("circuits", "small")
    >>> healthy = plastogen.simulation.FormulaProbe(small)(plastogen.simulation.State(), seed=1)
    >>> healthy.rate_hz.shape
    (3,)
    """

    rate_hz: Array
    rate_se_hz: Array
    glutamate: float
    ampa_throughput: float
    bound: float
    calcium: float
    pattern_shift: float
    voltage: Array
    potentiation: Array
    depression: Array
    drift_variance: Array

    @classmethod
    def from_arrays(cls, arrays: dict[str, Array]) -> Activity:
        """The activity whose `arrays()` these are. Raises KeyError when one is missing."""
        values = {f.name: arrays[f.name] for f in fields(cls)}
        return cls(
            **{name: value if value.ndim else float(value) for name, value in values.items()}  # type: ignore[arg-type]
        )

    def arrays(self) -> dict[str, Array]:
        """Every value as an array, by name."""
        return {f.name: np.asarray(getattr(self, f.name), dtype=float) for f in fields(self)}


def agonist(circuit: Circuit, activity: Activity, baseline: Activity) -> dict[str, Any]:
    """Pool -> share of the time its receptors have glutamate bound, one number or one a course.

    Synaptic: from spikes. Tonic: ambient glutamate, whose vesicular part goes with release. Rest:
    spontaneous release, and ambient glutamate, lower there, between.
    """
    k = circuit.agonist
    relative = k.ambient_glutamate(activity.glutamate / baseline.glutamate)
    ambient = np.minimum(1.0, float(k.ambient) * relative)
    mini = float(k.mini_rate) * float(k.saturation) * float(circuit.decays.nmda) / measures.MS_PER_S

    def bound(kind: str, subunits: Mapping[str, float]) -> Any:
        if kind == "rest":
            between = 0.0 if k.resting is None else k.resting.bound(subunits, relative)
            return mini + (1 - mini) * between
        return activity.bound if kind == "synaptic" else ambient

    return {pool: bound(pool.partition(".")[2], mix) for pool, mix in circuit.pools().items()}


def voltages(circuit: Circuit, activity: Activity) -> dict[str, Array]:
    """Pool -> distribution of its membrane's voltage over the bins; at rest all the weight is at
    the resting one.
    """
    return measures.by_pool(circuit, activity.voltage)


def left_under(circuit: Circuit, drug: Drug, uM: float, rest: Activity) -> dict[str, float]:
    """Pool -> what a lasting unbound concentration of the drug leaves of its current, at
    equilibrium with glutamate and voltages as in `rest`, the drug-free network.
    """
    pools, species = circuit.pools(), str(drug.parent)
    kinetics = BlockKinetics(
        [Pool(name, mix) for name, mix in pools.items()],
        {species: drug.actions.nmdar[species]},
        circuit.magnesium,
    )
    shares, at = agonist(circuit, rest, rest), voltages(circuit, rest)
    state = kinetics.equilibrium(
        [shares[p] for p in pools], [at[p] for p in pools], measures.bin_centres_mV(), [uM]
    )
    carried = kinetics.carried(measures.unit_currents(circuit).values())
    return dict(zip(pools, (1 - kinetics.fraction(state, carried)).tolist(), strict=True))


def derive_activity(
    circuit: Circuit,
    drive: Drive,
    *,
    rate_hz: Array,
    rate_se_hz: Array,
    bound: Any,
    pattern_shift: Any,
    voltage: Array,
    drift: Drift,
) -> Activity:
    """The activity that follows from what was counted; all may have one row a course, as may
    numbers of the drive.
    """
    e, entry = PRINCIPAL, f"{circuit.principal}.synaptic"
    released = rate_hz[..., e] * drive["release"]
    passed = released * drive["recurrent"] * drive["ampa"]
    numbers: dict[str, Any] = {
        "glutamate": released,
        "ampa_throughput": passed,
        "bound": bound,
        "calcium": bound
        * drive[f"nmda_{circuit.principal}"]
        * measures.pool_current(circuit, entry, voltage[..., e, :]),
        "pattern_shift": pattern_shift,
    }
    if rate_hz.ndim == 1:
        numbers = {name: float(number) for name, number in numbers.items()}
    return Activity(
        rate_hz=rate_hz,
        rate_se_hz=rate_se_hz,
        voltage=voltage,
        potentiation=drift.potentiation,
        depression=drift.depression,
        drift_variance=drift.variance,
        **numbers,
    )
