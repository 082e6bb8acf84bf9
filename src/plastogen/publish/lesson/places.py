"""In: a text of a lesson with places in braces, and an answered experiment. Out: what stands in
their place.

`{rate_E of ketamine}` is a number of the run, at a point of a sweep `{rate_E of ketamine where dose
= 0.5 mg/kg}`, with commas between the axes of a point; two of them with `minus` or `over` between;
and at the end `as %` (a share) or `as change` (of 1, or of 100 %). Means over seeds; a difference
or ratio is taken seed by seed. `{rate_E when}` is when a readout is read, `{wanted of CLAIM}` the
range that a claim asks for.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from plastogen._base.text import MOST_FOLD, TINY, any_of, nearest, rounded
from plastogen.errors import QuantityError
from plastogen.experiment import SUBJECT, OpenExperiment, mean_interval, picked
from plastogen.figures import arm_label

PLACE = re.compile(r"\{([^{}]*)\}")
NUMBER = re.compile(r"(\w+) of (\w+)(?: where (.+))?")
POINT = re.compile(r"(\w+) = (.+?)(?:, (?=\w+ = )|$)")
BETWEEN = re.compile(r" (minus|over) ")
AS = re.compile(r" as (%|change)$")
WHOLE = {"1": 1, "%": 100}  # what a level is a change of, by unit
LONG_H = 48  # from here on people say days
NO_VALUE = "no value"  # of what never happened, or of a multiple of nothing
FOLD = "-fold"  # unit of a number of times
WHEN = re.compile(r"(\w+) when")
WANTED = re.compile(r"wanted of (.+)")


@dataclass(frozen=True)
class Number:
    """A readout of an arm, at the point of the sweep where each axis of `where` has its value."""

    readout: str
    arm: str
    where: Mapping[str, str]


@dataclass(frozen=True)
class Found:
    """What a place in a text reads: itself, its mean with the 95 % interval, in `unit`, on how many
    seeds.
    """

    text: str
    mean: float
    low: float
    high: float
    unit: str
    n: int
    change: bool = False

    @property
    def in_sentence(self) -> str:
        """The mean as it stands in a sentence, rounded as one says it."""
        if np.isnan(self.mean):
            return NO_VALUE
        return minus(f"{'+' * (self.change and self.mean > TINY)}{_said(self.mean, self.unit)}") + (
            _after(self.unit)
        )

    @property
    def span(self) -> str:
        """Its interval, empty where one seed knows none."""
        return (
            ""
            if np.isnan(self.low)
            else minus(f"{_three(self.low)} to {_three(self.high)}") + _after(self.unit)
        )

    @property
    def exact(self) -> str:
        """The mean with three digits, as it stands beside its interval."""
        if np.isnan(self.mean):
            return NO_VALUE
        return minus(f"{'+' * (self.change and self.mean > TINY)}{_three(self.mean)}") + _after(
            self.unit
        )


def minus(text: str) -> str:
    """Text with the typographer's minus before numbers."""
    return re.sub(r"(?<![\w.])-(?=\d)", "−", text)


def _three(x: float) -> str:
    return rounded(x, 3)


def _said(x: float, unit: str) -> str:
    """Whole per cents, hundredths of what is near 1, else two digits (three from 100 on)."""
    size = abs(x)
    if unit == "%":
        return f"{x:.0f}" if size >= 1 or not round(x, 1) else f"{x:.1f}"
    if unit == "1" and 1 <= 10 * size < 100:
        return f"{x:.2f}".rstrip("0").rstrip(".")
    return rounded(x, 2 if size < 100 else 3)


def _after(unit: str) -> str:
    return {"1": "", FOLD: FOLD}.get(unit, f" {unit}".replace("uM", "µM"))


def fixed(place: str, opened: OpenExperiment) -> str | None:
    """What a place says that no run decides; None where it reads a number of the run."""
    if match := WHEN.fullmatch(place):
        return _when(match[1], opened)
    if (match := WANTED.fullmatch(place)) and _numbers(place) is None:
        claim = {claim.claim: claim for claim in opened.experiment.expect}[match[1]]
        low, high = (f"{end:g}" if isinstance(end, float) else end for end in claim.between or ())
        return minus(_ends(low, high))
    return None


def _when(readout: str, opened: OpenExperiment) -> str:
    one = opened.experiment.readouts[readout]
    if one.at is not None:
        return minus(one.at.text)
    if one.snapshot is not None:
        return minus(opened.experiment.snapshots[one.snapshot].text)
    start = one.from_.text if one.from_ is not None else "the start"
    return minus(_ends(start, one.until.text if one.until is not None else "the end"))


def _ends(low: str, high: str) -> str:
    """`10 to 30 min`: the unit once where both have it."""
    one, other = low.partition(" "), high.partition(" ")
    return f"{one[0] if one[2] == other[2] else low} to {high}"


def _fixed_fault(place: str, opened: OpenExperiment) -> tuple[str, str, str | None] | None:
    """What is wrong with a place that `fixed` answers: found, wanted, nearest."""
    experiment = opened.experiment
    if (match := WHEN.fullmatch(place)) and match[1] not in experiment.readouts:
        return f"{{{place}}}", any_of(experiment.readouts), nearest(match[1], experiment.readouts)
    if (match := WANTED.fullmatch(place)) and _numbers(place) is None:
        claims = [claim.claim for claim in experiment.expect if claim.between is not None]
        if match[1] not in claims:
            wanted = f"a claim of {opened.name} with `between:`, in its words"
            return f"{{{place}}}", wanted, nearest(match[1], claims)
    return None


def fault(place: str, opened: OpenExperiment) -> tuple[str, str, str | None] | None:
    """What is wrong with a place in a text: found, wanted, nearest."""
    if WHEN.fullmatch(place) or (WANTED.fullmatch(place) and _numbers(place) is None):
        return _fixed_fault(place, opened)
    numbers = _numbers(place)
    if numbers is None:
        return (
            f"{{{place}}}",
            "{readout of arm}, one or two, such as {rate_E of ketamine over rate_E of vehicle}",
            None,
        )
    experiment = opened.experiment
    for number in numbers:
        for name, known in ((number.readout, experiment.readouts), (number.arm, experiment.arms)):
            if name not in known:
                return f"{{{place}}}", any_of(known), nearest(name, known)
        try:
            points = int(picked(opened.axes, number.where).sum())
        except QuantityError as error:
            return error.found, error.wanted, error.nearest
        if points != 1:
            return (
                f"{{{place}}}, which is {points} points of the sweep",
                "one, such as `where dose = 1 mg/kg`",
                None,
            )
    return _share_fault(place, numbers, opened)


def _share_fault(
    place: str, numbers: Sequence[Number], opened: OpenExperiment
) -> tuple[str, str, str | None] | None:
    """What is wrong with `as %` or `as change`: only a share or a ratio has them."""
    how, between = AS.search(place), BETWEEN.search(place)
    one = numbers[0]
    unit = opened.experiment.readouts[one.readout].unit
    if how is None or unit in WHOLE or (between is not None and between[1] == "over"):
        return None
    return (
        f"{{{place}}}, which is in {unit}",
        f"a share, or one number over another, such as {{{one.readout} of {one.arm} over"
        f" {one.readout} of ANOTHER ARM as {how[1]}}}",
        None,
    )


def _numbers(place: str) -> list[Number] | None:
    """One or two numbers that a place reads; None when it cannot be read."""
    parts = BETWEEN.split(AS.sub("", place))[::2]
    found = [_number(part.strip()) for part in parts]
    numbers = [number for number in found if number is not None]
    return numbers if len(numbers) == len(parts) <= 2 else None


def _number(part: str) -> Number | None:
    """A readout of an arm, or None."""
    match = NUMBER.fullmatch(part)
    if match is None:
        return None
    readout, arm, point = match.groups(default="")
    where = dict(POINT.findall(point))
    whole = ", ".join(f"{axis} = {value}" for axis, value in where.items()) == point
    return Number(readout, arm, where) if whole else None


def read(place: str, opened: OpenExperiment, ds: xr.Dataset) -> Found:
    numbers, how = _numbers(place) or [], AS.search(place)
    between = BETWEEN.search(place)
    values = [_values(number, opened, ds) for number in numbers]
    readout = opened.experiment.readouts[numbers[0].readout]
    x, unit, share = values[0], readout.unit, readout.yes_no and between is None
    if between is not None and between[1] == "minus":
        x = x - values[1]
    elif between is not None:
        some = values[1] != 0  # of nothing there is no multiple
        x, unit = np.divide(x, values[1], out=np.full(x.shape, np.nan), where=some), "1"
    there = x[np.isfinite(x)]
    ends = np.array(mean_interval(there, share=share))
    change = how is not None and how[1] == "change"
    if change and (between is None or between[1] == "over"):
        ends = ends / WHOLE[unit]
        times = ends[0] > MOST_FOLD
        ends, unit, change = (ends, FOLD, False) if times else (ends - 1, "1", True)
    if how is not None and unit == "1":
        ends, unit = 100 * ends, "%"
    if unit == "h" and there.size and np.abs(there).max() < 1:
        ends, unit = 60 * ends, "min"
    elif unit == "h" and there.size and np.abs(there).min() >= LONG_H:
        ends, unit = ends / 24, "d"
    mean, low, high = (float(end) for end in ends)
    return Found(worded(place, opened), mean, low, high, unit, int(there.size), change)


def _values(number: Number, opened: OpenExperiment, ds: xr.Dataset) -> NDArray[np.float64]:
    """The readout of every seed, or of every virtual subject, the mean of its seeds."""
    values = np.asarray(ds[number.readout].sel(arm=number.arm).values, float)
    if any(axis.name == SUBJECT for axis in opened.axes):
        values = values.mean(-1, keepdims=True)
    return values[picked(opened.axes, number.where)].reshape(-1)


def worded(place: str, opened: OpenExperiment) -> str:
    """A place with the titles of what it reads."""
    experiment = opened.experiment
    told = []
    for number in _numbers(place) or []:
        title = experiment.readouts[number.readout].title or number.readout.replace("_", " ")
        arm = experiment.arms[number.arm].title or arm_label(number.arm)
        at = (f"{axis} = {minus(value)}" for axis, value in number.where.items())
        told.append(", ".join((title, arm, *at)))
    between = BETWEEN.search(place)
    return f" {between[1]} ".join(told) if between else told[0]
