"""In: the spines of a run of each arm. Out: miniature EPSCs as a slice would measure them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from plastogen.figures import layout, style
from plastogen.figures.spine_panels import MOST_PANELS, at_look

TEXT_PT = 15
TAIL_PERCENT = 1  # of the largest events that are left out of the axis


@layout.slide
def plot_minis(ds: xr.Dataset, spines: Mapping[str, xr.Dataset]) -> Figure:
    """Cumulative distributions, an arm a colour; dashed: before, full: in the end. Left: amplitude
    of an event, the size of one spine. Right: how often a cell has one, the spines onto it.
    """
    arms, styles = list(spines)[:MOST_PANELS], style.arm_styles(ds)
    note = (
        "Every spine between principal cells releases at one rate by itself; no event is lost in"
        " noise. Dashed: before; full: in the end."
    )
    looks = [styles[arm] for arm in arms]
    seeds = f"one run an arm, seed {int(spines[arms[0]].attrs['seed'])}"
    fig = layout.new_slide(
        ds, "Miniature EPSCs, as a slice would have them", arms=looks, note=note, seeds=seeds
    )
    amplitude, frequency = fig.subplots(1, 2)
    usual: float | None = None
    largest = 0.0
    for arm, look in zip(arms, looks, strict=True):
        one = spines[arm]
        post = one["post"].values
        for k, line in ((0, (0, (4, 2))), (-1, "-")):
            there, ln_size = at_look(one, k)
            sizes = np.sort(np.exp(ln_size))
            counts = np.sort(np.bincount(post[there], minlength=int(post.max()) + 1))
            usual = float(counts.mean()) if usual is None else usual
            largest = max(largest, float(np.percentile(sizes, 100 - TAIL_PERCENT)))
            for ax, x in ((amplitude, sizes), (frequency, counts / usual)):
                share = (np.arange(len(x)) + 1) / len(x)
                ax.plot(x, share, color=look.colour, linestyle=line, linewidth=2)
    amplitude.set_xlim(0, largest)
    amplitude.set_xlabel("amplitude (mean of lasting spines: 1)")
    frequency.set_xlabel("frequency of a cell (mean of the first arm before: 1)")
    for ax, title in ((amplitude, "Amplitude"), (frequency, "Frequency")):
        ax.set_title(title, fontsize=TEXT_PT)
        ax.set_ylabel("share of events" if ax is amplitude else "share of cells")
        ax.set_ylim(0, 1)
    return fig
