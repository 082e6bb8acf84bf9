"""Signalling: what drives BDNF, what TrkB needs and gets used to, a floor, and protein that only a
rise makes.
"""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plastogen._base.library import Library
from plastogen.model.plasticity.definition import Plasticity
from plastogen.model.plasticity.signalling import Cascade, Inputs, Saturation, Signalling

NAMES = (
    "eef2k", "bdnf", "adaptation", "desensitisation", "mtorc1", "free_protein", "protein",
)  # fmt: skip
HEALTHY = dict.fromkeys(NAMES, 1.0) | {"free_protein": 0.0}
ratio = st.floats(0.05, 5)
share = st.floats(0, 1)
inputs = st.builds(
    Inputs,
    calcium=ratio,
    rest_current=st.floats(0, 1.2),
    eef2k=st.floats(0, 2),
    bdnf=st.floats(0, 3),
    mtorc1=st.floats(0, 3),
    protein=st.floats(0, 3),
)


def section(**overrides: Any) -> Signalling:
    at = {
        f"signalling.{name}": {
            "value": value,
            "source": "assumed",
            "evidence": "assumed",
            "note": "test",
        }
        for name, value in overrides.items()
    }
    return Library().load("plasticity", "all", Plasticity, overrides=at).signalling


K = section()


def cascade(*, disinhibition: float = 1, spontaneous: float = 1, **numbers: Any) -> Cascade:
    return Cascade(section(**numbers), disinhibition=disinhibition, spontaneous=spontaneous)


ON, LEAKING = cascade(), cascade(translation_basal=0.01)


def rates(
    on: Cascade = ON, *, throughput: float = 1, told: Inputs | None = None, **state: float
) -> dict[str, float]:
    """Rates of the healthy state, but for what is named."""
    found = on.rates(**{**HEALTHY, **state}, throughput=throughput, inputs=told or Inputs())
    return dict(zip(NAMES, found, strict=True))


def steady(
    on: Cascade = ON, *, throughput: float = 1, told: Inputs | None = None
) -> dict[str, float]:
    return dict(zip(NAMES, on.steady(throughput, told or Inputs()), strict=True))


class TestSaturation:
    @given(half=st.floats(0.1, 5), n=st.floats(1, 8))
    def test_is_half_on_at_its_half_and_knows_its_healthy_value(
        self, half: float, n: float
    ) -> None:
        s = Saturation(half, n)
        assert s(half) == pytest.approx(0.5)
        assert s(1.0) == pytest.approx(s.at_one)
        assert s.at_one == pytest.approx(1 / (1 + half**n))

    @given(low=ratio, high=ratio)
    def test_rises_and_saturates(self, low: float, high: float) -> None:
        s = Saturation(1.5, 4)
        assert 0 < s(low) < 1
        if high > low * 1.001:
            assert s(high) > s(low)

    @pytest.mark.parametrize("x", [0.0, -1e-9, -3.0])
    def test_is_off_at_nothing(self, x: float) -> None:
        assert Saturation(1.5, 2.5)(x) == 0


class TestRest:
    def test_rests_when_healthy_and_makes_no_new_protein(self) -> None:
        assert rates() == pytest.approx(dict.fromkeys(NAMES, 0), abs=1e-15)
        assert rates()["free_protein"] == 0

    @given(throughput=ratio, told=inputs)
    def test_rests_where_it_says_it_does(self, throughput: float, told: Inputs) -> None:
        now = rates(throughput=throughput, told=told, **steady(throughput=throughput, told=told))
        assert now == pytest.approx(dict.fromkeys(NAMES, 0), abs=1e-9)

    @given(level=ratio)
    def test_a_lasting_level_of_activity_is_no_signal(self, level: float) -> None:
        at_level, healthy = steady(throughput=level, told=Inputs(calcium=level)), steady()
        assert at_level.pop("adaptation") == level
        healthy.pop("adaptation")
        assert at_level == pytest.approx(healthy)

    @given(
        blocker=st.sampled_from(["calcium", "throughput", "bdnf", "mtorc1", "protein"]),
        left=share,
    )
    def test_each_blocker_alone_makes_no_protein(self, blocker: str, left: float) -> None:
        """From rest on, whatever is taken away: the signal never rises."""
        throughput = left if blocker == "throughput" else 1
        told = Inputs(**{blocker: max(left, 0.01)}) if blocker != "throughput" else Inputs()
        now = rates(throughput=throughput, told=told)
        assert now["free_protein"] == now["protein"] == 0
        assert now["mtorc1"] <= 0
        assert steady(throughput=throughput, told=told)["free_protein"] < 1e-30

    @given(throughput=ratio, told=inputs)
    def test_what_is_made_at_rest_is_free_at_rest_and_no_more(
        self, throughput: float, told: Inputs
    ) -> None:
        rest = {**HEALTHY, "free_protein": float(LEAKING.basal)}
        assert rates(LEAKING, **rest) == pytest.approx(dict.fromkeys(NAMES, 0), abs=1e-15)
        state = steady(LEAKING, throughput=throughput, told=told)
        now = rates(LEAKING, throughput=throughput, told=told, **state)
        assert now == pytest.approx(dict.fromkeys(NAMES, 0), abs=1e-9)
        shut = steady(throughput=throughput, told=told)["free_protein"]
        wanted = shut + LEAKING.basal * (told.protein - shut)
        assert state["free_protein"] == pytest.approx(wanted)


class TestBdnf:
    def test_a_rise_of_calcium_releases_it_and_only_by_disinhibition(self) -> None:
        up = Inputs(calcium=1.4)
        assert rates(told=up)["bdnf"] > 0.5
        assert rates(cascade(disinhibition=0), told=up)["bdnf"] == pytest.approx(0, abs=1e-15)
        assert rates(cascade(disinhibition=0.5), told=up)["bdnf"] == pytest.approx(
            rates(told=up)["bdnf"] / 2
        )

    def test_resting_current_sets_eef2k_and_eef2k_translation_only_by_the_spontaneous_pathway(
        self,
    ) -> None:
        assert rates(told=Inputs(rest_current=0.8))["eef2k"] < -0.5
        assert rates(eef2k=0.7)["bdnf"] > 0.5
        assert rates(cascade(spontaneous=0), eef2k=0.7)["bdnf"] == pytest.approx(0, abs=1e-15)
        assert rates(cascade(spontaneous=0.5), eef2k=0.7)["bdnf"] == pytest.approx(
            rates(eef2k=0.7)["bdnf"] / 2
        )

    def test_eef2k_falls_more_than_the_current_does(self) -> None:
        settled = steady(told=Inputs(rest_current=0.8))["eef2k"]
        assert settled == pytest.approx(0.8 ** float(K.eef2k_cooperativity))
        assert 0.5 < settled < 0.7  # phospho-eEF2 down by 30 to 50 %

    @given(usual=st.floats(0.3, 2), surge=st.floats(0.5, 2))
    def test_only_the_step_from_the_usual_level_counts(self, usual: float, surge: float) -> None:
        now = rates(adaptation=usual, throughput=usual * surge, told=Inputs(calcium=usual * surge))
        fresh = rates(throughput=surge, told=Inputs(calcium=surge))
        for name in ("bdnf", "desensitisation", "mtorc1"):
            assert now[name] == pytest.approx(fresh[name], abs=1e-12)


class TestAdaptation:
    def test_rises_within_hours_and_falls_over_days(self) -> None:
        up, down = (rates(told=Inputs(calcium=1 + gap))["adaptation"] for gap in (0.4, -0.4))
        assert up == pytest.approx(0.4 / float(K.adaptation_rise))
        assert down == pytest.approx(-0.4 / float(K.adaptation_fall))
        assert up > 10 * -down

    @pytest.mark.parametrize("left", [0.1, 0.3, 0.5, 0.9])
    @pytest.mark.parametrize("hours", [1, 4, 8])
    def test_the_end_of_a_suppressor_is_no_surge(self, left: float, hours: float) -> None:
        """After hours with little calcium and transmission, the return to healthy releases next to
        nothing; with an adaptation that fell as fast as it rises, it would.
        """

        def left_behind(fall_h: float) -> float:
            adaptation = left + (1 - left) * math.exp(-hours / fall_h)
            return rates(adaptation=adaptation)["bdnf"] / rates(told=Inputs(calcium=1.2))["bdnf"]

        falls, rises = float(K.adaptation_fall), float(K.adaptation_rise)
        assert left_behind(falls) < 0.3 * left_behind(rises)
        assert left_behind(falls) < 1.25 * hours / falls / 0.2


class TestTrkB:
    def test_desensitises_to_what_it_hears_within_the_hour(self) -> None:
        signal = 1.6
        now = rates(bdnf=signal)["desensitisation"]
        assert now == pytest.approx((signal - 1) / float(K.desensitisation_time))
        assert rates(bdnf=signal, desensitisation=signal)["desensitisation"] == pytest.approx(0)
        assert rates(bdnf=signal)["mtorc1"] > 1
        assert rates(bdnf=signal, desensitisation=signal)["mtorc1"] == pytest.approx(0)

    @given(bdnf=st.floats(0, 1), left=share)
    def test_never_gets_used_to_less_than_the_healthy_signal(
        self, bdnf: float, left: float
    ) -> None:
        assert rates(bdnf=bdnf, told=Inputs(bdnf=left))["desensitisation"] == 0
        assert steady(told=Inputs(bdnf=left))["desensitisation"] == 1

    def test_needs_activity_beside_bdnf(self) -> None:
        full = rates(bdnf=1.6)["mtorc1"]
        assert rates(bdnf=1.6, throughput=0.85)["mtorc1"] > 0.75 * full
        assert rates(bdnf=1.6, throughput=0.2)["mtorc1"] < 0
        floor = (float(K.mtorc1_floor) - 1) / float(K.mtorc1_time)
        assert rates(bdnf=1.6, throughput=0.05)["mtorc1"] == pytest.approx(floor)

    def test_drives_mtorc1_unless_bdnf_is_sequestered(self) -> None:
        assert rates(bdnf=1.6)["mtorc1"] > 1
        assert rates(bdnf=1.6, told=Inputs(bdnf=0.1))["mtorc1"] < 0


class TestMtorc1:
    @given(throughput=st.floats(0, 5), told=inputs)
    def test_has_a_floor_and_a_ceiling(self, throughput: float, told: Inputs) -> None:
        now = rates(mtorc1=0, throughput=throughput, told=told)["mtorc1"] * float(K.mtorc1_time)
        highest = 1 + float(K.mtorc1_gain) * float(K.mtorc1_ceiling)
        assert float(K.mtorc1_floor) - 1e-12 <= now <= highest

    def test_rises_by_its_gain_at_first_and_by_less_later(self) -> None:
        def driven(signal: float) -> float:
            return rates(bdnf=signal)["mtorc1"] * float(K.mtorc1_time)

        gain, ceiling = float(K.mtorc1_gain), float(K.mtorc1_ceiling)
        assert driven(1.001) == pytest.approx(gain * 0.001, rel=1e-3)
        assert driven(1 + ceiling) == pytest.approx(gain * ceiling / 2)
        assert driven(0.99) == pytest.approx(-gain * 0.01, rel=1e-9)

    def test_only_its_rise_makes_protein_and_not_when_blocked(self) -> None:
        half = 1 + float(K.translation_half)
        assert rates(mtorc1=half)["free_protein"] == pytest.approx(0.5 / float(K.free_protein_time))
        assert rates(mtorc1=half)["protein"] == pytest.approx(0.5 * float(K.protein_made))
        assert rates(mtorc1=3, told=Inputs(mtorc1=0.1))["free_protein"] == 0
        assert rates(mtorc1=half, told=Inputs(protein=0.1))["free_protein"] == pytest.approx(
            0.05 / float(K.free_protein_time)
        )
        for level in (0.0, 0.5, 1.0):
            assert rates(mtorc1=level)["free_protein"] == 0

    @given(free=share, protein=st.floats(1, 3))
    def test_protein_that_is_not_made_any_more_fades(self, free: float, protein: float) -> None:
        now = rates(free_protein=free, protein=protein)
        assert now["free_protein"] == pytest.approx(-free / float(K.free_protein_time))
        assert now["protein"] == pytest.approx(-(protein - 1) / float(K.protein_time))


def test_the_log_gain_from_activity_to_translation_stays_below_five() -> None:
    """Largest d ln(1 + free protein) / d ln activity over -20 to +40 %, nothing having adapted yet:
    BDNF as release and resting receptors drive it, mTORC1 as TrkB drives it. No steep switch hides
    in the chain.
    """

    def free_protein(activity: float) -> float:
        told = Inputs(calcium=activity)
        bdnf = 1 + rates(told=told)["bdnf"] * float(K.bdnf_time)
        mtorc1 = 1 + rates(bdnf=bdnf, throughput=activity, told=told)["mtorc1"] * float(
            K.mtorc1_time
        )
        return rates(mtorc1=mtorc1, told=told)["free_protein"] * float(K.free_protein_time)

    step = 1e-3
    log_activity = [math.log(0.8) + step * k for k in range(int(math.log(1.4 / 0.8) / step) + 1)]
    made = [math.log1p(free_protein(math.exp(x))) for x in log_activity]
    gain = [(b - a) / step for a, b in pairwise(made)]
    assert 1 < max(gain) < 5
    assert min(gain) >= 0


@given(throughput=st.floats(0, 5), told=inputs)
def test_no_level_falls_below_nothing(throughput: float, told: Inputs) -> None:
    """At nothing each of them rises or stays, whatever drugs and the circuit do: twice the resting
    current, too, or receptors that let four times as much of eEF2K be.
    """
    for name in NAMES:
        if name not in ("adaptation", "desensitisation"):  # what is divided by stays above nothing
            assert rates(throughput=throughput, told=told, **{name: 0.0})[name] >= 0
    potentiated = replace(told, rest_current=2.0, eef2k=4.0)
    assert steady(throughput=throughput, told=potentiated)["bdnf"] == 0
