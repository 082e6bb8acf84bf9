"""In: what was asked of a results folder. Out: the same, read back later by who comes without
saying so again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from plastogen._base.files import atomic_write
from plastogen.runs.worker import Run

NAME = "asked.json"


@dataclass(frozen=True)
class Noted:
    """An experiment, its settings (path -> value), and where each run stands: id -> "arm, point,
    seed".
    """

    experiment: str
    set: Mapping[str, object]
    runs: Mapping[str, str]


def note(
    folder: Path, experiment: str, settings: Mapping[str, object], jobs: Sequence[Run]
) -> None:
    """Write down what is asked, unless it stands there. Raises StoreError."""
    whole = {
        "experiment": experiment,
        "set": dict(settings),
        "runs": {job.id: job.place for job in jobs},
    }
    text = json.dumps(whole, indent=0, default=str)
    path = Path(folder) / NAME
    with suppress(OSError):
        if path.read_text() == text:
            return
    atomic_write(path, text)


def noted(folder: Path) -> Noted | None:
    """What was last asked of a folder; None when that is not known."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        whole = json.loads((Path(folder) / NAME).read_text())
        return Noted(whole["experiment"], dict(whole["set"]), dict(whole["runs"]))
    return None
