"""In: a `OpenExperiment`. Out: its `Condition`s, or one InputError with everything that is wrong,
before anything runs.

Checked here is what one file cannot know of itself: names in other files, paths, times against the
course, arms that contradict themselves, claims about readouts that are not there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from plastogen._base.document import Steps, dotted
from plastogen._base.quantity import Fault
from plastogen._base.text import any_of, counted, nearest, show
from plastogen.errors import InputError, Problem, QuantityError
from plastogen.experiment import validate_outputs
from plastogen.experiment.definition import Experiment
from plastogen.experiment.design import corners
from plastogen.experiment.models import FOLDERS, is_model_path, models_in_use, path_fault
from plastogen.experiment.resolve import Condition, OpenExperiment
from plastogen.experiment.validate_given import validate_given
from plastogen.experiment.validate_kind import FIXED_BY_ALL, validate_kind, wanted_of
from plastogen.experiment.validate_of_circuit import (
    SITE_PATH,
    site_fault,
    validate_sites,
    validate_start,
)
from plastogen.experiment.validate_targets import validate_targets
from plastogen.model.pharmacology import shares

CHANGEABLE = ("course", "switches", "model", "induction", "ensembles")
FEW = 200  # points: up to so many are all looked at by `check`, of more only the corners
SHARED = f"a path that may differ within an experiment, not {', '.join(FIXED_BY_ALL)}"
NO_SOURCE = ("assumed", "computed", "constructed")  # in the place of a source
MAX_RUNS = 10**6  # arms x points x seeds
ENOUGH = 20  # different faults of swept values: whoever mends these is told of the next


def check(opened: OpenExperiment) -> list[Condition]:
    """The conditions looked at: every arm at every point of the sweep, or where they are many at
    its corners.

    Raises InputError with all that is wrong.
    """
    problems = [*_set_paths(opened)]
    if problems:
        raise InputError(problems)
    experiment = opened.experiment
    document = opened.document
    problems += [*_too_many(opened)]
    if problems:
        raise InputError(problems)
    problems += [*_model_names(opened), *_sources(opened), *_paths(opened)]
    problems += validate_outputs.words(document, experiment)
    problems += validate_outputs.figures(document, experiment)
    problems += validate_outputs.readout_names(document, experiment)
    if not problems:
        problems += _ranges(opened)
    if not problems and experiment.course.subjects:
        problems += _people(opened)
    swept_well = not problems
    if swept_well:
        conditions, problems = _cases(
            opened, (((), point) for point in corners(opened.sweep, experiment.design))
        )
        if not problems and opened.size <= FEW:
            conditions, problems = _cases(opened, opened.points())
        if {condition.arm for condition in conditions} == set(
            experiment.arms
        ):  # else half is known
            problems += validate_outputs.readouts(document, experiment, conditions)
        problems += validate_targets(opened, conditions)
    axes = (
        opened.axes if swept_well and any(claim.of_sweep for claim in experiment.expect) else None
    )
    problems += validate_outputs.claims(
        document, experiment, axes, opened.models.library.references()
    )
    if problems:
        raise InputError(dict.fromkeys(_blamed(opened, problem) for problem in problems))
    return conditions


def _blamed(opened: OpenExperiment, problem: Problem) -> Problem:
    """A fault of what --set says is not one of the file."""
    for path in opened.set:
        if problem.file == opened.document.file and f"{problem.path}.".startswith(f"{path}."):
            return replace(problem, file="--set", line=None)
    return problem


def resolve_conditions(opened: OpenExperiment) -> list[Condition]:
    """Every arm at every point, arms fastest, all checked. Raises InputError with all that is
    wrong.
    """
    conditions = check(opened)
    if opened.size > FEW:
        conditions, problems = _cases(opened, opened.points())
        if problems:
            raise InputError(dict.fromkeys(problems))
    return conditions


def _too_many(opened: OpenExperiment) -> Iterator[Problem]:
    """More runs than a folder, or a life, can hold."""
    arms, seeds = len(opened.experiment.arms), opened.experiment.course.seeds
    runs = arms * opened.size * seeds
    if runs > MAX_RUNS:
        each = counted(arms, "arm"), counted(opened.size, "point"), counted(seeds, "seed")
        found = f"{' x '.join(each)}, {runs} runs"
        yield opened.document.problem("sweep", found, f"at most {MAX_RUNS} runs")


def _ranges(opened: OpenExperiment) -> Iterable[Problem]:
    """Spans whose ends models/ cannot give."""
    try:
        _ = opened.sweep
    except InputError as error:
        return error.problems
    return ()


def _people(opened: OpenExperiment) -> Iterator[Problem]:
    """Why no virtual subjects can be drawn."""
    name = opened.experiment.model.subject
    subject, document = opened.subject, opened.models.document(FOLDERS["subject"][0], name)
    if not subject.varies:
        wanted = "a subject whose file says what `varies:` between people"
        yield opened.document.problem(
            "course.subjects", f"{opened.experiment.course.subjects} of {name}", wanted
        )
    for path, varied in subject.varies.items():
        at = ("varies", path)
        root, _, drug = path.partition(".")
        if root == "drugs" and drug.partition(".")[0] not in models_in_use(
            opened.document.tree, opened.set, root
        ):
            continue
        fault = (
            _leads_nowhere(opened, path)
            if is_model_path(path)
            else Fault("", show(path), "a path into a model")
        )
        number = opened.number(path) if fault is None else None
        if fault is None and number is None:
            fault = Fault("", f"'{path}'", "a path that ends at a number")
        if fault is not None:
            yield document.problem(at, fault.found, fault.wanted, fault.nearest)
        elif number is not None:
            try:
                varied.at(shares(path, 1, 0), number)
            except QuantityError as error:
                yield document.problem(at, error.found, error.wanted, error.nearest)


def _set_paths(opened: OpenExperiment) -> Iterator[Problem]:
    """--set paths that lead nowhere."""
    for path in opened.set:
        fault = _leads_nowhere(opened, path)
        if fault is not None:
            yield Problem("--set", None, path, fault.found, fault.wanted, fault.nearest)


def _leads_nowhere(opened: OpenExperiment, path: str) -> Fault | None:
    if found := SITE_PATH.fullmatch(path):
        above = path_fault(found["head"], opened.document.tree, Experiment)
        return above or site_fault(opened, found["head"], found["site"])
    if not is_model_path(path):
        return path_fault(path, opened.document.tree, Experiment)
    root, _, below = path.partition(".")
    folder, kind = FOLDERS[root]
    names = list(models_in_use(opened.document.tree, opened.set, root))
    if root == "drugs":
        name, _, below = below.partition(".")
        if name not in names:
            near = nearest(name, names)
            given = f"a drug the experiment gives: {', '.join(names)}"
            wanted = given if names else "no path into a drug: no arm is given any"
            return Fault("", show(name), wanted, f"drugs.{near}.{below}" if near else None)
        names = [name]
    if not below:
        return Fault("", f"'{path}'", f"a path into the {root}, such as {root}.title")
    for name in names:
        if name in opened.models.library.names(folder):
            fault = path_fault(below, opened.models.document(folder, name).tree, kind)
            if fault is not None:
                head = f"drugs.{name}" if root == "drugs" else root
                return replace(fault, nearest=f"{head}.{fault.nearest}" if fault.nearest else None)
    return None


def _model_names(opened: OpenExperiment) -> Iterator[Problem]:
    """Models that are named and not there."""
    for root, (folder, _) in FOLDERS.items():
        names = opened.models.library.names(folder)
        for name, at in models_in_use(opened.document.tree, opened.set, root).items():
            if name not in names:
                wanted = any_of(names)
                yield opened.document.problem(at, show(name), wanted, nearest(name, names))


def _sources(opened: OpenExperiment) -> Iterator[Problem]:
    """Numbers of models from sources that nobody can look up."""
    known = {*opened.models.library.references(), *NO_SOURCE}
    for root, (folder, _) in FOLDERS.items():
        for name in models_in_use(opened.document.tree, opened.set, root):
            if name in opened.models.library.names(folder):
                document = opened.models.document(folder, name)
                for at, source in _named_sources(document.tree):
                    if source not in known:
                        wanted = f"a key of references.yaml, or one of {', '.join(NO_SOURCE)}"
                        near = nearest(source, known)
                        yield document.problem(at, show(source), wanted, near)


def _named_sources(tree: Any, at: Steps = ()) -> Iterator[tuple[Steps, str]]:
    """Where in a model's file which source is named."""
    parts = tree.items() if isinstance(tree, dict) else enumerate(tree)
    for key, part in parts:
        if isinstance(part, dict | list):
            yield from _named_sources(part, (*at, key))
        elif key == "source" and "evidence" in tree:
            yield (*at, key), str(part)


def _paths(opened: OpenExperiment) -> Iterator[Problem]:
    """Paths of `set:` and `sweep:`."""
    document, experiment = opened.document, opened.experiment
    for name, arm in experiment.arms.items():
        for path in arm.set:
            at = ("arms", name, "set", path)
            changeable = is_model_path(path) or path.split(".")[0] in CHANGEABLE
            if path in FIXED_BY_ALL:
                yield document.problem(at, f"'{path}'", SHARED)
            elif not changeable:
                roots = ", ".join(sorted({*FOLDERS, *CHANGEABLE}))
                yield document.problem(at, f"'{path}'", f"a path an arm may change, below {roots}")
            elif (fault := _leads_nowhere(opened, path)) is not None:
                yield document.problem(at, fault.found, fault.wanted, fault.nearest)
            elif (wanted := wanted_of(path, experiment)) is not None:
                yield document.problem(at, f"'{path}'", wanted)
    for path, here in _swept(experiment):
        if path in FIXED_BY_ALL:
            yield document.problem(here, f"'{path}'", SHARED)
        elif not (is_model_path(path) or path.split(".")[0] in ("arms", *CHANGEABLE)):
            *others, last = sorted({"arms", *FOLDERS, *CHANGEABLE})
            wanted = f"a path below {', '.join(others)} or {last}"
            yield document.problem(here, f"'{path}'", wanted)
        elif (fault := _leads_nowhere(opened, path)) is not None:
            yield document.problem(here, fault.found, fault.wanted, fault.nearest)
        elif (idle := wanted_of(path, experiment)) is not None:
            yield document.problem(here, f"'{path}'", idle)
        elif path in opened.set:
            yield document.problem(here, f"'{path}', which --set fixes too", "either of the two")
    for path in opened.set:
        if (wanted := wanted_of(path, experiment)) is not None:
            yield Problem("--set", None, path, f"'{path}'", wanted)


def _swept(experiment: Experiment) -> Iterator[tuple[str, Steps]]:
    """Every path that is swept, and where it is written."""
    listed = isinstance(experiment.sweep, list)
    for path in experiment.sweep[0] if isinstance(experiment.sweep, list) else experiment.sweep:
        yield path, ("sweep", 0, path) if listed else ("sweep", path)


def _cases(
    opened: OpenExperiment, points: Iterable[tuple[tuple[int, ...], dict[str, Any]]]
) -> tuple[list[Condition], list[Problem]]:
    """The conditions that resolve, and what is wrong with them or why the others do not, each fault
    once.
    """
    found, problems = list[Condition](), dict[Problem, None]()
    for index, point in points:
        for arm in opened.experiment.arms:
            try:
                condition = opened.condition(arm, index, point)
            except InputError as error:
                problems |= dict.fromkeys(_explained(opened, p, arm, point) for p in error.problems)
                if len(problems) >= ENOUGH:
                    return found, list(problems)
                continue
            found.append(condition)
            faults = [
                *validate_given(opened, condition),
                *validate_sites(opened, condition),
                *validate_start(opened, condition),
                *validate_kind(opened, condition),
            ]
            problems |= dict.fromkeys(_at_the_sweep(opened, problem, point) for problem in faults)
    return found, list(problems)


def _explained(
    opened: OpenExperiment, problem: Problem, arm: str, point: Mapping[str, Any]
) -> Problem:
    """A fault of a changed value, or of a whole that it no longer goes with, at the place where the
    change is written.
    """
    if problem.file == opened.document.file:
        return problem
    places = [*_set_by(opened.experiment, arm)]
    places += [(path, _place(opened, path, point)) for path in point]
    for path, at in places:
        if _concerns(problem, path):
            return _moved(opened, problem, at)
    for path in opened.set:
        if problem.file != "--set" and _concerns(problem, path):
            return replace(problem, file="--set", line=None, path=path)
    return problem


def _set_by(experiment: Experiment, arm: str | None) -> Iterator[tuple[str, Steps]]:
    """Every path that an arm sets, itself or by what it extends, and where that is written."""
    while arm is not None:
        own = experiment.arms[arm]
        yield from ((path, ("arms", arm, "set", path)) for path in own.set)
        arm = own.extends


def _concerns(problem: Problem, path: str) -> bool:
    """Whether a problem of a model is one of what `path` changes in it."""
    words = path.split(".")
    for n in range(min(3, len(words))):
        changed = ".".join(words[n:])
        if f"{problem.path}.".startswith(f"{changed}."):
            return True
        if problem.file != "--set" and problem.path and changed.startswith(f"{problem.path}."):
            return True
    return False


def _at_the_sweep(opened: OpenExperiment, problem: Problem, point: Mapping[str, Any]) -> Problem:
    """A fault of what a point sets is one of the sweep."""
    for path in point:
        if f"{problem.path}.".startswith(f"{path}."):
            return _moved(opened, problem, _place(opened, path, point))
    return problem


def _moved(opened: OpenExperiment, problem: Problem, at: Steps) -> Problem:
    placed = opened.document.problem(at, problem.found, problem.wanted, problem.nearest)
    return replace(placed, path=dotted(at))


def _place(opened: OpenExperiment, path: str, point: Mapping[str, Any]) -> Steps:
    """Where the sweep says what `path` is at `point`."""
    sweep = opened.experiment.sweep
    if isinstance(sweep, list):
        return ("sweep", next((i for i, listed in enumerate(sweep) if listed == point), 0), path)
    return ("sweep", path)
