"""In: what happens during a run. Out: what a person sees: a bar with the time left, or plain lines in a log."""

from __future__ import annotations

import sys
import threading
import time
from types import TracebackType
from typing import Any

S_PER_MIN = 60
QUIET_STEPS = ("course", "starting", "writing")  # steps that need no naming


class Bar:
    """A `Watcher` that shows one bar for all runs; in a log, a line a finished run.

    `talks` False: all goes to stderr, stdout being kept for what was asked for.
    """

    def __init__(self, *, talks: bool = True) -> None:
        self.talks = talks
        self.lock = threading.Lock()
        self.shares: dict[str, float] = {}
        self.total = self.ended = 0
        self.began = 0.0
        self.step = ""
        self.progress: Any = None
        self.task: Any = None
        self.plain = not sys.stderr.isatty()

    def __enter__(self) -> Bar:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.progress is not None:
            self.progress.stop()

    def begin(self, running: int) -> None:
        """Show that `running` runs are to be done."""
        self.total, self.began = running, time.monotonic()
        if self.plain:
            self._line(f"{running} runs to do")
            return
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

        text = TextColumn("{task.description}")
        console = Console(stderr=True)
        self.progress = Progress(BarColumn(), TaskProgressColumn(), text, console=console, transient=True)
        self.progress.start()
        self.task = self.progress.add_task(f"0 of {running} runs", total=1)

    def moved(self, run: str, label: str, fraction: float) -> None:
        """A run got to `fraction` of its way."""
        with self.lock:
            self.shares[run] = max(self.shares.get(run, 0), min(fraction, 1))
            named = "" if label in QUIET_STEPS or label.startswith("snapshot") else label
            if self.plain and named and named != self.step:
                self._line(named)
            self.step = named
            self._show()

    def finished(self, run: str) -> None:
        """A run is done or has failed."""
        with self.lock:
            self.shares[run] = 1
            self.ended += 1
            if self.plain:
                self._line(self._text())
            self._show()

    def say(self, line: str) -> None:
        """Print a line without tearing the bar."""
        if self.progress is not None:
            self.progress.console.print(line, markup=False, highlight=False, soft_wrap=True)
        else:
            print(line, file=sys.stdout if self.talks else sys.stderr, flush=True)

    def _show(self) -> None:
        if self.progress is not None:
            self.progress.update(self.task, completed=self._share(), description=self._text())

    def _share(self) -> float:
        return sum(self.shares.values()) / self.total if self.total else 1

    def _text(self) -> str:
        left = time_left(time.monotonic() - self.began, self._share())
        parts = [f"{self.ended} of {self.total} runs", f"about {left} left" if left else "", self.step]
        return ", ".join(part for part in parts if part)

    def _line(self, text: str) -> None:
        print(text, file=sys.stderr, flush=True)


def time_left(elapsed_s: float, share: float) -> str:
    """Time left if things go on as they went; "" as long as nobody can tell."""
    if not 0 < share < 1:
        return ""
    seconds = elapsed_s * (1 - share) / share
    return f"{seconds / S_PER_MIN:.0f} min" if seconds > 2 * S_PER_MIN else f"{seconds:.0f} s"
