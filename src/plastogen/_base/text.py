"""In: names and values. Out: how a person is told: the nearest name, a value as in a file."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence

LONGEST = 60  # characters of what was found that a message repeats
NEAREST_CUTOFF = 0.6  # how alike (difflib's ratio) a name must be to be worth suggesting
MOST_FOLD = 10  # beyond it people say how many times as much, not how many per cent
TINY = 1e-9  # what is below is 0 to a person
PLACES = 12  # after the point, for numbers that small
SLIP_CUTOFF = 0.9  # the same for a word that is mostly another choice


def nearest(word: str, choices: Iterable[str], *, cutoff: float = NEAREST_CUTOFF) -> str | None:
    """The choice most like `word`, or None when nothing is close.

    A choice that contains the word, or is contained in it, is another thing, not a slip
    (`esketamine` is not `ketamine`), unless a letter at the end is all they differ by; and a word
    that is mostly one of the choices is like another only if a letter or two are all.
    """
    if len(word) > LONGEST:  # no name, and too long to be compared in good time
        return None
    by_lower: dict[str, str] = {}
    others: list[str] = []
    for choice in choices:
        if _another_thing(word.lower(), choice.lower()):
            others.append(choice.lower())
        else:
            by_lower.setdefault(choice.lower(), choice)
    if any(other in word.lower() and 2 * len(other) > len(word) for other in others):
        cutoff = max(cutoff, SLIP_CUTOFF)
    close = difflib.get_close_matches(word.lower(), by_lower, n=1, cutoff=cutoff)
    return by_lower[close[0]] if close else None


def _another_thing(one: str, other: str) -> bool:
    short, long = sorted((one, other), key=len)
    if short == long or short not in long:
        return False
    return not (long.startswith(short) and len(long) == len(short) + 1 and long[-1].isalpha())


def counted(n: int, noun: str) -> str:
    """How many there are of a thing: `1 claim`, `2 claims`."""
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def show(value: object) -> str:
    """`value` as an error message shows it: short, and as it would stand in the file."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):
        return (
            f"a mapping with {_short(', '.join(map(str, value)))}" if value else "an empty mapping"
        )
    if isinstance(value, list | tuple):
        return f"a list of {len(value)}" if value else "an empty list"
    if isinstance(value, str):
        return f"'{_short(value)}'"
    return _short(str(getattr(value, "written", value)))


def rounded(x: float, digits: int) -> str:
    """A number with so many digits as a person writes it: never 1e-05, and 0 for what rounding
    leaves of a difference of equal numbers.
    """
    if abs(x) < TINY:
        return "0"
    text = f"{x:.{digits}g}"
    if "e" not in text:
        return text
    return f"{float(text):,.0f}" if abs(x) >= 1 else f"{float(text):.{PLACES}f}".rstrip("0")


def percent(share: float, digits: int = 0) -> str:
    """A share in per cent, as it is written beside a unit: `12 %`."""
    return f"{100 * share:.{digits}f} %"


def portion(share: float, whole: str) -> str:
    """`12 % of it`; what is more than ten times the whole as so many times: `48 times it`."""
    return f"{percent(share)} of {whole}" if share <= MOST_FOLD else f"{share:.0f} times {whole}"


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."


def any_of(names: Iterable[str]) -> str:
    """What is wanted where a name was not known: one of those there are."""
    return f"one of {known}" if (known := ", ".join(names)) else "nothing here: there is none"


def columns(rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Rows as lines, each column as wide as its widest entry."""
    listed = [tuple(row) for row in rows]
    if not listed:
        return
    widths = [max(len(row[i]) for row in listed) for i in range(len(listed[0]))]
    for row in listed:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
