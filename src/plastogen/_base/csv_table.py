"""In: rows of a table. Out: CSV that a spreadsheet shows and never runs."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from typing import Any, TextIO

RUN_BY_SPREADSHEETS = ("=", "+", "-", "@", "\t", "\r")  # how a formula begins


class CsvWriter:
    """Writes rows; a text that is a formula to a spreadsheet gets an apostrophe before it."""

    def __init__(self, file: TextIO) -> None:
        self._writer = csv.writer(file, lineterminator="\n")

    def row(self, cells: Iterable[Any]) -> None:
        """One row."""
        self._writer.writerow([inert(cell) for cell in cells])

    def rows(self, many: Iterable[Iterable[Any]]) -> None:
        """Many rows."""
        for cells in many:
            self.row(cells)


def inert(cell: Any) -> Any:
    """A cell that no spreadsheet runs: numbers, written as such or as text, stay what they are."""
    if not isinstance(cell, str) or not cell.startswith(RUN_BY_SPREADSHEETS):
        return cell
    try:
        float(cell)
    except ValueError:
        return f"'{cell}"
    return cell
