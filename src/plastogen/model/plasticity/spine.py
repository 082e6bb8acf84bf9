"""In: translation and stress. Out: transient and persistent spines, as shares of the healthy
density.

    d commit_1   = (translation - commit_1) / (delay / 2)     two stages, new protein to new spine:
        the delay,
    d commit_2   = (commit_1 - commit_2) / (delay / 2)        12 h (Moda-Sava 2019) or 72 h
        (Pryazhnikov 2018)
    d transient  = (share (1 + formation_gain (commit_2 - 1)) - transient) / lifetime
        (Holtmaat 2005)
    d persistent = rescue commit_2 vacant - (loss + stress stress_loss) persistent
        (Moda-Sava 2019)
    vacant       = sites - persistent

Persistent spines stand on a fixed number of sites. Stress empties sites; rescue refills them in
proportion to the material that matures, so it saturates in the healthy, where next to nothing is
vacant, and stops with mTORC1. Nothing lowers elimination. Turnover and persistent loss fix the
share of transient spines.
"""

from __future__ import annotations

import math
from typing import Annotated

from pydantic import model_validator

from plastogen._base.definition import Definition
from plastogen._base.quantity import Fault, In, Quantity, faulty
from plastogen.model.plasticity.signalling import N

H_PER_DAY = 24.0

PerDay = Annotated[Quantity, In("1/d", above=0)]


class Spine(Definition):
    """Section `spine` of a plasticity file."""

    turnover: Annotated[Quantity, In("1", above=0, below=1)]
    turnover_interval: Annotated[Quantity, In("d", above=0)]
    persistent_loss: PerDay
    transient_lifetime: Annotated[Quantity, In("d", above=0)]
    rescue: PerDay
    stress_loss: Annotated[Quantity, In("1/d", minimum=0)]
    formation_gain: Annotated[Quantity, In("1", minimum=0, maximum=1)]
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
    """`Spine` bound to plain floats, per hour; densities are shares of the healthy density."""

    def __init__(self, k: Spine) -> None:
        self.stage_h = 2 / float(k.delay)
        self.formation_gain = float(k.formation_gain)
        self.transient_h = 1 / (float(k.transient_lifetime) * H_PER_DAY)
        self.loss_h = float(k.persistent_loss) / H_PER_DAY
        self.stress_h = float(k.stress_loss) / H_PER_DAY
        self.rescue_h = float(k.rescue) / H_PER_DAY
        self.transient = _transient_share(k)
        self.persistent = 1 - self.transient
        self.sites = self.persistent * (1 + self.loss_h / self.rescue_h)

    def rates(
        self,
        commit_1: N,
        commit_2: N,
        transient: N,
        persistent: N,
        translation: N,
        stress: N,
    ) -> tuple[N, N, N, N]:
        """Rates of the four states per hour."""
        born = self.transient * (1 + self.formation_gain * (commit_2 - 1))
        rescued = self.rescue_h * commit_2 * (self.sites - persistent)
        return (
            (translation - commit_1) * self.stage_h,
            (commit_1 - commit_2) * self.stage_h,
            (born - transient) * self.transient_h,
            rescued - (self.loss_h + stress * self.stress_h) * persistent,
        )

    def steady(self, translation: N, stress: N) -> tuple[N, N]:
        """Transient and persistent spines at rest; both commit stages are then equal to
        `translation`.
        """
        rescue = self.rescue_h * translation
        return (
            self.transient * (1 + self.formation_gain * (translation - 1)),
            self.sites * rescue / (rescue + self.loss_h + stress * self.stress_h),
        )
