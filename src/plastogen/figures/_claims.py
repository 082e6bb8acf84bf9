"""In: verdicts. Out: a matrix of all claims, by the arm they are about: predicted beside found, and
what became of them, misses plain.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.patches import Rectangle
from matplotlib.textpath import text_to_path

from plastogen._base.text import rounded
from plastogen.analysis import results_error
from plastogen.experiment import Verdict
from plastogen.figures import data, labels, layout, style
from plastogen.figures.placing import PT_PER_INCH

ONE_COLUMN, MOST = 14, 48  # claims in one column, and on the slide
LARGEST_PT, SMALLER = (14, 19 / 2), 9 / 10  # letters: in one column, in two; second lines
SMALLEST_PT = 11 / 2  # what is longer still is cut
LINES_A_ROW = 12 / 5  # lines of text that a row has room for, its air among them
HEAD_LINES = 8 / 5
GAP = 2 / 100  # between two columns of claims, of the width of both
PAD_PT, SLACK = 5, 107 / 100  # letters are set a little wider than they are drawn
# share of a column that ends with each cell, and its heading
CELLS = (
    (19 / 100, "about"),
    (48 / 100, "claim"),
    (63 / 100, "predicted"),
    (83 / 100, "found, or asked for"),
    (1, ""),
)
SCALES = (1, 93 / 100, 86 / 100, 79 / 100, 72 / 100, 65 / 100)  # of the letters of a long text
TWO_DIGITS = 10  # numbers below it are told by two digits
DECIMALS = 4  # by no more, however near to nothing a number is
WHOLE = " of the whole effect"  # said once for all, below


@dataclass(frozen=True)
class Look:
    """How an outcome is shown: the sign says it without the colour; a tile makes it plain."""

    sign: str
    ink: str
    tile: str | None = None


LOOKS = {
    "met": Look("✓", style.GREEN),
    "missed": Look("✗", "white", style.ALARM),
    "known miss": Look("✗", style.INK, style.ORANGE),
    "undecided": Look("?", style.INK, style.PALE),
}


@layout.slide
def plot_claims(ds: xr.Dataset, *, verdicts: Sequence[Verdict] = ()) -> Figure:
    """A row a claim, in the order of the arms they are about: what is predicted, what its source
    found (else what is asked for), the verdict.

    Where there are more than a slide holds, those that are met are left out first, and the note
    says how many. Raises InputError where there is no claim.
    """
    if not verdicts:
        raise results_error(ds, found="no claims", wanted="an experiment with some under `expect:`")
    arms = data.arm_names(ds)
    shown = sorted(_kept(verdicts), key=lambda v: arms.index(v.about) if v.about in arms else -1)
    fig = layout.new_slide(ds, "Claims, predicted beside found", note=_note(verdicts, len(shown)))
    ax = fig.add_subplot()
    ax.set_axis_off()
    fig.draw_without_rendering()  # the layout finds the room there is
    box = ax.get_window_extent().transformed(fig.dpi_scale_trans.inverted())
    width, height = box.width * PT_PER_INCH, box.height * PT_PER_INCH
    ax.set(xlim=(0, width), ylim=(height, 0))
    columns = 1 if len(shown) <= ONE_COLUMN else 2
    rows = -(-len(shown) // columns)
    size = min(LARGEST_PT[columns - 1], height / (rows * LINES_A_ROW + HEAD_LINES))
    one = (width - GAP * width * (columns - 1)) / columns
    for column in range(columns):
        mine = shown[column * rows : (column + 1) * rows]
        _column(ax, mine, column * (one + GAP * width), one, size, _titles(ds, mine))
    return fig


def _kept(verdicts: Sequence[Verdict]) -> list[Verdict]:
    """What there is room for, in order: whatever is not met, then the first that are."""
    if len(verdicts) <= MOST:
        return list(verdicts)
    first = sorted(verdicts, key=lambda v: v.outcome == "met")[:MOST]
    return [verdict for verdict in verdicts if verdict in first]


def _note(verdicts: Sequence[Verdict], shown: int) -> str:
    count = Counter[str](verdict.outcome for verdict in verdicts)
    text = f"of {len(verdicts)} claims: "
    text += ", ".join(f"{count[outcome]} {outcome}" for outcome in LOOKS if count[outcome])
    if left := len(verdicts) - shown:
        text += f"; {left} more in the report"
    if any(WHOLE in verdict.wanted for verdict in verdicts):
        text += f"; “at most” is{WHOLE}"
    return f"{text}. Predicted: mean and 95 % interval."


def _titles(ds: xr.Dataset, mine: Sequence[Verdict]) -> list[str]:
    """The arm that each claim is about, said once for those that follow one another."""
    arms, titles, before = data.arm_names(ds), list[str](), None
    for verdict in mine:
        known = verdict.about in arms and verdict.about != before
        titles.append(style.arm_title(ds, verdict.about) if known else "")
        before = verdict.about
    return titles


def _column(
    ax: Axes, mine: Sequence[Verdict], left: float, width: float, size: float, titles: Sequence[str]
) -> None:
    """Heads, then a row a claim, from `left` on, `width` wide; all in points."""
    starts = [left, *(left + end * width for end, _ in CELLS)]
    line, row = size * 11 / 10, size * LINES_A_ROW
    top = size * HEAD_LINES
    rooms = [b - a - PAD_PT for a, b in pairwise(starts)]
    small = size * SMALLER
    for at, room, (_, head) in zip(starts, rooms, CELLS, strict=False):
        _write(ax, fitted(head, room, small, 1), at, 0, line, style.MUTED)
    for k, (verdict, title) in enumerate(zip(mine, titles, strict=True)):
        y, look = top + k * row, LOOKS[verdict.outcome]
        if title or k == 0:
            ax.plot([left, left + width], [y, y], color=style.tint(style.GREY, 40), linewidth=1 / 2)
        y += PAD_PT / 2
        if look.tile is not None:
            corner = starts[4] - PAD_PT / 2, y - PAD_PT / 4
            wide = rooms[4] + PAD_PT / 2
            ax.add_patch(Rectangle(corner, wide, line, color=look.tile, linewidth=0))
        _write(ax, fitted(title, rooms[0], size, 2, bold=True), starts[0], y, line, bold=True)
        claim = labels.sentence(verdict.claim)
        _write(ax, fitted(claim, rooms[1], size, 2), starts[1], y, line)
        for cell, at, room in zip(_said(verdict), starts[2:], rooms[2:], strict=False):
            last = at == starts[4]
            upper = fitted(cell[0], room, size, 1, bold=last)
            _write(ax, upper, at, y, line, look.ink if last else style.INK, bold=last)
            _write(ax, fitted(cell[1], room, small, 1), at, y + line, line, style.MUTED)


def _said(verdict: Verdict) -> list[tuple[str, str]]:
    """What is predicted, what was found and what became of it: two short lines each."""
    unit = labels.unit_text(verdict.unit)
    unit = f" {unit}" if unit else ""
    v = verdict
    (mean, low, high), word = v.directed
    value = f"{told(mean, 3)}{unit} {word}".rstrip() if math.isfinite(mean) else "no value"
    spread = f"[{_end(low)}, {_end(high)}]" if low < high else ""
    if v.found is None:
        found = _asked(v.wanted)
    elif v.found_range:
        found = f"{rounded(v.found[1], 3)} to {rounded(v.found[2], 3)}{unit}"
    else:
        found = f"{_end(v.found[0])} [{_end(v.found[1])}, {_end(v.found[2])}]{unit}"
    worth = "" if v.status == "predicted" else v.status
    cells = (
        (value, spread),
        (found, _source(v.source)),
        (f"{LOOKS[v.outcome].sign} {v.outcome}", worth),
    )
    return [(_minus(upper), _minus(lower)) for upper, lower in cells]


def _end(x: float) -> str:
    """An end of an interval, in as few digits as tell it."""
    return told(x, 2 if abs(x) < TWO_DIGITS else 3)


def told(x: float, digits: int) -> str:
    """A number in so many digits, but by no more than `DECIMALS`."""
    text = rounded(x, digits)
    too_long = abs(x) < 1 and len(text.lstrip("-")) > len("0.") + DECIMALS
    return f"{x:z.{DECIMALS}f}" if too_long else text


def _asked(wanted: str) -> str:
    """What a claim asks for, in few words: `more`, of `above 0 more`; of `before effect_onset`, no
    name of a readout.
    """
    short = wanted.removesuffix(WHOLE).removeprefix("above 0 ")
    return re.sub(r"\b(before|above) \w+$", r"\1", short)


def _minus(text: str) -> str:
    return re.sub(r"(?<![\w.])-(?=\d)", "−", text)


def _source(key: str | None) -> str:
    """`modasava2019` as one reads it: Modasava 2019."""
    if key is None:
        return "our own"
    return labels.sentence(re.sub(r"(?<=[a-z])(?=\d{4}$)", " ", key.replace("_", " ")))


@dataclass(frozen=True)
class Fitted:
    """Lines of text that fit their cell, and the size of their letters."""

    lines: tuple[str, ...]
    size: float


def fitted(text: str, room: float, size: float, most: int, *, bold: bool = False) -> Fitted:
    """`text` in at most so many lines of `room` points: in smaller letters where it is long, cut
    with `…` where it is longer still.
    """
    for scale in [scale for scale in SCALES if scale * size >= SMALLEST_PT] or SCALES[:1]:
        lines, rest = _wrapped(text, room, size * scale, most, bold)
        if not rest:
            break
    return Fitted(tuple(lines), size * scale)


def _wrapped(text: str, room: float, size: float, most: int, bold: bool) -> tuple[list[str], bool]:
    """Lines of at most `room` points, and whether any of it is left out."""
    lines, rest, cut = list[str](), text.split(), False
    while rest and len(lines) < most:
        kept = len(rest)
        while kept > 1 and _width(" ".join(rest[:kept]), size, bold) > room:
            kept -= 1
        line, rest = " ".join(rest[:kept]), rest[kept:]
        cut = len(lines) == most - 1 and bool(rest)
        while line and _width(line + "…" * cut, size, bold) > room:
            line, cut = line[:-1], True
        lines.append(line.rstrip() + "…" * cut)
        if cut:
            break
    return lines, cut


def _width(text: str, size: float, bold: bool) -> float:
    return size * SLACK * sum(_advance(letter, bold) for letter in text)


@lru_cache(maxsize=1024)
def _advance(letter: str, bold: bool) -> float:
    """How far a letter of size 1 takes its line."""
    font = FontProperties(size=1, weight="bold" if bold else "normal")
    width, _, _ = text_to_path.get_text_width_height_descent(f"{letter}|", font, ismath=False)
    bar, _, _ = text_to_path.get_text_width_height_descent("|", font, ismath=False)
    return float(width - bar)


def _write(
    ax: Axes,
    text: Fitted,
    x: float,
    y: float,
    line: float,
    ink: str = style.INK,
    *,
    bold: bool = False,
) -> None:
    weight = "bold" if bold else "normal"
    for k, one in enumerate(text.lines):
        ax.text(
            x,
            y + k * line,
            one,
            fontsize=text.size,
            color=ink,
            va="top",
            fontweight=weight,
        )
