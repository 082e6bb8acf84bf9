"""In: paths and conditions of an `OpenExperiment`. Out: what does not go with the circuit at hand:
sites of `switches.block` and states to start from that it does not have.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import suppress

import numpy as np

from plastogen._base.document import Steps
from plastogen._base.quantity import Fault
from plastogen._base.text import nearest, show
from plastogen.errors import InputError, Problem
from plastogen.experiment.models import FOLDERS, models_in_use
from plastogen.experiment.resolve import Condition, OpenExperiment
from plastogen.model.circuit import Circuit
from plastogen.model.plasticity import STATES, Inputs, SlowModel
from plastogen.simulation import VARIABLES, block_sites, bounds_of, impossible

UNSURE = 1 / 10  # of where an estimate says that a course begins
SITE_PATH = re.compile(r"(?P<head>(?:arms\.[^.]+\.)?switches\.block)\.(?P<site>.+)")


def site_fault(opened: OpenExperiment, head: str, site: str) -> Fault | None:
    """What is wrong with a path to a site: no circuit that an arm may use has it."""
    sites = dict[str, str]()
    folder = FOLDERS["circuit"][0]
    for name in models_in_use(opened.document.tree, opened.set, "circuit"):
        with suppress(InputError):  # a circuit that cannot be read is told of elsewhere
            sites |= block_sites(opened.models.load(folder, name, Circuit, {}))
    return _fault(site, sites, head) if sites else None


def validate_sites(opened: OpenExperiment, condition: Condition) -> Iterator[Problem]:
    """Sites the condition's circuit does not have."""
    sites = block_sites(condition.circuit)
    for site in condition.setting.switches.block:
        if (fault := _fault(site, sites)) is not None:
            at = _written(opened, condition.arm, site)
            yield opened.document.problem(at, fault.found, fault.wanted, fault.nearest)


def validate_start(opened: OpenExperiment, condition: Condition) -> Iterator[Problem]:
    """States that act on cells of a role which no class of the condition's circuit has, and factors
    of what is nil where a course begins.
    """
    circuit = condition.circuit
    yield from _nil_starts(opened, condition)
    for state in condition.setting.course.start:
        role = VARIABLES[state].role if state in VARIABLES else None
        if role is not None and not circuit.of_role(role):
            found = (
                f"{show(state)} in a circuit of {', '.join(circuit.classes)}, none of them {role}"
            )
            wanted = f"a circuit with {role} cells, or another state"
            yield opened.document.problem(f"course.start.{state}", found, wanted)
    yield from _impossible_starts(opened, condition)


def _nil_starts(opened: OpenExperiment, condition: Condition) -> Iterator[Problem]:
    """States that a factor cannot change: nil at rest, in any subject."""
    at_rest = SlowModel(condition.plasticity).healthy_state()
    moved = [name for name, level in zip(STATES, at_rest, strict=True) if level > 0]
    for state, factor in condition.setting.course.start.items():
        if state in STATES and state not in moved:
            found = f"{factor.text} times {state}, which is nil at rest"
            wanted = f"a state that is there to be multiplied: {', '.join(moved)}"
            yield opened.document.problem(f"course.start.{state}", found, wanted)


def _impossible_starts(opened: OpenExperiment, condition: Condition) -> Iterator[Problem]:
    """States of which nothing living can have so much. Where another subject than the healthy one
    begins is for the circuit to say: estimated is the rest of one whose circuit is at its set
    points, and refused what is beyond by far.
    """
    model = SlowModel(condition.plasticity)
    subject = condition.subject
    usual = model.healthy_state()
    if not subject.at_set_points:
        usual = model.rest(Inputs(stress=float(subject.stress))) * (1 - UNSURE)
    for state, factor in condition.setting.course.start.items():
        if state not in STATES:
            continue
        y = usual.copy()
        y[STATES.index(state)] *= float(factor)
        made = dict(zip(STATES, y, strict=True)) | {
            "vacant": model.vacant(y),
            "spine_formation": model.formation(y),
            "spine_density": model.spine_density(y),
        }
        arrays = {name: np.atleast_1d(value) for name, value in made.items()}
        for name, _, value in impossible(arrays):
            wanted = f"a factor that leaves {name} {bounds_of(name)} (this makes it {value:.3g})"
            yield opened.document.problem(f"course.start.{state}", show(factor.text), wanted)


def _fault(site: str, sites: Iterable[str], head: str = "") -> Fault | None:
    if site in sites:
        return None
    near, below = nearest(site, sites), f"{head}." if head else ""
    wanted = f"a site of the circuit: {', '.join(sites)}"
    return Fault("", show(site), wanted, f"{below}{near}" if near else None)


def _written(opened: OpenExperiment, arm: str | None, site: str) -> str | Steps:
    """Where an arm has a site from."""
    while arm is not None:
        own = opened.experiment.arms[arm]
        if own.switches is not None and site in own.switches.block:
            return f"arms.{arm}.switches.block.{site}"
        if f"switches.block.{site}" in own.set:
            return ("arms", arm, "set", f"switches.block.{site}")
        arm = own.extends
    return f"switches.block.{site}"
