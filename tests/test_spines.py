"""Courses of each spine through the whole product: what is kept, counted, exported, refused."""

from __future__ import annotations

import csv
from dataclasses import replace
from functools import cache
from pathlib import Path
from statistics import NormalDist

import h5py
import numpy as np
import pytest
import xarray as xr
from refused import assert_refused

from plastogen._base.scope import SCOPE
from plastogen.errors import CacheDamaged, InputError
from plastogen.experiment import check, open_experiment
from plastogen.publish import to_spine_tables
from plastogen.runs import Store, open_spines, standing, turnover
from plastogen.runs.identity import determines, run_id
from plastogen.simulation import (
    OF_SPINES,
    VARIABLES,
    Course,
    Plan,
    simulate,
    simulate_formulas,
    variables_of,
)
from plastogen.simulation.spines import share_with_half

EXPERIMENT = """
question: who comes and who goes?
model: {subject: healthy_mouse, circuit: small}
course: {duration: 3 d, seeds: 1, method: formula, synapses: each, preparation: cranial_window}
arms:
  still: {}
  stressed: {stress: {level: 1, at: 0 h}}
  dosed: {give: {it: {drug: ketamine, dose: 10 mg/kg, route: ip, at: 0 h}}}
readouts: {lost: {of: spines_lost, at: 2 d}}
figures: [arms]
"""
SMALL = {"circuit.populations.E.count": 90}


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "mine.yaml"
    path.write_text(EXPERIMENT)
    return path


@cache
def planned(arm: str = "still", text: str = EXPERIMENT) -> Plan:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "mine.yaml"
        path.write_text(text)
        return open_experiment(path, settings=SMALL).condition(arm).plan(1, "numpy")


@cache
def followed(arm: str = "still", text: str = EXPERIMENT) -> Course:
    return simulate(planned(arm, text))


def test_a_course_of_each_spine_is_one_of_the_mean_and_more() -> None:
    each = followed()
    mean = simulate(
        planned(
            text=EXPERIMENT.replace("synapses: each, ", "")
            .replace(", preparation: cranial_window", "")
            .replace("spines_lost", "weight")
            .replace("[dendrite]", "[arms]")
        )
    )
    assert mean.spines is None
    pair = simulate_formulas(
        [replace(planned(), seed=2), planned()]
    )  # as runs are made, side by side
    np.testing.assert_array_equal(pair[1].arrays["spines_lost"], each.arrays["spines_lost"])
    wanted = variables_of(planned().circuit, "spines")
    assert {name for name in wanted if not wanted[name].of_snapshot} <= each.arrays.keys()
    more = {name for name, variable in VARIABLES.items() if variable.of == OF_SPINES}
    assert more == each.arrays.keys() - mean.arrays.keys()
    for name, values in mean.arrays.items():
        assert values.shape == each.arrays[name].shape


@pytest.mark.parametrize("arm", ["still", "stressed"])
def test_what_is_counted_is_what_is_kept(arm: str) -> None:
    course = followed(arm)
    lives, t_h = course.spines, course.t_h
    assert lives is not None
    assert len(np.unique(lives.site[lives.born_h <= t_h[0]])) > 500

    def sites(h: float) -> set[int]:
        return set(lives.site[(lives.born_h <= h) & (h < lives.lost_h)].tolist())

    zero = sites(0)
    for h in (0.0, 25.0, 72.0):
        i = int(np.searchsorted(t_h, h))
        now = sites(t_h[i])
        assert course.arrays["spines_standing"][i] == pytest.approx(len(now) / len(zero))
        assert course.arrays["spines_formed"][i] == pytest.approx(len(now - zero) / len(zero))
        assert course.arrays["spines_lost"][i] == pytest.approx(len(zero - now) / len(zero))
    for k, h in enumerate(lives.look_h):
        there = (lives.born_h <= h) & (h < lives.lost_h)
        np.testing.assert_array_equal(there, np.isfinite(lives.ln_size[:, k]))


def test_no_site_has_two_spines_at_once() -> None:
    lives = followed("stressed").spines
    assert lives is not None
    order = np.lexsort((lives.born_h, lives.site))
    site, born, lost = lives.site[order], lives.born_h[order], lives.lost_h[order]
    again = site[1:] == site[:-1]
    assert again.any()
    assert (lost[:-1][again] < born[1:][again]).all()


def test_stress_takes_more_and_a_drug_gives_more() -> None:
    still, stressed, dosed = (followed(arm).arrays for arm in ("still", "stressed", "dosed"))
    assert stressed["spines_lost"][-1] > 1.2 * still["spines_lost"][-1]
    assert dosed["spines_formed"][-1] > still["spines_formed"][-1]
    assert dosed["spines_lost"][-1] == pytest.approx(still["spines_lost"][-1], rel=0.15)


def test_arms_of_a_seed_share_their_sites_and_seeds_do_not() -> None:
    one, other = followed("still").spines, followed("stressed").spines
    assert one is not None
    assert other is not None
    first = [set(zip(x.site, x.pre, x.post, x.branch, strict=True)) for x in (one, other)]
    assert len(first[0] & first[1]) > 0.9 * min(map(len, first))


def test_a_run_keeps_its_spines_and_is_broken_without(tmp_path: Path) -> None:
    plan, store = planned(), Store(tmp_path)
    store.prepare()
    run, course = run_id(plan), followed()
    store.write(run, plan, course, {})
    found, lives = store.spines(run), course.spines
    assert lives is not None
    assert found["ln_size"].variable._in_memory is False
    np.testing.assert_array_equal(found["born_h"].values, lives.born_h)
    np.testing.assert_allclose(found["ln_size"].values, lives.ln_size, atol=0.001)
    assert found.attrs["preparation"] == "cranial window"
    formed, lost = turnover(found, 0, 48)
    i = int(np.searchsorted(course.t_h, 48))
    assert formed == pytest.approx(course.arrays["spines_formed"][i])
    assert lost == pytest.approx(course.arrays["spines_lost"][i])
    found.close()
    path = tmp_path / "runs" / run / "spines.nc"
    path.write_bytes(path.read_bytes()[:-100])
    assert "spines.nc" in str(store.fault(run))
    path.unlink()
    assert "spines.nc" in str(store.fault(run))
    with pytest.raises(CacheDamaged, match="spines"):
        open_spines(path)


def test_the_middle_and_the_largest_are_those_of_the_spines_that_stand() -> None:
    course, lives = followed("stressed"), followed("stressed").spines
    assert lives is not None
    for k, h in enumerate(lives.look_h):
        sizes = np.sort(np.exp(lives.ln_size[np.isfinite(lives.ln_size[:, k]), k]))[::-1]
        at = np.searchsorted(course.t_h, h)
        median, share = (course.arrays[name][at] for name in ("size_median", "size_of_half"))
        assert median == pytest.approx(np.median(sizes), rel=1e-3)
        few = round(share * len(sizes))
        assert sizes[:few].sum() >= sizes.sum() / 2 > sizes[: few - 1].sum()


@pytest.mark.parametrize("spread", [0.0, 0.5, 1.0])
def test_half_of_a_lognormal_is_carried_by_those_beyond_its_spread(spread: float) -> None:
    sizes = np.exp(spread * np.random.default_rng(1).standard_normal(100_000))
    assert share_with_half(sizes) == pytest.approx(1 - NormalDist().cdf(spread), abs=0.005)


def test_spines_are_exported_as_a_table_and_as_edges(tmp_path: Path) -> None:
    plan, store = planned(), Store(tmp_path)
    store.prepare()
    run = run_id(plan)
    store.write(run, plan, followed(), {})
    runs = np.array([[run, "0" * 12]], object)
    cells = {"run": runs, "status": np.array([["complete", "missing"]], object)}
    ds = xr.Dataset(
        {name: (("arm", "seed"), values) for name, values in cells.items()},
        {"arm": ["still"], "seed": [1, 2], "arm_title": ("arm", [""])},
    ).assign(spines_standing=1)
    paths = to_spine_tables(ds, store, tmp_path / "out", say=lambda _: None)
    note, table, graph = paths
    assert [path.name for path in paths[1:]] == ["still_seed-1.csv", "still_seed-1.edges.h5"]
    assert SCOPE in note.read_text()
    spines = store.spines(run)
    rows = list(csv.DictReader(table.read_text().splitlines()))
    assert len(rows) == spines.sizes["spine"]
    assert [int(row["pre"]) for row in rows] == spines["pre"].values.tolist()
    assert [row["lost_h"] == "" for row in rows] == np.isinf(spines["lost_h"].values).tolist()
    with h5py.File(graph) as edges:
        assert SCOPE in edges.attrs["comment"]
        group = edges["edges/principal_to_principal"]
        stands = standing(spines, 72)
        np.testing.assert_array_equal(group["source_node_id"], spines["pre"].values[stands])
        np.testing.assert_array_equal(group["target_node_id"], spines["post"].values[stands])
        sizes = np.exp(spines["ln_size"].values[stands, -1])
        np.testing.assert_allclose(group["0/syn_weight"], sizes)
    spines.close()
    with pytest.raises(InputError, match="synapses: each"):
        to_spine_tables(ds.drop_vars("spines_standing"), store, tmp_path / "out")


def test_runs_of_the_mean_synapse_are_named_as_ever() -> None:
    plan = open_experiment("one_infusion").condition("vehicle").plan(1, "numpy")
    assert plan.spines is None
    assert not {"spines", "preparation"} & determines(plan).keys()
    names = {
        run_id(planned(text=EXPERIMENT.replace("cranial_window", p)))
        for p in ("cranial_window", "thinned_skull")
    }
    assert len(names) == 2


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("cranial_window", "craniel_window", "course.preparation: found 'craniel_window'"),
        ("still: {}", "still: {set: {course.preparation: open}}", "arms.still.set.course.prep"),
        ("method: formula", "method: emulated", "course.method: found 'emulated', wanted direct"),
        ("synapses: each, ", "", "found 'spines_lost', wanted a variable of a course of the mean"),
        ("still: {}", "still: {set: {course.synapses: mean}}", "course.synapses"),
        ("of: spines_lost", "of: efficacy", "wanted a variable of a course of each spine"),
        ("still: {}", "still: {set: {spines.sizes.spreed: 1}}", "spreed"),
        ("circuit: small}", "circuit: small, spines: cortx}", "cortx"),
        ("arms:", "sweep: {circuit.populations.E.count: [10, 20]}\narms:", "course.synapses"),
        ("arms:", "induction: {rate: 1 Hz}\narms:", "course.synapses: found 'each', wanted mean"),
    ],
)
def test_what_cannot_be_followed_spine_by_spine_is_refused(
    mine: Path, old: str, new: str, message: str
) -> None:
    assert_refused(mine, EXPERIMENT, old, new, message)


@pytest.mark.parametrize("path", ["spines.turnover.slope", "model.spines", "course.preparation"])
def test_numbers_of_spines_are_no_use_to_the_mean_synapse(mine: Path, path: str) -> None:
    text = EXPERIMENT.replace("synapses: each, preparation: cranial_window", "tolerance: 0.02")
    text = text.replace("spines_lost", "weight").replace("[dendrite]", "[arms]")
    value = {"spines.turnover.slope": "1", "model.spines": "cortex"}.get(path, "thinned_skull")
    mine.write_text(text.replace("still: {}", f"still: {{set: {{{path}: {value}}}}}"))
    with pytest.raises(InputError, match="wanted an experiment that follows each spine"):
        check(open_experiment(mine))


def test_a_course_that_loses_all_spines_says_so() -> None:
    barren = {
        "spines.turnover.transient_births": "0 1/d",
        "spines.turnover.lasting_loss": "1e-9 1/d",
        "plasticity.spine.stress_loss": "100 1/d",
        "plasticity.spine.rescue": "1e-4 1/d",
    }
    settings = ", ".join(f"{path}: {value}" for path, value in barren.items())
    old = "stress: {level: 1, at: 0 h}"
    text = EXPERIMENT.replace(old, f"{old}, set: {{{settings}}}")
    with pytest.raises(ValueError, match="no spines are left at"):
        simulate(planned("stressed", text))
