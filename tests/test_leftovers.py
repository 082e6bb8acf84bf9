"""What a killed process left is swept; what is alive is let be. Signals that end us end us well."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from plastogen._base.files import TEMPORARY, atomic_write
from plastogen._base.leftovers import HOST, SCRATCH, SILENT_S, ours, sweep, sweep_scratch
from plastogen.cli import main

ENDLESS = """
import sys, time
from plastogen.cli import exit_codes, main
@main.app.command()
@exit_codes.guarded
def endless():
    print("under way", flush=True)
    time.sleep(60)
sys.argv = ["plastogen", "endless"]
main.main()
"""


def dead() -> int:
    done = subprocess.Popen([sys.executable, "-c", ""])
    done.wait()
    return done.pid


def test_what_the_dead_left_is_swept_and_the_living_are_let_be(tmp_path: Path) -> None:
    gone = dead()
    left = [f"{TEMPORARY}{HOST}-{gone}-ab_c1", f"{TEMPORARY}program-x-{HOST}-{gone}-abc"]
    living = [ours(TEMPORARY) + "abc", f"{TEMPORARY}{HOST}-{os.getppid()}-abc", "results.nc"]
    foreign = [f"{TEMPORARY}other-{HOST}x-1-abc", f"{TEMPORARY}abc"]
    for name in (*left, *living, *foreign):
        (tmp_path / name).write_text("")
    (tmp_path / f"{TEMPORARY}folder-{HOST}-{gone}-abc" / "deep").mkdir(parents=True)
    sweep(tmp_path, TEMPORARY)
    assert {path.name for path in tmp_path.iterdir()} == {*living, *foreign}
    then = time.time() - SILENT_S - 1
    for name in foreign:
        os.utime(tmp_path / name, (then, then))
    sweep(tmp_path, TEMPORARY)
    assert {path.name for path in tmp_path.iterdir()} == {*living}


def test_a_persons_own_folder_among_the_temporary_ones_is_let_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    theirs, left = tmp_path / "plastogen-results", tmp_path / f"{SCRATCH}{HOST}-{dead()}-abc"
    then = time.time() - SILENT_S - 1
    for folder in (theirs, left):
        folder.mkdir()
        os.utime(folder, (then, then))
    sweep_scratch.cache_clear()
    sweep_scratch()
    assert list(tmp_path.iterdir()) == [theirs]


def test_a_file_under_way_says_whose_it_is(tmp_path: Path) -> None:
    names = []
    atomic_write(tmp_path / "a", lambda file: names.append(Path(file.name).name))
    assert names[0].startswith(f"{TEMPORARY}{HOST}-{os.getpid()}-")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_signals_leave_like_ctrl_c(number: signal.Signals) -> None:
    command = subprocess.Popen(
        [sys.executable, "-c", ENDLESS],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(number, signal.SIG_DFL),
    )
    assert command.stdout is not None
    assert command.stdout.readline() == "under way\n"
    command.send_signal(number)
    said, _ = command.communicate(timeout=60)
    assert command.returncode == 130
    assert "stopped. What is finished is kept" in said


def test_a_command_of_ours_is_no_notebook_and_warns_of_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MPLBACKEND", "module://matplotlib_inline.backend_inline")
    monkeypatch.setattr(main, "app", lambda: dict(os.environ))
    monkeypatch.setenv("PYTHONWARNINGS", "")  # so that it is put back as it was
    monkeypatch.delenv("PYTHONWARNINGS")
    monkeypatch.setattr(main, "heed_signals", lambda: None)
    found = main.main()
    assert found["MPLBACKEND"] == "agg"
    code = (
        "import warnings; warnings.warn('resource_tracker: There appear to be 3 leaked semaphores')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=found, capture_output=True, text=True, check=True
    )
    assert done.stderr == ""


def test_nohup_is_heeded() -> None:
    code = "import signal; from plastogen.cli.exit_codes import heed_signals; heed_signals();"
    code += "print(signal.getsignal(signal.SIGHUP) is signal.SIG_IGN)"
    done = subprocess.run(
        ["sh", "-c", 'trap "" HUP; exec "$0" -c "$1"', sys.executable, code],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "True\n"
