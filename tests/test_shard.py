"""Parts of a sweep for a job array, and all parts together again."""

from __future__ import annotations

from pathlib import Path

import course_fake
import pytest
from test_scheduler import JOBS

from plastogen.errors import InputError
from plastogen.runs.scheduler import run_all
from plastogen.runs.shard import Shard, gather
from plastogen.runs.store import Store


@pytest.mark.parametrize("n", [1, 2, 5, 12, 20])
def test_every_run_is_in_one_part_and_parts_are_even(n: int) -> None:
    parts = [Shard(k, n).part(JOBS) for k in range(1, n + 1)]
    assert sorted(job.id for part in parts for job in part) == sorted(job.id for job in JOBS)
    assert max(map(len, parts)) - min(map(len, parts)) <= 1


def test_a_part_does_not_depend_on_the_order_of_the_runs() -> None:
    assert [j.id for j in Shard(2, 3).part(JOBS)] == [j.id for j in Shard(2, 3).part(JOBS[::-1])]


def test_a_part_is_read_from_the_command_line() -> None:
    assert Shard.parse("3/10") == Shard(3, 10)
    assert str(Shard.parse(" 10 / 10 ")) == "part 10 of 10"
    for wrong in ("0/10", "11/10", "3", "3/", "a/b", "-1/3", "3/0"):
        with pytest.raises(InputError, match="from 1 to N"):
            Shard.parse(wrong)


def ran(folder: Path, k: int) -> Store:
    store = Store(folder)
    list(run_all(Shard(k, 3).part(JOBS), store, simulator=course_fake.simulate))
    return store


def test_parts_in_folders_of_their_own_are_brought_together(tmp_path: Path) -> None:
    parts = [ran(tmp_path / f"machine{k}" / "mine", k) for k in (1, 2)]
    failing = Shard(3, 3).part(JOBS)[0]
    parts[1].fail(failing.id, "no more neurons")
    whole = Store(tmp_path / "here" / "mine")
    came = {d.run.id: d for d in gather(JOBS, whole, [part.folder for part in parts])}
    assert {came[job.id].state for k in (1, 2) for job in Shard(k, 3).part(JOBS)} == {"borrowed"}
    assert {came[job.id].state for job in Shard(3, 3).part(JOBS)[1:]} == {"missing"}
    assert (came[failing.id].state, came[failing.id].note) == ("failed before", "no more neurons")
    assert whole.failure(failing.id) == "no more neurons"
    assert [d.state for d in gather(JOBS, whole, [])].count("stored") == 8


def test_a_broken_run_is_not_gathered(tmp_path: Path) -> None:
    part = ran(tmp_path / "machine" / "mine", 1)
    broken = Shard(1, 3).part(JOBS)[0].id
    (part.runs / broken / "course.npz").write_bytes(b"half")
    came = {
        d.run.id: d.state for d in gather(JOBS, Store(tmp_path / "here" / "mine"), [part.folder])
    }
    assert came[broken] == "missing"
    assert list(came.values()).count("borrowed") == 3


def test_a_folder_without_runs_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="which holds runs/"):
        gather(JOBS, Store(tmp_path / "here"), [tmp_path])
