"""In: an experiment's name, --set and the models it names. Out: a `Question` and its `Case`s, everything
resolved.

A case is one arm at one point of the sweep; with a seed it becomes a `Plan`, all that determines a course.
`--set` and sweep values lie under an arm's own `set:`, which is what makes that arm different.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from plastogen.circuit.definition import Circuit
from plastogen.course import Plan
from plastogen.definition import Definition, Document, Fault, InputError, Library, Problem, build
from plastogen.design import TAKEN, Axis, axes_of, points
from plastogen.dose import Treatment
from plastogen.drug import Drug
from plastogen.experiment import CourseSettings, Experiment, ModelNames, StressEvent, document_of, laid_over
from plastogen.grid import grid
from plastogen.models import FOLDERS, Models, ends
from plastogen.paths import is_model_path
from plastogen.plasticity import Plasticity
from plastogen.subject import Subject
from plastogen.sweep import Filled, Span, size
from plastogen.switches import Switches

T = TypeVar("T", bound=Definition)
RECENT = 64  # experiments at points that are kept in mind
LEAD_H = 1  # a course begins at least this long before time 0


@dataclass(frozen=True)
class Setting:
    """The part of an experiment that an arm's `set:` may change."""

    model: ModelNames
    course: CourseSettings
    switches: Switches


@dataclass(frozen=True)
class Case:
    """One arm at one point of the sweep, resolved. `point` is path -> value, `index` the place on each
    axis."""

    arm: str
    index: tuple[int, ...]
    point: Mapping[str, Any]
    setting: Setting
    subject: Subject
    circuit: Circuit
    plasticity: Plasticity
    drugs: Mapping[str, Drug]
    treatments: Mapping[str, Treatment]
    stress: tuple[tuple[float, float, float], ...]
    snapshots: Mapping[str, float]

    @property
    def end_h(self) -> float:
        return float(self.setting.course.duration)

    @cached_property
    def events_h(self) -> tuple[float, ...]:
        """When anything given or suffered starts or stops, within the course."""
        times = {t for start, end, _ in self.stress for t in (start, end)}
        for treatment in self.treatments.values():
            length = treatment.over or treatment.held
            for start in treatment.starts_h():
                times |= {start, start + (float(length) if length is not None else 0)}
        return tuple(sorted(t for t in times if t <= self.end_h))

    @property
    def start_h(self) -> float:
        return min(-LEAD_H, *self.events_h, *self.snapshots.values(), 0)

    @property
    def grid_h(self) -> NDArray[np.float64]:
        """The times the course is written down at; cases with the same events share it."""
        return _grid(self.start_h, self.end_h, self.events_h)

    def plan(self, seed: int, backend: str) -> Plan:
        """All that determines the course with master seed `seed`."""
        course = self.setting.course
        return Plan(
            subject=self.subject, circuit=self.circuit, plasticity=self.plasticity, drugs=dict(self.drugs),
            treatments=dict(self.treatments), stress=self.stress, switches=self.setting.switches,
            start_h=self.start_h, duration_h=self.end_h, grid_h=self.grid_h, seed=seed, method=course.method,
            window_s=float(course.window), settle_s=float(course.settle), tolerance=float(course.tolerance),
            max_probes=course.max_probes, snapshots=dict(self.snapshots),
            start={state: float(factor) for state, factor in course.start.items()}, backend=backend,
        )  # fmt: skip


@dataclass
class Question:
    """An experiment as asked: its file, what --set changed, and where its models are found."""

    name: str
    document: Document
    models: Models
    set: Mapping[str, object] = field(default_factory=dict)
    _recent: dict[str, Experiment] = field(default_factory=dict, repr=False)

    @property
    def own(self) -> dict[str, object]:
        """The part of --set that concerns the experiment's file."""
        return {path: value for path, value in self.set.items() if not is_model_path(path)}

    @cached_property
    def experiment(self) -> Experiment:
        """Raises InputError."""
        return build(self.document, Experiment, overrides=self.own)

    @property
    def seeds(self) -> tuple[int, ...]:
        course = self.experiment.course
        return tuple(range(course.seed, course.seed + course.seeds))

    @cached_property
    def sweep(self) -> Filled:
        """The sweep, every span with its ends, those of models/ where it gives none. Raises InputError."""
        sweep = self.experiment.sweep
        if isinstance(sweep, list):
            return sweep
        filled, problems = dict(sweep), list[Problem]()
        for path, swept in sweep.items():
            if not isinstance(swept, Span) or swept.from_ is not None:
                continue
            found = ends(path, self.document, self.set, self.models)
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
        """The dimensions of the sweep, in order; none without a sweep. Raises InputError."""
        return axes_of(self.sweep, self.experiment.design, {*TAKEN, *self.experiment.readouts})

    @property
    def size(self) -> int:
        """How many points the sweep has."""
        return size(self.experiment.sweep, self.experiment.design)

    def points(self) -> Iterator[tuple[tuple[int, ...], dict[str, Any]]]:
        """Every point of the sweep: place on each axis, and path -> value; one empty point without."""
        return points(self.axes)

    def at(self, point: Mapping[str, Any]) -> Experiment:
        """The experiment at a point of its sweep. Raises InputError."""
        inside = {path: value for path, value in point.items() if not is_model_path(path)}
        if not inside:
            return self.experiment
        key = json.dumps(inside, default=str)
        if key not in self._recent:
            if len(self._recent) >= RECENT:
                self._recent.clear()
            changes = {**self.own, **inside}
            self._recent[key] = build(self.document, Experiment, overrides=changes, base=self.experiment)
        return self._recent[key]

    def case(self, arm: str, index: tuple[int, ...] = (), point: Mapping[str, Any] | None = None) -> Case:
        """Arm `arm` at a point. Raises InputError."""
        point = point or {}
        whole = self.at(point).arm(arm)
        experiment = self.at({**point, **whole.set})
        switches = experiment.switches
        if whole.switches is not None:
            switches = laid_over(switches, whole.switches)
        setting = Setting(experiment.model, experiment.course, switches)
        into_models = {p: v for p, v in {**self.set, **point, **whole.set}.items() if is_model_path(p)}

        def load(root: str, name: str, kind: type[T], below: str = "") -> T:
            head = f"{root}.{below}." if below else f"{root}."
            overrides = {p.removeprefix(head): v for p, v in into_models.items() if p.startswith(head)}
            return self.models.load(FOLDERS[root][0], name, kind, overrides)

        names = sorted({treatment.drug for treatment in whole.give.values()})
        return Case(
            arm=arm, index=index, point=point, setting=setting,
            subject=load("subject", setting.model.subject, Subject),
            circuit=load("circuit", setting.model.circuit, Circuit),
            plasticity=load("plasticity", setting.model.plasticity, Plasticity),
            drugs={name: load("drugs", name, Drug, name) for name in names},
            treatments=whole.give, stress=_stress(whole.stress, float(setting.course.duration)),
            snapshots={name: float(t) for name, t in experiment.snapshots.items()},
        )  # fmt: skip

    def cases(self) -> list[Case]:
        """Every arm at every point, arms fastest. Raises InputError."""
        return [self.case(arm, index, point) for index, point in self.points() for arm in self.experiment.arms]


@lru_cache(maxsize=1024)
def _grid(start_h: float, end_h: float, events_h: tuple[float, ...]) -> NDArray[np.float64]:
    times = grid(start_h, end_h, events_h)
    times.flags.writeable = False
    return times


def _stress(given: StressEvent | list[StressEvent] | None, end_h: float) -> tuple[tuple[float, float, float], ...]:
    events = [] if given is None else given if isinstance(given, list) else [given]
    spans = ((float(e.at), end_h if e.held is None else float(e.at) + float(e.held), float(e.level)) for e in events)
    return tuple(sorted(spans))


def open_question(name: str | Path, settings: Mapping[str, object] | None = None) -> Question:
    """The experiment `name` with `settings` (dotted path -> value) laid over it. Nothing is checked yet but
    its file.

    Raises InputError.
    """
    document = document_of(name)
    path = Path(document.file)
    return Question(path.stem, document, Models(Library(path)), settings or {})
