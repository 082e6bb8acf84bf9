"""In: how numbers vary between people (`varies:` of a subject's file), and how many virtual
subjects there shall be.

Out: the axis `subject`, a column for every number that varies. It is a dimension like those of a
sweep; every arm and every seed meets the same people.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from plastogen._base.quantity import Quantity
from plastogen._base.units import rounded
from plastogen.experiment.design import SUBJECT, Axis, columns
from plastogen.experiment.sweep import as_written
from plastogen.model.pharmacology import Varied, shares

Varying = Mapping[str, tuple[Varied, Quantity]]  # path -> how it varies, around which number


def axis_of(varying: Varying, count: int, seed: int, taken: Collection[str] = ()) -> Axis:
    """Virtual subjects 1 to `count` of master seed `seed`. Raises QuantityError where a number
    cannot so vary.
    """
    drawn = {}
    for path, (varied, number) in varying.items():
        unit = "" if number.unit == "1" else number.unit
        values = varied.at(shares(path, count, seed), number)
        drawn[path] = [as_written(rounded(float(value)), unit) for value in values]
    return Axis(SUBJECT, count, columns(drawn, taken))


def in_words(varying: Varying, count: int | None, name: str) -> list[str]:
    """`200 virtual subjects of virtual adult`, then a line for every number that varies; empty
    without subjects.
    """
    if not count:
        return []
    lines = [f"{count} virtual subjects of {name.replace('_', ' ')}"]
    for path, (varied, number) in varying.items():
        spread = f"cv {varied.cv.text}" if varied.cv is not None else "its range"
        lines.append(f"{path}: {varied.distribution} around {number.text}, {spread}")
    return lines
