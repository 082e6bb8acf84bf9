"""Ensembles of single spines: what the network is given of the table, what goes with a spine."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from refused import assert_refused
from test_ensembles import EXPERIMENT, Told

from plastogen.experiment import check, open_experiment
from plastogen.publish.report.methods import given_text
from plastogen.simulation import Course, Lives, ensembles, simulate, variables_of
from plastogen.simulation.taught_synapses import Synapses, TaughtSpines, everywhere, mean_of_cell

WITHIN = "{delete: spines, ensemble: 2, at: 90 min}"
EACH = EXPERIMENT.replace("method: formula", "method: formula, synapses: each").replace(
    "  plain: {}\n", f"  plain: {{}}\n  gone: {{intervene: {{it: {WITHIN}}}}}\n"
)
CELLS = 4


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "mine.yaml"
    path.write_text(EACH)
    return path


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    monkeypatch.setattr(ensembles, "Engine", Told)
    monkeypatch.setattr(Told, "asked", [])
    return Told.asked


def run(mine: Path, arm: str, **settings: Any) -> Course:
    return simulate(open_experiment(mine, settings).condition(arm).plan(1, "numpy"))


# ---- what is learned, spine by spine


def spines() -> TaughtSpines:
    """Of four cells: two contacts of 0 onto 1, one lost at 10 h; one of 2 onto 3, lost at 20 h,
    and another on its site from 30 h; sizes 1, 3, 2, 2 at 0 h.
    """
    pre, post = np.nonzero(~np.eye(CELLS, dtype=bool))
    zeros = np.zeros(4, int)
    look_h = np.array([0.0, 30.0])
    size = np.array([[1, 1], [3, np.nan], [2, np.nan], [np.nan, 2]])
    born_h, lost_h = np.array([-9.0, -9, -9, 30]), np.array([np.inf, 10, 20, np.inf])
    lives = Lives(
        look_h,
        np.array([0, 1, 2, 2]),
        pre=np.array([0, 0, 2, 2]),
        post=np.array([1, 1, 3, 3]),
        contact=np.array([0, 1, 0, 0]),
        branch=zeros,
        place=zeros,
        kind=zeros,
        returned=zeros,
        born_h=born_h,
        lost_h=lost_h,
        ln_size=np.log(size),
    )
    ones = np.ones(len(pre))
    return TaughtSpines(lives, Synapses(pre, post, ones, ones / 2, ones), 0.5, 0.25)


def between(synapses: Synapses, pre: int, post: int) -> float:
    (at,) = np.flatnonzero((synapses.pre == pre) & (synapses.post == post))
    return float(synapses.conductance[at])


def test_a_synapse_is_the_sum_of_the_spines_that_stand_and_nothing_where_none_does() -> None:
    kept = spines()
    for h, first, second in ((0, 4, 2), (11, 1, 2), (25, 1, 0), (31, 1, 2)):
        now = kept.at(h)
        assert between(now, 0, 1) / first == pytest.approx(now.conductance.sum() / (first + second))
        assert between(now, 2, 3) * first == pytest.approx(between(now, 0, 1) * second)
        assert np.count_nonzero(now.conductance) == (2 if second else 1)
        assert now.conductance.mean() == pytest.approx(0.25)


def test_what_is_learned_goes_with_its_spine() -> None:
    kept = spines()
    before = kept.at(1)
    kept.take(replace(before, efficacy=before.efficacy + 0.25, size=before.size / 2), before, 1)
    learned = kept.at(2)
    assert learned.conductance.sum() == pytest.approx(before.conductance.sum() * 1.5 / 2)
    assert between(learned, 0, 1) / between(learned, 2, 3) == pytest.approx(2)  # contacts alike
    later = kept.at(31)  # the spine on the same site has learned nothing
    assert between(later, 2, 3) / between(later, 0, 1) == pytest.approx(2 / (1.5 / 2))
    members = np.array([[0, 1], [2, 3]])
    assert [kept.left_within(members, 1, h) for h in (2, 11, 25, 31)] == [
        pytest.approx(x) for x in (1, 2 / 3, 1 / 3, 1 / 3)
    ]


def test_what_is_shuffled_is_learned_by_some_spine_or_other() -> None:
    kept = spines()
    kept.efficacy[:3] = 0.1, 0.2, 0.3
    kept.shuffle(0, np.random.default_rng(3))
    assert sorted(kept.efficacy[:3]) == [0.1, 0.2, 0.3]
    assert list(kept.efficacy[:3]) != [0.1, 0.2, 0.3]
    assert kept.efficacy[3] == 0.5


# ---- what the network is told


def test_the_network_has_the_spines_of_the_course_and_the_course_its_own(
    mine: Path, told: list[dict[str, Any]]
) -> None:
    course = run(mine, "plain")
    lives, weights = course.spines, course.weights
    assert lives is not None
    assert weights is not None
    wired = np.zeros((200, 200))
    np.add.at(wired, (lives.pre, lives.post), (lives.born_h <= -1) & (lives.lost_h > -1))
    assert np.array_equal(wired[weights.pre, weights.post] > 0, weights.before > 0)
    first, taught = told[1], told[2]
    assert np.array_equal(first["size"], weights.before)
    assert first["size"].mean() == pytest.approx(0.4)
    assert len(np.unique(taught["size"])) > 1000
    assert set(taught["efficacy"][taught["size"] > 0]) <= {0.5, np.nextafter(0.5, 0)}
    assert len(told) == 6  # spines change: each look is one of its own
    circuit = open_experiment(mine).condition("plain").circuit
    there = variables_of(circuit, "spine_ensembles")
    assert {name for name, variable in there.items() if not variable.of_snapshot} <= set(
        course.arrays
    )


def test_what_is_deleted_is_gone_from_spines_strength_and_ensembles(
    mine: Path, told: list[dict[str, Any]]
) -> None:
    gone = run(mine, "gone")
    assert gone.spines is not None
    assert gone.weights is not None
    mine_only = gone.weights.members[1]
    within = np.isin(gone.weights.pre, mine_only) & np.isin(gone.weights.post, mine_only)
    assert gone.weights.before[within].max() > 0
    assert gone.weights.after[within].max() == 0
    assert np.count_nonzero(gone.weights.after[~within]) > 8000
    lost = (gone.spines.lost_h > 1) & (gone.spines.lost_h < 2)
    assert np.isin(gone.spines.pre[lost], mine_only).all()
    assert np.isin(gone.spines.post[lost], mine_only).all()
    for name in ("ensemble_weight", "ensemble_strength", "ensemble_spines_left"):
        before, after = (gone.arrays[name][np.searchsorted(gone.t_h, h)] for h in (1, 2))
        assert after == pytest.approx(2 / 3 * before, rel=0.2)  # of three ensembles one
    structure = np.interp([1, 2], gone.t_h, gone.arrays["structure"])
    assert structure[1] < structure[0]
    for h, strength in zip((1, 2), structure, strict=True):
        at = np.searchsorted(gone.t_h, h)
        wanted = gone.arrays["ensemble_weight"][at] * strength
        assert gone.arrays["ensemble_strength"][at] == pytest.approx(wanted)


def test_cells_are_stimulated_from_what_stands(mine: Path, told: list[dict[str, Any]]) -> None:
    course = run(mine, "woken")
    live = [one for one in told if one["rule"].potentiation > 1e-6]
    taught, stimulated = live
    assert (stimulated["efficacy"] != taught["efficacy"]).any()
    assert course.weights is not None
    means = mean_of_cell(course.weights.after, course.weights.post)
    given = mean_of_cell(taught["size"], course.weights.post)
    np.testing.assert_allclose(means, given, rtol=1e-6)  # scaled again, to what spines amount to


def test_any_two_principal_cells_are_connected_and_no_others_more() -> None:
    circuit = open_experiment("ensemble").condition("learned").circuit
    wired = everywhere(circuit)
    for one, other in zip(circuit.connections, wired.connections, strict=True):
        principal = (one.source, one.target) == ("E", "E")
        assert float(other.probability) == (1 if principal else float(one.probability))


# ---- what is refused, and words


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("ensemble: 2", "ensemble: 4", "gone.intervene.it.ensemble: found 4, wanted .* 1 to 3"),
        ("ensemble: 2", "ensemble: 0", "gone.intervene.it.ensemble"),
        ("ensemble: 2", "ensembles: 2", "nearest.*ensemble"),
        ("synapses: each", "tolerance: 0.02", "gone.intervene.it: found .*; a mean synapse has no"),
        ("synapses: each", "synapses: each, start: {weight: 1.1}", "course.start.weight"),
        ("of: ensemble_weight", "of: epsp_change", "a course of each spine with ensembles"),
    ],
)
def test_what_cannot_be_is_said(mine: Path, old: str, new: str, message: str) -> None:
    assert_refused(mine, EACH, old, new, message)


def test_a_network_of_all_pairs_is_no_larger_than_a_machine_bears(mine: Path) -> None:
    check(open_experiment(mine))
    assert_refused(
        mine, EACH, "", "", "course.synapses: found each, beside ensembles of 1200 E cells",
        settings={"circuit.populations.E.count": 1200},
    )  # fmt: skip


def test_spines_of_an_ensemble_want_ensembles(tmp_path: Path) -> None:
    with pytest.raises(Exception, match=r"new.ensemble: found 1, wanted an experiment with `ens"):
        check(
            open_experiment(
                "new_spines_deleted",
                {"arms.deleted.intervene.new": {"delete": "spines", "ensemble": 1, "at": "1 d"}},
            )
        )


def test_spines_of_an_ensemble_are_named(mine: Path) -> None:
    opened = open_experiment(mine)
    check(opened)
    assert given_text(opened.condition("gone")) == ["spines within ensemble 2 deleted at 90 min"]
