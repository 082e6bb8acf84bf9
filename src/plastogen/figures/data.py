"""In: results (xarray.Dataset of results.nc). Out: what a figure needs of them: means, intervals,
n, what was given.

Nothing here draws. All means and intervals are over seeds; runs that left nothing (NaN) are left
out and counted.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import xarray as xr

from plastogen._base.text import any_of, counted, nearest
from plastogen.analysis import by_unit, results_error, scale_of
from plastogen.errors import InputError
from plastogen.experiment import (
    CONFIDENCE,
    DIMENSIONS,
    POINT,
    RESOLUTION,
    SUBJECT,
    Intervals,
    mean_intervals,
    normal_quantile,
)
from plastogen.figures.labels import number_label
from plastogen.runs import dosing_text

Array = npt.NDArray[np.float64]
PERCENT = round(100 * CONFIDENCE)
OWN_DIMS = tuple(dim for dim in DIMENSIONS if dim != POINT)  # all others are sweep axes
FEWEST_DRAWN = 3  # seeds whose interval is drawn: of two it is as wide as the page
LISTED_CHARS = 60  # of the numbers of a sweep, by name, in one line with all else
MOST_LINES = 12  # arms drawn as lines of one panel
MOST_LISTED = 12  # values of an axis that an error message names


@dataclass(frozen=True)
class DosingEvent:
    """One thing given to one arm: drawn as a bar over time. `dose`: how much, and its unit; None of
    what is no amount of a drug.
    """

    arm: str
    drug: str
    what: str
    start_h: float
    end_h: float
    dose: tuple[float, str] | None = None


def interval(values: xr.DataArray) -> Intervals:
    """Mean and 95 % interval over virtual subjects (each the mean of its seeds), or, where there
    are none, over seeds.

    Of a readout that says yes or no it is a share. NaN where none is there; ends NaN where fewer
    than `FEWEST_DRAWN` are, unless it is a share: those are drawn one by one.
    """
    by = by_unit(values.astype(float)).values
    share = bool(values.attrs.get("yes_no"))
    found = mean_intervals(by, share=share, scale=scale_of(values))
    if share or len(by) >= FEWEST_DRAWN:
        return found
    unknown = np.full(found.mean.shape, np.nan)
    return replace(found, low=unknown, high=unknown, each=by)


def over_whom(ds: xr.Dataset) -> str:
    """What means and intervals of `ds` are over."""
    return "virtual subjects" if SUBJECT in ds.sizes else "seeds"


def interval_words(ds: xr.Dataset) -> str:
    """What intervals of `ds` are, and that none but of a share is drawn of too few."""
    few = ds.sizes.get(SUBJECT, ds.sizes.get("seed", 1)) < FEWEST_DRAWN
    but = f" (of fewer than {FEWEST_DRAWN} {over_whom(ds)} of shares alone)"
    return f"{PERCENT} % interval" + but * few


def sweep_axes(ds: xr.Dataset) -> tuple[str, ...]:
    """Names of the sweep axes that are still open in `ds`."""
    return tuple(str(name) for name in ds.sizes if name not in OWN_DIMS)


def single_point(
    ds: xr.Dataset, needs: Sequence[str] = (), *, keep: Sequence[str] = ()
) -> xr.Dataset:
    """`ds`, if it holds the variables in `needs` and no open sweep axis of more than one value but
    those in `keep`.

    Axes of one value are dropped. Raises InputError that names what is missing, or the axis to
    choose a value on.
    """
    for name in needs:
        if name not in ds:
            present = [str(v) for v in ds.data_vars]
            raise results_error(
                ds,
                found=f"no variable {name}",
                nearest=nearest(name, present),
                wanted=f"results that hold {', '.join(needs)}",
            )
    for axis in (name for name in sweep_axes(ds) if name not in keep):
        if ds.sizes[axis] > 1:
            values = ", ".join(str(v) for v in ds[axis].values[:MOST_LISTED])
            values += ", ..." if ds.sizes[axis] > MOST_LISTED else ""
            raise results_error(
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


def require_course(ds: xr.Dataset, name: str, what: str) -> None:
    """Raises InputError unless `name` is a variable over time; `what` says what was asked for."""
    courses = [str(v) for v in ds.data_vars if "time" in ds[v].dims]
    if name not in courses:
        wanted = f"{what} with one course, such as weight or spine_density"
        raise results_error(ds, found=name, wanted=wanted, nearest=nearest(name, courses))


def arm_names(ds: xr.Dataset, chosen: Sequence[str] | None = None) -> list[str]:
    """The arms to draw: all, or those `chosen`, in that order. Raises InputError for a name that is
    not there.
    """
    present = [str(arm) for arm in ds["arm"].values]
    for arm in chosen or ():
        if arm not in present:
            raise results_error(
                ds,
                path="arm",
                found=arm,
                nearest=nearest(arm, present),
                wanted=any_of(present),
            )
    return list(chosen) if chosen else present


def arms_as_lines(ds: xr.Dataset, chosen: Sequence[str] | None, focus: str) -> list[str]:
    """The arms to draw as lines: those `chosen`, else the first, `focus` among them, as many as can
    be told from one another.
    """
    names = arm_names(ds, chosen)
    if chosen or len(names) <= MOST_LINES:
        return names
    first = names[:MOST_LINES]
    return first if focus in first else [*first[:-1], focus]


def focus_arm(ds: xr.Dataset, arm: str | None = None) -> str:
    """The arm a figure follows in detail: `arm`, else the first that has drug in the brain, else
    the last.
    """
    present = arm_names(ds, [arm] if arm else None)
    if arm is None and "brain_uM" in ds and ds.sizes["species"]:
        for name in present:
            if float(ds["brain_uM"].sel(arm=name).max()) > 0:
                return name
    return present[0] if arm else present[-1]


def contrast_arms(ds: xr.Dataset) -> tuple[str, str | None]:
    """The first arm that is given a drug, and the first that is given nothing; the first arm and
    None where none is given any.
    """
    arms = arm_names(ds)
    treated = [arm for arm in arms if dosing_events(ds, [arm])]
    base = next((arm for arm in arms if arm not in treated), None)
    return (treated[0], base) if treated else (arms[0], None)


def dosing_events(ds: xr.Dataset, arms: Sequence[str] | None = None) -> list[DosingEvent]:
    """What was given to whom, from the attribute `dosing` (JSON); empty if it does not stand
    there.
    """
    rows = json.loads(ds.attrs.get("dosing", "[]"))
    return [
        DosingEvent(
            row["arm"],
            row["drug"],
            dosing_text(row),
            row["start_h"],
            row["end_h"],
            (row["amount"], row["unit"]) if row.get("kind") in ("dose", "level") else None,
        )
        for row in rows
        if arms is None or row["arm"] in arms
    ]


def before(values: xr.DataArray, first_h: float) -> xr.DataArray:
    """Each run's own mean before `first_h`; its first value where nothing is before."""
    early = values["time"] < first_h
    return values.sel(time=early).mean("time") if bool(early.any()) else values.isel(time=0)


def percent_of(values: xr.DataArray, whole: xr.DataArray) -> xr.DataArray:
    """`values` in per cent of `whole`, NaN in runs whose whole is 0."""
    return 100 * values / whole.where(abs(whole) > RESOLUTION * scale_of(whole))


def percent_change(values: xr.DataArray, first_h: float) -> xr.DataArray:
    """`values` in per cent of each run's own mean before `first_h`."""
    return percent_of(values, before(values, first_h))


def seed_means(ds: xr.Dataset) -> xr.Dataset:
    """Numbers as their means over the seeds that ran."""
    return ds.drop_vars("status", errors="ignore").mean("seed")


def first_dose_h(ds: xr.Dataset) -> float:
    """When the first thing is given, h; 0 if `ds` does not say."""
    return min((g.start_h for g in dosing_events(ds)), default=0.0)


def noise_half_width(
    ds: xr.Dataset, variable: str, at: Mapping[str, str], *, relative: bool = False
) -> float:
    """Half the 95 % band that probe noise alone leaves around a mean over seeds `at` a place, in
    the variable's unit.

    Read from the standard error stored beside the variable (`rate_hz` -> `rate_se_hz`, `x` ->
    `x_se`); with `relative`, in per cent of the baseline. NaN when no standard error is stored.
    """
    stem = variable.removesuffix("_hz")
    error = f"{stem}_se_hz" if variable.endswith("_hz") else f"{stem}_se"
    if error not in ds:
        return math.nan
    chosen = ds[[variable, error]].sel(at)
    squares = (chosen[error] ** 2).median("time")
    if relative:
        squares = percent_of(squares**0.5, chosen[variable].isel(time=0)) ** 2
    n = int(squares.count())
    return normal_quantile() * math.sqrt(float(squares.mean()) / n) if n else math.nan


def count_runs(ds: xr.Dataset) -> dict[str, tuple[int, int]]:
    """For each arm: (runs that are complete, runs expected), over seeds and sweep points."""
    done = ds["status"].astype(str) == "complete" if "status" in ds else None
    result = {}
    for arm in arm_names(ds):
        if done is None:
            n = int(
                np.prod([ds.sizes[d] for d in ("seed", SUBJECT, *sweep_axes(ds)) if d in ds.sizes])
            )
            result[arm] = (n, n)
        else:
            cells = done.sel(arm=arm)
            result[arm] = (int(cells.sum()), int(cells.size))
    return result


def silent_arms(ds: xr.Dataset) -> list[str]:
    """The arms in which, at some time, no cell of any class fires."""
    if "rate_hz" not in ds:
        return []
    fastest = ds["rate_hz"].mean("seed").max("class")
    rates = fastest.min([dim for dim in fastest.dims if dim != "arm"])
    return [arm for arm in arm_names(ds) if float(rates.sel(arm=arm)) <= 0]


def varied_numbers(ds: xr.Dataset) -> dict[str, xr.DataArray]:
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


def is_number(values: xr.DataArray) -> bool:
    """Whether a varied thing is a number, not a name."""
    return bool(np.issubdtype(values.dtype, np.number))


def describe_design(ds: xr.Dataset) -> str:
    """How points were made, of what, and how many runs there are of those expected; empty for one
    point.

    `a grid (30 points) over dose; 3 arms × 4 seeds: 360 of 360 runs`.
    """
    over = json.loads(ds.attrs.get("design", "{}")).get("over", [])
    if not over or not varied_numbers(ds):
        return ""
    parts = []
    for whole, *lines in over:
        names = [number_label(ds, line.partition(":")[0]) for line in lines]
        listed = ", ".join(names)
        if len(listed) > LISTED_CHARS and len(names) > 1:
            listed = counted(len(names), "number")
        parts.append(
            f"{whole}{', who differ in' if 'virtual subjects' in whole else ' over'} {listed}"
        )
    counts = count_runs(ds).values()
    done, expected = (
        sum(n for n, _ in counts),
        max(sum(n for _, n in counts), int(ds.attrs.get("n_expected", 0))),
    )
    seeds = ds.sizes.get("seed", 1)
    made = (
        f"{counted(ds.sizes.get('arm', 1), 'arm')} × {counted(seeds, 'seed')}:"
        f" {done:,} of {expected:,} runs"
    )
    return f"{'; '.join(parts)}; {made}"


def readout_names(ds: xr.Dataset, chosen: Sequence[str] | None = None) -> list[str]:
    """Names of the readouts in `ds` (variables marked so), or those `chosen`. Raises InputError for
    other names.
    """
    present = [str(name) for name in ds.data_vars if "readout" in ds[name].attrs]
    for name in chosen or ():
        if name not in present:
            raise results_error(
                ds,
                path="readout",
                found=name,
                nearest=nearest(name, present),
                wanted=any_of(present),
            )
    return list(chosen) if chosen else present


def no_readouts_error(ds: xr.Dataset) -> InputError:
    """The error of a figure that needs readouts where there are none."""
    return results_error(ds, found="no readouts", wanted="at least one under `readouts:`")
