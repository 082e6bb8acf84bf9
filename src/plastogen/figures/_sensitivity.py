"""In: results of a sweep over several numbers, or of virtual subjects. Out: which number matters
for which readout.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from plastogen.analysis import Influence, influences
from plastogen.figures import data, labels, layout, style
from plastogen.figures._tornado import nothing_measured

MOST_READOUTS, MOST_NUMBERS, TITLE_CHARS = 8, 16, 96
UNSURE = 3 / 5  # opacity of what is not told from 0
ABOUT = {
    "saltelli": (
        "total Sobol index: share of the readout's variance that would be left if all other numbers"
        " were known"
    ),
    "morris": (
        "mean absolute elementary effect over the number's range, each readout relative to its"
        " greatest"
    ),
    "": (
        "partial rank correlation: −1 or 1 where the readout follows the number alone, 0 where it"
        " does not"
    ),
}


@layout.slide
def plot_sensitivity(
    ds: xr.Dataset, *, readouts: Sequence[str] | None = None, arm: str | None = None
) -> Figure:
    """A column a readout, a row a number, those that matter most at the top; what is not told from
    0 is pale.

    What is shown follows from the design: Sobol indices, elementary effects, or partial rank
    correlations (see `plastogen.analysis.sensitivity`). Raises InputError where nothing is swept or
    no readout varies.
    """
    kind, found, reasons = influences(ds, data.readout_names(ds, readouts), arm=arm)
    names = list(dict.fromkeys(one.readout for one in found))[:MOST_READOUTS]
    if not names:
        raise nothing_measured(ds, reasons)
    by = {(one.readout, one.path): one for one in found}
    scale = {
        name: max(one.weight for one in found if one.readout == name) if kind == "morris" else 1
        for name in names
    }
    paths = list(dict.fromkeys(one.path for one in found))
    paths.sort(key=lambda path: -sum(by[name, path].weight / scale[name] for name in names))
    shown = paths[:MOST_NUMBERS]
    focus, base = data.contrast_arms(ds)
    less = f" less {style.arm_title(ds, base)}" if base is not None else ""
    some = f"; {len(shown)} of {len(paths)} numbers" if len(paths) > len(shown) else ""
    note = f"{style.arm_title(ds, arm or focus)}{less}. {labels.sentence(ABOUT[kind])}{some}. "
    fig = layout.new_slide(ds, "Which number matters", note=note)
    ax = fig.subplots()
    _cells(
        ax,
        [[by[name, path] for name in names] for path in shown],
        list(scale.values()),
        signed=kind == "",
    )
    titles = [labels.title(ds[name]) for name in names]
    ax.set_xticks(
        range(len(names)),
        [labels.wrapped(title, TITLE_CHARS // max(len(names), 4)) for title in titles],
    )
    ax.xaxis.tick_top()
    ax.set_yticks(range(len(shown)), [labels.number_label(ds, path) for path in shown])
    ax.tick_params(length=0, labelsize=12)
    ax.spines[:].set_visible(False)
    return fig


def _cells(
    ax: Axes, table: Sequence[Sequence[Influence]], scale: Sequence[float], *, signed: bool
) -> None:
    """Colour and number of each cell, from top to bottom."""
    values = np.array([[one.value / s for one, s in zip(row, scale, strict=True)] for row in table])
    top = 1.0 if signed else max(float(values.max()), np.finfo(float).tiny)
    norm = Normalize(-top, top) if signed else Normalize(0, top)
    cells = ax.imshow(
        values, cmap="PuOr_r" if signed else "Blues", norm=norm, aspect="auto", rasterized=True
    )
    grounds = cells.to_rgba(values)
    for i, row in enumerate(table):
        for k, one in enumerate(row):
            sure = one.low > 0 or one.high < 0
            text = f"{values[i, k]:.2f}".replace("-", "−")
            ax.annotate(
                text,
                (k, i),
                ha="center",
                va="center",
                color=style.ink_on(grounds[i, k]),
                alpha=1 if sure else UNSURE,
                fontsize=12 if len(table) < 12 else 10,
                fontweight="bold" if sure else "normal",
            )
    ax.set_xticks(np.arange(len(scale) + 1) - 1 / 2, minor=True)
    ax.set_yticks(np.arange(len(table) + 1) - 1 / 2, minor=True)
    ax.grid(which="minor", color="white", linewidth=2)
    ax.tick_params(which="minor", length=0)
