"""In: what happens during a run. Out: what a person sees: a bar with the time left in a terminal
and in Jupyter, or plain lines in a log.
"""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Any

from plastogen._base.text import counted

S_PER_MIN = 60
LOG_LINES = 100  # the most a log is told of runs
QUIET_STEPS = ("course", "starting", "writing")  # steps that need no naming


class ProgressBar:
    """A `Watcher` that shows one bar for all runs; in a log, a line a finished run, or a hundredth
    of them.

    `talks` False: all goes to stderr, stdout being kept for what was asked for.
    """

    def __init__(self, *, talks: bool = True) -> None:
        self.talks = talks
        self.under_way: dict[
            str, float
        ] = {}  # task -> how many of its runs are done, as far as that goes
        self.total = self.ended = self.told = 0
        self.began = 0.0
        self.steps: dict[str, str] = {}  # task -> what it is at, where that is worth a word
        self.said: set[str] = set()
        self.progress: Any = None
        self.task: Any = None
        self.notebook = in_jupyter()
        self.plain = not self.notebook and not sys.stderr.isatty()

    def __enter__(self) -> ProgressBar:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.progress is not None:
            self.progress.stop()

    def begin(self, runs: int) -> None:
        """Show that `runs` runs are to be done."""
        self.total, self.began = runs, time.monotonic()
        if self.plain:
            self._line(f"{counted(runs, 'run')} to do")
        self._show()

    def moved(self, task: str, runs: int, label: str, share: float) -> None:
        """A task of `runs` runs, or of none, which prepares them, got to `share` of its way."""
        self.under_way[task] = max(self.under_way.get(task, 0), runs * min(share, 1))
        named = "" if label in QUIET_STEPS or label.startswith("snapshot") else label
        if self.plain and named and named not in self.said:
            self.said.add(named)
            self._line(named)
        self.steps[task] = named
        self._show()

    def finished(self, task: str, runs: int) -> None:
        """A task is done or has failed."""
        self.under_way.pop(task, None)
        self.steps.pop(task, None)
        self.ended += runs
        enough = self.ended - self.told >= self.total / LOG_LINES or self.ended == self.total
        if self.plain and runs and enough:
            self.told = self.ended
            self._line(self._text())
        self._show()

    def say(self, line: str) -> None:
        """Print a line without tearing the bar."""
        if self.progress is not None:
            self.progress.console.print(line, markup=False, highlight=False, soft_wrap=True)
        else:
            print(line, file=sys.stdout if self.talks else sys.stderr, flush=True)

    def _show(self) -> None:
        if self.plain:
            return
        if self.notebook:
            self._show_in_notebook()
            return
        if self.progress is None:
            from rich.console import Console
            from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

            text, console = TextColumn("{task.description}"), Console(stderr=True)
            self.progress = Progress(
                BarColumn(), TaskProgressColumn(), text, console=console, transient=True
            )
            self.progress.start()
            self.task = self.progress.add_task("", total=1)
        self.progress.update(self.task, completed=self._share(), description=self._text())

    def _show_in_notebook(self) -> None:
        """One output that changes in place; needs no widgets, so that it also prints."""
        import html

        from IPython.display import HTML, display

        share = f"{self._share():.4f}"
        bar = HTML(f'<progress value="{share}" max="1"></progress> {html.escape(self._text())}')
        if self.task is None:
            self.task = display(bar, display_id=True)
        else:
            self.task.update(bar)

    def _share(self) -> float:
        return (self.ended + sum(self.under_way.values())) / self.total if self.total else 0

    def _text(self) -> str:
        left = time_left(time.monotonic() - self.began, self._share())
        runs = f"{self.ended} of {self.total} runs" if self.total else ""
        parts = [runs, f"about {left} left" if left else "", *dict.fromkeys(self.steps.values())]
        return ", ".join(part for part in parts if part)

    def _line(self, text: str) -> None:
        print(text, file=sys.stderr, flush=True)


def time_left(elapsed_s: float, share: float) -> str:
    """Time left if things go on as they went; "" as long as nobody can tell."""
    if not 0 < share < 1:
        return ""
    seconds = elapsed_s * (1 - share) / share
    return f"{seconds / S_PER_MIN:.0f} min" if seconds > 2 * S_PER_MIN else f"{seconds:.0f} s"


def in_jupyter() -> bool:
    """Whether output goes to a notebook or a Qt console of Jupyter."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return type(shell).__name__ == "ZMQInteractiveShell"
