"""The compiled network: what is compiled, what is handed over, what makes spikes differ, and what
may go wrong.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from circuit_files import CLASSES, NUMBERS
from test_network import check_density

from plastogen._base.files import TEMPORARY, cache_dir
from plastogen._base.leftovers import HOST
from plastogen._base.library import Library
from plastogen._base.sealed import SEALS
from plastogen.errors import EngineError, StoreError
from plastogen.model.circuit import Circuit, Drive, Engine, Spikes, engine, program, standalone
from plastogen.model.circuit.children import Done
from plastogen.model.circuit.measures import rates_hz
from plastogen.model.circuit.program import is_built, program_folder, program_key

network = pytest.mark.network
SECONDS, SETTLE = 2.0, 0.5


def small(**overrides: object) -> Circuit:
    at = {path.replace("__", "."): value for path, value in overrides.items()}
    return Library().load("circuits", "small", Circuit, overrides=at)


SMALL = small()


HEALTHY = Drive()


@lru_cache
def spikes(
    drive: Drive = HEALTHY, seed: int = 1, noise: str = "noise", backend: str = "cpp"
) -> Spikes:
    return Engine(SMALL, backend=backend).run(
        drive, seed, seconds=SECONDS, settle_s=SETTLE, noise=noise
    )


def same(a: Spikes, b: Spikes) -> bool:
    return (
        np.array_equal(a.t_s, b.t_s) and np.array_equal(a.i, b.i) and np.array_equal(a.v_mV, b.v_mV)
    )


def rates(found: Spikes) -> dict[str, float]:
    return dict(zip(CLASSES, rates_hz(found)[0].tolist(), strict=True))


def connected(circuit: Circuit, seed: int, noise: str = "noise") -> np.ndarray:
    """Who is connected with whom: cells before and behind each synapse, (2, synapses)."""
    engine = Engine(circuit, backend="cpp")
    found = engine.run(Drive(), seed, seconds=0.01, settle_s=0, noise=noise, synapses=True)
    assert found.synapses is not None
    return found.synapses


# the same question has the same answer


@network
def test_the_same_seed_gives_the_same_spikes_and_voltages_again() -> None:
    again = Engine(SMALL, backend="cpp").run(Drive(), 1, seconds=SECONDS, settle_s=SETTLE)
    assert len(again.t_s) > 1000
    assert same(spikes(), again)


@network
def test_another_process_gives_the_same_spikes(tmp_path: Path) -> None:
    program = (
        "import sys, numpy as np\n"
        "from plastogen.model.circuit import Circuit, Drive, Engine\n"
        "from plastogen._base.library import Library\n"
        "engine = Engine(Library().load('circuits', 'small', Circuit), backend='cpp')\n"
        f"s = engine.run(Drive(), 1, seconds={SECONDS}, settle_s={SETTLE})\n"
        "np.savez(sys.argv[1], t=s.t_s, i=s.i, v=s.v_mV)\n"
    )
    subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "s.npz")], check=True, timeout=120
    )
    with np.load(tmp_path / "s.npz") as there:
        here = spikes()
        np.testing.assert_array_equal(there["t"], here.t_s)
        np.testing.assert_array_equal(there["i"], here.i)
        np.testing.assert_array_equal(there["v"], here.v_mV)


@network
def test_threads_do_not_disturb_each_other() -> None:
    found: dict[int, Spikes] = {}
    shared = Engine(SMALL, backend="cpp")

    def ask(seed: int) -> None:
        found[seed] = shared.run(Drive(), seed, seconds=SECONDS, settle_s=SETTLE)

    threads = [threading.Thread(target=ask, args=(seed,)) for seed in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(same(found[seed], spikes(seed=seed)) for seed in (1, 2))


@network
def test_a_longer_run_begins_like_a_shorter_one() -> None:
    longer = Engine(SMALL, backend="cpp").run(Drive(), 1, seconds=SECONDS + 1, settle_s=SETTLE)
    begun = longer.t_s < SECONDS
    np.testing.assert_array_equal(longer.t_s[begun], spikes().t_s)
    np.testing.assert_array_equal(longer.v_mV[: len(spikes().v_mV)], spikes().v_mV)


@network
def test_settling_is_left_out() -> None:
    whole = Engine(SMALL, backend="cpp").run(Drive(), 1, seconds=SECONDS + SETTLE, settle_s=0)
    kept = whole.t_s >= SETTLE
    np.testing.assert_allclose(whole.t_s[kept] - SETTLE, spikes().t_s, atol=1e-12)
    np.testing.assert_array_equal(whole.v_mV[round(SETTLE / 0.005) :], spikes().v_mV)
    assert 0 <= spikes().t_s.min() < 0.01
    assert SECONDS - 0.01 < spikes().t_s.max() < SECONDS


@network
def test_noise_changes_spikes_but_not_who_is_connected() -> None:
    assert not np.array_equal(spikes(noise="other").t_s, spikes().t_s)
    one, other_noise, other_seed = (
        connected(SMALL, 1),
        connected(SMALL, 1, "other"),
        connected(SMALL, 2),
    )
    assert np.array_equal(one, other_noise)
    assert not np.array_equal(one, other_seed) if len(one[0]) == len(other_seed[0]) else True


@network
def test_connections_of_the_compiled_network_are_those_of_the_file() -> None:
    circuit = small(connections__1__probability=0.1, connections__3__probability=0.25)
    assert program_key(circuit) == program_key(SMALL)
    check_density(SMALL, *connected(SMALL, 1))
    check_density(circuit, *connected(circuit, 1))


@network
def test_seeds_differ_in_everything_drawn() -> None:
    assert not np.array_equal(spikes(seed=2).t_s, spikes().t_s)
    assert not np.array_equal(spikes(seed=2).v_mV[0], spikes().v_mV[0])


# what is compiled in, and what is not


@pytest.mark.parametrize(
    "overrides",
    [
        {"populations__E__leak": "14 nS"}, {"connections__0__nmda": "1 nS"}, {"decays__nmda": "80 ms"},
        {"magnesium__concentration": "0 mM"}, {"background__rate": "900 Hz"}, {"connections__0__probability": 0.3},
        {"populations__PV__nmdar__synaptic__GluN2A": 0.45}, {"agonist__saturation": 0.5}, {"title": "another"},
    ],
    ids=lambda o: next(iter(o)),
)  # fmt: skip
def test_another_value_needs_no_other_program(overrides: dict[str, object]) -> None:
    assert program_key(small(**overrides)) == program_key(SMALL)


@pytest.mark.parametrize(
    "overrides",
    [
        {"populations__E__count": 201},
        {"step": "0.1 ms"},
        {"delay": "1.75 ms"},
        {"connections__0__probability": 0.6},
        {"magnesium__half__GluN2B": "5 mM"},
        {"magnesium__half__GluN2D": "36 mM"},
    ],
    ids=lambda o: next(iter(o)),
)
def test_what_is_compiled_in_needs_another_program(overrides: dict[str, object]) -> None:
    assert program_key(small(**overrides)) != program_key(SMALL)


def test_a_sweep_over_a_hold_of_mg_needs_a_program_for_each_number_of_laws() -> None:
    """Not one for each value."""
    halves = [f"{mM:g} mM" for mM in (2, 3.57, 5, 10, 20, 24, 30, 36)]
    keys = {half: program_key(small(magnesium__half__GluN2B=half)) for half in halves}
    alike = {keys[half] for half in ("3.57 mM", "24 mM", "36 mM")}
    assert alike == {program_key(SMALL)}
    assert len({key for half, key in keys.items() if key not in alike}) == 1
    assert program_key(small(magnesium__half__GluN2C="10 mM")) == program_key(SMALL)


@pytest.mark.parametrize(
    ("highest", "rung"),
    [
        (1, 1),
        (0.6, 0.75),
        (0.5, 0.5),
        (0.26, 0.5),
        (0.2, 0.25),
        (0.125, 0.125),
        (0.0015, 2**-9),
        (0, 0.25),
    ],
)
def test_the_rung_of_a_connection_probability_is_coarse_and_halves_for_sparse_networks(
    highest: float, rung: float
) -> None:
    chances = {
        f"connections__{k}__probability": min(highest, 0.01) for k in range(len(SMALL.connections))
    }
    circuit = small(**{**chances, "connections__0__probability": highest})
    assert program.baked(circuit)["p_max"] == rung


@pytest.mark.parametrize(
    "part",
    [
        *("network.variables", "network.step", "network.RESET", "network.arrival"),
        *("network.connect", "external.DRAW", "external.external", "external.begin"),
    ],
)
def test_other_equations_need_another_program(part: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before = program_key(SMALL)
    module, name = part.split(".")
    place = getattr(program, module)
    known = getattr(place, name)
    if isinstance(known, str):
        monkeypatch.setattr(place, name, known + "\n# changed")
    else:
        monkeypatch.setattr(place, name, lambda *given: known(*given) + "\n# changed")
    assert program_key(SMALL) != before


def test_another_precision_needs_another_program(monkeypatch: pytest.MonkeyPatch) -> None:
    before = program_key(SMALL)
    monkeypatch.setattr(program, "CELLS", np.float64)
    assert program_key(SMALL) != before


def test_other_flags_and_another_compiler_need_another_program(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = program_key(SMALL)
    with monkeypatch.context() as patch:
        patch.setattr(program, "GCC_FLAGS", ("-O2",))
        patch.setattr(program, "OTHER_FLAGS", ("-O2",))
        assert program_key(SMALL) != before
    with monkeypatch.context() as patch:
        patch.setattr(program, "compiler_version", lambda: "g++ 99")
        assert program_key(SMALL) != before
    monkeypatch.setattr(program, "machine", lambda: "another")
    assert program_key(SMALL) != before


# values reach the compiled network


@network
def test_blocked_receptors_cannot_excite() -> None:
    plain = rates(spikes())
    e_only = rates(spikes(Drive(nmda_E=0.4, tonic_E=0.4)))
    assert e_only["E"] < 0.7 * plain["E"]
    sst_only = rates(spikes(Drive(nmda_SST=0.2, tonic_SST=0.2)))
    assert sst_only["SST"] < 0.4 * plain["SST"]
    assert sst_only["E"] > plain["E"]


@network
@pytest.mark.parametrize("name", NUMBERS)
def test_every_number_of_a_drive_acts_in_the_network(name: str) -> None:
    """A change well beyond what another noise does to the same network, in the class it moves most."""
    changed = np.array(
        list(rates(spikes(HEALTHY.changed(**{name: 0.5 if name == "silence" else 0}))).values())
    )
    plain = np.array(
        [list(rates(spikes(noise=noise)).values()) for noise in ("noise", "a", "b", "c")]
    )
    assert (
        np.abs(changed / plain.mean(axis=0) - 1)
        > 5 * plain.std(axis=0, ddof=1) / plain.mean(axis=0)
    ).any()


@network
@pytest.mark.parametrize(
    ("drive", "cls", "sign"),
    [
        (Drive(recurrent=1.3), "E", 1), (Drive(recurrent=0.5), "E", -1), (Drive(gaba=0.7), "E", 1),
        (Drive(release=0.5), "PV", -1), (Drive(tonic_PV=0), "PV", -1), (Drive(silence=1), "E", -1),
    ],
    ids=["more recurrence", "less recurrence", "less gaba", "less release", "no tonic drive", "silence"],
)  # fmt: skip
def test_what_excites_a_class_raises_its_rate(drive: Drive, cls: str, sign: int) -> None:
    assert sign * (rates(spikes(drive))[cls] / rates(spikes())[cls] - 1) > 0.1


@network
def test_silenced_cells_are_silent() -> None:
    assert rates(spikes(Drive(silence=1)))["E"] < 0.05


@network
def test_values_of_the_file_reach_the_network_without_compiling() -> None:
    def no(what: str) -> None:
        raise AssertionError(what)

    spikes()
    for overrides, factor in (
        ({"background.rate": "0 Hz"}, 0.05),
        ({"populations.E.background": "2.3 nS"}, 0.8),
    ):
        circuit = Library().load("circuits", "small", Circuit, overrides=overrides)
        found = Engine(circuit, backend="cpp", announce=no).run(
            Drive(), 1, seconds=SECONDS, settle_s=SETTLE
        )
        assert rates(found)["E"] < factor * rates(spikes())["E"]


@network
def test_voltages_are_of_the_recorded_cells_between_potassium_and_threshold() -> None:
    found = spikes()
    assert found.v_mV.shape == (round(SECONDS / 0.005), 100)
    assert len(np.unique(found.recorded)) == 100
    for name, part in found.slices.items():
        inside = (found.recorded >= part.start) & (found.recorded < part.stop)
        v, population = found.v_mV[:, inside], SMALL.populations[name]
        assert inside.sum() == pytest.approx(100 * population.count / 250, abs=1)
        assert v.max() <= float(population.threshold) + 1e-9
        assert float(SMALL.reversals.potassium) < v.min() < float(population.reset)


@network
@pytest.mark.slow
def test_numpy_agrees_with_the_compiled_network_on_rates() -> None:
    seeds = range(1, 7)
    found = {
        backend: np.array([rates_hz(spikes(seed=seed, backend=backend))[0] for seed in seeds])
        for backend in ("cpp", "numpy")
    }
    mean = {backend: r.mean(axis=0) for backend, r in found.items()}
    error = np.sqrt(sum(r.var(axis=0, ddof=1) / len(seeds) for r in found.values()))
    assert (np.abs(mean["cpp"] - mean["numpy"]) < 3 * error).all()
    assert (error < 0.2 * mean["cpp"]).all()


def test_numpy_gives_the_same_spikes_again() -> None:
    one, two = (
        Engine(SMALL, backend="numpy").run(Drive(), 1, seconds=0.2, settle_s=0.1) for _ in range(2)
    )
    assert len(one.t_s) > 50
    assert same(one, two)
    other = Engine(SMALL, backend="numpy").run(Drive(), 1, seconds=0.2, settle_s=0.1, noise="other")
    assert not np.array_equal(one.t_s, other.t_s)


# what may go wrong


@pytest.fixture
def no_compiler(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CXX", raising=False)
    monkeypatch.setenv("PLASTOGEN_CACHE", str(tmp_path / "cache"))


@pytest.mark.usefixtures("no_compiler")
def test_without_a_compiler_the_message_says_what_to_do() -> None:
    assert program.default_backend() == "numpy"
    assert Engine(SMALL).backend == "numpy"
    with pytest.raises(
        EngineError, match=r"no C\+\+ compiler .*apt-get install g\+\+ make.*backend=.numpy"
    ):
        Engine(SMALL, backend="cpp").run(Drive(), 1, seconds=1, settle_s=0)


@network
def test_a_cached_program_needs_no_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = spikes()
    monkeypatch.setattr(program, "compiler", lambda: None)
    assert same(
        Engine(SMALL, backend="cpp").run(Drive(), 1, seconds=SECONDS, settle_s=SETTLE), whole
    )


def test_make_must_be_there_too(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "g++").write_text("#!/bin/sh\n")
    (tmp_path / "g++").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CXX", raising=False)
    assert program.compiler() is None
    shutil.copy(tmp_path / "g++", tmp_path / "make")
    assert program.compiler() == str(tmp_path / "g++")


def test_values_that_are_not_finite_are_refused_before_the_network_sees_them() -> None:
    with pytest.raises(EngineError, match=r"not finite: w_ampa, w_ext$|not finite: w_ext, w_ampa$"):
        Engine(SMALL, backend="numpy").run(Drive(ampa=float("nan")), 1, seconds=0.1, settle_s=0)


@pytest.fixture
def own_programs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A cache with its own copy of the small program, and a compiler that only ever makes another
    copy of it.
    """
    spikes()
    sound = program_folder(SMALL)
    monkeypatch.setenv("PLASTOGEN_CACHE", str(tmp_path))
    folder = program_folder(SMALL)
    assert not is_built(SMALL)
    shutil.copytree(sound, folder)

    def write(work: Path, *_: object) -> None:
        shutil.copytree(sound, work, dirs_exist_ok=True)

    monkeypatch.setattr(program, "generate", write)
    monkeypatch.setattr(program.network, "make", lambda folder: (0, ""))
    return folder


def truncate(folder: Path) -> None:
    os.truncate(folder / "main", 1000)


def lose_arrays(folder: Path) -> None:
    (folder / "arrays.json").write_text("{")


def lose_program(folder: Path) -> None:
    (folder / "main").unlink()


def crash(folder: Path) -> None:
    (folder / "main").write_text("#!/bin/sh\nexit 7\n")


def add(folder: Path) -> None:
    (folder / "lib.so").write_text("something else")


def lock_out(folder: Path) -> None:
    (folder / "main").chmod(0)
    folder.chmod(0)


def copy_into(whole: Path, work: Path) -> None:
    shutil.copytree(whole, work, dirs_exist_ok=True)
    (work / SEALS).unlink()


def in_a_thread(work: Callable[[], Any]) -> Any:
    """Any thread may be the one that meets the damage."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(work).result()


def chatter(folder: Path) -> None:
    """Brian2's programs go on after an input they cannot read, and exit as if nothing were wrong."""
    (folder / "main").rename(folder / "real")
    (folder / "main").write_text("#!/bin/sh\necho 'Error reading file'\n./real \"$@\"\n")
    (folder / "main").chmod(0o755)


@network
@pytest.mark.parametrize(
    "damage", [truncate, lose_arrays, lose_program, crash, chatter, add, lock_out]
)
def test_a_damaged_program_is_built_anew_once_and_that_is_said(
    damage: Any, own_programs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if damage is not crash:  # the network itself runs once; what is made again is made of the whole
        whole = own_programs.with_name("whole")
        shutil.copytree(own_programs, whole)
        monkeypatch.setattr(program, "generate", lambda work, *_: copy_into(whole, work))
        monkeypatch.setattr(program.network, "make", lambda work: (0, ""))
    if damage is lock_out and os.getuid() == 0:
        pytest.skip("nothing is locked for this user")
    damage(own_programs)
    said: list[str] = []
    found = in_a_thread(
        lambda: Engine(SMALL, backend="cpp", announce=said.append).run(
            Drive(), 1, seconds=SECONDS, settle_s=SETTLE
        )
    )
    assert same(found, spikes())
    assert len(said) == 2
    assert "is damaged (" in said[0]
    assert "compiling" in said[1]
    assert not list(own_programs.parent.glob(".partial-*"))


@network
def test_a_run_leaves_on_the_disk_what_is_read_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real, left = engine.run_child, []

    def watched(command: list[str], *given: Any, **how: Any) -> Done:
        done = real(command, *given, **how)
        left.append({path.name for path in Path(command[2]).iterdir() if path.suffix != ".in"})
        return done

    monkeypatch.setattr(engine, "run_child", watched)
    Engine(SMALL, backend="cpp").run(Drive(), 1, seconds=0.1, settle_s=0)
    arrays = json.loads((program_folder(SMALL) / "arrays.json").read_text())
    assert set(arrays) == set(program.network.NEEDED)
    assert left == [{file for file, _ in arrays.values()} | {"last_run_info.txt"}]


def test_the_sources_write_what_is_read_and_nothing_else(tmp_path: Path) -> None:
    program.generate(tmp_path, program.baked(SMALL), ("-O3",))
    arrays = json.loads((tmp_path / "arrays.json").read_text())
    end = (tmp_path / "objects.cpp").read_text().partition("void _write_arrays()")[2]
    written = re.findall(r'results_dir \+ "([^"]+)", ios::binary', end.partition("\n}\n")[0])
    assert sorted(written) == sorted(file for file, _ in arrays.values())
    assert set(arrays) == set(program.network.NEEDED)


@pytest.mark.parametrize("text", ["", "void _write_arrays()\n{\n    // Write last run info\n}\n"])
def test_an_array_that_brian2_does_not_write_is_missed(text: str) -> None:
    with pytest.raises(RuntimeError, match=r"writes 0 of 1 arrays that are read"):
        standalone.writing_only(["_array_G_v_1"], text)


@network
def test_a_program_that_stays_damaged_is_reported(
    own_programs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    crash(own_programs)

    def write(work: Path, *_: object) -> None:
        (work / "arrays.json").write_text("{}")
        crash(work)
        (work / "main").chmod(0o755)

    monkeypatch.setattr(program, "generate", write)
    with pytest.raises(EngineError, match=r"the compiled network failed \(exit 7\)"):
        Engine(SMALL, backend="cpp").run(Drive(), 1, seconds=1, settle_s=0)


@network
@network
@pytest.mark.parametrize(
    ("code", "free", "said"),
    [(-25, 2**40, "how large a file may be"), (0, 1000, "the disk is full")],
)
def test_a_disk_that_refuses_is_not_the_networks_fault(
    code: int, free: int, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    spikes()
    monkeypatch.setattr(engine, "run_child", lambda *given: Done(code, "", ""))
    monkeypatch.setattr(engine.shutil, "disk_usage", lambda place: SimpleNamespace(free=free))
    with pytest.raises(StoreError, match=said):
        Engine(SMALL).run(HEALTHY, 1, seconds=0.1, settle_s=0)


@network
def test_what_a_killed_build_left_is_removed_by_the_next(own_programs: Path) -> None:
    folder = program_folder(SMALL)
    shutil.rmtree(folder)
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    left, other = (
        folder.parent / f"{TEMPORARY}{folder.name}-{HOST}-{process}-abc"
        for process in (ended.pid, os.getppid())
    )
    left.mkdir(parents=True)
    other.mkdir()
    program.build(SMALL)
    assert not left.exists()
    assert other.exists()  # another build is at work there


def test_a_failed_compilation_leaves_nothing_and_says_what_make_said(
    own_programs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.rmtree(own_programs)
    monkeypatch.setattr(program.network, "make", lambda folder: (2, "g++: out of memory"))
    with pytest.raises(EngineError, match=r"(?s)did not compile:.*out of memory.*plastogen doctor"):
        Engine(SMALL, backend="cpp").run(Drive(), 1, seconds=1, settle_s=0)
    assert not own_programs.exists()
    assert not list(own_programs.parent.glob(".partial-*"))


@network
def test_ten_who_come_at_once_compile_once(own_programs: Path) -> None:
    shutil.rmtree(own_programs)
    said: list[str] = []
    threads = [
        threading.Thread(target=program.build, args=(SMALL,), kwargs={"announce": said.append})
        for _ in range(10)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(said) == 1
    assert is_built(SMALL)


def test_the_cache_of_these_tests_is_their_own(cache_folder: Path) -> None:
    assert cache_dir() == cache_folder
    assert program_folder(SMALL).parent == cache_folder / "programs"
