"""In: results of a sweep, or of arms that differ in dose. Out: readouts against the swept value, or the dose."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from plastogen.figure import data, style
from plastogen.figure.axis import dose_axis, points

MOST_READOUTS = 4
AMOUNT = re.compile(r"(\d+(?:\.\d+)?)\s*(mg/kg|mg|uM|µM|nM)\b")  # a dose as it is written in `what`
NM_PER_UM = 1000


@style.slide
def sweep(ds: xr.Dataset, *, readouts: Sequence[str] | None = None, axis: str | None = None) -> Figure:
    """Readouts against dose: along a sweep's `axis` (a line an arm), or over arms that differ in dose.

    In the second case arms that get no drug are a grey line and band. Raises InputError when there is neither a sweep
    nor more than one dose, or no readout, or another axis is still open.
    """
    names = data.readouts(ds, readouts)[:MOST_READOUTS]
    swept = [name for name in data.sweep_axes(ds) if ds.sizes[name] > 1]
    along = axis or (swept[0] if swept else None)
    ds = data.settled(ds, names, keep=[along] if along else [])
    doses, unit = ({}, "") if along else _doses(ds)
    if not names or not (along or len(set(doses.values())) > 1):
        raise data.refusal(ds, wanted="a sweep, or arms that differ in dose",
                             found="one dose") if names else data.no_readouts(ds)  # fmt: skip
    note = f"dots: mean over seeds; bars: {data.PERCENT} % interval" + ("." if along else "; grey: arms without drug.")
    shown = list(style.arm_styles(ds).values()) if along else []
    fig = style.blank(ds, "Across the sweep" if along else "Dose by dose", arms=shown, note=note)
    rows = 1 if len(names) < 3 else 2
    axes = fig.subplots(rows, -(-len(names) // rows), squeeze=False)
    for ax, name in zip(axes.ravel(), names, strict=False):
        ax.set_title(str(ds[name].attrs.get("long_name", name)))
        ax.set_ylabel(style.unit_text(str(ds[name].attrs.get("units", "1"))) or "no unit")
        ax.yaxis.set_major_locator(MaxNLocator(5))
        if along:
            _along(ax, ds, name, along)
        else:
            _over_arms(ax, ds, name, doses, unit)
    for ax in axes.ravel()[len(names) :]:
        ax.set_axis_off()
    return fig


def _along(ax: Axes, ds: xr.Dataset, name: str, axis: str) -> None:
    """A readout along a sweep's axis, a line an arm; an axis of words is drawn evenly spaced."""
    values, unit = ds[axis].values, str(ds[axis].attrs.get("units", "1"))
    numeric = np.issubdtype(values.dtype, np.number)
    x = values.astype(float) if numeric else np.arange(values.size, dtype=float)
    for arm, look in style.arm_styles(ds).items():
        found = data.interval(ds[name].sel(arm=arm))
        points(ax, x, found, look.colour, look.line, look.marker, look.label)
    if numeric:
        dose_axis(ax, x)
    else:
        ax.set_xticks(x, [str(v) for v in values])
    text = style.unit_text(unit)
    ax.set_xlabel(axis.replace("_", " ") + (f" ({text})" if text else ""))


def _over_arms(ax: Axes, ds: xr.Dataset, name: str, doses: Mapping[str, float], unit: str) -> None:
    """A readout over arms that differ in dose; arms of no dose as a grey level."""
    looks = style.arm_styles(ds)
    for arm in (arm for arm in data.arms_of(ds) if arm not in doses and not data.given(ds, [arm])):
        level = data.interval(ds[name].sel(arm=arm))
        ax.axhline(float(level.mean), color=style.GREY, linewidth=2, zorder=1)
        if np.isfinite(level.low):
            ax.axhspan(float(level.low), float(level.high), color=style.GREY + style.BAND, linewidth=0, zorder=0)
        ax.annotate(looks[arm].label, (1, float(level.mean)), xycoords=("axes fraction", "data"), xytext=(-2, 3),
                    textcoords="offset points", ha="right", color=style.MUTED, fontsize=11)  # fmt: skip
    order = sorted(doses, key=lambda arm: doses[arm])
    found = [data.interval(ds[name].sel(arm=arm)) for arm in order]
    x = np.array([doses[arm] for arm in order])
    ax.plot(x, [f.mean for f in found], color=style.tint(style.BLUE, 50), linewidth=2, zorder=2)
    for dose, arm, f in zip(x, order, found, strict=True):
        ax.plot([dose, dose], [f.low, f.high], color=looks[arm].colour, linewidth=3, zorder=3)
        ax.plot([dose], [f.mean], marker=looks[arm].marker, markersize=9, color=looks[arm].colour, zorder=4)
    dose_axis(ax, x)
    ax.set_xlabel(f"dose ({style.unit_text(unit)})")


def _doses(ds: xr.Dataset) -> tuple[dict[str, float], str]:
    """Arm -> its first dose as given, and the unit all doses share; arms without a drug are left out."""
    doses: dict[str, float] = {}
    units: dict[str, None] = {}
    for given in data.given(ds):
        found = AMOUNT.search(given.what)
        if found and given.arm not in doses and given.drug not in style.BLOCKERS:
            scale, unit = (1 / NM_PER_UM, "uM") if found[2] == "nM" else (1, found[2].replace("µ", "u"))
            doses[given.arm] = float(found[1]) * scale
            units[unit] = None
    if len(units) > 1:
        raise data.refusal(ds, found=f"doses in {' and '.join(units)}",
                             wanted="doses in one unit, to draw a readout against dose")  # fmt: skip
    return doses, next(iter(units), "1")
