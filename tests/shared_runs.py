"""Runs that tests, lessons and the tutorial share, each made once and kept in `.runs`.

    python tests/shared_runs.py            make those that are missing, and sweep up older ones
                                           (`make runs`)

    .runs/programs-<code>/      compiled circuits, under a digest of the modules that make them
    .runs/<code>/cache/         what the network answered
    .runs/<code>/results/       one results folder for each experiment in short form

<code> is a digest of all that computes a course from its plan. Inside, plastogen's own names of
runs tell one plan from another, so a change of code or of models makes anew what it touches.
PLASTOGEN_TEST_RUNS names another folder than `.runs`.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import time
from functools import lru_cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "src" / "plastogen"
COMPUTES = ("_base/streams.py", "_base/units.py", "model", "simulation")  # a course from its plan
COMPILES = tuple(
    f"model/circuit/{name}.py" for name in ("children", "generate", "network", "plastic", "program")
)
OLD_S = 24 * 3600.0


@lru_cache
def code(parts: tuple[str, ...]) -> str:
    """A digest of the modules in these files and folders of src/plastogen."""
    whole = hashlib.sha256()
    for part in parts:
        path = SOURCE / part
        for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            whole.update(file.relative_to(SOURCE).as_posix().encode() + file.read_bytes())
    return whole.hexdigest()[:12]


def kept() -> Path:
    """The folder of all that outlives a session."""
    return Path(os.environ.get("PLASTOGEN_TEST_RUNS") or ROOT / ".runs").absolute()


def folder() -> Path:
    """The folder of this code's runs, made if missing."""
    path = kept() / code(COMPUTES)
    (path / "results").mkdir(parents=True, exist_ok=True)
    cache_into(path / "cache")
    path.touch()
    return path


def cache_into(cache: Path) -> Path:
    """A cache folder that has the compiled programs of all others."""
    programs = kept() / f"programs-{code(COMPILES)}"
    programs.mkdir(parents=True, exist_ok=True)
    cache.mkdir(parents=True, exist_ok=True)
    link = cache / "programs"
    try:
        link.symlink_to(programs)
    except FileExistsError:
        if link.resolve() != programs.resolve():
            link.unlink()
            link.symlink_to(programs)
    return cache


def results() -> Path:
    """Where the shared results lie: folders beside each other lend each other their runs."""
    return folder() / "results"


def sweep() -> None:
    """Remove what no code of the last day made."""
    now = {folder(), kept() / f"programs-{code(COMPILES)}"}
    for path in kept().iterdir():
        if path not in now and time.time() - path.stat().st_mtime > OLD_S:
            shutil.rmtree(path, ignore_errors=True)


def lessons() -> list[str]:
    """Lessons whose experiment asks the network: those with a short form."""
    from plastogen.publish.lesson.definition import open_lesson, shipped

    return [name for name in shipped() if open_lesson(name)[0].set]


def as_taught(name: str) -> dict[str, Any]:
    """What the lesson sets for its short form."""
    from plastogen.publish.lesson.definition import open_lesson

    return dict(open_lesson(name)[0].set)


def as_changed(name: str) -> dict[str, Any]:
    """What must make the lesson's key disagree, with as many seeds as that needs: one."""
    from plastogen.publish.lesson.definition import open_lesson

    return {**open_lesson(name)[0].change.set, "course.seeds": 1}


def main() -> int:
    """Make what is missing, on all cores. Returns how many runs failed."""
    sys.path.insert(0, str(SOURCE.parent))
    os.environ["PLASTOGEN_CACHE"] = str(folder() / "cache")
    from plastogen._base.machine import cores
    from plastogen.publish.lesson.definition import open_lesson
    from plastogen.publish.workflow import complete
    from plastogen.runs.request import make_request, silent

    sweep()
    failed = 0
    for name in lessons():
        for suffix, settings in (
            ("", as_taught(name)),
            ("_changed", as_taught(name) | as_changed(name)),
        ):
            began = time.monotonic()
            out = results() / f"lesson_{name}{suffix}"
            request = make_request(open_lesson(name)[0].experiment, settings, out=out, say=silent)
            missing = [run for run in request.runs if request.store.fault(run.id) is not None]
            if missing:
                outcome = complete(request, say=silent, figures=False, workers=cores())
                failed += len(outcome.failed)
                print(f"{out.name}: {len(missing)} runs in {time.monotonic() - began:.0f} s")
    print(f"shared runs are in {results()}")
    return failed


if __name__ == "__main__":
    sys.exit(main())
