"""Results: labelled arrays from runs, honest about what is missing, the same bytes every time."""

from __future__ import annotations

import csv
import io
import json
import tracemalloc
from dataclasses import replace
from pathlib import Path
from typing import Any

import course_fake
import numpy as np
import pytest
import xarray as xr
from test_experiment import question

from plastogen.experiment.judge_sweep import judge_claims
from plastogen.experiment.resolve import OpenExperiment
from plastogen.experiment.verdict import Verdict
from plastogen.runs import curves, netcdf, results
from plastogen.runs.results import assemble, results_of
from plastogen.runs.scheduler import list_runs, run_all
from plastogen.runs.store import Store
from plastogen.runs.tables import table
from plastogen.simulation.course import Course, Plan
from plastogen.simulation.time_grid import SHARED
from plastogen.simulation.variables import VARIABLES, variables_of

TEXT = """
question: What comes out?
model: {subject: healthy_adult, circuit: small}
course: {duration: 6 h, seeds: 2}
arms:
  vehicle: {}
  ketamine: {give: {x: {drug: ketamine, dose: 1 mg/kg, route: iv, over: 40 min, at: 0 h}}}
  early: {give: {y: {drug: nbqx, occupancy: 0.5, at: -2 h, for: 4 h}}}
snapshots: {before: -30 min, during: 40 min}
readouts:
  weight_2h: {of: weight, at: 2 h, title: weight at two hours}
  rate_peak: {of: rate_hz, class: E, take: peak}
  onset_w: {of: weight, take: onset}
expect:
  - {claim: more, readout: weight_2h, more: ketamine, than: vehicle, by: 0.5}
  - {claim: less, readout: weight_2h, less: ketamine, than: vehicle}
"""
SWEEP = (
    TEXT + "sweep: {arms.ketamine.give.x.dose: [1 mg/kg, 2000 ug/kg], course.window: [4 s, 8 s]}\n"
)


def ran(folder: Path, text: str = TEXT, fails: Any = None) -> tuple[OpenExperiment, xr.Dataset]:
    def course(plan: Any, *, progress: Any) -> Any:
        if fails and fails(plan):
            raise RuntimeError("no")
        return course_fake.simulate(plan, progress=progress)

    asked = question(text)
    cases = asked.conditions()
    jobs, ids = list_runs(asked, cases, "cpp")
    store = Store(folder / "results" / "x")
    list(run_all(jobs, store, workers=1, simulator=course))
    return asked, assemble(asked, cases, store, ids, folder / "results.nc")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[OpenExperiment, xr.Dataset]:
    return ran(tmp_path_factory.mktemp("whole"))


def test_every_variable_has_its_dimensions_units_and_name(
    whole: tuple[OpenExperiment, xr.Dataset],
) -> None:
    asked, ds = whole
    there = variables_of(asked.conditions()[0].circuit)
    assert not (VARIABLES.keys() - there.keys()) & set(ds.variables)  # those of inductions
    for name, variable in there.items():
        assert ds[name].dims == ("arm", "seed", *variable.dims)
        assert ds[name].attrs["units"] == variable.unit
        assert ds[name].attrs["long_name"]
        assert ds[name].notnull().all()
    assert ds["arm"].values.tolist() == ["vehicle", "ketamine", "early"]
    assert ds["seed"].values.tolist() == [1, 2]
    assert ds["species"].values.tolist() == ["ketamine", "norketamine", "hnk"]
    assert ds["time"].attrs["units"] == "h"
    assert ds["time"].attrs["resolution"].startswith(f"{ds.sizes['time']} times, ")


def test_arms_with_other_grids_meet_on_their_union(
    whole: tuple[OpenExperiment, xr.Dataset],
) -> None:
    _, ds = whole
    t = ds["time"].values
    assert t[0] == -3
    assert {-2.0, 2.0} <= set(t.tolist())
    exact = 1 + 1.01 * np.clip(t, 0, None) * np.exp(-np.clip(t, 0, None) / 5)
    assert np.abs(ds["weight"].sel(arm="ketamine", seed=1) - exact).max() < 0.01
    assert (ds["weight"].sel(arm="vehicle", seed=1) == 1).all()
    assert (ds["brain_uM"].sel(arm="early") == 0).all()


def test_readouts_stand_beside_the_variables(whole: tuple[OpenExperiment, xr.Dataset]) -> None:
    _, ds = whole
    exact = 1 + 1.01 * 2 * np.exp(-2 / 5)
    assert float(ds["weight_2h"].sel(arm="ketamine", seed=1)) == pytest.approx(exact, rel=1e-3)
    assert ds["weight_2h"].attrs["long_name"] == "weight at two hours"
    assert np.isnan(ds["onset_w"].sel(arm="vehicle")).all()
    assert list(results.readouts(ds).data_vars) == ["weight_2h", "rate_peak", "onset_w"]


def test_attributes_say_what_this_is(whole: tuple[OpenExperiment, xr.Dataset]) -> None:
    _, ds = whole
    assert (ds.attrs["n_expected"], ds.attrs["n_complete"]) == (6, 6)
    assert ds.attrs["species"] == "human"
    assert ds.attrs["question"] == "What comes out?"
    assert "advice" in ds.attrs["scope"]
    given = json.loads(ds.attrs["dosing"])
    assert [(g["arm"], g["start_h"], round(g["end_h"], 3)) for g in given] == [
        ("ketamine", 0, 0.667),
        ("early", -2, 2),
    ]
    assert "1 mg/kg iv over 40 min" in given[0]["what"]
    assert "50 %" in given[1]["what"]


def test_verdicts_rest_on_all_seeds(whole: tuple[OpenExperiment, xr.Dataset]) -> None:
    found = judge_claims(*whole)
    assert [(v.outcome, v.n, v.expected) for v in found] == [("met", 2, 2), ("missed", 2, 2)]


def test_what_failed_is_missing_and_said(tmp_path: Path) -> None:
    asked, ds = ran(tmp_path, fails=lambda plan: plan.seed == 2 and "x" in plan.treatments)
    assert (ds.attrs["n_expected"], ds.attrs["n_complete"]) == (6, 5)
    assert str(ds["status"].sel(arm="ketamine", seed=2).item()) == "failed: no"
    assert ds["weight"].sel(arm="ketamine", seed=2).isnull().all()
    assert ds["weight"].sel(arm="vehicle", seed=2).notnull().all()
    verdict = judge_claims(asked, ds)[0]
    assert (verdict.n, verdict.expected) == (1, 2)
    assert "n = 1 of 2" in verdict.sentence
    rows = list(csv.DictReader(io.StringIO(table(ds))))
    (failed,) = [row for row in rows if row["arm"] == "ketamine" and row["seed"] == "2"]
    assert failed["status"] == "failed: no"
    assert failed["weight_2h"] == ""


def test_a_table_has_a_row_a_run_and_units_in_its_heads(
    whole: tuple[OpenExperiment, xr.Dataset],
) -> None:
    rows = list(csv.reader(io.StringIO(table(whole[1]))))
    assert rows[0] == [
        "arm",
        "seed",
        "weight_2h",
        "rate_peak [Hz]",
        "onset_w [h]",
        "status",
        "run",
        "onset_w_reason",
    ]
    assert len(rows) == 7


def test_the_file_opens_with_xarray_alone_and_is_the_same_twice(
    whole: tuple[OpenExperiment, xr.Dataset], tmp_path: Path
) -> None:
    _, ds = whole
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        ran(tmp_path / name)
    with xr.open_dataset(tmp_path / "a" / "results.nc", engine="h5netcdf") as back:
        assert set(back.variables) == set(ds.variables)
        for name in ds.variables:
            xr.testing.assert_equal(back[name], ds[name])
    assert (tmp_path / "a" / "results.nc").read_bytes() == (
        tmp_path / "b" / "results.nc"
    ).read_bytes()


def test_a_sweep_puts_its_axes_between_arm_and_seed(tmp_path: Path) -> None:
    asked, ds = ran(tmp_path, SWEEP)
    assert ds["weight"].dims == ("arm", "dose", "window", "seed", "time")
    assert ds["dose"].values.tolist() == [1, 2]
    path = "arms.ketamine.give.x.dose"
    assert ds["dose"].attrs == {"units": "mg/kg", "path": path, "title": "dose"}
    double = ds["weight_2h"].sel(arm="ketamine", dose=2, seed=1) - 1
    single = ds["weight_2h"].sel(arm="ketamine", dose=1, seed=1) - 1
    assert np.allclose(double / single, 2, rtol=1e-3)
    assert (ds["run"].sel(arm="vehicle", dose=1) == ds["run"].sel(arm="vehicle", dose=2)).all()
    rows = list(csv.reader(io.StringIO(table(ds))))
    assert rows[0][:4] == ["arm", "dose [mg/kg]", "window [s]", "seed"]
    assert len(rows) == 1 + 24
    (met, missed) = judge_claims(asked, ds)
    assert met.outcome == "met"
    assert "dose" in missed.where


def test_a_claim_may_be_about_some_points_of_a_sweep(tmp_path: Path) -> None:
    text = SWEEP.replace("by: 0.5}", "by: 1.5, where: {arms.ketamine.give.x.dose: 2000 ug/kg}}")
    found: list[Verdict] = judge_claims(*ran(tmp_path, text))
    assert found[0].outcome == "met"
    text = SWEEP.replace("by: 0.5}", "by: 1.5, where: {arms.ketamine.give.x.dose: 1 mg/kg}}")
    assert judge_claims(*ran(tmp_path, text))[0].outcome == "missed"


def many(folder: Path, points: int) -> tuple[OpenExperiment, Any, dict[Any, str], Store]:
    """A sweep of so many points, three runs each, of one course under many names, each a little
    different.
    """
    windows = ", ".join(f"{2 + k / 1000:g} s" for k in range(points))
    asked = question(
        TEXT.replace("duration: 6 h, seeds: 2", "duration: 6 h, seeds: 1")
        + f"sweep: {{course.window: [{windows}]}}\n"
    )
    cases = asked.conditions()
    ids = {(case.arm, case.index, 1): f"{k:012x}" for k, case in enumerate(cases)}
    store = Store(folder)
    store.prepare()
    plan = cases[1].plan(1, "cpp")
    store.write(
        "like",
        plan,
        course_fake.simulate(plan),
        {"log": {"probes": 3}, "backend": "cpp", "arm": "", "versions": {}},
    )
    like = store.load("like")

    class Copies(Store):
        def fault(self, run: str) -> None:
            return None

        def load(self, run: str) -> Any:
            return replace(like, arrays={n: v * (1 + int(run, 16)) for n, v in like.arrays.items()})

    return asked, cases, ids, Copies(folder)


def test_courses_of_a_few_points_are_written_down_more_often_than_those_of_many(
    tmp_path: Path,
) -> None:
    (tmp_path / "few").mkdir()
    asked, cases, ids, store = many(tmp_path / "few", 4)
    with assemble(asked, cases, store, ids, tmp_path / "few.nc") as few:
        assert few["time"].size > SHARED


def test_many_runs_are_the_same_block_by_block_and_lazily(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, cases, ids, store = many(tmp_path, 100)
    at_once = assemble(asked, cases, store, ids, tmp_path / "once.nc")
    monkeypatch.setattr(results, "RUNS_AT_ONCE", 100)
    monkeypatch.setattr(results, "RUNS_TOGETHER", 50)
    monkeypatch.setattr(netcdf, "MOST_IN_MEMORY", 0)
    with assemble(asked, cases, store, ids, tmp_path / "blocks.nc") as lazy:
        assert not lazy["weight"].variable._in_memory
        assert lazy["weight_2h"].variable._in_memory
        assert lazy["weight"].encoding["chunksizes"][:2] == (1, 16)
        assert lazy["time"].size <= SHARED
        one = {"arm": 1, "window": 77, "seed": 0}
        np.testing.assert_array_equal(lazy["rate_hz"].isel(one), at_once["rate_hz"].isel(one))
        assert table(lazy) == table(at_once)
        xr.testing.assert_identical(lazy.load(), at_once)


def test_a_sweep_keeps_few_times_but_reads_whole_courses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(curves, "MANY", 0)
    asked, cases, ids, store = many(tmp_path, 2)
    ds = assemble(asked, cases, store, ids, tmp_path / "x.nc")
    like = store.load("000000000000")
    assert ds["time"].size < like.time_h.size
    assert {0.0, 2.0, round(40 / 60, 6)} <= set(ds["time"].values.round(6).tolist())
    first = {"arm": 0, "window": 0, "seed": 0}
    assert float(ds["rate_peak"].isel(first)) == like.arrays["rate_hz"][:, 0].max()
    between = np.interp(ds["time"], like.time_h, like.arrays["weight"])
    np.testing.assert_allclose(ds["weight"].isel(first), between, rtol=1e-6)


def test_memory_does_not_grow_with_the_number_of_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(results, "RUNS_AT_ONCE", 30)
    monkeypatch.setattr(results, "RUNS_TOGETHER", 30)
    monkeypatch.setattr(netcdf, "MOST_IN_MEMORY", 0)
    peaks = []
    for points in (20, 20, 200):  # the first pays for what is imported and cached
        asked, cases, ids, store = many(tmp_path / f"{points}-{len(peaks)}", points)
        tracemalloc.start()
        with assemble(asked, cases, store, ids, tmp_path / f"{len(peaks)}.nc") as ds:
            peaks.append(tracemalloc.get_traced_memory()[1])
            curves = (
                sum(ds[name].nbytes for name in variables_of(cases[0].circuit)) / ds["status"].size
            )
        tracemalloc.stop()
    assert (peaks[2] - peaks[1]) / (
        180 * 3
    ) < curves / 8  # readouts and names of a run, not its curves


def test_every_cell_says_how_many_seeds_are_complete(tmp_path: Path) -> None:
    _, ds = ran(
        tmp_path,
        SWEEP,
        fails=lambda plan: plan.seed == 2 and "x" in plan.treatments and plan.window_s == 4,
    )
    assert ds["n"].dims == ("arm", "dose", "window")
    assert ds["n"].attrs["long_name"] == "complete seeds of 2 expected"
    assert ds["n"].sel(arm="vehicle").values.tolist() == [[2, 2], [2, 2]]
    assert ds["n"].sel(arm="ketamine").values.tolist() == [[1, 2], [1, 2]]


def test_results_are_made_anew_only_when_they_would_say_something_else(tmp_path: Path) -> None:
    asked = question(TEXT)
    cases = asked.conditions()
    jobs, ids = list_runs(asked, cases, "cpp")
    store = Store(tmp_path / "results" / "x")
    list(run_all(jobs[:4], store, workers=1, simulator=course_fake.simulate))
    part = results_of(asked, cases, store, ids)
    assert part.attrs["n_complete"] == 4
    written = (store.folder / "results.nc").stat().st_mtime_ns
    again = results_of(asked, cases, store, ids)
    xr.testing.assert_identical(again, part)
    assert (store.folder / "results.nc").stat().st_mtime_ns == written
    list(run_all(jobs, store, workers=1, simulator=course_fake.simulate))
    whole = results_of(asked, cases, store, ids)
    assert whole.attrs["n_complete"] == 6
    assert (store.folder / "table.csv").read_text() == table(whole)
    (store.folder / "results.nc").write_bytes(b"cut short")
    xr.testing.assert_identical(results_of(asked, cases, store, ids), whole)

    def weaker(plan: Plan, **options: Any) -> Course:
        course = course_fake.simulate(plan, **options)
        return replace(course, arrays=course.arrays | {"rate_hz": 0.5 * course.arrays["rate_hz"]})

    list(run_all(jobs, store, workers=1, simulator=weaker, rerun="all"))
    np.testing.assert_allclose(
        results_of(asked, cases, store, ids)["rate_peak"], 0.5 * whole["rate_peak"]
    )
    list(run_all(jobs, store, workers=1, simulator=course_fake.simulate, rerun="all"))
    other = question(TEXT.replace("take: peak", "take: mean"))
    assert float(results_of(other, cases, store, ids)["rate_peak"][1, 0]) < float(
        whole["rate_peak"][1, 0]
    )


def test_why_a_run_failed_is_told_in_short(tmp_path: Path) -> None:
    def course(plan: Any, *, progress: Any) -> Any:
        raise RuntimeError("no\nno " * 400)

    asked = question(TEXT)
    jobs, ids = list_runs(asked, asked.conditions(), "cpp")
    store = Store(tmp_path)
    list(run_all(jobs, store, workers=1, simulator=course))
    told = str(
        assemble(asked, asked.conditions(), store, ids, tmp_path / "x.nc")["status"].values[0, 0]
    )
    assert told.startswith("failed: no no no")
    assert len(told) < 250


def test_emulated_runs_share_files_and_say_how_far_they_may_be_off(tmp_path: Path) -> None:
    asked = question(TEXT.replace("snapshots: {before: -30 min, during: 40 min}\n", ""))
    cases = asked.conditions()
    jobs, ids = list_runs(asked, cases, "cpp")
    store = Store(tmp_path)
    store.prepare()
    for seed in asked.seeds:
        batch = {}
        for job in [job for job in jobs if job.seed == seed]:
            course, moved = course_fake.simulate(job.plan), course_fake.simulate(job.plan)
            moved.arrays["weight"] += 0.25
            batch[job.id] = (job.plan, course, moved)
        by_length: dict[int, dict[str, Any]] = {}
        for run, one in batch.items():
            by_length.setdefault(one[0].grid_h.size, {})[run] = one
        for equal in by_length.values():
            about = {"backend": "cpp", "versions": {}, "emulator": {}}
            store.write_batch(equal, about, dict.fromkeys(equal, "x"))
    ds = results_of(asked, cases, store, ids)
    assert ds.attrs["n_complete"] == 6
    assert ds["weight_2h_se"].attrs["error_of"] == "weight_2h"
    np.testing.assert_allclose(ds["weight_2h_se"], 0.25, rtol=1e-3)
    assert (ds["rate_peak_se"] == 0).all()
    assert list(results.readouts(ds).data_vars) == ["weight_2h", "rate_peak", "onset_w"]
    heads = [
        "arm",
        "seed",
        "weight_2h",
        "weight_2h_se",
        "rate_peak [Hz]",
        "rate_peak_se [Hz]",
        "onset_w [h]",
    ]
    assert (tmp_path / "table.csv").read_text().splitlines()[0].split(",")[:7] == heads


def test_results_name_all_models_that_arms_have(tmp_path: Path) -> None:
    asked = question(
        """
question: Who is treated?
model: {subject: healthy_adult, circuit: small}
course: {duration: 2 h, seeds: 1}
arms:
  well: {}
  ill: {set: {model.subject: stressed_adult, model.plasticity: disinhibition}}
readouts: {late: {of: weight, at: 2 h}}
"""
    )
    cases = asked.conditions()
    jobs, ids = list_runs(asked, cases, "cpp")
    store = Store(tmp_path / "results" / "x")
    list(run_all(jobs, store, workers=1, simulator=course_fake.simulate))
    about = results_of(asked, cases, store, ids).attrs
    assert about["subject"] == "healthy_adult, stressed_adult"
    assert (about["plasticity"], about["circuit"]) == ("all, disinhibition", "small")
