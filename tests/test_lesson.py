"""Lessons: each agrees with a run made here, and no longer does once the model is changed as the
lesson says.
"""

from __future__ import annotations

import re
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shared_runs
import xarray as xr
from typer.testing import CliRunner

from plastogen import SCOPE
from plastogen.cli.main import app
from plastogen.errors import InputError
from plastogen.experiment.resolve import open_experiment
from plastogen.experiment.verdict import Verdict
from plastogen.publish.lesson import key as keys
from plastogen.publish.lesson import places, render, sheets
from plastogen.publish.lesson.definition import LEVELS, open_lesson, shipped
from plastogen.publish.lesson.make import Made, _make_request, make_lesson
from plastogen.publish.report.methods import given_by_arm, in_all_arms

sys.path.append(str(Path(__file__).resolve().parents[1] / "docs"))
from printing import browser, pages_of, print_page

LESSONS = shipped()
WITHOUT_NETWORK = [name for name in LESSONS if not open_lesson(name)[0].set]
WITH_NETWORK = shared_runs.lessons()
OWN = """
title: A lesson of my own
experiment: trapping
takes: seconds
time: 10 min
aim: Try.
before: [nothing]
background: [Blockers block.]
figures: [arms]
questions:
  - {level: see, ask: How much?, answer: "It is {left_2min of ketamine as %}."}
  - {level: explain, ask: Why?, answer: Trapped., holds: [ketamine stays trapped while glutamate is away]}
  - {level: judge, ask: So?, premise: [ketamine stays trapped while glutamate is away], answer: So., holds: [less of memantine stays trapped]}
misconceptions: [{belief: It goes., instead: It stays.}, {belief: All stay., instead: Not all do.}]
not_shown: [Much.]
change: {set: {drugs.ketamine.actions.nmdar.ketamine.trapped: 0}, why: No trap.}
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def silent(line: str) -> None:
    del line


def made(name: str, out: Path | None = None, **settings: Any) -> Made:
    return make_lesson(name, settings, out=out, say=silent, workers=1)


def test_there_are_at_least_nine_and_each_is_listed(here: Path) -> None:
    assert len(LESSONS) >= 9
    told = CliRunner().invoke(app, ["lesson"])
    assert told.exit_code == 0
    assert [line.split()[0] for line in told.output.splitlines()] == LESSONS
    assert CliRunner().invoke(app, ["list", "lessons", "--names"]).output.split() == LESSONS


@pytest.mark.parametrize("name", LESSONS)
def test_a_lesson_is_sound(name: str) -> None:
    lesson, document = open_lesson(name)
    question = open_experiment(lesson.experiment, lesson.set)
    keys.check(lesson, document, question)
    assert {asked.level for asked in lesson.questions} == set(LEVELS)


@pytest.fixture(scope="module")
def dry(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Made]:
    """Each lesson that asks no network, made once."""
    folder = tmp_path_factory.mktemp("dry")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        made_here = {name: made(name) for name in WITHOUT_NETWORK}
    return {
        name: replace(one, files=tuple(folder / path for path in one.files))
        for name, one in made_here.items()
    }


@pytest.mark.parametrize("name", WITHOUT_NETWORK)
def test_the_key_of_a_lesson_without_network_agrees_with_a_run(
    name: str, dry: dict[str, Made]
) -> None:
    lesson = dry[name]
    assert lesson.key.disagreements == []
    assert lesson.key.left_out == []
    assert lesson.key.numbers
    assert all(np.isfinite(number.mean) for number in lesson.key.numbers)
    _check_sheets(lesson)


@pytest.mark.slow
@pytest.mark.parametrize("name", WITHOUT_NETWORK)
def test_a_lesson_without_network_notices_a_changed_model(name: str, here: Path) -> None:
    assert notices(made(name, **open_lesson(name)[0].change.set))


@pytest.mark.slow
@pytest.mark.network
@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", WITH_NETWORK)
def test_the_key_of_a_lesson_agrees_with_a_run(name: str, here: Path, shared_results: Path) -> None:
    lesson = made(name, shared_results / f"lesson_{name}")
    assert [one.verdict.sentence for one in lesson.key.disagreements] == []
    assert [ask for ask, _ in lesson.key.left_out] == []
    assert all(np.isfinite(number.mean) for number in lesson.key.numbers)
    _check_sheets(lesson)


@pytest.mark.slow
@pytest.mark.network
@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", WITH_NETWORK)
def test_a_lesson_notices_a_changed_model(name: str, here: Path, shared_results: Path) -> None:
    changed = made(name, shared_results / f"lesson_{name}_changed", **shared_runs.as_changed(name))
    assert notices(changed)


def notices(changed: Made) -> bool:
    """Whether an answer no longer holds, or a question can no longer be asked."""
    return bool(changed.key.disagreements or changed.key.left_out)


def _check_sheets(lesson: Made) -> None:
    """Six files; whole, nothing from outside; answers on the teacher's alone."""
    texts = {path.name: path.read_text(encoding="utf-8") for path in lesson.files}
    assert set(texts) == {
        f"{name}.{kind}" for name in ("student", "teacher", "slides") for kind in ("html", "md")
    }
    for name, text in texts.items():
        assert SCOPE in text
        assert "{" not in re.sub(r"<style>.*?</style>", "", text, flags=re.S), name
        assert not re.search(r'(?:src|href)="(?!data:|#)', text)
    asked = len(lesson.lesson.questions)
    for kind in ("html", "md"):
        assert (
            texts[f"teacher.{kind}"].count("answer" if kind == "html" else "**Answer.**") >= asked
        )
    assert 'class="answer"' not in texts["student.html"]
    assert "Answer" not in texts["student.md"]
    assert "default-src 'none'" in texts["slides.html"].replace("&#x27;", "'")
    for picture in re.findall(r"!\[.*?\]\((.+?)\)", texts["student.md"]):
        assert (lesson.files[0].parent / picture).is_file()


def test_a_lesson_of_ones_own_lies_beside(here: Path) -> None:
    (here / "lessons").mkdir()
    (here / "lessons" / "mine.yaml").write_text(OWN)
    assert "A lesson of my own" in CliRunner().invoke(app, ["lesson"]).output
    good = CliRunner().invoke(app, ["lesson", "mine", "--jobs", "1"])
    assert good.exit_code == 0, good.output
    teacher = (here / "results/lesson_mine/teacher.md").read_text()
    assert "It is 86 %." in teacher
    again = CliRunner().invoke(app, ["lesson", "mine", "--jobs", "1"])
    assert "taken from results/trapping, which is finished" in again.output
    bad = CliRunner().invoke(
        app,
        [
            "lesson",
            "mine",
            "--jobs",
            "1",
            "--set",
            "drugs.ketamine.actions.nmdar.ketamine.trapped=0",
        ],
    )
    assert bad.exit_code == 4
    assert "THE ANSWER KEY DISAGREES" in bad.output
    alarm = (here / "results/lesson_mine/teacher.html").read_text()
    assert "Do not use the answers that rest on it" in alarm
    assert "LEFT OUT, for it takes for granted what this run lacks: So?" in bad.output


@pytest.mark.parametrize(
    ("old", "new", "wanted"),
    [
        ("experiment: trapping", "experiment: traping", "nearest valid name: trapping"),
        ("figures: [arms]", "figures: [armz]", "figures.0: found 'armz', wanted one of"),
        ("figures: [arms]", "figures: [arms]\nreadouts: [left]", "readouts.0: found 'left', wanted one of loaded"),
        ("{left_2min of ketamine as %}", "{left_2min of ketamin as %}", "nearest valid name: ketamine"),
        ("{left_2min of ketamine as %}", "{left_2min ketamine}", "questions.0.answer: found {left_2min ketamine}, wanted {readout of arm}"),
        ("{left_2min of ketamine as %}", "{left_2min of ketamine where dose = 1 mg}", "there is no sweep"),
        ("[less of memantine stays trapped]", "[less of memantine stays traped]", "nearest valid name: less of memantine stays trapped"),
        ("{left_2min of ketamine as %}", "{left_2mi when}", "nearest valid name: left_2min"),
        ("{left_2min of ketamine as %}", "{wanted of less of memantine stays traped}", "with `between:`, in its words; nearest valid name: less of memantine stays trapped"),
        ("ask: Why?", "ask: Why?, misses: [it stays]", "questions.1.misses.0: found 'it stays', wanted a claim of trapping"),
        ("ask: Why?", "ask: Why?, figure: arm", "questions.1.figure: found 'arm', wanted one of arms; nearest valid name: arms"),
        ("level: judge", "level: see", "none of level judge"),
        ("answer: So., holds: [less of memantine stays trapped]", "answer: So.", "an answer that rests on nothing"),
        ("aim: Try.", "aims: Try.", "nearest valid name: aim"),
    ],
)  # fmt: skip
def test_a_bad_lesson_says_what_is_wrong(old: str, new: str, wanted: str, here: Path) -> None:
    (here / "mine.yaml").write_text(OWN.replace(old, new))
    told = CliRunner().invoke(app, ["lesson", "mine.yaml"])
    assert told.exit_code == 2
    assert wanted in told.output, told.output
    assert "nothing was run" in told.output


@pytest.mark.parametrize(("backend", "warned"), [("cpp", False), ("numpy", True)])
def test_who_has_no_compiler_is_told_that_it_takes_long(
    backend: str, warned: bool, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("plastogen.publish.lesson.make.default_backend", lambda: backend)
    lesson, _ = open_lesson("spines")
    request, told = _make_request(lesson, {}, Path("results/lesson_spines"), full=False, say=silent)
    assert request.opened.experiment.course.tolerance.value == lesson.set["course.tolerance"]
    assert told.startswith("runs rescue in short; takes about a minute and a half")
    assert ("no C++ compiler" in told) == warned
    whole, _ = _make_request(lesson, {}, Path("results/lesson_spines"), full=True, say=silent)
    assert whole.folder == Path("results/rescue")


def test_a_lesson_that_is_not_there_has_a_nearest_name(here: Path) -> None:
    with pytest.raises(InputError, match="nearest valid name: disinhibition"):
        open_lesson("disinhibtion")


QUESTION = open_experiment("magnesium_and_voltage")
DS = xr.Dataset(
    {"conducted": (("arm", "E", "seed"), np.arange(40, dtype=float).reshape(4, 5, 2) / 100)},
    {"arm": list(QUESTION.experiment.arms)},
)


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("conducted of glutamate where E = -70 mV", "0.12"),
        ("conducted of glutamate where E = -70 mV as %", "12 %"),
        ("conducted of glutamate where E = -70 mV minus conducted of no_glutamate where E = -70 mV as %", "10 %"),
        ("conducted of glutamate where E = -40 mV over conducted of glutamate where E = -70 mV", "1.48"),
        ("conducted of no_glutamate where E = -70 mV over conducted of glutamate where E = -70 mV as change", "−80 %"),
        ("conducted of no_glutamate where E = -80 mV as %", "0.5 %"),
    ],
)  # fmt: skip
def test_a_place_in_a_text_reads_a_number_of_the_run(place: str, said: str) -> None:
    assert places.read(place, QUESTION, DS).in_sentence == said


@pytest.mark.parametrize(
    ("before", "now", "said"),
    [
        (2.0, 3.0, "+50 %"), (0.1, 0.9, "+800 %"), (0.1, 1.01, "10-fold"), (0.1, 4.87, "49-fold"),
        (4.87, 0.1, "−98 %"), (1e-9, 4.9, "4,900,000,000-fold"), (0.0, 4.9, "no value"),
        (0.0, 0.0, "no value"), (3.0, np.nan, "no value"),
    ],
)  # fmt: skip
def test_a_change_from_next_to_nothing_is_said_in_times_and_one_from_nothing_not_at_all(
    before: float, now: float, said: str
) -> None:
    place = "conducted of glutamate where E = -40 mV over conducted of glutamate where E = -70 mV"
    ds = DS.copy(deep=True)
    ds["conducted"].loc[{"arm": "glutamate"}] = np.array(
        [[now if e == 4 else before] * 2 for e in range(5)]
    )
    found = places.read(f"{place} as change", QUESTION, ds)
    assert (found.in_sentence, "%" in found.exact) == (said, said.endswith("%"))


@pytest.mark.parametrize("how", ["%", "change"])
def test_what_has_a_unit_is_no_share(how: str) -> None:
    """A rate less 1 Hz is no change of it."""
    opened = open_experiment("glutamate_surge")
    name = next(one for one, r in opened.experiment.readouts.items() if r.unit == "uM")
    found, wanted, _ = places.fault(f"{name} of mg_10 as {how}", opened) or ("", "", None)
    assert "which is in uM" in found
    assert f"over {name} of ANOTHER ARM as {how}" in wanted
    assert places.fault(f"{name} of mg_10 over {name} of vehicle as {how}", opened) is None


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("rate_E when", "10 to 30 min"),
        ("block_E when", "15 min"),
        ("gamma when", "15 min"),
        ("wanted of E cells fire more", "1.2 to 2"),
    ],
)
def test_a_question_may_say_when_and_what_is_wanted(place: str, said: str) -> None:
    assert places.fixed(place, open_experiment("disinhibition")) == said


@pytest.mark.parametrize(
    ("x", "unit", "said"),
    [
        (1.018, "1", "1.02"), (0.0523, "1", "0.052"), (1.2e-5, "1", "0.000012"), (2.2e-16, "1", "0"),
        (4.21, "min", "4.2 min"), (196.3, "ng/mL", "196 ng/mL"), (1e9, "1", "1,000,000,000"),
    ],
)  # fmt: skip
def test_numbers_are_rounded_as_a_person_would(x: float, unit: str, said: str) -> None:
    assert places.Found("t", x, x, x, unit, 4).in_sentence == said


UNDER_BLOCK = open_experiment("learning_under_block")
AT_POINTS = xr.Dataset(
    {
        "change": (
            ("arm", "rate", "induction_block", "seed"),
            np.arange(126, dtype=float).reshape(3, 6, 7, 1) / 100,
        )
    },
    {"arm": list(UNDER_BLOCK.experiment.arms)},
)


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("change of nonlinear where rate = 20 Hz, induction_block = 0.5", "0.18"),
        ("change of nonlinear where induction_block = 0.5, rate = 20 Hz as %", "18 %"),
        ("change of linear where rate = 0.1 Hz, induction_block = 0 minus change of nonlinear where rate = 10 Hz, induction_block = 1", "0.29"),
    ],
)  # fmt: skip
def test_a_place_names_a_point_by_all_its_axes(place: str, said: str) -> None:
    assert places.fault(place, UNDER_BLOCK) is None
    assert places.read(place, UNDER_BLOCK, AT_POINTS).in_sentence == said


@pytest.mark.parametrize(
    ("place", "wanted"),
    [
        ("change of linear where rate = 20 Hz", "7 points of the sweep"),
        ("change of linear where rate = 20 Hz; induction_block = 0", "20 Hz; induction_block = 0"),
        ("change of linear where rate 20 Hz", "{change of linear where rate 20 Hz}"),
        ("change of linear where rate = 20 Hz, block = 0", "'block'"),
    ],
)
def test_a_place_that_is_no_point_is_refused(place: str, wanted: str) -> None:
    fault = places.fault(place, UNDER_BLOCK)
    assert fault is not None
    assert wanted in fault[0]


def test_a_mean_stands_inside_its_interval_and_nothing_is_zero() -> None:
    found = places.Found("t", 25.55, 25.3, 25.8, "%", 4)
    assert (found.in_sentence, found.exact, found.span) == ("26 %", "25.6 %", "25.3 to 25.8 %")
    rest = places.Found("t", 2.2e-14, -1e-14, 2.2e-14, "%", 4, change=True)
    assert (rest.exact, rest.span) == ("0 %", "0 to 0 %")


def test_no_line_ends_between_a_number_and_its_unit() -> None:
    assert (
        render.bound("+15 % of 2 days, 10 mg/kg in 5 min")
        == "+15\xa0% of 2 days, 10\xa0mg/kg in 5\xa0min"
    )
    assert "(0\xa0%)" in render.page(
        "t", [sheets.Asked(1, "Why?", answer="none (0 %)")], {}, kind="slides"
    )


def test_a_time_under_an_hour_is_said_in_minutes() -> None:
    question = open_experiment("disinhibition")
    ds = xr.Dataset(
        {"onset_E": (("arm", "seed"), np.full((7, 2), 0.07))},
        {"arm": list(question.experiment.arms)},
    )
    assert places.read("onset_E of ketamine", question, ds).in_sentence == "4.2 min"
    assert places.read("onset_E of ketamine", question, ds * 100).in_sentence == "7 h"
    assert places.read("onset_E of ketamine", question, ds * 1000).in_sentence == "2.9 d"


def test_slides_name_claims_and_leave_the_fine_print_to_the_teacher(dry: dict[str, Made]) -> None:
    texts = {path.name: path.read_text(encoding="utf-8") for path in dry["traps"].files}
    assert "source: mealing1999" in texts["teacher.md"]
    assert "source:" not in texts["slides.md"]
    assert "- ✓ met: ketamine stays trapped while glutamate is away\n" in texts["slides.md"]


def test_a_teacher_is_told_the_whole_command_and_no_names_of_the_program(
    dry: dict[str, Made],
) -> None:
    texts = {path.name: path.read_text(encoding="utf-8") for path in dry["traps"].files}
    assert "    plastogen lesson traps --set drugs.mk801" in texts["teacher.md"]
    assert texts["student.md"].count(SCOPE) == 1
    assert "run by cpp" not in texts["student.md"]


def test_what_a_claim_came_to_is_held_against_what_the_answer_says() -> None:
    def verdict(outcome: Any) -> Verdict:
        return Verdict("c", "r", outcome, 1, 1, 1, "1", 1, 1, "w")

    came = {
        (o, holds): keys.Checked(verdict(o), holds).agrees
        for o in ("met", "missed", "known miss", "undecided")
        for holds in (True, False)
    }
    assert [case for case, agrees in came.items() if agrees] == [
        ("met", True),
        ("missed", False),
        ("known miss", False),
    ]


def test_the_key_calls_groups_as_figures_do() -> None:
    question = open_experiment("rapid_against_slow")
    assert places.worded("effect_day_1 of ssri", question).endswith(", SSRI")


LEFT = ("ketamine stays trapped while glutamate is away", "less of memantine stays trapped")


def key_of(outcomes: dict[str, str]) -> tuple[Any, keys.Key]:
    """A lesson that takes the first of LEFT for granted, and its key where claims came out so."""
    question = open_experiment("trapping")
    ds = xr.Dataset(
        {"left_2min": (("arm", "seed"), np.full((6, 2), 0.5))},
        {"arm": list(question.experiment.arms)},
    )
    lesson, _ = open_lesson("traps")
    told = [
        Verdict(claim.claim, "r", outcomes.get(claim.claim, "met"), 1, 1, 1, "1", 1, 1, "w")  # type: ignore[arg-type]
        for claim in question.experiment.expect
    ]
    asked = [
        lesson.questions[0].model_copy(
            update={"ask": f"Question {i}", "answer": "So.", "premise": [claim], "holds": [claim]}
        )
        for i, claim in enumerate(LEFT, 1)
    ]
    own = lesson.model_copy(update={"questions": asked, "misconceptions": [], "not_shown": []})
    return own, keys.key(own, question, ds, told)


def test_a_question_whose_premise_was_not_met_is_not_asked_and_the_teacher_is_told() -> None:
    lesson, key = key_of({LEFT[0]: "missed"})
    ran = sheets.Ran("q", "", [], "", "", dict.fromkeys(lesson.figures, "c"))
    told = {
        name: render.markdown(blocks, dict.fromkeys(lesson.figures, "f.png"))
        for name, blocks in (
            ("student", sheets.student(lesson, ran, key)),
            ("slides", sheets.slides(lesson, ran, key)),
            ("teacher", sheets.teacher(lesson, ran, key)),
        )
    }
    assert "**1.** Question 2" in told["student"]
    assert "Question 1" not in told["student"] + told["slides"]
    assert f"for “{LEFT[0]}” came out as “missed” in this run: Question 1" in told["teacher"]
    assert key.disagreements == []
    assert key_of({})[1].asked == [0, 1]


def test_every_question_on_a_slide_has_a_figure_beside_it(dry: dict[str, Made]) -> None:
    for one in dry.values():
        slides = next(path for path in one.files if path.name == "slides.html").read_text("utf-8")
        beside = slides.count('class="beside"')
        assert beside == slides.count('class="question"') == 2 * len(one.lesson.questions)
        assert slides.count("<img") == len(one.lesson.figures) + beside


def test_a_caption_says_what_was_drawn(dry: dict[str, Made]) -> None:
    told = next(p for p in dry["traps"].files if p.name == "student.md").read_text("utf-8")
    caption = re.findall(r"!\[(.*?)\]\(", told)[0].replace("\\", "")
    lesson = dry["traps"].lesson
    titles = open_experiment("trapping").experiment.readouts
    shown = [titles[name].title or "" for name in lesson.readouts]
    assert [title for title in shown if title.lower() not in caption.lower()] == []
    assert "MK-801, glutamate throughout" in caption


def test_the_table_of_groups_shows_all_that_differs_and_nothing_that_does_not() -> None:
    def given(name: str) -> tuple[dict[str, list[str]], list[str]]:
        opened = open_experiment(name, {"model.circuit": "small"})
        first = {arm: opened.condition(arm, ()) for arm in opened.experiment.arms}
        return given_by_arm(opened, first), in_all_arms(opened)

    rescue, common = given("rescue")
    assert common == []
    assert rescue["vehicle"] == ["stressed mouse (mouse)"]
    assert "healthy mouse (mouse)" in rescue["healthy"]
    assert any("stress of level 1" in text for text in rescue["coming_under_stress"])
    species, _ = given("repeated_use")
    assert [arm for arm, text in species.items() if "healthy rat (rat)" in text] == [
        "rat_vehicle", "rat_two_days",
    ]  # fmt: skip
    switched, _ = given("disinhibition")
    assert all("no block on" in " ".join(switched[arm]) for arm in switched if "only" in arm)
    dish, common = given("trapping")
    assert "Mg2+ outside 0 mM" in common
    assert not any("Mg2+" in text for texts in dish.values() for text in texts)


@pytest.mark.skipif(browser() is None, reason="prints with Chromium")
def test_a_sheet_is_one_leaf_of_paper(dry: dict[str, Made], tmp_path: Path) -> None:
    folder = dry["traps"].files[0].parent
    for name in ("student", "teacher"):
        assert pages_of(print_page(folder / f"{name}.html", tmp_path / f"{name}.pdf")) == 2
