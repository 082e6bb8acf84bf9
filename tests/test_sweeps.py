"""Sweeps from the command line: parts and merging, failed runs, status, comparing, a full disk, two
at once.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import course_fake
import pytest
from bench import QUICK, plastogen, say

SCRIPT = Path(__file__).parents[1] / "examples" / "slurm" / "array.sh"


def test_parts_write_runs_alone_and_merging_puts_them_together(lab: Path) -> None:
    folder = lab / "results" / "mine"
    first = say("run", "mine", "--seeds", "3", "--shard", "1/2")
    assert first.exit_code == 0, first.output
    assert re.search(r"part 1 of 2: 5 of 5 runs \(5 new, 0 kept\)", first.output)
    assert not (folder / "results.nc").exists()
    early = say("merge", "mine", "--no-figures")
    assert early.exit_code == 3
    assert "INCOMPLETE: 4 of 9 runs are not there" in early.output
    assert ": missing" in early.output
    assert (folder / "table.csv").read_text().count("missing") == 4
    assert say("run", "mine", "--seeds", "3", "--shard", "2/2").exit_code == 0
    whole = say("merge", "mine", "--no-figures")
    assert whole.exit_code == 0, whole.output
    assert "9 of 9 runs (0 new, 9 kept)" in whole.output
    merged = (folder / "table.csv").read_bytes()
    say("run", "mine", "--seeds", "3", "--no-figures", "--out", "alone")
    assert (lab / "alone" / "table.csv").read_bytes() == merged


def test_parts_of_several_machines_are_merged_from_their_folders(lab: Path) -> None:
    for k in "12":
        assert say("run", "mine", "--shard", f"{k}/2", "--out", f"machine{k}/mine").exit_code == 0
    merged = say(
        "merge", "mine", "--no-figures", "--from", "machine1/mine", "--from", "machine2/mine"
    )
    assert merged.exit_code == 0, merged.output
    assert "6 of 6 runs" in merged.output
    wrong = say("merge", "mine", "--from", "nowhere")
    assert (wrong.exit_code, "which holds runs/" in wrong.output) == (2, True)


def test_a_part_whose_run_fails_is_three_and_the_others_are_not_its_affair(
    lab: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(plan: Any, *, progress: Any) -> Any:
        if plan.seed == 2 and not plan.treatments:
            raise RuntimeError("no more neurons")
        return course_fake.simulate(plan)

    monkeypatch.setattr("plastogen.runs.worker.simulate", fails)
    codes = [say("run", "mine", "--shard", f"{k}/6").exit_code for k in range(1, 7)]
    assert sorted(codes) == [0, 0, 0, 0, 0, 3]


def test_a_failed_run_is_told_and_run_again_when_asked_for(
    lab: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(plan: Any, *, progress: Any) -> Any:
        if plan.seed == 2:
            raise RuntimeError("no more neurons")
        return course_fake.simulate(plan)

    with monkeypatch.context() as patch:
        patch.setattr("plastogen.runs.worker.simulate", fails)
        assert say("run", "mine", "--no-figures").exit_code == 3
    again = say("run", "mine", "--no-figures")
    assert again.exit_code == 3
    assert "failed before, 3 runs: no more neurons" in again.output
    assert "add --rerun failed" in again.output
    assert "3 of 6 runs (0 new, 3 kept, 3 failed)" in again.output
    better = say("run", "mine", "--no-figures", "--rerun", "failed")
    assert better.exit_code == 0, better.output
    assert "6 of 6 runs (3 new, 3 kept)" in better.output
    everything = say("run", "mine", "--no-figures", "--rerun", "all")
    assert "6 of 6 runs (6 new, 0 kept)" in everything.output


def test_status_tells_how_a_sweep_stands(lab: Path) -> None:
    say("run", "mine", "--shard", "1/2")
    for folder in ("mine", "results/mine"):
        told = say("status", folder)
        assert told.exit_code == 0, told.output
        assert "finished   3 of 6 runs" in told.output
        assert "missing    3" in told.output
    assert say("status", "nowhere").exit_code == 2


def test_compare_tells_what_differs(lab: Path) -> None:
    say("run", "mine", "--seeds", "3", "--no-figures", "--out", "a")
    say(
        "run",
        "mine",
        "--seeds",
        "3",
        "--no-figures",
        "--out",
        "b",
        "--set",
        "arms.ketamine.give.x.dose=2 mg/kg",
    )
    told = say("compare", "a", "b/results.nc")
    assert told.exit_code == 0, told.output
    assert re.search(r"weight_2h +ketamine +3 .* DIFFERS", told.output)
    assert re.search(r"weight_2h +vehicle +3 .* equal", told.output)
    say("run", "mine", "--seed", "9", "--no-figures", "--out", "c")
    nothing = say("compare", "a", "c")
    assert nothing.exit_code == 2
    assert "only in A: seeds 1, 2, 3" in nothing.output
    assert say("compare", "a", "nowhere").exit_code == 2


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (("--executor", "thread"), "nearest valid name: threads"),
        (("--rerun", "faild"), "nearest valid name: failed"),
        (("--rerun", "fail"), "wanted one of failed, all"),
        (("--shard", "0/3"), "from 1 to N"),
        (("--executor", "threads", "--scheduler", "local"), "it with dask alone"),
    ],
)
def test_bad_ways_to_run_are_two(lab: Path, words: tuple[str, ...], wanted: str) -> None:
    said = say("run", "mine", *words)
    assert (said.exit_code, wanted in said.output) == (2, True), said.output
    assert not (lab / "results").exists()


@pytest.mark.slow
def test_the_slurm_example_runs_as_it_stands(bench: Path) -> None:
    folder = bench / "one"
    (bench / "bin").mkdir()
    (bench / "bin" / "plastogen").write_text(
        f'#!/bin/sh\nexec {sys.executable} -m plastogen "$@"\n'
    )
    (bench / "bin" / "plastogen").chmod(0o755)
    env = os.environ | {
        "PATH": f"{bench / 'bin'}:{os.environ['PATH']}",
        "PARTS": "3",
        "SLURM_CPUS_PER_TASK": "1",
    }
    for k in "123":
        told = subprocess.run(
            ["sh", str(SCRIPT), *QUICK[1:]],
            cwd=folder,
            env=env | {"SLURM_ARRAY_TASK_ID": k},
            capture_output=True,
            text=True,
            check=True,
            timeout=100,
        )
        assert f"part {k} of 3: 3 of 3 runs" in told.stdout
    said, _ = (merged := plastogen(folder, "merge", "mine", "--no-figures")).communicate(timeout=60)
    assert merged.returncode == 0, said
    assert "9 of 9 runs (0 new, 9 kept)" in said
    parts = re.search(r"--array=1-(\d+)", SCRIPT.read_text())
    assert parts is not None
    assert f"PARTS:-{parts[1]}}}" in SCRIPT.read_text()


@pytest.mark.slow
def test_two_sweeps_of_one_folder_end_with_the_table_of_one(
    bench: Path, undisturbed: Callable[[int], Path]
) -> None:
    both = [plastogen(bench / "one", *QUICK) for _ in range(2)]
    for running in both:
        said, _ = running.communicate(timeout=200)
        assert running.returncode == 0, said
        assert "9 of 9 runs" in said
    table = (bench / "one" / "results" / "mine" / "table.csv").read_bytes()
    assert table == (undisturbed(3) / "table.csv").read_bytes()
    runs = bench / "one" / "results" / "mine" / "runs"
    assert all(re.fullmatch("[0-9a-f]{12}", p.name) for p in runs.iterdir())


def on_a_small_disk(folder: Path, kilobytes: int) -> subprocess.CompletedProcess[str]:
    """Run a sweep on a disk of its own, then again when the disk has grown, and copy the results to
    `kept`.
    """
    run = f"{sys.executable} -m plastogen {' '.join(QUICK)}"
    script = f"""mkdir results && mount -t tmpfs -o size={kilobytes}k none results
        {run}; code=$?
        mount -o remount,size=100m results; {run} && cp -r results kept; exit $code"""
    command = ["unshare", "-rm", "sh", "-c", script]
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=False, timeout=250
    )


@pytest.mark.slow
@pytest.mark.parametrize(("kilobytes", "what"), [(400, "runs/"), (700, "results.nc")])
def test_a_full_disk_is_said_once_and_nothing_finished_is_lost(
    bench: Path, undisturbed: Callable[[int], Path], kilobytes: int, what: str
) -> None:
    if subprocess.run(["unshare", "-rm", "true"], capture_output=True, check=False).returncode:
        pytest.skip("this system lets nobody mount a small disk")
    told = on_a_small_disk(bench / "one", kilobytes)
    assert told.returncode == 3, told.stdout + told.stderr
    assert re.findall(r"cannot write .*: the disk is full", told.stderr)[0].count(what) == 1
    assert told.stderr.count("the disk is full") == 1
    assert "Traceback" not in told.stderr
    kept = re.search(r"9 of 9 runs \((\d) new, (\d) kept\)", told.stdout)
    assert kept is not None, told.stdout + told.stderr
    assert int(kept[2]) >= 2
    table = (bench / "one" / "kept" / "mine" / "table.csv").read_bytes()
    assert table == (undisturbed(3) / "table.csv").read_bytes()
