"""In: a `Circuit`. Out: its spiking network as a program for a browser: the C++ that Brian2
generates, as WebAssembly. The same for two cells and a synapse (`pair`).

The same sources as `engine` compiles, by emscripten. Without -march=native and finite-only
arithmetic the program's spikes equal those of a native one compiled with `FLAGS`, bit by bit
(tests/test_explore_network.py).
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from plastogen._base.digest import digest
from plastogen._base.files import cache_dir, explained
from plastogen._base.machine import cores
from plastogen._base.sealed import made_once
from plastogen.errors import EngineError
from plastogen.model.circuit import pair
from plastogen.model.circuit.definition import Circuit
from plastogen.model.circuit.generate import generate
from plastogen.model.circuit.program import baked, equations

FLAGS = ("-w", "-O3", "-ffast-math", "-fno-finite-math-only", "-std=c++11")
SMALL = tuple(flag if flag != "-O3" else "-Oz" for flag in FLAGS)  # a pair of cells is fast enough
LINK = (
    "-O3",
    "-sMODULARIZE=1",
    "-sEXPORT_NAME=Network",
    "-sALLOW_MEMORY_GROWTH=1",
    "-sINVOKE_RUN=0",
    "-sEXPORTED_RUNTIME_METHODS=FS,callMain,ENV",
    "-sENVIRONMENT=worker,node",
)
DEBIAN_NODE = (  # where Debian keeps acorn, which its emscripten needs and does not find
    "/usr/share/nodejs"
)
ARRAYS = "static_arrays"  # where Brian2 keeps arrays that a program begins with
HOW = (
    "install emscripten (Debian: apt-get install emscripten), or open the page that ships:"
    " plastogen explore"
)


@dataclass(frozen=True)
class Program:
    """`script` defines `Network`, which runs `binary`; `files`: name of an array -> the file it is
    written to.
    """

    script: str
    binary: bytes
    files: dict[str, str]


def wasm_signature(circuit: Circuit) -> str:
    """Digest of all that the spikes of a page depend on, but the versions of Brian2 and of the
    compiler.
    """
    told = circuit.heard()
    return digest({**told, "network": _equations(circuit), "flags": FLAGS})[:16]


def pair_signature() -> str:
    """Digest of all that the synapse of a page depends on, but versions."""
    return digest([pair.equations(), SMALL])[:16]


def compiled(circuit: Circuit, *, announce: Callable[[str], None] | None = None) -> Program:
    """The program of `circuit`, compiled at most once. Raises EngineError (no em++, or it fails),
    StoreError.
    """
    key = digest([baked(circuit), _equations(circuit), FLAGS, LINK])[:16]
    return _program(
        f"browser-{key}",
        lambda work: _compile(write_sources(circuit, work), work, FLAGS, "--embed-file", ARRAYS),
        ("spikes.t", "spikes.i"),
        announce,
    )


def compiled_pair(*, announce: Callable[[str], None] | None = None) -> Program:
    """The program of two cells and a synapse, compiled at most once. Raises as `compiled`."""
    return _program(
        f"browser-{digest([pair.equations(), SMALL, LINK])[:16]}",
        lambda work: _compile(write_pair_sources(work), work, SMALL),  # arrays come at run time
        tuple(f"seen.{name}" for name in pair.SEEN),
        announce,
    )


def _equations(circuit: Circuit) -> list[str]:
    return equations(circuit.classes, tuple(circuit.magnesium_laws))


def _program(
    name: str,
    make: Callable[[Path], None],
    written: Sequence[str],
    announce: Callable[[str], None] | None,
) -> Program:
    """The program that `make(folder)` compiles, kept in the cache as `name`; `written`: the arrays
    that are read of it.
    """
    if shutil.which("em++") is None:
        raise EngineError(
            f"no em++ was found, which turns the network into a program for a browser; {HOW}"
        )
    folder = cache_dir() / "programs" / name

    def announced(work: Path) -> None:
        if announce:
            announce("compiling a program for browsers (once; about a minute)")
        make(work)

    made_once(folder, announced, announce)
    with explained(folder, "read"):
        arrays = json.loads((folder / "arrays.json").read_text())
        return Program(
            (folder / "network.js").read_text(encoding="utf-8"),
            (folder / "network.wasm").read_bytes(),
            {array: arrays[array][0] for array in written},
        )


def write_sources(circuit: Circuit, folder: Path) -> list[str]:
    """Generate the C++ in `folder`; returns its files, relative to it. What the page and its test
    both compile.
    """
    with explained(folder, "write"):
        generate(folder, baked(circuit), FLAGS)
    return _sources(folder)


def write_pair_sources(folder: Path) -> list[str]:
    """As `write_sources`, of two cells and a synapse."""
    with explained(folder, "write"):
        generate(folder, {}, SMALL, "pair")
    return _sources(folder)


def _sources(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*.cpp"))


def _compile(sources: Sequence[str], work: Path, flags: Sequence[str], *link: str) -> None:
    objects = [f"{Path(source).stem}.o" for source in sources]
    with ThreadPoolExecutor(cores()) as pool:
        made = [
            pool.submit(_run, work, "-I.", *flags, "-c", source, "-o", named)
            for source, named in zip(sources, objects, strict=True)
        ]
    for one in made:
        one.result()
    _run(work, *objects, *LINK, *link, "-o", "network.js")
    for named in objects:
        (work / named).unlink()


def _run(work: Path, *words: str) -> None:
    found = [os.environ.get("NODE_PATH", ""), DEBIAN_NODE]
    environment = os.environ | {"NODE_PATH": os.pathsep.join(filter(None, found))}
    done = subprocess.run(
        ["em++", *words],
        cwd=work,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        start_new_session=True,
    )
    if done.returncode:
        raise EngineError(f"em++ did not compile the network:\n{done.stderr.strip()[-2000:]}")
