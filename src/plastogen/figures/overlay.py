"""In: a table of somebody's own measurements. Out: points to lay over courses, in the units that
results are in, or relative to what was before the first dose.

Errors name file, line and column.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np

from plastogen._base.quantity import parse
from plastogen._base.text import MOST_FOLD, nearest, show
from plastogen.errors import InputError, QuantityError
from plastogen.figures.data import Array
from plastogen.figures.own_table import KEYS, Cell, OwnTable, numbers, read_table
from plastogen.simulation import READABLE, VARIABLES, bounds_of

# stored: the unit of results.nc; baseline: % of what was before the first dose; peak: % of the
# highest value in the arms that the file has
Scale: TypeAlias = Literal["stored", "baseline", "peak"]
BARS = ("low", "high")
MOST_LISTED = 12  # columns that a message names
# what people call a variable -> the variable
CALLED = {
    "rate": "rate_hz", "firing_rate": "rate_hz", "plasma": "plasma_ng_ml",
    "plasma_concentration": "plasma_ng_ml", "venous": "plasma_ng_ml",
    "venous_plasma": "plasma_ng_ml", "arterial": "arterial_ng_ml",
    "arterial_plasma": "arterial_ng_ml",
    "brain": "brain_uM", "gamma": "gamma_power",
    "delta": "delta_power", "clinical": "clinical_effect", "spines": "spine_density",
}  # fmt: skip
BASELINE = re.compile(r"% (?:of )?(?:the )?(?:baseline|before|control|pre)", re.I)
PEAK = re.compile(r"% of (?:the )?(?:peak|maximum|max)", re.I)
POINTS = re.compile(r"points?|score", re.I)
HEALTHY = re.compile(r"(?:[x×] |relative to |of )?healthy|hedges.? g|g|share|ratio", re.I)
# of these a bare number could mean two things
AMBIGUOUS = {"rate_hz": "Hz or % of baseline", "block": "% or share", "occupancy": "% or share"}
NAME = re.compile(r"(.*?)\s*(?:\((.*)\)|\[(.*)\])?")
TIME = re.compile(r"time(?:_(\w+))?", re.I)


@dataclass(frozen=True)
class Overlay:
    """Somebody's own measurements of one variable to lay over courses: points in the panel of
    `variable`, on its `scale`, for one arm, species or class where one is named.

    All arrays (points,); `below`: the value is a limit, and what was measured lay below it; `lines`
    of `file`. `low`, `high` are NaN where there are none. `beside`: arms of the same variable in
    the file.
    """

    variable: str
    label: str
    time_h: Array
    value: Array
    low: Array
    high: Array
    below: Array
    lines: Array
    file: str = ""
    scale: Scale = "stored"
    arm: str | None = None
    species: str | None = None
    class_: str | None = None
    beside: frozenset[str | None] = frozenset()

    @property
    def unit(self) -> str:
        """What its numbers are in."""
        if self.scale == "stored":
            return VARIABLES[self.variable].unit
        return f"% of {self.scale}"


def read_overlay(path: Path | str) -> list[Overlay]:
    """Own data: columns for time and value, each with its unit; optional `low`, `high`, `label`,
    `variable`, `arm`, `species`, `class`.

    The column of values is called `value` or as a variable; what all rows share may stand in the
    head instead, `# arm: ketamine`. One `Overlay` for each set of labels, points in the file's
    order. Raises InputError, with the line, for what it cannot read in one way.
    """
    table = read_table(Path(path))
    columns = _columns(table)
    if not table.rows:
        raise InputError.one(
            file=table.file, line=1, found="no rows", wanted="at least one row of data"
        )
    if "sd" in table.said and not POINTS.fullmatch(columns.unit or ""):
        line, text = table.said["sd"]
        in_points = f"{_named(columns.value)[0]} (points)"
        wanted = f"`{in_points}`, which it turns into Hedges' g, or no `# sd:`"
        raise table.fault(line, f"sd {show(text)} and no column of points", wanted)
    read = numbers(table, [c for c in (columns.time, columns.value, *columns.bars.values()) if c])
    groups: dict[tuple[str, ...], list[int]] = {}
    keys = {key: _keys(table, columns, key) for key in KEYS}
    for row in range(len(table.rows)):
        groups.setdefault(tuple(keys[key][row] for key in KEYS), []).append(row)
    found = [_overlay(table, columns, read, key, rows) for key, rows in groups.items()]
    return [
        replace(
            one, beside=frozenset(other.arm for other in found if other.variable == one.variable)
        )
        for one in found
    ]


@dataclass(frozen=True)
class _Columns:
    """Which column is what: names as they stand in the file, with the unit each is in."""

    time: str
    time_unit: str
    value: str
    unit: str | None
    variable: str | None
    bars: dict[str, str]
    others: dict[str, str]


def _columns(table: OwnTable) -> _Columns:
    named = {column: _named(column) for column in table.columns}
    times = {c: match for c, (name, _) in named.items() if (match := TIME.fullmatch(name))}
    variables = {c: _variable(name) for c, (name, _) in named.items()}
    values = [c for c, (name, _) in named.items() if name.lower() == "value" or variables[c]]
    for wanted, found in (("time_h", list(times)), ("value", values)):
        if len(found) != 1:
            _refuse_columns(table, wanted, found)
    (time,), (value,) = times, values
    bars = {name.lower(): c for c, (name, _) in named.items() if name.lower() in BARS}
    others = {name.lower(): c for c, (name, _) in named.items() if name.lower() in KEYS}
    for column, (name, _) in named.items():
        if column not in (time, value, *bars.values(), *others.values()):
            known = ("time_h", "value", *BARS, *KEYS)
            close, wanted = nearest(name, known), f"only {', '.join(known)}"
            raise table.fault(table.head_line, f"column {show(column)}", wanted, near=close or "")
    unit = named[value][1] or table.said.get("unit", (0, ""))[1] or None
    for column in bars.values():
        if (own := named[column][1]) and unit and own != unit:
            wanted = f"the unit of the values, {unit}"
            raise table.fault(table.head_line, f"column {column}", wanted)
    time_unit, own = named[time][1] or times[time][1], times[time][1]
    if own and own != time_unit:
        raise table.fault(table.head_line, f"column {show(time)}", "one unit of time")
    if not time_unit:
        wanted = "its unit: time_h, or time (min)"
        raise table.fault(table.head_line, f"column {time} without a unit", wanted)
    return _Columns(time, time_unit, value, unit, variables[value], bars, others)


def _named(column: str) -> tuple[str, str]:
    """A column's name and unit: `rate (% of baseline)` -> rate, % of baseline."""
    match = NAME.fullmatch(column)
    assert match is not None  # it matches anything on one line
    return match[1].strip(), (match[2] or match[3] or "").strip()


def _variable(name: str) -> str | None:
    word = name.strip().replace(" ", "_")
    word = CALLED.get(word.lower(), word)
    return next((name for name in READABLE if name.lower() == word.lower()), None)


def _refuse_columns(table: OwnTable, wanted: str, found: list[str]) -> None:
    if found:
        said = f"columns {' and '.join(found)}"
        one = "one column of values" if wanted == "value" else "one column of times"
        more = "; one file for each, or a row each with a `label`" if wanted == "value" else ""
        raise table.fault(table.head_line, said, f"{one}{more}")
    if len(table.columns) == 1:
        between = "names of columns, with commas, semicolons or tabs between them"
        raise table.fault(table.head_line, show(table.columns[0]), between)
    near = nearest(wanted, [_named(column)[0] for column in table.columns])
    listed = ", ".join(_cut(column) for column in table.columns[:MOST_LISTED])
    more = ", ..." if len(table.columns) > MOST_LISTED else ""
    raise table.fault(
        table.head_line,
        f"column {show(near)}" if near else f"columns {listed}{more}",
        f"a column {wanted} (needed: time_h, value; optional: low, high, {', '.join(KEYS)}; units"
        " in brackets)",
        near=wanted if near else "",
    )


def _cut(column: str) -> str:
    """A column's name as a message says it, without quotes."""
    return show(column)[1:-1]


def _keys(table: OwnTable, columns: _Columns, key: str) -> list[str]:
    """What each row is of: its own cell, else what the head says for all."""
    everyone = table.said.get(key, (0, ""))[1]
    if key == "label":
        everyone = everyone or Path(table.file).stem
    if key == "variable":
        everyone = everyone or columns.variable or ""
    own = table.text(columns.others[key]) if key in columns.others else [""] * len(table.rows)
    return [cell or everyone for cell in own]


def _overlay(
    table: OwnTable,
    columns: _Columns,
    read: Mapping[str, Sequence[Cell | None]],
    key: Sequence[str],
    rows: Sequence[int],
) -> Overlay:
    label, word, arm, species, class_ = key
    lines = [table.rows[row][0] for row in rows]
    variable = _checked_variable(table, lines[0], word, columns.unit)
    cells = {c: [read[c][row] for row in rows] for c in read}
    for column in (columns.time, columns.value):
        for line, cell in zip(lines, cells[column], strict=True):
            if cell is None:
                raise table.fault(line, "''", "a finite number, or no such row", column)
    hours = _times(table, columns, cells[columns.time], lines)
    value = _array(cells[columns.value])
    bars = {
        bar: _array(cells[columns.bars[bar]])
        if bar in columns.bars
        else np.full(value.shape, np.nan)
        for bar in BARS
    }
    below = np.array([cell is not None and cell.below for cell in cells[columns.value]])
    _check_bars(table, lines, value, bars, below)
    highest = max(cell.value for cell in read[columns.value] if cell is not None)
    scale, numbers_in = _in_unit(table, columns, variable, hours, value, highest)
    if scale == "stored" and VARIABLES[variable].unit not in ("1", "%"):
        _check_possible(table, lines, columns.value, numbers_in(value), variable)
    return Overlay(
        variable=variable,
        label=label,
        time_h=hours,
        value=numbers_in(value),
        low=numbers_in(bars["low"]),
        high=numbers_in(bars["high"]),
        below=below,
        lines=np.array(lines),
        file=table.file,
        scale=scale,
        arm=arm or None,
        species=species or None,
        class_=class_ or None,
    )


def _array(cells: Sequence[Cell | None]) -> Array:
    return np.array([math.nan if cell is None else cell.value for cell in cells])


def _checked_variable(table: OwnTable, line: int, word: str, unit: str | None) -> str:
    """The variable of a row; without a word that which its unit tells."""
    if not word:
        if unit is None or _fits(unit, "uM"):
            return "brain_uM"
        if _fits(unit, "ng/mL"):
            return "plasma_ng_ml"
        raise table.fault(line, f"values in {unit}", "a column variable, or `# variable:` above")
    if (variable := _variable(word)) is None:
        wanted = f"one of {', '.join(READABLE)}"
        raise table.fault(line, show(word), wanted, "variable", nearest(word, READABLE) or "")
    return variable


def _fits(unit: str, wanted: str) -> bool:
    try:
        parse(f"1 {unit}", wanted)
    except QuantityError:
        return False
    return True


def _times(
    table: OwnTable, columns: _Columns, cells: Sequence[Cell | None], lines: Sequence[int]
) -> Array:
    try:
        factor = parse(f"1 {columns.time_unit}", "h")
    except QuantityError as error:
        raise table.fault(
            table.head_line, f"column {columns.time}", "a unit of time", near=error.nearest or ""
        ) from None
    for line, cell in zip(lines, cells, strict=True):
        if cell is not None and cell.below:
            raise table.fault(line, f"a time below {cell.value:g}", "a finite number", columns.time)
    return _array(cells) * factor


def _check_bars(
    table: OwnTable, lines: Sequence[int], value: Array, bars: Mapping[str, Array], below: Array
) -> None:
    for line, v, low, high, limit in zip(
        lines, value, bars["low"], bars["high"], below, strict=True
    ):
        if low > high:
            raise table.fault(line, f"low {low:g} above high {high:g}", "low, then high")
        if limit and not (math.isnan(low) and math.isnan(high)):
            raise table.fault(line, f"'<{v:g}' with low or high", "a limit, or an interval")
        if not limit and (v < low or v > high):
            wanted = f"one between low {low:g} and high {high:g}"
            raise table.fault(line, f"value {v:g}", wanted.replace(" nan", ""), "value")


def _check_possible(
    table: OwnTable, lines: Sequence[int], column: str, value: Array, variable: str
) -> None:
    """No concentration and no rate below nothing; a share may, by the noise of what measures it."""
    for line, v in zip(lines, value, strict=True):
        if v < VARIABLES[variable].low:
            wanted = f"{variable} of {bounds_of(variable)}"
            raise table.fault(line, f"{v:g} {VARIABLES[variable].unit}", wanted, column)


class _Linear:
    """value -> (value - zero) x factor."""

    def __init__(self, factor: float, zero: float = 0.0) -> None:
        self.factor, self.zero = factor, zero

    def __call__(self, values: Array) -> Array:
        return (values - self.zero) * self.factor


def _in_unit(
    table: OwnTable, columns: _Columns, variable: str, hours: Array, value: Array, highest: float
) -> tuple[Scale, _Linear]:
    """On which scale the values are, and what makes them numbers on it; `highest` in the file."""
    unit, row = columns.unit, VARIABLES[variable]
    refused = (table.head_line, f"column {columns.value}" + f" in {unit}" * (unit is not None))
    percent = row.unit == "%"  # stored in % of baseline
    if unit is None:
        if variable in AMBIGUOUS:
            wanted = f"its unit in brackets, {AMBIGUOUS[variable]}: value (%)"
            raise table.fault(*refused, wanted)
        if row.scale == "relative to healthy" and float(np.nanmax(value)) > MOST_FOLD:
            found = f"{variable} of {np.nanmax(value):g} times the healthy"
            wanted = f"its unit in brackets, such as {columns.value} (%) or {columns.value} (share)"
            raise table.fault(table.head_line, found, wanted)
        return "stored", _Linear(1.0)
    if BASELINE.fullmatch(unit):
        return "stored" if percent else "baseline", _Linear(1.0)
    if PEAK.fullmatch(unit):
        return "peak", _Linear(1.0)
    if POINTS.fullmatch(unit):
        if variable == "dissociation" and highest > 0:
            return "peak", _Linear(100 / highest)
        return _of_points(table, variable, hours, value)
    if row.unit == "1" and HEALTHY.fullmatch(unit):
        return "stored", _Linear(1.0)
    try:
        return "stored", _Linear(parse(f"1 {unit}", row.unit))
    except QuantityError as error:
        known = row.unit if row.unit != "1" else f"1 ({row.scale}), %"
        wanted = f"{variable} in {known}, % of baseline or % of peak"
        raise table.fault(*refused, wanted, near=error.nearest or "") from None


def _of_points(table: OwnTable, variable: str, hours: Array, value: Array) -> tuple[Scale, _Linear]:
    """A rating scale of depression: the change since before the first dose in standard deviations
    (`# sd: 6`), which is what Hedges' g counts. One of dissociation is in % of its highest score.
    """
    line, text = table.said.get("sd", (table.head_line, ""))
    try:
        sd = parse(text.replace(",", ".").split(" ")[0], "1") if text else math.nan
    except QuantityError:
        sd = math.nan
    if variable != "clinical_effect" or not sd > 0:
        wanted = "`# sd:` above, the standard deviation of the scale before treatment, in points"
        found = f"{variable} in points" + (f" and sd {show(text)}" if text else "")
        raise table.fault(line, found, wanted)
    before = value[hours <= 0]
    if not before.size:
        wanted = "a score at time 0 or before, that the others are the change from"
        raise table.fault(table.head_line, "no score before the first dose", wanted)
    return "stored", _Linear(1 / sd, float(before[-1]))
