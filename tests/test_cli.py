"""The command line: what it prints, its exit codes, and that bad input never shows a traceback."""

from __future__ import annotations

import ast
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, get_args

import pytest
import typer
from bench import QUICK, finished, plastogen, say, until
from test_results import TEXT

from plastogen.cli.doctor import Finding
from plastogen.cli.exit_codes import ExitCode, exit_code
from plastogen.cli.main import app
from plastogen.errors import StoreError
from plastogen.experiment.definition import CourseSettings

SECOND_S = 1.0


@pytest.mark.parametrize(
    ("failed", "undrawn", "missed", "code"),
    [
        ([], [], [], ExitCode.OK),
        ([], [], ["claim"], ExitCode.CLAIM_MISSED),
        (["run"], [], ["claim"], ExitCode.RUN_FAILED),
        ([], ["arms"], ["claim"], ExitCode.RUN_FAILED),
    ],
)
def test_what_failed_weighs_more_than_a_missed_claim(
    failed: list[str], undrawn: list[str], missed: list[str], code: ExitCode
) -> None:
    came_to: Any = SimpleNamespace(failed=failed, undrawn=undrawn, missed=missed)
    assert exit_code(came_to) == code


def test_help_names_every_command_and_the_scope() -> None:
    shown = say("--help")
    assert shown.exit_code == 0
    for command in [
        "list",
        "show",
        "new",
        "check",
        "run",
        "plot",
        "report",
        "trial",
        "responders",
        "sensitivity",
        "sources",
        "export",
        "doctor",
        "reliance",
        "evidence",
        "explore",
    ]:
        assert re.search(rf"\b{command}\b", shown.output), command
    assert "not advice" in " ".join(shown.output.replace("│", " ").split())
    assert say("--version").output.startswith("plastogen ")


def test_help_needs_nothing_heavy() -> None:
    code = "import sys, plastogen.cli; print([m for m in ('numpy', 'brian2', 'pydantic', 'rich') if m in sys.modules])"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"


def test_list_and_show() -> None:
    everything = say("list").output
    for word in (
        "one_infusion",
        "ketamine",
        "prefrontal",
        "stressed_adult",
        "spine_density",
        "timeline",
        "switches.",
    ):
        assert word in everything
    assert say("list", "experiments", "--names").output.split()[0] == "ambient_glutamate"
    ketamine = say("show", "ketamine").output
    assert "kotermanski2009" in ketamine
    assert "1.18 uM" in ketamine
    both = say("show", "disinhibition").output
    assert "which cells fall silent" in both
    assert "(plasticity/disinhibition)" in both
    assert "unbound brain concentration" in say("show", "brain_uM").output
    assert "Biological Psychiatry" in say("show", "li2011").output
    wrong = say("show", "ketamin")
    assert (wrong.exit_code, "nearest valid name: ketamine" in wrong.output) == (2, True)
    assert say("list", "drug").exit_code == 2


@pytest.mark.parametrize("kind", ["experiment", "sweep", "drug", "circuit"])
def test_new_makes_a_file_that_checks(kind: str, lab: Path) -> None:
    made = say("new", kind, "fresh")
    assert made.exit_code == 0
    assert say("new", kind, "fresh").exit_code == 2
    if kind in ("experiment", "sweep"):
        checked = say("check", "fresh")
    else:
        path = "arms.ketamine.give.x.drug" if kind == "drug" else "model.circuit"
        checked = say("check", "mine", "--set", f"{path}=fresh")
    assert checked.exit_code == 0, checked.output
    assert "all is well" in checked.output
    assert say("new", kind, "two words").exit_code == 2
    assert "nearest valid name: circuit" in say("new", "circut", "x").output


def test_run_tells_what_came_of_it(lab: Path) -> None:
    ran = say("run", "mine", "--no-figures")
    assert ran.exit_code == 0, ran.output
    assert "6 of 6 runs (6 new, 0 kept)" in ran.output
    assert "met: more: " in ran.output
    assert "claims: 1 of 1 met" in ran.output
    assert "results/mine/results.nc" in ran.output
    again = say("run", "mine", "--no-figures")
    assert "6 of 6 runs (0 new, 6 kept)" in again.output


def test_a_missed_claim_is_four_and_a_failed_run_is_three(
    lab: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (lab / "mine.yaml").write_text(TEXT)
    assert say("run", "mine", "--no-figures").exit_code == 4
    (lab / "mine.yaml").write_text(
        TEXT.replace("than: vehicle}", "than: vehicle, known_miss: as we know}")
    )
    known = say("run", "mine", "--no-figures")
    assert (known.exit_code, "known miss: as we know" in known.output) == (0, True)

    def fails(plan: Any, *, progress: Any) -> Any:
        raise RuntimeError("no more neurons")

    monkeypatch.setattr("plastogen.runs.worker.simulate", fails)
    failed = say("run", "mine", "--no-figures", "--set", "course.duration=7 h")
    assert failed.exit_code == 3
    assert "no more neurons" in failed.output
    assert "0 of 6 runs" in failed.output
    assert "Traceback" not in failed.output


def test_dry_run_runs_nothing(lab: Path) -> None:
    planned = say("run", "mine", "--dry-run")
    assert planned.exit_code == 0
    assert "6 runs, 6 different, 6 still to do" in planned.output
    assert not (lab / "results").exists()


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (("run", "nonesuch"), "wanted an experiment"),
        (("check", "mine", "--set", "arms.ketamin.give.x.dose=1 mg/kg"), "arms.ketamine.give.x.dose"),
        (("check", "mine", "--set", "circuit.populations.E.lek=1 nS"), "circuit.populations.E.leak"),
        (("check", "mine", "--set", "course.seeds"), "wanted path=value"),
        (("check", "mine", "--set", "arms.ketamine.give.x.dose=2"), "without a unit"),
        (("check", "mine", "--set", "arms.ketamine.give.x.dose=-1 mg/kg"), "at least 0"),
        (("check", "mine", "--set", "drugs.memantine.title=x"), "wanted a drug the experiment gives"),
        (("plot", "mine"), "plastogen run mine"),
        (("plot", "mine", "timelin"), "plastogen run mine"),
        (("export", "mine"), "plastogen run mine"),
        (("report", "mine"), "plastogen run mine"),
        (("doctor", "cleen"), "nearest valid name: clean"),
        (("run", "mine", "--method", "guess"), "one of direct, emulated, formula"),
        (("run", "mine", "--seeds", "0"), "at least 1"),
    ],
    ids=lambda words: " ".join(words) if isinstance(words, tuple) else "",
)  # fmt: skip
def test_bad_input_is_two_with_one_clear_message(
    lab: Path, words: tuple[str, ...], wanted: str
) -> None:
    said = say(*words)
    assert said.exit_code == 2
    assert wanted in said.output
    assert "Traceback" not in said.output
    assert not (lab / "results" / "mine" / "results.nc").exists()


def test_a_full_disk_is_three_and_says_what_to_do(
    lab: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*args: object, **kwargs: object) -> None:
        raise StoreError("cannot write results: the disk is full; free some space")

    monkeypatch.setattr("plastogen.runs.store.write_npz", full)
    said = say("run", "mine", "--no-figures")
    assert said.exit_code == 3
    assert "the disk is full" in said.output
    assert list((lab / "results" / "mine" / "runs").iterdir()) == []


def test_a_results_folder_that_is_a_file_is_three(lab: Path) -> None:
    (lab / "results").write_text("not a folder")
    said = say("run", "mine")
    assert said.exit_code == 3
    assert "results" in said.output


def test_what_nobody_expected_is_three_and_asks_for_a_report(
    lab: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stumble(*args: object) -> None:
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr("plastogen.publish.workflow.results_of", stumble)
    said = say("run", "mine", "--no-figures")
    assert said.exit_code == 3
    assert "ZeroDivisionError" in said.output
    assert "please report it" in said.output


def test_sources_say_how_much_is_assumed(lab: Path) -> None:
    told = say("sources", "one_infusion").output
    assert re.search(r"\d+ numbers: \d+ read in the source, .*\d+ assumed", told)
    assert "kamp2020" in told
    assert say("sources", "one_infusion", "--bibtex").output.startswith("@article{")


def test_export_writes_tables(lab: Path) -> None:
    say("run", "mine", "--no-figures")
    told = say("export", "mine", "--csv")
    assert told.exit_code == 0, told.output
    courses = (lab / "results" / "mine" / "csv" / "courses.csv").read_text().splitlines()
    assert courses[0].startswith("arm,seed,time [h],plasma_ng_ml ketamine [ng/mL]")
    readme = (lab / "results" / "mine" / "csv" / "README.txt").read_text()
    assert "not advice" in readme
    missing = say("export", "mine", "--nwb")
    assert (missing.exit_code == 0) or "plastogen[nwb]" in missing.output


def test_doctor_looks_at_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    pair = Finding("Brian2 and numpy", True, "they go together")  # looked at in test_doctor.py
    monkeypatch.setattr("plastogen.cli.doctor._pair", lambda: pair)
    told = say("doctor").output
    for word in ("Python", "Brian2", "compiler", "Cache", "Cores"):
        assert word in told


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_ctrl_c_leaves_nothing_broken_and_the_next_run_goes_on(bench: Path) -> None:
    folder, many = bench / "one", (*QUICK[:-1], "12")
    running = plastogen(folder, *many)
    runs = folder / "results" / "mine" / "runs"
    until(lambda: finished(folder))
    os.kill(running.pid, signal.SIGINT)
    said, _ = running.communicate(timeout=200)
    assert running.returncode == 130, said
    assert "What is finished is kept" in said
    assert "Traceback" not in said
    assert all(re.fullmatch("[0-9a-f]{12}", p.name) for p in runs.iterdir())
    done = plastogen(folder, *many)
    said, _ = done.communicate(timeout=200)
    assert done.returncode == 0, said
    assert re.search(r"36 of 36 runs \([1-9]\d* new, [1-9]\d* kept\)", said), said


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_killed_at_random_five_times_the_next_run_equals_an_undisturbed_one(
    bench: Path, undisturbed: Callable[[int], Path]
) -> None:
    dice = random.Random(20)
    for _ in range(5):
        running = plastogen(bench / "one", *QUICK)
        time.sleep(dice.uniform(0.3, 3) * SECOND_S)
        os.killpg(running.pid, signal.SIGKILL)
        running.communicate()
    done = plastogen(bench / "one", *QUICK, "--jobs", "2")
    said, _ = done.communicate(timeout=300)
    assert done.returncode == 0, said
    assert "9 of 9 runs" in said
    folder = bench / "one" / "results" / "mine"
    assert not list((folder / "runs").glob("*.partial*"))
    assert (folder / "results.nc").read_bytes() == (undisturbed(3) / "results.nc").read_bytes()


# options of other programs that pages name: pip, dask, sbatch, git, pytest and our own scripts
ELSEWHERE = {
    "upgrade", "install", "scheduler-file", "protocol", "nthreads", "array", "help", "constraint",
}  # fmt: skip
OPTION = re.compile(r"(?<![\w-])--([a-z][a-z-]*)(?![a-z:-])")  # not CSS: --ink:


def _offered() -> set[str]:
    """Every option of every command, and the `--no-` form of flags."""
    group = typer.main.get_command(app)
    params = [*group.params, *(p for command in group.commands.values() for p in command.params)]
    return {name for p in params for name in (*p.opts, *p.secondary_opts) if name.startswith("--")}


def test_every_option_named_in_a_message_or_on_a_page_exists() -> None:
    root = Path(__file__).parents[1]
    texts = {
        f"{path.relative_to(root)}:{node.lineno}": node.value
        for path in (root / "src").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        if not node.value.startswith("--") or " " in node.value
    }
    pages = [
        root / "README.md",
        *(root / "docs").glob("*.md"),
        *(root / "docs" / "howto").glob("*.md"),
    ]
    texts |= {str(path.relative_to(root)): path.read_text(encoding="utf-8") for path in pages}
    scripts = [
        path for folder in ("benchmarks", "docs", "tests") for path in (root / folder).glob("*.py")
    ]
    known = {f"--{name}" for name in ELSEWHERE} | _offered()
    for script in scripts:
        known |= set(
            re.findall(r'add_argument\(\s*"(--[a-z-]+)"', script.read_text(encoding="utf-8"))
        )
    wrong = [
        f"{place}: --{name}"
        for place, text in texts.items()
        for name in OPTION.findall(text)
        if f"--{name}" not in known
    ]
    assert wrong == []


def test_the_help_of_method_names_every_method() -> None:
    shown = " ".join(say("run", "--help").output.replace("│", " ").split())
    for method in get_args(CourseSettings.model_fields["method"].annotation):
        assert method in shown


def test_exit_codes_stand_in_one_table_and_help_and_pages_follow_it() -> None:
    shown = " ".join(say("--help").output.replace("│", " ").split())
    for code in ExitCode:
        assert f"{code:d} {code.meaning}" in shown
    root = Path(__file__).parents[1]
    pages = [*(root / "docs").rglob("*.md"), *(root / "src").rglob("*.py"), root / "README.md"]
    named = {
        (str(page.relative_to(root)), int(number))
        for page in pages
        for number in re.findall(r"exit(?:s with| code) `?(\d+)", page.read_text(encoding="utf-8"))
    }
    assert named
    assert [place for place in named if place[1] not in set(ExitCode)] == []


ONE_OF_EACH = """
title: One of each
question: What is said of one?
model: {subject: healthy_adult, circuit: small, plasticity: all}
course: {duration: 1 h, seeds: 1, method: formula}
arms:
  ketamine:
    give:
      dose: {drug: ketamine, dose: 0.5 mg/kg, route: iv, at: 0 h}
sweep:
  arms.ketamine.give.dose.dose: [0.5 mg/kg]
readouts:
  weight_1h: {of: weight, at: 1 h}
expect:
  - {claim: it is a number, readout: weight_1h, arm: ketamine, between: [0, 9]}
"""


def test_one_of_a_thing_is_told_as_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.yaml").write_text(ONE_OF_EACH)
    commands = (
        ("check", "mine"),
        ("sources", "mine"),
        ("run", "mine", "--dry-run"),
        ("run", "mine"),
        ("status", "mine"),
    )
    told = []
    for words in commands:
        done = say(*words)
        assert done.exit_code == 0, done.output
        told.append(done.output)
    report = (tmp_path / "results" / "mine" / "report.html").read_text("utf-8")
    told.append(re.sub(r"<(?:style|script).*?</(?:style|script)>|<[^>]*>", " ", report, flags=re.S))
    found = " ".join(told)
    print([found[m.start() - 90 : m.end() + 40] for m in re.finditer("1 runs", found)])
    assert "1 arm x 1 value of dose x 1 seed, 1 readout, 1 claim" in found
    assert set(re.findall(r"(?<![\w.,-])(?<!of )1 ([a-z]+s)\b", found)) <= {"is", "was", "ms"}
