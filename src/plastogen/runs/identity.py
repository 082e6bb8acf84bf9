"""In: a `Plan`. Out: its run's name, a digest of what determines the course and of nothing else.

Equal arms so share a run, and a new readout, claim or text re-runs nothing. A plan is made of
definitions that many plans share; each is digested once (`fingerprint`), so that a sweep's
thousands of names take seconds.
"""

from __future__ import annotations

import ast
import hashlib
import json
from collections.abc import Callable
from dataclasses import fields
from functools import lru_cache
from pathlib import Path
from typing import Any

from plastogen._base.digest import digest, fingerprint, plain
from plastogen.model.circuit import signature
from plastogen.simulation import Plan

ID_LENGTH = 12
# what these say or keep changes no course
PLUMBING = ("_base.files", "_base.definition", "_base.document", "_base.explain", "_base.digest")


def run_id(plan: Plan) -> str:
    """The name of the run, 12 hex digits."""
    return digest(_parts(plan, fingerprint))[:ID_LENGTH]


def determines(plan: Plan) -> dict[str, Any]:
    """All that the course depends on, as plain data: no sources, no labels of treatments. Not to be
    changed.

    Floats count to 12 significant digits.
    """
    return _parts(plan, plain)


def _parts(plan: Plan, of: Callable[[Any], Any]) -> dict[str, Any]:
    parts = {f.name: of(getattr(plan, f.name)) for f in fields(plan) if f.name != "treatments"}
    parts["treatments"] = sorted(
        (of(treatment) for treatment in plan.treatments.values()), key=json.dumps
    )
    parts["mechanisms"] = mechanisms(
        "simulation.train_emulator" if plan.method == "emulated" else "simulation.course"
    )
    if plan.method == "direct":
        parts["engine"] = signature(str(plan.backend))
    else:  # what the network of an emulator was, its own key says
        parts["backend"] = plan.method
    return parts


@lru_cache(maxsize=2)
def mechanisms(from_: str = "simulation.course") -> str:
    """A digest of the code a course runs through, comments and docstrings aside: other code, other
    runs.
    """
    root = Path(__file__).parents[1]
    trees: dict[str, ast.Module] = {}
    waiting = [from_]
    while waiting:
        name = waiting.pop()
        path = root.joinpath(*name.split(".")).with_suffix(".py")
        path = path if path.is_file() else root.joinpath(*name.split("."), "__init__.py")
        if name in trees or name in PLUMBING or not path.is_file():
            continue
        trees[name] = ast.parse(path.read_text(encoding="utf-8"))
        waiting += _imported(trees[name])
    whole = hashlib.sha256()
    for name in sorted(trees):
        for node in ast.walk(trees[name]):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(
                node, False
            ):
                node.body = node.body[1:]
        whole.update(f"{name}:{ast.dump(trees[name])}".encode())
    return whole.hexdigest()[:ID_LENGTH]


def _imported(tree: ast.Module) -> list[str]:
    """Modules of this package that a module imports, as names below it."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("plastogen"):
            base = node.module.removeprefix("plastogen").removeprefix(".")
            found += [base, *(f"{base}.{alias.name}".removeprefix(".") for alias in node.names)]
    return [name for name in found if name]
