"""The commands that ask what came out by how much: tables on the screen, all of it in files, no
traceback.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from bench import FINE, say

from plastogen.errors import InputError
from plastogen.publish.workflow import complete
from plastogen.runs.request import make_request, silent


@pytest.fixture
def lab(lab: Path) -> Path:
    """The same, and the experiment has run."""
    assert say("run", "mine", "--no-figures").exit_code == 0
    return lab


def test_trial_prints_a_table_and_writes_all_of_it(lab: Path) -> None:
    told = say("trial", "mine")
    assert told.exit_code == 0
    lines = told.output.splitlines()
    assert lines[0] == "each arm less vehicle, matched pairs of seeds (df n - 1)"
    assert "Hedges g [95 % interval]" in lines[1]
    assert lines[2].split()[-3:] == ["2", "of", "2"]
    written = (lab / "results" / "mine" / "trial.csv").read_text().splitlines()
    assert len(written) == len(lines) - 3
    assert told.output.splitlines()[-1] == f"table {Path('results/mine/trial.csv')}"


def test_trial_of_a_variable_writes_every_time(lab: Path) -> None:
    told = say("trial", "mine", "--readout", "rate_hz")
    rows = (lab / "results" / "mine" / "trial.csv").read_text().splitlines()
    assert rows[0].startswith("readout,unit,arm,than,")
    assert len(rows) > 3 * 20
    assert sum("rate_hz" in line for line in told.output.splitlines()) == 3 * (
        len({r.split(",")[2] for r in rows[1:]})
    )


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--readout", "pek"), "readout: found 'pek', wanted one of"),
        (("--than", "vehicel"), "nearest valid name: vehicle"),
    ],
)
def test_bad_names_are_told(lab: Path, words: tuple[str, str], message: str) -> None:
    told = say("trial", "mine", *words)
    assert told.exit_code == 2
    assert message in " ".join(told.output.split())


@pytest.fixture
def people(lab: Path) -> Path:
    """The same for 12 virtual subjects, with a readout that says yes or no."""
    text = FINE.replace("readouts:", "readouts:\n  responds: {of: weight, take: peak, above: 1.2}")
    (lab / "people.yaml").write_text(text)
    for word in ("healthy_adult", "stressed_adult"):
        text = text.replace(word, "virtual_adult")
    (lab / "people.yaml").write_text(text)
    assert say("run", "people", "--no-figures", "--set", "course.subjects=12").exit_code == 0
    return lab


def test_who_responds_is_said(people: Path) -> None:
    told = say("responders", "people", "--set", "course.subjects=12")
    assert told.exit_code == 0
    assert told.output.startswith("responds: ")
    assert "n = 12 of 12 virtual subjects" in told.output
    assert say("responders", "mine").exit_code == 2


def test_which_number_matters_is_said(people: Path) -> None:
    told = say("sensitivity", "people", "--set", "course.subjects=12")
    assert told.exit_code == 0
    assert "partial rank correlation [95 % interval]" in told.output.splitlines()[0]
    assert (people / "results" / "people" / "sensitivity.csv").is_file()
    assert say("sensitivity", "mine").exit_code == 2


def test_courses_of_virtual_subjects_are_drawn_as_their_mean(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.yaml").write_text(
        """
question: Who is better a day later?
model: {subject: virtual_adult, circuit: small}
course: {duration: 1 d, seeds: 1, subjects: 3, method: formula}
arms:
  vehicle: {}
  ketamine: {give: {x: {drug: ketamine, dose: 0.5 mg/kg, route: iv, over: 40 min, at: 0 h}}}
readouts: {effect: {of: clinical_effect, at: 24 h}}
figures: [timeline, acute, circuit]
"""
    )
    outcome = complete(make_request("mine", say=silent), say=silent)
    drawn = {path.stem for path in outcome.figures}
    assert {"timeline", "acute", "circuit"} <= drawn, outcome.undrawn
    text = " ".join(
        (outcome.request.folder / "figures" / "timeline.svg").read_text("utf-8").split()
    )
    assert "mean over virtual subjects" in text
    refused = (tmp_path / "mine.yaml").read_text().replace("timeline, acute, circuit", "landscape")
    (tmp_path / "mine.yaml").write_text(refused)
    with pytest.raises(InputError, match="landscape with nothing swept, wanted two numbers"):
        make_request("mine", say=silent)
