"""Courses side by side: the same as one by one, and as the stepping that asks the network."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from circuit_files import NUMBERS, SMALL
from courses import BATH, INFUSION, KETAMINE, RULE, answering, plan

from plastogen.model.circuit import Drive
from plastogen.model.circuit.activity import State, reduce
from plastogen.model.pharmacology.block_kinetics import BlockKinetics, Pool
from plastogen.model.pharmacology.treated_subject import TreatedSubject
from plastogen.model.plasticity.system import SlowModel, stacked
from plastogen.simulation.adaptive import follow, simulate
from plastogen.simulation.course import Course, Plan, event_times
from plastogen.simulation.lockstep import (
    FURTHEST,
    Lockstep,
    _expected,
    alike,
    formula_nodes,
)
from plastogen.simulation.probe import FormulaProbe
from plastogen.simulation.step import Moment, kinetics_of

ANSWERS = FormulaProbe(answering(), RULE)
NBQX = {"blocker": {"drug": "nbqx", "occupancy": 0.9, "at": "-30 min", "for": "4 h"}}
RAPAMYCIN = {"blocker": {"drug": "rapamycin", "occupancy": 0.9, "at": "-30 min", "for": "4 h"}}


def alone(given: Plan) -> Course:
    return Lockstep([given], ANSWERS).simulate()[0]


def finely(given: Plan) -> Course:
    """The course on a grid four times as dense, at the nodes of its own."""
    t = given.grid_h
    finer = np.unique(
        np.concatenate([t[:-1] + share * np.diff(t) for share in (0, 0.25, 0.5, 0.75)] + [t[-1:]])
    )
    found = Lockstep([replace(given, grid_h=finer)], ANSWERS).simulate()[0]
    at = np.searchsorted(finer, t)
    return Course(
        t,
        {name: values[at] for name, values in found.arrays.items()},
        found.pools,
        found.species,
        {},
        {},
    )


def farthest(one: Course, other: Course) -> dict[str, float]:
    """Largest distance of each variable, relative to its range (or a hundredth of its size)."""
    found = {}
    for name, values in one.arrays.items():
        if values.size:
            scale = max(float(np.ptp(values)), 0.01 * float(np.abs(values).max()), 1e-9)
            found[name] = float(np.abs(values - other.arrays[name]).max()) / scale
    return found


@pytest.mark.parametrize("subject", ["healthy_adult", "stressed_adult"])
def test_without_treatment_nothing_moves_for_two_weeks(subject: str) -> None:
    found = alone(plan(subject=subject, hours=14 * 24))
    for name, values in found.arrays.items():
        drift = np.abs(values - values[0]).max(initial=0)
        assert drift <= 1e-9 * max(1.0, np.abs(values[0]).max(initial=0)), name


@pytest.mark.parametrize(
    ("given", "within"),
    [(KETAMINE, 0.003), (KETAMINE | NBQX, 0.005), (RAPAMYCIN, 0.005), (BATH, 0.08)],
    ids=["drug", "both", "tool", "bath"],
)
def test_the_nodes_of_the_grid_are_close_enough(
    given: dict[str, dict[str, object]], within: float
) -> None:
    """Where a level jumps at once, as in a bath, block is faster than the grid, for seconds."""
    asked = plan(given, subject="stressed_adult", hours=7 * 24)
    assert max(farthest(finely(asked), alone(asked)).values()) < within


def test_it_is_where_ever_smaller_steps_of_the_other_way_lead() -> None:
    asked = plan(KETAMINE, subject="stressed_adult", hours=48)
    finest = finely(asked)
    errors = []
    for tolerance in (0.02, 0.005, 0.00125):
        other, _ = follow(replace(asked, tolerance=tolerance, max_probes=4000), ANSWERS)
        errors.append(
            max(
                farthest(finest, other)[name]
                for name in ("bdnf", "mtorc1", "weight", "spine_density")
            )
        )
    assert all(later < earlier for earlier, later in pairwise(errors))
    assert errors[-1] < 0.02


def test_those_beside_a_course_do_not_change_it() -> None:
    doses = [
        plan({"infusion": INFUSION | {"dose": f"{d} mg/kg"}}, seed=s)
        for d in (0.1, 0.5, 2)
        for s in (1, 2)
    ]
    together = Lockstep(doses, ANSWERS).simulate()
    for one, found in zip(doses, together, strict=True):
        assert max(farthest(alone(one), found).values()) < 1e-9
    assert farthest(together[0], together[-1])["weight"] > 0.1


@pytest.mark.parametrize("subject", ["healthy_adult", "stressed_adult"])
def test_a_course_has_the_same_bits_alone_and_among_two_hundred(subject: str) -> None:
    doses = [
        plan({"infusion": INFUSION | {"dose": f"{0.1 + 0.01 * n} mg/kg"}}, seed=n, hours=3)
        for n in range(199)
    ]
    one = plan(KETAMINE, subject=subject, hours=3)
    (found, *_), (by_itself,) = (
        Lockstep([one, *doses], ANSWERS).simulate(),
        Lockstep([one], ANSWERS).simulate(),
    )
    for name, values in by_itself.arrays.items():
        np.testing.assert_array_equal(found.arrays[name], values, err_msg=name)


def test_levels_that_jump_for_those_beside_a_course_do_not_change_its_bits() -> None:
    """Stress at the level it had does not jump; where it eases, it does."""
    base = plan(KETAMINE, subject="stressed_adult", also_at=(5.0, 20.0))
    level = float(base.subject.stress)
    steady, eased = (replace(base, stress=((5.0, 20.0, x),)) for x in (level, level / 2))
    (by_itself,) = Lockstep([steady], ANSWERS).simulate()
    found, other = Lockstep([steady, eased], ANSWERS).simulate()
    (other_by_itself,) = Lockstep([eased], ANSWERS).simulate()
    for one, beside in ((by_itself, found), (other_by_itself, other)):
        for name, values in one.arrays.items():
            np.testing.assert_array_equal(beside.arrays[name], values, err_msg=name)
    assert farthest(found, other)["weight"] > 0


@pytest.mark.slow
@pytest.mark.parametrize("given", [KETAMINE, KETAMINE | NBQX, BATH], ids=["drug", "both", "bath"])
def test_a_course_of_a_formula_is_where_ever_smaller_steps_lead(
    given: dict[str, dict[str, object]],
) -> None:
    """Within a thousandth of each variable's range of steps an eighth as long."""
    asked = plan(given, subject="stressed_adult", hours=14 * 24)
    nodes = formula_nodes(asked.grid_h, event_times(asked))
    parts = [nodes[:-1] + n / 8 * np.diff(nodes) for n in range(8)]
    finer = np.sort(np.concatenate([*parts, nodes[-1:]]))
    (finest,) = Lockstep([asked], ANSWERS, nodes_h=finer).simulate()
    assert max(farthest(finest, simulate(asked)).values()) < 1e-3


@pytest.mark.parametrize("start_s", [30, 50, 70, 100, 2400])
def test_a_level_jumps_when_it_does_though_the_grid_rounds_its_time(start_s: float) -> None:
    """A grid's times are rounded to milliseconds: a step must not begin on the wrong side of a jump.

    What is trapped stays while glutamate is away, for whoever takes the steps.
    """
    held = {"drug": "ketamine", "brain": "10 uM", "at": "0 h", "for": f"{start_s} s"}
    away = {"drug": "release_reducer", "occupancy": 1, "at": f"{start_s} s", "for": "2 min"}
    asked = plan({"blocker": held, "silence": away}, hours=2)
    course, _ = follow(asked, ANSWERS)
    for found in (simulate(asked), alone(asked)):
        assert found.t_h.tolist() == course.t_h.tolist()
        stays = found.t_h <= start_s / 3600 + 2 / 60 + 1e-5
        np.testing.assert_allclose(
            found.arrays["block"][stays], course.arrays["block"][stays], atol=0.08
        )
        assert found.arrays["block"][stays][-1].max() > 0.3


def test_steps_of_a_formula_are_finest_after_an_event() -> None:
    """Half a second, then a tenth of the time since, never more than three hours."""
    written = [-1.0, 0, 0.5, 1, 96, 102]
    nodes = formula_nodes(np.array(written), (0.0,))
    assert set(written) <= set(nodes)
    lengths, since = np.diff(nodes), np.where(nodes[:-1] < 0, np.inf, nodes[:-1])
    wanted = np.clip(0.1 * since, 0.5 / 3600, 3)
    assert (lengths <= 1.1 * wanted * (1 + 1e-9)).all()
    to_a_written_time = np.array(
        [np.min(np.array(written)[np.array(written) > t] - t) for t in nodes[:-1]]
    )
    assert (lengths >= np.minimum(wanted, to_a_written_time) / 2 * (1 - 1e-9)).all()


def test_numbers_that_others_change_leave_a_course_as_it_is_to_the_last_bit() -> None:
    alone_ = plan(KETAMINE)
    paths = (
        "signalling.steepness",
        "signalling.eef2k_cooperativity",
        "synapse.scaling_steepness",
        "spine.delay",
        "synapse.tag_half",
    )
    others = [
        plan(KETAMINE, tuned={path: value})
        for path, value in zip(paths, ("7", "3", "3", "72 h", "0.06"), strict=True)
    ]
    (first, *_), (second,) = (
        Lockstep([alone_, *others], ANSWERS).simulate(),
        Lockstep([alone_], ANSWERS).simulate(),
    )
    for name, values in second.arrays.items():
        assert np.array_equal(first.arrays[name], values), name


def test_courses_of_another_pace_are_not_followed_beside_this_one() -> None:
    quick = plan(KETAMINE, tuned={"signalling.bdnf_time": "1 min"})
    assert alike(quick) != alike(plan(KETAMINE))


def test_every_number_of_a_model_may_differ_between_courses() -> None:
    tuned = [
        {},
        {"spine.delay": "72 h"},
        {"signalling.mtorc1_gain": "3"},
        {"synapse.capture": "0.12 1/h"},
        {"synapse.accustomed_time": "20 h"},
        {"spine.growth": "9 1/h"},
    ]
    plans = [
        plan(KETAMINE, tuned=t, subject=s)
        for t in tuned
        for s in ("healthy_adult", "stressed_adult")
    ]
    for one, found in zip(plans, Lockstep(plans, ANSWERS).simulate(), strict=True):
        assert max(farthest(alone(one), found).values()) < 1e-9


def test_blockers_and_mixes_may_differ_between_courses() -> None:
    plans = [
        plan(KETAMINE),
        plan(BATH | {}),
        plan({"infusion": INFUSION | {"route": "im", "over": None}}),
    ]
    plans = [replace(p, grid_h=plans[0].grid_h) for p in plans]
    many = BlockKinetics.stacked(
        [kinetics_of(p.circuit, TreatedSubject(p.subject, p.drugs, p.treatments)) for p in plans]
    )
    assert many.shape[0] == 3
    with pytest.raises(ValueError, match="same pools"):
        BlockKinetics.stacked(
            [
                BlockKinetics([Pool(name, {"GluN2A": 1})], {}, plans[0].circuit.magnesium)
                for name in ("E.synaptic", "PV.synaptic")
            ]
        )


@pytest.mark.parametrize(
    ("switch", "value"),
    [("feedback", "off"), ("probe", "frozen"), ("homeostasis", "off"), ("calcium_rule", "off")],
)
def test_switches_mean_the_same_as_one_by_one(switch: str, value: str) -> None:
    cut = plan(KETAMINE, switches={switch: value}, hours=30)
    whole = plan(KETAMINE, hours=30)
    assert max(farthest(alone(cut), alone(whole)).values()) > 0.01
    other, _ = follow(replace(cut, tolerance=0.002, max_probes=4000), ANSWERS)
    assert farthest(other, alone(cut))["weight"] < 0.05


def test_a_frozen_probe_leaves_the_circuit_at_its_baseline() -> None:
    found = alone(plan(KETAMINE, switches={"probe": "frozen"}))
    assert np.ptp(found.arrays["rate_hz"], axis=0).max() == 0


def test_courses_of_different_grids_are_refused_together() -> None:
    one, other = plan(KETAMINE), plan(KETAMINE, hours=30)
    assert alike(one) != alike(other)
    with pytest.raises(ValueError, match="same circuit"):
        Lockstep([one, other], ANSWERS).simulate()


def test_what_was_asked_is_what_the_circuit_met() -> None:
    cohort = Lockstep([plan(KETAMINE)], ANSWERS)
    cohort.simulate()
    asked = np.concatenate(cohort.asked)
    names = NUMBERS
    assert asked[:, names.index("nmda_SST")].min() < 0.9
    assert (asked[0] == reduce(SMALL, State()).array(SMALL)).all()
    assert len(asked) >= len(cohort.t_h)


def test_a_course_that_leaves_the_finite_is_told() -> None:
    class Mad:
        def measure(self, drive: Drive, seed: object) -> object:
            found = ANSWERS.measure(drive, seed)
            return replace(
                found,
                rate_hz=np.where(
                    np.asarray(drive["nmda_E"])[:, None] < 0.99, np.nan, found.rate_hz
                ),
            )

    with np.errstate(all="ignore"), pytest.raises(ValueError, match="leaves the finite"):
        Lockstep([plan(KETAMINE)], Mad()).simulate()  # type: ignore[arg-type]


def test_models_side_by_side_keep_a_number_that_all_share() -> None:
    models = [SlowModel(plan(tuned=t).plasticity) for t in ({}, {"spine.delay": "72 h"})]
    both = stacked(models)
    assert both.spines.formation_gain == models[0].spines.formation_gain
    np.testing.assert_array_equal(both.spines.stage_h, [m.spines.stage_h for m in models])


def test_activity_is_thought_to_run_on_as_it_did() -> None:
    rest, none, no = ANSWERS.measure(Drive(), 1), np.zeros(1), np.zeros(1, bool)
    blocked = ANSWERS.measure(Drive(nmda_PV=0.5), 1)
    now = Moment(2.0, none, none, blocked)
    change = blocked.rate_hz - rest.rate_hz
    assert np.abs(change).max() > 0.1
    for t_h, share in ((2.5, 0.5), (3.0, 1), (2 + 2 * FURTHEST, FURTHEST)):
        found = _expected((1.0, rest), now, t_h, no)
        assert found is not None
        np.testing.assert_allclose(found.rate_hz, np.maximum(blocked.rate_hz + share * change, 0))
        assert found.bound <= 1
    falling = _expected((1.0, replace(rest, rate_hz=2 * blocked.rate_hz)), now, 10.0, no)
    assert falling is not None
    assert not falling.rate_hz.any()  # never below silence
    assert _expected((1.0, rest), now, 3.0, ~no) is blocked
    assert _expected(None, now, 3.0, no) is None
