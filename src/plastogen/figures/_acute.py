"""In: results, complete or still coming in. Out: the first hours, the first picture a long run
prints.
"""

from __future__ import annotations

from collections.abc import Sequence

import xarray as xr
from matplotlib.figure import Figure

from plastogen.figures import axis, data, layout, own_points, panels, style
from plastogen.figures.agreement import check_overlays
from plastogen.figures.overlay import Overlay
from plastogen.figures.panels import Panel

NEEDS = ("brain_uM", "block", "rate_hz", "glutamate")
UNTIL_H = 6


@layout.slide
def plot_acute(
    ds: xr.Dataset,
    *,
    arms: Sequence[str] | None = None,
    focus: str | None = None,
    until_h: float = UNTIL_H,
    overlay: Sequence[Overlay] = (),
) -> Figure:
    """Kinetics and block of one arm (`focus`); glutamate and rates of all `arms`; from the start to
    `until_h`.

    Runs that are not there yet are left out and counted. Raises InputError for a missing variable
    or unknown arm.
    """
    ds = data.single_point(ds, NEEDS)
    check_overlays(ds, overlay)
    ds = ds.sel(time=ds["time"][ds["time"] <= until_h])
    one = data.focus_arm(ds, focus)
    chosen = data.arms_as_lines(ds, arms, one)
    styles, given = style.arm_styles(ds), data.dosing_events(ds)
    fig = layout.new_slide(
        ds, "The first hours", arms=[styles[name] for name in chosen], note=panels.footnotes(ds)
    )
    rows = panels.strip_rows([g for g in given if g.arm in chosen])
    strip = panels.BAR_PT * max(1, len(rows))
    grid = fig.add_gridspec(3, 3, height_ratios=[strip, 160 - strip // 2, 160 - strip // 2])
    strips = [fig.add_subplot(grid[0, column]) for column in range(3)]
    classes = [str(name) for name in ds["class"].values]
    row = grid[2, :].subgridspec(1, len(classes)) if len(classes) > 3 else None
    places = [row[0, k] if row else grid[2, k] for k in range(len(classes))]
    cells = [fig.add_subplot(place) for place in (*(grid[1, k] for k in range(3)), *places)]
    span = (float(ds["time"][0]), float(ds["time"][-1]))
    for ax in (*strips, *cells):
        axis.time_axis(ax, span)
    for ax, names in zip(strips, ([one], [one], chosen), strict=True):
        panels.given_strip(
            ax, [g for g in given if g.arm in names and g.start_h < until_h], styles, rows
        )
    for k, ax in enumerate(cells):
        names = [one] if k < 2 else chosen
        axis.draw_dosing(
            ax,
            [
                g
                for g in given
                if g.arm in names and g.drug not in (*style.BLOCKERS, *style.NO_DRUGS)
            ],
        )
        if k > 2:
            ax.set_xlabel(axis.time_label(ax))
    for ax in strips[:2]:
        ax.set_title(f"One arm: {styles[one].label}", color=styles[one].colour)
    strips[2].set_title(panels.arms_title(ds, chosen))
    panels.concentration(Panel(cells[0], ds, overlay, False), one)
    panels.block(Panel(cells[1], ds, overlay, False), one)
    panels.by_arm(
        Panel(cells[2], ds, overlay, False), "glutamate", "Glutamate (% of baseline)", chosen
    )
    for ax, cls in zip(cells[3:], classes, strict=True):
        panels.by_arm(
            Panel(ax, ds, overlay, False),
            "rate_hz",
            f"{cls} rate (% of baseline)",
            chosen,
            change=True,
            **{"class": cls},
        )
    own_points.keep_in_view(fig, overlay)
    return fig
