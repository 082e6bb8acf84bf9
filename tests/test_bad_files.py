"""A folder of bad files, each named after its fault, with the message it must get beside it.

`python tests/test_bad_files.py` writes the messages anew; read the difference before you commit it.
"""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from fuzz import fuzz

from plastogen._base.definition import Definition
from plastogen._base.library import Library
from plastogen.errors import InputError
from plastogen.experiment.resolve import open_experiment
from plastogen.experiment.validate import check
from plastogen.figures.overlay import read_overlay
from plastogen.model.circuit.definition import Circuit
from plastogen.model.pharmacology.drug import Drug
from plastogen.model.pharmacology.subject import Subject
from plastogen.model.plasticity.calcium_rule import CalciumRule
from plastogen.model.plasticity.definition import Plasticity

BAD = Path(__file__).parent / "bad"
KINDS: dict[str, type[Definition]] = {
    "circuits": Circuit,
    "drugs": Drug,
    "plasticity": Plasticity,
    "rules": CalciumRule,
    "subjects": Subject,
}
JARGON = (
    "pydantic",
    "Traceback",
    "validat",
    "Input should",
    "NoneType",
    " dict",
    "instance",
    "null",
    "scalar",
    "node",
    "token",
)
FILES = sorted(
    [*BAD.glob("experiments/*.yaml"), *BAD.glob("models/**/*.yaml"), *BAD.glob("data/*.csv")]
)


def load(path: Path) -> object:
    """What the product does with `path`."""
    if path.parent.name == "experiments":
        return check(open_experiment(path))
    if path.parent.name == "data":
        return read_overlay(path)
    kind = KINDS[path.parent.name]
    return Library(beside=BAD).load(path.parent.name, path.stem, kind)


def message(path: Path) -> str:
    """The message `path` gets, with its name and folder made neutral."""
    with pytest.raises(InputError) as caught:
        load(path)
    return str(caught.value).replace(str(path), "{file}").replace(str(BAD), "{bad}")


@pytest.mark.parametrize("path", FILES, ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_a_bad_file_gets_exactly_its_message(path: Path) -> None:
    said = message(path)
    assert said + "\n" == path.with_suffix(".expected").read_text(encoding="utf-8")
    for word in JARGON:
        assert word not in said


def test_every_message_has_its_file() -> None:
    answers = [*BAD.glob("experiments/*.expected"), *BAD.glob("models/**/*.expected")]
    assert sorted([*answers, *BAD.glob("data/*.expected")]) == [
        path.with_suffix(".expected") for path in FILES
    ]


def test_every_message_comes_in_good_time() -> None:
    """The worst of them, sizes without end: each within a second, even on a busy machine."""
    for name in ("times_1e30", "runs_without_end", "nested_2000_deep"):
        began = time.process_time()
        message(BAD / "experiments" / f"{name}.yaml")
        assert time.process_time() - began < 1


def test_harm_is_refused_in_words_or_leaves_a_good_file(tmp_path: Path) -> None:
    counts, wrong = fuzz(9, 60, tmp_path, most=25)
    assert not wrong
    assert counts["refused"] > counts["accepted"] > 0


if __name__ == "__main__":
    for bad in FILES:
        bad.with_suffix(".expected").write_text(message(bad) + "\n", encoding="utf-8")
