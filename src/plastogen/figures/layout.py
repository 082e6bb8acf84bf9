"""In: results and the arms a figure draws. Out: the slide it is drawn on: heading, n, key, scope,
and the files it is written to.

Every figure is a slide of one size, in plastogen's own style whatever the reader has set.
"""

from __future__ import annotations

import functools
import itertools
import os
from collections.abc import Callable, Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any, ParamSpec

import matplotlib
import matplotlib.style
import numpy as np
import numpy.typing as npt
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Annotation
from matplotlib.ticker import MaxNLocator
from matplotlib.transforms import Bbox

from plastogen._base.scope import SCOPE
from plastogen.experiment import SUBJECT
from plastogen.figures import data
from plastogen.figures.caption import DESCRIPTION, HEADING, NOTE, describe
from plastogen.figures.style import ALARM, INK, MUTED, ArmStyle, arm_title

P = ParamSpec("P")
WIDTH_PT, HEIGHT_PT, PT_PER_INCH = 960, 540, 72
MARGIN_PT, HEADER_PT, KEY_PT, FOOTER_PT, LINE_PT = 30, 66, 20, 40, 15
ROW_CHARS = 130  # letters that fit beside one another in a key of arms
KEY_CHARS = 9  # what a line takes of them
PLACE_DIGITS = 4  # of a position on the slide, as a share of its width or height
LETTER = 3 / 5  # width of a letter over the size of its font
REACHES_PT, DIRECTIONS, BETWEEN = (11, 15, 20, 26, 34), 16, 12
NOTE_PT = 10  # a note that is longer than the slide is wide is set smaller
SLIGHT = 1 / 100  # of where an axis stands: less than it shows is next to no change
INSIDE = "key inside"  # gid of a key that lies within its panel
TICK_GAP_PX = 4  # between labels of ticks, at the least
KEY_GAP = 1 / 30  # of a panel's height, between a key above its curves and them
MOST_NAMED = 3  # more arms that lack runs than this are counted, not named


def slide(draw: Callable[P, Figure]) -> Callable[P, Figure]:
    """Decorator: draws in plastogen's style, whatever style is set outside, and lays the figure
    out.
    """

    @functools.wraps(draw)
    def styled(*args: P.args, **kwargs: P.kwargs) -> Figure:
        with matplotlib.style.context(style_sheet()):
            fig = draw(*args, **kwargs)
            # ticks come into being and find their place here, in this style
            fig.draw_without_rendering()
            if _widen_slight_axes(fig) + _make_room_for_keys(fig) + _thin_ticks(fig):
                fig.draw_without_rendering()
            _round_layout(fig)
            return fig

    return styled


def _widen_slight_axes(fig: Figure) -> int:
    """Axes on which next to nothing changes, so that their ticks would count from an offset
    (`1e-6+1`), show a hundredth of where they stand; how many.
    """
    slight = [
        axis
        for ax in fig.axes
        for axis in (ax.xaxis, ax.yaxis)
        if getattr(axis.get_major_formatter(), "offset", 0)
    ]
    for axis in slight:
        middle = float(np.mean(axis.get_view_interval()))
        half = abs(middle) * SLIGHT / 2
        axis.axes.set(**{f"{axis.axis_name}lim": (middle - half, middle + half)})
    return len(slight)


def _make_room_for_keys(fig: Figure) -> int:
    """Panels whose key finds no place inside that is free of curves get one above; how many."""
    crowded = 0
    for ax in fig.axes:
        key = ax.get_legend()
        if key is None or key.get_gid() != INSIDE:
            continue
        box = key.get_window_extent()
        curves = [_dense(line) for line in ax.lines if line.get_linestyle() not in ("None", "")]
        if any(box.count_contains(curve) for curve in curves):
            crowded += 1
            low, high = ax.get_ylim()
            share = min(box.height / ax.bbox.height + KEY_GAP, 1 / 2)
            ax.set_ylim(low, low + (high - low) / (1 - share))
            key.set_loc("upper right")
    return crowded


def _thin_ticks(fig: Figure) -> int:
    """Horizontal axes whose tick labels would run into one another get fewer; how many axes."""
    crowded = 0
    for ax in fig.axes:
        locator = ax.xaxis.get_major_locator()
        first, last = sorted(ax.get_xlim())
        boxes = [
            tick.label1.get_window_extent()
            for tick in ax.xaxis.get_major_ticks()
            if first <= tick.get_loc() <= last and tick.label1.get_text()
        ]
        touch = any(b.x0 - a.x1 < TICK_GAP_PX for a, b in itertools.pairwise(boxes))
        if touch and isinstance(locator, MaxNLocator):
            crowded += 1
            ax.xaxis.set_major_locator(MaxNLocator(max(1, len(boxes) // 2)))
    return crowded


def _round_layout(fig: Figure) -> None:
    """Ends the layout and rounds where axes stand: the solver's last digits differ from one run to
    the next.
    """
    fig.set_layout_engine("none")
    for ax in fig.axes:
        place = ax.get_position(original=True)
        left, bottom, width, height = (round(float(value), PLACE_DIGITS) for value in place.bounds)
        ax.set_position((left, bottom, width, height))


def style_sheet() -> list[str | dict[str, Any]]:
    """Matplotlib's defaults and then this package's style sheet: what a reader's own settings
    cannot change.
    """
    path = resources.files("plastogen.figures") / "slide.mplstyle"
    return ["default", str(path)]


def new_slide(
    ds: xr.Dataset,
    heading: str,
    *,
    arms: Sequence[ArmStyle] = (),
    note: str = "",
    seeds: str | None = None,
) -> Figure:
    """An empty slide for `ds`: heading, who and what, n (red when runs are missing) or `seeds`, key
    of `arms`, how the points of a sweep were made, scope.

    Room is left for panels between header and footer; the layout keeps to it.
    """
    fig = Figure(figsize=(WIDTH_PT / PT_PER_INCH, HEIGHT_PT / PT_PER_INCH))
    left, right = MARGIN_PT, WIDTH_PT - MARGIN_PT
    _text(fig, heading, left, HEIGHT_PT - 20, size=20, weight="bold", va="top", gid=HEADING)
    _text(fig, subtitle(ds), left, HEIGHT_PT - 48, size=12, color=MUTED, va="top")
    seeds = seeds if seeds is not None else seeds_sentence(ds)
    ink = ALARM if seeds.startswith("INCOMPLETE") else INK
    _text(
        fig, seeds, right, HEIGHT_PT - 24, size=14, weight="bold", color=ink, ha="right", va="top"
    )
    design = data.describe_design(ds)
    _text(fig, design, left, 27, size=10, color=MUTED)
    size = min(NOTE_PT, (WIDTH_PT - 2 * MARGIN_PT) / (LETTER * max(1, len(note))))
    _text(fig, note, left, 42 if design else 27, size=size, color=MUTED, gid=NOTE)
    footer = FOOTER_PT + bool(design) * LINE_PT
    _text(fig, str(ds.attrs.get("scope", SCOPE)), left, 12, size=9, color=MUTED, style="italic")
    header = HEADER_PT + KEY_PT * _key_of_arms(fig, arms)
    fig.set_layout_engine(
        "constrained",
        w_pad=6 / PT_PER_INCH,
        h_pad=3 / PT_PER_INCH,
        rect=(
            MARGIN_PT / WIDTH_PT,
            footer / HEIGHT_PT,
            1 - 2 * MARGIN_PT / WIDTH_PT,
            1 - (footer + header) / HEIGHT_PT,
        ),
    )
    return fig


def _key_of_arms(fig: Figure, arms: Sequence[ArmStyle]) -> int:
    """The arms' lines and names under the header, right-aligned, in as many rows as they need;
    returns how many.
    """
    if not arms:
        return 0
    handles = [
        Line2D([], [], color=arm.colour, linestyle=arm.line, label=arm.label, linewidth=3)
        for arm in arms
    ]
    rows = 1
    while (
        max(sum(KEY_CHARS + len(arm.label) for arm in arms[row::rows]) for row in range(rows))
        > ROW_CHARS
    ):
        rows += 1
    place = ((WIDTH_PT - MARGIN_PT) / WIDTH_PT, (HEIGHT_PT - 62) / HEIGHT_PT)
    made = fig.legend(
        handles=handles,
        loc="upper right",
        bbox_to_anchor=place,
        ncols=-(-len(arms) // rows),
        borderaxespad=0,
        columnspacing=2,
        handlelength=3,
        handletextpad=0.5,
        borderpad=0,
    )
    made.set_in_layout(False)
    return rows


def seeds_sentence(ds: xr.Dataset) -> str:
    """`n = 4 seeds`, or virtual subjects; when runs are missing, how many there are `of` all, and
    where they lack.
    """
    counts = data.count_runs(ds)
    here = sum(done for done, _ in counts.values())
    expected = max(int(ds.attrs.get("n_expected", 0)), sum(total for _, total in counts.values()))
    n = ds.sizes.get("seed", 1)
    if here == expected:
        seeds = f"{n} seed" + "s" * (n > 1)
        return (
            f"n = {ds.sizes[SUBJECT]} virtual subjects × {seeds}"
            if SUBJECT in ds.sizes
            else f"n = {seeds}"
        )
    lacking = [
        f"{arm_title(ds, arm)} {done} of {total}"
        for arm, (done, total) in counts.items()
        if done < total
    ]
    where = f" ({', '.join(lacking)})" if 0 < len(lacking) <= MOST_NAMED else ""
    return f"INCOMPLETE: {here} of {expected} runs{where}"


def _induction(attrs: Mapping[str, str]) -> str:
    where = f" in the network {attrs.get('circuit', '')}".rstrip()
    return "an induction" + (where if attrs.get("method") == "direct" else "")


def subtitle(ds: xr.Dataset) -> str:
    """`One infusion · human, stressed adult · prefrontal circuit · plasticity: all`, of what `ds`
    says of itself.
    """
    attrs = {key: str(value).replace("_", " ") for key, value in ds.attrs.items()}
    parts = [attrs.get("title", "")]
    parts.append(", ".join(attrs[key] for key in ("species", "subject") if key in attrs))
    if attrs.get("kind") == "induction":
        return "  ·  ".join([*filter(None, parts), _induction(attrs), f"rule: {attrs['rule']}"])
    parts.append(f"{attrs['circuit']} circuit" if "circuit" in attrs else "")
    parts.append(f"plasticity: {attrs['plasticity']}" if "plasticity" in attrs else "")
    parts.append(attrs.get("preparation", ""))
    if attrs.get("method") == "formula":
        taught = attrs.get("kind") == "ensembles"
        parts.append(
            "ensembles in the network, their course by a formula"
            if taught
            else "a formula, not the network"
        )
    return "  ·  ".join(part for part in parts if part)


def legend(ax: Axes, *, above: bool = True, size: int = 11) -> None:
    """A key of the labelled lines in `ax`: in a row `above` it, right of its title, or inside where
    there is room.
    """
    handles, labels = ax.get_legend_handles_labels()
    common: dict[str, Any] = {
        "handletextpad": 0.5,
        "fontsize": size,
        "borderpad": 0,
        "borderaxespad": 0,
    }
    if above:
        made = ax.legend(
            handles,
            labels,
            loc="lower right",
            bbox_to_anchor=(1, 1),
            ncols=max(1, len(handles)),
            handlelength=3 / 2,
            columnspacing=1,
            **common,
        )
        made.set_in_layout(False)
    else:
        made = ax.legend(handles, labels, loc="best", handlelength=2, labelspacing=0, **common)
        made.set_gid(INSIDE)


def clear_offset(
    ax: Axes, text: str, at: tuple[float, float], size: int, taken: Sequence[Bbox] = ()
) -> tuple[tuple[float, float], Bbox]:
    """Where, in points from `at` (data), the middle of `text` lies over no curve of `ax` and none
    of the boxes `taken`, as near as there is such a place; and its box. The layout has to stand.
    """
    scale = ax.figure.dpi / PT_PER_INCH
    width, height = LETTER * size * len(text) * scale, size * scale
    x, y = ax.transData.transform(at)
    curves = [_dense(line) for line in ax.lines if line.get_linestyle() not in ("None", "")]
    found: list[tuple[int, float, float, Bbox]] = []
    for reach in REACHES_PT:
        for turn in range(DIRECTIONS):
            angle = 2 * np.pi * (turn / DIRECTIONS + 1 / 4)
            across, up = reach * np.cos(angle) * (1 + len(text) / 4), reach * np.sin(angle)
            box = Bbox.from_bounds(
                x + across * scale - width / 2, y + up * scale - height / 2, width, height
            )
            hits = sum(int(box.count_contains(curve)) for curve in curves)
            hits += sum(box.overlaps(other) for other in taken)
            hits += not (ax.bbox.contains(box.x0, box.y0) and ax.bbox.contains(box.x1, box.y1))
            if not hits:
                return (across, up), box
            found.append((hits, across, up, box))
    _, across, up, box = min(found, key=lambda one: one[0])
    return (across, up), box


def _dense(line: Line2D) -> npt.NDArray[np.float64]:
    """Points along a line as it is drawn, in pixels, close enough to find one in a box of text."""
    drawn = line.get_transform().transform(np.column_stack(line.get_data()).astype(float))
    drawn = drawn[np.isfinite(drawn).all(1)]
    steps = np.linspace(0, 1, BETWEEN, endpoint=False)[:, None, None]
    between = drawn[None, :-1] + steps * np.diff(drawn, axis=0)[None]
    return np.asarray(np.concatenate([between.reshape(-1, 2), drawn[-1:]]))


def write_across(ax: Axes, text: str) -> None:
    """A few words in the middle of a panel that has nothing else to show."""
    ax.text(1 / 2, 1 / 2, text, transform=ax.transAxes, ha="center", va="center", color=MUTED)


def write_data_line(fig: Figure, text: str) -> None:
    """One line about somebody's own data, right in the footer."""
    _text(fig, text, WIDTH_PT - MARGIN_PT, 12, size=10, color=INK, ha="right")


def save(fig: Figure, folder: Path | str, name: str) -> list[Path]:
    """Writes `<name>.png` (dpi 150) and `<name>.svg` into `folder`; equal figures make equal bytes,
    no date inside, their caption is.

    Each file is written under a temporary name first. Returns the two paths, PNG first.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    kinds: dict[str, dict[str, Any]] = {
        "png": {"Software": None, DESCRIPTION: describe(fig)},
        "svg": {"Date": None, "Creator": "plastogen", DESCRIPTION: describe(fig)},
    }
    paths = []
    with matplotlib.style.context(style_sheet()):
        for kind, metadata in kinds.items():
            path, partial = folder / f"{name}.{kind}", folder / f".{name}.{kind}.partial"
            fig.savefig(partial, format=kind, metadata=metadata)
            os.replace(partial, path)
            paths.append(path)
    return paths


def _text(fig: Figure, text: str, x_pt: int, y_pt: int, **kwargs: Any) -> None:
    if text:
        fig.add_artist(
            Annotation(
                text, (x_pt, y_pt), xycoords="figure points", annotation_clip=False, **kwargs
            )
        )
