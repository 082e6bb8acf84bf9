"""In: captured protein and stress. Out: transient and persistent spines, as shares of the healthy
density.

    d commit_1   = (captured + tone_gain tone - commit_1) / (delay / 2)    two stages, captured
    d commit_2   = (commit_1 - commit_2) / (delay / 2)        protein to new spine: the delay, 12 h
        (Moda-Sava 2019) or 72 h (Pryazhnikov 2018)
    d transient  = (share (1 + formation_gain commit_2) - transient) / lifetime
        (Holtmaat 2005)
    d persistent = rescue vacant + growth commit_2 room - (loss + stress stress_loss) persistent
        (Moda-Sava 2019)
    vacant       = sites - persistent
    room         = (lasting + restorable (sites - lasting) - persistent)+

Persistent spines stand on a fixed number of sites. Stress empties sites, rescue refills them at a
pace of its own; captured protein adds to it on the part of the vacant sites that can be restored,
a share of those that the stress of the moment would keep empty if it lasted (`lasting`: what stands
then). So it saturates in
the healthy, where next to nothing is vacant. Nothing lowers elimination. Turnover and persistent
loss fix the share of transient spines.
"""

from __future__ import annotations

import math
from typing import Annotated, Any

import numpy as np
from pydantic import model_validator

from plastogen._base.definition import Definition
from plastogen._base.quantity import Fault, In, Quantity, faulty
from plastogen.model.plasticity.signalling import N, at_least

H_PER_DAY = 24.0

PerDay = Annotated[Quantity, In("1/d", above=0)]


class Spine(Definition):
    """Section `spine` of a plasticity file."""

    turnover: Annotated[Quantity, In("1", above=0, below=1)]
    turnover_interval: Annotated[Quantity, In("d", above=0)]
    persistent_loss: PerDay
    transient_lifetime: Annotated[Quantity, In("d", above=0)]
    rescue: PerDay
    growth: Annotated[Quantity, In("1/h", minimum=0)]
    restorable: Annotated[Quantity, In("1", minimum=0, maximum=1)]
    stress_loss: Annotated[Quantity, In("1/d", minimum=0)]
    formation_gain: Annotated[Quantity, In("1", minimum=0)]
    tone_gain: Annotated[Quantity, In("1", minimum=0)]
    delay: Annotated[Quantity, In("h", above=0)]

    @model_validator(mode="after")
    def _turnover_exceeds_persistent_loss(self) -> Spine:
        if not 0 < _transient_share(self) < 1:
            persistent, transient = _lost(self)
            wanted = (
                f"between the losses of persistent ({persistent:.3g}) and transient"
                f" ({transient:.3g}) spines"
            )
            raise faulty([Fault("turnover", f"{float(self.turnover):g}", wanted)])
        return self


def _lost(k: Spine) -> tuple[float, float]:
    """Share of the persistent and of the transient spines lost within the turnover interval."""
    days = float(k.turnover_interval)
    return (
        1 - math.exp(-float(k.persistent_loss) * days),
        1 - math.exp(-days / float(k.transient_lifetime)),
    )


def _transient_share(k: Spine) -> float:
    """The share of transient spines at which a share `turnover` of all spines is gone after the
    interval.
    """
    persistent, transient = _lost(k)
    return (float(k.turnover) - persistent) / (transient - persistent)


class Spines:
    """`Spine` bound to plain floats, per hour; densities are shares of the healthy density.

    least_vacant: single spines may be more than there are sites of mean ones, by chance, and none
    is vacant then.
    """

    least_vacant = -math.inf

    def __init__(self, k: Spine) -> None:
        self.stage_h = 2 / float(k.delay)
        self.formation_gain, self.tone_gain = float(k.formation_gain), float(k.tone_gain)
        self.transient_h = 1 / (float(k.transient_lifetime) * H_PER_DAY)
        self.loss_h = float(k.persistent_loss) / H_PER_DAY
        self.stress_h = float(k.stress_loss) / H_PER_DAY
        self.rescue_h = float(k.rescue) / H_PER_DAY
        self.growth_h, self.restorable = float(k.growth), float(k.restorable)
        self.transient = _transient_share(k)
        self.persistent = 1 - self.transient
        self.sites = self.persistent * (1 + self.loss_h / self.rescue_h)

    @property
    def fastest_h(self) -> float:
        """The highest rate constant, 1/h; of many courses, of any of them. Growth counts by half:
        captured protein is a product of shares, and an explicit step bears more than it resolves.
        """
        rates = (self.stage_h, self.transient_h, self.rescue_h + self.growth_h / 2, self.stress_h)
        return max(float(np.max(rate)) for rate in rates)

    def formed(self, commit_2: N, persistent: N, stress: N) -> tuple[N, N]:
        """Transient and persistent spines that form, shares of the healthy density an hour."""
        born = self.transient_h * self.transient * (1 + self.formation_gain * commit_2)
        lasting = self.lasting(stress)
        goal = lasting + self.restorable * (self.sites - lasting)
        room = at_least(goal - persistent, 0.0)
        return born, self.rescue_h * self.vacant(persistent) + self.growth_h * commit_2 * room

    def vacant(self, persistent: N) -> N:
        """Sites of persistent spines that stand empty, shares of the healthy density."""
        return at_least(self.sites - persistent, self.least_vacant)

    def lost(self, transient: N, persistent: N, stress: N) -> tuple[N, N]:
        """Transient and persistent spines that are lost, shares of the healthy density an hour."""
        return self.transient_h * transient, (self.loss_h + stress * self.stress_h) * persistent

    def lasting(self, stress: N) -> N:
        """Persistent spines that lasting stress leaves without a drug."""
        return self.sites * self.rescue_h / (self.rescue_h + self.loss_h + stress * self.stress_h)

    def rates(
        self,
        commit_1: N,
        commit_2: N,
        transient: N,
        persistent: N,
        *,
        captured: N,
        tone: N,
        stress: N,
    ) -> tuple[N, N, N, N]:
        """Rates of the four states per hour."""
        born, rescued = self.formed(commit_2, persistent, stress)
        gone, lost = self.lost(transient, persistent, stress)
        return (
            (captured + self.tone_gain * tone - commit_1) * self.stage_h,
            (commit_1 - commit_2) * self.stage_h,
            born - gone,
            rescued - lost,
        )

    def steady(self, tone: Any, stress: Any) -> tuple[Any, Any, Any, Any]:
        """The four states at rest under lasting tone and stress, when no synapse is tagged."""
        commit = self.tone_gain * tone
        lasting = self.lasting(stress)
        room = self.restorable * (self.sites - lasting)
        # within the room: rescue vacant + growth commit (goal - p) = lost p, linear in p
        out = self.rescue_h + self.loss_h + stress * self.stress_h
        grown = self.growth_h * commit
        persistent = (out * lasting + grown * (lasting + room)) / (out + grown)
        return commit, commit, self.transient * (1 + self.formation_gain * commit), persistent
