"""In: a claim and a readout along an axis of a sweep, or at all of its points. Out: its verdict.

Seeds are shared by all points, so a line along an axis is a line a seed: only seeds that finished
at every point of it count, and differences along it are paired.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from plastogen.experiment.claim import (
    CONFIDENCE,
    Claim,
    Measured,
    Verdict,
    gaps,
    interval,
    reaches,
    verdict,
)

Array: TypeAlias = NDArray[np.float64]
NOTHING = (float("nan"),) * 3
FEWEST = 3  # points that a correlation takes more than


def on_line(
    claim: Claim,
    values: Array,
    there: NDArray[np.bool_],
    places: Sequence[str],
    *,
    unit: str,
    number: Callable[[float | str], float] = float,
    where: str = "",
) -> Verdict:
    """The verdict on `rises`, `falls`, `peak` or `trough` on one line.

    `values`: (points, seeds) in rising order of the axis; `there`: which runs finished, of both
    arms where there are two; `places`: the points of the line in words.
    """
    seeds = there.all(0)
    lines = values[:, seeds]
    by = number(claim.by) if claim.by is not None else 0.0
    n = int(seeds.sum())
    if n == 0:
        found = Measured(NOTHING, _wanted(claim), False, "no seed finished at every point")
    elif reason := gaps({str(claim.arm): lines.ravel()}, unit):
        found = Measured(NOTHING, _wanted(claim), False, reason.replace("seeds", "runs"))
    else:
        found = (
            _peak(claim, lines, by, places)
            if claim.peak or claim.trough
            else _trend(claim, lines, by)
        )
    return verdict(
        claim, found, decided=not found.reason, unit=unit, n=n, expected=seeds.size, where=where
    )


def _wanted(claim: Claim) -> str:
    by = f"at least {claim.by}" if claim.by is not None else "more than 0"
    if claim.peak or claim.trough:
        return f"{by} {'above' if claim.peak else 'below'} both ends of {claim.axis}"
    back = f"never back by more than {100 * claim.slack:g} % of it" if claim.slack else "never back"
    return f"a {'rise' if claim.rises else 'fall'} of {by} along {claim.axis}, {back}"


def _trend(claim: Claim, lines: Array, by: float) -> Measured:
    """How far it goes from the first point to the last, and the furthest its mean goes back on the
    way.
    """
    lines = lines if claim.rises else -lines
    span, mean = interval(lines[-1] - lines[0]), lines.mean(1)
    back = float((np.maximum.accumulate(mean) - mean).max())
    whole = span[0]
    met = reaches(span, by) and back <= (claim.slack or 0) * whole
    note = f"goes back by {back / whole:.0%} of it on the way" if back > 0 and whole > 0 else ""
    return Measured(span, _wanted(claim), met, note=note)


def _peak(claim: Claim, lines: Array, by: float, places: Sequence[str]) -> Measured:
    """How far the top stands above the higher end.

    Each seed is measured where the mean of the others is highest, so that noise is not taken for a
    peak.
    """
    lines = lines if claim.peak else -lines
    n = lines.shape[1]
    others = lines if n == 1 else (lines.sum(1, keepdims=True) - lines) / (n - 1)
    tops = lines[others.argmax(0), np.arange(n)]
    spans = [interval(tops - end) for end in (lines[0], lines[-1])]
    top = int(lines.mean(1).argmax())
    inside = 0 < top < lines.shape[0] - 1
    met = inside and all(reaches(span, by) for span in spans)
    note = f"{'highest' if claim.peak else 'lowest'} at {places[top]}"
    return Measured(min(spans, key=lambda span: span[0]), _wanted(claim), met, note=note)


def of_points(
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
    span = share_of(int(reached.sum()), n)
    low, high = claim.share
    found = Measured(
        span,
        f"{low:.0%} to {high:.0%} of points {words}",
        low <= span[0] <= high,
        reason,
        f"{reached.sum()} of {n} points are {words}",
    )
    return verdict(
        claim,
        found,
        decided=not reason,
        unit="1",
        n=n,
        expected=expected,
        where=where,
        counted="points",
    )


def together(
    claim: Claim,
    values: Array,
    other: Array,
    there: NDArray[np.bool_],
    *,
    unit: str,
    where: str = "",
) -> Verdict:
    """The verdict on `goes_with`: `values`, `other`, `there` are (points, seeds); a point counts by
    the mean of its seeds, once all of them have finished and have a value.
    """
    assert claim.correlation is not None
    whole = there.all(1) & np.isfinite(values).all(1) & np.isfinite(other).all(1)
    n, expected = int(whole.sum()), whole.size
    span = rank_correlation(values[whole].mean(1), other[whole].mean(1))
    reason = "one of the two does not vary" if np.isnan(span[0]) else ""
    if n < expected:
        reason = f"a seed has not finished, or has no value, at {expected - n} of {expected} points"
    low, high = claim.correlation
    found = Measured(
        span,
        f"a rank correlation of {low:g} to {high:g} with {claim.goes_with}",
        bool(low <= span[0] <= high),
        reason,
    )
    return verdict(
        claim,
        found,
        decided=not reason,
        unit="1",
        n=n,
        expected=expected,
        where=where,
        counted="points",
    )


def rank_correlation(x: Array, y: Array) -> tuple[float, float, float]:
    """Spearman's correlation of `x` and `y` (n,) and its 95 % interval (Bonett & Wright 2000); NaN
    where none.
    """
    from scipy.special import ndtri
    from scipy.stats import spearmanr

    if x.size <= FEWEST or np.ptp(x) == 0 or np.ptp(y) == 0:
        return NOTHING
    found = float(spearmanr(x, y).statistic)
    half = float(ndtri((1 + CONFIDENCE) / 2) * np.sqrt((1 + found**2 / 2) / (x.size - FEWEST)))
    with np.errstate(divide="ignore"):
        z = np.arctanh(found)
    return found, float(np.tanh(z - half)), float(np.tanh(z + half))


def share_of(k: int, n: int) -> tuple[float, float, float]:
    """`k` of `n` as a share with its 95 % interval (Clopper & Pearson 1934)."""
    from scipy.special import betaincinv

    if n == 0:
        return NOTHING
    tail = (1 - CONFIDENCE) / 2
    low = 0.0 if k == 0 else float(betaincinv(k, n - k + 1, tail))
    high = 1.0 if k == n else float(betaincinv(k + 1, n - k, 1 - tail))
    return k / n, low, high
