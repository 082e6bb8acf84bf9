"""In: results and the arms a figure draws. Out: the slide it is drawn on: heading, n, key, scope,
and the files it is written to.

Every figure is a slide of one size, in plastogen's own style whatever the reader has set.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any, ParamSpec

import matplotlib
import matplotlib.style
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Annotation
from matplotlib.ticker import LogFormatter, LogFormatterMathtext

from plastogen._base.scope import SCOPE
from plastogen._base.text import counted, rounded
from plastogen.experiment import SUBJECT
from plastogen.figures import data, labels
from plastogen.figures.caption import DESCRIPTION, HEADING, NOTE, describe
from plastogen.figures.placing import LETTER, PT_PER_INCH, clear_names_of_lines, make_room
from plastogen.figures.style import ALARM, INK, MUTED, ArmStyle, arm_title
from plastogen.simulation import OF_ENSEMBLES

P = ParamSpec("P")
WIDTH_PT, HEIGHT_PT = 960, 540
MARGIN_PT, HEADER_PT, KEY_PT, FOOTER_PT, LINE_PT = 30, 66, 20, 40, 15
ROW_CHARS = 130  # letters that fit beside one another in a key of arms
KEY_CHARS = 9  # what a line takes of them
PLACE_DIGITS = 4  # of a position on the slide, as a share of its width or height
NOTE_PT = 10  # a note that is longer than the slide is wide is set smaller
POWER_DIGITS = 3  # of a label of a logarithmic axis
MOST_NAMED = 3  # more arms that lack runs than this are counted, not named


def slide(draw: Callable[P, Figure]) -> Callable[P, Figure]:
    """Decorator: draws in plastogen's style, whatever style is set outside, and lays the figure
    out.
    """

    @functools.wraps(draw)
    def styled(*args: P.args, **kwargs: P.kwargs) -> Figure:
        with matplotlib.style.context(style_sheet()):
            fig = draw(*args, **kwargs)
            _write_powers_out(fig)
            # ticks come into being and find their place here, in this style
            fig.draw_without_rendering()
            make_room(fig)
            _round_layout(fig)
            clear_names_of_lines(fig)
            return fig

    return styled


class PlainLog(LogFormatter):
    """Labels of a logarithmic axis as one writes numbers, 0.01: texts are never taken for formulas,
    for anybody's title may hold a dollar.
    """

    def __call__(self, x: float, pos: int | None = None) -> str:
        return rounded(x, POWER_DIGITS) if super().__call__(x, pos) else ""


def _write_powers_out(fig: Figure) -> None:
    """Logarithmic axes whose labels would be formulas (10 with an exponent) get plain ones."""
    for axis in (axis for ax in fig.axes for axis in (ax.xaxis, ax.yaxis)):
        if isinstance(axis.get_major_formatter(), LogFormatterMathtext):
            axis.set_major_formatter(PlainLog())
            axis.set_minor_formatter(PlainLog())


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
    most = ROW_CHARS - KEY_CHARS
    named = [labels.cut(arm.label, most) for arm in arms]
    handles = [
        Line2D([], [], color=arm.colour, linestyle=arm.line, label=label, linewidth=3)
        for arm, label in zip(arms, named, strict=True)
    ]
    rows = 1
    while rows < len(arms) and any(
        sum(KEY_CHARS + len(label) for label in named[row::rows]) > ROW_CHARS for row in range(rows)
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
        seeds = counted(n, "seed")
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
        taught = ds.attrs.get("kind") in OF_ENSEMBLES
        parts.append(
            "ensembles in the network, course by a formula"
            if taught
            else "a formula, not the network"
        )
    return "  ·  ".join(part for part in parts if part)


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
