"""In: results of a sweep, or of virtual subjects. Out: courses over time as small multiples, or as
a bundle.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from plastogen.analysis import by_unit, results_error
from plastogen.experiment import POINT, SUBJECT
from plastogen.figures import axis, data, labels, layout, style
from plastogen.figures._sweep import NUMBERS_PER_LINE, axis_label, point_label, shaded_styles

DEFAULT = "spine_density"
MOST_PANELS, ROWS_FROM = 12, 4  # panels of a sweep; from so many on they stand in more than one row
MOST_THREADS = 200  # courses of a bundle that are drawn one by one
OUTER_PERCENT = 5  # of a bundle lie below, and above, its band


@layout.slide
def plot_courses(
    ds: xr.Dataset, *, variable: str | None = None, readout: str | None = None
) -> Figure:
    """One variable over time (that of `readout`, the first by default). Along a grid: a panel each
    value of its axis, the arms in their colours; of two axes the one with fewer values. Over many
    points or virtual subjects: a panel an arm, each a thread, with the median and the middle nine
    tenths.

    Raises InputError where nothing is swept, the variable is not there or is no course, or a third
    axis is open.
    """
    names = data.readout_names(ds, [readout] if readout else None)
    of = [str(ds[name].attrs.get("of", "")) for name in names]
    chosen = variable or next((name for name in of if name in ds), DEFAULT)
    data.require_course(ds, chosen, "a variable")
    place = next((dim for dim in ("class", "pool", "species") if dim in ds[chosen].dims), None)
    swept = [dim for dim in data.sweep_axes(ds) if ds.sizes[dim] > 1]
    if not swept and SUBJECT not in ds.sizes:
        raise results_error(
            ds, found="one point", wanted="a sweep, or virtual subjects; timeline shows one point"
        )
    ds = ds[[chosen, *(v for v in ("status",) if v in ds)]]
    if place is not None:
        ds = ds.isel({place: 0})
    title = labels.title(ds[chosen])
    if place is not None:
        title += f", {ds[place].item()}"
    if (swept == [POINT] and len(data.varied_numbers(ds)) > NUMBERS_PER_LINE) or (
        SUBJECT in ds.sizes and not swept
    ):
        return _bundle(ds, chosen, title)
    along = min(swept, key=lambda dim: ds.sizes[dim])
    others = [dim for dim in swept if dim != along]
    return _multiples(
        data.single_point(ds, (chosen,), keep=[along, *others[:1]]), chosen, title, along, others
    )


def _multiples(ds: xr.Dataset, name: str, title: str, along: str, others: Sequence[str]) -> Figure:
    """A panel each value along an axis; in it the arms, or, of a second axis, one arm at some of
    its values.
    """
    kept = np.unique(
        np.linspace(0, ds.sizes[along] - 1, min(MOST_PANELS, ds.sizes[along])).round().astype(int)
    )
    some = "" if len(kept) == ds.sizes[along] else f" ({len(kept)} of {ds.sizes[along]})"
    numbers = " and ".join(
        axis_label(values) for values in data.varied_numbers(ds).values() if along in values.dims
    )
    note = (
        f"a panel each value of {numbers}{some}; lines: mean over {data.over_whom(ds)};"
        f" bands: {data.interval_words(ds)}; shaded: "
    )
    note += f"drug going in{_resolution(ds)}."
    looks, lines = _lines(ds, name, others)
    fig = layout.new_slide(ds, _heading(ds, name, title), arms=looks, note=note)
    rows = 1 if len(kept) < ROWS_FROM else 2 if len(kept) <= 2 * ROWS_FROM else 3
    axes = fig.subplots(
        rows, -(-len(kept) // rows), squeeze=False, sharex=True, sharey=True
    ).ravel()
    given = [g for g in data.dosing_events(ds) if g.drug not in style.BLOCKERS]
    for ax, i in zip(axes, kept, strict=False):
        _time(ax, ds, given, -(-len(kept) // rows))
        for look, values in zip(looks, lines, strict=True):
            found = data.interval(values.isel({along: int(i)}))
            axis.draw_course(ax, ds["time"].values, found, look.colour, linestyle=look.line)
        ax.set_title(point_label(ds, along, int(i)))
        ax.yaxis.set_major_locator(MaxNLocator(4))
    for ax in axes[len(kept) :]:
        ax.set_axis_off()
    _label_time(axes[: len(kept)])
    return fig


def _lines(
    ds: xr.Dataset, name: str, others: Sequence[str]
) -> tuple[list[style.ArmStyle], list[xr.DataArray]]:
    """How each line of a panel looks, and its values along the axis that the panels are for."""
    styles = style.arm_styles(ds)
    if not others:
        return list(styles.values()), [ds[name].sel(arm=arm) for arm in styles]
    focus, base = data.contrast_arms(ds)
    kept, looks = shaded_styles(ds, others[0])
    lines = [ds[name].sel(arm=focus).isel({others[0]: i}) for i in kept]
    if base is not None:
        return [styles[base], *looks], [ds[name].sel(arm=base).isel({others[0]: 0}), *lines]
    return looks, lines


def _bundle(ds: xr.Dataset, name: str, title: str) -> Figure:
    """A panel a treated arm: every point or virtual subject a thread, their median and middle nine
    tenths.

    The untreated arm's median is grey.
    """
    what = "virtual subject" if SUBJECT in ds.sizes else "point"
    looks = style.arm_styles(ds)
    arms = [arm for arm in looks if data.dosing_events(ds, [arm])] or list(looks)
    base = data.contrast_arms(ds)[1]
    total = ds.sizes.get(SUBJECT, ds.sizes.get(POINT, 1))
    few = f" ({MOST_THREADS} of {total:,} drawn)" if total > MOST_THREADS else ""
    note = (
        f"thin: each {what}, the mean of its seeds{few}; thick: median; band: from the"
        f" {OUTER_PERCENT}th to the "
    )
    note += f"{100 - OUTER_PERCENT}th of a hundred{_resolution(ds)}."
    fig = layout.new_slide(ds, _heading(ds, name, title), note=note)
    axes = fig.subplots(1, len(arms), squeeze=False, sharey=True).ravel()
    for ax, arm in zip(axes, arms, strict=True):
        values = ds[name].sel(arm=arm)
        each = values.mean("seed", skipna=False) if POINT in values.dims else by_unit(values)
        curves = each.transpose(..., "time").values
        curves = curves[np.isfinite(curves).all(1)]
        _time(
            ax,
            ds,
            [g for g in data.dosing_events(ds, [arm]) if g.drug not in style.BLOCKERS],
            len(arms),
        )
        time_h, look = ds["time"].values, looks[arm]
        step = max(1, len(curves) // MOST_THREADS)
        ax.plot(
            time_h,
            curves[::step].T,
            color=look.colour,
            linewidth=1 / 2,
            alpha=1 / 3,
            zorder=2,
            rasterized=True,
        )
        low, middle, high = np.percentile(curves, [OUTER_PERCENT, 50, 100 - OUTER_PERCENT], axis=0)
        ax.fill_between(time_h, low, high, color=look.colour + style.BAND, linewidth=0, zorder=3)
        ax.plot(time_h, middle, color=look.colour, linewidth=3, zorder=4)
        if base is not None:
            flat = ds[name].sel(arm=base)
            middle = flat.median([dim for dim in flat.dims if dim != "time"])
            ax.plot(time_h, middle, color=style.GREY, zorder=1, linestyle=looks[base].line)
        ax.set_title(f"{look.label} (n = {len(curves)})")
    _label_time(axes)
    return fig


def _label_time(axes: Iterable[Axes]) -> None:
    """One label of time below all panels, under the middle one of the last row."""
    panels = list(axes)
    rows = [ax.get_subplotspec().rowspan.stop for ax in panels]  # type: ignore[union-attr]
    last = [ax for ax, row in zip(panels, rows, strict=True) if row == max(rows)]
    middle = last[(len(last) - 1) // 2]
    middle.set_xlabel(axis.time_label(middle))


def _time(ax: Axes, ds: xr.Dataset, given: Sequence[data.DosingEvent], beside: int) -> None:
    axis.time_axis(ax, (float(ds["time"][0]), float(ds["time"][-1])), given, beside=beside)
    axis.draw_dosing(ax, given)


def _resolution(ds: xr.Dataset) -> str:
    """How finely the courses were written down, where the results say so."""
    told = ds["time"].attrs.get("resolution", "")
    return f"; written down at {told}" if told else ""


def _heading(ds: xr.Dataset, name: str, title: str) -> str:
    unit = labels.unit_text(str(ds[name].attrs.get("units", "1")))
    return labels.sentence(title) + (f" ({unit})" if unit and unit not in title else "")
