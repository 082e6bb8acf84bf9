"""The emulator: right where it was told, unsure where it was not, and honest about how unsure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from circuit_files import SMALL
from courses import KETAMINE, RULE, answering, plan
from scipy.linalg import cho_solve

from plastogen.errors import CacheDamaged
from plastogen.model.circuit import Drift, Drive, balance
from plastogen.model.circuit.activity import Activity, derive_activity
from plastogen.simulation import train_emulator
from plastogen.simulation.balance_surface import BalanceSurface
from plastogen.simulation.course import Plan
from plastogen.simulation.drift_surface import COLUMNS, drift_from
from plastogen.simulation.emulator import Emulator, columns
from plastogen.simulation.lockstep import Lockstep, simulate_with_errors
from plastogen.simulation.probe import CachedProbe, FormulaProbe
from plastogen.simulation.rate_surface import RateSurface, places
from plastogen.simulation.train_emulator import (
    FEWEST,
    LATTICE,
    NEARLY,
    TrainedEmulator,
    train,
    worth_a_round,
)

CIRCUIT = answering()
FORMULA = FormulaProbe(CIRCUIT, RULE)
SILENCE = SMALL.drive_numbers.index("silence")
NOISE, APART = 0.01, 0.05  # of log rates: from question to question, and between seeds
WAVER = 0.1  # of the log of potentiation, by class, in one window


class Noisy:
    """The formula, with the noise of a probe (none at `noise` 0) and seeds that answer a little
    differently.
    """

    key, circuit = "noisy", CIRCUIT

    def __init__(self, noise: float = NOISE) -> None:
        self.noise = noise

    def measure(self, drive: Drive, seed: int) -> Activity:
        found = FORMULA.measure(drive, seed)
        rng = np.random.default_rng([seed, *np.rint(1e6 * drive.array(SMALL)).astype(int).tolist()])
        own = APART * np.sin(seed) * (drive["tonic_SST"] - 1) * 5
        rate = found.rate_hz * np.exp(own + self.noise * rng.standard_normal(3))
        return derive_activity(
            CIRCUIT,
            drive,
            rate_hz=rate,
            rate_se_hz=found.rate_se_hz,
            bound=found.bound,
            pattern_shift=found.pattern_shift,
            voltage=found.voltage,
            drift=Drift(found.potentiation, found.depression, found.drift_variance),
        )


def drives(n: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    names = SMALL.drive_numbers
    found = np.ones((n, len(names)))
    found[:, :6] = 1 - 0.3 * rng.random((n, 1)) - 0.05 * rng.random((n, 6))
    found[:, names.index("recurrent")] = 1 + 0.15 * rng.standard_normal(n)
    found[:, SILENCE] = 0
    return found


def told(n: int, *, noisy: bool = True) -> Emulator:
    asked = np.vstack([Drive().array(SMALL), Drive().array(SMALL), drives(n)])
    seeds = np.array([1, 2, *(1 + np.arange(n) % 2)])
    probe = Noisy() if noisy else FORMULA
    answers = [
        probe.measure(Drive.from_array(SMALL, d), int(s)) for d, s in zip(asked, seeds, strict=True)
    ]
    return Emulator.fit(CIRCUIT, asked, seeds, answers)


@pytest.fixture(scope="module")
def trained() -> Emulator:
    return told(60)


def test_it_gives_back_what_it_was_told() -> None:
    emulator = told(40, noisy=False)
    found = emulator.measure(Drive.from_array(SMALL, emulator.drives), emulator.seeds)
    true = FORMULA.measure(Drive.from_array(SMALL, emulator.drives), emulator.seeds)
    np.testing.assert_allclose(found.rate_hz, true.rate_hz, rtol=2e-3)
    np.testing.assert_allclose(found.bound, true.bound, rtol=1e-2)
    np.testing.assert_allclose(found.calcium, true.calcium, rtol=2e-2)
    np.testing.assert_allclose(found.voltage.sum(axis=-1), 1)
    for name in ("potentiation", "depression", "drift_variance"):
        error = np.log(getattr(found, name) / getattr(true, name))
        assert np.sqrt((error**2).mean()) < 0.1


def test_it_answers_between(trained: Emulator) -> None:
    asked = drives(200, seed=5)
    errors = np.log(
        trained.measure(Drive.from_array(SMALL, asked), 1).rate_hz
        / FORMULA.measure(Drive.from_array(SMALL, asked), 1).rate_hz
    )
    own = APART * np.sin(1) * (asked[:, 5] - 1) * 5
    assert np.sqrt(((errors[:, 0] - own) ** 2).mean()) < NOISE


def test_an_answer_has_the_same_bits_whatever_else_is_asked(trained: Emulator) -> None:
    asked, seeds = drives(100, seed=5), 1 + np.arange(100) % 2
    together = trained.measure(Drive.from_array(SMALL, asked), seeds)
    for some in (slice(0, 1), slice(3, 40), slice(37, 97, 2)):
        apart = trained.measure(Drive.from_array(SMALL, asked[some]), seeds[some])
        whole = together.arrays()
        for name, values in apart.arrays().items():
            assert values.tobytes() == whole[name][some].tobytes(), name


def test_courses_of_an_emulator_do_not_depend_on_those_beside_them(trained: Emulator) -> None:
    plans = doses(0.2, 0.5, 1.0)
    together = Lockstep(plans, trained).simulate()
    for one, whole in zip(
        [Lockstep([given], trained).simulate()[0] for given in plans], together, strict=True
    ):
        for name, values in one.arrays.items():
            assert values.tobytes() == whole.arrays[name].tobytes(), name


def test_its_errors_are_as_large_as_it_says(trained: Emulator) -> None:
    asked = drives(300, seed=6)
    log = np.log(
        trained.measure(Drive.from_array(SMALL, asked), 1).rate_hz[:, 0]
        / FORMULA.measure(Drive.from_array(SMALL, asked), 1).rate_hz[:, 0]
    )
    away = log - APART * np.sin(1) * (asked[:, 5] - 1) * 5
    within = np.abs(away) <= 2 * trained.error(asked, 1)[:, 0] + 2 * NOISE / np.sqrt(30)
    assert within.mean() > 0.85


def test_it_knows_where_it_was_told_nothing(trained: Emulator) -> None:
    far = Drive(ampa=0.3).array(SMALL)[None]
    assert trained.error(far, 1)[0, 0] > 5 * trained.error(drives(5, seed=7), 1)[:, 0].max()


def test_at_baseline_there_is_no_error_of_a_change_from_it(trained: Emulator) -> None:
    assert trained.error(Drive().array(SMALL)[None], 1)[0, 0] == pytest.approx(0, abs=1e-6)


def test_seeds_learn_from_each_other_but_stay_apart(trained: Emulator) -> None:
    low = drives(1, seed=8)
    low[:, 5] = 0.65
    rates = [trained.measure(Drive.from_array(SMALL, low), seed).rate_hz[0, 0] for seed in (1, 2)]
    gap = APART * (np.sin(1) - np.sin(2)) * (0.65 - 1) * 5
    assert np.log(rates[0] / rates[1]) == pytest.approx(gap, abs=0.02)
    unseen = trained.error(low, 3)[0, 0]
    assert trained.error(low, 1)[0, 0] < unseen < 0.1


def test_moved_answers_are_one_standard_error_away(trained: Emulator) -> None:
    asked = drives(20, seed=9)
    healthy = np.broadcast_to(Drive().array(SMALL), asked.shape)
    plain, moved = (
        e.measure(Drive.from_array(SMALL, asked), 1).rate_hz[:, 0]
        for e in (trained, trained.moved(healthy))
    )
    step = np.log(moved / plain)
    assert (step > trained.error(asked, 1)[:, 0]).all()  # the noise of one probe is in it
    assert (step < 0.2).all()
    at_rest = trained.moved(healthy[:1]).measure(Drive.from_array(SMALL, healthy[:1]), 1)
    np.testing.assert_allclose(
        at_rest.rate_hz, trained.measure(Drive.from_array(SMALL, healthy[:1]), 1).rate_hz
    )


def test_a_course_says_how_far_the_error_of_its_answers_moves_it(learned: TrainedEmulator) -> None:
    pairs = simulate_with_errors(doses(0.6, 0.6), learned.emulator)
    for found, moved in pairs:
        away = np.abs(moved.arrays["weight"] - found.arrays["weight"]).max() / np.ptp(
            found.arrays["weight"]
        )
        assert 0.003 < away < 0.5
        assert moved.arrays["weight"][0] == pytest.approx(found.arrays["weight"][0], rel=1e-3)


def test_an_answer_left_out_is_missed_by_about_the_noise(trained: Emulator) -> None:
    assert NOISE / 2 < np.sqrt((trained.held_out()[:, 0] ** 2).mean()) < 4 * NOISE


def test_silence_is_learned_too() -> None:
    asked = np.vstack(
        [Drive().array(SMALL), *[Drive(silence=s).array(SMALL) for s in np.linspace(0.05, 1, 20)]]
    )
    answers = [FORMULA.measure(Drive.from_array(SMALL, d), 1) for d in asked]
    emulator = Emulator.fit(CIRCUIT, asked, np.ones(len(asked), int), answers)
    rate = emulator.measure(Drive(silence=np.array([0.9])), 1).rate_hz  # type: ignore[arg-type]
    assert 0 <= rate[0, 0] < 0.3


def test_it_is_the_same_when_read_back(trained: Emulator, tmp_path: Path) -> None:
    trained.save(tmp_path / "e.npz")
    again = Emulator.load(tmp_path / "e.npz", CIRCUIT)
    asked = drives(7, seed=3)
    for name, values in trained.measure(Drive.from_array(SMALL, asked), 1).arrays().items():
        np.testing.assert_array_equal(
            again.measure(Drive.from_array(SMALL, asked), 1).arrays()[name], values
        )
    assert again.key == trained.key != told(10).key
    (tmp_path / "e.npz").write_bytes((tmp_path / "e.npz").read_bytes()[:-40])
    with pytest.raises(CacheDamaged):
        Emulator.load(tmp_path / "e.npz", CIRCUIT)


def test_columns_and_places_say_what_they_hold() -> None:
    answer = FORMULA.measure(Drive(), 1)
    assert columns([answer])[0, 0] == pytest.approx(np.log(answer.rate_hz[0] + 0.1))
    assert places(drives(3), [1, 2, 3]).shape == (3, len(SMALL.drive_numbers) + 1)


# learning


def doses(*values: float) -> list:
    return [
        plan(
            {"infusion": KETAMINE["infusion"] | {"dose": f"{d} mg/kg"}},
            subject="stressed_adult",
            hours=12,
            seed=1 + i % 2,
        )
        for i, d in enumerate(values)
    ]


class Each:
    """What a probe answers, drive by drive."""

    def __init__(self, probe: Noisy) -> None:
        self.probe = probe

    def measure(self, drive: Drive, seed: object) -> Activity:
        rows = drive.array(SMALL)
        asked = zip(rows, np.broadcast_to(seed, len(rows)), strict=True)
        each = [
            self.probe.measure(Drive.from_array(SMALL, row), int(s)).arrays() for row, s in asked
        ]
        return Activity(**{name: np.stack([one[name] for one in each]) for name in each[0]})


@pytest.fixture(scope="module")
def probes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the answers that were asked for `learned` are kept."""
    return tmp_path_factory.mktemp("probes")


@pytest.fixture(scope="module")
def learned(probes: Path) -> TrainedEmulator:
    return train(doses(0.1, 0.3, 1, 2), CachedProbe(Noisy(), probes), workers=2)


def test_learning_ends_when_every_drive_met_is_sure_enough(learned: TrainedEmulator) -> None:
    assert learned.error <= NEARLY * learned.tolerance  # a few questions are not worth a round
    assert 10 < learned.asked < 200
    assert learned.remembered == 0


def test_a_course_it_never_saw_comes_out_as_without_noise(learned: TrainedEmulator) -> None:
    (unseen,) = doses(0.6)
    near, true = (
        Lockstep([unseen], answers).simulate()[0].arrays["weight"]
        for answers in (learned.emulator, Each(Noisy(0)))
    )
    assert np.abs(near - true).max() < 0.2 * np.ptp(true)


def test_what_is_on_disk_saves_questions_and_changes_nothing(
    learned: TrainedEmulator, probes: Path
) -> None:
    """Nor does how many workers ask."""
    again = train(doses(0.1, 0.3, 1, 2), CachedProbe(Noisy(), probes), workers=1)
    assert again.emulator.key == learned.emulator.key
    assert again.asked == 0
    assert again.remembered == learned.asked


def test_plans_are_followed_by_whoever_is_given_to_the_same_bits(
    learned: TrainedEmulator, probes: Path
) -> None:
    given = []

    def backwards(work: Callable[[Any], Any], items: list[Any]) -> list[Any]:
        given.append(len(items))
        return [work(item) for item in reversed(items)][::-1]

    told = CachedProbe(Noisy(), probes)
    again = train(doses(0.1, 0.3, 1, 2), told, workers=2, spread=backwards)
    assert again.emulator.key == learned.emulator.key
    assert len(given) > 1


def test_where_a_circuit_is_silent_no_balance_is_asked_for() -> None:
    """Synapses hear next to nothing there."""
    drives = np.array([Drive(silence=x).array(SMALL) for x in (0, 0.1, 1, 2)])
    seeds, starts = np.ones(4, dtype=np.int64), np.repeat(drives[:1], 4, axis=0)
    answers = [Noisy(0).measure(Drive.from_array(SMALL, d), 1) for d in drives]
    emulator = Emulator.fit(SMALL, drives, seeds, answers, refit=False)
    met = train_emulator._Met(drives, seeds, starts)
    all_heard, little = (
        train_emulator._unsureness(emulator, met, 0.005, 0.01, quiet=quiet)[1]
        for quiet in (0.0, 0.02)
    )
    assert little[3] < all_heard[3] / 2
    assert little[1] > 0.9 * all_heard[1] > 0


def test_questions_between_the_ends_lie_on_the_lattice(learned: TrainedEmulator) -> None:
    scaled = learned.emulator.drives * LATTICE
    off = np.abs(scaled - np.rint(scaled)).max(axis=1) > 1e-9
    assert 0 < off.sum() <= 2 * 2 * scaled.shape[1]  # ends, of two seeds
    assert (~off).sum() > 10


class Wavering(Noisy):
    """Synapses of which one window tells little: a few per cent of where they are driven to."""

    key = "wavering"

    def measure(self, drive: Drive, seed: int) -> Activity:
        found = super().measure(drive, seed).arrays()
        rng = np.random.default_rng([seed, *np.rint(1e6 * drive.array(SMALL)).astype(int).tolist()])
        waver = np.exp(WAVER * rng.standard_normal(len(found["potentiation"])))
        return Activity(**{**found, "potentiation": found["potentiation"] * waver})


def test_learning_goes_on_until_the_balance_of_synapses_is_sure(tmp_path: Path) -> None:
    """64 answers made a seed forget under the dose under which 640 made it learn."""
    plans = doses(0.3, 1)
    found = train(plans, CachedProbe(Wavering(), tmp_path), workers=2)
    assert found.balance_error <= NEARLY * found.balance_tolerance
    assert found.about()["balance_error"] == pytest.approx(found.balance_error, rel=1e-3)
    (one, true) = (
        Lockstep(plans[:1], answers).simulate()[0].arrays["balance"]
        for answers in (found.emulator, Each(Noisy(0)))
    )
    missed = (one / one[0]) / (true / true[0]) - 1
    assert np.abs(missed).max() < 3 * found.balance_error


def test_plans_that_are_sure_are_followed_again_at_the_end_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rest = plan({}, subject="healthy_adult", hours=12)
    plans, followed = [*doses(0.3, 1), rest], []
    met = train_emulator._met

    def told(given: list[Plan], chosen: list[int], *others: Any) -> object:
        followed.append(list(chosen))
        return met(given, chosen, *others)

    monkeypatch.setattr(train_emulator, "_met", told)
    found = train(plans, CachedProbe(Wavering(), tmp_path), workers=2)
    assert followed[0] == followed[-1] == [0, 1, 2]
    assert sum(len(chosen) for chosen in followed) < 3 * len(followed)
    assert found.balance_error <= NEARLY * found.balance_tolerance


def test_the_balance_is_that_of_all_classes_and_as_sure_as_it_says() -> None:
    asked = np.vstack([Drive().array(SMALL), drives(80)])
    answers = [Wavering(0).measure(Drive.from_array(SMALL, d), 1) for d in asked]
    known = Emulator.fit(CIRCUIT, asked, np.ones(len(asked), dtype=np.int64), answers)
    new = drives(200, seed=5)
    start = np.repeat(asked[:1], len(new), axis=0)
    said, true = (
        balance(found.potentiation, found.depression)
        for found in (
            e.measure(Drive.from_array(SMALL, np.vstack([start[:1], new])), np.ones(201))
            for e in (known, FORMULA)
        )
    )
    missed = (said[1:] / said[0]) / (true[1:] / true[0]) - 1
    unsure = known.balance_error(new, start, 1)
    assert (unsure < WAVER / 3).all()  # of one class in one window
    assert 0.3 < np.sqrt((missed**2 / unsure**2).mean()) < 2
    assert known.balance_error(start, start, 1).max() == 0


def test_an_answer_has_the_balance_that_all_classes_have_together() -> None:
    asked = drives(60)
    seeds = np.ones(len(asked), dtype=np.int64)
    answers = [Wavering().measure(Drive.from_array(SMALL, d), 1) for d in asked]
    known = Emulator.fit(CIRCUIT, asked, seeds, answers)
    new = drives(20, seed=9)
    found = known.measure(Drive.from_array(SMALL, new), 1)
    said = balance(found.potentiation, found.depression)
    alike = known.surface.alike(places(new, 1), known.asked)
    others = np.repeat(known.values[:1, -COLUMNS:], len(new), axis=0)  # of whatever classes
    true = drift_from(known.balance.towards(others, *alike)).balance
    np.testing.assert_allclose(said / true, 1, atol=2e-3)


def test_a_balance_left_out_is_what_the_others_say_of_it(trained: Emulator) -> None:
    whole, columns = trained.balance, trained.values[:, -COLUMNS:]
    rest = np.arange(len(columns)) != 7
    fewer = BalanceSurface(whole.surface, whole.told[rest], columns[rest], whole.theta)
    # middle and scale are those of all
    fewer._little, fewer._middle, fewer._spread = whole._little, whole._middle, whole._spread
    odds = whole._odds(columns)
    scaled = (odds[rest] - whole._middle) / whole._spread
    fewer._alpha = cho_solve((fewer._lower, True), scaled)
    alike = whole.surface.alike(whole.told[7:8], fewer.told)
    found = fewer._odds(fewer.towards(columns[7:8], *alike))
    np.testing.assert_allclose(odds[7] - found, whole.held_out()[7], rtol=1e-4, atol=1e-6)


def test_moved_answers_have_their_balance_a_standard_error_higher(trained: Emulator) -> None:
    asked = drives(20, seed=9)
    healthy = np.broadcast_to(Drive().array(SMALL), asked.shape)
    plain, moved = (
        (found.potentiation, found.depression)
        for found in (
            e.measure(Drive.from_array(SMALL, asked), 1) for e in (trained, trained.moved(healthy))
        )
    )
    low, high = balance(*plain), balance(*moved)
    odds = np.log(high / (1 - high)) - np.log(low / (1 - low))
    np.testing.assert_allclose(odds, trained.balance_error(asked, healthy, 1), rtol=0.1)
    np.testing.assert_allclose(sum(moved), sum(plain), rtol=1e-3)  # what acts in all stays


def silencer(occupancy: float) -> Plan:
    held = {"drug": "spike_silencer", "occupancy": occupancy, "at": "0 h", "for": "3 h"}
    return plan({"held": held}, subject="stressed_adult", hours=6)


class Cliff(Noisy):
    """A circuit that a hundredth of silencing takes an eighth of its rate."""

    key = "cliff"

    def measure(self, drive: Drive, seed: int) -> Activity:
        found = super().measure(drive, seed).arrays()
        rate = found["rate_hz"] * np.exp(-12.7 * drive["silence"])
        return Activity(**{**found, "rate_hz": rate})


@pytest.mark.parametrize("occupancy", [0.002, 0.01])
def test_every_number_that_plans_move_is_asked_at_its_ends(
    occupancy: float, tmp_path: Path
) -> None:
    """A silencer of 1 % had no effect, 1.000 +/- 0.011, where the network gives 0.881."""
    asked = silencer(occupancy)
    found = train([asked], CachedProbe(Cliff(0.002), tmp_path), workers=1)
    ((course, moved),) = simulate_with_errors([asked], found.emulator)
    (true,) = Lockstep([asked], Each(Cliff(0.0))).simulate()
    at = int(np.searchsorted(course.t_h, 1.5))
    near, high, wanted = (
        c.arrays["rate_hz"][at, 0] / c.arrays["rate_hz"][0, 0] for c in (course, moved, true)
    )
    assert wanted < 1 - 10 * occupancy
    assert near == pytest.approx(wanted, abs=max(3 * abs(high - near), 0.01))
    assert found.emulator.drives[:, SILENCE].max() == pytest.approx(occupancy, abs=1e-3)
    assert "silence" in found.held_out_by_axis or occupancy < 0.005
    assert course.log["beyond"] == ""
    ((far, _),) = simulate_with_errors([silencer(0.5)], found.emulator)
    assert "silence 0.5 (asked 0 to" in far.log["beyond"]


def test_errors_are_as_large_as_those_of_answers_left_out() -> None:
    """A surface that is too stiff along a number takes what it does for noise; left out, it shows."""
    asked = drives(40)
    asked[::4, SILENCE] = 0.01
    probe = Cliff(0.002)
    answers = [probe.measure(Drive.from_array(SMALL, d), 1) for d in asked]
    theta = RateSurface.first(len(SMALL.drive_numbers)).theta
    theta[1 + SILENCE] = np.log(20)
    seeds = np.ones(len(asked), dtype=np.int64)
    found = Emulator.fit(CIRCUIT, asked, seeds, answers, theta, refit=False)
    unchecked = Emulator(CIRCUIT, asked, seeds, found.values, theta)
    silenced = asked[::4] + 0.001
    assert (found.error(silenced, 1) > 2 * unchecked.error(silenced, 1)).all()
    assert found.held_out_by_axis()["silence"] > 0.05


def test_a_few_questions_are_put_while_answers_are_far_from_sure() -> None:
    near, far = 0.9 * NEARLY, 1.1 * NEARLY
    assert worth_a_round(FEWEST, near)
    assert worth_a_round(1, far)
    assert not worth_a_round(FEWEST - 1, near)
    assert not worth_a_round(0, far)


def test_a_larger_tolerance_asks_less(tmp_path: Path, learned: TrainedEmulator) -> None:
    plans = [replace(p, tolerance=0.05) for p in doses(0.1, 0.3, 1, 2)]
    assert train(plans, CachedProbe(Noisy(), tmp_path), workers=2).asked < learned.asked
