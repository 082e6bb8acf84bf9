"""A question and its answer: what is run, kept, drawn, judged; and the Python door."""

from __future__ import annotations

import json
import threading
import warnings
from pathlib import Path
from typing import Any

import course_fake
import pytest
import xarray as xr
from test_results import TEXT

import plastogen
from plastogen._base.sealed import sealing
from plastogen.cli.exit_codes import exit_code
from plastogen.errors import InputError
from plastogen.figures import draw
from plastogen.publish.workflow import complete, redraw, reopen, rewrite_report
from plastogen.runs.missing import _train_emulators
from plastogen.runs.request import make_request
from plastogen.runs.results import load

WHOLE = TEXT + "figures: [acute, arms]\n"


@pytest.fixture
def studio(costless: Path) -> Path:
    """A folder with an experiment, and courses that cost nothing."""
    (costless / "mine.yaml").write_text(WHOLE)
    return costless


@pytest.fixture
def lab(studio: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same, with figures that cost nothing either."""

    def blank(name: str, shown: Any, overlays: Any, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        files = [f"{name}.{kind}" for kind in draw.KINDS]
        with sealing(folder, *files):
            for file in files:
                (folder / file).write_text("<svg/>")

    monkeypatch.setattr(draw, "_save", blank)
    return studio


def quiet(line: str) -> None:
    assert line


def test_an_answer_is_all_on_disk(studio: Path) -> None:
    said: list[str] = []
    outcome = complete(make_request("mine"), workers=2, say=said.append)
    folder = studio / "results" / "mine"
    assert {p.name for p in folder.iterdir()} >= {
        "results.nc",
        "table.csv",
        "report.html",
        "runs",
        "figures",
    }
    assert {p.name for p in (folder / "figures").iterdir()} >= {
        "acute.png",
        "acute.svg",
        "arms.png",
        "arms.svg",
    }
    assert exit_code(outcome) == 4
    assert [d.state for d in outcome.results] == ["run"] * 6
    assert said[0] == "figure results/mine/figures/acute.png"
    page = (folder / "report.html").read_text()
    assert "What comes out?" in page
    assert str(studio) not in page


def test_a_repeat_runs_and_draws_nothing(lab: Path) -> None:
    complete(make_request("mine"), workers=2, say=quiet)
    before = {p: p.stat().st_mtime_ns for p in (lab / "results").rglob("*") if p.is_file()}
    said: list[str] = []
    outcome = complete(make_request("mine"), workers=2, say=said.append)
    assert said == []
    assert {d.state for d in outcome.results} == {"stored"}
    assert {p: p.stat().st_mtime_ns for p in before} == before
    assert outcome.report is not None


def test_a_new_readout_or_claim_runs_nothing_but_draws_anew(lab: Path) -> None:
    complete(make_request("mine"), workers=2, say=quiet)
    (lab / "mine.yaml").write_text(
        WHOLE.replace("  onset_w:", "  bdnf_1h: {of: bdnf, at: 1 h}\n  onset_w:")
    )
    said: list[str] = []
    outcome = complete(make_request("mine"), workers=2, say=said.append)
    assert {d.state for d in outcome.results} == {"stored"}
    assert "bdnf_1h" in outcome.ds
    assert len(said) == 2
    assert "bdnf_1h" in load(lab / "results" / "mine")


def test_a_new_arm_runs_only_itself(lab: Path) -> None:
    complete(make_request("mine"), workers=2, say=quiet, figures=False)
    (lab / "mine.yaml").write_text(
        WHOLE.replace(
            "snapshots:",
            "  late: {give: {z: {drug: nbqx, occupancy: 1, at: 1 h, for: 1 h}}}\nsnapshots:",
        )
    )
    outcome = complete(make_request("mine"), workers=2, say=quiet, figures=False)
    assert [d.run.arm for d in outcome.results if d.state == "run"] == ["late", "late"]


def test_exit_codes_three_beats_four(lab: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(plan: Any, *, progress: Any) -> Any:
        if plan.seed == 2:
            raise RuntimeError("no")
        return course_fake.simulate(plan)

    missed = complete(make_request("mine"), workers=1, say=quiet, figures=False)
    assert exit_code(missed) == 4
    (lab / "mine.yaml").write_text(WHOLE.replace("  - {claim: less", "  # - {claim: less"))
    assert exit_code(complete(make_request("mine"), workers=1, say=quiet, figures=False)) == 0
    monkeypatch.setattr("plastogen.runs.worker.simulate", fails)
    (lab / "mine.yaml").write_text(WHOLE.replace("6 h", "7 h"))
    said: list[str] = []
    failed = complete(make_request("mine"), workers=1, say=said.append)
    assert exit_code(failed) == 3
    assert len(failed.failed) == 3
    assert "vehicle, seed 2: no" in said


def test_the_first_picture_comes_while_other_seeds_still_run(
    lab: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pictured = threading.Event()

    def course(plan: Any, *, progress: Any) -> Any:
        if plan.seed > 1:
            assert pictured.wait(30)
        return course_fake.simulate(plan)

    def say(line: str) -> None:
        if line.endswith("acute.png"):
            pictured.set()

    monkeypatch.setattr("plastogen.runs.worker.simulate", course)
    outcome = complete(make_request("mine"), workers=2, say=say)
    assert outcome.ds.attrs["n_complete"] == 6


def test_a_figure_that_cannot_be_drawn_hides_nothing_else(
    studio: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stumble(*args: Any, **kwargs: Any) -> None:
        raise TypeError("no such colour")

    monkeypatch.setattr("plastogen.figures._acute.plot_acute", stumble)
    said: list[str] = []
    outcome = complete(make_request("mine", seeds=1), workers=1, say=said.append)
    assert outcome.undrawn == ["acute"]
    (line,) = (line for line in said if line.startswith("figure acute could not be drawn: "))
    assert "(TypeError: no such colour); please report it" in line
    assert [p.name for p in outcome.figures] == ["arms.png", "arms.svg"]
    assert (studio / "results" / "mine" / "results.nc").is_file()
    assert outcome.report is not None
    assert len(outcome.verdicts) == 2
    assert exit_code(outcome) == 3
    with pytest.raises(TypeError):
        redraw(reopen("mine"), ["acute"], None, say=quiet)


def test_letters_that_the_font_lacks_are_said_once_and_hide_no_other_warning(
    studio: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = make_request("mine", {"title": "薬 and 薬"}, seeds=1)
    said: list[str] = []
    complete(asked, workers=1, say=said.append)
    (line,) = (line for line in said if "boxes stand for them" in line)
    assert "(薬)" in line

    def save(*args: Any) -> None:
        warnings.warn("something else", UserWarning, stacklevel=1)

    monkeypatch.setattr("plastogen.figures.draw._save", save)
    with pytest.warns(UserWarning, match="something else"):
        redraw(reopen("mine", {"title": "x"}), ["arms"], None, say=quiet)


def test_figures_of_spikes_are_left_out_without_the_network(lab: Path) -> None:
    (lab / "mine.yaml").write_text(WHOLE.replace("[acute, arms]", "[raster, arms]"))
    said: list[str] = []
    outcome = complete(make_request("mine", seeds=1, method="formula"), workers=1, say=said.append)
    assert "so no raster" in said[0]
    assert [p.stem for p in outcome.figures] == ["arms", "arms"]
    assert exit_code(outcome) != 3


def test_settings_reach_the_experiment(lab: Path) -> None:
    request = make_request(
        "mine",
        {"arms.ketamine.give.x.dose": "2 mg/kg"},
        seed=9,
        seeds=1,
        method="formula",
        out="elsewhere",
    )
    assert request.opened.seeds == (9,)
    assert request.folder == Path("elsewhere")
    assert request.conditions[0].setting.course.method == "formula"
    assert {run.plan.method for run in request.runs} == {"formula"}


@pytest.mark.parametrize("method", ["direct", "emulated"])
def test_without_a_compiler_the_small_circuit_is_used_and_said(
    method: str, lab: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("plastogen.runs.request.default_backend", lambda: "numpy")
    text = WHOLE.replace("circuit: small", "circuit: prefrontal")
    (lab / "mine.yaml").write_text(text.replace("course: {", f"course: {{method: {method}, "))
    said: list[str] = []
    request = make_request("mine", say=said.append)
    assert request.opened.experiment.model.circuit == "small"
    assert "no C++ compiler" in said[0]
    assert {run.plan.backend for run in request.runs} == {"numpy"}
    chosen = make_request("mine", {"model.circuit": "prefrontal"}, say=said.append)
    assert chosen.opened.experiment.model.circuit == "prefrontal"
    assert len(said) == 1


def test_again_remembers_the_settings_of_the_run(lab: Path) -> None:
    with pytest.raises(InputError, match="plastogen run mine"):
        reopen("mine")
    complete(make_request("mine", seeds=1), workers=1, say=quiet, figures=False)
    outcome = reopen("mine")
    assert outcome.ds.sizes["seed"] == 1
    paths = redraw(outcome, ["arms"], None, say=quiet)
    assert [p.name for p in paths] == ["arms.png", "arms.svg"]
    assert rewrite_report(outcome, say=quiet).is_file()
    with pytest.raises(InputError, match="nearest valid name: arms"):
        redraw(outcome, ["arm"], None)


def test_own_data_can_be_laid_over_a_course(studio: Path) -> None:
    complete(make_request("mine", seeds=1), workers=1, say=quiet, figures=False)
    data = studio / "own.csv"
    data.write_text("time_h,value\n0.5,110\n1,120\n")
    assert redraw(reopen("mine"), ["acute"], data, say=quiet)[0].is_file()


def test_the_python_door_gives_xarray(lab: Path) -> None:
    outcome = plastogen.run("mine", set={"course.seeds": 1}, jobs=1)
    assert isinstance(outcome, xr.Dataset)
    assert outcome["weight_2h"].sel(arm="ketamine").shape == (1,)
    xr.testing.assert_identical(plastogen.load("results/mine"), outcome)
    assert json.loads(outcome.attrs["claims"])[0]["outcome"] == "met"


def test_loading_what_is_not_there_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="plastogen run"):
        load(tmp_path)
    (tmp_path / "results.nc").write_bytes(b"half a file")
    with pytest.raises(InputError, match="run the experiment again"):
        load(tmp_path)


def test_what_is_being_learned_is_told_until_it_is_learned(
    lab: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = make_request("mine", method="emulated", seeds=1)
    told: list[tuple[str, object]] = []

    class Watching:
        def begin(self, runs: int) -> None:
            told.append(("begin", runs))

        def moved(self, task: str, runs: int, label: str, share: float) -> None:
            told.append((label, task))

        def finished(self, task: str, runs: int) -> None:
            told.append(("finished", task))

    def ensure_emulator(
        training_set: Any, results: Path, *, workers: int, moved: Any, since: float
    ) -> bool:
        assert since == 7.0
        moved("learning the circuit", 0.5)
        return False

    monkeypatch.setattr("plastogen.runs.missing.ensure_emulator", ensure_emulator)
    _train_emulators(request, request.runs, watcher=Watching(), workers=1, since=7.0)
    (key,) = (pilots.key for pilots in request.training_sets.values())
    assert told == [("learning the circuit", key), ("finished", key)]
