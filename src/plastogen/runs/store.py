"""In: plans and the courses they gave. Out: a folder of finished runs, each whole or not there.

    <results>/runs/<id>/   manifest.json  plan.json  course.npz  snapshots.npz  (spines.nc)
                           (ensembles.npz)

The id comes from `identity`, so equal arms share a run. A run is written under a temporary name and
renamed last; every file has its checksum in the manifest, so a broken run is never mistaken for a
finished one.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from plastogen._base.digest import digest
from plastogen._base.files import (
    TEMPORARY,
    atomic_write,
    explained,
    read_npz,
    size,
    write_npz,
)
from plastogen._base.leftovers import gone, ours, remove, sweep
from plastogen._base.sealed import checksum, read_json, write_json
from plastogen.errors import CacheDamaged, StoreError
from plastogen.runs.batch import Batches
from plastogen.runs.beside import alone, runs_beside
from plastogen.runs.course_tables import boundaries, course_tables
from plastogen.runs.ensemble_file import ENSEMBLES, read_ensembles, write_ensembles
from plastogen.runs.identity import determines
from plastogen.runs.spine_file import SPINES, open_spines, write_spines
from plastogen.simulation import Course, Plan, Weights

if TYPE_CHECKING:
    import xarray as xr

Array: TypeAlias = NDArray[Any]
BESIDE = ("figures", "emulators", ".working")  # folders of results beside that of runs
FILES = ("plan.json", "course.npz", "snapshots.npz")
LABELLED = ("class", "pool", "species", "snapshot")  # dimensions whose names a run keeps
PARTIAL = re.compile(r"[0-9a-f]{12}\.partial-(.+)-(\d+)-.*")


@dataclass(frozen=True)
class Stored:
    """A run read back. `arrays`: variable -> values without arm and seed; `labels`: dimension ->
    names.
    """

    id: str
    time_h: NDArray[np.float64]
    arrays: Mapping[str, Array]
    labels: Mapping[str, tuple[str, ...]]
    frequency_hz: NDArray[np.float64]
    manifest: Mapping[str, Any]
    moved: Mapping[str, Array] = field(default_factory=dict)
    """The same variables, as far as an emulator's answers decide them, one of its standard
    errors further up.
    """

    @property
    def emulated(self) -> bool:
        """Whether an emulator answered in place of the network."""
        return "emulator" in self.manifest


class Store:
    """The runs of one results folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = Path(folder)
        self.runs = self.folder / "runs"
        self._batches = Batches(self.runs)
        self._beside: dict[str, Path] | None = None
        self._others: dict[Path, Store] = {}
        self.borrowed = Counter[Path]()  # results folder -> runs taken from it
        self.refresh()

    def refresh(self) -> None:
        """Look again which runs others have finished."""
        self._batches.refresh()
        self._beside = None
        self._others.clear()

    def prepare(self) -> None:
        """Make the folder, see that it can be written, sweep up. Raises StoreError."""
        with explained(self.folder, "write into"):
            self.runs.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(prefix=".test-", dir=self.runs)
            os.close(handle)
            os.unlink(name)
        self.sweep_up()

    def sweep_up(self) -> None:
        """Remove what killed processes left half written, and look again what is finished. Raises
        StoreError.
        """
        with explained(self.runs, "read"):
            there = list(self.runs.iterdir())
        for entry in there:
            left = PARTIAL.fullmatch(entry.name)
            if left and gone(left[1], int(left[2]), entry):
                remove(entry)
        for place in (self.runs, self.folder, *(self.folder / name for name in BESIDE)):
            sweep(place, TEMPORARY)
        self.refresh()

    def fault(self, run: str) -> str | None:
        """Why run `run` does not count as finished: "missing", or what is broken; None when
        finished.
        """
        if run in self._batches.runs():
            return None
        folder = self.runs / run
        if not folder.is_dir():
            return "missing"
        try:
            manifest = read_json(folder / "manifest.json")
            checksums = dict(manifest["checksums"])
            complete = manifest["status"] == "complete" and set(FILES) <= set(checksums)
        except (OSError, CacheDamaged, ValueError, KeyError, TypeError):
            return "its manifest is missing or cannot be read"
        if not complete:
            return "its manifest does not say it is complete"
        for name, wanted in checksums.items():
            if not (folder / name).is_file():
                return f"{name} is missing"
            if checksum(folder / name) != wanted:
                return f"{name} is cut short or altered"
        return None

    def mark(self, run: str) -> str:
        """What tells a finished run from the same made again with another outcome; "" if there is
        none.
        """
        with suppress(OSError, CacheDamaged, KeyError):
            if run in self._batches.runs():
                return self._batches.mark(run)
            return digest(read_json(self.runs / run / "manifest.json")["checksums"])
        return ""

    def discard(self, run: str) -> None:
        """Remove a run, and those that share its file. Raises StoreError."""
        with explained(self.runs / run, "remove"):
            if run in self._batches.runs():
                (self.runs / self._batches.runs()[run][0]).unlink(missing_ok=True)
                self._batches.refresh()
            if (self.runs / run).exists():
                shutil.rmtree(self.runs / run)

    def borrow(self, run: str) -> bool:
        """Copy run `run` from a results folder of ours beside this one, if one has finished it;
        `borrowed` says from where.
        """
        if self._beside is None:
            self._beside = runs_beside(self.folder)
        source = self._beside.get(run)
        if source is None:
            return False
        if source not in self._others:  # once: it tests every file of the folder
            self._others[source] = Store(source)
        if not self.take(run, self._others[source]):
            return False
        self.borrowed[source] += 1
        return True

    def take(self, run: str, other: Store) -> bool:
        """Copy run `run` from another results folder, if it is finished there. Raises
        StoreError.
        """
        if other.fault(run) is not None:
            return False
        self.forget_failure(run)
        if run in other._batches.runs():
            name = other._batches.runs()[run][0]
            with explained(other.runs / name, "read"):
                whole, about = (other.runs / name).read_bytes(), (other.runs / name).stat()
            atomic_write(self.runs / name, whole)
            os.utime(self.runs / name, ns=(about.st_atime_ns, about.st_mtime_ns))  # as old as it is
            self._batches.refresh()
            return True
        partial = self._partial(run)
        with explained(partial, "write"):
            shutil.copytree(other.runs / run, partial, dirs_exist_ok=True)
        self._settle(partial, run)
        return True

    def write(self, run: str, plan: Plan, course: Course, manifest: Mapping[str, Any]) -> None:
        """Keep a finished course. Raises StoreError; nothing half-written ever gets the real
        name.
        """
        partial = self._partial(run)
        more = () if course.spines is None else (SPINES,)
        more = more if course.weights is None else (*more, ENSEMBLES)
        try:
            write_npz(partial / "course.npz", **course_tables(plan, course))
            spikes = {
                f"{name}_{key}": shot[key]
                for name, shot in course.snapshots.items()
                for key in ("t_s", "i")
            }
            write_npz(partial / "snapshots.npz", **spikes)
            if course.spines is not None:
                write_spines(partial / SPINES, plan, course.spines)
            if course.weights is not None:
                write_ensembles(partial / ENSEMBLES, course.weights)
            atomic_write(
                partial / "plan.json", json.dumps(determines(plan), indent=1, sort_keys=True)
            )
            whole = {
                **manifest,
                "run": run,
                "status": "complete",
                "seed": plan.seed,
                "classes": boundaries(plan),
                "checksums": {name: checksum(partial / name) for name in (*FILES, *more)},
            }
            write_json(partial / "manifest.json", whole)
            self._settle(partial, run)
        except BaseException:
            shutil.rmtree(partial, ignore_errors=True)
            raise
        self.forget_failure(run)

    def write_batch(
        self,
        runs: Mapping[str, tuple[Plan, Course, Course]],
        manifest: Mapping[str, Any],
        arms: Mapping[str, str],
    ) -> None:
        """Keep courses followed side by side: run -> its plan, its course, and that of answers one
        standard error up.

        `arms`: run -> the arm that asked for it. Raises StoreError; ValueError when a course is not
        finite.
        """
        rows = {}
        for run, (plan, course, moved) in runs.items():
            about = {
                **manifest,
                "run": run,
                "status": "complete",
                "seed": plan.seed,
                "classes": boundaries(plan),
                "log": course.log,
                "arm": arms[run],
            }
            text = json.dumps({"manifest": about, "plan": determines(plan)}, sort_keys=True)
            tables = course_tables(plan, course)
            of_error = {
                name: array for name, array in moved.arrays.items() if name in tables and array.size
            }
            rows[run] = (tables, of_error, text)
        self._batches.write(rows)
        for run in runs:
            self.forget_failure(run)

    def order(self, ids: Iterable[str]) -> list[str]:
        """The runs, those that share a file together."""
        where = self._batches.runs()
        return sorted(ids, key=lambda run: where.get(run, ("", 0)))

    def _partial(self, run: str) -> Path:
        with explained(self.runs, "write into"):
            return Path(tempfile.mkdtemp(prefix=ours(f"{run}{TEMPORARY}"), dir=self.runs))

    def _settle(self, partial: Path, run: str) -> None:
        """Give a whole run its real name; another process may have finished the same run first."""
        partial.chmod(0o755)
        try:
            partial.rename(self.runs / run)
        except OSError as error:
            if self.fault(run) is not None:
                raise StoreError(
                    f"cannot write {self.runs / run}: {error.strerror or error}"
                ) from error
            shutil.rmtree(partial, ignore_errors=True)

    def fail(self, run: str, reason: str) -> None:
        """Remember why a run failed. Raises StoreError."""
        write_json(self.runs / f"{run}.failed.json", {"run": run, "reason": reason})

    def failure(self, run: str) -> str | None:
        """Why the run failed when it was last tried, if it did."""
        with suppress(OSError, CacheDamaged, KeyError):
            return str(read_json(self.runs / f"{run}.failed.json")["reason"])
        return None

    def finished(self) -> set[str]:
        """The runs that were written whole, in one look at the folder; `fault` says whether they
        still are.
        """
        with explained(self.runs, "read"):
            return alone(self.runs) | self._batches.runs().keys()

    def made_by_0_1(self) -> int:
        """How many finished runs have no `model_version`: their names hang on source code, so that
        nothing of today shares them.
        """
        batches = self._batches.runs()
        single = (self.runs / run / "manifest.json" for run in alone(self.runs))
        first = {name: run for run, (name, _) in reversed(list(batches.items()))}  # of each file
        old = {
            name
            for name, run in first.items()
            if "model_version" not in self._batches.load(run).manifest
        }
        return sum(name in old for name, _ in batches.values()) + sum(
            "model_version" not in read_json(path) for path in single
        )

    def failures(self) -> dict[str, str]:
        """Why each run failed that did when it was last tried."""
        runs = [path.name.partition(".")[0] for path in self.runs.glob("*.failed.json")]
        return {run: reason for run in runs if (reason := self.failure(run)) is not None}

    def forget_failure(self, run: str) -> None:
        (self.runs / f"{run}.failed.json").unlink(missing_ok=True)

    def load(self, run: str) -> Stored:
        """A finished run. Raises StoreError or CacheDamaged."""
        folder = self.runs / run
        moved: Mapping[str, Array] = {}
        if run in self._batches.runs():
            row = self._batches.load(run)
            tables, manifest, moved = dict(row.tables), row.manifest, row.moved
        else:
            try:
                tables = read_npz(folder / "course.npz")
                manifest = read_json(folder / "manifest.json")
            except FileNotFoundError as error:
                raise CacheDamaged(f"run {run} is damaged: {error}") from error
        missing = [dim for dim in LABELLED if f"names_{dim}" not in tables]
        if missing:
            raise CacheDamaged(f"run {run} does not say its {missing[0]}: an older version made it")
        labels = {dim: tuple(map(str, tables.pop(f"names_{dim}"))) for dim in LABELLED}
        return Stored(
            run,
            tables.pop("time_h"),
            tables,
            labels,
            tables.pop("frequency_hz"),
            manifest,
            moved,
        )

    def plan(self, run: str) -> Mapping[str, Any]:
        """What determined a finished run that has a folder of its own, as it was written down."""
        plan: Mapping[str, Any] = json.loads((self.runs / run / "plan.json").read_text())
        return plan

    def bytes(self, run: str) -> float:
        """What a finished run takes on disk; of a file that holds many, its share."""
        where = self._batches.runs()
        if run not in where:
            return size(self.runs / run)
        name, _ = where[run]
        return (self.runs / name).stat().st_size / sum(file == name for file, _ in where.values())

    def spines(self, run: str) -> xr.Dataset:
        """Every spine of a finished run that followed each. Raises CacheDamaged when it did not."""
        return open_spines(self.runs / run / SPINES)

    def ensembles(self, run: str) -> Weights:
        """Weights of a finished run that taught ensembles. Raises CacheDamaged when it did not."""
        return read_ensembles(self.runs / run / ENSEMBLES)

    def spikes(self, run: str) -> dict[str, tuple[NDArray[np.float64], NDArray[np.int32]]]:
        """Snapshot -> (times in s, cells). Raises StoreError or CacheDamaged."""
        arrays = read_npz(self.runs / run / "snapshots.npz")
        names = [key.removesuffix("_t_s") for key in arrays if key.endswith("_t_s")]
        return {name: (arrays[f"{name}_t_s"], arrays[f"{name}_i"]) for name in names}
