"""In: the library of models, what a row of the evidence gives. Out: one number of the models.

These rows stand on no course: what was put in is read as it is written.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TypeAlias

import numpy as np

from plastogen._base.library import Library
from plastogen._base.units import parse
from plastogen.model.circuit import Circuit
from plastogen.model.pharmacology import (
    SUBUNITS,
    Array,
    BlockKinetics,
    Drug,
    NmdarBlock,
    Pool,
    ic50_without_mg_uM,
)
from plastogen.model.plasticity import Plasticity, Spines

Given: TypeAlias = Mapping[str, str]
LONG_S = 10**7  # long enough for block to settle


def clearance(library: Library, given: Given) -> float:
    """Clearance at the reference weight, L/h."""
    kinetics = _drug(library, given).kinetics_for(given["animal"])  # type: ignore[arg-type]
    assert kinetics is not None
    return float(kinetics.clearance) * parse("1 h", "min")


def volume(library: Library, given: Given) -> float:
    """Sum of the volumes of all compartments at the reference weight, L."""
    kinetics = _drug(library, given).kinetics_for(given["animal"])  # type: ignore[arg-type]
    assert kinetics is not None
    return float(kinetics.central_volume) + sum(float(p.volume) for p in kinetics.peripheral)


def half_life(library: Library, given: Given) -> float:
    """Elimination half-life of a one-compartment set, min."""
    kinetics = _drug(library, given).kinetics_for(given["animal"])  # type: ignore[arg-type]
    assert kinetics is not None
    assert not kinetics.peripheral
    return math.log(2) * float(kinetics.central_volume) / float(kinetics.clearance)


def magnesium_shift(library: Library, given: Given) -> float:
    """IC50 with magnesium over IC50 without, for one subunit, at the voltage of the IC50."""
    block, at = _block(library, given), SUBUNITS.index(given["subunit"])
    without = ic50_without_mg_uM(block, _prefrontal(library).magnesium)
    return float(block.ic50.uM()[at] / without[at])


def trapped(library: Library, given: Given) -> float:
    """Share of block left after a wash without agonist, no magnesium (the protocol of Mealing
    1999).
    """
    kinetics = _kinetics(library, given, mg_mM=0)
    load, wash = parse(given["load"], "h"), parse(given["wash"], "h")
    voltage = float(_block(library, given).reference_voltage)
    blocked = _held(
        kinetics, kinetics.start(), 1, parse(given["concentration"], "uM"), voltage, load
    )
    left = _held(kinetics, blocked, 0, 0, voltage, wash)
    return float(kinetics.fraction(left)[0] / kinetics.fraction(blocked)[0])


def untrapping_ratio(library: Library, given: Given) -> float:
    """How much longer a blocker takes to leave with agonist at one voltage than at another
    (Huettner 1988).
    """
    kinetics = _kinetics(library, given, mg_mM=1)
    voltage = float(_block(library, given).reference_voltage)
    full = _held(
        kinetics, kinetics.start(), 1, parse("10 uM", "uM"), voltage, parse(f"{LONG_S} s", "h")
    )
    rates = []
    for key in ("slow", "fast"):
        minute = parse("1 min", "h")
        later = _held(kinetics, full, 1, 0, parse(given[key], "mV"), minute)
        rates.append(math.log(float(kinetics.fraction(full)[0] / kinetics.fraction(later)[0])))
    return rates[1] / rates[0]


def turnover(library: Library, given: Given) -> float:
    """Share of a healthy cohort of spines that is gone after an interval; as many are new."""
    spines = Spines(library.load("plasticity", given["plasticity"], Plasticity).spine)
    hours = parse(given["interval"], "h")
    transient = spines.transient * -math.expm1(-spines.transient_h * hours)
    return transient + spines.persistent * -math.expm1(-spines.loss_h * hours)


def _drug(library: Library, given: Given) -> Drug:
    return library.load("drugs", given["drug"], Drug)


def _block(library: Library, given: Given) -> NmdarBlock:
    return _drug(library, given).actions.nmdar[given["drug"]]


def _kinetics(library: Library, given: Given, *, mg_mM: float) -> BlockKinetics:
    circuit = _prefrontal(library)
    pool = Pool("E.synaptic", circuit.populations["E"].nmdar.synaptic.shares())
    return BlockKinetics(
        [pool], {given["drug"]: _block(library, given)}, circuit.magnesium.at(mg_mM)
    )


def _prefrontal(library: Library) -> Circuit:
    return library.load("circuits", "prefrontal", Circuit)


def _held(
    kinetics: BlockKinetics, state: Array, a: float, uM: float, v_mV: float, hours: float
) -> Array:
    gating = kinetics.gating([float(a)], np.ones((1, 1)), [v_mV])
    path = kinetics.advance(state, gating, gating, brain_uM=np.full((3, 1), float(uM)), dt_h=hours)
    return np.asarray(path[-1])


FUNCTIONS: dict[str, Callable[[Library, Given], float]] = {
    function.__name__: function
    for function in (
        clearance,
        volume,
        half_life,
        magnesium_shift,
        trapped,
        untrapping_ratio,
        turnover,
    )
}
