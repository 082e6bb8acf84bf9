"""A first run on a machine that has met no circuit: the program is built from a worker thread, and
the run is whole.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

EXPERIMENT = """
question: Does a first run work?
takes: a few seconds
model: {subject: healthy_rat, circuit: small, plasticity: all}
course: {duration: 1 h, seeds: 2, window: 1 s}
arms:
  vehicle: {}
readouts:
  rate: {of: rate_hz, class: E, at: 30 min}
expect:
  - {claim: cells fire, readout: rate, arm: vehicle, between: [0.5 Hz, 20 Hz], note: chosen wide}
figures: []
"""


@pytest.mark.slow
@pytest.mark.network
def test_a_run_from_an_empty_cache_is_whole(tmp_path: Path) -> None:
    (tmp_path / "first.yaml").write_text(EXPERIMENT)
    environment = os.environ | {"PLASTOGEN_CACHE": str(tmp_path / "cache")}
    done = subprocess.run(
        [sys.executable, "-m", "plastogen", "run", "first.yaml", "--jobs", "2", "--no-figures"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 of 2 runs" in done.stdout + done.stderr
