"""In: the spines of a run. Out: the size of each against its age when the course ends."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from plastogen.figures import axis, layout, style
from plastogen.figures.spine_panels import KIND_COLOURS, KINDS, at_look, kind_key, panel_slide

MOST_DOTS = 4000
GROUPS = 12  # groups of equal numbers of spines along the axis


@layout.slide
def plot_spine_age(ds: xr.Dataset, spines: Mapping[str, xr.Dataset]) -> Figure:
    """A dot a spine, a panel an arm, both axes logarithmic; the line: medians of spines of like
    age.
    """
    note = (
        f"End of the course; at most {MOST_DOTS:,} spines are drawn. Line: medians of groups of"
        " like age. Spines older than the course began with an age drawn from how long they live."
    )
    fig, axes = panel_slide(ds, spines, "Size of spines against their age", note)
    for arm, ax in axes.items():
        one = spines[arm]
        there, sizes = at_look(one, -1)
        age_d = (float(one["look"][-1]) - one["born_h"].values[there]) / axis.H_PER_DAY
        kind = one["kind"].values[there]
        every = max(1, len(there) // MOST_DOTS)
        for name, k in KINDS.items():
            mine = np.flatnonzero(kind == k)[::every]
            ax.plot(
                age_d[mine],
                np.exp(sizes[mine]),
                ".",
                markersize=2,
                alpha=1 / 2,
                zorder=1,
                color=KIND_COLOURS[name],
                rasterized=True,
            )
        groups = np.array_split(np.argsort(age_d, kind="stable"), GROUPS)
        ages = [float(np.median(age_d[group])) for group in groups]
        medians = [float(np.exp(np.median(sizes[group]))) for group in groups]
        ax.plot(ages, medians, color=style.INK, marker="o", label="median", zorder=3)
        ax.set_xlabel("age (d)")
    first = next(iter(axes.values()))
    first.set_xscale("log")
    first.set_yscale("log")
    first.set_ylabel("size (mean of lasting spines: 1)")
    first.legend(handles=[*kind_key(), first.lines[-1]], loc="lower right")
    return fig
