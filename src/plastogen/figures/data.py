"""In: results (xarray.Dataset of results.nc). Out: what a figure needs of them: means, intervals,
n, what was given.

Nothing here draws. All means and intervals are over seeds; runs that left nothing (NaN) are left
out and counted.
"""

from __future__ import annotations

import csv
import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from plastogen._base.text import nearest
from plastogen.analysis.contrast import by_unit, refusal
from plastogen.errors import InputError
from plastogen.experiment.claim import CONFIDENCE
from plastogen.experiment.design import DIMENSIONS, POINT, SUBJECT

Array = npt.NDArray[np.float64]
PERCENT = round(100 * CONFIDENCE)
OWN_DIMS = tuple(dim for dim in DIMENSIONS if dim != POINT)  # all others are sweep axes
MOST_NUMBERS = 7  # that vary: more are counted, not named
MOST_LISTED = 12  # values of an axis that an error message names
OVERLAY_NEEDED = ("time_h", "value")
OVERLAY_NUMBERS = ("time_h", "value", "low", "high")
OVERLAY_COLUMNS = ("time_h", "value", "low", "high", "label", "variable")


@dataclass(frozen=True)
class Interval:
    """Mean over seeds with its 95 % interval (Student's t), arrays of one shape; `n` seeds behind
    each value.
    """

    mean: Array
    low: Array
    high: Array
    n: npt.NDArray[np.int64]


@dataclass(frozen=True)
class Given:
    """One thing given to one arm: drawn as a bar over time."""

    arm: str
    drug: str
    what: str
    start_h: float
    end_h: float


@dataclass(frozen=True)
class Overlay:
    """Somebody's own measurements to lay over a course: points in the panel of `variable`, in the
    unit it is drawn in.

    Without a variable they are concentrations (the panel of `brain_uM`).
    """

    variable: str | None
    label: str
    time_h: Array
    value: Array
    low: Array
    high: Array


def interval(values: xr.DataArray) -> Interval:
    """Mean and 95 % interval over virtual subjects (each the mean of its seeds), or, where there
    are none, over seeds.

    NaN where none is there; ends NaN where only one is.
    """
    from scipy.special import stdtrit

    values = by_unit(values.astype(float))
    unit = str(values.dims[0])
    there = values.notnull()
    n = there.sum(unit)
    centre = values.fillna(0).sum(unit) / n.where(n > 0)
    spread = ((values - centre) ** 2).sum(unit) / (n - 1).where(n > 1)
    half = np.sqrt(spread / n.where(n > 0)) * stdtrit(np.maximum(n - 1, 1), (1 + CONFIDENCE) / 2)
    low, high = centre - half, centre + half
    return Interval(centre.values, low.values, high.values, n.values.astype(np.int64))


def sweep_axes(ds: xr.Dataset) -> tuple[str, ...]:
    """Names of the sweep axes that are still open in `ds`."""
    return tuple(str(name) for name in ds.sizes if name not in OWN_DIMS)


def settled(ds: xr.Dataset, needs: Sequence[str] = (), *, keep: Sequence[str] = ()) -> xr.Dataset:
    """`ds`, if it holds the variables in `needs` and no open sweep axis of more than one value but
    those in `keep`.

    Axes of one value are dropped. Raises InputError that names what is missing, or the axis to
    choose a value on.
    """
    for name in needs:
        if name not in ds:
            present = [str(v) for v in ds.data_vars]
            raise refusal(
                ds,
                found=f"no variable {name}",
                nearest=nearest(name, present),
                wanted=f"results that hold {', '.join(needs)}",
            )
    for axis in (name for name in sweep_axes(ds) if name not in keep):
        if ds.sizes[axis] > 1:
            values = ", ".join(str(v) for v in ds[axis].values[:MOST_LISTED])
            values += ", ..." if ds.sizes[axis] > MOST_LISTED else ""
            raise refusal(
                ds,
                path=axis,
                found=f"{ds.sizes[axis]} values of {axis}",
                wanted=(
                    "one, because this figure shows one point of a sweep; choose with .sel, from"
                    f" {values}"
                ),
            )
        ds = ds.isel({axis: 0}, drop=True)
    return ds


def arms_of(ds: xr.Dataset, chosen: Sequence[str] | None = None) -> list[str]:
    """The arms to draw: all, or those `chosen`, in that order. Raises InputError for a name that is
    not there.
    """
    present = [str(arm) for arm in ds["arm"].values]
    for arm in chosen or ():
        if arm not in present:
            raise refusal(
                ds,
                path="arm",
                found=arm,
                nearest=nearest(arm, present),
                wanted=f"one of {', '.join(present)}",
            )
    return list(chosen) if chosen else present


def focus_arm(ds: xr.Dataset, arm: str | None = None) -> str:
    """The arm a figure follows in detail: `arm`, else the first that has drug in the brain, else
    the last.
    """
    present = arms_of(ds, [arm] if arm else None)
    if arm is None and "brain_uM" in ds:
        for name in present:
            if float(ds["brain_uM"].sel(arm=name).max()) > 0:
                return name
    return present[0] if arm else present[-1]


def contrast(ds: xr.Dataset) -> tuple[str, str | None]:
    """The first arm that is given a drug, and the first that is given nothing; the last arm and
    None where none is.
    """
    arms = arms_of(ds)
    treated = [arm for arm in arms if given(ds, [arm])]
    base = next((arm for arm in arms if arm not in treated), None)
    return (treated[0], base) if treated else (arms[-1], None)


def given(ds: xr.Dataset, arms: Sequence[str] | None = None) -> list[Given]:
    """What was given to whom, from the attribute `dosing` (JSON); empty if it does not stand
    there.
    """
    rows = json.loads(ds.attrs.get("dosing", "[]"))
    return [
        Given(row["arm"], row["drug"], _short(row["what"]), row["start_h"], row["end_h"])
        for row in rows
        if arms is None or row["arm"] in arms
    ]


def _short(what: str) -> str:
    """`Ketamine (racemic) 0.5 mg/kg` -> `ketamine 0.5 mg/kg`: as it is said on a bar."""
    text = re.sub(r" \([^)]*\)", "", what)
    text = re.sub(r"(\d)%", r"\1 %", text)
    return text[:1].lower() + text[1:] if text[1:2].islower() else text


def as_change(values: xr.DataArray, first_h: float) -> xr.DataArray:
    """`values` in per cent of each run's own mean before `first_h` (of its first value where
    nothing is before).
    """
    times = values["time"]
    before = (
        values.sel(time=times[times < first_h])
        if bool((times < first_h).any())
        else values.isel(time=[0])
    )
    return 100 * values / before.mean("time")


def first_h(ds: xr.Dataset) -> float:
    """When the first thing is given, h; 0 if `ds` does not say."""
    return min((g.start_h for g in given(ds)), default=0.0)


def noise_half_width(
    ds: xr.Dataset, variable: str, at: Mapping[str, str], *, relative: bool = False
) -> float:
    """Half the 95 % band that probe noise alone leaves around a mean over seeds `at` a place, in
    the variable's unit.

    Read from the standard error stored beside the variable (`rate_hz` -> `rate_se_hz`, `x` ->
    `x_se`); with `relative`, in per cent of the baseline. NaN when no standard error is stored.
    """
    from scipy.special import ndtri

    stem = variable.removesuffix("_hz")
    error = f"{stem}_se_hz" if variable.endswith("_hz") else f"{stem}_se"
    if error not in ds:
        return math.nan
    chosen = ds[[variable, error]].sel(at)
    squares = (chosen[error] ** 2).median("time")
    if relative:
        squares = squares * (100 / chosen[variable].isel(time=0)) ** 2
    n = int(squares.size)
    return float(ndtri((1 + CONFIDENCE) / 2) * math.sqrt(float(squares.mean()) / n))


def complete(ds: xr.Dataset) -> dict[str, tuple[int, int]]:
    """For each arm: (runs that are complete, runs expected), over seeds and sweep points."""
    done = ds["status"].astype(str) == "complete" if "status" in ds else None
    result = {}
    for arm in arms_of(ds):
        if done is None:
            n = int(
                np.prod([ds.sizes[d] for d in ("seed", SUBJECT, *sweep_axes(ds)) if d in ds.sizes])
            )
            result[arm] = (n, n)
        else:
            cells = done.sel(arm=arm)
            result[arm] = (int(cells.sum()), int(cells.size))
    return result


def varied(ds: xr.Dataset) -> dict[str, xr.DataArray]:
    """The numbers that are swept, or differ between virtual subjects: name -> its values, in the
    order of the file.
    """
    open_dims = {*sweep_axes(ds), SUBJECT}
    found = {
        str(name): coord
        for name, coord in ds.coords.items()
        if "path" in coord.attrs and coord.size > 1 and set(coord.dims) <= open_dims
    }
    order = list(json.loads(ds.attrs.get("design", "{}")).get("paths", []))
    place = {path: i for i, path in enumerate(order)}
    return dict(
        sorted(found.items(), key=lambda item: place.get(str(item[1].attrs["path"]), len(order)))
    )


def numeric(values: xr.DataArray) -> bool:
    """Whether a varied thing is a number, not a name."""
    return bool(np.issubdtype(values.dtype, np.number))


def label(path: str) -> str:
    """What a path is about, in words: `drugs.ketamine.actions.nmdar.ketamine.ic50.GluN2B` -> `IC50
    GluN2B`.
    """
    words = path.split(".")
    kept = words[-2:] if words[-1][:1].isupper() or words[-1].isdigit() else words[-1:]
    return (
        " ".join(kept)
        .replace("_", " ")
        .replace("ic50", "IC50")
        .replace("glun2b", "share of GluN2B")
    )


def design(ds: xr.Dataset) -> str:
    """How points were made, of what, and how many runs there are of those expected; empty for one
    point.

    `a grid (30 points) over dose; 3 arms × 4 seeds: 360 of 360 runs`.
    """
    over = json.loads(ds.attrs.get("design", "{}")).get("over", [])
    if not over or not varied(ds):
        return ""
    parts = []
    for whole, *lines in over:
        names = [label(line.partition(":")[0]) for line in lines]
        listed = ", ".join(names) if len(names) <= MOST_NUMBERS else f"{len(names)} numbers"
        parts.append(
            f"{whole}{', who differ in' if 'virtual subjects' in whole else ' over'} {listed}"
        )
    counts = complete(ds).values()
    done, expected = (
        sum(n for n, _ in counts),
        max(sum(n for _, n in counts), int(ds.attrs.get("n_expected", 0))),
    )
    seeds = ds.sizes.get("seed", 1)
    made = (
        f"{ds.sizes.get('arm', 1)} arms × {seeds} seed{'s' * (seeds > 1)}: {done:,} of {expected:,}"
        " runs"
    )
    return f"{'; '.join(parts)}; {made}"


def readouts(ds: xr.Dataset, chosen: Sequence[str] | None = None) -> list[str]:
    """Names of the readouts in `ds` (variables marked so), or those `chosen`. Raises InputError for
    other names.
    """
    present = [str(name) for name in ds.data_vars if "readout" in ds[name].attrs]
    for name in chosen or ():
        if name not in present:
            raise refusal(
                ds,
                path="readout",
                found=name,
                nearest=nearest(name, present),
                wanted=(
                    f"one of {', '.join(present)}"
                    if present
                    else "a readout; there are none in these results"
                ),
            )
    return list(chosen) if chosen else present


def no_readouts(ds: xr.Dataset) -> InputError:
    """The error of a figure that needs readouts where there are none."""
    return refusal(ds, found="no readouts", wanted="at least one under `readouts:`")


def read_overlay(path: Path | str) -> list[Overlay]:
    """Own data from a CSV: columns `time_h` and `value`; optional `low`, `high`, `label`,
    `variable`.

    One `Overlay` for each pair of label and variable, points in the file's order. Raises
    InputError, with the line, for a missing column, a name it does not know, or a cell that is no
    finite number.
    """
    path = Path(path)
    try:
        with path.open(newline="", encoding="utf-8-sig") as stream:
            reader = csv.DictReader(stream)
            header = [name.strip() for name in reader.fieldnames or []]
            reader.fieldnames = header
            rows = list(reader)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError.one(
            file=str(path), found=str(error), wanted="a CSV file that can be read"
        ) from None
    for column in OVERLAY_NEEDED:
        if column not in header:
            raise InputError.one(
                file=str(path),
                line=1,
                found=f"columns {', '.join(header) or 'none'}",
                nearest=nearest(column, header),
                wanted=(
                    f"a column {column} (needed: time_h, value; optional: low, high, label,"
                    " variable)"
                ),
            )
    for column in header:
        if column not in OVERLAY_COLUMNS:
            close = nearest(column, OVERLAY_COLUMNS)
            known = f"only {', '.join(OVERLAY_COLUMNS)}"
            raise InputError.one(
                file=str(path), line=1, found=f"column {column}", wanted=known, nearest=close
            )
    groups: dict[tuple[str, str], list[list[float]]] = {}
    for line, row in enumerate(rows, start=2):
        key = ((row.get("variable") or "").strip(), (row.get("label") or path.stem).strip())
        numbers = [_cell(path, line, column, row.get(column)) for column in OVERLAY_NUMBERS]
        groups.setdefault(key, []).append(numbers)
    if not groups:
        raise InputError.one(
            file=str(path), line=1, found="no rows", wanted="at least one row of data"
        )
    return [
        Overlay(variable or None, label, *np.array(cells).T)
        for (variable, label), cells in groups.items()
    ]


def check_overlay(overlays: Sequence[Overlay], drawn: Sequence[str]) -> None:
    """Raises InputError when own data names a variable that the figure does not draw."""
    for overlay in overlays:
        if overlay.variable is not None and overlay.variable not in drawn:
            raise InputError.one(
                file=overlay.label,
                path="variable",
                found=overlay.variable,
                wanted=f"one that this figure draws: {', '.join(drawn)}",
                nearest=nearest(overlay.variable, drawn),
            )


def _cell(path: Path, line: int, column: str, text: str | None) -> float:
    if column not in OVERLAY_NEEDED and not (text or "").strip():
        return math.nan
    value = _number(text)
    if not math.isfinite(value):
        raise InputError.one(
            file=str(path), line=line, path=column, found=repr(text or ""), wanted="a finite number"
        )
    return value


def _number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        return math.nan
