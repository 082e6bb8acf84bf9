"""In: an experiment and its conditions. Out: what is wrong with ensembles that the network is to be
taught, and with cells that are stimulated in it: too many cells, spikes or seconds, times outside
the course, or a kind of run without them.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from plastogen._base.text import show
from plastogen.errors import Problem
from plastogen.experiment.definition import LONGEST_S, Experiment
from plastogen.experiment.resolve import Condition, OpenExperiment
from plastogen.experiment.validate_given import written
from plastogen.model.circuit import MOST_DRIVEN
from plastogen.model.plasticity import Ensembles, spikes_of
from plastogen.simulation import most_synapses

MOST_CELLS_OF_SPINES = 1000  # principal, any two of which have a synapse in the network
OUTSIDE = 2  # principal cells at least that are in no ensemble: activity is held against theirs


def wanted_of(path: str, experiment: Experiment) -> str | None:
    """What a path wants of the experiment, where it would change nothing of it."""
    if f"{path}.".startswith("ensembles.") and experiment.ensembles is None:
        return "an experiment that has an `ensembles:`, for all of its arms"
    return None


def validate_ensembles(opened: OpenExperiment, condition: Condition) -> Iterator[Problem]:
    """What does not go with ensembles, and ensembles that do not go with circuit or course."""
    ensembles, course = condition.setting.ensembles, condition.setting.course
    if ensembles is None:
        return
    problem = opened.document.problem
    if condition.setting.induction is not None:
        yield problem("ensembles", "ensembles beside an induction", "one of the two")
        return
    if course.method == "emulated":
        wanted = "formula or direct: no emulator has been taught ensembles"
        yield problem("course.method", show(course.method), wanted, "formula")
    principal = condition.circuit.populations[condition.circuit.principal].count
    if course.synapses == "each" and principal > MOST_CELLS_OF_SPINES:
        found = f"each, beside ensembles of {principal} {condition.circuit.principal} cells"
        wanted = f"mean, or at most {MOST_CELLS_OF_SPINES} cells: any two are given a synapse"
        yield problem("course.synapses", found, wanted, "mean")
    last = max(ensembles.recall.at, key=float)
    if float(last) > condition.end_h:
        wanted = f"a time within the course, until {course.duration.text}"
        yield problem("ensembles.recall.at", show(last.text), wanted)
    yield from _in_network(opened, condition, ensembles)


def validate_stimulations(opened: OpenExperiment, condition: Condition) -> Iterator[Problem]:
    """Cells that are stimulated where there is no network, no such ensemble, or nobody looks."""
    ensembles, problem = condition.setting.ensembles, opened.document.problem
    for label, one in condition.stimulations.items():
        path = written(opened.experiment, condition.arm, label, "intervene")
        if ensembles is None or condition.setting.induction is not None:
            wanted = "an experiment with `ensembles:`, beside whose course a network is followed"
            if condition.setting.induction is not None:
                wanted = "none: `induction` says which cells electrodes drive"
            yield problem(path, show(one.what), wanted)
            continue
        if one.number is not None and one.number > ensembles.groups:
            wanted = f"an ensemble, 1 to {ensembles.groups}"
            yield problem(f"{path}.number", str(one.number), wanted)
            continue
        last = max(ensembles.recall.at, key=float)
        if not float(ensembles.teaching.at) <= float(one.at) <= float(last):
            taught = ensembles.teaching.at.text
            wanted = f"a time from teaching, {taught}, to the last look, {last.text}"
            yield problem(f"{path}.at", show(one.at.text), wanted)
        principal = condition.circuit.populations[condition.circuit.principal].count
        members = np.zeros((ensembles.groups, ensembles.cells), np.int64)
        cells = one.cells(members, principal, 0)
        seconds = len(cells) * one.times * float(one.every)
        for found, wanted in _too_much(cells.size * one.spikes * one.times, seconds, "in all"):
            yield problem(path, found, wanted)


def _in_network(
    opened: OpenExperiment, condition: Condition, ensembles: Ensembles
) -> Iterator[Problem]:
    """What a circuit cannot hold, and its network cannot be driven with."""
    problem, circuit = opened.document.problem, condition.circuit
    name, there = condition.setting.model.circuit, circuit.populations[circuit.principal].count
    needed = ensembles.groups * ensembles.cells
    if needed > there - OUTSIDE:
        found = f"{needed} cells (groups x cells)"
        wanted = f"at most {there - OUTSIDE}, of {there} principal cells of circuit {name}"
        yield problem("ensembles.cells", found, wanted)
    if most_synapses(circuit) < 1:
        wanted = "a circuit whose principal cells reach each other"
        yield problem("model.circuit", show(name), wanted)
    teaching, recall = ensembles.teaching, ensembles.recall
    for part, cells, rounds in (
        ("teaching", ensembles.cells, teaching.presentations),
        ("recall", ensembles.cued, recall.repeats),
    ):
        given = getattr(ensembles, part)
        stretches = ensembles.groups * rounds
        spikes, seconds = cells * spikes_of(given.rate, given.held), float(given.every)
        over = _too_much(stretches * spikes, stretches * seconds, "of all ensembles in turn")
        for found, wanted in over:
            yield problem(f"ensembles.{part}", found, wanted)


def _too_much(spikes: int, seconds: float, of_what: str) -> Iterator[tuple[str, str]]:
    """What is found and what is wanted, where a network cannot be driven so often or so long."""
    if spikes > MOST_DRIVEN:
        yield f"{spikes} spikes of all cells that are driven", f"at most {MOST_DRIVEN}"
    if seconds > LONGEST_S:
        yield f"{seconds:.4g} s {of_what}", f"at most {LONGEST_S} s"
