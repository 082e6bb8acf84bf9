"""In: nothing. Out: what the machine has, threads of BLAS, and sizes as people say them."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")
THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def cores() -> int:
    """Cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def in_bytes(n: int) -> str:
    """1536 -> "1.5 kB"."""
    value, unit = float(n), UNITS[0]
    for unit in UNITS:
        if value < STEP or unit == UNITS[-1]:
            break
        value /= STEP
    return f"{value:.0f} {unit}" if unit == UNITS[0] else f"{value:.1f} {unit}"


UNITS = ("B", "kB", "MB", "GB", "TB")


STEP = 1024


def set_one_thread() -> None:
    """Set the environment of a process of ours, before it loads numpy, to one thread of BLAS."""
    for name in THREAD_VARIABLES:
        os.environ.setdefault(name, "1")


class _Limit:
    """How many are within `one_blas_thread`, and what the first of them found."""

    lock = threading.Lock()
    within = 0
    before: Any = None


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Compute with one thread of BLAS; what the host had is restored by the last to leave.

    Runs go side by side, each on small matrices: threads of their own would only fight, and a fixed
    number keeps results the same to the last bit.
    """
    import scipy.linalg  # noqa: F401  # a library that is loaded later would not be limited
    from threadpoolctl import threadpool_limits

    with _Limit.lock:
        if not _Limit.within:
            _Limit.before = threadpool_limits(1)
        _Limit.within += 1
    try:
        yield
    finally:
        with _Limit.lock:
            _Limit.within -= 1
            if not _Limit.within:
                _Limit.before.restore_original_limits()


def single_threaded(function: Callable[P, T]) -> Callable[P, T]:
    """`function`, computing with one thread of BLAS."""

    @wraps(function)
    def limited(*args: P.args, **kwargs: P.kwargs) -> T:
        with one_blas_thread():
            return function(*args, **kwargs)

    return limited
