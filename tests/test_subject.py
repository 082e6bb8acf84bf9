"""Who is treated: what makes a subject differ from the healthy adult, where their course begins,
how people vary.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from courses import KETAMINE, plan
from scipy import stats

from plastogen._base.definition import build
from plastogen._base.document import Document
from plastogen._base.library import Library
from plastogen._base.quantity import Quantity
from plastogen.errors import InputError, QuantityError
from plastogen.model.pharmacology.subject import Subject, Varied, shares
from plastogen.runs.identity import run_id
from plastogen.simulation.adaptive import simulate

LIBRARY = Library()
ADULT = LIBRARY.load("subjects", "healthy_adult", Subject)
SST = {"GluN2A": 0.15, "GluN2B": 0.5, "GluN2C": 0.175, "GluN2D": 0.175}


def subject(**numbers: float) -> Subject:
    return LIBRARY.load("subjects", "healthy_adult", Subject, overrides=dict(numbers))


def test_shares_make_room_in_proportion_and_add_up() -> None:
    mixed = subject(glun2b=1.2).mix(SST)
    assert sum(mixed.values()) == pytest.approx(1)
    assert mixed["GluN2B"] == pytest.approx(0.6)
    assert mixed["GluN2A"] / mixed["GluN2C"] == pytest.approx(SST["GluN2A"] / SST["GluN2C"])
    assert tuple(mixed) == tuple(SST)


@pytest.mark.parametrize(
    ("factor", "shares", "wanted"),
    [
        (1.0, SST, SST),
        (3.0, SST, {"GluN2A": 0, "GluN2B": 1, "GluN2C": 0, "GluN2D": 0}),
        (0.5, {"GluN2B": 1.0}, {"GluN2B": 1.0}),
        (0.5, {"GluN2A": 1.0}, {"GluN2A": 1.0}),
    ],
    ids=["healthy", "no more than all", "nothing to make room", "no GluN2B"],
)
def test_the_mix_at_its_edges(
    factor: float, shares: dict[str, float], wanted: dict[str, float]
) -> None:
    assert subject(glun2b=factor).mix(shares) == pytest.approx(wanted)


@pytest.mark.parametrize("name", ["inhibition", "glun2b"])
def test_a_factor_is_positive(name: str) -> None:
    tree = {"title": "T", "species": "human", "weight": {"value": "70 kg", "source": "a", "evidence": "verified"},
            "stress": {"value": 0, "source": "a", "evidence": "verified"}, name: 0}  # fmt: skip
    with pytest.raises(InputError, match=rf"{name}: found 0.*above 0"):
        build(Document("s.yaml", tree), Subject)


def test_the_healthy_are_at_their_set_points_and_others_are_not() -> None:
    assert ADULT.at_set_points
    assert subject(glun2b=0.8).at_set_points  # receptors without a drug: nothing to differ in
    assert not subject(inhibition=0.95).at_set_points
    assert not LIBRARY.load("subjects", "stressed_adult", Subject).at_set_points


@pytest.mark.parametrize("inhibition", [0.9, 1.1])
def test_an_untreated_course_stays_flat_whatever_the_inhibition(inhibition: float) -> None:
    course = simulate(replace(plan(hours=200), subject=subject(inhibition=inhibition)))
    for name in ("weight", "spine_density", "rate_hz"):
        np.testing.assert_allclose(
            course.arrays[name], course.arrays[name][:1].repeat(len(course.t_h), 0), rtol=0.01
        )
    rate = course.arrays["rate_hz"][0, 0] / simulate(plan(hours=1)).arrays["rate_hz"][0, 0]
    assert (rate > 1.01) if inhibition < 1 else (rate < 0.99)


def test_the_mix_changes_what_ketamine_blocks() -> None:
    few, many = (
        simulate(replace(plan(KETAMINE, hours=2), subject=subject(glun2b=f))) for f in (0.5, 1.5)
    )
    pools = list(few.pools)
    peak = [c.arrays["block"].max(0) for c in (few, many)]
    assert (
        peak[0][pools.index("SST.synaptic")] > 1.1 * peak[1][pools.index("SST.synaptic")]
    )  # GluN2C and 2D give way


# how people vary

SHARES = np.linspace(0.01, 0.99, 25)
LITRES = Quantity(1.3, "L/min", "1.3 L/min", range=(0.9, 2.1))
SHARE = Quantity(0.6, "1", "0.6")


def varied(distribution: str, cv: float | None = None) -> Varied:
    number = {} if cv is None else {"cv": {"value": cv, "source": "a", "evidence": "verified"}}
    return build(Document("v.yaml", {"distribution": distribution, **number}), Varied)


@pytest.mark.parametrize(
    ("distribution", "cv", "number", "oracle"),
    [
        ("normal", 0.2, LITRES, stats.norm(1.3, 0.26)),
        ("lognormal", 0.4, LITRES, stats.lognorm(np.sqrt(np.log(1 + 0.4**2)), scale=1.3)),
        ("uniform", None, LITRES, stats.uniform(0.9, 1.2)),
        ("loguniform", None, LITRES, stats.loguniform(0.9, 2.1)),
        (
            "beta",
            0.3,
            SHARE,
            stats.beta(0.6 * (0.4 / (0.6 * 0.09) - 1), 0.4 * (0.4 / (0.6 * 0.09) - 1)),
        ),
    ],
)
def test_a_distribution_is_the_one_it_says(
    distribution: str, cv: float | None, number: Quantity, oracle: object
) -> None:
    np.testing.assert_allclose(varied(distribution, cv).at(SHARES, number), oracle.ppf(SHARES))  # type: ignore[attr-defined]
    if cv is not None:
        assert oracle.std() / oracle.mean() == pytest.approx(cv)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("distribution", "cv", "number", "message"),
    [
        ("uniform", None, SHARE, "a range:, for uniform"),
        ("loguniform", None, Quantity(0.5, "1", "0.5", range=(0, 1)), "a range above 0"),
        ("beta", 0.1, LITRES, "a mean between 0 and 1"),
        ("beta", 0.9, SHARE, "a cv below 0.816"),
    ],
)
def test_a_number_that_allows_no_such_distribution_is_told(
    distribution: str, cv: float | None, number: Quantity, message: str
) -> None:
    with pytest.raises(QuantityError) as error:
        varied(distribution, cv).at(SHARES, number)
    assert message in error.value.wanted


@pytest.mark.parametrize(("distribution", "cv"), [("lognormal", None), ("uniform", 0.2)])
def test_a_spread_is_said_once(distribution: str, cv: float | None) -> None:
    with pytest.raises(InputError, match="cv"):
        varied(distribution, cv)


def test_a_subject_stays_the_same_whoever_else_there_is() -> None:
    few, many = shares("subject.weight", 5, seed=1), shares("subject.weight", 200, seed=1)
    np.testing.assert_array_equal(few, many[:5])
    assert not np.array_equal(many, shares("subject.weight", 200, seed=2))
    other = shares("subject.stress", 200, seed=1)
    assert abs(stats.spearmanr(many, other).statistic) < 0.2
    assert stats.kstest(many, "uniform").pvalue > 0.01


def test_how_people_vary_names_no_run() -> None:
    here = plan(KETAMINE, subject="healthy_adult")
    there = replace(
        here,
        subject=here.subject.model_copy(
            update={"varies": {"subject.weight": varied("lognormal", 0.2)}}
        ),
    )
    assert run_id(here) == run_id(there)
    assert run_id(here) != run_id(replace(here, subject=subject(inhibition=0.9)))
