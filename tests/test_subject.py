"""Who is treated: what makes a subject differ from the healthy adult, and where their course begins."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from courses import KETAMINE, plan

from plastogen.course import follow
from plastogen.definition import Document, InputError, Library, build
from plastogen.subject import Subject

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
def test_the_mix_at_its_edges(factor: float, shares: dict[str, float], wanted: dict[str, float]) -> None:
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
    course = follow(replace(plan(hours=200), subject=subject(inhibition=inhibition)))
    for name in ("weight", "spine_density", "rate_hz"):
        np.testing.assert_allclose(course.arrays[name], course.arrays[name][:1].repeat(len(course.t_h), 0), rtol=0.01)
    rate = course.arrays["rate_hz"][0, 0] / follow(plan(hours=1)).arrays["rate_hz"][0, 0]
    assert (rate > 1.01) if inhibition < 1 else (rate < 0.99)


def test_the_mix_changes_what_ketamine_blocks() -> None:
    few, many = (follow(replace(plan(KETAMINE, hours=2), subject=subject(glun2b=f))) for f in (0.5, 1.5))
    pools = list(few.pools)
    peak = [c.arrays["block"].max(0) for c in (few, many)]
    assert peak[0][pools.index("SST.synaptic")] > 1.1 * peak[1][pools.index("SST.synaptic")]  # GluN2C and 2D give way
