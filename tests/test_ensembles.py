"""Ensembles: who is driven when, what is measured of it, and what the network is told."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from refused import assert_refused

from plastogen._base.definition import build
from plastogen._base.document import read_text
from plastogen.errors import InputError
from plastogen.experiment import check, open_experiment
from plastogen.model.circuit import Cues, coactivity, cue_response, quiet_bins
from plastogen.model.circuit.plastic import Learning
from plastogen.model.circuit.spikes import Spikes
from plastogen.model.plasticity import Cells, Ensembles
from plastogen.publish.report.methods import given_text
from plastogen.runs.dosing import dosing_rows, dosing_text
from plastogen.runs.ensemble_file import read_ensembles, write_ensembles
from plastogen.runs.identity import run_id
from plastogen.simulation import Weights, ensembles, simulate
from plastogen.simulation.variables import variables_of

TEXT = """
groups: 3
cells: 10
teaching: {at: 0 h, rate: 40 Hz, for: 500 ms, every: 1 s, presentations: 4}
recall: {at: [2 h, 1 h, 3 h], cue: 30 %, rate: 20 Hz, for: 500 ms, every: 3.5 s, repeats: 5, delay: [0.5 s, 2 s]}
"""
EXPERIMENT = f"""
question: What is left
model: {{subject: healthy_mouse, circuit: small}}
course: {{duration: 4 h, seeds: 1, method: formula}}
ensembles: {{{", ".join(TEXT.strip().splitlines())}}}
arms:
  plain: {{}}
  shuffled: {{set: {{ensembles.recall.weights: shuffled}}}}
  blocked: {{set: {{ensembles.recall.block: 40 %}}}}
  taught_blocked: {{set: {{ensembles.teaching.block: 40 %}}}}
  woken:
    intervene:
      it: {{stimulate: ensembles, number: 2, rate: 30 Hz, for: 200 ms, every: 1 s, times: 5, at: 2 h}}
  others:
    intervene:
      it: {{stimulate: cells, group: {{share: 5 %, draw: a}}, rate: 30 Hz, for: 200 ms, every: 1 s, at: 90 min}}
  drug: {{give: {{bath: {{drug: ketamine, brain: 1 uM, at: 150 min, for: 1 h}}}}}}
readouts:
  within: {{of: ensemble_weight, at: 1 h}}
figures: [arms, ensemble_weights]
"""
CELLS = 60


def given(text: str = TEXT) -> Ensembles:
    return build(read_text(text, "ensembles"), Ensembles)


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    path = tmp_path / "mine.yaml"
    path.write_text(EXPERIMENT)
    return path


# ---- who is driven when


def test_no_cell_is_in_two_ensembles_and_each_seed_has_its_own() -> None:
    members = given().draw(CELLS, np.random.default_rng(1))
    assert members.shape == (3, 10)
    assert len(np.unique(members)) == members.size
    assert not np.array_equal(members, given().draw(CELLS, np.random.default_rng(2)))


@pytest.mark.parametrize("what", ["teach", "remind"])
def test_every_stretch_drives_its_own_cells_and_no_others(what: str) -> None:
    one, rng = given(), np.random.default_rng(1)
    members = one.draw(CELLS, rng)
    pulses = getattr(one, what)(members, rng)
    rounds, first, count = {"teach": (4, 10, 20), "remind": (5, 3, 10)}[what]
    assert list(pulses.ensemble) == [0, 1, 2] * rounds
    for begin, ensemble in zip(pulses.begin_s, pulses.ensemble, strict=True):
        there = (pulses.t_s >= begin) & (pulses.t_s <= begin + 0.5)
        cells, spikes = np.unique(pulses.cells[there], return_counts=True)
        assert set(cells) == set(members[ensemble][:first])
        assert set(spikes) == {count}
    assert len(pulses.t_s) == 3 * rounds * first * count
    assert pulses.seconds >= pulses.begin_s[-1] + 0.5


@pytest.mark.parametrize(
    ("old", "new", "place", "wanted"),
    [
        ("for: 500 ms, every: 1 s", "for: 2 s, every: 1 s", "teaching.for", "one by one"),
        ("delay: [0.5 s, 2 s]", "delay: [2 s, 0.5 s]", "recall.delay", "earlier end first"),
        ("every: 3.5 s", "every: 2 s", "recall.every", "at least 3 s"),
        ("cue: 30 %", "cue: 1 %", "recall.cue", "10 cells"),
        ("rate: 20 Hz", "rate: 1 Hz", "recall.rate", "a spike or more"),
        ("1 h, 3 h]", "-1 h, 3 h]", "recall.at", "after teaching, 0 h"),
    ],
)
def test_what_cannot_be_is_said_with_its_place(old: str, new: str, place: str, wanted: str) -> None:
    with pytest.raises(InputError) as found:
        given(TEXT.replace(old, new))
    (problem,) = found.value.problems
    assert problem.path == place
    assert wanted in problem.wanted


@pytest.mark.parametrize(
    ("path", "value", "place", "wanted"),
    [
        ("ensembles.cells", 70, "ensembles.cells", "at most 198, of 200"),
        ("ensembles.teaching.presentations", 500, "ensembles.teaching", "at most 32768"),
        ("ensembles.recall.repeats", 200, "ensembles.recall", "at most 1000 s"),
        ("course.method", "emulated", "course.method", "formula or direct"),
        ("course.duration", "2 h", "ensembles.recall.at", "until 2 h"),
    ],
)
def test_what_the_network_cannot_hold_is_said_before_anything_runs(
    mine: Path, path: str, value: object, place: str, wanted: str
) -> None:
    with pytest.raises(InputError) as found:
        check(open_experiment(mine, {path: value}))
    assert any(p.path.endswith(place) and wanted in p.wanted for p in found.value.problems)


def test_a_path_below_ensembles_wants_an_experiment_that_has_them() -> None:
    for arm in ("", "arms.thinned_skull.set."):
        with pytest.raises(InputError, match="ensembles"):
            check(open_experiment("turnover", {f"{arm}ensembles.cells": 10}))


# ---- what is measured


def spikes(rates: np.ndarray, seconds: float, seed: int = 1) -> Spikes:
    """Poisson spikes of cells at rates (cells, seconds / 0.5 s)."""
    rng = np.random.default_rng(seed)
    counts = rng.poisson(rates * 0.5)
    cells, bins = np.nonzero(counts)
    many = counts[cells, bins]
    t = np.repeat(bins * 0.5, many) + 0.5 * rng.random(many.sum())
    order = np.argsort(t)
    i = np.repeat(cells, many).astype(np.int32)[order]
    none = np.empty((0, 1))
    return Spikes(t[order], i, seconds, none, np.zeros(1, int), {"E": slice(0, len(rates))})


def cued(factor: float, others: float, late: float, cues: int = 60) -> dict[str, float]:
    """Two ensembles of ten cells cued in turn, so many of the cells outside unmoved."""
    seconds = 4.0 * cues
    rates = np.full((120, int(2 * seconds)), 10.0)
    members = np.arange(20).reshape(2, 10)
    begin = 0.5 + 4.0 * np.arange(cues)
    for k, t in enumerate(begin):
        during = int(2 * t)
        mine, other = members[k % 2], members[1 - k % 2]
        rates[mine[:5], during] = 100
        rates[mine[5:], during] *= factor
        rates[other, during] *= others
        rates[mine, during + 2 : during + 5] *= late
    found = Cues(begin, np.arange(cues) % 2, 5, 0.5, (0.5, 2.0))
    return cue_response(spikes(rates, seconds), members, found)


def test_completion_overlap_and_delay_are_told_apart_and_are_1_where_nothing_is() -> None:
    nothing = cued(1, 1, 1)
    assert all(abs(value - 1) < 0.1 for value in nothing.values())
    for place, name in enumerate(("completion", "overlap", "delay")):
        factors = [1.0, 1.0, 1.0]
        factors[place] = 2.0
        found = cued(*factors)
        assert found.pop(name) == pytest.approx(2, rel=0.1)
        assert all(abs(value - 1) < 0.1 for value in found.values())


def test_cells_that_are_driven_complete_nothing() -> None:
    assert cued(1, 1, 1)["completion"] == pytest.approx(cued(1, 1, 1, 60)["completion"])
    assert cued(0, 1, 1)["completion"] < 0.1


def test_cells_that_rise_together_are_told_from_those_that_do_not() -> None:
    rng, seconds = np.random.default_rng(3), 100.0
    rates = np.full((60, int(2 * seconds)), 10.0)
    members = np.arange(20).reshape(2, 10)
    rates[members[0]] *= rng.choice([0.2, 1.8], rates.shape[1])
    rates[members[1]] *= rng.choice([0.2, 1.8], rates.shape[1])
    cues = Cues(np.array([10.0]), np.array([0]), 5, 0.5, (0.5, 2.0))
    quiet = quiet_bins(cues, seconds)
    together, apart = coactivity(spikes(rates, seconds), members, quiet)
    assert together > 0.2
    assert abs(apart) < 0.02
    assert (~quiet).sum() == 25


# ---- what the network is told


def test_scaled_weights_have_the_mean_of_an_untaught_cell() -> None:
    rng = np.random.default_rng(1)
    post = rng.integers(0, 9, 400)
    weights = rng.lognormal(0, 1, 400)
    weights /= ensembles.mean_of_cell(weights, post)
    means = np.bincount(post, weights) / np.bincount(post)
    assert means == pytest.approx(np.ones(9))


class Told:
    """A network that notes what it is told; teaching doubles what each synapse before cell 3
    transmits.
    """

    asked: list[dict[str, Any]] = []
    backend = "told"

    def __init__(self, circuit: Any, **_: Any) -> None:
        self.circuit = circuit

    def learn(self, drive: Any, seed: int, rule: Any, **more: Any) -> tuple[Spikes, Learning]:
        self.asked.append({"drive": drive, "rule": rule, **more})
        pre, post = np.nonzero(~np.eye(200, dtype=bool))
        taught = rule.potentiation > 1e-6
        given = more.get("efficacy")
        begun = np.asarray(0.5 if given is None else given)
        efficacy = np.where(taught & (pre < 100), begun + 0.3 * (1 - begun), begun)
        zero = np.zeros(len(pre))
        learning = Learning(pre, post, zero + 1, efficacy, zero, zero, zero)
        quiet = spikes(np.full((200, int(2 * more["seconds"])), 5.0), more["seconds"])
        return replace(quiet, slices=self.circuit.slices()), learning


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    monkeypatch.setattr(ensembles, "Engine", Told)
    monkeypatch.setattr(Told, "asked", [])
    return Told.asked


def run(mine: Path, arm: str) -> Any:
    return simulate(open_experiment(mine).condition(arm).plan(1, "numpy"))


def test_it_is_taught_live_once_and_looked_at_frozen_with_what_it_learned(
    mine: Path, told: list[dict[str, Any]]
) -> None:
    course = run(mine, "plain")
    spoken = [len(one["driven"][0]) for one in told]
    moves = [one["rule"].potentiation > 1e-6 for one in told]
    assert moves == [False, False, True, False]  # nothing else is given: one look answers all
    assert spoken[0] == 0
    assert spoken[2] == 3 * 4 * 10 * 20
    assert all(one["live"] and one["conductance"] for one in told)
    assert np.all(told[1]["size"] == 1)
    assert np.array_equal(told[3]["size"], course.weights.after)
    circuit = open_experiment(mine).condition("plain").circuit
    wanted = {n for n, v in variables_of(circuit, "ensembles").items() if not v.of_snapshot}
    assert wanted <= set(course.arrays)


def test_each_number_stands_as_it_was_measured_last(mine: Path, told: list[dict[str, Any]]) -> None:
    course = run(mine, "plain")
    weight = course.arrays["ensemble_weight"]
    assert set(weight[course.t_h < 1]) == {1.0}
    assert len(set(weight[course.t_h >= 1])) == 1
    assert weight[-1] != 1


@pytest.mark.parametrize(
    ("arm", "blocked"),
    [("plain", []), ("blocked", [1, 3]), ("taught_blocked", [0, 2])],
)
def test_receptors_are_taken_out_of_every_class_when_it_says_so(
    mine: Path, told: list[dict[str, Any]], arm: str, blocked: list[int]
) -> None:
    run(mine, arm)
    for k, one in enumerate(told):
        left = {
            one["drive"][f"{kind}_{c}"] for kind in ("nmda", "tonic") for c in ("E", "PV", "SST")
        }
        assert left == {0.6 if k in blocked else 1.0}


def test_a_drug_is_met_when_it_is_there_and_asks_for_a_look_of_its_own(
    mine: Path, told: list[dict[str, Any]]
) -> None:
    run(mine, "drug")
    left = [one["drive"]["nmda_E"] for one in told]
    assert left[:4] == [1, 1, 1, 1]
    assert len(left) == 5
    assert left[4] < 0.9


def test_shuffled_weights_are_the_same_ones_elsewhere_and_are_what_the_run_keeps(
    mine: Path, told: list[dict[str, Any]]
) -> None:
    learned, shuffled = (run(mine, arm).weights for arm in ("plain", "shuffled"))
    assert np.array_equal(told[-1]["size"], shuffled.after)
    assert not np.array_equal(shuffled.after, learned.after)
    assert np.array_equal(np.sort(shuffled.after), np.sort(learned.after))


@pytest.mark.parametrize(("arm", "stretches", "at_h"), [("woken", 5, 2), ("others", 1, 1.5)])
def test_cells_that_are_stimulated_fire_then_and_weights_go_on_from_what_they_were(
    mine: Path, told: list[dict[str, Any]], arm: str, stretches: int, at_h: float
) -> None:
    course, plain = run(mine, arm), run(mine, "plain")
    live = [one for one in told if one["rule"].potentiation > 1e-6]
    taught, stimulated, _ = live
    group = Cells.model_validate({"share": "5 %", "draw": "a"}).members(200, 1)
    cells = course.weights.members[1] if arm == "woken" else np.flatnonzero(group)
    times, driven = stimulated["driven"]
    assert set(driven) == set(cells)
    assert len(driven) == stretches * len(cells) * 6
    assert set(np.floor(times)) == set(range(stretches))
    begun = stimulated["size"] * stimulated["efficacy"] / taught["rule"].initial
    np.testing.assert_allclose(begun, plain.weights.after)
    before = course.t_h < at_h
    weight, untouched = (c.arrays["ensemble_weight"] for c in (course, plain))
    np.testing.assert_array_equal(
        weight[before], np.interp(course.t_h, plain.t_h, untouched)[before]
    )
    seen = course.t_h >= 2  # of the looks at 1, 2 and 3 h
    assert (weight[seen] != np.interp(course.t_h, plain.t_h, untouched)[seen]).all()
    assert not np.allclose(course.weights.after, plain.weights.after)
    assert told[told.index(stimulated) + 1]["size"] is course.weights.after
    means = np.bincount(course.weights.post, course.weights.after) / 199
    np.testing.assert_allclose(means, 1)  # scaled again


STIMULUS = "number: 2, rate: 30 Hz"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (STIMULUS, "number: 4, rate: 30 Hz", "woken.intervene.it.number: found 4, wanted.* 1 to 3"),
        (STIMULUS, "number: 0, rate: 30 Hz", "woken.intervene.it.number"),
        (STIMULUS, "rate: 2 Hz", "it.rate: found 2 Hz for 200 ms, less than a spike"),
        (STIMULUS, "group: {share: 0.1}, rate: 30 Hz", "it.group: found .* beside stimulate: ens"),
        (STIMULUS, "rates: 30 Hz", "nearest.*rate"),
        ("stimulate: ensembles", "stimulate: cells", "it.group: found nothing beside stimulate: c"),
        ("stimulate: ensembles", "stimulate: spines", "it.stimulate: found 'spines'"),
        ("stimulate: ensembles", "delete: spines, stimulate: ensembles", "it.delete"),
        ("every: 1 s, times: 5", "every: 100 ms, times: 5", "it.for: found 200 ms, wanted at most"),
        ("times: 5", "times: 2000", "woken.intervene.it: found 2000 s in all"),
        ("times: 5", "times: 900", "woken.intervene.it: found 54000 spikes"),
        ("at: 2 h}", "at: 200 min}", "it.at: found '200 min', wanted a time from teaching, 0 h"),
        ("at: 2 h}", "at: -1 h}", "it.at: found '-1 h', wanted a time from teaching, 0 h"),
    ],
)
def test_a_stimulus_that_cannot_be_is_said_with_its_place(
    mine: Path, old: str, new: str, message: str
) -> None:
    assert_refused(mine, EXPERIMENT, old, new, message)


@pytest.mark.parametrize("kind", ["course", "spines", "induction"])
def test_without_a_network_no_cell_can_be_stimulated(tmp_path: Path, kind: str) -> None:
    text = "\n".join(EXPERIMENT.splitlines()).replace(
        "within: {of: ensemble_weight", "w: {of: weight"
    )
    lines = [line for line in text.splitlines() if not line.startswith("ensembles:")]
    text = "\n".join(line for line in lines if "set:" not in line).replace(", ensemble_weights", "")
    if kind == "spines":
        text = text.replace("method: formula", "method: formula, synapses: each")
    if kind == "induction":
        text = text.replace("arms:", "induction: {rate: 1 Hz}\narms:")
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    with pytest.raises(InputError, match=r"intervene.it: found 'ensemble 2 stimulated', wanted"):
        check(open_experiment(path))


def test_a_stimulus_is_told_in_words_and_in_the_name_of_a_run(mine: Path) -> None:
    opened = open_experiment(mine)
    check(opened)
    woken, plain = opened.condition("woken"), opened.condition("plain")
    assert given_text(woken) == [
        "ensemble 2 stimulated at 2 h, 5 times for 200 ms at 30 Hz, one every 1 s"
    ]
    (row,) = dosing_rows(woken)
    assert (row["start_h"], row["end_h"], dosing_text(row)) == (2, 2, "ensemble 2 stimulated")
    assert run_id(woken.plan(1, "numpy")) != run_id(plain.plan(1, "numpy"))


def test_a_run_is_named_by_what_is_taught_and_by_what_runs_the_network(mine: Path) -> None:
    plain, blocked = (open_experiment(mine).condition(arm) for arm in ("plain", "blocked"))
    names = {
        run_id(one.plan(1, backend)) for one in (plain, blocked) for backend in ("numpy", "cpp")
    }
    assert len(names) == 4


def test_weights_come_back_from_their_file(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    whole = Weights(
        np.arange(6).reshape(2, 3), np.arange(9), np.arange(9)[::-1], np.ones(9), rng.random(9)
    )
    write_ensembles(tmp_path / "ensembles.npz", whole)
    found = read_ensembles(tmp_path / "ensembles.npz")
    for name in ("members", "pre", "post", "before", "after"):
        assert getattr(found, name) == pytest.approx(getattr(whole, name), rel=1e-6)
