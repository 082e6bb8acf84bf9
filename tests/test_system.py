"""The slow model: an independent statement of its equations, its rest, its loop, and what a surge
leaves behind.

The circuit is a formula here: a surge that follows a drug curve, on what rises with J.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp
from slow_reference import advance, simulate, steady_state

from plastogen._base.definition import quantities
from plastogen._base.library import Library
from plastogen._base.quantity import Quantity
from plastogen.errors import InputError
from plastogen.model.plasticity.definition import BUILT_PATHWAYS, Plasticity
from plastogen.model.plasticity.system import HEALTHY, NIL, STATES, Inputs, SlowModel, stacked

DAY = 24.0
ROOT = Path(__file__).parents[1]
LOOPS = [(0.0, 0.0), (0.5, 1.5), (1.0, 2.0), (2.0, 3.0)]
"""How steeply rate and AMPA throughput of the circuit answer J: d ln / d ln J."""


def definition(name: str = "all", **overrides: Any) -> Plasticity:
    """`section__number=value` in place of what ships."""
    at = {path.replace("__", "."): value for path, value in overrides.items()}
    return Library().load("plasticity", name, Plasticity, overrides=at)


shipped = lru_cache(definition)
BASAL = {"value": 0.01, "source": "assumed", "evidence": "assumed", "note": "test"}
LEAKING = definition(signalling__translation_basal=BASAL)  # some protein is free at rest


def model(name: str = "all", **overrides: Any) -> SlowModel:
    return SlowModel(definition(name, **overrides) if overrides else shipped(name))


M = model()


def column(y: Any, name: str) -> Any:
    return y[..., STATES.index(name)]


def loop(rate: float = 1, throughput: float = 2, **also: float) -> Callable[[float], Inputs]:
    """A circuit that answers J: calcium as its rate does, the balance a fifth as steeply."""
    return lambda J: Inputs(
        rate_E=J**rate,
        ampa_throughput=J**throughput,
        calcium=J**rate,
        balance=J ** (rate / 5),
        above_threshold=J**rate,
        **also,
    )


# the equations again, from the docstrings, on a dict, with nothing shared with the package but the
# numbers


def oracle(k: Plasticity, y: dict[str, float], i: Inputs) -> dict[str, float]:
    def number(section: str) -> dict[str, float]:
        fields = getattr(k, section).__dict__.items()
        return {name: q.value for name, q in fields if isinstance(q, Quantity)}

    s, w, p, m, c = map(number, ("signalling", "synapse", "spine", "misuse", "comparator"))

    def S(x: float, half: float, n: float = s["steepness"]) -> float:
        return 1 / (1 + (half / x) ** n) if x > 1e-9 else 0.0

    passed = i.ampa_throughput / (y["transient"] + y["persistent"]) / y["adaptation"]
    bdnf = 1 + k.pathways.spontaneous * s["translation_gain"] * (1 - y["eef2k"])
    surge = S(i.calcium / y["adaptation"], s["release_half"]) - S(1, s["release_half"])
    bdnf += k.pathways.disinhibition * s["release_gain"] * surge
    bdnf = bdnf if bdnf > 0 else 0.0
    gate = S(passed, s["coincidence_half"]) / S(1, s["coincidence_half"])
    signal = y["bdnf"] * i.bdnf * gate
    rise = signal / y["desensitisation"] - 1
    slowed = 1 + rise / s["mtorc1_ceiling"] if rise > 0 else 1
    driven = 1 + s["mtorc1_gain"] * rise / slowed
    driven = s["mtorc1_floor"] if driven < s["mtorc1_floor"] else driven
    above = y["mtorc1"] * i.mtorc1 - 1
    risen = S(above, s["translation_half"]) if above > 0 else 0.0
    basal = s["translation_basal"]
    translation = i.protein * (basal + (1 - basal) * risen)
    tau = s["adaptation_rise"] if i.calcium > y["adaptation"] else s["adaptation_fall"]
    desensitised = signal if signal > 1 else 1.0

    push = (i.balance - y["accustomed"]) / (1 + w["quiet"] / i.above_threshold)
    captured = y["free_protein"] * S(y["tag"], w["tag_half"]) if y["tag"] > 0 else 0.0
    room = 1 - (y["weight"] - 1) / w["slots"]
    rate = i.rate_E ** w["scaling_steepness"]
    target = 1 - w["scaling_range"] * (rate - 1) / (rate + 1)
    fast = i.rate_E ** w["inhibition_steepness"]
    inhibited = 1 + w["inhibition_range"] * (fast - 1) / (fast + 1)

    days, months = p["turnover_interval"], math.exp(-p["persistent_loss"] * p["turnover_interval"])
    young = math.exp(-days / p["transient_lifetime"])
    share = (months - (1 - p["turnover"])) / (months - young)
    sites = (1 - share) * (1 + p["persistent_loss"] / p["rescue"])
    out = p["persistent_loss"] + i.stress * p["stress_loss"]
    lasting = sites / (1 + out / p["rescue"])
    restorable = lasting + p["restorable"] * (sites - lasting) - y["persistent"]
    return {
        "eef2k": (i.eef2k * i.rest_current ** s["eef2k_cooperativity"] - y["eef2k"])
        / s["eef2k_time"],
        "bdnf": (bdnf - y["bdnf"]) / s["bdnf_time"],
        "adaptation": (i.calcium - y["adaptation"]) / tau,
        "desensitisation": (desensitised - y["desensitisation"]) / s["desensitisation_time"],
        "mtorc1": (driven - y["mtorc1"]) / s["mtorc1_time"],
        "free_protein": (translation - y["free_protein"]) / s["free_protein_time"],
        "protein": s["protein_made"] * (translation - basal)
        - (y["protein"] - 1) / s["protein_time"],
        "accustomed": min(i.above_threshold, 1) * push / w["accustomed_time"],
        "tag": (push - y["tag"]) / w["tag_time"],
        "weight": w["capture"] * captured * max(room, 0) - (y["weight"] - 1) / w["late_time"],
        "scaling": (target - y["scaling"]) / w["scaling_time"],
        "inhibitory_weight": i.rate_I * (inhibited - y["inhibitory_weight"]) / w["inhibition_time"],
        "commit_1": (captured + p["tone_gain"] * y["tone"] - y["commit_1"]) * 2 / p["delay"],
        "commit_2": (y["commit_1"] - y["commit_2"]) * 2 / p["delay"],
        "transient": (share * (1 + p["formation_gain"] * y["commit_2"]) - y["transient"])
        / (DAY * p["transient_lifetime"]),
        "persistent": (
            p["rescue"] * (sites - y["persistent"])
            + DAY * p["growth"] * y["commit_2"] * max(restorable, 0)
            - out * y["persistent"]
        )
        / DAY,
        "pv_integrity": (1 - y["pv_integrity"]) / (DAY * m["pv_recovery"])
        - m["pv_loss"] * S(i.pv_block, m["pv_half"], m["pv_steepness"]) * y["pv_integrity"],
        "tolerance": (m["tolerance_gain"] * i.e_block - y["tolerance"])
        / (DAY * m["tolerance_time"]),
        "tone": (i.serotonin - y["tone"]) / (DAY * c["tone_time"]),
    }


share = st.floats(0, 1)
inputs = st.builds(
    Inputs,
    rate_E=st.floats(0, 3),
    ampa_throughput=st.floats(0, 3),
    calcium=st.floats(0.01, 3),
    balance=st.floats(0, 3),
    above_threshold=st.floats(0.001, 3),
    rest_current=st.floats(0, 1.2),
    pv_block=share,
    e_block=share,
    eef2k=st.floats(0, 3),
    bdnf=st.floats(0, 3),
    mtorc1=st.floats(0, 3),
    protein=st.floats(0, 3),
    serotonin=share,
    stress=share,
)
states = st.fixed_dictionaries(
    {name: st.floats(0.3, 2) for name in STATES}
    | dict.fromkeys(NIL, share)
    | {"transient": st.floats(0.01, 0.1), "tag": st.floats(-1, 1)}
)


@given(y=states, i=inputs, k=st.sampled_from([LEAKING, *map(shipped, ("all", *BUILT_PATHWAYS))]))
@settings(max_examples=200, deadline=None)
def test_the_equations_are_those_of_the_docstrings(
    y: dict[str, float], i: Inputs, k: Plasticity
) -> None:
    wanted = oracle(k, y, i)
    found = SlowModel(k).rate_of_change(np.array([y[name] for name in STATES]), i)
    assert found == pytest.approx(np.array([wanted[name] for name in STATES]), rel=1e-9, abs=1e-12)


class TestFiles:
    def test_every_built_pathway_ships_on_and_alone(self) -> None:
        assert {
            name: getattr(shipped().pathways, name) for name in BUILT_PATHWAYS
        } == dict.fromkeys(BUILT_PATHWAYS, 1.0)
        for alone in BUILT_PATHWAYS:
            on = shipped(alone)
            assert {n for n in BUILT_PATHWAYS if getattr(on.pathways, n) > 0} == {alone}
            assert on.signalling == shipped().signalling

    def test_an_unknown_pathway_is_refused_with_the_nearest(self) -> None:
        with pytest.raises(InputError, match=r"wanted one of .*nearest valid name: disinhibition"):
            model(pathways__disinhibtion=1)
        with pytest.raises(
            InputError, match=r"pathways\.habenula.*wanted one of disinhibition, spontaneous"
        ):
            model(pathways__habenula=1)

    @pytest.mark.parametrize("scale", [-0.1, 1.5])
    def test_a_pathway_is_on_between_zero_and_one(self, scale: float) -> None:
        with pytest.raises(InputError, match=r"pathways\.spontaneous"):
            model(pathways__spontaneous=scale)

    def test_the_calibrated_numbers_are_those_of_the_decision_that_was_written_first(self) -> None:
        decision = (ROOT / "docs/decisions/0023-what-the-slow-half-is-calibrated-on.md").read_text()
        table, kept = decision.split("Kept: ")
        rows = re.findall(r"^\| `(\w+\.\w+)` \|", table, flags=re.MULTILINE)
        named = re.findall(r"`(\w+\.\w+)`", kept.split("Nothing is tuned")[0])
        calibrated = [
            path for path, q in quantities(shipped()) if (q.note or "").startswith("calibrated")
        ]
        assert set(calibrated) == {*rows, *named, "spine.turnover"}
        assert len(rows) == 6

    def test_every_corner_of_the_ranges_is_a_model(self) -> None:
        ranged = [(path, q) for path, q in quantities(shipped()) if q.range is not None]
        assert len(ranged) > 30
        rng = np.random.default_rng(0)
        for _ in range(60):
            ends = {
                path: {
                    "value": f"{q.range[int(rng.integers(2))]} {q.unit}",
                    "source": "assumed",
                    "evidence": "assumed",
                    "note": "test",
                }
                for path, q in ranged
                if q.range
            }
            slow = SlowModel(Library().load("plasticity", "all", Plasticity, overrides=ends))
            assert slow.spectral_abscissa(slow.healthy_state(), lambda y: HEALTHY) < 0
            assert np.isfinite(steady_state(slow, loop(stress=1))).all()


class TestRest:
    @pytest.mark.parametrize("k", [LEAKING, *map(shipped, ("all", *BUILT_PATHWAYS))])
    def test_the_healthy_state_is_an_exact_fixed_point(self, k: Plasticity) -> None:
        slow = SlowModel(k)
        y = slow.healthy_state()
        assert np.abs(slow.rate_of_change(y, HEALTHY)).max() < 1e-12
        assert slow.recurrent(y) == pytest.approx(1, abs=1e-15)
        assert slow.spine_density(y) == pytest.approx(1, abs=1e-15)

    def test_a_healthy_vehicle_stays_put_for_two_weeks(self) -> None:
        y = M.healthy_state()
        _, path, _ = advance(M, y, 0, 14 * DAY, lambda t: HEALTHY)
        assert np.abs(path - y).max() <= 1e-9

    @given(i=inputs)
    def test_rest_is_where_nothing_changes(self, i: Inputs) -> None:
        assert np.abs(M.rate_of_change(M.rest(i), i)).max() < 1e-11

    @given(several=st.lists(inputs, min_size=2, max_size=5))
    def test_many_courses_rest_where_each_does_alone_to_the_same_bits(
        self, several: list[Inputs]
    ) -> None:
        many = stacked([M, model("spontaneous")] * len(several))
        each = [i for i in several for _ in range(2)]
        rows = {n: np.array([getattr(i, n) for i in each]) for n in Inputs.__slots__}
        together = many.rest(Inputs(**rows))
        for k, i in enumerate(each):
            one = {name: np.array([getattr(i, name)]) for name in Inputs.__slots__}
            alone = stacked([(M, model("spontaneous"))[k % 2]]).rest(Inputs(**one))
            np.testing.assert_array_equal(together[k], alone[0])

    def test_every_number_of_a_model_may_differ_between_courses(self) -> None:
        numbers = dict(quantities(shipped()))
        assert len(numbers) > 40
        told = {name: np.array([1.2, 1.2]) for name in Inputs.__slots__}
        for path, number in numbers.items():
            value = number.range[0] if number.range else 0.9 * float(number)
            other = BASAL | {"value": value if number.unit == "1" else f"{value!r} {number.unit}"}
            try:
                models = [M, model(**{path.replace(".", "__"): other})]
            except InputError:
                continue  # beyond what the others allow
            both = stacked(models)
            y = np.broadcast_to(both.healthy_state(), (2, len(STATES))) * 1.1
            with np.errstate(all="raise", under="ignore"):
                moved = np.array(both.rates(list(y.T), Inputs(**told))).T
                rest = both.rest(Inputs(**told))
            for k, one in enumerate(models):
                mine = {name: values[k] for name, values in told.items()}
                assert y[k] == pytest.approx(1.1 * one.healthy_state(), rel=1e-12), path
                assert moved[k] == pytest.approx(
                    one.rate_of_change(y[k], Inputs(**mine)), rel=1e-9, abs=1e-12
                ), path
                assert rest[k] == pytest.approx(one.rest(Inputs(**mine)), rel=1e-9), path

    def test_a_silent_circuit_has_no_rest(self) -> None:
        with pytest.raises(ValueError, match="calcium must be above 0"):
            M.rest(Inputs(calcium=0))

    @given(i=inputs, free=share)
    def test_nothing_is_captured_at_rest(self, i: Inputs, free: float) -> None:
        y = M.rest(i)
        assert column(y, "tag") == 0
        assert column(y, "weight") == 1
        y[STATES.index("free_protein")] = free  # even if there were new protein
        assert column(M.rate_of_change(y, i), "weight") == 0

    @pytest.mark.parametrize(("a", "b"), LOOPS)
    @pytest.mark.parametrize("stress", [0.0, 0.5, 1.0])
    def test_the_steady_state_is_one_with_the_circuit_in_the_loop(
        self, a: float, b: float, stress: float
    ) -> None:
        answer = loop(a, b, stress=stress)
        y = steady_state(M, answer)
        J = float(M.recurrent(y))
        assert np.abs(M.rate_of_change(y, answer(J))).max() < 1e-12
        assert (J < 1 - 1e-9) == (stress > 0)

    def test_the_healthy_steady_state_is_the_healthy_state(self) -> None:
        assert steady_state(M, loop()) == pytest.approx(M.healthy_state(), abs=1e-13)

    def test_a_long_stress_leads_to_the_steady_state(self) -> None:
        answer = loop(stress=1)
        end = simulate(M, M.healthy_state(), lambda t, J: answer(J), [0, 400 * DAY])[-1]
        assert end == pytest.approx(steady_state(M, answer), abs=1e-6)

    def test_a_shifted_circuit_settles_on_either_side(self) -> None:
        low = steady_state(M, lambda J: Inputs(rate_E=1.5 * J, ampa_throughput=J**2))
        high = steady_state(M, lambda J: Inputs(rate_E=0.5 * J, ampa_throughput=J**2))
        assert M.recurrent(low) < 1 < M.recurrent(high)
        for y, rate in ((low, 1.5), (high, 0.5)):
            J = float(M.recurrent(y))
            assert (
                np.abs(M.rate_of_change(y, Inputs(rate_E=rate * J, ampa_throughput=J**2))).max()
                < 1e-12
            )

    def test_even_a_runaway_loop_has_a_resting_state(self) -> None:
        def answer(J: float) -> Inputs:
            return Inputs(rate_E=0.5 * J**-4, ampa_throughput=J**3)

        y = steady_state(M, answer)
        assert np.abs(M.rate_of_change(y, answer(float(M.recurrent(y))))).max() < 1e-12


class TestLoop:
    @pytest.mark.parametrize(("a", "b"), LOOPS)
    @pytest.mark.parametrize("stress", [0.0, 1.0])
    def test_the_slow_jacobian_is_stable(self, a: float, b: float, stress: float) -> None:
        answer = loop(a, b, stress=stress)
        y = steady_state(M, answer)
        assert M.spectral_abscissa(y, lambda state: answer(float(M.recurrent(state)))) < -1e-3

    @pytest.mark.parametrize(
        "name", ["weight", "scaling", "inhibitory_weight", "transient", "persistent"]
    )
    @pytest.mark.parametrize("nudge", [0.95, 1.05])
    def test_the_state_returns_after_a_nudge(self, name: str, nudge: float) -> None:
        y = steady_state(M, loop(2, 3))
        start = y.copy()
        start[STATES.index(name)] *= nudge
        days = np.linspace(0, 180 * DAY, 181)
        path = simulate(M, start, lambda t, J: loop(2, 3)(J), days, jumps=())
        away = np.abs(path - y).max(1)
        assert away[-1] < 1e-3 * away[0]
        assert np.abs(np.log(M.recurrent(path))).max() < 0.08

    def test_the_jacobian_knows_its_diagonal_and_the_loop(self) -> None:
        y = M.healthy_state()
        alone = M.jacobian(y, lambda state: HEALTHY)
        tone = STATES.index("tone")
        assert alone[tone, tone] == pytest.approx(
            -1 / (DAY * float(shipped().comparator.tone_time))
        )
        scaling, weight = STATES.index("scaling"), STATES.index("weight")
        assert alone[scaling, weight] == 0
        linked = M.jacobian(y, lambda state: loop(2, 3)(float(M.recurrent(state))))
        k = shipped().synapse
        slope = -2 * float(k.scaling_range) * float(k.scaling_steepness) / 2 / float(k.scaling_time)
        assert linked[scaling, weight] == pytest.approx(slope, rel=1e-6)

    def test_the_abscissa_is_the_slowest_return(self) -> None:
        k = shipped()
        ends = (k.comparator.tone_time, k.misuse.pv_recovery, k.misuse.tolerance_time)
        slowest = -1 / (DAY * max(float(q) for q in ends))
        assert M.spectral_abscissa(M.healthy_state(), lambda y: HEALTHY) == pytest.approx(
            slowest, rel=1e-3
        )


class TestSolver:
    def test_advance_agrees_with_another_solver(self) -> None:
        def hear(t: float) -> Inputs:
            up = math.exp(-t)
            return Inputs(
                ampa_throughput=1 + 0.4 * up,
                calcium=1 + 0.3 * up,
                balance=1 + 0.05 * up,
                rest_current=1 - 0.1 * up,
            )

        t, y, dense = advance(M, M.healthy_state(), 0, 30, hear)
        other = solve_ivp(
            lambda t, y: M.rate_of_change(y, hear(t)),
            (0, 30),
            M.healthy_state(),
            method="Radau",
            rtol=1e-10,
            atol=1e-12,
            t_eval=[1.0, 10.0, 30.0],
        )
        assert (t[0], t[-1]) == (0, 30)
        assert y.shape == (len(t), len(STATES))
        assert dense([1.0, 10.0, 30.0]) == pytest.approx(other.y.T, rel=1e-6)
        assert dense(1.0).shape == (len(STATES),)

    def test_simulate_puts_a_jump_where_it_was_asked(self) -> None:
        def serotonin(t: float, J: float) -> Inputs:
            return Inputs(serotonin=float(t >= 10))

        tone = column(simulate(M, M.healthy_state(), serotonin, [0, 10, 34]), "tone")
        assert tone[1] == 0
        tau = DAY * float(shipped().comparator.tone_time)
        assert tone[2] == pytest.approx(1 - math.exp(-24 / tau), rel=1e-6)

    def test_a_solver_that_cannot_go_on_says_where(self) -> None:
        with pytest.raises((RuntimeError, ValueError)):
            advance(M, M.healthy_state(), 0, 10, lambda t: Inputs(ampa_throughput=math.nan))


# what a surge leaves behind


def human(t: float) -> float:
    """40 min of infusion, three half-lives (8, 33 and 180 min): 1 at the end of the infusion."""
    total = 0.0
    for share, half_h in ((0.35, 8 / 60), (0.35, 33 / 60), (0.3, 3)):
        k = math.log(2) / half_h
        risen = 1 - math.exp(-k * min(max(t, 0), 2 / 3))
        total += share * risen / (1 - math.exp(-k * 2 / 3)) * math.exp(-k * max(t - 2 / 3, 0))
    return total


def rat(t: float) -> float:
    return 0.0 if t < 0 else min(t * 12, 1) * 0.5 ** (t * 60 / 25)


@dataclass(frozen=True)
class Peak:
    """What a drug does at its peak, as the shipped circuit gives it about."""

    rate: float
    throughput: float
    calcium: float
    balance: float
    minis: float


SURGE = {
    "human": (human, Peak(0.18, 0.18, 0.03, 0.11, 0.07)),
    "rat": (rat, Peak(0.23, 0.23, 0.0, 0.1, 0.15)),
}
SUPPRESSED = {  # throughput, calcium, balance, potentiation and depression that are left
    "nbqx": (0.12, 0.4, 0.5, 0.1),
    "a little nbqx": (0.7, 0.8, 0.85, 0.5),
    "release reducer": (0.6, 0.75, 0.93, 0.7),
}
BLOCKERS = ("nbqx", "anti_bdnf", "rapamycin")
T = np.unique(
    [
        *(-1, -0.5, 0, 1 / 12, 0.5, 2 / 3, 110 / 60, 3.5),
        *np.linspace(0, 4, 25),
        *np.linspace(4, 336, 84),
    ]
)


@lru_cache(maxsize=64)
def course(
    species: str = "human",
    *,
    drug: float = 1,
    stress: float = 1,
    with_: str = "",
    until: float = 3.5,
    plasticity: str = "all",
    rule: bool = True,
) -> Any:
    """States (times, states) at `T`, from the steady state of `stress`; `with_` is given from -0.5
    to `until` h. Without the `rule` the balance stays as it is.
    """
    slow = model(plasticity)
    shape, peak = SURGE[species]

    def hear(t: float, J: float) -> Inputs:
        dose = drug * shape(t)
        given = with_ if -0.5 <= t < until else ""
        passed, calcium, balance, above = SUPPRESSED.get(given, (1, 1, 1, 1))
        return Inputs(
            rate_E=J * (1 + peak.rate * dose) * passed**0.5,
            ampa_throughput=J**2 * (1 + peak.throughput * dose) * passed,
            calcium=J * (1 + peak.calcium * dose) * calcium,
            balance=J**0.2 * (1 + peak.balance * dose) * balance if rule else 1,
            above_threshold=J * (1 + peak.rate * dose) * above,
            rest_current=1 - peak.minis * dose,
            bdnf=0.1 if given == "anti_bdnf" else 1,
            mtorc1=0.1 if given == "rapamycin" else 1,
            stress=stress,
        )

    start = loop(stress=stress) if rule else lambda J: replace(loop(stress=stress)(J), balance=1)
    jumps = (-0.5, 0, 1 / 12, 2 / 3, until)
    return simulate(slow, steady_state(slow, start), hear, T, jumps=jumps)


def at(values: Any, hour: float) -> float:
    return float(np.interp(hour, T, values))


class TestSurge:
    def test_row_33_mtorc1_peaks_within_the_hour_and_is_back_before_the_proteins_are(self) -> None:
        y = course("rat", stress=0)
        mtorc1, protein = column(y, "mtorc1") - 1, column(y, "protein") - 1
        assert 0.4 <= T[mtorc1.argmax()] <= 1.1
        assert mtorc1.max() > 0.3
        assert at(mtorc1, 2.5) < 0.2 * mtorc1.max()
        assert at(protein, 2) > 0.6 * protein.max()
        assert at(protein, 72) > 0.15 * protein.max()

    def test_row_25_eef2_and_bdnf_answer_at_half_an_hour_and_are_back_at_eight(self) -> None:
        y = course("rat", stress=0)
        eef2k, bdnf = column(y, "eef2k"), column(y, "bdnf")
        assert at(eef2k, 0.5) < 0.95
        assert at(bdnf, 0.5) > 1.2
        for hour in (8, 24):
            assert at(eef2k, hour) == pytest.approx(1, abs=0.01)
            assert at(bdnf, hour) == pytest.approx(1, abs=0.05)

    def test_row_35_the_weight_is_raised_before_any_spine_is(self) -> None:
        y = course("rat")
        weight, density = column(y, "weight"), M.spine_density(y)
        risen = (density - density[0]) / (density.max() - density[0])
        assert at(weight, 6) - 1 > 0.5 * (weight.max() - 1)
        assert at(risen, 3) < 0.05
        assert at(risen, 6) < at((weight - 1) / (weight.max() - 1), 6)

    def test_part_of_the_stress_deficit_is_restored_and_lost_again(self) -> None:
        density = M.spine_density(course("rat"))
        restored = (density - density[0]) / (1 - density[0])
        assert 0.15 <= 1 - density[0] <= 0.25  # row 34
        assert 0 < restored.max() <= float(shipped().spine.restorable)
        assert 12 <= T[restored.argmax()] <= 72
        assert at(restored, 336) < 0.4 * restored.max()

    def test_a_longer_delay_moves_the_rescue_to_days_three_to_five(self) -> None:
        late = {"value": "72 h", "source": "pryazhnikov2018", "evidence": "verified"}
        slow = model(spine__delay=late)
        start = steady_state(slow, loop(stress=1))
        made = np.zeros(len(STATES))
        made[STATES.index("commit_1")] = 0.01  # what a surge leaves in the first stage
        hours = np.array([0, 12, 24, 72, 132])
        density = slow.spine_density(
            simulate(slow, start + made, lambda t, J: loop(stress=1)(J), hours)
        )
        assert density[2] - density[0] < 0.5 * (density[3] - density[0])
        assert density[4] > density[0]

    def test_row_39_the_healthy_have_fewer_spines_to_gain(self) -> None:
        healthy, stressed = (M.spine_density(course("rat", stress=s)) for s in (0, 1))
        assert 0 < healthy.max() - 1 < 0.03
        assert healthy.max() - 1 < 0.5 * (stressed.max() - stressed[0])

    def test_row_37_formation_rises_and_elimination_does_not(self) -> None:
        y = course("rat", stress=0)
        formed, lost = M.formation(y), M.elimination(y)
        assert formed[0] == pytest.approx(lost[0])
        assert lost.min() > 0.99 * lost[0]
        assert 2 * np.abs(lost - lost[0]).max() < formed.max() - formed[0]
        stressed = course("rat")
        lost = M.elimination(stressed, 1.0)
        assert lost == pytest.approx(np.full(len(T), lost[0]), rel=0.1)

    def test_function_gives_the_onset_and_structure_the_day_after(self) -> None:
        y = course()
        function, structure = np.log(M.function(y)), np.log(M.structure(y) / M.structure(y[0]))
        assert at(function, 1.5) > 3 * at(structure, 1.5) > 0
        assert at(structure, 24) > 3 * abs(at(function, 24))
        effect = M.clinical_effect(y, y[0])
        assert at(effect, 110 / 60) < 0.1 * at(effect, 24) < 0
        assert at(effect, 11 * DAY) > 0.5 * at(effect, 24)

    def test_the_surge_counts_as_much_in_stress_as_in_health(self) -> None:
        healthy, stressed = (column(course(stress=s), "mtorc1").max() for s in (0.0, 1.0))
        assert stressed == pytest.approx(healthy, rel=0.05)

    def test_no_second_wave_follows_the_weights(self) -> None:
        mtorc1 = column(course("rat"), "mtorc1") - 1
        assert mtorc1[T > 8].max() < 0.05 * mtorc1.max()

    def test_each_pathway_alone_does_less_than_both(self) -> None:
        def late(plasticity: str) -> float:
            structure = M.structure(course("rat", plasticity=plasticity))
            return float(np.log(at(structure, 24) / structure[0]))

        both, alone = late("all"), [late(name) for name in BUILT_PATHWAYS]
        assert all(0 < part < both for part in alone)

    def test_without_the_rule_no_synapse_is_tagged_and_nothing_is_left(self) -> None:
        y = course("rat", rule=False)
        assert column(y, "free_protein").max() > 0.05
        assert column(y, "tag") == pytest.approx(0)
        assert column(y, "weight") == pytest.approx(1)
        assert M.spine_density(y) == pytest.approx(M.spine_density(y[0]))


class TestBlockers:
    @pytest.mark.parametrize("species", SURGE)
    @pytest.mark.parametrize("blocker", BLOCKERS)
    def test_rows_28_to_30_each_abolishes_the_late_effect_and_alone_does_little(
        self, species: str, blocker: str
    ) -> None:
        for of in (M.structure, M.spine_density):
            base, both, alone, ketamine = (
                at(of(course(species, **arm)), 24)
                for arm in (
                    {"drug": 0},
                    {"with_": blocker},
                    {"drug": 0, "with_": blocker},
                    {},
                )
            )
            assert ketamine > base
            assert abs(both - alone) <= 0.3 * (ketamine - base)
            assert abs(alone - base) <= 0.1 * (ketamine - base)

    @pytest.mark.parametrize("blocker", ["anti_bdnf", "rapamycin"])
    def test_what_takes_protein_away_alone_is_inert(self, blocker: str) -> None:
        alone, nothing = (course("rat", drug=0, with_=name) for name in (blocker, ""))
        assert column(alone, "free_protein").max() < 1e-4
        for of in (M.structure, M.recurrent, M.function):
            assert of(alone) == pytest.approx(of(nothing), abs=1e-9)
        least = float(shipped().signalling.mtorc1_floor)
        assert least - 1e-6 <= column(alone, "mtorc1").min()

    @pytest.mark.parametrize("suppressor", SUPPRESSED)
    @pytest.mark.parametrize("until", [0.5, 3.5, 8.0])
    def test_the_end_of_a_suppressor_is_no_surge(self, suppressor: str, until: float) -> None:
        nothing, alone = (
            M.structure(course("rat", drug=0, with_=name, until=until)) for name in ("", suppressor)
        )
        ketamine = M.structure(course("rat"))
        gained = (ketamine - ketamine[0])[T >= 0].max()
        assert (alone - nothing).max() < 0.1 * gained

    def test_rapamycin_leaves_the_early_part_and_nbqx_does_not(self) -> None:
        """Early potentiation needs activity and no protein; so rapamycin leaves the onset."""
        early = {b: at(M.function(course(with_=b)), 1) - 1 for b in ("", *BLOCKERS)}
        assert early["rapamycin"] == pytest.approx(early[""], rel=0.02)
        assert early["anti_bdnf"] == pytest.approx(early[""], rel=0.02)
        assert early["nbqx"] < 0


class TestSlowEnds:
    def test_row_49_a_third_of_the_six_week_effect_of_an_ssri_is_there_at_week_one(self) -> None:
        start = steady_state(M, loop(stress=1))
        hours = np.array([0, 7, 14, 42]) * DAY
        y = simulate(M, start, lambda t, J: loop(stress=1, serotonin=0.8)(J), hours)
        effect = M.clinical_effect(y, start)
        assert effect[1] / effect[3] == pytest.approx(1 / 3, abs=0.1)
        assert effect[1] / effect[3] < effect[2] / effect[3] < 0.75
        assert effect[3] < -0.02
        assert column(y, "mtorc1").max() < 1.1  # no surge

    def test_row_50_pv_cells_lose_integrity_under_strong_repeated_block_and_recover_slowly(
        self,
    ) -> None:
        def hear(t: float, J: float) -> Inputs:
            return Inputs(pv_block=0.7 if t < 48 and t % DAY < 1.5 else 0.0)

        hours = np.array([0, 1.5, 24, 25.5, 48, 5 * DAY, 60 * DAY])
        pv = column(simulate(M, M.healthy_state(), hear, hours), "pv_integrity")
        assert 0.5 < pv[3] < 0.75
        assert pv[3] < pv[4] < pv[5] < 0.9
        assert pv[6] > 0.98

    def test_one_mild_block_leaves_pv_cells_alone(self) -> None:
        y = simulate(M, M.healthy_state(), lambda t, J: Inputs(pv_block=0.12), [0, 2])
        assert column(y, "pv_integrity")[-1] > 0.998

    def test_tolerance_builds_over_days_of_block_and_fades(self) -> None:
        tau = DAY * float(shipped().misuse.tolerance_time)
        y = simulate(
            M, M.healthy_state(), lambda t, J: Inputs(e_block=0.5 * (t < tau)), [0, tau, 4 * tau]
        )
        gain = 0.5 * float(shipped().misuse.tolerance_gain)
        assert column(y, "tolerance")[1] == pytest.approx(gain * (1 - math.exp(-1)), rel=1e-5)
        assert column(y, "tolerance")[2] == pytest.approx(
            gain * (1 - math.exp(-1)) * math.exp(-3), rel=1e-4
        )


class TestReadouts:
    def test_j_is_one_product(self) -> None:
        y = np.array([M.healthy_state()] * 3)
        y[1, STATES.index("weight")] = 1.2
        y[2, STATES.index("scaling")] = 0.9
        y[2, STATES.index("transient")] += 0.1
        assert M.recurrent(y) == pytest.approx([1, 1.2, 0.9 * 1.1])
        assert M.spine_density(y) == pytest.approx([1, 1, 1.1])

    def test_density_changes_by_what_is_formed_and_lost(self) -> None:
        y = course()[40]
        rate = M.rate_of_change(y, loop(stress=1)(float(M.recurrent(y))))
        change = DAY * (column(rate, "transient") + column(rate, "persistent")) / M.spine_density(y)
        assert M.formation(y, 1.0) - M.elimination(y, 1.0) == pytest.approx(change, rel=1e-9)

    def test_vacant_and_persistent_fill_all_sites(self) -> None:
        stressed = steady_state(M, loop(stress=1))
        assert M.vacant(M.healthy_state()) < 0.01
        assert M.vacant(stressed) - M.vacant(M.healthy_state()) == pytest.approx(
            1 - M.spine_density(stressed), rel=1e-6
        )

    def test_structure_leaves_scaling_out_and_j_has_it(self) -> None:
        y = M.healthy_state()
        scaled = y.copy()
        scaled[STATES.index("scaling")] = 1.3
        assert M.structure(scaled) == M.structure(y)
        assert M.clinical_effect(scaled, y) == 0
        assert M.recurrent(scaled) == pytest.approx(1.3 * M.recurrent(y))

    def test_function_is_early_potentiation(self) -> None:
        y = M.healthy_state()
        assert M.function(y) == 1
        y[STATES.index("tag")] = 0.05
        assert M.function(y) == pytest.approx(1.05)
        assert M.structure(y) == pytest.approx(1)
        assert M.clinical_effect(y, M.healthy_state()) < 0

    def test_the_clinical_map_is_a_line_in_the_log_of_strength_that_ends_with_the_scale(
        self,
    ) -> None:
        clinical, y = shipped().clinical, M.healthy_state()

        def of_weight(weight: float, reference: float = 1.0) -> float:
            states = np.array([y, y])
            states[:, STATES.index("weight")] = weight, reference
            return float(M.clinical_effect(*states))

        small = 1e-4
        slope = of_weight(math.exp(small)) / small
        assert slope == pytest.approx(-float(clinical.effect_per_log_strength), rel=1e-5)
        assert of_weight(math.exp(3)) == pytest.approx(-float(clinical.largest_effect), rel=2e-2)
        assert abs(of_weight(1e6)) <= float(clinical.largest_effect)
        assert of_weight(2.0) + of_weight(0.5) == pytest.approx(0)
        assert of_weight(0.8, 0.8) == 0

    def test_many_courses_have_the_effect_of_each(self) -> None:
        y = course()[::8]
        together = M.clinical_effect(y, y[0])
        assert together.shape == (len(y),)
        for one, effect in zip(y, together, strict=True):
            assert M.clinical_effect(one, y[0]) == pytest.approx(effect)
