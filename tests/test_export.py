"""Exports: tables that add up to what the results say."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from test_results import SWEEP, TEXT, ran

from plastogen.errors import InputError
from plastogen.publish.export import to_csv, to_nwb
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


def test_spikes_go_to_nwb_where_pynwb_is_and_else_it_says_how(tmp_path: Path) -> None:
    _, ds = ran(tmp_path, TEXT)
    store = Store(tmp_path / "results" / "x")
    try:
        from pynwb import NWBHDF5IO
    except ImportError:
        with pytest.raises(InputError, match=r"plastogen\[nwb\]"):
            to_nwb(ds, store, tmp_path / "nwb")
        return
    paths = to_nwb(ds, store, tmp_path / "nwb")
    assert len(paths) == 6
    with NWBHDF5IO(str(paths[0]), "r") as file:
        units = file.read().units
        assert len(units) == 6
        assert np.allclose(units["spike_times"][0], 0.1)
