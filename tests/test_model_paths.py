"""Dotted paths: where they may lead, and what is said where they may not."""

from __future__ import annotations

from typing import Annotated, Any

import pytest

from plastogen._base.definition import Definition
from plastogen._base.quantity import Given, Quantity
from plastogen.experiment.models import is_model_path, path_fault


class Leaf(Definition):
    length: Annotated[Quantity, Given("um")] | None = None
    number: int = 3


class Tree(Definition):
    named: dict[str, Leaf] = {}
    listed: list[Leaf] = []
    either: Leaf | list[Leaf] | None = None
    free: dict[str, Any] = {}
    leaf: Leaf = Leaf()


TREE = {
    "named": {"a": {"number": 1}, "E.synaptic": {}}, "listed": [{"number": 2}, {}], "free": {"x": {"y": 1}},
    "leaf": {"length": {"value": "1 um"}},
}  # fmt: skip


@pytest.mark.parametrize(
    "path",
    [
        "named.a.length",
        "named.a.number",
        "named.E.synaptic.number",
        "listed.1.number",
        "either.number",
        "free.x",
        "free.x.y",
        "leaf",
        "leaf.length",
        "leaf.length.value",
        "leaf.number",
    ],
)
def test_a_path_may_end_at_anything_the_schema_knows(path: str) -> None:
    assert path_fault(path, TREE, Tree) is None


@pytest.mark.parametrize(
    ("path", "found", "near"),
    [
        ("nammed.a.length", "'nammed'", "named.a.length"),
        ("named.b.length", "'b' in named", None),
        ("named.a.lenght", "'lenght' in named.a", "named.a.length"),
        ("listed.2.number", "'2' in listed", None),
        ("leaf.number.more", "'leaf.number.more'", "leaf.number"),
        ("leaf.length.units", "'units' in leaf.length", None),
        ("free.z", "'z' in free", None),
    ],
)  # fmt: skip
def test_a_path_that_leads_nowhere_names_the_nearest_that_leads_somewhere(
    path: str, found: str, near: str | None
) -> None:
    fault = path_fault(path, TREE, Tree)
    assert fault is not None
    assert (fault.found, fault.nearest) == (found, near)


def test_model_paths_begin_with_the_name_of_a_kind() -> None:
    assert all(map(is_model_path, ("circuit.a", "plasticity.a", "subject.a", "drugs.ketamine.a")))
    assert not any(map(is_model_path, ("arms.a", "course.a", "circuits.a")))
