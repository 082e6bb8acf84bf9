"""In: where the calcium rule drives synapses to, free protein, firing rates. Out: early and late
potentiation, homeostatic scaling, and the inhibition of principal cells.

    x            = (balance - accustomed) above_threshold / (above_threshold + quiet)
    d accustomed = min(above_threshold, 1) x / tau             synapses get used to a lasting push
        (Abraham and Philpot 2009)
    d tag        = (x - tag) / tau                             early potentiation: decays in hours
        (Frey and Morris 1997)
    captured     = free_protein S(tag, tag_half)               potentiated synapses hold protein
        (Redondo and Morris 2011)
    d weight     = capture captured (1 - (weight - 1) / slots)+ - (weight - 1) / late_time
    d scaling    = (1 + range (1 - r^n) / (1 + r^n) - scaling) / tau,  r = rate_E
        (Turrigiano 2008)
    d inhibitory_weight = rate_I (1 + range' (r^m - 1) / (1 + r^m) - inhibitory_weight) / tau'
        (after Vogels 2011)

S is the saturation of every step (`signalling`). Neither potentiation without new protein nor new
protein without potentiation leaves anything behind, and little potentiation captures next to
nothing, so that a little protein that is always there does not run away with synapses. Late
potentiation is held in few slots, so a large dose leaves little more than a middle one. A circuit
in which next to no calcium passes a threshold potentiates nothing and depresses nothing.
What synapses are used to is the threshold between the two, and it slides within a day,
but only as fast as calcium moves them: what silences a circuit does not lower it, so that the end
of a suppressor is no push. So a small push of weeks leaves next to nothing, and each of several
infusions finds synapses that are used to what the ones before left.
Scaling and inhibitory weight are bounded and their set point is the healthy rate. Inhibitory
synapses, too, change only when they are used. Inhibition takes back a part of what a lasting push,
or stronger synapses, add to the rate.
"""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np

from plastogen._base.definition import Definition
from plastogen._base.quantity import In, Quantity
from plastogen.model.plasticity.signalling import (
    Hours,
    Inputs,
    N,
    Ratio,
    Saturation,
    at_least,
    power,
)


class Synapse(Definition):
    """Section `synapse` of a plasticity file."""

    quiet: Ratio
    accustomed_time: Hours
    tag_time: Hours
    tag_half: Ratio
    capture: Annotated[Quantity, In("1/h", minimum=0)]
    slots: Ratio
    late_time: Hours
    scaling_range: Annotated[Quantity, In("1", minimum=0, below=1)]
    scaling_steepness: Annotated[Quantity, In("1", above=0)]
    scaling_time: Hours
    inhibition_range: Annotated[Quantity, In("1", minimum=0, below=1)]
    inhibition_steepness: Annotated[Quantity, In("1", above=0)]
    inhibition_time: Hours


def homeostatic(rate_E: N, most: Any, steepness: Any) -> N:
    """What a lasting firing rate (ratio to healthy) adds to excitation, or takes from inhibition:
    within +/- `most`, 0 at the healthy rate.
    """
    ratio = power(rate_E, steepness)
    return most * (1 - ratio) / (1 + ratio)  # type: ignore[no-any-return]


class Strength:
    """`Synapse` bound to plain floats, per hour; `steepness` is that of every saturation."""

    def __init__(self, k: Synapse, steepness: float) -> None:
        self.quiet = float(k.quiet)
        self.accustomed_h = 1 / float(k.accustomed_time)
        self.tag_h = 1 / float(k.tag_time)
        self.capturing = Saturation(float(k.tag_half), steepness)
        self.capture_h, self.slots = float(k.capture), float(k.slots)
        self.late_h = 1 / float(k.late_time)
        self.scaling = float(k.scaling_range), float(k.scaling_steepness)
        self.scaling_h = 1 / float(k.scaling_time)
        self.inhibition = float(k.inhibition_range), float(k.inhibition_steepness)
        self.inhibition_h = 1 / float(k.inhibition_time)

    @property
    def fastest_h(self) -> float:
        """The highest rate constant, 1/h; of many courses, of any of them."""
        excitatory = (self.tag_h, self.late_h, self.accustomed_h)
        rates = (*excitatory, self.scaling_h, self.inhibition_h)
        return max(float(np.max(rate)) for rate in rates)

    def at_rate(self, rate_E: N) -> tuple[N, N]:
        """Scaling and inhibitory weight that a lasting firing rate (ratio to healthy) leads to."""
        return (
            1 + homeostatic(rate_E, *self.scaling),
            1 - homeostatic(rate_E, *self.inhibition),
        )

    def captured(self, tag: N, free_protein: N) -> N:
        """Protein that potentiated synapses capture, 0 to 1."""
        return free_protein * self.capturing(tag)

    def rates(
        self,
        accustomed: N,
        tag: N,
        weight: N,
        scaling: N,
        inhibitory_weight: N,
        *,
        captured: N,
        inputs: Inputs,
    ) -> tuple[N, N, N, N, N]:
        """Rates of the five states per hour."""
        heard = inputs.above_threshold / (inputs.above_threshold + self.quiet)
        used = 1 - at_least(1 - inputs.above_threshold, 0.0)
        push = (inputs.balance - accustomed) * heard
        room = at_least(1 - (weight - 1) / self.slots, 0.0)
        scaled, inhibited = self.at_rate(inputs.rate_E)
        return (
            used * push * self.accustomed_h,
            (push - tag) * self.tag_h,
            self.capture_h * captured * room - (weight - 1) * self.late_h,
            (scaled - scaling) * self.scaling_h,
            inputs.rate_I * (inhibited - inhibitory_weight) * self.inhibition_h,
        )

    def steady(self, inputs: Inputs) -> tuple[N, N, N, N, N]:
        """The five states at rest under lasting inputs: a lasting balance is what synapses are used
        to, so none is tagged.
        """
        return (inputs.balance, 0.0, 1.0, *self.at_rate(inputs.rate_E))  # type: ignore[return-value]
