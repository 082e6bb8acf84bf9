"""A real cluster: a dask scheduler and its workers as processes of their own, some of which are
killed.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from bench import finished, plastogen, until

pytestmark = pytest.mark.slow
pytest.importorskip("distributed")
RUN = ("run", "mine", "--no-figures", "--method", "formula", "--seeds", "4")


Table = Callable[[int], Path]


class Cluster:
    """A scheduler, and workers that share its file system."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.file, self.started = (
            folder,
            folder / "scheduler.json",
            list[subprocess.Popen[bytes]](),
        )
        self.scheduler = self.start(
            "scheduler", "--port", "0", "--no-dashboard", "--scheduler-file", str(self.file)
        )
        until(self.file.is_file)
        self.address = str(json.loads(self.file.read_text())["address"])

    def start(self, what: str, *words: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", f"distributed.cli.dask_{what}", *words]
        with open(self.folder / f"{what}.log", "ab") as log:
            process = subprocess.Popen(
                command, cwd=self.folder, stdout=log, stderr=log, start_new_session=True
            )
        self.started.append(process)
        return process

    def worker(self) -> subprocess.Popen[bytes]:
        return self.start(
            "worker",
            "--nthreads",
            "1",
            "--no-nanny",
            "--no-dashboard",
            "--scheduler-file",
            str(self.file),
        )

    def end(self) -> None:
        for process in self.started:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    folder = tmp_path / "cluster"
    folder.mkdir()
    made = Cluster(folder)
    yield made
    made.end()


def test_one_of_two_workers_killed_midway_loses_nothing(
    cluster: Cluster, bench: Path, undisturbed: Table
) -> None:
    workers = [cluster.worker(), cluster.worker()]
    running = plastogen(bench / "one", *RUN, "--scheduler", str(cluster.file))
    until(lambda: finished(bench / "one") >= 2)
    os.killpg(workers[0].pid, signal.SIGKILL)
    workers[0].wait()
    said, _ = running.communicate(timeout=200)
    assert running.returncode == 0, said
    # the killed one may have written some of the four runs it made side by side
    assert re.search(
        r"12 of 12 runs \((12 new, 0|11 new, 1|10 new, 2|9 new, 3|8 new, 4) kept\)", said
    ), said
    assert (bench / "one" / "results" / "mine" / "table.csv").read_bytes() == (
        undisturbed(4) / "table.csv"
    ).read_bytes()
    assert not list((bench / "one" / "results" / "mine" / "runs").glob("*.partial*"))


def test_a_killed_scheduler_is_said_and_the_next_run_goes_on(
    cluster: Cluster, bench: Path, undisturbed: Table
) -> None:
    cluster.worker()
    running = plastogen(bench / "one", *RUN, "--executor", "dask", "--scheduler", cluster.address)
    until(lambda: finished(bench / "one") >= 2)
    os.killpg(cluster.scheduler.pid, signal.SIGKILL)
    said, _ = running.communicate(timeout=100)
    assert running.returncode == 3, said
    assert "Traceback" not in said, said
    assert "is gone; what is finished is kept" in said
    kept = finished(bench / "one")
    assert kept >= 2
    again = plastogen(bench / "one", *RUN)
    said, _ = again.communicate(timeout=200)
    assert again.returncode == 0, said
    assert "12 of 12 runs" in said
    assert (bench / "one" / "results" / "mine" / "table.csv").read_bytes() == (
        undisturbed(4) / "table.csv"
    ).read_bytes()


def test_workers_of_this_machine_without_a_scheduler(bench: Path) -> None:
    ran = plastogen(bench / "one", *RUN, "--executor", "dask", "--jobs", "2")
    said, _ = ran.communicate(timeout=200)
    assert ran.returncode == 0, said
    assert "12 of 12 runs (12 new, 0 kept)" in said
