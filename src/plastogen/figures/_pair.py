"""In: spikes of one network before and under a drug. Out: both rasters side by side, the first
picture there is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import xarray as xr
from matplotlib.figure import Figure

from plastogen.figures import _raster as raster
from plastogen.figures import layout
from plastogen.figures._raster import MS_PER_S, SMOOTH_MS, Spikes


@layout.slide
def plot_pair(
    ds: xr.Dataset,
    spikes: Mapping[str, Spikes],
    cells: Mapping[str, Sequence[int]],
    rates: Mapping[str, str],
    *,
    heading: str,
    seeds: str,
    window_s: float,
) -> Figure:
    """A column a moment: spikes of every cell, smoothed rates. `ds` says who and what (its
    attributes); `rates`: moment -> mean rates in words; `seeds` stands top right, `window_s` of
    each moment is shown.
    """
    note = (
        f"rates smoothed over {SMOOTH_MS} ms; in the titles means ± standard error over the whole"
        " stretch."
    )
    fig = layout.new_slide(ds, heading, seeds=seeds, note=note)
    grid = fig.add_gridspec(2, len(spikes), height_ratios=[2, 1])
    below = []
    for column, (moment, (times, who)) in enumerate(spikes.items()):
        top, bottom = (fig.add_subplot(grid[row, column]) for row in range(2))
        seen = times < window_s
        raster.dots(top, times[seen] * MS_PER_S, who[seen], cells, named=column == 0)
        raster.population(bottom, times, who, cells, window_s)
        top.set_title(moment, fontsize=15)
        bottom.set_title(rates[moment], fontsize=12, fontweight="normal")
        for ax in (top, bottom):
            ax.set_xlim(0, window_s * MS_PER_S)
        top.tick_params(labelbottom=False)
        bottom.set_xlabel("time (ms)")
        below.append(bottom)
    below[0].set_ylabel("rate (Hz)")
    highest = max(ax.get_ylim()[1] for ax in below)
    for ax in below:
        ax.set_ylim(0, highest)
    return fig
