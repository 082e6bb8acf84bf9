"""Spines: turnover of the adult (row 40), loss in stress (row 34), rescue of what was lost, the
delay.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from plastogen._base.library import Library
from plastogen.errors import InputError
from plastogen.model.plasticity.definition import Plasticity
from plastogen.model.plasticity.spine import H_PER_DAY, Spine, Spines


def section(**overrides: Any) -> Spine:
    at = {
        f"spine.{name}": {
            "value": value,
            "source": "assumed",
            "evidence": "assumed",
            "note": "test",
        }
        for name, value in overrides.items()
    }
    return Library().load("plasticity", "all", Plasticity, overrides=at).spine


K = section()
SPINES = Spines(K)


def simulate(
    spines: Spines, days: float, *, stress: float = 0, pulse_h: float = 0, translation: float = 1
) -> Any:
    """(commit_1, commit_2, transient, persistent) by hour, from the healthy state."""

    def fun(t: float, y: Any) -> Any:
        return spines.rates(*y, translation if t < pulse_h else 1.0, stress)

    t = np.arange(0, days * H_PER_DAY + 1)
    start = (1, 1, spines.transient, spines.persistent)
    return solve_ivp(fun, (0, t[-1]), start, t_eval=t, rtol=1e-8, atol=1e-10, max_step=1).y


def test_rests_when_healthy() -> None:
    assert SPINES.transient + SPINES.persistent == pytest.approx(1)
    assert SPINES.rates(1, 1, SPINES.transient, SPINES.persistent, 1, 0) == pytest.approx(
        [0] * 4, abs=1e-16
    )


@given(translation=st.floats(0, 50), stress=st.floats(0, 1))
def test_rests_where_it_says_it_does(translation: float, stress: float) -> None:
    transient, persistent = SPINES.steady(translation, stress)
    now = SPINES.rates(translation, translation, transient, persistent, translation, stress)
    assert now == pytest.approx([0] * 4, abs=1e-12)
    assert transient >= 0
    assert 0 <= persistent <= SPINES.sites


def test_row_40_a_cohort_of_adult_spines_loses_three_to_five_percent_in_two_weeks() -> None:
    days = 14
    hazard_transient, hazard_persistent = 1 / float(K.transient_lifetime), float(K.persistent_loss)
    left = SPINES.transient * np.exp(-hazard_transient * days)
    left += SPINES.persistent * np.exp(-hazard_persistent * days)
    assert 1 - left == pytest.approx(float(K.turnover))
    assert 0.03 <= 1 - left <= 0.05


def test_the_transient_share_is_derived_and_small() -> None:
    assert 0.02 < SPINES.transient < 0.05
    assert Spines(section(turnover=0.03)).transient < SPINES.transient


@pytest.mark.parametrize("turnover", [0.001, 0.999])
def test_a_turnover_that_no_share_explains_is_refused(turnover: float) -> None:
    with pytest.raises(InputError, match=r"spine\.turnover.*between the losses"):
        section(turnover=turnover)


def test_row_34_three_weeks_of_stress_cost_fifteen_to_twenty_five_percent() -> None:
    density = simulate(SPINES, 21, stress=1)[2:].sum(0)
    assert 0.75 < density[-1] < 0.85
    assert density[7 * 24] > density[14 * 24] > density[-1]
    mild = simulate(SPINES, 21, stress=0.5)[2:].sum(0)
    assert density[-1] < mild[-1] < 1


def test_lost_spines_come_back_over_one_to_two_weeks_without_stress() -> None:
    lost = SPINES.persistent * 0.8

    def fun(t: float, y: Any) -> Any:
        return SPINES.rates(1, 1, SPINES.transient, *y, 1, 0)[3:]

    back = solve_ivp(fun, (0, 10 * 24), [lost], rtol=1e-9).y[0, -1]
    assert 0.5 < (back - lost) / (SPINES.persistent - lost) < 0.9


def test_rescue_refills_vacant_sites_and_saturates_in_the_healthy() -> None:
    stressed = SPINES.steady(1, 1)[1]
    in_stress = SPINES.rates(1, 10, SPINES.transient, stressed, 1, 1)[3]
    in_health = SPINES.rates(1, 10, SPINES.transient, SPINES.persistent, 1, 0)[3]
    vacant = SPINES.sites - stressed
    assert in_stress == pytest.approx(9 * float(K.rescue) / 24 * vacant)
    assert in_health < in_stress / 20
    assert (
        SPINES.rates(1, 0, SPINES.transient, stressed, 1, 0)[3] < 0
    )  # nothing matures, nothing is rescued


def test_new_material_raises_formation_and_leaves_elimination_alone() -> None:
    before = SPINES.rates(1, 1, SPINES.transient, SPINES.persistent, 1, 0)[2]
    after = SPINES.rates(1, 11, SPINES.transient, SPINES.persistent, 1, 0)[2]
    born = SPINES.transient / (float(K.transient_lifetime) * 24)
    assert after - before == pytest.approx(born * float(K.formation_gain) * 10)


@pytest.mark.parametrize("delay_h", [12, 72])
def test_spines_follow_new_protein_by_the_delay(delay_h: float) -> None:
    spines = Spines(section(delay=f"{delay_h} h"))
    commit = simulate(spines, 25, pulse_h=1, translation=100)[1] - 1
    t = np.arange(len(commit))
    mean = (commit * t).sum() / commit.sum()
    assert mean == pytest.approx(delay_h + 0.5, rel=0.01)
    assert commit.sum() == pytest.approx(99, rel=0.02)  # the delay moves material, it makes none
