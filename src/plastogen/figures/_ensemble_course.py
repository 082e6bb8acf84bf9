"""In: results of a course with ensembles. Out: synapses and ensembles on one time axis."""

from __future__ import annotations

import xarray as xr
from matplotlib.figure import Figure

from plastogen.figures import axis, data, layout, panels, style
from plastogen.figures.panels import Panel

NEEDS = ("spine_density", "structure", "ensemble_weight", "ensemble_completion")
MOST_ARMS = 4


@layout.slide
def plot_ensemble_course(ds: xr.Dataset) -> Figure:
    """Spines, strength of all synapses, that within ensembles (of the mean synapse, the weight
    there) and completion, a line an arm.
    """
    ds = data.single_point(ds, NEEDS)
    chosen = list(map(str, ds["arm"].values))[:MOST_ARMS]
    left_out = "" if len(chosen) == ds.sizes["arm"] else f" Of {ds.sizes['arm']} arms the first."
    styles = style.arm_styles(ds)
    note = (
        "Means over seeds, bands 95 % intervals. Ensembles are looked at now and then: between two"
        f" looks each number stands as it was at the last.{left_out}"
    )
    fig = layout.new_slide(
        ds, "Synapses and ensembles", arms=[styles[name] for name in chosen], note=note
    )
    within = (
        ("ensemble_strength", "Strength within ensembles (× healthy)")
        if "ensemble_strength" in ds
        else ("ensemble_weight", "Weight within ensembles (untaught: 1)")
    )
    shown = (
        ("spine_density", "Spine density (× healthy)"),
        ("structure", "Strength of all synapses (× healthy)"),
        within,
        ("ensemble_completion", "Completion (1: none)"),
    )
    given = data.dosing_events(ds)
    mine = [g for g in given if g.arm in chosen]
    span = (float(ds["time"][0]), float(ds["time"][-1]))
    for ax, (name, title) in zip(fig.subplots(2, 2, sharex=True).flat, shown, strict=True):
        axis.time_axis(ax, span, mine)
        panels.by_arm(Panel(ax, ds, ()), name, title, chosen)
        lowest = ax.get_subplotspec().is_last_row()
        ax.tick_params(labelbottom=lowest)
        if lowest:
            ax.set_xlabel(axis.time_label(ax))
    return fig
