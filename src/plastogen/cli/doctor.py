"""In: this machine. Out: whether plastogen can do its work here, and one fix for each thing that is
wrong.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from plastogen._base.files import cache_dir, clean, size
from plastogen._base.leftovers import SCRATCH, ours
from plastogen._base.machine import cores, in_bytes
from plastogen.errors import StoreError
from plastogen.model.circuit import compiler, compiler_version, default_backend

OLDEST_PYTHON = (3, 11)
MIN_FREE_BYTES = 2**30


@dataclass(frozen=True)
class Finding:
    """One thing looked at: is it well, what was seen, and what to do if it is not."""

    what: str
    well: bool
    seen: str
    fix: str = ""


def examine() -> list[Finding]:
    """Look at everything a run needs."""
    return [_python(), _pair(), _compiler(), _backend(), *_cache(), _cores()]


def _python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    oldest = ".".join(map(str, OLDEST_PYTHON))
    return Finding(
        "Python", sys.version_info >= OLDEST_PYTHON, version, f"install Python {oldest} or newer"
    )


def _pair() -> Finding:
    """Brian2 and numpy, tried together in a process of their own, because a bad pair dies on
    import.
    """
    code = "import brian2, numpy; print(brian2.__version__, numpy.__version__)"
    tried = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    if tried.returncode == 0:
        brian, numpy = tried.stdout.split()[-2:]
        return Finding("Brian2 and numpy", True, f"brian2 {brian} with numpy {numpy}")
    seen = _installed("brian2") + " with " + _installed("numpy") + ", which do not import together"
    bound = "<2.4" if sys.version_info < (3, 12) else ""
    return Finding("Brian2 and numpy", False, seen, f"pip install --upgrade brian2 'numpy{bound}'")


def _installed(name: str) -> str:
    try:
        return f"{name} {metadata.version(name)}"
    except metadata.PackageNotFoundError:
        return f"no {name}"


def _compiler() -> Finding:
    path = compiler()
    if path is None:
        return Finding("C++ compiler", False, "none (g++ and make are needed)", _compiler_fix())
    with tempfile.TemporaryDirectory(prefix=ours(SCRATCH)) as folder:
        source = Path(folder) / "try.cpp"
        source.write_text("#include <random>\nint main() { std::mt19937 r; return r() == 0; }\n")
        command = [path, "-std=c++11", str(source), "-o", str(Path(folder) / "try")]
        tried = subprocess.run(command, capture_output=True, text=True, check=False)
    if tried.returncode != 0:
        said = (tried.stderr.strip().splitlines() or ["nothing"])[0]
        return Finding("C++ compiler", False, f"{path} cannot compile: {said}", _compiler_fix())
    return Finding("C++ compiler", True, compiler_version())


def _compiler_fix() -> str:
    if sys.platform == "darwin":
        return "xcode-select --install"
    if sys.platform == "win32":
        return "use WSL (Windows Subsystem for Linux), then: sudo apt install g++ make"
    return "sudo apt install g++ make (Debian, Ubuntu), sudo dnf install gcc-c++ make (Fedora)"


def _backend() -> Finding:
    backend = default_backend()
    if backend == "cpp":
        return Finding("Network runs in", True, "C++, compiled once and kept")
    seen = "numpy, 5 to 12 times slower; experiments use the small circuit"
    return Finding("Network runs in", False, seen, "install a C++ compiler (above)")


def _cache() -> list[Finding]:
    try:
        folder = cache_dir()
    except StoreError as error:
        return [
            Finding("Cache", False, str(error), "set PLASTOGEN_CACHE to a folder you can write to")
        ]
    seen = f"{folder} ({in_bytes(size(folder))})"
    fix = "set PLASTOGEN_CACHE to a folder you can write to"
    free = shutil.disk_usage(folder).free
    return [
        Finding("Cache", os.access(folder, os.W_OK), seen, fix),
        Finding(
            "Free disk",
            free > MIN_FREE_BYTES,
            in_bytes(free),
            "plastogen doctor clean, or free some space",
        ),
    ]


def _cores() -> Finding:
    return Finding("Cores", True, f"{cores()} (all of them are used unless --jobs says otherwise)")


def empty_cache() -> tuple[Path, int]:
    """Empty the cache; the folder and the bytes freed. Raises StoreError."""
    folder = cache_dir()
    return folder, clean(folder)
