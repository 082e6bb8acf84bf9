"""In: an open experiment whose courses are to be emulated. Out: for each of its circuits, the plans
that stand for the sweep, and the emulator learned from them, kept in the results folder.

Training plans lie at the corners and all over the ranges that are swept, not at its points: a finer
sweep over the same ranges has the same emulator, and what is finished of it stays finished.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from plastogen._base.digest import digest, fingerprint
from plastogen._base.files import cache_dir, explained, locked
from plastogen._base.machine import one_blas_thread
from plastogen._base.sealed import read_json, write_json
from plastogen._base.text import percent
from plastogen.errors import CacheDamaged, InputError
from plastogen.experiment import Condition, OpenExperiment, Span
from plastogen.experiment import population as people
from plastogen.model.circuit import Circuit, signature
from plastogen.runs.identity import run_id
from plastogen.runs.pool import spread_over
from plastogen.simulation import Plan

if TYPE_CHECKING:
    from plastogen.simulation import Emulator

FOLDER = "emulators"
POINTS = 16  # of each arm, spread over the ranges
SUBJECTS = 24  # virtual subjects that stand for all
MOST_CIRCUITS = 16
KEY_LENGTH = 16


@dataclass(frozen=True)
class TrainingSet:
    """The plans that stand for one circuit and rule of a sweep; `key` names the emulator that they
    lead to.
    """

    key: str
    plans: tuple[Plan, ...]


def make_training_sets(
    opened: OpenExperiment, conditions: Sequence[Condition], backend: str
) -> dict[str, TrainingSet]:
    """Mark of a circuit and its rule -> its training set, for all of the conditions that are to be
    emulated.

    Raises InputError: too many of them.
    """
    sets: dict[str, TrainingSet] = {}
    for condition in conditions:
        mark = _mark(condition)
        if condition.setting.course.method != "emulated" or mark in sets:
            continue
        if len(sets) == MOST_CIRCUITS:
            wanted = (
                f"at most {MOST_CIRCUITS} circuits or rules, each of which is learned by itself, or"
                " course.method direct"
            )
            raise InputError.one(
                file=opened.document.file,
                found="a sweep over more circuits or rules",
                wanted=wanted,
            )
        pinned = {path: value for path, value in condition.point.items() if _of_network(path)}
        plans = [p for p in _training_plans(opened, pinned, backend) if _mark(p) == mark]
        if not plans:
            plans = [condition.plan(seed, backend) for seed in opened.seeds]
        key = digest([signature(backend), *(run_id(plan) for plan in plans)])[:KEY_LENGTH]
        sets[mark] = TrainingSet(key, tuple(plans))
    return sets


def with_emulator(plan: Plan, training_sets: Mapping[str, TrainingSet]) -> Plan:
    """The plan, with the key of the emulator that answers in place of the network, if one does."""
    return (
        replace(plan, emulator=training_sets[_mark(plan)].key)
        if plan.method == "emulated"
        else plan
    )


def _mark(of: Plan | Condition) -> str:
    """What an emulator is learned for: a circuit whose synapses follow a rule."""
    return f"{fingerprint(of.circuit)} {fingerprint(of.rule)}"


def _of_network(path: str) -> bool:
    return path.startswith(("circuit.", "model.circuit", "rule.", "model.rule"))


def _training_plans(
    opened: OpenExperiment, pinned: Mapping[str, Any], backend: str
) -> Iterator[Plan]:
    """Every arm at every training point, seeds in turn; and every arm's first point with every
    seed.
    """
    points = _with_subjects(opened, list(_points(opened, pinned)))
    for number, point in enumerate(points):
        for arm in opened.experiment.arms:
            condition = opened.condition(arm, (), point)
            for k, seed in enumerate(opened.seeds):
                if number % len(opened.seeds) == k or number == 0:
                    yield condition.plan(seed, backend)


def _points(opened: OpenExperiment, pinned: Mapping[str, Any]) -> Iterable[dict[str, Any]]:
    """Points all over what is swept; the one empty point without a sweep."""
    sweep = opened.sweep
    if isinstance(sweep, list):
        chosen = np.unique(np.linspace(0, len(sweep) - 1, POINTS).astype(int))
        return [{**sweep[i], **pinned} for i in chosen]
    free = {path: swept for path, swept in sweep.items() if path not in pinned}
    if not free:
        return [dict(pinned)]
    from scipy.stats import qmc

    drawn = qmc.Sobol(len(free), scramble=False).random(POINTS)
    shares = np.vstack([np.zeros(len(free)), np.ones(len(free)), drawn[1:]])
    values = [
        _values_along(swept, column) for swept, column in zip(free.values(), shares.T, strict=True)
    ]
    return [dict(zip(free, row, strict=True)) | dict(pinned) for row in zip(*values, strict=True)]


def _with_subjects(opened: OpenExperiment, found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The points, each for another of the first virtual subjects, where there are any."""
    if opened.experiment.course.subjects is None:
        return found
    axis = people.axis_of(opened.varying, SUBJECTS, opened.seeds[0], set())
    rows = [{column.path: column.written[i] for column in axis.columns} for i in range(axis.size)]
    return [found[i % len(found)] | rows[i % len(rows)] for i in range(max(len(found), len(rows)))]


def _values_along(swept: list[Any] | Span, shares: Any) -> list[Any]:
    """What is swept at `shares` (0..1) of its way."""
    if isinstance(swept, Span):
        return swept.at(shares)
    return [swept[min(int(share * len(swept)), len(swept) - 1)] for share in shares]


def emulator_path(results: Path, key: str) -> Path:
    """Where a results folder keeps an emulator."""
    return results / FOLDER / f"{key}.npz"


def describe_emulators(results: Path, training_sets: Iterable[TrainingSet]) -> Iterator[str]:
    """A sentence on each emulator that a results folder has."""
    for each in training_sets:
        with suppress(OSError, CacheDamaged, KeyError):
            k = read_json(emulator_path(results, each.key).with_suffix(".json"))
            yield (
                f"emulator {each.key}: learned from {k['probes']} probes ({k['asked']} asked of the"
                f" network, {k['remembered']} known before); rates of E cells within"
                f" {percent(k['error'], 1)}, the balance of synapses within"
                f" {percent(k['balance_error'], 1)} (wanted {percent(k['wanted'], 1)} and"
                f" {percent(k['balance_wanted'], 1)}); an answer left out is missed by"
                f" {percent(k['held_out'], 1)} and {percent(k['balance_held_out'], 1)}"
            )


def load_emulator(
    path: Path, circuit: Circuit, since: float = 0.0
) -> tuple[Emulator, dict[str, Any]]:
    """An emulator of after `since`, and what is known of it. Raises FileNotFoundError,
    CacheDamaged.
    """
    from plastogen.simulation import Emulator

    if since and path.stat().st_mtime < since:
        raise FileNotFoundError(path)
    return Emulator.load(path, circuit), read_json(path.with_suffix(".json"))


def ensure_emulator(
    training_set: TrainingSet,
    results: Path,
    *,
    workers: int,
    moved: Callable[[str, float], None],
    since: float = 0.0,
) -> bool:
    """Have the emulator in the results folder: from the cache, or learned now, by whoever comes
    first. One from before `since` (s since 1970) is learned again, from answers asked again.

    Whether it was learned now. Raises EngineError, StoreError, WorkersLost.
    """
    from plastogen.simulation import network, train

    path, kept, circuit = (
        emulator_path(results, training_set.key),
        emulator_path(cache_dir(), training_set.key),
        training_set.plans[0].circuit,
    )
    with locked(path.with_suffix(".lock")):
        with suppress(FileNotFoundError, CacheDamaged):
            load_emulator(path, circuit, since)
            return False
        with locked(kept.with_suffix(".lock")):
            new = False
            try:
                load_emulator(kept, circuit, since)
            except (FileNotFoundError, CacheDamaged):
                new = True
                with one_blas_thread(), spread_over(workers) as spread:
                    learned = train(
                        training_set.plans,
                        network(training_set.plans[0], lambda what: moved(what, 0), since=since),
                        workers=workers,
                        spread=spread,
                        progress=moved,
                    )
                write_json(kept.with_suffix(".json"), learned.about())
                learned.emulator.save(kept)
            with explained(path, "write"):
                for suffix in (".json", ".npz"):
                    shutil.copyfile(kept.with_suffix(suffix), path.with_suffix(suffix + ".new"))
                    path.with_suffix(suffix + ".new").replace(path.with_suffix(suffix))
    return new
