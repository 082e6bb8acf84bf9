"""In: a command. Out: what it said and how it ended; a process of ours that does not outlive us.

On Linux the kernel ends a child when its parent is gone (PR_SET_PDEATHSIG). Elsewhere the child is
started by a shell that watches a pipe of ours, and ends it when nobody holds the other end.
"""

from __future__ import annotations

import ctypes
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from plastogen._base.files import advice
from plastogen.errors import MachineError

SET_PDEATHSIG = 1  # of prctl
SIGNALLED = 128  # a shell says so much more than the number of the signal that ended a command
WATCH = """exec 3<&0
"$@" </dev/null 3<&- & child=$!
(read -r _ <&3; kill -9 $child) >/dev/null 2>&1 & watcher=$!
wait $child; code=$?
kill $watcher 2>/dev/null
exit $code"""
_children: set[subprocess.Popen[str]] = set()
_guard = threading.Lock()


@dataclass(frozen=True)
class Done:
    """How a child ended: its exit code, -n where signal n ended it, and what it said."""

    code: int
    out: str
    err: str


def run_child(
    command: Sequence[str],
    folder: Path,
    environment: Mapping[str, str],
    *,
    given: str | None = None,
    together: bool = True,
) -> Done:
    """Run a program in `folder` and in its own session (Ctrl-C reaches only us), `given` on its
    standard input; with `together` all it says is in `out`. Raises MachineError when it does not
    start.
    """
    watched = given is None and not _dies_with_us()
    try:
        child = subprocess.Popen(
            ["/bin/sh", "-c", WATCH, "sh", *command] if watched else command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL if given is None and not watched else subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT if together else subprocess.PIPE,
            text=True,
            errors="replace",
            start_new_session=True,
            preexec_fn=_dies_with_us(),
        )
    except OSError as error:
        raise MachineError(f"{command[0]} does not start: {advice(error)}") from error
    with _guard:
        _children.add(child)
    try:
        if watched:
            out, err = _read(child), ""
        else:
            out, err = child.communicate(given)
    finally:
        with _guard:
            _children.discard(child)
        if child.poll() is None:
            child.kill()
    code = child.returncode
    return Done(SIGNALLED - code if watched and code > SIGNALLED else code, out, err or "")


def _read(child: subprocess.Popen[str]) -> str:
    """All a child says, its standard input left open: when that closes, it is ended."""
    assert child.stdout is not None
    assert child.stdin is not None
    with child.stdout, child.stdin:
        said = child.stdout.read()
        child.wait()
    return said


def _dies_with_us() -> Callable[[], None] | None:
    """What a child does first so that it ends with the thread that started it; None where the
    system has no such thing.
    """
    if not sys.platform.startswith("linux"):
        return None
    libc = ctypes.CDLL(None)  # before the child is made, which should do no more than this

    def ask() -> None:
        libc.prctl(SET_PDEATHSIG, signal.SIGKILL)

    return ask


def terminate_children() -> None:
    """End every program this process has started (used on Ctrl-C)."""
    with _guard:
        for child in _children:
            with suppress(OSError):
                child.kill()
