"""Both clocks at once: rest, steps, jumps, what is asked of the circuit, and a brute-force answer
to compare with.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from circuit_files import NUMBERS, SMALL
from courses import BATH, INFUSION, KETAMINE, RULE, answering, plan, ratios
from slow_reference import steady_state

from plastogen.model.circuit import Drive, measures
from plastogen.model.circuit.activity import (
    Activity,
    State,
    agonist,
    reduce,
    voltages,
)
from plastogen.model.circuit.measures import bin_centres_mV
from plastogen.model.pharmacology.block_kinetics import BlockKinetics, Pool
from plastogen.model.pharmacology.treated_subject import TreatedSubject
from plastogen.model.plasticity.system import STATES, Inputs, SlowModel
from plastogen.simulation import adaptive
from plastogen.simulation.adaptive import ProbeScheduler
from plastogen.simulation.course import Course, Plan, Progress
from plastogen.simulation.probe import CachedProbe, FormulaProbe

DAYS = 24.0


def simulate(given: Plan, progress: Progress | None = None) -> Course:
    """In adaptive steps, whoever answers."""
    if given.method == "direct":
        return adaptive.simulate(given, progress=progress)
    return adaptive.follow(
        given, FormulaProbe(given.circuit, given.rule), progress or (lambda *told: None)
    )[0]


NBQX = {"drug": "nbqx", "occupancy": 0.9, "at": "1.21875 h", "for": "2 h"}


@lru_cache
def infusion(tolerance: float = 0.02) -> Course:
    return simulate(plan(KETAMINE, hours=12, tolerance=tolerance))


@lru_cache
def vehicle(subject: str = "healthy_adult") -> Course:
    return simulate(plan(subject=subject, hours=14 * DAYS))


def at(found: Course, name: str, t_h: float) -> Any:
    return found.arrays[name][int(np.argmin(np.abs(found.t_h - t_h)))]


# rest


@pytest.mark.parametrize(
    "subject", ["healthy_adult", "stressed_adult", "healthy_mouse", "stressed_rat"]
)
def test_without_treatment_nothing_moves_for_two_weeks(subject: str) -> None:
    found = vehicle(subject)
    for name, values in found.arrays.items():
        drift = np.abs(values - values[0]).max(initial=0)
        assert drift <= 1e-9 * max(1.0, np.abs(values[0]).max(initial=0)), name
    assert not found.log["cap_hit"]


def test_the_healthy_rest_is_healthy() -> None:
    first = {name: values[0] for name, values in vehicle().arrays.items()}
    for name in (
        "recurrent",
        "weight",
        "scaling",
        "spine_density",
        "bdnf",
        "ampa_throughput",
        "calcium",
        "balance",
        "structure",
    ):
        assert first[name] == pytest.approx(1, abs=1e-12)
    assert first["glutamate"] == pytest.approx(100)
    assert (first["clinical_effect"], first["tolerance"], first["occupancy"]) == (0, 0, 0)
    assert vehicle().log["probes"] == 1


def test_the_stressed_rest_is_where_circuit_and_synapses_agree() -> None:
    """The root that the slow model finds when it may ask the formula as often as it likes."""
    p = plan(subject="stressed_adult", tolerance=1e-4)
    found, probe, model = simulate(p), FormulaProbe(p.circuit, p.rule), SlowModel(p.plasticity)
    base = probe.measure(Drive(), 1)

    def heard(J: float, inhibition: float) -> Inputs:
        a = probe.measure(Drive(recurrent=J, inhibitory_weight=inhibition), 1)
        return Inputs(**ratios(a, base, RULE), stress=1)

    wanted = steady_state(model, heard, both=True)
    y = np.array([found.arrays[name][0] for name in STATES])
    np.testing.assert_allclose(y, wanted, atol=1e-4)
    assert found.arrays["recurrent"][0] < 0.9
    assert found.arrays["glutamate"][0] == 100
    assert found.arrays["ampa_throughput"][0] < 0.95
    assert found.arrays["clinical_effect"][0] == 0
    assert found.arrays["dissociation"][0] == pytest.approx(0, abs=1e-12)
    formed, lost = found.arrays["spine_formation"][0], found.arrays["spine_elimination"][0]
    assert formed == pytest.approx(lost, rel=1e-9)
    assert lost > 1.01 * vehicle().arrays["spine_elimination"][0]  # stress takes its share


def test_the_resting_state_knows_nothing_of_drugs_given_from_the_start() -> None:
    held = {"blocker": {"drug": "nbqx", "occupancy": 0.9, "at": "-1 h", "for": "4 h"}}
    undosed, dosed = (
        simulate(plan(give, subject="stressed_adult", hours=1)) for give in ({}, held)
    )
    np.testing.assert_array_equal(
        [dosed.arrays[name][0] for name in STATES], [undosed.arrays[name][0] for name in STATES]
    )
    assert (
        at(dosed, "rate_hz", -1)[0] < at(undosed, "rate_hz", -1)[0]
    )  # but the circuit has the drug at once


@pytest.mark.slow
def test_a_stressed_subject_recovers_when_stress_is_lifted() -> None:
    found = simulate(plan(subject="stressed_adult", hours=21 * DAYS, stress=((24.0, 504.0, 0.0),)))
    before = found.t_h <= 24
    assert np.ptp(found.arrays["spine_density"][before]) < 1e-9
    assert (
        at(found, "spine_density", 24)
        < at(found, "spine_density", 10 * DAYS)
        < at(found, "spine_density", 21 * DAYS)
        < 1
    )
    np.testing.assert_array_equal(
        found.arrays["stress"], np.where(found.t_h < 24, 1, found.t_h >= 504)
    )


@pytest.mark.parametrize(
    ("state", "factor"),
    [(state, factor) for state in ("weight", "scaling") for factor in (0.95, 1.05)]
    + [("persistent", 0.95)],  # a healthy subject has no vacant site for more
)
def test_a_pushed_state_returns(state: str, factor: float) -> None:
    found = simulate(plan(start={state: factor}, hours=14 * DAYS))
    away = np.abs(found.arrays[state] / vehicle().arrays[state][0] - 1)
    J = np.abs(found.arrays["recurrent"] - 1)
    assert away[0] == pytest.approx(0.05)
    assert away[-1] < 0.02
    assert J[-1] < max(0.35 * J.max(), 1e-4)


# the whole course again, by brute force


def brute(p: Plan, times: np.ndarray) -> np.ndarray:
    """Slow state at `times`: Heun steps from one to the next, the circuit asked twice in each,
    block exact in each.
    """
    treated = TreatedSubject(p.subject, p.drugs, p.treatments, p.stress)
    k = p.circuit
    kinetics = BlockKinetics(
        [Pool(name, shares) for name, shares in k.pools().items()],
        treated.blockers,
        k.magnesium,
    )
    probe, model = FormulaProbe(k, RULE), SlowModel(p.plasticity)
    base, pools = probe.measure(Drive(), 1), list(k.pools())
    y, blocked = model.healthy_state(), kinetics.start()
    carried = kinetics.carried(measures.unit_currents(k).values())
    path = [y]

    def heard(t: float, y: np.ndarray, blocked: np.ndarray) -> tuple[Activity, Inputs]:
        block = dict(zip(pools, kinetics.fraction(blocked, carried).tolist(), strict=True))
        s = dict(zip(STATES, y.tolist(), strict=True))
        effect = {name: float(x[0]) for name, x in treated.targets(np.array([t])).items()}
        a = probe(
            State(
                nmdar={pool: (1 - b) * (1 + s["tolerance"]) for pool, b in block.items()},
                ampa=effect.get("ampa", 1),
                weight=s["weight"],
                scaling=s["scaling"],
                inhibitory_weight=s["inhibitory_weight"],
                spines=s["transient"] + s["persistent"],
                pv_integrity=s["pv_integrity"],
            ),
            1,
        )
        return a, Inputs(
            **{name: float(x) for name, x in ratios(a, base, RULE).items()},
            rest_current=1 - block["E.rest"],
            pv_block=(block["PV.synaptic"] + block["PV.tonic"]) / 2,
            e_block=(block["E.synaptic"] + block["E.tonic"]) / 2,
        )

    for t0, t1 in pairwise(times):
        a, now = heard(t0, y, blocked)
        slope = model.rate_of_change(y, now)
        bound = np.array(list(agonist(k, a, base).values()))
        where = np.array(list(voltages(k, a).values()))
        held = kinetics.gating(bound, where, bin_centres_mV())
        c = treated.blocker_uM(np.full(3, (t0 + t1) / 2))
        blocked = kinetics.advance(blocked, held, held, brain_uM=c, dt_h=t1 - t0)[-1]
        guess = y + (t1 - t0) * slope
        _, then = heard(np.nextafter(t1, t0), guess, blocked)
        y = y + (t1 - t0) * (slope + model.rate_of_change(guess, then)) / 2
        path.append(y)
    return np.array(path)


@lru_cache
def truth() -> tuple[np.ndarray, np.ndarray]:
    p = plan(KETAMINE, hours=12)
    times = np.concatenate(
        [
            np.arange(0, 2 / 3, 1 / 60),
            2 / 3 + np.arange(0, 2, 1 / 60),
            8 / 3 + np.arange(0, 9.3, 1 / 15),
        ]
    )
    return times, brute(p, times)


def error(tolerance: float) -> float:
    """Largest error of any slow state at any time, as a share of how far that state moves."""
    times, wanted = truth()
    found = infusion(tolerance)
    y = np.stack([found.arrays[name] for name in STATES], -1)
    fine = np.stack([np.interp(found.t_h, times, column) for column in wanted.T], -1)
    shown, moves = (found.t_h >= 0) & (found.t_h <= times[-1]), np.ptp(wanted, axis=0)
    judged = moves > 0.01
    assert judged.sum() >= 6
    return float((np.abs(y - fine)[shown].max(axis=0) / np.where(judged, moves, np.inf)).max())


def test_the_course_is_that_of_brute_force() -> None:
    assert error(0.02) < 0.05
    assert error(0.005) < 0.015


def test_a_smaller_tolerance_brings_a_smaller_error_and_more_probes() -> None:
    errors = [error(tolerance) for tolerance in (0.16, 0.02, 0.005)]
    assert errors[1] < errors[0] / 2
    assert errors[2] < errors[1] / 2
    probes = [infusion(tolerance).log["probes"] for tolerance in (0.16, 0.02, 0.005)]
    assert probes[0] < probes[1] < probes[2]


# jumps


@lru_cache
def held() -> Course:
    edges = tuple(e + side for e in (1.21875, 3.21875) for side in (-1e-6, 0.0, 1e-6))
    return simulate(plan({"blocker": NBQX}, hours=6, also_at=edges))


def test_a_hold_begins_and_ends_to_the_instant() -> None:
    found = held()
    base, blocked = (
        FormulaProbe(answering(), RULE).measure(Drive(ampa=left), 1).rate_hz for left in (1, 0.1)
    )
    for edge, before, after in ((1.21875, base, blocked), (3.21875, blocked, base)):
        np.testing.assert_allclose(at(found, "rate_hz", edge - 1e-6), before, rtol=0.02)
        np.testing.assert_allclose(
            at(found, "rate_hz", edge), before, rtol=0.02
        )  # the instant itself: still before
        np.testing.assert_allclose(at(found, "rate_hz", edge + 1e-6), after, rtol=0.02)
    assert np.abs(np.log(blocked / base)).max() > 0.2


def test_throughput_falls_with_the_receptors_that_carry_it() -> None:
    rate = (
        FormulaProbe(answering(), RULE).measure(Drive(ampa=0.1), 1).rate_hz[0]
        / FormulaProbe(answering(), RULE).measure(Drive(), 1).rate_hz[0]
    )
    assert at(held(), "ampa_throughput", 2) == pytest.approx(0.1 * rate, rel=0.03)
    assert at(held(), "glutamate", 2) == pytest.approx(100 * rate, rel=0.03)


def test_the_slow_state_is_whole_across_a_jump() -> None:
    found = held()
    for name in STATES:
        steps = np.abs(np.diff(found.arrays[name]))[np.diff(found.t_h) < 1e-5]
        assert steps.max() < 1e-5


def test_a_bath_is_followed_from_its_first_to_its_last_moment() -> None:
    found = simulate(plan(BATH, hours=8))
    brain = found.arrays["brain_uM"][:, found.species.index("ketamine")]
    np.testing.assert_array_equal(brain, np.where((found.t_h >= 0) & (found.t_h < 6), 3, 0))
    block = found.arrays["block"][:, found.pools.index("E.synaptic")]
    assert block[found.t_h <= 0].max() == 0
    assert at(found, "block", 5.9)[0] > 0.2
    assert block[-1] < 0.1 * block.max()


@pytest.mark.slow
def test_the_grid_is_filled_without_gaps() -> None:
    course = {**INFUSION, "every": "2 d", "times": 3, "escalate": 1.5}
    found = simulate(
        plan(
            {"course": course, "blocker": {**NBQX, "at": "50 h"}},
            hours=8 * DAYS,
            subject="stressed_adult",
        )
    )
    n = len(found.t_h)
    assert found.t_h[0] == -1
    assert found.t_h[-1] == 8 * DAYS
    for name, values in found.arrays.items():
        assert len(values) == n, name
        assert np.isfinite(values).all(), name
    assert found.arrays["rate_hz"].shape == (n, 3)
    assert found.arrays["block"].shape == (n, 7)
    peaks = [
        found.arrays["brain_uM"][(found.t_h > d) & (found.t_h < d + 2), 0].max()
        for d in (0, 48, 96)
    ]
    assert peaks[1] / peaks[0] == pytest.approx(1.5, rel=0.05)
    assert peaks[2] / peaks[1] == pytest.approx(1.5, rel=0.05)


def test_variables_agree_with_each_other() -> None:
    a = infusion().arrays
    np.testing.assert_allclose(
        a["recurrent"], a["weight"] * a["scaling"] * a["spine_density"], rtol=1e-12
    )
    np.testing.assert_allclose(a["spine_density"], a["transient"] + a["persistent"], rtol=1e-12)
    clinical = plan().plasticity.clinical
    largest = float(clinical.largest_effect)
    np.testing.assert_allclose(a["structure"], a["weight"] * a["spine_density"], rtol=1e-12)
    strength = a["structure"] / a["structure"][0] * (1 + a["tag"]) / (1 + a["tag"][0])
    slope = float(clinical.effect_per_log_strength)
    effect = -largest * np.tanh(slope * np.log(strength) / largest)
    np.testing.assert_allclose(a["clinical_effect"], effect, atol=1e-9)
    brain = a["brain_uM"][:, infusion().species.index("ketamine")]
    np.testing.assert_allclose(a["occupancy"], brain / (brain + 1.42), rtol=1e-9)
    np.testing.assert_allclose(
        a["glutamate"], 100 * a["rate_hz"][:, 0] / a["rate_hz"][0, 0], rtol=1e-9
    )


def test_an_infusion_does_what_its_slopes_say() -> None:
    found = infusion()
    peak = np.argmax(at(found, "block", 2 / 3))
    assert found.pools[peak].startswith("SST")
    t = np.argmin(np.abs(found.t_h - 2 / 3))
    left = dict(zip(found.pools, 1 - found.arrays["block"][t], strict=True))
    drive = reduce(SMALL, State(nmdar=left)).changed(recurrent=found.arrays["recurrent"][t])
    wanted = FormulaProbe(answering(), RULE).measure(drive, 1).rate_hz
    np.testing.assert_allclose(found.arrays["rate_hz"][t], wanted, rtol=0.02)
    assert at(found, "bdnf", 1) > 1.02
    before, onset, late = (at(found, "weight", t) - 1 for t in (-0.5, 0.25, 12))
    assert before == 0
    assert 0 <= onset < 0.1 * late


@pytest.mark.slow
def test_tolerance_brings_receptors_back() -> None:
    """Lasting block is answered by as much more receptor as the file says, and the circuit hears
    it.
    """
    bath = {"bath": {"drug": "ketamine", "brain": "3 uM", "at": "0 h", "for": "480 h"}}
    with_, without = (
        simulate(
            plan(
                bath,
                hours=20 * DAYS,
                switches={"feedback": "off"},
                tuned={"misuse.tolerance_gain": gain},
            )
        )
        for gain in (1, 0)
    )
    pools = [with_.pools.index(pool) for pool in ("E.synaptic", "E.tonic")]
    e_block = with_.arrays["block"][:, pools].mean(axis=1)
    level = at(with_, "tolerance", 19 * DAYS)
    assert level == pytest.approx(at(with_, "tolerance", 20 * DAYS), rel=0.02)
    assert level == pytest.approx(e_block[with_.t_h > 10 * DAYS].mean(), rel=0.05)
    assert not without.arrays["tolerance"].any()
    first = at(without, "rate_hz", -1)
    away = [np.abs(np.log(at(c, "rate_hz", 19.9 * DAYS) / first)) for c in (with_, without)]
    assert (away[0] < 0.85 * away[1]).all()


# what is asked of the circuit


class Counting:
    key = "counting-course"

    def __init__(self) -> None:
        self.calls: list[Drive] = []
        self.circuit = answering()
        self.inner = FormulaProbe(answering(), RULE)

    def measure(self, drive: Drive, seed: int) -> Activity:
        self.calls.append(drive)
        return self.inner.measure(drive, seed)


def told(**numbers: float) -> np.ndarray:
    return Drive(**numbers).array(answering())[None]


def listener(
    tmp_path: Path, *, tolerance: float = 0.08, most: int = 10
) -> tuple[ProbeScheduler, Counting]:
    probe = Counting()
    return ProbeScheduler(CachedProbe(probe, tmp_path), 1, tolerance=tolerance, most=most), probe


class Jittery:
    """The formula; rates and what moves synapses have noise, as those of a window."""

    key, circuit = "jittery", answering()

    def measure(self, drive: Drive, seed: int) -> Activity:
        found = FormulaProbe(self.circuit, RULE).measure(drive, seed)
        rng = np.random.default_rng(int(1e6 * (drive["ampa"] + 7 * drive["gaba"])))
        rate = found.rate_hz * np.exp(0.01 * rng.standard_normal(len(found.rate_hz)))
        factor = np.exp(0.3 * rng.standard_normal(9))
        return replace(
            found,
            rate_hz=rate,
            rate_se_hz=rate / 100,
            potentiation=found.potentiation * factor,
        )


def jittery(tmp_path: Path, *, most: int = 99) -> ProbeScheduler:
    return ProbeScheduler(CachedProbe(Jittery(), tmp_path), 1, tolerance=0.02, most=most)


def without_noise(drive: np.ndarray) -> Activity:
    return FormulaProbe(answering(), RULE).measure(Drive.from_array(answering(), drive[0]), 1)


def test_all_answers_together_have_less_noise_than_each(tmp_path: Path) -> None:
    ears = jittery(tmp_path)
    asked = [told(ampa=left) for left in np.linspace(0.8, 1, 14)]
    before = [ears.answer(drive) for drive in asked]
    assert not ears.smooth
    assert ears.start_again()
    assert ears.smooth
    after = [ears.answer(drive) for drive in asked]
    true = [without_noise(drive) for drive in asked]

    def missed(found: list[Activity], name: str) -> float:
        pairs = zip(found, true, strict=True)
        return float(
            np.std([np.log(np.ravel(getattr(a, name))[0] / getattr(b, name)[0]) for a, b in pairs])
        )

    assert missed(before, "potentiation") > 0.2
    assert missed(after, "potentiation") < missed(before, "potentiation") / 2
    assert missed(after, "rate_hz") < missed(before, "rate_hz")
    assert len(ears.measured) == len(asked)  # nothing was asked again
    between = [ears.answer(told(ampa=left)).rate_hz[0, 0] for left in np.linspace(0.9, 0.91, 5)]
    assert np.abs(np.diff(np.log(between), n=2)).max() < 1e-3  # it does not jump


def test_few_answers_and_those_without_noise_stand_one_by_one(tmp_path: Path) -> None:
    few = jittery(tmp_path / "few")
    for left in np.linspace(0.8, 1, 7):
        few.answer(told(ampa=left))
    assert few.noisy
    assert not few.start_again()
    quiet = ProbeScheduler(
        CachedProbe(FormulaProbe(answering(), RULE), tmp_path / "quiet"), 1, tolerance=0.02, most=99
    )
    for left in np.linspace(0.8, 1, 14):
        quiet.answer(told(ampa=left))
    assert not quiet.noisy
    assert not quiet.start_again()


def test_with_enough_noisy_answers_they_stand_together_at_once(tmp_path: Path) -> None:
    ears = jittery(tmp_path)
    for left in np.linspace(0.7, 1, 24):
        ears.answer(told(ampa=left))
    assert not ears.smooth
    ears.answer(told(ampa=0.8061))
    assert ears.smooth
    assert len(ears.measured) == 24


def test_a_number_that_was_hardly_moved_is_asked_about(tmp_path: Path) -> None:
    ears = jittery(tmp_path, most=16)
    for k, left in enumerate(np.linspace(0.8, 1, 14)):  # of `gaba`, too little to see it matter
        ears.answer(told(ampa=left, gaba=1 + 0.002 * (k % 2)))
    assert ears.start_again()
    found = ears.answer(told(gaba=0.9))
    assert len(ears.measured) == 15
    true = without_noise(told(gaba=0.9)).rate_hz[0]
    assert found.rate_hz[0, 0] == pytest.approx(true, rel=0.05)
    assert ears.answer(told(gaba=0.9)).rate_hz[0, 0] == found.rate_hz[0, 0]
    assert len(ears.measured) == 15  # once is enough
    ears.answer(told(gaba=0.8))
    assert not ears.cap_hit
    ears.answer(told(gaba=0.7))
    assert ears.cap_hit
    assert ears.furthest == pytest.approx(0.1)
    assert len(ears.measured) == 16


def test_a_drive_near_one_already_asked_gets_the_same_answer(tmp_path: Path) -> None:
    ears, probe = listener(tmp_path)
    first = ears.answer(told())
    assert ears.answer(told(ampa=0.991, recurrent=1.009)) is first
    second = ears.answer(told(ampa=0.98))
    assert second is not first
    assert ears.answer(told(ampa=0.983)) is second  # the nearer of two
    assert probe.calls == [Drive(), Drive(ampa=0.98)]
    assert not ears.cap_hit


def test_no_more_than_the_cap_is_asked_and_the_hit_is_reported(tmp_path: Path) -> None:
    ears, probe = listener(tmp_path, most=2)
    ears.answer(told())
    low = ears.answer(told(ampa=0.5))
    assert not ears.cap_hit
    assert ears.answer(told(ampa=0.505)) is low
    assert not ears.cap_hit  # near enough: nothing was lost
    assert ears.answer(told(ampa=0.6)) is low
    assert ears.cap_hit
    assert ears.furthest == pytest.approx(0.1)
    assert len(probe.calls) == 2


def test_a_frozen_listener_does_not_listen(tmp_path: Path) -> None:
    ears, probe = listener(tmp_path)
    ears.frozen = ears.answer(told())
    assert ears.answer(told(ampa=0.1)) is ears.frozen
    assert len(probe.calls) == 1


def test_the_cap_of_a_course_is_kept_and_reported() -> None:
    few = simulate(plan(KETAMINE, hours=3, max_probes=4))
    assert few.log["cap_hit"] is True
    assert few.log["probes"] == 4
    assert infusion().log["cap_hit"] is False
    assert 10 < infusion().log["probes"] < 200
    assert np.isfinite(few.arrays["weight"]).all()


def test_what_is_remembered_is_not_simulated_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PLASTOGEN_CACHE", str(tmp_path))
    one, two = (simulate(plan(KETAMINE, hours=2)) for _ in range(2))
    assert (one.log["remembered"], two.log["simulated"]) == (0, 0)
    assert one.log["simulated"] == two.log["remembered"] == one.log["probes"]
    assert all(np.array_equal(one.arrays[name], two.arrays[name]) for name in one.arrays)


def test_the_order_of_arms_is_of_no_account(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    arms = {
        "vehicle": plan(hours=3),
        "ketamine": plan(KETAMINE, hours=3),
        "nbqx": plan({"b": NBQX}, hours=3),
    }
    found: list[dict[str, Course]] = []
    for n, order in enumerate((list(arms), list(reversed(arms)))):
        monkeypatch.setenv("PLASTOGEN_CACHE", str(tmp_path / str(n)))
        found.append({name: simulate(arms[name]) for name in order})
    for name in arms:
        for variable, values in found[0][name].arrays.items():
            np.testing.assert_array_equal(
                values, found[1][name].arrays[variable], err_msg=f"{name} {variable}"
            )


def test_other_probes_are_not_answered_with_the_formula_s_memory() -> None:
    """Two circuits in one cache: each gets its own answers."""
    one, other = (
        simulate(plan(KETAMINE, hours=2, circuit=answering(gains=g))) for g in ("own", "flat")
    )
    assert np.ptp(one.arrays["rate_hz"][:, 0]) > 0.1
    assert np.ptp(other.arrays["rate_hz"], axis=0).max() == 0


def test_progress_goes_from_nothing_to_all() -> None:
    told: list[tuple[str, float]] = []
    simulate(plan(KETAMINE, hours=2), progress=lambda what, share: told.append((what, share)))
    shares = [share for what, share in told if what == "course"]
    assert shares == sorted(shares)
    assert 0 < shares[0] < 0.6
    assert shares[-1] == 1


# the error of a step


def moved(rate: float, se: float) -> Activity:
    base = FormulaProbe(answering(), RULE).measure(Drive(), 1)
    return replace(base, rate_hz=np.array([rate, 12.0, 8.0]), rate_se_hz=np.full(3, se))


def step_error(
    first: Activity, last: Activity, slow: float = 0.0, tolerance: float = 0.02
) -> float:
    y = np.zeros(len(STATES))
    p = plan(tolerance=tolerance)
    return adaptive._error(p, first, last, y, y + slow)


def test_the_error_of_a_step_is_the_largest_of_the_slow_state_in_tolerances() -> None:
    same = moved(5, 0)
    assert step_error(same, same, slow=0.01) == pytest.approx(0.5)
    assert step_error(same, same, slow=-0.01, tolerance=0.005) == pytest.approx(2)


def test_noise_does_not_shorten_a_step_but_a_real_change_does() -> None:
    assert step_error(moved(5, 0.2), moved(5.5, 0.2)) == 0
    assert step_error(moved(5, 0.0), moved(5.5, 0.0)) == pytest.approx(
        np.log(1.1) / (5 * 0.02), rel=0.05
    )
    assert step_error(moved(5, 0.2), moved(8, 0.2)) > 1


def test_a_circuit_that_jumps_is_followed_in_the_shortest_steps(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """No step is ever good enough: each is taken all the same, wherever rounding puts its end."""
    monkeypatch.setattr(adaptive, "_error", lambda *told: 2.0)
    found = simulate(plan(hours=3.5, start_h=3.21875))
    assert 0.28125 / adaptive.SHORTEST_STEP_H <= found.log["steps"] < 100


def test_an_answer_that_is_not_finite_ends_the_course() -> None:
    """It would have to be followed in the shortest steps otherwise, for hours."""
    assert np.isnan(step_error(moved(5, np.nan), moved(5, 0.1)))
    plain = FormulaProbe.measure

    def measure(self: FormulaProbe, drive: Drive, seed: int) -> Activity:
        found = plain(self, drive, seed)
        return found if drive == Drive() else replace(found, rate_se_hz=np.full(3, np.nan))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(FormulaProbe, "measure", measure)
        patch.setattr(FormulaProbe, "key", "answers that are not finite")
        with pytest.raises(
            RuntimeError, match=r"cannot go on past \S+ h: what the circuit answers is not finite"
        ):
            simulate(plan(KETAMINE, hours=12))


def test_a_class_that_falls_silent_has_a_finite_error() -> None:
    assert np.isfinite(step_error(moved(5, 0.1), moved(0, 0.0)))


# with the network


@pytest.mark.network
def test_with_the_network_too_nothing_moves_without_treatment() -> None:
    found = simulate(plan(method="direct", hours=14 * DAYS))
    for name, values in found.arrays.items():
        assert np.abs(values - values[0]).max(initial=0) <= 1e-9 * max(
            1.0, np.abs(values[0]).max(initial=0)
        ), name
    assert found.log["probes"] == 1
    assert found.log["backend"] == "cpp"


@pytest.mark.slow
@pytest.mark.network
def test_a_direct_course_is_the_same_again_and_differs_by_seed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(adaptive, "SNAPSHOT_S", 2)
    given = {
        "snapshots": {"before": -0.5, "during": 0.5},
        "tolerance": 0.1,
        "hours": 2.0,
        "method": "direct",
    }
    kept = adaptive.NetworkProbe
    monkeypatch.setattr(
        adaptive,
        "CachedProbe",
        lambda probe, **more: CachedProbe(
            probe, tmp_path / str(len(list(tmp_path.iterdir()))), **more
        ),
    )
    one, two, other = (
        simulate(plan(KETAMINE, **given)),
        simulate(plan(KETAMINE, **given)),
        simulate(plan(KETAMINE, seed=2, **given)),
    )
    assert adaptive.NetworkProbe is kept
    assert one.log["remembered"] == two.log["remembered"] == 0
    for name, values in one.arrays.items():
        np.testing.assert_array_equal(values, two.arrays[name], err_msg=name)
    assert not np.array_equal(one.arrays["rate_hz"], other.arrays["rate_hz"])
    for name, shot in one.snapshots.items():
        assert all(np.array_equal(shot[part], two.snapshots[name][part]) for part in shot)


@pytest.mark.network
def test_snapshots_are_long_stretches_at_the_drive_of_their_moment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(adaptive, "SNAPSHOT_S", 4)
    moments = {"before": -0.5, "during": 0.5, "start": -5.0, "held": 0.9}
    give = KETAMINE | {"b": {"drug": "nbqx", "occupancy": 0.5, "at": "0.9 h", "for": "1 h"}}
    told: list[str] = []
    found = simulate(
        plan(give, method="direct", tolerance=0.1, hours=1, snapshots=moments),
        progress=lambda what, share: told.append(what),
    )
    shots = found.snapshots
    assert set(shots) == set(moments)
    assert [what for what in told if what.startswith("snapshot")] == [
        f"snapshot {name}" for name in shots
    ]
    np.testing.assert_array_equal(shots["before"]["drive"], Drive().array(SMALL))
    np.testing.assert_array_equal(shots["start"]["drive"], shots["before"]["drive"])
    during = dict(zip(NUMBERS, shots["during"]["drive"], strict=True))
    left = 1 - at(found, "block", 0.5)[found.pools.index("SST.tonic")]
    assert during["tonic_SST"] == pytest.approx(left * (1 + at(found, "tolerance", 0.5)), abs=0.01)
    assert dict(zip(NUMBERS, shots["held"]["drive"], strict=True))["ampa"] == 0.5
    for shot in shots.values():
        assert shot["t_s"].max() == pytest.approx(4, abs=0.2)
        assert len(shot["t_s"]) == len(shot["i"])
        frequency, density = shot["frequency_hz"], shot["spectrum"]
        assert shot["gamma_power"] == pytest.approx(
            measures.band_power(frequency, density, (30, 80))
        )
        assert shot["delta_power"] == pytest.approx(
            measures.band_power(frequency, density, (0.1, 4))
        )
        assert 30 <= shot["gamma_peak_hz"] <= 80
        n = [
            np.sum((shot["i"] >= a) & (shot["i"] < b))
            for a, b in ((0, 200), (200, 230), (230, 250))
        ]
        np.testing.assert_allclose(shot["rate_hz"], np.array(n) / (np.array([200, 30, 20]) * 4))
    np.testing.assert_array_equal(shots["start"]["t_s"], shots["before"]["t_s"])
    network = adaptive.NetworkProbe(
        answering(), seconds=4, settle_s=0.5
    )  # input noise of its own, not a probe's
    own = network.spikes(Drive(), 1, noise="snapshot").t_s
    np.testing.assert_array_equal(shots["before"]["t_s"], own.astype(np.float32))
    assert not np.array_equal(own, network.spikes(Drive(), 1).t_s)


SMOOTH = ("rate_hz", "glutamate", "bdnf", "mtorc1", "weight", "spine_density")


def test_a_formula_course_has_no_saw_teeth() -> None:
    """After one infusion nothing turns more than three times, beyond a thousandth of its range."""
    found = infusion().arrays
    for name in SMOOTH:
        values = found[name].reshape(len(found[name]), -1)
        steps = np.diff(values, axis=0)
        steps[np.abs(steps) <= 1e-3 * np.ptp(values, axis=0)] = 0
        for column in steps.T:
            signs = np.sign(column[column != 0])
            assert np.count_nonzero(np.diff(signs)) <= 3, name
