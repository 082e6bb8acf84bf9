"""Many runs in one file: each comes back as itself, or not at all."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest

from plastogen.errors import CacheDamaged
from plastogen.runs.batch import SUFFIX, Batches

TIMES = np.linspace(0, 24, 13)


def rows(*names: str) -> dict:
    found = {}
    for k, name in enumerate(names):
        tables = {
            "time_h": TIMES, "weight": 1 + 0.1 * k * TIMES, "block": np.full((13, 7), 0.01 * k),
            "names_species": np.array(["ketamine"]), "spectrum": np.empty((0, 0)),
        }  # fmt: skip
        moved = {"weight": tables["weight"] + 0.001 * TIMES, "block": tables["block"]}
        found[name] = (
            tables,
            moved,
            json.dumps({"manifest": {"run": name, "seed": k}, "plan": {}}),
        )
    return found


def test_every_run_comes_back_as_itself(tmp_path: Path) -> None:
    written = rows("b", "a", "c")
    Batches(tmp_path).write(written)
    found = Batches(tmp_path)
    found.refresh()
    assert set(found.runs()) == {"a", "b", "c"}
    for name, (tables, moved, _) in written.items():
        row = found.load(name)
        assert row.manifest["run"] == name
        np.testing.assert_allclose(row.tables["weight"], tables["weight"], rtol=1e-6)
        np.testing.assert_allclose(row.tables["block"], tables["block"], rtol=1e-6)
        np.testing.assert_array_equal(row.tables["time_h"], TIMES)
        assert row.tables["spectrum"].shape == (0, 0)
        assert list(row.tables["names_species"]) == ["ketamine"]
        np.testing.assert_allclose(
            row.moved["weight"] - row.tables["weight"], 0.001 * TIMES, rtol=2e-3, atol=1e-6
        )
        assert "block" not in row.moved  # nothing the emulator decides
        assert moved


def test_the_same_runs_make_the_same_bytes(tmp_path: Path) -> None:
    for place in ("one", "two"):
        (tmp_path / place).mkdir()
    one, two = (Batches(tmp_path / place).write(rows("a", "b")) for place in ("one", "two"))
    assert one.name == two.name
    assert one.read_bytes() == two.read_bytes()


def test_a_file_that_comes_later_is_seen_when_looked_for_and_one_that_goes_is_missed(
    tmp_path: Path,
) -> None:
    found = Batches(tmp_path)
    found.refresh()
    path = Batches(tmp_path).write(rows("a"))
    assert not found.runs()
    found.refresh()
    assert set(found.runs()) == {"a"}
    path.unlink()
    found.refresh()
    assert not found.runs()


@pytest.mark.parametrize("harm", ["cut", "flipped", "empty"])
def test_a_broken_file_holds_no_runs(tmp_path: Path, harm: str) -> None:
    path = Batches(tmp_path).write(rows("a", "b"))
    raw = bytearray(path.read_bytes())
    if harm == "flipped":
        raw[len(raw) // 2] ^= 0xFF
    path.write_bytes(
        b"" if harm == "empty" else bytes(raw[: len(raw) - 100] if harm == "cut" else raw)
    )
    found = Batches(tmp_path)
    found.refresh()
    assert not found.runs()


def test_a_file_that_breaks_under_ones_eyes_is_told(tmp_path: Path) -> None:
    found = Batches(tmp_path)
    path = found.write(rows("a"))
    found.refresh()
    path.write_bytes(path.read_bytes()[:-60])
    with pytest.raises(CacheDamaged):
        found.load("a")


def test_nothing_half_written_is_left(tmp_path: Path) -> None:
    Batches(tmp_path).write(rows("a"))
    assert [p.name for p in tmp_path.iterdir() if not p.name.endswith(SUFFIX)] == []


def test_a_file_that_changed_is_looked_into_again(tmp_path: Path) -> None:
    found = Batches(tmp_path)
    path = found.write(rows("a"))
    found.refresh()
    path.write_bytes(path.read_bytes()[:-60])
    found.refresh()
    assert not found.runs()


def test_of_a_run_that_is_written_again_the_younger_counts_however_runs_are_grouped(
    tmp_path: Path,
) -> None:
    """`--rerun all` groups runs by how many workers there are."""

    def valued(value: float, *names: str) -> dict:
        return {
            name: ({**tables, "weight": np.full(13, value)}, {}, text)
            for name, (tables, _, text) in rows(*names).items()
        }

    groups = [
        ("a", "b", "c", "d"),
        ("a", "b"),
        ("c", "d", "e"),
        ("b", "c"),
        ("d",),
        ("a", "d", "e"),
    ]
    here, last = Batches(tmp_path), dict[str, float]()
    for value, names in enumerate(groups, 1):
        path = here.write(valued(value, *names))
        os.utime(path, ns=(value, value))  # the clock of a disk may be coarse
        last |= dict.fromkeys(names, value)
        fresh = Batches(tmp_path)
        for found in (here, fresh):
            found.refresh()
            assert {run: found.load(run).tables["weight"][0] for run in found.runs()} == last
    assert len(list(tmp_path.glob(f"*{SUFFIX}"))) < len(groups)  # what nobody needs is gone


def test_the_mark_of_a_file_is_of_its_values(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    one, other = Batches(tmp_path), Batches(tmp_path / "other")
    for each in (one, other):
        each.write(rows("a", "b"))
    assert one.mark("a") == one.mark("b") == other.mark("a")
    changed = rows("a", "b")
    changed["a"][0]["weight"][:] = 2
    other.write(changed)
    assert other.mark("a") != one.mark("a")
