"""In: a folder and what is compiled in. Out: the C++ of the network, or of a pair of cells, there.

Brian2's import replaces the handler of Ctrl-C, and it holds one global device: the C++ is written
by a child process, `python -m plastogen.model.circuit.generate FOLDER WHAT` with the arguments of
that module's `write_sources` as JSON on its standard input, so that a host never imports Brian2.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from plastogen.errors import MachineError
from plastogen.model.circuit.children import run_child

REASON_CHARS = 2000  # of what Brian2 says when it fails


def generate(
    folder: Path,
    values: Mapping[str, Any],
    flags: Sequence[str],
    what: Literal["network", "pair"] = "network",
) -> None:
    """Write the C++ of a network, or of a pair of cells, into `folder`, in a process of its own.

    `values`: the arguments of the `write_sources` of `what`. Raises MachineError, OSError (a full
    disk).
    """
    path = os.pathsep.join(filter(None, sys.path))
    child = run_child(
        [sys.executable, "-P", "-m", __spec__.name, str(folder), what],
        folder,
        os.environ | {"PYTHONPATH": path, "PYTHONHASHSEED": "0"},  # equal sources at every time
        given=json.dumps({**values, "flags": list(flags)}),
        together=False,
    )
    if child.code:
        if child.code == os.EX_IOERR:
            number, _, reason = child.err.strip().splitlines()[-1].partition(" ")
            raise OSError(int(number), reason)
        raise MachineError(
            f"Brian2 did not write the {what}:\n{child.err.strip()[-REASON_CHARS:]}\n"
            "`plastogen doctor` looks for the cause"
        )


def main() -> None:
    """The child: read the arguments, write the sources."""
    from plastogen.model.circuit import network, pair

    folder, what = sys.argv[1:]
    try:
        {"network": network, "pair": pair}[what].write_sources(Path(folder), **json.load(sys.stdin))
    except OSError as error:
        print(f"{error.errno} {error.strerror}", file=sys.stderr)
        sys.exit(os.EX_IOERR)


if __name__ == "__main__":
    main()
