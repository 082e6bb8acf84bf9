"""Programs that we start say what they have to say, and do not outlive us, whatever ends us."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from plastogen.errors import MachineError
from plastogen.model.circuit import children
from plastogen.model.circuit.children import Done, run_child

WAYS = [
    pytest.param("kernel", marks=pytest.mark.skipif(sys.platform != "linux", reason="Linux")),
    "pipe",
]
PARENT = """
import sys
from pathlib import Path
from plastogen.model.circuit import children
if sys.argv[1] == "pipe":
    children._dies_with_us = lambda: None
children.run_child(["sh", "-c", "echo $$ > pid; exec sleep 60"], Path(sys.argv[2]), {"PATH": sys.argv[3]})
"""


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "pipe":
        monkeypatch.setattr(children, "_dies_with_us", lambda: None)
    return str(request.param)


def shell(line: str, folder: Path, **more: object) -> Done:
    return run_child(["sh", "-c", line], folder, os.environ, **more)  # type: ignore[arg-type]


@pytest.mark.usefixtures("way")
def test_a_child_says_all_it_has_to_say_and_how_it_ended(tmp_path: Path) -> None:
    assert shell("echo out; echo err >&2; exit 7", tmp_path) == Done(7, "out\nerr\n", "")
    assert shell("kill -KILL $$", tmp_path).code == -signal.SIGKILL
    assert shell("cat; pwd; printf '\\377'", tmp_path).out == f"{tmp_path}\n�"
    assert not children._children


def test_a_child_is_given_its_input(tmp_path: Path) -> None:
    done = shell("cat; echo err >&2", tmp_path, given="in", together=False)
    assert done == Done(0, "in", "err\n")


def test_what_does_not_start_is_the_machines_fault(tmp_path: Path) -> None:
    (tmp_path / "main").write_text("no program")
    with pytest.raises(MachineError, match=r"main does not start: this user may not"):
        run_child([str(tmp_path / "main")], tmp_path, {})


def test_a_child_dies_with_a_parent_that_is_killed(way: str, tmp_path: Path) -> None:
    code = [sys.executable, "-c", PARENT, way, str(tmp_path), os.environ["PATH"]]
    parent = subprocess.Popen(code, env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)})
    written = tmp_path / "pid"
    waited = time.monotonic()
    while not (written.is_file() and written.read_text().strip()):
        assert time.monotonic() - waited < 60
        time.sleep(0.05)
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    child = int(written.read_text())
    waited = time.monotonic()
    while alive(child):
        assert time.monotonic() - waited < 20
        time.sleep(0.05)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return not Path("/proc/self/stat").is_file()  # gone meanwhile, or no Linux
    except ProcessLookupError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"
