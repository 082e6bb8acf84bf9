"""In: a drawn figure. Out: its keys, names and ticks where they lie over no curve, no dot and not
over one another.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke
from matplotlib.text import Annotation
from matplotlib.ticker import MaxNLocator
from matplotlib.transforms import Bbox

from plastogen.figures.data import Array
from plastogen.figures.style import MUTED

PT_PER_INCH = 72
LETTER = 3 / 5  # width of a letter over the size of its font
REACHES_PT, DIRECTIONS, BETWEEN = (11, 15, 20, 26, 34), 16, 12
SLIGHT = 1 / 100  # of where an axis stands: less than it shows is next to no change
INSIDE = "key inside"  # gid of a key that lies within its panel
ON_LINE = "name of a line"  # gid of a name that may lie anywhere along its line
ALONG, OFF_LINE_PT = 21, 3  # places along a line that are tried; between it and its name
HALO_PT = 4  # of white around words beside a point, both sides together
TICK_GAP_PX = 4  # between labels of ticks, at the least
KEY_GAP = 1 / 30  # of a panel's height, between a key above its curves and them
BLOCKED = 1000  # how heavy it is to lie over other words, or beyond the panel
RIM = np.array([(0, 0), (1, 0), (-1, 0), (0, 1), (0, -1)])  # of a dot


def make_room(fig: Figure) -> None:
    """Ends the layout of a drawn figure: axes that hardly change, full panels with a key inside,
    crowded ticks.
    """
    if _widen_slight_axes(fig) + _make_room_for_keys(fig) + _thin_ticks(fig):
        fig.draw_without_rendering()


def _widen_slight_axes(fig: Figure) -> int:
    """Axes on which next to nothing changes, so that their ticks would count from an offset
    (`1e-6+1`), show a hundredth of where they stand; how many.
    """
    slight = [
        axis
        for ax in fig.axes
        for axis in (ax.xaxis, ax.yaxis)
        if getattr(axis.get_major_formatter(), "offset", 0)
    ]
    for axis in slight:
        middle = float(np.mean(axis.get_view_interval()))
        half = abs(middle) * SLIGHT / 2
        axis.axes.set(**{f"{axis.axis_name}lim": (middle - half, middle + half)})
    return len(slight)


def _make_room_for_keys(fig: Figure) -> int:
    """Panels whose key finds no place inside that is free of curves get one above; how many."""
    crowded = 0
    for ax in fig.axes:
        key = ax.get_legend()
        if key is None or key.get_gid() != INSIDE:
            continue
        box = key.get_window_extent()
        curves = [dense(line) for line in ax.lines if line.get_linestyle() not in ("None", "")]
        if any(box.count_contains(curve) for curve in curves):
            crowded += 1
            low, high = ax.get_ylim()
            share = min(box.height / ax.bbox.height + KEY_GAP, 1 / 2)
            ax.set_ylim(low, low + (high - low) / (1 - share))
            key.set_loc("upper right")
    return crowded


def _thin_ticks(fig: Figure) -> int:
    """Axes whose tick labels would run into one another get fewer; how many axes."""
    crowded = 0
    for ax in fig.axes:
        for axis in (ax.xaxis, ax.yaxis):
            locator = axis.get_major_locator()
            first, last = sorted(axis.get_view_interval())
            boxes = [
                tick.label1.get_window_extent()
                for tick in axis.get_major_ticks()
                if first <= tick.get_loc() <= last and tick.label1.get_text()
            ]
            if axis is ax.xaxis:
                gaps = [b.x0 - a.x1 - TICK_GAP_PX for a, b in itertools.pairwise(boxes)]
            else:  # upwards; the boxes of digits have room above and below
                gaps = [b.y0 - a.y1 for a, b in itertools.pairwise(boxes)]
            if isinstance(locator, MaxNLocator) and any(gap < 0 for gap in gaps):
                crowded += 1
                axis.set_major_locator(MaxNLocator(max(1, len(boxes) // 2)))
    return crowded


def legend(ax: Axes, *, above: bool = True, size: int = 11) -> None:
    """A key of the labelled lines in `ax`: in a row `above` it, right of its title, or inside where
    there is room.
    """
    handles, labels = ax.get_legend_handles_labels()
    common: dict[str, Any] = {
        "handletextpad": 0.5,
        "fontsize": size,
        "borderpad": 0,
        "borderaxespad": 0,
    }
    if above:
        made = ax.legend(
            handles,
            labels,
            loc="lower right",
            bbox_to_anchor=(1, 1),
            ncols=max(1, len(handles)),
            handlelength=3 / 2,
            columnspacing=1,
            **common,
        )
        made.set_in_layout(False)
    else:
        made = ax.legend(handles, labels, loc="best", handlelength=2, labelspacing=0, **common)
        made.set_gid(INSIDE)


def name_line(ax: Axes, text: str, y: float, *, colour: str = MUTED, size: int = 11) -> None:
    """Words on a level line at `y`: at its right end, or wherever along it and on whichever side
    the finished slide has no curve, bar or dot.
    """
    ax.annotate(
        text,
        (1, y),
        xycoords=("axes fraction", "data"),
        xytext=(-2, OFF_LINE_PT),
        textcoords="offset points",
        ha="right",
        va="bottom",
        color=colour,
        fontsize=size,
        gid=ON_LINE,
    )


def clear_names_of_lines(fig: Figure) -> None:
    """Names of level lines go to the first place along their line, from the right, that lies over
    nothing drawn and within the panel; where there is none, to where they cover least.
    """
    places = list(itertools.product((False, True), np.linspace(1, 0, ALONG).tolist()))
    for ax in fig.axes:
        ink, taken = Ink.of(ax), list[Bbox]()
        for name in (text for text in ax.texts if text.get_gid() == ON_LINE):
            assert isinstance(name, Annotation)
            covers = []
            for below, at in places:
                _put_on_line(name, at, below=below)
                covers.append(_covered(name.get_window_extent(), ink, taken, ax.bbox))
            below, at = places[int(np.argmin(covers))]
            _put_on_line(name, at, below=below)
            taken.append(name.get_window_extent())


def _put_on_line(name: Annotation, at: float, *, below: bool) -> None:
    """`at`: the share of the axis, 0 where the name begins at its left end, 1 where it ends at its
    right.
    """
    name.xy = (at, name.xy[1])
    name.set_horizontalalignment("left" if at == 0 else "right" if at == 1 else "center")
    name.set_verticalalignment("top" if below else "bottom")
    name.xyann = (2 * (1 - 2 * at), -OFF_LINE_PT if below else OFF_LINE_PT)


@dataclass(frozen=True)
class Ink:
    """What is drawn in axes, as points in pixels (n, 2), each as heavy as its line or dot is thick
    and opaque.
    """

    heavy: Array
    points: Array

    @classmethod
    def of(cls, ax: Axes) -> Ink:
        heavy, points = [0.0], [np.full((1, 2), np.inf)]
        for line in ax.lines:
            opaque = 1.0 if line.get_alpha() is None else float(line.get_alpha() or 0)
            if line.get_linestyle() not in ("None", ""):
                heavy.append(opaque * line.get_linewidth())
                points.append(dense(line))
            if line.get_marker() not in ("None", "", None):
                size = line.get_markersize()
                radius = size * ax.figure.dpi / PT_PER_INCH / 2
                heavy.append(opaque * size)
                points.append((_drawn(line)[:, None] + radius * RIM).reshape(-1, 2))
        return cls(np.repeat(heavy, [len(each) for each in points]), np.concatenate(points))

    def under(self, box: Bbox) -> float:
        """How much of it lies within a box."""
        inside = (box.min < self.points) & (self.points < box.max)
        return float(self.heavy[inside.all(1)].sum())


def _covered(box: Bbox, ink: Ink, taken: Sequence[Bbox], within: Bbox) -> float:
    """How much a text in `box` would lie over: ink, boxes `taken`, and what is not `within`."""
    outside = not (within.contains(box.x0, box.y0) and within.contains(box.x1, box.y1))
    return ink.under(box) + BLOCKED * (outside + box.count_overlaps(taken))


def label_points(ax: Axes, points: Iterable[tuple[str, float, float]], size: int) -> None:
    """Words, each beside its x and y (data), over no curve and not over one another, as near as
    there is such a place. The layout has to stand.
    """
    taken = list[Bbox]()
    for text, x, y in points:
        offset, box = _clear_offset(ax, text, (x, y), size, taken)
        taken.append(box)
        ax.annotate(
            text,
            (x, y),
            xytext=offset,
            textcoords="offset points",
            fontsize=size,
            ha="center",
            va="center",
            zorder=6,
            path_effects=[withStroke(linewidth=HALO_PT, foreground="white")],
        )


def _clear_offset(
    ax: Axes, text: str, at: tuple[float, float], size: int, taken: Sequence[Bbox]
) -> tuple[tuple[float, float], Bbox]:
    """Where, in points from `at` (data), the middle of `text` lies over no curve of `ax` and none
    of the boxes `taken`, as near as there is such a place; and its box.
    """
    scale = ax.figure.dpi / PT_PER_INCH
    width, height = (LETTER * size * len(text) + HALO_PT) * scale, (size + HALO_PT) * scale
    x, y = ax.transData.transform(at)
    ink, found = Ink.of(ax), list[tuple[float, float, float, Bbox]]()
    for reach, turn in itertools.product(REACHES_PT, range(DIRECTIONS)):
        angle = 2 * np.pi * (turn / DIRECTIONS + 1 / 4)
        across, up = reach * np.cos(angle) * (1 + len(text) / 4), reach * np.sin(angle)
        box = Bbox.from_bounds(
            x + across * scale - width / 2, y + up * scale - height / 2, width, height
        )
        covered = _covered(box, ink, taken, ax.bbox)
        found.append((covered, across, up, box))
        if not covered:
            break
    _, across, up, box = min(found, key=lambda one: one[0])
    return (across, up), box


def _drawn(line: Line2D) -> Array:
    """The points of a line that can be drawn, in pixels."""
    drawn = line.get_transform().transform(np.column_stack(line.get_data()).astype(float))
    return np.asarray(drawn[np.isfinite(drawn).all(1)])


def dense(line: Line2D) -> Array:
    """Points along a line as it is drawn, in pixels, close enough to find one in a box of text."""
    drawn = _drawn(line)
    steps = np.linspace(0, 1, BETWEEN, endpoint=False)[:, None, None]
    between = drawn[None, :-1] + steps * np.diff(drawn, axis=0)[None]
    return np.asarray(np.concatenate([between.reshape(-1, 2), drawn[-1:]]))
