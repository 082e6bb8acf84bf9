"""In: snapshots and the dissociation proxy, by arm. Out: rhythms and dissociation, arm by arm with
intervals.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from plastogen.analysis import results_error
from plastogen.figures import axis, data, layout, panels, style
from plastogen.figures.panels import Panel

NEEDS = ("gamma_power", "delta_power", "dissociation")
BANDS = (
    ("gamma_power", "Gamma power (× {first})"),
    ("delta_power", "Slow-delta power (× {first})"),
)
UNTIL_H = 6


@layout.slide
def plot_spectra(
    ds: xr.Dataset, *, arms: Sequence[str] | None = None, until_h: float = UNTIL_H
) -> Figure:
    """Gamma and slow-delta power of each arm as a multiple of its first snapshot, and its
    dissociation proxy over time.

    Ratios are taken run by run, then averaged over seeds. Raises InputError without snapshots or
    for an unknown arm.
    """
    ds = data.single_point(ds, NEEDS)
    chosen = data.arms_as_lines(ds, arms, data.focus_arm(ds))
    styles, given = style.arm_styles(ds), data.dosing_events(ds)
    if ds.sizes.get("snapshot", 0) < 2:
        raise results_error(
            ds,
            found=f"{ds.sizes.get('snapshot', 0)} snapshots",
            wanted="at least two under `snapshots:`, one of them before dosing",
        )
    first = str(ds["snapshot"].values[0])
    note = (
        f"power of the E rate, each run against its own {first!r} snapshot; mean and"
        f" {data.interval_words(ds)}. "
    )
    note += "Dissociation proxy: share of SST inhibition lost per E spike."
    fig = layout.new_slide(
        ds, "Rhythms and dissociation", arms=[styles[name] for name in chosen], note=note
    )
    axes = fig.subplots(1, 3)
    for ax, (name, title) in zip(axes, BANDS, strict=False):
        _ratios(ax, ds[name] / ds[name].isel(snapshot=0, drop=True), chosen, styles)
        ax.set_title(title.format(first=first.replace("_", " ")))
    early = ds.sel(time=ds["time"][ds["time"] <= until_h])
    axis.time_axis(axes[2], (float(early["time"][0]), float(early["time"][-1])))
    axis.draw_dosing(
        axes[2],
        [g for g in given if g.arm in chosen and g.drug not in (*style.BLOCKERS, *style.NO_DRUGS)],
    )
    panels.by_arm(Panel(axes[2], early), "dissociation", "Dissociation proxy (share lost)", chosen)
    axes[2].set_xlabel(axis.time_label(axes[2]))
    return fig


def _ratios(
    ax: Axes, ratios: xr.DataArray, arms: Sequence[str], styles: dict[str, style.ArmStyle]
) -> None:
    """Groups of arms at each later snapshot."""
    later = [str(name) for name in ratios["snapshot"].values[1:]]
    width = 1 / (len(arms) + 1)
    for k, arm in enumerate(arms):
        look = styles[arm]
        x = np.arange(len(later)) + (k - (len(arms) - 1) / 2) * width
        found = data.interval(ratios.sel(arm=arm, snapshot=later))
        ax.vlines(x, found.low, found.high, color=look.colour, linewidth=4)
        ax.plot(
            x,
            found.mean,
            linestyle="none",
            marker=look.marker,
            markersize=9,
            markeredgecolor=look.colour,
            markerfacecolor=look.colour if look.filled else "white",
            markeredgewidth=2,
        )
    ax.axhline(1, color=style.tint(style.GREY, 50), linewidth=1, zorder=0)
    ax.set_xlim(-1 / 2, len(later) - 1 / 2)
    names = [name.replace("_", " ") for name in later]
    if "snapshot_time" in ratios.coords:
        times = [
            axis.time_text(float(ratios["snapshot_time"].sel(snapshot=name))) for name in later
        ]
        names = [f"{name}\n{time}" for name, time in zip(names, times, strict=True)]
    ax.set_xticks(np.arange(len(later)), names, fontsize=13)
    ax.tick_params(bottom=False)
