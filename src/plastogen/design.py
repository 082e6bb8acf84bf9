"""In: the paths a sweep names and the values it gives them. Out: `Axis`es, the dimensions of its results.

A grid has an axis for every path. Any other design has a single axis, `point`, with a column for every path.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from plastogen.readout import VARIABLES
from plastogen.units import QuantityError, parse_any


@dataclass(frozen=True)
class Column:
    """What one path is set to along an axis.

    `written`: as it is set, text with its unit. `values`: numbers in `unit`, or text and "" where it is no quantity.
    """

    name: str
    path: str
    written: tuple[Any, ...]
    values: tuple[Any, ...]
    unit: str


@dataclass(frozen=True)
class Axis:
    """One dimension of a sweep, `name` in results.nc; every column has `size` values."""

    name: str
    size: int
    columns: tuple[Column, ...]


def columns(swept: Mapping[str, Sequence[Any]]) -> tuple[Column, ...]:
    """A column for each path, named by its last word where that is unique."""
    last = [path.rpartition(".")[2] for path in swept]
    found = []
    for word, (path, written) in zip(last, swept.items(), strict=True):
        name = word if last.count(word) == 1 and word not in VARIABLES else path.replace(".", "_")
        values, unit = _as_numbers(written)
        found.append(Column(name, path, tuple(written), values, unit))
    return tuple(found)


def points(axes: Sequence[Axis]) -> Iterator[tuple[tuple[int, ...], dict[str, Any]]]:
    """Every point: its place on each axis, and path -> value as written; one empty point without axes."""
    for index in product(*(range(axis.size) for axis in axes)):
        at = zip(axes, index, strict=True)
        yield index, {column.path: column.written[i] for axis, i in at for column in axis.columns}


def _as_numbers(written: Sequence[Any]) -> tuple[tuple[Any, ...], str]:
    """Values as numbers in the unit of the first, or as text where they are not quantities."""
    if all(isinstance(v, int | float) and not isinstance(v, bool) for v in written):
        return tuple(float(v) for v in written), "1"
    words = [str(v).split(maxsplit=1) for v in written]
    if all(len(w) == 2 for w in words):
        try:
            return tuple(parse_any(str(v), (words[0][1],))[0] for v in written), words[0][1]
        except QuantityError:
            pass
    return tuple(str(v) for v in written), ""
