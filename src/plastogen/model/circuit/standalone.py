"""In: how a Brian2 network is put together. Out: its C++ program in a folder, not compiled.

What the program is given comes at run time: values on its command line, seconds of the clock and
seeds in its environment. `arrays.json` says in which file each array that is read is left; the
others, some eighty, are not written.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any

import numpy as np


def write_program(
    folder: Path,
    construct: Callable[[Any], Any],
    flags: Sequence[str],
    *,
    kept: Collection[str],
    at_last: str = "",
) -> None:
    """Generate the C++ of the network that `construct(device)` returns, in `folder`, of which the
    arrays `kept` are left after a run; `at_last`: C++ that stands just before it runs.
    """
    import brian2 as b2

    b2.device.reinit()
    b2.set_device("cpp_standalone", directory=str(folder), build_on_run=False)
    b2.prefs.core.stop_on_keyboard_interrupt = False
    b2.prefs.codegen.cpp.extra_compile_args_gcc = list(flags)
    b2.prefs.codegen.cpp.extra_compile_args_msvc = []
    # also to the linker: what decays for long would be denormal, eight times slower, and never zero
    b2.prefs.codegen.cpp.extra_link_args = [flag for flag in flags if flag == "-ffast-math"]
    try:
        device = b2.get_device()
        construct(device).run(1 * b2.second)
        device.build(directory=str(folder), compile=False, run=False)
        main = folder / "main.cpp"
        patched, found = re.subn(
            r"(network\.run\()[^,]+,",
            lambda found: f'{at_last}{found[1]}atof(std::getenv("PLASTOGEN_SECONDS")),',
            main.read_text(),
        )
        if found != 1:
            raise RuntimeError(f"main.cpp runs the network {found} times; one was expected")
        main.write_text(patched)
        arrays = {
            f"{v.owner.name}.{v.name}": [device.get_array_filename(v), np.dtype(v.dtype).str]
            for v in device.arrays
            if getattr(v, "owner", None) is not None and f"{v.owner.name}.{v.name}" in kept
        }
        objects = folder / "objects.cpp"
        files = [file for file, _ in arrays.values()]
        objects.write_text(writing_only(files, objects.read_text()))
        (folder / "arrays.json").write_text(json.dumps(arrays, sort_keys=True))
    finally:
        b2.device.reinit()
        b2.set_device("runtime")


def writing_only(files: Collection[str], text: str) -> str:
    """Brian2's objects.cpp, which writes every array after a run, writing these alone. Raises
    RuntimeError where it does not write one, or stands otherwise than is looked for.
    """
    head, begin, rest = text.partition("void _write_arrays()\n{\n")
    body, end, tail = rest.partition("    // Write last run info")
    first, *parts = re.split(r"(?m)^(?= *ofstream )", body)
    kept = [part for part in parts if any(f'"{file}"' in part for file in files)]
    if not end or len(kept) != len(files):
        raise RuntimeError(f"objects.cpp writes {len(kept)} of {len(files)} arrays that are read")
    return "".join([head, begin, first, *kept, end, tail])
