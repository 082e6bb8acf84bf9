"""In: one run, spikes at one moment. Out: one frame of a film: raster, rates, the course so far, a
dendrite.

Where each spine is followed, the dendrite is a branch of the run. Else it is a drawing of three
numbers. `SITES` stand for the healthy density; how many bear a spine is the run's density, the area
of a head its weight; empty dotted rings are sites without one. Which site it is, is chance.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence

import matplotlib.style
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

from plastogen._base.streams import stream
from plastogen.figures import _raster as raster
from plastogen.figures import axis, data, layout, placing, style
from plastogen.figures._raster import MS_PER_S, WINDOW_S, Spikes
from plastogen.figures.branch_at import draw_branch, finish_dendrite

SITES = 60
HEAD_PT2 = 130  # area of a spine's head at weight 1
PERCENT = 100
ROOM = 3  # of the axis of smoothed rates, above the highest mean rate of the run
DPI = 96


@layout.slide
def plot_frame(
    ds: xr.Dataset,
    spikes: Spikes,
    cells: Mapping[str, Sequence[int]],
    *,
    arm: str,
    seed: int,
    at_h: float,
    said: str,
    branch: xr.Dataset | None = None,
) -> Figure:
    """The moment `at_h`, which `said` names, of the run of `arm` with `seed`; `branch`: spines of
    one of its branches (`one_branch`). Raises InputError for unknown names.
    """
    ds = data.single_point(ds)
    data.arm_names(ds, [arm])
    run = ds.sel(arm=arm, seed=seed)
    label = style.arm_title(ds, arm)
    note = "left: one second at this moment; right: the whole course. "
    if branch is None:
        note += (
            "Dendrite: a drawing of density and weight,"
            f" {SITES} sites stand for the healthy density."
        )
    else:
        preparation = branch.attrs["preparation"]
        note += f"Dendrite: one branch, spine by spine ({preparation}); sides mean nothing."
    fig = layout.new_slide(ds, f"{label}: {said}", seeds=f"one run, seed {seed}", note=note)
    grid = fig.add_gridspec(6, 2, width_ratios=[1, 1])
    top, below = fig.add_subplot(grid[:4, 0]), fig.add_subplot(grid[4:, 0])
    drug, rates, tree = (
        fig.add_subplot(grid[0, 1]),
        fig.add_subplot(grid[1:3, 1]),
        fig.add_subplot(grid[3:, 1]),
    )
    times, who = spikes
    seen = times < WINDOW_S
    raster.dots(top, times[seen] * MS_PER_S, who[seen], cells, named=True)
    raster.population(below, times, who, cells, WINDOW_S)
    for ax in (top, below):
        ax.set_xlim(0, WINDOW_S * MS_PER_S)
    top.tick_params(labelbottom=False)
    top.set_title("Spikes")
    below.set_ylim(0, ROOM * float(run["rate_hz"].max()))  # the same in every frame
    below.set_ylabel("rate (Hz)")
    below.set_xlabel("time (ms)")
    _course(drug, rates, run, [g for g in data.dosing_events(ds) if g.arm == arm], at_h)
    if branch is None:
        _dendrite(tree, run, at_h, seed)
    else:
        draw_branch(tree, branch, at_h)
    return fig


def image(figure: Figure) -> Image.Image:
    """A figure as pixels."""
    with matplotlib.style.context(layout.style_sheet()), io.BytesIO() as kept:
        figure.savefig(kept, format="png", dpi=DPI)
        kept.seek(0)
        return Image.open(kept).convert("RGB")


def _course(
    drug: Axes, rates: Axes, run: xr.Dataset, given: Sequence[data.DosingEvent], at_h: float
) -> None:
    """Unbound drug and rates over the whole course, a line at the moment."""
    time_h = run["time"].values
    for ax in (drug, rates):
        axis.time_axis(ax, (float(time_h[0]), float(time_h[-1])), given)
        axis.draw_dosing(ax, [g for g in given if g.drug not in (*style.BLOCKERS, *style.NO_DRUGS)])
        ax.axvline(at_h, color=style.INK, linewidth=2, zorder=6)
    for k, species in enumerate(run["species"].values):
        line = {"color": style.INK} if k == 0 else {"color": style.GREY, "linewidth": 1}
        drug.plot(time_h, run["brain_uM"].sel(species=species).values, **line)
    drug.set_title("Unbound drug in the brain (µM)")
    drug.tick_params(labelbottom=False)
    drug.set_ylim(bottom=0)
    for cls, look in style.class_styles(run["class"].values).items():
        values = run["rate_hz"].sel({"class": cls}).values
        if values[0] > 0:
            rates.plot(time_h, PERCENT * values / values[0], color=look.colour, label=cls)
    rates.set_title("Rates (% of before)")
    placing.legend(rates)


def _dendrite(ax: Axes, run: xr.Dataset, at_h: float, seed: int) -> None:
    """A stretch of dendrite with the spines of this moment."""
    time_h = run["time"].values
    course, weights = run["spine_density"].values, run["weight"].values
    density, weight = (
        float(np.interp(at_h, time_h, course)),
        float(np.interp(at_h, time_h, weights)),
    )
    sites = max(SITES, int(np.ceil(SITES * course.max())))
    draw = np.random.default_rng(stream(seed, "spine"))
    rank, length = draw.permutation(sites), 1 + draw.random(sites) / 2
    x = (np.arange(sites) + 0.5 + (draw.random(sites) - 0.5) / 2) / sites
    side = np.where(np.arange(sites) % 2, 1, -1)
    shaft = np.sin(2 * np.pi * x) / 5
    grown = np.clip(density * SITES - rank, 0, 1)  # the last one grows or shrinks
    new = rank >= np.ceil(course[0] * SITES)
    path = np.linspace(0, 1, 200)
    ax.plot(
        path,
        np.sin(2 * np.pi * path) / 5,
        color=style.tint(style.INK, 55),
        linewidth=9,
        solid_capstyle="round",
    )
    tip = shaft + side * length * np.where(grown > 0, grown, 1)
    for k in np.flatnonzero(grown > 0):
        colour = style.GREEN if new[k] else style.INK
        ax.plot([x[k], x[k]], [shaft[k], tip[k]], color=colour, linewidth=2, zorder=3)
    for which, colour in ((new, style.GREEN), (~new, style.INK)):
        there = which & (grown > 0)
        ax.scatter(
            x[there],
            tip[there],
            s=HEAD_PT2 * weight * grown[there],
            color=colour,
            zorder=4,
            linewidths=0,
        )
    empty = (grown == 0) & (rank < SITES)
    finish_dendrite(
        ax,
        (x[empty], tip[empty], HEAD_PT2 / 2),
        xlim=(-1 / SITES, 1 + 1 / SITES),
        title=f"Spines: density {density:.3f}, weight {weight:.3f} (× healthy)",
        note="green: new since the start; dotted: empty sites",
    )
