"""Spines: turnover of the adult (row 40), loss in stress (row 34), growth from captured protein, and
the delay.
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
NAMES = ("commit_1", "commit_2", "transient", "persistent")
HEALTHY = dict(zip(NAMES, (0.0, 0.0, SPINES.transient, SPINES.persistent), strict=True))
share = st.floats(0, 1)


def rates(
    *, captured: float = 0, tone: float = 0, stress: float = 0, **state: float
) -> dict[str, float]:
    """Rates of the healthy state, but for what is named."""
    found = SPINES.rates(**{**HEALTHY, **state}, captured=captured, tone=tone, stress=stress)
    return dict(zip(NAMES, found, strict=True))


def simulate(
    spines: Spines, days: float, *, stress: float = 0, pulse_h: float = 0, captured: float = 0
) -> Any:
    """(commit_1, commit_2, transient, persistent) by hour, from the healthy state."""

    def fun(t: float, y: Any) -> Any:
        return spines.rates(*y, captured=captured * (t < pulse_h), tone=0, stress=stress)

    t = np.arange(0, days * H_PER_DAY + 1)
    start = (0, 0, spines.transient, spines.persistent)
    return solve_ivp(fun, (0, t[-1]), start, t_eval=t, rtol=1e-8, atol=1e-10, max_step=1).y


def test_rests_when_healthy() -> None:
    assert SPINES.transient + SPINES.persistent == pytest.approx(1)
    assert rates() == pytest.approx(dict.fromkeys(NAMES, 0), abs=1e-16)


@given(tone=st.floats(0, 5), stress=share)
def test_rests_where_it_says_it_does(tone: float, stress: float) -> None:
    rest = dict(zip(NAMES, SPINES.steady(tone, stress), strict=True))
    now = rates(tone=tone, stress=stress, **rest)
    assert now == pytest.approx(dict.fromkeys(NAMES, 0), abs=1e-12)
    assert rest["transient"] >= 0
    assert SPINES.lasting(stress) <= rest["persistent"] + 1e-12
    assert rest["persistent"] <= SPINES.sites


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
        return [rates(persistent=float(y[0]))["persistent"]]

    back = solve_ivp(fun, (0, 10 * 24), [lost], rtol=1e-9).y[0, -1]
    assert 0.5 < (back - lost) / (SPINES.persistent - lost) < 0.9


class TestGrowth:
    def test_adds_to_the_rescue_on_the_sites_that_can_be_restored(self) -> None:
        stressed = SPINES.steady(0, 1)[3]
        grown = rates(commit_2=0.5, persistent=stressed, stress=1)["persistent"]
        vacant = SPINES.sites - stressed
        wanted = 0.5 * float(K.growth) * float(K.restorable) * vacant
        assert grown == pytest.approx(wanted)
        assert rates(persistent=stressed, stress=1)["persistent"] == pytest.approx(0, abs=1e-15)

    @given(commit=share, stress=share)
    def test_ends_where_all_that_can_be_restored_stands(self, commit: float, stress: float) -> None:
        lasting = SPINES.lasting(stress)
        restored = lasting + float(K.restorable) * (SPINES.sites - lasting)
        for persistent in (restored, restored + 1e-3):
            with_, without = (
                rates(commit_2=c, persistent=persistent, stress=stress)["persistent"]
                for c in (commit, 0)
            )
            assert with_ == pytest.approx(without, abs=1e-15)

    def test_saturates_in_the_healthy(self) -> None:
        stressed = SPINES.steady(0, 1)[3]
        in_stress = rates(commit_2=1, persistent=stressed, stress=1)["persistent"]
        assert 0 < rates(commit_2=1)["persistent"] < in_stress / 20

    def test_serotonergic_tone_is_captured_protein_in_small(self) -> None:
        gain = float(K.tone_gain)
        assert rates(tone=0.5)["commit_1"] == pytest.approx(rates(captured=0.5 * gain)["commit_1"])
        assert SPINES.steady(0.8, 1)[3] > SPINES.steady(0, 1)[3]

    def test_raises_formation_and_leaves_elimination_alone(self) -> None:
        born = SPINES.transient / (float(K.transient_lifetime) * 24)
        more = rates(commit_2=0.4)["transient"] - rates()["transient"]
        assert more == pytest.approx(born * float(K.formation_gain) * 0.4)
        t, p = SPINES.transient, SPINES.persistent
        lost = SPINES.lost(t, p, 0.3)
        formed = SPINES.formed(0.4, p, 0.3)
        now = rates(commit_2=0.4, stress=0.3)
        assert now["transient"] == pytest.approx(formed[0] - lost[0])
        assert now["persistent"] == pytest.approx(formed[1] - lost[1])


@pytest.mark.parametrize("delay_h", [12, 72])
def test_spines_follow_captured_protein_by_the_delay(delay_h: float) -> None:
    spines = Spines(section(delay=f"{delay_h} h"))
    commit = simulate(spines, 25, pulse_h=1, captured=1)[1]
    t = np.arange(len(commit))
    mean = (commit * t).sum() / commit.sum()
    assert mean == pytest.approx(delay_h + 0.5, rel=0.01)
    assert commit.sum() == pytest.approx(1, rel=0.02)  # the delay moves material, it makes none
