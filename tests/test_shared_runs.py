"""Shared runs are made anew when, and only when, what computes a course has changed."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import shared_runs
from test_architecture import MODULES, imports

# read, check and keep what a plan is made of: whatever they change stands in the plan, and so in
# its run's name
PLUMBING = {
    "plastogen.errors",
    "plastogen._base.__init__",
    "plastogen._base.definition",
    "plastogen._base.digest",
    "plastogen._base.document",
    "plastogen._base.explain",
    "plastogen._base.facade",
    "plastogen._base.files",
    "plastogen._base.leftovers",
    "plastogen._base.library",
    "plastogen._base.machine",
    "plastogen._base.quantity",
    "plastogen._base.sealed",
    "plastogen._base.text",
    "plastogen._base.textfile",
}


@pytest.fixture
def copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of the package that `shared_runs` looks at, and a folder of its own for runs."""
    source = tmp_path / "plastogen"
    shutil.copytree(shared_runs.SOURCE, source, ignore=shutil.ignore_patterns("web", "__pycache__"))
    monkeypatch.setattr(shared_runs, "SOURCE", source)
    monkeypatch.setenv("PLASTOGEN_TEST_RUNS", str(tmp_path / "runs"))
    shared_runs.code.cache_clear()
    yield source
    shared_runs.code.cache_clear()


def reached(start: str) -> set[str]:
    """Every module of the package that `start` imports, directly or not."""
    found, waiting = set[str](), [start]
    while waiting:
        module = waiting.pop()
        if module in found or module not in MODULES:
            continue
        found.add(module)
        for _, name in imports(MODULES[module]):
            waiting += [name, name.rpartition(".")[0], f"{name}.__init__"]
            waiting += [f"{name.rpartition('.')[0]}.__init__"]
    return found - {"plastogen.__init__"}


def test_all_that_computes_a_course_is_in_the_digest() -> None:
    inside = {
        module
        for module, path in MODULES.items()
        if any(path.is_relative_to(shared_runs.SOURCE / part) for part in shared_runs.COMPUTES)
    }
    courses = reached("plastogen.simulation.course") | reached(
        "plastogen.simulation.train_emulator"
    )
    assert courses - inside - PLUMBING == set()
    assert len(courses & inside) > 20


@pytest.mark.parametrize(
    ("file", "anew"),
    [
        *(
            (part if part.endswith(".py") else f"{part}/added.py", True)
            for part in shared_runs.COMPUTES
        ),
        ("cli/main.py", False),
        ("publish/workflow.py", False),
        ("errors.py", False),
    ],
)
def test_a_changed_line_makes_anew_what_it_computes(file: str, anew: bool, copy: Path) -> None:
    before = shared_runs.folder()
    assert before == shared_runs.folder()
    with (copy / file).open("a", encoding="utf-8") as handle:
        handle.write("\nCHANGED = True\n")
    shared_runs.code.cache_clear()
    assert (shared_runs.folder() != before) == anew


def test_a_changed_circuit_is_compiled_anew(copy: Path, tmp_path: Path) -> None:
    cache = shared_runs.cache_into(tmp_path / "cache")
    programs = (cache / "programs").resolve()
    with (copy / "model" / "circuit" / "network.py").open("a", encoding="utf-8") as handle:
        handle.write("\nCHANGED = True\n")
    shared_runs.code.cache_clear()
    shared_runs.cache_into(cache)
    assert (cache / "programs").resolve() != programs


def test_what_is_old_is_swept_up_and_what_is_in_use_is_not(copy: Path) -> None:
    now, kept = shared_runs.folder(), shared_runs.kept()
    for name, age in (("older", 3 * shared_runs.OLD_S), ("young", 0.0)):
        (kept / name).mkdir()
        os.utime(kept / name, (time.time() - age,) * 2)
    os.utime(now, (0, 0))
    shared_runs.sweep()
    assert now.is_dir()
    assert (kept / "young").is_dir()
    assert not (kept / "older").exists()
