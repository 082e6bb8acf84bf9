"""The evidence page: every claim with a source is there, and no miss hides."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from plastogen._base.definition import build
from plastogen._base.document import Document
from plastogen._base.library import Library
from plastogen.analysis import naive
from plastogen.analysis.evidence import CameOut, Line, Row, every_line, load_rows, sourced
from plastogen.analysis.evidence_functions import FUNCTIONS
from plastogen.analysis.evidence_page import HEADS, OUTCOMES, render_evidence
from plastogen.errors import InputError
from plastogen.experiment.definition import Experiment
from plastogen.experiment.verdict import Verdict
from plastogen.publish.evidence import experiments_of_evidence

ASKED_FOR = {
    *range(1, 9),
    10,
    *range(12, 16),
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


@cache
def experiments() -> Mapping[str, Experiment]:
    return experiments_of_evidence()


def came_out(outcome: Any = "met", without: str = "") -> dict[str, CameOut]:
    return {
        name: CameOut(
            [
                replace(MET, claim=c.claim, outcome=outcome, status=c.status, source=c.source)
                for c in experiment.expect
            ]
        )
        for name, experiment in experiments().items()
        if name != without
    }


@cache
def lines(outcome: Any = "met", without: str = "") -> tuple[Line, ...]:
    return tuple(every_line(TABLE, experiments(), came_out(outcome, without)))


@cache
def page(outcome: Any = "met", without: str = "") -> str:
    return render_evidence(TABLE, experiments(), came_out(outcome, without))


def body(text: str) -> list[str]:
    tables = text[text.index("## Predicted") :]
    return [
        line for line in tables.splitlines() if line.startswith("| ") and "| what was" not in line
    ]


def test_every_row_asked_for_is_there() -> None:
    assert {row.row for row in TABLE} == ASKED_FOR


@pytest.mark.parametrize("without", ["", "comparators"])
def test_every_claim_with_a_source_stands_on_the_page_once_or_is_said_not_to_have_been_run(
    without: str,
) -> None:
    text, made = page(without=without), 0
    for name, experiment in experiments().items():
        run = name != without
        assert (f"- `{name}`: {len(sourced(experiment))} claims;" in text) == (not run)
        mine = [line for line in lines(without=without) if line.row.experiment == name]
        assert sorted(line.claim for line in mine) == sorted(c.claim for c in sourced(experiment))
        assert all((line.verdict is not None) == run for line in mine)
        made += len(mine)
    answers = [line for line in body(text) if not line.startswith("|  |")]
    assert len(answers) == made + sum(row.of is not None for row in TABLE)


def test_the_calibrated_rows_are_those_of_the_decision_and_the_models_say_on_what() -> None:
    decision = (ROOT / "docs/decisions/0023-what-the-slow-half-is-calibrated-on.md").read_text()
    chosen = re.findall(r"^\| `(\w+\.\w+)` \| (\d+),", decision, flags=re.MULTILINE)
    kept = re.findall(r"`(\w+\.\w+)` \(row (\d+)\)", decision)
    written = {(by, int(row)) for by, row in (*chosen, *kept)}
    assert {(row.by, row.row) for row in TABLE if row.by} == written | {("spine.turnover", 40)}
    tree = Library().document("plasticity", "all").tree
    noted = {
        f"{part}.{key}"
        for part, entries in tree.items()
        if isinstance(entries, dict)
        for key, entry in entries.items()
        if isinstance(entry, dict) and "calibrated on" in str(entry.get("note"))
    }
    assert noted == {row.by for row in TABLE if row.by}


def test_claims_of_a_row_are_worth_the_same_and_a_calibrated_row_names_its_parameter() -> None:
    for row in TABLE:
        worth = {line.status for line in lines() if line.row is row}
        assert len(worth) == 1, row.what
        assert (worth == {"calibrated"}) == (row.by is not None), row.what


def test_no_words_of_a_claim_say_what_its_status_says() -> None:
    for name, experiment in experiments().items():
        for claim in experiment.expect:
            said = f"{claim.note} {claim.reported}"
            assert not re.search("no prediction|by construction|calibrat(es|ed, so)", said), name


def test_comparators_give_every_drug_that_ships() -> None:
    experiment = experiments()["comparators"]
    given = {one.drug for arm in experiment.arms for one in experiment.arm(arm).give.values()}
    assert given == set(Library().names("drugs"))


def test_what_is_left_of_an_effect_is_judged_against_the_untreated() -> None:
    for name, experiment in experiments().items():
        for claim in experiment.expect:
            for arm in filter(None, (claim.alone, claim.base)):
                assert not naive.is_treated(experiment, arm), f"{name}: {claim.claim}"


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


@pytest.mark.parametrize("outcome", ["met", "missed", "known miss", "undecided"])
def test_only_predictions_are_counted_and_no_miss_hides(outcome: Any) -> None:
    text = page(outcome)
    predicted = [line for line in lines(outcome) if line.status == "predicted"]
    words = {"met": "hit", "missed": "MISS"}.get(outcome, outcome)
    assert f"Of {len(predicted)} predictions: {len(predicted)} {words}." in text
    assert text.count(f"| {words} | ") >= len(predicted)
    for status, (met, missed) in OUTCOMES.items():
        own = {"met": met, "missed": missed}.get(outcome, outcome)
        section = text.split(f"## {HEADS[status]}\n")[1].split("\n## ")[0]
        answers = [line for line in body(f"## Predicted{section}") if not line.startswith("|  |")]
        pure = sum(row.of is not None and row.status == status for row in TABLE)
        assert sum(line.startswith(f"| {own} | ") for line in answers) >= len(answers) - pure
        assert f"{HEADS[status]}, not counted: {len(answers)}." in text or status == "predicted"


def test_every_answer_is_a_line_with_its_outcome_value_and_interval() -> None:
    text = page()
    assert {line.count(" | ") for line in body(text)} == {4}
    assert "| 1.5 [1.2, 1.8]; accepted: 1 to 2; n = 4 |" in text
    assert "not advice" in text
    assert render_evidence(TABLE, experiments(), came_out()) == text


def test_what_was_found_stands_beside_with_its_interval_and_how_far_it_is() -> None:
    near = replace(MET, claim="a", found=(1.6, 1.2, 2.0), source="kamp2020")
    rough = replace(near, claim="b", found_range=True)
    fixed = replace(near, claim="c", low=1.5, high=1.5, n=1)
    name = next(iter(experiments()))
    experiment = experiments()[name].model_copy(
        update={
            "expect": [
                experiments()[name]
                .expect[0]
                .model_copy(update={"claim": c, "source": "kamp2020", "status": "predicted"})
                for c in "abc"
            ]
        }
    )
    text = render_evidence([], {name: experiment}, {name: CameOut([near, rough, fixed])})
    rows = body(text)
    assert "| 1.6 [1.2, 2] |" in rows[0]
    assert rows[0].endswith("| 0.4 |")
    assert "| 1.2 to 2 |" in rows[1]
    assert rows[1].endswith("| ~0.4 |")
    assert rows[2].endswith("| 0.5 |")
    assert "Of 3 predictions 3 have an interval on both sides, 1 of" in text


def test_what_was_found_is_said_once_a_row() -> None:
    text = page("known miss")
    for row in TABLE:
        assert text.count(f"**{row.row} {row.what}**: {row.found}; *{row.source}* |") == 1


def test_the_page_that_ships_has_every_line_that_it_would_have_today() -> None:
    ships = (ROOT / "docs" / "evidence.md").read_text()
    today = [line.split(" | ")[1] for line in body(page())]
    assert [line.split(" | ")[1] for line in body(ships)] == today


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"of": "clearence", "range": [0, 1], "status": "input"}, "of"),
        ({"of": "clearance", "status": "input"}, "range"), ({}, ""),
        ({"experiment": "a", "of": "volume", "range": [0, 1], "status": "input"}, ""),
        ({"of": "volume", "range": [0, 1]}, "status"), ({"experiment": "a", "status": "input"}, "status"),
    ],
)  # fmt: skip
def test_a_row_that_cannot_be_says_where(fields: dict[str, Any], path: str) -> None:
    whole = {"row": 1, "what": "x", "found": "y", "source": "z", **fields}
    with pytest.raises(InputError) as caught:
        build(Document("rows.yaml", whole), Row)
    assert path in {problem.path for problem in caught.value.problems}


@pytest.mark.parametrize(
    "row",
    [
        {"experiment": "one_infusoin", "claims": ["x"]},
        {"experiment": "one_infusion", "claims": ["gamma power falls"]},
    ],
)
def test_a_row_about_what_there_is_not_says_so(row: dict[str, Any]) -> None:
    made = build(
        Document("rows.yaml", {"row": 1, "what": "x", "found": "y", "source": "z", **row}), Row
    )
    with pytest.raises(InputError, match=r"row 1"):
        list(every_line([made], experiments(), came_out()))
