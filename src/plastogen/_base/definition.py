"""In: a `Document`. Out: a frozen typed object, or one `InputError` that lists every problem with
its place.

`Definition` is the base of everything that is written in a file; `build` turns a document into one;
`Library` finds files by name, beside the user's own file first, then among those that ship.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any, Self, TypeVar

import pydantic

from plastogen._base import explain
from plastogen._base.document import Document, Steps, copied, dotted, item_name, read_text
from plastogen._base.quantity import SET_BY_USER, Evidence, Quantity
from plastogen._base.text import show
from plastogen.errors import InputError, Problem

T = TypeVar("T", bound="Definition")


class Definition(pydantic.BaseModel):
    """Base of every object that is written in a file: frozen, closed (an unknown key is an error).

    Validators of subclasses raise ValueError("a sentence"), or `faulty([Fault(at, found, wanted,
    nearest)])` to say what was found and wanted; `at` is the path below the field or object, "" for
    itself.
    """

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """A copy, some fields replaced; nothing that was derived from those of old comes along."""
        copied = super().model_copy(update=update, deep=deep)
        for derived in copied.__dict__.keys() - type(self).model_fields.keys():
            del copied.__dict__[derived]
        return copied


def build(
    document: Document,
    kind: type[T],
    *,
    overrides: Mapping[str, object] | None = None,
    base: T | None = None,
) -> T:
    """`document` as a `kind`; `overrides` are dotted path -> value, as --set gives them.

    An overridden number keeps its place but is marked as set by the user and assumed. `base`, the
    document as it is without overrides, saves time: what they leave alone is shared with it. Raises
    InputError, which lists all problems at once.
    """
    if base is not None:
        with suppress(ValueError, LookupError):
            return _altered(base, document, overrides or {})
    document, problems = _overridden(document, overrides or {})
    try:
        built = kind.model_validate_json(json.dumps(document.tree), strict=True)
    except pydantic.ValidationError as error:
        problems += explain.problems(error, kind, document)
        raise InputError(problems) from None
    problems += [
        document.problem(steps, "nothing", "a value, or no such name at all")
        for steps in _empty(document.tree)
        if steps not in [document.steps(path) for path in overrides or {}]
    ]
    if problems:
        raise InputError(problems)
    return built


def _empty(node: object, at: Steps = ()) -> Iterator[Steps]:
    """Where a name is written and nothing after it: a file that was cut short, perhaps."""
    if node is None:
        yield at
    elif isinstance(node, dict):
        for key, value in node.items():
            yield from _empty(value, (*at, key))
    elif isinstance(node, list):
        for i, value in enumerate(node):
            yield from _empty(value, (*at, i))


def override(text: str) -> tuple[str, object]:
    """What follows --set, `path=value`, as (path, value); the value is read as YAML. Raises
    InputError.
    """
    path, equals, value = text.partition("=")
    if not equals or not re.fullmatch(r"[\w-]+(\.[\w-]+)*", path.strip()):
        wanted = "path=value, such as arms.ketamine.give.infusion.dose='1 mg/kg'"
        raise InputError.one(file="--set", found=show(text), wanted=wanted)
    path = path.strip()
    try:
        return path, read_text(f"value: {value.strip()}", "--set").tree["value"]
    except InputError as error:
        told = (
            replace(problem, line=None, path=path, found=problem.found.replace("value: ", "", 1))
            for problem in error.problems
        )
        raise InputError(told) from None


def _overridden(
    document: Document, overrides: Mapping[str, object]
) -> tuple[Document, list[Problem]]:
    if not overrides:
        return document, []
    tree, places, problems = (
        copied(document.tree),
        dict(document.places),
        list[Problem](),
    )
    for path, value in overrides.items():
        steps = Document(document.file, tree).steps(path)
        node: Any = tree
        for step in steps[:-1]:
            if isinstance(node, dict):
                node = node.setdefault(step, {})
            elif isinstance(node, list) and isinstance(step, int) and step < len(node):
                node = node[step]
            else:
                node = None
        last = steps[-1] if steps else ""
        if isinstance(node, dict):
            node[last] = _set_by_user(node.get(last), value)
        elif isinstance(node, list) and isinstance(last, int) and last < len(node):
            node[last] = _set_by_user(node[last], value)
        else:
            problems.append(
                Problem("--set", None, path, "a place that does not exist", "a name in the file")
            )
            continue
        for known in [known for known in places if known[: len(steps)] == steps]:
            del places[known]
        places[steps] = ("--set", None)
    return replace(document, tree=tree, places=places), problems


def _altered(base: T, document: Document, overrides: Mapping[str, object]) -> T:
    """`base` with some places changed: only what lies on the way to them is validated again, the
    rest is shared.

    Raises ValueError (a ValidationError is one) or LookupError where the file must be read anew.
    """
    changes: list[tuple[Steps, object]] = []
    for path, value in overrides.items():
        steps = document.steps(path)
        old: Any = document.tree
        for step in steps:
            old = (
                old.get(step)
                if isinstance(old, dict)
                else old[int(step)]
                if isinstance(old, list)
                else None
            )
        changes.append((steps, _set_by_user(old, value)))
    altered: T = _replaced(base, changes)
    return altered


def _replaced(node: Any, changes: list[tuple[Steps, object]]) -> Any:
    if any(not steps for steps, _ in changes):
        if len(changes) > 1:
            raise LookupError("changes of a place and of what lies below it")
        return changes[0][1]
    below: dict[str | int, list[tuple[Steps, object]]] = {}
    for (first, *rest), value in changes:
        below.setdefault(first, []).append((tuple(rest), value))
    if isinstance(node, Definition):
        names = {info.alias or name: name for name, info in type(node).model_fields.items()}
        whole = {
            alias: getattr(node, name)
            for alias, name in names.items()
            if name in node.model_fields_set
        }
        whole |= {
            str(step): _replaced(getattr(node, names[str(step)]), inside)
            for step, inside in below.items()
        }
        return type(node).model_validate(whole, strict=True)
    if isinstance(node, Mapping):
        return {
            **node,
            **{str(step): _replaced(node.get(step), inside) for step, inside in below.items()},
        }
    if isinstance(node, list | tuple):
        items = {int(step): _replaced(node[int(step)], inside) for step, inside in below.items()}
        return type(node)(items.get(i, item) for i, item in enumerate(node))
    raise LookupError("nothing to change below a value")


def _set_by_user(old: object, value: object) -> object:
    if isinstance(old, dict) and "value" in old and not isinstance(value, dict):
        assumed = {"source": SET_BY_USER, "evidence": Evidence.ASSUMED.value, "note": SET_BY_USER}
        return {"value": value, **assumed}
    return value


def quantities(node: object, at: Steps = ()) -> Iterator[tuple[str, Quantity]]:
    """Every `Quantity` in a definition (or in dicts and lists of them) with its dotted path."""
    if isinstance(node, Quantity):
        yield dotted(at), node
    elif isinstance(node, pydantic.BaseModel):
        for name in type(node).model_fields:
            yield from quantities(getattr(node, name), (*at, name))
    elif isinstance(node, Mapping):
        for key, value in node.items():
            yield from quantities(value, (*at, key))
    elif isinstance(node, list | tuple):
        for i, value in enumerate(node):
            yield from quantities(value, (*at, item_name(value) or i))
