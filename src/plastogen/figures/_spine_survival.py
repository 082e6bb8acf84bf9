"""In: the spines of a run of each arm, and results. Out: how long spines stay."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from plastogen.figures import axis, data, layout, style
from plastogen.figures.spine_panels import Array

COHORT_D = 2  # days in which a cohort of new spines is born
POINTS = 200


@layout.slide
def plot_spine_survival(ds: xr.Dataset, spines: Mapping[str, xr.Dataset]) -> Figure:
    """Left, share of a cohort that still stands: spines of time 0, and, thin, those born in the two
    days after it. Right, shares formed and lost since time 0, means over seeds.
    """
    ds = data.single_point(ds, ("spines_formed", "spines_lost"))
    styles = style.arm_styles(ds)
    note = (
        f"Left: one run an arm; thick: spines of day 0, thin: born in the {COHORT_D} days after it."
        " Right: thick lost, thin formed, 95 % intervals over seeds; a site that has its spine back"
        " is neither."
    )
    fig = layout.new_slide(
        ds, "How long spines stay", arms=[styles[arm] for arm in spines], note=note
    )
    left, right = fig.subplots(1, 2)
    for arm, one in spines.items():
        look = styles[arm]
        born, lost = one["born_h"].values, one["lost_h"].values
        new = (born > 0) & (born <= COHORT_D * axis.H_PER_DAY)
        for cohort, width in (((born <= 0) & (lost > 0), 3), (new, 1)):
            if cohort.any():
                since = np.where(new, born, 0)[cohort]
                days, share = _survival(lost[cohort] - since, float(one.attrs["end_h"]))
                left.plot(days, share, color=look.colour, linestyle=look.line, linewidth=width)
        for name, width in (("spines_lost", 3), ("spines_formed", 1)):
            later = ds[name].sel(arm=arm, time=slice(0, None))
            found = data.interval(later)
            days = later["time"].values / axis.H_PER_DAY
            right.plot(days, found.mean, color=look.colour, linestyle=look.line, linewidth=width)
            right.fill_between(
                days, found.low, found.high, color=look.colour + style.BAND, linewidth=0
            )
    left.set_title("Survival of cohorts", fontsize=15)
    left.set_xlabel("age of the cohort (d)")
    left.set_ylabel("share that still stands")
    right.set_title("Lost and formed since day 0", fontsize=15)
    right.set_xlabel("time (d)")
    right.set_ylabel("share of the spines of day 0")
    left.set_ylim(0, 1)
    right.set_ylim(bottom=0)
    return fig


def _survival(lives_h: Array, end_h: float) -> tuple[Array, Array]:
    """Days, and the share of lives that are longer; no longer than the youngest was watched."""
    days = np.linspace(0, end_h / axis.H_PER_DAY - COHORT_D, POINTS)
    gone: Array = np.searchsorted(np.sort(lives_h), days * axis.H_PER_DAY, side="right")
    share = 1 - gone / len(lives_h)
    return days, share
