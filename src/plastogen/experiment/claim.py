"""In: a claim of an experiment and its readouts by arm and seed. Out: a `Verdict`: met or not, and
how sure.

Arms share their seeds, so arms are compared seed by seed: the mean of the paired differences with
its 95 % interval (Student's t). A difference counts when its mean reaches what the claim asks for
and its interval leaves out 0.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, TypeAlias

import numpy as np
import pydantic
from numpy.typing import NDArray

from plastogen._base.definition import Definition
from plastogen._base.quantity import Fault, faulty

Array: TypeAlias = NDArray[np.float64]
Outcome = Literal["met", "missed", "known miss", "undecided"]
Values: TypeAlias = Callable[
    [str, str], Array
]  # (readout, arm) -> one value a seed, NaN where it never happened
CONFIDENCE = 95 / 100
FORMS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    # form: (keys it needs, keys it may have) beside those every claim has
    "more": (("more", "than"), ("by",)),
    "less": (("less", "than"), ("by",)),
    "between": (("arm", "between"), ("minus",)),
    "blocked": (("blocked", "alone", "full", "base", "to"), ()),
    "before": (("arm", "before"), ("by",)),
    "above": (("arm", "above"), ("by",)),
    "rises": (("arm", "rises"), ("minus", "by", "slack")),
    "falls": (("arm", "falls"), ("minus", "by", "slack")),
    "peak": (("arm", "peak"), ("minus", "by")),
    "trough": (("arm", "trough"), ("minus", "by")),
    "share": (("arm", "share"), ("minus", "at_least", "at_most")),
    "goes_with": (("arm", "goes_with", "correlation"), ("minus",)),
}
ALONG = {
    "rises": 2,
    "falls": 2,
    "peak": 3,
    "trough": 3,
}  # forms that walk along an axis: how many points they take
_COMMON = ("claim", "readout", "where", "source", "known_miss", "note")
ARM_KEYS = ("more", "less", "than", "arm", "minus", "blocked", "alone", "full", "base")


class Claim(Definition):
    """What must come out. One of these forms:

    `more: A, than: B, by: x` (or `less`): the readout of arm A exceeds that of B by at least x.
    `arm: A, between: [low, high]`: the readout of A (less that of `minus`) lies there. `blocked:
    A+x, alone: x, full: A, base: B, to: r`: |E(A+x) - E(x)| is at most r times |E(A) - E(B)|. `arm:
    A, before: other`: in arm A this readout (a time) comes before the readout `other`; `above:
    other`, it exceeds it.

    Of a sweep it must hold at every point, or at those that `where` picks: `{axis: value}`, `{axis:
    [from, to]}`. Further forms are about a sweep, or about virtual subjects, each of the readout of
    arm A (less that of `minus`): `arm: A, rises: axis, by: x, slack: s` (or `falls`): from the
    lowest to the highest value of the axis it rises by at least x, and on the way never falls back
    by more than the share s (0 if not given) of that whole. `arm: A, peak: axis, by: x` (or
    `trough`): it is highest inside the axis, at least x above both ends. `arm: A, at_least: x,
    share: [low, high]` (or `at_most`): the share of points that reach x lies there. `arm: A,
    goes_with: other, correlation: [low, high]`: over all points, its rank correlation with another
    readout of that arm, or with a number that is swept or varies between people, lies there.

    Virtual subjects are to a claim what seeds are without them: it is judged on all of them
    together.
    """

    claim: str
    readout: str
    more: str | None = None
    less: str | None = None
    than: str | None = None
    by: float | str | None = None
    arm: str | None = None
    minus: str | None = None
    between: tuple[float | str, float | str] | None = None
    before: str | None = None
    above: str | None = None
    blocked: str | None = None
    alone: str | None = None
    full: str | None = None
    base: str | None = None
    to: float | None = pydantic.Field(None, gt=0)
    rises: str | None = None
    falls: str | None = None
    peak: str | None = None
    trough: str | None = None
    slack: float | None = pydantic.Field(None, ge=0, lt=1)
    share: tuple[float, float] | None = None
    at_least: float | str | None = None
    at_most: float | str | None = None
    goes_with: str | None = None
    correlation: tuple[float, float] | None = None
    where: dict[str, float | str | tuple[float | str, float | str]] = {}
    source: str | None = None
    known_miss: str | None = None
    note: str | None = None

    @property
    def form(self) -> str:
        """Which of the forms this claim has."""
        return next(form for form in FORMS if getattr(self, form) is not None)

    @property
    def other(self) -> str | None:
        """The readout it compares with, in the forms `before` and `above`."""
        return self.before or self.above

    @property
    def axis(self) -> str | None:
        """The axis of a sweep it walks along, in the forms that do."""
        return getattr(self, self.form) if self.form in ALONG else None

    @property
    def of_sweep(self) -> bool:
        """Whether it says anything of the points of a sweep."""
        return (
            bool(self.where)
            or self.axis is not None
            or self.share is not None
            or self.goes_with is not None
        )

    @property
    def arms(self) -> dict[str, str]:
        """The arms it names: key -> arm."""
        return {key: getattr(self, key) for key in ARM_KEYS if getattr(self, key) is not None}

    @pydantic.model_validator(mode="after")
    def _one_form(self) -> Claim:
        forms = [form for form in FORMS if getattr(self, form) is not None]
        if len(forms) != 1:
            found = " and ".join(forms) or "none of them"
            raise faulty([Fault("", found, f"exactly one of {', '.join(FORMS)}")])
        needs, may = FORMS[forms[0]]
        faults = [
            Fault(key, "nothing", f"it beside {forms[0]}")
            for key in needs
            if getattr(self, key) is None
        ]
        allowed = (*needs, *may, *_COMMON)
        for key in type(self).model_fields:
            if key not in allowed and getattr(self, key) not in (None, {}):
                wanted = f"only {', '.join((*needs, *may))} in a claim of this form"
                faults.append(Fault(key, f"{key} beside {forms[0]}", wanted))
        if self.share is not None:
            if (self.at_least is None) == (self.at_most is None):
                found = (
                    "neither at_least nor at_most"
                    if self.at_most is None
                    else "both at_least and at_most"
                )
                faults.append(
                    Fault("share", found, "one of them, to say what each point must reach")
                )
            if not 0 <= self.share[0] <= self.share[1] <= 1:
                found = f"{self.share[0]:g} to {self.share[1]:g}"
                faults.append(Fault("share", found, "two ends from 0 to 1, the lower first"))
        if (
            self.correlation is not None
            and not -1 <= self.correlation[0] <= self.correlation[1] <= 1
        ):
            found = f"{self.correlation[0]:g} to {self.correlation[1]:g}"
            faults.append(Fault("correlation", found, "two ends from -1 to 1, the lower first"))
        if faults:
            raise faulty(faults)
        return self


@dataclass(frozen=True)
class Verdict:
    """What became of a claim. `value`, `low`, `high` in `unit`; `n` of `expected` seeds, or
    whatever is `counted`.

    Of a sweep it is the worst, at `where`, of `places` (points, or lines along an axis), of which
    `met_at` were met.
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
        span = "" if self.n < 2 else f" [{self.low:.3g}, {self.high:.3g}]"
        numbers = f"{self.value:.3g}{span}{unit}, wanted {self.wanted}, n = {self.rests_on}"
        at = f" ({self.spot})" if self.spot else ""
        why = "".join(f"; {text}" for text in (self.note, self.reason) if text)
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
        return cls(
            **{**plain, **{k: float("nan") for k in ("value", "low", "high") if plain[k] is None}}
        )


def interval(values: Array) -> tuple[float, float, float]:
    """Mean and 95 % interval (Student's t) of `values` (n,); no width is known for n = 1, so NaN
    there.
    """
    from scipy.special import stdtrit

    n = values.size
    if n == 0:
        return float("nan"), float("nan"), float("nan")
    mean = float(values.mean())
    if n == 1:
        return mean, float("nan"), float("nan")
    half = float(stdtrit(n - 1, (1 + CONFIDENCE) / 2) * values.std(ddof=1) / np.sqrt(n))
    return mean, mean - half, mean + half


def judge(
    claim: Claim,
    values: Values,
    *,
    complete: Mapping[str, NDArray[np.bool_]],
    unit: str,
    number: Callable[[float | str], float] = float,
    where: str = "",
) -> Verdict:
    """The verdict on `claim` at one point of a sweep.

    `values(readout, arm)`: (seeds,); `complete`: arm -> which seeds finished; `unit`: of the
    readout; `number` turns what the claim gives ("40 min") into that unit.
    """
    arms = list(dict.fromkeys(claim.arms.values()))
    there = np.logical_and.reduce([complete[arm] for arm in arms])
    got = _Seeds({a: values(claim.readout, a)[there] for a in arms})
    if claim.other is not None:
        got.other = values(claim.other, str(claim.arm))[there]
    found = _measure(claim, got, number, unit)
    n = int(there.sum())
    if n == 0:
        found = replace(found, reason="no seed finished in all the arms it compares")
    decided = n > 0 and (not found.reason or unit == "h")
    shown = "1" if claim.form == "blocked" else unit
    return verdict(claim, found, decided=decided, unit=shown, n=n, expected=there.size, where=where)


@dataclass(frozen=True)
class Measured:
    """Mean and interval, what was wanted in words, whether it is so, and why there is nothing to
    say.
    """

    span: tuple[float, float, float]
    wanted: str
    met: bool
    reason: str = ""
    note: str = ""


def verdict(
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
        claim.known_miss,
        where,
        found.note,
        counted,
    )


@dataclass
class _Seeds:
    """Values of the readout by arm, and of the readout it is to come before."""

    by_arm: dict[str, Array]
    other: Array | None = None


def _measure(
    claim: Claim, got: _Seeds, number: Callable[[float | str], float], unit: str
) -> Measured:
    x = got.by_arm
    asked = f"at least {claim.by}" if claim.by is not None else "above 0"
    if claim.form == "between":
        assert claim.between is not None
        minus = x[claim.minus] if claim.minus is not None else 0.0
        span = interval(x[str(claim.arm)] - minus)
        bottom, top = (number(end) for end in claim.between)
        wanted = f"{claim.between[0]} to {claim.between[1]}"
        return Measured(span, wanted, bool(bottom <= span[0] <= top), gaps(x, unit))
    if claim.form == "blocked":
        assert claim.to is not None
        left, whole = (
            x[str(claim.blocked)] - x[str(claim.alone)],
            x[str(claim.full)] - x[str(claim.base)],
        )
        return _remaining(left, whole, claim.to, gaps(x, unit))
    if claim.form in ("more", "less"):
        difference = x[str(claim.more or claim.less)] - x[str(claim.than)]
        wanted, never = f"{asked} {claim.form}", gaps(x, unit)
    else:
        assert got.other is not None
        difference = x[str(claim.arm)] - got.other
        wanted = f"{asked} {claim.form} {claim.other}"
        never = gaps({claim.readout: x[str(claim.arm)], str(claim.other): got.other}, unit)
    span = interval(difference if claim.form in ("more", "above") else -difference)
    return Measured(
        span, wanted, reaches(span, number(claim.by) if claim.by is not None else 0.0), never
    )


def reaches(span: tuple[float, float, float], by: float) -> bool:
    """Whether a difference is at least `by` and told from 0."""
    return bool(span[0] >= by and span[0] > 0 and not span[1] <= 0)


def _remaining(left: Array, whole: Array, most: float, never: str) -> Measured:
    """What remains of an effect: |left| / |whole|, the interval that of `left` over the mean of
    `whole`.
    """
    wanted = f"at most {most:g} of the whole effect"
    full, low, high = interval(whole)
    if never or not full:
        return Measured((float("nan"),) * 3, wanted, False, never or "there is no effect to block")
    span = interval(left / full)
    if low <= 0 <= high:
        return Measured(
            span, wanted, False, "the whole effect is not told from 0: nothing to block"
        )
    return Measured(span, wanted, bool(abs(span[0]) <= most))


def gaps(values: Mapping[str, Array], unit: str) -> str:
    """Says so when a time never came, or a readout has no value."""
    missing = {name: int(np.isnan(x).sum()) for name, x in values.items() if np.isnan(x).any()}
    what = "it never happens" if unit == "h" else "there is no value"
    each = ", ".join(f"{name} in {k} of {values[name].size} seeds" for name, k in missing.items())
    return f"{what}: {each}" if missing else ""
