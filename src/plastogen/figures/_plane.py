"""In: results over a sweep. Out: one readout over two others, and where other arms pass."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke

from plastogen.analysis import results_error
from plastogen.figures import data, labels, layout, placing, style
from plastogen.figures._landscape import draw_map, span_a_plane

NEEDED = 3  # readouts: one over two others
LABEL_PT = 12


@layout.slide
def plot_plane(ds: xr.Dataset, *, readouts: Sequence[str] | None = None) -> Figure:
    """The first readout over the second and the third, of the arm that is swept: colour and
    contours, straight between the points that were run; the arms that are not swept as points on
    it, in their order.

    Raises InputError where there are fewer than three readouts or points, or all points on a line.
    """
    names = data.readout_names(ds, readouts)[:NEEDED]
    dims = [dim for dim in data.sweep_axes(ds) if ds.sizes[dim] > 1]
    points = int(np.prod([ds.sizes[dim] for dim in dims]))
    if len(names) < NEEDED:
        raise results_error(
            ds, found=f"{len(names)} readouts", wanted="three, to draw one over two others"
        )
    if points < NEEDED:
        raise results_error(ds, found=f"{points} points", wanted="a sweep, to draw a map of")
    arm, base = data.contrast_arms(ds)
    means = data.seed_means(ds[names]).stack(place=dims)
    swept = means.sel(arm=arm)
    over, across, up = names
    z = swept[over] - (means[over].sel(arm=base) if base is not None else 0)
    less = f" less {style.arm_title(ds, base)}" if base is not None else ""
    x, y = (swept[name].values.astype(float) for name in (across, up))
    if not span_a_plane(x, y):
        raise results_error(
            ds, found=f"{across} and {up} on one line", wanted="two that do not go together"
        )
    fig = layout.new_slide(
        ds,
        labels.sentence(labels.title(ds[over])),
        note=f"Colour: {style.arm_title(ds, arm)}{less}, mean over seeds; small dots: points that"
        " were run, straight between them; large ones: arms that are not swept.",
    )
    ax = fig.subplots()
    bar = draw_map(fig, ax, x, y, z.values.astype(float))
    bar.set_ylabel(labels.unit_label(ds[over]), fontsize=11)
    ax.set_xlabel(_label(ds[across]))
    ax.set_ylabel(_label(ds[up]))
    others = [a for a in data.arm_names(ds) if a not in (arm, base)]
    passed = _pass_by(ax, ds, means, (across, up), others)
    fig.draw_without_rendering()  # places of labels follow from where points stand
    placing.label_points(ax, passed, LABEL_PT)
    return fig


def _pass_by(
    ax: Axes, ds: xr.Dataset, means: xr.Dataset, over: tuple[str, str], arms: Sequence[str]
) -> list[tuple[str, float, float]]:
    """Draws where arms that are not swept stand, joined in their order: their titles and places."""
    x, y = ([float(means[name].sel(arm=arm).mean()) for arm in arms] for name in over)
    ax.plot(
        x,
        y,
        color=style.INK,
        marker="o",
        markersize=8,
        markeredgecolor="white",
        linewidth=2,
        path_effects=[withStroke(linewidth=4, foreground="white")],
        zorder=4,
    )
    return list(zip([style.arm_title(ds, arm) for arm in arms], x, y, strict=True))


def _label(values: xr.DataArray) -> str:
    unit = labels.unit_label(values)
    return f"{labels.title(values)} ({unit})" if unit else labels.title(values)
