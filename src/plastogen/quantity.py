"""In: what a person writes, such as `0.5 mg/kg`. Out: a `Quantity`, a float in the unit the field asks for.

Body weight is a dimension of its own: a mass below the fraction line always means body weight, so that `mg/kg`
is not a plain number and `0.5` cannot pass for it. Pint does the arithmetic and is imported on first use.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeAlias

from pydantic_core import PydanticCustomError, core_schema

if TYPE_CHECKING:
    import pint

SIGNIFICANT_DIGITS = 12
NEAREST_CUTOFF = 0.6  # how alike (difflib's ratio) a name must be to be worth suggesting
SET_BY_USER = "set by the user"

_DEFINITIONS = (
    "femto- = 1e-15 = f-", "pico- = 1e-12 = p-", "nano- = 1e-9 = n-", "micro- = 1e-6 = u-", "milli- = 1e-3 = m-",
    "centi- = 1e-2 = c-", "deci- = 1e-1 = d-", "kilo- = 1e3 = k-", "mega- = 1e6 = M-", "giga- = 1e9 = G-",
    "gram = [mass] = g", "bodygram = [body_weight] = gbw", "mole = [substance] = mol", "second = [time] = s",
    "metre = [length] = m", "volt = [potential] = V", "ampere = [current] = A", "percent = 0.01", "one = 1",
    "minute = 60 second = min", "hour = 60 minute = h", "day = 24 hour = d", "week = 7 day = wk",
    "hertz = 1 / second = Hz", "litre = (0.1 metre) ** 3 = L", "molar = mole / litre = M", "dalton = gram / mole = Da",
    "siemens = ampere / volt = S", "ohm = volt / ampere = Ohm", "farad = ampere * second / volt = F",
)  # fmt: skip
_SCALED = ("g", "mol", "s", "m", "V", "A", "L", "M", "S", "F", "Hz", "Da", "Ohm")
_PREFIXES = ("", "f", "p", "n", "u", "m", "c", "d", "k", "M", "G")
_WORDS = {
    "%": "percent", "1": "one", "min": "min", "h": "h", "d": "d", "wk": "wk",
    **{f"{word}{s}": word for word in ("second", "minute", "hour", "day", "week") for s in ("", "s")},
}  # fmt: skip
_SYMBOLS = {p + u: p + u for u in _SCALED for p in _PREFIXES} | _WORDS
_COMMON = ("s", "ms", "min", "h", "d", "g", "kg", "mg", "ug", "ng", "L", "mL", "mol", "nmol", "M", "mM", "uM", "nM", "mV", "nS",
           "pF", "pA", "Hz", "kHz", "um", "days", "hours", "minutes", "weeks")  # fmt: skip
_ALIASES = {"µ": "u", "μ": "u", "Ω": "Ohm", "·": "*", "**": "^"}

# dimension (written as one of its units) -> what a person calls it, with an example value
_KINDS = {
    "h": ("a time", "40 min"), "mg/kg": ("a dose per body weight", "0.5 mg/kg"), "mg": ("a mass", "56 mg"),
    "L": ("a volume", "3 L"), "L/kg": ("a volume per body weight", "3 L/kg"), "L/min": ("a flow", "1.5 L/min"),
    "L/min/kg": ("a flow per body weight", "0.02 L/min/kg"), "uM": ("a concentration", "1 uM"),
    "ng/mL": ("a mass concentration", "200 ng/mL"), "mV": ("a voltage", "-65 mV"), "nS": ("a conductance", "10 nS"),
    "pF": ("a capacitance", "200 pF"), "pA": ("a current", "50 pA"), "Hz": ("a rate", "8 Hz"),
    "g/mol": ("a molar mass", "237.7 g/mol"), "1/mM/s": ("a binding rate", "1 1/mM/s"), "um": ("a length", "10 um"),
    "1/mM": ("a reciprocal concentration", "1 1/mM"), "MOhm": ("a resistance", "100 MOhm"),
    "1": ("a plain number", "0.5"),
}  # fmt: skip


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


class QuantityError(ValueError):
    """One thing wrong with a number: what was found, what was wanted, the nearest valid name if any."""

    def __init__(self, found: str, wanted: str, nearest: str | None = None) -> None:
        self.found, self.wanted, self.nearest = found, wanted, nearest
        super().__init__(f"found {found}, wanted {wanted}" + (f"; nearest valid name: {nearest}" if nearest else ""))


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


def nearest(word: str, choices: Iterable[str], *, cutoff: float = NEAREST_CUTOFF) -> str | None:
    """The choice most like `word`, or None when nothing is close."""
    by_lower: dict[str, str] = {}
    for choice in choices:
        by_lower.setdefault(choice.lower(), choice)
    close = difflib.get_close_matches(word.lower(), by_lower, n=1, cutoff=cutoff)
    return by_lower[close[0]] if close else None


def show(value: object) -> str:
    """`value` as an error message shows it: short, and as it would stand in the file."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):
        return f"a mapping with {', '.join(map(str, value))}" if value else "an empty mapping"
    if isinstance(value, list | tuple):
        return f"a list of {len(value)}" if value else "an empty list"
    if isinstance(value, str):
        return f"'{value if len(value) <= 60 else value[:57] + '...'}'"
    return str(value)


def rounded(value: float) -> float:
    """`value` to 12 significant digits, so that 1 mM and 1000 uM are one number."""
    return float(f"{value:.{SIGNIFICANT_DIGITS}g}")


@lru_cache(maxsize=1)
def _registry() -> pint.UnitRegistry[Any]:
    import pint

    registry: pint.UnitRegistry[Any] = pint.UnitRegistry(None)
    registry.load_definitions(list(_DEFINITIONS))
    return registry


@lru_cache(maxsize=512)
def _unit(text: str) -> pint.Quantity[Any]:
    """One of the unit written as `text`; the grammar is names, `/`, `*`, a space, and `^` with a whole number."""
    clean = text
    for written, meant in _ALIASES.items():
        clean = clean.replace(written, meant)
    clean = re.sub(r"\s*([/*^])\s*", r"\1", clean.strip())
    parts = re.split(r"([/* ])", f"1{clean}" if clean.startswith("/") else clean)
    unit = _registry().Quantity(1, "one")
    for operator, part in zip(["*", *parts[1::2]], parts[0::2], strict=True):
        match = re.fullmatch(r"([^\d^]+|1)(?:\^?(-?\d))?", part)
        name = match[1] if match else part
        if match is None or name not in _SYMBOLS:
            raise QuantityError(f"the unit '{text}'", "a known unit", nearest(name, _COMMON, cutoff=0.5))
        power = int(match[2] or 1) * (-1 if operator == "/" else 1)
        of_body = power < 0 and name.endswith("g")
        unit = unit * _registry().Quantity(1, _SYMBOLS[name] + ("bw" if of_body else "")) ** power
    return unit


@lru_cache(maxsize=512)
def _factor(written: str, unit: str) -> float | None:
    """How many `unit` one `written` is; None when the two measure different things."""
    source, target = _unit(written), _unit(unit)
    if source.dimensionality != target.dimensionality:
        return None
    return float((source / target).to("one").magnitude)


@lru_cache(maxsize=64)
def kind(unit: str) -> str:
    """What a number in `unit` is, in words, with an example: "a time such as '40 min'"."""
    for known, (name, example) in _KINDS.items():
        if _factor(known, unit) is not None:
            if known in ("1", "h", "Hz") and unit != "1" and not _same_style(known, unit):
                example = f"1 {unit}"
            return f"{name} such as {example}" if unit == "1" else f"{name} such as '{example}'"
    return f"a number in {unit} such as '1 {unit}'"


def _same_style(known: str, unit: str) -> bool:
    return ("/" in known) == ("/" in unit)


_NUMBER = re.compile(r"\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|[+-]?\.?(?:nan|inf(?:inity)?)\b)\s*(.*?)\s*", re.I)


def parse(text: object, unit: str) -> float:
    """`text` ("40 min", or a bare number when `unit` is "1") as a float in `unit`, to 12 significant digits.

    Raises QuantityError (a ValueError) saying what was found, what was wanted and the nearest valid unit.
    """
    return parse_any(text, (unit,))[0]


def parse_any(text: object, units: tuple[str, ...]) -> tuple[float, str]:
    """Like `parse` for a field that takes one of several kinds (a dose in mg/kg or in mg): (value, unit that fitted)."""
    wanted = " or ".join(kind(unit) for unit in units)
    if isinstance(text, bool) or not isinstance(text, str | int | float):
        raise QuantityError(show(text), wanted)
    match = _NUMBER.fullmatch(text if isinstance(text, str) else repr(text))
    if match is None:
        raise QuantityError(show(text), wanted)
    digits, written = match[1], match[2]
    number = float(digits.replace(".", "") if digits[-1].isalpha() else digits)
    if not math.isfinite(number):
        raise QuantityError(show(text), f"a finite number: {wanted}")
    if not written and "1" not in units:
        raise QuantityError(f"{show(text)} without a unit", wanted)
    for unit in units:
        try:
            factor = _factor(written or "1", unit)
        except QuantityError as error:
            raise QuantityError(show(text), wanted, error.nearest) from None
        if factor is not None:
            return rounded(number * factor), unit
    raise QuantityError(show(text), wanted)


@dataclass(frozen=True)
class Fault:
    """One thing wrong below a field: `at` is the rest of the path, "" for the field itself."""

    at: str
    found: str
    wanted: str
    nearest: str | None = None


def faulty(faults: Iterable[Fault]) -> PydanticCustomError:
    """The exception a validator raises to report faults that already know what was found and wanted."""
    listed = tuple(faults)
    return PydanticCustomError("plastogen", "see faults", {"faults": listed})


@dataclass(frozen=True)
class _Number:
    """What a field accepts: its unit, other units it takes as well, and bounds (in the first unit that fits)."""

    unit: str
    alternatives: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    above: float | None = None
    below: float | None = None

    @property
    def units(self) -> tuple[str, ...]:
        return (self.unit, *self.alternatives)

    def describe(self) -> str:
        """What the field wants, in words."""
        return " or ".join(kind(unit) for unit in self.units)

    def number(self, text: object) -> tuple[float, str]:
        value, unit = parse_any(text, self.units)
        limits = (
            (self.minimum, "at least", value.__ge__), (self.above, "above", value.__gt__),
            (self.maximum, "at most", value.__le__), (self.below, "below", value.__lt__),
        )  # fmt: skip
        missed = [
            f"{words} {bound:g}" + ("" if unit == "1" else f" {unit}")
            for bound, words, holds in limits
            if bound is not None and not holds(float(bound))
        ]
        if missed:
            raise QuantityError(show(text), f"{kind(unit)}, {' and '.join(missed)}")
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
                faults.append(Fault(key, "an unknown name", f"one of {', '.join(known)}", nearest(key, known)))
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
        texts = {key: str(given[key]) for key in ("source", "evidence", "note") if given.get(key) is not None}
        return Quantity(value, unit, str(given["value"]), range=ends, **texts)

    def _provenance(self, given: Mapping[str, object]) -> Iterable[Fault]:
        for key, example in (("source", "a key of references.yaml, or assumed"), ("evidence", "memory-high")):
            if given.get(key) is None:
                yield Fault(key, "nothing", f"where the number comes from ({example})")
        for key in ("source", "evidence", "note"):
            if given.get(key) is not None and not isinstance(given[key], str):
                yield Fault(key, show(given[key]), "text")
        evidence, source = given.get("evidence"), given.get("source")
        levels = [level.value for level in Evidence]
        if isinstance(evidence, str) and evidence not in levels:
            yield Fault("evidence", show(evidence), f"one of {', '.join(levels)}", nearest(evidence, levels))
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
    """A model's number: a mapping {value, source, evidence, note?, range?}. Use as `Annotated[Quantity, In("L/min")]`."""

    def _from_text(self, given: object) -> Quantity:
        example = self.describe().rpartition(" such as ")[2]
        wanted = f"a mapping such as {{value: {example}, source: zanos2016, evidence: memory-high}}"
        raise faulty([Fault("", show(given), wanted)])


@dataclass(frozen=True)
class Given(_Number):
    """An experiment's number: bare text such as `0.5 mg/kg` (a plain number only for unit "1"), or the mapping."""

    def _provenance(self, given: Mapping[str, object]) -> Iterable[Fault]:
        return super()._provenance(given) if {"source", "evidence"} & given.keys() else ()


Number: TypeAlias = In | Given
