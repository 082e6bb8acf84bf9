"""The evidence page: every row asked for is there, and no miss hides."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from plastogen._base.definition import build
from plastogen._base.document import Document
from plastogen._base.library import Library
from plastogen.analysis.evidence import (
    FUNCTIONS,
    Row,
    experiments_of,
    judge_rows,
    load_rows,
    render_page,
)
from plastogen.errors import InputError
from plastogen.experiment.resolve import open_experiment
from plastogen.experiment.validate import check
from plastogen.experiment.verdict import Verdict

ASKED_FOR = {
    *range(1, 9),
    10,
    12,
    13,
    14,
    15,
    25,
    28,
    30,
    33,
    34,
    35,
    37,
    40,
    45,
    47,
    *range(49, 55),
}
TABLE, ROOT = load_rows(), Path(__file__).parents[1]
MET = Verdict("it is so", "x", "met", 1.5, 1.2, 1.8, "1", 4, 4, "1 to 2")


def verdicts(outcome: Any = "met") -> dict[str, list[Verdict]]:
    claims: dict[str, list[Verdict]] = {name: [] for name in experiments_of(TABLE)}
    for row in TABLE:
        claims.setdefault(row.experiment or "", []).extend(
            replace(MET, claim=c, outcome=outcome) for c in row.claims
        )
    return claims


def test_every_row_asked_for_is_there() -> None:
    assert {row.row for row in TABLE} == ASKED_FOR


def test_the_calibrated_rows_are_those_of_the_decision_and_the_models_say_on_what() -> None:
    decision = (ROOT / "docs/decisions/0023-what-the-slow-half-is-calibrated-on.md").read_text()
    chosen = re.findall(r"^\| `(\w+\.\w+)` \| (\d+),", decision, flags=re.MULTILINE)
    kept = re.findall(r"`(\w+\.\w+)` \(row (\d+)\)", decision)
    written = {(by, int(row)) for by, row in (*chosen, *kept)}
    found = {(str(row.by), row.row) for row in TABLE if row.status == "calibrated"}
    assert found == written | {("spine.turnover", 40)}
    calibrated = {str(row.by) for row in TABLE if row.status == "calibrated"}
    tree = Library().document("plasticity", "all").tree
    noted = {
        f"{part}.{key}"
        for part, entries in tree.items()
        if isinstance(entries, dict)
        for key, entry in entries.items()
        if isinstance(entry, dict) and "calibrated on" in str(entry.get("note"))
    }
    assert noted == calibrated


def test_every_claim_is_made_by_its_experiment_and_calibrated_ones_say_so() -> None:
    for name in experiments_of(TABLE):
        question = open_experiment(name)
        check(question)
        made = {claim.claim: claim for claim in question.experiment.expect}
        for row in TABLE:
            for text in row.claims if row.experiment == name else ():
                assert text in made
                assert ("calibrated" in (made[text].note or "")) == (row.status == "calibrated"), (
                    text
                )


@pytest.mark.parametrize(
    "row", [row for row in TABLE if row.of], ids=lambda row: f"{row.row} {row.what}"
)
def test_inputs_are_as_put_in(row: Row) -> None:
    assert row.range is not None
    assert row.range[0] <= FUNCTIONS[str(row.of)](Library(), row.given) <= row.range[1]


def test_known_numbers_come_out() -> None:
    known = {
        ("clearance", "human"): 79.02,
        ("volume", "human"): 252,
        ("half_life", "mouse"): 13,
    }
    for (name, animal), value in known.items():
        found = FUNCTIONS[name](Library(), {"drug": "ketamine", "animal": animal})
        assert found == pytest.approx(value, rel=1e-3)
    given = {"drug": "mk801", "slow": "-70 mV", "fast": "30 mV"}
    assert FUNCTIONS["untrapping_ratio"](Library(), given) == pytest.approx(45, rel=0.05)
    assert FUNCTIONS["untrapping_ratio"](Library(), {**given, "fast": "-70 mV"}) == pytest.approx(1)


def test_only_predictions_count_as_hits() -> None:
    found = {(line.row.status, line.outcome) for line in judge_rows(TABLE, verdicts())}
    assert found == {("input", "as put in"), ("calibrated", "fits"), ("predicted", "hit")}


@pytest.mark.parametrize(
    ("outcome", "shown"),
    [("missed", "MISS"), ("known miss", "known miss"), ("undecided", "undecided")],
)
def test_no_miss_hides(outcome: str, shown: str) -> None:
    text = render_page(TABLE, verdicts(outcome))
    predicted = [
        line for line in judge_rows(TABLE, verdicts(outcome)) if line.row.status == "predicted"
    ]
    assert {line.outcome for line in predicted} == {shown}
    assert f"Of {len(predicted)} predictions: {len(predicted)} {shown}." in text


def test_every_answer_is_a_line_with_its_outcome_value_and_interval() -> None:
    text = render_page(TABLE, verdicts())
    body = [
        line
        for line in text.splitlines()
        if line.startswith("| ") and not line.startswith("| outcome")
    ]
    assert {line.count(" | ") for line in body} == {2}
    answers = [line for line in body if not line.startswith("|  |")]
    assert len(answers) == len(list(judge_rows(TABLE, verdicts())))
    assert "| 1.5 [1.2, 1.8]; accepted: 1 to 2; n = 4 |" in text
    assert "not advice" in text
    assert render_page(TABLE, verdicts()) == text


def test_what_counts_comes_first_and_what_was_found_is_said_once_a_row() -> None:
    text = render_page(TABLE, verdicts("known miss"))
    assert re.findall("^## (.*)$", text, re.M) == ["Predicted", "Calibrated", "Put in"]
    for row in TABLE:
        assert text.count(f"**{row.row} {row.what}**: {row.found}; *{row.source}* |") == 1


def test_the_page_that_ships_is_as_it_would_be_made_today() -> None:
    ships = (Path(__file__).parents[1] / "docs" / "evidence.md").read_text()
    today = render_page(TABLE, verdicts())
    assert [line.split(" | ")[1] for line in ships.splitlines() if line.startswith("| ")] == [
        line.split(" | ")[1] for line in today.splitlines() if line.startswith("| ")
    ]


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"of": "clearence", "range": [0, 1]}, "of"), ({"of": "clearance"}, "range"), ({}, ""),
        ({"experiment": "a", "of": "volume", "range": [0, 1]}, ""), ({"experiment": "a", "by": "x"}, "by"),
    ],
)  # fmt: skip
def test_a_row_that_cannot_be_says_where(fields: dict[str, Any], path: str) -> None:
    whole = {"row": 1, "what": "x", "status": "predicted", "found": "y", "source": "z", **fields}
    with pytest.raises(InputError) as caught:
        build(Document("rows.yaml", whole), Row)
    assert path in {problem.path for problem in caught.value.problems}
