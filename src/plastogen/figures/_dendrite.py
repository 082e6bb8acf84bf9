"""In: the spines of a run. Out: one branch of one cell, drawn spine by spine, look after look."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from plastogen.figures import layout, style
from plastogen.figures.spine_panels import (
    KIND_COLOURS,
    MOST_PANELS,
    Array,
    at_look,
    kind_key,
    look_text,
    median_branch,
    on_branch,
    panel_slide,
)
from plastogen.model.plasticity import LASTING

HEAD_PT2 = 60  # area of the head of a spine of size 1
STALK = 1 / 4  # of the room between two looks
MOST_LOOKS = 9


@layout.slide
def plot_dendrite(
    ds: xr.Dataset,
    spines: Mapping[str, xr.Dataset],
    *,
    cell: int | None = None,
    branch: int | None = None,
) -> Figure:
    """A branch at each look, time downwards, a panel an arm. `cell`, `branch`: which one; else one
    with the median number of spines that come or go in any of them. The same branch is drawn of
    every arm.
    """
    first = next(iter(spines.values()))
    which = median_branch(list(spines.values())[:MOST_PANELS])
    cell, branch = which[0] if cell is None else cell, which[1] if branch is None else branch
    note = (
        "Area of a head: size^(2/3). Green ring: new since the look before; hollow: gone at the"
        " next. Sides mean nothing."
    )
    fig, axes = panel_slide(ds, spines, f"A branch of cell {cell}, spine by spine", note)
    looks = _chosen(first["look"].values)
    for arm, ax in axes.items():
        _branch(ax, spines[arm], cell, branch, looks)
        ax.set_xlabel("along the branch (µm)")
    left = next(iter(axes.values()))
    left.set_yticks(-np.arange(len(looks)), [look_text(first["look"].values[i]) for i in looks])
    left.set_ylim(1 - len(looks) - 4 * STALK, 3 * STALK)
    left.legend(handles=kind_key(), loc="lower left", ncols=2, frameon=False)
    return fig


def _chosen(look_h: Array) -> list[int]:
    """The looks that are drawn: those from time 0 on, evenly few of many."""
    later = np.flatnonzero(look_h >= 0)
    if len(later) <= MOST_LOOKS:
        return [int(i) for i in later]
    return [int(later[i]) for i in np.linspace(0, len(later) - 1, MOST_LOOKS).round().astype(int)]


def _branch(ax: Axes, one: xr.Dataset, cell: int, branch: int, looks: list[int]) -> None:
    part = on_branch(one, cell, branch)
    length = float(one.attrs["branch_length_um"])
    kind, side = part["kind"].values, 1 - 2 * (part["site"].values % 2)
    x = part["place"].values * length
    standing = [set(at_look(part, look)[0].tolist()) for look in looks]
    for row, look in enumerate(looks):
        ax.plot([0, length], [-row, -row], color=style.GREY, linewidth=5, zorder=1)
        for i, size in zip(*at_look(part, look), strict=True):
            colour = KIND_COLOURS["lasting" if kind[i] == LASTING else "transient"]
            new = row > 0 and i not in standing[row - 1]
            going = row + 1 < len(looks) and i not in standing[row + 1]
            tip = -row + side[i] * STALK
            ax.plot([x[i], x[i]], [-row, tip], color=colour, linewidth=1, zorder=2)
            ax.scatter(
                [x[i]],
                [tip],
                s=HEAD_PT2 * np.exp(2 * size / 3),
                zorder=3,
                linewidths=2,
                facecolors="white" if going else colour,
                edgecolors=style.GREEN if new else colour,
            )
    ax.set_xlim(-length / 40, length + length / 40)
    ax.grid(visible=False)
