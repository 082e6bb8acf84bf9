"""In: Mg2+ outside and a voltage. Out: the share of open NMDA receptors of each subunit that Mg2+
leaves free. The one law of it: for their current, and for the drugs that have to get past it.

    free(V) = 1 / (1 + [Mg] / Kmg(V)),    Kmg(V) = half exp(V / efold)

Jahr and Stevens (1990), eq. 4, with a `half` for each GluN2 subunit: GluN2C and GluN2D hold Mg2+
far less than GluN2A and GluN2B (Kotermanski and Johnson 2009).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
from pydantic import model_validator

from plastogen._base.definition import Definition
from plastogen._base.quantity import Fault, In, Quantity, faulty
from plastogen._base.text import show

Array = npt.NDArray[np.float64]

SUBUNITS = ("GluN2A", "GluN2B", "GluN2C", "GluN2D")

Molar = Annotated[Quantity, In("mM", above=0)]


def carried(shares: npt.ArrayLike, currents: npt.ArrayLike) -> Array:
    """Share of a pool's current that each of SUBUNITS carries, (..., subunits), from their shares
    of its conductance and what a unit of conductance of each carries.
    """
    parts = np.asarray(shares, float) * np.asarray(currents, float)
    return np.asarray(parts / parts.sum(axis=-1, keepdims=True))


def by_current(mix: Mapping[str, float], currents: npt.ArrayLike) -> dict[str, float]:
    """`carried` of a pool, subunit -> share of the conductance, by name."""
    parts = carried([mix.get(subunit, 0.0) for subunit in SUBUNITS], currents)
    each = dict(zip(SUBUNITS, parts.tolist(), strict=True))
    return {subunit: each[subunit] for subunit in mix}


class HalfBySubunit(Definition):
    """Mg2+ that halves the current at 0 mV, of receptors with each GluN2 subunit."""

    GluN2A: Molar
    GluN2B: Molar
    GluN2C: Molar
    GluN2D: Molar

    @model_validator(mode="before")
    @classmethod
    def _one_a_subunit(cls, given: Any) -> Any:
        single = given.get("value") if isinstance(given, dict) else given
        if isinstance(single, str | int | float):
            wanted = f"one value for each of {', '.join(SUBUNITS)}, such as {SUBUNITS[0]}: {single}"
            raise faulty([Fault("", f"{show(single)} for all subunits", wanted)])
        return given

    def mM(self) -> Array:
        """The four concentrations, mM, in the order of `SUBUNITS`."""
        return np.array([float(getattr(self, name)) for name in SUBUNITS])


class Magnesium(Definition):
    """Mg2+ outside and its hold on the pore of NMDA receptors, by subunit."""

    concentration: Annotated[Quantity, In("mM", minimum=0)]
    half: HalfBySubunit
    efold: Annotated[Quantity, In("mV", above=0)]

    def alike(self, subunits: Collection[str]) -> tuple[tuple[str, ...], ...]:
        """Those of `subunits` that obey the same law, together, in the order of `SUBUNITS`."""
        laws: dict[float, list[str]] = {}
        for name, half in zip(SUBUNITS, self.half.mM().tolist(), strict=True):
            if name in subunits:
                laws.setdefault(half, []).append(name)
        return tuple(map(tuple, laws.values()))

    def ratio(self) -> Array:
        """[Mg] / Kmg at 0 mV, (subunits,)."""
        return np.asarray(float(self.concentration) / self.half.mM())

    def free(self, v_mV: npt.ArrayLike) -> Array:
        """Share of open receptors that Mg2+ leaves free: shape v_mV.shape + (subunits,)."""
        held = self.ratio() * np.exp(-np.asarray(v_mV, float) / float(self.efold))[..., None]
        return np.asarray(1 / (1 + held))

    def at(self, mM: float) -> Magnesium:
        """The same law at another concentration."""
        old = self.concentration
        told = Quantity(float(mM), old.unit, f"{mM:g} {old.unit}")
        return self.model_copy(update={"concentration": told})
