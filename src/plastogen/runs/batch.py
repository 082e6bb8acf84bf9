"""In: runs followed side by side. Out: one file that holds them all, whole or not there.

    <results>/runs/<digest>.batch.npz   ids, texts (manifests and what determined each run), time_h
        and every variable,
                                        one row a run; `by_*`: how far one standard error of the
                                            emulator moves it

A sweep of thousands of runs is so a few dozen files. A file is named after the runs in it, written
under another name and renamed; reading tests every checksum, so a broken file is never mistaken for
runs.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from plastogen._base.digest import digest
from plastogen._base.files import atomic_write, read_npz
from plastogen.errors import CacheDamaged, in_words

Array: TypeAlias = npt.NDArray[Any]
SUFFIX = ".batch.npz"
NAME_LENGTH = 16
QUICK = 1  # of zlib's levels: curves compress little better at a higher one
KEPT_OPEN = 8  # files
MOVED = "by_"


@dataclass(frozen=True)
class Row:
    """One run of a batch. `moved`: variable -> its values moved up by one standard error of the
    emulator.
    """

    tables: Mapping[str, Array]
    moved: Mapping[str, Array]
    manifest: Mapping[str, Any]


class Batches:
    """The batch files of a folder. What is in a file never changes, so each is looked into once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._seen: dict[str, tuple[int, int]] = {}
        self._where: dict[str, tuple[str, int]] = {}
        self._open: dict[str, dict[str, Array]] = {}
        self._marks: dict[str, str] = {}

    def refresh(self) -> None:
        """Look for files that have come, gone or changed since. Of a run that stands in two, the
        younger counts.
        """
        there = {}
        for path in self.folder.glob(f"*{SUFFIX}"):
            with suppress(FileNotFoundError):
                about = path.stat()
                there[path.name] = (about.st_mtime_ns, about.st_size)
        if not self._seen.items() <= there.items():
            for known in (self._seen, self._where, self._open, self._marks):
                known.clear()
        for name in sorted(there.keys() - self._seen.keys(), key=lambda name: (there[name], name)):
            self._seen[name] = there[name]
            with suppress(CacheDamaged):  # its runs are then missing, and are run again
                self._where |= {
                    run: (name, row) for row, run in enumerate(_tested(self.folder / name))
                }

    def runs(self) -> Mapping[str, tuple[str, int]]:
        """Run -> its file and row there."""
        return self._where

    def mark(self, run: str) -> str:
        """What tells the file of a run from another with other values. Raises KeyError,
        CacheDamaged.
        """
        name, _ = self._where[run]
        if name not in self._marks:
            try:
                with zipfile.ZipFile(self.folder / name) as whole:
                    self._marks[name] = digest([[e.filename, e.CRC] for e in whole.infolist()])
            except (OSError, zipfile.BadZipFile) as error:
                raise CacheDamaged(f"{self.folder / name} is damaged ({error})") from error
        return self._marks[name]

    def load(self, run: str) -> Row:
        """A run. Raises KeyError when no file has it, CacheDamaged when its file is broken,
        StoreError.
        """
        name, row = self._where[run]
        if name not in self._open:
            if len(self._open) >= KEPT_OPEN:
                self._open.pop(next(iter(self._open)))
            self._open[name] = read_npz(self.folder / name)
        whole = self._open[name]
        shared = {name: whole[name] for name in whole if name.startswith("names_")} | {
            "time_h": whole["time_h"]
        }
        values = {
            name: array[row]
            for name, array in whole.items()
            if name not in ("ids", "texts", *shared)
        }
        tables = {
            name: array.astype(float)
            for name, array in values.items()
            if not name.startswith(MOVED)
        }
        moved = {
            name.removeprefix(MOVED): tables[name.removeprefix(MOVED)] + array
            for name, array in values.items()
            if name.startswith(MOVED)
        }
        return Row(tables | shared, moved, json.loads(str(whole["texts"][row]))["manifest"])

    def write(
        self, runs: Mapping[str, tuple[Mapping[str, Array], Mapping[str, Array], str]]
    ) -> Path:
        """Keep runs: run -> its tables (equal shapes), those moved by an error, and its text. Files
        all of whose runs are among them go. Raises StoreError.
        """
        ids = sorted(runs)
        first = runs[ids[0]][0]
        shared = ("time_h", *(name for name in first if name.startswith("names_")))
        arrays: dict[str, Array] = {name: np.asarray(first[name]) for name in shared}
        for name in first:
            if name not in shared:
                arrays[name] = np.stack([np.asarray(runs[run][0][name], np.float32) for run in ids])
        for name in runs[ids[0]][1]:
            moved = [
                np.asarray(runs[run][1][name], float) - np.asarray(runs[run][0][name], float)
                for run in ids
            ]
            if np.any(moved):
                arrays[MOVED + name] = np.stack(moved).astype(np.float16)
        arrays |= {"ids": np.array(ids), "texts": np.array([runs[run][2] for run in ids])}
        path = self.folder / f"{digest(ids)[:NAME_LENGTH]}{SUFFIX}"
        atomic_write(path, _packed(arrays))
        about = path.stat()
        self._seen[path.name] = (about.st_mtime_ns, about.st_size)
        self._open.pop(path.name, None)
        self._marks.pop(path.name, None)
        for name in {name for run, (name, _) in self._where.items() if run in runs} - {path.name}:
            if runs.keys() >= {run for run, (other, _) in self._where.items() if other == name}:
                (self.folder / name).unlink(missing_ok=True)
                self._seen.pop(name, None)
                self._open.pop(name, None)
        self._where |= {run: (path.name, row) for row, run in enumerate(ids)}
        return path


def _packed(arrays: Mapping[str, Array]) -> bytes:
    """An .npz of `arrays`, quickly compressed. The same arrays give the same bytes."""
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=QUICK) as whole:
        for name, array in arrays.items():
            entry = BytesIO()
            np.save(entry, array, allow_pickle=False)
            info = zipfile.ZipInfo(f"{name}.npy")
            info.compress_type = zipfile.ZIP_DEFLATED
            whole.writestr(info, entry.getvalue(), compresslevel=QUICK)
    return buffer.getvalue()


def listed(path: Path) -> list[str]:
    """The runs in a file, whose values nobody looks at. Raises CacheDamaged."""
    try:
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as archive:
            return [str(run) for run in archive["ids"]]
    except Exception as error:  # a damaged header can fail in any way
        raise CacheDamaged(f"{path} is damaged ({in_words(error)})") from error


def _tested(path: Path) -> list[str]:
    """The runs in a file, once every checksum was tested. Raises CacheDamaged."""
    try:
        with zipfile.ZipFile(path) as whole:
            broken = whole.testzip()
    except Exception as error:
        raise CacheDamaged(f"{path} is damaged ({in_words(error)})") from error
    if broken:
        raise CacheDamaged(f"{path} is damaged (the checksum of {broken} is wrong)")
    return listed(path)
