"""Who is at work on a folder: seen while it lasts, gone when it is over or its process is."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from plastogen._base.leftovers import HOST, SILENT_S, gone
from plastogen.runs import heartbeat as module
from plastogen.runs.heartbeat import (
    FOLDER,
    Heartbeat,
    active_workers,
    remove_folder_if_idle,
)


def test_a_mark_is_seen_while_it_lasts(tmp_path: Path) -> None:
    with Heartbeat(tmp_path, ["a", "b"]) as mark:
        assert active_workers(tmp_path) == []
        mark.moved("course", 0.25)
        (one,) = active_workers(tmp_path)
        assert (one.host, one.pid, one.runs, one.label, one.share) == (
            HOST,
            os.getpid(),
            ("a", "b"),
            "course",
            0.25,
        )
        assert 0 <= time.time() - one.since < 60
        remove_folder_if_idle(tmp_path)
        assert len(active_workers(tmp_path)) == 1
    assert active_workers(tmp_path) == []
    remove_folder_if_idle(tmp_path)
    assert not (tmp_path / FOLDER).exists()


def test_it_is_written_once_a_second_or_when_something_else_begins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Heartbeat(tmp_path, ["a"]) as mark:
        for share in (0.1, 0.2, 0.3):
            mark.moved("course", share)
        assert active_workers(tmp_path)[0].share == 0.1
        mark.moved("writing", 1)
        assert active_workers(tmp_path)[0].label == "writing"
        monkeypatch.setattr(module, "EACH_S", 0)
        mark.moved("writing", 0.5)
        assert active_workers(tmp_path)[0].share == 0.5


def left(folder: Path, name: str, **other: object) -> Path:
    (folder / FOLDER).mkdir(exist_ok=True)
    path = folder / FOLDER / f"{name}.json"
    told = {
        "host": HOST,
        "pid": os.getppid(),
        "since": 0.0,
        "runs": ["a"],
        "label": "course",
        "share": 0.5,
    }
    path.write_text(json.dumps({**told, **other}))
    return path


def test_marks_of_dead_processes_and_long_silent_machines_are_not_believed(tmp_path: Path) -> None:
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    left(tmp_path, "alive")
    left(tmp_path, "dead", pid=dead.pid)
    left(tmp_path, "elsewhere", host="node-7", pid=dead.pid)
    silent = left(tmp_path, "silent", host="node-8")
    then = time.time() - SILENT_S - 1
    os.utime(silent, (then, then))
    (tmp_path / FOLDER / "half.json").write_text('{"host": ')
    assert [one.host for one in active_workers(tmp_path)] == [HOST, "node-7"]
    assert not silent.exists()


def test_a_number_of_a_process_that_is_ours_by_chance_is_judged_by_age(tmp_path: Path) -> None:
    path = left(tmp_path, "before", pid=os.getpid())
    assert not gone(HOST, os.getpid(), path)
    then = time.time() - SILENT_S - 1
    os.utime(path, (then, then))
    assert gone(HOST, os.getpid(), path)


def test_a_disk_that_refuses_is_no_error(tmp_path: Path) -> None:
    (tmp_path / FOLDER).write_text("a file")
    with Heartbeat(tmp_path, ["a"]) as mark:
        mark.moved("course", 0.5)
    assert active_workers(tmp_path) == []
