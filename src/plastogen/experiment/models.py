"""In: names of models, what changes in them, and a question's file. Out: models, each read and
built once; which ones the file may come to use; the ends of the range that a number has in them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

from plastogen._base.definition import Definition, build
from plastogen._base.document import Document, Steps
from plastogen._base.library import Library
from plastogen._base.quantity import Fault
from plastogen.experiment.paths import is_model_path
from plastogen.model.circuit import Circuit
from plastogen.model.pharmacology import Drug, Subject
from plastogen.model.plasticity import Plasticity

T = TypeVar("T", bound=Definition)
FOLDERS: dict[str, tuple[str, type[Definition]]] = {
    "subject": ("subjects", Subject),
    "circuit": ("circuits", Circuit),
    "plasticity": ("plasticity", Plasticity),
    "drugs": ("drugs", Drug),
}
DEFAULTS = {"circuit": "prefrontal", "plasticity": "all"}


class Models:
    """Models by name with their overrides, each read and built once."""

    def __init__(self, library: Library) -> None:
        self.library = library
        self._documents: dict[tuple[str, str], Document] = {}
        self._built: dict[tuple[str, str, str], Any] = {}

    def document(self, folder: str, name: str) -> Document:
        """The file of a model. Raises InputError."""
        if (folder, name) not in self._documents:
            self._documents[folder, name] = self.library.document(folder, name)
        return self._documents[folder, name]

    def load(self, folder: str, name: str, kind: type[T], overrides: Mapping[str, object]) -> T:
        """The model, overrides applied. Raises InputError."""
        key = (folder, name, json.dumps(overrides, sort_keys=True, default=str))
        if key not in self._built:
            base = self.load(folder, name, kind, {}) if overrides else None
            self._built[key] = build(
                self.document(folder, name), kind, overrides=overrides, base=base
            )
        built: T = self._built[key]
        return built


def in_use(tree: Mapping[str, Any], settings: Mapping[str, object], root: str) -> dict[str, Steps]:
    """Names of the models of one kind that any arm may use, and where each is written, read from
    the file as is.
    """
    found: dict[str, Steps] = {}
    arms = {
        name: arm for name, arm in dict(tree.get("arms") or {}).items() if isinstance(arm, dict)
    }
    if root == "drugs":
        for arm, own in arms.items():
            for label, treatment in dict(own.get("give") or {}).items():
                if isinstance(treatment, dict) and "drug" in treatment:
                    found.setdefault(str(treatment["drug"]), ("arms", arm, "give", label, "drug"))
        for path, value, at in _listed(tree):
            if path.endswith(".drug"):
                found.setdefault(str(value), at)
        return found
    path, model = f"model.{root}", tree.get("model")
    places: list[tuple[Any, Steps]] = [(settings.get(path), ("model", root))]
    places += [
        ((model if isinstance(model, dict) else {}).get(root, DEFAULTS.get(root)), ("model", root))
    ]
    places += [
        (dict(own.get("set") or {}).get(path), ("arms", arm, "set", path))
        for arm, own in arms.items()
    ]
    places += [(value, at) for swept, value, at in _listed(tree) if swept == path]
    for name, at in places:
        if name is not None:
            found.setdefault(str(name), at)
    return found


def _listed(tree: Mapping[str, Any]) -> Iterator[tuple[str, Any, Steps]]:
    """Every value that a sweep lists: path, value, and where it stands."""
    sweep = tree.get("sweep")
    if isinstance(sweep, list):
        for i, point in enumerate(sweep):
            for path, value in point.items() if isinstance(point, dict) else ():
                yield str(path), value, ("sweep", i, path)
    for path, values in sweep.items() if isinstance(sweep, dict) else ():
        for value in values if isinstance(values, list) else ():
            yield path, value, ("sweep", path)


def ends(
    path: str, document: Document, settings: Mapping[str, object], models: Models
) -> tuple[Any, Any] | Fault:
    """The ends of the `range:` of the number at `path` in every model it may be of; or why there
    are none.
    """
    places = [("this file", document, path)]
    if is_model_path(path):
        root, _, below = path.partition(".")
        names = list(in_use(document.tree, settings, root))
        if root == "drugs":
            name, _, below = below.partition(".")
            names = [name]
        places = [
            (f"{FOLDERS[root][0]}/{name}", models.document(FOLDERS[root][0], name), below)
            for name in names
        ]
    wanted = "{from: ..., to: ...}, the ends themselves"
    found: dict[tuple[Any, Any], str] = {}
    for where, whole, below in places:
        span = _range(whole.tree, whole.steps(below))
        if span is None:
            return Fault("", f"no `range:` of {path.rpartition('.')[2]} in {where}", wanted)
        found.setdefault(span, where)
    if len(found) > 1:
        each = ", ".join(f"{low} to {high} in {where}" for (low, high), where in found.items())
        return Fault("", f"ranges that differ: {each}", wanted)
    return next(iter(found))


def _range(tree: Any, steps: Steps) -> tuple[Any, Any] | None:
    """Both ends of a number's `range:`, as written."""
    node = tree
    for step in steps:
        node = (
            node.get(step)
            if isinstance(node, dict)
            else node[int(step)]
            if isinstance(node, list)
            else None
        )
    span = node.get("range") if isinstance(node, dict) else None
    return (span[0], span[1]) if isinstance(span, list) and len(span) == 2 else None
