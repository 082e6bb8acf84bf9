"""Signalling: one switch, what drives BDNF, what TrkB needs, and a threshold that follows what it
hears.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plastogen._base.library import Library
from plastogen.errors import InputError
from plastogen.model.plasticity.definition import Plasticity
from plastogen.model.plasticity.signalling import Cascade, Inputs, Signalling, Switch

NAMES = ("eef2k", "bdnf", "mtorc1", "protein", "habituation", "drive", "translation")
HEALTHY = {
    "eef2k": 1.0, "bdnf": 1.0, "mtorc1": 1.0, "protein": 1.0, "habituation": 1.0, "tone": 0.0,
    "throughput": 1.0,
}  # fmt: skip
DRUGS = ("rest_current", "sequestered", "blocked")
ratio = st.floats(0.05, 5)
share = st.floats(0, 1)


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


def cascade(*, disinhibition: float = 1, spontaneous: float = 1) -> Cascade:
    return Cascade(K, disinhibition=disinhibition, spontaneous=spontaneous)


def under(
    *, rest_current: float = 1, sequestered: float = 0, blocked: float = 0, tone: float = 0
) -> Inputs:
    """Inputs under drugs that take `sequestered` of BDNF and `blocked` of mTORC1 out."""
    return Inputs(
        rest_current=rest_current, bdnf=1 - sequestered, mtorc1=1 - blocked, serotonin=tone
    )


def rates(on: Cascade | None = None, **state: float) -> dict[str, float]:
    drugs = {name: state.pop(name) for name in DRUGS if name in state}
    found = (on or cascade()).rates(**{**HEALTHY, **state}, inputs=under(**drugs))
    return dict(zip(NAMES, found, strict=True))


class TestSwitch:
    @given(half=st.floats(0.1, 5), n=st.floats(1, 8))
    def test_is_half_on_at_its_half_and_knows_its_healthy_value(
        self, half: float, n: float
    ) -> None:
        switch = Switch(half, n)
        assert switch(half) == pytest.approx(0.5)
        assert switch(1.0) == pytest.approx(switch.at_one)
        assert switch.at_one == pytest.approx(1 / (1 + half**n))

    @given(low=ratio, high=ratio)
    def test_rises_and_saturates(self, low: float, high: float) -> None:
        switch = Switch(1.5, 4)
        assert 0 < switch(low) < 1
        if high > low * 1.001:
            assert switch(high) > switch(low)

    @pytest.mark.parametrize("x", [0.0, -1e-9, -3.0])
    def test_is_off_at_nothing(self, x: float) -> None:
        assert Switch(1.5, 2.5)(x) == 0


class TestCascade:
    def test_rests_when_healthy(self) -> None:
        now = rates()
        assert [now[name] for name in NAMES[:-1]] == pytest.approx([0] * 6, abs=1e-15)
        assert now["translation"] == pytest.approx(1)

    @given(tone=share, rest=ratio, sequestered=share, blocked=share, throughput=ratio)
    def test_rests_where_it_says_it_does(
        self, tone: float, rest: float, sequestered: float, blocked: float, throughput: float
    ) -> None:
        rest = min(rest, 1.2)
        inputs = {
            "tone": tone,
            "rest_current": rest,
            "sequestered": sequestered,
            "blocked": blocked,
        }
        *signals, drive, translation = cascade().steady(under(**inputs))
        state = dict(zip(NAMES[:4], signals, strict=True))
        now = rates(**state, habituation=throughput, throughput=throughput, **inputs)
        assert [now[name] for name in NAMES[:5]] == pytest.approx([0] * 5, abs=1e-9)
        assert now["drive"] == pytest.approx(drive, abs=1e-12)
        assert now["translation"] == pytest.approx(translation, rel=1e-9, abs=1e-12)

    def test_a_surge_releases_bdnf_and_only_by_disinhibition(self) -> None:
        assert rates(throughput=1.4)["bdnf"] > 0.5
        assert rates(cascade(disinhibition=0), throughput=1.4)["bdnf"] == pytest.approx(
            0, abs=1e-15
        )
        assert rates(cascade(disinhibition=0.5), throughput=1.4)["bdnf"] == pytest.approx(
            rates(throughput=1.4)["bdnf"] / 2
        )

    def test_resting_current_sets_eef2k_and_eef2k_translation_only_by_the_spontaneous_pathway(
        self,
    ) -> None:
        assert rates(rest_current=0.8)["eef2k"] < -0.5
        assert rates(eef2k=0.7)["bdnf"] > 0.5
        assert rates(cascade(spontaneous=0), eef2k=0.7)["bdnf"] == pytest.approx(0, abs=1e-15)
        assert rates(cascade(spontaneous=0.5), eef2k=0.7)["bdnf"] == pytest.approx(
            rates(eef2k=0.7)["bdnf"] / 2
        )

    def test_eef2k_falls_more_than_the_current_does(self) -> None:
        settled, *_ = cascade().steady(under(tone=0, rest_current=0.8))
        assert settled == pytest.approx(0.8 ** float(K.eef2k_cooperativity))
        assert 0.5 < settled < 0.7  # phospho-eEF2 down by 30 to 50 %

    def test_tone_raises_bdnf_a_little(self) -> None:
        gain = cascade().steady(under(tone=1, rest_current=1))[1] - 1
        assert gain == pytest.approx(float(K.tone_gain))
        assert 0 < gain < 0.1

    def test_bdnf_drives_trkb_and_mtorc1_unless_sequestered(self) -> None:
        assert rates(bdnf=1.6)["drive"] > 0.4
        assert rates(bdnf=1.6)["mtorc1"] > 4
        assert rates(bdnf=1.6, sequestered=0.9)["drive"] < 0
        assert rates(bdnf=1.6, sequestered=0.9)["mtorc1"] < 0

    def test_trkb_needs_activity_beside_bdnf(self) -> None:
        full = rates(bdnf=1.6)["drive"]
        assert rates(bdnf=1.6, throughput=0.7)["drive"] == pytest.approx(full, rel=0.05)
        assert rates(bdnf=1.6, throughput=0.12)["drive"] == pytest.approx(
            -cascade().trkb.at_one, rel=1e-3
        )  # as if there were no BDNF at all

    def test_mtorc1_makes_protein_unless_blocked(self) -> None:
        assert rates(mtorc1=3)["translation"] > 50
        assert rates(mtorc1=3)["protein"] > 0.05
        assert rates(mtorc1=3, blocked=0.9)["translation"] < 0.01
        assert rates(blocked=0.9)["translation"] < 1e-4

    def test_a_blocker_of_mtorc1_alone_costs_little_protein(self) -> None:
        per_h = rates(blocked=1)["protein"]
        assert per_h == pytest.approx(-float(K.mtorc1_share) / float(K.protein_time))
        assert per_h * 4 > -0.01

    def test_protein_stops_at_its_ceiling(self) -> None:
        ceiling = float(K.protein_ceiling)
        assert rates(mtorc1=5, protein=ceiling)["translation"] == pytest.approx(0, abs=1e-12)
        assert 1 < cascade().steady(under(tone=200, rest_current=1))[3] < ceiling

    @given(usual=st.floats(0.3, 2), surge=st.floats(0.5, 2))
    def test_only_the_step_above_the_usual_level_counts(self, usual: float, surge: float) -> None:
        assert rates(habituation=usual, throughput=usual * surge)["bdnf"] == pytest.approx(
            rates(throughput=surge)["bdnf"], abs=1e-12
        )

    def test_the_synapse_gets_used_to_what_it_hears(self) -> None:
        gap = 0.4
        assert rates(throughput=1 + gap)["habituation"] == pytest.approx(
            gap / float(K.habituation_time), rel=0.01
        )
        assert rates(throughput=0.7)["habituation"] < 0

    def test_a_silent_synapse_does_not_habituate(self) -> None:
        assert (
            abs(rates(throughput=0.1)["habituation"]) < 0.001 * 0.9 / float(K.habituation_time) * 2
        )
        assert rates(throughput=0.0)["habituation"] == 0


@pytest.mark.parametrize(
    ("gain", "half"), [("release_gain", "release_half"), ("mtorc1_gain", "trkb_half")]
)
def test_a_gain_that_could_make_a_level_negative_is_refused(gain: str, half: str) -> None:
    with pytest.raises(InputError, match=rf"signalling\.{gain}.*{half}"):
        section(**{gain: 100})
    assert float(getattr(section(**{gain: 4}), gain)) == 4
