"""The models: what a dose does, the fast circuit, the slow synapse."""

from typing import TYPE_CHECKING

from plastogen._base.facade import lookup

__all__ = ["Circuit", "Drug", "Plasticity", "Subject"]

if TYPE_CHECKING:
    from plastogen.model.circuit import Circuit
    from plastogen.model.pharmacology import Drug, Subject
    from plastogen.model.plasticity import Plasticity
else:
    __getattr__, __dir__ = lookup(__name__, __file__)
