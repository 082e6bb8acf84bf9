"""Nothing in the docs can rot: every command parses, and every page is followed as its reader
would, step by step.

Courses cost nothing here (`course_fake`), and `run` and `merge` draw nothing; all else is real.
`STAND_INS` says what is done in place of a command that would take long or leave the machine. The
tutorial is followed with real courses and figures whenever the site is built.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import course_fake
import pytest
import shared_runs
import typer.main
from bench import say

from plastogen.cli.main import app
from plastogen.runs.request import make_request, silent

ROOT = Path(__file__).parents[1]
sys.path.append(str(ROOT / "docs"))
from pages import Step, mentions, steps  # noqa: E402

PAGES = [ROOT / "README.md", *sorted(ROOT.glob("docs/*.md")), *sorted(ROOT.glob("docs/howto/*.md"))]
STEPS = {page: steps(page) for page in PAGES}
COMMANDS = [step for page in PAGES for step in STEPS[page] if step.kind == "command"]
MENTIONED = [step for page in PAGES for step in mentions(page)]
MISSED = 4  # a claim missed is a finding

VARIABLES = {  # of the environment that the package reads
    name
    for path in (ROOT / "src").rglob("*.py")
    for name in re.findall(r"PLASTOGEN_[A-Z]+", path.read_text(encoding="utf-8"))
}
PARSED = ""  # parsed, not run
# what a page says (a regular expression for the whole line) -> what is done here, {} being the line
# itself
STAND_INS: dict[str, list[str]] = {
    # these have tests of their own: a window, a film, a scheduler, the whole network
    r"plastogen (explore|demo|lesson|animate|evidence|reliance)\b.*": [PARSED],
    r"plastogen run .*--scheduler .*": [PARSED],
    # forty-three numbers, hundreds of points
    r"plastogen (run|sensitivity) sensitivity\b.*": [PARSED],
    # has tests of its own
    r"plastogen export .* --(nwb|crate)": [PARSED],
    # the network in the emulator's place, one seed
    r"plastogen run dose_response(?!.*--dry-run).*": ["{} --method direct --seeds 1"],
    # two results to compare
    r"plastogen compare results/wide results/other": [
        "plastogen run wide",
        "plastogen run wide --seeds 3 --out results/other",
        "{}",
    ],
}


def standing_in(text: str) -> list[str]:
    """The commands done in place of one."""
    found = next(
        (instead for line, instead in STAND_INS.items() if re.fullmatch(line, text)), ["{}"]
    )
    return [_quick(line.replace("{}", text)) for line in found]


def _quick(line: str) -> str:
    return (
        f"{line} --no-figures"
        if re.match(r"plastogen (run|merge)\b(?!.*--no-figures)", line)
        else line
    )


def parse(words: list[str]) -> dict[str, Any]:
    """Arguments and options as the command line would read them, running nothing. Raises for an
    unknown command or option, or a missing argument.
    """
    commands: dict[str, Any] = vars(typer.main.get_command(app))["commands"]
    return dict(commands[words[0]].make_context(words[0], list(words[1:])).params)


def elsewhere(words: list[str], page: str) -> bool:
    """Whether a command that is not ours names things that exist: a target, an extra, a file."""
    match words:
        case ["make", *targets]:
            makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
            return all(re.search(rf"^{target}:", makefile, re.M) for target in targets)
        case ["pip", "install", *what]:
            extras = re.findall(r"\[([\w,]+)\]", " ".join(what))
            project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
            return bool(extras) and all(
                re.search(rf"^{extra} = \[", project, re.M)
                for some in extras
                for extra in some.split(",")
            )
        case ["sbatch" | "marimo", *rest]:
            return all((ROOT / word).is_file() for word in rest if "/" in word)
        case ["export", *settings]:
            names = [setting.partition("=")[0] for setting in settings]
            own = {name for name in names if name.startswith("PLASTOGEN_")}
            return (
                bool(names)
                and own <= VARIABLES
                and all(n in own or n[:5] == "DASK_" for n in names)
            )
        case ["mkdir" | "chgrp" | "chmod", *_]:
            return True
        case ["source", ".venv/bin/activate"] | ["dask", "scheduler" | "worker", *_]:
            return True
    return False


def rotten(step: Step) -> str:
    """Why a command that a page gives cannot be followed; nothing when it can."""
    first, *rest = step.words
    if first != "plastogen":
        return "" if elsewhere(step.words, step.page) else "names what is not there"
    try:
        parse(rest)
    except Exception as error:  # typer's own, which it keeps to itself
        return str(error) or type(error).__name__
    return ""


def test_every_command_is_one_that_there_is() -> None:
    assert len(COMMANDS) > 50
    found = [f"{s.place}: {s.text}: {why}" for s in COMMANDS + MENTIONED if (why := rotten(s))]
    assert found == []


@pytest.fixture
def reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder where somebody follows a page; courses cost nothing, and nobody works beside."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("plastogen.runs.worker.simulate", course_fake.simulate)
    for place in ("plastogen.publish.door.cores", "plastogen._base.machine.cores"):
        monkeypatch.setattr(place, lambda: 1)
    import matplotlib

    with matplotlib.rc_context():
        yield tmp_path


@pytest.mark.slow
@pytest.mark.parametrize(
    "page", [p for p in PAGES if STEPS[p]], ids=lambda p: p.relative_to(ROOT).as_posix()
)
def test_a_page_can_be_followed(page: Path, reader: Path) -> None:
    session: dict[str, Any] = {}
    for step in STEPS[page]:
        if step.kind == "file":
            path = reader / step.path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(step.text, encoding="utf-8")
        elif step.kind == "python":
            exec(compile(step.text, step.place, "exec"), session)
        elif step.words[0] == "plastogen":
            for line in standing_in(step.text):
                if line != PARSED:
                    done = say(*Step("command", line, step.page, step.line).words[1:])
                    assert done.exit_code in (0, MISSED), f"{step.place}: {line}\n{done.output}"


def test_the_tutorial_asks_for_runs_that_a_lesson_has_made() -> None:
    """Else the site follows courses of its own, for longer than all else it does takes."""
    page = ROOT / "docs" / "tutorial.md"
    (words,) = (s.words for s in STEPS[page] if [*s.words[:2]] == ["plastogen", "run"])
    told = parse([*words[1:]])
    settings = dict(line.split("=") for line in told["set"])
    asked = make_request(told["name"], settings, seeds=told["seeds"], say=silent)
    lesson = make_request("one_infusion", shared_runs.as_taught("knock_outs"), say=silent)
    assert {run.id for run in asked.runs} == {run.id for run in lesson.runs}


def test_what_rots_is_noticed() -> None:
    for line in (
        "plastogen rum one_infusion",
        "plastogen run one_infusion --sedes 2",
        "plastogen plot",
        "make nothing",
        "pip install plastogen[nothing]",
        "sbatch examples/nothing.sh",
        "curl somewhere",
        "export PLASTOGEN_CASH=/x",
        "export OTHER=1",
    ):
        assert rotten(Step("command", line, "page.md", 1)), line
    assert rotten(Step("command", "plastogen run one_infusion --seeds 2", "page.md", 1)) == ""


def test_a_block_that_is_a_file_is_shown_under_its_name() -> None:
    import conf

    text = conf.named("```yaml who.yaml\nquestion: who?\n```\n\n```sh\nplastogen run who\n```\n")
    assert text.startswith("```{code-block} yaml\n:caption: who.yaml\n\nquestion: who?\n```\n")
    assert text.endswith("```sh\nplastogen run who\n```\n")


def test_every_stand_in_stands_in_for_something() -> None:
    young = ("explore", "demo", "lesson", "animate")
    for line in STAND_INS:
        assert any(word in line for word in young) or any(
            re.fullmatch(line, step.text) for step in COMMANDS
        ), line


def test_comments_and_long_lines_are_read_as_a_shell_reads_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pages.ROOT", tmp_path)
    page = tmp_path / "page.md"
    page.write_text(
        "```sh\n# all a comment\nplastogen list   # what there is\nplastogen run x \\\n    --set 'a.b=1 h'\n```\n"
        "```yaml models/drugs/y.yaml\ntitle: y\n```\n```python\nx = 1\n```\n```text\nnot for anyone\n```\n"
    )
    found = [(s.kind, s.text, s.line) for s in steps(page)]
    assert found == [
        ("command", "plastogen list", 3),
        ("command", "plastogen run x --set 'a.b=1 h'", 4),
        ("file", "title: y\n", 8),
        ("python", "x = 1\n", 11),
    ]
    assert steps(page)[2].path == "models/drugs/y.yaml"
    page.write_text(
        "```sh\nplastogen list\n```\nAsk `plastogen show ketamine`, or `plastogen.run`.\n"
    )
    assert [(s.text, s.line) for s in mentions(page)] == [("plastogen show ketamine", 4)]
