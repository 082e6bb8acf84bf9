"""Folders that plastogen 0.1 wrote: they open, nothing in them is taken for a run of today, and a
person is told.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import plastogen
from plastogen.errors import InputError
from plastogen.publish.workflow import complete, reopen
from plastogen.runs.request import make_request
from plastogen.runs.store import Store


def age(folder: Path) -> dict[str, bytes]:
    """Turn what is in a folder into what 0.1 wrote: other names, no `model_version`; its files."""
    for number, manifest in enumerate(sorted(folder.glob("runs/*/manifest.json"))):
        whole = json.loads(manifest.read_text())
        del whole["model_version"], whole["checksum"]
        whole["versions"]["plastogen"] = "0.1.0"
        whole["run"] = f"{number:012x}"
        manifest.write_text(json.dumps(whole))
        manifest.parent.rename(manifest.parent.with_name(whole["run"]))
    return {str(p): p.read_bytes() for p in sorted(folder.glob("runs/*/*"))}


@pytest.mark.usefixtures("lab")
def test_a_folder_of_0_1_opens_and_a_run_says_that_it_is_made_again() -> None:
    request = make_request("mine", seeds=1)
    complete(request, say=lambda line: None, figures=False)
    files = age(request.folder)
    with plastogen.load(request.folder) as ds:
        assert ds.attrs["n_complete"] == len(request.runs)
    assert Store(request.folder).made_by_0_1() == len(request.runs)
    with pytest.raises(InputError, match="runs made by 0.1, wanted finished runs; make them again"):
        reopen("mine", {"course.seeds": 1})
    said: list[str] = []
    again = complete(make_request("mine", seeds=1), say=said.append, figures=False)
    assert {result.state for result in again.results} == {"run"}
    assert [line for line in said if "made by 0.1: run again" in line] == [
        f"{request.folder}: {len(request.runs)} runs made by 0.1: run again; the old ones stay as"
        " they are"
    ]
    assert {name: Path(name).read_bytes() for name in files} == files


@pytest.mark.usefixtures("lab")
def test_runs_of_today_are_not_called_old() -> None:
    request = make_request("mine", seeds=1)
    said: list[str] = []
    complete(request, say=said.append, figures=False)
    complete(make_request("mine", seeds=2), say=said.append, figures=False)
    assert Store(request.folder).made_by_0_1() == 0
    assert not any("0.1" in line for line in said)


def test_runs_of_0_1_that_share_a_file_are_counted(tmp_path: Path) -> None:
    from test_store import together

    store, runs = together(tmp_path)  # a manifest without model_version
    assert Store(store.folder).made_by_0_1() == len(runs)
