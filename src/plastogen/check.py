"""In: a `Question`. Out: its `Case`s, or one InputError with everything that is wrong, before anything runs.

Checked here is what one file cannot know of itself: names in other files, paths, times against the course,
arms that contradict themselves, claims about readouts that are not there.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from plastogen import check_results
from plastogen.case import FOLDERS, Case, Question
from plastogen.definition import Fault, InputError, Problem, nearest, show
from plastogen.document import Steps
from plastogen.dose import Treatment
from plastogen.drug import check_treatment
from plastogen.experiment import Arm, Experiment
from plastogen.paths import fault_of, is_model_path

FIXED_BY_ALL = ("course.duration", "course.seed", "course.seeds")
CHANGEABLE = ("course", "switches", "model")


def check(question: Question) -> list[Case]:
    """Every arm at every point of the sweep, resolved. Raises InputError with all that is wrong."""
    problems = [*_set_paths(question)]
    if problems:
        raise InputError(problems)
    experiment = question.experiment
    document = question.document
    problems += [*_model_names(question), *_paths(question)]
    problems += check_results.names(document, experiment)
    if not problems:
        cases, problems = _cases(question)
        problems += [p for case in cases for p in _treatments(question, case)]
        problems += [p for case in cases for p in _times(question, case)]
        problems += check_results.readouts(document, experiment, cases)
    problems += check_results.claims(document, experiment, question.axes, question.models.library.references())
    if problems:
        raise InputError(dict.fromkeys(problems))
    return cases


def _set_paths(question: Question) -> Iterator[Problem]:
    """--set paths that lead nowhere."""
    for path in question.set:
        fault = _leads_nowhere(question, path)
        if fault is not None:
            yield Problem("--set", None, path, fault.found, fault.wanted, fault.nearest)


def _leads_nowhere(question: Question, path: str) -> Fault | None:
    if not is_model_path(path):
        return fault_of(path, question.document.tree, Experiment)
    root, _, below = path.partition(".")
    folder, kind = FOLDERS[root]
    names = list(_models_in_use(question, root))
    if root == "drugs":
        name, _, below = below.partition(".")
        if name not in names:
            near = nearest(name, names)
            wanted = f"a drug the experiment gives: {', '.join(names)}"
            return Fault("", show(name), wanted, f"drugs.{near}.{below}" if near else None)
        names = [name]
    if not below:
        return Fault("", f"'{path}'", f"a path into the {root}, such as {root}.title")
    for name in names:
        if name in question.models.library.names(folder):
            fault = fault_of(below, question.models.document(folder, name).tree, kind)
            if fault is not None:
                head = f"drugs.{name}" if root == "drugs" else root
                return replace(fault, nearest=f"{head}.{fault.nearest}" if fault.nearest else None)
    return None


def _models_in_use(question: Question, root: str) -> dict[str, Steps]:
    """Names of the models of one kind that any arm may use, and where each is written, read from the file as is."""
    tree = question.document.tree
    found: dict[str, Steps] = {}
    arms = {name: arm for name, arm in dict(tree.get("arms") or {}).items() if isinstance(arm, dict)}
    for arm, own in arms.items():
        for label, treatment in dict(own.get("give") or {}).items() if root == "drugs" else ():
            if isinstance(treatment, dict) and "drug" in treatment:
                found.setdefault(str(treatment["drug"]), ("arms", arm, "give", label, "drug"))
    if root == "drugs":
        swept = {path: values for path, values in dict(tree.get("sweep") or {}).items() if path.endswith(".drug")}
        for path, values in swept.items():
            found |= {str(name): ("sweep", path) for name in values if str(name) not in found}
        return found
    path, model = f"model.{root}", tree.get("model")
    default = {"circuit": "prefrontal", "plasticity": "all"}.get(root)
    places: list[tuple[Any, Steps]] = [(question.set.get(path), ("model", root))]
    places += [((model if isinstance(model, dict) else {}).get(root, default), ("model", root))]
    places += [(dict(own.get("set") or {}).get(path), ("arms", arm, "set", path)) for arm, own in arms.items()]
    places += [(name, ("sweep", path)) for name in dict(tree.get("sweep") or {}).get(path) or []]
    for name, at in places:
        if name is not None:
            found.setdefault(str(name), at)
    return found


def _model_names(question: Question) -> Iterator[Problem]:
    """Models that are named and not there."""
    for root, (folder, _) in FOLDERS.items():
        names = question.models.library.names(folder)
        for name, at in _models_in_use(question, root).items():
            if name not in names:
                wanted = f"one of {', '.join(names)}"
                yield question.document.problem(at, show(name), wanted, nearest(name, names))


def _paths(question: Question) -> Iterator[Problem]:
    """Paths of `set:` and `sweep:`."""
    document, experiment = question.document, question.experiment
    for name, arm in experiment.arms.items():
        for path in arm.set:
            at = ("arms", name, "set", path)
            changeable = is_model_path(path) or path.split(".")[0] in CHANGEABLE
            if not changeable or path in FIXED_BY_ALL:
                roots = ", ".join(sorted({"circuit", "plasticity", "subject", "drugs", *CHANGEABLE}))
                yield document.problem(at, f"'{path}'", f"a path an arm may change, below {roots}")
            elif (fault := _leads_nowhere(question, path)) is not None:
                yield document.problem(at, fault.found, fault.wanted, fault.nearest)
    for path in experiment.sweep:
        here = ("sweep", path)
        if path in FIXED_BY_ALL or not (is_model_path(path) or path.split(".")[0] in ("arms", *CHANGEABLE)):
            wanted = "a path below arms, circuit, course, drugs, model, plasticity, subject or switches"
            yield document.problem(here, f"'{path}'", wanted)
        elif (fault := _leads_nowhere(question, path)) is not None:
            yield document.problem(here, fault.found, fault.wanted, fault.nearest)
        elif path in question.set:
            yield document.problem(here, f"'{path}', which --set fixes too", "either of the two")


def _cases(question: Question) -> tuple[list[Case], list[Problem]]:
    """The cases that resolve, and why the others do not, each fault once."""
    found, problems = [], list[Problem]()
    for index, point in question.points():
        for arm, own in question.experiment.arms.items():
            try:
                found.append(question.case(arm, index, point))
            except InputError as error:
                problems += [_explained(question, p, arm, own, point) for p in error.problems]
    return found, problems


def _explained(question: Question, problem: Problem, arm: str, own: Arm, point: Mapping[str, Any]) -> Problem:
    """A fault of a changed value, at the place where the change is written."""
    if problem.file != "--set":
        return problem
    for start, values in ((("arms", arm, "set"), own.set), (("sweep",), point)):
        for path in values:
            words = path.split(".")
            if any(f"{problem.path}.".startswith(f"{'.'.join(words[n:])}.") for n in range(min(3, len(words)))):
                at = (*start, path)
                placed = question.document.problem(at, problem.found, problem.wanted, problem.nearest)
                return replace(placed, path=".".join(at))
    return problem


def _treatments(question: Question, case: Case) -> Iterator[Problem]:
    spans: dict[str, list[tuple[float, float, str, str]]] = {}
    for label, treatment in case.treatments.items():
        path = _written(question.experiment, case.arm, label)
        for fault in check_treatment(case.drugs[treatment.drug], case.subject, treatment):
            at = f"{path}.{fault.at}" if fault.at else path
            yield question.document.problem(at, fault.found, fault.wanted, fault.nearest)
        way = next(w for w in ("dose", "occupancy", "brain") if getattr(treatment, w) is not None)
        length = float(treatment.held) if treatment.held is not None else 0.0
        for start in treatment.starts_h():
            spans.setdefault(treatment.drug, []).append((start, start + length, way, label))
    for drug, given in spans.items():
        yield from _contradictions(question, case.arm, drug, given)


def _written(experiment: Experiment, arm: str, label: str) -> str:
    """Where a treatment that an arm has or inherits is written."""
    while label not in experiment.arms[arm].give:
        base = experiment.arms[arm].extends
        assert base is not None
        arm = base
    return f"arms.{arm}.give.{label}"


def _contradictions(
    question: Question, arm: str, drug: str, given: list[tuple[float, float, str, str]]
) -> Iterator[Problem]:
    """One drug both dosed and held, or held at two levels at once."""
    first = given[0]
    for span in given[1:]:
        path = _written(question.experiment, arm, span[3])
        if span[2] != first[2]:
            found = f"{drug} by {span[2]} and, as '{first[3]}', by {first[2]} in one arm"
            yield question.document.problem(path, found, f"one way to give {drug} in an arm")
            return
    held = sorted(span for span in given if span[2] != "dose")
    for before, after in itertools.pairwise(held):
        if after[0] < before[1] and after[3] != before[3]:
            found = f"{drug} held from {after[0]:g} h while '{before[3]}' holds it until {before[1]:g} h"
            path = _written(question.experiment, arm, after[3])
            yield question.document.problem(path, found, "times that do not overlap")


def _times(question: Question, case: Case) -> Iterator[Problem]:
    end_h, end = case.end_h, case.setting.course.duration.text
    for label, treatment in case.treatments.items():
        last = max(treatment.starts_h())
        if last >= end_h:
            path = _written(question.experiment, case.arm, label)
            wanted = f"a time before the course ends, {end}"
            yield question.document.problem(f"{path}.at", _when(treatment, last), wanted)
    for start, _, _ in case.stress:
        if start >= end_h:
            path = f"arms.{case.arm}.stress"
            yield question.document.problem(path, f"stress from {start:g} h", f"a time before the end, {end}")
    for name, when in case.snapshots.items():
        if when > end_h:
            path = f"snapshots.{name}"
            yield question.document.problem(path, f"{when:g} h", f"a time within the course, until {end}")


def _when(treatment: Treatment, last: float) -> str:
    return f"'{treatment.at.text}'" if treatment.times == 1 else f"{treatment.times} times, the last at {last:g} h"
