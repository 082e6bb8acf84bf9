"""The demo: a picture of spikes that were simulated, on a machine with no compiler and nothing
kept, in seconds.
"""

from __future__ import annotations

import os
import re
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from plastogen import SCOPE
from plastogen.model.circuit import Spikes
from plastogen.publish.demo import make_demo

MOST_CPU_S = 20


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path, float]:
    """What it prints with nothing on PATH, where, and the CPU seconds it took."""
    here = tmp_path_factory.mktemp("fresh")
    (here / "bin").mkdir()
    kept = {name: value for name, value in os.environ.items() if name not in ("CXX", "CC")}
    env = kept | {
        "PATH": str(here / "bin"),
        "PLASTOGEN_CACHE": str(here / "cache"),
        "MPLCONFIGDIR": str(here / "mpl"),
    }
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    found = subprocess.run(
        [sys.executable, "-m", "plastogen", "demo"],
        cwd=here,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert found.returncode == 0, found.stderr
    return found.stdout, here, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def test_it_needs_no_compiler_and_is_there_in_seconds(told: tuple[str, Path, float]) -> None:
    text, here, seconds = told
    assert (here / "results/demo/demo.png").stat().st_size > 10_000
    assert "in numpy" in text
    assert "there is no C++ compiler" in text
    assert seconds < MOST_CPU_S


def test_it_says_what_came_out_and_offers_the_full_run(told: tuple[str, Path, float]) -> None:
    text, _, _ = told
    rates = [
        list(map(float, re.findall(r"(\d+\.\d) ±", line)))
        for line in text.splitlines()
        if "±" in line
    ]
    (e0, _, sst0), (e1, _, sst1) = rates
    assert sst1 < sst0
    assert e1 > e0
    assert "plastogen run one_infusion" in text
    assert SCOPE in text


def test_spikes_are_those_of_the_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[float] = []

    def silent(self: object, drive: object, seed: int, **how: object) -> Spikes:
        import numpy as np

        asked.append(float(drive["nmda_SST"]))  # type: ignore[attr-defined]
        slices = {"E": slice(0, 200), "PV": slice(200, 230), "SST": slice(230, 250)}
        return Spikes(
            np.array([0.1, 0.2]),
            np.array([0, 240], np.int32),
            4.0,
            np.zeros((1, 1)),
            np.zeros(1, int),
            slices,
        )

    monkeypatch.setattr("plastogen.publish.demo.Engine.run", silent)
    said: list[str] = []
    make_demo(tmp_path, say=said.append)
    assert asked[0] == 1
    share = float(re.search(r"(\d+) % on SST", " ".join(said))[1]) / 100  # type: ignore[index]
    assert asked[1] == pytest.approx(1 - share, abs=0.006)
