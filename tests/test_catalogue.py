"""What there is can be shown; what `new` makes can be used."""

from __future__ import annotations

from pathlib import Path

import pytest

from plastogen.experiment import check, open_experiment
from plastogen.publish.catalogue import KINDS, MODEL_KINDS, NEW_FILES, describe, listing, new_file
from plastogen.publish.lesson.definition import open_lesson


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
