"""In: a `Circuit`. Out: its spiking network as a program for a browser: the C++ that Brian2
generates, as WebAssembly.

The same sources as `engine` compiles, by emscripten. Without -march=native and finite-only
arithmetic the program's spikes equal those of a native one compiled with `FLAGS`, bit by bit
(tests/test_explore_network.py).
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from plastogen._base.digest import digest
from plastogen._base.files import cache_dir, explained
from plastogen._base.machine import cores
from plastogen._base.sealed import made_once
from plastogen.errors import EngineError
from plastogen.model.circuit.definition import Circuit
from plastogen.model.circuit.generate import generate
from plastogen.model.circuit.program import baked, equations

FLAGS = ("-w", "-O3", "-ffast-math", "-fno-finite-math-only", "-std=c++11")
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
WRITTEN = ("spikes.t", "spikes.i")
UNHEARD = ("title", "regime", "note", "formula")
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
    told = {name: getattr(circuit, name) for name in Circuit.model_fields if name not in UNHEARD}
    return digest({**told, "network": equations(circuit.classes), "flags": FLAGS})[:16]


def compiled(circuit: Circuit, *, announce: Callable[[str], None] | None = None) -> Program:
    """The program of `circuit`, compiled at most once. Raises EngineError (no em++, or it fails),
    StoreError.
    """
    if shutil.which("em++") is None:
        raise EngineError(
            f"no em++ was found, which turns the network into a program for a browser; {HOW}"
        )
    folder = (
        cache_dir()
        / "programs"
        / f"browser-{digest([baked(circuit), equations(circuit.classes), FLAGS, LINK])[:16]}"
    )

    def make(work: Path) -> None:
        if announce:
            announce("compiling the network for browsers (once; about a minute)")
        _compile(circuit, work)

    made_once(folder, make, announce)
    with explained(folder, "read"):
        arrays = json.loads((folder / "arrays.json").read_text())
        return Program(
            (folder / "network.js").read_text(encoding="utf-8"),
            (folder / "network.wasm").read_bytes(),
            {name: arrays[name][0] for name in WRITTEN},
        )


def write_sources(circuit: Circuit, folder: Path) -> list[str]:
    """Generate the C++ in `folder`; returns its files, relative to it. What the page and its test
    both compile.
    """
    with explained(folder, "write"):
        generate(folder, baked(circuit), FLAGS)
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*.cpp"))


def _compile(circuit: Circuit, work: Path) -> None:
    sources = write_sources(circuit, work)
    objects = [f"{Path(source).stem}.o" for source in sources]
    with ThreadPoolExecutor(cores()) as pool:
        made = [
            pool.submit(_run, work, "-I.", *FLAGS, "-c", source, "-o", named)
            for source, named in zip(sources, objects, strict=True)
        ]
    for one in made:
        one.result()
    _run(work, *objects, *LINK, "--embed-file", "static_arrays", "-o", "network.js")
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
