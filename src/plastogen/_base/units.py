"""In: text such as `0.5 mg/kg` and the unit a field asks for. Out: a float in it, or a
`QuantityError`.

Body weight is a dimension of its own: a mass below the fraction line always means body weight, so
`mg/kg` is not a plain number and `0.5` cannot pass for it.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

from plastogen._base.text import nearest, show
from plastogen.errors import QuantityError

SIGNIFICANT_DIGITS = 12


class Unit(NamedTuple):
    """How many base units one is, exactly, and the power of each dimension, sorted."""

    factor: Fraction
    powers: tuple[tuple[str, int], ...]


# symbol -> how many base units it is, and of which dimensions
_UNITS: dict[str, tuple[Fraction | int, dict[str, int]]] = {
    "one": (1, {}), "percent": (Fraction(1, 100), {}),
    "g": (1, {"mass": 1}), "mol": (1, {"substance": 1}), "m": (1, {"length": 1}),
    "s": (1, {"time": 1}), "min": (60, {"time": 1}), "h": (3600, {"time": 1}),
    "d": (86400, {"time": 1}), "wk": (604800, {"time": 1}), "Hz": (1, {"time": -1}),
    "V": (1, {"potential": 1}), "A": (1, {"current": 1}),
    "S": (1, {"current": 1, "potential": -1}), "Ohm": (1, {"current": -1, "potential": 1}),
    "F": (1, {"current": 1, "potential": -1, "time": 1}),
    "L": (Fraction(1, 1000), {"length": 3}), "M": (1000, {"length": -3, "substance": 1}),
    "Da": (1, {"mass": 1, "substance": -1}),
}  # fmt: skip
# symbol -> the words for it; each takes every prefix
_SCALED = {
    "g": ("gram",), "mol": ("mole",), "s": ("second",), "m": ("metre", "meter"), "V": ("volt",),
    "A": ("ampere", "amp"), "L": ("litre", "liter"), "M": ("molar",), "S": ("siemens",),
    "F": ("farad",), "Hz": ("hertz",), "Da": ("dalton",), "Ohm": ("ohm",),
}  # fmt: skip
_PREFIXES = {
    "": "", "f": "femto", "p": "pico", "n": "nano", "u": "micro", "m": "milli", "c": "centi",
    "d": "deci", "k": "kilo", "M": "mega", "G": "giga",
}  # fmt: skip
_POWERS_OF_TEN = dict(zip(_PREFIXES, (0, -15, -12, -9, -6, -3, -2, -1, 3, 6, 9), strict=True))
_TIMES = {
    "min": "min", "mins": "min", "h": "h", "hr": "h", "hrs": "h", "d": "d", "wk": "wk",
    "sec": "s", "secs": "s",
    "minute": "min", "minutes": "min", "hour": "h", "hours": "h", "day": "d", "days": "d",
    "week": "wk", "weeks": "wk",
}  # fmt: skip
# prefix as written, unit as written -> symbol: `mcg` and `microgram` are `ug`, `ml` is `mL`
_WRITTEN = {
    **{(p, unit): p + unit for unit in _SCALED for p in _PREFIXES},
    **{(p, "l"): p + "L" for p in _PREFIXES},
    **{("mc", unit): "u" + unit for unit in ("g", "L", "mol", "M", "m")}, ("mc", "l"): "uL",
    **{
        (prefix, f"{word}{s}"): p + unit
        for unit, words in _SCALED.items() for word in words
        for p, prefix in _PREFIXES.items() for s in ("", "s")
    },
    **{("", name): symbol for name, symbol in {**_TIMES, "%": "percent", "1": "one"}.items()},
}  # fmt: skip
_SYMBOLS = {prefix + unit: symbol for (prefix, unit), symbol in _WRITTEN.items()}
# symbol -> its prefix and its unit in the tables above
_PARTS = {p + unit: (p, unit) for unit in _SCALED for p in _PREFIXES} | {
    symbol: ("", symbol) for symbol in (*_TIMES.values(), "percent", "one")
}
_SYMBOL_LETTERS = 3  # a unit of more letters is a word
WORD_CUTOFF = 0.75  # how alike (difflib's ratio) a word must be: `mon` is no slip for `min`
_ALIASES = {"µ": "u", "μ": "u", "Ω": "Ohm", "·": "*", "**": "^"}

# dimension (written as one of its units) -> what a person calls it, with an example value
_KINDS = {
    "h": ("a time", "40 min"), "mg/kg": ("a dose per body weight", "0.5 mg/kg"),
    "mg": ("a mass", "56 mg"), "L": ("a volume", "3 L"),
    "L/kg": ("a volume per body weight", "3 L/kg"), "L/min": ("a flow", "1.5 L/min"),
    "L/min/kg": ("a flow per body weight", "0.02 L/min/kg"), "uM": ("a concentration", "1 uM"),
    "ng/mL": ("a mass concentration", "200 ng/mL"), "mV": ("a voltage", "-65 mV"),
    "nS": ("a conductance", "10 nS"), "pF": ("a capacitance", "200 pF"),
    "pA": ("a current", "50 pA"), "Hz": ("a rate", "8 Hz"),
    "g/mol": ("a molar mass", "237.7 g/mol"), "1/mM/s": ("a binding rate", "1 1/mM/s"),
    "um": ("a length", "10 um"), "1/mM": ("a reciprocal concentration", "1 1/mM"),
    "MOhm": ("a resistance", "100 MOhm"), "1": ("a plain number", "0.5"),
    "kg": ("a weight", "70 kg"), "d": ("a time", "3 d"), "s": ("a time", "8 s"),
    "ms": ("a time", "5 ms"), "mM": ("a concentration", "1 mM"),
}  # fmt: skip


def rounded(value: float) -> float:
    """`value` to 12 significant digits, so that 1 mM and 1000 uM are one number."""
    return float(f"{value:.{SIGNIFICANT_DIGITS}g}")


class _UnknownUnit(QuantityError):
    """`name`, in the unit written as `text`, is none."""

    def __init__(self, text: str, name: str) -> None:
        super().__init__(f"the unit '{text}'", "a known unit")
        self.text, self.name = text, name

    def nearest_of(self, units: tuple[str, ...]) -> str | None:
        """What may have been meant: a name that makes the whole a number in one of `units`, and
        that leaves the prefix as it was written, so that no advice changes an amount.
        """
        fitting = [(prefix, unit) for prefix, unit in _WRITTEN if self._fits(prefix + unit, units)]
        words = [p + u for p, u in fitting if _is_word(u) and _may_misspell(self.name, p, u)]
        symbols = [p + u for p, u in fitting if not _is_word(u) and _may_mistype(self.name, p, u)]
        return nearest(self.name, words, cutoff=WORD_CUTOFF) or next(iter(symbols), None)

    def _fits(self, name: str, units: tuple[str, ...]) -> bool:
        mended = re.sub(rf"(?<!\w){re.escape(self.name)}(?!\w)", name, self.text, count=1)
        try:
            return any(_factor(mended, unit) is not None for unit in units)
        except QuantityError:
            return False


def _is_word(unit: str) -> bool:
    return len(unit) > _SYMBOL_LETTERS or unit in _TIMES


def _may_misspell(name: str, prefix: str, unit: str) -> bool:
    """Whether `name` may be the word `unit` misspelt after `prefix` and no other."""
    return name.startswith(prefix) and name[len(prefix) :][:1].lower() == unit[:1]


def _may_mistype(name: str, prefix: str, unit: str) -> bool:
    """Whether `name` may be the symbol `unit` after `prefix`, with one letter another, or in the
    plural.
    """
    written = name[:1].replace("K", "k") + name[1:]
    rest = written[len(prefix) :]
    slips = sum(one != other for one, other in zip(rest, unit, strict=False))
    near = rest == f"{unit}s" or (len(rest) == len(unit) and slips <= 1)
    return bool(prefix) and written.startswith(prefix) and near


@lru_cache(maxsize=512)
def _unit(text: str) -> Unit:
    """One of the unit written as `text`: names joined by `/`, `*` or a space, each to a whole
    power.
    """
    clean = text
    for written, meant in _ALIASES.items():
        clean = clean.replace(written, meant)
    clean = re.sub(r"\s*([/*^])\s*", r"\1", clean.strip())
    parts = re.split(r"([/* ])", f"1{clean}" if clean.startswith("/") else clean)
    factor, powers = Fraction(1), Counter[str]()
    for operator, part in zip(["*", *parts[1::2]], parts[0::2], strict=True):
        match = re.fullmatch(r"([^\d^-]+|1)(?:\^?(-?\d))?", part)
        name = match[1] if match else part
        if match is None or name not in _SYMBOLS:
            raise _UnknownUnit(text, name)
        power = int(match[2] or 1) * (-1 if operator == "/" else 1)
        prefix, symbol = _PARTS[_SYMBOLS[name]]
        size, dimensions = _UNITS[symbol]
        factor *= (Fraction(10) ** _POWERS_OF_TEN[prefix] * size) ** power
        of_body = power < 0 and symbol == "g"
        for dimension, n in ({"body weight": 1} if of_body else dimensions).items():
            powers[dimension] += n * power
    return Unit(factor, tuple(sorted((name, n) for name, n in powers.items() if n)))


@lru_cache(maxsize=512)
def _factor(written: str, unit: str) -> float | None:
    """How many `unit` one `written` is; None when the two measure different things."""
    source, target = _unit(written), _unit(unit)
    return float(source.factor / target.factor) if source.powers == target.powers else None


@lru_cache(maxsize=64)
def kind(unit: str) -> str:
    """What a number in `unit` is, in words, with an example: "a time such as '40 min'"."""
    exact = [(unit, _KINDS[unit])] if unit in _KINDS else []
    for known, (name, example) in (*exact, *_KINDS.items()):
        if _factor(known, unit) is not None:
            if known in ("1", "h", "Hz") and unit != "1" and not _same_style(known, unit):
                example = f"1 {unit}"
            return f"{name} such as {example}" if unit == "1" else f"{name} such as '{example}'"
    return f"a number in {unit} such as '1 {unit}'"


def _same_style(known: str, unit: str) -> bool:
    return ("/" in known) == ("/" in unit)


_DIGITS = r"(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
_NUMBER = re.compile(rf"\s*([+-]?{_DIGITS}|[+-]?\.?(?:nan|inf(?:inity)?)\b)\s*(.*?)\s*", re.I)


def _parts(text: str | int | float) -> tuple[float, str] | None:
    match = _NUMBER.fullmatch(text if isinstance(text, str) else repr(text))
    if match is None:
        return None
    digits = match[1]
    return float(digits.replace(".", "") if digits[-1].isalpha() else digits), match[2]


def split(text: object) -> tuple[float, str]:
    """A number as written and its unit, "" of a plain number. Raises QuantityError."""
    parts = (
        None if isinstance(text, bool) or not isinstance(text, str | int | float) else _parts(text)
    )
    if parts is None or not math.isfinite(parts[0]):
        raise QuantityError(
            show(text), "a number, with its unit if it has one, such as '0.5 mg/kg'"
        )
    if parts[1]:
        _unit(parts[1])
    return parts


def is_unit(text: str) -> bool:
    """Whether `text` is how a unit is written."""
    try:
        _unit(text)
    except QuantityError:
        return False
    return True


def in_base(number: float, unit: str) -> tuple[float, tuple[tuple[str, int], ...]]:
    """A number in base units and the powers of its dimensions: equal for every way to write one
    quantity. Raises QuantityError.
    """
    base = _unit(unit or "1")
    return rounded(number * float(base.factor)), base.powers


def parse(text: object, unit: str) -> float:
    """`text` ("40 min", or a bare number when `unit` is "1") as a float in `unit`, to 12
    significant digits.

    Raises QuantityError (a ValueError) saying what was found, what was wanted and the nearest valid
    unit.
    """
    return parse_any(text, (unit,))[0]


def parse_any(
    text: object, units: tuple[str, ...], *, also: tuple[str, ...] = ()
) -> tuple[float, str]:
    """`parse` for a field of several kinds (a dose in mg/kg or in mg): the value and the unit that
    fitted; one in `also` may fit, but is not offered in an error.
    """
    wanted = " or ".join(kind(unit) for unit in units)
    if isinstance(text, bool) or not isinstance(text, str | int | float):
        raise QuantityError(show(text), wanted)
    parts = _parts(text)
    if parts is None:
        raise QuantityError(show(text), wanted)
    number, written = parts
    if not math.isfinite(number):
        raise QuantityError(show(text), f"a finite number: {wanted}")
    if not written and "1" not in units:
        raise QuantityError(f"{show(text)} without a unit", wanted)
    for unit in (*units, *also):
        try:
            factor = _factor(written or "1", unit)
        except _UnknownUnit as error:
            raise QuantityError(show(text), wanted, error.nearest_of((*units, *also))) from None
        if factor is not None:
            return rounded(number * factor), unit
    raise QuantityError(show(text), wanted)
