"""Workers: they do what they are given, one that dies takes nothing with it, and none outlives its
parent.
"""

from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from bench import until

from plastogen.errors import InputError, WorkersLost
from plastogen.runs import pool as executor
from plastogen.runs.pool import Processes, Threads, WorkerPool, make_pool, spread_over


def there(pid: int) -> bool:
    """Whether a process is there and not a zombie."""
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


def after_a_moment(seconds: float) -> int:
    """The process that slept."""
    time.sleep(seconds)
    return os.getpid()


@pytest.fixture
def two() -> Iterator[Processes]:
    crew = Processes(2)
    yield crew
    crew.stop()


def test_a_crew_is_hired_by_name() -> None:
    for kind, slots in (("threads", 3), ("processes", 3)):
        crew: WorkerPool = make_pool(kind, 3)
        assert (crew.size, crew.slots) == (3, slots)
        crew.close()


def test_each_process_is_its_own(two: Processes) -> None:
    pids = {two.submit(os.getpid).result(30) for _ in range(2)}
    first, second = two.submit(time.sleep, 0.2), two.submit(os.getpid)
    assert second.result(30) not in (os.getpid(), None)
    first.result(30)
    assert os.getpid() not in pids


def test_a_killed_process_takes_only_its_own_task_with_it_and_is_replaced(two: Processes) -> None:
    lasting, doomed = two.submit(time.sleep, 1), two.submit(os.kill, 0, 0)
    doomed.result(30)
    doomed = two.submit(os.abort)
    with pytest.raises(two.lost):
        doomed.result(30)
    assert two.submit(os.getpid).result(30) != os.getpid()
    assert lasting.result(30) is None


def test_a_process_killed_while_it_had_nothing_to_do_is_replaced(two: Processes) -> None:
    pid = two.submit(os.getpid).result(30)
    os.kill(pid, signal.SIGKILL)
    until(lambda: not there(pid))
    time.sleep(0.2)
    assert two.submit(os.getpid).result(30) != pid


def test_a_list_is_spread_over_processes_and_comes_back_in_order() -> None:
    with spread_over(2) as spread:
        assert list(spread(math.factorial, [5, 3, 4])) == [120, 6, 24]
        assert os.getpid() not in spread(after_a_moment, [0.2, 0.2])
        assert list(spread(after_a_moment, [0])) == [os.getpid()]  # one item is not worth a process
        with pytest.raises(ValueError, match="not defined"):
            spread(math.factorial, [3, -1])
    with spread_over(1) as spread:
        assert list(spread(after_a_moment, [0, 0])) == [os.getpid()] * 2


def test_a_killed_process_ends_the_list_with_a_word() -> None:
    with spread_over(2) as spread, pytest.raises(WorkersLost, match="ended from outside"):
        spread(os._exit, [1, 1])


def test_stopping_ends_what_is_under_way(two: Processes) -> None:
    pid = two.submit(os.getpid).result(30)
    two.submit(time.sleep, 60)
    began = time.monotonic()
    two.stop()
    assert time.monotonic() - began < 10
    assert not there(pid)


def test_workers_take_one_core_each_and_the_parent_keeps_its_own(two: Processes) -> None:
    before = {name: os.environ.get(name) for name in executor.THREAD_VARIABLES}
    assert [two.submit(os.getenv, name).result(30) for name in executor.THREAD_VARIABLES] == [
        "1"
    ] * 3
    assert {name: os.environ.get(name) for name in executor.THREAD_VARIABLES} == before


def test_threads_are_told_to_stop_and_waited_for() -> None:
    crew, heard = Threads(1), threading.Event()

    def work(stopped: Callable[[], bool]) -> None:
        until(stopped)
        heard.set()

    crew.submit(work)
    crew.stop()
    assert heard.is_set()


def test_processes_die_with_their_parent(tmp_path: Path) -> None:
    code = (
        "import os, time; from plastogen.runs.pool import Processes; crew = Processes(2)\n"
        "first = crew.submit(os.getpid).result(); crew.submit(time.sleep, 60); second = crew.submit(os.getpid).result()\n"
        "print(first, second, flush=True); time.sleep(60)"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    pids = [int(word) for word in parent.stdout.readline().split()]
    assert all(there(pid) for pid in pids)
    parent.kill()
    parent.wait(10)
    try:
        until(lambda: not any(there(pid) for pid in pids), 10)
    finally:
        for pid in filter(there, pids):
            os.kill(pid, signal.SIGKILL)
        parent.stdout.close()


def test_a_script_that_starts_workers_is_not_run_by_them(tmp_path: Path) -> None:
    script = tmp_path / "mine.py"
    script.write_text(
        "import os\nprint('once')\nfrom plastogen.runs.pool import Processes\ncrew = Processes(1)\n"
        "print(crew.submit(os.getpid).result() != os.getpid())\ncrew.close()\n"
    )
    ran = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, check=True, timeout=60
    )
    assert ran.stdout.split() == ["once", "True"]


def test_dask_on_this_machine_listens_to_nobody_else() -> None:
    distributed = pytest.importorskip("distributed")
    dask = pytest.importorskip("dask")
    pytest.importorskip("cryptography")
    pool = make_pool("dask", 1)
    try:
        address = pool.name.rpartition(" ")[2]
        assert address.startswith("tls://127.0.0.1:")
        assert pool.submit(pow, 2, 5).result(timeout=60) == 32
        assert dask.config.get("scheduler", None) is None  # results are read and written without it
        for scheme in ("tls", "tcp"):
            with pytest.raises((OSError, TypeError, RuntimeError)):
                distributed.Client(
                    address.replace("tls", scheme, 1), timeout=2, set_as_default=False
                )
    finally:
        pool.close()


def test_dask_on_this_machine_is_not_had_without_encryption(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pytest.importorskip("distributed")
    monkeypatch.setitem(sys.modules, "cryptography", None)
    with pytest.raises(InputError, match="open to all its users.*brings cryptography"):
        make_pool("dask", 1)


def test_dask_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(InputError, match=r"pip install 'plastogen\[cluster\]'"):
        make_pool("dask", 1)


def test_a_scheduler_that_is_not_there_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("distributed")
    monkeypatch.setattr(executor, "CONNECT_S", 0.5)
    with pytest.raises(WorkersLost, match="no dask scheduler answers at tcp://127.0.0.1:9"):
        make_pool("dask", 1, scheduler="tcp://127.0.0.1:9")
