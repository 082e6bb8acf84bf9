"""In: an experiment and settings. Out: a `Request`, checked: its runs and where they go."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

from plastogen.experiment.resolve import Condition, OpenExperiment, open_experiment
from plastogen.experiment.validate import resolve
from plastogen.model.circuit.engine import default_backend
from plastogen.runs.emulators import Pilots, emulated
from plastogen.runs.noted import noted
from plastogen.runs.results import Place
from plastogen.runs.scheduler import Rerun, Run, RunResult, jobs_of
from plastogen.runs.store import Store

if TYPE_CHECKING:
    pass


Say = Callable[[str], None]


RESULTS = Path("results")


SMALL_CIRCUIT = "small"


class How(TypedDict, total=False):
    """How runs are to be had, as `execute` takes it."""

    workers: int
    executor: str
    scheduler: str | None
    rerun: Rerun


@dataclass
class Request:
    """A checked question, ready to run: its cases, its runs and the folder they go to."""

    question: OpenExperiment
    cases: list[Condition]
    jobs: list[Run]
    ids: dict[Place, str]
    pilots: dict[str, Pilots]
    store: Store

    @property
    def folder(self) -> Path:
        return self.store.folder


def lacking(done: Sequence[RunResult]) -> list[RunResult]:
    """Those that gave no run."""
    return [one for one in done if one.came in ("failed", "failed before", "missing")]


def ask(
    name: str | Path,
    settings: Mapping[str, object] | None = None,
    *,
    seed: int | None = None,
    seeds: int | None = None,
    method: str | None = None,
    out: Path | str | None = None,
    say: Say = print,
) -> Request:
    """Check the whole experiment and say what runs it needs. Raises InputError, StoreError."""
    whole = dict(settings or {})
    short = {"course.seed": seed, "course.seeds": seeds, "course.method": method}
    whole |= {path: value for path, value in short.items() if value is not None}
    question = open_experiment(name, whole)
    backend = default_backend()
    if (
        backend == "numpy"
        and question.experiment.course.method == "direct"
        and _may_shrink(question)
    ):
        say(
            "no C++ compiler: the small circuit is used, in numpy (`plastogen doctor` says what to"
            " install)"
        )
        question = open_experiment(name, {**whole, "model.circuit": SMALL_CIRCUIT})
    cases = resolve(question)
    pilots = emulated(question, cases, backend)
    jobs, ids = jobs_of(question, cases, backend, pilots)
    return Request(
        question,
        cases,
        jobs,
        ids,
        pilots,
        Store(Path(out) if out is not None else RESULTS / question.name),
    )


def _may_shrink(question: OpenExperiment) -> bool:
    """Whether the circuit was left to the file, not chosen by the person at the keyboard."""
    return not any(path.startswith(("circuit.", "model.circuit")) for path in question.set)


def ask_again(
    name: str | Path,
    settings: Mapping[str, object] | None = None,
    *,
    out: Path | str | None = None,
    beside: Sequence[Path] = (),
    say: Say = print,
) -> Request:
    """What was asked before of this folder, or of one `beside` it, unless there are other
    `settings`.

    Raises InputError, StoreError.
    """
    asked = ask(name, settings, out=out, say=say)
    before = next(
        (found for folder in (asked.folder, *beside) if (found := noted(folder)) is not None), None
    )
    return asked if settings or before is None else ask(name, before.set, out=out, say=say)


def _quiet(line: str) -> None:
    del line
