"""In: unbound drug at the receptor, agonist and voltage. Out: the blocked share of each NMDA
receptor pool.

Per pool, subunit and drug species there are two blocked states, trapped (t) and superficial (s),
filled from the free channels U = 1 - sum(t + s), for which all species compete:

    dt/dt = a [ trapped       kon C v(V) U - koff(V) t ]
    ds/dt = a [ (1 - trapped) kon C v(V) U - koff(V) s ] - (1 - a) s / escape_time

`a` is the agonist-bound fraction and v the magnesium-free share of pores, so magnesium enters once
(v) and never through `a`. With a -> 0 the trapped part is frozen and the superficial part leaves
(Mealing 1999; Kotermanski, Wood and Johnson 2009). kon = koff / IC50 without magnesium, both at the
reference voltage: block at a = 1 is 0.5 at the IC50.
"""

from __future__ import annotations

from typing import Annotated, TypeAlias

import numpy as np
import numpy.typing as npt
from pydantic import model_validator

from plastogen._base.definition import Definition
from plastogen._base.quantity import Fault, In, Quantity, faulty

Array: TypeAlias = npt.NDArray[np.float64]

SUBUNITS = ("GluN2A", "GluN2B", "GluN2C", "GluN2D")

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
    """How one drug species blocks the open NMDA receptor channel."""

    ic50: BySubunit
    ic50_without_mg: BySubunit
    reference_mg: Annotated[Quantity, In("mM", above=0)]
    reference_voltage: Annotated[Quantity, In("mV")]
    unblocking_rate: Annotated[Quantity, In("1/s", above=0)]
    trapped: Annotated[Quantity, In("1", minimum=0, maximum=1)]
    escape_time: Annotated[Quantity, In("s", above=0)]
    voltage_efold: Annotated[Quantity, In("mV", above=0)]

    @model_validator(mode="after")
    def _magnesium_only_protects(self) -> NmdarBlock:
        pairs = zip(SUBUNITS, self.ic50.uM(), self.ic50_without_mg.uM(), strict=True)
        faults = [
            Fault(
                f"ic50.{name}",
                f"{with_mg:g} uM",
                f"at least the IC50 without magnesium, {without:g} uM",
            )
            for name, with_mg, without in pairs
            if with_mg < without
        ]
        if faults:
            raise faulty(faults)
        return self


def magnesium_affinity(block: NmdarBlock) -> Array:
    """1/Kmg of each subunit, 1/mM, at the block's reference voltage, from its two IC50s: shape
    (subunits,).

    IC50(Mg) = IC50(0) (1 + Mg/Kmg): competition of magnesium and drug for one site in the pore.
    """
    ratio: Array = block.ic50.uM() / block.ic50_without_mg.uM()
    return (ratio - 1) / float(block.reference_mg)


def magnesium_free(
    block: NmdarBlock, v_mV: npt.ArrayLike, *, mg_mM: float, mg_efold_mV: float
) -> Array:
    """v(V), the share of pores not held by magnesium: shape v_mV.shape + (subunits,).

    Woodhull (1973), as in Jahr and Stevens (1990); `mg_efold_mV` is the voltage that changes Kmg
    e-fold.
    """
    v = np.asarray(v_mV, float)[..., None] - float(block.reference_voltage)
    free: Array = 1 / (1 + mg_mM * magnesium_affinity(block) * np.exp(-v / mg_efold_mV))
    return free


def unblocking_rate(block: NmdarBlock, v_mV: npt.ArrayLike) -> Array:
    """koff, 1/s, at voltage `v_mV` (Woodhull 1973; Huettner and Bean 1988 for MK-801)."""
    shift = (np.asarray(v_mV, float) - float(block.reference_voltage)) / float(block.voltage_efold)
    rate: Array = float(block.unblocking_rate) * np.exp(shift)
    return rate


def ic50_uM(block: NmdarBlock, v_mV: npt.ArrayLike, *, mg_mM: float, mg_efold_mV: float) -> Array:
    """IC50 of each subunit at a voltage and a magnesium concentration, uM: shape v_mV.shape +
    (subunits,).
    """
    free = magnesium_free(block, v_mV, mg_mM=mg_mM, mg_efold_mV=mg_efold_mV)
    slower = unblocking_rate(block, v_mV) / float(block.unblocking_rate)
    return block.ic50_without_mg.uM() * slower[..., None] / free


def occupancy_readout(brain_uM: npt.ArrayLike, half_uM: float) -> Array:
    """Displacement of [3H]MK-801, C/(C + half) (Shaffer 2014): shown beside block, never fed to
    circuits.
    """
    c = np.asarray(brain_uM, float)
    occupied: Array = c / (c + half_uM)
    return occupied
