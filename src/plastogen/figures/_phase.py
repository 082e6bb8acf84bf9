"""In: courses of two slow states. Out: one against the other, time marked along the way."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from plastogen.experiment import POINT, SUBJECT
from plastogen.figures import axis, data, labels, layout, placing, style
from plastogen.figures._sweep import NUMBERS_PER_LINE, shaded_styles

STATES = ("weight", "spine_density")
TIME_PT = 12
MARKS_H = (0, 3, 24, 72, 168, 336)  # when a course is marked
MOST_THREADS = 200
APART_PERCENT = 5  # of the axes between times that are labelled
ROOM_PERCENT = 8  # left around the courses, of their span
PRODUCTS = 5  # lines of equal product, at most


@layout.slide
def plot_phase(ds: xr.Dataset, *, states: Sequence[str] = STATES) -> Figure:
    """Two slow states against each other (weight and spine density), a course a line, dots at times
    that are labelled; grey lines where their product is the same.

    An arm a line; along one axis of a sweep, one arm at some of its values; many points or virtual
    subjects as threads, with their median.
    """
    for name in states:
        data.require_course(ds, name, "a state")
    ds = ds[[*states, *(v for v in ("status",) if v in ds)]]
    swept = [dim for dim in data.sweep_axes(ds) if ds.sizes[dim] > 1]
    many = SUBJECT in ds.sizes or (
        swept == [POINT] and len(data.varied_numbers(ds)) > NUMBERS_PER_LINE
    )
    ds = data.single_point(ds, states, keep=swept[:1])
    styles = style.arm_styles(ds)
    focus, base = data.contrast_arms(ds)
    if many:
        looks = [styles[arm] for arm in styles]
        lines = [
            ds.sel(arm=arm).median([d for d in ds[states[0]].dims if d not in ("arm", "time")])
            for arm in styles
        ]
        what = "median; thin: each " + ("virtual subject" if SUBJECT in ds.sizes else "point")
    elif swept:
        kept, looks = shaded_styles(ds, swept[0])
        lines = [data.seed_means(ds.sel(arm=focus).isel({swept[0]: i})) for i in kept]
        if base is not None:
            looks, lines = (
                [styles[base], *looks],
                [
                    data.seed_means(ds.sel(arm=base).isel({swept[0]: 0})),
                    *lines,
                ],
            )
        what = f"{styles[focus].label}, mean over seeds, a line each value"
    else:
        looks, lines = list(styles.values()), [data.seed_means(ds.sel(arm=arm)) for arm in styles]
        what = "mean over seeds"
    note = f"{what}; dots: times labelled once; grey: equal products of both. Healthy is 1, 1."
    fig = layout.new_slide(
        ds,
        labels.sentence(" and ".join(labels.title(ds[name]) for name in reversed(states))),
        arms=looks,
        note=note,
    )
    ax = fig.subplots()
    if many:
        _threads(ax, ds, states, focus, styles[focus].colour)
    for look, line in zip(looks, lines, strict=True):
        x, y = (line[name].values for name in states)
        still = np.ptp(x) == np.ptp(y) == 0
        ax.plot(
            x,
            y,
            color=look.colour,
            linestyle=look.line,
            marker="D" if still else "",
            markersize=10,
            zorder=3,
        )
        if not still:
            _marks(ax, x, y, ds["time"].values, look)
    furthest = max(
        lines,
        key=lambda line: float(np.ptp(line[states[0]].values) + np.ptp(line[states[1]].values)),
    )
    _frame(ax)
    _products(ax)
    ax.set_xlabel(labels.title(ds[states[0]]))
    ax.set_ylabel(labels.title(ds[states[1]]))
    fig.draw_without_rendering()  # places of labels follow from where curves stand
    _label_times(ax, furthest[states[0]].values, furthest[states[1]].values, ds["time"].values)
    return fig


def _threads(ax: Axes, ds: xr.Dataset, states: Sequence[str], arm: str, colour: str) -> None:
    """Every point or virtual subject of an arm, the mean of its seeds."""
    one = data.seed_means(ds.sel(arm=arm))
    x, y = (one[name].transpose(..., "time").values for name in states)
    step = max(1, len(x) // MOST_THREADS)
    for a, b in zip(x[::step], y[::step], strict=True):
        ax.plot(a, b, color=colour, linewidth=1 / 2, alpha=1 / 4, zorder=1, rasterized=True)


def _crossings(
    x: data.Array, y: data.Array, time_h: data.Array
) -> list[tuple[float, float, float]]:
    """Where a course is at each time that is marked, and the last time it has: (h, x, y)."""
    return [
        (h, float(np.interp(h, time_h, x)), float(np.interp(h, time_h, y)))
        for h in MARKS_H
        if h <= time_h[-1]
    ]


def _marks(
    ax: Axes, x: data.Array, y: data.Array, time_h: data.Array, look: style.ArmStyle
) -> None:
    points = _crossings(x, y, time_h)
    ax.plot(
        [p[1] for p in points],
        [p[2] for p in points],
        linestyle="none",
        marker="o",
        markersize=6,
        color=look.colour,
        markeredgecolor="white",
        zorder=4,
    )


def _label_times(ax: Axes, x: data.Array, y: data.Array, time_h: data.Array) -> None:
    """The times, beside the dots of the course that goes furthest, where they are apart."""
    spans = np.array([np.ptp(ax.get_xlim()), np.ptp(ax.get_ylim())])
    labelled = dict[str, tuple[float, float]]()
    for h, *place in _crossings(x, y, time_h):
        gaps = [np.abs(np.subtract(place, other)) / spans for other in labelled.values()]
        if all(gap.max() > APART_PERCENT / 100 for gap in gaps):
            labelled[axis.time_text(h) if h else "start"] = (place[0], place[1])
    placing.label_points(ax, [(text, *at) for text, at in labelled.items()], TIME_PT)


def _frame(ax: Axes) -> None:
    """Some room around all that is drawn."""
    ax.margins(ROOM_PERCENT / 100)
    ax.autoscale_view()
    ax.xaxis.set_major_locator(MaxNLocator(7))
    ax.yaxis.set_major_locator(MaxNLocator(6))


def _products(ax: Axes) -> None:
    """Lines along which both together are the same, labelled at their right end."""
    (left, right), (bottom, top) = ax.get_xlim(), ax.get_ylim()
    x = np.linspace(left, right, 100)
    for product in MaxNLocator(PRODUCTS).tick_values(left * bottom, right * top):
        y = product / x
        inside = (y > bottom) & (y < top)
        if inside.sum() > 1:
            ax.plot(x[inside], y[inside], color=style.PALE, linewidth=1, zorder=0)
            # it leaves through the lower axis, and its label stays above that
            below = not inside[-1]
            ax.annotate(
                f"{product:g}",
                (x[inside][-1], y[inside][-1]),
                xytext=(3, 3 if below else 0),
                textcoords="offset points",
                ha="left",
                va="bottom" if below else "center",
                annotation_clip=False,
                color=style.GREY,
                fontsize=10,
                zorder=0,
            )
    ax.set_xlim(left, right)
    ax.set_ylim(bottom, top)
