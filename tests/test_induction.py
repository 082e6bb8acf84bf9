"""Inductions: when cells fire, what drugs and Mg2+ do to what that leaves, and what was measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from refused import assert_refused

from plastogen._base.definition import build
from plastogen._base.document import read_text
from plastogen._base.library import Library, builtin
from plastogen.errors import InputError
from plastogen.experiment import check, open_experiment
from plastogen.experiment.definition import Experiment
from plastogen.experiment.reading import evaluate
from plastogen.model.circuit import Circuit, Drive, Engine
from plastogen.model.plasticity.induction import Induction
from plastogen.runs.identity import run_id
from plastogen.simulation import alike, simulate
from plastogen.simulation.course import Course
from plastogen.simulation.variables import VARIABLES, variables_of

EXPERIMENT = """
question: What is left
model: {subject: healthy_rat, circuit: small}
course: {duration: 1 h, seeds: 1, method: formula}
induction: {rate: 20 Hz, trains: 15}
arms:
  plain: {}
  ketamine: {give: {bath: {drug: ketamine, brain: 1 uM, at: -15 min, for: 1 h}}}
readouts:
  change: {of: epsp_change, at: 50 min}
figures: [arms]
"""


def induction(text: str) -> Induction:
    return build(read_text(text, "induction"), Induction)


def times(text: str, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    return induction(text).spike_times(np.random.default_rng(seed))


def course(
    arm: str = "plain",
    settings: Mapping[str, object] | None = None,
    name: str | Path = "learning_under_block",
    seed: int = 1,
) -> Course:
    condition = open_experiment(name, settings or {}).condition(arm)
    return simulate(condition.plan(seed, "numpy"))


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    path = tmp_path / "mine.yaml"
    path.write_text(EXPERIMENT)
    return path


def change(name: Path, arm: str = "plain", **settings: object) -> float:
    given = {path.replace("__", "."): value for path, value in settings.items()}
    return float(course(arm, given, name).arrays["epsp_change"][-1])


# ---- when cells fire


def test_pairs_come_in_trains_that_come_in_repeats() -> None:
    pre, post = times(
        "{rate: 100 Hz, spikes: 4, trains: 3, every: 200 ms, repeats: 2, repeat_every: 10 s}"
    )
    first = [0, 0.01, 0.02, 0.03]
    wanted = [r * 10 + t * 0.2 + s for r in range(2) for t in range(3) for s in first]
    assert pre[0] == pytest.approx(wanted)
    assert post == pytest.approx(pre[0] + 0.01)


@pytest.mark.parametrize("rate", ["0.1 Hz", "0.4 Hz", "7 Hz", "50 Hz"])
@pytest.mark.parametrize("timing", ["regular", "irregular", "independent"])
def test_trains_never_overlap(rate: str, timing: str) -> None:
    pre, post = times(
        f"{{rate: {rate}, spikes: 5, trains: 3, timing: {timing}, repeats: 2, repeat_every: 1 s}}"
    )
    assert pre.shape == (1, 30)
    assert (np.diff(pre[0]) > 0).all()
    assert (np.diff(post) > 0).all()
    if timing == "regular" and rate == "0.1 Hz":
        assert np.diff(pre[0]) == pytest.approx(10)
    length = induction(f"{{rate: {rate}, spikes: 5, trains: 3}}").length_h
    assert length >= 2 * 10 / 3600


@pytest.mark.parametrize("drives", ["presynaptic", "postsynaptic"])
def test_a_cell_that_is_not_driven_is_silent(drives: str) -> None:
    pre, post = times(f"{{rate: 10 Hz, drives: {drives}, synapses: 3}}")
    assert (pre.size, post.size) == ((15, 0) if drives == "presynaptic" else (0, 5))


def test_irregular_pairs_keep_their_interval_and_independent_spikes_do_not() -> None:
    pre, post = times("{rate: 10 Hz, spikes: 500, interval: -7 ms, timing: irregular}")
    assert post - pre[0] == pytest.approx(-0.007)
    gaps = np.diff(pre[0])
    assert gaps.std() == pytest.approx(gaps.mean(), rel=0.2)
    pre, post = times("{rate: 10 Hz, spikes: 500, timing: independent}")
    assert abs(np.corrcoef(pre[0] - post, np.arange(500))[0, 1]) < 1
    assert np.ptp(post - pre[0]) > 0.1
    assert not np.array_equal(pre, times("{rate: 10 Hz, spikes: 500, timing: independent}", 2)[0])


def test_synapses_of_a_pathway_jitter_each_on_their_own() -> None:
    pre, _ = times("{rate: 10 Hz, spikes: 200, synapses: 3, jitter: 2 ms}")
    noise = pre - np.arange(200) / 10
    assert noise.std(axis=1) == pytest.approx(0.002, rel=0.2)
    assert abs(np.corrcoef(noise)[0, 1]) < 0.3


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("{rate: 0 Hz}", "rate"),
        ("{rate: 20}", "rate"),
        ("{rate: 20 Hz, spikes: 0}", "spikes"),
        ("{rate: 20 Hz, spikes: 1000, trains: 1000, synapses: 2}", "2000000 spikes"),
        ("{rate: 20 Hz, block: 1.2}", "block"),
        ("{rate: 20 Hz, timing: irregular, drives: presynaptic}", "timing"),
        ("{rate: 20 Hz, spread: 0.2}", "spread"),
        ("{rate: 20 Hz, initial: 0}", "initial"),
        ("{rate: 20 Hz, intervall: 1 ms}", "interval"),
    ],
)
def test_what_cannot_be_is_refused(text: str, at: str) -> None:
    with pytest.raises(InputError, match=at):
        induction(text)


# ---- what it leaves


@pytest.mark.parametrize("i", range(17))
def test_pairings_that_were_measured(i: int) -> None:
    opened = open_experiment("ltp_by_frequency")
    claim = opened.experiment.expect[i]
    assert claim.arm is not None
    assert claim.between is not None
    rate = {"induction.rate": claim.where["rate"]}
    condition = opened.condition(claim.arm, (), rate)
    found = float(simulate(condition.plan(1, "numpy")).arrays["epsp_change"][-1])
    low, high = map(float, claim.between)
    assert (low <= found <= high) == (claim.known_miss is None)


def test_all_that_was_measured_stands_as_a_claim() -> None:
    expect = open_experiment("ltp_by_frequency").experiment.expect
    assert [claim.source for claim in expect] == ["sjostrom2001"] * 10 + ["markram1997"] * 7
    assert sum(claim.known_miss is not None for claim in expect) == 1


@pytest.mark.parametrize(
    ("rate", "wanted"),
    [("20 Hz", (0.32, 0.15, -0.23, -0.50, -0.43)), ("40 Hz", (0.60, 0.58, 0.52, 0.31, -0.09))],
)
def test_block_turns_learning_into_forgetting_first_at_moderate_rates(
    rate: str, wanted: tuple[float, ...]
) -> None:
    found = [
        course("nonlinear", {"induction.rate": rate, "induction.block": share}).arrays[
            "epsp_change"
        ][-1]
        for share in (0, 0.25, 0.5, 0.75, 1)
    ]
    assert found == pytest.approx(wanted, abs=0.006)


def test_a_drug_does_what_taking_as_many_receptors_out_does(mine: Path) -> None:
    bath = "arms.ketamine.give.bath.brain"
    found = [change(mine, "ketamine", **{bath: f"{c} uM"}) for c in (0.01, 1, 10)]
    assert found[0] > found[1] > found[2]
    blocked = course("ketamine", {bath: "1 uM"}, mine)
    share = float(
        np.interp(0.02, blocked.t_h, blocked.arrays["block"][:, blocked.pools.index("E.synaptic")])
    )
    assert 0.05 < share < 0.6
    assert change(mine, induction__block=share) == pytest.approx(found[1], abs=0.01)
    off = change(mine, "ketamine", **{"switches.block.E": 0})
    assert off == pytest.approx(change(mine), abs=1e-12)


def test_less_release_is_less_calcium(mine: Path) -> None:
    text = mine.read_text().replace(
        "drug: ketamine, brain: 1 uM", "drug: release_reducer, occupancy: 0.5"
    )
    mine.write_text(text)
    assert change(mine, "ketamine") == pytest.approx(change(mine, induction__block=0.5), abs=1e-9)


def test_magnesium_reaches_the_synapse(mine: Path) -> None:
    usual = change(mine, circuit__magnesium__concentration="1 mM")
    assert usual == pytest.approx(change(mine))
    lone = {"induction.drives": "presynaptic", "induction.rate": "1 Hz"}
    assert change(mine, **lone) == 0
    assert change(mine, **lone, circuit__magnesium__concentration="0 mM") < -0.05


def test_a_pathway_begins_spread_and_the_mean_of_it_is_read(mine: Path) -> None:
    found = course("plain", {"induction.synapses": 5, "induction.spread": 0.3}, mine).arrays
    assert found["efficacy"][0] == pytest.approx(0.5)
    assert found["epsp_change"][-1] == pytest.approx(found["efficacy"][-1] / 0.5 - 1)
    single = course("plain", {}, mine).arrays
    assert found["epsp_change"][-1] != pytest.approx(single["epsp_change"][-1], abs=1e-3)


def test_an_induction_has_all_of_its_variables_and_no_others(mine: Path) -> None:
    opened = open_experiment(mine)
    found = course("ketamine", {}, mine)
    wanted = variables_of(opened.condition("plain").circuit, "induction")
    assert found.arrays.keys() == wanted.keys()
    assert {name for name in VARIABLES if "induction" in VARIABLES[name].of} == wanted.keys()
    readout = opened.experiment.readouts["change"]
    labels = {"pool": found.pools, "species": found.species}
    value = evaluate(readout, arrays=found.arrays, time_h=found.t_h, labels=labels)
    assert value == pytest.approx(found.arrays["epsp_change"][-1])


# ---- what is asked of it


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("method: formula", "method: emulated", "course.method: found 'emulated', wanted formula"),
        ("method: formula}\ninduction: {", "method: direct}\ninduction: {synapses: 900, ", "induction.synapses: found 900, wanted at most 79: as many reach"),
        ("method: formula}\ninduction: {rate: 20", "method: direct}\ninduction: {rate: 0.05", "s from the first spike to the last, wanted at most 1000 s"),
        ("method: formula}\ninduction: {", "method: direct}\ninduction: {synapses: 20, spikes: 200, every: 100 ms, ", "induction: found 63000 spikes"),
        ("of: epsp_change", "of: weight", "readouts.change.of: found 'weight', wanted a variable"),
        ("[arms]", "[timeline]", "figures.0: found timeline in an induction, wanted one of arms"),
        ("trains: 15", "trains: 500", "induction: found spikes until 1.39 h"),
        ("plain: {}", "plain: {stress: {level: 1, at: 0 h}}", "arms.plain.stress"),
        ("plain: {}", "plain: {set: {induction.intervall: 3 ms}}", "induction.interval"),
        ("trains: 15", "synapses: 3, spread: 0.6", "induction.spread: found 0.6, wanted synapses"),
        ("plain: {}", "plain: {set: {model.plasticity: spontaneous}}", "without an .induction"),
        (
            "arms:",
            "sweep: {plasticity.synapse.slots: [0.1, 0.2]}\narms:",
            "without an .induction",
        ),
        ("plain: {}", "plain: {set: {model.rule: visual_nonlinaer}}", "visual_nonlinear"),
        ("induction: {rate: 20 Hz, trains: 15}", "snapshots: {}", "readouts.change.of"),
    ],
)  # fmt: skip
def test_what_an_induction_cannot_use_is_refused(
    mine: Path, old: str, new: str, message: str
) -> None:
    assert_refused(mine, EXPERIMENT, old, new, message)


def test_an_arm_cannot_bring_an_induction_of_its_own(mine: Path) -> None:
    text = EXPERIMENT.replace("induction: {rate: 20 Hz, trains: 15}\n", "")
    text = text.replace("of: epsp_change, at", "of: weight, at")
    for old, new in (
        ("plain: {}", "plain: {set: {induction.rate: 3 Hz}}"),
        ("arms:", "sweep: {induction.rate: [1 Hz, 3 Hz]}\narms:"),
    ):
        mine.write_text(text.replace(old, new))
        with pytest.raises(InputError, match=r"wanted an experiment that has an .induction:"):
            check(open_experiment(mine))


def test_a_course_has_a_rule_and_no_induction(mine: Path) -> None:
    text = EXPERIMENT.replace("induction: {rate: 20 Hz, trains: 15}\n", "")
    text = text.replace("of: epsp_change, at", "of: weight, at")
    mine.write_text(text.replace("plain: {}", "plain: {set: {model.rule: classical}}"))
    opened = open_experiment(mine)
    check(opened)
    plan = opened.condition("plain").plan(1, "numpy")
    usual = open_experiment("one_infusion").condition("vehicle").plan(1, "numpy")
    assert plan.induction is usual.induction is Experiment.model_fields["induction"].default is None
    assert plan.rule.title != usual.rule.title
    assert run_id(plan) != run_id(replace(plan, rule=usual.rule))
    assert alike(plan) != alike(replace(plan, rule=usual.rule))


def test_a_rule_without_a_formula_needs_the_network(mine: Path) -> None:
    folder = mine.parent / "models" / "rules"
    folder.mkdir(parents=True)
    shipped = (builtin("models") / "rules" / "classical.yaml").read_text()
    (folder / "own.yaml").write_text(shipped.partition("\nformula:")[0] + "\n")
    text = EXPERIMENT.replace("circuit: small", "circuit: small, rule: own")
    assert "own" in text
    mine.write_text(text)
    check(open_experiment(mine))  # an induction asks no network, and no formula of it
    text = text.replace("induction: {rate: 20 Hz, trains: 15}\n", "")
    text = text.replace("of: epsp_change, at", "of: weight, at")
    mine.write_text(text)
    with pytest.raises(InputError, match=r"model.rule: found 'own', a rule without a section"):
        check(open_experiment(mine))
    mine.write_text(text.replace("method: formula", "method: direct"))
    check(open_experiment(mine))


# ---- through the spiking network


QUIET = {"circuit.background.rate": "0 Hz", "rule.in_vivo": 1, "course.settle": "20 ms"}
SHORT = {"induction.rate": "40 Hz", "induction.trains": 1, "induction.spikes": 5}


def test_in_a_silent_network_a_pathway_learns_as_two_cells_alone_do(mine: Path) -> None:
    settings = SHORT | QUIET | {"induction.synapses": 3, "induction.spread": 0.2}
    alone, driven = (
        course("plain", settings | {"course.method": method}, mine)
        for method in ("formula", "direct")
    )
    for name in ("efficacy", "epsp_change", "potentiation", "depression", "peak_calcium"):
        np.testing.assert_allclose(driven.arrays[name], alone.arrays[name], atol=1e-6)
    assert abs(driven.arrays["epsp_change"][-1]) > 0.005
    assert (driven.log["probes"], driven.log["backend"]) == (1, "numpy")


def test_a_network_that_fires_by_itself_moves_the_pathway_too(mine: Path) -> None:
    settings = SHORT | {"course.method": "direct", "rule.in_vivo": 1, "course.settle": "20 ms"}
    driven, alone = course("plain", settings, mine), course("plain", SHORT, mine)
    assert driven.arrays["peak_calcium"][-1] >= alone.arrays["peak_calcium"][-1]
    assert driven.arrays["efficacy"][-1] != pytest.approx(alone.arrays["efficacy"][-1], abs=1e-6)


def test_two_cells_alone_is_what_an_induction_means_unless_it_says_otherwise(mine: Path) -> None:
    mine.write_text(EXPERIMENT.replace(", method: formula", ""))
    assert open_experiment(mine).experiment.course.method == "formula"
    settings = {"course.method": "direct"}
    assert open_experiment(mine, settings).experiment.course.method == "direct"


def test_an_electrode_makes_its_cell_fire_whatever_else_it_does() -> None:
    small = Library().load("circuits", "small", Circuit)
    engine, options = Engine(small, backend="numpy"), {"seconds": 0.1, "settle_s": 0.02}
    driven_s, cells = [0.04, 0.0402, 0.041, 0.09], [3, 3, 3, 220]
    found = engine.run(Drive(), 1, driven=(driven_s, cells), **options)
    plain = engine.run(Drive(), 1, **options)
    for cell, wanted in ((3, [0.04, 0.041]), (220, [0.09])):
        own, before = found.t_s[found.i == cell], plain.t_s[plain.i == cell]
        assert set(np.round(wanted, 6)) <= set(np.round(own, 6))
        assert not set(np.round(wanted, 6)) <= set(np.round(before, 6))
    early = found.t_s < 0.039
    np.testing.assert_array_equal(found.t_s[early], plain.t_s[: early.sum()])
