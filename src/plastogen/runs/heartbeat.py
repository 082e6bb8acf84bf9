"""In: a results folder. Out: who is at work on it this moment, and how far: a small file a worker,
for anyone to read.

The same for threads, processes and other machines that share the folder. Nothing depends on these
files: they feed the progress bar and `plastogen status`.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from plastogen._base.leftovers import HOST, gone

FOLDER = ".working"
EACH_S = 1  # between two writes of one worker, unless it begins something else


@dataclass(frozen=True)
class ActiveWorker:
    """One worker: which runs it does together, since when (seconds since 1970), what it is at, and
    how far.
    """

    host: str
    pid: int
    since: float
    runs: tuple[str, ...]
    label: str
    share: float


class Heartbeat:
    """Says in `folder` that this thread works on `runs`, from entering to leaving. A disk that
    refuses is no error.
    """

    def __init__(self, folder: Path, runs: Sequence[str]) -> None:
        name = f"{HOST}.{os.getpid()}.{threading.get_ident()}.json"
        self._path, self._runs, self._began = Path(folder) / FOLDER / name, list(runs), time.time()
        self._last, self._label = 0.0, ""

    def __enter__(self) -> Heartbeat:
        with suppress(OSError):
            self._path.parent.mkdir(exist_ok=True)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with suppress(OSError):
            self._path.unlink(missing_ok=True)

    def moved(self, label: str, share: float) -> None:
        """Say how far it is."""
        now = time.monotonic()
        if label == self._label and now - self._last < EACH_S:
            return
        self._label, self._last = label, now
        who = {"host": HOST, "pid": os.getpid(), "since": self._began, "runs": self._runs}
        partial = self._path.with_suffix(".partial")
        with suppress(OSError):
            partial.write_text(json.dumps({**who, "label": label, "share": share}))
            partial.replace(self._path)


def active_workers(folder: Path) -> list[ActiveWorker]:
    """Everyone who works on `folder` now, by name; marks of processes that were killed are
    removed.
    """
    found = []
    with suppress(OSError):
        for path in sorted((Path(folder) / FOLDER).iterdir()):
            with suppress(OSError, ValueError, KeyError, TypeError):
                written = json.loads(path.read_text())
                one = ActiveWorker(**{**written, "runs": tuple(written["runs"])})
                if gone(one.host, one.pid, path):
                    path.unlink(missing_ok=True)
                else:
                    found.append(one)
    return found


def remove_folder_if_idle(folder: Path) -> None:
    """Remove the folder of marks if nobody is at work."""
    if not active_workers(folder):
        with suppress(OSError):
            for path in (Path(folder) / FOLDER).glob("*.partial"):
                path.unlink()
            (Path(folder) / FOLDER).rmdir()
