"""In: TrkB drive, new protein, firing rate. Out: the weight of a synapse and its homeostatic
scaling.

    d weight  = insertion D(trkb) (ceiling - weight)          AMPA receptors into free slots
        (Nosyreva 2013)
                - (weight - 1 - late_gain (protein - 1)) / early_time                 (Frey and
                    Morris 1997)
    d scaling = (1 + range (1 - r^n) / (1 + r^n) - scaling) / tau,  r = rate_E
        (Turrigiano 2008)

The early part decays within a day unless new protein holds it, so the weight is raised before any
spine is (row 35). Scaling is bounded and its set point is the healthy rate: stress is partly
compensated, not wholly.
"""

from __future__ import annotations

from typing import Annotated

from plastogen._base.definition import Definition
from plastogen._base.quantity import In, Quantity
from plastogen.model.plasticity.signalling import N, power


class Synapse(Definition):
    """Section `synapse` of a plasticity file."""

    insertion: Annotated[Quantity, In("1/h", minimum=0)]
    ceiling: Annotated[Quantity, In("1", above=1)]
    early_time: Annotated[Quantity, In("h", above=0)]
    late_gain: Annotated[Quantity, In("1", minimum=0)]
    scaling_range: Annotated[Quantity, In("1", minimum=0, below=1)]
    scaling_steepness: Annotated[Quantity, In("1", above=0)]
    scaling_time: Annotated[Quantity, In("h", above=0)]


class Strength:
    """`Synapse` bound to plain floats."""

    def __init__(self, k: Synapse) -> None:
        self.insertion = float(k.insertion)
        self.ceiling = float(k.ceiling)
        self.early_h = 1 / float(k.early_time)
        self.late_gain = float(k.late_gain)
        self.range = float(k.scaling_range)
        self.n = float(k.scaling_steepness)
        self.scaling_h = 1 / float(k.scaling_time)

    def target(self, rate_E: N) -> N:
        """Scaling that a lasting firing rate (ratio to healthy) leads to, within 1 +/- range."""
        ratio = power(rate_E, self.n)
        return 1 + self.range * (1 - ratio) / (1 + ratio)

    def rates(self, weight: N, scaling: N, drive: N, protein: N, rate_E: N) -> tuple[N, N]:
        """Rates of weight and scaling per hour."""
        held = 1 + self.late_gain * (protein - 1)
        return (
            self.insertion * drive * (self.ceiling - weight) - (weight - held) * self.early_h,
            (self.target(rate_E) - scaling) * self.scaling_h,
        )

    def steady(self, drive: N, protein: N, rate_E: N) -> tuple[N, N]:
        """Weight and scaling at rest under lasting inputs."""
        held = 1 + self.late_gain * (protein - 1)
        inserted = self.insertion * drive
        weight = (inserted * self.ceiling + held * self.early_h) / (inserted + self.early_h)
        return weight, self.target(rate_E)
