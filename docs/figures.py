"""In: the tutorial. Out: its figures, made by doing in a folder what the page tells its reader to
do.

Everything is kept: what is finished is not run again. Runs that `make runs` has made are taken from
there (`tests/shared_runs.py`): results folders beside each other lend each other their runs.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from pages import ROOT, Step, steps

sys.path.append(str(ROOT / "tests"))
import shared_runs

MISSED = 4  # exit code of `plastogen run` when a claim is missed: a finding, not a fault


def simulate(page: Path, folder: Path, say: Callable[[str], None] = print) -> None:
    """Do all that `page` asks for in `folder`. Raises RuntimeError with the place of what fails."""
    folder.mkdir(parents=True, exist_ok=True)
    _borrow(folder / "results")
    kept = os.environ.get("PYTHONPATH")
    source = os.pathsep.join([str(ROOT / "src"), *([kept] if kept else [])])
    environment = os.environ | {"PYTHONPATH": source, "MPLBACKEND": "Agg"}
    done: list[str] = []  # Python of the page so far: one script, as a reader has one session
    for step in steps(page):
        if step.kind == "file":
            path = folder / step.path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(step.text, encoding="utf-8")
            continue
        if step.kind == "python":
            done.append(step.text)
            continue
        say(f"{step.place}: {step.text}")
        _do(_here(step), step, folder, environment, (0, MISSED))
    if done:
        say(f"{page.name}: its Python")
        _do([sys.executable, "-c", "\n".join(done)], steps(page)[-1], folder, environment, (0,))


def _borrow(results: Path) -> None:
    """Lay the shared results beside those of the page, and what an older code left there aside."""
    results.mkdir(exist_ok=True)
    for link in results.iterdir():
        if link.is_symlink():
            link.unlink()
    for shared in shared_runs.results().iterdir():
        (results / f"shared_{shared.name}").symlink_to(shared)


def _here(step: Step) -> list[str]:
    """The words of a command, `plastogen` being the one whose docs these are."""
    first, *rest = step.words
    if first != "plastogen":
        raise RuntimeError(f"{step.place}: the build follows plastogen alone, not {first}")
    return [sys.executable, "-m", "plastogen", *rest]


def _do(
    words: list[str], step: Step, folder: Path, environment: dict[str, str], well: tuple[int, ...]
) -> None:
    done = subprocess.run(
        words, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode not in well:
        raise RuntimeError(f"{step.place}: exit code {done.returncode}\n{done.stdout}{done.stderr}")
