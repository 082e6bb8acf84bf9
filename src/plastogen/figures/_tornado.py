"""In: results of a sweep over several numbers, or of virtual subjects. Out: how far each number
swings each readout.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from plastogen.analysis import Influence, influences, results_error
from plastogen.errors import InputError
from plastogen.figures import data, labels, layout, style

MOST_READOUTS, MOST_NUMBERS = 4, 8


@layout.slide
def plot_tornado(
    ds: xr.Dataset, *, readouts: Sequence[str] | None = None, arm: str | None = None
) -> Figure:
    """For each readout the numbers that swing it furthest: its mean where the number is in its
    lowest fifth (open) and in its highest (filled), with 95 % intervals; all other numbers vary
    meanwhile.

    Raises InputError where nothing is swept or no readout varies.
    """
    names, base, found = by_readout(ds, readouts, arm)
    names = names[:MOST_READOUTS]
    look = style.arm_styles(ds)[arm or data.contrast_arms(ds)[0]]
    less = f" less {style.arm_title(ds, base)}" if base is not None else ""
    note = (
        f"{look.label}{less}: mean where a number is in its lowest fifth (open) and in its highest"
        " (filled), and its "
    )
    note += f"{data.PERCENT} % interval, all others varying."
    fig = layout.new_slide(ds, "Which number swings the outcome", note=note)
    rows = 1 if len(names) < 3 else 2
    columns = -(-len(names) // rows)
    axes = fig.subplots(rows, columns, squeeze=False).ravel()
    for ax, name in zip(axes, names, strict=False):
        each = sorted(found[name], key=lambda one: -_reach(one))
        _bars(ax, ds, each[:MOST_NUMBERS], look.colour)
        ax.set_title(labels.panel_title(ds[name], 2 * columns))  # names of numbers take the left
        some = f"; {MOST_NUMBERS} of {len(each)} numbers" if len(each) > MOST_NUMBERS else ""
        ax.set_xlabel(labels.unit_label(ds[name]) + some)
    for ax in axes[len(names) :]:
        ax.set_axis_off()
    return fig


def by_readout(
    ds: xr.Dataset, readouts: Sequence[str] | None, arm: str | None
) -> tuple[list[str], str | None, dict[str, list[Influence]]]:
    """Readouts that vary, the arm the treated one is held against, and what each number does to
    each readout.
    """
    _, listed, reasons = influences(ds, data.readout_names(ds, readouts), arm=arm)
    found: dict[str, list[Influence]] = {}
    for one in listed:
        found.setdefault(one.readout, []).append(one)
    if not found:
        raise nothing_measured(ds, reasons)
    return list(found), data.contrast_arms(ds)[1], found


def nothing_measured(ds: xr.Dataset, reasons: Mapping[str, str]) -> InputError:
    """The error of a sweep of which no readout says what it depends on."""
    found = "; ".join(f"{name}, which {why}" for name, why in reasons.items()) or "no readout"
    return results_error(ds, found=found, wanted="one of which it can be asked what it depends on")


def _reach(one: Influence) -> float:
    return abs(one.swing[1][0] - one.swing[0][0])


def _bars(ax: Axes, ds: xr.Dataset, each: Sequence[Influence], colour: str) -> None:
    """A bar from low to high for each number, the longest at the top."""
    rows = np.arange(len(each))[::-1]
    for y, one in zip(rows, each, strict=True):
        (low, *low_ends), (high, *high_ends) = one.swing
        ax.plot(
            [low, high],
            [y, y],
            color=style.tint(colour, 55),
            linewidth=9,
            solid_capstyle="butt",
            zorder=1,
        )
        for value, ends, face in ((low, low_ends, "white"), (high, high_ends, colour)):
            ax.plot(ends, [y, y], color=style.INK, linewidth=1, zorder=2)
            ax.plot(
                [value], [y], marker="o", markersize=8, color=colour, markerfacecolor=face, zorder=3
            )
    middle = float(np.mean([end[0] for one in each for end in one.swing]))
    ax.axvline(middle, color=style.tint(style.GREY, 50), linewidth=1, zorder=0)
    ax.set_yticks(rows, [labels.number_label(ds, one.path) for one in each])
    ax.tick_params(left=False)
    ax.spines["left"].set_visible(False)
    ax.set_ylim(-3 / 4, len(each) - 1 / 4)
    ax.margins(x=1 / 16)
    ax.xaxis.set_major_locator(MaxNLocator(5))
