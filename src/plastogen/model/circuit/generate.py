"""In: a folder and what is compiled in. Out: the C++ of the network in that folder.

Brian2's import replaces the handler of Ctrl-C, and it holds one global device: the C++ is written
by a child process, `python -m plastogen.model.circuit.generate FOLDER` with the arguments of
`network.write_sources` as JSON on its standard input, so that a host never imports Brian2 for it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from plastogen.errors import EngineError

REASON_CHARS = 2000  # of what Brian2 says when it fails


def generate(folder: Path, values: Mapping[str, Any], flags: Sequence[str]) -> None:
    """Write the C++ of a network into `folder`, in a process of its own.

    `values`: the arguments of `network.write_sources`. Raises EngineError, OSError (a full disk).
    """
    child = subprocess.run(
        [sys.executable, "-P", "-m", __spec__.name, str(folder)],
        input=json.dumps({**values, "flags": list(flags)}),
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        capture_output=True,
        text=True,
        check=False,
        start_new_session=True,
    )
    if child.returncode:
        if child.returncode == os.EX_IOERR:
            number, _, reason = child.stderr.strip().splitlines()[-1].partition(" ")
            raise OSError(int(number), reason)
        raise EngineError(
            f"Brian2 did not write the network:\n{child.stderr.strip()[-REASON_CHARS:]}\n"
            "`plastogen doctor` looks for the cause"
        )


def main() -> None:
    """The child: read the arguments, write the sources."""
    from plastogen.model.circuit import network

    try:
        network.write_sources(Path(sys.argv[1]), **json.load(sys.stdin))
    except OSError as error:
        print(f"{error.errno} {error.strerror}", file=sys.stderr)
        sys.exit(os.EX_IOERR)


if __name__ == "__main__":
    main()
