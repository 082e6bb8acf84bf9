"""Quantities: text with a unit in, floats out; messages that say found, wanted, nearest."""

from __future__ import annotations

import math
from typing import Annotated

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plastogen._base.definition import Definition, build, quantities
from plastogen._base.document import Document
from plastogen._base.quantity import Evidence, Given, In, Quantity, parse_any
from plastogen._base.text import nearest, show
from plastogen._base.units import parse
from plastogen.errors import InputError, QuantityError


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [
        ("40 min", "h", 0.666666666667), ("1.5 h", "min", 90), ("3 d", "h", 72), ("2 days", "h", 48),
        ("-30 min", "h", -0.5), ("1 wk", "d", 7), ("500 ms", "s", 0.5),
        ("0.5 mg/kg", "mg/kg", 0.5), ("500 ug/kg", "mg/kg", 0.5), ("0.5 µg/g", "mg/kg", 0.5),
        ("56 mg", "mg", 56), ("0.056 g", "mg", 56), ("70 kg", "kg", 70),
        ("1 mM", "uM", 1000), ("1000 uM", "mM", 1), ("1 µM", "nM", 1000), ("2 mol/L", "M", 2), ("2 umol/L", "uM", 2),
        ("0.2 ug/mL", "ng/mL", 200), ("200 ug/L", "ng/mL", 200), ("237.725 g/mol", "g/mol", 237.725),
        ("1.2 L/min", "L/h", 72), ("72 L/h", "L/min", 1.2), ("1.2 L/min/kg", "mL/min/kg", 1200),
        ("3 L/kg", "L/kg", 3), ("8 Hz", "Hz", 8), ("8 1/s", "Hz", 8), ("0.1/min", "1/h", 6), ("8 s^-1", "Hz", 8),
        ("-65 mV", "mV", -65), ("-0.065 V", "mV", -65), ("10 nS", "nS", 10), ("200 pF", "nF", 0.2), ("5e-2 nA", "pA", 50),
        ("50 %", "1", 0.5), ("0.5", "1", 0.5), (0.5, "1", 0.5), (1, "1", 1), ("5 %", "%", 5),
        ("2 1/mM/s", "1/uM/s", 0.002), ("1 nS * mV", "pA", 1), ("  40   min ", "min", 40), (".5 h", "min", 30),
    ],
)  # fmt: skip
def test_text_becomes_a_number_in_the_unit_asked_for(text: object, unit: str, value: float) -> None:
    assert parse(text, unit) == value


@pytest.mark.parametrize(
    ("text", "unit", "message"),
    [
        ("0.5", "mg/kg", "found '0.5' without a unit, wanted a dose per body weight such as '0.5 mg/kg'"),
        (0.5, "mg/kg", "found 0.5 without a unit, wanted a dose per body weight such as '0.5 mg/kg'"),
        ("0.5 mg/mg", "mg/mL", "found '0.5 mg/mg', wanted a mass concentration such as '200 ng/mL'"),
        ("0.5 mg", "mg/kg", "found '0.5 mg', wanted a dose per body weight such as '0.5 mg/kg'"),
        ("5 mV", "h", "found '5 mV', wanted a time such as '40 min'"),
        ("5 uM", "ng/mL", "found '5 uM', wanted a mass concentration such as '200 ng/mL'"),
        ("40 mn", "h", "found '40 mn', wanted a time such as '40 min'; nearest valid name: min"),
        ("0.5 mg/kq", "mg/kg", "found '0.5 mg/kq', wanted a dose per body weight such as '0.5 mg/kg'; nearest valid "
         "name: kg"),
        ("10 furlongs", "h", "found '10 furlongs', wanted a time such as '40 min'"),
        ("inf mg", "mg", "found 'inf mg', wanted a finite number: a mass such as '56 mg'"),
        ("-.inf mg", "mg", "found '-.inf mg', wanted a finite number: a mass such as '56 mg'"),
        ("nan h", "h", "found 'nan h', wanted a finite number: a time such as '40 min'"),
        ("1e999 mg", "mg", "found '1e999 mg', wanted a finite number: a mass such as '56 mg'"),
        (math.nan, "1", "found nan, wanted a finite number: a plain number such as 0.5"),
        (math.inf, "1", "found inf, wanted a finite number: a plain number such as 0.5"),
        (True, "1", "found true, wanted a plain number such as 0.5"),
        (None, "h", "found nothing, wanted a time such as '40 min'"),
        ([1], "h", "found a list of 1, wanted a time such as '40 min'"),
        ("soon", "h", "found 'soon', wanted a time such as '40 min'"),
        ("", "h", "found '', wanted a time such as '40 min'"),
        ("5 h h", "h", "found '5 h h', wanted a time such as '40 min'"),
        ("5 h^", "h", "found '5 h^', wanted a time such as '40 min'"),
        ("5 (h)", "h", "found '5 (h)', wanted a time such as '40 min'"),
        ("__import__('os')", "h", "found '__import__('os')', wanted a time such as '40 min'"),
    ],
)  # fmt: skip
def test_a_wrong_number_is_refused_in_one_plain_sentence(
    text: object, unit: str, message: str
) -> None:
    with pytest.raises(QuantityError) as caught:
        parse(text, unit)
    assert str(caught.value) == message


DOSE = ("mg/kg", "mg", "umol/kg", "umol")


@pytest.mark.parametrize("written", [
    "mcg/kg", "mcgs/kg", "mcq/kg", "mgc/kg", "ugs/kg", "uq/kg", "microgrm/kg", "microgramm/kg", "milgram/kg",
    "gamma/kg", "mg/kq", "mg/Kg", "MG/KG", "kgs", "umol/kg", "umoll/kg", "mmol/kg", "mL", "M", "mol", "mon", "gram",
    "micograms", "nanogramme/kg", "mgs", "ngm/kg", "cg", "cq", "pq/kg", "Mq/kg", "kq/kg",
])  # fmt: skip
def test_advice_on_a_unit_never_changes_an_amount_or_what_it_measures(written: str) -> None:
    """What is advised fits the field, and begins with the very prefix that was written."""
    try:
        parse_any(f"500 {written}", DOSE)
    except QuantityError as error:
        advice = error.nearest
    else:
        return
    if advice is None:
        return
    (wrong,) = [part for part in written.split("/") if part not in ("kg", "mg")]
    assert advice not in wrong or advice == wrong[:-1]
    parse_any(f"500 {written.replace(wrong, advice)}", DOSE)
    prefixes = ("micro", "milli", "nano", "kilo", "mc", "u", "m", "n", "k", "c", "d", "p", "M", "")
    prefix = next(p for p in prefixes if advice.startswith(p))
    assert wrong.replace("Kg", "kg").startswith(prefix)


@pytest.mark.parametrize(("one", "other", "amount"), [
    ("mcg", "ug", 1), ("microgram", "ug", 1), ("micrograms", "mg", 0.001), ("milligrams", "mg", 1), ("gram", "mg", 1000),
    ("kilogram", "kg", 1), ("ml", "mL", 1), ("mcl", "uL", 1), ("microliters", "uL", 1), ("micromolar", "uM", 1),
    ("umol", "nmol", 1000), ("micromole", "umol", 1), ("hr", "min", 60), ("mins", "min", 1), ("mg kg-1 h-1", "mg/kg/h", 1),
    ("mcg/kg/min", "mg/kg/h", 0.06), ("millivolts", "mV", 1), ("milliseconds", "s", 0.001),
])  # fmt: skip
def test_units_are_read_as_people_write_them(one: str, other: str, amount: float) -> None:
    assert parse(f"1 {one}", other) == pytest.approx(amount, rel=1e-12)


@pytest.mark.parametrize(("word", "choices", "near"), [
    ("esketamine", ["ketamine"], None), ("norketamine", ["ketamine", "memantine"], None), ("esketamine", ["ketamine", "norketamine"], None),
    ("sketamine", ["ketamine"], None), ("ketamin", ["ketamine"], "ketamine"), ("ketamne", ["ketamine"], "ketamine"),
    ("esketamin", ["ketamine", "esketamine"], "esketamine"), ("rate", ["rate_hz"], None), ("spine", ["spines"], "spines"),
])  # fmt: skip
def test_what_contains_a_name_is_another_thing(
    word: str, choices: list[str], near: str | None
) -> None:
    assert nearest(word, choices) == near


def test_body_weight_is_its_own_dimension_so_a_dose_is_never_a_plain_number() -> None:
    for unit in ("1", "%", "g/mol", "mg", "mg/mL"):
        with pytest.raises(QuantityError):
            parse("0.5 mg/kg", unit)


def test_equal_amounts_in_other_units_are_the_same_float() -> None:
    assert parse("1 mM", "uM") == parse("1000 uM", "uM") == parse("1e6 nM", "uM")
    assert parse("0.3 mg/kg", "mg/kg") == parse("300 ug/kg", "mg/kg")


@given(
    st.floats(min_value=-1e9, max_value=1e9), st.sampled_from(["h", "min", "s", "d", "ms", "wk"])
)
def test_there_and_back_gives_the_number_to_twelve_digits(value: float, unit: str) -> None:
    hours = parse(f"{value!r} {unit}", "h")
    assert parse(f"{hours!r} h", unit) == pytest.approx(value, rel=1e-11, abs=1e-300)


@given(st.floats(allow_nan=False, allow_infinity=False, min_value=-1e300, max_value=1e300))
def test_any_finite_number_is_read_as_python_reads_it(value: float) -> None:
    assert parse(value, "1") == float(f"{value:.12g}")
    assert parse(f"{value!r} mV", "mV") == float(f"{value:.12g}")


def test_a_field_of_several_kinds_says_which_fitted() -> None:
    assert parse_any("0.5 mg/kg", ("mg/kg", "mg")) == (0.5, "mg/kg")
    assert parse_any("56000 ug", ("mg/kg", "mg")) == (56, "mg")
    with pytest.raises(
        QuantityError, match="per body weight such as '0.5 mg/kg' or a mass such as '56 mg'"
    ):
        parse_any("56 mL", ("mg/kg", "mg"))


def test_nearest_ignores_case_and_refuses_what_is_far() -> None:
    assert nearest("KETAMIN", ["ketamine", "nbqx"]) == "ketamine"
    assert nearest("placebo", ["ketamine", "nbqx"]) is None


def test_show_is_short_and_reads_like_the_file() -> None:
    assert [show(x) for x in (None, True, "a", {"b": 1}, [], {}, 3)] == [
        "nothing",
        "true",
        "'a'",
        "a mapping with b",
        "an empty list",
        "an empty mapping",
        "3",
    ]
    assert len(show("x" * 500)) < 70


class Model(Definition):
    """A number of a model and one of an experiment."""

    flow: Annotated[Quantity, In("L/min", minimum=0, maximum=10)]
    dose: Annotated[Quantity, Given("mg/kg", ("mg",), above=0)] | None = None


FLOW = {"value": "1.2 L/min", "source": "zanos2016", "evidence": "memory-high"}


def model(**fields: object) -> Model:
    return build(Document("model.yaml", {"flow": FLOW, **fields}), Model)


def complaints(**fields: object) -> list[str]:
    with pytest.raises(InputError) as caught:
        model(**fields)
    return [str(problem) for problem in caught.value.problems]


def test_a_model_number_keeps_text_source_evidence_note_and_range() -> None:
    flow = model(
        flow={**FLOW, "value": "72 L/h", "note": "pooled", "range": ["60 L/h", "1.5 L/min"]}
    ).flow
    assert flow == Quantity(1.2, "L/min", "72 L/h", "zanos2016", "memory-high", "pooled", (1, 1.5))
    assert float(flow) == 1.2


def test_an_experiment_number_is_bare_text_and_knows_which_unit_fitted() -> None:
    assert model(dose="500 ug/kg").dose == Quantity(0.5, "mg/kg", "500 ug/kg")
    assert model(dose="0.056 g").dose == Quantity(56, "mg", "0.056 g")
    assert model(dose={"value": "1 mg/kg"}).dose == Quantity(1, "mg/kg", "1 mg/kg")


def test_a_model_number_must_say_where_it_comes_from() -> None:
    assert complaints(flow="1.2 L/min") == [
        "model.yaml at flow: found '1.2 L/min', wanted a mapping such as "
        "{value: '1.5 L/min', source: zanos2016, evidence: memory-high}"
    ]
    assert complaints(flow={"value": "1.2 L/min"}) == [
        "model.yaml at flow.source: found nothing, wanted where the number comes from "
        "(a key of references.yaml, or assumed)",
        "model.yaml at flow.evidence: found nothing, wanted where the number comes from (memory-high)",
    ]


@pytest.mark.parametrize("word", ["assumed", "computed", "constructed"])
def test_a_number_nobody_measured_needs_a_note(word: str) -> None:
    assert (
        "flow.note: found nothing, wanted a note saying why"
        in complaints(flow={**FLOW, "evidence": word})[0]
    )
    assert (
        "flow.note: found nothing, wanted a note saying why"
        in complaints(flow={**FLOW, "source": word})[0]
    )
    assert model(flow={**FLOW, "evidence": word, "note": "because"}).flow.note == "because"


def test_all_that_is_wrong_with_one_number_is_said_at_once() -> None:
    wrong = {
        "value": "-1 L/min",
        "source": 3,
        "evidence": "measured",
        "sauce": "x",
        "range": ["2 L/min"],
    }
    said = complaints(flow=wrong, dose="0 mg/kg")
    assert len(said) == 6
    assert "flow.sauce: found an unknown name, wanted one of value, source" in said[0]
    assert said[0].endswith("nearest valid name: source")
    assert (
        "flow.value: found '-1 L/min', wanted a flow such as '1.5 L/min', at least 0 L/min"
        in said[1]
    )
    assert "flow.source: found 3, wanted text" in said[2]
    assert "flow.evidence: found 'measured', wanted one of verified, memory-high" in said[3]
    assert "flow.range: found a list of 1, wanted two numbers, low then high" in said[4]
    assert (
        "dose: found '0 mg/kg', wanted a dose per body weight such as '0.5 mg/kg', above 0 mg/kg"
        in said[5]
    )


@pytest.mark.parametrize(
    "span",
    [
        ["2 L/min", "1 L/min"],
        ["2 L/min", "3 L/min"],
        ["1 mV", "2 L/min"],
        "wide",
        ["0 L/min", "11 L/min"],
    ],
)
def test_a_range_runs_from_low_to_high_around_the_value_within_bounds(span: object) -> None:
    (said,) = complaints(flow={**FLOW, "range": span})
    assert said.startswith("model.yaml at flow.range: found ")


def test_bounds_hold_and_touch_as_written() -> None:
    assert float(model(flow={**FLOW, "value": "0 L/min"}).flow) == 0
    assert float(model(flow={**FLOW, "value": "10 L/min"}).flow) == 10
    assert "at most 10 L/min" in complaints(flow={**FLOW, "value": "10.1 L/min"})[0]

    class Share(Definition):
        x: Annotated[Quantity, Given("1", below=1)]

    with pytest.raises(
        InputError, match="at x: found 1, wanted a plain number such as 0.5, below 1"
    ):
        build(Document("f", {"x": 1}), Share)


def test_evidence_levels_are_those_of_the_evidence_page() -> None:
    assert [level.value for level in Evidence] == [
        "verified",
        "memory-high",
        "memory-medium",
        "memory-low",
        "computed",
        "constructed",
        "assumed",
    ]


def test_quantities_walks_every_number_of_a_model() -> None:
    assert [(path, q.text) for path, q in quantities({"a": [model(dose="1 mg/kg")]})] == [
        ("a.0.flow", "1.2 L/min"),
        ("a.0.dose", "1 mg/kg"),
    ]
