"""Pages about the code name what exists: modules, functions, files and tests."""

from __future__ import annotations

import importlib
import re
from functools import reduce
from pathlib import Path

import pytest
from test_architecture import ROOMS

from plastogen.model.pharmacology.targets import TARGETS, Target

ROOT = Path(__file__).parents[1]
PAGES = (
    "CONTRIBUTING.md",
    "docs/architecture.md",
    "docs/decisions/0021-formatting-and-rooms.md",
)
QUOTED = re.compile(r"`([^`\n]+)`")
CODE = re.compile(
    r"[A-Z][A-Za-z]\w+(\.(?!md)\w+)?|[a-z]+(_[a-z]+)+(\(\))?"
)  # of a class, a function
DEFINED = r'(?:\b(?:class|def) {0}\b|^\s*{0}\b\s*(?::|=[^=])|"{0}")'
DOTTED = re.compile(rf"(?:{'|'.join(sorted({room.split('.')[0] for room in ROOMS}))})(?:\.\w+)+")
FOLDERS = ("src/", "tests/", "docs/", "models/", "experiments/", "benchmarks/")


def lost_names(text: str) -> list[str]:
    """What a page puts in backticks and the package or the checkout does not hold."""
    return [name for name in QUOTED.findall(text) if _is_name(name) and not _exists(name)]


def lost_words(text: str) -> list[str]:
    """Classes, constants and functions in backticks, without their module, that no module has."""
    files = [path for path in sorted(ROOT.glob("[st]*/**/*.py")) if path != Path(__file__)]
    code = "\n".join(path.read_text(encoding="utf-8") for path in files)
    return [
        found[0]
        for quoted in sorted(set(QUOTED.findall(text)))
        if (found := CODE.fullmatch(quoted))
        if not all(_is_defined(part, code) for part in quoted.removesuffix("()").split("."))
    ]


def _is_defined(name: str, code: str) -> bool:
    return re.search(DEFINED.format(re.escape(name)), code, re.MULTILINE) is not None


def _is_name(quoted: str) -> bool:
    return bool(DOTTED.fullmatch(quoted)) or (
        quoted.startswith(FOLDERS) and not re.search(r"[<*\s]|NN", quoted)
    )


def _exists(name: str) -> bool:
    if name.startswith(FOLDERS):
        inside = name.replace("src/", "src/plastogen/", 1)
        return (ROOT / name).exists() or (ROOT / inside).exists()
    parts = f"plastogen.{name}".split(".")
    for cut in range(len(parts), 1, -1):
        try:
            module = importlib.import_module(".".join(parts[:cut]))
            reduce(getattr, parts[cut:], module)
        except (ImportError, AttributeError):
            continue
        return True
    return False


@pytest.mark.parametrize("page", PAGES)
def test_every_name_on_a_page_about_the_code_exists(page: str) -> None:
    assert lost_names((ROOT / page).read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("page", PAGES)
def test_every_class_and_function_on_a_page_about_the_code_exists(page: str) -> None:
    assert lost_words((ROOT / page).read_text(encoding="utf-8")) == []


def test_a_class_or_function_that_is_not_there_is_found() -> None:
    gone = ["Circuit.no_such_pool", "NO_SUCH_TABLE", "NoSuchClass", "no_such_function"]
    assert (
        lost_words(" ".join(f"`{name}`" for name in (*gone, "Circuit.pools", "held_state"))) == gone
    )


@pytest.mark.parametrize(
    "name",
    ["simulation.step.nothing", "model.circuit.nothing", "tests/test_nothing.py", "src/nothing.py"],
)
def test_a_name_that_is_not_there_is_found(name: str) -> None:
    assert lost_names(f"see `{name}` and `errors.InputError`") == [name]


def test_the_table_of_targets_in_the_docs_is_the_table() -> None:
    """Every row of docs/howto/drug.md, word for word."""
    text = (ROOT / "docs" / "howto" / "drug.md").read_text()
    written = [line for line in text.splitlines() if line.startswith("| `")]
    rows = [
        f"| `{name}` | {row.title} | {row.kind} | {_span(row)} | `{row.moves}` |"
        for name, row in TARGETS.items()
    ]
    assert written == rows


def _span(row: Target) -> str:
    return f"-1 to {row.most - 1}" if row.kind == "factor" else f"0 to {row.most}"
