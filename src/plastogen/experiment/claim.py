"""In: what stands under `expect:` in an experiment. Out: a `Claim`, of one of the forms."""

from __future__ import annotations

from typing import Literal, TypeAlias

import pydantic

from plastogen._base.definition import Definition
from plastogen._base.quantity import Fault, faulty
from plastogen._base.text import show

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
# forms that walk along an axis: how many points they take
ALONG = {"rises": 2, "falls": 2, "peak": 3, "trough": 3}
_COMMON = (
    "claim", "readout", "where", "status", "source", "found", "reported", "known_miss", "note"
)  # fmt: skip
# what a claim that comes out is worth: only what is predicted counts as a hit or a miss
Status: TypeAlias = Literal["predicted", "calibrated", "input", "by construction"]
VALUE = "{value}"  # in a known miss, stands for what was measured
ARM_KEYS = ("more", "less", "than", "arm", "minus", "blocked", "alone", "full", "base")


class Found(Definition):
    """What a source found, in the unit of what is claimed: its `value` with a 95 % `interval`, or a
    `range` that it names without saying of what, which is taken for such an interval.
    """

    value: float | str | None = None
    interval: tuple[float | str, float | str] | None = None
    range: tuple[float | str, float | str] | None = None

    @property
    def ends(self) -> tuple[float | str, float | str]:
        """Those of the interval, or of the range."""
        ends = self.interval or self.range
        assert ends is not None
        return ends

    @pydantic.model_validator(mode="after")
    def _one_kind(self) -> Found:
        if (self.interval is None) == (self.range is None):
            found = (
                "neither interval nor range" if self.range is None else "both interval and range"
            )
            raise faulty([Fault("", found, "one of them")])
        if (self.value is None) != (self.interval is None):
            found = "nothing" if self.value is None else "a value beside range"
            raise faulty([Fault("value", found, "a value beside interval, and none beside range")])
        return self


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

    `status` says what it is worth: `predicted` where nothing is written, else `calibrated` (a
    number of the model was chosen to meet it), `input` (the model was given it) or `by
    construction` (no course of the model could miss it); only predictions count. `found: {value: x,
    interval: [low, high]}` is what its `source` found with its 95 % interval, as far as it can be
    set beside what is claimed, `found: {range: [low, high]}` a range that it names; `reported` is
    that in words, in its own numbers. `known_miss` says why the claim is not met, in words that
    stay right when the model changes: what was measured stands there as `{value}`.

    Virtual subjects are to a claim what seeds are without them: it is judged on all of them
    together.

    >>> claim = plastogen.check("mine").experiment.expect[0]
    >>> (claim.readout, claim.more, claim.than)
    ('weight_2h', 'ketamine', 'vehicle')
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
    to: float | None = pydantic.Field(None, gt=0, le=1)
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
    status: Status = "predicted"
    source: str | None = None
    found: Found | None = None
    reported: str | None = None
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
    def about(self) -> str:
        """The arm it says something of; the others are what that is held against."""
        return str(self.more or self.less or self.arm or self.blocked)

    def judged_in(self, unit: str) -> str:
        """The unit of what is judged, of a readout in `unit`: shares and correlations have none."""
        return "1" if self.form in ("blocked", "share", "goes_with") else unit

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
        if self.found is not None and self.source is None:
            faults.append(Fault("found", "no source beside it", "the source that found it"))
        left = (self.known_miss or "").replace(VALUE, "")
        if "{" in left or "}" in left:
            wanted = f"no braces but {VALUE}, which stands for what was measured"
            faults.append(Fault("known_miss", show(self.known_miss), wanted))
        if faults:
            raise faulty(faults)
        return self

    def miss_at(self, measured: str) -> str | None:
        """Why it is not met, with what was measured in its place."""
        return self.known_miss and self.known_miss.replace(VALUE, measured)
