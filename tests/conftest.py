"""Every test has a cache of its own session. Compiled programs, and runs that many tests look at,
outlive it for as long as their code stands (`shared_runs.py`).

The cache of whoever works here is never read or written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import course_fake
import pytest
import shared_runs
from bench import FINE, FORMULA, QUICK, plastogen

from plastogen._base.machine import set_one_thread

set_one_thread()  # pytest's workers, and all that tests start, go side by side


@pytest.fixture(scope="session", autouse=True)
def cache_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder PLASTOGEN_CACHE names throughout the session."""
    folder = shared_runs.cache_into(tmp_path_factory.mktemp("cache"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PLASTOGEN_CACHE", str(folder))
        yield folder


@pytest.fixture
def shared_results(monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where runs are kept from session to session, with a cache that is too."""
    monkeypatch.setenv("PLASTOGEN_CACHE", str(shared_runs.folder() / "cache"))
    return shared_runs.results()


@pytest.fixture
def costless(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where we stand: an empty folder, and courses that cost nothing, in threads: another process
    would not know of them.
    """
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("plastogen.runs.scheduler.default_executor", lambda workers: "threads")
    monkeypatch.setattr("plastogen.runs.worker.simulate", course_fake.simulate)
    monkeypatch.setattr("plastogen.runs.worker.simulate_formulas", course_fake.simulate_formulas)
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


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], Path]:
    """Results of `bench`'s experiment with so many seeds, by one thread that nothing disturbs; made
    once for all who compare with them.
    """

    @cache
    def results(seeds: int) -> Path:
        folder = tmp_path_factory.mktemp(f"undisturbed{seeds}")
        (folder / "mine.yaml").write_text(FORMULA)
        words = (*QUICK[:-1], str(seeds), "--executor", "threads", "--jobs", "1")
        running = plastogen(folder, *words)
        said, _ = running.communicate(timeout=250)
        assert running.returncode == 0, said
        return folder / "results" / "mine"

    return results
