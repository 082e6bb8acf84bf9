"""In: a kind and a name. Out: a file to start from, valid as it stands."""

from __future__ import annotations

import re
from pathlib import Path

from plastogen._base.files import atomic_write
from plastogen._base.text import nearest, show
from plastogen.errors import InputError
from plastogen.experiment.definition import NAME

PLACES = {
    "experiment": Path(),
    "sweep": Path(),
    "drug": Path("models/drugs"),
    "circuit": Path("models/circuits"),
}


def new(kind: str, name: str, *, folder: Path | None = None) -> Path:
    """Write the file; its path. Raises InputError for a bad kind or name or a file that is there,
    StoreError.
    """
    if kind not in PLACES:
        wanted = f"one of {', '.join(PLACES)}"
        raise InputError.one(
            file="new", found=show(kind), wanted=wanted, nearest=nearest(kind, PLACES)
        )
    if not re.fullmatch(NAME, name):
        wanted = "a name of letters, digits, - and _, such as my_dose"
        raise InputError.one(file="new", found=show(name), wanted=wanted)
    path = (folder or Path()) / PLACES[kind] / f"{name}.yaml"
    if path.exists():
        raise InputError.one(
            file=str(path), found="a file that is already there", wanted="a new name"
        )
    text = (Path(__file__).parent / "template" / f"{kind}.yaml").read_text(encoding="utf-8")
    atomic_write(path, text.replace("NAME", name))
    return path
