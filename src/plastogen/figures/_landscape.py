"""In: results over two swept numbers. Out: readouts as heat maps over both, with contours."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import Normalize, TwoSlopeNorm
from matplotlib.figure import Figure
from matplotlib.patheffects import AbstractPathEffect, withStroke
from matplotlib.ticker import MaxNLocator

from plastogen._base.text import counted
from plastogen.analysis import results_error
from plastogen.experiment import POINT, SUBJECT
from plastogen.figures import data, labels, layout, style
from plastogen.figures._sweep import NUMBERS_PER_LINE, axis_label, readout_panels
from plastogen.figures.axis import dose_axis

MOST_READOUTS, CONTOURS = 4, 6
ONE_SIDED, TWO_SIDED = "viridis", "PuOr_r"  # read by colour-blind people
CORNERS = 3  # of the smallest map
NARROW_PERCENT = 1  # width of a cloud of points, of its length: one line
FINE = 160  # steps of the picture along either axis, between the points that were run


@layout.slide
def plot_landscape(
    ds: xr.Dataset, *, readouts: Sequence[str] | None = None, axes: Sequence[str] = ()
) -> Figure:
    """What the treated arm does more than the untreated, over two swept numbers (the last two, or
    `axes`): colour and contours, straight between the points that were run, which are dots; a cross
    where runs are missing.

    Raises InputError where fewer than two numbers are swept, no readout, or a third axis is open.
    """
    names = data.readout_names(ds, readouts)[:MOST_READOUTS]
    numbers = {
        name: values for name, values in data.varied_numbers(ds).items() if data.is_number(values)
    }
    across, up = (*axes, *(name for name in reversed(numbers) if name not in axes), "", "")[:2]
    if not names:
        raise data.no_readouts_error(ds)
    if across not in numbers or up not in numbers:
        raise results_error(
            ds, found=f"{len(numbers)} swept numbers", wanted="two, to draw one against the other"
        )
    if SUBJECT in numbers[across].dims:
        wanted = "a sweep over two; courses, responders and tornado show what subjects do"
        raise results_error(ds, found="numbers that virtual subjects differ in", wanted=wanted)
    if POINT in numbers[across].dims and len(numbers) > NUMBERS_PER_LINE:
        wanted = "two: here all others vary as well, and no map of two of them says what these do"
        raise results_error(ds, found=f"points over {len(numbers)} numbers", wanted=wanted)
    dims = list(dict.fromkeys(str(numbers[name].dims[0]) for name in (up, across)))
    ds = data.single_point(ds[[*names, *(v for v in ("status",) if v in ds)]], names, keep=dims)
    arm, base = data.contrast_arms(ds)
    less = f" less {style.arm_title(ds, base)}" if base is not None else ""
    note = (
        f"{style.arm_title(ds, arm)}{less}, mean over seeds; dots: points that were run, straight"
        " between them"
    )
    if any(n < expected for n, expected in data.count_runs(ds).values()):
        note += "; crosses: runs are missing"
    first, second = (labels.number_label(ds, numbers[name].attrs["path"]) for name in (across, up))
    heading = f"{first} and {second}"
    fig = layout.new_slide(ds, labels.sentence(heading), note=f"{note}.")
    for ax, name in zip(readout_panels(fig, ds, names), names, strict=True):
        dose_axis(ax, numbers[across].values.astype(float), inside=True)
        dose_axis(ax, numbers[up].values.astype(float), "y", inside=True)
        ax.set_xlabel(axis_label(numbers[across]))
        ax.set_ylabel(axis_label(numbers[up]))
        values = ds[name].sel(arm=arm) - (ds[name].sel(arm=base) if base is not None else 0)
        z = data.interval(values)
        x, y = (
            numbers[name].broadcast_like(values.isel(seed=0)).values.astype(float)
            for name in (across, up)
        )
        there = np.isfinite(z.mean)
        if not span_a_plane(x[there], y[there]):
            there_are = f"{there.sum()} of {counted(z.mean.size, 'point')}"
            layout.write_across(ax, f"no map: numbers at {there_are}")
            continue
        bar = draw_map(fig, ax, x, y, z.mean)
        bar.set_ylabel(labels.unit_label(ds[name]), fontsize=11)
        short = z.n < ds.sizes["seed"]
        ax.plot(
            x[short],
            y[short],
            linestyle="none",
            marker="x",
            color=style.ALARM,
            markersize=9,
            markeredgewidth=2,
        )
    return fig


def span_a_plane(x: data.Array, y: data.Array) -> bool:
    """Whether points span a plane, each axis as long as its range."""
    there = np.isfinite(x) & np.isfinite(y)
    if there.sum() < CORNERS:
        return False
    spans = [v[there] - v[there].mean() for v in (x, y)]
    if any(np.ptp(v) == 0 for v in spans):
        return False
    wide, narrow = np.linalg.svd([v / np.ptp(v) for v in spans], compute_uv=False)
    return bool(100 * narrow > NARROW_PERCENT * wide)


def draw_map(fig: Figure, ax: Axes, x: data.Array, y: data.Array, z: data.Array) -> Axes:
    """Colour, contours and points of z over x and y, all of one shape; two-sided where z changes
    sign.

    Returns the axes of the colour bar.
    """
    low, high = float(np.nanmin(z)), float(np.nanmax(z))
    two_sided = low < 0 < high and min(-low, high) * CONTOURS > max(-low, high)
    norm = TwoSlopeNorm(0, low, high) if two_sided else Normalize(low, high)
    fine_x, fine_y, fine = _between(ax, x, y, z)
    shown = ax.pcolormesh(
        fine_x,
        fine_y,
        fine,
        cmap=TWO_SIDED if two_sided else ONE_SIDED,
        norm=norm,
        shading="nearest",
        rasterized=True,
    )
    levels = [float(level) for level in np.asarray(MaxNLocator(CONTOURS).tick_values(low, high))]
    levels = [level for level in levels if low < level < high]
    edge: list[AbstractPathEffect] = [withStroke(linewidth=3, foreground=style.INK + "66")]
    if levels:
        lines = ax.contour(
            fine_x,
            fine_y,
            fine,
            levels=levels,
            colors="white",
            linewidths=3 / 2,
            linestyles="solid",
        )
        lines.set_path_effects(edge)
        for text in ax.clabel(lines, fontsize=11, fmt=lambda level: f"{level:g}".replace("-", "−")):
            text.set_path_effects(edge)
    ax.plot(
        x.ravel(),
        y.ravel(),
        linestyle="none",
        marker="o",
        markersize=2,
        color="white",
        markeredgewidth=0,
        clip_on=False,
    )
    bar = fig.colorbar(shown, ax=ax, pad=1 / 50, aspect=16)
    bar.ax.spines[:].set_visible(False)
    bar.ax.tick_params(length=0)
    return bar.ax


def _between(
    ax: Axes, x: data.Array, y: data.Array, z: data.Array
) -> tuple[data.Array, data.Array, data.Array]:
    """z between its points, straight on the scales of the axes: (fine,), (fine,), (fine, fine)."""
    from scipy.interpolate import griddata

    scales = [_scale(ax.get_xscale(), x), _scale(ax.get_yscale(), y)]
    there = np.isfinite(z)
    steps = np.linspace(0, 1, FINE)
    points = np.column_stack(
        [
            (to(v[there]) - low) / (high - low)
            for (to, _, low, high), v in zip(scales, (x, y), strict=True)
        ]
    )
    fine = griddata(points, z[there], tuple(np.meshgrid(steps, steps)), method="linear")
    ends = [back(low + (high - low) * steps) for _, back, low, high in scales]
    return ends[0], ends[1], np.asarray(fine)


def _scale(name: str, values: data.Array) -> tuple[np.ufunc, np.ufunc, float, float]:
    """How an axis's scale maps numbers and back, and the mapped ends of `values`."""
    to, back = (np.log, np.exp) if name == "log" else (np.positive, np.positive)
    return to, back, float(to(values.min())), float(to(values.max()))
