"""In: `agonist` of models/circuits/*.yaml. Out: glutamate at NMDA receptors that no spike brings:
in the clefts of synapses that rest, and around cells, from glia and from synapses.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from plastogen._base.definition import Definition
from plastogen._base.quantity import In, Quantity
from plastogen.model.pharmacology import BySubunit

Fraction = Annotated[Quantity, In("1", minimum=0, maximum=1)]


class RestingGlutamate(Definition):
    """Ambient glutamate in the clefts of synapses that only rest, at baseline, and what fills half
    of the receptors of each subunit: C/(C + half).
    """

    concentration: Annotated[Quantity, In("uM", minimum=0)]
    half: BySubunit

    def bound(self, shares: Mapping[str, float], relative: Any) -> Any:
        """Share of a pool's receptors, subunit -> `shares`, that has glutamate bound, where there
        is `relative` times as much of it as at baseline (a number, or one a course).
        """
        c = float(self.concentration) * relative
        return sum(part * c / (c + float(getattr(self.half, s))) for s, part in shares.items())


class VesicularGlutamate(Definition):
    """The share of ambient glutamate that synapses release, which goes as they do; and `bound`, the
    share of synaptic receptors that has glutamate bound at baseline, at which it is the share.
    """

    share: Fraction
    bound: Annotated[Quantity, In("1", above=0, maximum=1)]


class Agonist(Definition):
    """How much of the time receptors have glutamate bound.

    `saturation` is the share of free receptors that one release fills; `ambient` is the share of
    tonic receptors filled by ambient glutamate at baseline; `mini_rate` is the rate of spontaneous
    release a synapse; `resting`, if there is any, is the ambient glutamate at synapses that rest.
    What of ambient glutamate is not `vesicular` comes from glia and stays as it is.
    """

    saturation: Annotated[Quantity, In("1", above=0, maximum=1)]
    ambient: Fraction
    mini_rate: Annotated[Quantity, In("Hz", minimum=0)]
    resting: RestingGlutamate | None = None
    vesicular: VesicularGlutamate | None = None

    @property
    def vesicular_share(self) -> float:
        """Of ambient glutamate, 0 to 1."""
        return 0.0 if self.vesicular is None else float(self.vesicular.share)

    def ambient_glutamate(self, released: Any) -> Any:
        """Ambient glutamate over that at baseline, where principal cells release `released` times
        what they do there (a number, or one a course).
        """
        return 1 + self.vesicular_share * (released - 1)
