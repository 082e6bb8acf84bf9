"""What is given to whom: numbers with units that text is made of, never the other way round."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import xarray as xr
from test_experiment import question

from plastogen.figures import data
from plastogen.runs.dosing import dosing_row, dosing_rows, dosing_text

SRC = Path(__file__).parents[1] / "src" / "plastogen"
TEXT = """
question: What?
model: {subject: healthy_adult, circuit: small}
course: {duration: 48 h, seeds: 1}
arms:
  dosed: {give: {a: {drug: ketamine, %s}}}
readouts: {x: {of: weight, at: 2 h}}
"""


@pytest.mark.parametrize(
    ("given", "kind", "amounts", "unit", "said"),
    [
        (
            "dose: 0.5 mg/kg, route: iv, over: 40 min, at: 0 h",
            "dose",
            [0.5],
            "mg/kg",
            "ketamine 0.5 mg/kg iv over 40 min",
        ),
        (
            "dose: 1 mg/kg, route: iv, at: 0 h, every: 12 h, times: 3, escalate: 2",
            "dose",
            [1, 2, 4],
            "mg/kg",
            "ketamine 1 mg/kg iv",
        ),
        ("brain: 300 nM, at: 0 h, for: 2 h", "level", [0.3], "uM", "ketamine held at 0.3 µM"),
        (
            "occupancy: 90 %, at: 0 h, for: 2 h",
            "occupancy",
            [90],
            "%",
            "ketamine at 90 % occupancy",
        ),
    ],
)
def test_rows_hold_numbers_with_units(
    given: str, kind: str, amounts: list[float], unit: str, said: str
) -> None:
    rows = dosing_rows(question(TEXT % given).condition("dosed"))
    assert [row["amount"] for row in rows] == pytest.approx(amounts)
    assert {(row["kind"], row["unit"]) for row in rows} == {(kind, unit)}
    assert dosing_text(rows[0]) == said
    assert json.loads(json.dumps(rows)) == rows
    ds = xr.Dataset(attrs={"dosing": json.dumps(rows)})
    drawn = [event.dose for event in data.dosing_events(ds)]
    wanted = [(row["amount"], unit) for row in rows] if kind != "occupancy" else [None]
    assert drawn == wanted


def test_names_are_said_shortly_and_amounts_with_three_digits() -> None:
    for title, amount, said in (
        ("Ketamine (racemic)", 0.461835428594, "ketamine 0.462 mg/kg"),
        ("MK-801 (dizocilpine)", 1, "MK-801 1 mg/kg"),
    ):
        row = dosing_row("a", "x", "dose", amount, "mg/kg", (0, 0), title=title)
        assert dosing_text(row) == said


def test_results_of_older_versions_say_what_they_say() -> None:
    old = {"arm": "a", "drug": "k", "what": "Ketamine 1 mg/kg iv", "start_h": 0, "end_h": 0}
    (event,) = data.dosing_events(xr.Dataset(attrs={"dosing": json.dumps([old])}))
    assert (event.what, event.dose) == ("Ketamine 1 mg/kg iv", None)


def test_nothing_reads_numbers_back_from_what_was_given() -> None:
    parsed = re.compile(r"re\.\w+\([^)]*\bwhat\b|\.search\([\w.]*what\)|\.sub\([^)]*\bwhat\b")
    found = [str(path) for path in SRC.rglob("*.py") if parsed.search(path.read_text())]
    assert found == []
