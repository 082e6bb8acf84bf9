"""Nobody is told a bare key: what catches more than sentences says it by `in_words`."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from plastogen.errors import InputError, StoreError, in_words

SRC = Path(__file__).parents[1] / "src" / "plastogen"
WIDE = {"Exception", "BaseException", "LookupError", "KeyError", "IndexError", "TypeError"}


def names(node: ast.AST | None) -> set[str]:
    return {one.id for one in ast.walk(node) if isinstance(one, ast.Name)} if node else set()


def bare(path: Path) -> Iterator[str]:
    """Lines that put an error of any kind into a text as it is."""
    for handler in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not (isinstance(handler, ast.ExceptHandler) and handler.name):
            continue
        if not names(handler.type) & WIDE:
            continue
        for node in ast.walk(handler):
            told = node.value if isinstance(node, ast.FormattedValue) else None
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                told = node.args[0] if node.func.id == "str" and node.args else told
            if isinstance(told, ast.Name) and told.id == handler.name:
                yield f"{path.relative_to(SRC)}:{node.lineno}"


def test_no_text_holds_an_error_that_may_be_a_bare_key() -> None:
    assert [line for path in sorted(SRC.rglob("*.py")) for line in bare(path)] == []


def test_a_list_that_may_be_empty_is_never_wanted_one_of() -> None:
    """`any_of` says that there is none; lists of the package itself, in capitals, never are."""
    joined = re.compile(r"""one of \{["']?, ["']?\.join\((.*)\)\}""")
    listed = {
        f"{path.relative_to(SRC)}:{number}": match[1]
        for path in sorted(SRC.rglob("*.py"))
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if (match := joined.search(line)) and path.name != "text.py"
    }
    assert len(listed) > 5
    assert [
        at
        for at, names in listed.items()
        if names.strip("()*, ").upper() != names.strip("()*, ") and "DEFAULT" not in names
    ] == []


def test_the_law_sees_what_it_forbids(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(globals(), "SRC", tmp_path)
    path = tmp_path / "a.py"
    path.write_text("try:\n    f()\nexcept (ValueError, KeyError) as e:\n    say(f'no: {e}')\n")
    assert list(bare(path)) == ["a.py:4"]
    path.write_text("try:\n    f()\nexcept ValueError as e:\n    say(f'no: {e}')\n")
    assert list(bare(path)) == []


def test_an_error_is_told_by_its_sentence_or_as_not_expected() -> None:
    assert in_words(StoreError("the disk is full")) == "the disk is full"
    assert (
        in_words(InputError.one(wanted="a name", found="x", file="f"))
        == "f: found x, wanted a name"
    )
    assert in_words(ValueError("not finite")) == "not finite"
    assert "did not expect this (KeyError: 'pv_output')" in in_words(KeyError("pv_output"))
    assert "(AssertionError)" in in_words(AssertionError())
