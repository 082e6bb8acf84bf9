"""In: the path of a file that a person gives. Out: its text, or an InputError that says what stands
there and on which line.

Everything a person wrote goes through here: what is no file of text (a pipe, a device, a folder),
is too long to be meant, is not UTF-8, or holds characters that no keyboard makes is refused.
"""

from __future__ import annotations

import codecs
import stat
from pathlib import Path

from plastogen._base.text import nearest
from plastogen.errors import UNPRINTABLE, InputError

MOST_BYTES = 2**24  # of a file that somebody wrote
OTHER_ENCODINGS = {
    codecs.BOM_UTF32_LE: "UTF-32",
    codecs.BOM_UTF32_BE: "UTF-32",
    codecs.BOM_UTF16_LE: "UTF-16",
    codecs.BOM_UTF16_BE: "UTF-16",
}


def is_file(path: Path) -> bool:
    """Whether there is a file; a name that cannot be one (too long, with a NUL in it) is none."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def is_dir(path: Path) -> bool:
    """Whether there is a folder; a name that cannot be one is none."""
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False


def read_bytes(path: Path, wanted: str) -> bytes:
    """The bytes of a file that is to be `wanted` ("a YAML file"). Raises InputError."""
    file = str(path)
    try:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):
            found = "a folder" if stat.S_ISDIR(mode) else "a pipe or a device"
            raise InputError.one(file=file, found=found, wanted=wanted)
        with open(path, "rb") as opened:
            raw = opened.read(MOST_BYTES + 1)
    except FileNotFoundError:
        others = [p.name for p in path.parent.iterdir()] if is_dir(path.parent) else []
        near = nearest(path.name, others)
        raise InputError.one(file=file, found="no such file", wanted=wanted, nearest=near) from None
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        why = (getattr(error, "strerror", None) or "no file can have that name").lower()
        found = f"a file that cannot be read ({why})"
        raise InputError.one(file=file, found=found, wanted=wanted) from None
    if len(raw) > MOST_BYTES:
        found = f"more than {MOST_BYTES // 2**20} MB"
        raise InputError.one(file=file, found=found, wanted=wanted)
    return raw


def read_written(path: str | Path, wanted: str) -> str:
    """The text of a file that is to be `wanted`, in UTF-8. Raises InputError."""
    path = Path(path)
    raw, file = read_bytes(path, wanted), str(path)
    for mark, name in OTHER_ENCODINGS.items():
        if raw.startswith(mark):
            found = f"text in {name}"
            raise InputError.one(file=file, line=1, found=found, wanted=f"{wanted} in UTF-8")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        found = f"bytes that are not text (byte {error.start + 1})"
        raise InputError.one(
            file=file, line=line, found=found, wanted=f"{wanted} in UTF-8"
        ) from None
    check_printable(text, file)
    return text


def check_printable(text: str, file: str) -> None:
    """Raise InputError at the first character that is no text."""
    if (special := UNPRINTABLE.search(text)) is not None:
        line = text.count("\n", 0, special.start()) + 1
        found = f"the character {special[0]!r}"
        raise InputError.one(file=file, line=line, found=found, wanted="text that can be printed")
