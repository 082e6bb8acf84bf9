"""The list of mutants (mutants.yaml) fits the source, and a handful of them are killed; `make
mutants` runs all.
"""

from __future__ import annotations

import ast
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import mutants
import pytest

LISTED = mutants.read()
MECHANISMS = {
    "model/pharmacology/regimen.py", "model/pharmacology/kinetics.py", "model/pharmacology/nmda_block.py", "model/pharmacology/block_kinetics.py", "model/pharmacology/drug.py", "model/pharmacology/treated_subject.py", "model/circuit/measures.py", "simulation/probe.py", "model/plasticity/signalling.py",
    "model/plasticity/synapse.py", "model/plasticity/spine.py", "model/plasticity/system.py", "simulation/step.py", "simulation/switches.py", "simulation/adaptive.py", "simulation/rest.py", "simulation/lockstep.py", "model/circuit/definition.py",
    "model/circuit/drive.py", "model/circuit/network.py", "model/circuit/engine.py", "experiment/readout.py", "experiment/judge.py", "experiment/statistics.py", "experiment/resolve.py", "runs/store.py",
    "_base/digest.py", "model/circuit/activity.py", "_base/units.py",
}  # fmt: skip
HANDFUL = (
    "dose-without-weight",
    "receptor-trapped-and-superficial-swapped",
    "signalling-pathways-swapped",
)


def test_every_mutant_applies_to_the_source_as_it_is() -> None:
    assert mutants.faults(LISTED) == []


def test_every_mechanism_has_a_mutant() -> None:
    assert {m.file for m in LISTED} >= MECHANISMS


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            {"line": "nothing = like(this)"},
            "model/pharmacology/regimen.py holds its line 0 times, not once: nothing = like(this)",
        ),
        (
            {"line": "return ()"},
            "model/pharmacology/regimen.py holds its line 2 times, not once: return ()",
        ),
        (
            {
                "mutant": "MIN_PER_H = 60.00  # the same",
                "file": "model/pharmacology/kinetics.py",
                "line": "MIN_PER_H = 60.0",
            },
            "says the same",
        ),
        ({"mutant": "first_mg = ("}, "was never closed"),
        ({"file": "no.py"}, "No such file"),
        ({"tests": ["test_nothing.py"]}, "there is no test test_nothing.py"),
        (
            {"tests": ["test_regimen.py::test_nothing"]},
            "there is no test test_regimen.py::test_nothing",
        ),
    ],
)
def test_an_entry_that_no_longer_applies_is_told(change: dict[str, str], said: str) -> None:
    (fault,) = mutants.faults([replace(LISTED[0], **change)])  # type: ignore[arg-type]
    assert fault.startswith(f"{LISTED[0].name}: ")
    assert said in fault


def test_names_are_told_apart() -> None:
    assert mutants.faults([LISTED[0], LISTED[0]]) == [
        f"{LISTED[0].name}: two mutants have this name"
    ]


def test_an_unknown_name_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert mutants.main(["--only", "nobody"]) == 1
    assert capsys.readouterr().out == "no mutant is called nobody\n"


def test_mutants_of_a_room_are_those_of_its_files(capsys: pytest.CaptureFixture[str]) -> None:
    """Each mutant stands in one room; what is chosen is all of a room and nothing else."""
    folders = {m.file.rpartition("/")[0] for m in LISTED}
    rooms = {f for f in folders if not any(f.startswith(f"{other}/") for other in folders)}
    parts = {room: mutants.selected(LISTED, only=None, rooms=[room]) for room in rooms}
    assert all(m.file.startswith(f"{room}/") for room, found in parts.items() for m in found)
    assert sum(len(found) for found in parts.values()) == len(LISTED)
    assert mutants.selected(LISTED, only=["step*"], rooms=["model"]) == []
    assert mutants.main(["--room", "simulation", "--list"]) == 0
    listed = capsys.readouterr().out.splitlines()
    assert len(listed) == len(parts["simulation"]) > 20
    assert mutants.main(["--room", "cellar"]) == 1
    assert capsys.readouterr().out == "no mutant is called cellar\n"


def test_the_summary_counts_each_room() -> None:
    here = [replace(LISTED[0], name=str(n), file=f"model/circuit/{n}.py") for n in range(3)]
    there = replace(LISTED[0], file="runs/store.py")
    told = mutants.summary([*here, there], [here[1]])
    assert [" ".join(line.split()) for line in told] == [
        "model/circuit 2 of 3 killed",
        "runs 1 of 1 killed",
    ]


def test_source_is_parsed_in_no_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """`ast.parse` of two threads at once can fail (CPython 3.11)."""
    parsed, parse = list[threading.Thread](), ast.parse

    def noted(*told: Any, **more: Any) -> Any:
        parsed.append(threading.current_thread())
        return parse(*told, **more)

    monkeypatch.setattr(ast, "parse", noted)
    monkeypatch.setattr(mutants, "tested", lambda *told, **more: (mutants.FAILED, ""))
    monkeypatch.setattr(Path, "write_text", lambda self, text, **more: len(text))  # one checkout
    found = list(mutants.hunted([mutants.ROOT] * 2, LISTED[:6]))
    assert [killed for _, killed in found] == [None] * 6
    assert set(parsed) == {threading.main_thread()}


@pytest.mark.slow
def test_a_handful_is_killed(capsys: pytest.CaptureFixture[str]) -> None:
    assert mutants.main(["--only", *HANDFUL]) == 0
    assert f"{len(HANDFUL)} of {len(HANDFUL)} mutants killed" in capsys.readouterr().out


@pytest.mark.slow
def test_a_survivor_and_a_mutant_that_does_not_run_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (
        "- {name: hidden, file: model/pharmacology/regimen.py, line: 'over_h = float(treatment.over) if treatment.over is not None else 0.0',"
        " mutant: over_h = 0.0, breaks: infusions, tests: [test_synapse.py]}\n"
        "- {name: dead, file: model/plasticity/synapse.py, line: from plastogen._base.definition import Definition,"
        " mutant: from plastogen._base.definition import Nothing as Definition, breaks: all, tests: [test_synapse.py]}\n"
    )
    listed = tmp_path / "list.yaml"
    listed.write_text(text)
    assert mutants.main([], listed=listed) == 1
    said = capsys.readouterr().out
    assert "survived: hidden: infusions" in said
    assert "not tested (" in said
    assert "0 of 2 mutants killed" in said
