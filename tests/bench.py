"""A person at a command line, in a folder with an experiment `mine`: what they type, and processes
of their own.
"""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from test_results import TEXT
from typer.testing import CliRunner, Result

from plastogen.cli.main import app

FINE = TEXT.replace("  - {claim: less", "  # - {claim: less")
FORMULA = FINE.replace("more: ketamine, than: vehicle, by: 0.5", "arm: ketamine, between: [0, 9]")
QUICK = ("run", "mine", "--no-figures", "--method", "formula", "--seeds", "3")


def say(*words: str) -> Result:
    """The command line in this process."""
    return CliRunner().invoke(app, list(words))


def plastogen(folder: Path, *words: str, **options: Any) -> subprocess.Popen[str]:
    """The command line in a process and a session of its own, where Ctrl-C is heard even if nobody
    hears it here.
    """
    options = {"preexec_fn": lambda: signal.signal(signal.SIGINT, signal.SIG_DFL), **options}
    command = [sys.executable, "-m", "plastogen", *words]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    return subprocess.Popen(
        command, cwd=folder, text=True, start_new_session=True, **pipes, **options
    )


def until(true: Callable[[], Any], seconds: float = 200.0) -> None:
    """Wait for something to be true."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.01)


def finished(folder: Path) -> int:
    """How many runs of `mine` are there."""
    runs = folder / "results" / "mine" / "runs"
    return (
        sum(bool(re.fullmatch("[0-9a-f]{12}", p.name)) for p in runs.iterdir())
        if runs.is_dir()
        else 0
    )
