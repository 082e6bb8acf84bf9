"""In: the spines of one run of each arm. Out: a slide with a panel an arm, and the spines that
stood at a look.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from plastogen.figures import axis, layout, style
from plastogen.model.plasticity import LASTING, TRANSIENT

Array: TypeAlias = npt.NDArray[Any]
MOST_PANELS = 3
KINDS = {"lasting": LASTING, "transient": TRANSIENT}
KIND_COLOURS = {"lasting": style.BLUE, "transient": style.ORANGE}


def panel_slide(
    ds: xr.Dataset, spines: Mapping[str, xr.Dataset], heading: str, note: str
) -> tuple[Figure, dict[str, Axes]]:
    """A slide with a panel for each arm, of at most three, that share both axes."""
    arms = list(spines)[:MOST_PANELS]
    left_out = "" if len(arms) == len(spines) else f" Of {len(spines)} arms the first {len(arms)}."
    seeds = f"one run an arm, seed {int(next(iter(spines.values())).attrs['seed'])}"
    fig = layout.new_slide(ds, heading, note=note + left_out, seeds=seeds)
    axes = fig.subplots(1, len(arms), sharex=True, sharey=True, squeeze=False)[0]
    styles = style.arm_styles(ds)
    alike = len({str(spines[arm].attrs["preparation"]) for arm in arms}) == 1
    for arm, ax in zip(arms, axes, strict=True):
        label = styles[arm].label
        ax.set_title(label if alike else panel_title(label, spines[arm]), fontsize=15)
    return fig, dict(zip(arms, axes, strict=True))


def panel_title(label: str, one: xr.Dataset) -> str:
    """The arm and, unless it says so itself, the preparation, where arms differ in it."""
    preparation = str(one.attrs["preparation"])
    return label if preparation in label else f"{label}, {preparation}"


def kind_key() -> list[Line2D]:
    """The colours of the kinds, for a legend."""
    return [
        Line2D([], [], marker="o", linestyle="none", color=colour, label=name)
        for name, colour in KIND_COLOURS.items()
    ]


def at_look(one: xr.Dataset, look: int) -> tuple[Array, Array]:
    """Which spines stood at a look, and their ln size."""
    sizes = one["ln_size"].isel(look=look).values
    there = np.flatnonzero(np.isfinite(sizes))
    return there, sizes[there]


def look_text(h: float) -> str:
    return f"day {h / axis.H_PER_DAY:.3g}"


def on_branch(one: xr.Dataset, cell: int, branch: int) -> xr.Dataset:
    """The spines that ever stood on a branch."""
    mine = (one["post"].values == cell) & (one["branch"].values == branch)
    return one.isel(spine=np.flatnonzero(mine))


def median_branch(all_arms: Sequence[xr.Dataset]) -> tuple[int, int]:
    """Cell and branch with the median number of spines that come or go after time 0."""
    branches = int(all_arms[0].attrs["branches"])
    found = []
    for one in all_arms:
        index = one["post"].values.astype(int) * branches + one["branch"].values
        lost_h = one["lost_h"].values
        moves = (one["born_h"].values > 0) | ((lost_h > 0) & np.isfinite(lost_h))
        found.append(index[moves] if moves.any() else index)
    names, counts = np.unique(np.concatenate(found), return_counts=True)
    middle = names[np.argsort(counts, kind="stable")[len(names) // 2]]
    return int(middle) // branches, int(middle) % branches
