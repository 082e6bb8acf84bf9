"""In: a results folder. Out: which runs it and those of ours beside it have finished."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path

from plastogen._base.files import writable_by_others
from plastogen.errors import CacheDamaged
from plastogen.runs.batch import SUFFIX, listed

RUN = re.compile(r"[0-9a-f]{12}")


def runs_beside(folder: Path) -> dict[str, Path]:
    """Run -> a results folder of ours beside this one that has finished it."""
    folders = sorted(folder.parent.glob("*/runs"), reverse=True)
    return {
        run: runs.parent
        for runs in folders
        if runs != folder / "runs" and _ours(runs.parent) and _ours(runs)
        for run in _finished(runs)
    }


def alone(runs: Path) -> set[str]:
    """The runs that have a folder of their own."""
    names = (manifest.parent.name for manifest in runs.glob("*/manifest.json"))
    return {name for name in names if RUN.fullmatch(name)}


def _ours(folder: Path) -> bool:
    """Whether nobody else could have written what is in a folder."""
    with suppress(OSError):
        return not writable_by_others(folder.stat())
    return False


def _finished(runs: Path) -> set[str]:
    found = alone(runs)
    for path in runs.glob(f"*{SUFFIX}"):
        with suppress(CacheDamaged):
            found.update(listed(path))
    return found
