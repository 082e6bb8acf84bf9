"""In: results of arms that hold a concentration. Out: the share of the current of each NMDA
pool that is blocked, against it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from plastogen.analysis import require_name, results_error
from plastogen.experiment import Intervals, spelled
from plastogen.figures import axis, data, layout, style

POOL_LOOKS: Mapping[str, tuple[str, str, str]] = {
    "synaptic": ("-", "o", "synaptic"), "tonic": ("--", "s", "tonic"),
    "rest": (":", "^", "resting"),
}  # fmt: skip


@layout.slide
def plot_block(ds: xr.Dataset, *, pools: Sequence[str] | None = None) -> Figure:
    """Share of the current of each NMDA pool that is blocked, against unbound brain
    concentration; a panel a drug.

    Takes every arm (and sweep point) at the last moment its highest concentration is held. Raises
    InputError when no arm holds one.
    """
    for name in ("brain_uM", "block"):
        if name not in ds:
            data.single_point(ds, (name,))
    kinds = {row.get("kind") for row in json.loads(ds.attrs.get("dosing", "[]"))}
    if "dose" in kinds and "level" not in kinds:
        raise results_error(
            ds,
            found="doses, after which concentrations only pass by",
            wanted="arms that hold a concentration (give: {drug: ..., brain: 1 uM, for: 1 h})",
        )
    points = _blocked_by_concentration(ds)
    drugs = list(dict.fromkeys(drug for drug, _, _ in points))
    if not drugs:
        raise results_error(
            ds,
            found="no arm with drug in the brain",
            wanted="arms that hold a concentration (give: {drug: ..., brain: 1 uM})",
        )
    if len({(drug, c) for drug, c, _ in points}) == len(drugs):
        raise results_error(
            ds,
            found="one concentration of each drug",
            wanted="arms that hold a drug at two concentrations or more",
        )
    present = [str(pool) for pool in ds["pool"].values]
    chosen = [require_name(pool, present, "pool") for pool in pools or present]
    note = (
        f"mean over {data.over_whom(ds)} and {data.interval_words(ds)}; concentration held; voltage"
        " and activity of the circuit."
    )
    looks = style.class_styles(dict.fromkeys(pool.partition(".")[0] for pool in chosen))
    fig = layout.new_slide(ds, "Block by concentration", note=note)
    axes = np.atleast_1d(fig.subplots(1, len(drugs), sharey=True))
    for ax, drug in zip(axes, drugs, strict=True):
        mine = sorted(
            ((c, blocked) for d, c, blocked in points if d == drug), key=lambda point: point[0]
        )
        x = np.array([c for c, _ in mine])
        for pool in chosen:
            cls, kind = pool.split(".")
            line, marker, text = POOL_LOOKS[kind]
            found = [data.interval(100 * blocked.sel(pool=pool)) for _, blocked in mine]
            mean, low, high = (
                np.array([getattr(f, part) for f in found]) for part in ("mean", "low", "high")
            )
            axis.draw_response(
                ax,
                x,
                Intervals(mean, low, high, found[0].n),
                looks[cls].colour,
                line,
                marker,
                f"{cls}, {text}",
            )
        axis.dose_axis(ax, x)
        ax.axhline(50, color=style.PALE, linewidth=2, zorder=0)
        ax.set_ylim(0, 100)
        ax.set_title(spelled(drug), fontsize=16)
        ax.set_xlabel("unbound in brain (µM)")
    axes[0].set_ylabel("NMDA current blocked (%)")
    axes[0].legend(loc="upper left", fontsize=12, borderaxespad=0, handlelength=3)
    return fig


def _blocked_by_concentration(ds: xr.Dataset) -> list[tuple[str, float, xr.DataArray]]:
    """(species, concentration in uM, block by seed and pool) of each arm and sweep point that has
    drug in the brain.
    """
    return [
        found
        for arm in data.arm_names(ds)
        for found in _blocked_by_arm(ds[["brain_uM", "block"]].sel(arm=arm).load())
    ]


def _blocked_by_arm(ds: xr.Dataset) -> Iterator[tuple[str, float, xr.DataArray]]:
    """Those of one arm, which is all that is in memory of a large sweep."""
    swept = data.sweep_axes(ds)
    for at in np.ndindex(*(ds.sizes[name] for name in swept)):
        one = ds.isel(dict(zip(swept, at, strict=True)), drop=True)
        brain = one["brain_uM"].mean("seed")
        top = float(brain.max()) if brain.size else 0.0
        if not top > 0:
            continue
        species = str(brain["species"].values[int(np.nanargmax(brain.max("time").values))])
        course = brain.sel(species=species).values
        last = int(np.flatnonzero(course >= top * (1 - np.finfo(np.float32).eps))[-1])
        yield species, top, one["block"].isel(time=last)
