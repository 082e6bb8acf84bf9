"""In: verdicts on claims with a source. Out: how good they are: how many are met, each source once,
and how far what was predicted lies from what was found, in standard errors.

The same function scores plastogen and the models without a mechanism beside it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, median

from plastogen.experiment import Verdict, standard_error

NEAR = 2  # standard errors within which two means are taken for the same


@dataclass(frozen=True)
class Score:
    """Of `asked` predictions `met` are met; `by_source`, the mean over sources of the share that is
    met, so that one paper counts once; `distances` where both have an interval, in standard errors,
    `ranges` of them from a range taken for an interval.
    """

    asked: int
    met: int
    by_source: float
    distances: tuple[float, ...]
    ranges: int = 0

    @property
    def near(self) -> int:
        """How many lie within two standard errors of what was found."""
        return sum(each <= NEAR for each in self.distances)

    @property
    def median(self) -> float:
        """The median distance, NaN of none."""
        return median(self.distances) if self.distances else math.nan


def score(verdicts: Sequence[Verdict]) -> Score:
    """The score of what is predicted among `verdicts`; what is undecided is not met."""
    counted = [one for one in verdicts if one.status == "predicted"]
    sources: dict[str | None, list[bool]] = {}
    for one in counted:
        sources.setdefault(one.source, []).append(one.outcome == "met")
    found = {one: far for one in counted if (far := distance(one)) is not None}
    return Score(
        len(counted),
        sum(one.outcome == "met" for one in counted),
        fmean(fmean(met) for met in sources.values()) if sources else math.nan,
        tuple(found.values()),
        sum(one.found_range for one in found),
    )


def distance(verdict: Verdict) -> float | None:
    """How far the mean predicted lies from the one found, over their standard errors together; None
    where either has no interval.
    """
    if verdict.found is None or not math.isfinite(verdict.value + verdict.low + verdict.high):
        return None
    value, low, high = verdict.found
    # what is the same in every seed has no error, however few they are
    fixed = verdict.low == verdict.high
    own = 0.0 if fixed else standard_error(verdict.low, verdict.high, verdict.n)
    return abs(verdict.value - value) / math.hypot(own, standard_error(low, high))
