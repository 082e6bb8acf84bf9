"""What a person sees while runs go on."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

import plastogen
from plastogen.publish.progress_bar import ProgressBar, time_left


@pytest.mark.parametrize(
    ("elapsed", "share", "text"),
    [(10, 0, ""), (10, 1, ""), (10, 0.5, "10 s"), (60, 0.1, "9 min"), (60, 0.5, "60 s")],
)  # fmt: skip
def test_time_left_is_told_once_it_can_be(elapsed: float, share: float, text: str) -> None:
    assert time_left(elapsed, share) == text


def test_a_log_gets_a_line_a_run_and_the_compile_step(capfd: pytest.CaptureFixture[str]) -> None:
    with ProgressBar() as bar:
        assert bar.plain
        bar.begin(2)
        bar.moved("a", 1, "compiling the circuit (once)", 0)
        bar.moved("b", 1, "starting", 0)
        bar.moved("a", 1, "compiling the circuit (once)", 0.1)
        bar.moved("b", 1, "compiling the circuit (once)", 0)
        bar.moved("a", 1, "course", 0.4)
        bar.moved("a", 1, "course", 0.6)
        bar.finished("a", 1)
        bar.say("figure x.png")
        bar.finished("b", 1)
    out, err = capfd.readouterr()
    assert out == "figure x.png\n"
    lines = err.splitlines()
    assert lines[:2] == ["2 runs to do", "compiling the circuit (once)"]
    assert lines[2].startswith("1 of 2 runs, about ")
    assert lines[3] == "2 of 2 runs"
    assert len(lines) == 4


def test_a_bar_names_the_step_and_never_goes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    with ProgressBar() as bar:
        bar.plain = False
        bar.begin(2)
        bar.moved("a", 1, "compiling the circuit", 0.2)
        assert bar._text().endswith("compiling the circuit")
        bar.moved("a", 1, "course", 0.1)
        assert bar._share() == 0.1
        assert "compiling" not in bar._text()
        bar.say("a line")
        bar.finished("a", 1)
        bar.finished("b", 1)
        assert bar._share() == 1


def test_stdout_can_be_kept_for_what_was_asked_for(capfd: pytest.CaptureFixture[str]) -> None:
    with ProgressBar(talks=False) as bar:
        bar.say("a broken run is run again")
    assert capfd.readouterr().out == ""


def test_a_task_of_many_runs_moves_the_bar_by_its_share(capfd: pytest.CaptureFixture[str]) -> None:
    with ProgressBar() as bar:
        bar.begin(1000)
        bar.moved("a", 256, "course", 0.5)
        assert bar._share() == 0.128
        bar.finished("a", 256)
        assert bar._share() == 0.256
        assert bar._text().startswith("256 of 1000 runs, about ")


def test_a_log_gets_no_more_than_a_hundred_lines_of_runs(capfd: pytest.CaptureFixture[str]) -> None:
    with ProgressBar() as bar:
        bar.begin(950)
        for number in range(950):
            bar.finished(str(number), 1)
    lines = capfd.readouterr().err.splitlines()
    assert 90 < len(lines) <= 101
    assert lines[-1] == "950 of 950 runs"


def test_what_is_done_before_the_runs_has_its_own_words(capfd: pytest.CaptureFixture[str]) -> None:
    with ProgressBar() as bar:
        bar.moved("emulator", 0, "learning the circuit: 32 probes", 0.2)
        bar.moved("emulator", 0, "learning the circuit: 64 probes", 0.7)
        assert bar._text() == "learning the circuit: 64 probes"
        bar.finished("emulator", 0)
        bar.begin(10)
        assert (bar._share(), bar._text()) == (0, "0 of 10 runs")
    lines = capfd.readouterr().err.splitlines()
    assert lines == [
        "learning the circuit: 32 probes",
        "learning the circuit: 64 probes",
        "10 runs to do",
    ]


def test_a_terminal_gets_one_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    with ProgressBar() as bar:
        bar.plain = False
        bar.moved("emulator", 0, "learning", 0.2)
        shown = bar.progress
        bar.begin(2)
        bar.finished("a", 1)
        assert bar.progress is shown
        assert shown.tasks[0].completed == 0.5


class ZMQInteractiveShell:
    """What `get_ipython()` gives inside Jupyter."""


class Display:
    """IPython.display, keeping what is shown."""

    def __init__(self) -> None:
        self.shown: list[str] = []

    def HTML(self, text: str) -> str:
        return text

    def display(self, text: str, *, display_id: bool) -> Display:
        assert display_id
        self.shown.append(text)
        return self

    def update(self, text: str) -> None:
        self.shown[-1] = text


@pytest.fixture
def jupyter(monkeypatch: pytest.MonkeyPatch) -> Display:
    page = Display()
    ipython = SimpleNamespace(get_ipython=ZMQInteractiveShell, display=page)
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    monkeypatch.setitem(sys.modules, "IPython.display", page)
    return page


def test_a_notebook_gets_one_bar_that_moves(
    jupyter: Display, capfd: pytest.CaptureFixture[str]
) -> None:
    with ProgressBar() as bar:
        bar.begin(4)
        bar.moved("a", 1, "compiling <the circuit>", 0.5)
        bar.finished("a", 1)
        (shown,) = jupyter.shown
        assert '<progress value="0.2500" max="1">' in shown
        assert "1 of 4 runs" in shown
        bar.moved("b", 1, "compiling <the circuit>", 0)
        assert "compiling &lt;the circuit&gt;" in jupyter.shown[0]
    assert capfd.readouterr().err == ""


def test_a_run_from_python_shows_a_bar_only_when_told_to_and_where_one_can_be_seen(
    lab: Path, jupyter: Display, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def complete(request: object, *, watcher: ProgressBar | None, **options: object) -> object:
        if watcher is not None:
            watcher.begin(1)
            watcher.finished("a", 1)
        return SimpleNamespace(ds=None)

    monkeypatch.setattr("plastogen.publish.door.complete", complete)
    plastogen.run("mine")
    assert jupyter.shown == []
    plastogen.run("mine", progress=True)
    assert "1 of 1 runs" in jupyter.shown[0]
    monkeypatch.delitem(sys.modules, "IPython")
    plastogen.run("mine", progress=True)
    assert len(jupyter.shown) == 1
    assert capfd.readouterr() == ("", "")
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    plastogen.run("mine", progress=True)
    assert capfd.readouterr() != ("", "")
