"""In: panels and somebody's own measurements. Out: points drawn in their panels, each in view or
counted.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from plastogen.figures import layout, style
from plastogen.figures.axis import time_text
from plastogen.figures.data import Array
from plastogen.figures.overlay import Overlay, Scale

GID = "own data"
MARKS = {"o": "○", "s": "□", "D": "◇", "^": "△", "p": "⬠", "h": "⬡"}  # as drawn and in a line
ROOM = 1 / 20  # of a panel's height, beyond the outermost point
MOST_NAMED = 3  # more places outside than this are counted, not named


def draw_points(
    ax: Axes,
    overlays: Sequence[Overlay],
    variable: str,
    *,
    scale: Scale = "stored",
    factor: float = 1.0,
    arms: Sequence[str] = (),
    class_: str | None = None,
    colours: Mapping[str, str] | None = None,
    named: bool = True,
) -> None:
    """Points of `variable` on `scale`, times `factor`, of `arms` (and of no arm) and of `class_`.

    `colours`: arm or class -> colour, INK without. What lay below what can be measured is a
    triangle at the limit. `named`: the label stands beside the last point.
    """
    looks = marks(overlays)
    for overlay in overlays:
        if overlay.variable != variable or overlay.scale != scale:
            continue
        if overlay.arm is not None and overlay.arm not in arms:
            continue
        if class_ is not None and overlay.class_ != class_:
            continue
        known = colours or {}
        colour = known.get(overlay.class_ or "", known.get(overlay.arm or "", style.INK))
        _draw(ax, overlay, factor, colour, looks[overlay.label])
        if named:
            ax.annotate(
                overlay.label,
                (overlay.time_h[-1], factor * overlay.value[-1]),
                xytext=(7, 4),
                color=colour,
                fontsize=11,
                textcoords="offset points",
                zorder=6,
                annotation_clip=True,
            )


def marks(overlays: Sequence[Overlay]) -> dict[str, str]:
    """A marker for each label."""
    labels = dict.fromkeys(overlay.label for overlay in overlays)
    return dict(zip(labels, itertools.cycle(MARKS), strict=False))


def _draw(ax: Axes, overlay: Overlay, factor: float, colour: str, mark: str) -> None:
    look: dict[str, Any] = {
        "color": colour,
        "markerfacecolor": "white",
        "markeredgewidth": 2,
        "markersize": 6,
        "zorder": 5,
    }
    t, y = overlay.time_h, factor * overlay.value
    ends = np.nan_to_num(np.stack([y - factor * overlay.low, factor * overlay.high - y]))
    seen = np.logical_not(overlay.below)
    drawn = ax.errorbar(
        t[seen], y[seen], yerr=ends[:, seen], fmt=mark, elinewidth=2, label=overlay.label, **look
    )
    for part in (drawn.lines[0], *drawn.lines[2]):
        part.set_gid(GID)
    if overlay.below.any():
        ax.plot(t[overlay.below], y[overlay.below], marker="v", linestyle="", gid=GID, **look)


def keep_in_view(fig: Figure, overlays: Sequence[Overlay]) -> str:
    """Widens panels until every point within their times is in view, and says on the figure, and
    here, which points are not: at other times, or of what it has no panel for. Empty without data.
    """
    if not overlays:
        return ""
    drawn = Counter[str]()
    outside: list[float] = []
    for ax in fig.axes:
        points = points_of(ax)
        if not points.size:
            continue
        first, last = sorted(ax.get_xlim())
        within = (points[:, 0] >= first) & (points[:, 0] <= last)
        _widen(ax, points[within, 1])
        for line in ax.lines:
            if line.get_gid() == GID:
                times = np.asarray(line.get_xdata(), float)
                off = times[(times < first) | (times > last)]
                drawn["in"] += len(times) - len(off)
                outside += off.tolist()
    total = sum(len(o.value) for o in overlays)
    lost = total - drawn["in"] - len(outside)
    said = f"own data: {drawn['in']} of {total} points drawn"
    if outside:
        where = ", ".join(dict.fromkeys(time_text(t) for t in sorted(outside)[:MOST_NAMED]))
        more = ", ..." if len(outside) > MOST_NAMED else ""
        said += f"; {len(outside)} outside the times shown ({where}{more})"
    if lost > 0:
        said += f"; {lost} without a panel here (see own_data)"
    if drawn["in"] and any(o.below.any() for o in overlays):
        said += "; triangles: below the limit of measurement"
    layout.write_data_line(fig, said)
    return said


def points_of(ax: Axes) -> Array:
    """Time and height of every point and end of a bar in a panel: (points, 2)."""
    found = [np.asarray(line.get_xydata()) for line in ax.lines if line.get_gid() == GID]
    for bars in ax.collections:
        if bars.get_gid() == GID and isinstance(bars, LineCollection):
            found += [np.asarray(segment) for segment in bars.get_segments()]
    kept = [part for part in found if part.size]
    return np.concatenate(kept) if kept else np.zeros((0, 2))


def _widen(ax: Axes, heights: Array) -> None:
    low, high = ax.get_ylim()
    if not heights.size or (heights.min() >= low and heights.max() <= high):
        return
    low, high = min(low, float(heights.min())), max(high, float(heights.max()))
    room = ROOM * (high - low)
    bottom = low - room if heights.min() <= low and low < 0 else min(low, float(heights.min()))
    ax.set_ylim(bottom, high + room)
