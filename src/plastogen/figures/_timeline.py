"""In: results over minutes to weeks. Out: the whole story on one time axis, from concentration to
spines.
"""

from __future__ import annotations

from collections.abc import Sequence

import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.gridspec import SubplotSpec

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
    "tag",
    "free_protein",
    "weight",
    "spine_density",
)
COLUMN_PT = 328  # height of the panels of a column when nothing is given, about
OF_ONE = (panels.concentration, panels.block, panels.rates, panels.signals)
BY_ARM = (
    ("glutamate", "Glutamate (% of baseline)"),
    ("tag", "Early potentiation (share)"),
    ("free_protein", "Free new protein (share)"),
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
    glutamate to spines: early potentiation and new protein, both of which late weight needs.

    Lines are means over seeds, bands 95 % intervals. Raises InputError for a missing variable or an
    unknown arm.
    """
    ds = data.single_point(ds, NEEDS)
    check_overlays(ds, overlay)
    one = data.focus_arm(ds, focus)
    chosen = data.arms_as_lines(ds, arms, one)
    styles, given = style.arm_styles(ds), data.dosing_events(ds)
    fig = layout.new_slide(
        ds, "From dose to spine", arms=[styles[name] for name in chosen], note=panels.footnotes(ds)
    )
    rows = panels.strip_rows([g for g in given if g.arm in chosen])
    strip = panels.BAR_PT * max(1, len(rows))
    halves = fig.add_gridspec(1, 2)
    columns = [
        _stack(fig, halves[0, k], strip, panels=n) for k, n in enumerate((len(OF_ONE), len(BY_ARM)))
    ]
    span = (float(ds["time"][0]), float(ds["time"][-1]))
    for column, names in zip(columns, ([one], chosen), strict=True):
        mine = [g for g in given if g.arm in names]
        for ax in column:
            axis.time_axis(ax, span, [g for g in given if g.arm == one])
            ax.tick_params(labelbottom=ax is column[-1])
        panels.given_strip(column[0], mine, styles, rows)
        for ax in column[1:]:
            axis.draw_dosing(
                ax, [g for g in mine if g.drug not in (*style.BLOCKERS, *style.NO_DRUGS)]
            )
        column[-1].set_xlabel(axis.time_label(column[-1]))
    columns[0][0].set_title(f"One arm: {styles[one].label}", fontsize=15, color=styles[one].colour)
    columns[1][0].set_title(panels.arms_title(ds, chosen), fontsize=15)
    for ax, draw in zip(columns[0][1:], OF_ONE, strict=True):
        draw(Panel(ax, ds, overlay), one)
    for ax, (name, title) in zip(columns[1][1:], BY_ARM, strict=True):
        panels.by_arm(Panel(ax, ds, overlay), name, title, chosen)
    own_points.keep_in_view(fig, overlay)
    return fig


def _stack(fig: Figure, half: SubplotSpec, strip: int, *, panels: int) -> list[Axes]:
    """A strip for what is given, and below it panels that share what height is left."""
    each = (COLUMN_PT - strip) / panels
    rows = half.subgridspec(panels + 1, 1, height_ratios=[strip, *[each] * panels])
    return [fig.add_subplot(rows[row, 0]) for row in range(panels + 1)]
