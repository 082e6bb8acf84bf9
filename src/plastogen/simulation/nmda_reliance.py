"""In: a circuit. Out: how much each class relies on its NMDA receptors, and what each number of
`Drive` does.

Two views. `current_shares`: the part of a class's excitatory current that NMDA receptors carry at
baseline. `slopes`: how the log rate of each class moves with each number of `Drive`, measured in
the network by small steps to both sides; the formula in a circuit's file is made of these slopes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from plastogen.model.circuit import (
    PRINCIPAL,
    Activity,
    Circuit,
    Drive,
    measures,
)
from plastogen.model.plasticity import STATES, CalciumRule, Inputs, Plasticity, SlowModel
from plastogen.simulation.probe import CachedProbe, NetworkProbe

Array = npt.NDArray[np.float64]

STEP = 0.1  # of a Drive number, to each side


@dataclass(frozen=True)
class Reliance:
    """Of one circuit, means over seeds. nmda_share, tonic_share: part of the excitatory current,
    (classes,).

    numbers: those of the circuit's drive. slope, slope_se: d ln(rate) / d(number), (classes,
    numbers) and its standard error over seeds. rate_hz, voltage_mV: at baseline, (classes,);
    bound: share of synaptic receptors with glutamate bound there.
    """

    numbers: tuple[str, ...]
    nmda_share: Array
    tonic_share: Array
    slope: Array
    slope_se: Array
    rate_hz: Array
    voltage_mV: Array
    bound: float


def current_shares(circuit: Circuit, activity: Activity) -> tuple[Array, Array]:
    """Share of the mean excitatory current through synaptic and through tonic NMDA receptors;
    (classes,) each.
    """
    push = float(circuit.reversals.excitatory) - measures.bin_centres_mV()
    ampa_s = float(circuit.decays.ampa) / measures.MS_PER_S
    synaptic, tonic = [], []
    for name, voltage in zip(circuit.classes, activity.voltage, strict=True):
        population, wired = circuit.populations[name], circuit.connection(circuit.principal, name)
        force = float((voltage * push).sum())
        of_synapses, of_tonic = (
            float(measures.pool_current(circuit, f"{name}.{kind}", voltage))
            for kind in ("synaptic", "tonic")
        )
        inputs = circuit.populations[circuit.principal].count * (
            float(wired.probability) if wired else 0
        )
        ampa = nmda = 0.0
        if wired and wired.ampa is not None and wired.nmda is not None:
            ampa = inputs * float(wired.ampa) * float(activity.rate_hz[PRINCIPAL]) * ampa_s * force
            nmda = inputs * float(wired.nmda) * activity.bound * of_synapses
        outside = float(population.background) * float(circuit.background.rate) * ampa_s * force
        lasting = float(population.tonic_nmda) * of_tonic
        whole = ampa + nmda + outside + lasting
        synaptic.append(nmda / whole)
        tonic.append(lasting / whole)
    return np.array(synaptic), np.array(tonic)


def measure_reliance(
    circuit: Circuit,
    *,
    seeds: Sequence[int],
    seconds: float,
    settle_s: float,
    backend: str | None = None,
) -> Reliance:
    """Measure `circuit` in the network. Raises EngineError, StoreError."""
    probe = CachedProbe(NetworkProbe(circuit, seconds=seconds, settle_s=settle_s, backend=backend))
    base = [probe.measure(Drive(), seed) for seed in seeds]
    shares = np.array([current_shares(circuit, activity) for activity in base])
    floor = 1 / seconds
    numbers = circuit.drive_numbers
    slopes = np.empty((len(seeds), len(circuit.classes), len(numbers)))
    for column, name in enumerate(numbers):
        at = Drive()[name]
        low, high = (at, at + STEP) if name == "silence" else (at - STEP, at + STEP)
        for row, seed in enumerate(seeds):
            ends = [probe.measure(Drive(**{name: x}), seed).rate_hz + floor for x in (low, high)]
            slopes[row, :, column] = np.log(ends[1] / ends[0]) / (high - low)
    spread = (
        slopes.std(axis=0, ddof=1) / np.sqrt(len(seeds))
        if len(seeds) > 1
        else np.full(slopes.shape[1:], np.nan)
    )
    centres = measures.bin_centres_mV()
    return Reliance(
        numbers=numbers,
        nmda_share=shares[:, 0].mean(axis=0),
        tonic_share=shares[:, 1].mean(axis=0),
        slope=slopes.mean(axis=0),
        slope_se=spread,
        rate_hz=np.mean([activity.rate_hz for activity in base], axis=0),
        voltage_mV=np.mean([activity.voltage @ centres for activity in base], axis=0),
        bound=float(np.mean([activity.bound for activity in base])),
    )


def slowest_return_per_h(plasticity: Plasticity, rule: CalciumRule, reliance: Reliance) -> float:
    """Spectral abscissa (1/h) of the slow state at the healthy rest, the circuit in the loop by its
    measured slopes.

    Negative: after a nudge the state comes back. Strength J and inhibitory weight change the rate
    of E cells by their slopes, what they pass on by J times that, and the balance of potentiation
    and depression as the formula of the rule has it. With no free protein at rest no loop is too
    strong: nothing is captured. Raises ValueError for a rule without a formula.
    """
    slope = dict(zip(reliance.numbers, reliance.slope[PRINCIPAL].tolist(), strict=True))
    model = SlowModel(plasticity)
    if rule.formula is None:
        raise ValueError(f"{rule.title} has no formula to stand in for the network")
    synapses = rule.formula

    def balance(rate: float) -> float:
        return float(synapses.drift(rate, 1.0).balance)

    def answered(y: Array) -> Inputs:
        j = float(model.recurrent(y))
        inhibited = float(y[STATES.index("inhibitory_weight")])
        away = {"recurrent": j - 1, "inhibitory_weight": inhibited - 1}
        rate = float(np.exp(sum(slope.get(name, 0.0) * x for name, x in away.items())))
        moved = balance(rate) / balance(1.0)
        return Inputs(rate_E=rate, ampa_throughput=rate * j, calcium=rate, balance=moved)

    return model.spectral_abscissa(model.healthy_state(), answered)
