"""In: a claim and its readouts at one point of a sweep, along one axis, or at all points. Out: its
verdict.

Arms share their seeds, so arms are compared seed by seed: the mean of the paired differences with
its 95 % interval. A difference counts when its mean reaches what the claim asks for and its
interval leaves out 0. Seeds are shared by all points too, so a line along an axis is a line a seed:
only seeds that finished at every point of it count, and differences along it are paired.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from plastogen._base.text import percent, portion
from plastogen.experiment.claim import Claim
from plastogen.experiment.reading import ALREADY
from plastogen.experiment.statistics import (
    UNKNOWN,
    Array,
    Estimate,
    differences,
    mean_interval,
    most_of,
    rank_correlation,
    share_interval,
)
from plastogen.experiment.verdict import Measured, Verdict, verdict_on

# (readout, arm) -> one value a seed, NaN where it never happened
Values: TypeAlias = Callable[[str, str], Array]
# (readout, arm) -> why it is NaN, one text a seed
Reasons: TypeAlias = Callable[[str, str], NDArray[np.object_]]


def judge_point(
    claim: Claim,
    values: Values,
    *,
    complete: Mapping[str, NDArray[np.bool_]],
    unit: str,
    scale: float = 0.0,
    number: Callable[[float | str], float] = float,
    where: str = "",
    yes_no: bool = False,
    reasons: Reasons | None = None,
) -> Verdict:
    """The verdict on `claim` at one point of a sweep.

    `values(readout, arm)`: (seeds,); `complete`: arm -> which seeds finished; `unit`: of the
    readout; `scale`: what is much of it; `number` turns what the claim gives ("40 min") into that
    unit; `yes_no`: whether the readout says yes or no, so that its mean is a share; `reasons`: why
    times are NaN. A claim over a time that is NaN is not met.
    """
    arms = list(dict.fromkeys(claim.arms.values()))
    there = np.logical_and.reduce([complete[arm] for arm in arms])
    got = _Seeds({a: values(claim.readout, a)[there] for a in arms}, scale, yes_no)
    if reasons is not None:
        got.reasons = {a: reasons(claim.readout, a)[there] for a in arms}
    if claim.other is not None:
        got.other = values(claim.other, str(claim.arm))[there]
        if reasons is not None:
            got.reasons = {
                name: reasons(name, str(claim.arm))[there] for name in (claim.readout, claim.other)
            }
    found = _measure(claim, got, number, unit)
    if not there.any():
        found = replace(found, reason="no seed finished in all the arms it compares")
    return _verdict(claim, found, there, unit, where)


def _verdict(
    claim: Claim, found: Measured, there: NDArray[np.bool_], unit: str, where: str
) -> Verdict:
    """What was measured over the seeds that are `there`: undecided without any, or where a value is
    missing that is not the time of what never happened.
    """
    return verdict_on(
        claim,
        found,
        decided=bool(there.any()) and (not found.reason or unit == "h"),
        unit=claim.judged_in(unit),
        n=int(there.sum()),
        expected=there.size,
        where=where,
    )


@dataclass
class _Seeds:
    """Values of the readout by arm, their scale, whether they say yes or no, the readout it comes
    before, and why values are NaN, by arm or by readout.
    """

    by_arm: dict[str, Array]
    scale: float
    yes_no: bool
    other: Array | None = None
    reasons: Mapping[str, NDArray[np.object_]] | None = None


def _measure(
    claim: Claim, got: _Seeds, number: Callable[[float | str], float], unit: str
) -> Measured:
    x = got.by_arm
    asked = f"at least {claim.by}" if claim.by is not None else "above 0"
    if claim.form == "between":
        assert claim.between is not None
        mine, share = x[str(claim.arm)], got.yes_no and claim.minus is None
        if claim.minus is not None:
            mine = differences(mine, x[claim.minus], scale=got.scale)
        span = mean_interval(mine, share=share, scale=got.scale, most=most_of(got.yes_no))
        bottom, top = (number(end) for end in claim.between)
        wanted = f"{claim.between[0]} to {claim.between[1]}"
        return Measured(span, wanted, bool(bottom <= span.value <= top), gaps(x, unit, got.reasons))
    if claim.form == "blocked":
        assert claim.to is not None
        left, whole = (
            differences(x[str(one)], x[str(other)], scale=got.scale)
            for one, other in ((claim.blocked, claim.alone), (claim.full, claim.base))
        )
        return _remaining(left, whole, claim.to, gaps(x, unit, got.reasons), got.scale)
    if claim.form in ("more", "less"):
        pair = x[str(claim.more or claim.less)], x[str(claim.than)]
        wanted, never = f"{asked} {claim.form}", gaps(x, unit, got.reasons)
    else:
        assert got.other is not None
        pair = x[str(claim.arm)], got.other
        wanted = f"{asked} {claim.form} {claim.other}"
        both = {claim.readout: x[str(claim.arm)], str(claim.other): got.other}
        never = gaps(both, unit, got.reasons)
    more, less = pair if claim.form in ("more", "above") else pair[::-1]
    difference = differences(more, less, scale=got.scale)
    span = mean_interval(difference, scale=got.scale, most=most_of(got.yes_no))
    return Measured(
        span, wanted, reaches(span, number(claim.by) if claim.by is not None else 0.0), never
    )


def reaches(span: Estimate, by: float) -> bool:
    """Whether a difference is at least `by` and told from 0."""
    return bool(span.value >= by and span.value > 0 and not span.low <= 0)


def _remaining(left: Array, whole: Array, most: float, never: str, scale: float) -> Measured:
    """What remains of an effect: |left| / |whole|, the interval that of `left` over the mean of
    `whole`.
    """
    wanted = f"at most {most:g} of the whole effect"
    full, low, high = mean_interval(whole, scale=scale)
    if never or not full:
        return Measured(UNKNOWN, wanted, False, never or "there is no effect to block")
    span = mean_interval(left / full, scale=scale / abs(full))
    if low <= 0 <= high:
        return Measured(
            span, wanted, False, "the whole effect is not told from 0: nothing to block"
        )
    return Measured(span, wanted, bool(abs(span.value) <= most))


def gaps(
    values: Mapping[str, Array], unit: str, reasons: Mapping[str, NDArray[np.object_]] | None = None
) -> str:
    """Says so when a time never came, or had come already, or a readout has no value."""
    told = []
    for already in (False, True):
        counts = {}
        for name, x in values.items():
            past = reasons[name] == ALREADY if reasons is not None else np.zeros(x.shape, bool)
            counts[name] = int((np.isnan(x) & (past == already)).sum())
        words = "it never happens" if unit == "h" else "there is no value"
        words = "it has happened already when the readout begins" if already else words
        each = [f"{name} in {k} of {values[name].size} seeds" for name, k in counts.items() if k]
        told += [f"{words}: {', '.join(each)}"] if each else []
    return "; ".join(told)


def judge_line(
    claim: Claim,
    values: Array,
    there: NDArray[np.bool_],
    places: Sequence[str],
    *,
    unit: str,
    scale: float = 0.0,
    number: Callable[[float | str], float] = float,
    where: str = "",
    yes_no: bool = False,
) -> Verdict:
    """The verdict on `rises`, `falls`, `peak` or `trough` on one line.

    `values`: (points, seeds) in rising order of the axis; `there`: which runs finished, of both
    arms where there are two; `places`: the points of the line in words.
    """
    seeds = there.all(0)
    lines = values[:, seeds]
    by = number(claim.by) if claim.by is not None else 0.0
    most = most_of(yes_no)
    if not seeds.any():
        found = Measured(UNKNOWN, _wanted(claim), False, "no seed finished at every point")
    elif reason := gaps({str(claim.arm): lines.ravel()}, unit):
        found = Measured(UNKNOWN, _wanted(claim), False, reason.replace("seeds", "runs"))
    else:
        found = (
            _peak(claim, lines, by, places, scale, most)
            if claim.peak or claim.trough
            else _trend(claim, lines, by, scale, most)
        )
    return _verdict(claim, found, np.asarray(seeds), unit, where)


def _wanted(claim: Claim) -> str:
    by = f"at least {claim.by}" if claim.by is not None else "more than 0"
    if claim.peak or claim.trough:
        return f"{by} {'above' if claim.peak else 'below'} both ends of {claim.axis}"
    back = f"never back by more than {100 * claim.slack:g} % of it" if claim.slack else "never back"
    return f"a {'rise' if claim.rises else 'fall'} of {by} along {claim.axis}, {back}"


def _trend(claim: Claim, lines: Array, by: float, scale: float, most: float) -> Measured:
    """How far it goes from the first point to the last, and the furthest its mean goes back on the
    way.
    """
    lines = lines if claim.rises else -lines
    rise, mean = differences(lines[-1], lines[0], scale=scale), lines.mean(1)
    span = mean_interval(rise, scale=scale, most=most)
    back = float(differences(np.maximum.accumulate(mean), mean, scale=scale).max())
    whole = span.value
    met = reaches(span, by) and back <= (claim.slack or 0) * whole
    goes_back = back > 0 and whole > 0
    note = f"goes back by {portion(back / whole, 'it')} on the way" if goes_back else ""
    return Measured(span, _wanted(claim), met, note=note)


def _peak(
    claim: Claim, lines: Array, by: float, places: Sequence[str], scale: float, most: float
) -> Measured:
    """How far the top stands above the higher end.

    Each seed is measured where the mean of the others is highest, so that noise is not taken for a
    peak.
    """
    lines = lines if claim.peak else -lines
    n = lines.shape[1]
    others = lines if n == 1 else (lines.sum(1, keepdims=True) - lines) / (n - 1)
    tops = lines[others.argmax(0), np.arange(n)]
    spans = [
        mean_interval(differences(tops, end, scale=scale), scale=scale, most=most)
        for end in (lines[0], lines[-1])
    ]
    top = int(lines.mean(1).argmax())
    inside = 0 < top < lines.shape[0] - 1
    met = inside and all(reaches(span, by) for span in spans)
    note = f"{'highest' if claim.peak else 'lowest'} at {places[top]}"
    return Measured(min(spans, key=lambda span: span.value), _wanted(claim), met, note=note)


def judge_share(
    claim: Claim,
    values: Array,
    there: NDArray[np.bool_],
    *,
    unit: str,
    number: Callable[[float | str], float] = float,
    where: str = "",
) -> Verdict:
    """The verdict on `share`: `values` and `there` are (points, seeds); a point counts by the mean
    of its seeds, once all of them have finished.

    What never happens (a time that is NaN) does not reach anything; another readout without a value
    decides nothing.
    """
    assert claim.share is not None
    finished = there.all(1)
    means = values[finished].mean(1)
    n, expected = means.size, finished.size
    reason = "" if unit == "h" else gaps({str(claim.arm): means}, unit).replace("seeds", "points")
    if n < expected:
        reason = f"not every seed finished at {expected - n} of {expected} points"
    if claim.at_least is not None:
        reached, words = means >= number(claim.at_least), f"at least {claim.at_least}"
    else:
        reached, words = means <= number(claim.at_most or 0), f"at most {claim.at_most}"
    span = share_interval(int(reached.sum()), n)
    low, high = claim.share
    found = Measured(
        span,
        f"{percent(low)} to {percent(high)} of points {words}",
        low <= span.value <= high,
        reason,
        f"{reached.sum()} of {n} points are {words}",
    )
    return _verdict_over_points(claim, found, n, expected, where)


def judge_correlation(
    claim: Claim,
    values: Array,
    other: Array,
    there: NDArray[np.bool_],
    *,
    scales: tuple[float, float] = (0.0, 0.0),
    where: str = "",
) -> Verdict:
    """The verdict on `goes_with`: `values`, `other`, `there` are (points, seeds); a point counts by
    the mean of its seeds, once all of them have finished and have a value.
    """
    assert claim.correlation is not None
    whole = there.all(1) & np.isfinite(values).all(1) & np.isfinite(other).all(1)
    n, expected = int(whole.sum()), whole.size
    span = rank_correlation(values[whole].mean(1), other[whole].mean(1), scales=scales)
    reason = "one of the two does not vary" if np.isnan(span.value) else ""
    if n < expected:
        reason = f"a seed has not finished, or has no value, at {expected - n} of {expected} points"
    low, high = claim.correlation
    found = Measured(
        span,
        f"a rank correlation of {low:g} to {high:g} with {claim.goes_with}",
        bool(low <= span.value <= high),
        reason,
    )
    return _verdict_over_points(claim, found, n, expected, where)


def _verdict_over_points(
    claim: Claim, found: Measured, n: int, expected: int, where: str
) -> Verdict:
    """The verdict on what counts points, `n` of `expected`: undecided for whatever reason there
    is.
    """
    return verdict_on(
        claim,
        found,
        decided=not found.reason,
        unit="1",
        n=n,
        expected=expected,
        where=where,
        counted="points",
    )
