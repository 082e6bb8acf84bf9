"""In: what pydantic found wrong with a document. Out: `Problem`s that say so in plain words, with
the place.

The only module that knows pydantic's error types. Faults of one place in a union become one
problem.
"""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping
from dataclasses import replace
from enum import Enum
from typing import Annotated, Any, Literal, TypeAlias, Union, get_args, get_origin

import pydantic

from plastogen._base.document import Document, Steps
from plastogen._base.quantity import Fault, Given, In
from plastogen._base.text import any_of, nearest, show
from plastogen.errors import Problem

MANY = 3  # things that an unknown name lacks
UNKNOWN, MISSING = "an unknown name", "nothing"
KEY = "[key]"  # how pydantic says that the name itself is wrong, not what stands there
_PLAIN = {
    str: "text",
    int: "a whole number such as 4",
    float: "a number such as 0.5",
    bool: "true or false",
    type(None): "nothing",
    list: "a list such as [a, b]",
    tuple: "a list such as [a, b]",
    dict: "a mapping such as {name: value}",
}
_COMPARED = {
    "greater_than": ("gt", "above"), "greater_than_equal": ("ge", "at least"),
    "less_than": ("lt", "below"), "less_than_equal": ("le", "at most"),
}  # fmt: skip


Model: TypeAlias = type[pydantic.BaseModel]
Located: TypeAlias = tuple[Steps, Any, Any]


def problems(error: pydantic.ValidationError, kind: Model, document: Document) -> list[Problem]:
    """All `error` complains of, in file order; branches of a union make one problem."""
    merged: dict[tuple[Steps, str], list[Fault]] = {}
    for entry in error.errors(include_url=False):
        located = _locate(entry["loc"], entry["type"], kind, document)
        in_union = len(located[0]) < len(entry["loc"])
        for steps, fault in _faults(entry, located, document):
            merged.setdefault((steps, "" if in_union else fault.found), []).append(fault)
    deeper = {steps[:n] for steps, found in merged if not found for n in range(len(steps))}
    merged = {
        place: faults for place, faults in merged.items() if place[1] or place[0] not in deeper
    }
    listed = [document.problem(steps, *_joined(faults)) for (steps, _), faults in merged.items()]
    meant = {(p.file, p.path.rpartition(".")[0], p.nearest) for p in listed if p.found == UNKNOWN}
    listed = [
        p
        for p in listed
        if p.found != MISSING or (p.file, *p.path.rpartition(".")[::2]) not in meant
    ]
    listed = _without_parts(listed, document)
    return sorted(listed, key=lambda p: (p.file, p.line or 0))


def _without_parts(listed: list[Problem], document: Document) -> list[Problem]:
    """The problems, where a name lacks most of what its neighbours have one for all that it lacks:
    it is a name that nobody knows, and nothing is wrong with its numbers.
    """
    lacking: dict[str, list[Problem]] = {}
    for problem in listed:
        if problem.found == MISSING:
            lacking.setdefault(problem.path.rpartition(".")[0], []).append(problem)
    for path, lost in lacking.items():
        steps = document.steps(path)
        beside = _at(document.tree, steps[:-1])
        parts = [problem.path.rpartition(".")[2] for problem in lost]
        others = [
            name
            for name, other in (beside.items() if steps and isinstance(beside, dict) else ())
            if name != steps[-1] and isinstance(other, dict) and set(parts) <= other.keys()
        ]
        if len(parts) < MANY or not others:
            continue
        name = str(steps[-1])
        wanted = f"all of it, or a name that is known: {', '.join(others)}"
        found = f"'{name}', which has no {', '.join(parts)}"
        whole = document.problem(steps, found, wanted, nearest(name, others))
        listed = [problem for problem in listed if problem not in lost] + [whole]
    return listed


def _joined(faults: list[Fault]) -> tuple[str, str, str | None]:
    wanted = list(dict.fromkeys(fault.wanted for fault in faults))
    wanted = [w for w in wanted if not any(w in other for other in wanted if other != w)]
    return (
        faults[0].found,
        " or ".join(wanted),
        next((f.nearest for f in faults if f.nearest), None),
    )


def _faults(entry: Any, located: Located, document: Document) -> Iterator[tuple[Steps, Fault]]:
    steps, holder, annotation = located
    what, context = entry["type"], entry.get("ctx", {})
    node: Any = steps[-1] if entry["loc"][-1:] == (KEY,) else _at(document.tree, steps)
    if what == "plastogen":
        for fault in context["faults"]:
            below = (*steps, *Document(document.file, node).steps(fault.at))
            yield below, _in_own_words(fault, _at(document.tree, below))
    elif what == "extra_forbidden":
        names = _names(holder)
        wanted = any_of(names)
        yield steps, Fault("", UNKNOWN, wanted, nearest(str(steps[-1]), names))
    elif what == "missing":
        yield steps, Fault("", MISSING, describe(annotation))
    elif what in ("value_error", "assertion_error"):
        sentence = str(context.get("error") or entry["msg"])
        found = "" if isinstance(node, dict | list) else show(node)
        yield steps, Fault("", found, sentence)
    elif what in ("literal_error", "enum", "union_tag_invalid"):
        wanted = (
            describe(annotation)
            if what != "union_tag_invalid"
            else f"one of {context['expected_tags']}"
        )
        yield steps, Fault("", show(node), wanted, nearest(str(node), _choices(annotation)))
    elif what == "union_tag_not_found":
        tag = context["discriminator"].strip("'")
        tags = dict.fromkeys(describe(_child(branch, tag)) for branch in _union(annotation))
        yield (*steps, tag), Fault("", MISSING, " or ".join(tags))
    elif what in _COMPARED:
        key, words = _COMPARED[what]
        yield steps, Fault("", show(node), f"a number {words} {context[key]:g}")
    elif what == "finite_number":
        yield steps, Fault("", show(node), "a finite number such as 0.5")
    elif what in ("too_short", "too_long", "string_too_short"):
        few = context.get("min_length", context.get("max_length"))
        unit = "character" if isinstance(node, str) else "entry" if few == 1 else "entries"
        yield (
            steps,
            Fault(
                "", show(node), f"{'at most' if what == 'too_long' else 'at least'} {few} {unit}"
            ),
        )
    elif what == "string_pattern_mismatch":
        yield (
            steps,
            Fault("", show(node), "a name of letters, digits, - and _, such as ketamine_low"),
        )
    else:
        yield steps, Fault("", show(node), describe(annotation))


def _in_own_words(fault: Fault, node: Any) -> Fault:
    """The fault, a number that was found as it was written."""
    written = getattr(node, "written", None)
    if written is None or fault.found != show(node + 0):
        return fault
    return replace(fault, found=show(node))


def _locate(loc: Steps, what: str, kind: Any, document: Document) -> Located:
    """Steps into the document, the type that holds the last of them, and the type wanted there.

    pydantic's path also names the branch of a union it was in; those words are dropped.
    """
    steps: list[str | int] = []
    node: Any = document.tree
    holder, annotation = None, kind
    for i, step in enumerate(loc):
        last = i == len(loc) - 1
        if _holds(node, step) or (last and what == "missing"):
            holder, annotation = _branch(annotation, step), _child(annotation, step)
            steps.append(step)
            node = _at(node, (step,))
        elif step == KEY:
            annotation = next(
                (get_args(_bare(a))[0] for a in _union(holder) if get_args(_bare(a))), str
            )
        else:
            annotation = next((a for a in _union(annotation) if _named(a, step)), annotation)
    return tuple(steps), holder, annotation


def _holds(node: Any, step: object) -> bool:
    return (isinstance(node, dict) and step in node) or (
        isinstance(node, list) and isinstance(step, int)
    )


def _at(node: Any, steps: Steps) -> Any:
    for step in steps:
        if isinstance(node, dict):
            node = node.get(step)
        elif isinstance(node, list) and isinstance(step, int) and step < len(node):
            node = node[step]
        else:
            return None
    return node


def _bare(annotation: Any) -> Any:
    """An annotation without its metadata and aliases."""
    while get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    return getattr(annotation, "__value__", annotation)


def _union(annotation: Any) -> tuple[Any, ...]:
    """The branches of a union, None left out; a type that is no union is its own only branch."""
    bare = _bare(annotation)
    if get_origin(bare) in (Union, types.UnionType):
        return tuple(b for a in get_args(bare) if a is not type(None) for b in _union(a))
    return (annotation,)


def _is_model(annotation: Any) -> bool:
    bare = _bare(annotation)
    return isinstance(bare, type) and issubclass(bare, pydantic.BaseModel)


def _named(annotation: Any, tag: object) -> bool:
    """Whether pydantic calls this branch of a union `tag`: by its tag, its class, or the value of
    its tag field.
    """
    bare = _bare(annotation)
    if any(
        isinstance(mark, pydantic.Tag) and mark.tag == tag
        for mark in getattr(annotation, "__metadata__", ())
    ):
        return True
    if not _is_model(annotation):
        return False
    literals = (
        f.annotation for f in bare.model_fields.values() if get_origin(f.annotation) is Literal
    )
    return bare.__name__ == tag or any(tag in get_args(literal) for literal in literals)


def _branch(annotation: Any, step: object) -> Any:
    """The branch of a union that can hold `step`: a model with that field, else the first model."""
    branches = [a for a in _union(annotation) if _is_model(a)]
    having = [a for a in branches if step in _bare(a).model_fields]
    return next(iter(having or branches), annotation)


def _child(annotation: Any, step: object) -> Any:
    for branch in _union(annotation):
        bare = _bare(branch)
        origin, arguments = get_origin(bare), get_args(bare)
        if _is_model(branch):
            for name, info in bare.model_fields.items():
                if step in (name, info.alias):
                    return (
                        Annotated[info.annotation, *info.metadata]
                        if info.metadata
                        else info.annotation
                    )
        elif issubclass(_class(origin), Mapping) and arguments:
            return arguments[1]
        elif origin in (list, tuple, set, frozenset) and arguments:
            fixed = origin is tuple and arguments[-1] is not Ellipsis
            position = step if fixed and isinstance(step, int) and step < len(arguments) else 0
            return arguments[position]
    return Any


def _class(origin: Any) -> type:
    return origin if isinstance(origin, type) else object


def _names(holder: Any) -> list[str]:
    fields = _bare(holder).model_fields if _is_model(holder) else {}
    return [info.alias or name for name, info in fields.items()]


def _choices(annotation: Any) -> list[str]:
    found: list[str] = []
    for branch in _union(annotation):
        bare = _bare(branch)
        if get_origin(bare) is Literal:
            found += [str(c) for c in get_args(bare)]
        elif isinstance(bare, type) and issubclass(bare, Enum):
            found += [str(member.value) for member in bare]
    return found


def describe(annotation: Any) -> str:
    """What a field of this type wants, in words, with an example."""
    branches = _union(annotation)
    if len(branches) > 1:
        return " or ".join(dict.fromkeys(describe(branch) for branch in branches))
    (branch,) = branches
    number = next(
        (m for m in getattr(branch, "__metadata__", ()) if isinstance(m, In | Given)), None
    )
    if number is None and branch is not annotation:
        number = next(
            (m for m in getattr(annotation, "__metadata__", ()) if isinstance(m, In | Given)), None
        )
    if number is not None:
        return number.describe()
    bare = _bare(branch)
    if choices := _choices(bare):
        return any_of(choices) if len(choices) > 1 else choices[0]
    if _is_model(bare):
        needed = [
            info.alias or name for name, info in bare.model_fields.items() if info.is_required()
        ]
        return (
            f"a mapping with {', '.join(needed) if needed else 'any of ' + ', '.join(_names(bare))}"
        )
    origin = get_origin(bare) or bare
    if origin in (list, tuple) and get_args(bare):
        return f"a list, each {describe(get_args(bare)[0])}"
    if issubclass(_class(origin), Mapping):
        entry = (
            describe(get_args(bare)[1]) if get_args(bare) and get_args(bare)[1] is not Any else ""
        )
        return f"{_PLAIN[dict]}, each value {entry}" if entry else _PLAIN[dict]
    return _PLAIN.get(origin, "another value")
