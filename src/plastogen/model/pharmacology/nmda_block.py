"""In: unbound drug at the receptor, agonist and voltage. Out: the blocked share of each NMDA
receptor pool.

Per pool, subunit and drug species there are two blocked states, trapped (t) and superficial (s),
filled from the free channels U = 1 - sum(t + s), for which all species compete:

    dt/dt = a [ trapped       kon C v(V) U - koff(V) t ]
    ds/dt = a [ (1 - trapped) kon C v(V) U - koff(V) s ] - (1 - a) s / escape_time

`a` is the agonist-bound fraction and v the magnesium-free share of pores (`magnesium`, the law of
the receptor's current too), so magnesium enters once (v) and never through `a`. With a -> 0 the
trapped part is frozen and the superficial part leaves (Mealing 1999; Kotermanski, Wood and Johnson
2009). Magnesium and drug compete for one site in the pore:

    IC50(Mg) = IC50(0) (1 + Mg / Kmg) = IC50(0) / v,     kon = koff / IC50(0)

at the reference voltage: block at a = 1 is 0.5 at the IC50, in the magnesium it was measured in.
"""

from __future__ import annotations

from typing import Annotated, TypeAlias

import numpy as np
import numpy.typing as npt

from plastogen._base.definition import Definition
from plastogen._base.quantity import In, Quantity
from plastogen.model.pharmacology.magnesium import SUBUNITS, Magnesium

Array: TypeAlias = npt.NDArray[np.float64]

Molar = Annotated[Quantity, In("uM", above=0)]


class BySubunit(Definition):
    """A concentration for receptors of GluN1 with each GluN2 subunit."""

    GluN2A: Molar
    GluN2B: Molar
    GluN2C: Molar
    GluN2D: Molar

    def uM(self) -> Array:
        """The four concentrations, uM, in the order of `SUBUNITS`."""
        return np.array([float(getattr(self, name)) for name in SUBUNITS])


class NmdarBlock(Definition):
    """How one drug species blocks the open NMDA receptor channel. `ic50` was measured at
    `reference_voltage`, with `reference_mg` of magnesium (0: without).
    """

    ic50: BySubunit
    reference_mg: Annotated[Quantity, In("mM", minimum=0)]
    reference_voltage: Annotated[Quantity, In("mV")]
    unblocking_rate: Annotated[Quantity, In("1/s", above=0)]
    trapped: Annotated[Quantity, In("1", minimum=0, maximum=1)]
    escape_time: Annotated[Quantity, In("s", above=0)]
    voltage_efold: Annotated[Quantity, In("mV", above=0)]


def ic50_without_mg_uM(block: NmdarBlock, magnesium: Magnesium) -> Array:
    """IC50 of each subunit at the block's reference voltage without magnesium, uM: (subunits,)."""
    law = magnesium.at(float(block.reference_mg))
    return np.asarray(block.ic50.uM() * law.free(float(block.reference_voltage)))


def unblocking_rate(block: NmdarBlock, v_mV: npt.ArrayLike) -> Array:
    """koff, 1/s, at voltage `v_mV` (Woodhull 1973; Huettner and Bean 1988 for MK-801)."""
    shift = (np.asarray(v_mV, float) - float(block.reference_voltage)) / float(block.voltage_efold)
    rate: Array = float(block.unblocking_rate) * np.exp(shift)
    return rate


def ic50_uM(block: NmdarBlock, v_mV: npt.ArrayLike, magnesium: Magnesium) -> Array:
    """IC50 of each subunit at a voltage in `magnesium`, uM: shape v_mV.shape + (subunits,)."""
    slower = unblocking_rate(block, v_mV) / float(block.unblocking_rate)
    without = ic50_without_mg_uM(block, magnesium)
    return np.asarray(without * slower[..., None] / magnesium.free(v_mV))


def occupancy_readout(brain_uM: npt.ArrayLike, half_uM: float) -> Array:
    """Displacement of [3H]MK-801, C/(C + half) (Shaffer 2014): shown beside block, never fed to
    circuits.
    """
    c = np.asarray(brain_uM, float)
    occupied: Array = c / (c + half_uM)
    return occupied
