"""In: what the circuit does and drugs' targets, at each moment (`Inputs`). Out: BDNF, TrkB,
mTORC1, new protein.

One switch serves every step: S(x) = x^n / (x^n + half^n), D(x) = S(x) - S(1), zero when healthy.
With u the AMPA throughput of one spine, x = u / habituation and c = S(x) / S(1), the coincidence
that TrkB needs; `f.X` is the factor by which drugs change X:

    d eef2k       = (f.eef2k rest_current^m - eef2k) / tau    resting NMDAR calcium drives eEF2K
        (Autry 2011)
    d bdnf        = (1 + disinhibition release_gain D(x)      release by AMPA and L-type calcium
        (Lepack 2015)
                       + spontaneous translation_gain (1 - eef2k)      translation (Autry 2011,
                           Nosyreva 2013)
                       + tone_gain tone - bdnf) / tau         slow monoaminergic tone (row 49)
    trkb          = f.bdnf bdnf c                             needs depolarisation (Meyer-Franke
        1998)
    d mtorc1      = (1 + mtorc1_gain D(trkb) - mtorc1) / tau                          (Li 2010,
        Jourdi 2009)
    translation   = f.protein S(f.mtorc1 mtorc1) / S(1) x (ceiling - protein) / (ceiling - 1)
        (Li 2010)
    d protein     = (1 + mtorc1_share (translation - 1) - protein) / tau
        (Li 2010)
    d habituation = c (u - habituation) / tau                 sliding threshold (Bienenstock 1982)

Release answers a *surge* above what the synapse is used to, not a level. A plain threshold would
get two things wrong: here the surge counts as much in a stressed circuit, whose throughput is low
all day, and the slow rise of the weights afterwards sets off no second wave. A silent synapse (c
near 0) does not habituate.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

import numpy as np
import numpy.typing as npt
from pydantic import model_validator

from plastogen._base.definition import Definition
from plastogen._base.quantity import Fault, In, Quantity, faulty

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
    ampa_throughput: Any = 1.0
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
    habituation_time: Hours
    coincidence_half: Ratio
    release_half: Ratio
    release_gain: Gain
    eef2k_cooperativity: Annotated[Quantity, In("1", minimum=1)]
    eef2k_time: Hours
    translation_gain: Gain
    tone_gain: Gain
    bdnf_time: Hours
    trkb_half: Ratio
    mtorc1_gain: Gain
    mtorc1_time: Hours
    mtorc1_half: Ratio
    mtorc1_share: Share
    protein_ceiling: Annotated[Quantity, In("1", above=1)]
    protein_time: Hours

    @model_validator(mode="after")
    def _nothing_falls_below_zero(self) -> Signalling:
        n, faults = float(self.steepness), []
        for gain, half in (("release_gain", "release_half"), ("mtorc1_gain", "trkb_half")):
            most = 1 / Switch(float(getattr(self, half)), n).at_one
            if float(getattr(self, gain)) > most:
                wanted = (
                    f"at most {most:.3g} or a higher {half}: below zero without input otherwise"
                )
                faults.append(Fault(gain, f"{float(getattr(self, gain)):g}", wanted))
        if faults:
            raise faulty(faults)
        return self


def power(x: N, n: Any) -> N:
    """x^n, and 0 for x <= 0. Of many courses to the same bits however many there are: numpy's own
    has short cuts for some.
    """
    if not isinstance(x, np.ndarray):
        return max(x, 0.0) ** n  # type: ignore[no-any-return]
    return np.exp(n * np.log(np.maximum(x, LEAST)))  # type: ignore[no-any-return]


class Switch:
    """S(x) = x^n / (x^n + half^n): a saturating threshold on a ratio whose healthy value is 1."""

    __slots__ = ("at_one", "half_n", "n")

    def __init__(self, half: float, steepness: float) -> None:
        self.n = steepness
        self.half_n: float = half**steepness
        self.at_one = 1 / (1 + self.half_n)

    def __call__(self, x: N) -> N:
        """S(x), 0 to 1; 0 for x <= 0."""
        return self.of_power(power(x, self.n))

    def of_power(self, high: N) -> N:
        """S(x) from `high`, which is x^n."""
        return high / (high + self.half_n)


class Cascade:
    """`Signalling` bound to plain floats: rates per hour, and the steady state in closed form."""

    def __init__(self, k: Signalling, *, disinhibition: float, spontaneous: float) -> None:
        n = float(k.steepness)
        self.release = Switch(float(k.release_half), n)
        self.coincidence = Switch(float(k.coincidence_half), n)
        self.trkb = Switch(float(k.trkb_half), n)
        self.mtorc1 = Switch(float(k.mtorc1_half), n)
        self.release_gain = disinhibition * float(k.release_gain)
        self.translation_gain = spontaneous * float(k.translation_gain)
        self.tone_gain = float(k.tone_gain)
        self.mtorc1_gain = float(k.mtorc1_gain)
        self.cooperativity = float(k.eef2k_cooperativity)
        self.share = float(k.mtorc1_share)
        self.ceiling = float(k.protein_ceiling)
        self.per_h = tuple(
            1 / float(tau)
            for tau in (
                k.eef2k_time,
                k.bdnf_time,
                k.mtorc1_time,
                k.protein_time,
                k.habituation_time,
            )
        )

    def rates(
        self,
        eef2k: N,
        bdnf: N,
        mtorc1: N,
        protein: N,
        habituation: N,
        tone: N,
        throughput: N,
        inputs: Inputs,
    ) -> tuple[N, N, N, N, N, N, N]:
        """Rates per hour of the first five, then D(trkb) and translation for the synapse and the
        spines.

        `throughput` is the AMPA throughput of one spine, 1 when healthy.
        """
        eef2k_h, bdnf_h, mtorc1_h, protein_h, habituation_h = self.per_h
        high = power(throughput / habituation, self.release.n)  # both switches have one steepness
        coincidence = self.coincidence.of_power(high) / self.coincidence.at_one
        surge = self.release.of_power(high) - self.release.at_one
        drive = self.trkb(bdnf * inputs.bdnf * coincidence) - self.trkb.at_one
        room = (self.ceiling - protein) / (self.ceiling - 1)
        made_at_most = self.mtorc1(mtorc1 * inputs.mtorc1) / self.mtorc1.at_one * inputs.protein
        translation = made_at_most * room
        made = (
            self.release_gain * surge + self.translation_gain * (1 - eef2k) + self.tone_gain * tone
        )
        return (
            (power(inputs.rest_current, self.cooperativity) * inputs.eef2k - eef2k) * eef2k_h,
            (1 + made - bdnf) * bdnf_h,
            (1 + self.mtorc1_gain * drive - mtorc1) * mtorc1_h,
            (1 + self.share * (translation - 1) - protein) * protein_h,
            coincidence * (throughput - habituation) * habituation_h,
            drive,
            translation,
        )

    def steady(self, inputs: Inputs) -> tuple[Any, Any, Any, Any, Any, Any]:
        """(eef2k, bdnf, mtorc1, protein, D(trkb), translation) at rest under lasting inputs.

        A lasting throughput is what the synapse is used to (x = 1), whatever it is, so it does not
        enter.
        """
        eef2k = power(inputs.rest_current, self.cooperativity) * inputs.eef2k
        bdnf = 1 + self.translation_gain * (1 - eef2k) + self.tone_gain * inputs.serotonin
        drive = self.trkb(bdnf * inputs.bdnf) - self.trkb.at_one
        mtorc1 = 1 + self.mtorc1_gain * drive
        ratio = self.mtorc1(mtorc1 * inputs.mtorc1) / self.mtorc1.at_one * inputs.protein
        slope = self.share * ratio / (self.ceiling - 1)
        protein = (1 - self.share + slope * self.ceiling) / (1 + slope)
        return (
            eef2k,
            bdnf,
            mtorc1,
            protein,
            drive,
            ratio * (self.ceiling - protein) / (self.ceiling - 1),
        )
