"""In: spikes of a run's snapshots and its spectra. Out: raster, population rate and spectrum,
moment by moment.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from plastogen.analysis import results_error
from plastogen.figures import axis, data, layout, style
from plastogen.model.circuit import DELTA_HZ, GAMMA_HZ

Array = npt.NDArray[np.float64]
Spikes = tuple[Array, npt.NDArray[np.int32]]  # times in s, cell numbers; both (spikes,)
NEEDS = ("spectrum", "snapshot_rate_hz")
WINDOW_S = 1  # how much of a snapshot the raster shows
BIN_MS, SMOOTH_MS, MS_PER_S = 1, 5, 1000
MOST_MOMENTS = 5
FIRST_SHARE, SHARE = 5, 2  # height of the principal cells and of each other class; these are few
ROOM = 6  # room above a spectrum, as a factor, for the names of the bands
FREQUENCY_TICKS = (1, 4, 10, 30, 80)


@layout.slide
def plot_raster(
    ds: xr.Dataset,
    spikes: Mapping[str, Spikes],
    cells: Mapping[str, Sequence[int]],
    *,
    arm: str | None = None,
    seed: int | None = None,
    window_s: float = WINDOW_S,
) -> Figure:
    """One run, a column a snapshot. `spikes`: snapshot -> (times_s, cells) of that run; `cells`:
    class -> (first, end).

    Rows: spikes of every cell, smoothed population rates, spectrum of the E rate with the gamma and
    slow-delta bands. Raises InputError when results or spikes of the snapshots are missing.
    """
    ds = data.single_point(ds, NEEDS)
    one = data.focus_arm(ds, arm)
    which = int(ds["seed"][0]) if seed is None else seed
    moments = [str(name) for name in ds["snapshot"].values if str(name) in spikes][:MOST_MOMENTS]
    if not moments or which not in ds["seed"].values:
        found = f"seed {which}" if moments else "no snapshots"
        raise results_error(
            ds, found=found, wanted="snapshots (named under `snapshots:`) of a run that is there"
        )
    run, look = ds.sel(arm=one, seed=which), style.arm_styles(ds)[one]
    principal = next(iter(cells))
    colour = style.class_styles(cells)[principal].colour
    note = (
        f"raster and rates: {window_s:g} s of each snapshot, rates smoothed over {SMOOTH_MS} ms; "
    )
    note += (
        f"spectrum of the {principal} rate over the whole snapshot, in bands a tenth wide; grey:"
        f" {moments[0]}."
    )
    fig = layout.new_slide(ds, f"Spikes: {look.label}", seeds=f"one run, seed {which}", note=note)
    grid = fig.add_gridspec(3, len(moments), height_ratios=[5, 3, 4])
    rows = [
        [fig.add_subplot(grid[row, column]) for column in range(len(moments))] for row in range(3)
    ]
    for column, moment in enumerate(moments):
        times, who = spikes[moment]
        start = max(0.0, (float(times.max(initial=0)) - window_s) / 2)
        seen = (times >= start) & (times < start + window_s)
        dots(rows[0][column], (times[seen] - start) * MS_PER_S, who[seen], cells, named=column == 0)
        if not times.size:
            layout.write_across(rows[0][column], "every cell is silent")
        population(rows[1][column], times - start, who, cells, window_s)
        before = run["spectrum"].sel(snapshot=moments[0]) if column else None
        _spectrum(rows[2][column], run["spectrum"].sel(snapshot=moment), before, colour)
        rates = run["snapshot_rate_hz"].sel(snapshot=moment)
        rows[0][column].set_title(_when(ds, moment), fontsize=15)
        rows[1][column].set_title(
            "   ".join(f"{c} {float(rates.sel({'class': c})):.1f}" for c in cells) + "  Hz",
            fontsize=11,
            fontweight="normal",
        )
        for row in (0, 1):
            rows[row][column].set_xlim(0, window_s * MS_PER_S)
        rows[0][column].tick_params(labelbottom=False)
        rows[1][column].set_xlabel("time (ms)")
        rows[2][column].set_xlabel("frequency (Hz)")
    for axes, label in zip(rows[1:], ("rate (Hz)", "power (Hz²/Hz)"), strict=True):
        axes[0].set_ylabel(label)
        low, high = min(ax.get_ylim()[0] for ax in axes), max(ax.get_ylim()[1] for ax in axes)
        for ax in axes:
            ax.set_ylim(low, high)
            ax.tick_params(labelleft=ax is axes[0])
    for text, (first, last) in (("δ", DELTA_HZ), ("γ", GAMMA_HZ)):
        shown = max(first, rows[2][0].get_xlim()[0])
        for ax in rows[2]:
            ax.annotate(
                text,
                (np.sqrt(shown * last), 1),
                xycoords=("data", "axes fraction"),
                xytext=(0, -3),
                textcoords="offset points",
                ha="center",
                va="top",
                fontsize=14,
                fontweight="bold",
                color=style.MUTED,
            )
    return fig


def _when(ds: xr.Dataset, moment: str) -> str:
    text = moment.replace("_", " ")
    if "snapshot_time" not in ds.coords:
        return text
    return f"{text}: {axis.time_text(float(ds['snapshot_time'].sel(snapshot=moment)))}"


def dots(
    ax: Axes,
    times_ms: Array,
    who: npt.NDArray[np.int32],
    cells: Mapping[str, Sequence[int]],
    *,
    named: bool,
) -> None:
    """Every spike as a dot; classes stacked in bands, principal cells first."""
    base = 0
    ticks: list[tuple[float, str, str]] = []
    looks = style.class_styles(cells)
    for cls, (first, end) in cells.items():
        height = SHARE if ticks else FIRST_SHARE
        mine = (who >= first) & (who < end)
        y = base + height * (who[mine] - first) / (end - first)
        ax.plot(
            times_ms[mine],
            y,
            linestyle="none",
            marker="o",
            markersize=2,
            markeredgewidth=0,
            rasterized=True,
            color=looks[cls].colour,
        )
        ticks.append((base + height / 2, f"{cls}, {end - first}", looks[cls].colour))
        base += height
        ax.axhline(base, color="white", linewidth=2)
    ax.set_ylim(0, base)
    ax.set_yticks([y for y, _, _ in ticks], [text if named else "" for _, text, _ in ticks])
    for label, (_, _, colour) in zip(ax.get_yticklabels(), ticks, strict=True):
        label.set_color(colour)
    ax.tick_params(left=False)


def population(
    ax: Axes,
    times_s: Array,
    who: npt.NDArray[np.int32],
    cells: Mapping[str, Sequence[int]],
    window_s: float,
) -> None:
    """Population rate of each class, spikes a second a cell, smoothed with a Gaussian."""
    reach = 3 * SMOOTH_MS
    looks = style.class_styles(cells)
    edges = np.arange(-reach, round(window_s * MS_PER_S) + reach + BIN_MS, BIN_MS) / MS_PER_S
    offsets = np.arange(-reach, reach + 1, BIN_MS)
    kernel = np.exp(-((offsets / SMOOTH_MS) ** 2) / 2)
    for i, (cls, (first, end)) in enumerate(cells.items()):
        count = np.histogram(times_s[(who >= first) & (who < end)], edges)[0]
        rate = (
            np.convolve(count, kernel / kernel.sum(), mode="same")
            * MS_PER_S
            / BIN_MS
            / (end - first)
        )
        ax.plot(
            edges[:-1] * MS_PER_S,
            rate,
            color=looks[cls].colour,
            linewidth=1 if i else 2,
            label=cls,
        )
    ax.set_ylim(bottom=0)
    ax.yaxis.set_major_locator(MaxNLocator(3))


def by_tenths(frequency: Array, power: Array) -> tuple[Array, Array]:
    """A spectrum averaged over bands a tenth of their frequency wide; (centres, means), empty bands
    left out.
    """
    band = np.floor(np.log(frequency / frequency[0]) / np.log(1 + 1 / 10)).astype(int)
    n = np.bincount(band)
    there = n > 0
    centres, means = (np.bincount(band, values)[there] / n[there] for values in (frequency, power))
    return centres, means


def _spectrum(ax: Axes, spectrum: xr.DataArray, before: xr.DataArray | None, colour: str) -> None:
    """Spectrum on two logarithmic axes, bands shaded, the first snapshot's in grey behind."""
    frequency = spectrum["frequency"].values
    silent = not np.nanmax(spectrum.values) > 0
    top = min(float(frequency[-1]), 2 * GAMMA_HZ[1])
    keep = (frequency > 0) & (frequency <= top)
    for first, last in (DELTA_HZ, GAMMA_HZ):
        ax.axvspan(max(first, frequency[keep][0]), last, color=style.PALE, linewidth=0, zorder=0)
    if before is not None:
        ax.plot(*by_tenths(frequency[keep], before.values[keep]), color=style.GREY, linewidth=2)
    if silent:
        layout.write_across(ax, "no spikes, no power")
    else:
        ax.plot(frequency[keep], spectrum.values[keep], color=style.tint(colour, 65), linewidth=1)
        ax.plot(*by_tenths(frequency[keep], spectrum.values[keep]), color=colour, linewidth=2)
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_xlim(frequency[keep][0], top)
    if not silent:
        ax.set_ylim(top=ROOM * float(np.nanmax(spectrum.values[keep])))
    ax.xaxis.set_major_locator(FixedLocator(FREQUENCY_TICKS))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda f, _: f"{f:g}"))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.yaxis.set_minor_locator(NullLocator())
