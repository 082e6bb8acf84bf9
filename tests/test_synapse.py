"""The synapse: tagged by a push, held by protein that tagged synapses capture, scaled towards the
healthy rate.
"""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plastogen._base.library import Library
from plastogen.model.plasticity.definition import Plasticity
from plastogen.model.plasticity.signalling import Inputs
from plastogen.model.plasticity.synapse import Strength

ALL = Library().load("plasticity", "all", Plasticity)
K, STEEPNESS = ALL.synapse, float(ALL.signalling.steepness)
STRENGTH = Strength(K, STEEPNESS)
NAMES = ("accustomed", "tag", "weight", "scaling", "inhibitory_weight")
HEALTHY = dict.fromkeys(NAMES, 1.0) | {"tag": 0.0}
rate = st.floats(0, 50)
share = st.floats(0, 1)
balance = st.floats(0, 3)


def rates(*, captured: float = 0, told: Inputs | None = None, **state: float) -> dict[str, float]:
    found = STRENGTH.rates(**{**HEALTHY, **state}, captured=captured, inputs=told or Inputs())
    return dict(zip(NAMES, found, strict=True))


def test_rests_when_healthy() -> None:
    assert rates() == dict.fromkeys(NAMES, 0)


@given(balance=balance, above=st.floats(0, 5), rate_E=rate, free=share)
def test_rests_where_it_says_it_does(
    balance: float, above: float, rate_E: float, free: float
) -> None:
    told = Inputs(balance=balance, above_threshold=above, rate_E=rate_E)
    rest = dict(zip(NAMES, STRENGTH.steady(told), strict=True))
    captured = STRENGTH.captured(rest["tag"], free)
    assert captured == 0  # a lasting balance tags nothing, whatever protein there is
    now = rates(captured=captured, told=told, **rest)
    assert now == pytest.approx(dict.fromkeys(NAMES, 0), abs=1e-12)


@given(push=st.floats(-0.5, 0.5))
def test_a_push_tags_within_an_hour_or_two_and_synapses_get_used_to_it_within_a_day(
    push: float,
) -> None:
    now = rates(told=Inputs(balance=1 + push))
    heard = push / (1 + float(K.quiet))
    assert now["tag"] == pytest.approx(heard / float(K.tag_time))
    assert now["accustomed"] == pytest.approx(heard / float(K.accustomed_time))
    assert abs(now["tag"]) >= 4 * abs(now["accustomed"])
    tagged = rates(told=Inputs(balance=1 + push), tag=heard)
    assert tagged["tag"] == pytest.approx(0, abs=1e-15)
    assert rates(tag=push)["tag"] == pytest.approx(-push / float(K.tag_time))


@given(usual=balance, push=st.floats(-0.5, 0.5))
def test_only_what_differs_from_the_accustomed_balance_tags(usual: float, push: float) -> None:
    now = rates(told=Inputs(balance=usual + push), accustomed=usual)["tag"]
    assert now == pytest.approx(rates(told=Inputs(balance=1 + push))["tag"], abs=1e-12)


@given(push=st.floats(-0.5, 0.5), above=st.floats(0.05, 1))
def test_synapses_get_used_to_a_push_as_fast_as_calcium_moves_them(
    push: float, above: float
) -> None:
    """What a suppressor silences does not get used to silence; no circuit gets used to anything
    faster than the healthy one.
    """
    now = rates(told=Inputs(balance=1 + push, above_threshold=above))
    heard = push * above / (above + float(K.quiet))
    assert now["accustomed"] == pytest.approx(above * heard / float(K.accustomed_time))
    busy = rates(told=Inputs(balance=1 + push, above_threshold=1 / above))
    assert abs(busy["accustomed"]) <= abs(push) / float(K.accustomed_time)


def test_a_circuit_without_calcium_above_a_threshold_moves_no_synapse() -> None:
    silent = rates(told=Inputs(balance=0.2, above_threshold=0))
    assert silent["tag"] == silent["accustomed"] == silent["weight"] == 0
    half = rates(told=Inputs(balance=0.2, above_threshold=float(K.quiet)))["tag"]
    assert half == pytest.approx(0.5 * -0.8 / float(K.tag_time))


class TestCapture:
    @given(tag=st.floats(-1, 0), free=share)
    def test_nothing_is_captured_without_a_tag(self, tag: float, free: float) -> None:
        assert STRENGTH.captured(tag, free) == 0

    @given(tag=st.floats(-1, 3))
    def test_nothing_is_captured_without_protein(self, tag: float) -> None:
        assert STRENGTH.captured(tag, 0) == 0

    @given(tag=st.floats(0, 3), free=share)
    def test_what_is_captured_rises_with_both_and_is_less_than_there_is(
        self, tag: float, free: float
    ) -> None:
        now = STRENGTH.captured(tag, free)
        assert 0 <= now <= free
        assert STRENGTH.captured(tag, free / 2) == pytest.approx(now / 2)
        assert STRENGTH.captured(tag + 0.01, free) >= now

    def test_half_is_captured_at_its_half_and_next_to_nothing_by_a_little_tag(self) -> None:
        """A little protein that is always there is not to run away with synapses."""
        half = float(K.tag_half)
        assert STRENGTH.captured(half, 0.6) == pytest.approx(0.3)
        assert STRENGTH.captured(half / 10, 0.6) == pytest.approx(0.6 / 101)


class TestWeight:
    def test_captured_protein_makes_it_and_it_fades_without(self) -> None:
        assert rates(captured=0.5)["weight"] == pytest.approx(0.5 * float(K.capture))
        assert rates(weight=1.05)["weight"] == pytest.approx(-0.05 / float(K.late_time))
        assert rates(tag=1)["weight"] == 0  # a tag alone moves no weight

    def test_slots_are_few(self) -> None:
        full = 1 + float(K.slots)
        fades = -float(K.slots) / float(K.late_time)
        assert rates(captured=1, weight=full)["weight"] == pytest.approx(fades)
        assert rates(captured=1, weight=full + 0.1)["weight"] < 0
        half = rates(captured=1, weight=1 + float(K.slots) / 2)["weight"]
        assert half == pytest.approx(float(K.capture) / 2 + fades / 2)

    @given(captured=share, weight=st.floats(0, 1))
    def test_nothing_lowers_it_below_the_healthy(self, captured: float, weight: float) -> None:
        assert rates(captured=captured, weight=weight)["weight"] >= 0


def scaled(rate_E: float) -> float:
    return STRENGTH.at_rate(rate_E)[0]


def inhibited(rate_E: float) -> float:
    return STRENGTH.at_rate(rate_E)[1]


class TestScaling:
    @given(rate_E=rate)
    def test_opposes_the_rate_and_stays_in_its_range(self, rate_E: float) -> None:
        span = float(K.scaling_range)
        target = scaled(rate_E)
        assert 1 - span <= target <= 1 + span
        assert (target - 1) * (rate_E - 1) <= 0

    def test_has_the_healthy_set_point_and_its_time(self) -> None:
        assert scaled(1) == 1
        assert scaled(0) == 1 + float(K.scaling_range)
        slope = float(K.scaling_range) * float(K.scaling_steepness) / 2
        assert scaled(1.01) == pytest.approx(1 - 0.01 * slope, abs=1e-4)
        assert rates(scaling=1.2)["scaling"] == pytest.approx(-0.2 / float(K.scaling_time))

    @pytest.mark.parametrize("hours", [1, 4, 8])
    def test_hardly_moves_while_a_suppressor_lasts(self, hours: float) -> None:
        """So its end is no surge: a whole working day of silence adds less than a fortieth."""
        silent = rates(told=Inputs(rate_E=0))["scaling"]
        risen = silent * float(K.scaling_time) * -math.expm1(-hours / float(K.scaling_time))
        assert 0 < risen < float(K.scaling_range) * hours / 100


class TestInhibition:
    @given(rate_E=rate)
    def test_follows_the_rate_and_stays_in_its_range(self, rate_E: float) -> None:
        span = float(K.inhibition_range)
        assert 1 - span <= inhibited(rate_E) <= 1 + span
        assert (inhibited(rate_E) - 1) * (rate_E - 1) >= 0

    def test_has_the_healthy_set_point_and_its_time(self) -> None:
        assert inhibited(1) == 1
        slope = float(K.inhibition_range) * float(K.inhibition_steepness) / 2
        assert inhibited(1.001) == pytest.approx(1 + 0.001 * slope, abs=1e-5)
        assert rates(inhibitory_weight=1.2)["inhibitory_weight"] == pytest.approx(
            -0.2 / float(K.inhibition_time)
        )

    @given(rate_E=rate, rate_I=st.floats(0, 5), inhibition=st.floats(0.5, 1.5))
    def test_changes_only_as_fast_as_its_synapses_are_used(
        self, rate_E: float, rate_I: float, inhibition: float
    ) -> None:
        used = rates(told=Inputs(rate_E=rate_E, rate_I=rate_I), inhibitory_weight=inhibition)[
            "inhibitory_weight"
        ]
        usual = rates(told=Inputs(rate_E=rate_E), inhibitory_weight=inhibition)["inhibitory_weight"]
        assert used == pytest.approx(rate_I * usual)
