"""In: axes and a span of hours. Out: a time axis that shows minutes and days together; dosing and
courses on it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, MaxNLocator, NullLocator

from plastogen.experiment import Intervals
from plastogen.figures.data import Array, DosingEvent
from plastogen.figures.style import BAND, MUTED, PALE, tint

MIN_PER_H, H_PER_DAY = 60, 24
MOST_SHADES = 12  # more doses than this are not shaded in every panel: the strip above shows them
SHORT_H = 16  # a span up to this many hours is drawn in plain hours
LATE_DOSE_H = 24  # dosing after this many hours is drawn in plain days
LINEAR_H = 1  # the two-sided axis is linear up to about here and logarithmic beyond (arsinh)
MOST_DOSES, TICK_CHARS = (
    8,
    5,
)  # more or longer values have no tick of their own; more have a band, not bars
ROUND_STEPS = (1, 2, 5)  # of a logarithmic axis
LOG_SPAN = 15  # doses that differ by more than this factor stand on a logarithmic axis
HOUR_STEPS, DAY_STEPS, MOST_TICKS = (1 / 4, 1 / 2, 1, 2, 3, 6, 12), (1, 2, 3, 7, 14, 28, 84), 7
MOST_STORY_TICKS = 15  # that would fit side by side
STORY_TICKS_MIN = (0, 40, 120, 360)
STORY_TICKS_DAY = (1, 3, 7, 14, 28, 42, 84, 168, 365)


def time_axis(
    ax: Axes, span_h: tuple[float, float], given: Iterable[DosingEvent] = (), *, beside: int = 1
) -> None:
    """Sets the time axis of `ax` (data in hours) to what reads best for what is `given`.

    Hours for a short span; days where doses are repeated over days; otherwise arsinh of time in
    hours: linear near dosing, logarithmic later, so that 40 min and 14 d have both room. Every tick
    carries its unit; the more panels stand `beside` one another, the fewer ticks.
    """
    first, last = span_h
    late = any(g.start_h > LATE_DOSE_H for g in given)
    if last <= SHORT_H or late:
        ax.set_xscale("linear")
        steps = [day * H_PER_DAY for day in DAY_STEPS] if late else list(HOUR_STEPS)
        step = _step(steps, (last - first) / max(1, MOST_TICKS // beside))
        ticks = [k * step for k in range(math.ceil(first / step), math.floor(last / step) + 1)]
    else:
        ax.set_xscale("asinh", linear_width=LINEAR_H)
        ticks = [minutes / MIN_PER_H for minutes in STORY_TICKS_MIN]
        ticks += [day * H_PER_DAY for day in STORY_TICKS_DAY]
        ticks = [-tick for tick in ticks[:0:-1] if tick > LINEAR_H] + ticks
        span = (math.asinh(last) - math.asinh(first)) * beside
        ticks = _apart([tick for tick in ticks if first <= tick <= last], span)
    ax.set_xlim(first, last)
    ax.xaxis.set_major_locator(FixedLocator([tick for tick in ticks if first <= tick <= last]))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_major_formatter(FuncFormatter(lambda hours, _: time_text(hours)))


def time_label(ax: Axes) -> str:
    """What a time axis says of itself, that it turns from linear to logarithmic too. 0 is where the
    experiment's file has it.
    """
    turns = f" (linear to {time_text(LINEAR_H)}, then logarithmic)"
    return "time in the course" + (turns if ax.get_xscale() == "asinh" else "")


def _step(steps: Sequence[float], least: float) -> float:
    """The shortest of `steps` that is not below `least`; beyond them their last, doubled."""
    long = steps[-1]
    while long < least:
        long *= 2
    return next((step for step in steps if step >= least), long)


def _apart(ticks: Sequence[float], span: float) -> list[float]:
    """Ticks that leave one another room on the arsinh axis: the last first, but 0 where it divides
    those before from those after.
    """
    kept: list[float] = []
    for tick in reversed(ticks):
        if not kept or math.asinh(kept[0]) - math.asinh(tick) > span / MOST_STORY_TICKS:
            kept.insert(0, tick)
        elif tick == 0 and min(ticks) < 0:
            kept[0] = tick  # between before and after
    return kept


def time_text(hours: float) -> str:
    """Hours as a reader says them: 0.667 -> `40 min`, 6 -> `6 h`, 72 -> `3 d`."""
    minutes, sign = round(abs(hours) * MIN_PER_H), "−" if hours < 0 else ""
    if minutes == 0:
        return "0"
    if minutes < MIN_PER_H or minutes % (MIN_PER_H // 2):
        return f"{sign}{minutes} min"
    if minutes % (H_PER_DAY * MIN_PER_H) == 0:
        return f"{sign}{minutes // (H_PER_DAY * MIN_PER_H)} d"
    return f"{sign}{minutes / MIN_PER_H:g} h"


def draw_dosing(ax: Axes, given: Iterable[DosingEvent]) -> None:
    """Shades when anything in `given` goes in; a bolus (no length) becomes a line; very many doses
    are left out.
    """
    times = list(dict.fromkeys((g.start_h, g.end_h) for g in given))
    for start, end in times if len(times) <= MOST_SHADES else ():
        if end > start:
            ax.axvspan(start, end, color=PALE, linewidth=0, zorder=0)
        else:
            ax.axvline(start, color=tint(MUTED, 50), linewidth=1, zorder=0)


def draw_course(ax: Axes, time_h: Array, values: Intervals, colour: str, **line: Any) -> None:
    """One course over time: its mean as a line, its 95 % interval as a band; of too few for an
    interval each as a thin line.
    """
    if values.each is None:
        ax.fill_between(time_h, values.low, values.high, color=colour + BAND, linewidth=0, zorder=2)
    elif len(values.each) > 1:
        ax.plot(time_h, values.each.T, color=colour + BAND, linewidth=1, zorder=2)
    ax.plot(time_h, values.mean, color=colour, zorder=3, **line)


def draw_noise_band(ax: Axes, centre: float, half_width: float) -> None:
    """The band probe noise alone leaves around `centre`; nothing when `half_width` is not a
    number.
    """
    if np.isfinite(half_width) and half_width > 0:
        band = ax.axhspan(
            centre - half_width, centre + half_width, color=tint(MUTED, 60), linewidth=0, zorder=1
        )
        band.set_gid("noise floor")


def draw_response(
    ax: Axes,
    x: Array,
    values: Intervals,
    colour: str,
    line: Any,
    marker: str,
    label: str,
) -> None:
    """A readout against dose: means joined by a line, 95 % intervals as bars, or as a band where
    there are many.
    """
    if x.size > MOST_DOSES:
        draw_course(
            ax,
            x,
            values,
            colour,
            linestyle=line,
            marker=marker,
            markersize=4,
            markeredgewidth=0,
            label=label,
        )
        return
    ax.vlines(x, values.low, values.high, color=colour, linewidth=3)
    ax.plot(
        x,
        values.mean,
        color=colour,
        linestyle=line,
        marker=marker,
        markeredgecolor="white",
        label=label,
    )


def dose_axis(ax: Axes, x: Array, which: Literal["x", "y"] = "x", *, inside: bool = False) -> None:
    """Ticks at the doses themselves, or at round numbers where there are many; logarithmic when
    they span far and none is 0. `inside`: no room is left beyond the first and the last.
    """
    axis, limit = (ax.xaxis, ax.set_xlim) if which == "x" else (ax.yaxis, ax.set_ylim)
    far = x.min() > 0 and x.max() / x.min() > LOG_SPAN
    (ax.set_xscale if which == "x" else ax.set_yscale)("log" if far else "linear")
    if far:
        room = 1 if inside else (x.max() / x.min()) ** (1 / 12)
        limit(x.min() / room, x.max() * room)
    else:
        room = 0 if inside else (x.max() - x.min()) / 12 or 0.5
        limit(x.min() - room, x.max() + room)
    if np.unique(x).size <= MOST_DOSES and all(len(f"{value:g}") <= TICK_CHARS for value in x):
        axis.set_major_locator(FixedLocator(list(x)))
    elif far:
        axis.set_major_locator(LogLocator(subs=ROUND_STEPS))
    else:
        axis.set_major_locator(MaxNLocator(MOST_TICKS))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
