"""In: a dotted path, as --set, `set:` and `sweep:` take it, and the tree it leads into. Out: a
fault, or nothing.

A path may end at anything the schema knows, written in the file or not; names that the writer made
up (arms, treatments, cell classes in a model) must exist.
"""

from __future__ import annotations

import types
from collections.abc import Mapping
from typing import Annotated, Any, Union, get_args, get_origin

import pydantic

from plastogen._base.quantity import Fault, Quantity
from plastogen._base.text import nearest

MODEL_ROOTS = ("circuit", "plasticity", "subject", "drugs")


def is_model_path(path: str) -> bool:
    """Whether the path leads into a model file rather than into the experiment."""
    return path.split(".")[0] in MODEL_ROOTS


def fault_of(path: str, tree: object, kind: Any) -> Fault | None:
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
        if step is None:
            near = nearest(words[0], choices)
            listed = f"one of {', '.join(choices)}" if choices else "a name that exists"
            below = f" in {'.'.join(done)}" if done else ""
            whole = ".".join([*done, near, *words[1:]]) if near else None
            return Fault("", f"'{words[0]}'{below}", listed, whole)
        kind = _below(kind, step)
        node = _inside(node, step)
        done.append(step)
        words = words[taken:]
    return None


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
            found += [str(i) for i in range(len(node))]
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
        return node[int(step)]
    return None
