"""In: an experiment and settings. Out: a `Request`, checked: its runs and where they go.

What a results folder was last asked for stands in it (asked.json), for `status`, `merge` and the
page, which come later and without the settings.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TypedDict

from plastogen._base.sealed import read_json, write_json
from plastogen._base.text import counted
from plastogen.errors import CacheDamaged, InputError, Problem, StoreError
from plastogen.experiment import Condition, OpenExperiment, open_experiment, resolve_conditions
from plastogen.model.circuit import default_backend
from plastogen.runs.emulators import TrainingSet, make_training_sets
from plastogen.runs.results import Place
from plastogen.runs.scheduler import Rerun, list_runs
from plastogen.runs.store import Store
from plastogen.runs.worker import Run, RunResult

Say = Callable[[str], None]  # what takes a line for a person

RESULTS = Path("results")
SMALL_CIRCUIT = "small"
RECORD = "asked.json"


class RunOptions(TypedDict, total=False):
    """How runs are made, as `run_all` takes it."""

    workers: int
    executor: str
    scheduler: str | None
    rerun: Rerun


@dataclass
class Request:
    """A checked experiment, ready to run: its conditions, its runs and the folder they go to.

    `ids`: (arm, index of the point, seed) -> run id; conditions that are equal share a run.
    """

    opened: OpenExperiment
    conditions: list[Condition]
    runs: list[Run]
    ids: dict[Place, str]
    training_sets: dict[str, TrainingSet]
    store: Store

    @property
    def folder(self) -> Path:
        """Where results go."""
        return self.store.folder


def without_result(results: Sequence[RunResult]) -> list[RunResult]:
    """Those of `results` that failed, now or before, or are missing."""
    return [result for result in results if result.state in ("failed", "failed before", "missing")]


def silent(line: str) -> None:
    """A `Say` that says nothing."""
    del line


def make_request(
    name: str | Path,
    settings: Mapping[str, object] | None = None,
    *,
    seed: int | None = None,
    seeds: int | None = None,
    method: str | None = None,
    out: Path | str | None = None,
    say: Say = print,
) -> Request:
    """Check the whole experiment and list the runs it needs. Raises InputError, StoreError."""
    options = {"course.seed": seed, "course.seeds": seeds, "course.method": method}
    given = {path: value for path, value in options.items() if value is not None}
    try:
        return _make_request(name, {**(settings or {}), **given}, out, say)
    except InputError as error:
        raise InputError([_as_typed(one, given) for one in error.problems]) from None


def _as_typed(problem: Problem, options: Collection[str]) -> Problem:
    """A problem of what an option set, by its name: `--seed`, not `--set at course.seed`."""
    if problem.file == "--set" and problem.path in options:
        return replace(problem, file=f"--{problem.path.rpartition('.')[2]}", path="")
    return problem


def _make_request(
    name: str | Path, paths: Mapping[str, object], out: Path | str | None, say: Say
) -> Request:
    opened = open_experiment(name, paths)
    backend = default_backend()
    asks = opened.experiment.course.method != "formula" or opened.experiment.ensembles is not None
    if backend == "numpy" and asks and _may_shrink(opened):
        say(
            "no C++ compiler: the small circuit is used, in numpy (`plastogen doctor` says what to"
            " install)"
        )
        opened = open_experiment(name, {**paths, "model.circuit": SMALL_CIRCUIT})
    conditions = resolve_conditions(opened)
    training_sets = make_training_sets(opened, conditions, backend)
    runs, ids = list_runs(opened, conditions, backend, training_sets)
    store = Store(Path(out) if out is not None else RESULTS / opened.name)
    return Request(opened, conditions, runs, ids, training_sets, store)


def _may_shrink(opened: OpenExperiment) -> bool:
    """Whether the circuit was left to the file, not chosen by the person at the keyboard."""
    return not any(path.startswith(("circuit.", "model.circuit")) for path in opened.set)


def repeat_request(
    name: str | Path,
    settings: Mapping[str, object] | None = None,
    *,
    out: Path | str | None = None,
    beside: Sequence[Path] = (),
    say: Say = print,
) -> Request:
    """The request last made of this folder, or of one `beside` it; with `settings`, that one.

    Raises InputError, StoreError.
    """
    request = make_request(name, settings, out=out, say=say)
    if settings:
        return request
    records = (read_record(folder) for folder in (request.folder, *beside))
    before = next((record for record in records if record is not None), None)
    if before is None and (request.folder / RECORD).is_file():
        say(f"{request.folder / RECORD} is damaged: taken as asked without settings (--set)")
    return request if before is None else make_request(name, before.set, out=out, say=say)


# ---- what a folder was last asked for


@dataclass(frozen=True)
class Record:
    """An experiment, its settings (path -> value), and its runs: id -> "arm, point, seed"."""

    experiment: str
    set: Mapping[str, object]
    runs: Mapping[str, str]


def write_record(
    folder: Path, experiment: str, settings: Mapping[str, object], runs: Sequence[Run]
) -> None:
    """Write down what a folder is asked for, unless it stands there. Raises StoreError."""
    record = Record(experiment, settings, {run.id: run.place for run in runs})
    if read_record(folder) != record:
        write_json(Path(folder) / RECORD, asdict(record))


def read_record(folder: Path) -> Record | None:
    """What a folder was last asked for; None when that is not known."""
    with suppress(OSError, CacheDamaged, ValueError, KeyError, TypeError):
        record = read_json(Path(folder) / RECORD)
        return Record(record["experiment"], dict(record["set"]), dict(record["runs"]))
    return None


def made_by_0_1(request: Request) -> str:
    """A sentence where the folder holds runs of plastogen 0.1, which have other names; else ""."""
    with suppress(OSError, ValueError, CacheDamaged, StoreError):
        if n := request.store.made_by_0_1():
            old = f"{counted(n, 'run')} made by 0.1: run again; the old ones stay as they are"
            return f"{request.folder}: {old}"
    return ""
