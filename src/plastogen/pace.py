"""In: runs that were just made and the time they took. Out: what others like them will cost on this machine.

What is alike: method, program, probes and code. It is kept in the cache, a file a kind, by the length of the course.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from plastogen.cache import atomic_write, cache_dir, digest
from plastogen.circuit.engine import program_key
from plastogen.identity import mechanisms
from plastogen.perform import Job
from plastogen.store import Store

FORMULA = "formula"
LOOKED_AT = 16  # runs whose files are measured
REMEMBERED = 1000  # runs that an average rests on at most, so that it follows the machine


@dataclass(frozen=True)
class Pace:
    """What a run costs: seconds of one worker, bytes on disk; averaged over `runs` of `duration_h`."""

    seconds: float
    bytes: float
    runs: int
    duration_h: float


def record(jobs: Sequence[Job], worker_seconds: float, store: Store) -> None:
    """Keep what `jobs`, new runs of `store`, cost together. Raises StoreError."""
    each = worker_seconds / max(len(jobs), 1)
    for (path, duration_h), alike in _alike(jobs).items():
        looked_at = alike[:LOOKED_AT]
        taken = sum(store.bytes(job.id) for job in looked_at) / len(looked_at)
        known = _read(path)
        old = known.get(str(duration_h), {"runs": 0, "seconds": 0, "bytes": 0})
        before, now = min(old["runs"], REMEMBERED), len(alike)
        known[str(duration_h)] = {
            "runs": before + now, "seconds": (before * old["seconds"] + now * each) / (before + now),
            "bytes": (before * old["bytes"] + now * taken) / (before + now),
        }  # fmt: skip
        atomic_write(path, json.dumps(known, indent=1))


def expected(jobs: Iterable[Job]) -> list[tuple[int, Pace | None]]:
    """How many of `jobs` there are of each kind, and what one costs; None where none has been made here."""
    return [(len(alike), _nearest(_read(path), duration_h)) for (path, duration_h), alike in _alike(jobs).items()]


def _nearest(known: dict[str, Any], duration_h: float) -> Pace | None:
    """The record of courses most like `duration_h` long."""
    if not known:
        return None
    name = min(known, key=lambda text: abs(math.log(float(text) / duration_h)))
    found = known[name]
    return Pace(float(found["seconds"]), float(found["bytes"]), int(found["runs"]), float(name))


def _alike(jobs: Iterable[Job]) -> dict[tuple[Path, float], list[Job]]:
    """Jobs by where the pace of their kind is kept, and by how long their courses are."""
    groups: dict[tuple[Path, float], list[Job]] = {}
    programs: dict[int, str] = {}
    for job in jobs:
        plan = job.plan
        if id(plan.circuit) not in programs:
            programs[id(plan.circuit)] = program_key(plan.circuit) if plan.backend == "cpp" else ""
        program = "" if plan.method == FORMULA else [plan.backend, plan.circuit.size, programs[id(plan.circuit)]]
        told = [plan.method, program, plan.window_s, plan.settle_s, plan.tolerance, len(plan.snapshots), mechanisms()]
        groups.setdefault((_folder() / f"{digest(told)[:16]}.json", plan.duration_h), []).append(job)
    return groups


def _folder() -> Path:
    return cache_dir() / "pace"


def _read(path: Path) -> dict[str, Any]:
    with suppress(OSError, ValueError):
        found: dict[str, Any] = json.loads(path.read_text())
        return found
    return {}
