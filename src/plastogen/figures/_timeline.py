"""In: results over minutes to weeks. Out: the whole story on one time axis, from concentration to
spines.
"""

from __future__ import annotations

from collections.abc import Sequence

import xarray as xr
from matplotlib.figure import Figure

from plastogen.figures import axis, data, layout, own_points, panels, style
from plastogen.figures.agreement import check_overlays
from plastogen.figures.overlay import Overlay
from plastogen.figures.panels import Panel

NEEDS = (
    "brain_uM",
    "block",
    "rate_hz",
    "glutamate",
    "bdnf",
    "mtorc1",
    "eef2k",
    "weight",
    "spine_density",
)
PANEL_PT = 82  # height of a panel when nothing is given, about
BY_ARM = (
    ("glutamate", "Glutamate (% of baseline)"),
    ("mtorc1", "mTORC1 (× healthy)"),
    ("weight", "Synaptic weight (× healthy)"),
    ("spine_density", "Spine density (× healthy)"),
)


@layout.slide
def plot_timeline(
    ds: xr.Dataset,
    *,
    arms: Sequence[str] | None = None,
    focus: str | None = None,
    overlay: Sequence[Overlay] = (),
) -> Figure:
    """The full course. Left, one arm (`focus`) from drug to signal; right, all `arms` from
    glutamate to spines.

    Lines are means over seeds, bands 95 % intervals. Raises InputError for a missing variable or an
    unknown arm.
    """
    ds = data.single_point(ds, NEEDS)
    check_overlays(ds, overlay)
    chosen, one = data.arm_names(ds, arms), data.focus_arm(ds, focus)
    styles, given = style.arm_styles(ds), data.dosing_events(ds)
    fig = layout.new_slide(
        ds, "From dose to spine", arms=[styles[name] for name in chosen], note=panels.footnotes(ds)
    )
    rows = panels.strip_rows([g for g in given if g.arm in chosen])
    strip = panels.BAR_PT * max(1, len(rows))
    grid = fig.add_gridspec(5, 2, height_ratios=[strip, *[PANEL_PT - strip // 4] * 4])
    columns = [[fig.add_subplot(grid[row, column]) for row in range(5)] for column in range(2)]
    span = (float(ds["time"][0]), float(ds["time"][-1]))
    for column, names in zip(columns, ([one], chosen), strict=True):
        mine = [g for g in given if g.arm in names]
        for ax in column:
            axis.time_axis(ax, span, [g for g in given if g.arm == one])
            ax.tick_params(labelbottom=ax is column[-1])
        panels.given_strip(column[0], mine, styles, rows)
        for ax in column[1:]:
            axis.draw_dosing(ax, [g for g in mine if g.drug not in (*style.BLOCKERS, style.STRESS)])
        column[-1].set_xlabel(axis.time_label(column[-1]))
    columns[0][0].set_title(f"One arm: {styles[one].label}", fontsize=15, color=styles[one].colour)
    columns[1][0].set_title("All arms", fontsize=15)
    for ax, draw in zip(
        columns[0][1:],
        (panels.concentration, panels.block, panels.rates, panels.signals),
        strict=True,
    ):
        draw(Panel(ax, ds, overlay), one)
    for ax, (name, title) in zip(columns[1][1:], BY_ARM, strict=True):
        panels.by_arm(Panel(ax, ds, overlay), name, title, chosen)
    own_points.keep_in_view(fig, overlay)
    return fig
