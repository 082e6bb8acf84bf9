"""In: the spines of a run of each arm. Out: the graph of connections: ranked weights, degrees, and
what of it is beyond chance.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from plastogen.analysis import Wiring, wiring_at
from plastogen.figures import layout, style
from plastogen.figures.spine_panels import MOST_PANELS

BINS, DEGREE_BINS = 24, 14
WIDE = 1 / 5  # of a bar
TEXT_PT = 15


@layout.slide
def plot_wiring(ds: xr.Dataset, spines: Mapping[str, xr.Dataset]) -> Figure:
    """Connections between principal cells, an arm a colour; pale: before, full: in the end. Left:
    weights of connections that stand at both times, in the order of before. Middle: connections
    onto a cell. Right: reciprocity and clustering over those of a random graph as dense.
    """
    arms, styles = list(spines)[:MOST_PANELS], style.arm_styles(ds)
    note = (
        "Connected: at least one spine. Left: lines before; dots in the end, medians of like rank:"
        " one factor is a multiplicative change. Pale before, full in the end."
    )
    seeds = f"one run an arm, seed {int(spines[arms[0]].attrs['seed'])}"
    looks = [styles[arm] for arm in arms]
    fig = layout.new_slide(ds, "Who is connected to whom", arms=looks, note=note, seeds=seeds)
    ranked, degrees, beyond = fig.subplots(1, 3)
    graphs = [tuple(wiring_at(spines[arm], k) for k in (0, -1)) for arm in arms]
    every = np.concatenate([graph.in_degree for both in graphs for graph in both])
    edges = np.histogram_bin_edges(every, DEGREE_BINS)
    for i, ((before, after), look) in enumerate(zip(graphs, looks, strict=True)):
        _ranked(ranked, before, after, look)
        for graph, alpha in ((before, 1 / 3), (after, 1)):
            share = np.histogram(graph.in_degree, edges)[0] / graph.cells
            drawn = {"color": look.colour, "linestyle": look.line, "alpha": alpha, "linewidth": 2}
            degrees.stairs(share, edges, **drawn)
        _beyond_chance(beyond, before, after, i, look.colour)
    ranked.set_yscale("log")
    ranked.set_xlabel("rank before (share of connections)")
    ranked.set_ylabel("weight (mean lasting spine: 1)")
    degrees.set_xlabel("connections onto a cell")
    degrees.set_ylabel("share of cells")
    beyond.axhline(1, color=style.GREY, linewidth=1)
    beyond.set_xticks([0, 1], ["reciprocity", "clustering"])
    beyond.set_xlim(-1 / 2, 3 / 2)
    beyond.set_ylabel("over a random graph")
    titles = ("Ranked weights", "Degrees", "Beyond chance")
    for ax, title in zip((ranked, degrees, beyond), titles, strict=True):
        ax.set_title(title, fontsize=TEXT_PT)
    return fig


def _ranked(ax: Axes, before: Wiring, after: Wiring, look: style.ArmStyle) -> None:
    """Weights of the connections of both times, in the order of before."""
    was_there, is_there = (g.pre.astype(np.int64) * before.cells + g.post for g in (before, after))
    both = np.intersect1d(was_there, is_there, assume_unique=True, return_indices=True)
    first, last = both[1:]
    order = np.argsort(before.weight[first], kind="stable")
    was, now = before.weight[first][order], after.weight[last][order]
    share = (np.arange(len(was)) + 1) / len(was)
    ax.plot(share, was, color=look.colour, linestyle=look.line, linewidth=1, alpha=1 / 2)
    groups = np.array_split(np.arange(len(was)), BINS)
    middles = [[float(np.median(x[g])) for g in groups if len(g)] for x in (share, now)]
    ax.plot(*middles, look.marker, color=look.colour, markeredgecolor="white")


def _beyond_chance(ax: Axes, before: Wiring, after: Wiring, place: int, colour: str) -> None:
    """Two pairs of bars of an arm."""
    for k, (graph, alpha) in enumerate(((before, 1 / 3), (after, 1))):
        found = (graph.reciprocity / graph.density, graph.clustering / graph.random_clustering)
        at = np.arange(2) + (place - 1) * WIDE * 3 / 2 + (k - 1 / 2) * WIDE / 2
        ax.bar(at, found, WIDE / 2, color=colour, alpha=alpha)
