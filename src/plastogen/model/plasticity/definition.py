"""In: models/plasticity/*.yaml. Out: a `Plasticity`: which pathways are on, and every number of the
slow layer. `system` binds it to floats.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from plastogen._base.definition import Definition
from plastogen._base.quantity import In, Quantity
from plastogen.model.plasticity.signalling import Signalling
from plastogen.model.plasticity.spine import Spine
from plastogen.model.plasticity.synapse import Synapse

Scale = Annotated[float, Field(ge=0, le=1)]


class Pathways(Definition):
    """How far each hypothesis is switched on, 0 (off) to 1."""

    # Later: extrasynaptic, metabolite, habenula. Each is a field here and a term in
    # `signalling.Cascade`.

    disinhibition: Scale
    spontaneous: Scale


BUILT_PATHWAYS = tuple(Pathways.model_fields)


class Misuse(Definition):
    """Section `misuse`: what high and repeated exposure does."""

    pv_half: Annotated[Quantity, In("1", above=0)]
    pv_steepness: Annotated[Quantity, In("1", minimum=1)]
    pv_loss: Annotated[Quantity, In("1/h", minimum=0)]
    pv_recovery: Annotated[Quantity, In("d", above=0)]
    tolerance_gain: Annotated[Quantity, In("1", minimum=0)]
    tolerance_time: Annotated[Quantity, In("d", above=0)]


class Comparator(Definition):
    """Section `comparator`: the slow arm of an SSRI."""

    tone_time: Annotated[Quantity, In("d", above=0)]


class Clinical(Definition):
    """Section `clinical`: the one map from the circuit to a clinical scale; it predicts no
    person.
    """

    effect_per_log_strength: Annotated[Quantity, In("1", above=0)]
    largest_effect: Annotated[Quantity, In("1", above=0)]


class Plasticity(Definition):
    """One file of models/plasticity.

    >>> plasticity = plastogen.load_model("plasticity", "all")
    >>> float(plasticity.signalling.bdnf_time) > 0
    True
    """

    title: str
    note: str | None = None
    pathways: Pathways
    signalling: Signalling
    synapse: Synapse
    spine: Spine
    misuse: Misuse
    comparator: Comparator
    clinical: Clinical
