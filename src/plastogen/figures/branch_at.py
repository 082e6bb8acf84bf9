"""In: the spines of a run, a moment. Out: one branch of one cell as it is then, spine by spine."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from plastogen.figures import style
from plastogen.figures.spine_panels import KIND_COLOURS, Array, median_branch, on_branch
from plastogen.model.plasticity import LASTING
from plastogen.runs import standing

HEAD_PT2 = 150  # area of the head of a spine of size 1
UNMEASURED = 1 / 4  # size of a spine that came and went between two looks


def one_branch(spines: xr.Dataset) -> xr.Dataset:
    """Every spine that ever stood on the branch that is drawn, loaded; its cell as an attribute."""
    cell, branch = median_branch([spines])
    return on_branch(spines, cell, branch).load().assign_attrs(cell=cell)


def sizes_at(part: xr.Dataset, at_h: float) -> Array:
    """Size of each spine at its last look that is not later than `at_h`, else at its first."""
    sizes, look_h = np.exp(part["ln_size"].values), part["look"].values
    found = np.full(part.sizes["spine"], UNMEASURED)
    for k, row in enumerate(sizes):
        known = np.flatnonzero(np.isfinite(row))
        if len(known):
            past = known[look_h[known] <= at_h]
            found[k] = row[past[-1] if len(past) else known[0]]
    return found


def draw_branch(ax: Axes, part: xr.Dataset, at_h: float) -> None:
    """Spines that stand: the area of a head goes with size^(2/3), green ones were not there at time
    0; dotted: places that lost a lasting spine since time 0 and have none.
    """
    length = float(part.attrs["branch_length_um"])
    x, site = part["place"].values * length, part["site"].values
    kind, born_h, lost_h = (part[name].values for name in ("kind", "born_h", "lost_h"))
    now = standing(part, at_h)
    side, tall = np.where(site % 2, 1, -1), 1 + (site * 7 % 11) / 22
    lost = ~now & (kind == LASTING) & (lost_h > 0) & (lost_h <= at_h) & ~np.isin(site, site[now])
    sizes = sizes_at(part, at_h)
    ax.plot([0, length], [0, 0], color=style.tint(style.INK, 55), linewidth=9)
    for k in np.flatnonzero(now):
        lasts = kind[k] == LASTING
        colour = KIND_COLOURS["lasting" if lasts else "transient"]
        colour = style.GREEN if lasts and born_h[k] > 0 else colour
        ax.plot([x[k]] * 2, [0, side[k] * tall[k]], color=colour, linewidth=2, zorder=3)
        area = HEAD_PT2 * sizes[k] ** (2 / 3)
        ax.scatter([x[k]], [side[k] * tall[k]], s=area, color=colour, zorder=4)
    new = int((now & (born_h > 0)).sum())
    finish_dendrite(
        ax,
        (x[lost], (side * tall)[lost], HEAD_PT2 / 2),
        xlim=(-length / 40, length + length / 40),
        title=f"Cell {part.attrs['cell']}: {int(now.sum())} spines, {new} new",
        note="green: new since time 0; orange: transient; dotted: lost",
    )


def finish_dendrite(
    ax: Axes,
    empty: tuple[Array, Array, float],
    *,
    xlim: tuple[float, float],
    title: str,
    note: str,
) -> None:
    """Ends the drawing of a stretch of dendrite: dotted rings where no spine stands, `empty` (x, y,
    area), and words in place of axes.
    """
    x, y, area = empty
    ax.scatter(x, y, s=area, facecolors="none", edgecolors=style.GREY, linestyles=":", zorder=2)
    ax.set_xlim(*xlim)
    ax.set_ylim(-5 / 2, 2)
    ax.set_axis_off()
    ax.set_title(title)
    ax.annotate(
        note,
        (1, 0),
        xycoords="axes fraction",
        ha="right",
        va="bottom",
        fontsize=11,
        color=style.MUTED,
    )
