"""In: models/spines/*.yaml, and the law of the mean spine. Out: the law of a single spine in plain
floats.

    ln size    = fast + slow + captured, less half its variance: lasting spines have a mean of 1
    d fast     = (goal - fast) / fast_time + noise     goal: 0; of transient spines ln(birth_size),
                                                       where all spines begin
    d slow     = -slow / slow_time + noise             both variances together: spread^2
    d captured = growth captured(tag, protein) (1 - captured / ceiling) - captured / late_time
    hazard     = loss(kind) size^-slope, in units in which its mean over stationary sizes is loss;
                 stress adds stress_loss, times the branch's vulnerability, to that of lasting ones
    births     on a vacant site: transient ones, times the preparation's factor and
               1 + formation_gain commit; lasting ones at (rescue + regrowth commit) for each that
               is missing of `capacity`, the regrowth on a share that can be restored: on the site
               that lost one while it is remembered, exp(-time since / memory), else anywhere
    homeostasis  rate (2 exp(-((u - m) / w)^2) - 1), u the AMPA throughput of cells over the
               healthy: nil at 1 and at `lower`; lasting births where positive, between the two,
               death of any spine where negative; rate 0: off

Fluctuation proportional to size: Yasumatsu 2008; two time scales: Loewenstein 2011; transient and
persistent spines: Holtmaat 2005; preparations: Xu 2007. Protein, tag and commit, captured protein
on its way to a spine, are those of `synapse` and `spine`, and so are the numbers of capture (growth
is `capture`, ceiling `slots`), rescue, regrowth (`growth`), restorable sites, the gain of births
and loss by stress. At rest lasting births balance loss; in the mean, lasting spines are the
persistent ones of `spine`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from plastogen._base.definition import Definition
from plastogen._base.quantity import In, Quantity
from plastogen.model.plasticity.definition import Plasticity
from plastogen.model.plasticity.spine import H_PER_DAY, Spines
from plastogen.model.plasticity.synapse import Strength

PerDay = Annotated[Quantity, In("1/d", minimum=0)]
Positive = Annotated[Quantity, In("1", above=0)]
Days = Annotated[Quantity, In("d", above=0)]


class Places(Definition):
    """Section `places`: where spines may stand. A branch is a stretch of dendrite."""

    filling: Annotated[Quantity, In("1", above=0, below=1)]
    branches: int = Field(ge=1, le=1000)
    branch_length: Annotated[Quantity, In("um", above=0)]


class Sizes(Definition):
    """Section `sizes`: how the size of a spine fluctuates."""

    spread: Annotated[Quantity, In("1", above=0, maximum=2)]
    fast_share: Annotated[Quantity, In("1", minimum=0, maximum=1)]
    fast_time: Days
    slow_time: Days
    birth_size: Annotated[Quantity, In("1", above=0, maximum=1)]


class Turnover(Definition):
    """Section `turnover`: how spines come and go, in tissue at rest.

    transient_births: a day, for each lasting spine.
    """

    transient_births: PerDay
    transient_lifetime: Days
    lasting_loss: Annotated[Quantity, In("1/d", above=0)]
    slope: Annotated[Quantity, In("1", minimum=0, maximum=3)]
    memory: Days
    branch_spread: Annotated[Quantity, In("1", minimum=0, maximum=5)]


class Homeostasis(Definition):
    """Section `homeostasis`: spines against activity, beside scaling. A little less activity adds
    spines, much less takes them away (Lu 2025); with `rate` 0 neither.
    """

    rate: PerDay
    lower: Annotated[Quantity, In("1", minimum=0, below=1)]


class Preparation(Definition):
    """One of `preparations`: what opening the skull does to the tissue under it."""

    title: str
    births: Annotated[Quantity, In("1", minimum=0)]


class Part(Definition):
    """A lognormal part of a distribution: its share, mean and standard deviation of ln size."""

    share: Annotated[Quantity, In("1", above=0, maximum=1)]
    ln_mean: Annotated[Quantity, In("1")]
    ln_spread: Positive


class Published(Definition):
    """One of `published`: how sizes were found to be distributed, as a mixture of lognormals."""

    title: str
    parts: list[Part] = Field(min_length=1)


class SpineModel(Definition):
    """One file of models/spines: the law of single spines and the preparations it is seen in.

    >>> spines = plastogen.load_model("spines", "cortex")
    >>> sorted(spines.preparations)
    ['cranial_window', 'thinned_skull']
    """

    title: str
    note: str | None = None
    places: Places
    sizes: Sizes
    turnover: Turnover
    homeostasis: Homeostasis
    preparations: dict[str, Preparation] = Field(min_length=1)
    published: dict[str, Published] = {}


@dataclass(frozen=True)
class SpineLaw:
    """A `SpineModel` in one preparation, in plain floats; hours. Names as there; `fast_sd`,
    `slow_sd`: of ln size; `kind_loss`: of transient and of lasting spines.
    """

    filling: float
    branches: int
    branch_um: float
    fast_sd: float
    slow_sd: float
    fast_h: float
    slow_h: float
    ln_birth: float
    growth: float
    tag_half: float
    steepness: float
    ceiling: float
    late_h: float
    transient_births: float
    kind_loss: tuple[float, float]
    slope: float
    rescue: float
    memory_h: float
    regrowth: float
    restorable: float
    formation_gain: float
    stress_loss: float
    branch_spread: float
    balancing: float
    balancing_lower: float

    def balancing_at(self, throughput: float) -> float:
        """Lasting spines that homeostasis adds an hour for each that stands at rest, at an AMPA
        throughput over the healthy; of negative ones, the share of all spines that it takes.
        """
        middle, half = (1 + self.balancing_lower) / 2, (1 - self.balancing_lower) / 2
        bell = math.exp(-math.log(2) * ((throughput - middle) / half) ** 2)
        return self.balancing * (2 * bell - 1)

    @property
    def variance(self) -> float:
        """Of ln size, of lasting spines at rest."""
        return self.fast_sd**2 + self.slow_sd**2

    @property
    def per_vacant(self) -> float:
        """Lasting spines for each vacant site, at rest."""
        return self.filling / (1 - self.filling)

    @property
    def capacity(self) -> float:
        """Lasting spines that there is room for, of all sites: at rest they fill `filling`."""
        return self.filling * (1 + self.kind_loss[1] / self.rescue)


def law_of(model: SpineModel, mean: Plasticity, preparation: str) -> SpineLaw:
    """`model` in one of its preparations, its `mean` spine that of a plasticity file. Raises
    KeyError when it has no such preparation.
    """
    sizes, turnover = model.sizes, model.turnover
    steepness = float(mean.signalling.steepness)
    strength = Strength(mean.synapse, steepness)
    spines = Spines(mean.spine)
    spread, fast = float(sizes.spread), float(sizes.fast_share)
    births = float(model.preparations[preparation].births) * float(turnover.transient_births)
    lifetime_h = float(turnover.transient_lifetime) * H_PER_DAY
    return SpineLaw(
        filling=float(model.places.filling),
        branches=model.places.branches,
        branch_um=float(model.places.branch_length),
        fast_sd=spread * math.sqrt(fast),
        slow_sd=spread * math.sqrt(1 - fast),
        fast_h=float(sizes.fast_time) * H_PER_DAY,
        slow_h=float(sizes.slow_time) * H_PER_DAY,
        ln_birth=math.log(float(sizes.birth_size)),
        growth=strength.capture_h,
        tag_half=float(mean.synapse.tag_half),
        steepness=steepness,
        ceiling=strength.slots,
        late_h=float(mean.synapse.late_time),
        transient_births=births / H_PER_DAY,
        kind_loss=(1 / lifetime_h, float(turnover.lasting_loss) / H_PER_DAY),
        slope=float(turnover.slope),
        rescue=spines.rescue_h,
        memory_h=float(turnover.memory) * H_PER_DAY,
        regrowth=spines.growth_h,
        restorable=spines.restorable,
        formation_gain=spines.formation_gain,
        stress_loss=spines.stress_h,
        branch_spread=float(turnover.branch_spread),
        balancing=float(model.homeostasis.rate) / H_PER_DAY,
        balancing_lower=float(model.homeostasis.lower),
    )
