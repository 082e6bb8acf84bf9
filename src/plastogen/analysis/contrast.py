"""In: results of arms x seeds, or arms x seeds x virtual subjects. Out: what a trial reports of
every readout, or of every variable at every time: the difference of arms, its interval and effect
size, and how many it takes to see one.

Arms share their random streams, so they are compared pair by pair. The unit is the virtual subject,
its seeds averaged, where there are subjects; else the seed. A pair counts only when both of its
arms are complete.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from plastogen._base.text import nearest, show
from plastogen.errors import InputError
from plastogen.experiment import CONFIDENCE

if TYPE_CHECKING:
    import xarray as xr

Array: TypeAlias = NDArray[np.float64]
POWER = 80 / 100
SUBJECT, SEED = "subject", "seed"
FEWEST = 2  # pairs below which there is no spread, so nothing to say of chance
ROUNDING = 1e-12  # of two numbers: a difference below this is none
MOST_NEEDED = 1_000_000  # more than this is never, inf
STATS = ("difference", "low", "high", "g", "g_low", "g_high", "detectable", "needed", "n")


@dataclass(frozen=True)
class Contrast:
    """One readout (or variable) of `arm` less that of `than`; `stats` has `STATS` over all
    remaining dimensions.

    difference, low, high: mean of the pairs with its 95 % interval. g: Hedges' g with its interval.
    detectable: the noise floor, the smallest difference that this many pairs show with 80 % power.
    needed: pairs that show the effect asked about (the difference found, if none was) with that
    power. n: pairs that are there, of `expected`.
    """

    name: str
    unit: str
    arm: str
    than: str
    expected: int
    of_subjects: bool
    stats: xr.Dataset


def by_unit(values: xr.DataArray) -> xr.DataArray:
    """`values` with one dimension of independent units in front, `subject` (seeds averaged) or else
    `seed`.

    A subject of whom a seed is missing (NaN) is missing: nothing partial is averaged.
    """
    if SUBJECT in values.dims:
        averaged = values.mean(SEED, skipna=False) if SEED in values.dims else values
        return averaged.transpose(SUBJECT, ...)
    return values.transpose(SEED, ...)


def compare(first: xr.DataArray, second: xr.DataArray, effect: float | None = None) -> xr.Dataset:
    """`first` less `second`, paired by unit: `STATS` over their other dimensions. `effect`: see
    `needed`.
    """
    import xarray as xr

    a, b = by_unit(first), by_unit(second)
    found = paired(np.asarray(a.values, float), np.asarray(b.values, float), effect)
    dims = a.dims[1:]
    coords = {name: a.coords[name] for name in a.coords if set(a.coords[name].dims) <= set(dims)}
    return xr.Dataset({name: (dims, found[name]) for name in STATS}, coords=coords)


def paired(a: Array, b: Array, effect: float | None = None) -> dict[str, Array]:
    """`STATS` of a - b, pairs along the first axis, NaN where one is missing: arrays of shape
    a.shape[1:].
    """
    from scipy.special import stdtrit

    there = np.isfinite(a) & np.isfinite(b)
    n = there.sum(0)
    known = n >= FEWEST
    rounding = ROUNDING * np.maximum(np.abs(a), np.abs(b))
    mean, spread = _moments(np.where(np.abs(a - b) <= rounding, 0, a - b), there)
    half = np.where(
        known,
        stdtrit(np.maximum(n - 1, 1), (1 + CONFIDENCE) / 2) * spread / np.sqrt(np.maximum(n, 1)),
        np.nan,
    )
    g, g_half = _hedges(a, b, mean, spread, there)
    wanted = np.abs(mean) if effect is None else np.full(mean.shape, abs(effect))
    with np.errstate(divide="ignore", invalid="ignore"):
        size = wanted / spread
    return {
        "difference": mean,
        "low": mean - half,
        "high": mean + half,
        "g": g,
        "g_low": g - g_half,
        "g_high": g + g_half,
        "detectable": np.where(known, detectable(n) * spread, np.nan),
        "needed": np.where(known, np.where(wanted > 0, needed(size), np.inf), np.nan),
        "n": n,
    }


def _moments(x: Array, there: NDArray[np.bool_]) -> tuple[Array, Array]:
    """Mean and standard deviation along the first axis of what is there; NaN where that is too
    little.
    """
    n = there.sum(0)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = np.where(there, x, 0).sum(0) / n
        squares = (np.where(there, x - mean, 0) ** 2).sum(0)
        spread = np.sqrt(squares / (n - 1))
    return mean, np.where(n >= FEWEST, spread, np.nan)


def _hedges(
    a: Array, b: Array, mean: Array, spread: Array, there: NDArray[np.bool_]
) -> tuple[Array, Array]:
    """Hedges' g of paired groups and half its 95 % interval (Borenstein 2009, chapter 4, equations
    4.26 to 4.29).

    The scale is the standard deviation within arms, (sd_a^2 + sd_b^2)/2: g is comparable with that
    of two groups.
    """
    from scipy.special import gammaln, ndtri

    n = there.sum(0)
    own = [_moments(x, there)[1] for x in (a, b)]
    within = np.sqrt((own[0] ** 2 + own[1] ** 2) / 2)
    m = np.maximum(n - 1, 1)
    small = np.exp(gammaln(m / 2) - gammaln(np.maximum(m - 1, 1) / 2)) / np.sqrt(
        m / 2
    )  # Hedges 1981, exact
    with np.errstate(divide="ignore", invalid="ignore"):
        d = mean / within
        variance = (1 / n + d**2 / (2 * n)) * (
            spread / within
        ) ** 2  # spread^2/within^2 = 2 (1 - r)
    there_is = (m > 1) & (within > 0)
    g, half = small * d, small * np.sqrt(variance) * ndtri((1 + CONFIDENCE) / 2)
    return np.where(there_is, g, np.nan), np.where(there_is, half, np.nan)


def power(n: Any, size: Any) -> Array:
    """Power of a paired t test (two-sided, 5 %) with `n` pairs; `size`: mean over sd of the pairs'
    differences.
    """
    from scipy.special import nctdtr, stdtrit

    n, size = np.asarray(n, float), np.abs(np.asarray(size, float))
    edge, shift = stdtrit(n - 1, (1 + CONFIDENCE) / 2), size * np.sqrt(n)
    wrong_way = np.nan_to_num(
        nctdtr(n - 1, shift, -edge)
    )  # NaN where it is too small to be told from 0
    return np.asarray(1 - nctdtr(n - 1, shift, edge) + wrong_way)


def needed(size: Any) -> Array:
    """The fewest pairs that show an effect of `size` (mean over sd of the differences) with 80 %
    power; inf: never.
    """
    from scipy.special import ndtri

    size = np.abs(np.asarray(size, float))
    z = ndtri((1 + CONFIDENCE) / 2) + ndtri(POWER)
    with np.errstate(divide="ignore"):
        n = np.ceil((z / size) ** 2)  # the normal's answer, which is a little too few
    n = np.maximum(n, FEWEST)
    never = ~(n < MOST_NEEDED)
    n = np.where(never, np.nan, n)
    while (short := power(n, size) < POWER).any():
        n = n + short
    return np.where(np.isnan(size), np.nan, np.where(never, np.inf, n))


def detectable(n: Any) -> Array:
    """The smallest effect (mean over sd of the differences) that `n` pairs show with 80 % power;
    NaN below 2 pairs.
    """
    from scipy.special import nctdtrinc, stdtrit

    n = np.asarray(n, float)
    degrees = np.where(n >= FEWEST, n - 1, np.nan)
    return np.asarray(
        nctdtrinc(degrees, 1 - POWER, stdtrit(degrees, (1 + CONFIDENCE) / 2)) / np.sqrt(n)
    )


def contrasts(
    ds: xr.Dataset,
    names: Sequence[str] | None = None,
    *,
    than: str | None = None,
    effect: float | None = None,
) -> Iterator[Contrast]:
    """Every arm against `than` in each of `names`: readouts (all by default) or variables, at every
    time they have.

    `than` is by default the first arm that is given nothing, else the first. Raises InputError.
    """
    arms = [str(arm) for arm in ds["arm"].values]
    base = one_of(than, arms, "arm") if than is not None else untreated(ds, arms)
    known = [
        str(name) for name in ds.data_vars if "units" in ds[name].attrs and "arm" in ds[name].dims
    ]
    own = [name for name in known if "readout" in ds[name].attrs]
    if not (names or own) or len(arms) < FEWEST:
        found = "no readouts" if len(arms) >= FEWEST else "one arm"
        raise refusal(ds, found=found, wanted="two arms or more, and readouts, to compare")
    for name in [one_of(name, known, "readout") for name in names or own]:
        values = ds[name].astype(float).load() if name in own else ds[name]
        second = values.sel(arm=base, drop=True)
        expected = int(ds.sizes.get(SUBJECT) or ds.sizes.get(SEED, 1))
        for arm in (arm for arm in arms if arm != base):
            stats = compare(values.sel(arm=arm, drop=True), second, effect)
            yield Contrast(
                name, str(values.attrs["units"]), arm, base, expected, SUBJECT in ds.sizes, stats
            )


def refusal(
    ds: xr.Dataset, *, found: str, wanted: str, path: str = "", nearest: str | None = None
) -> InputError:
    """The error of what cannot be told or drawn from results, which it names."""
    title = str(ds.attrs.get("title", "results"))
    return InputError.one(file=title, path=path, found=found, wanted=wanted, nearest=nearest)


def one_of(name: str, known: Sequence[str], what: str) -> str:
    if name not in known:
        wanted = f"one of {', '.join(known)}"
        raise InputError.one(
            file=what, found=show(name), wanted=wanted, nearest=nearest(name, known)
        )
    return name


def untreated(ds: xr.Dataset, arms: Sequence[str]) -> str:
    given = {row["arm"] for row in json.loads(ds.attrs.get("dosing", "[]"))}
    return next((arm for arm in arms if arm not in given), arms[0])


HEAD = (
    "",
    "arm",
    "difference [95 % interval]",
    "Hedges g [95 % interval]",
    "detectable",
    "needed",
    "n",
)


def rows(found: Iterable[Contrast]) -> Iterator[tuple[str, ...]]:
    """`found` as rows of text under `HEAD`; of a variable over time only the moment it differs
    most.
    """
    for contrast in found:
        for where, at in _told(contrast.stats):
            yield " ".join([contrast.name, where]).rstrip(), contrast.arm, *_numbers(contrast, at)


def legend(found: Contrast, effect: float | None = None) -> tuple[str, str]:
    """What stands above and below the rows."""
    unit = "virtual subjects" if found.of_subjects else "seeds"
    asked = "the difference found" if effect is None else f"a difference of {effect:g}"
    return (
        f"each arm less {found.than}, paired by {unit}",
        (
            f"detectable: the smallest difference these {unit} show with 80 % power; needed: {unit}"
            f" that show {asked}"
        ),
    )


def _told(stats: xr.Dataset) -> Iterator[tuple[str, Mapping[str, float]]]:
    """Where, and the numbers there, for every place; along time only where the difference is
    largest.
    """
    for place, at in _cells(stats, [str(dim) for dim in stats["n"].dims if dim != "time"]):
        if "time" in at.dims:
            size = np.abs(at["difference"].values)
            if not np.isfinite(size).any():
                continue
            at = at.isel(time=int(np.nanargmax(size)))
            place = {**place, "time": f"at {float(at['time']):.4g} h"}
        said = (
            f"{key} {value:g}" if isinstance(value, float) else str(value)
            for key, value in place.items()
        )
        yield ", ".join(said), {name: float(at[name]) for name in STATS}


def _cells(stats: xr.Dataset, dims: Sequence[str]) -> Iterator[tuple[dict[str, Any], xr.Dataset]]:
    """Every place along `dims`: what its coordinates say, and the statistics there."""
    for index in np.ndindex(*(stats.sizes[dim] for dim in dims)):
        at = stats.isel(dict(zip(dims, index, strict=True)))
        yield (
            {
                str(name): coord.values.item()
                for name, coord in at.coords.items()
                if coord.ndim == 0 and set(stats.coords[name].dims) & set(dims)
            },
            at,
        )


def _numbers(contrast: Contrast, at: Mapping[str, float]) -> Iterator[str]:
    unit = "" if contrast.unit == "1" else f" {contrast.unit}"
    for middle, low, high, text in (
        ("difference", "low", "high", unit),
        ("g", "g_low", "g_high", ""),
    ):
        span = f" [{at[low]:.3g}, {at[high]:.3g}]" if np.isfinite(at[low]) else ""
        missing = "no spread" if middle == "g" and np.isfinite(at["difference"]) else "no value"
        yield f"{at[middle]:.3g}{span}{text}" if np.isfinite(at[middle]) else missing
    yield f"{at['detectable']:.3g}{unit}" if np.isfinite(at["detectable"]) else ""
    count = at["needed"]
    yield "" if np.isnan(count) else "never" if np.isinf(count) else f"{count:.0f}"
    yield f"{at['n']:.0f} of {contrast.expected}"


def table(found: Iterable[Contrast]) -> str:
    """All of `found` as CSV: a row a readout, arm and place (sweep values, class, time ...)."""
    listed = list(found)
    places = list(
        dict.fromkeys(
            str(name) for c in listed for name, coord in c.stats.coords.items() if coord.ndim == 1
        )
    )
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["readout", "unit", "arm", "than", *places, *STATS, "expected"])
    for c in listed:
        for place, at in _cells(c.stats, [str(dim) for dim in c.stats["n"].dims]):
            numbers = [f"{float(at[name]):.6g}" if np.isfinite(at[name]) else "" for name in STATS]
            where = [place.get(name, "") for name in places]
            writer.writerow([c.name, c.unit, c.arm, c.than, *where, *numbers, c.expected])
    return out.getvalue()
