"""In: files that plastogen writes and reads back. Out: the same, or word that they are damaged, so
that they are made again.

JSON carries its own checksum. Any other file has one in `checksums.json` beside it, which is
written last: a process killed on the way leaves a file that nobody vouches for, never one that is
half true. What no checksum is known of (an older version wrote it) is `UNKNOWN`.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Literal, TypeAlias

from plastogen._base.files import (
    TEMPORARY,
    atomic_write,
    explained,
    inherit_group,
    locked,
    writable_by_others,
)
from plastogen._base.leftovers import ours, sweep
from plastogen.errors import CacheDamaged

Fault: TypeAlias = Literal["missing", "cut short or altered", "of unknown origin"]
MISSING: Fault = "missing"
ALTERED: Fault = "cut short or altered"
UNKNOWN: Fault = "of unknown origin"
SEALS = "checksums.json"
LOCK = ".checksums.lock"
OWN = "checksum"  # the key of a JSON file's own


def checksum(path: Path) -> str:
    """SHA-256 of a file. Raises OSError."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write `content` with its own checksum, whole or not at all. Raises StoreError."""
    plain = json.loads(json.dumps(content, default=str))
    plain.pop(OWN, None)
    text = json.dumps({**plain, OWN: _of(plain)}, indent=1, sort_keys=True)
    atomic_write(path, text)


def read_json(path: Path) -> dict[str, Any]:
    """What `write_json` wrote. Raises FileNotFoundError, CacheDamaged."""
    try:
        found = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise
    except (OSError, ValueError, RecursionError) as error:
        raise CacheDamaged(f"{path} is damaged ({error})") from error
    if not isinstance(found, dict):
        raise CacheDamaged(f"{path} is damaged (it holds no names)")
    own = found.pop(OWN, None)
    if own is not None and own != _of(found):
        raise CacheDamaged(f"{path} is damaged (its checksum is another)")
    return found


def _of(plain: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()


def fault(path: Path) -> Fault | None:
    """Why a file cannot be read back as it was written; None when it can."""
    try:
        own = checksum(path)
    except OSError:
        return MISSING
    known = _seals(path.parent).get(path.name)
    if known is None:
        return UNKNOWN
    return None if known == own else ALTERED


@contextmanager
def sealing(folder: Path, *names: str) -> Iterator[None]:
    """Vouch for files of `folder` once they are written; until then for none of them. Raises
    StoreError.
    """
    _update(folder, dict.fromkeys(names))
    yield
    _update(folder, {name: checksum(folder / name) for name in names})


def _update(folder: Path, seals: Mapping[str, str | None]) -> None:
    with locked(folder / LOCK):
        before = _seals(folder)
        after = {name: seal for name, seal in {**before, **seals}.items() if seal is not None}
        if after != before:
            write_json(folder / SEALS, after)


def _seals(folder: Path) -> dict[str, str]:
    with suppress(FileNotFoundError, CacheDamaged):
        return read_json(folder / SEALS)
    return {}


def seal_folder(folder: Path) -> None:
    """Vouch for every file in `folder`, and that there is no other. Raises StoreError."""
    write_json(folder / SEALS, {name: checksum(folder / name) for name in _files(folder)})


def folder_fault(folder: Path) -> str | None:
    """What is wrong with a folder that `seal_folder` closed; None when nothing is."""
    try:
        known = read_json(folder / SEALS)
        for name in known.keys() | _files(folder):
            if name not in known:
                return f"{name} is {UNKNOWN}"
            if checksum(folder / name) != known[name]:
                return f"{name} is {ALTERED}"
    except FileNotFoundError as error:
        return f"{Path(error.filename).name} is {MISSING}"
    except CacheDamaged as error:
        return str(error)
    except OSError as error:
        return f"{folder} cannot be read ({error.strerror})"
    return None


def made_once(
    folder: Path, make: Callable[[Path], None], announce: Callable[[str], None] | None = None
) -> Path:
    """`folder`, which `make` fills in a place beside it; at most once, by whichever process comes
    first, and again when it is damaged or not ours, which `announce` is told.

    Raises what `make` raises, and StoreError.
    """
    if not _unfit(folder):
        return folder
    with locked(folder.with_suffix(".lock")):
        why = _unfit(folder)
        if not why:
            return folder
        if folder.exists() and announce:
            announce(f"{folder} is damaged ({why}); it is made again")
        with explained(folder, "write"):
            sweep(folder.parent, TEMPORARY)
            work = Path(
                tempfile.mkdtemp(prefix=ours(f"{TEMPORARY}{folder.name}-"), dir=folder.parent)
            )
        try:
            make(work)
            with explained(folder, "write"):
                umask = os.umask(0)
                os.umask(umask)
                work.chmod(0o777 & ~umask)
                inherit_group(work)
                seal_folder(work)
                _aside(folder)
                os.replace(work, folder)
        finally:
            shutil.rmtree(work, ignore_errors=True)
    return folder


def _unfit(folder: Path) -> str:
    """Why a folder cannot be used, "" when it can: it is damaged, or somebody else's."""
    why = folder_fault(folder)
    if why is None:
        with suppress(OSError):
            why = writable_by_others(folder.stat())
    return why or ""


def _aside(folder: Path) -> None:
    """Take a folder away, readable or not. Raises OSError."""
    if folder.exists():
        aside = folder.with_name(f"{TEMPORARY}{folder.name}-gone")
        shutil.rmtree(aside, ignore_errors=True)
        os.replace(folder, aside)
        with suppress(OSError):
            aside.chmod(0o700)
        shutil.rmtree(aside, ignore_errors=True)


def _files(folder: Path) -> set[str]:
    whole = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    return whole - {SEALS}
