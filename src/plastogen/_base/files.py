"""In: arrays and text worth keeping. Out: content-addressed files on disk that are whole or not
there at all.

A write goes to a temporary name and is renamed last, so a process killed at any moment leaves no
half file under a real name. A file that does not read back raises `CacheDamaged`: discard it and
compute again. Locks are the kernel's, so they die with their owner.
"""

from __future__ import annotations

import errno
import os
import shutil
import stat
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from plastogen._base.leftovers import ours
from plastogen.errors import CacheDamaged, StoreError, in_words

Array = npt.NDArray[Any]
TEMPORARY = ".partial-"
ROOT = 0  # the user who may write everywhere
DENIED = "this user may not write there; choose another folder or change its permissions"


def cache_dir() -> Path:
    """The cache folder, made if missing: PLASTOGEN_CACHE, else where the system keeps caches (on
    Linux plastogen in XDG_CACHE_HOME or ~/.cache). Raises StoreError.
    """
    from platformdirs import user_cache_path

    named = os.environ.get("PLASTOGEN_CACHE")
    folder = Path(named).expanduser() if named else user_cache_path("plastogen", appauthor=False)
    folder = folder.absolute()
    with explained(folder, "create"):
        make_folder(folder)
        if why := writable_by_others(folder.stat()):
            raise StoreError(
                f"{folder} {why}, and programs in it are run as you; take that permission away"
                " (chmod o-w), or set PLASTOGEN_CACHE to a folder of your own"
            )
    return folder


def writable_by_others(about: os.stat_result) -> str:
    """Why a folder is not to be trusted with programs, "" when it is: a group that may write is a
    choice somebody made, everybody is none.
    """
    if not hasattr(os, "getuid"):
        return ""
    if about.st_mode & stat.S_IWOTH:
        return "can be written by everybody"
    shared = about.st_mode & stat.S_IWGRP and about.st_gid in (os.getgid(), *os.getgroups())
    return "" if about.st_uid in (os.getuid(), ROOT) or shared else "belongs to somebody else"


def make_folder(folder: Path) -> None:
    """Make a folder and those above it; where a group may write, it may in the new ones too. Raises
    OSError.
    """
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    inherit_group(folder)


def inherit_group(path: Path) -> None:
    """Let the group do with a new file or folder what it may do with the folder around it."""
    shared = path.parent.stat().st_mode & stat.S_IWGRP
    if shared and os.name == "posix":
        own = path.stat().st_mode
        added = stat.S_IRGRP | stat.S_IWGRP | (stat.S_IXGRP | stat.S_ISGID if path.is_dir() else 0)
        with suppress(OSError):
            path.chmod(own | added)


@contextmanager
def explained(path: Path, doing: str) -> Iterator[None]:
    """Turn an OSError inside into a StoreError whose sentence says what happened and what to do."""
    try:
        yield
    except OSError as error:
        raise StoreError(f"cannot {doing} {path}: {advice(error)}") from error


def advice(error: OSError) -> str:
    """What happened, and what to do about it."""
    return {
        errno.ENOSPC: (
            "the disk is full; free some space (`plastogen doctor clean` empties the cache)"
        ),
        errno.EDQUOT: "your disk quota is used up; free some space",
        errno.EFBIG: "the system limits how large a file may be; see ulimit -f",
        errno.EROFS: "the disk is read-only; choose another folder",
        errno.EACCES: DENIED,
        errno.EPERM: DENIED,
        errno.EEXIST: "a file stands where a folder is needed; move it or choose another folder",
        errno.ENOTDIR: "part of that path is a file, not a folder; choose another folder",
        errno.EISDIR: "that is a folder; choose another name",
        errno.ENAMETOOLONG: "no file can have so long a name; choose a shorter one",
        errno.EMFILE: "too many files are open; see ulimit -n",
        errno.ENOMEM: "memory is used up; close other programs, or run fewer at once (--jobs)",
        errno.EAGAIN: "the system starts no more processes; see ulimit -u, or run fewer (--jobs)",
    }.get(error.errno or 0, f"{error.strerror or error}; choose another folder")


def atomic_write(path: Path, content: bytes | str | Callable[[Any], None]) -> None:
    """Write `content` (bytes, text, or a function given the open file) to `path`, all of it or
    nothing.

    Raises StoreError for a read-only folder, a full disk, and the like.
    """
    with replacing(path) as partial, open(partial, "wb") as file:
        if callable(content):
            content(file)
        else:
            file.write(content.encode() if isinstance(content, str) else content)


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A file to write to, which becomes `path` when all went well and goes away when not. Raises
    StoreError.
    """
    path = Path(path)
    with explained(path, "write"):
        make_folder(path.parent)
        handle, name = tempfile.mkstemp(prefix=ours(TEMPORARY), dir=path.parent)
        os.close(handle)
        try:
            yield Path(name)
            with open(name, "r+b") as file:
                os.fsync(file.fileno())
            umask = os.umask(0)
            os.umask(umask)
            os.chmod(name, 0o666 & ~umask)
            inherit_group(Path(name))
            os.replace(name, path)
        except BaseException:
            with suppress(OSError):
                os.unlink(name)
            raise
        _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    """Make a rename last through a power cut, where the system can."""
    if os.name != "posix":
        return
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def write_npz(path: Path, /, **arrays: Any) -> None:
    """Write named arrays to one file, whole or not at all. No pickles: an object array is a
    TypeError.
    """
    kept = {name: np.asarray(array) for name, array in arrays.items()}
    for name, array in kept.items():
        if array.dtype.hasobject:
            raise TypeError(f"{name} holds Python objects; only plain arrays can be stored")
    buffer = BytesIO()
    np.savez(buffer, **kept)  # type: ignore[arg-type]
    atomic_write(path, buffer.getvalue())


def read_npz(path: Path) -> dict[str, Array]:
    """The arrays of a file `write_npz` wrote, every checksum tested.

    Raises FileNotFoundError when there is none, CacheDamaged when it is cut short or altered,
    StoreError when the system refuses to read it.
    """
    path = Path(path)
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        raise
    except OSError as error:
        raise StoreError(
            f"cannot read {path}: {error.strerror or error}; check its permissions"
        ) from error
    try:
        with zipfile.ZipFile(BytesIO(raw)) as whole:
            if broken := whole.testzip():
                raise CacheDamaged(f"the checksum of {broken} is wrong")
        with np.load(BytesIO(raw), allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except Exception as error:  # a damaged header can fail in any way
        raise CacheDamaged(
            f"{path} is damaged ({in_words(error)}); it is discarded and computed again"
        ) from error


def size(folder: Path) -> int:
    """Bytes in all files below `folder`; 0 when there is none."""
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):
                total += os.lstat(os.path.join(place, name)).st_size
    return total


def clean(folder: Path) -> int:
    """Empty `folder` (the folder itself stays); the number of bytes freed. Raises StoreError."""
    freed = size(folder)
    if folder.is_dir():
        with explained(folder, "empty"):
            for entry in folder.iterdir():
                if entry.is_dir() and not entry.is_symlink():
                    shutil.rmtree(entry)
                else:
                    entry.unlink(missing_ok=True)
    return freed


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock file `path`; other processes and threads wait. A killed owner's lock is free at
    once. Raises StoreError.
    """
    from filelock import FileLock

    path = Path(path)
    lock = FileLock(path, mode=0o666, thread_local=False)
    with explained(path, "lock"):
        make_folder(path.parent)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()
