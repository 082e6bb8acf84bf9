"""In: axes and results. Out: one panel of a course figure: what was given, concentration, block,
rates, signals.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from plastogen.experiment import Intervals, spelled
from plastogen.figures import axis, data, layout, own_points, placing, style
from plastogen.figures.data import DosingEvent
from plastogen.figures.overlay import Overlay
from plastogen.figures.style import ArmStyle

SIGNALS = (
    ("bdnf", "BDNF", style.PURPLE),
    ("mtorc1", "mTORC1", style.ORANGE),
    ("eef2k", "eEF2K", style.SKY),
)
SPECIES_COLOURS = (style.INK, style.PURPLE, style.ORANGE, style.GREEN)
SPECIES_LINES: tuple[Any, ...] = ("-", (0, (5, 2)), (0, (1, 1)), (0, (5, 1, 1, 1)))
BAR_PT = 16  # height of one row of the strip that says what is given
NARROWEST, ROOM_PERCENT = (
    80,
    60,
)  # a bar below 1/80 of the axis is a mark; text fits after 60 % of it
FLATTENED = 3  # a panel this many times higher for the sake of a blocker would hide the rest
LINE_PT = 18  # of a line of words between a panel and its title
MOST_BARS = 3  # more things given than this share a row a drug
SHOWN_SHARE_PERCENT = (
    2  # a species that never reaches this share of the highest concentration is not drawn
)


@dataclass(frozen=True)
class Panel:
    """A pair of axes, the results it shows, own data to lay over, and where the key of its lines
    stands.
    """

    ax: Axes
    ds: xr.Dataset
    overlays: Sequence[Overlay] = ()
    key_above: bool = True


def strip_rows(given: Sequence[DosingEvent]) -> list[str]:
    """What the rows of a strip say: what is given, each once; the drugs alone where that would be
    too many rows.
    """
    whats = list(dict.fromkeys(g.what for g in given))
    return whats if len(whats) <= MOST_BARS else list(dict.fromkeys(_drug(g) for g in given))


def given_strip(
    ax: Axes, given: Sequence[DosingEvent], styles: Mapping[str, ArmStyle], texts: Sequence[str]
) -> None:
    """Bars that say what goes in when, in rows of `texts` (see `strip_rows`); what several arms get
    stands once.
    """
    rows: dict[str, list[DosingEvent]] = {text: [] for text in texts}
    for g in sorted(given, key=lambda g: g.start_h):
        rows[g.what if g.what in rows else _drug(g)].append(g)
    for y, (text, row) in enumerate(reversed(rows.items())):
        once = {
            (g.start_h, g.end_h): _colour(g, styles) for g in reversed(row)
        }  # the first arm's colour
        for (start, end), colour in once.items():
            if _axis_place(ax, end) - _axis_place(ax, start) > 1 / NARROWEST:
                pale = style.tint(colour, 65)
                ax.plot(
                    [start, end], [y, y], color=pale, linewidth=BAR_PT - 4, solid_capstyle="butt"
                )
            else:
                ax.plot([start], [y], color=colour, marker="v", clip_on=False)
        if row:
            _write_in_row(ax, text, row, y)
    ax.set_ylim(-1 / 2, max(len(texts), 1) - 1 / 2)
    ax.set_yticks([])
    ax.tick_params(bottom=False, labelbottom=False)
    ax.spines[:].set_visible(False)


def _axis_place(ax: Axes, time_h: float) -> float:
    """Where a time stands on its axis, 0 (left) to 1."""
    here = ax.transAxes.inverted().transform(ax.transData.transform((time_h, 0)))
    return float(here[0])


def _write_in_row(ax: Axes, text: str, row: Sequence[DosingEvent], y: int) -> None:
    """What a row is: on its bar; after the last of many, or over them where there is no room
    after.
    """
    first, last = min(row, key=lambda g: g.start_h), max(row, key=lambda g: g.start_h)
    many = last.start_h > first.start_h
    after = many and _axis_place(ax, last.end_h) < ROOM_PERCENT / 100
    short = _axis_place(ax, first.end_h) - _axis_place(ax, first.start_h) <= 1 / NARROWEST
    box = {"facecolor": "white", "linewidth": 0, "pad": 1} if many and not after else None
    label = ax.annotate(
        text,
        (last.end_h if after else first.start_h, y),
        xytext=(8 if after or short else 4, 0),
        fontsize=11,
        bbox=box,
        textcoords="offset points",
        va="center_baseline",
        annotation_clip=False,
    )
    label.set_in_layout(False)


def _colour(given: DosingEvent, styles: Mapping[str, ArmStyle]) -> str:
    return (
        style.GREY if given.drug in (*style.BLOCKERS, *style.NO_DRUGS) else styles[given.arm].colour
    )


def _drug(given: DosingEvent) -> str:
    return style.BLOCKERS[given.drug][0] if given.drug in style.BLOCKERS else spelled(given.drug)


def concentration(panel: Panel, arm: str) -> None:
    """Unbound brain concentration of each species that matters, uM."""
    ax, values = panel.ax, panel.ds["brain_uM"].sel(arm=arm)
    top = float(values.max()) if values.sizes["species"] else 0.0
    if not top:
        layout.write_across(ax, "no drug is given")
    own_points.draw_points(ax, panel.overlays, "brain_uM", arms=[arm])
    for k, name in enumerate(str(s) for s in panel.ds["species"].values):
        if float(values.sel(species=name).max()) * 100 <= SHOWN_SHARE_PERCENT * top:
            continue
        course, colour = (
            data.interval(values.sel(species=name)),
            SPECIES_COLOURS[k % len(SPECIES_COLOURS)],
        )
        axis.draw_course(
            ax,
            panel.ds["time"].values,
            course,
            colour,
            linestyle=SPECIES_LINES[k % len(SPECIES_LINES)],
            label=spelled(name),
        )
    ax.set_ylim(bottom=0)
    ax.set_title("Unbound drug (µM)")
    placing.legend(ax, above=panel.key_above)


def block(panel: Panel, arm: str) -> None:
    """Blocked share of the synaptic NMDA receptors by class, per cent; occupancy beside it as a
    thin line.
    """
    ax, ds = panel.ax, panel.ds
    for cls, look in _class_styles(ds).items():
        course = data.interval(100 * ds["block"].sel(arm=arm, pool=f"{cls}.synaptic"))
        axis.draw_course(
            ax,
            ds["time"].values,
            course,
            look.colour,
            linestyle=look.line,
            label=cls,
        )
    if "occupancy" in ds:
        course = data.interval(100 * ds["occupancy"].sel(arm=arm))
        axis.draw_course(ax, ds["time"].values, course, style.GREY, linewidth=1, label="occupancy")
    own_points.draw_points(
        ax, panel.overlays, "block", factor=100, arms=[arm], colours=_class_colours(ds)
    )
    ax.set_ylim(bottom=0)
    ax.set_title("NMDA block (%)")
    placing.legend(ax, above=panel.key_above)


def rates(panel: Panel, arm: str) -> None:
    """Firing rate by class, per cent of baseline, and the band that probe noise alone would
    fill.
    """
    ax, ds = panel.ax, panel.ds
    first = data.first_dose_h(ds)
    floors = []
    for cls, look in _class_styles(ds).items():
        course = data.interval(
            data.percent_change(ds["rate_hz"].sel({"arm": arm, "class": cls}), first)
        )
        axis.draw_course(
            ax,
            ds["time"].values,
            course,
            look.colour,
            linestyle=look.line,
            label=cls if np.isfinite(course.mean).any() else f"{cls} (silent before)",
        )
        floors.append(
            data.noise_half_width(ds, "rate_hz", {"arm": arm, "class": cls}, relative=True)
        )
    axis.draw_noise_band(ax, 100, float(np.nanmax([0, *floors])))
    own_points.draw_points(
        ax, panel.overlays, "rate_hz", scale="baseline", arms=[arm], colours=_class_colours(ds)
    )
    ax.set_title("Rates (% of baseline)")
    placing.legend(ax, above=panel.key_above)


def signals(panel: Panel, arm: str) -> None:
    """BDNF, mTORC1 and eEF2K, as multiples of the healthy."""
    for name, text, colour in SIGNALS:
        course = data.interval(panel.ds[name].sel(arm=arm))
        axis.draw_course(panel.ax, panel.ds["time"].values, course, colour, label=text)
        own_points.draw_points(panel.ax, panel.overlays, name, arms=[arm])
    panel.ax.set_title("Signals (× healthy)")
    placing.legend(panel.ax, above=panel.key_above)


def by_arm(
    panel: Panel, name: str, title: str, arms: Sequence[str], *, change: bool = False, **at: str
) -> None:
    """One variable, a line an arm; with `change`, in per cent of each run's baseline."""
    ax, ds, styles = panel.ax, panel.ds, style.arm_styles(panel.ds)
    values = ds[name].sel(at)
    if change:
        values = data.percent_change(values, data.first_dose_h(ds))
    courses = {arm: data.interval(values.sel(arm=arm)) for arm in arms}
    for arm, course in courses.items():
        axis.draw_course(
            ax, ds["time"].values, course, styles[arm].colour, linestyle=styles[arm].line
        )
    said_above = _keep_in_view(panel, courses, styles)
    floor = data.noise_half_width(ds, name, {"arm": arms[0], **at}, relative=change)
    centre = courses[arms[0]].mean[0]
    axis.draw_noise_band(ax, 100 if change else float(centre), floor)
    own_points.draw_points(
        ax,
        panel.overlays,
        name,
        scale="baseline" if change else "stored",
        arms=arms,
        class_=at.get("class"),
        colours={arm: styles[arm].colour for arm in arms},
    )
    ax.set_title(title, pad=LINE_PT if said_above else None)


def _keep_in_view(
    panel: Panel, courses: Mapping[str, Intervals], styles: Mapping[str, ArmStyle]
) -> bool:
    """Lets arms with a blocker run off the scale, and says so, where they would flatten all the
    others; whether that takes a line under the title.
    """
    reach = {
        arm: (float(np.nanmin(c.mean)), float(np.nanmax(c.mean)))
        for arm, c in courses.items()
        if np.isfinite(c.mean).any()
    }
    main = [ends for arm, ends in reach.items() if styles[arm].filled]
    if not main:
        return False
    low, high = min(a for a, _ in main), max(b for _, b in main)
    span = high - low
    if (
        span <= 0
        or max(b for _, b in reach.values()) - min(a for a, _ in reach.values()) <= FLATTENED * span
    ):
        return False
    low, high = low - span / 2, high + span / 4
    panel.ax.set_ylim(low, high)
    off = {arm: a if a < low else b for arm, (a, b) in reach.items() if a < low or b > high}
    words = f"off scale: {', '.join(styles[arm].label for arm in off)}"
    if not panel.key_above:  # under the title, where there is room for more
        words += f" ({' to '.join(sorted({f'{value:.3g}' for value in off.values()}, key=float))})"
    panel.ax.annotate(
        words,
        (int(panel.key_above), 1),
        xycoords="axes fraction",
        xytext=(0, 4),
        textcoords="offset points",
        ha="right" if panel.key_above else "left",
        fontsize=10,
        color=style.MUTED,
    )
    return not panel.key_above


def arms_title(ds: xr.Dataset, drawn: Sequence[str]) -> str:
    """What stands over panels of several arms: how many of them are drawn."""
    n = ds.sizes["arm"]
    return "All arms" if len(drawn) == n else f"{len(drawn)} of {n} arms"


def footnotes(ds: xr.Dataset) -> str:
    """The line under a course figure that says what lines and bands are."""
    parts = [f"lines: mean over {data.over_whom(ds)}; bands: {data.PERCENT} % interval"]
    if data.noise_half_width(ds, "rate_hz", {"class": str(ds["class"].values[0])}) > 0:
        parts.append("grey band: probe noise")
    if data.dosing_events(ds):
        parts.append("shaded: drug going in")
    if silent := data.silent_arms(ds):
        named = ", ".join(style.arm_title(ds, arm) for arm in silent[: data.MOST_LINES])
        parts.append(f"every cell is silent for a time in: {named}")
    return "; ".join(parts) + "."


def _class_colours(ds: xr.Dataset) -> dict[str, str]:
    return {name: look.colour for name, look in _class_styles(ds).items()}


def _class_styles(ds: xr.Dataset) -> dict[str, style.ClassStyle]:
    return style.class_styles(ds["class"].values)
