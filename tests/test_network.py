"""The equations of the network against the same cell written again, plainly, and integrated a
hundred times finer.

One class fires like a clock and the others listen, without noise: every voltage follows from the
clock's spikes.
"""

from __future__ import annotations

import math
import re
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from circuit_files import CLASSES

from plastogen._base.library import Library
from plastogen.model.circuit import Circuit, Drive, Engine, Spikes
from plastogen.model.circuit import network as net
from plastogen.model.circuit.drive import cell_values, shared_values
from plastogen.model.circuit.measures import bound_share
from plastogen.model.pharmacology.magnesium import SUBUNITS

Array = npt.NDArray[np.float64]
FINE_MS = 0.005
SAMPLE_MS = net.VOLTAGE_STEP_MS
LAW = re.compile(r"(^|_)mg\d$")  # names of what the network is given of a law of Mg2+


def trio(clock: str, *, step: str = "0.5 ms", **changed: object) -> Circuit:
    """One cell of each class, all connected and without noise; `clock` fires by itself, the others
    never.
    """
    overrides: dict[str, object] = {
        "background.rate": "0 Hz",
        "step": step,
        "populations.E.adaptation": "1 nS",
        "populations.SST.adaptation": "1 nS",
    }
    for name in CLASSES:
        overrides[f"populations.{name}.count"] = 1
        overrides[
            f"populations.{name}.rest" if name == clock else f"populations.{name}.threshold"
        ] = "-40 mV" if name == clock else "0 mV"
    small = Library().document("circuits", "small")
    for i in range(len(small.tree["connections"])):
        overrides[f"connections.{i}.probability"] = 1
    return Library().load("circuits", "small", Circuit, overrides=overrides | changed)


def run(circuit: Circuit, drive: Drive, seconds: float) -> Spikes:
    return Engine(circuit, backend="numpy").run(drive, 1, seconds=seconds, settle_s=0)


def conductance(t_ms: Array, events: list[tuple[float, float]], tau_ms: float) -> Array:
    """Sum of exponentials that start at each (time, height)."""
    total = np.zeros_like(t_ms)
    for start, height in events:
        after = t_ms >= start - 1e-9
        total[after] += height * np.exp(-(t_ms[after] - start) / tau_ms)
    return total


def expected(
    circuit: Circuit, drive: Drive, clock: str, fired_ms: Array, listener: str, length_ms: float
) -> Array:
    """Voltage of `listener` every FINE_MS, from the times `clock` fired: plain Euler in mV, ms, nS
    and pF.
    """
    c, p = circuit, circuit.populations[listener]
    t = np.arange(0, length_ms, FINE_MS)
    arrives = fired_ms + c.wait_ms
    g_e, g_i, g_n, g_k = (np.zeros_like(t) for _ in range(4))
    wired = c.connection(clock, listener)
    if clock == "E" and wired is not None and listener != "E":
        assert wired.ampa is not None
        assert wired.nmda is not None
        share, left = (
            float(c.agonist.saturation),
            {"E": drive["nmda_E"], "PV": drive["nmda_PV"], "SST": drive["nmda_SST"]},
        )
        bound, opened, last = 0.0, [], -math.inf
        for when in fired_ms:  # each release binds a share of the receptors that are free
            bound *= math.exp(-(when - last) / float(c.decays.nmda))
            opened.append(share * (1 - bound))
            bound, last = bound + opened[-1], when
        ampa = drive["ampa"] * drive["release"] * float(wired.ampa)
        nmda = drive["release"] * left[listener] * float(wired.nmda)
        g_e = conductance(t, [(a, ampa) for a in arrives], float(c.decays.ampa))
        g_n = conductance(
            t, [(a, nmda * o) for a, o in zip(arrives, opened, strict=True)], float(c.decays.nmda)
        )
    elif clock in ("PV", "SST") and wired is not None and listener != clock:
        assert wired.gaba is not None
        peak = drive["gaba"] * float(wired.gaba) * (drive["pv_output"] if clock == "PV" else 1)
        tau = float(c.decays.gaba["PV"] if clock == "PV" else c.decays.gaba["SST"])
        g_i = conductance(t, [(a, peak) for a in arrives], tau)
    if listener == clock:
        g_k = conductance(
            t, [(f, float(p.adaptation)) for f in fired_ms], float(c.decays.adaptation)
        )
    if listener == "E":
        g_k = g_k + drive["silence"] * float(c.silencing)
    tonic = {"E": drive["tonic_E"], "PV": drive["tonic_PV"], "SST": drive["tonic_SST"]}[
        listener
    ] * float(p.tonic_nmda)
    held = np.zeros(len(t), bool)
    if listener == clock:
        for f in fired_ms:
            held |= (t >= f - 1e-9) & (t < f + float(p.refractory) - 1e-9)
    efold = float(c.magnesium.efold)
    law = [  # share and [Mg] / half of each subunit; outside synapses they are the same
        (share, float(c.magnesium.concentration) / float(getattr(c.magnesium.half, subunit)))
        for subunit, share in c.pools()[f"{listener}.synaptic"].items()
    ]
    assert c.pools()[f"{listener}.synaptic"] == c.pools()[f"{listener}.tonic"]
    v = float(cell_values(c, drive, 1)["v"][CLASSES.index(listener)]) * 1e3
    path = np.empty(len(t))
    for k in range(len(t)):
        if held[k]:
            v = float(p.reset)
        path[k] = v
        block = sum(share / (1 + mg * math.exp(-v / efold)) for share, mg in law)
        current = (
            float(p.leak) * (float(p.rest) - v)
            + (g_e[k] + (g_n[k] + tonic) * block) * (float(c.reversals.excitatory) - v)
            + g_i[k] * (float(c.reversals.inhibitory) - v)
            + g_k[k] * (float(c.reversals.potassium) - v)
        )
        v += FINE_MS * current / float(p.capacitance)
    return path


@lru_cache
def compared(
    clock: str, listener: str, step: str, drive: Drive, half_of_2b: str = "3.57 mM"
) -> tuple[Array, Array, Array]:
    """Voltages of the network and of the plain cell, and when the clock fired (ms, the end of the
    step it fired in).
    """
    circuit = trio(clock, step=step, **{"magnesium.half.GluN2B": half_of_2b})
    spikes = run(circuit, drive, 0.3)
    assert set(spikes.i) == {CLASSES.index(clock)}
    fired = spikes.t_s * 1e3 + float(circuit.step)
    found = spikes.v_mV[:, CLASSES.index(listener)]
    wanted = expected(circuit, drive, clock, fired, listener, 300.0)[:: round(SAMPLE_MS / FINE_MS)]
    return found, wanted[: len(found)], fired


PAIRS = [(a, b) for a in CLASSES for b in CLASSES]
LEFT = Drive(
    nmda_PV=0.6,
    nmda_SST=0.5,
    tonic_E=0.7,
    tonic_PV=0.5,
    tonic_SST=0.4,
    ampa=0.8,
    gaba=0.7,
    release=0.9,
    pv_output=0.6,
)


@pytest.mark.parametrize("drive", [Drive(), LEFT], ids=["whole", "blocked"])
@pytest.mark.parametrize(("clock", "listener"), PAIRS)
def test_voltage_follows_the_equation_of_a_cell(clock: str, listener: str, drive: Drive) -> None:
    found, wanted, fired = compared(clock, listener, "0.5 ms", drive)
    assert len(fired) > 5
    assert np.ptp(wanted) > 1
    near_a_spike = np.zeros(len(found), bool)
    if (
        listener == clock
    ):  # within a step of its own spike a cell's voltage is that of the step's end
        samples = SAMPLE_MS * np.arange(len(found))
        near_a_spike = (np.abs(samples[:, None] - fired) < 1).any(axis=1)
    allowed = 0.01 if listener == clock else 0.004
    assert np.abs(found - wanted)[~near_a_spike].max() < allowed * np.ptp(wanted)


@pytest.mark.parametrize("half", ["1 mM", "20 mM", "24 mM", "36 mM"])
def test_a_subunit_with_another_hold_of_mg_has_its_own_part_in_the_voltage(half: str) -> None:
    """Where it is alone with its law and where it shares that of another."""
    usual, *_ = compared("E", "SST", "0.5 ms", Drive())
    found, wanted, _ = compared("E", "SST", "0.5 ms", Drive(), half)
    assert np.abs(found - wanted).max() < 0.004 * np.ptp(wanted)
    assert np.abs(found - usual).max() > 0.05 * np.ptp(wanted)


@pytest.mark.parametrize("clock", CLASSES)
def test_subunits_with_one_law_do_together_what_each_would_do_alone(clock: str) -> None:
    """Their conductances added, or a law for each of the four with the numbers it shares."""
    circuit = trio(clock)
    together = {**cell_values(circuit, Drive(), 1)}, shared_values(circuit)
    laws = tuple(f"mg{k}" for k in range(len(SUBUNITS)))
    apart: tuple[dict[str, Array], dict[str, float]] = tuple(  # type: ignore[assignment]
        {name: x for name, x in values.items() if not LAW.search(name)} for values in together
    )
    for law, subunit, ratio in zip(laws, SUBUNITS, circuit.magnesium.ratio(), strict=True):
        apart[1][law] = float(ratio)
        for part, kind in (("w", "synaptic"), ("g", "tonic")):
            whole = sum(together[0][f"{part}_{one}"] for one in circuit.magnesium_laws)
            share = [circuit.pools()[f"{name}.{kind}"].get(subunit, 0.0) for name in CLASSES]
            apart[0][f"{part}_{law}"] = whole * np.array(share)
    how: dict[str, Any] = {
        **{"classes": CLASSES, "step_ms": float(circuit.step), "delay_ms": circuit.wait_ms},
        **{"p_max": 1.0, "seconds": 0.3, "structure_seed": 1, "noise_seed": 1},
    }
    one = net.run_numpy(*together, laws=tuple(circuit.magnesium_laws), **how)
    other = net.run_numpy(*apart, laws=laws, **how)
    np.testing.assert_array_equal(one.t, other.t)
    np.testing.assert_allclose(one.v, other.v, rtol=0, atol=2e-7)  # V; in single precision


@pytest.mark.parametrize(("clock", "listener"), [("E", "SST"), ("SST", "PV")])
def test_the_error_shrinks_with_the_step(clock: str, listener: str) -> None:
    errors = []
    for step in ("0.5 ms", "0.1 ms"):
        found, wanted, _ = compared(clock, listener, step, Drive())
        errors.append(np.abs(found - wanted).max())
    assert errors[1] < errors[0] / 2  # the plain cell has an error too


@pytest.mark.parametrize("clock", CLASSES)
def test_a_cell_fires_in_the_step_in_which_it_reaches_threshold(clock: str) -> None:
    circuit = trio(clock)
    fired = run(circuit, Drive(), 0.3).t_s * 1e3 + 0.5
    threshold = float(circuit.populations[clock].threshold)
    for n, when in enumerate(fired[:6]):
        before = expected(circuit, Drive(), clock, fired[:n], clock, when + FINE_MS / 2)
        assert before[-1] > threshold - 0.05  # a step moves it by 0.25 mV or more
        if when > 0.5:  # it may have begun above threshold
            assert before[round(-0.5 / FINE_MS) - 1] < threshold + 0.05
    assert len(fired) > 4


def test_silence_keeps_a_clock_from_firing() -> None:
    circuit = trio("E")
    assert (run(circuit, Drive(silence=0.1), 0.3).t_s > 0.05).any()
    assert not (run(circuit, Drive(silence=1), 0.3).t_s > 0.05).any()


def bare(circuit: Circuit, *, seed: int | None = None) -> tuple[Any, dict[str, Any]]:
    """The network in Brian2's own hands, for what `run_numpy` does not return."""
    import brian2 as b2

    b2.set_device("runtime")
    b2.prefs.codegen.target = "numpy"
    given = {**cell_values(circuit, Drive(), 1), **shared_values(circuit)}

    def structure(group: Any) -> None:
        for name, value in given.items():
            group.variables[name].set_value(value)
        b2.seed(seed)

    highest = max(float(c.probability) for c in circuit.connections)
    return net.model(
        circuit.classes,
        tuple(circuit.magnesium_laws),
        circuit.size,
        float(circuit.step),
        circuit.wait_ms,
        highest,
        structure=structure,
    )


def test_bound_receptors_follow_the_closed_form() -> None:
    """After the n-th spike k sum_j (1-k)^(n-j) exp(-(t_n - t_j)/tau): what each release left for
    the next.
    """
    import brian2 as b2

    circuit = trio("E")
    network, parts = bare(circuit)
    bound = b2.StateMonitor(parts["G"], "s", record=[0], when="end")
    network.add(bound)
    network.run(1 * b2.second)
    fired = np.asarray(parts["spikes"].t / b2.ms)
    k, tau = float(circuit.agonist.saturation), float(circuit.decays.nmda)
    assert len(fired) > 10
    for n, now in enumerate(fired):
        earlier = fired[: n + 1]
        wanted = k * ((1 - k) ** (n - np.arange(n + 1)) * np.exp(-(now - earlier) / tau)).sum()
        assert bound.s[0][round(now / 0.5)] == pytest.approx(wanted, rel=1e-9)
    spikes = Spikes(
        fired / 1e3,
        np.zeros(len(fired), np.int32),
        1.0,
        np.zeros((1, 3)),
        np.arange(3),
        circuit.slices(),
    )
    assert bound_share(spikes, saturation=k, decay_ms=tau) == pytest.approx(
        bound.s[0].mean(), rel=0.1
    )


# input from outside


def test_mean_and_variance_of_the_voltage_under_external_input_are_campbells() -> None:
    """Shot noise (Campbell 1909): mean rate x integral of a potential, variance rate x integral of
    its square.
    """
    overrides: dict[str, object] = {"background.spread": 0}
    for name, count in (("E", 100), ("PV", 30), ("SST", 20)):
        overrides |= {
            f"populations.{name}.count": count,
            f"populations.{name}.threshold": "20 mV",
            f"populations.{name}.tonic_nmda": "0 nS",
            f"populations.{name}.background": "0.1 nS",
        }
    circuit = Library().load("circuits", "small", Circuit, overrides=overrides)
    spikes = Engine(circuit, backend="numpy").run(Drive(), 3, seconds=6, settle_s=0.2)
    assert not len(spikes.t_s)
    per_ms, tau_s = float(circuit.background.rate) / 1e3, float(circuit.decays.ampa)
    for name in CLASSES:
        p, part = circuit.populations[name], circuit.slices()[name]
        recorded = (spikes.recorded >= part.start) & (spikes.recorded < part.stop)
        v = spikes.v_mV[:, recorded]
        mean_g = per_ms * 0.1 * tau_s
        mean = (float(p.leak) * float(p.rest) + mean_g * 0) / (float(p.leak) + mean_g)
        tau_m = float(p.capacitance) / (float(p.leak) + mean_g)
        jump = 0.1 * (0 - mean) / float(p.capacitance)  # mV/ms a spike at its peak conductance
        variance = per_ms * (jump * tau_s * tau_m) ** 2 / (2 * (tau_m + tau_s))
        independent = v.size * 5 / (2 * tau_m + 5)
        assert v.mean() == pytest.approx(mean, abs=5 * np.sqrt(variance / independent) + 0.02)
        assert v.var() == pytest.approx(variance, rel=5 * np.sqrt(2 / independent) + 0.03)


def test_probability_of_a_connection_is_that_of_its_pair() -> None:
    import brian2 as b2

    overrides = {"connections.1.probability": 0.1, "connections.3.probability": 0.25}
    circuit = Library().load("circuits", "small", Circuit, overrides=overrides)
    network, parts = bare(circuit, seed=7)
    network.run(0 * b2.second)
    check_density(circuit, np.asarray(parts["S"].i), np.asarray(parts["S"].j))


def check_density(circuit: Circuit, i: npt.NDArray[Any], j: npt.NDArray[Any]) -> None:
    """No cell is its own target, no pair is connected twice, and every pair of classes as often as
    written.
    """
    assert (i != j).all()
    assert len(np.unique(i.astype(np.int64) * circuit.size + j)) == len(i)
    places = circuit.slices()
    for source in CLASSES:
        for target in CLASSES:
            a, b = places[source], places[target]
            n = (a.stop - a.start) * (b.stop - b.start) - (
                a.stop - a.start if source == target else 0
            )
            wired = circuit.connection(source, target)
            p = float(wired.probability) if wired else 0.0
            found = ((i >= a.start) & (i < a.stop) & (j >= b.start) & (j < b.stop)).sum()
            assert found == pytest.approx(n * p, abs=4.5 * np.sqrt(n * p * (1 - p))), (
                source,
                target,
            )
