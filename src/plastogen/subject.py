"""In: a file of models/subjects. Out: who is treated: species, weight, kinetics, stress, inhibition, receptors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from plastogen.concentration import Animal
from plastogen.definition import Definition
from plastogen.quantity import Given, In, Quantity

Factor = Annotated[Quantity, Given("1", above=0)]
NR2B = "GluN2B"


def _as_healthy() -> Quantity:
    return Quantity(1.0, "1", "1", source="assumed", evidence="assumed", note="by definition: as in the healthy adult")


class Subject(Definition):
    """Who is treated. `stress` 0..1 is ongoing: a stressed subject starts in the steady state of it.

    `inhibition`: factor on every GABA-A conductance. `glun2b`: factor on the share of GluN2B in every pool of NMDA
    receptors, the other subunits making room in proportion. Both are 1 in the healthy adult, whose set points hold.
    """

    title: str
    species: Animal
    weight: Annotated[Quantity, In("kg", above=0)]
    kinetics: str = "default"  # the name of a set in the drug's file
    stress: Annotated[Quantity, In("1", minimum=0, maximum=1)]
    inhibition: Factor = Field(default_factory=_as_healthy)
    glun2b: Factor = Field(default_factory=_as_healthy)
    note: str | None = None

    @property
    def at_set_points(self) -> bool:
        """Whether the healthy state is at rest in this subject; else a course begins in another resting state."""
        return float(self.stress) == 0 and float(self.inhibition) == 1

    def mix(self, shares: Mapping[str, float]) -> dict[str, float]:
        """The subunits of a pool in this subject: subunit -> share, adding up to 1 if `shares` (the circuit's) do."""
        old = shares.get(NR2B, 0.0)
        new = min(1.0, old * float(self.glun2b))
        if old in (0, 1) or new == old:
            return dict(shares)
        return {name: new if name == NR2B else share * (1 - new) / (1 - old) for name, share in shares.items()}
