"""No words of an experiment or a lesson state a number of the run but through a placeholder, which
the run fills; and a question takes for granted only what was met.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ruamel.yaml import YAML
from test_claim import SEEDS, claim

from plastogen._base.text import percent
from plastogen.errors import InputError
from plastogen.experiment.judge import judge_point
from plastogen.publish.lesson.definition import open_lesson, shipped

ROOT = Path(__file__).resolve().parents[1]
EXPERIMENTS = sorted((ROOT / "experiments").glob("*.yaml"))
WORDS = ("question", "note", "known_miss")  # of an experiment, its arms and claims
WANTED = ("between", "by", "slack", "to", "share", "at_least", "at_most", "correlation")
OTHER_WORDS = ("title", "claim", "takes", "reported")  # names of things, and what others found
FRACTION = re.compile(
    r"\b(?:half|halves|(?:third|quarter|fifth|sixth|seventh|eighth|ninth|tenth|twentieth|thousandth)s?"
    r"|twice|doubled?|\w*fold|per cent|percent)\b"
)
FRACTIONS = {  # words for a share that is swept
    "half": {"0.5"},
    "quarter": {"0.25"},
    "quarters": {"0.75"},
    "eighth": {"0.125"},
    "eighths": {"0.375", "0.625", "0.875"},
}
NAMES = re.compile(
    r"Mg2\+|Ca2\+|eEF2K?|IC50s?|mGlu2/3|GABA|mTORC1|MK-801|mk801|GAD67|Glu[AN]\d\w?|SV2A|KARMA-Dep 2|step \d"
    r"|[A-Z][\w.-]+(?: and [A-Z]\w+| et al\.)?,? (?:19|20)\d\d(?:, (?:19|20)\d\d)*|[a-z]+(?:19|20)\d\d"
)
QUANTITY = re.compile(r"[-−]?\d[\d.,]*\d|[-−]?\d")
UNIT = re.compile(r" ?(?:%|(?:mg|ng|min|h|d|mV|uM|mM|nM|Hz|ms|s)(?:/(?:kg|mL|d|h))?)(?!\w)")
PRESUMES = re.compile(r"\b(?:why|how (?:can|could|does|do|is))\b", re.IGNORECASE)


def stated(text: str, inputs: set[str]) -> list[str]:
    """Numbers and fractions in `text` that are none of the `inputs`, such as `10 mg/kg`."""
    text = NAMES.sub("", re.sub(r"\{[^{}]*\}", "", text))
    found = []
    for match in QUANTITY.finditer(text):
        unit = UNIT.match(text, match.end())
        whole = (match[0] + (unit[0] if unit else "")).replace("−", "-")
        if text[: match.start()].endswith("day "):
            given = {f"{match[0]} d", f"{24 * float(match[0]):g} h"}
        else:
            given = {whole} if unit else set()
        found += [] if given & inputs else [whole]
    return found + [
        word for word in FRACTION.findall(text) if not FRACTIONS.get(word, set()) & inputs
    ]


def scalars(node: Any, key: str = "") -> Iterator[tuple[str, str]]:
    """(key, text) of all that stands in a file."""
    if isinstance(node, dict):
        for name, value in node.items():
            yield from scalars(value, str(name))
    elif isinstance(node, list):
        for value in node:
            yield from scalars(value, key)
    else:
        yield key, str(node)


def experiment_of(path: Path) -> list[tuple[str, str]]:
    return list(scalars(YAML(typ="safe").load(path.read_text())))


def inputs_of(path: Path) -> set[str]:
    """Every value the experiment is given."""
    words = (*WORDS, *OTHER_WORDS, *WANTED)
    return {text for key, text in experiment_of(path) if key not in words}


@pytest.mark.parametrize("path", EXPERIMENTS, ids=lambda path: path.stem)
def test_no_words_of_an_experiment_state_a_number_of_the_run(path: Path) -> None:
    inputs = inputs_of(path)
    told = [text for key, text in experiment_of(path) if key in WORDS]
    assert [(text, found) for text in told if (found := stated(text, inputs))] == []


@pytest.mark.parametrize("path", EXPERIMENTS, ids=lambda path: path.stem)
def test_the_question_of_an_experiment_takes_nothing_for_granted(path: Path) -> None:
    asked = dict(experiment_of(path))["question"]
    assert "why" not in asked.lower()


@pytest.mark.parametrize("name", shipped())
def test_no_words_of_a_lesson_state_a_number_of_the_run(name: str) -> None:
    lesson, _ = open_lesson(name)
    inputs = inputs_of(ROOT / "experiments" / f"{lesson.experiment}.yaml")
    told = [text for question in lesson.questions for text in (question.ask, question.answer)]
    told += [misconception.instead for misconception in lesson.misconceptions]
    told += lesson.not_shown
    assert [(text, found) for text in told if (found := stated(text, inputs))] == []


@pytest.mark.parametrize("name", shipped())
def test_a_question_that_asks_why_names_what_it_takes_for_granted(name: str) -> None:
    lesson, _ = open_lesson(name)
    silent = [
        question.ask
        for question in lesson.questions
        if PRESUMES.search(question.ask) and "premise" not in question.model_fields_set
    ]
    assert silent == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("two fifths are left, 1.8 % of it", ["1.8 %", "fifths"]),
        ("{value} is left at 2 h without Mg2+ (Li 2010)", []),
        ("on day 2 and day 3", ["3"]),
        ("three quarters, half, a tenth", ["quarters", "tenth"]),
        ("5 mg/kg is an input, 6 mg/kg is not, nor is 2.", ["6 mg/kg", "2"]),
        ("MK-801 falls to −40 mV and sixteenfold", ["-40 mV", "sixteenfold"]),
    ],
)
def test_the_law_sees_numbers_and_fractions_and_lets_inputs_pass(
    text: str, found: list[str]
) -> None:
    assert stated(text, {"2 h", "48 h", "5 mg/kg", "0.5"}) == found


def test_what_was_measured_is_filled_in() -> None:
    for values, words in ((np.full(SEEDS, 0.404), "0.4 %"), (np.full(SEEDS, np.nan), "nothing")):
        found = judge_point(
            claim(arm="a", between=[5, 6], known_miss="{value} is left"),
            lambda r, arm, values=values: values,
            complete={"a": np.ones(SEEDS, bool)},
            unit="%",
        )
        assert found.known_miss == f"{words} is left"
    with pytest.raises(InputError, match="no braces but"):
        claim(arm="a", between=[5, 6], known_miss="{other} is left")


def test_a_per_cent_sign_stands_apart_from_its_number() -> None:
    said = {
        str(path.relative_to(ROOT)): re.findall(r"\{[^{}\n]*%\}", path.read_text(encoding="utf-8"))
        for path in (ROOT / "src").rglob("*.py")
    }
    assert {path: places for path, places in said.items() if places} == {}  # `text.percent` does
    assert percent(0.817) == "82 %"
    assert percent(0.00412, 1) == "0.4 %"
