"""In: runs that were just made and the time they took. Out: what others like them will cost on this
machine.

What is alike: method, program, probes and code. It is kept in the cache, a file a kind, by the
length of the course.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from plastogen._base.digest import digest, fingerprint
from plastogen._base.files import cache_dir
from plastogen._base.sealed import read_json, write_json
from plastogen.errors import CacheDamaged
from plastogen.model.circuit import program_key
from plastogen.model.plasticity import learner_of
from plastogen.runs.store import Store
from plastogen.runs.worker import Run
from plastogen.simulation import MODEL_VERSION, Plan

LEARNING = "learning"
LOOKED_AT = 16  # runs whose files are measured
REMEMBERED = 1000  # runs that an average rests on at most, so that it follows the machine


@dataclass(frozen=True)
class Cost:
    """What a run costs: seconds of one worker, bytes on disk; averaged over `runs` of
    `duration_h`.
    """

    seconds: float
    bytes: float
    runs: int
    duration_h: float


def record_cost(runs: Sequence[Run], worker_seconds: float, store: Store) -> None:
    """Keep what `runs`, new ones of `store`, cost together. Raises StoreError."""
    each = worker_seconds / max(len(runs), 1)
    for (path, duration_h), alike in _alike(runs).items():
        looked_at = alike[:: -(-len(alike) // LOOKED_AT)]
        taken = sum(store.bytes(run.id) for run in looked_at) / len(looked_at)
        _add(path, duration_h, Cost(each, taken, len(alike), duration_h))


def record_training_cost(plan: Plan, worker_seconds: float) -> None:
    """Keep what it cost to learn an emulator for runs such as `plan`. Raises StoreError."""
    _add(_place(plan, LEARNING), plan.duration_h, Cost(worker_seconds, 0, 1, plan.duration_h))


def expected_costs(runs: Iterable[Run]) -> list[tuple[int, Cost | None]]:
    """How many of `runs` there are of each kind, and what one costs; None where none has been made
    here.
    """
    return [
        (len(alike), _nearest(_read(path), duration_h))
        for (path, duration_h), alike in _alike(runs).items()
    ]


def training_cost(plan: Plan) -> Cost | None:
    """What it cost to learn an emulator for runs such as `plan`; None where that has not been done
    here.
    """
    return _nearest(_read(_place(plan, LEARNING)), plan.duration_h)


def _add(path: Path, duration_h: float, new: Cost) -> None:
    known = _read(path)
    old = known.get(str(duration_h), {"runs": 0, "seconds": 0, "bytes": 0})
    before, now = min(old["runs"], REMEMBERED), new.runs
    known[str(duration_h)] = {
        "runs": before + now,
        "seconds": (before * old["seconds"] + now * new.seconds) / (before + now),
        "bytes": (before * old["bytes"] + now * new.bytes) / (before + now),
    }
    write_json(path, known)


def _nearest(known: dict[str, Any], duration_h: float) -> Cost | None:
    """The record of courses most like `duration_h` long."""
    if not known:
        return None
    name = min(known, key=lambda text: abs(math.log(float(text) / duration_h)))
    found = known[name]
    return Cost(float(found["seconds"]), float(found["bytes"]), int(found["runs"]), float(name))


def _alike(runs: Iterable[Run]) -> dict[tuple[Path, float], list[Run]]:
    """Runs by where the cost of their kind is kept, and by how long their courses are."""
    groups: dict[tuple[Path, float], list[Run]] = {}
    places: dict[tuple[Any, ...], Path] = {}
    for run in runs:
        plan = run.plan
        kind = (
            plan.method,
            plan.kind,
            id(plan.circuit),
            id(plan.rule),
            plan.window_s,
            plan.settle_s,
            plan.tolerance,
            len(plan.snapshots),
            id(plan.ensembles),
        )
        if kind not in places:
            places[kind] = _place(plan, plan.method)
        groups.setdefault((places[kind], plan.duration_h), []).append(run)
    return groups


def _place(plan: Plan, work: str) -> Path:
    """Where the cost of `work` on plans like this one is kept."""
    asks = plan.asks_network or work == LEARNING
    compiled = asks and plan.backend == "cpp"
    learner = learner_of(plan.circuit, plan.rule)
    program = program_key(plan.circuit, learner) if compiled else ""
    circuit = [plan.backend, plan.circuit.size, program] if asks else ""
    alike = [
        work,
        plan.kind,
        circuit,
        plan.window_s,
        plan.settle_s,
        plan.tolerance,
        len(plan.snapshots),
        MODEL_VERSION,
        *([] if plan.ensembles is None else [fingerprint(plan.ensembles)]),
    ]
    return cache_dir() / "cost" / f"{digest(alike)[:16]}.json"


def _read(path: Path) -> dict[str, Any]:
    with suppress(OSError, CacheDamaged):
        return read_json(path)
    return {}
