"""Every test has a cache of its own session. Compiled programs outlive it, for as long as their
source stands.

The cache of whoever works here is never read or written. What is compiled is kept in `.runs` beside
this folder (PLASTOGEN_TEST_RUNS names another) under a digest of the
two modules that make a program, so that a changed line in either is compiled anew.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import course_fake
import pytest
from bench import FINE, FORMULA

ROOT = Path(__file__).parents[1]
CIRCUIT = ROOT / "src" / "plastogen" / "model" / "circuit"
MAKERS = ("network.py", "engine.py")


@pytest.fixture(scope="session")
def kept() -> Path:
    """The folder of what outlives a session."""
    return Path(os.environ.get("PLASTOGEN_TEST_RUNS") or ROOT / ".runs").absolute()


@pytest.fixture(scope="session", autouse=True)
def cache_folder(tmp_path_factory: pytest.TempPathFactory, kept: Path) -> Iterator[Path]:
    """The folder PLASTOGEN_CACHE names throughout the session."""
    source = b"".join((CIRCUIT / name).read_bytes() for name in MAKERS)
    programs = kept / f"programs-{hashlib.sha256(source).hexdigest()[:12]}"
    programs.mkdir(parents=True, exist_ok=True)
    folder = tmp_path_factory.mktemp("cache")
    (folder / "programs").symlink_to(programs)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PLASTOGEN_CACHE", str(folder))
        yield folder


@pytest.fixture
def costless(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where we stand: an empty folder, and courses that cost nothing."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("plastogen.runs.worker.simulate", course_fake.simulate)
    return tmp_path


@pytest.fixture
def lab(costless: Path) -> Path:
    """The same, with the experiment `mine`."""
    (costless / "mine.yaml").write_text(FINE)
    return costless


@pytest.fixture
def bench(tmp_path: Path) -> Path:
    """Two folders, `one` and `two`, with the same experiment `mine`, which takes a few seconds with
    the formula.
    """
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "mine.yaml").write_text(FORMULA)
    return tmp_path
