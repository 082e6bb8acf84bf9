"""Exports: tables that add up to what the results say."""

from __future__ import annotations

import csv
import hashlib
import json
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shared_runs
from test_results import SWEEP, TEXT, ran

import plastogen
from plastogen._base.library import Library
from plastogen.errors import InputError
from plastogen.model.circuit import Circuit
from plastogen.publish.crate import to_crate
from plastogen.publish.export import to_csv
from plastogen.publish.nwb import to_nwb
from plastogen.publish.workflow import complete
from plastogen.runs.request import make_request, silent
from plastogen.runs.store import Store


def read(path: Path) -> tuple[list[str], list[list[str]]]:
    head, *rows = csv.reader(path.read_text().splitlines())
    return head, rows


def test_courses_hold_every_variable_at_every_time(tmp_path: Path) -> None:
    _, ds = ran(tmp_path)
    paths = to_csv(ds, tmp_path / "csv")
    assert [p.name for p in paths] == ["readouts.csv", "courses.csv", "README.txt", "snapshots.csv"]
    head, rows = read(paths[1])
    assert head[:3] == ["arm", "seed", "time [h]"]
    assert {
        "rate_hz PV [Hz]",
        "block E.tonic",
        "brain_uM ketamine [uM]",
        "weight",
        "glutamate [%]",
    } <= set(head)
    assert len(rows) == 6 * ds.sizes["time"]
    at = head.index("rate_hz PV [Hz]")
    mine = [float(r[at]) for r in rows if r[:2] == ["ketamine", "2"]]
    wanted = ds["rate_hz"].sel(arm="ketamine", seed=2).sel({"class": "PV"}).values
    assert np.array_equal(np.array(mine, np.float32), wanted)
    assert max(len(cell) for row in rows for cell in row[3:]) <= 12


def test_snapshots_and_readouts_are_tables_too(tmp_path: Path) -> None:
    _, ds = ran(tmp_path)
    paths = to_csv(ds, tmp_path / "csv")
    head, rows = read(paths[3])
    assert head[:3] == ["arm", "seed", "snapshot"]
    assert "gamma_power [Hz^2]" in head
    assert len(rows) == 12
    assert read(paths[0])[0][:3] == ["arm", "seed", "weight_2h"]
    assert "6 of 6 runs" in paths[2].read_text()
    assert "Species: human" in paths[2].read_text()


def test_runs_that_failed_are_left_out_of_courses(tmp_path: Path) -> None:
    _, ds = ran(tmp_path, fails=lambda plan: plan.seed == 2)
    head, rows = read(to_csv(ds, tmp_path / "csv")[1])
    assert {row[head.index("seed")] for row in rows} == {"1"}
    assert "3 of 6 runs" in (tmp_path / "csv" / "README.txt").read_text()


def test_axes_of_a_sweep_are_columns(tmp_path: Path) -> None:
    _, ds = ran(tmp_path, SWEEP)
    head, rows = read(to_csv(ds, tmp_path / "csv")[1])
    assert head[:5] == ["arm", "dose [mg/kg]", "window [s]", "seed", "time [h]"]
    assert len(rows) == 24 * ds.sizes["time"]


@pytest.fixture(scope="module")
def spikes(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, list[Path], list[str]]:
    folder, said = tmp_path_factory.mktemp("nwb"), list[str]()
    _, ds = ran(folder, TEXT)
    paths = to_nwb(ds, Store(folder / "results" / "x"), folder / "nwb", say=said.append)
    return ds, paths, said


def opened(path: Path) -> Any:
    from pynwb import NWBHDF5IO

    return NWBHDF5IO(str(path), "r")


def test_spikes_go_to_a_file_a_run_with_a_name_to_read(
    spikes: tuple[Any, list[Path], list[str]],
) -> None:
    _, paths, said = spikes
    assert [p.name for p in paths] == [
        f"{arm}_seed-{seed}.nwb" for arm in ("vehicle", "ketamine", "early") for seed in (1, 2)
    ]
    assert said[-1] == f"6 of 6: {paths[-1]}"


def test_a_file_has_the_species_of_its_own_run(
    spikes: tuple[Any, list[Path], list[str]], tmp_path: Path
) -> None:
    """Results of arms in several species name them all."""
    ds, paths, _ = spikes
    mixed = ds.assign_attrs(species="human, mouse", subject="healthy_adult, healthy_mouse")
    one = mixed.sel(arm=["ketamine"]).isel(seed=[0])
    (path,) = to_nwb(one, Store(paths[0].parents[1] / "results" / "x"), tmp_path, say=silent)
    with opened(path) as file:
        subject = file.read().subject
        assert (subject.species, subject.subject_id) == (
            "Homo sapiens",
            f"healthy-adult-healthy-mouse-seed-{int(one['seed'][0])}",
        )


def test_every_cell_is_a_unit_so_that_rates_are_those_of_the_class(
    spikes: tuple[Any, list[Path], list[str]],
) -> None:
    ds, paths, _ = spikes
    with opened(paths[2]) as file:
        units = file.read().units.to_dataframe()
    assert len(units) == 250
    assert units.cell.tolist() == list(range(250))
    assert units.cell_class.value_counts().to_dict() == {"E": 200, "PV": 30, "SST": 20}
    assert (units.spike_times.map(len) == 0).sum() == 247
    for snapshot in range(ds.sizes["snapshot"]):
        spikes_in, seen_s = 0, 0.0
        for times, intervals in zip(units.spike_times, units.obs_intervals, strict=True):
            start, stop = intervals[snapshot]
            spikes_in += int(((times >= start) & (times < stop)).sum())
            seen_s += stop - start
        assert spikes_in == 3
        assert seen_s == 250 * 20


def test_snapshots_and_doses_stand_on_one_clock(
    spikes: tuple[Any, list[Path], list[str]],
) -> None:
    _, paths, _ = spikes
    with opened(paths[2]) as file:
        epochs = file.read().epochs.to_dataframe()
        whole = file.read()
        about = [whole.session_description, whole.protocol, whole.pharmacology, whole.lab]
        subject = whole.subject
        assert (subject.species, subject.weight) == ("Homo sapiens", "70 kg")
        assert subject.subject_id == "healthy-adult-seed-1"
    shots = epochs[epochs.kind == "snapshot"]
    (dose,) = epochs[epochs.kind == "dosing"].itertuples()
    assert shots.what.tolist() == ["before", "during"]
    assert shots.start_time.tolist() == pytest.approx([0.5 * 3600, (1 + 40 / 60) * 3600])
    assert (dose.start_time, dose.stop_time) == pytest.approx((3600, (1 + 40 / 60) * 3600))
    assert about[0].startswith("Test: arm ketamine, seed 1.")
    assert json.loads(about[1]) == {"experiment": "test", "arm": "ketamine", "seed": 1}
    assert about[2] == "ketamine 1 mg/kg iv over 40 min"
    assert "small circuit" in about[3]


def test_nwbinspector_finds_nothing(spikes: tuple[Any, list[Path], list[str]]) -> None:
    from nwbinspector import inspect_nwbfile

    for path in spikes[1][::2]:
        assert [m.message for m in inspect_nwbfile(nwbfile_path=path)] == []


@pytest.mark.slow
@pytest.mark.network
@pytest.mark.timeout(900)
def test_nwbinspector_finds_nothing_in_spikes_of_the_network(
    shared_results: Path, tmp_path: Path
) -> None:
    from nwbinspector import inspect_nwbfile

    folder = shared_results / "lesson_disinhibition"
    settings = shared_runs.as_taught("disinhibition")
    ds = plastogen.run("disinhibition", set=settings, out=folder, figures=False)
    one = ds.sel(arm=["ketamine"]).isel(seed=[0])
    (path,) = to_nwb(one, Store(folder), tmp_path, say=silent)
    assert [m.message for m in inspect_nwbfile(nwbfile_path=path)] == []
    with opened(path) as file:
        units = file.read().units.to_dataframe()
    assert len(units) == sum(
        p.count for p in Library().load("circuits", "small", Circuit).populations.values()
    )
    assert units["spike_times"].map(len).sum() > 0


def test_a_point_of_a_sweep_is_in_name_and_protocol(tmp_path: Path) -> None:
    _, ds = ran(tmp_path, SWEEP)
    one = ds.isel(dose=[0], window=[0], seed=[0], arm=[1])
    (path,) = to_nwb(one, Store(tmp_path / "results" / "x"), tmp_path / "nwb", say=lambda _: None)
    assert path.name == "ketamine_dose-1_window-4_seed-1.nwb"
    with opened(path) as file:
        told = json.loads(file.read().protocol)
    assert (told["dose"], told["window"]) == (1, 4)


def test_without_spikes_or_pynwb_it_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, ds = ran(tmp_path, TEXT)
    store = Store(tmp_path / "results" / "x")
    with pytest.raises(InputError, match="found no finished run with spikes"):
        to_nwb(ds.assign_attrs(method="formula"), store, tmp_path / "nwb")
    monkeypatch.setitem(sys.modules, "pynwb", None)
    with pytest.raises(InputError, match=r"plastogen\[nwb\]"):
        to_nwb(ds, store, tmp_path / "nwb")


MINE = """
question: What comes out?
model: {subject: healthy_adult, circuit: small}
course: {duration: 2 h, seeds: 1, method: formula}
arms:
  vehicle: {}
  ketamine: {give: {x: {drug: weaker, dose: 1 mg/kg, route: iv, over: 40 min, at: 0 h}}}
readouts: {weight_2h: {of: weight, at: 2 h}}
expect: [{claim: more, readout: weight_2h, more: ketamine, than: vehicle, source: li2010}]
"""
WEAKER = "extends: ketamine\ntitle: Weaker\nnote: a what-if\n"


def test_a_folder_of_results_is_a_crate_with_all_it_was_made_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "models" / "drugs").mkdir(parents=True)
    (tmp_path / "models" / "drugs" / "weaker.yaml").write_text(WEAKER)
    (tmp_path / "mine.yaml").write_text(MINE)
    outcome = complete(
        make_request("mine", {"course.duration": "3 h"}, say=silent), say=silent, figures=False
    )
    packed = to_crate(outcome, tmp_path / "mine.zip", say=silent)
    with zipfile.ZipFile(packed) as archive:
        names = set(archive.namelist())
        whole = json.loads(archive.read("ro-crate-metadata.json"))
        files = {e["@id"]: e for e in whole["@graph"] if e["@type"] == "File"}
        assert names == {*files, "ro-crate-metadata.json"}
        for name, entity in files.items():
            content = archive.read(name)
            assert entity["contentSize"] == str(len(content))
            assert entity["sha256"] == hashlib.sha256(content).hexdigest()
        assert archive.read("inputs/experiment.yaml").decode() == MINE
        assert archive.read("inputs/models/drugs/weaker.yaml").decode() == WEAKER
        assert json.loads(archive.read("inputs/settings.json")) == {"course.duration": "3 h"}
        assert b"li2010" in archive.read("inputs/sources.bib")
    assert {
        "results.nc", "table.csv", "inputs/models/drugs/ketamine.yaml",
        "inputs/models/circuits/small.yaml", "inputs/models/subjects/healthy_adult.yaml",
    } <= names  # fmt: skip
    by_id = {entity["@id"]: entity for entity in whole["@graph"]}
    assert len(by_id) == len(whole["@graph"])
    root, action = by_id["./"], by_id["#run"]
    assert by_id["ro-crate-metadata.json"]["about"] == {"@id": "./"}
    assert root["license"]["@id"] in by_id
    assert {part["@id"] for part in root["hasPart"]} == set(files)
    assert {e["@id"] for e in action["object"]} == {n for n in files if n.startswith("inputs/")}
    assert by_id["#plastogen"]["softwareVersion"] == plastogen.__version__
    assert by_id["#numpy"]["softwareVersion"]
    said = json.dumps(whole)
    assert str(tmp_path) not in said
    for entity in whole["@graph"]:
        for value in entity.values():
            for ref in value if isinstance(value, list) else [value]:
                if isinstance(ref, dict) and not ref["@id"].startswith("http"):
                    assert ref["@id"] in by_id, ref
