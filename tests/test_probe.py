"""The seam: what the network is told of a state, what it answers, and answers kept on disk."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from circuit_files import CLASSES, NUMBERS, spilled
from hypothesis import given
from hypothesis import strategies as st

from plastogen._base.files import cache_dir
from plastogen._base.library import Library
from plastogen.model.circuit import Circuit, Drive, Engine, Spikes, measures
from plastogen.model.circuit.activity import Activity, State, agonist, reduce, voltages
from plastogen.simulation.probe import CachedProbe, FormulaProbe, NetworkProbe

SMALL = Library().load("circuits", "small", Circuit)
VOLTAGE_BINS = len(measures.bin_centres_mV())


def small(**overrides: object) -> Circuit:
    at = {path.replace("__", "."): value for path, value in overrides.items()}
    return Library().load("circuits", "small", Circuit, overrides=at)


def gains(**by_name: float) -> Circuit:
    """The small circuit whose formula answers with exactly these log slopes: E__ampa=0.5 and so on."""
    zero = {f"formula.gain.{cls}.{name}": 0 for cls in CLASSES for name in NUMBERS}
    given = {f"formula.gain.{key.replace('__', '.')}": value for key, value in by_name.items()}
    return Library().load("circuits", "small", Circuit, overrides=zero | given)


# what the network is told


def test_each_pool_is_reduced_to_the_number_of_its_class_and_kind() -> None:
    pools = list(SMALL.pools())
    left = {pool: 0.1 * (n + 1) for n, pool in enumerate(pools)}
    drive = reduce(SMALL, State(nmdar=left))
    told = {
        "nmda_E": "E.synaptic", "tonic_E": "E.tonic", "nmda_PV": "PV.synaptic", "tonic_PV": "PV.tonic",
        "nmda_SST": "SST.synaptic", "tonic_SST": "SST.tonic",
    }  # fmt: skip
    assert {name: drive[name] for name in told} == {name: left[pool] for name, pool in told.items()}
    assert drive.changed(**dict.fromkeys(told, 1)) == Drive()


def test_resting_receptors_are_no_business_of_the_network() -> None:
    assert reduce(SMALL, State(nmdar={"E.rest": 0.2})) == Drive()


@given(*[st.floats(0.1, 2)] * 3)
def test_strength_is_one_product(weight: float, spines: float, scaling: float) -> None:
    drive = reduce(SMALL, State(weight=weight, spines=spines, scaling=scaling))
    assert drive == Drive(recurrent=weight * spines * scaling)


@pytest.mark.parametrize(
    ("part", "told"),
    [
        ("ampa", "ampa"),
        ("gaba", "gaba"),
        ("inhibitory_weight", "inhibitory_weight"),
        ("release", "release"),
        ("perisomatic", "pv_output"),
        ("silence", "silence"),
        ("pv_integrity", "pv_output"),
    ],
)
def test_other_parts_are_passed_on(part: str, told: str) -> None:
    assert reduce(SMALL, replace(State(), **{part: 0.3})) == Drive(**{told: 0.3})


def test_a_state_that_is_not_changed_is_the_healthy_drive() -> None:
    assert reduce(SMALL, State()) == Drive()
    assert Drive().array(SMALL).tolist() == [1] * 12 + [0]


# the formula


def test_formula_at_baseline_fires_as_the_file_says() -> None:
    circuit = gains(E__ampa=1.3, PV__gaba=-0.4)
    found = FormulaProbe(circuit)(State(), 1)
    base = circuit.formula.baseline_hz
    np.testing.assert_allclose(found.rate_hz, [float(base[name]) for name in CLASSES], rtol=1e-14)
    assert not found.rate_se_hz.any()
    assert (found.glutamate, found.ampa_throughput) == pytest.approx([float(base["E"])] * 2)
    assert found.pattern_shift == 0


def test_formula_moves_each_log_rate_along_its_own_slopes() -> None:
    probe = FormulaProbe(gains(E__nmda_E=0.8, E__pv_output=-0.5, PV__tonic_PV=1.5, SST__silence=2))
    base = probe(State(), 1).rate_hz
    found = probe.measure(Drive(nmda_E=0.6, pv_output=0.7, tonic_PV=1.2, silence=0.1), 1).rate_hz
    np.testing.assert_allclose(
        np.log(found / base), [-0.4 * 0.8 + 0.3 * 0.5, 0.2 * 1.5, 0.1 * 2], rtol=1e-12
    )


def test_formula_answers_every_seed_alike() -> None:
    probe = FormulaProbe(gains(E__ampa=1))
    one, two = (probe.measure(Drive(ampa=0.8), seed) for seed in (1, 2))
    assert same(one, two)


def test_glutamate_is_release_and_throughput_is_what_arrives() -> None:
    probe = FormulaProbe(gains(E__recurrent=0.5))
    rate = float(SMALL.formula.baseline_hz["E"]) * np.exp(0.1)
    found = probe.measure(Drive(recurrent=1.2, release=0.8, ampa=0.5), 1)
    assert found.glutamate == pytest.approx(0.8 * rate)
    assert found.ampa_throughput == pytest.approx(0.8 * 1.2 * 0.5 * rate)


def test_bound_share_of_the_formula_is_that_of_a_poisson_cell() -> None:
    found = FormulaProbe(SMALL).measure(Drive(), 1)
    mean = float(SMALL.formula.baseline_hz["E"]) * 0.3 * 0.1
    assert found.bound == pytest.approx(mean / (1 + mean))
    assert FormulaProbe(gains()).measure(Drive(release=0.5), 1).bound == pytest.approx(
        found.bound / 2
    )


def test_calcium_enters_through_what_is_bound_and_free_of_magnesium() -> None:
    found = FormulaProbe(SMALL).measure(Drive(nmda_E=0.7), 1)
    v = measures.bin_centres_mV()
    free = 1 / (1 + np.exp(-v / 16.13) / 3.57)
    assert found.calcium == pytest.approx(
        0.7 * found.bound * (found.voltage[0] * free * (0 - v)).sum()
    )
    assert found.calcium > 0


def test_voltages_of_the_formula_are_bells_where_the_file_says() -> None:
    voltage = FormulaProbe(SMALL).measure(Drive(), 1).voltage
    v = measures.bin_centres_mV()
    np.testing.assert_allclose(voltage.sum(axis=1), 1)
    np.testing.assert_allclose(
        voltage @ v, [float(SMALL.formula.voltage[name]) for name in CLASSES], atol=0.1
    )
    spread = np.sqrt((voltage * (v - (voltage @ v)[:, None]) ** 2).sum(axis=1))
    np.testing.assert_allclose(spread, float(SMALL.formula.voltage_spread), rtol=0.02)


# how long receptors have glutamate bound, and at which voltage


def activity(**values: object) -> Activity:
    return replace(FormulaProbe(SMALL).measure(Drive(), 1), **values)  # type: ignore[arg-type]


@pytest.mark.parametrize("share", [0, 0.4, 1])
def test_agonist_of_each_pool(share: float) -> None:
    base = activity(glutamate=4.0)
    found = agonist(spilled(share), activity(bound=0.123, glutamate=6.0), base)
    relative = 1 - share + share * 6 / 4  # what glia give stays, what synapses give goes as release
    synaptic, tonic, mini = 0.123, 0.1 * relative, 0.02 * 0.3 * 100 / 1000
    c = 0.03 * relative
    rest = mini + (1 - mini) * (0.6 * c / (c + 3.3) + 0.4 * c / (c + 2.9))
    assert found == pytest.approx(
        {
            "E.synaptic": synaptic,
            "E.tonic": tonic,
            "E.rest": rest,
            "PV.synaptic": synaptic,
            "PV.tonic": tonic,
            "SST.synaptic": synaptic,
            "SST.tonic": tonic,
        }
    )


def test_minis_go_on_when_the_circuit_is_silent() -> None:
    found = agonist(SMALL, activity(bound=0.0, glutamate=0.0), activity(glutamate=4.0))
    assert (found["E.synaptic"], found["PV.tonic"]) == (0, 0.1)  # glia go on as well
    assert found["E.rest"] > 0


def test_resting_receptors_see_more_ambient_glutamate_than_minis_and_none_where_the_file_has_none() -> (
    None
):
    base = activity(glutamate=4.0)
    found = agonist(SMALL, base, base)["E.rest"]
    none = SMALL.model_copy(update={"agonist": SMALL.agonist.model_copy(update={"resting": None})})
    assert 0.008 < found < 0.012  # plasticity from rest wants about one in a hundred
    assert agonist(none, base, base)["E.rest"] == pytest.approx(6e-4)


def test_agonist_of_many_courses_is_that_of_each() -> None:
    base, released = activity(glutamate=4.0), (0.0, 2.0, 40.0)
    half = spilled(0.5)
    many = agonist(half, activity(glutamate=np.array(released)), base)
    each = [agonist(half, activity(glutamate=x), base) for x in released]
    for kind in ("rest", "tonic"):
        np.testing.assert_array_equal(many[f"E.{kind}"], [one[f"E.{kind}"] for one in each])


def test_no_more_than_all_tonic_receptors_are_bound() -> None:
    flooded = agonist(spilled(1), activity(glutamate=400.0), activity(glutamate=4.0))
    assert flooded["SST.tonic"] == 1


def test_each_pool_is_at_its_own_class_s_voltage_and_rest_at_rest() -> None:
    rows = np.random.default_rng(0).dirichlet(np.ones(VOLTAGE_BINS), 3)
    found = voltages(SMALL, activity(voltage=rows))
    for pool, row in found.items():
        name, _, kind = pool.partition(".")
        if kind == "rest":
            v = measures.bin_centres_mV()
            assert (row.sum(), row @ v) == pytest.approx(
                (1, float(SMALL.populations[name].rest)), abs=0.5
            )
        else:
            np.testing.assert_array_equal(row, rows[CLASSES.index(name)])


# answers kept on disk


class Counting:
    """A probe that counts how often it is asked."""

    key, circuit = "counting", SMALL

    def __init__(self) -> None:
        self.calls: list[tuple[Drive, int]] = []

    def measure(self, drive: Drive, seed: int) -> Activity:
        self.calls.append((drive, seed))
        return activity(glutamate=drive["ampa"] + seed)


def same(a: Activity, b: Activity) -> bool:
    one, other = a.arrays(), b.arrays()  # without a rule, nothing is known of synapses
    return all(np.array_equal(one[f.name], other[f.name], equal_nan=True) for f in fields(Activity))


def test_an_answer_is_kept_and_given_again_to_the_bit(tmp_path: Path) -> None:
    probe = Counting()
    first = CachedProbe(probe, tmp_path)
    found = first.measure(Drive(ampa=1 / 3), 1)
    again = CachedProbe(probe, tmp_path)
    assert same(again.measure(Drive(ampa=1 / 3), 1), found)
    assert len(probe.calls) == 1
    assert (first.asked, first.answered, again.asked, again.answered) == (1, 0, 0, 1)
    assert isinstance(found.glutamate, float)
    assert isinstance(again.measure(Drive(ampa=1 / 3), 1).glutamate, float)


def test_rerun_all_asks_anew_what_was_kept_before_it_began(tmp_path: Path) -> None:
    probe = Counting()
    CachedProbe(probe, tmp_path).measure(Drive(), 1)
    CachedProbe(probe, tmp_path, since=time.time() + 60).measure(Drive(), 1)
    assert len(probe.calls) == 2
    CachedProbe(probe, tmp_path, since=time.time() - 60).measure(Drive(), 1)
    assert len(probe.calls) == 2


def test_another_drive_or_seed_is_another_question(tmp_path: Path) -> None:
    probe = Counting()
    remembered = CachedProbe(probe, tmp_path)
    questions = [(Drive(), 1), (Drive(), 2), (Drive(ampa=0.5), 1), (Drive(gaba=0.5), 1)]
    for drive, seed in questions:
        remembered.measure(drive, seed)
    assert probe.calls == questions


def test_a_state_is_remembered_by_what_the_network_is_told_of_it(tmp_path: Path) -> None:
    probe = Counting()
    remembered = CachedProbe(probe, tmp_path)
    remembered(State(weight=1.5, scaling=0.5), 1)
    remembered(State(weight=0.5, scaling=1.5, nmdar={"E.rest": 0.1}), 1)
    assert len(probe.calls) == 1


@pytest.mark.parametrize("damage", ["truncate", "flip", "empty", "lacking"])
def test_a_damaged_answer_is_asked_for_again_and_mended(damage: str, tmp_path: Path) -> None:
    probe = Counting()
    remembered = CachedProbe(probe, tmp_path)
    found = remembered.measure(Drive(), 1)
    path = remembered.path(Drive(), 1)
    whole = path.read_bytes()
    if damage == "lacking":
        np.savez(path, rate_hz=np.ones(3))
    else:
        middle = len(whole) // 2
        flipped = whole[:middle] + bytes([whole[middle] ^ 255]) + whole[middle + 1 :]
        path.write_bytes({"truncate": whole[:middle], "flip": flipped, "empty": b""}[damage])
    assert same(remembered.measure(Drive(), 1), found)
    assert len(probe.calls) == 2
    assert same(remembered.measure(Drive(), 1), found)
    assert len(probe.calls) == 2


def test_answers_are_kept_in_the_cache_under_the_probe_s_key() -> None:
    remembered = CachedProbe(Counting())
    assert remembered.path(Drive(), 1).is_relative_to(cache_dir() / "probes" / "counting")


HEARD: list[dict[str, object]] = [
    {"populations__E__leak": "14 nS"}, {"connections__2__nmda": "0.3 nS"}, {"decays__gaba__SST": "15 ms"},
    {"magnesium__concentration": "0.5 mM"}, {"background__spread": 0.2}, {"agonist__saturation": 0.4},
    {"populations__SST__count": 21}, {"step": "0.1 ms"}, {"delay": "1.75 ms"}, {"reversals__inhibitory": "-72 mV"},
    {"silencing": "50 nS"},
]  # fmt: skip
UNHEARD: list[dict[str, object]] = [
    {"title": "Another"},
    {"regime": "another"},
    {"note": "another"},
    {"formula__baseline_hz__E": "7 Hz"},
    {"populations__E__leak": "15000 pS"},
]


def network_key(
    circuit: Circuit, *, seconds: float = 2, settle_s: float = 0.5, backend: str = "numpy"
) -> str:
    return NetworkProbe(circuit, seconds=seconds, settle_s=settle_s, backend=backend).key


def test_what_another_program_computed_is_not_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """A damaged program must leave nothing behind that a sound one would be answered with."""
    keys = set[str]()
    for told in ("a" * 64, "b" * 64, ""):
        monkeypatch.setattr(Engine, "program", lambda self, learner=None, told=told: told)
        keys.add(network_key(SMALL))
    assert len(keys) == 3
    assert len({key.partition("-")[0] for key in keys}) == 1


@pytest.mark.parametrize("overrides", HEARD, ids=lambda o: next(iter(o)))
def test_the_key_changes_with_every_number_the_network_hears(overrides: dict[str, object]) -> None:
    assert network_key(small(**overrides)) != network_key(SMALL)


@pytest.mark.parametrize("overrides", UNHEARD, ids=lambda o: next(iter(o)))
def test_the_key_does_not_change_with_what_no_network_hears(overrides: dict[str, object]) -> None:
    assert network_key(small(**overrides)) == network_key(SMALL)


def test_the_key_changes_with_window_and_backend() -> None:
    keys = {
        network_key(SMALL),
        network_key(SMALL, seconds=3),
        network_key(SMALL, settle_s=1),
        network_key(SMALL, backend="cpp"),
    }
    assert len(keys) == 4


@pytest.mark.parametrize(
    "overrides",
    [
        {"formula__baseline_hz__E": "7 Hz"},
        {"agonist__saturation": 0.4},
        {"decays__nmda": "80 ms"},
        {"magnesium__concentration": "0.5 mM"},
        {"reversals__excitatory": "5 mV"},
    ],
    ids=lambda o: next(iter(o)),
)
def test_the_key_of_the_formula_changes_with_all_it_reads(overrides: dict[str, object]) -> None:
    one, other = FormulaProbe(SMALL), FormulaProbe(small(**overrides))
    assert one.key != other.key
    assert not same(one.measure(Drive(), 1), other.measure(Drive(), 1))
    assert FormulaProbe(small(title="another")).key == one.key


# the network as a probe


class Scripted(NetworkProbe):
    """A network probe whose engine is a Poisson source: E at 5 Hz times `recurrent`, with a fixed
    pattern.
    """

    def __init__(self, circuit: Circuit) -> None:
        super().__init__(circuit, seconds=4, settle_s=0, backend="numpy")
        self.streams: list[str] = []

    def watch(
        self, drive: Drive, seed: int, seconds: float, noise: str = "noise"
    ) -> tuple[Spikes, None]:
        self.streams.append(noise)
        own = np.random.default_rng(seed).lognormal(0, 0.5, 250)
        rng = np.random.default_rng([seed, len(noise)])
        n = rng.poisson(5 * drive["recurrent"] * own * 4)
        t, i = rng.uniform(0, 4, n.sum()), np.repeat(np.arange(250, dtype=np.int32), n)
        order = np.argsort(t)
        v = np.full((10, 100), -61.5)
        recorded = np.linspace(0, 249, 100).astype(int)
        return Spikes(t[order], i[order], 4.0, v, recorded, self.circuit.slices()), None


def test_activity_is_read_out_of_the_spikes() -> None:
    probe = Scripted(SMALL)
    drive = Drive(recurrent=1.5, release=0.8, ampa=0.9, nmda_E=0.6)
    found, spikes = probe.measure(drive, 1), probe.spikes(drive, 1)
    rate, error = measures.rates_hz(spikes)
    np.testing.assert_array_equal(found.rate_hz, rate)
    np.testing.assert_array_equal(found.rate_se_hz, error)
    assert found.glutamate == pytest.approx(0.8 * rate[0])
    assert found.ampa_throughput == pytest.approx(0.8 * 1.5 * 0.9 * rate[0])
    bound = 0.8 * measures.bound_share(spikes, saturation=0.3, decay_ms=100)
    assert found.bound == pytest.approx(bound)
    free = 1 / (1 + np.exp(61.5 / 16.13) / 3.57)
    assert found.calcium == pytest.approx(0.6 * bound * free * 61.5)
    np.testing.assert_array_equal(found.voltage, measures.voltage_distribution(spikes))


def test_the_pattern_of_a_probe_is_held_against_a_baseline_of_other_noise() -> None:
    """A state that has not changed must not look more alike than noise allows."""
    probe, shifts = Scripted(SMALL), []
    for seed in range(12):
        shifts.append(probe.measure(Drive(), seed).pattern_shift)
    assert np.mean(shifts) == pytest.approx(0, abs=4 * np.std(shifts) / np.sqrt(12))
    assert probe.streams == ["noise", "pattern"] * 12
    probe.measure(Drive(recurrent=1.1), 0)
    assert probe.streams[-1] == "noise"  # the baseline's pattern is kept


@pytest.mark.network
def test_a_network_probe_answers_states_and_drives_alike() -> None:
    probe = NetworkProbe(SMALL, seconds=1, settle_s=0.2)
    found = probe(State(weight=1.2, nmdar={"PV.tonic": 0.5}), 3)
    assert same(found, probe.measure(Drive(recurrent=1.2, tonic_PV=0.5), 3))
    spikes = probe.spikes(Drive(recurrent=1.2, tonic_PV=0.5), 3)
    assert spikes.seconds == 1
    np.testing.assert_array_equal(found.rate_hz, measures.rates_hz(spikes)[0])
    assert probe.spikes(Drive(), 3, seconds=2.0).seconds == 2


def test_threads_share_the_pattern_of_a_seed() -> None:
    class Slow(Scripted):
        def watch(self, *words: Any, **more: Any) -> tuple[Spikes, None]:
            found = super().watch(*words, **more)
            time.sleep(0.05)
            return found

    probe = Slow(SMALL)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(probe.pattern, [1, 1, 2, 1]))
    assert len(probe.streams) == 2
    np.testing.assert_array_equal(found[0], found[3])
