"""In: results and somebody's own measurements. Out: what the model says where each was measured,
how far apart the two are, and a table of it.

Predicted is the mean over seeds (over virtual subjects, each the mean of its seeds), straight
between the times that results hold, of concentrations, which fall exponentially, on a log scale.
The median absolute prediction error is over |predicted - observed| / |observed|; values below what
can be measured are counted apart.
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from plastogen._base.csv_table import CsvWriter
from plastogen._base.files import atomic_write
from plastogen._base.text import any_of, nearest, portion, show
from plastogen.errors import InputError
from plastogen.experiment import Intervals
from plastogen.figures import data
from plastogen.figures.data import Array
from plastogen.figures.overlay import Overlay
from plastogen.model.pharmacology import CONCENTRATIONS
from plastogen.simulation import VARIABLES

POINTS, SUMMARY = "own_data.csv", "own_data_summary.csv"
FOLD = 2  # "within twofold"
DIGITS = 6


def check_overlays(ds: xr.Dataset, overlays: Sequence[Overlay]) -> None:
    """Raises InputError, with the line, where own data name what these results do not hold."""
    for overlay in overlays:
        row = VARIABLES[overlay.variable]
        if overlay.variable not in ds:
            raise _fault(overlay, "variable", f"no {overlay.variable} in these results", "another")
        _check(overlay, "arm", overlay.arm, [str(arm) for arm in ds["arm"].values])
        if row.place == "species":
            species = [str(s) for s in ds["species"].values]
            if not species:
                raise _fault(
                    overlay, "variable", f"{overlay.variable}, and no drug given", "another"
                )
            _check(overlay, "species", overlay.species, species)
        if row.place in ("class", "pool"):
            classes = [str(c) for c in ds["class"].values]
            if overlay.class_ is None:
                wanted = f"a column class, or `# class:` above: {', '.join(classes)}"
                raise _fault(overlay, "class", "nothing", wanted)
            _check(overlay, "class", overlay.class_, classes)


def _check(overlay: Overlay, path: str, word: str | None, known: Sequence[str]) -> None:
    if word is not None and word not in known:
        raise _fault(overlay, path, show(word), any_of(known), nearest(word, known))


def _fault(
    overlay: Overlay, path: str, found: str, wanted: str, near: str | None = None
) -> InputError:
    line = int(overlay.lines[0]) if len(overlay.lines) else None
    return InputError.one(
        file=overlay.file, line=line, path=path, found=found, wanted=wanted, nearest=near
    )


def arm_of(ds: xr.Dataset, overlay: Overlay) -> str:
    """The arm that own data are held against: their own, else the one that figures follow."""
    return overlay.arm if overlay.arm is not None else data.focus_arm(ds)


def course(ds: xr.Dataset, overlay: Overlay, arm: str) -> tuple[Array, Intervals]:
    """What the model says of what `overlay` is of, in its unit: times, h, mean and interval."""
    row = VARIABLES[overlay.variable]
    place: dict[str, str] = {}
    if row.place == "species":
        place = {"species": overlay.species or str(ds["species"].values[0])}
    elif row.place == "class":
        place = {"class": str(overlay.class_)}
    elif row.place == "pool":
        place = {"pool": f"{overlay.class_}.synaptic"}
    values = ds[overlay.variable].sel(place)
    if row.of_snapshot:
        times = np.asarray(ds["snapshot_time"].values, float)
        order = np.argsort(times)
        values, times = values.isel(snapshot=order), times[order]
    else:
        times = np.asarray(ds["time"].values, float)
    mine = values.sel(arm=arm)
    if overlay.scale == "stored":
        return times, data.interval(mine)
    if overlay.scale == "peak":
        measured = {data.focus_arm(ds) if one is None else one for one in overlay.beside}
        tops = [data.interval(values.sel(arm=one)).mean for one in {arm, *measured}]
        whole, when = xr.DataArray(float(np.nanmax(tops))), "at the peak of every arm of the file"
    else:
        early = mine.isel(snapshot=0) if row.of_snapshot else None
        whole = data.before(mine, data.first_dose_h(ds)) if early is None else early
        when = "before the first dose"
    share = data.percent_of(mine, whole)
    if not bool(np.isfinite(share).any()):
        found = f"% of {overlay.scale} of {overlay.variable}, which is 0 {when} in these results"
        others = "% of peak, or " * (overlay.scale == "baseline")
        raise _fault(overlay, "value", found, f"{others}its own unit, {row.unit}")
    return times, data.interval(share)


@dataclass(frozen=True)
class Agreement:
    """Own data of one kind beside what the model says: all arrays (points,), NaN outside the times
    of the course.
    """

    overlay: Overlay
    arm: str
    predicted: Array
    predicted_low: Array
    predicted_high: Array

    @property
    def ratio(self) -> Array:
        """Predicted over observed; NaN where nothing but a limit, or 0, was observed."""
        observed = np.where(
            self.overlay.below | (self.overlay.value == 0), np.nan, self.overlay.value
        )
        return np.asarray(self.predicted / observed)

    @property
    def inside(self) -> Array:
        """Whether the model lies inside the interval that was reported: 1, 0, NaN of none."""
        low, high = self.overlay.low, self.overlay.high
        said = np.isfinite(low) & np.isfinite(high) & np.isfinite(self.predicted)
        return np.where(said, (low <= self.predicted) & (self.predicted <= high), np.nan)

    @property
    def below_too(self) -> Array:
        """Of limits: whether the model, too, lies below; NaN of other points."""
        limits = self.overlay.below & np.isfinite(self.predicted)
        return np.where(limits, self.predicted < self.overlay.value, np.nan)

    def summary(self) -> dict[str, float]:
        """How many points there are and how well they agree, as shares."""
        ratio, inside, below = self.ratio, self.inside, self.below_too
        scored = np.isfinite(ratio)
        off = np.abs(ratio[scored] - 1)
        within = (ratio[scored] >= 1 / FOLD) & (ratio[scored] <= FOLD)
        return {
            "points": float(len(ratio)),
            "scored": float(scored.sum()),
            "outside_the_course": float((~np.isfinite(self.predicted)).sum()),
            "median_absolute_prediction_error": float(np.median(off)) if len(off) else math.nan,
            "share_within_twofold": float(within.mean()) if len(off) else math.nan,
            "intervals": float(np.isfinite(inside).sum()),
            "share_inside_interval": _mean(inside),
            "limits": float(self.overlay.below.sum()),
            "share_of_limits_kept": _mean(below),
        }

    @property
    def name(self) -> str:
        """What was measured, of whom: `blood, plasma_ng_ml of norketamine, ketamine`."""
        who = self.overlay.species or self.overlay.class_
        what = self.overlay.variable + (f" of {who}" if who else "")
        return f"{self.overlay.label}, {what}, arm {self.arm}"

    def sentence(self) -> str:
        """The summary in one line."""
        told = self.summary()
        parts = [f"{told['scored']:.0f} of {told['points']:.0f} points scored"]
        if told["scored"]:
            off = portion(told["median_absolute_prediction_error"], "what was observed")
            parts.append(f"median |error| {off}")
            parts.append(f"within twofold {_percent(told['share_within_twofold'])}")
        if told["intervals"]:
            parts.append(f"inside the interval {_percent(told['share_inside_interval'])}")
        if told["outside_the_course"]:
            parts.append(f"{told['outside_the_course']:.0f} outside the course")
        if told["limits"]:
            parts.append(f"below the limit too {_percent(told['share_of_limits_kept'])}")
        return "; ".join(parts)


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _mean(values: Array) -> float:
    return float(np.nanmean(values)) if np.isfinite(values).any() else math.nan


def agreement_of(ds: xr.Dataset, overlay: Overlay) -> Agreement:
    """`overlay` beside the course of its arm in `ds`, which holds one point of a sweep."""
    arm = arm_of(ds, overlay)
    times, values = course(ds, overlay, arm)
    fading = overlay.variable in CONCENTRATIONS
    lines = (values.mean, values.low, values.high)
    return Agreement(
        overlay, arm, *(_along(overlay.time_h, times, line, fading=fading) for line in lines)
    )


def _along(at_h: Array, times: Array, line: Array, *, fading: bool) -> Array:
    """A line over `times` between them, straight, or if it is `fading` on a log scale wherever it
    is above 0; NaN outside.
    """
    straight = np.interp(at_h, times, line, left=np.nan, right=np.nan)
    if not fading:
        return straight
    logs = np.log(np.where(line > 0, line, np.nan))
    curved = np.exp(np.interp(at_h, times, logs, left=np.nan, right=np.nan))
    return np.where(np.isfinite(curved), curved, straight)


def write_agreement(found: Sequence[Agreement], folder: Path) -> list[Path]:
    """Writes own_data.csv, a row a point, and own_data_summary.csv, a row for all points of one
    kind. Raises StoreError.
    """
    tables = {POINTS: list(_points(found)), SUMMARY: list(_summaries(found))}
    for name, rows in tables.items():
        text = io.StringIO()
        writer = CsvWriter(text)
        writer.row(rows[0])
        writer.rows(row.values() for row in rows)
        atomic_write(folder / name, text.getvalue())
    return [folder / name for name in tables]


def _who(one: Agreement) -> dict[str, Any]:
    overlay = one.overlay
    named = {"arm": one.arm, "species": overlay.species or "", "class": overlay.class_ or ""}
    return {"label": overlay.label, "variable": overlay.variable, "unit": overlay.unit, **named}


def _points(found: Sequence[Agreement]) -> Iterator[dict[str, Any]]:
    for one in found:
        o = one.overlay
        columns = {
            "time_h": o.time_h, "observed": o.value, "below": o.below, "low": o.low,
            "high": o.high, "predicted": one.predicted, "predicted_low": one.predicted_low,
            "predicted_high": one.predicted_high, "ratio": one.ratio,
            "inside_interval": one.inside,
        }  # fmt: skip
        for i, line in enumerate(o.lines):
            numbers = {name: _written(values[i]) for name, values in columns.items()}
            yield {"line": int(line), **_who(one), **numbers}


def _summaries(found: Sequence[Agreement]) -> Iterator[dict[str, Any]]:
    for one in found:
        yield {**_who(one), **{name: _written(value) for name, value in one.summary().items()}}


def _written(value: Any) -> str:
    number = float(value)
    return f"{number:.{DIGITS}g}" if math.isfinite(number) else ""
