"""In: the notebooks. Out: each as HTML with what it shows, and marimo's own files beside it, so
that no page asks another host. Runs are kept beside the shared ones (`tests/shared_runs.py`).

    python docs/computed.py FOLDER
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import marimo

sys.path.append(str(Path(__file__).resolve().parents[1] / "tests"))
import shared_runs

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = ROOT / "notebooks"
ASSETS = "marimo"  # folder of marimo's own scripts and styles
ELSEWHERE = re.compile(r"https://cdn\.jsdelivr\.net/npm/@marimo-team/frontend@[^/]+/dist")


def export(folder: Path) -> None:
    """Every notebook, run from top to bottom, into `folder`. Raises CalledProcessError."""
    folder.mkdir(parents=True, exist_ok=True)
    static = Path(marimo.__file__).parent / "_static"
    if not (folder / ASSETS).is_dir():
        shutil.copytree(static, folder / ASSETS, ignore=shutil.ignore_patterns("*.html", "*.map"))
    environment = os.environ | {
        "PLASTOGEN_CACHE": str(shared_runs.folder() / "cache"),
        "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), os.environ.get("PYTHONPATH", "")]),
    }
    for notebook in sorted(NOTEBOOKS.glob("*.py")):
        page = folder / f"{notebook.stem}.html"
        if page.is_file() and page.stat().st_mtime > newest():
            continue
        command = [sys.executable, "-m", "marimo", "export", "html", str(notebook), "-f", "-o"]
        subprocess.run([*command, str(page)], check=True, cwd=shared_runs.folder(), env=environment)
        text = page.read_text(encoding="utf-8")
        page.write_text(ELSEWHERE.sub(f"./{ASSETS}", text), encoding="utf-8")


def newest() -> float:
    """When a notebook, or what it computes with, was last changed."""
    sources = [*NOTEBOOKS.glob("*.py")]
    for name in ("src", "models", "experiments"):
        sources += (path for path in (ROOT / name).rglob("*") if path.suffix in (".py", ".yaml"))
    return max(path.stat().st_mtime for path in sources)


if __name__ == "__main__":
    export(Path(sys.argv[1]).absolute())
