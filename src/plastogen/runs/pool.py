"""In: threads, processes or dask, and how many. Out: a `WorkerPool`, which takes tasks as
`concurrent.futures` do.

Threads suit courses that spend their time in the compiled network, a process of its own; processes
suit Python's own work; dask brings the workers of a cluster. What they are given to do is in
`run_task`, who gives it in `run_all`.
"""

from __future__ import annotations

import gc
import json
import logging
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool, ProcessPoolExecutor
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection
from pathlib import Path
from types import ModuleType
from typing import Any, Literal, Protocol, TypeAlias, TypeVar, get_args

from plastogen._base.files import cache_dir
from plastogen._base.machine import THREAD_VARIABLES
from plastogen._base.textfile import is_file, read_written
from plastogen.errors import InputError, WorkersLost
from plastogen.model.circuit import terminate_children

T = TypeVar("T")
Kind = Literal["threads", "processes", "dask"]
KINDS: tuple[str, ...] = get_args(Kind)
LOCAL = "local"  # dask workers on this machine, for as long as the sweep goes on
PATIENCE_S = 5  # how long threads have to notice that they are to stop
CONNECT_S = 10
AHEAD = 500  # tasks a scheduler holds at a time


class WorkerPool(Protocol):
    """Workers. At most `slots` tasks are given to them at a time; `size` of them are worked on at
    once.

    A task whose worker died ends with one of `lost`, and may do so `lives` times.
    """

    name: str
    size: int
    slots: int
    lives: int
    lost: tuple[type[BaseException], ...]

    def submit(self, work: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]: ...
    def check(self) -> None:
        """Raise WorkersLost when nothing more can come."""

    def stop(self) -> None:
        """End what is under way, at once."""

    def close(self) -> None:
        """Let the workers go, when all is done."""


def make_pool(kind: str, workers: int, *, scheduler: str | None = None) -> WorkerPool:
    """A pool of workers; `scheduler` is what dask is to use.

    Raises InputError (dask is not installed) or WorkersLost (no scheduler answers).
    """
    if kind == "dask":
        return Dask(scheduler or LOCAL, workers)
    return Threads(workers) if kind == "threads" else Processes(workers)


class Threads:
    """Threads of this process. They cannot be ended from outside: they are told to stop, and asked
    to look.
    """

    lives = 1
    lost: tuple[type[BaseException], ...] = ()

    def __init__(self, workers: int) -> None:
        self.name, self.size, self.slots = f"{workers} threads", workers, workers
        self._stop = threading.Event()
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="course")
        self._futures: set[Future[Any]] = set()

    def submit(self, work: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        future = self._pool.submit(work, *args, **kwargs, stopped=self._stop.is_set)
        self._futures = {one for one in self._futures if not one.done()} | {future}
        return future

    def check(self) -> None: ...

    def stop(self) -> None:
        self._stop.set()
        self._pool.shutdown(wait=False, cancel_futures=True)
        terminate_children()
        wait([one for one in self._futures if not one.cancelled()], timeout=PATIENCE_S)

    def close(self) -> None:
        self._pool.shutdown()


# a worker, and what it was last given
_Seat: TypeAlias = tuple[ProcessPoolExecutor, Future[Any] | None]


class Processes:
    """Spawned processes, each a pool of its own: one that is killed takes its own task with it and
    no other.
    """

    lives = 2
    lost: tuple[type[BaseException], ...] = (BrokenProcessPool,)

    def __init__(self, workers: int) -> None:
        self.name, self.size, self.slots = f"{workers} processes", workers, workers
        self._here, self._there = multiprocessing.Pipe()
        self._seats: list[_Seat] = [(_spawned(1, self._there), None) for _ in range(workers)]

    def submit(self, work: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        seat, pool = next(
            (i, pool)
            for i, (pool, doing) in enumerate(self._seats)
            if doing is None or doing.done()
        )
        with _without_main():
            try:
                future = pool.submit(work, *args, **kwargs)
            except BrokenProcessPool:
                pool.shutdown(wait=False)
                pool = _spawned(1, self._there)
                future = pool.submit(work, *args, **kwargs)
        self._seats[seat] = (pool, future)
        return future

    def check(self) -> None: ...

    def stop(self) -> None:
        self._here.close()
        self.close()

    def close(self) -> None:
        for pool, _ in self._seats:
            pool.shutdown(cancel_futures=True)
        self._here.close()
        self._there.close()


@contextmanager
def spread_over(workers: int) -> Iterator[Callable[..., Iterable[Any]]]:
    """`map` over so many processes; over none but this where one worker or one item is all there
    is. Raises WorkersLost when one of them is killed.
    """
    if workers < 2:
        yield map
        return
    here, there = multiprocessing.Pipe()
    pool = _spawned(workers, there)

    def spread(work: Callable[..., T], items: Sequence[Any]) -> list[T]:
        if len(items) < 2:
            return [work(item) for item in items]
        try:
            with _without_main():
                found = pool.map(work, items)
            return list(found)
        except BrokenProcessPool:
            reason = "a process that followed courses was ended from outside (memory?)"
            raise WorkersLost(f"{reason}; what the network answered is kept") from None

    try:
        yield spread
    except BaseException:
        here.close()
        raise
    finally:
        pool.shutdown(cancel_futures=True)
        here.close()
        there.close()


def _spawned(workers: int, line: Connection) -> ProcessPoolExecutor:
    """So many processes, spawned when they are first needed, that leave with `line`."""
    spawn = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(
        workers, mp_context=spawn, initializer=_start_worker, initargs=(line,)
    )


def _start_worker(line: Connection) -> None:
    """In a worker: leave when the other end of `line` is closed, by the parent or by its death."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent sees to it

    def listen() -> None:
        with suppress(EOFError, OSError):
            line.recv()
        terminate_children()
        os._exit(1)

    threading.Thread(target=listen, daemon=True).start()


@contextmanager
def _without_main() -> Iterator[None]:
    """What is spawned here does not know the script that called us, which it would run, and takes
    one core.
    """
    main, before = (
        sys.modules["__main__"],
        {name: os.environ.get(name) for name in THREAD_VARIABLES},
    )
    sys.modules["__main__"] = ModuleType("__main__")
    os.environ.update(dict.fromkeys(THREAD_VARIABLES, "1"))
    try:
        yield
    finally:
        sys.modules["__main__"] = main
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})


class Dask:
    """Workers of a dask cluster, which share the results folder with us (a shared file system)."""

    lives = 1  # the scheduler itself has given the task to other workers before

    def __init__(self, where: str, workers: int) -> None:
        """`where`: the address of a scheduler, the file one wrote, or "local" for `workers`
        processes here.
        """
        try:
            import distributed
        except ImportError:
            wanted = "pip install 'plastogen[cluster]'"
            raise InputError.one(
                file="--executor", found="dask, which is not installed", wanted=wanted
            ) from None
        _silence_dask()
        self.lost: tuple[type[BaseException], ...] = (distributed.KilledWorker,)
        try:
            self._client = _client(where, workers)
        except (OSError, ValueError) as error:
            what = str(error) or type(error).__name__
            fix = "start one with: dask scheduler; or use --scheduler local"
            raise WorkersLost(f"no dask scheduler answers at {where} ({what}); {fix}") from None
        except (TypeError, RuntimeError):  # of a connection that is to be encrypted and cannot
            fix = "name them as docs/trust.md says, or use --scheduler local"
            raise WorkersLost(f"the dask scheduler at {where} wants certificates; {fix}") from None
        self._client.register_plugin(_plugin())
        self._executor = self._client.get_executor(pure=False)
        self.size = max(1, sum(self._client.nthreads().values()))
        self.slots = AHEAD
        self.name = f"the dask scheduler at {self._client.scheduler.address}"

    def submit(self, work: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        future: Future[T] = self._executor.submit(work, *args, **kwargs)
        return future

    def check(self) -> None:
        if (
            self._client.status == "closed"
        ):  # it has tried for CONNECT_S to find the scheduler again
            raise WorkersLost(f"{self.name} is gone; what is finished is kept")

    def stop(self) -> None:
        self._executor.shutdown(wait=False)
        self.close()

    def close(self) -> None:
        self._client.close()
        if self._client.cluster is not None:
            self._client.cluster.close()


def _silence_dask() -> None:
    """Let dask's own loggers be silent: what matters is said once, by us."""
    for name in list(logging.root.manager.loggerDict):
        if name.partition(".")[0] in ("distributed", "tornado"):
            logging.getLogger(name).setLevel(logging.CRITICAL)


def _local_cluster(workers: int) -> Any:
    """Workers on this machine that listen to us alone: whoever may speak to a scheduler runs code
    as its user, so all speak TLS with a certificate made for this one sweep. Raises InputError.
    """
    from distributed import LocalCluster

    try:
        import cryptography  # noqa: F401
    except ImportError:
        wanted = "pip install 'plastogen[cluster]', which brings cryptography"
        found = "dask on this machine without encryption, open to all its users"
        raise InputError.one(file="--scheduler", found=found, wanted=wanted) from None
    return LocalCluster(
        workers,
        threads_per_worker=1,
        host="127.0.0.1",
        security=True,
        dashboard_address=None,
        silence_logs=logging.CRITICAL,
    )


def _client(where: str, workers: int) -> Any:
    """A client for our tasks alone: as the default of dask it would stand in the way of reading and
    writing results, in this process and after it. Raises OSError when nothing answers, ValueError
    when `where` is no address.
    """
    from distributed import Client

    gc.collect()  # a client that failed closes itself under the lock that the next one holds
    if where == LOCAL:
        return Client(_local_cluster(workers), set_as_default=False)
    if is_file(Path(where)):
        _check_scheduler_file(Path(where))
        return Client(scheduler_file=where, timeout=CONNECT_S, set_as_default=False)
    return Client(where, timeout=CONNECT_S, set_as_default=False)


def _check_scheduler_file(path: Path) -> None:
    """Raise InputError when `path` is not what a dask scheduler wrote."""
    try:
        address = json.loads(read_written(path, "the file of a dask scheduler"))["address"]
    except (ValueError, KeyError, TypeError):
        address = None
    if not isinstance(address, str):
        wanted = "the file that `dask scheduler --scheduler-file` wrote, which has its address"
        raise InputError.one(file=str(path), found="no address in it", wanted=wanted)


def _plugin() -> Any:
    """What a worker does first: find the cache where we do."""
    from distributed import WorkerPlugin

    class Ready(WorkerPlugin):  # type: ignore[misc]
        name, cache = "plastogen", str(cache_dir())

        def setup(self, worker: Any) -> None:
            os.environ["PLASTOGEN_CACHE"] = self.cache

    return Ready()


__all__ = [
    "KINDS",
    "Dask",
    "Kind",
    "Processes",
    "Threads",
    "WorkerPool",
    "WorkersLost",
    "make_pool",
    "spread_over",
]
