"""In: a results folder. Out: who is at work on it this moment, and how far: a small file a worker, for anyone to read.

The same for threads, processes and other machines that share the folder. Nothing depends on these files: they feed
the progress bar and `plastogen status`.
"""

from __future__ import annotations

import json
import os
import platform
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

FOLDER = ".working"
EACH_S = 1  # between two writes of one worker, unless it begins something else
SILENT_S = 600  # a worker of another machine that says nothing for so long counts as gone


@dataclass(frozen=True)
class Working:
    """One worker: which runs it does together, since when (seconds since 1970), what it is at, and how far."""

    host: str
    pid: int
    since: float
    runs: tuple[str, ...]
    label: str
    share: float

    @property
    def here(self) -> bool:
        """Whether it works on this machine."""
        return self.host == platform.node()


class Mark:
    """Says in `folder` that this thread works on `runs`, from entering to leaving. A disk that refuses is no error."""

    def __init__(self, folder: Path, runs: Sequence[str]) -> None:
        name = f"{platform.node()}.{os.getpid()}.{threading.get_ident()}"
        self._path, self._runs, self._began = Path(folder) / FOLDER / f"{name}.json", list(runs), time.time()
        self._last, self._label = 0.0, ""

    def __enter__(self) -> Mark:
        with suppress(OSError):
            self._path.parent.mkdir(exist_ok=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(OSError):
            self._path.unlink(missing_ok=True)

    def moved(self, label: str, share: float) -> None:
        """Say how far it is."""
        now = time.monotonic()
        if label == self._label and now - self._last < EACH_S:
            return
        self._label, self._last = label, now
        host, pid, *_ = self._path.name.rsplit(".", 3)
        told = {"host": host, "pid": int(pid), "since": self._began, "runs": self._runs, "label": label, "share": share}
        partial = self._path.with_suffix(".partial")
        with suppress(OSError):
            partial.write_text(json.dumps(told))
            partial.replace(self._path)


def working(folder: Path) -> list[Working]:
    """Everyone who works on `folder` now, by name; marks of processes that were killed are removed."""
    found = []
    with suppress(OSError):
        for path in sorted((Path(folder) / FOLDER).iterdir()):
            with suppress(OSError, ValueError, KeyError, TypeError):
                quiet = time.time() - path.stat().st_mtime
                told = json.loads(path.read_text())
                one = Working(**{**told, "runs": tuple(told["runs"])})
                if alive(one.pid) if one.here else quiet < SILENT_S:
                    found.append(one)
                else:
                    path.unlink(missing_ok=True)
    return found


def tidy(folder: Path) -> None:
    """Remove the folder of marks if nobody is at work."""
    if not working(folder):
        with suppress(OSError):
            for path in (Path(folder) / FOLDER).glob("*.partial"):
                path.unlink()
            (Path(folder) / FOLDER).rmdir()


def alive(pid: int) -> bool:
    """Whether a process of this machine still runs (or may: elsewhere than on POSIX, asking would end it)."""
    if pid == os.getpid() or os.name != "posix":
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
