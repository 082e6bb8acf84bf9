"""Outputs that move need a new version, and a new version needs new goldens."""

from __future__ import annotations

import copy
from typing import Any

import goldens
import pytest

from plastogen.simulation.model_version import MODEL_VERSION

STORED = goldens.stored()
NETWORK = (pytest.mark.slow, pytest.mark.network)
ALL = [pytest.param(name, marks=NETWORK if name == "rates" else ()) for name in goldens.GOLDENS]


def test_every_part_of_the_model_has_goldens_of_its_version() -> None:
    assert STORED.keys() == goldens.GOLDENS.keys()
    assert {part for golden in goldens.GOLDENS.values() for part in golden.parts} == set(
        MODEL_VERSION
    )
    for name, golden in goldens.GOLDENS.items():
        now = {part: MODEL_VERSION[part] for part in golden.parts}
        assert STORED[name]["versions"] == now, f"{name}: python tests/goldens.py --write"


@pytest.mark.parametrize("name", ALL)
def test_outputs_are_those_of_their_version(name: str) -> None:
    found, kept = goldens.compute(name), STORED[name]
    if name != "sources" or found["inputs"] == kept["inputs"]:  # another Brian2 writes another C++
        assert found["inputs"] == kept["inputs"], "models/ changed: python tests/goldens.py --write"
        places = goldens.moved(name, kept["outputs"], found["outputs"], goldens.GOLDENS[name].rtol)
        assert places == [], "raise a version and run: python tests/goldens.py --write"


def changed(value: Any) -> Any:
    """`value` with its first number moved by what must be noticed."""
    if isinstance(value, dict):
        first = next(iter(value))
        return {**value, first: changed(value[first])}
    if isinstance(value, list):
        return [changed(value[0]), *value[1:]]
    return value + "x" if isinstance(value, str) else value * 1.3 + 1e-3


@pytest.mark.parametrize("name", goldens.GOLDENS)
def test_moved_outputs_are_refused_until_a_version_rises(name: str) -> None:
    old, new = STORED[name], copy.deepcopy(STORED[name])
    assert goldens.judge(name, old, new) == ""
    new["outputs"] = changed(new["outputs"])
    assert f"{name} moved" in goldens.judge(name, old, new)
    part = goldens.GOLDENS[name].parts[0]
    new["versions"] = {**new["versions"], part: new["versions"][part] + 1}
    assert goldens.judge(name, old, new) == ""
    assert goldens.judge(name, old, {**new, "versions": old["versions"], "inputs": "other"}) == ""
