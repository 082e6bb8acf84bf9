"""In: an experiment's name, --set and the models it names. Out: an `OpenExperiment` and its
`Condition`s, everything resolved.

A condition is one arm at one point of the sweep; with a seed it becomes a `Plan`, all that
determines a course. `--set` and sweep values lie under an arm's own `set:`, which is what makes
that arm different.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from plastogen._base.definition import Definition, build, quantities
from plastogen._base.document import Document
from plastogen._base.library import Library, builtin
from plastogen._base.quantity import Fault, Quantity
from plastogen.errors import InputError, Problem
from plastogen.experiment import population as people
from plastogen.experiment.definition import (
    Experiment,
    document_of,
    laid_over,
    stress_spans,
)
from plastogen.experiment.design import TAKEN, Axis, axes_of, points
from plastogen.experiment.models import FOLDERS, Models, is_model_path, models_in_use, range_ends
from plastogen.experiment.sweep import Filled, Span, in_words, size
from plastogen.model.circuit import Circuit
from plastogen.model.pharmacology import Drug, Subject, Treatment, event_times
from plastogen.model.plasticity import (
    CalciumRule,
    Intervention,
    Plasticity,
    SpineModel,
    Stimulation,
)
from plastogen.simulation import OF_SPINES, Kind, Plan, grid

T = TypeVar("T", bound=Definition)
RECENT = 64  # experiments at points that are kept in mind
LEAD_H = 1  # a course begins this long before anything acts, and before time 0
JUST_BEFORE_H = (
    1e-4  # a dose that is in the blood at once: what is written down there must not rise before it
)


@dataclass(frozen=True)
class Condition:
    """One arm at one point of the sweep, resolved. `point` is path -> value, `index` the place on
    each axis; `setting` the experiment as point and arm change it.
    """

    arm: str
    index: tuple[int, ...]
    point: Mapping[str, Any]
    setting: Experiment
    subject: Subject
    circuit: Circuit
    plasticity: Plasticity
    rule: CalciumRule
    spines: SpineModel
    drugs: Mapping[str, Drug]
    treatments: Mapping[str, Treatment]
    interventions: Mapping[str, Intervention]
    stimulations: Mapping[str, Stimulation]
    stress: tuple[tuple[float, float, float], ...]
    snapshots: Mapping[str, float]

    @property
    def kind(self) -> Kind:
        return self.setting.kind

    @property
    def preparation(self) -> str:
        """In which single spines are seen, in words."""
        return self.spines.preparations[self.setting.course.preparation].title

    @property
    def end_h(self) -> float:
        return float(self.setting.course.duration)

    @cached_property
    def acts_h(self) -> tuple[float, ...]:
        """When anything given, done or suffered starts or stops."""
        times = set(event_times(self.treatments.values(), self.stress))
        times |= {t for one in self.interventions.values() for t in one.times_h}
        times |= {float(one.at) for one in self.stimulations.values()}
        if (induction := self.setting.induction) is not None:
            times |= {float(induction.at), float(induction.at) + induction.length_h}
        if (ensembles := self.setting.ensembles) is not None:
            times |= {float(ensembles.teaching.at), *ensembles.recall_h}
        return tuple(sorted(times))

    @cached_property
    def events_h(self) -> tuple[float, ...]:
        """When anything acts or ceases to, within the course, and just before a leap in the
        blood.
        """
        leaping = [each for each in self.treatments.values() if each.leaps]
        leaps = {t - JUST_BEFORE_H for each in leaping for t in each.starts_h()}
        return tuple(sorted(t for t in leaps.union(self.acts_h) if t <= self.end_h))

    @property
    def start_h(self) -> float:
        """An hour before anything acts, whatever it is: a course begins as its subject is without
        it.
        """
        return min(min((0.0, *self.acts_h)) - LEAD_H, *self.snapshots.values(), 0.0)

    @property
    def grid_h(self) -> NDArray[np.float64]:
        """The times the course is written down at; conditions with the same events share it."""
        return _grid(self.start_h, self.end_h, self.events_h)

    def plan(self, seed: int, backend: str) -> Plan:
        """All that determines the course with master seed `seed`."""
        course = self.setting.course
        return Plan(
            subject=self.subject,
            circuit=self.circuit,
            plasticity=self.plasticity,
            rule=self.rule,
            drugs=dict(self.drugs),
            treatments=dict(self.treatments),
            stress=self.stress,
            switches=self.setting.switches.essential(),
            start_h=self.start_h,
            duration_h=self.end_h,
            grid_h=self.grid_h,
            seed=seed,
            method=course.method,
            window_s=float(course.window),
            settle_s=float(course.settle),
            tolerance=float(course.tolerance),
            max_probes=course.max_probes,
            snapshots=dict(self.snapshots),
            start={state: float(factor) for state, factor in course.start.items()},
            backend=backend,
            induction=self.setting.induction,
            ensembles=self.setting.ensembles,
            spines=self.spines if self.kind in OF_SPINES else None,
            preparation=course.preparation if self.kind in OF_SPINES else None,
            interventions=tuple(self.interventions.values()) or None,
            stimulations=tuple(self.stimulations.values()) or None,
        )


@dataclass
class OpenExperiment:
    """An experiment's file, what --set changes in it, and where its models are found."""

    name: str
    document: Document
    models: Models
    set: Mapping[str, object] = field(default_factory=dict)
    _recent: dict[str, Experiment] = field(default_factory=dict, repr=False)

    @property
    def experiment_overrides(self) -> dict[str, object]:
        """The part of --set that concerns the experiment's file, not a model's."""
        return {path: value for path, value in self.set.items() if not is_model_path(path)}

    @cached_property
    def experiment(self) -> Experiment:
        """Raises InputError."""
        return build(self.document, Experiment, overrides=self.experiment_overrides)

    @property
    def seeds(self) -> tuple[int, ...]:
        course = self.experiment.course
        return tuple(range(course.seed, course.seed + course.seeds))

    @cached_property
    def sweep(self) -> Filled:
        """The sweep, every span with its ends, those of models/ where it gives none. Raises
        InputError.
        """
        sweep = self.experiment.sweep
        if isinstance(sweep, list):
            return sweep
        filled, problems = dict(sweep), list[Problem]()
        for path, swept in sweep.items():
            if not isinstance(swept, Span) or swept.from_ is not None:
                continue
            found = range_ends(path, self.document, self.set, self.models)
            if not isinstance(found, Fault):
                span = filled[path] = swept.model_copy(update={"from_": found[0], "to": found[1]})
            fault = found if isinstance(found, Fault) else span.fault()
            if fault is not None:
                at = ("sweep", path, *filter(None, [fault.at]))
                problems.append(self.document.problem(at, fault.found, fault.wanted, fault.nearest))
        if problems:
            raise InputError(problems)
        return filled

    @cached_property
    def axes(self) -> tuple[Axis, ...]:
        """The dimensions of the sweep, in order, then that of virtual subjects; none without.
        Raises InputError.
        """
        taken = {*TAKEN, *self.experiment.readouts}
        axes = axes_of(self.sweep, self.experiment.design, taken)
        count = self.experiment.course.subjects
        if count is None:
            return axes
        taken |= {column.name for axis in axes for column in axis.columns}
        return (*axes, people.axis_of(self.varying, count, self.seeds[0], taken))

    @cached_property
    def varying(self) -> people.Varying:
        """What differs between virtual subjects, but for what is swept: a sweep gives all of them
        one value.
        """
        subject = self.subject
        swept = (
            {path for point in self.sweep for path in point}
            if isinstance(self.sweep, list)
            else {*self.sweep}
        )
        numbers = {path: self.number(path) for path in subject.varies if path not in swept}
        return {
            path: (subject.varies[path], number)
            for path, number in numbers.items()
            if number is not None
        }

    @property
    def subject(self) -> Subject:
        """The subject that is named for all arms. Raises InputError."""
        return self._model("subject", self.experiment.model.subject, Subject, self.set)

    def number(self, path: str) -> Quantity | None:
        """The number at a path into a model, as --set leaves it; None for a drug that no arm is
        given.
        """
        root, _, below = path.partition(".")
        name = getattr(self.experiment.model, root, "")
        if root == "drugs":
            name, _, below = below.partition(".")
            if name not in models_in_use(self.document.tree, self.set, root):
                return None
        model = self._model(root, name, FOLDERS[root][1], self.set)
        return dict(quantities(model)).get(below)

    @property
    def size(self) -> int:
        """How many points there are: of the sweep, for every virtual subject."""
        return size(self.experiment.sweep, self.experiment.design) * (
            self.experiment.course.subjects or 1
        )

    @property
    def sweep_in_words(self) -> list[list[str]]:
        """What every arm is run over: design and paths, virtual subjects and what varies."""
        count, name = self.experiment.course.subjects, self.experiment.model.subject
        parts = (
            in_words(self.sweep, self.experiment.design),
            people.in_words(self.varying, count, name),
        )
        return [words for words in parts if words]

    def points(self) -> Iterator[tuple[tuple[int, ...], dict[str, Any]]]:
        """Every point of the sweep: place on each axis, and path -> value; one empty point
        without.
        """
        return points(self.axes)

    def experiment_at(self, point: Mapping[str, Any]) -> Experiment:
        """The experiment at a point of its sweep. Raises InputError."""
        inside = {path: value for path, value in point.items() if not is_model_path(path)}
        if not inside:
            return self.experiment
        key = json.dumps(inside, default=str)
        if key not in self._recent:
            if len(self._recent) >= RECENT:
                self._recent.clear()
            changes = {**self.experiment_overrides, **inside}
            self._recent[key] = build(
                self.document, Experiment, overrides=changes, base=self.experiment
            )
        return self._recent[key]

    def condition(
        self, arm: str, index: tuple[int, ...] = (), point: Mapping[str, Any] | None = None
    ) -> Condition:
        """Arm `arm` at a point. Raises InputError."""
        point = point or {}
        settings = self.experiment_at(point).arm(arm)
        experiment = self.experiment_at({**point, **settings.set})
        switches = experiment.switches
        if settings.switches is not None:
            switches = laid_over(switches, settings.switches)
        setting = experiment.model_copy(update={"switches": switches})
        changes = {**self.set, **point, **settings.set}
        names = sorted({treatment.drug for treatment in settings.give.values()})
        return Condition(
            arm=arm,
            index=index,
            point=point,
            setting=setting,
            subject=self._model("subject", setting.model.subject, Subject, changes),
            circuit=self._model("circuit", setting.model.circuit, Circuit, changes),
            plasticity=self._model("plasticity", setting.model.plasticity, Plasticity, changes),
            rule=self._model("rule", setting.model.rule, CalciumRule, changes),
            spines=self._model("spines", setting.model.spines, SpineModel, changes),
            drugs={name: self._model("drugs", name, Drug, changes) for name in names},
            treatments=settings.give,
            interventions=_of_kind(settings.intervene, Intervention),
            stimulations=_of_kind(settings.intervene, Stimulation),
            stress=stress_spans(settings.stress, float(setting.course.duration)),
            snapshots={name: float(t) for name, t in experiment.snapshots.items()},
        )

    def _model(self, root: str, name: str, kind: type[T], changes: Mapping[str, object]) -> T:
        """A model with the changes that lead into it."""
        head = f"{root}.{name}." if root == "drugs" else f"{root}."
        overrides = {
            path.removeprefix(head): value
            for path, value in changes.items()
            if path.startswith(head)
        }
        try:
            return self.models.load(FOLDERS[root][0], name, kind, overrides)
        except InputError as error:
            raise InputError(_whole_path(p, head, changes) for p in error.problems) from None

    def typical_conditions(self) -> list[Condition]:
        """One condition an arm, with the numbers as the files have them, whatever is swept or
        varies; with every model that is swept over. Raises InputError.
        """
        columns = [
            column
            for axis in self.axes
            for column in axis.columns
            if column.path.startswith("model.")
        ]
        chosen = itertools.product(*(dict.fromkeys(column.written) for column in columns))
        points = [
            dict(zip((column.path for column in columns), values, strict=True)) for values in chosen
        ]
        return [self.condition(arm, (), point) for point in points for arm in self.experiment.arms]

    def conditions(self) -> list[Condition]:
        """Every arm at every point, arms fastest. Raises InputError."""
        return [
            self.condition(arm, index, point)
            for index, point in self.points()
            for arm in self.experiment.arms
        ]


def _of_kind(done: Mapping[str, object], kind: type[T]) -> dict[str, T]:
    return {label: one for label, one in done.items() if isinstance(one, kind)}


def _whole_path(problem: Problem, head: str, changes: Mapping[str, object]) -> Problem:
    """The problem of a changed number, its path as it was given."""
    if problem.file != "--set":
        return problem
    path = head + problem.path
    short = path.removesuffix(".value")
    return replace(problem, path=short if short in changes else path)


@lru_cache(maxsize=1024)
def _grid(start_h: float, end_h: float, events_h: tuple[float, ...]) -> NDArray[np.float64]:
    times = grid(start_h, end_h, events_h)
    times.flags.writeable = False
    return times


def open_experiment(
    name: str | Path, settings: Mapping[str, object] | None = None
) -> OpenExperiment:
    """The experiment `name` with `settings` (dotted path -> value) laid over it. Nothing is checked
    yet but its file. Models of one's own stand beside one's file, or, for an experiment that ships,
    where one is.

    Raises InputError.

    >>> opened = plastogen.experiment.open_experiment("mine", {"course.seeds": 3})
    >>> opened.seeds
    (1, 2, 3)
    """
    document = document_of(name)
    path = Path(document.file)
    beside = Path() if path.parent == builtin("experiments") else path
    return OpenExperiment(path.stem, document, Models(Library(beside)), settings or {})
