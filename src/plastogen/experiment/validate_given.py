"""In: a condition. Out: what is wrong with what is given to its arm, and when: a drug that cannot
be given so, one way against another, levels that overlap, times beyond the course.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from plastogen.errors import Problem
from plastogen.experiment.definition import Experiment, StressEvent
from plastogen.experiment.resolve import Condition, OpenExperiment
from plastogen.model.pharmacology import Treatment, check_treatment


def validate_given(opened: OpenExperiment, condition: Condition) -> Iterator[Problem]:
    """What is wrong with treatments, stress and snapshots of a condition."""
    yield from _treatments(opened, condition)
    yield from _times(opened, condition)
    yield from _stress(opened, condition)


def _treatments(opened: OpenExperiment, condition: Condition) -> Iterator[Problem]:
    spans: dict[str, list[tuple[float, float, str, str]]] = {}
    for label, treatment in condition.treatments.items():
        path = written(opened.experiment, condition.arm, label)
        for fault in check_treatment(condition.drugs[treatment.drug], condition.subject, treatment):
            at = f"{path}.{fault.at}" if fault.at else path
            yield opened.document.problem(at, fault.found, fault.wanted, fault.nearest)
        way = next(w for w in ("dose", "occupancy", "brain") if getattr(treatment, w) is not None)
        length = float(treatment.held) if treatment.held is not None else 0.0
        for start in treatment.starts_h():
            spans.setdefault(treatment.drug, []).append((start, start + length, way, label))
    for drug, given in spans.items():
        yield from _contradictions(opened, condition.arm, drug, given)
    yield from _namesakes(opened, condition)


def written(experiment: Experiment, arm: str, label: str, key: str = "give") -> str:
    """Where something under a `key` of an arm that the arm has or inherits is written."""
    while label not in getattr(experiment.arms[arm], key):
        base = experiment.arms[arm].extends
        assert base is not None
        arm = base
    return f"arms.{arm}.{key}.{label}"


def _namesakes(opened: OpenExperiment, condition: Condition) -> Iterator[Problem]:
    """Two drugs of an arm with a species of one name: one would stand for both."""
    owner: dict[str, str] = {}
    for label, treatment in condition.treatments.items():
        species = condition.drugs[treatment.drug].species
        shared = [name for name in species if owner.get(name, treatment.drug) != treatment.drug]
        if shared:
            names = " and ".join(shared)
            yield opened.document.problem(
                written(opened.experiment, condition.arm, label),
                f"{treatment.drug} with {names}, which {owner[shared[0]]} has too",
                f"species with names of their own in the file of {treatment.drug}",
            )
        owner |= dict.fromkeys(species, treatment.drug)


def _contradictions(
    opened: OpenExperiment, arm: str, drug: str, given: list[tuple[float, float, str, str]]
) -> Iterator[Problem]:
    """One drug both dosed and held, or held at two levels at once."""
    first = given[0]
    for span in given[1:]:
        path = written(opened.experiment, arm, span[3])
        if span[2] != first[2]:
            found = f"{drug} by {span[2]} and, as '{first[3]}', by {first[2]} in one arm"
            yield opened.document.problem(path, found, f"one way to give {drug} in an arm")
            return
    held = sorted(span for span in given if span[2] != "dose")
    for before, after in itertools.pairwise(held):
        if after[0] < before[1] and after[3] != before[3]:
            found = (
                f"{drug} held from {after[0]:g} h while '{before[3]}' holds it until"
                f" {before[1]:g} h"
            )
            path = written(opened.experiment, arm, after[3])
            yield opened.document.problem(path, found, "times that do not overlap")


def _times(opened: OpenExperiment, condition: Condition) -> Iterator[Problem]:
    end_h, end = condition.end_h, condition.setting.course.duration.text
    for label, treatment in condition.treatments.items():
        last = max(treatment.starts_h())
        if last >= end_h:
            path = written(opened.experiment, condition.arm, label)
            wanted = f"a time before the course ends, {end}"
            yield opened.document.problem(f"{path}.at", _when(treatment, last), wanted)
        elif treatment.over is not None and last + treatment.length_h > end_h:
            path = written(opened.experiment, condition.arm, label)
            found = f"'{treatment.over.text}' from {_when(treatment, last)}"
            wanted = f"an infusion that is over when the course ends, {end}"
            yield opened.document.problem(f"{path}.over", found, wanted)
    for name, when in condition.snapshots.items():
        if when > end_h:
            path = f"snapshots.{name}"
            found = f"'{opened.experiment_at(condition.point).snapshots[name].text}'"
            yield opened.document.problem(path, found, f"a time within the course, until {end}")


def _when(treatment: Treatment, last: float) -> str:
    return (
        f"'{treatment.at.text}'"
        if treatment.times == 1
        else f"{treatment.times} times, the last at {last:g} h"
    )


def _stress(opened: OpenExperiment, condition: Condition) -> Iterator[Problem]:
    """Stress that begins after the end, or at two levels at once: an event without `for` lasts
    until the next begins.
    """
    end_h, end = condition.end_h, condition.setting.course.duration.text
    stress = opened.experiment_at(condition.point).arm(condition.arm).stress
    events: list[StressEvent] = (
        [] if stress is None else stress if isinstance(stress, list) else [stress]
    )
    path = f"arms.{condition.arm}.stress"
    for event in events:
        if float(event.at) >= end_h:
            wanted = f"a time before the end, {end}"
            yield opened.document.problem(path, f"stress from '{event.at.text}'", wanted)
    for before, after in itertools.pairwise(sorted(events, key=lambda event: float(event.at))):
        start, held = float(before.at), before.held
        until = float(after.at) if held is None else start + float(held)
        if float(after.at) < until or float(after.at) == start:
            lasts = f"for '{held.text}' " if held is not None else ""
            found = f"stress {lasts}from '{before.at.text}' and again from '{after.at.text}'"
            yield opened.document.problem(path, found, "times that do not overlap")
