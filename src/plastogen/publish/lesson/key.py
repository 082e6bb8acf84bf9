"""In: a `Lesson` and an answered experiment. Out: its answer key: texts filled in, claims as they
came out.

A text reads numbers of the run in braces: `{rate_E of ketamine}`, at a point of a sweep `{rate_E of
ketamine where dose = 0.5 mg/kg}`, with commas between the axes of a point; two of them with `minus`
or `over` between; and at the end `as %` (a share) or `as change` (of 1, or of 100 %).
Means over seeds; a difference or ratio is taken seed by seed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from plastogen._base.document import Document
from plastogen._base.text import any_of, nearest, show
from plastogen.errors import InputError, Problem, QuantityError
from plastogen.experiment import SUBJECT, OpenExperiment, Verdict, mean_interval, picked
from plastogen.figures import arm_label
from plastogen.publish.lesson.definition import Lesson

PLACE = re.compile(r"\{([^{}]*)\}")
NUMBER = re.compile(r"(\w+) of (\w+)(?: where (.+))?")
POINT = re.compile(r"(\w+) = (.+?)(?:, (?=\w+ = )|$)")
BETWEEN = re.compile(r" (minus|over) ")
AS = re.compile(r" as (%|change)$")
TINY = 1e-9
WHOLE = {"1": 1, "%": 100}  # what a level is a change of, by unit


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
        """The mean as it stands in a sentence."""
        sign, whole = "+" if self.change else "", abs(self.mean) >= 1 or not round(self.mean, 1)
        number = (
            f"{self.mean:{sign}.{0 if whole else 1}f}"
            if self.unit == "%"
            else f"{self.mean:{sign}.3g}"
        )
        return minus(number) + _after(self.unit)

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
        return minus(f"{'+' * (self.change and self.mean > TINY)}{_three(self.mean)}") + _after(
            self.unit
        )


@dataclass(frozen=True)
class Checked:
    """A claim that an answer rests on, and whether it came out as the answer says."""

    verdict: Verdict
    holds: bool

    @property
    def agrees(self) -> bool:
        return self.verdict.outcome != "undecided" and (self.verdict.outcome == "met") == self.holds


@dataclass(frozen=True)
class Key:
    """Every text of a lesson filled in, in the order of the file, and what each answer rests on."""

    answers: tuple[str, ...]
    instead: tuple[str, ...]
    not_shown: tuple[str, ...]
    checked: tuple[tuple[Checked, ...], ...]
    numbers: tuple[Found, ...]

    @property
    def disagreements(self) -> list[Checked]:
        """Claims that came out other than the answers say, each once."""
        every = {
            one.verdict.claim: one for group in self.checked for one in group if not one.agrees
        }
        return list(every.values())


def minus(text: str) -> str:
    """Text with the typographer's minus before numbers."""
    return re.sub(r"(?<![\w.])-(?=\d)", "−", text)


def _three(x: float) -> str:
    """Three digits; what is left of a difference of equal numbers is 0."""
    return f"{x if abs(x) > TINY else 0:.3g}"


def _after(unit: str) -> str:
    return "" if unit == "1" else f" {unit}".replace("uM", "µM")


def texts(lesson: Lesson) -> Iterator[tuple[str, str]]:
    """(path, text) of every text that may read numbers."""
    yield from ((f"questions.{i}.answer", q.answer) for i, q in enumerate(lesson.questions))
    yield from (
        (f"misconceptions.{i}.instead", m.instead) for i, m in enumerate(lesson.misconceptions)
    )
    yield from ((f"not_shown.{i}", text) for i, text in enumerate(lesson.not_shown))


def check(lesson: Lesson, document: Document, opened: OpenExperiment) -> None:
    """Raises InputError, all at once: claims the experiment does not make, numbers it does not
    have.
    """
    problems = list[Problem]()
    claims = [claim.claim for claim in opened.experiment.expect]
    for i, asked in enumerate(lesson.questions):
        for key, named in (("holds", asked.holds), ("misses", asked.misses)):
            for k, claim in enumerate(named):
                if claim not in claims:
                    wanted = (
                        f"a claim of {opened.name}, in its words; plastogen show {opened.name}"
                        " lists them"
                    )
                    at = f"questions.{i}.{key}.{k}"
                    problems.append(
                        document.problem(at, show(claim), wanted, nearest(claim, claims))
                    )
    for i, name in enumerate(lesson.readouts):
        if name not in (known := opened.experiment.readouts):
            problems.append(
                document.problem(f"readouts.{i}", show(name), any_of(known), nearest(name, known))
            )
    for path, text in texts(lesson):
        for place in PLACE.findall(text):
            fault = _fault(place, opened)
            if fault is not None:
                problems.append(document.problem(path, *fault))
    if problems:
        raise InputError(problems)


def _fault(place: str, opened: OpenExperiment) -> tuple[str, str, str | None] | None:
    """What is wrong with a place in a text: found, wanted, nearest."""
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
    return None


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


def key(lesson: Lesson, opened: OpenExperiment, ds: xr.Dataset, verdicts: Sequence[Verdict]) -> Key:
    """The key of a lesson that `check` found sound."""
    numbers: dict[str, Found] = {}

    def filled(text: str) -> str:
        for place in PLACE.findall(text):
            numbers.setdefault(place, _found(place, opened, ds))
        return " ".join(PLACE.sub(lambda match: numbers[match[1]].in_sentence, text).split())

    by_claim: Mapping[str, Verdict] = {verdict.claim: verdict for verdict in verdicts}
    checked = tuple(
        tuple(
            Checked(by_claim[claim], holds)
            for holds, named in ((True, q.holds), (False, q.misses))
            for claim in named
        )
        for q in lesson.questions
    )
    return Key(
        tuple(filled(q.answer) for q in lesson.questions),
        tuple(filled(m.instead) for m in lesson.misconceptions),
        tuple(filled(text) for text in lesson.not_shown),
        checked,
        tuple(numbers.values()),
    )


def _found(place: str, opened: OpenExperiment, ds: xr.Dataset) -> Found:
    numbers, how = _numbers(place) or [], AS.search(place)
    between = BETWEEN.search(place)
    values = [_values(number, opened, ds) for number in numbers]
    unit = opened.experiment.readouts[numbers[0].readout].unit
    x, share = values[0], opened.experiment.readouts[numbers[0].readout].yes_no
    if between is not None:
        x = x - values[1] if between[1] == "minus" else x / values[1]
        unit, share = unit if between[1] == "minus" else "1", False
    there = x[np.isfinite(x)]
    ends = np.array(mean_interval(there, share=share))
    change = how is not None and how[1] == "change"
    if change and (between is None or between[1] == "over"):
        ends = ends - WHOLE.get(unit, 1)
    if how is not None and unit == "1":
        ends, unit = 100 * ends, "%"
    if unit == "h" and there.size and np.abs(there).max() < 1:
        ends, unit = 60 * ends, "min"
    mean, low, high = (float(end) for end in ends)
    return Found(_worded(place, opened), mean, low, high, unit, int(there.size), change)


def _values(number: Number, opened: OpenExperiment, ds: xr.Dataset) -> NDArray[np.float64]:
    """The readout of every seed, or of every virtual subject, the mean of its seeds."""
    values = np.asarray(ds[number.readout].sel(arm=number.arm).values, float)
    if any(axis.name == SUBJECT for axis in opened.axes):
        values = values.mean(-1, keepdims=True)
    return values[picked(opened.axes, number.where)].reshape(-1)


def _worded(place: str, opened: OpenExperiment) -> str:
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
