"""In: the `sweep:` and `design:` of an experiment. Out: a `Span` or list for every path, and a
`Design`; or why not.

sweep: {path: [1 h, 2 h]}    {path: {from: 1 h, to: 9 h, points: 5, spacing: log}}    {path: range}
sweep: [{path: 1 h, other: 3}, {path: 2 h, other: 4}]                                  points
themselves
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal, TypeAlias

import numpy as np
import pydantic
from numpy.typing import NDArray
from pydantic import BeforeValidator, Discriminator, Field, Tag

from plastogen._base.definition import Definition
from plastogen._base.quantity import Fault, faulty
from plastogen._base.text import counted, show
from plastogen._base.units import SIGNIFICANT_DIGITS, in_base, parse_any, rounded, split
from plastogen.errors import QuantityError

MAX_POINTS = 100_000
LAST_SEED = 10**15
SHOWN = 12  # values of a path that a description lists
AROUND = {
    "saltelli": 2,
    "morris": 1,
}  # designs that move numbers one by one: points of one set, beside the numbers
DRAWN = ("random", "latin_hypercube", "sobol", *AROUND)
FORMS = "a list of values, {from: 0.1 mg/kg, to: 2 mg/kg, points: 30} or the word range"


class Span(Definition):
    """Values from one end to the other, both included, evenly apart or (`log`) by even factors.

    Without ends, which is what the word `range` says, they are those of the `range:` in models/.
    `points`: how many, for a grid or a zip; the design says it otherwise.
    """

    from_: float | str | None = Field(None, alias="from")
    to: float | str | None = None
    points: int | None = Field(None, ge=2, le=MAX_POINTS)
    spacing: Literal["linear", "log"] = "linear"

    @pydantic.model_validator(mode="after")
    def _has_two_ends(self) -> Span:
        if (self.from_ is None) != (self.to is None):
            lacks = "from" if self.from_ is None else "to"
            raise faulty(
                [Fault(lacks, "nothing", "both from and to, or neither (the range in models/)")]
            )
        if self.from_ is not None and (fault := self.fault()) is not None:
            raise faulty([fault])
        return self

    def ends(self) -> tuple[float, float, str]:
        """Both ends and their unit, "" of plain numbers. Raises QuantityError."""
        low, unit = split(self.from_)
        return rounded(low), parse_any(self.to, (unit or "1",))[0], unit

    def fault(self) -> Fault | None:
        """What is wrong with the ends."""
        try:
            low, high, _ = self.ends()
        except QuantityError as error:
            return Fault("to", error.found, error.wanted, error.nearest)
        if high <= low:
            return Fault("to", show(self.to), f"more than {self.from_}, where it begins")
        if self.spacing == "log" and low <= 0:
            return Fault("spacing", f"log from {self.from_}", "linear, or ends above zero")
        return None

    def at(self, shares: NDArray[np.float64]) -> list[Any]:
        """The values at `shares` (0..1) of the way, as a person would write them."""
        low, high, unit = self.ends()
        found = (
            low * (high / low) ** shares if self.spacing == "log" else low + (high - low) * shares
        )
        return [as_written(rounded(float(value)), unit) for value in found]


def as_written(value: float, unit: str) -> Any:
    """A value as a person would write it: text with its unit, a plain number without."""
    if unit:
        return f"{value:.{SIGNIFICANT_DIGITS}g} {unit}"
    return int(value) if value.is_integer() else value


def _plain(given: object) -> object:
    """The word `range` is a span without ends; what is neither list nor mapping is refused here."""
    if given == "range":
        return {}
    if not isinstance(given, list | dict | Span):
        raise faulty([Fault("", show(given), FORMS, "range" if isinstance(given, str) else None)])
    return given


def _shape(given: object) -> str:
    return "list" if isinstance(given, list) else "mapping"


Listed: TypeAlias = Annotated[list[Any], Field(min_length=1, max_length=MAX_POINTS)]
Swept: TypeAlias = Annotated[
    Annotated[Listed, Tag("list")] | Annotated[Span, Tag("mapping")],
    Discriminator(_shape),
    BeforeValidator(_plain),
]
Points: TypeAlias = Annotated[
    list[Annotated[dict[str, Any], Field(min_length=1)]], Field(min_length=1, max_length=MAX_POINTS)
]
Sweep: TypeAlias = Annotated[
    Annotated[Points, Tag("list")] | Annotated[dict[str, Swept], Tag("mapping")],
    Discriminator(_shape),
]


class Design(Definition):
    """How points are made of what is swept. `points`: how many are drawn; `seed` draws others.

    `saltelli` and `morris` ask which number matters (`plastogen sensitivity`): around each of
    `points` they move the numbers one by one, which makes (numbers + 2) or (numbers + 1) times as
    many.
    """

    kind: Literal[
        "grid", "zip", "list", "random", "latin_hypercube", "sobol", "saltelli", "morris"
    ] = "grid"
    points: int | None = Field(default=None, ge=1, le=MAX_POINTS)
    seed: int = Field(default=1, ge=0, le=LAST_SEED)


Filled: TypeAlias = (
    Mapping[str, list[Any] | Span] | list[dict[str, Any]]
)  # a sweep whose spans have ends


def faults(sweep: Filled, design: Design) -> Iterator[Fault]:
    """What in `design:` and `sweep:` does not go together."""
    own = design.model_fields_set
    kind = kind_of(sweep, design)
    if not sweep:
        if own:
            yield Fault(
                "design", f"a design of {kind}", "a sweep: beside it, of the paths it is about"
            )
        return
    if isinstance(sweep, list):
        if design.kind != kind and "kind" in own:
            yield Fault("design.kind", show(design.kind), "list, for a sweep that lists its points")
        yield from _uneven(sweep)
    elif kind == "list":
        wanted = "a list of points, each {path: value}, in a design of this kind"
        yield Fault("sweep", show(sweep), wanted)
        return
    if kind in DRAWN and design.points is None:
        yield Fault("design.points", "nothing", "how many points are drawn, such as 200")
    if kind == "saltelli" and design.points is not None and design.points.bit_count() > 1:
        yield Fault(
            "design.points",
            str(design.points),
            "a power of two, such as 256, for the sequence behind it",
        )
    if kind not in DRAWN and "seed" in own:
        yield Fault(
            "design.seed",
            f"a seed in a {kind}",
            f"no seed, or one of {', '.join(DRAWN)}: nothing is drawn",
        )
    yield from _wholes(sweep)
    yield from _repeats(sweep, kind)
    if isinstance(sweep, list):
        if design.points is not None:
            yield Fault("design.points", str(design.points), "no number of points: they are listed")
        return
    yield from _counts(sweep, design)


def _repeats(sweep: Filled, kind: str) -> Iterator[Fault]:
    """Points of a grid, a zip or a list that come twice, however they are written."""
    if isinstance(sweep, list):
        rows, at = [tuple(map(_same, point.values())) for point in sweep], "sweep.{i}"
        written = [", ".join(map(str, point.values())) for point in sweep]
        yield from _twice(rows, written, at)
        return
    listed = {path: values for path, values in sweep.items() if isinstance(values, list)}
    if kind == "grid":
        for path, values in listed.items():
            yield from _twice([*map(_same, values)], [*map(str, values)], f"sweep.{path}.{{i}}")
    if kind == "zip" and len(listed) == len(sweep):
        rows = list(zip(*(map(_same, values) for values in listed.values()), strict=False))
        written = [", ".join(map(str, row)) for row in zip(*listed.values(), strict=False)]
        yield from _twice(rows, written, f"sweep.{next(iter(listed))}.{{i}}")


def _same(value: object) -> object:
    """What two ways to write one value have in common."""
    try:
        number, unit = split(value)
        return in_base(number, unit)
    except QuantityError:
        return (type(value).__name__, str(value))


def _twice(rows: Sequence[object], written: Sequence[str], at: str) -> Iterator[Fault]:
    first: dict[object, int] = {}
    for i, row in enumerate(rows):
        if row in first:
            found = f"'{written[i]}' again, written '{written[first[row]]}' before"
            yield Fault(at.format(i=i), found, "each value once")
        first.setdefault(row, i)


def _wholes(sweep: Filled) -> Iterator[Fault]:
    """Values that are mappings or lists: a figure and a table have no name for them."""
    points = sweep if isinstance(sweep, list) else [sweep]
    for i, point in enumerate(points):
        head = f"sweep.{i}" if isinstance(sweep, list) else "sweep"
        for path, swept in point.items():
            listed = swept if isinstance(swept, list) else [swept]
            whole = next((v for v in listed if isinstance(v, Mapping | list)), None)
            if whole is None and isinstance(sweep, list) and isinstance(swept, list):
                whole = swept
            if whole is not None:
                parts = list(whole) if isinstance(whole, Mapping) else []
                part = f", such as {path}.{parts[0]}" if parts else ""
                yield Fault(f"{head}.{path}", show(whole), f"single values: sweep a part{part}")


def _uneven(points: Sequence[Mapping[str, Any]]) -> Iterator[Fault]:
    for i, point in enumerate(points):
        for path in {**points[0], **point}:
            if path not in point or path not in points[0]:
                yield Fault(
                    f"sweep.{i}",
                    f"a point {'with' if path in point else 'without'} {path}",
                    f"the paths of the first point: {', '.join(points[0])}",
                )


def _counts(sweep: Mapping[str, list[Any] | Span], design: Design) -> Iterator[Fault]:
    """Axes whose number of points is missing, said twice, or not that of the others."""
    drawn = design.kind in DRAWN
    spans = {path: swept for path, swept in sweep.items() if isinstance(swept, Span)}
    for path, span in spans.items():
        if drawn and span.points is not None:
            wanted = f"no number of its own: design.points says how many are drawn, {design.points}"
            yield Fault(f"sweep.{path}.points", str(span.points), wanted)
        if not drawn and span.points is None and design.points is None:
            yield Fault(f"sweep.{path}", "no number of points", "points: here, or under design:")
    if (
        not drawn
        and design.points is not None
        and all(span.points is not None for span in spans.values())
    ):
        yield Fault(
            "design.points", str(design.points), "no number of points: every path has its own"
        )
    lengths = {path: length(swept, design) for path, swept in sweep.items()}
    first = next(iter(lengths))
    for path, values in lengths.items():
        if design.kind == "zip" and values != lengths[first]:
            yield Fault(
                f"sweep.{path}", f"{values} values", f"{lengths[first]}, as many as {first} has"
            )
        if design.kind in AROUND and path not in spans:
            wanted = (
                f"its ends, {{from: ..., to: ...}} or the word range: {design.kind} moves numbers"
                " between two"
            )
            yield Fault(f"sweep.{path}", "a list of values", wanted)
    if size(sweep, design) > MAX_POINTS:
        yield Fault("sweep", f"{size(sweep, design)} points", f"at most {MAX_POINTS}")


def kind_of(sweep: Filled, design: Design) -> str:
    """The kind of the design: a sweep that lists its points needs not say so."""
    return "list" if isinstance(sweep, list) and sweep else design.kind


def length(swept: list[Any] | Span, design: Design) -> int:
    """How many values a path has in a grid or a zip."""
    return len(swept) if isinstance(swept, list) else swept.points or design.points or 1


def size(sweep: Filled, design: Design) -> int:
    """How many points there are; 1, the empty one, without a sweep."""
    if not sweep:
        return 1
    if isinstance(sweep, list):
        return len(sweep)
    if design.kind in AROUND:
        return (design.points or 0) * (len(sweep) + AROUND[design.kind])
    if design.kind in DRAWN:
        return design.points or 0
    sizes = [length(swept, design) for swept in sweep.values()]
    return sizes[0] if design.kind == "zip" else math.prod(sizes)


def in_words(sweep: Filled, design: Design) -> list[str]:
    """A sweep in words: first its design, then each path and its values; empty without a sweep."""
    if not sweep:
        return []
    kind, n = kind_of(sweep, design), size(sweep, design)
    names = {
        "zip": "values side by side", "list": "a list of points",
        "random": "points drawn at random", "latin_hypercube": "a Latin hypercube",
        "sobol": "a scrambled Sobol sequence", "saltelli": "a Saltelli design, for Sobol indices",
        "morris": "Morris trajectories",
    }  # fmt: skip
    seed = f", seed {design.seed}" if kind in DRAWN else ""
    whole = [f"{names.get(kind, 'a grid')} ({counted(n, 'point')}{seed})"]
    if isinstance(sweep, list):
        return [
            *whole,
            *(f"{path}: {_some([point[path] for point in sweep])}" for path in sweep[0]),
        ]
    for path, swept in sweep.items():
        if isinstance(swept, list):
            whole.append(f"{path}: {_some(swept)}")
        else:
            count = "" if kind in DRAWN else f", {counted(length(swept, design), 'value')}"
            ends = (
                f"{swept.from_} to {swept.to}"
                if swept.from_ is not None
                else "the range in models/"
            )
            whole.append(f"{path}: {ends}{count}{', log' if swept.spacing == 'log' else ''}")
    return whole


def _some(values: Sequence[Any]) -> str:
    texts = list(dict.fromkeys(map(str, values)))
    return (
        ", ".join(texts) if len(texts) <= SHOWN else f"{', '.join(texts[:SHOWN])}, ... {texts[-1]}"
    )
