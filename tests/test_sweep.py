"""Sweeps as written: what may stand there, how many points it makes, and what it is in words."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError
from test_experiment import TEXT, question

from plastogen._base.library import Library
from plastogen.errors import InputError
from plastogen.experiment.design import axes_of
from plastogen.experiment.models import Models
from plastogen.experiment.sweep import AROUND, DRAWN, Design, Span, in_words, size

DOSE = "arms.ketamine.give.infusion.dose"
IC50 = "drugs.ketamine.actions.nmdar.ketamine.ic50"
SPAN = "{from: 0.1 mg/kg, to: 1 mg/kg, points: 4}"


@pytest.mark.parametrize(
    ("text", "points", "shape"),
    [
        (f"sweep: {{{DOSE}: [1 mg/kg, 2 mg/kg], {IC50}.GluN2B: {{points: 3}}}}", 6, (2, 3)),
        (f"sweep: {{{DOSE}: {SPAN}, {IC50}.GluN2B: range}}\ndesign: {{points: 5}}", 20, (4, 5)),
        (f"sweep: {{{DOSE}: {SPAN}, {IC50}.GluN2B: range}}\ndesign: {{kind: zip, points: 4}}", 4, (4,)),
        (f"sweep: [{{{DOSE}: 1 mg/kg}}, {{{DOSE}: 2 mg/kg}}]", 2, (2,)),
        (f"sweep: [{{{DOSE}: 1 mg/kg}}]\ndesign: {{kind: list}}", 1, (1,)),
        *((f"sweep: {{{IC50}.GluN2B: range, model.subject: [healthy_adult, stressed_adult]}}\n"
           f"design: {{kind: {kind}, points: 7, seed: 3}}", 7, (7,)) for kind in DRAWN if kind not in AROUND),
        ("", 1, ()),
    ],
)  # fmt: skip
def test_every_form_makes_its_points(text: str, points: int, shape: tuple[int, ...]) -> None:
    asked = question(TEXT + text)
    assert asked.size == points
    assert tuple(axis.size for axis in asked.axes) == shape
    assert len(list(asked.points())) == points
    assert len({tuple(point.items()) for _, point in asked.points()}) == points


def test_a_range_without_ends_takes_those_of_the_model() -> None:
    asked = question(TEXT + f"sweep: {{{IC50}.GluN2B: {{points: 3, spacing: log}}}}")
    (axis,) = asked.axes
    assert axis.columns[0].written == ("2.5 uM", "5.04975246918 uM", "10.2 uM")
    own = "{value: 1 mg/kg, range: [0.5 mg/kg, 2 mg/kg]}"
    asked = question(
        TEXT.replace("dose: 0.5 mg/kg", f"dose: {own}") + f"sweep: {{{DOSE}: {{points: 2}}}}"
    )
    assert asked.axes[0].columns[0].written == ("0.5 mg/kg", "2 mg/kg")


def test_ranges_that_differ_between_the_models_in_use_are_not_chosen_from() -> None:
    text = TEXT.replace("circuit: small", "circuit: prefrontal") + (
        "sweep: {model.circuit: [prefrontal, prefrontal_afferent], circuit.agonist.mini_rate: {points: 2}}"
    )
    asked = question(text)
    asked.models = Models(Library())
    for name, high in (("prefrontal", "2 Hz"), ("prefrontal_afferent", "3 Hz")):
        asked.models.document("circuits", name).tree["agonist"]["mini_rate"]["range"] = [
            "1 Hz",
            high,
        ]
    with pytest.raises(
        InputError,
        match=r"1 Hz to 2 Hz in circuits/prefrontal, 1 Hz to 3 Hz in circuits/prefrontal_aff",
    ):
        _ = asked.axes


@pytest.mark.parametrize(
    ("swept", "kind", "lines"),
    [
        ({}, "grid", []),
        ({"a.b": [1, 2]}, "grid", ["a grid (2 points)", "a.b: 1, 2"]),
        ({"a": list(range(99))}, "zip", ["values side by side (99 points)",
                                         "a: 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, ... 98"]),
        ({"a": Span.model_validate({"from": "1 h", "to": "2 h", "spacing": "log"})}, "sobol",
         ["a scrambled Sobol sequence (9 points, seed 1)", "a: 1 h to 2 h, log"]),
    ],
)  # fmt: skip
def test_a_sweep_can_be_said(swept: Any, kind: str, lines: list[str]) -> None:
    assert in_words(swept, Design.model_validate({"kind": kind, "points": 9})) == lines


def test_a_span_has_a_width_in_whatever_unit_its_ends_are() -> None:
    assert Span.model_validate({"from": "1 h", "to": "61 min"}).fault() is None
    with pytest.raises(ValidationError):
        Span.model_validate({"from": "1 h", "to": "60 min"})


def test_the_size_is_known_without_drawing() -> None:
    assert size({"a": Span(points=4), "b": [1, 2]}, Design()) == 8
    assert (
        size({"a": Span(), "b": [1, 2]}, Design.model_validate({"kind": "sobol", "points": 1000}))
        == 1000
    )
    for kind, points in (("saltelli", 8 * 4), ("morris", 8 * 3)):
        ends = {
            "a": Span.model_validate({"from": 0, "to": 1}),
            "b": Span.model_validate({"from": 2, "to": 9}),
        }
        design = Design.model_validate({"kind": kind, "points": 8})
        assert size(ends, design) == points == axes_of(ends, design)[0].size
