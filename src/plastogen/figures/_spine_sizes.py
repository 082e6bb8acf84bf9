"""In: the spines of a run. Out: how their sizes are distributed when the course begins and ends."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Mapping

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from plastogen.figures import layout, placing, style
from plastogen.figures.spine_panels import (
    KIND_COLOURS,
    KINDS,
    Array,
    at_look,
    panel_slide,
)

BINS, WIDTH_LN = 60, 8  # of the histogram, and what it spans
LETTERS = 32  # in a line of the key
ROOM = 3 / 2  # above the curves, for their key
PUBLISHED_LINES = ((0, (5, 2)), (0, (1, 1)), (0, (5, 1, 1, 1)))


@layout.slide
def plot_spine_sizes(ds: xr.Dataset, spines: Mapping[str, xr.Dataset]) -> Figure:
    """Distribution of ln size, a panel an arm: filled, by kind, when the course ends; line, when it
    begins; published mixtures, moved to the same mean of ln.
    """
    note = (
        "Filled: end of the course, by kind; black: its beginning. Measured distributions are moved"
        " along the axis to the same mean of ln size: their width and shape are compared."
    )
    fig, axes = panel_slide(ds, spines, "Sizes of spines", note)
    for arm, ax in axes.items():
        _histograms(ax, spines[arm])
        ax.set_xlabel("size (mean of lasting spines: 1)")
    first = next(iter(axes.values()))
    first.set_xscale("log")
    first.set_ylabel("share of spines per unit of ln size")
    first.set_ylim(0, ROOM * first.get_ylim()[1])
    placing.legend(first, above=False)
    return fig


def _histograms(ax: Axes, one: xr.Dataset) -> None:
    there, sizes = at_look(one, -1)
    kind = one["kind"].values[there]
    middle = float(np.round(sizes.mean()))
    edges = np.linspace(middle - WIDTH_LN / 2, middle + WIDTH_LN / 2, BINS + 1)
    per_ln = BINS / WIDTH_LN / len(sizes)
    counts = [np.histogram(sizes[kind == k], edges)[0] * per_ln for k in KINDS.values()]
    ax.stairs(
        counts[0],
        np.exp(edges),
        fill=True,
        color=style.tint(KIND_COLOURS["lasting"], 50),
        label="lasting",
    )
    ax.stairs(
        counts[0] + counts[1],
        np.exp(edges),
        baseline=counts[0],
        fill=True,
        color=style.tint(KIND_COLOURS["transient"], 30),
        label="transient",
    )
    _, begins = at_look(one, 0)
    ax.stairs(
        np.histogram(begins, edges)[0] * BINS / WIDTH_LN / len(begins),
        np.exp(edges),
        color=style.INK,
        label="all, at the start",
    )
    x = np.linspace(edges[0], edges[-1], 5 * BINS)
    published = json.loads(str(one.attrs["published"]))
    for (title, parts), line in zip(published.items(), PUBLISHED_LINES, strict=False):
        y = _mixture(x - sizes.mean(), parts)
        ax.plot(
            np.exp(x),
            y,
            color=style.VERMILION,
            linestyle=line,
            label=textwrap.fill(f"found: {title}", LETTERS),
        )


def _mixture(x: Array, parts: list[list[float]]) -> Array:
    """Density of a mixture of normals around its own mean."""
    mean = sum(share * centre for share, centre, _ in parts)
    found: Array = np.zeros_like(x)
    for share, centre, spread in parts:
        z = (x + mean - centre) / spread
        found = found + share * np.exp(-(z**2) / 2) / (spread * np.sqrt(2 * np.pi))
    return found
