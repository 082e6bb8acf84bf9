"""In: results, and somebody's own measurements. Out: a panel for each thing that was measured: the
course of the model, the points, and how well the two agree.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure

from plastogen.errors import InputError
from plastogen.experiment import spelled
from plastogen.figures import agreement, axis, data, layout, own_points, style
from plastogen.figures.labels import sentence, unit_text
from plastogen.figures.overlay import Overlay
from plastogen.simulation import VARIABLES

MOST_PANELS = 12
ROOM_AFTER = 1 / 12  # of the time that was measured, beyond the last point
LINE_CHARS = 150  # of a line over the whole figure
MOST_SENTENCES = 3  # under a title: more kinds of points are summed up in the table
SMALL = 9


@layout.slide
def plot_own_data(ds: xr.Dataset, *, overlay: Sequence[Overlay] = ()) -> Figure:
    """Own data beside the courses they are held against: a panel each variable, scale, class and
    species, lines of the arms that were measured (of the treated arm where none is named).

    Raises InputError without data, or where they name what `ds` does not hold.
    """
    if not overlay:
        wanted = "your own measurements: plastogen plot NAME --data FILE"
        raise InputError.one(file="own_data", found="no data", wanted=wanted)
    ds = data.single_point(ds)
    agreement.check_overlays(ds, overlay)
    panels: dict[tuple[str, ...], list[Overlay]] = {}
    for one in overlay:
        key = (one.variable, one.scale, one.class_ or "", one.species or "")
        panels.setdefault(key, []).append(one)
    if len(panels) > MOST_PANELS:
        wanted = f"at most {MOST_PANELS} in one figure: a file for some of them"
        found = f"{len(panels)} variables, classes and species"
        raise InputError.one(file=overlay[0].file, found=found, wanted=wanted)
    styles = style.arm_styles(ds)
    arms = list(dict.fromkeys(agreement.arm_of(ds, one) for one in overlay))
    note = (
        f"lines: mean over {data.over_whom(ds)}; bands: {data.PERCENT} % interval; points: own data"
    )
    fig = layout.new_slide(
        ds, "Model and measurement", arms=[styles[arm] for arm in arms], note=note
    )
    columns = math.ceil(math.sqrt(len(panels)))
    grid = fig.add_gridspec(math.ceil(len(panels) / columns), columns)
    for k, shown in enumerate(panels.values()):
        ax = fig.add_subplot(grid[k // columns, k % columns])
        _panel(ax, ds, shown, styles, columns)
    own_points.keep_in_view(fig, overlay)
    return fig


def _panel(
    ax: Axes,
    ds: xr.Dataset,
    shown: Sequence[Overlay],
    styles: dict[str, style.ArmStyle],
    beside: int,
) -> None:
    """One variable: courses of the arms that were measured, points, and how well they agree."""
    times = np.concatenate([one.time_h for one in shown])
    arms = list(dict.fromkeys(agreement.arm_of(ds, one) for one in shown))
    factor = _factor(shown[0])
    first, last = float(ds["time"].values[0]), float(ds["time"].values[-1])
    for arm in arms:
        course_h, values = agreement.course(ds, shown[0], arm)
        scaled = replace(
            values, mean=factor * values.mean, low=factor * values.low, high=factor * values.high
        )
        look = {"marker": "s"} if VARIABLES[shown[0].variable].of_snapshot else {}
        axis.draw_course(
            ax, course_h, scaled, styles[arm].colour, linestyle=styles[arm].line, **look
        )
    room = ROOM_AFTER * float(np.ptp(times))
    start = first if times.min() > first else float(times.min()) - room
    end = max(float(times.max()) + room, min(last, 1.0))
    given = [g for g in data.dosing_events(ds) if g.arm in arms]
    axis.time_axis(ax, (start, end), given, beside=beside)
    axis.draw_dosing(ax, [g for g in given if g.drug not in (*style.BLOCKERS, *style.NO_DRUGS)])
    own_points.draw_points(
        ax,
        shown,
        shown[0].variable,
        scale=shown[0].scale,
        factor=factor,
        arms=arms,
        colours={arm: styles[arm].colour for arm in arms},
        named=False,
    )
    ax.set_ylabel(_label(shown[0]))
    ax.set_xlabel(axis.time_label(ax))
    words = "\n".join(_words(ds, shown, LINE_CHARS // beside))
    ax.set_title(words, fontsize=SMALL, loc="left", weight="normal")
    _fit_courses(ax)


def _fit_courses(ax: Axes) -> None:
    """Heights that hold what of the courses lies within the times shown."""
    first, last = ax.get_xlim()
    seen = []
    for line in ax.lines:
        t, y = np.asarray(line.get_xdata(), float), np.asarray(line.get_ydata(), float)
        seen.append(y[(t >= first) & (t <= last) & np.isfinite(y)])
    for band in ax.findobj(PolyCollection):
        for path in band.get_paths():
            t, y = np.asarray(path.vertices, float).T
            seen.append(y[(t >= first) & (t <= last) & np.isfinite(y)])
    heights = np.concatenate(seen) if seen else np.zeros(0)
    if heights.size and np.ptp(heights) > 0:
        room = own_points.ROOM * float(np.ptp(heights))
        low = 0.0 if heights.min() == 0 else float(heights.min()) - room
        ax.set_ylim(low, float(heights.max()) + room)


def _factor(one: Overlay) -> float:
    """Shares are drawn in per cent."""
    row = VARIABLES[one.variable]
    share = row.unit == "1" and row.scale.startswith("share") and one.scale == "stored"
    return 100 if share else 1


def _label(one: Overlay) -> str:
    row = VARIABLES[one.variable]
    if one.scale != "stored":
        unit = f"% of {one.scale}"
    else:
        unit = f"% {row.scale.removeprefix('share ')}" if _factor(one) > 1 else unit_text(row.unit)
        unit = unit or row.scale
    unit = "% of baseline" if unit == "%" else unit
    name = sentence(row.long_name.partition(",")[0])
    who = ", ".join(spelled(w) for w in (one.class_, one.species) if w)
    return "\n".join(filter(None, (name + f", {who}" * bool(who), f"({unit})" if unit else "")))


def _words(ds: xr.Dataset, shown: Sequence[Overlay], width: int) -> list[str]:
    """A line on how well each kind of points agrees; where there are many, on the first."""
    lines = []
    for one in shown[:MOST_SENTENCES]:
        found = agreement.agreement_of(ds, one)
        arm = style.arm_title(ds, found.arm)
        mark = own_points.MARKS[own_points.marks(shown)[one.label]]
        lines += textwrap.wrap(f"{mark} {one.label}, {arm}: {found.sentence()}", width)
    if len(shown) > MOST_SENTENCES:
        lines.append(f"and {len(shown) - MOST_SENTENCES} more in {agreement.SUMMARY}")
    return lines
