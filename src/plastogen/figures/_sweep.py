"""In: results of a sweep, or of arms that differ in dose. Out: readouts against the swept value, or
the dose.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from plastogen._base.units import parse
from plastogen.analysis import ranked, results_error
from plastogen.experiment import POINT, SUBJECT, Claim, Intervals
from plastogen.figures import data, labels, layout, placing, style
from plastogen.figures.axis import dose_axis, draw_response

MOST_READOUTS, MOST_LINES = 4, 6
SHADES, LIGHTEST_PERCENT = (
    "viridis",
    85,
)  # of ordered lines: told apart by colour-blind readers, and in grey
NUMBERS_PER_LINE = 2  # a design of more numbers than this is no line along one of them


@layout.slide
def plot_sweep(
    ds: xr.Dataset,
    *,
    readouts: Sequence[str] | None = None,
    axis: str | None = None,
    claims: Sequence[Claim] = (),
) -> Figure:
    """Readouts against what is swept. Along one `axis` of a grid, a line an arm; of two axes, a
    line each value of the other, for one arm; of points drawn over many numbers, each readout
    against the one it follows most closely. Without a sweep, readouts against dose over arms that
    differ in it; arms that get no drug are a grey line and band. Along one axis, open symbols with
    bars are the ranges of `claims` that have a source and ask for one at a point.

    Raises InputError where there is neither a sweep nor more than one dose, no readout, or a third
    axis.
    """
    names = data.readout_names(ds, readouts)[:MOST_READOUTS]
    ds = ds[[*names, *(v for v in ("status",) if v in ds)]]
    swept = [dim for dim in data.sweep_axes(ds) if ds.sizes[dim] > 1]
    if not names:
        raise data.no_readouts_error(ds)
    if not swept:
        return _dose_by_dose(data.single_point(ds, names), names)
    if swept == [POINT] and len(data.varied_numbers(ds)) > NUMBERS_PER_LINE:
        return _cloud(ds, names)
    along = axis or max(swept, key=lambda dim: (ds.sizes[dim], swept.index(dim)))
    others = [dim for dim in swept if dim != along]
    ds = data.single_point(ds, names, keep=[along, *others[:1]])
    if others:
        return _across(ds, names, along, others[0])
    return _along(ds, names, along, claims)


def readout_panels(fig: Figure, ds: xr.Dataset, names: Sequence[str]) -> list[Axes]:
    """A panel for each readout, titled, its unit on the y-axis."""
    rows = 1 if len(names) < 3 else 2
    columns = -(-len(names) // rows)
    axes = fig.subplots(rows, columns, squeeze=False).ravel()
    for ax, name in zip(axes, names, strict=False):
        ax.set_title(labels.panel_title(ds[name], columns))
        ax.set_ylabel(labels.unit_label(ds[name]))
        ax.yaxis.set_major_locator(MaxNLocator(5))
    for ax in axes[len(names) :]:
        ax.set_axis_off()
    return list(axes[: len(names)])


def number_axis(ax: Axes, values: xr.DataArray) -> np.ndarray:
    """The x of a varied thing, its axis set and named; what is no number is spaced evenly."""
    if data.is_number(values):
        x = values.values.astype(float)
        dose_axis(ax, x)
    else:
        x = np.arange(values.size, dtype=float)
        ax.set_xticks(x, [str(v) for v in values.values])
    ax.set_xlabel(axis_label(values))
    return x


def axis_label(values: xr.DataArray) -> str:
    """A varied number as an axis is labelled: what it is, and its unit."""
    unit = labels.unit_text(str(values.attrs.get("units", "1")))
    return labels.varied_label(values) + (f" ({unit})" if unit else "")


def _numbers_along(ds: xr.Dataset, along: str) -> xr.DataArray:
    """What stands along a dimension: of points side by side, the first number."""
    if along != POINT:
        return ds[along]
    listed = list(data.varied_numbers(ds).values())
    return next(
        (values for values in listed if data.is_number(values)), listed[0] if listed else ds[along]
    )


def _along(
    ds: xr.Dataset, names: Sequence[str], along: str, claims: Sequence[Claim] = ()
) -> Figure:
    """One axis: a line an arm, and what claims ask for at its points."""
    asked = {name: _asked_for(claims, name, ds[along], ds["arm"].values.tolist()) for name in names}
    ranges = "; open symbols: what claims with a source ask for" if any(asked.values()) else ""
    note = (
        f"lines: mean over {data.over_whom(ds)}; bars or bands: {data.interval_words(ds)}"
        f"{_hollow(ds)}{ranges}."
    )
    looks = style.arm_styles(ds)
    fig = layout.new_slide(ds, "Across the sweep", arms=list(looks.values()), note=note)
    values = _numbers_along(ds, along)
    order = (
        np.argsort(values.values, kind="stable")
        if data.is_number(values)
        else np.arange(values.size)
    )
    ds, values = ds.isel({along: order}), values.isel({along: order})
    for ax, name in zip(readout_panels(fig, ds, names), names, strict=True):
        x = number_axis(ax, values)
        for arm, look in looks.items():
            found = data.interval(ds[name].sel(arm=arm))
            draw_response(ax, x, found, look.colour, look.line, look.marker, look.label)
            _incomplete(ax, x, found, look.colour, ds)
        for arm, place, low, high in asked[name]:
            _range(ax, place, low, high, looks[arm])
        _mark_zero(ax)
    return fig


def _asked_for(
    claims: Sequence[Claim], name: str, values: xr.DataArray, arms: Sequence[str]
) -> list[tuple[str, float, float, float]]:
    """What claims with a source ask of a readout at one value of the axis: arm, value, low, high.

    Each in the unit it is drawn in.
    """
    found = []
    unit, path = str(values.attrs.get("units", "1")), str(values.attrs.get("path", ""))
    for claim in claims:
        if claim.readout != name or claim.between is None or claim.source is None:
            continue
        place = claim.where.get(str(values.name), claim.where.get(path))
        if len(claim.where) != 1 or not isinstance(place, float | int | str):
            continue
        if claim.arm is None or claim.minus is not None or not data.is_number(values):
            continue
        low, high = claim.between
        if claim.arm in arms and isinstance(low, float | int) and isinstance(high, float | int):
            found.append((claim.arm, parse(place, unit), float(low), float(high)))
    return found


def _range(ax: Axes, x: float, low: float, high: float, look: style.ArmStyle) -> None:
    """A range that was found elsewhere, in the colour of its arm."""
    ax.errorbar(
        [x],
        [(low + high) / 2],
        yerr=(high - low) / 2,
        fmt=look.marker,
        color=look.colour,
        markersize=8,
        markerfacecolor="white",
        markeredgewidth=2,
        elinewidth=1,
        capsize=3,
        zorder=5,
    )


def _mark_zero(ax: Axes) -> None:
    """A thin line where a readout that changes sign does so."""
    low, high = ax.get_ylim()
    if low < 0 < high:
        ax.axhline(0, color=style.GREY, linewidth=1, zorder=0)


def _across(ds: xr.Dataset, names: Sequence[str], along: str, other: str) -> Figure:
    """Two axes: for one arm, a line each value of the other axis, light to dark; the untreated in
    grey.
    """
    focus, base = data.contrast_arms(ds)
    look = style.arm_styles(ds)[focus]
    kept, lines = shaded_styles(ds, other)
    if base is not None:
        lines = [style.arm_styles(ds)[base], *lines]
    which = "" if len(kept) == ds.sizes[other] else f" ({len(kept)} of {ds.sizes[other]} values)"
    note = (
        f"{look.label}, a line each value of {axis_label(ds[other])}{which}:"
        f" mean over {data.over_whom(ds)}; bars or bands: "
    )
    fig = layout.new_slide(
        ds, "Across the sweep", arms=lines, note=f"{note}{data.interval_words(ds)}{_hollow(ds)}."
    )
    for ax, name in zip(readout_panels(fig, ds, names), names, strict=True):
        x = number_axis(ax, ds[along])
        if base is not None:
            flat = data.interval(ds[name].sel(arm=base).isel({other: int(kept[0])}))
            ax.plot(x, flat.mean, color=style.GREY, zorder=1)
        for i, one in zip(kept, lines[-len(kept) :], strict=True):
            found = data.interval(ds[name].sel(arm=focus).isel({other: int(i)}))
            draw_response(ax, x, found, one.colour, one.line, one.marker, one.label)
            _incomplete(ax, x, found, one.colour, ds)
        _mark_zero(ax)
    return fig


def _cloud(ds: xr.Dataset, names: Sequence[str]) -> Figure:
    """Points drawn over many numbers: each readout against the number it follows most closely, a
    dot a point.
    """
    focus, base = data.contrast_arms(ds)
    look = style.arm_styles(ds)[focus]
    less = f" less {style.arm_title(ds, base)}" if base is not None else ""
    note = (
        f"{look.label}{less}; a dot each point, the mean of its seeds, against the number it"
        " follows most closely "
    )
    fig = layout.new_slide(
        ds, "Across the sweep", note=f"{note}(partial rank correlation ρ); all others vary too."
    )
    numbers = {
        name: values for name, values in data.varied_numbers(ds).items() if data.is_number(values)
    }
    x = np.column_stack([values.values.astype(float) for values in numbers.values()])
    for ax, name in zip(readout_panels(fig, ds, names), names, strict=True):
        mine = ds[name].sel(arm=focus).mean("seed", skipna=False)
        y = (
            mine - ds[name].sel(arm=base).mean("seed", skipna=False) if base is not None else mine
        ).values
        found = ranked(x, y).value
        k = int(np.abs(found).argmax())
        number = list(numbers.values())[k]
        number_axis(ax, number)
        ax.plot(
            x[:, k],
            y,
            linestyle="none",
            marker="o",
            markersize=5,
            markeredgewidth=0,
            alpha=1 / 2,
            color=look.colour,
            rasterized=True,
        )
        ax.annotate(
            f"ρ = {found[k]:.2f}".replace("-", "−"),
            (1, 1),
            xycoords="axes fraction",
            ha="right",
            va="bottom",
            fontsize=12,
            color=style.MUTED,
        )
    return fig


def point_label(ds: xr.Dataset, dim: str, place: int) -> str:
    """A place along a dimension, as its value is said: `0.5 mg/kg`; of points side by side, all
    that they differ in.
    """
    listed = {
        name: values for name, values in data.varied_numbers(ds).items() if dim in values.dims
    }
    parts = []
    for values in listed.values():
        value = values.values[place]
        text = f"{float(f'{value:.3g}'):g}" if data.is_number(values) else str(value)
        parts.append(f"{text} {labels.unit_text(str(values.attrs.get('units', '1')))}".strip())
    return ", ".join(parts)


def shaded_styles(ds: xr.Dataset, dim: str) -> tuple[list[int], list[style.ArmStyle]]:
    """Some places along a dimension, evenly chosen, and the looks of their lines, dark to light."""
    kept = np.unique(
        np.linspace(0, ds.sizes[dim] - 1, min(MOST_LINES, ds.sizes[dim])).round().astype(int)
    ).tolist()
    colours = [
        to_hex(colormaps[SHADES](at)) for at in np.linspace(0, LIGHTEST_PERCENT / 100, len(kept))
    ]
    return kept, [
        style.ArmStyle(point_label(ds, dim, i), one, "-", "o", True)
        for i, one in zip(kept, colours, strict=True)
    ]


def _hollow(ds: xr.Dataset) -> str:
    done = sum(n for n, _ in data.count_runs(ds).values())
    return (
        ""
        if done == sum(n for _, n in data.count_runs(ds).values())
        else "; hollow: runs are missing"
    )


def _incomplete(ax: Axes, x: np.ndarray, found: Intervals, colour: str, ds: xr.Dataset) -> None:
    """Rings where some of the runs are missing."""
    short = found.n < ds.sizes.get(SUBJECT, ds.sizes.get("seed", 1))
    ax.plot(
        x[short],
        found.mean[short],
        linestyle="none",
        marker="o",
        markersize=8,
        markeredgecolor=colour,
        markerfacecolor="white",
        markeredgewidth=2,
        zorder=5,
    )


def _dose_by_dose(ds: xr.Dataset, names: Sequence[str]) -> Figure:
    """Readouts over arms that differ in dose; arms of no dose as a grey level."""
    doses, unit = _doses(ds)
    if len(set(doses.values())) < NUMBERS_PER_LINE:
        raise results_error(
            ds,
            found="one dose" if doses else "no dose",
            wanted="a sweep, or arms that differ in dose",
        )
    whom, bars = data.over_whom(ds), data.interval_words(ds)
    note = f"dots: mean over {whom}; bars: {bars}; grey: arms without drug."
    fig = layout.new_slide(ds, "Dose by dose", note=note)
    for ax, name in zip(readout_panels(fig, ds, names), names, strict=True):
        _over_arms(ax, ds, name, doses, unit)
    return fig


def _over_arms(ax: Axes, ds: xr.Dataset, name: str, doses: Mapping[str, float], unit: str) -> None:
    looks = style.arm_styles(ds)
    for arm in (
        arm for arm in data.arm_names(ds) if arm not in doses and not data.dosing_events(ds, [arm])
    ):
        level = data.interval(ds[name].sel(arm=arm))
        ax.axhline(float(level.mean), color=style.GREY, linewidth=2, zorder=1)
        if np.isfinite(level.low):
            ax.axhspan(
                float(level.low),
                float(level.high),
                color=style.GREY + style.BAND,
                linewidth=0,
                zorder=0,
            )
        placing.name_line(ax, looks[arm].label, float(level.mean))
    order = sorted(doses, key=lambda arm: doses[arm])
    found = [data.interval(ds[name].sel(arm=arm)) for arm in order]
    x = np.array([doses[arm] for arm in order])
    ax.plot(x, [f.mean for f in found], color=style.tint(style.BLUE, 50), linewidth=2, zorder=2)
    for dose, arm, f in zip(x, order, found, strict=True):
        ax.plot([dose, dose], [f.low, f.high], color=looks[arm].colour, linewidth=3, zorder=3)
        ax.plot(
            [dose],
            [f.mean],
            marker=looks[arm].marker,
            markersize=9,
            color=looks[arm].colour,
            zorder=4,
        )
    dose_axis(ax, x)
    ax.set_xlabel(f"dose ({labels.unit_text(unit)})")


def _doses(ds: xr.Dataset) -> tuple[dict[str, float], str]:
    """Arm -> its first dose as given, and the unit all doses share; arms without a drug are left
    out.
    """
    doses: dict[str, float] = {}
    units: dict[str, None] = {}
    for given in data.dosing_events(ds):
        if given.dose and given.arm not in doses and given.drug not in style.BLOCKERS:
            doses[given.arm], unit = given.dose
            units[unit] = None
    if len(units) > 1:
        raise results_error(
            ds,
            found=f"doses in {' and '.join(units)}",
            wanted="doses in one unit, to draw a readout against dose",
        )
    return doses, next(iter(units), "1")
