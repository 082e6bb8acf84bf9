"""In: readouts by arm and seed, verdicts. Out: arms side by side with intervals, and which claims
are met.
"""

from __future__ import annotations

import re
import textwrap
from collections import Counter
from collections.abc import Sequence

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from plastogen.analysis import by_unit
from plastogen.experiment import FIXED, SUBJECT, Verdict
from plastogen.figures import data, labels, layout, style
from plastogen.figures.style import ArmStyle

MOST_READOUTS, MOST_CLAIMS = 4, 5
CLAIM_PT, ARMS_PT, TITLE_CHARS = 18, 370, 84
LABEL_PT, ROW_PT = 14, 16  # names of arms, and the height of a row in which they have that size
MOST_BESIDE_CLAIMS = 20  # arms; of more, claims are counted and not listed
ROW_CHARS = 122  # letters of a claim and of its numbers that fit side by side
SIGNS = {  # outcome -> (sign, colour); the sign says it without the colour
    "met": ("✓", style.GREEN),
    "missed": ("✗", style.ALARM),
    "known miss": ("✗", style.ORANGE),
    "undecided": ("?", style.MUTED),
}


@layout.slide
def plot_arms(
    ds: xr.Dataset,
    *,
    readouts: Sequence[str] | None = None,
    arms: Sequence[str] | None = None,
    verdicts: Sequence[Verdict] = (),
) -> Figure:
    """A row an arm, a column a readout: each seed a dot, mean and 95 % interval.

    `readouts` are by default the four levels that most claims are about, those further down the
    chain if in doubt. Claims about them stand below, missed ones first, with sign, value, interval
    and n, then the count of all. Raises InputError for unknown names or where there is no readout.
    """
    ds = data.single_point(ds)
    names, chosen = data.readout_names(ds, readouts), data.arm_names(ds, arms)
    if not names:
        raise data.no_readouts_error(ds)
    about = Counter(verdict.readout for verdict in verdicts)
    if not readouts:
        levels = [
            name
            for name in names
            if ds[name].attrs.get("units") != "h" and bool(ds[name].notnull().any())
        ]
        levels = levels or names
        names = sorted(
            sorted(levels, key=lambda n: (-about[n], -levels.index(n)))[:MOST_READOUTS],
            key=names.index,
        )
    names = names[:MOST_READOUTS]
    told = sorted(verdicts, key=lambda v: (v.readout not in names, v.outcome == "met"))[
        :MOST_CLAIMS
    ]
    styles = style.arm_styles(ds)
    dots = "virtual subjects, each the mean of its seeds" if SUBJECT in ds.sizes else "seeds"
    note = f"dots: {dots}; diamonds and bars: mean and {data.interval_words(ds)}; "
    note += f"grey line: mean of {styles[chosen[0]].label}."
    fig = layout.new_slide(ds, "Arms compared", note=note)
    if len(chosen) > MOST_BESIDE_CLAIMS:
        told = []
    lines = len(told) + bool(verdicts)
    grid = fig.add_gridspec(
        2, len(names), height_ratios=[ARMS_PT - CLAIM_PT * lines, max(1, CLAIM_PT * lines)]
    )
    for column, name in enumerate(names):
        ax = fig.add_subplot(grid[0, column])
        looks, row_pt = [styles[arm] for arm in chosen], (ARMS_PT - CLAIM_PT * lines) / len(chosen)
        _readout(ax, ds[name], looks, chosen, row_pt, named=column == 0)
        title = labels.sentence(labels.title(ds[name]))
        ax.set_title(labels.wrapped(title, TITLE_CHARS // len(names)))
    claims = fig.add_subplot(grid[1, :])
    claims.set_axis_off()
    claims.set_ylim(0, max(1, lines))
    _claims(claims, told, verdicts)
    return fig


def _readout(
    ax: Axes,
    values: xr.DataArray,
    looks: Sequence[ArmStyle],
    arms: Sequence[str],
    row_pt: float,
    *,
    named: bool,
) -> None:
    """One readout: arms from top to bottom, `row_pt` high each."""
    rows, size = np.arange(len(arms))[::-1], min(1.0, row_pt / ROW_PT)
    for y, arm, look in zip(rows, arms, looks, strict=True):
        mine = by_unit(values.sel(arm=arm))
        found = data.interval(values.sel(arm=arm))
        seeds = np.linspace(-1, 1, mine.size) / 6 if mine.size > 1 else np.zeros(1)
        ax.plot(
            mine.values,
            y - 1 / 4 + seeds / 2,
            linestyle="none",
            marker=look.marker,
            markersize=5 * size,
            markerfacecolor=style.tint(look.colour, 45),
            markeredgewidth=0,
        )
        ax.plot(
            [found.low, found.high],
            [y, y],
            color=look.colour,
            linewidth=4 * size,
            solid_capstyle="round",
        )
        ax.plot(
            [found.mean],
            [y],
            marker="D",
            markersize=9 * size,
            color=look.colour,
            markeredgecolor="white",
            markerfacecolor=look.colour if look.filled else "white",
            markeredgewidth=1,
        )
        if not look.filled:
            ax.plot(
                [found.mean],
                [y],
                marker="D",
                markersize=8 * size,
                markerfacecolor="white",
                markeredgewidth=2 * size,
                markeredgecolor=look.colour,
            )
    reference = float(data.interval(values.sel(arm=arms[0])).mean)
    if np.isfinite(reference):
        ax.axvline(reference, color=style.tint(style.GREY, 50), linewidth=1, zorder=0)
    ax.set_ylim(-1 / 2 - 1 / 4, len(arms) - 1 / 2)
    ax.set_yticks(rows, [look.label if named else "" for look in looks], fontsize=LABEL_PT * size)
    for label, look in zip(ax.get_yticklabels(), looks, strict=True):
        label.set_color(look.colour)
    ax.tick_params(left=False)
    ax.spines["left"].set_visible(False)
    ax.margins(x=1 / 8)
    ax.xaxis.set_major_locator(MaxNLocator(4))
    ax.set_xlabel(labels.unit_label(values))


def _claims(ax: Axes, told: Sequence[Verdict], verdicts: Sequence[Verdict]) -> None:
    """A line a claim: sign, claim, value with interval, n of n expected; then how many came out
    how.
    """
    top, indent = ax.get_ylim()[1], layout.MARGIN_PT + 120
    from_left, from_right = ("figure points", "data"), ("axes fraction", "data")
    for k, verdict in enumerate(told):
        y, (sign, colour) = top - k - 1 / 2, SIGNS[verdict.outcome]
        ax.annotate(
            f"{sign} {verdict.outcome}",
            (layout.MARGIN_PT, y),
            xycoords=from_left,
            color=colour,
            fontsize=12,
            fontweight="bold",
            va="center",
        )
        found = verdict_numbers(verdict)
        if len(verdict.claim) + len(found) > ROW_CHARS:
            found = verdict_numbers(verdict, wanted=False)
        claim = textwrap.shorten(verdict.claim, ROW_CHARS - len(found), placeholder=" …")
        ax.annotate(claim, (indent, y), xycoords=from_left, fontsize=12, va="center")
        ax.annotate(
            found,
            (1, y),
            xycoords=from_right,
            fontsize=11,
            va="center",
            ha="right",
            color=style.MUTED,
        )
    if verdicts:
        count = Counter[str](verdict.outcome for verdict in verdicts)
        text = f"of {len(verdicts)} claims: " + ", ".join(
            f"{count[o]} {o}" for o in SIGNS if count[o]
        )
        text += "; all in the report" if len(verdicts) > len(told) else ""
        ax.annotate(
            text, (indent, 1 / 2), fontsize=11, va="center", xycoords=from_left, color=style.MUTED
        )


def verdict_numbers(verdict: Verdict, *, wanted: bool = True) -> str:
    """`0.0913 [0.0721, 0.11], wanted at least 0.02, n = 4 of 4`: what a claim's verdict rests
    on.
    """
    unit = labels.unit_text(verdict.unit)
    unit = f" {unit}" if unit else ""
    if not np.isfinite(verdict.value):
        value = "no value"
    elif verdict.low == verdict.high:
        value = f"{verdict.value:.3g}{unit} ({FIXED})"
    elif np.isfinite(verdict.low):
        value = f"{verdict.value:.3g}{unit} [{verdict.low:.3g}, {verdict.high:.3g}]"
    else:
        value = f"{verdict.value:.3g}{unit}"
    asked = f", wanted {verdict.wanted}" if wanted else ""
    return re.sub(r"(?<!\w)-(?=\d)", "−", f"{value}{asked}, n = {verdict.rests_on}")
