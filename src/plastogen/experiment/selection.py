"""In: the axes of a sweep, and what a claim says of them. Out: the points it is about; the order
along an axis.

A swept path may be named in full or as it stands in results.nc (`dose`). What cannot be is a
QuantityError: what was found, what was wanted, the nearest name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from plastogen._base.text import counted, nearest, show
from plastogen._base.units import parse
from plastogen.errors import QuantityError
from plastogen.experiment.design import Axis, Column

Value: TypeAlias = float | str
Where: TypeAlias = Mapping[str, Value | tuple[Value, Value]]
SAME = (
    1e-9  # numbers that differ by less than this share are one, whatever unit they were written in
)
MOST_LISTED = 12


def column(axes: Sequence[Axis], name: str) -> tuple[int, Column]:
    """The axis (its place among `axes`) and the column that `name` means."""
    known = {
        n: (i, own)
        for i, axis in enumerate(axes)
        for own in axis.columns
        for n in (own.path, own.name)
    }
    if name not in known:
        names = [own.name for axis in axes for own in axis.columns]
        wanted = (
            f"an axis of the sweep: {', '.join(names)}"
            if names
            else "an axis of a sweep, and there is no sweep"
        )
        raise QuantityError(show(name), wanted, nearest(name, known))
    return known[name]


def picked(axes: Sequence[Axis], where: Where) -> NDArray[np.bool_]:
    """Which points `where` is about, an array with a dimension an axis; all of them where it is
    empty.
    """
    mask = np.ones([axis.size for axis in axes], dtype=bool)
    for name, value in where.items():
        place, own = column(axes, name)
        mask &= _matches(own, value).reshape([-1 if i == place else 1 for i in range(len(axes))])
    if not mask.any():
        raise QuantityError(
            " and ".join(f"{name}: {value}" for name, value in where.items()), "at least one point"
        )
    return mask


def _matches(own: Column, value: Value | tuple[Value, Value]) -> NDArray[np.bool_]:
    """Which of a column's values are `value`, or lie between its two ends."""
    if not own.unit:
        if isinstance(value, tuple):
            raise QuantityError(show(value), f"one value, because {own.name} has no numbers")
        found = np.array([str(v) == str(value) for v in own.values])
    else:
        numbers = np.array(own.values, dtype=float)
        low, high = (
            parse(end, own.unit) for end in (value if isinstance(value, tuple) else (value, value))
        )
        slack = SAME * max(abs(low), abs(high))
        found = (numbers >= low - slack) & (numbers <= high + slack)
    if not found.any():
        raise QuantityError(_as_written(value), f"one of {extent(own)}")
    return found


def _as_written(value: Value | tuple[Value, Value]) -> str:
    return f"{value[0]} to {value[1]}" if isinstance(value, tuple) else show(value)


def value_text(own: Column, i: int) -> str:
    """One value of a column in words, numbers to four digits: `dose = 0.2037 mg/kg`."""
    text = (
        f"{own.values[i]:.4g}{f' {own.unit}' if own.unit != '1' else ''}"
        if own.unit
        else str(own.values[i])
    )
    return f"{own.name} = {text}"


def extent(own: Column) -> str:
    """A column's values in words: all of them, or how many and from where to where."""
    if len(own.written) <= MOST_LISTED:
        return ", ".join(map(str, dict.fromkeys(own.written)))
    if not own.unit:
        return f"{len(own.written)} values"
    low, high = (own.written[own.values.index(end)] for end in (min(own.values), max(own.values)))
    return f"{len(own.written)} values from {low} to {high}"


def along(
    axes: Sequence[Axis], name: str, mask: NDArray[np.bool_], least: int
) -> tuple[int, NDArray[np.intp]]:
    """The axis that `name` means, and its points in rising order of that column's numbers.

    At least `least` of them must be in `mask` wherever any is, and other columns of the axis must
    move one way beside it: where everything varies at once there is nothing to walk along.
    """
    place, own = column(axes, name)
    if not own.unit:
        raise QuantityError(show(name), "an axis of numbers")
    values = np.array(own.values, dtype=float)
    order = np.argsort(values, kind="stable")
    if (np.diff(values[order]) <= 0).any():
        raise QuantityError(
            f"{values.size} values of {own.name}, {np.unique(values).size} of them different",
            "each once",
        )
    each = mask.sum(place)
    shortest = int(each[each > 0].min())
    if shortest < least:
        raise QuantityError(f"{counted(shortest, 'value')} of {own.name}", f"{least} or more")
    for other in axes[place].columns:
        steps = np.diff(np.array(other.values, dtype=float)[order]) if other.unit else np.zeros(1)
        if (steps > 0).any() and (steps < 0).any():
            wanted = (
                "an axis along which the rest stands still or moves one way: a grid, a zip, a"
                " design of one path"
            )
            raise QuantityError(f"{own.name} beside {other.name}", wanted)
    return place, order
