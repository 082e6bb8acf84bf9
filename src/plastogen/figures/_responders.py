"""In: results of virtual subjects, and a readout that says yes or no. Out: who responds, and what
separates them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from plastogen._base.text import percent
from plastogen.analysis import Response, Separation, by_unit, find_responders, number_behind
from plastogen.experiment import SUBJECT
from plastogen.figures import data, labels, layout, style
from plastogen.figures._sweep import axis_label

MOST_NUMBERS, BINS = 8, 24
OTHERS = style.tint(style.GREY, 45)
DASHED: Any = (0, (4, 2))


@layout.slide
def plot_responders(
    ds: xr.Dataset, *, readout: str | None = None, arm: str | None = None
) -> Figure:
    """Left, the readout behind the answer in every virtual subject, those who respond in colour;
    middle, how well each number separates them; right, the two that do it best.

    Raises InputError without virtual subjects or a readout that says yes or no.
    """
    found = find_responders(ds, readout, arm)
    yes = found.yes
    mine = ds.sel(arm=found.arm).isel({SUBJECT: np.isin(ds[SUBJECT].values, found.subjects)})
    look = style.arm_styles(ds)[found.arm]
    share, low, high = found.rate
    note = (
        f"responders of {look.label}: {ds[found.readout].attrs.get('long_name', found.readout)}, in"
        " more than half of "
    )
    note += (
        "a subject's seeds. AUC: chance that the number is higher in a responder than in another;"
        " 0.5 says nothing."
    )
    keys = [
        style.ArmStyle(f"respond ({found.yes.sum()})", look.colour, "-", "o", True),
        style.ArmStyle(f"do not ({(~found.yes).sum()})", OTHERS, "-", "o", True),
    ]
    if (threshold := _threshold(mine, found)) is not None:
        said = f"threshold ({threshold:g})".replace("-", "−")
        keys.append(style.ArmStyle(said, style.INK, DASHED, "", True))
    heading = f"{percent(share)} respond [{percent(low)}, {percent(high)}]"
    fig = layout.new_slide(ds, heading, arms=keys, note=note)
    left, middle, right = fig.subplots(1, 3, width_ratios=[4, 5, 4])
    _spread(left, mine, found, look.colour)
    if not found.separations:
        for ax in (middle, right):
            ax.set_axis_off()
        middle.annotate(
            "too few respond, or too few do not,\nto say what separates them",
            (0, 1 / 2),
            xycoords="axes fraction",
            color=style.MUTED,
        )
        return fig
    _forest(middle, ds, found.separations, look.colour)
    _pair(right, mine, found.separations, yes, look.colour)
    return fig


def _spread(ax: Axes, mine: xr.Dataset, found: Response, colour: str) -> None:
    """A histogram of the number behind the answer, or of the share of seeds that say yes."""
    name = number_behind(mine, found.readout)
    values = by_unit(mine[name or found.readout].astype(float)).values
    threshold = _threshold(mine, found)
    ax.hist(
        [values[found.yes], values[~found.yes]],
        bins=list(_edges(values[np.isfinite(values)], threshold)),
        stacked=True,
        color=[colour, OTHERS],
    )
    if threshold is not None:
        ax.axvline(threshold, color=style.INK, linestyle=DASHED, linewidth=3 / 2)
    title = labels.title(mine[name]) if name else "share of seeds that say yes"
    unit = labels.unit_text(str(mine[name or found.readout].attrs.get("units", "1")))
    ax.set_title("Virtual subjects")
    ax.set_xlabel(title + (f" ({unit})" if unit else ""))
    ax.set_ylabel("how many")
    ax.yaxis.set_major_locator(MaxNLocator(5, integer=True))
    ax.xaxis.set_major_locator(MaxNLocator(5))


def _threshold(mine: xr.Dataset, found: Response) -> float | None:
    """Where the number behind the answer turns from no to yes, if there is such a number."""
    threshold = mine[found.readout].attrs.get("threshold")
    if threshold is None or number_behind(mine, found.readout) is None:
        return None
    return float(threshold)


def _edges(values: data.Array, threshold: float | None) -> data.Array:
    """Bins of one width, one of which ends at the threshold: none holds both sides of it."""
    edges = np.histogram_bin_edges(values, BINS)
    if threshold is None or not edges[0] < threshold < edges[-1]:
        return edges
    width = edges[1] - edges[0]
    below, above = (np.ceil(abs(edges[end] - threshold) / width) for end in (0, -1))
    return np.asarray(threshold + width * np.arange(-below, above + 1))


def _forest(ax: Axes, ds: xr.Dataset, separations: Sequence[Separation], colour: str) -> None:
    """The AUC of each number with its interval, the best at the top; those whose interval holds 0.5
    are pale.
    """
    shown = separations[:MOST_NUMBERS]
    rows = np.arange(len(shown))[::-1]
    ax.axvline(1 / 2, color=style.GREY, linewidth=1)
    for y, one in zip(rows, shown, strict=True):
        sure = not np.isfinite(one.low) or not one.low <= 1 / 2 <= one.high
        own = colour if sure else style.tint(style.GREY, 30)
        ax.plot([one.low, one.high], [y, y], color=own, linewidth=4, solid_capstyle="round")
        ax.plot([one.auc], [y], marker="D", markersize=9, color=own, markeredgecolor="white")
    ax.set_yticks(rows, [labels.number_label(ds, one.path) for one in shown], fontsize=13)
    ax.tick_params(left=False)
    ax.spines["left"].set_visible(False)
    ax.set_ylim(-1 / 2, len(shown) - 1 / 2)
    ax.set_xlim(0, 1)
    ax.set_xticks([0, 1 / 2, 1], ["0\nlow responds", "0.5", "1\nhigh responds"])
    more = f" (best {len(shown)} of {len(separations)})" if len(separations) > len(shown) else ""
    ax.set_title(f"What separates them: AUC{more}")


def _pair(
    ax: Axes, mine: xr.Dataset, separations: Sequence[Separation], yes: np.ndarray, colour: str
) -> None:
    """The two numbers that separate best, a dot a subject."""
    across, up = (mine[one.name] for one in (*separations, separations[0])[:2])
    for who, face, edge in ((~yes, "white", style.GREY), (yes, colour, "white")):
        ax.plot(
            across.values[who],
            up.values[who],
            linestyle="none",
            marker="o",
            markersize=6,
            markerfacecolor=face,
            markeredgecolor=edge,
        )
    ax.set_xlabel(axis_label(across))
    ax.set_ylabel(axis_label(up))
    ax.xaxis.set_major_locator(MaxNLocator(4))
    ax.margins(1 / 16)
    ax.set_title("The best two")
