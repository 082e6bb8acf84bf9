"""The synapse: receptors inserted early, held late by protein, scaled towards the healthy rate."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plastogen._base.library import Library
from plastogen.model.plasticity.definition import Plasticity
from plastogen.model.plasticity.synapse import Strength

K = Library().load("plasticity", "all", Plasticity).synapse
STRENGTH = Strength(K)
rate = st.floats(0, 50)


def test_rests_when_healthy() -> None:
    assert STRENGTH.rates(1, 1, 0, 1, 1) == pytest.approx((0, 0))


@given(drive=st.floats(-0.1, 0.9), protein=st.floats(0.5, 2), rate_E=rate)
def test_rests_where_it_says_it_does(drive: float, protein: float, rate_E: float) -> None:
    weight, scaling = STRENGTH.steady(drive, protein, rate_E)
    assert STRENGTH.rates(weight, scaling, drive, protein, rate_E) == pytest.approx(
        (0, 0), abs=1e-12
    )


def test_trkb_inserts_receptors_until_the_slots_are_full() -> None:
    early = STRENGTH.rates(1, 1, 0.5, 1, 1)[0]
    assert early == pytest.approx(float(K.insertion) * 0.5 * (float(K.ceiling) - 1))
    assert 0.03 < early < 0.2  # felt within an hour
    assert STRENGTH.rates(float(K.ceiling), 1, 0.9, 1, 1)[0] < 0
    assert 1 < STRENGTH.steady(0.9, 1, 1)[0] < float(K.ceiling)


def test_the_early_part_decays_and_new_protein_holds_the_late_part() -> None:
    assert STRENGTH.rates(1.1, 1, 0, 1, 1)[0] == pytest.approx(-0.1 / float(K.early_time))
    held = 1 + float(K.late_gain) * 0.5
    assert STRENGTH.rates(held, 1, 0, 1.5, 1)[0] == pytest.approx(0)
    assert STRENGTH.steady(0, 1.5, 1)[0] == pytest.approx(held)


@given(rate_E=rate)
def test_scaling_opposes_the_rate_and_stays_in_its_range(rate_E: float) -> None:
    span = float(K.scaling_range)
    target = STRENGTH.target(rate_E)
    assert 1 - span <= target <= 1 + span
    assert (target - 1) * (rate_E - 1) <= 0


def test_scaling_has_the_healthy_set_point_and_its_time() -> None:
    assert STRENGTH.target(1) == 1
    assert STRENGTH.target(0) == 1 + float(K.scaling_range)
    slope = float(K.scaling_range) * float(K.scaling_steepness) / 2
    assert STRENGTH.target(1.01) == pytest.approx(1 - 0.01 * slope, abs=1e-4)
    assert STRENGTH.rates(1.1, 1.2, 0, 1, 1)[1] == pytest.approx(-0.2 / float(K.scaling_time))
