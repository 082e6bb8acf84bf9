"""In: the `switches:` of an experiment. Out: which links of the chain are live, cut or scaled.

Each switch answers "what if this link were missing?". All of them are on, and every factor is 1,
unless said otherwise; each changes at least one readout (tests/test_switches.py).
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from plastogen._base.definition import Definition
from plastogen._base.quantity import Given, Quantity

OnOff: TypeAlias = Literal["on", "off"]
Factor: TypeAlias = Annotated[Quantity, Given("1", minimum=0)]


def _whole() -> Quantity:
    return Quantity(1.0, "1", "1")


class SiteFactors(Definition):
    """Factor on the drug's block at each site: 1 as the receptor model says, 0 no block there.

    `E`, `PV`, `SST` scale the synaptic receptors of that class; `tonic` those answering ambient
    glutamate in all classes, `tonic_E`, `tonic_PV`, `tonic_SST` those of one; `rest` the receptors
    of E that miniature release opens. Classes with other names have no factor of their own.
    """

    E: Factor = Field(default_factory=_whole)
    PV: Factor = Field(default_factory=_whole)
    SST: Factor = Field(default_factory=_whole)
    tonic: Factor = Field(default_factory=_whole)
    tonic_E: Factor = Field(default_factory=_whole)
    tonic_PV: Factor = Field(default_factory=_whole)
    tonic_SST: Factor = Field(default_factory=_whole)
    rest: Factor = Field(default_factory=_whole)

    def of(self, pool: str) -> float:
        """The factor for a pool such as "E.synaptic", "PV.tonic" or "E.rest"."""
        cls, _, site = pool.partition(".")
        own = float(getattr(self, f"tonic_{cls}", 1.0)) if site == "tonic" else 1.0
        return own * float(getattr(self, cls if site == "synaptic" else site, 1.0))


class Switches(Definition):
    """Links that can be cut.

    `block`: factors on block by site. `probe: frozen`: the slow layer sees the circuit as at
    baseline, whatever the drug does. `feedback: off`: weights and spines do not re-enter the
    circuit. `homeostasis: off`: no synaptic scaling. `metabolites: off`: only the parent drug acts.
    """

    block: SiteFactors = Field(default_factory=SiteFactors)
    probe: Literal["live", "frozen"] = "live"
    feedback: OnOff = "on"
    homeostasis: OnOff = "on"
    metabolites: OnOff = "on"
