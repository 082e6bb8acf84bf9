"""Importing plastogen, and computing with it, changes nothing for the process that does so."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from courses import KETAMINE, plan
from test_emulator import told
from threadpoolctl import threadpool_info, threadpool_limits

import plastogen
from plastogen._base.machine import one_blas_thread, set_one_thread
from plastogen.simulation.adaptive import simulate
from plastogen.simulation.lockstep import simulate_with_errors

SRC = Path(plastogen.__file__).parent
FACADES = sorted(
    ".".join(("plastogen", *path.parent.relative_to(SRC).parts))
    for path in SRC.rglob("__init__.py")
    if not path.parent.name.startswith("_") and path.parent.name != "cli"
)
LOOK = """
import importlib, os, signal, sys
import matplotlib

def state():
    handlers = {n: signal.getsignal(n) for n in signal.valid_signals()}
    return dict(os.environ), handlers, dict(matplotlib.rcParams), signal.signal, sys.excepthook

before = state()
for name in sys.argv[1:]:
    module = importlib.import_module(name)
    for public in dir(module):
        getattr(module, public)
for one, other in zip(before, state(), strict=True):
    assert one == other, [k for k in other if one.get(k) != other[k]]
assert "brian2" not in sys.modules
"""
RUN = """
import os, signal, sys, threading
from plastogen._base.library import Library
from plastogen.model.circuit import Circuit, Drive
from plastogen.model.circuit.engine import Engine

def mine(number, frame): ...

plain = signal.signal
signal.signal(signal.SIGINT, mine)
before = dict(os.environ)
engine = Engine(Library().load("circuits", "small", Circuit), backend=sys.argv[1])
found = []

def run():
    found.append(engine.run(Drive(), 1, seconds=0.05, settle_s=0).v_mV.tolist())

threads = [threading.Thread(target=run) for _ in range(2)]
assert "brian2" not in sys.modules
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert len(found) == 2 and found[0] and found[0] == found[1], found
assert signal.signal is plain and signal.getsignal(signal.SIGINT) is mine
assert dict(os.environ) == before
assert ("brian2" in sys.modules) == (sys.argv[1] == "numpy")
"""


def alone(code: str, *words: str, **environment: str) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code, *words],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_import_of_the_package_and_of_every_facade_changes_nothing() -> None:
    assert {"plastogen", "plastogen.simulation", "plastogen.figures"} <= set(FACADES)
    alone(LOOK, "plastogen.errors", *FACADES)


@pytest.mark.network
def test_the_compiled_network_leaves_ctrl_c_alone_and_brian2_out(tmp_path: Path) -> None:
    alone(RUN, "cpp", PLASTOGEN_CACHE=str(tmp_path))


def test_the_numpy_backend_leaves_ctrl_c_alone_whichever_thread_meets_brian2_first() -> None:
    alone(RUN, "numpy")


def threads() -> set[int]:
    return {one["num_threads"] for one in threadpool_info() if one["user_api"] == "blas"}


def test_a_course_computes_with_one_thread_and_gives_back_what_the_host_had() -> None:
    seen: list[set[int]] = []
    with threadpool_limits(4):
        before = threads()
        simulate(plan(KETAMINE, hours=1), progress=lambda what, share: seen.append(threads()))
        assert threads() == before
    assert seen
    assert all(found == {1} for found in seen)


def test_whoever_leaves_last_restores_the_threads() -> None:
    with threadpool_limits(4):
        before = threads()
        one, other = one_blas_thread(), one_blas_thread()
        one.__enter__()
        other.__enter__()
        one.__exit__(None, None, None)
        assert threads() == {1}
        other.__exit__(None, None, None)
        assert threads() == before


def test_courses_and_emulated_courses_are_bit_equal_at_one_and_at_four_threads() -> None:
    found = []
    plans = [plan(KETAMINE, hours=2, method="emulated", seed=seed) for seed in (1, 2)]
    for number in (1, 4):
        with threadpool_limits(number):
            course = simulate(plan(KETAMINE, hours=6))
            with one_blas_thread():
                pairs = simulate_with_errors(plans, told(60))
        courses = [course, *(one for pair in pairs for one in pair)]
        found.append([array for one in courses for array in one.arrays.values()])
    assert len(found[0]) > 50
    for one, other in zip(*found, strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_command_line_sets_one_thread_unless_the_user_did(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from plastogen.cli import main

    handler = signal.getsignal(signal.SIGINT)  # ignored where tests run in the background
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    monkeypatch.delenv("OPENBLAS_NUM_THREADS", raising=False)
    seen: list[tuple[str, str]] = []
    monkeypatch.setattr(
        main,
        "app",
        lambda: seen.append((os.environ["OMP_NUM_THREADS"], os.environ["OPENBLAS_NUM_THREADS"])),
    )
    main.main()
    assert seen == [("3", "1")]
    monkeypatch.delenv("OPENBLAS_NUM_THREADS")
    set_one_thread()
    monkeypatch.delenv("OPENBLAS_NUM_THREADS")
    assert signal.getsignal(signal.SIGINT) is handler
