"""Every number in models/ says where it comes from, and nothing remembered is called measured."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from plastogen._base.document import read
from plastogen._base.library import Library, builtin
from plastogen._base.quantity import NEEDS_NOTE, Evidence, parse_any
from plastogen.errors import QuantityError

MODELS = builtin("models")
FILES = sorted(path for path in MODELS.rglob("*.yaml") if path.name != "references.yaml")
NOTED = {level.value for level in NEEDS_NOTE}
MEMORY = {level.value for level in Evidence if level.value.startswith("memory")}
CALLED_MEASURED = re.compile(r"\b(?<!not )(?<!never )(?<!nobody )measured\b(?! here)", re.I)


def entries(node: Any, at: tuple[str, ...] = ()) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every mapping with a `value`, with its path."""
    if isinstance(node, dict):
        if "value" in node:
            yield ".".join(at), node
        else:
            for key, child in node.items():
                yield from entries(child, (*at, key))
    elif isinstance(node, list):
        for i, child in enumerate(node):
            yield from entries(child, (*at, str(i)))


SWITCHES = ("pathways",)  # how far a hypothesis is on, 0 to 1: a choice, not a measurement


def bare(node: Any, at: tuple[str, ...] = ()) -> Iterator[str]:
    """Paths of floats, and of text that reads as a number with a unit, outside an entry; switches
    left out.
    """
    if at[:1] == SWITCHES:
        return
    if isinstance(node, dict):
        for key, child in node.items() if "value" not in node else ():
            yield from bare(child, (*at, key))
    elif isinstance(node, list):
        for i, child in enumerate(node):
            yield from bare(child, (*at, str(i)))
    elif isinstance(node, float) or (
        isinstance(node, str) and re.fullmatch(r"-?\d[\d.e+-]*\s*[A-Za-z%/µ1]+", node)
    ):
        yield ".".join(at)


TREES = {str(path.relative_to(MODELS)): read(path).tree for path in FILES}
NUMBERS = [
    (f"{file}: {path}", entry) for file, tree in TREES.items() for path, entry in entries(tree)
]
REFERENCES = Library().references()


def test_there_are_models() -> None:
    assert len(FILES) >= 3
    assert len(NUMBERS) >= 50


def test_no_number_stands_without_its_source() -> None:
    assert [f"{file}: {path}" for file, tree in TREES.items() for path in bare(tree)] == []


def unsourced(entry: dict[str, Any]) -> str:
    """What is missing of where a number comes from and how sure it is; nothing when all is there."""
    source, evidence = entry.get("source"), entry.get("evidence")
    if evidence not in [level.value for level in Evidence]:
        return f"no level of evidence, found {evidence!r}"
    if source not in NOTED and source not in REFERENCES:
        return f"{source!r} is not in references.yaml"
    if (source in NOTED or evidence in NOTED) and not entry.get("note"):
        return "needs a note"
    if source in NOTED and evidence in ("verified", "memory-high"):
        return "without a reference nothing is that sure"
    return ""


def called_measured(entry: dict[str, Any]) -> str:
    """Whether a number from memory is called measured."""
    note = str(entry.get("note", "")) if entry.get("evidence") in MEMORY | NOTED else ""
    return note if CALLED_MEASURED.search(note) else ""


def outside_its_range(entry: dict[str, Any]) -> str:
    """A range that does not surround its value."""
    span = entry.get("range")
    if span is None:
        return ""
    unit = re.sub(r"^[\d.e+-]+\s*", "", str(entry["value"])) or "1"
    low, value, high = (parse_any(x, (unit,))[0] for x in (span[0], entry["value"], span[1]))
    return "" if low <= value <= high and low < high else f"{entry['value']} in {span}"


def offenders(fault: Callable[[dict[str, Any]], str]) -> list[str]:
    """Every number that ships and has the fault, with its file and path."""
    return [f"{name}: {what}" for name, entry in NUMBERS if (what := fault(entry))]


def test_each_number_says_where_it_comes_from_and_how_sure_it_is() -> None:
    assert offenders(unsourced) == []


def test_nothing_remembered_is_called_measured() -> None:
    assert offenders(called_measured) == []


def test_a_range_surrounds_its_value() -> None:
    assert offenders(outside_its_range) == []


def test_every_reference_is_complete_and_used() -> None:
    used = {entry.get("source") for _, entry in NUMBERS}
    text = "\n".join(
        p.read_text(encoding="utf-8") for p in [*FILES, *builtin("experiments").rglob("*.yaml")]
    )
    assert sorted(REFERENCES) == list(REFERENCES), "references.yaml is sorted by key"
    for key, reference in REFERENCES.items():
        assert re.fullmatch(r"[a-z]+(\d{4}[a-z]?|_label)", key), key
        assert re.sub(r"\D", "", key) in ("", str(reference.year)), key
        assert key in used or key in text, (
            f"{key} is in references.yaml but no model or experiment cites it"
        )


def test_the_checks_bite() -> None:
    assert list(
        bare({"a": 0.3, "b": [{"c": "12 nS"}], "d": "prefrontal", "e": 3, "f": {"value": 0.2}})
    ) == [
        "a",
        "b.0.c",
    ]
    assert CALLED_MEASURED.search("measured in slices")
    assert not CALLED_MEASURED.search("never measured; assumed")
    with pytest.raises(QuantityError):
        parse_any("3", ("h",))
    assumed = {"value": "3 h", "evidence": "assumed", "source": "assumed", "note": "a choice"}
    known = {"value": "3 h", "evidence": "memory-high", "source": next(iter(REFERENCES))}
    assert [unsourced(entry) for entry in (assumed, known)] == ["", ""]
    for entry in (
        {"value": "3 h", "source": "assumed"},
        {**known, "source": "nobody1999"},
        {**assumed, "note": ""},
        {**assumed, "evidence": "verified"},
    ):
        assert unsourced(entry)
    assert called_measured({**assumed, "note": "measured in slices"})
    assert not called_measured({**known, "evidence": "verified", "note": "measured in slices"})
    assert outside_its_range({"value": "3 h", "range": ["1 h", "3 h"]}) == ""
    assert outside_its_range({"value": "3 h", "range": ["4 h", "5 h"]})
    assert outside_its_range({"value": "3 h", "range": ["3 h", "3 h"]})
