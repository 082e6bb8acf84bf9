"""In: names of models, what changes in them, an experiment's file, and dotted paths as --set,
`set:` and `sweep:` take them. Out: models, each read and built once; which ones the file may come
to use; the ends of the range that a number has in them; what is wrong with a path.

A path may end at anything the schema knows, written in the file or not; names that the writer made
up (arms, treatments, cell classes in a model) must exist.
"""

from __future__ import annotations

import json
import types
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

import pydantic

from plastogen._base.definition import Definition, build
from plastogen._base.document import Document, Steps, item_name, place_in
from plastogen._base.library import Library
from plastogen._base.quantity import Fault, Quantity
from plastogen._base.text import any_of, nearest
from plastogen.experiment.definition import ModelNames
from plastogen.model.circuit import Circuit
from plastogen.model.pharmacology import Drug, Subject
from plastogen.model.plasticity import CalciumRule, Plasticity, SpineModel

T = TypeVar("T", bound=Definition)
FOLDERS: dict[str, tuple[str, type[Definition]]] = {
    "subject": ("subjects", Subject),
    "circuit": ("circuits", Circuit),
    "plasticity": ("plasticity", Plasticity),
    "rule": ("rules", CalciumRule),
    "spines": ("spines", SpineModel),
    "drugs": ("drugs", Drug),
}
DEFAULTS: dict[str, str] = {
    name: field.default
    for name, field in ModelNames.model_fields.items()
    if not field.is_required()
}


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

    def files(self) -> list[Path]:
        """Every file that the models read so far come from, those they extend too."""
        written = {file for doc in self._documents.values() for file, _ in doc.places.values()}
        return sorted(path for path in map(Path, written) if path.is_file())

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


def models_in_use(
    tree: Mapping[str, Any], settings: Mapping[str, object], root: str
) -> dict[str, Steps]:
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


def range_ends(
    path: str, document: Document, settings: Mapping[str, object], models: Models
) -> tuple[Any, Any] | Fault:
    """The ends of the `range:` of the number at `path` in every model it may be of; or why there
    are none.
    """
    places = [("this file", document, path)]
    if is_model_path(path):
        root, _, below = path.partition(".")
        names = list(models_in_use(document.tree, settings, root))
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


MODEL_ROOTS = tuple(FOLDERS)


def is_model_path(path: str) -> bool:
    """Whether the path leads into a model file rather than into the experiment."""
    return path.split(".")[0] in MODEL_ROOTS


def path_fault(path: str, tree: object, kind: Any) -> Fault | None:
    """What is wrong with `path` in `tree`, a document of type `kind`; None when nothing is."""
    words, done = path.split("."), list[str]()
    node: Any = tree
    while words:
        choices, free = _choices(kind, node)
        if not choices and not free:
            where = ".".join(done)
            return Fault(
                "",
                f"'{path}'",
                f"a path that ends at {where}, which has nothing below it",
                where or None,
            )
        step, taken = _step(words, choices)
        if step is None and isinstance(node, list) and _is_place(node, words[0]):
            step, taken = words[0], 1
        if step is None:
            near = nearest(words[0], choices)
            listed = any_of(choices) if choices else "a name that exists"
            below = f" in {'.'.join(done)}" if done else ""
            whole = ".".join([*done, near, *words[1:]]) if near else None
            return Fault("", f"'{words[0]}'{below}", listed, whole)
        kind = _below(kind, step)
        node = _inside(node, step)
        done.append(step)
        words = words[taken:]
    return None


def _is_place(items: list[Any], word: str) -> bool:
    return word.isdigit() and int(word) < len(items)


def _step(words: list[str], choices: list[str]) -> tuple[str | None, int]:
    """The longest run of words that is a name here ("E.synaptic" is one name)."""
    for n in range(len(words), 0, -1):
        if ".".join(words[:n]) in choices:
            return ".".join(words[:n]), n
    return None, 0


def _branches(kind: Any) -> list[Any]:
    while get_origin(kind) is Annotated:
        kind = get_args(kind)[0]
    kind = getattr(kind, "__value__", kind)
    if get_origin(kind) in (Union, types.UnionType):
        return [branch for arg in get_args(kind) for branch in _branches(arg)]
    return [kind]


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, pydantic.BaseModel)


def _is_mapping(kind: Any) -> bool:
    origin = get_origin(kind) or kind
    return isinstance(origin, type) and issubclass(origin, Mapping)


def _choices(kind: Any, node: Any) -> tuple[list[str], bool]:
    """The names that may follow here, and whether there can be any."""
    found: list[str] = []
    free = False
    for branch in _branches(kind):
        if _is_model(branch):
            found += [info.alias or name for name, info in branch.model_fields.items()]
        elif _is_mapping(branch) or branch is Any:
            free = True
            found += list(node) if isinstance(node, Mapping) else []
        elif (get_origin(branch) or branch) in (list, tuple) and isinstance(node, list | tuple):
            found += [item_name(item) or str(i) for i, item in enumerate(node)]
        elif branch is Quantity and isinstance(node, Mapping):
            found += ["value"]
    return list(dict.fromkeys(found)), free


def _below(kind: Any, step: str) -> Any:
    """The type of what stands at `step`."""
    options: list[Any] = []
    for branch in _branches(kind):
        if _is_model(branch):
            options += [
                i.annotation for n, i in branch.model_fields.items() if (i.alias or n) == step
            ]
        elif _is_mapping(branch):
            options.append(get_args(branch)[1] if len(get_args(branch)) > 1 else Any)
        elif (get_origin(branch) or branch) in (list, tuple) and get_args(branch):
            options.append(get_args(branch)[0])
        elif branch is Any:
            options.append(Any)
    options = [option for option in options if option is not None]
    return Union[tuple(options)] if options else None  # noqa: UP007


def _inside(node: Any, step: str) -> Any:
    if isinstance(node, Mapping):
        return node.get(step)
    if isinstance(node, list | tuple):
        at = place_in(node, step)
        return node[at] if at is not None else None
    return None
