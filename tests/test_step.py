"""One macro step of both clocks, against block and the slow state solved separately and much finer."""

from __future__ import annotations

from dataclasses import fields, replace
from functools import lru_cache
from typing import Any

import numpy as np
import pytest
from circuit_files import CLASSES, NUMBERS, SMALL
from courses import RULE, plan, ratios
from scipy.integrate import solve_ivp

from plastogen._base.library import Library
from plastogen.model.circuit import Circuit, Drive, measures
from plastogen.model.circuit.activity import (
    Activity,
    State,
    agonist,
    reduce,
    voltages,
)
from plastogen.model.circuit.measures import bin_centres_mV
from plastogen.model.pharmacology.block_kinetics import BlockKinetics, Pool
from plastogen.model.plasticity.definition import Plasticity
from plastogen.model.plasticity.system import STATES, Inputs, SlowModel
from plastogen.simulation.coupling import relative_balance, slow_inputs
from plastogen.simulation.probe import FormulaProbe
from plastogen.simulation.step import Moment, Path, Stepper

LIBRARY, SUBSTEPS = Library(), 32
KETAMINE = {"drug": "ketamine", "dose": "0.5 mg/kg", "route": "iv", "over": "40 min", "at": "0 h"}
KETAMINE_ALONE = {"infusion": KETAMINE}
NBQX = {"drug": "nbqx", "occupancy": 0.9, "at": "1 h", "for": "4 h"}
MODEL = SlowModel(LIBRARY.load("plasticity", "all", Plasticity))
HEALTHY = MODEL.healthy_state()


@lru_cache
def circuit() -> Circuit:
    zero = {f"formula.gain.{cls}.{name}": 0 for cls in CLASSES for name in NUMBERS}
    own: dict[str, object] = {
        "formula.gain.E.nmda_E": 0.5,
        "formula.gain.E.recurrent": 0.8,
        "formula.gain.E.tonic_SST": -0.9,
        "formula.gain.E.ampa": 0.3,
    }
    return LIBRARY.load("circuits", "small", Circuit, overrides={**zero, **own})


PROBE = FormulaProbe(circuit(), RULE)


def ask(**numbers: float) -> Activity:
    """What the circuit of a batch of one does."""
    return PROBE.measure(Drive.from_array(circuit(), Drive(**numbers).array(circuit())[None]), 1)


BASE = ask()


def stepper(
    *given: dict[str, Any], switches: dict[str, Any] | None = None, stress: Any = ()
) -> Stepper:
    treatments = {f"t{n}": t for n, t in enumerate(given)}
    one = plan(treatments, circuit=circuit(), switches=switches, stress=stress)
    return Stepper([one], lambda drives: PROBE.measure(Drive.from_array(circuit(), drives), 1))


def start(s: Stepper, t_h: float = 0.0) -> Moment:
    return Moment(t_h, s.healthy(), s.kinetics.start(), BASE)


def step(s: Stepper, first: Moment, last: float, arriving: Activity | None = None) -> Path:
    return s.step(first, s.given(np.array([first.t_h, last]), SUBSTEPS)[0], arriving)


def held(s: Stepper, t_h: float, y: np.ndarray, block: np.ndarray) -> State:
    """What a probe holds of the one course."""
    many = s.state(y[None], block[None], s.levels(np.array(t_h)))
    one = {f.name: getattr(many, f.name) for f in fields(State) if f.name != "nmdar"}
    return State(
        {k: float(x[0]) for k, x in many.nmdar.items()},
        **{k: float(np.ravel(x)[0]) for k, x in one.items()},
    )


def column(name: str) -> int:
    return STATES.index(name)


# what a probe would freeze


def test_the_healthy_undrugged_state_is_the_healthy_drive() -> None:
    s = stepper(KETAMINE)
    assert Drive.from_array(SMALL, s.drives_at(start(s, -1.0))[0]) == Drive()


def test_block_becomes_conductance_left() -> None:
    s = stepper(KETAMINE)
    block = np.linspace(0.1, 0.7, 7)
    state = held(s, 0.0, HEALTHY, block)
    assert state.nmdar == pytest.approx(dict(zip(circuit().pools(), 1 - block, strict=True)))


def test_tolerance_raises_what_is_left_of_every_pool() -> None:
    s = stepper(KETAMINE)
    y = MODEL.healthy_state()
    y[column("tolerance")] = 0.25
    state = held(s, 0.0, y, np.full(7, 0.4))
    assert list(state.nmdar.values()) == pytest.approx([1.25 * 0.6] * 7)


def test_weights_spines_scaling_and_pv_integrity_re_enter() -> None:
    y = MODEL.healthy_state()
    for name, value in (
        ("weight", 1.2),
        ("scaling", 0.9),
        ("persistent", y[column("persistent")] - 0.1),
        ("pv_integrity", 0.7),
    ):
        y[column(name)] = value
    state = held(stepper(), 0.0, y, np.zeros(7))
    assert (state.weight, state.scaling, state.spines, state.pv_integrity) == pytest.approx(
        (1.2, 0.9, 0.9, 0.7)
    )
    cut = held(stepper(switches={"feedback": "off"}), 0.0, y, np.zeros(7))
    assert (cut.weight, cut.scaling, cut.spines, cut.pv_integrity) == pytest.approx((1, 1, 1, 0.7))


@pytest.mark.parametrize(
    ("drug", "part", "left"),
    [
        ("nbqx", "ampa", 0.1),
        ("gaba_antagonist", "gaba", 0.1),
        ("release_reducer", "release", 0.1),
        ("spike_silencer", "silence", 0.9),
    ],
)
def test_tool_drugs_act_on_their_part_of_the_network(drug: str, part: str, left: float) -> None:
    s = stepper(NBQX | {"drug": drug})
    state = held(s, 2.0, HEALTHY, np.zeros(7))
    assert getattr(state, part) == pytest.approx(left)
    assert reduce(SMALL, state).changed(**{part: 1 - float(part == "silence")}) == Drive()


def test_held_levels_are_taken_on_the_side_that_is_asked_for() -> None:
    ampa = NUMBERS.index("ampa")
    for t_h, before, after in ((1.0, 1, 0.1), (5.0, 0.1, 1)):
        s = stepper(NBQX)
        moment = start(s, t_h)
        assert s.drives_at(moment, before=True)[0, ampa] == pytest.approx(before)
        assert s.drives_at(moment)[0, ampa] == pytest.approx(after)


def test_factors_scale_the_block_of_their_pools() -> None:
    factors = {"E": 0.5, "PV": 0, "SST": 0.75, "tonic": 0.25, "rest": 0.125}
    s, plain = stepper(KETAMINE, switches={"block": factors}), stepper(KETAMINE)
    blocked = np.random.default_rng(0).uniform(0, 0.1, plain.kinetics.shape)
    scaled = dict(zip(s.pools, (s.block(blocked) / plain.block(blocked))[0], strict=True))
    assert scaled == pytest.approx(
        {
            "E.synaptic": 0.5,
            "E.tonic": 0.25,
            "E.rest": 0.125,
            "PV.synaptic": 0,
            "PV.tonic": 0.25,
            "SST.synaptic": 0.75,
            "SST.tonic": 0.25,
        }
    )


# one step


def stepped(s: Stepper, first: float, last: float, arriving: Any = None) -> Path:
    return step(s, start(s, first), last, arriving)


def test_activity_runs_linearly_from_one_answer_to_the_next() -> None:
    s = stepper()
    arriving = ask(ampa=0.5)
    path = stepped(s, 1.0, 3.0, arriving)
    rates = path.activity("rate_hz", np.array([1.0, 1.5, 3.0]))
    np.testing.assert_allclose(
        rates, [BASE.rate_hz, 0.75 * BASE.rate_hz + 0.25 * arriving.rate_hz, arriving.rate_hz]
    )
    assert path.activity("glutamate", np.array([2.0]))[0] == pytest.approx(
        (BASE.glutamate + arriving.glutamate) / 2
    )
    assert path.end.activity is arriving
    assert stepped(s, 1.0, 3.0).end.activity is BASE


def test_nothing_moves_in_the_healthy_state() -> None:
    s = stepper()
    path = stepped(s, 0.0, 48.0)
    np.testing.assert_allclose(path.end.y[0], HEALTHY, rtol=1e-12)
    assert not path.block.any()
    assert path.end.t_h == 48


def test_block_is_that_of_the_receptor_model_stepped_finely() -> None:
    """Two hundred small steps, agonist and voltages interpolated between the two activities by
    hand.
    """
    s = stepper(KETAMINE)
    arriving = replace(
        BASE,
        voltage=np.roll(BASE.voltage, 4, axis=-1),
        bound=BASE.bound / 3,
        glutamate=BASE.glutamate / 3,
    )
    path = stepped(s, 0.0, 0.5, arriving)
    k = BlockKinetics(
        [Pool(name, shares) for name, shares in circuit().pools().items()],
        s.treated[0].blockers,
        circuit().magnesium,
    )
    blocked, n = k.start(), 200
    a = [
        np.array([float(np.ravel(u)[0]) for u in agonist(circuit(), x, BASE).values()])
        for x in (BASE, arriving)
    ]
    v = [np.array(list(voltages(circuit(), x).values()))[:, 0] for x in (BASE, arriving)]
    for step in range(n):
        share = (step + 0.5) / n
        middle_a, middle_v = ((1 - share) * x[0] + share * x[1] for x in (a, v))
        c = s.treated[0].blocker_uM(np.full(3, (step + 0.5) / n * 0.5))
        held = k.gating(middle_a, middle_v, bin_centres_mV())
        blocked = k.advance(blocked, held, held, brain_uM=c, dt_h=0.5 / n)[-1]
    lost = k.fraction(blocked, k.carried(measures.unit_currents(circuit()).values()))
    np.testing.assert_allclose(path.block[-1, 0], lost, rtol=5e-3)
    assert path.block[-1].min() > 0.001
    np.testing.assert_array_equal(path.block[0], 0)
    np.testing.assert_allclose(s.block(path.end.blocked), path.block[-1])


def oracle(s: Stepper, path: Path, first: Any, last: Any) -> np.ndarray:
    """The slow state with each input written out from the path's own block, by another solver."""
    t0, t1 = path.start.t_h, path.end.t_h
    pools = list(circuit().pools())
    at_first, at_last = ratios(first, BASE, RULE), ratios(last, BASE, RULE)

    def inputs(t: float) -> Inputs:
        share = (t - t0) / (t1 - t0)
        block = {
            pool: float(np.interp(t, path.t_h, path.block[:, 0, n])) for n, pool in enumerate(pools)
        }
        effect = {name: float(x[0]) for name, x in s.treated[0].targets(np.array([t])).items()}

        relative = {
            name: float(((1 - share) * x + share * at_last[name])[0])
            for name, x in at_first.items()
        }
        return Inputs(
            **relative,
            rest_current=1 - block["E.rest"],
            pv_block=(block["PV.synaptic"] + block["PV.tonic"]) / 2,
            e_block=(block["E.synaptic"] + block["E.tonic"]) / 2,
            bdnf=effect.get("bdnf", 1),
            mtorc1=effect.get("mtorc1", 1),
            serotonin=effect.get("serotonin", 0),
            stress=float(s.treated[0].stress(np.array([t]))[0]),
        )

    done = solve_ivp(
        lambda t, y: MODEL.rate_of_change(y, inputs(t)),
        (t0, np.nextafter(t1, t0)),
        path.start.y[0],
        method="RK45",
        rtol=1e-8,
        atol=1e-10,
        max_step=(t1 - t0) / 64,
    )
    return np.asarray(done.y[:, -1])


@pytest.mark.parametrize(
    "given",
    [
        [KETAMINE], [KETAMINE, {"drug": "anti_bdnf", "occupancy": 0.8, "at": "0 h", "for": "0.5 h"}],
        [KETAMINE, {"drug": "rapamycin", "occupancy": 0.9, "at": "-1 h", "for": "1.5 h"}],
    ],
    ids=["ketamine", "and anti-BDNF", "and rapamycin"],
)  # fmt: skip
def test_the_slow_state_hears_activity_block_and_tools(given: list[dict[str, Any]]) -> None:
    s = stepper(*given, stress=((-1.0, 10.0, 0.6),))
    arriving = ask(ampa=0.7, recurrent=2)
    path = stepped(s, 0.0, 0.5, arriving)
    wanted = oracle(s, path, BASE, arriving)
    moved = np.abs(wanted - MODEL.healthy_state())
    np.testing.assert_allclose(path.end.y[0], wanted, rtol=1e-4, atol=1e-3 * moved.max())
    np.testing.assert_allclose(
        path.end.y[0] - HEALTHY, wanted - HEALTHY, rtol=0.02, atol=1e-8
    )  # each, however little
    for name in ("bdnf", "adaptation", "accustomed", "tag", "tolerance"):
        assert moved[column(name)] > 1e-5, name
    assert moved[column("persistent")] > 1e-5


def test_the_interpolant_is_the_state_along_the_step() -> None:
    s = stepper(KETAMINE)
    path = stepped(s, 0.0, 0.5)
    half = step(s, start(s, 0.0), 0.25)
    np.testing.assert_allclose(path.slow(0.5)[0], path.end.y, rtol=1e-7)
    np.testing.assert_allclose(
        path.slow(0.25)[0] - HEALTHY, half.end.y - HEALTHY, rtol=0.15, atol=1e-8
    )
    assert path.slow(np.array([0.1, 0.2])).shape == (2, 1, len(STATES))


def test_two_half_steps_are_one_whole_step() -> None:
    s = stepper(KETAMINE)
    whole = step(s, start(s, 0.0), 0.2)
    halves = step(s, step(s, start(s, 0.0), 0.1).end, 0.2)
    np.testing.assert_allclose(halves.end.y - HEALTHY, whole.end.y - HEALTHY, rtol=0.03, atol=1e-8)
    np.testing.assert_allclose(s.block(halves.end.blocked), s.block(whole.end.blocked), rtol=5e-3)


def test_a_hold_acts_up_to_its_end_and_not_beyond() -> None:
    """An effect that ends with the step is whole within it; one that begins with its end is not
    there.
    """
    anti = {"drug": "rapamycin", "occupancy": 1.0}
    during_hold, free = stepper(anti | {"at": "0 h", "for": "2 h"}), stepper()
    later = stepper(anti | {"at": "2 h", "for": "2 h"})
    arriving = ask(ampa=0.9, recurrent=2)
    during = step(during_hold, replace(start(during_hold), activity=arriving), 2.0, arriving)
    without = step(free, replace(start(free), activity=arriving), 2.0, arriving)
    before = step(later, replace(start(later), activity=arriving), 2.0, arriving)
    np.testing.assert_allclose(before.end.y, without.end.y, rtol=1e-12)
    longer = stepper(anti | {"at": "0 h", "for": "3 h"})
    np.testing.assert_allclose(
        during.end.y,
        step(longer, replace(start(longer), activity=arriving), 2.0, arriving).end.y,
        rtol=1e-12,
    )
    made = column("free_protein")
    assert during.end.y[0, made] < 0.9 * without.end.y[0, made]


def along(s: Stepper, first: float, last: float) -> tuple[Path, np.ndarray]:
    (given,) = s.given(np.array([first, last]), SUBSTEPS)
    path = s.step(start(s, first), given)
    return path, s.drives_along(path, given)[:, 0]


def test_drives_along_a_step_are_those_of_its_moments() -> None:
    s = stepper(KETAMINE)
    path, drives = along(s, 0.0, 0.5)
    assert drives.shape == (len(path.t_h), len(NUMBERS))
    np.testing.assert_allclose(drives[-1], s.drives_at(path.end)[0], rtol=1e-9)
    np.testing.assert_allclose(drives[0], Drive().array(circuit()))
    nmda, block = NUMBERS.index("nmda_E"), path.block[:, 0, 0]
    tolerance = path.slow(path.t_h)[:, 0, column("tolerance")]
    np.testing.assert_allclose(1 - drives[:, nmda], block - (1 - block) * tolerance)


def test_drives_begin_after_a_jump_at_the_start_and_end_before_one_at_the_end() -> None:
    ampa = NUMBERS.index("ampa")
    np.testing.assert_allclose(along(stepper(NBQX), 1.0, 5.0)[1][:, ampa], 0.1)
    np.testing.assert_allclose(along(stepper(NBQX), 0.0, 1.0)[1][:, ampa], 1)


def test_a_block_that_is_fast_follows_the_drug_to_the_end_of_a_step() -> None:
    """One step of hours in which ketamine wears off, against a hundred."""
    s = stepper(KETAMINE)
    now = step(s, start(s, 0.0), 0.7).end
    coarse, fine = (s.step(now, s.given(np.array([0.7, 2.7]), n)[0]).block[-1, 0] for n in (4, 128))
    np.testing.assert_allclose(coarse, fine, rtol=0.01)


def test_fast_equations_take_more_steps_and_no_more_time_of_the_others() -> None:
    quick = plan(KETAMINE_ALONE, circuit=circuit(), tuned={"signalling.bdnf_time": "1 min"})
    s = Stepper([quick], lambda drives: PROBE.measure(Drive.from_array(circuit(), drives), 1))
    path = step(s, start(s, 0.0), 2.0, ask(ampa=0.7, recurrent=2))
    assert len(path.slow_t_h) > 60
    assert np.isfinite(path.y).all()
    np.testing.assert_allclose(np.diff(path.slow_t_h), 2 / (len(path.slow_t_h) - 1))
    y, bdnf = path.slow(path.slow_t_h), column("bdnf")
    np.testing.assert_array_equal(y, path.y)
    assert np.abs(path.slope[-1, 0, bdnf]) < 0.1 * np.abs(path.slope[0, 0, bdnf]) + 0.1


def test_inputs_of_a_lasting_state_are_ratios_to_the_baseline() -> None:
    moved = ask(ampa=0.5, recurrent=1.5)
    s = stepper()
    found = s.inputs(moved, s.no_block(), s.no_levels() | {"stress": np.array([0.7])})
    wanted = Inputs(**ratios(moved, BASE, RULE), stress=0.7)
    for field in fields(Inputs):
        assert getattr(found, field.name) == pytest.approx(getattr(wanted, field.name))


def test_without_the_rule_the_balance_is_the_healthy_one_and_all_else_as_it_was() -> None:
    moved = ask(ampa=0.5, recurrent=1.5)
    on, off = (stepper(switches={"calcium_rule": word}).relative(moved) for word in ("on", "off"))
    assert on.pop("balance") != 1
    assert off.pop("balance") == 1
    assert on == off


def test_the_balance_of_a_silent_circuit_is_as_it_was_and_little_says_little() -> None:
    up, down = BASE.potentiation, BASE.depression
    silent, faint, loud = (
        relative_balance(k * up, 0 * down, BASE, quiet=np.array(0.02)) for k in (0, 0.001, 1)
    )
    assert silent == pytest.approx(1)
    assert 1 < faint < 1.2 < loud  # potentiation alone, by hardly anybody


def test_classes_of_synapses_count_alike_however_busy_they_are() -> None:
    """The ratio of means is not the mean of ratios."""
    base = replace(BASE, potentiation=np.array([[1.0, 100.0]]), depression=np.array([[1.0, 100.0]]))
    found = relative_balance(np.array([[3.0, 100.0]]), base.depression, base, quiet=np.array(0.0))
    assert found == pytest.approx((0.75 + 0.5) / 2 / 0.5)


def test_where_no_calcium_passes_a_threshold_nothing_is_tagged() -> None:
    silent = replace(BASE, potentiation=0 * BASE.potentiation, depression=0 * BASE.depression)
    s = stepper()
    path = step(s, replace(start(s), activity=silent), 4.0, silent)
    assert path.end.y[0, column("tag")] == path.end.y[0, column("weight")] - 1 == 0


def test_a_state_is_what_the_probe_is_asked() -> None:
    s = stepper()
    np.testing.assert_array_equal(s.drives_at(start(s))[0], reduce(SMALL, State()).array(SMALL))


def test_what_a_class_has_lost_counts_its_own_pools_and_every_way_of_losing() -> None:
    block = dict.fromkeys(SMALL.pools(), 0.5) | {"PV.tonic": 0.3, "E.rest": 0.9}
    plain = slow_inputs(SMALL, block, {})
    assert (plain.pv_block, plain.e_block, plain.rest_current) == pytest.approx((0.4, 0.5, 0.1))
    halved = slow_inputs(SMALL, block, {"nmdar": 0.5})
    assert (halved.pv_block, halved.e_block) == pytest.approx((0.7, 0.75))
    assert halved.rest_current == pytest.approx(0.05)
    raised = slow_inputs(SMALL, block, {"nmdar.PV.tonic": 2, "nmdar.E.rest": 3})
    assert (raised.pv_block, raised.rest_current) == pytest.approx((0.4, 0.3))
    no_pv = {pool: share for pool, share in block.items() if not pool.startswith("PV")}
    assert slow_inputs(SMALL, no_pv, {}).pv_block == 0
