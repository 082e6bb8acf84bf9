"""Whatever plastogen wrote and reads back is as it was, or is made again; a flipped byte is never a
number.
"""

from __future__ import annotations

import random
import shutil
from contextlib import chdir
from pathlib import Path

import numpy as np
import pytest
from damage import KINDS, flip, write_mine

from plastogen._base.sealed import SEALS, fault, folder_fault, read_json, seal_folder, write_json
from plastogen.errors import CacheDamaged, InputError
from plastogen.publish.workflow import complete
from plastogen.runs.request import make_request, read_record
from plastogen.runs.results import load

LINES = list[str]
READ_AT_ONCE = {"results.nc", "table.csv"}


def run(said: LINES) -> str:
    """Run `mine`, with its figures and report: its table."""
    done = complete(make_request("mine", say=said.append), say=said.append)
    done.ds.close()
    assert not done.failed
    return (done.request.folder / "table.csv").read_text()


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A lab whose experiment was run, and the table that came out."""
    lab = tmp_path_factory.mktemp("whole")
    write_mine(lab, seeds=1)
    with chdir(lab):
        return lab, run([])


@pytest.mark.parametrize("kind", KINDS)
def test_a_flipped_byte_changes_nothing_that_comes_out(
    whole: tuple[Path, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    lab, table = whole
    shutil.copytree(lab, tmp_path / "lab")
    monkeypatch.chdir(tmp_path / "lab")
    path = sorted(Path("results/mine").glob(kind))[0]
    before, rng, said = path.read_bytes(), random.Random(kind), list[str]()
    flip(path, rng)
    assert run(said) == table
    with load("results/mine") as ds:
        assert bool((ds["status"] == "complete").all())
    assert read_record(Path("results/mine")) is not None
    assert fault(Path("results/mine/report.html")) is None
    if kind in READ_AT_ONCE:
        assert any(f"{path} is cut short or altered; it is made again" in line for line in said)
    if path.suffix in (".csv", ".png", ".svg", ".html"):
        assert path.read_bytes() == before


def test_results_that_were_altered_are_refused_before_they_are_opened(
    whole: tuple[Path, str], tmp_path: Path
) -> None:
    shutil.copytree(whole[0] / "results" / "mine", tmp_path / "mine")
    flip(tmp_path / "mine" / "results.nc", random.Random(1))
    with pytest.raises(InputError, match="cut short or altered"):
        load(tmp_path / "mine")


def test_results_without_checksums_open_as_ever(whole: tuple[Path, str], tmp_path: Path) -> None:
    shutil.copy(whole[0] / "results" / "mine" / "results.nc", tmp_path)
    with load(tmp_path) as ds:
        assert np.isfinite(ds["weight"]).all()


def test_json_knows_any_bit_of_it_that_changed(tmp_path: Path) -> None:
    path, content = tmp_path / "a.json", {"runs": {"a": 1.5, "b": None}, "names": ["x", "y"]}
    write_json(path, content)
    assert read_json(path) == content
    raw, found = path.read_bytes(), 0
    for place in range(len(raw)):
        changed = bytearray(raw)
        changed[place] ^= 1 << place % 8
        path.write_bytes(changed)
        try:
            told = read_json(path)
        except CacheDamaged:
            found += 1
        else:  # white space, or the name of the checksum itself
            told = {name: value for name, value in told.items() if name in content}
            assert told == content
    assert found > len(raw) / 2


def test_a_sealed_folder_knows_what_was_changed_added_or_taken_away(tmp_path: Path) -> None:
    (tmp_path / "code").mkdir()
    for name in ("main", "code/a.cpp"):
        (tmp_path / name).write_text(name)
    seal_folder(tmp_path)
    assert folder_fault(tmp_path) is None
    (tmp_path / "code" / "b.cpp").write_text("")
    assert folder_fault(tmp_path) == "code/b.cpp is of unknown origin"
    (tmp_path / "code" / "b.cpp").unlink()
    (tmp_path / "main").write_text("moin")
    assert folder_fault(tmp_path) == "main is cut short or altered"
    (tmp_path / "main").unlink()
    assert folder_fault(tmp_path) == "main is missing"
    (tmp_path / SEALS).unlink()
    assert folder_fault(tmp_path) == f"{SEALS} is missing"
