"""In: what was measured for a claim. Out: its `Verdict`: met or not, and how sure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from plastogen._base.text import rounded
from plastogen.experiment.claim import Claim, Status
from plastogen.experiment.readout import level
from plastogen.experiment.statistics import FIXED, Estimate

if TYPE_CHECKING:
    import xarray as xr

COMPLETE = "complete"
OPPOSITE = {"more": "less", "less": "more"}


Outcome = Literal["met", "missed", "known miss", "undecided"]


@dataclass(frozen=True)
class Verdict:
    """What became of a claim. `value`, `low`, `high` in `unit`; `n` of `expected` seeds, or
    whatever is `counted`. `status`: what it is worth; `found`: value and 95 % interval that its
    source found, in the same unit; or the middle and ends of a range (`found_range`). `about`: an
    arm.

    Of a sweep it is the worst, at `where`, of `places` (points, or lines along an axis), of which
    `met_at` were met.

    >>> ds = plastogen.run("mine", seeds=2, method="formula")
    >>> (verdict,) = plastogen.open_outcome("mine").verdicts
    >>> (verdict.outcome, verdict.n, verdict.expected)
    ('met', 2, 2)
    """

    claim: str
    readout: str
    outcome: Outcome
    value: float
    low: float
    high: float
    unit: str
    n: int
    expected: int
    wanted: str
    reason: str = ""
    source: str | None = None
    known_miss: str | None = None
    where: str = ""
    note: str = ""
    counted: str = "seeds"
    places: int = 1
    met_at: int = 0
    status: Status = "predicted"
    found: tuple[float, float, float] | None = None
    found_range: bool = False
    about: str = ""

    @property
    def directed(self) -> tuple[Estimate, str]:
        """What was measured as one says it: a difference that went the other way is so much `more`,
        not minus so much less. Of what is no such difference, as it is, and no word.
        """
        span = Estimate(self.value, self.low, self.high)
        word = self.wanted.rpartition(" ")[2]
        if word not in OPPOSITE:
            return span, ""
        if span.value >= 0 or np.isnan(span.value):
            return span, word
        return Estimate(-span.value, -span.high, -span.low), OPPOSITE[word]

    @property
    def worth(self) -> str:
        """That it is no prediction, and what else; empty of one."""
        return "" if self.status == "predicted" else f"{self.status}, so no prediction"

    @property
    def rests_on(self) -> str:
        """`4 of 4`, and of what, if not seeds."""
        return f"{self.n} of {self.expected}" + (
            f" {self.counted}" if self.counted != "seeds" else ""
        )

    @property
    def spot(self) -> str:
        """Where in a sweep this is so: `holds at 27 of 30 places; the worst: dose = 2 mg/kg`; empty
        without one.
        """
        if self.places == 1:
            return self.where
        return f"holds at {self.met_at} of {self.places} places; the worst: {self.where}"

    @property
    def sentence(self) -> str:
        """One line: outcome, claim, numbers."""
        unit = "" if self.unit == "1" else f" {self.unit}"
        low, value, high = (rounded(end, 3) for end in (self.low, self.value, self.high))
        span = f" [{low}, {high}]" if self.low < self.high else ""
        sure = f" ({FIXED})" if self.low == self.high else ""
        numbers = f"{value}{span}{unit}{sure}, wanted {self.wanted}, n = {self.rests_on}"
        at = f" ({self.spot})" if self.spot else ""
        why = "".join(f"; {text}" for text in (self.worth, self.note, self.reason) if text)
        known = (
            f"; known miss: {self.known_miss}"
            if self.known_miss and self.outcome == "known miss"
            else ""
        )
        return f"{self.outcome}: {self.claim}{at}: {numbers}{why}{known}"

    def as_dict(self) -> dict[str, Any]:
        """Plain values, NaN as None, for JSON."""
        plain = asdict(self)
        return {
            k: None if isinstance(v, float) and not np.isfinite(v) else v for k, v in plain.items()
        }

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Verdict:
        """The verdict `as_dict` gave."""
        unknown = {k: float("nan") for k in ("value", "low", "high") if plain[k] is None}
        found = plain.get("found")
        return cls(**{**plain, **unknown, "found": None if found is None else tuple(found)})


@dataclass(frozen=True)
class Measured:
    """Mean and interval, what was wanted in words, whether it is so, and why there is nothing to
    say.
    """

    span: Estimate
    wanted: str
    met: bool
    reason: str = ""
    note: str = ""


def verdict_on(
    claim: Claim,
    found: Measured,
    *,
    decided: bool,
    unit: str,
    n: int,
    expected: int,
    where: str = "",
    counted: str = "seeds",
) -> Verdict:
    """What is `found` as a verdict on `claim`; `undecided` unless it is `decided`."""
    outcome: Outcome = "met" if found.met else "known miss" if claim.known_miss else "missed"
    return Verdict(
        claim.claim,
        claim.readout,
        outcome if decided else "undecided",
        *found.span,
        unit,
        n,
        expected,
        found.wanted,
        found.reason,
        claim.source,
        claim.miss_at(_in_words(found.span.value, unit)),
        where,
        found.note,
        counted,
        status=claim.status,
        found=_found_in(claim, unit),
        found_range=claim.found is not None and claim.found.range is not None,
        about=claim.about,
    )


def _found_in(claim: Claim, unit: str) -> tuple[float, float, float] | None:
    """What the source of `claim` found, value and ends of its 95 % interval, in `unit`."""
    if claim.found is None:
        return None
    low, high = (level(end, unit) for end in claim.found.ends)
    value = claim.found.value
    return level(value, unit) if value is not None else (low + high) / 2, low, high


def _in_words(value: float, unit: str) -> str:
    """What was measured, as it stands in a sentence."""
    if not np.isfinite(value):
        return "nothing"
    return f"{value:.2g}" + ("" if unit == "1" else f" {unit}")


def stored_verdicts(ds: xr.Dataset) -> list[Verdict]:
    """The verdicts that results carry."""
    return [Verdict.from_dict(plain) for plain in json.loads(ds.attrs["claims"])]
