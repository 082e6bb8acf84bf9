"""In: the weights of one run of each arm. Out: the matrix of weights between cells, sorted by
ensemble, before and after teaching.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from plastogen.figures import layout, style
from plastogen.simulation import Weights

Array: TypeAlias = npt.NDArray[Any]
MOST_ARMS = 2
MOST_CELLS = 240  # that are drawn one by one
MOST_WEIGHT = 2.0  # where colours end, relative to the untaught circuit


@layout.slide
def plot_ensemble_weights(ds: xr.Dataset, ensembles: Mapping[str, Weights]) -> Figure:
    """A dot a synapse, its colour what it transmits: one panel before teaching, one for each of at
    most two arms after it. Ensembles come first, then as many cells that are in none.
    """
    arms = list(ensembles)[:MOST_ARMS]
    left_out = "" if len(arms) == len(ensembles) else f" Of {len(ensembles)} arms the first two."
    note = (
        "Each dot is a synapse from the cell of its row onto the cell of its column; white: none."
        f" Lines part ensembles; beyond the last line cells in none.{left_out}"
    )
    fig = layout.new_slide(
        ds, "Weights between E cells, sorted by ensemble", note=note, seeds="one run an arm"
    )
    first, styles = ensembles[arms[0]], style.arm_styles(ds)
    panels = [("before teaching", first, first.before)]
    panels += [
        (f"after: {styles[arm].label}", ensembles[arm], ensembles[arm].after) for arm in arms
    ]
    axes = fig.subplots(1, len(panels), sharex=True, sharey=True, squeeze=False)[0]
    for ax, (title, one, weight) in zip(axes, panels, strict=True):
        drawn = _draw(ax, one, weight)
        ax.set_title(title, fontsize=15)
        ax.set_xlabel("cell behind")
    axes[0].set_ylabel("cell before")
    bar = fig.colorbar(drawn, ax=axes, shrink=3 / 5, extend="max")
    bar.set_label("weight (untaught circuit: 1)")
    return fig


def _draw(ax: Axes, one: Weights, weight: Array) -> Any:
    """The matrix of the cells that are shown."""
    members = one.members.ravel()
    cells = int(max(one.pre.max(), one.post.max())) + 1
    others = np.setdiff1d(np.arange(cells), members)
    shown = np.concatenate([members, others[: len(members)]])
    every = -(-len(shown) // MOST_CELLS)
    place = np.full(cells, -1)
    place[shown[::every]] = np.arange(len(shown[::every]))
    matrix = np.full((len(shown[::every]),) * 2, np.nan)
    there = (place[one.pre] >= 0) & (place[one.post] >= 0)
    drawn = np.where(weight[there] > 0, weight[there], np.nan)  # none where no spine stands
    matrix[place[one.pre[there]], place[one.post[there]]] = drawn
    image = ax.imshow(
        matrix,
        cmap=mpl.colormaps["viridis"],
        vmin=0,
        vmax=MOST_WEIGHT,
        interpolation="nearest",
        rasterized=True,
    )
    for edge in (np.arange(len(one.members)) + 1) * one.members.shape[1] / every:
        ax.axhline(edge - 1 / 2, color=style.INK, linewidth=1)
        ax.axvline(edge - 1 / 2, color=style.INK, linewidth=1)
    return image
