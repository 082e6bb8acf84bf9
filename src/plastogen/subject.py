"""In: a file of models/subjects. Out: who is treated: species, body weight, kinetics and ongoing stress."""

from __future__ import annotations

from typing import Annotated

from plastogen.concentration import Animal
from plastogen.definition import Definition
from plastogen.quantity import In, Quantity


class Subject(Definition):
    """Who is treated. `stress` 0..1 is ongoing: a stressed subject starts in the steady state of it."""

    title: str
    species: Animal
    weight: Annotated[Quantity, In("kg", above=0)]
    kinetics: str = "default"  # the name of a set in the drug's file
    stress: Annotated[Quantity, In("1", minimum=0, maximum=1)]
    note: str | None = None
