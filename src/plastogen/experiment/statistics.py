"""In: numbers, NaN where one is missing. Out: every interval, effect size, test and correlation
that plastogen shows; nothing else computes one.

A mean has Student's t interval, a share Wilson's (1927), a rank correlation Bonett and Wright's
(2000), an AUC DeLong's (1988) on the logit, Hedges' g that of the noncentral t. Arms share their
random streams, so differences are paired. Values that differ by less than a millionth of their
variable's scale are equal: chance has no part in them, and none is made of rounding. Built on
scipy.special: importing scipy.stats costs most of a second; tests hold each of these to it. One
value, or values that are all equal, never warn: what is not known is NaN.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[np.float64]
CONFIDENCE = 95 / 100
POWER = 80 / 100
FEWEST = 2  # values below which there is no spread, so nothing to say of chance
FEWEST_RANKED = 3  # points that a rank correlation takes more than
RESOLUTION = 1e-6  # of a variable's scale: what differs by less does not differ
ROUNDING = 1e-12  # of a number: the same, where its scale is not known
FIXED = "fixed by the model"  # of what is the same in every seed, so that chance has no part in it
FAR = 100  # a t beyond which its noncentrality is read from the distribution of spreads
MOST_NEEDED = 1_000_000  # more pairs than this is never, inf
PAIRED = ("difference", "low", "high", "g", "g_low", "g_high", "detectable", "needed", "n")


class Estimate(NamedTuple):
    """A number with the ends of its 95 % interval; NaN what is not known."""

    value: float
    low: float
    high: float


UNKNOWN = Estimate(float("nan"), float("nan"), float("nan"))


@dataclass(frozen=True)
class Intervals:
    """Means with their 95 % intervals, arrays of one shape; `n` values behind each. `each`: the
    values themselves, along the first axis, where they are too few for an interval.
    """

    mean: Array
    low: Array
    high: Array
    n: NDArray[np.int64]
    each: Array | None = None


# Means and shares


def normal_quantile() -> float:
    """How many standard errors the 95 % interval of a normal reaches to either side."""
    from scipy.special import ndtri

    return float(ndtri((1 + CONFIDENCE) / 2))


def t_quantile(degrees: Any) -> Array:
    """The same of Student's t with so many degrees of freedom; NaN below 1."""
    from scipy.special import stdtrit

    known = np.where(np.asarray(degrees) >= 1, degrees, np.nan)
    return np.asarray(stdtrit(known, (1 + CONFIDENCE) / 2))


def standard_error(low: float, high: float, n: int | None = None) -> float:
    """That of a mean whose 95 % interval is `low` to `high`: of `n` values, or of a normal."""
    reach = normal_quantile() if n is None else float(t_quantile(n - 1))
    return (high - low) / (2 * reach)


def resolution(*values: Any, scale: float) -> Array:
    """Below what `values` of a variable of this scale (0: not known) do not differ."""
    largest = np.maximum.reduce([np.abs(each) for each in values])
    return np.asarray(np.maximum(RESOLUTION * scale, ROUNDING * largest))


def differences(a: Array, b: Array, *, scale: float = 0.0) -> Array:
    """a - b, 0 where they do not differ."""
    return np.where(np.abs(a - b) <= resolution(a, b, scale=scale), 0, a - b)


def moments(x: Array, *, scale: float = 0.0) -> tuple[NDArray[np.int64], Array, Array]:
    """n, mean and standard deviation along the first axis of what is not NaN; NaN where too few, no
    deviation where values do not differ.
    """
    there = np.isfinite(x)
    n = there.sum(0)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = np.where(there, x, 0).sum(0) / n
        squares = (np.where(there, x - mean, 0) ** 2).sum(0)
        spread = np.sqrt(squares / (n - 1))
        spread = np.where(spread <= resolution(mean, scale=scale), 0, spread)
    return n, mean, np.where(n >= FEWEST, spread, np.nan)


def mean_intervals(
    x: Array, *, share: bool = False, scale: float = 0.0, most: float = np.inf
) -> Intervals:
    """Mean and interval along the first axis of what is not NaN.

    Ends are NaN where only one value is, and equal where values of this `scale` do not differ.
    `share`: values say yes (1) or no (0), so the mean is a share. `most`: what no value can exceed
    in size, as a difference of shares cannot exceed 1: nor do the ends.
    """
    n, mean, spread = moments(np.asarray(x, float), scale=scale)
    if share:
        low, high = _wilson(mean, n)
    else:
        with np.errstate(invalid="ignore"):
            half = t_quantile(n - 1) * spread / np.sqrt(np.maximum(n, 1))
        low, high = np.maximum(mean - half, -most), np.minimum(mean + half, most)
    return Intervals(np.asarray(mean), np.asarray(low), np.asarray(high), np.asarray(n))


def mean_interval(
    x: Array, *, share: bool = False, scale: float = 0.0, most: float = np.inf
) -> Estimate:
    """Mean and interval of `x` (n,), as `mean_intervals`, but nothing is known where one is NaN."""
    x = np.asarray(x, float)
    if not np.isfinite(x).all():
        return UNKNOWN
    found = mean_intervals(x, share=share, scale=scale, most=most)
    return Estimate(float(found.mean), float(found.low), float(found.high))


def share_interval(k: int, n: int) -> Estimate:
    """`k` of `n` as a share (Wilson 1927)."""
    if n == 0:
        return UNKNOWN
    low, high = _wilson(np.asarray(k / n), np.asarray(n))
    return Estimate(k / n, float(low), float(high))


def _wilson(share: Array, n: Any) -> tuple[Array, Array]:
    """Ends of Wilson's interval (score test, no correction for continuity); NaN without a value."""
    z2, n = normal_quantile() ** 2, np.where(n > 0, n, np.nan)
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = np.sqrt(z2 * (share * (1 - share) / n + z2 / (4 * n**2))) / (1 + z2 / n)
    low, high = np.maximum(centre - half, 0), np.minimum(centre + half, 1)
    return np.where(share == 0, 0, low), np.where(share == 1, 1, high)


def most_of(yes_no: bool) -> float:
    """What no difference exceeds: 1 between answers of yes (1) and no (0)."""
    return 1.0 if yes_no else np.inf


# Differences of pairs


def paired_difference(
    a: Array, b: Array, effect: float | None = None, *, scale: float = 0.0, most: float = np.inf
) -> dict[str, Array]:
    """`PAIRED` of a - b, pairs along the first axis, NaN where one is missing: arrays of shape
    a.shape[1:]. `scale`: of the variable; `most`: see `mean_intervals`.

    difference, low, high: mean of the pairs with its interval. g: Hedges' g with its interval.
    detectable: the smallest difference that this many pairs show with 80 % power. needed: pairs
    that show `effect` (the difference found, if None) with that power. n: pairs there are. Where
    pairs do not differ chance has no part: the interval has no width, detectable and needed are
    NaN, and so is g where arms have no spread either.
    """
    difference = differences(a, b, scale=scale)
    n, mean, spread = moments(difference, scale=scale)
    found = mean_intervals(difference, scale=scale, most=most)
    there = np.isfinite(a) & np.isfinite(b)
    spreads = [moments(np.where(there, x, np.nan), scale=scale)[2] for x in (a, b)]
    within = np.sqrt((spreads[0] ** 2 + spreads[1] ** 2) / 2)
    g = _hedges(n, mean, spread, within)
    wanted = np.abs(mean) if effect is None else np.full(mean.shape, abs(effect))
    chance = (n >= FEWEST) & (spread > 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        size = wanted / np.where(chance, spread, np.nan)
    return {
        "difference": mean,
        "low": found.low,
        "high": found.high,
        "g": g[0],
        "g_low": g[1],
        "g_high": g[2],
        "detectable": np.where(chance, detectable_effect(n) * spread, np.nan),
        "needed": pairs_needed(size),
        "n": n,
    }


def _hedges(n: Any, mean: Array, spread: Array, within: Array) -> tuple[Array, Array, Array]:
    """Hedges' g of matched pairs and the ends of its 95 % interval, from n - 1 degrees of freedom.

    The scale is the standard deviation within arms, (sd_a^2 + sd_b^2)/2, so that g is comparable
    with that of two groups (Borenstein 2009, chapter 4). The interval is that of the noncentral t
    of the pairs (Cumming and Finch 2001) on the same scale: it leaves out 0 where that of the
    difference does. NaN below 3 pairs, and where arms have no spread.
    """
    from scipy.special import gammaln

    m = np.maximum(n - 1, 1)
    # Hedges 1981, exact
    small = np.exp(gammaln(m / 2) - gammaln(np.maximum(m - 1, 1) / 2)) / np.sqrt(m / 2)
    with np.errstate(divide="ignore", invalid="ignore"):
        small = np.where((m > 1) & (within > 0), small / within, np.nan)
        ends = noncentrality(np.sqrt(n) * mean / spread, m)
        low, high = (np.where(spread > 0, end * spread / np.sqrt(n), mean) for end in ends)
    return small * mean, small * low, small * high


def noncentrality(t: Array, degrees: Any) -> tuple[Array, Array]:
    """Ends of the 95 % interval of the noncentrality of a t distribution of which `t` was seen; NaN
    where `t` is.

    Beyond `FAR`, where the inverse fails, from the chi distribution of the spread and the normal
    one of the mean, which by then are apart.
    """
    from scipy.special import chdtri, nctdtrinc

    upper = (1 + CONFIDENCE) / 2
    known = np.isfinite(t)
    near = known & (np.abs(t) <= FAR)
    size = np.where(known, np.abs(t), np.nan)
    here = np.where(near, t, 0.0)
    ends = []
    for share in (upper, 1 - upper):
        reach = size * (np.sqrt(chdtri(degrees, share) / degrees) - 1)
        far = size + np.sign(1 / 2 - share) * np.hypot(reach, normal_quantile())
        ends.append((np.asarray(nctdtrinc(degrees, share, here)), far))
    (low, far_low), (high, far_high) = ends
    below, edge, least = t < 0, t_quantile(degrees), np.finfo(float).tiny
    # the inverse is good to five digits: 0 is left out where Student's interval leaves it out
    low = np.where(t > edge, np.maximum(low, least), np.minimum(low, 0))
    high = np.where(t < -edge, np.minimum(high, -least), np.maximum(high, 0))
    return (
        np.where(near, low, np.where(below, -far_high, far_low)),
        np.where(near, high, np.where(below, -far_low, far_high)),
    )


def paired_power(n: Any, size: Any) -> Array:
    """Power of a paired t test (two-sided, 5 %) with `n` pairs; `size`: mean over sd of the pairs'
    differences.
    """
    from scipy.special import nctdtr

    n, size = np.asarray(n, float), np.abs(np.asarray(size, float))
    edge, shift = t_quantile(n - 1), size * np.sqrt(n)
    # NaN where it is too small to be told from 0
    wrong_way = np.nan_to_num(nctdtr(n - 1, shift, -edge))
    return np.asarray(1 - nctdtr(n - 1, shift, edge) + wrong_way)


def pairs_needed(size: Any) -> Array:
    """The fewest pairs that show an effect of `size` (mean over sd of the differences) with 80 %
    power; inf: never.
    """
    from scipy.special import ndtri

    size = np.abs(np.asarray(size, float))
    z = normal_quantile() + ndtri(POWER)
    with np.errstate(divide="ignore"):
        n = np.ceil((z / size) ** 2)  # the normal's answer, which is a little too few
    n = np.maximum(n, FEWEST)
    never = ~(n < MOST_NEEDED)
    n = np.where(never, np.nan, n)
    while (short := paired_power(n, size) < POWER).any():
        n = n + short
    return np.where(np.isnan(size), np.nan, np.where(never, np.inf, n))


def detectable_effect(n: Any) -> Array:
    """The smallest effect (mean over sd of the differences) that `n` pairs show with 80 % power;
    NaN below 2 pairs.
    """
    from scipy.special import nctdtrinc

    n = np.asarray(n, float)
    degrees = np.where(n >= FEWEST, n - 1, np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(nctdtrinc(degrees, 1 - POWER, t_quantile(degrees)) / np.sqrt(n))


def t_test(x: Array, *, scale: float = 0.0) -> tuple[float, float]:
    """Standard error of the mean of `x` (n,), and the two-sided p of its difference from 0.

    Both NaN for fewer than two values. Values that are all equal decide: p is 0, or 1 when they
    are 0.
    """
    from scipy.special import stdtr

    n, mean, spread = moments(x, scale=scale)
    if n < FEWEST:
        return float("nan"), float("nan")
    error = float(spread / np.sqrt(n))
    if not error:
        return error, float(abs(mean) <= resolution(0.0, scale=scale))
    return error, float(2 * stdtr(n - 1, -abs(mean) / error))


def false_discovery(p: Array) -> Array:
    """`p` (n,) corrected for how many they are (Benjamini and Hochberg 1995)."""
    order = np.argsort(p)[::-1]
    ranks = np.arange(p.size, 0, -1)
    corrected = np.empty(p.size)
    corrected[order] = np.minimum(np.minimum.accumulate(p[order] * p.size / ranks), 1)
    return corrected


# Ranks


def average_ranks(x: Array) -> Array:
    """Ranks of `x` (n,) from 1; equal values share the mean of theirs."""
    _, place, count = np.unique(x, return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(count) - (count - 1) / 2)[place])


def varies(x: Array, *, scale: float = 0.0) -> bool:
    """Whether any two values of `x` (n,), of a variable of this scale, differ."""
    return bool(x.size and np.ptp(x) > resolution(x.min(), x.max(), scale=scale))


def rank_correlation(x: Array, y: Array, *, scales: tuple[float, float] = (0.0, 0.0)) -> Estimate:
    """Spearman's correlation of `x` and `y` (n,), interval of Bonett & Wright 2000; NaN where one
    of them does not vary. `scales`: of their variables.
    """
    if x.size <= FEWEST_RANKED or not (varies(x, scale=scales[0]) and varies(y, scale=scales[1])):
        return UNKNOWN
    ranks = [average_ranks(values) - (x.size + 1) / 2 for values in (x, y)]
    found = float(_correlation(*ranks))
    half = normal_quantile() * np.sqrt((1 + found**2 / 2) / (x.size - FEWEST_RANKED))
    low, high = _fisher(np.asarray(found), half)
    return Estimate(found, float(low), float(high))


def partial_rank_correlations(x: Array, y: Array) -> tuple[Array, Array, Array]:
    """Of `y` (n,) with each column of `x` (n, k), the others held: correlations and ends, (k,).

    Intervals by Fisher's z.
    """
    points, numbers = x.shape
    ranks, of_y = np.apply_along_axis(average_ranks, 0, x), average_ranks(y)[:, None]
    found = np.zeros(numbers)
    for k in range(numbers):
        rest = np.column_stack([np.delete(ranks, k, axis=1), np.ones(points)])
        both = np.column_stack([ranks[:, k : k + 1], of_y])
        found[k] = _correlation(*(both - rest @ np.linalg.lstsq(rest, both)[0]).T)
    low, high = _fisher(found, normal_quantile() / np.sqrt(max(points - numbers - 2, 1)))
    return found, low, high


def _correlation(x: Array, y: Array) -> Array:
    """Pearson's, of values whose mean is 0."""
    return np.asarray(np.clip(x @ y / np.sqrt((x @ x) * (y @ y)), -1, 1))


def _fisher(found: Array, half: float) -> tuple[Array, Array]:
    """Ends of the interval of a correlation that reaches `half` to either side on Fisher's z."""
    with np.errstate(divide="ignore"):
        z = np.arctanh(found)
    return np.tanh(z - half), np.tanh(z + half)


def auc(yes: Array, no: Array) -> Estimate:
    """P(yes > no) + P(yes = no)/2 of two samples (n,), (m,), and its 95 % interval.

    DeLong 1988 on the logit, which keeps the interval within 0 and 1; no width is known where they
    do not overlap, or where one of them is a single value.
    """
    from scipy.special import expit, logit

    above = (yes[:, None] > no[None]) + (yes[:, None] == no[None]) / 2
    found = float(above.mean()) if above.size else float("nan")
    if not 0 < found < 1 or min(yes.size, no.size) < FEWEST:
        return Estimate(found, float("nan"), float("nan"))
    variance = above.mean(1).var(ddof=1) / yes.size + above.mean(0).var(ddof=1) / no.size
    half = normal_quantile() * np.sqrt(variance) / (found * (1 - found))
    return Estimate(found, float(expit(logit(found) - half)), float(expit(logit(found) + half)))
