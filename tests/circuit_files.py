"""Circuits for tests: those that ship, and odd ones, some of them in files (tests/models)."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from plastogen._base.definition import build
from plastogen._base.library import Library
from plastogen.model.circuit import Circuit

LIBRARY = Library(Path(__file__).parent)
SMALL = LIBRARY.load("circuits", "small", Circuit)
CLASSES, NUMBERS = SMALL.classes, SMALL.drive_numbers
VIP = LIBRARY.load("circuits", "vip", Circuit)
TWO = LIBRARY.load("circuits", "two_classes", Circuit)


def changed(change: Callable[[Any], object]) -> Circuit:
    """The small circuit once `change` has altered its tree."""
    document = LIBRARY.document("circuits", "small")
    tree = copy.deepcopy(document.tree)
    change(tree)
    return build(replace(document, tree=tree), Circuit)


def _rest(tree: Any, *, kept: bool) -> None:
    pools = tree["populations"]["E"]["nmdar"]
    tree["populations"]["PV"]["nmdar"]["rest"] = copy.deepcopy(pools["rest"])
    if not kept:
        del pools["rest"]


ODD = {
    "shipped": SMALL,
    "rest on PV": changed(lambda tree: _rest(tree, kept=False)),
    "rest on E and PV": changed(lambda tree: _rest(tree, kept=True)),
    "VIP": VIP,
    "two classes": TWO,
}


def spilled(share: float) -> Circuit:
    """The small circuit with so much of its ambient glutamate from synapses."""
    told = {"agonist.vesicular.share": share}
    return Library().load("circuits", "small", Circuit, overrides=told)
