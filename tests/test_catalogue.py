"""What there is can be shown; what `new` makes can be used."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from plastogen.experiment import check, open_experiment
from plastogen.publish.catalogue import KINDS, MODEL_KINDS, NEW_FILES, describe, listing, new_file
from plastogen.publish.lesson.definition import open_lesson
from plastogen.simulation import READABLE, VARIABLES

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize("kind", KINDS)
def test_show_knows_every_name_that_list_prints(kind: str) -> None:
    names = [name for name, _ in listing(kind)]
    assert names
    for name in names[:12] if kind == "experiments" else names:
        assert any(name in line or len(line) > 20 for line in describe(name))


def test_new_makes_every_kind_of_file_that_a_person_writes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    written = {Path(kind).stem.rstrip("s") for kind in MODEL_KINDS} | {"experiment", "lesson"}
    assert written <= NEW_FILES.keys() | {"plasticity"}
    made = {kind: new_file(kind, f"my_{kind}") for kind in NEW_FILES}
    for kind in ("experiment", "sweep"):
        assert check(open_experiment(made[kind]))
    assert open_lesson(made["lesson"])[0].questions
    for kind in MODEL_KINDS:
        name = next(n for n in NEW_FILES if made[n].parent.name == kind)
        assert any("my_" in line for line in describe(f"my_{name}", here=tmp_path))


def test_a_lesson_made_new_rests_on_claims_its_experiment_makes(tmp_path: Path) -> None:
    lesson, _ = open_lesson(new_file("lesson", "mine", folder=tmp_path))
    claims = {claim.claim for claim in open_experiment(lesson.experiment).experiment.expect}
    assert {claim for question in lesson.questions for claim in question.holds} <= claims


# kind of run -> a shipped experiment that makes such runs
MAKES = {
    "course": "one_infusion",
    "spines": "sizes",
    "induction": "learning_under_block",
    "ensembles": "ensemble",
    "spine_ensembles": "new_spines_and_ensembles",
}


@pytest.mark.parametrize(("kind", "name"), MAKES.items())
def test_a_readout_that_show_prints_can_be_used(kind: str, name: str, tmp_path: Path) -> None:
    """Of every variable there is in such runs, as it is printed."""
    text = (ROOT / "experiments" / f"{name}.yaml").read_text("utf-8")
    lines = ["snapshots: {during: 1 h}"] if kind != "induction" else []
    lines.append("readouts:")
    for variable, row in VARIABLES.items():
        printed = [line for line in describe(variable) if "a readout of it: " in line]
        assert bool(printed) == (variable in READABLE)
        if printed and kind in row.of and "species" not in row.dims:
            lines.append(f"  r_{variable}: {printed[0].partition('a readout of it: ')[2]}")
    assert len(lines) > 5
    kept = re.sub(r"(?m)^(?:readouts|expect|figures|snapshots):.*\n(?:(?:[ #].*)?\n)*", "", text)
    (tmp_path / "mine.yaml").write_text(kept + "\n".join(lines) + "\n")
    assert check(open_experiment(tmp_path / "mine.yaml"))


def test_show_says_what_a_1_means_and_where_a_variable_is_found() -> None:
    assert list(describe("block"))[:3] == [
        "block: blocked share of NMDA current [1], by pool",
        "  scale: share of current; at least 0 and at most 1",
        "  a readout of it: {of: block, pool: E.synaptic, take: mean}",
    ]
    assert "  only in inductions (`induction:`)" in list(describe("epsp_change"))
    assert "  only in circuits with a class of the role perisomatic" in list(
        describe("pv_integrity")
    )
