"""In: a folder and a name. Out: the file of that model, the user's own first, and what it cites."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from importlib import resources
from pathlib import Path

from plastogen._base.definition import Definition, T, build
from plastogen._base.document import Document, read
from plastogen._base.text import any_of, nearest, show
from plastogen._base.textfile import is_dir
from plastogen.errors import InputError


class Reference(Definition):
    """One entry of models/references.yaml."""

    authors: str
    year: int
    title: str
    journal: str
    doi: str | None = None
    note: str | None = None


def builtin(name: str) -> Path:
    """The folder `name` ("models", "experiments") that ships: at the top of a checkout, or in the
    wheel.
    """
    checkout = Path(__file__).resolve().parents[3]
    if (checkout / "pyproject.toml").is_file() and (checkout / name).is_dir():
        return checkout / name
    return Path(str(resources.files("plastogen"))) / "_library" / name


class Library:
    """Where models are found by name: `models/` beside the user's own file first, then those that
    ship.
    """

    def __init__(self, beside: Path | None = None) -> None:
        """`beside` is the user's experiment file or its folder."""
        self.folders: tuple[Path, ...] = (builtin("models"),)
        if beside is not None:
            beside = Path(beside).resolve()
            own = (beside if is_dir(beside) else beside.parent) / "models"
            if is_dir(own) and own != self.folders[0].resolve():
                self.folders = (own, *self.folders)

    def names(self, folder: str) -> list[str]:
        """Names of the models in `folder` ("drugs", "circuits", ...), sorted."""
        return sorted({p.stem for root in self.folders for p in (root / folder).glob("*.yaml")})

    def find(self, folder: str, name: str) -> Path:
        """The file of model `name`. Raises InputError with the nearest name when there is none."""
        for root in self.folders:
            path = root / folder / f"{name}.yaml"
            if re.fullmatch(r"[\w-]{1,100}", name) and path.is_file():
                return path
        names = self.names(folder)
        wanted = any_of(names) if names else f"a file in models/{folder}"
        near = nearest(name, names)
        raise InputError.one(file=f"models/{folder}", found=show(name), wanted=wanted, nearest=near)

    def document(self, folder: str, name: str) -> Document:
        """The file of model `name`, laid over what it `extends`. Raises InputError, for a circle
        too.
        """
        return self._over_base(folder, name, read(self.find(folder, name)))

    def _over_base(self, folder: str, name: str, document: Document) -> Document:
        """A document laid over what it `extends`. Raises InputError."""
        seen = [name]
        while (base := document.tree.pop("extends", None)) is not None:
            if not isinstance(base, str) or base not in self.names(folder) or base in seen:
                names = [n for n in self.names(folder) if n not in seen]
                wanted = f"another of {', '.join(names)}" if names else "no extends"
                found = show(base)
                near = nearest(base, names) if isinstance(base, str) else None
                raise InputError([document.problem(("extends",), found, wanted, near)])
            seen.append(base)
            document = document.over(read(self.find(folder, base)))
        return document

    def load(
        self,
        folder: str,
        name: str,
        kind: type[T],
        *,
        overrides: Mapping[str, object] | None = None,
    ) -> T:
        """Model `name` of `folder` as a `kind`, `extends` and `overrides` applied. Raises
        InputError.
        """
        return build(self.document(folder, name), kind, overrides=overrides)

    def load_file(self, folder: str, path: Path, kind: type[T]) -> T:
        """The model in a file of any place and name; what it `extends` is one of `folder`. Raises
        InputError.
        """
        return build(self._over_base(folder, path.stem, read(path)), kind)

    def references(self) -> dict[str, Reference]:
        """Every entry of references.yaml, the user's own included, by key. Raises InputError."""
        found: dict[str, Reference] = {}
        for root in reversed(self.folders):
            if (root / "references.yaml").is_file():
                whole = read(root / "references.yaml")
                found |= build(replace(whole, tree={"entries": whole.tree}), _References).entries
        return found


class _References(Definition):
    entries: dict[str, Reference]
