"""The notebooks run from top to bottom, and what they show is there."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest

from plastogen import SCOPE

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"
NAMES = ("circuit", "play", "sweep")
pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("shared_results")]


def ran(name: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What a notebook's cells define, run as a script runs it."""
    marimo = pytest.importorskip("marimo", reason="the extra `teach`")
    monkeypatch.chdir(folder)
    spec = importlib.util.spec_from_file_location(name, NOTEBOOKS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    outputs, defined = module.app.run()
    assert any(SCOPE in output.text for output in outputs if isinstance(output, marimo.Html))
    return dict(defined)


def test_every_notebook_is_tested() -> None:
    assert tuple(sorted(path.stem for path in NOTEBOOKS.glob("*.py"))) == NAMES


def test_play_shows_what_a_dose_leaves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = ran("play", tmp_path, monkeypatch)
    spines = {row["readout"]: row for row in found["table"]}["spine density at 24 h"]
    assert spines["ketamine"] > spines["vehicle"]


@pytest.mark.network
def test_circuit_shows_who_falls_silent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = ran("circuit", tmp_path, monkeypatch)
    assert float(found["results"].rate_SST.sel(arm="ketamine").mean()) < 1
    assert (found["folder"] / "figures" / "raster.png").is_file()


def test_sweep_reads_every_point(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = ran("sweep", tmp_path, monkeypatch)
    assert found["shown"].sizes == {"dose": 5, "tonic_SST": 2}
    assert [one["outcome"] for one in found["claims"]] == ["met", "met"]
