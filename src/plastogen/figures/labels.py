"""In: a unit, a path, values with their attributes. Out: the words that stand for them beside an
axis.
"""

from __future__ import annotations

import itertools
import textwrap

import xarray as xr

from plastogen._base.units import is_unit
from plastogen.experiment import title_of
from plastogen.simulation import VARIABLES

ROW_CHARS = 92  # of titles of panels beside each other
NO_BREAK = "\N{NO-BREAK SPACE}"
UNIT_TEXT = {"uM": "µM", "Hz^2": "Hz²", "Hz^2/Hz": "Hz²/Hz", "ng/mL": "ng/mL"}


def path_label(path: str) -> str:
    """What a path is about, in words: the title of a number of a model, else its last words."""
    if (title := title_of(path)) is not None:
        return title.replace("Mg2+", "Mg²⁺")
    words = path.split(".")
    kept = words[-2:] if words[-1][:1].isupper() or words[-1].isdigit() else words[-1:]
    return (
        " ".join(kept)
        .replace("_", " ")
        .replace("ic50", "IC50")
        .replace("glun2b", "share of GluN2B")
    )


def number_label(ds: xr.Dataset, path: str) -> str:
    """What a number that varies in `ds` is called there, else what its path says."""
    return next(
        (varied_label(c) for c in ds.coords.values() if c.attrs.get("path") == path),
        path_label(path),
    )


def varied_label(values: xr.DataArray) -> str:
    """What a number that varies is called: its title where results hold one, else what its path
    says.
    """
    if title := str(values.attrs.get("title", "")):
        return title.replace("Mg2+", "Mg²⁺")
    return path_label(str(values.attrs.get("path", values.name)))


def title(values: xr.DataArray) -> str:
    """What values are of, in words: the title of a readout or a variable."""
    return str(values.attrs.get("long_name", values.name))


def sentence(text: str) -> str:
    """`text` with a capital to begin with, but for words that have their own, such as mTORC1 and
    eEF2K.
    """
    word = text.partition(" ")[0]
    return text[:1].upper() + text[1:] if word == word.lower() else text


def panel_title(values: xr.DataArray, columns: int) -> str:
    """What values are of, in lines no longer than one of so many panels beside each other."""
    return wrapped(sentence(title(values)), ROW_CHARS // columns)


def cut(text: str, most: int) -> str:
    """`text`, its end left out where it has more than `most` letters."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


def wrapped(text: str, chars: int) -> str:
    """`text` in lines of so many characters, each number on one line with its unit."""
    words = text.split(" ")
    gaps = [
        NO_BREAK if before[-1:].isdigit() and is_unit(word) else " "
        for before, word in itertools.pairwise(words)
    ]
    joined = "".join(gap + word for gap, word in zip(["", *gaps], words, strict=True))
    lines = textwrap.wrap(joined, chars, break_long_words=False)
    return "\n".join(lines).replace(NO_BREAK, " ")


def unit_label(values: xr.DataArray) -> str:
    """What an axis of `values` says: their unit, or what they are relative to, or what a 1
    means.
    """
    if unit := unit_text(str(values.attrs.get("units", "1"))):
        return unit
    if values.attrs.get("yes_no"):
        return "1: yes, 0: no"
    if reference := values.attrs.get("ratio_to"):
        return f"relative to {str(reference).replace('_', ' ')}"
    if start := values.attrs.get("difference_from"):
        return f"difference from {str(start).replace('_', ' ')}"
    return VARIABLES[str(values.attrs.get("of", values.name))].scale


def unit_text(unit: str) -> str:
    """A unit as it is printed: `uM` -> `µM`, `1` -> nothing."""
    return "" if unit == "1" else UNIT_TEXT.get(unit, unit.replace("uM", "µM"))
