"""What a treatment gives, when and how much; and what cannot be given."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plastogen._base.definition import build
from plastogen._base.document import read_text
from plastogen.errors import InputError
from plastogen.model.pharmacology.regimen import Hold, Input, Treatment, holds, inputs

MOLAR_MASS = 237.73


def treatment(text: str) -> Treatment:
    return build(read_text(text, "treatment"), Treatment)


def test_an_infusion_per_body_weight() -> None:
    given = treatment("{drug: ketamine, dose: 0.5 mg/kg, route: iv, over: 40 min, at: -30 min}")
    assert inputs(given, 70, MOLAR_MASS) == (Input("iv", -0.5, pytest.approx(40 / 60), 35.0),)
    assert holds(given) == ()


def test_an_absolute_dose_ignores_body_weight() -> None:
    given = treatment("{drug: ketamine, dose: 56 mg, route: intranasal}")
    assert (
        inputs(given, 50, MOLAR_MASS)
        == inputs(given, 100, MOLAR_MASS)
        == (Input("intranasal", 0.0, 0.0, 56.0),)
    )


def test_a_course_repeats_and_escalates() -> None:
    given = treatment(
        "{drug: k, dose: 1 mg, route: iv, at: 2 h, every: 3 d, times: 3, escalate: 1.5}"
    )
    assert inputs(given, 70, MOLAR_MASS) == (
        Input("iv", 2.0, 0.0, 1.0),
        Input("iv", 74.0, 0.0, 1.5),
        Input("iv", 146.0, 0.0, 2.25),
    )


def test_a_held_occupancy_and_a_held_concentration() -> None:
    blocker = treatment("{drug: nbqx, occupancy: 0.9, at: -30 min, for: 4 h}")
    assert holds(blocker) == (Hold(-0.5, 3.5, 0.9),)
    assert inputs(blocker, 70, MOLAR_MASS) == ()
    bath = treatment("{drug: ketamine, brain: 1000 nM, for: 1 h, every: 1 h, times: 2}")
    assert holds(bath) == (Hold(0.0, 1.0, 1.0), Hold(1.0, 2.0, 1.0))


@given(
    times=st.integers(2, 20),
    escalate=st.floats(0.5, 2),
    dose=st.floats(0.01, 100),
    weight=st.floats(0.02, 120),
)
def test_repeats_form_a_geometric_series(
    times: int, escalate: float, dose: float, weight: float
) -> None:
    given = Treatment.model_validate(
        {
            "drug": "k",
            "dose": f"{dose} mg/kg",
            "route": "iv",
            "every": "1 d",
            "times": times,
            "escalate": escalate,
        }
    )
    doses = inputs(given, weight, MOLAR_MASS)
    assert [d.start_h for d in doses] == pytest.approx([24 * i for i in range(times)])
    assert doses[0].amount_mg == pytest.approx(dose * weight)
    ratios = [late.amount_mg / early.amount_mg for early, late in pairwise(doses)]
    assert ratios == pytest.approx([escalate] * (times - 1))


@pytest.mark.parametrize(
    ("text", "path", "said"),
    [
        ("{drug: k}", "", "none of dose, occupancy, brain"),
        ("{drug: k, dose: 1 mg, occupancy: 0.5, route: iv, for: 1 h}", "", "dose and occupancy"),
        ("{drug: k, occupancy: 0.5, brain: 1 uM, for: 1 h}", "", "occupancy and brain"),
        ("{drug: k, dose: 1 mg}", "route", "the route"),
        ("{drug: k, dose: 1 mg, route: iv, for: 1 h}", "for", "`over`"),
        ("{drug: k, occupancy: 0.5}", "for", "how long the occupancy is held"),
        ("{drug: k, occupancy: 0.5, for: 1 h, route: iv}", "route", "only beside a dose"),
        ("{drug: k, brain: 1 uM, for: 1 h, over: 1 h}", "over", "only beside a dose"),
        (
            "{drug: k, brain: 1 uM, for: 2 h, every: 3 h, times: 2, escalate: 2}",
            "escalate",
            "only beside a dose",
        ),
        ("{drug: k, dose: 1 mg, route: iv, every: 1 d}", "times", "2 or more"),
        ("{drug: k, dose: 1 mg, route: iv, every: 1 d, times: 1}", "times", "found 1"),
        ("{drug: k, dose: 1 mg, route: iv, times: 3}", "every", "the time between 3 times"),
        ("{drug: k, dose: 1 mg, route: iv, times: 0}", "times", "at least 1"),
        ("{drug: k, dose: 1 mg, route: iv, escalate: 1.5}", "escalate", "without repeats"),
        (
            "{drug: k, dose: 1 mg, route: iv, over: 2 h, every: 1 h, times: 3}",
            "every",
            "must not overlap",
        ),
        (
            "{drug: k, brain: 1 uM, for: 2 h, every: 1 h, times: 3}",
            "every",
            "no shorter than `for`",
        ),
        ("{drug: k, dose: 1 mg, route: iv, over: 0 min}", "over", "at least 0.0001 h"),
        ("{drug: k, occupancy: 0.5, for: 0 h}", "for", "at least 0.0001 h"),
        ("{drug: k, dose: -1 mg, route: iv}", "dose", "at least 0"),
        ("{drug: k, dose: .nan, route: iv}", "dose", "finite"),
        ("{drug: k, dose: 0.5, route: iv}", "dose", "without a unit"),
        ("{drug: k, dose: 0.5 mg/L, route: iv}", "dose", "a dose per body weight"),
        ("{drug: k, occupancy: 1.2, for: 1 h}", "occupancy", "at most 1"),
        ("{drug: k, brain: -1 uM, for: 1 h}", "brain", "at least 0"),
        ("{drug: k, dose: 0.5 mg/kg/h, route: iv}", "over", "how long 0.5 mg/kg/h goes in"),
        ("{drug: k, occupancy: 0.5, for: 1 h, confirm: true}", "confirm", "only beside a dose"),
        ("{drug: k, dose: 1 mg, route: iv, confirm: sure}", "confirm", "true or false"),
        ("{drug: k, dose: 1 mg, rout: iv}", "rout", "nearest valid name: route"),
    ],
)
def test_what_cannot_be_given(text: str, path: str, said: str) -> None:
    with pytest.raises(InputError) as caught:
        treatment(text)
    assert path in [problem.path for problem in caught.value.problems]
    assert said in str(caught.value)


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(InputError) as caught:
        treatment("{drug: k, brain: 1 uM, route: iv, over: 1 h, times: 2}")
    assert {problem.path for problem in caught.value.problems} == {"for", "route", "over", "every"}


@pytest.mark.parametrize(
    ("dose", "mg"),
    [
        ("500 mcg/kg", 35.0),
        ("500 micrograms/kg", 35.0),
        ("0.75 mg/kg/h", 35.0),
        ("12.5 mcg/kg/min", 35.0),
        ("52.5 mg/h", 35.0),
        ("2 umol/kg", 2 * 70 * MOLAR_MASS / 1000),
        ("140 umol", 140 * MOLAR_MASS / 1000),
        ("0.14 mmol", 140 * MOLAR_MASS / 1000),
        ("3 umol/kg/h", 2 * 70 * MOLAR_MASS / 1000),
    ],
)
def test_a_dose_is_one_mass_however_it_is_written(dose: str, mg: float) -> None:
    given = treatment(f"{{drug: k, dose: {dose}, route: iv, over: 40 min}}")
    (one,) = inputs(given, 70, MOLAR_MASS)
    assert one.amount_mg == pytest.approx(mg, rel=1e-11)


def test_repeats_may_touch() -> None:
    treatment("{drug: k, dose: 1 mg, route: iv, over: 1 h, every: 1 h, times: 3}")
    treatment("{drug: k, occupancy: 0.5, for: 1 h, every: 1 h, times: 3}")
