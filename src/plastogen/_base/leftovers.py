"""In: a place where processes of ours write. Out: names that say whose a file is, and the place
swept of what killed processes left.
"""

from __future__ import annotations

import os
import platform
import re
import shutil
import tempfile
import time
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

HOST = re.sub(r"\W+", "-", platform.node())  # this machine, as part of a file's name
SILENT_S = 600  # what cannot be asked and says nothing for so long counts as gone
SCRATCH = "plastogen-"  # how our folders among the system's temporary ones begin


def ours(prefix: str) -> str:
    """The beginning of a name that says which process of which machine made it."""
    return f"{prefix}{HOST}-{os.getpid()}-"


def sweep(folder: Path, prefix: str, *, named: bool = False) -> None:
    """Remove what begins with `prefix` in `folder` and was left by processes that are no more; what
    does not say which by its age, unless only what is `named` is to go.
    """
    whose = re.compile(rf"{re.escape(prefix)}(?:.*-)?{re.escape(HOST)}-(\d+)-[^-]*")
    with suppress(OSError):
        for entry in list(folder.glob(f"{prefix}*")):
            found = whose.fullmatch(entry.name)
            if gone(HOST, int(found[1]), entry) if found else not named and old(entry):
                remove(entry)


def remove(entry: Path) -> None:
    """Remove a file or a folder, if the system lets us."""
    with suppress(OSError):
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry, ignore_errors=True)
        else:
            entry.unlink(missing_ok=True)


@lru_cache(maxsize=1)
def sweep_scratch() -> None:
    """Sweep the system's temporary folder, once a process: only what says that we made it, for a
    person's own `plastogen-results` may lie there.
    """
    sweep(Path(tempfile.gettempdir()), SCRATCH, named=True)


def old(file: Path) -> bool:
    """Whether nobody has touched a file for so long that who wrote it counts as gone."""
    with suppress(OSError):
        return time.time() - file.stat().st_mtime > SILENT_S
    return True


def gone(host: str, pid: int, file: Path) -> bool:
    """Whether the process that left `file` is no more; where that cannot be asked, the file's age
    tells.
    """
    if host != HOST or pid == os.getpid():  # numbers of processes come again
        return old(file)
    if os.name != "posix":  # asking would end it
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except (OSError, OverflowError):
        return False
    return False
