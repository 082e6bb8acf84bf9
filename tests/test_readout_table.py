"""What is kept of runs: readouts, their state, and how far an emulator may be off."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from circuit_files import CLASSES, SMALL

from plastogen.experiment.readout import Readout
from plastogen.runs.capped import describe_beyond
from plastogen.runs.readout_table import ReadoutTable
from plastogen.runs.store import Stored
from plastogen.simulation.variables import VARIABLES

TIME_H = np.array([0.0, 1.0, 2.0])
NAMES = np.array([["a", "b"], ["c", "a"]], dtype=object)  # arm, seed: the first run is shared
READOUTS = {
    "late": Readout.model_validate({"of": "weight", "at": "2 h"}),
    "gain": Readout.model_validate({"of": "weight", "at": "2 h", "relative_to": "start"}),
    "high": Readout.model_validate({"of": "weight", "take": "peak", "above": 3}),
    "drug": Readout.model_validate({"of": "stress", "take": "peak"}),
}


def run(weight: list[float], moved: list[float] | None = None, **log: Any) -> Stored:
    sizes = {"time": 3, "class": 3, "pool": 7, "species": 0, "snapshot": 0, "frequency": 0}
    arrays = {name: np.ones([sizes[dim] for dim in v.dims]) for name, v in VARIABLES.items()}
    arrays["weight"] = np.array(weight)
    labels = {"class": CLASSES, "pool": tuple(SMALL.pools()), "species": (), "snapshot": ()}
    further = {} if moved is None else {"weight": np.array(moved)}
    return Stored(
        "x",
        TIME_H,
        arrays,
        labels,
        np.empty(0),
        {"log": log, "backend": "cpp"} | ({"emulator": {}} if further else {}),
        further,
    )


def test_a_run_is_kept_in_every_cell_that_shares_it() -> None:
    book = ReadoutTable(READOUTS, NAMES)
    book.enter([(0, 0), (1, 1)], run([1, 2, 4], probes=7, cap_hit=True))
    book.enter([(0, 1)], run([1, 1, 2]))
    book.miss([(1, 0)], "failed: no")
    found = book.variables(("arm", "seed"))
    assert found["late"][1].tolist()[0] == [4, 2]
    assert np.isnan(found["late"][1][1, 0])
    assert found["gain"][1][1, 1] == 4
    assert found["gain"][2]["ratio_to"] == "start"
    assert found["status"][1].tolist() == [["complete", "complete"], ["failed: no", "complete"]]
    assert found["n"][1].tolist() == [2, 1]
    assert found["probes"][1].tolist() == [[7, 0], [0, 7]]
    assert found["cap_hit"][1].sum() == 2
    assert book.state() == {"a": "complete", "b": "complete", "c": "failed: no"}
    assert book.backends == {"cpp"}
    assert not [name for name in found if name.endswith("_se")]


def test_an_emulators_error_is_how_far_it_moves_each_readout() -> None:
    book = ReadoutTable(READOUTS, NAMES)
    book.enter([(0, 0)], run([1, 2, 4]))
    book.enter([(0, 1)], run([1, 2, 4], moved=[2, 2, 3]))
    found = book.variables(("arm", "seed"))
    assert found["late_se"][2]["error_of"] == "late"
    assert found["late_se"][2]["units"] == found["late"][2]["units"]
    assert list(found)[:2] == ["late", "late_se"]
    assert found["late_se"][1][0, 1] == 1
    assert found["gain_se"][1][0, 1] == 4 - 3 / 2
    assert found["drug_se"][1][0, 1] == 0  # what the emulator has no part in
    assert np.isnan(found["late_se"][1][0, 0])  # the network itself answered


def test_runs_beyond_what_the_emulator_was_asked_are_counted_and_named() -> None:
    book = ReadoutTable(READOUTS, NAMES)
    book.enter([(0, 0)], run([1, 2, 4], moved=[2, 2, 3], beyond="silence 0.5 (asked 0 to 0.01)"))
    book.enter([(0, 1), (1, 1)], run([1, 2, 4], moved=[2, 2, 3], beyond=""))
    ds = xr.Dataset(book.variables(("arm", "seed")), {"arm": ["drug", "base"]})
    said = describe_beyond(ds)
    assert "1 of 4 runs (1 of drug)" in said
    assert "silence 0.5 (asked 0 to 0.01)" in said
    assert "course.method direct" in said
    assert describe_beyond(ds.assign(beyond=ds["beyond"].where(False, ""))) == ""
    assert describe_beyond(ds.drop_vars("beyond")) == ""
