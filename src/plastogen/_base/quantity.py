"""In: a number as it stands in a file. Out: a `Quantity`: value in the field's unit, source,
evidence.

`In` and `Given` say what a field accepts: `clearance: Annotated[Quantity, In("L/min", minimum=0)]`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pydantic_core import PydanticCustomError, core_schema

from plastogen._base.text import any_of, nearest, show
from plastogen._base.units import kind, parse, parse_any, rounded
from plastogen.errors import QuantityError

__all__ = [
    "NEEDS_NOTE", "SET_BY_USER", "Evidence", "Fault", "Given", "In", "Quantity", "QuantityError",
    "faulty", "kind", "nearest", "parse", "parse_any", "rounded", "show",
]  # fmt: skip

SET_BY_USER = "set by the user"
SMALLEST, LARGEST = 1e-9, 1e9  # no number of this field, in its unit, lies beyond (unless it is 0)


class Evidence(StrEnum):
    """How well a number stands: the levels of docs/evidence."""

    VERIFIED = "verified"
    MEMORY_HIGH = "memory-high"
    MEMORY_MEDIUM = "memory-medium"
    MEMORY_LOW = "memory-low"
    COMPUTED = "computed"
    CONSTRUCTED = "constructed"
    ASSUMED = "assumed"


NEEDS_NOTE = (Evidence.COMPUTED, Evidence.CONSTRUCTED, Evidence.ASSUMED)


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number with its unit and where it comes from; `float(q)` is its value in `unit`."""

    value: float
    unit: str
    text: str
    source: str | None = None
    evidence: str | None = None
    note: str | None = None
    range: tuple[float, float] | None = None

    def __float__(self) -> float:
        return self.value


@dataclass(frozen=True)
class Fault:
    """One thing wrong below a field: `at` is the rest of the path, "" for the field itself."""

    at: str
    found: str
    wanted: str
    nearest: str | None = None


def faulty(faults: Iterable[Fault]) -> PydanticCustomError:
    """The exception a validator raises to report faults that already know what was found and
    wanted.
    """
    listed = tuple(faults)
    return PydanticCustomError("plastogen", "see faults", {"faults": listed})


@dataclass(frozen=True)
class _Number:
    """What a field accepts: its unit, other units it takes as well, bounds (in the unit that
    fits). Units in `also` are taken without being offered: those of `alternatives` say the same.
    """

    unit: str
    alternatives: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    above: float | None = None
    below: float | None = None
    also: tuple[str, ...] = ()

    @property
    def units(self) -> tuple[str, ...]:
        return (self.unit, *self.alternatives)

    def describe(self) -> str:
        """What the field wants, in words."""
        return " or ".join(kind(unit) for unit in self.units)

    def number(self, text: object) -> tuple[float, str]:
        value, unit = parse_any(text, self.units, also=self.also)
        limits = (
            (self.minimum, "at least", value.__ge__),
            (self.above, "above", value.__gt__),
            (self.maximum, "at most", value.__le__),
            (self.below, "below", value.__lt__),
        )
        missed = [
            f"{words} {bound:g}" + ("" if unit == "1" else f" {unit}")
            for bound, words, holds in limits
            if bound is not None and not holds(float(bound))
        ]
        if missed:
            raise QuantityError(show(text), f"{kind(unit)}, {' and '.join(missed)}")
        if value and not SMALLEST <= abs(value) <= LARGEST:
            wanted = f"{kind(unit)}, of a size between {SMALLEST:g} and {LARGEST:g}"
            raise QuantityError(show(text), wanted + ("" if unit == "1" else f" {unit}"))
        return value, unit

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> core_schema.CoreSchema:
        return core_schema.no_info_plain_validator_function(self._validate)

    def _validate(self, given: object) -> Quantity:
        if isinstance(given, Quantity):
            self.number(given.text)
            return given
        if isinstance(given, Mapping):
            return self._from_mapping(given)
        return self._from_text(given)

    def _from_text(self, given: object) -> Quantity:
        try:
            value, unit = self.number(given)
        except QuantityError as error:
            raise faulty([Fault("", error.found, error.wanted, error.nearest)]) from None
        return Quantity(value, unit, str(given))

    def _from_mapping(self, given: Mapping[str, object]) -> Quantity:
        faults: list[Fault] = []
        known = ("value", "source", "evidence", "note", "range")
        for key in given:
            if key not in known:
                wanted = any_of(known)
                faults.append(Fault(key, "an unknown name", wanted, nearest(key, known)))
        value, unit = 0.0, self.unit
        if "value" not in given:
            faults.append(Fault("value", "nothing", self.describe()))
        else:
            try:
                value, unit = self.number(given["value"])
            except QuantityError as error:
                faults.append(Fault("value", error.found, error.wanted, error.nearest))
        faults.extend(self._provenance(given))
        span = given.get("range")
        ends: tuple[float, float] | None = None
        if span is not None:
            try:
                ends = self._range(span, value if "value" in given and not faults else None)
            except QuantityError as error:
                faults.append(Fault("range", error.found, error.wanted, error.nearest))
        if faults:
            raise faulty(faults)
        texts = {
            key: str(given[key])
            for key in ("source", "evidence", "note")
            if given.get(key) is not None
        }
        return Quantity(value, unit, str(given["value"]), range=ends, **texts)

    def _provenance(self, given: Mapping[str, object]) -> Iterable[Fault]:
        for key, example in (
            ("source", "a key of references.yaml, or assumed"),
            ("evidence", "memory-high"),
        ):
            if given.get(key) is None:
                yield Fault(key, "nothing", f"where the number comes from ({example})")
        for key in ("source", "evidence", "note"):
            if given.get(key) is not None and not isinstance(given[key], str):
                yield Fault(key, show(given[key]), "text")
        evidence, source = given.get("evidence"), given.get("source")
        levels = [level.value for level in Evidence]
        if isinstance(evidence, str) and evidence not in levels:
            yield Fault("evidence", show(evidence), any_of(levels), nearest(evidence, levels))
        if (evidence in NEEDS_NOTE or source in NEEDS_NOTE) and not given.get("note"):
            word = evidence if evidence in NEEDS_NOTE else source
            yield Fault("note", "nothing", f"a note saying why, because the number is {word}")

    def _range(self, span: object, value: float | None) -> tuple[float, float]:
        wanted = f"two numbers, low then high, around the value: each {self.describe()}"
        if not isinstance(span, list | tuple) or len(span) != 2:
            raise QuantityError(show(span), wanted)
        low, high = (self.number(end)[0] for end in span)
        if low > high or (value is not None and not low <= value <= high):
            raise QuantityError(f"[{span[0]}, {span[1]}]", wanted)
        return low, high


@dataclass(frozen=True)
class In(_Number):
    """A model's number: a mapping {value, source, evidence, note?, range?}, the value with its
    unit.
    """

    def _from_text(self, given: object) -> Quantity:
        example = self.describe().rpartition(" such as ")[2]
        wanted = f"a mapping such as {{value: {example}, source: zanos2016, evidence: memory-high}}"
        raise faulty([Fault("", show(given), wanted)])


@dataclass(frozen=True)
class Given(_Number):
    """An experiment's number: text such as `0.5 mg/kg` (a plain number only for unit "1"), or the
    mapping.
    """

    def _provenance(self, given: Mapping[str, object]) -> Iterable[Fault]:
        return super()._provenance(given) if {"source", "evidence"} & given.keys() else ()
