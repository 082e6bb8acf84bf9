"""In: the `switches:` of an experiment. Out: which links of the chain are live, cut or scaled.

Each switch answers "what if this link were missing?". All of them are on, and every factor is 1,
unless said otherwise; each changes at least one readout (tests/test_switches.py).
"""

from __future__ import annotations

import math
from typing import Annotated, Literal, TypeAlias

from plastogen._base.definition import Definition
from plastogen._base.quantity import Given, Quantity
from plastogen.model.circuit import Circuit
from plastogen.model.plasticity import Plasticity

HOMEOSTATIC = ("scaling_range", "inhibition_range")  # how far either goes
OnOff: TypeAlias = Literal["on", "off"]
Factor: TypeAlias = Annotated[Quantity, Given("1", minimum=0, maximum=1)]


class Switches(Definition):
    """Links that can be cut.

    `block`: share of the drug's block that is left by site (`block_sites`): 1 as the receptor model
    says, 0 no block there. `probe: frozen`: the slow layer sees the circuit as at baseline,
    whatever the drug does. `feedback: off`: weights, spines and inhibition do not re-enter it.
    `homeostasis: off`: no synaptic scaling, and inhibition stays as it is. `calcium_rule: off`: the
    balance of potentiation and depression stays as it is when healthy, so no synapse is tagged.
    `metabolites: off`: only the parent drug acts.
    """

    block: dict[str, Factor] = {}
    probe: Literal["live", "frozen"] = "live"
    feedback: OnOff = "on"
    homeostasis: OnOff = "on"
    calcium_rule: OnOff = "on"
    metabolites: OnOff = "on"

    def block_factor(self, pool: str) -> float:
        """The factor for a pool such as "E.synaptic", "PV.tonic" or "E.rest"."""
        name, _, kind = pool.partition(".")
        sites = {"synaptic": (name,), "tonic": ("tonic", f"tonic_{name}"), "rest": ("rest",)}[kind]
        return math.prod(float(self.block[site]) for site in sites if site in self.block)

    def essential(self) -> Switches:
        """The same without factors of 1, which change nothing: what a run is named by."""
        block = {site: factor for site, factor in self.block.items() if float(factor) != 1}
        return self.model_copy(update={"block": block})


def block_sites(circuit: Circuit) -> dict[str, str]:
    """Sites of a circuit on which block has a factor -> how they are called in a sentence.

    A name means the synaptic receptors of that class, or of whatever else has a pool of its own
    beside the classes; `tonic` those answering ambient glutamate in all classes, `tonic_CLASS`
    those of one; `rest` those that miniature release opens.
    """
    pools = [pool.partition(".") for pool in circuit.pools()]
    resting = [name for name, _, kind in pools if kind == "rest"]
    synaptic = [name for name, _, kind in pools if kind == "synaptic"]
    return {
        **{name: name for name in (*circuit.classes, *synaptic)},
        "tonic": "tonic receptors",
        **{f"tonic_{name}": f"tonic receptors of {name}" for name in circuit.classes},
        **({"rest": f"receptors of {' and '.join(resting)} at rest"} if resting else {}),
    }


def switched(plasticity: Plasticity, switches: Switches) -> Plasticity:
    """The plasticity, its homeostasis taken out when it is switched off."""
    if switches.homeostasis == "on":
        return plasticity
    none = Quantity(0.0, "1", "0")
    return plasticity.model_copy(
        update={"synapse": plasticity.synapse.model_copy(update=dict.fromkeys(HOMEOSTATIC, none))}
    )
