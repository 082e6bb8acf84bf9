"""In: a figure as it was drawn, or the PNG it was saved as. Out: its caption, read off the drawing.

A caption names the panels that are there, what they stand over, who is drawn, and the note on the
slide; the PNG carries it as its description.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text
from PIL import Image

DESCRIPTION = "Description"
HEADING, NOTE = "heading", "note"  # gid of those texts on a slide
MOST = 12  # names that a caption lists
SCALE = re.compile(r"\$.*\$|[−-]?[\d.,]+(?: \w+)?")  # a tick that names a number, not a group


def describe(fig: Figure) -> str:
    """What is drawn, in two or three sentences."""
    drawn = [ax for ax in fig.axes if ax.get_visible() and ax.axison and ax.has_data()]
    heading, note = (_said(fig, gid).rstrip(".") for gid in (HEADING, NOTE))
    panels = _listed(_panel(ax) for ax in drawn)
    along = _listed(ax.get_xlabel() for ax in drawn)
    who = _listed(name for ax in drawn for name in _names(fig, ax))
    first = ": ".join(filter(None, (heading, panels))) + (f", against {along}" if along else "")
    told = [first, f"Drawn: {who}" if who else "", note[:1].upper() + note[1:]]
    return " ".join(f"{sentence}." for sentence in told if sentence)


def caption_of(files: Sequence[Path]) -> str:
    """The caption that the PNG among `files` carries; empty where there is none."""
    for path in files:
        if path.suffix == ".png":
            with Image.open(path) as picture:
                return str(picture.info.get(DESCRIPTION, ""))
    return ""


def _said(fig: Figure, gid: str) -> str:
    found = fig.findobj(lambda artist: isinstance(artist, Text) and artist.get_gid() == gid)
    return " ".join(artist.get_text() for artist in found if isinstance(artist, Text))


def _panel(ax: Axes) -> str:
    titles = (ax.get_title(loc=side) for side in ("left", "center", "right"))
    return " ".join(filter(None, titles)) or ax.get_ylabel()


def _names(fig: Figure, ax: Axes) -> Iterator[str]:
    """Lines in a key, and groups that stand on an axis by name."""
    for key in (*fig.legends, ax.get_legend()):
        yield from (text.get_text() for text in key.get_texts()) if key is not None else ()
    for tick in (*ax.get_yticklabels(), *ax.get_xticklabels()):
        if not SCALE.fullmatch(tick.get_text()):
            yield tick.get_text()


def _listed(names: Iterable[str]) -> str:
    """Each once, on one line, in the order drawn."""
    once = list(dict.fromkeys(" ".join(name.split()) for name in names if name.strip()))
    return "; ".join(once[:MOST]) + (f" and {len(once) - MOST} more" if len(once) > MOST else "")
