"""In: results of arms x seeds, or arms x seeds x virtual subjects. Out: what a trial reports of
every readout, or of every variable at every time: the difference of arms, its interval and effect
size, and how many it takes to see one.

Arms share their random streams, so they are compared pair by pair. The unit is the virtual subject,
its seeds averaged, where there are subjects; else the seed. A pair counts only when both of its
arms are complete.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from plastogen._base.csv_table import CsvWriter
from plastogen._base.text import any_of, nearest, show
from plastogen.errors import InputError
from plastogen.experiment import FEWEST, FIXED, PAIRED, SUBJECT, most_of, paired_difference
from plastogen.simulation import VARIABLES

if TYPE_CHECKING:
    import xarray as xr

SEED = "seed"


@dataclass(frozen=True)
class Contrast:
    """One readout (or variable) of `arm` less that of `than`; `stats` has `PAIRED` over all
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


def scale_of(values: xr.DataArray) -> float:
    """What is much of a readout or a variable of results, in its unit; 0 where nothing says so."""
    variable = VARIABLES.get(str(values.name))
    return float(values.attrs.get("scale", 0.0 if variable is None else variable.size))


def paired_contrast(
    first: xr.DataArray, second: xr.DataArray, effect: float | None = None
) -> xr.Dataset:
    """`first` less `second`, paired by unit: `PAIRED` over their other dimensions. `effect`: see
    `paired_difference`.
    """
    import xarray as xr

    a, b = by_unit(first), by_unit(second)
    x, y = (np.asarray(each.values, float) for each in (a, b))
    most = most_of("yes_no" in first.attrs)
    found = paired_difference(x, y, effect, scale=scale_of(first), most=most)
    dims = a.dims[1:]
    coords = {name: a.coords[name] for name in a.coords if set(a.coords[name].dims) <= set(dims)}
    return xr.Dataset({name: (dims, found[name]) for name in PAIRED}, coords=coords)


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
    base = require_name(than, arms, "arm") if than is not None else control_arm(ds, arms)
    known = [
        str(name) for name in ds.data_vars if "units" in ds[name].attrs and "arm" in ds[name].dims
    ]
    own = [name for name in known if "readout" in ds[name].attrs]
    if not (names or own) or len(arms) < FEWEST:
        found = "no readouts" if len(arms) >= FEWEST else "one arm"
        raise results_error(ds, found=found, wanted="two arms or more, and readouts, to compare")
    for name in [require_name(name, known, "readout") for name in names or own]:
        values = ds[name].astype(float).load() if name in own else ds[name]
        second = values.sel(arm=base, drop=True)
        expected = int(ds.sizes.get(SUBJECT) or ds.sizes.get(SEED, 1))
        for arm in (arm for arm in arms if arm != base):
            stats = paired_contrast(values.sel(arm=arm, drop=True), second, effect)
            yield Contrast(
                name, str(values.attrs["units"]), arm, base, expected, SUBJECT in ds.sizes, stats
            )


def results_error(
    ds: xr.Dataset, *, found: str, wanted: str, path: str = "", nearest: str | None = None
) -> InputError:
    """The error of what cannot be told or drawn from results, which it names."""
    title = str(ds.attrs.get("title", "results"))
    return InputError.one(file=title, path=path, found=found, wanted=wanted, nearest=nearest)


def require_name(name: str, known: Sequence[str], what: str) -> str:
    """`name`, if it is among those `known`; `what` says of which kind. Raises InputError."""
    if name not in known:
        near = nearest(name, known)
        raise InputError.one(file=what, found=show(name), wanted=any_of(known), nearest=near)
    return name


def control_arm(ds: xr.Dataset, arms: Sequence[str]) -> str:
    """The first of `arms` that is given nothing, else the first."""
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


def text_rows(found: Iterable[Contrast]) -> Iterator[tuple[str, ...]]:
    """`found` as rows of text under `HEAD`; of a variable over time only the moment it differs
    most.
    """
    for contrast in found:
        for where, at in _at_largest(contrast.stats):
            yield " ".join([contrast.name, where]).rstrip(), contrast.arm, *_numbers(contrast, at)


def describe_pairs(found: Contrast, effect: float | None = None) -> tuple[str, str]:
    """What stands above and below the rows."""
    unit = "virtual subjects" if found.of_subjects else "seeds"
    asked = "the difference found" if effect is None else f"a difference of {effect:g}"
    return (
        f"each arm less {found.than}, matched pairs of {unit} (df n - 1)",
        (
            f"detectable: the smallest difference these {unit} show with 80 % power; needed: {unit}"
            f" that show {asked}"
        ),
    )


def _at_largest(stats: xr.Dataset) -> Iterator[tuple[str, Mapping[str, float]]]:
    """Where, and the numbers there, for every place; along time only where the difference is
    largest.
    """
    for place, at in _places(stats, [str(dim) for dim in stats["n"].dims if dim != "time"]):
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
        yield ", ".join(said), {name: float(at[name]) for name in PAIRED}


def _places(stats: xr.Dataset, dims: Sequence[str]) -> Iterator[tuple[dict[str, Any], xr.Dataset]]:
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
    fixed = at["low"] == at["high"]
    for middle, low, high, text, missing in (
        ("difference", "low", "high", unit, "no value"),
        ("g", "g_low", "g_high", "", FIXED if fixed else "" if at["n"] else "no value"),
    ):
        span = f" [{at[low]:.3g}, {at[high]:.3g}]" if at[low] < at[high] else ""
        yield f"{at[middle]:.3g}{span}{text}" if np.isfinite(at[middle]) else missing
    yield f"{at['detectable']:.3g}{unit}" if np.isfinite(at["detectable"]) else ""
    count = at["needed"]
    yield "" if np.isnan(count) else "never" if np.isinf(count) else f"{count:.0f}"
    yield f"{at['n']:.0f} of {contrast.expected}"


def csv_text(found: Iterable[Contrast]) -> str:
    """All of `found` as CSV: a row a readout, arm and place (sweep values, class, time ...)."""
    listed = list(found)
    places = list(
        dict.fromkeys(
            str(name) for c in listed for name, coord in c.stats.coords.items() if coord.ndim == 1
        )
    )
    out = io.StringIO()
    writer = CsvWriter(out)
    writer.row(["readout", "unit", "arm", "than", *places, *PAIRED, "expected"])
    for c in listed:
        for place, at in _places(c.stats, [str(dim) for dim in c.stats["n"].dims]):
            numbers = [f"{float(at[name]):.6g}" if np.isfinite(at[name]) else "" for name in PAIRED]
            where = [place.get(name, "") for name in places]
            writer.row([c.name, c.unit, c.arm, c.than, *where, *numbers, c.expected])
    return out.getvalue()
