"""How a sweep stands, read from its folder alone."""

from __future__ import annotations

import time
from pathlib import Path

import course_fake
import pytest
from test_scheduler import JOBS

from plastogen._base.leftovers import HOST
from plastogen.errors import InputError
from plastogen.runs.heartbeat import Heartbeat
from plastogen.runs.request import read_record, write_record
from plastogen.runs.scheduler import run_all
from plastogen.runs.status import age, describe_status, read_status
from plastogen.runs.store import Store


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Five runs finished, two failed, one under way, four missing; and one of an earlier question."""
    store = Store(tmp_path / "results" / "mine")
    list(run_all(JOBS[:6], store, simulator=course_fake.simulate))
    write_record(store.folder, "mine", {"course.seeds": 3}, JOBS[1:])
    for job in JOBS[6:8]:
        store.fail(job.id, "the membrane blew up")
    return store.folder


def test_what_was_asked_is_read_back(tmp_path: Path) -> None:
    assert read_record(tmp_path) is None
    write_record(tmp_path, "mine", {"course.seeds": 3}, JOBS[:2])
    found = read_record(tmp_path)
    assert found is not None
    assert (found.experiment, found.set) == ("mine", {"course.seeds": 3})
    assert found.runs == {JOBS[0].id: "vehicle, seed 5", JOBS[1].id: JOBS[1].place}
    before = (tmp_path / "asked.json").stat().st_mtime_ns
    write_record(tmp_path, "mine", {"course.seeds": 3}, JOBS[:2])
    assert (tmp_path / "asked.json").stat().st_mtime_ns == before
    (tmp_path / "asked.json").write_text("half")
    assert read_record(tmp_path) is None


def test_every_run_that_was_asked_for_is_counted_once(folder: Path) -> None:
    with Heartbeat(folder, [JOBS[8].id, JOBS[1].id]) as mark:
        mark.moved("course", 0.5)
        found = read_status(folder)
    assert len(found.finished) == 5
    assert set(found.failed) == {job.id for job in JOBS[6:8]}
    assert found.missing == {job.id for job in JOBS[9:]}
    assert found.last_s is not None
    assert abs(time.time() - found.last_s) < 60
    assert found.n_bytes > 1000


def test_it_is_told_with_reasons_places_and_n_of_n(folder: Path) -> None:
    with Heartbeat(folder, [JOBS[8].id]) as mark:
        mark.moved("course", 0.5)
        said = "\n".join(describe_status(read_status(folder)))
    assert said.startswith(f"mine course.seeds=3 in {folder}\nfinished   5 of 11 runs, the last ")
    assert "failed     2\n    the membrane blew up (2: " in said
    assert JOBS[6].place in said
    assert f"under way  1\n    1 worker on {HOST}, the longest for " in said
    assert "missing    3\n" in said
    assert "--rerun failed" in said


def test_a_run_that_failed_and_then_came_is_finished(folder: Path) -> None:
    Store(folder).fail(JOBS[1].id, "no")
    assert JOBS[1].id not in read_status(folder).failed


def test_a_folder_that_does_not_know_what_was_asked_says_so(folder: Path) -> None:
    (folder / "asked.json").unlink()
    said = list(describe_status(read_status(folder)))
    assert said[0] == f"{folder}: 6 runs; what was asked of it is not written down there"
    assert not any(line.startswith("missing") for line in said)


def test_a_folder_without_runs_is_bad_input(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="which holds runs/"):
        read_status(tmp_path)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-1, "0 s"), (5, "5 s"), (119, "119 s"), (120, "2 min"), (7200, "2 h"), (200_000, "2 d")],
)
def test_ages_are_told_in_the_unit_that_fits(seconds: float, text: str) -> None:
    assert age(seconds) == text
