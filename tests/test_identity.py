"""Names of runs: what is in them, what is not, and that making them is cheap."""

from __future__ import annotations

import gc
import json
import os
import re
import shutil
import subprocess
import sys
import threading
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from test_experiment import question

from plastogen._base.digest import Once, fingerprint, plain
from plastogen._base.library import Library
from plastogen.model.circuit import Circuit
from plastogen.runs import cost, identity
from plastogen.runs.identity import determines, run_id
from plastogen.simulation.course import Plan
from plastogen.simulation.model_version import MODEL_VERSION
from plastogen.simulation.probe import network_key

ASKED = question()


def plan(arm: str = "ketamine", seed: int = 5, **settings: object) -> Plan:
    asked = question(**settings) if settings else ASKED
    return asked.condition(arm).plan(seed, "cpp")


def test_the_id_is_twelve_digits_and_the_same_each_time() -> None:
    assert re.fullmatch(r"[0-9a-f]{12}", run_id(plan()))
    assert run_id(plan()) == run_id(question().condition("ketamine").plan(5, "cpp"))


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 6}, {"duration_h": 47.0}, {"window_s": 4.0}, {"tolerance": 0.01}, {"backend": "numpy"},
        {"method": "formula"}, {"snapshots": {"x": 1.0}}, {"start": {"weight": 1.05}}, {"stress": ((0.0, 1.0, 0.5),)},
        {"grid_h": np.arange(3.0)}, {"max_probes": 7}, {"settle_s": 1.0},
    ],
    ids=lambda change: next(iter(change)),
)  # fmt: skip
def test_all_that_determines_a_course_is_in_the_id(change: dict[str, Any]) -> None:
    assert run_id(replace(plan(), **change)) != run_id(plan())


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("arms.ketamine.give.infusion.dose", "0.6 mg/kg"), ("circuit.populations.E.leak", "13 nS"),
        ("plasticity.signalling.mtorc1_gain", 7), ("subject.weight", "71 kg"), ("switches.feedback", "on"),
        ("drugs.ketamine.kinetics.human.H2.clearance", "1.4 L/min"), ("switches.block.E", 0.5),
        ("rule.in_vivo", 0.65), ("rule.formula.depression.left", 0.9), ("model.rule", "classical"),
    ],
)  # fmt: skip
def test_every_number_of_models_treatments_and_switches_is_in_the_id(
    path: str, value: object
) -> None:
    assert run_id(plan(**{path.replace(".", "__"): value})) != run_id(plan())


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("question", "Another text?"), ("arms.ketamine.give.infusion.dose", "500 ug/kg"), ("circuit.title", "Another"),
        ("subject.note", "another"), ("course.seeds", 9), ("figures", ["arms"]), ("drugs.ketamine.title", "K"),
        ("rule.title", "Another"),
    ],
)  # fmt: skip
def test_what_only_reads_or_says_is_not_in_the_id(path: str, value: object) -> None:
    assert run_id(plan(**{path.replace(".", "__"): value})) == run_id(plan())


def test_labels_of_treatments_and_names_of_arms_are_not_in_the_id() -> None:
    one = plan()
    other = replace(one, treatments={"another label": one.treatments["infusion"]})
    assert run_id(one) == run_id(other)
    assert "infusion" not in json.dumps(determines(one))


def test_the_engine_is_in_the_id(monkeypatch: pytest.MonkeyPatch) -> None:
    before = run_id(plan())
    monkeypatch.setattr(identity, "signature", lambda backend: "another")
    assert run_id(plan()) != before


@pytest.mark.parametrize("part", sorted(MODEL_VERSION))
@pytest.mark.parametrize("method", ["direct", "formula", "emulated"])
def test_a_new_version_of_any_part_is_another_run(
    part: str, method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = replace(plan(), method=method)
    before, memory = run_id(one), cost._place(one, method)
    monkeypatch.setitem(MODEL_VERSION, part, MODEL_VERSION[part] + 1)
    assert run_id(one) != before
    assert cost._place(one, method) != memory


def test_a_new_version_of_the_circuit_asks_the_network_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    circuit = Library().load("circuits", "small", Circuit)
    before = network_key(circuit, 2, 1, "numpy")
    monkeypatch.setitem(MODEL_VERSION, "circuit", MODEL_VERSION["circuit"] + 1)
    assert network_key(circuit, 2, 1, "numpy") != before


NAMED = """
import sys
from dataclasses import replace
from plastogen.runs.identity import run_id
sys.path.insert(0, sys.argv[1])
from test_identity import plan
print(run_id(plan()))
"""


def test_another_wording_of_the_source_is_the_same_run(tmp_path: Path) -> None:
    package = Path(identity.__file__).parents[1]
    copy = shutil.copytree(package, tmp_path / "plastogen")
    for folder in ("models", "experiments"):
        (tmp_path / "plastogen" / "_library" / folder).parent.mkdir(exist_ok=True)
        shutil.copytree(package.parents[1] / folder, tmp_path / "plastogen" / "_library" / folder)
    for path in (copy / "simulation").glob("*.py"):
        path.write_text(path.read_text() + "\n\nMORE = 'another wording of an error'\n")
    told = subprocess.run(
        [sys.executable, "-c", NAMED, str(Path(__file__).parent)],
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout.strip() == run_id(plan())


def test_the_id_and_what_is_kept_beside_the_run_say_the_same_of_every_part() -> None:
    course = plan()
    there = {f.name for f in fields(Plan) if getattr(course, f.name) is not None}
    assert there <= determines(course).keys()
    assert (
        len(
            {
                run_id(plan(arm, seed))
                for arm in ("vehicle", "ketamine", "nbqx", "both")
                for seed in (1, 2)
            }
        )
        == 8
    )


def test_what_is_made_of_a_definition_is_made_once_and_forgotten_with_it() -> None:
    made: list[object] = []
    once = Once(lambda whole: made.append(whole) or len(made))
    one = Library().load("circuits", "small", Circuit)
    first = once(one)
    assert once({"a": [one, (one, 2.0)]}) == {"a": [first, [first, 2]]}
    assert len(made) == first
    place = id(one)
    del one
    gc.collect()
    assert place not in once.known


def test_equal_definitions_have_one_fingerprint_and_text_is_not_in_it() -> None:
    one, other = (Library().load("circuits", "small", Circuit) for _ in range(2))
    assert one is not other
    assert (
        fingerprint(one)
        == fingerprint(other)
        == fingerprint(other.model_copy(update={"title": "another"}))
    )
    assert fingerprint(one) != fingerprint(Library().load("circuits", "prefrontal", Circuit))
    assert plain(one)["step"] == [0.5, "ms"]
    assert "title" not in plain(one)


def test_two_threads_that_meet_at_one_array_leave_nothing_behind() -> None:
    """Both made it: the second to forget it found nothing to forget, and said so on the terminal."""
    inside = threading.Barrier(2)

    def make(told: object) -> object:
        inside.wait(10)
        return told

    once, part = Once(make), np.arange(3.0)
    threads = [threading.Thread(target=once, args=(part,)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    del part
    gc.collect()
    assert not once.known
