"""In: a CSV of somebody's own measurements. Out: points to lay over a course.

Errors name file, line and column.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from plastogen._base.text import nearest
from plastogen.errors import InputError
from plastogen.figures.data import Array

NEEDED = ("time_h", "value")
NUMBERS = ("time_h", "value", "low", "high")
COLUMNS = ("time_h", "value", "low", "high", "label", "variable")


@dataclass(frozen=True)
class Overlay:
    """Somebody's own measurements to lay over a course: points in the panel of `variable`, in the
    unit it is drawn in.

    Without a variable they are concentrations (the panel of `brain_uM`).
    """

    variable: str | None
    label: str
    time_h: Array
    value: Array
    low: Array
    high: Array


def read_overlay(path: Path | str) -> list[Overlay]:
    """Own data from a CSV: columns `time_h` and `value`; optional `low`, `high`, `label`,
    `variable`.

    One `Overlay` for each pair of label and variable, points in the file's order. Raises
    InputError, with the line, for a missing column, a name it does not know, or a cell that is no
    finite number.
    """
    path = Path(path)
    try:
        with path.open(newline="", encoding="utf-8-sig") as stream:
            reader = csv.DictReader(stream)
            header = [name.strip() for name in reader.fieldnames or []]
            reader.fieldnames = header
            rows = list(reader)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError.one(
            file=str(path), found=str(error), wanted="a CSV file that can be read"
        ) from None
    for column in NEEDED:
        if column not in header:
            raise InputError.one(
                file=str(path),
                line=1,
                found=f"columns {', '.join(header) or 'none'}",
                nearest=nearest(column, header),
                wanted=(
                    f"a column {column} (needed: time_h, value; optional: low, high, label,"
                    " variable)"
                ),
            )
    for column in header:
        if column not in COLUMNS:
            close = nearest(column, COLUMNS)
            known = f"only {', '.join(COLUMNS)}"
            raise InputError.one(
                file=str(path), line=1, found=f"column {column}", wanted=known, nearest=close
            )
    groups: dict[tuple[str, str], list[list[float]]] = {}
    for line, row in enumerate(rows, start=2):
        key = ((row.get("variable") or "").strip(), (row.get("label") or path.stem).strip())
        numbers = [_cell(path, line, column, row.get(column)) for column in NUMBERS]
        groups.setdefault(key, []).append(numbers)
    if not groups:
        raise InputError.one(
            file=str(path), line=1, found="no rows", wanted="at least one row of data"
        )
    return [
        Overlay(variable or None, label, *np.array(cells).T)
        for (variable, label), cells in groups.items()
    ]


def check_overlay(overlays: Sequence[Overlay], drawn: Sequence[str]) -> None:
    """Raises InputError when own data names a variable that the figure does not draw."""
    for overlay in overlays:
        if overlay.variable is not None and overlay.variable not in drawn:
            raise InputError.one(
                file=overlay.label,
                path="variable",
                found=overlay.variable,
                wanted=f"one that this figure draws: {', '.join(drawn)}",
                nearest=nearest(overlay.variable, drawn),
            )


def _cell(path: Path, line: int, column: str, text: str | None) -> float:
    if column not in NEEDED and not (text or "").strip():
        return math.nan
    value = _number(text)
    if not math.isfinite(value):
        raise InputError.one(
            file=str(path), line=line, path=column, found=repr(text or ""), wanted="a finite number"
        )
    return value


def _number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        return math.nan
