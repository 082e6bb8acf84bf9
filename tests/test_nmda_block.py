"""Block of NMDA receptors: rows 4 to 6 of the evidence table, laws, and independent integration."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp
from scipy.linalg import expm

from plastogen._base.library import Library
from plastogen.errors import InputError
from plastogen.model.circuit import Circuit, measures
from plastogen.model.pharmacology.block_kinetics import BlockKinetics, Pool
from plastogen.model.pharmacology.drug import Drug
from plastogen.model.pharmacology.magnesium import SUBUNITS, by_current
from plastogen.model.pharmacology.nmda_block import (
    NmdarBlock,
    ic50_uM,
    ic50_without_mg_uM,
    occupancy_readout,
    unblocking_rate,
)
from plastogen.model.pharmacology.relaxation import relaxed

CIRCUIT = Library().load("circuits", "prefrontal", Circuit)
MAGNESIUM = CIRCUIT.magnesium
S_PER_H = 3600
BLOCKS = {
    name: Library().load("drugs", name, Drug).actions.nmdar[name]
    for name in ("ketamine", "memantine", "mk801")
}
NORKETAMINE = Library().load("drugs", "ketamine", Drug).actions.nmdar["norketamine"]
EACH = [Pool(name, {name: 1.0}) for name in SUBUNITS]
E = Pool("E.synaptic", {"GluN2A": 0.6, "GluN2B": 0.4})
PV = Pool("PV.synaptic", {"GluN2A": 0.45, "GluN2B": 0.3, "GluN2D": 0.25})


def kinetics(pools: list[Pool], *, mg_mM: float = 1.0, **blockers: NmdarBlock) -> BlockKinetics:
    return BlockKinetics(pools, blockers, MAGNESIUM.at(mg_mM))


def simulate(
    k: BlockKinetics,
    state: np.ndarray,
    *,
    seconds: float,
    a: float,
    c: float | list[float],
    v_mV: float = -66.0,
    steps: int = 1,
) -> np.ndarray:
    """`state` after `seconds` of constant input at one voltage."""
    gating = k.gating(np.full(len(k.pools), a), np.ones((len(k.pools), 1)), [v_mV])
    brain_uM = np.tile(np.atleast_1d(c), (2 * steps + 1, 1))
    return k.advance(state, gating, gating, brain_uM=brain_uM, dt_h=seconds / S_PER_H)[-1]


@pytest.mark.parametrize("name", BLOCKS)
def test_row_4_block_is_a_half_at_the_ic50(name: str) -> None:
    block = BLOCKS[name]
    ic50 = block.ic50.uM()
    for i, pool in enumerate(EACH):
        k = kinetics([pool], mg_mM=float(block.reference_mg), drug=block)
        v = float(block.reference_voltage)
        state = simulate(k, k.start(), seconds=40 * S_PER_H, a=1.0, c=ic50[i], v_mV=v)
        np.testing.assert_allclose(k.fraction(state), 0.5, atol=1e-6)


@pytest.mark.parametrize("name", ["ketamine", "memantine"])
def test_row_4_magnesium_spares_2a_and_2b_most(name: str) -> None:
    with_mg = ic50_uM(BLOCKS[name], -66, MAGNESIUM)
    shift = with_mg / ic50_uM(BLOCKS[name], -66, MAGNESIUM.at(0))
    assert (shift[:2] >= 10).all()
    assert (shift[2:] > 2).all()
    assert (shift[2:] < 4).all()


@pytest.mark.parametrize(
    ("name", "c", "mg_mM", "percent"),
    [
        ("ketamine", 0.41, 1, [7, 7, 26, 12]), ("ketamine", 0.78, 1, [13, 13, 40, 21]),
        ("ketamine", 0.41, 0, [58, 59, 48, 33]), ("ketamine", 1.0, 1, [16, 16, 46, 25]),
        ("ketamine", 10.0, 1, [65, 66, 89, 77]), ("memantine", 1.0, 1, [7, 9, 38, 35]),
    ],
)  # fmt: skip
def test_block_at_antidepressant_exposure(
    name: str, c: float, mg_mM: float, percent: list[float]
) -> None:
    """The computed table of the dossier, section 2.1, out of the kinetics."""
    k = kinetics(EACH, mg_mM=mg_mM, drug=BLOCKS[name])
    state = simulate(k, k.start(), seconds=600, a=1.0, c=c)
    np.testing.assert_allclose(100 * k.fraction(state), percent, atol=0.6)


def test_subunits_alone_make_little_selectivity() -> None:
    mixes = [E, PV, Pool("SST 2D", {"GluN2B": 0.5, "GluN2D": 0.35, "GluN2A": 0.15}),
             Pool("SST 2C", {"GluN2B": 0.5, "GluN2C": 0.35, "GluN2A": 0.15})]  # fmt: skip
    k = kinetics(mixes, drug=BLOCKS["ketamine"])
    state = simulate(k, k.start(), seconds=600, a=1.0, c=0.41)
    np.testing.assert_allclose(100 * k.fraction(state), [7.3, 8.5, 9.1, 13.8], atol=0.1)


@pytest.mark.parametrize(
    ("name", "left"), [("ketamine", 0.86), ("memantine", 0.71), ("mk801", 1.0)]
)
def test_row_5_trapping_and_relief(name: str, left: float) -> None:
    """30 s with agonist, 120 s of wash without, then agonist alone (Mealing 1999; no magnesium)."""
    k = kinetics([E], mg_mM=0, drug=BLOCKS[name])
    blocked = simulate(k, k.start(), seconds=30, a=1.0, c=10.0)
    washed = simulate(k, blocked, seconds=120, a=0.0, c=0.0)
    assert float(k.fraction(washed)[0] / k.fraction(blocked)[0]) == pytest.approx(left, abs=0.05)
    if name != "mk801":
        assert float(k.fraction(blocked)[0]) > 0.8
        relieved = simulate(k, washed, seconds=50, a=1.0, c=0.0)
        assert float(k.fraction(relieved)[0]) < 0.02


def test_row_6_untrapping_of_mk801() -> None:
    k = kinetics([E], drug=BLOCKS["mk801"])
    full = simulate(k, k.start(), seconds=40 * S_PER_H, a=1.0, c=10.0)
    tau = {}
    for v in (-70.0, 30.0):
        later = simulate(k, full, seconds=60, a=1.0, c=0.0, v_mV=v)
        tau[v] = 60 / np.log(float(k.fraction(full)[0] / k.fraction(later)[0]))
    assert tau[-70.0] / 60 == pytest.approx(90, rel=0.02)
    assert 20 < tau[-70.0] / tau[30.0] < 100


def test_what_is_trapped_is_frozen_without_agonist() -> None:
    k = kinetics([E, PV], drug=BLOCKS["ketamine"])
    blocked = simulate(k, k.start(), seconds=100, a=0.2, c=1.0)
    days = simulate(k, blocked, seconds=14 * 24 * S_PER_H, a=0.0, c=1.0, steps=64)
    np.testing.assert_allclose(days[..., 0], blocked[..., 0], rtol=1e-8)
    assert days[..., 1].max() < 1e-9
    drugged = simulate(k, k.start(), seconds=S_PER_H, a=0.0, c=100.0)
    assert drugged.max() == 0  # nothing binds without agonist


def test_onset_slows_as_receptors_rest() -> None:
    """Time to equilibrium goes as 1/(a koff): ten times less agonist, ten times slower."""
    k = kinetics([E], drug=BLOCKS["mk801"])
    busy = simulate(k, k.start(), seconds=100, a=0.1, c=0.05)
    rare = simulate(k, k.start(), seconds=1000, a=0.01, c=0.05)
    np.testing.assert_allclose(busy, rare, rtol=1e-7)
    assert 0 < float(k.fraction(busy)[0]) < 0.5


def test_less_is_blocked_where_the_superficial_part_escapes() -> None:
    k = kinetics([EACH[0]], drug=BLOCKS["ketamine"])
    c = float(BLOCKS["ketamine"].ic50.GluN2A)
    for a in (0.1, 0.01):
        state = simulate(k, k.start(), seconds=40 * S_PER_H, a=a, c=c)
        assert float(k.fraction(state)[0]) == pytest.approx(0.46, abs=0.01)


def independent(block: dict[str, NmdarBlock], subunit: int, v: np.ndarray, mg: float):
    """The equations of the dossier, 2.3, written out for one subunit and several species: rate(a,
    weights, c, y).
    """

    def rate(a: float, weights: np.ndarray, c: np.ndarray, y: np.ndarray) -> np.ndarray:
        free, dy = 1 - y.sum(), []
        for (t, s), b, conc in zip(y.reshape(-1, 2), block.values(), c, strict=True):
            half, efold = MAGNESIUM.half.mM()[subunit], float(MAGNESIUM.efold)
            kmg = half * np.exp(v / efold)
            kmg_there = half * np.exp(float(b.reference_voltage) / efold)
            kd = b.ic50.uM()[subunit] / (1 + float(b.reference_mg) / kmg_there)
            shift = v - float(b.reference_voltage)
            unblocked = (weights * kmg / (kmg + mg)).sum()
            koff = (
                weights * float(b.unblocking_rate) * np.exp(shift / float(b.voltage_efold))
            ).sum()
            bind = a * float(b.unblocking_rate) / kd * conc * unblocked * free
            trap = float(b.trapped)
            dy += [
                trap * bind - a * koff * t,
                (1 - trap) * bind - a * koff * s - (1 - a) * s / float(b.escape_time),
            ]
        return np.array(dy)

    return rate


@pytest.mark.parametrize("subunit", [0, 3])
@pytest.mark.parametrize(("steps", "error"), [(128, 5e-5), (1024, 8e-7)])
def test_equals_numerical_integration(subunit: int, steps: int, error: float) -> None:
    """Two species in competition; agonist, voltages and concentrations all change. The error is
    that of the steps.
    """
    blockers = {"ketamine": BLOCKS["ketamine"], "memantine": BLOCKS["memantine"]}
    v, mg, dt_h = np.array([-75.0, -60.0, -45.0]), 0.8, 0.05
    w0, w1 = np.array([0.6, 0.3, 0.1]), np.array([0.1, 0.5, 0.4])
    a0, a1 = 0.02, 0.3
    rate = independent(blockers, subunit, v, mg)

    def c(share: float) -> np.ndarray:
        return np.array([2 * share, 3 - 2 * share])

    def right(t: float, y: np.ndarray) -> np.ndarray:
        s = t / (dt_h * S_PER_H)
        return rate(a0 + s * (a1 - a0), w0 + s * (w1 - w0), c(s), y)

    first = np.array([0.1, 0.02, 0.05, 0.03])
    times = np.linspace(0, dt_h * S_PER_H, steps + 1)
    solved = solve_ivp(
        right, (0, times[-1]), first, method="Radau", rtol=1e-10, atol=1e-12, t_eval=times
    )
    k = kinetics([EACH[subunit]], mg_mM=mg, **blockers)
    state = k.start()
    state[0, subunit] = first.reshape(2, 2)
    path = k.advance(
        state,
        k.gating([a0], [w0], v),
        k.gating([a1], [7 * w1], v),
        brain_uM=[c(i / steps / 2) for i in range(2 * steps + 1)],
        dt_h=dt_h,
    )
    assert path.shape == (steps + 1, 1, 4, 2, 2)
    np.testing.assert_allclose(path[:, 0, subunit].reshape(-1, 4), solved.y.T, rtol=0, atol=error)
    np.testing.assert_allclose(k.fraction(path)[:, 0], solved.y.sum(axis=0), rtol=0, atol=2 * error)


@settings(max_examples=60, deadline=None)
@given(
    on=st.lists(st.floats(0, 1e4), min_size=4, max_size=4),
    off=st.lists(st.floats(0, 1e4), min_size=4, max_size=4),
)
def test_a_step_is_exact_however_stiff(on: list[float], off: list[float]) -> None:
    """Against the matrix exponential of scipy, an independent algorithm: from each state alone, and
    from none, side by side.
    """
    whole = np.zeros((5, 5))
    whole[:4, :4] = -np.outer(on, np.ones(4)) - np.diag(off)
    whole[:4, 4] = on
    exact, start = expm(whole), np.eye(4, 5)
    into, out = (np.tile(np.array(rates)[:, None], 5) for rates in (on, off))
    found = relaxed(start, into, out, 0 * into, 0 * into)
    np.testing.assert_allclose(found, exact[:4, :4] @ start + exact[:4, 4:], atol=1e-7)


@settings(max_examples=60, deadline=None)
@given(
    a=st.tuples(st.floats(0, 1), st.floats(0, 1)),
    c=st.lists(st.floats(0, 100), min_size=2, max_size=2),
    v=st.floats(-90, 20),
    mg=st.floats(0, 3),
    dt_h=st.floats(1e-6, 100),
)
def test_block_is_a_probability(
    a: tuple[float, float], c: list[float], v: float, mg: float, dt_h: float
) -> None:
    k = kinetics([E, PV], mg_mM=mg, ketamine=BLOCKS["ketamine"], norketamine=NORKETAMINE)
    weights = np.ones((2, 1))
    path = k.advance(
        k.start(),
        k.gating([a[0]] * 2, weights, [v]),
        k.gating([a[1]] * 2, weights, [v]),
        brain_uM=np.tile(c, (17, 1)),
        dt_h=dt_h,
    )
    assert path.min() > -1e-9
    assert path.sum(axis=(-1, -2)).max() < 1 + 1e-9
    assert (k.fraction(path) >= 0).all()
    assert (k.fraction(path) <= 1).all()


@settings(max_examples=30, deadline=None)
@given(
    a=st.floats(1e-3, 1),
    c=st.lists(st.floats(0, 20), min_size=2, max_size=2),
    v=st.floats(-80, -30),
)
def test_equilibrium_is_where_constant_input_leads(a: float, c: list[float], v: float) -> None:
    k = kinetics([E, PV], ketamine=BLOCKS["ketamine"], memantine=BLOCKS["memantine"])
    settled = simulate(k, k.start(), seconds=1e6, a=a, c=c, v_mV=v)
    rest = k.equilibrium([a, a], np.ones((2, 1)), [v], c)
    np.testing.assert_allclose(rest, settled, atol=1e-9)
    np.testing.assert_allclose(simulate(k, rest, seconds=30, a=a, c=c, v_mV=v), rest, atol=1e-9)


def test_equilibrium_without_agonist_is_the_limit_of_little() -> None:
    k = kinetics([E], ketamine=BLOCKS["ketamine"])
    none, little = (k.equilibrium([a], [[1.0]], [-66.0], [1.0]) for a in (0.0, 1e-9))
    np.testing.assert_allclose(none, little, atol=1e-7)
    assert none[..., 0].max() > 0.1
    assert none[..., 1].max() == 0


@settings(max_examples=20, deadline=None)
@given(c=st.tuples(st.floats(0, 5), st.floats(0, 5)), a=st.floats(0, 1), seconds=st.floats(1, 1e4))
def test_a_drug_and_its_double_compete_as_one(
    c: tuple[float, float], a: float, seconds: float
) -> None:
    one = kinetics([PV], drug=BLOCKS["ketamine"])
    two = kinetics([PV], drug=BLOCKS["ketamine"], double=BLOCKS["ketamine"])
    alone = one.fraction(simulate(one, one.start(), seconds=seconds, a=a, c=c[0] + c[1]))
    both = two.fraction(simulate(two, two.start(), seconds=seconds, a=a, c=list(c)))
    np.testing.assert_allclose(both, alone, atol=1e-9)


def test_two_halves_make_a_whole() -> None:
    k = kinetics([E, PV], ketamine=BLOCKS["ketamine"])
    whole = simulate(k, k.start(), seconds=60, a=0.1, c=2.0)
    half = simulate(k, k.start(), seconds=30, a=0.1, c=2.0)
    np.testing.assert_allclose(simulate(k, half, seconds=30, a=0.1, c=2.0), whole, atol=1e-10)
    np.testing.assert_allclose(
        simulate(k, k.start(), seconds=60, a=0.1, c=2.0, steps=16), whole, atol=1e-9
    )


def test_pools_have_their_own_activity_and_voltage() -> None:
    k = kinetics([E, Pool("E.tonic", dict(E.subunits))], ketamine=BLOCKS["ketamine"])
    weights = np.array([[1.0, 0.0], [0.0, 1.0]])
    gating = k.gating([0.1, 0.02], weights, [-70.0, -40.0])
    both = k.advance(k.start(), gating, gating, brain_uM=np.ones((3, 1)), dt_h=0.01)[-1]
    for i, (a, v) in enumerate(((0.1, -70.0), (0.02, -40.0))):
        alone = kinetics([E], ketamine=BLOCKS["ketamine"])
        np.testing.assert_allclose(
            both[i], simulate(alone, alone.start(), seconds=36, a=a, c=1.0, v_mV=v)[0], atol=1e-11
        )


def test_no_drug_no_block() -> None:
    k = kinetics([E, PV], ketamine=BLOCKS["ketamine"])
    assert simulate(k, k.start(), seconds=100, a=1.0, c=0.0, steps=4).max() == 0
    empty = BlockKinetics([E, PV], {}, MAGNESIUM)
    weights = np.ones((2, 1))
    gating = empty.gating([1, 1], weights, [-66.0])
    path = empty.advance(empty.start(), gating, gating, brain_uM=np.zeros((11, 0)), dt_h=1.0)
    assert path.shape == (6, 2, 4, 0, 2)
    np.testing.assert_array_equal(empty.fraction(path), np.zeros((6, 2)))
    np.testing.assert_array_equal(
        empty.fraction(empty.equilibrium([1, 1], weights, [-66.0], [])), [0, 0]
    )


def test_depolarisation_frees_the_pore_of_magnesium_and_of_drug() -> None:
    block = BLOCKS["ketamine"]
    v = np.array([-80.0, -66.0, -40.0, 0.0])
    free = MAGNESIUM.free(v)
    assert free.shape == (4, 4)
    assert (np.diff(free, axis=0) > 0).all()
    np.testing.assert_allclose(free[:, 0], 1 / (1 + np.exp(-0.062 * v) / 3.57), rtol=1e-3)
    np.testing.assert_allclose(MAGNESIUM.at(0).free(v), 1)
    rates = unblocking_rate(block, v)
    efold = float(block.voltage_efold)
    np.testing.assert_allclose(np.log(rates[1:] / rates[:-1]), np.diff(v) / efold)
    assert rates[1] == pytest.approx(float(block.unblocking_rate))


@pytest.mark.parametrize("name", ["ketamine", "memantine"])
def test_ic50s_without_magnesium_are_those_measured(name: str) -> None:
    """Kotermanski and Johnson 2009, -66 mV, uM. GluN2A and GluN2B are predicted: their magnesium is
    Jahr and Stevens's; that of GluN2C and GluN2D is the mean of what the two drugs say.
    """
    measured = {"ketamine": [0.33, 0.31, 0.51, 0.83], "memantine": [0.80, 0.57, 0.52, 0.54]}
    found = ic50_without_mg_uM(BLOCKS[name], MAGNESIUM)
    np.testing.assert_allclose(found, measured[name], rtol=0.17)
    np.testing.assert_allclose(found[:2], measured[name][:2], rtol=0.1)


def test_magnesium_of_2c_and_2d_is_that_of_two_drugs_ic50s() -> None:
    """Kmg = Mg / (IC50(Mg)/IC50(0) - 1) at -66 mV, carried to 0 mV, the geometric mean of two."""
    measured = [[1.18 / 0.51, 2.95 / 0.83], [1.61 / 0.52, 1.83 / 0.54]]
    at_0_mV = 1 / (np.array(measured) - 1) * np.exp(66 / float(MAGNESIUM.efold))
    np.testing.assert_allclose(np.exp(np.log(at_0_mV).mean(axis=0)), [36, 24], rtol=0.02)
    np.testing.assert_array_equal(MAGNESIUM.half.mM(), [3.57, 3.57, 36, 24])


def test_current_and_block_share_one_magnesium() -> None:
    """By as much as magnesium cuts the current of a subunit it slows a drug's way into the pore."""
    bins = measures.bin_centres_mV()
    weights = np.ones((4, 1))
    for at in range(0, len(bins), 7):
        v = float(bins[at])
        slowed, usual = (
            kinetics(EACH, mg_mM=mg, drug=BLOCKS["ketamine"]).gating([1] * 4, weights, [v]).binding
            for mg in (1.0, 0.0)
        )
        current = measures.inward(CIRCUIT, np.eye(len(bins))[at]) / (0.0 - v)
        np.testing.assert_allclose(slowed[0] / usual[0], current, rtol=1e-12)


def test_the_share_of_current_lost_of_a_mixed_pool_by_hand() -> None:
    """Half 2A, half 2D at one voltage: what each carries goes with what magnesium leaves free."""
    mixed = Pool("mixed", {"GluN2A": 0.5, "GluN2D": 0.5})
    k = kinetics([mixed], drug=BLOCKS["ketamine"])
    state = k.start()
    state[0, 0, 0, 0], state[0, 3, 0, 0] = 0.1, 0.4
    of_a, of_d = 1 / (1 + math.exp(55 / 16.13) / 3.57), 1 / (1 + math.exp(55 / 16.13) / 24)
    carried = k.carried([MAGNESIUM.free(-55)])
    lost = (0.1 * of_a + 0.4 * of_d) / (of_a + of_d)
    assert float(k.fraction(state)[0]) == pytest.approx(0.25)
    assert float(k.fraction(state, carried)[0]) == pytest.approx(lost)
    assert lost > 0.33
    assert by_current(mixed.subunits, MAGNESIUM.free(-55)) == pytest.approx(
        {"GluN2A": of_a / (of_a + of_d), "GluN2D": of_d / (of_a + of_d)}
    )


def test_2c_and_2d_carry_most_of_the_current_of_sst_cells() -> None:
    currents = measures.unit_currents(CIRCUIT)
    found = by_current(CIRCUIT.pools()["SST.synaptic"], currents["SST.synaptic"])
    assert found["GluN2C"] + found["GluN2D"] > 0.6
    assert by_current(CIRCUIT.pools()["E.synaptic"], currents["E.synaptic"]) == pytest.approx(
        {"GluN2A": 0.6, "GluN2B": 0.4}
    )


def test_one_value_for_all_subunits_is_refused() -> None:
    with pytest.raises(InputError, match=r"wanted one value for each of GluN2A, GluN2B"):
        Library().load("circuits", "small", Circuit, overrides={"magnesium.half": "3.57 mM"})


def test_occupancy_is_a_readout() -> None:
    np.testing.assert_allclose(occupancy_readout([0.0, 1.42, 4.26], 1.42), [0, 0.5, 0.75])


@pytest.mark.parametrize(
    ("subunits", "said"), [({"GluN2A": 0.5, "GluN2E": 0.5}, "GluN2E"), ({"GluN2A": 0.5}, "0.5"), ({}, "0, wanted 1"),
                           ({"GluN2A": 1.5, "GluN2B": -0.5}, "wanted 1")],
)  # fmt: skip
def test_a_pool_that_is_no_pool(subunits: dict[str, float], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        kinetics([Pool("E.synaptic", subunits)], drug=BLOCKS["ketamine"])


def test_a_force_that_runs_from_end_to_end_is_solved_too() -> None:
    """Against the exponential of the matrix of states, time and a constant."""
    start, into, out = np.array([0.1, 0.2]), np.array([3.0, 0.5]), np.array([2.0, 40.0])
    first, last = np.array([0.3, -0.2]), np.array([-0.1, 0.4])
    matrix = np.zeros((4, 4))
    matrix[:2, :2] = -np.outer(into, np.ones(2)) - np.diag(out)
    matrix[:2, 2], matrix[:2, 3], matrix[2, 3] = last - first, into + first, 1
    exact = (expm(matrix) @ [*start, 0, 1])[:2]
    np.testing.assert_allclose(relaxed(start, into, out, first, last), exact, atol=1e-5)
