"""In: a table that somebody kept: text in any usual encoding, columns split by comma, semicolon or
tab. Out: `OwnTable`: its head, its rows with their lines, and numbers, read one way for all rows.

Lines that begin with `#` are a head: `# decimal: comma` says how numbers are written, `# arm:
ketamine` what all rows are of; any other is a comment. `<0.5` is a value below what can be
measured. Where two readings fit, nothing is guessed: the error asks.
"""

from __future__ import annotations

import codecs
import csv
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from plastogen._base.quantity import LARGEST
from plastogen._base.text import counted, nearest, show
from plastogen._base.textfile import check_printable, read_bytes
from plastogen.errors import InputError

Decimal: TypeAlias = Literal["point", "comma"]
WANTED = "a CSV file that can be read"
MARKS = {  # UTF-32 first: its mark begins with that of UTF-16
    codecs.BOM_UTF32_LE: "utf-32", codecs.BOM_UTF32_BE: "utf-32", codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16", codecs.BOM_UTF8: "utf-8-sig",
}  # fmt: skip
SEPARATORS = {";": "semicolon", "\t": "tab", ",": "comma"}
KEYS = ("label", "variable", "arm", "species", "class")  # of a row, or in the head for all
SAID = ("decimal", "unit", "sd", *KEYS)  # what the head may say
EXCEL = re.compile(r"sep=(.|\\t)", re.I)  # what Excel writes above a table
HEAD = re.compile(r"#\s*(\w+)\s*[:=]\s*(.*?)\s*")
_THOUSANDS = r"[1-9]\d{{0,2}}(?:{0}\d{{3}})+(?:{1}\d*)?"
_PLAIN = r"(?:\d+(?:{1}\d*)?|{1}\d+)(?:[eE][+-]?\d+)?"
SHAPES: Mapping[Decimal, re.Pattern[str]] = {
    "point": re.compile(rf"[+-]?(?:{_PLAIN}|{_THOUSANDS})".format(",", r"\.")),
    "comma": re.compile(rf"[+-]?(?:{_PLAIN}|{_THOUSANDS})".format(r"\.", ",")),
}


@dataclass(frozen=True)
class Cell:
    """A number as read; `below`: it is the limit that what was measured lay below."""

    value: float
    below: bool = False


@dataclass(frozen=True)
class OwnTable:
    """A table as text: what its `#` head says, the names of its columns, each row with its line."""

    file: str
    said: Mapping[str, tuple[int, str]]
    head_line: int
    columns: tuple[str, ...]
    rows: tuple[tuple[int, tuple[str, ...]], ...]
    separator: str

    def text(self, column: str) -> list[str]:
        """The cells of a column, stripped."""
        at = self.columns.index(column)
        return [cells[at].strip() for _, cells in self.rows]

    def fault(
        self, line: int, found: str, wanted: str, path: str = "", near: str = ""
    ) -> InputError:
        """What is wrong on a line, as an error."""
        return InputError.one(
            file=self.file, line=line, path=path, found=found, wanted=wanted, nearest=near or None
        )


def read_table(path: Path) -> OwnTable:
    """The table in a file. Raises InputError."""
    file, text = str(path), _decoded(path)
    check_printable(text, file)
    said: dict[str, tuple[int, str]] = {}
    lines: list[tuple[int, str]] = []
    for number, line in enumerate(text.splitlines(), start=1):
        if line.lstrip().startswith("#"):
            if not lines and (match := HEAD.fullmatch(line.strip())):
                _note(file, said, match[1].lower(), (number, match[2]))
        elif line.strip(" ;,\t"):
            lines.append((number, line))
    if not lines:
        raise InputError.one(file=file, line=1, found="columns none", wanted="a row of names first")
    named = EXCEL.fullmatch(lines[0][1].strip())
    if named and len(lines) > 1:
        separator = named[1].replace("\\t", "\t")
        del lines[0]
    else:
        separator = next((s for s in SEPARATORS if s in lines[0][1]), ",")
    rows = [(number, _split(file, number, line, separator)) for number, line in lines]
    head_line, names = rows[0]
    filled = [at for at, name in enumerate(names) if name.strip()]
    while filled[-1] < len(names) - 1 and not any(_at(cells, len(names) - 1) for _, cells in rows):
        names = names[:-1]  # a spreadsheet's empty columns on the right
    columns = tuple(name.strip() for name in names)
    table = OwnTable(file, said, head_line, columns, tuple(rows[1:]), separator)
    _check_shape(table)
    return table


def _at(cells: Sequence[str], column: int) -> str:
    return cells[column].strip() if column < len(cells) else ""


def _note(file: str, said: dict[str, tuple[int, str]], key: str, told: tuple[int, str]) -> None:
    """Takes a line of the head down. Raises InputError for one that contradicts another, or that
    is nearly what a head may say; any other is a remark.
    """
    if key in said and said[key][1] != told[1]:
        found = f"{key} {show(told[1])}, and {show(said[key][1])} in line {said[key][0]}"
        raise InputError.one(file=file, line=told[0], path=key, found=found, wanted="one of them")
    near = None if key in SAID else nearest(key, SAID)
    if near is not None:
        wanted = f"one of {', '.join(SAID)}, or a remark without a colon"
        raise InputError.one(file=file, line=told[0], found=show(key), wanted=wanted, nearest=near)
    said[key] = told


def _decoded(path: Path) -> str:
    """The text of a file: by its mark, else UTF-8, else UTF-16 where every other byte is 0, else
    Windows' Latin-1.
    """
    raw = read_bytes(path, WANTED)
    encodings = [name for mark, name in MARKS.items() if raw.startswith(mark)][:1]
    if not encodings:
        odd, even = raw[1::2], raw[0::2]
        if len(odd) and 2 * odd.count(0) > len(odd) and not even.count(0):
            encodings = ["utf-16-le"]
        elif len(even) and 2 * even.count(0) > len(even) and not odd.count(0):
            encodings = ["utf-16-be"]
        else:
            encodings = ["utf-8", "cp1252"]
    for encoding in encodings:
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError as error:
            line = raw.count(b"\n", 0, error.start) + 1
    found = f"bytes that are not text in {' or '.join(encodings)}"
    raise InputError.one(file=str(path), line=line, found=found, wanted=WANTED)


def _split(file: str, number: int, line: str, separator: str) -> tuple[str, ...]:
    try:
        (cells,) = csv.reader([line], delimiter=separator, strict=True, skipinitialspace=True)
    except (csv.Error, ValueError) as error:
        found = f"{show(line.strip())} ({error})"
        raise InputError.one(file=file, line=number, found=found, wanted=WANTED) from None
    return tuple(cells)


def _check_shape(table: OwnTable) -> None:
    """Every column has a name of its own and every row as many cells. Raises InputError."""
    for at, name in enumerate(table.columns):
        if not name:
            found = f"no name for column {at + 1}"
            raise table.fault(table.head_line, found, "a name for each column")
        if name in table.columns[:at]:
            raise table.fault(table.head_line, f"two columns {show(name)}", "each column once")
    for line, cells in table.rows:
        extra = cells[len(table.columns) :]
        if len(cells) < len(table.columns) or any(cell.strip() for cell in extra):
            found = f"{counted(len(cells), 'cell')}, {show(table.separator.join(cells))}"
            wanted = f"{len(table.columns)}, as the head names"
            if extra and table.separator == ",":
                wanted += "; decimal commas need semicolons between columns"
            raise table.fault(line, found, wanted)


def numbers(table: OwnTable, columns: Sequence[str]) -> dict[str, list[Cell | None]]:
    """Columns of numbers, all written one way; None for an empty cell. Raises InputError."""
    cells = [
        (line, column, _bare(text))
        for column in columns
        for (line, _), text in zip(table.rows, table.text(column), strict=True)
        if text
    ]
    decimal = _decimal(table, cells)
    read = {
        (line, column): _cell(table, line, column, text, decimal) for line, column, text in cells
    }
    return {column: [read.get((line, column)) for line, _ in table.rows] for column in columns}


def _bare(text: str) -> str:
    """A number without signs and spaces of typesetting."""
    return text.replace("\u2212", "-").replace("\u00a0", "").replace("\u202f", "").strip()


def _decimal(table: OwnTable, cells: Iterable[tuple[int, str, str]]) -> Decimal:
    """How the numbers of a table are written: as its head says, else the one way that fits."""
    asked = "`# decimal: comma` or `# decimal: point` above the names of the columns"
    if "decimal" in table.said:
        line, word = table.said["decimal"]
        if word not in SHAPES:
            raise table.fault(
                line, show(word), "comma or point", "decimal", nearest(word, SHAPES) or ""
            )
        return "comma" if word == "comma" else "point"
    written = [(line, column, text.lstrip("< ")) for line, column, text in cells]
    marked = [one for one in written if "," in one[2] or "." in one[2]]
    misfits: dict[Decimal, tuple[int, str, str] | None] = {
        way: next((one for one in marked if not shape.fullmatch(one[2])), None)
        for way, shape in SHAPES.items()
    }
    if not marked or misfits["comma"] is not None:
        return "point"  # what fits neither way is refused where it is read
    if misfits["point"] is not None:
        return "comma"
    if table.separator == "," and not any("," in text for _, _, text in marked):
        return "point"
    line, column, text = marked[0]
    wanted = f"a number that can be read in one way only: {asked}"
    raise table.fault(line, f"{show(text)}, {_both(text)}", wanted, column)


def _both(text: str) -> str:
    return " or ".join(f"{_value(text, way):g}" for way in SHAPES)


def _value(text: str, decimal: Decimal) -> float:
    if not SHAPES[decimal].fullmatch(text):
        return math.nan
    thousands, mark = (".", ",") if decimal == "comma" else (",", ".")
    return float(text.replace(thousands, "").replace(mark, "."))


def _cell(table: OwnTable, line: int, column: str, text: str, decimal: Decimal) -> Cell:
    below = text.startswith("<")
    value = _value(text.lstrip("< "), decimal)
    if not math.isfinite(value) or abs(value) > LARGEST:
        wanted = f"a number of at most {LARGEST:g}" if math.isfinite(value) else "a finite number"
        if re.fullmatch(r"(?i)b?l?lo?q|bql|n\.?d\.?|lod", text):
            wanted += "; write what lies below what can be measured with its limit, such as <0.5"
        elif any(shape.fullmatch(text) for shape in SHAPES.values()):
            wanted += f", written with a decimal {decimal} as the others are"
        raise table.fault(line, show(text), wanted, column)
    return Cell(value, below)
