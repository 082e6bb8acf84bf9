"""In: what the circuit does and drugs' targets, at each moment (`Inputs`). Out: BDNF, TrkB,
mTORC1, new protein.

One saturation serves every step: S(x) = x^n / (x^n + half^n). With C the calcium of spines,
u the AMPA throughput of one spine, both ratios to healthy; `f.X` is the factor by which drugs
change X:

    d eef2k        = (f.eef2k rest_current^m - eef2k) / tau   resting NMDAR calcium drives eEF2K
        (Autry 2011)
    d bdnf         = ((1 + disinhibition release_gain (S(C / adaptation) - S(1))
        calcium releases it (Lepack 2015)
                        + spontaneous translation_gain (1 - eef2k))+ - bdnf) / tau
        translation (Autry 2011, Nosyreva 2013)
    d adaptation   = (C - adaptation) / rise, or / fall        release gets used to a level
    signal         = f.bdnf bdnf S(u / adaptation) / S(1)      TrkB needs depolarisation
        (Meyer-Franke 1998)
    d desensitisation = (max(signal, 1) - desensitisation) / tau
    d mtorc1       = (max(1 + gain K / (1 + K+ / ceiling), floor) - mtorc1) / tau     (Li 2010,
        Jourdi 2009)    K = signal / desensitisation - 1
    translation    = f.protein (basal + (1 - basal) S((f.mtorc1 mtorc1 - 1)+))
        the rise of mTORC1 makes new protein (Li 2010)
    d free_protein = (translation - free_protein) / tau        synapses can capture it
    d protein      = made (translation - basal) - (protein - 1) / tau    all of it, as blots show

Release and TrkB answer a change from what the spine is used to. It gets used to more within hours
and unlearns it over days: if it fell as fast as it rises, the end of any suppressor would be a
surge. TrkB desensitises to a rise only, so that there is no rebound; mTORC1 keeps a basal floor, so
that a blocker alone changes little. New protein is made by a *rise* of mTORC1: at rest
hardly any.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

import numpy as np
import numpy.typing as npt

from plastogen._base.definition import Definition
from plastogen._base.quantity import In, Quantity

LEAST = float(np.finfo(float).tiny)  # any power of it that a file allows is nothing

N = TypeVar("N", float, npt.NDArray[np.float64])  # one course, or many: the equations are the same

Hours = Annotated[Quantity, In("h", above=0)]
Ratio = Annotated[Quantity, In("1", above=0)]
Gain = Annotated[Quantity, In("1", minimum=0)]
Share = Annotated[Quantity, In("1", minimum=0, maximum=1)]


@dataclass(frozen=True, slots=True)
class Inputs:
    """What the slow layer is told at one moment; activities are ratios to the seed's healthy
    baseline.

    Each is a number, or an array with one number a course. Those that drugs move have the names of
    `model.pharmacology.targets.TARGETS`.
    """

    rate_E: Any = 1.0
    rate_I: Any = 1.0
    """Rates of principal cells, and of inhibitory cells together."""
    ampa_throughput: Any = 1.0
    calcium: Any = 1.0
    """Mean calcium of the spines of principal cells."""
    balance: Any = 1.0
    """Where the calcium rule drives synapses between principal cells to: potentiation over
    potentiation and depression."""
    above_threshold: Any = 1.0
    """How much potentiation and depression there is in all."""
    rest_current: Any = 1.0
    """Resting (miniature) NMDAR current of principal cells left."""
    pv_block: Any = 0.0
    e_block: Any = 0.0
    """Shares of NMDAR conductance lost."""
    stress: Any = 0.0
    eef2k: Any = 1.0
    bdnf: Any = 1.0
    mtorc1: Any = 1.0
    protein: Any = 1.0
    serotonin: Any = 0.0


class Signalling(Definition):
    """Section `signalling` of a plasticity file; ratios are to the healthy, drug-free state."""

    steepness: Annotated[Quantity, In("1", minimum=1)]
    adaptation_rise: Hours
    adaptation_fall: Hours
    release_half: Ratio
    release_gain: Gain
    eef2k_cooperativity: Annotated[Quantity, In("1", minimum=1)]
    eef2k_time: Hours
    translation_gain: Gain
    bdnf_time: Hours
    coincidence_half: Ratio
    desensitisation_time: Hours
    mtorc1_gain: Gain
    mtorc1_ceiling: Ratio
    mtorc1_floor: Share
    mtorc1_time: Hours
    translation_half: Ratio
    translation_basal: Share
    free_protein_time: Hours
    protein_made: Annotated[Quantity, In("1/h", minimum=0)]
    protein_time: Hours


def at_least(x: N, low: Any) -> N:
    """`x`, or `low` where x is below it; of a plain number without numpy, which takes ten times as
    long over one.
    """
    if isinstance(x, float):
        return max(x, low)  # type: ignore[no-any-return]
    return np.maximum(x, low)  # type: ignore[no-any-return]


def power(x: N, n: Any) -> N:
    """x^n, and 0 for x <= 0. To the same bits of one course and of many: numpy's own power has
    short cuts for some.
    """
    return np.exp(n * np.log(at_least(x, LEAST)))  # type: ignore[no-any-return]


class Saturation:
    """S(x) = x^n / (x^n + half^n) of a ratio whose healthy value is 1."""

    __slots__ = ("at_one", "half_n", "n")

    def __init__(self, half: float, steepness: float) -> None:
        self.n = steepness
        self.half_n: float = half**steepness
        self.at_one = 1 / (1 + self.half_n)

    def __call__(self, x: N) -> N:
        """S(x), 0 to 1; 0 for x <= 0."""
        high = power(x, self.n)
        return high / (high + self.half_n)


class Cascade:
    """`Signalling` bound to plain floats: rates per hour, and the steady state in closed form."""

    def __init__(self, k: Signalling, *, disinhibition: float, spontaneous: float) -> None:
        n = float(k.steepness)
        self.release = Saturation(float(k.release_half), n)
        self.coincidence = Saturation(float(k.coincidence_half), n)
        self.translation = Saturation(float(k.translation_half), n)
        self.release_gain = disinhibition * float(k.release_gain)
        self.translation_gain = spontaneous * float(k.translation_gain)
        self.mtorc1_gain = float(k.mtorc1_gain)
        self.mtorc1_ceiling = float(k.mtorc1_ceiling)
        self.mtorc1_floor = float(k.mtorc1_floor)
        self.basal = float(k.translation_basal)
        self.cooperativity = float(k.eef2k_cooperativity)
        self.protein_made_h = float(k.protein_made)
        self.rise_h, self.fall_h = 1 / float(k.adaptation_rise), 1 / float(k.adaptation_fall)
        self.per_h = tuple(
            1 / float(tau)
            for tau in (
                k.eef2k_time,
                k.bdnf_time,
                k.desensitisation_time,
                k.mtorc1_time,
                k.free_protein_time,
                k.protein_time,
            )
        )

    @property
    def fastest_h(self) -> float:
        """The highest rate constant, 1/h; of many courses, of any of them."""
        return max(float(np.max(rate)) for rate in (*self.per_h, self.rise_h, self.fall_h))

    def rates(
        self,
        eef2k: N,
        bdnf: N,
        adaptation: N,
        desensitisation: N,
        mtorc1: N,
        free_protein: N,
        protein: N,
        *,
        throughput: N,
        inputs: Inputs,
    ) -> tuple[N, N, N, N, N, N, N]:
        """Rates per hour of the seven. `throughput`: AMPA throughput of one spine, 1 when
        healthy.
        """
        eef2k_h, bdnf_h, desensitisation_h, mtorc1_h, free_h, protein_h = self.per_h
        surge = self.release(inputs.calcium / adaptation) - self.release.at_one
        away = inputs.calcium - adaptation
        risen = at_least(away, 0.0)
        signal = self._signal(bdnf, throughput / adaptation, inputs)
        translation = self._translation(mtorc1, inputs)
        return (
            (power(inputs.rest_current, self.cooperativity) * inputs.eef2k - eef2k) * eef2k_h,
            (self._made(surge, eef2k) - bdnf) * bdnf_h,
            risen * self.rise_h + (away - risen) * self.fall_h,
            (at_least(signal, 1.0) - desensitisation) * desensitisation_h,
            (self._driven(signal / desensitisation) - mtorc1) * mtorc1_h,
            (translation - free_protein) * free_h,
            self.protein_made_h * (translation - self.basal) - (protein - 1) * protein_h,
        )

    def _made(self, surge: Any, eef2k: N) -> N:
        """Where BDNF is driven to by release and translation, never below nothing."""
        made = self.release_gain * surge + self.translation_gain * (1 - eef2k)
        return at_least(1 + made, 0.0)  # type: ignore[no-any-return]

    def _signal(self, bdnf: N, passed: N, inputs: Inputs) -> N:
        """What TrkB tells, 1 when healthy; `passed`: throughput over what the spine is used to."""
        return bdnf * inputs.bdnf * self.coincidence(passed) / self.coincidence.at_one  # type: ignore[no-any-return]

    def _driven(self, relative: N) -> N:
        """Where mTORC1 is driven to by TrkB, relative to what that is used to."""
        rise = relative - 1
        driven = 1 + self.mtorc1_gain * rise / (1 + at_least(rise, 0.0) / self.mtorc1_ceiling)
        return at_least(driven, self.mtorc1_floor)

    def _translation(self, mtorc1: N, inputs: Inputs) -> N:
        """New synaptic protein that is made, `basal` at rest to 1 at most."""
        risen = self.translation(at_least(mtorc1 * inputs.mtorc1 - 1, 0.0))
        return (self.basal + (1 - self.basal) * risen) * inputs.protein  # type: ignore[no-any-return]

    def steady(self, throughput: Any, inputs: Inputs) -> tuple[Any, ...]:
        """The seven of `rates` at rest under lasting inputs; a lasting level of calcium is what
        release is used to, whatever it is.
        """
        eef2k = power(inputs.rest_current, self.cooperativity) * inputs.eef2k
        bdnf = self._made(0.0, eef2k)
        signal = self._signal(bdnf, throughput / inputs.calcium, inputs)
        desensitisation = at_least(signal, 1.0)
        mtorc1 = self._driven(signal / desensitisation)
        translation = self._translation(mtorc1, inputs)
        return (
            eef2k,
            bdnf,
            inputs.calcium,
            desensitisation,
            mtorc1,
            translation,
            1 + self.protein_made_h * (translation - self.basal) / self.per_h[-1],
        )
