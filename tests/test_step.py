"""One macro step of both clocks, against block and the slow state solved separately and much finer."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np
import pytest
from circuit_files import CLASSES, NUMBERS, SMALL
from scipy.integrate import solve_ivp

from plastogen._base.library import Library
from plastogen.model.circuit import Circuit, Drive
from plastogen.model.circuit.activity import State, agonist, reduce, voltages
from plastogen.model.circuit.measures import bin_centres_mV
from plastogen.model.pharmacology.drug import Drug
from plastogen.model.pharmacology.nmda_block import BlockKinetics, Pool
from plastogen.model.pharmacology.regimen import Treatment
from plastogen.model.pharmacology.subject import Subject
from plastogen.model.pharmacology.treated_subject import TreatedSubject
from plastogen.model.plasticity.system import STATES, Inputs, Plasticity, SlowModel
from plastogen.simulation.probe import FormulaProbe
from plastogen.simulation.step import Moment, Path, Stepper
from plastogen.simulation.switches import Switches

LIBRARY = Library()
KETAMINE = {"drug": "ketamine", "dose": "0.5 mg/kg", "route": "iv", "over": "40 min", "at": "0 h"}
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


PROBE = FormulaProbe(circuit())
BASE = PROBE.ask(Drive(), 1)


def stepper(
    *given: dict[str, Any], switches: dict[str, Any] | None = None, stress: Any = ()
) -> Stepper:
    treatments = {f"t{n}": Treatment.model_validate(t) for n, t in enumerate(given)}
    drugs = {t.drug: LIBRARY.load("drugs", t.drug, Drug) for t in treatments.values()}
    subject = LIBRARY.load("subjects", "healthy_adult", Subject)
    return Stepper(
        circuit(),
        MODEL,
        TreatedSubject(subject, drugs, treatments, stress),
        Switches.model_validate(switches or {}),
        BASE,
    )


def start(s: Stepper, t_h: float = 0.0) -> Moment:
    return Moment(t_h, MODEL.healthy_state(), s.kinetics.start(), BASE)


def column(name: str) -> int:
    return STATES.index(name)


# what a probe would freeze


def test_the_healthy_undrugged_state_is_the_healthy_drive() -> None:
    s = stepper(KETAMINE)
    assert s.drive(start(s, -1.0)) == Drive()


def test_block_becomes_conductance_left() -> None:
    s = stepper(KETAMINE)
    block = np.linspace(0.1, 0.7, 7)
    state = s.state(0.0, MODEL.healthy_state(), block)
    assert state.nmdar == pytest.approx(dict(zip(circuit().pools(), 1 - block, strict=True)))


def test_tolerance_raises_what_is_left_of_every_pool() -> None:
    s = stepper(KETAMINE)
    y = MODEL.healthy_state()
    y[column("tolerance")] = 0.25
    state = s.state(0.0, y, np.full(7, 0.4))
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
    state = stepper().state(0.0, y, np.zeros(7))
    assert (state.weight, state.scaling, state.spines, state.pv_integrity) == pytest.approx(
        (1.2, 0.9, 0.9, 0.7)
    )
    cut = stepper(switches={"feedback": "off"}).state(0.0, y, np.zeros(7))
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
    maximum = float(next(iter(LIBRARY.load("drugs", drug, Drug).targets.values())).maximum)
    wanted = 0.9 * maximum if part == "silence" else 1 - 0.9 * maximum
    state = s.state(2.0, MODEL.healthy_state(), np.zeros(7))
    assert getattr(state, part) == pytest.approx(wanted)
    assert reduce(SMALL, state).changed(**{part: 1 - float(part == "silence")}) == Drive()
    assert (left == pytest.approx(wanted)) == (maximum == 1)


def test_held_levels_are_taken_on_the_side_that_is_asked_for() -> None:
    s, y, none = stepper(NBQX), MODEL.healthy_state(), np.zeros(7)
    assert s.state(1.0, y, none, before=True).ampa == 1
    assert s.state(1.0, y, none).ampa == pytest.approx(0.1)
    assert s.state(5.0, y, none, before=True).ampa == pytest.approx(0.1)
    assert s.state(5.0, y, none).ampa == 1


def test_factors_scale_the_block_of_their_pools() -> None:
    factors = {"E": 0.5, "PV": 0, "SST": 2, "tonic": 0.25, "rest": 3}
    s, plain = stepper(KETAMINE, switches={"block": factors}), stepper(KETAMINE)
    blocked = np.random.default_rng(0).uniform(0, 0.1, plain.kinetics.shape)
    scaled = dict(zip(s.pools, s.block(blocked) / plain.block(blocked), strict=True))
    assert scaled == pytest.approx(
        {
            "E.synaptic": 0.5,
            "E.tonic": 0.25,
            "E.rest": 3,
            "PV.synaptic": 0,
            "PV.tonic": 0.25,
            "SST.synaptic": 2,
            "SST.tonic": 0.25,
        }
    )


# one step


def ask(s: Stepper, moment: Moment) -> Any:
    return PROBE.ask(s.drive(moment), 1)


def stepped(s: Stepper, first: float, last: float, arriving: Any = None) -> Path:
    return s.step(start(s, first), last, arriving)


def test_activity_runs_linearly_from_one_answer_to_the_next() -> None:
    s = stepper()
    arriving = PROBE.ask(Drive(ampa=0.5), 1)
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
    np.testing.assert_allclose(path.end.y, MODEL.healthy_state(), rtol=1e-12)
    assert not path.block.any()
    assert path.end.t_h == 48


def test_block_is_that_of_the_receptor_model_stepped_finely() -> None:
    """Two hundred small steps, agonist and voltages interpolated between the two activities by
    hand.
    """
    s = stepper(KETAMINE)
    arriving = replace(
        BASE,
        voltage=np.roll(BASE.voltage, 4, axis=1),
        bound=BASE.bound / 3,
        glutamate=BASE.glutamate / 3,
    )
    path = stepped(s, 0.0, 0.5, arriving)
    k = BlockKinetics(
        [Pool(name, shares) for name, shares in circuit().pools().items()],
        s.treated.blockers,
        mg_mM=1,
        mg_efold_mV=16.13,
    )
    blocked, n = k.start(), 200
    a = [np.array(list(agonist(circuit(), x, BASE).values())) for x in (BASE, arriving)]
    v = [np.array(list(voltages(circuit(), x).values())) for x in (BASE, arriving)]
    for step in range(n):
        share = (step + 0.5) / n
        middle_a, middle_v = ((1 - share) * x[0] + share * x[1] for x in (a, v))
        c = s.treated.blocker_uM(np.array([(step + 0.5) / n * 0.5]))
        blocked = k.advance(
            blocked,
            a_start=middle_a,
            a_end=middle_a,
            v_weights_start=middle_v,
            v_weights_end=middle_v,
            v_mV=bin_centres_mV(),
            brain_uM=c,
            dt_h=0.5 / n,
        )[-1]
    np.testing.assert_allclose(path.block[-1], k.fraction(blocked), rtol=5e-3)
    assert path.block[-1].min() > 0.001
    np.testing.assert_array_equal(path.block[0], 0)
    np.testing.assert_allclose(s.block(path.end.blocked), path.block[-1])


def oracle(s: Stepper, path: Path, first: Any, last: Any) -> np.ndarray:
    """The slow state with each input written out from the path's own block, by another solver."""
    t0, t1 = path.start.t_h, path.end.t_h
    pools = list(circuit().pools())

    def inputs(t: float) -> Inputs:
        share = (t - t0) / (t1 - t0)
        block = {
            pool: float(np.interp(t, path.block_t_h, path.block[:, n]))
            for n, pool in enumerate(pools)
        }
        effect = {name: float(x[0]) for name, x in s.treated.effects(np.array([t])).items()}

        def ratio(value: Any) -> float:
            return float(((1 - share) * value(first) + share * value(last)) / value(BASE))

        return Inputs(
            rate_E=ratio(lambda a: a.rate_hz[0]),
            ampa_throughput=ratio(lambda a: a.ampa_throughput),
            rest_current=1 - block["E.rest"],
            pv_block=(block["PV.synaptic"] + block["PV.tonic"]) / 2,
            e_block=(block["E.synaptic"] + block["E.tonic"]) / 2,
            sequestered_bdnf=effect.get("bdnf", 0),
            mtorc1_blocked=effect.get("mtorc1", 0),
            serotonin=effect.get("serotonin", 0),
            stress=float(s.treated.stress(np.array([t]))[0]),
        )

    done = solve_ivp(
        lambda t, y: MODEL.rate_of_change(y, inputs(t)),
        (t0, np.nextafter(t1, t0)),
        path.start.y,
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
    arriving = PROBE.ask(Drive(ampa=0.7, recurrent=2), 1)
    path = stepped(s, 0.0, 0.5, arriving)
    wanted = oracle(s, path, BASE, arriving)
    moved = np.abs(wanted - MODEL.healthy_state())
    np.testing.assert_allclose(path.end.y, wanted, rtol=1e-4, atol=1e-3 * moved.max())
    np.testing.assert_allclose(
        path.end.y - HEALTHY, wanted - HEALTHY, rtol=0.02, atol=1e-8
    )  # each, however little
    assert moved[column("bdnf")] > 1e-3
    assert moved[column("persistent")] > 1e-5
    assert path.end.y[column("tolerance")] > 0


def test_the_interpolant_is_the_state_along_the_step() -> None:
    s = stepper(KETAMINE)
    path = stepped(s, 0.0, 0.5)
    half = s.step(start(s, 0.0), 0.25)
    np.testing.assert_allclose(path.slow(0.5), path.end.y, rtol=1e-7)
    np.testing.assert_allclose(
        path.slow(0.25) - HEALTHY, half.end.y - HEALTHY, rtol=0.15, atol=1e-8
    )
    assert path.slow(np.array([0.1, 0.2])).shape == (2, len(STATES))


def test_two_half_steps_are_one_whole_step() -> None:
    s = stepper(KETAMINE)
    whole = s.step(start(s, 0.0), 0.2)
    halves = s.step(s.step(start(s, 0.0), 0.1).end, 0.2)
    np.testing.assert_allclose(halves.end.y - HEALTHY, whole.end.y - HEALTHY, rtol=0.03, atol=1e-8)
    np.testing.assert_allclose(s.block(halves.end.blocked), s.block(whole.end.blocked), rtol=5e-3)


def test_a_hold_acts_up_to_its_end_and_not_beyond() -> None:
    """An effect that ends with the step is whole within it; one that begins with its end is not
    there.
    """
    anti = {"drug": "rapamycin", "occupancy": 1.0}
    held, free = stepper(anti | {"at": "0 h", "for": "2 h"}), stepper()
    later = stepper(anti | {"at": "2 h", "for": "2 h"})
    arriving = PROBE.ask(Drive(ampa=0.9, recurrent=2), 1)
    during = held.step(replace(start(held), activity=arriving), 2.0, arriving)
    without = free.step(replace(start(free), activity=arriving), 2.0, arriving)
    before = later.step(replace(start(later), activity=arriving), 2.0, arriving)
    np.testing.assert_allclose(before.end.y, without.end.y, rtol=1e-12)
    longer = stepper(anti | {"at": "0 h", "for": "3 h"})
    np.testing.assert_allclose(
        during.end.y,
        longer.step(replace(start(longer), activity=arriving), 2.0, arriving).end.y,
        rtol=1e-12,
    )
    assert during.end.y[column("protein")] < without.end.y[column("protein")] - 1e-4


def test_drives_along_a_step_are_those_of_its_moments() -> None:
    s = stepper(KETAMINE)
    path = stepped(s, 0.0, 0.5)
    drives = s.drives(path)
    assert drives.shape == (len(path.block_t_h), len(NUMBERS))
    np.testing.assert_allclose(drives[-1], s.drive(path.end).array(SMALL), rtol=1e-9)
    np.testing.assert_allclose(drives[0], Drive().array(SMALL))
    nmda = NUMBERS.index("nmda_E")
    np.testing.assert_allclose(
        1 - drives[:, nmda],
        path.block[:, 0]
        - (1 - path.block[:, 0]) * path.slow(path.block_t_h)[:, column("tolerance")],
    )


def test_drives_begin_after_a_jump_at_the_start_and_end_before_one_at_the_end() -> None:
    ampa = NUMBERS.index("ampa")
    s = stepper(NBQX)
    np.testing.assert_allclose(s.drives(s.step(start(s, 1.0), 5.0))[:, ampa], 0.1)
    np.testing.assert_allclose(s.drives(s.step(start(s, 0.0), 1.0))[:, ampa], 1)


def test_inputs_of_a_lasting_state_are_ratios_to_the_baseline() -> None:
    moved = PROBE.ask(Drive(ampa=0.5, recurrent=1.5), 1)
    heard = stepper().inputs(moved, 0.7)
    assert heard == Inputs(
        rate_E=moved.rate_hz[0] / BASE.rate_hz[0],
        ampa_throughput=moved.ampa_throughput / BASE.ampa_throughput,
        stress=0.7,
    )


def test_a_state_is_what_the_probe_is_asked() -> None:
    s = stepper()
    assert s.drive(start(s)) == reduce(SMALL, State())
