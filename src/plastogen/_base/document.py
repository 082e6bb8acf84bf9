"""In: a YAML 1.2 file. Out: a `Document`, plain dicts and lists that know the file and line of
every key.

Also how every layer says no: `Problem`, one thing wrong and its place, and `InputError`, all of
them.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeAlias

from plastogen._base.text import show
from plastogen._base.textfile import check_printable, read_written
from plastogen.errors import UNPRINTABLE, InputError, Problem

Steps: TypeAlias = tuple[str | int, ...]
MAX_NODES = 200_000  # a file that unfolds to more than this (aliases of aliases) is refused
MAX_DEPTH = 50
MAX_DIGITS = 400  # of one number


def dotted(steps: Steps) -> str:
    """Steps into a document as one dotted path: ("arms", "ketamine", 0) -> "arms.ketamine.0"."""
    return ".".join(map(str, steps))


def item_name(item: object) -> str | None:
    """What an item of a list is called: `SST-E`, of what leads from one thing to another."""

    def end(name: str) -> object:
        return item.get(name) if isinstance(item, Mapping) else getattr(item, name, None)

    source, target = end("source"), end("target")
    return f"{source}-{target}" if isinstance(source, str) and isinstance(target, str) else None


def place_in(items: Sequence[object], step: str) -> int | None:
    """Where in a list a step of a path leads, by name or by number; None for no place."""
    if step.isdigit():
        return int(step)
    return next((i for i, item in enumerate(items) if item_name(item) == step), None)


@dataclass(frozen=True)
class Document:
    """A file's content: `tree` (plain dicts, lists, text, numbers) and where each key stands."""

    file: str
    tree: dict[str, Any]
    places: Mapping[Steps, tuple[str, int | None]] = field(default_factory=dict)

    def steps(self, path: str | Steps) -> Steps:
        """`path` ("arms.ketamine.give") as steps; keys that contain a dot ("E.synaptic") and items
        of a list by name ("connections.SST-E") are recognised.
        """
        if not isinstance(path, str):
            return path
        steps: list[str | int] = []
        node: Any = self.tree
        words = path.split(".") if path else []
        while words:
            take, step = 1, words[0]
            if isinstance(node, dict):
                for n in range(len(words), 0, -1):
                    if ".".join(words[:n]) in node:
                        take, step = n, ".".join(words[:n])
                        break
                steps.append(step)
                node = node.get(step)
            elif isinstance(node, list) and (at := place_in(node, step)) is not None:
                steps.append(at)
                node = node[at] if at < len(node) else None
            else:
                steps.append(step)
                node = None
            words = words[take:]
        return tuple(steps)

    def written(self, path: str | Steps) -> Any:
        """What stands at `path`, None where nothing does; numbers know how they were written."""
        node: Any = self.tree
        for step in self.steps(path):
            node = _step_into(node, step)
        return node

    def where(self, path: str | Steps) -> tuple[str, int | None]:
        """File and line of `path`, or of the nearest place above it that was written."""
        steps = self.steps(path)
        for n in range(len(steps), -1, -1):
            if steps[:n] in self.places:
                return self.places[steps[:n]]
        return self.file, None

    def line(self, path: str | Steps) -> int | None:
        """Line of `path` (1-based), or of the nearest place above it."""
        return self.where(path)[1]

    def problem(
        self, path: str | Steps, found: str, wanted: str, nearest: str | None = None
    ) -> Problem:
        """A `Problem` at `path` of this document, with file and line filled in."""
        steps = self.steps(path)
        file, line = self.where(steps)
        return Problem(file, line, dotted(self._named(steps)), found, wanted, nearest)

    def _named(self, steps: Steps) -> Steps:
        """Steps with items of lists by their names, but where a name itself is at fault."""
        node: Any = self.tree
        named: list[str | int] = []
        for i, step in enumerate(steps):
            node = _step_into(node, step)
            name = item_name(node) if isinstance(step, int) else None
            own = steps[i + 1 :] in ((), ("source",), ("target",))
            named.append(step if name is None or own else name)
        return tuple(named)

    def over(self, base: Document) -> Document:
        """This document laid over `base`: mappings merge key by key, anything else replaces."""
        places = dict(base.places)

        def merge(low: Any, high: Any, at: Steps) -> Any:
            if isinstance(low, dict) and isinstance(high, dict) and not _is_number(high):
                return {
                    key: (
                        merge(low[key], high[key], (*at, key))
                        if key in low and key in high
                        else high[key]
                        if key in high
                        else low[key]
                    )
                    for key in {**low, **high}
                }
            for steps in [steps for steps in places if steps[: len(at)] == at]:
                del places[steps]
            return high

        tree = merge(base.tree, self.tree, ())
        return Document(self.file, tree, {**places, **self.places})


def _step_into(node: Any, step: str | int) -> Any:
    """What stands at one step below a node; None where nothing does."""
    if isinstance(node, dict):
        return node.get(step)
    if isinstance(node, list) and isinstance(step, int) and step < len(node):
        return node[step]
    return None


def _is_number(node: Mapping[str, Any]) -> bool:
    return "value" in node


def read(path: str | Path) -> Document:
    """Read a YAML file. Raises InputError if it is missing, broken, no mapping, or repeats a
    key.
    """
    return read_text(read_written(path, "a YAML file"), str(path))


def read_text(text: str, file: str) -> Document:
    """Like `read`, for text already in hand; `file` is the name that errors show."""
    check_printable(text, file)
    parsed = _parsed(text, file)
    return Document(file, copied(parsed.tree), dict(parsed.places))


def copied(node: Any) -> Any:
    """Plain dicts and lists anew, so that whoever changes a document changes no other."""
    if isinstance(node, dict):
        return {key: copied(value) for key, value in node.items()}
    return [copied(value) for value in node] if isinstance(node, list) else node


@lru_cache(maxsize=128)
def _parsed(text: str, file: str) -> Document:
    """The document of a text; parsing takes most of the time of a command, and many read the same
    model more than once.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    yaml = YAML(typ="safe", pure=True)
    yaml.max_depth = MAX_DEPTH
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # such as an anchor that is used twice
            root = yaml.compose(text)
    except MarkedYAMLError as error:
        raise InputError([_broken(error, text, file)]) from None
    except (YAMLError, Warning, ValueError):
        raise InputError.one(
            file=file, found="text that is not YAML", wanted="plain YAML"
        ) from None
    reader = _Reader(file)
    tree = reader.value(root, ()) if root is not None else None
    if not isinstance(tree, dict):
        found = show(tree) if tree is not None else "an empty file"
        raise InputError.one(
            file=file, line=1, found=found, wanted="a mapping, `name: value` on each line"
        )
    if reader.problems:
        raise InputError(reader.problems)
    return Document(file, tree, reader.places)


def _broken(error: Any, text: str, file: str) -> Problem:
    """A parser's complaint in plain words."""
    mark = error.problem_mark or error.context_mark
    line = mark.line + 1 if mark is not None else 1
    said = str(error.problem or error.context or "")
    if "maximum depth" in said:
        found = f"brackets or indentation more than {MAX_DEPTH} deep"
        return Problem(file, line, "", found, f"at most {MAX_DEPTH}")
    where_it_began = error.context_mark.line + 1 if error.context_mark is not None else line
    lines = text.splitlines()
    shown = lines[line - 1].strip() if line <= len(lines) else ""
    if "stream end" in said or "end of stream" in said or "unexpected end" in said:
        line = min(line, max(len(lines), 1))
        return Problem(
            file,
            line,
            "",
            "the end of the file",
            f"the rest of what begins on line {where_it_began} "
            "(a closing bracket or quote); was the file cut short?",
        )
    if "'\\t'" in said or "\t" in said:
        return Problem(file, line, "", "a tab", "spaces before a name")
    if "undefined alias" in said:
        return Problem(
            file, line, "", show(shown), "text; put quotes around a value that begins with *"
        )
    if "another document" in said:
        return Problem(file, line, "", show(shown), "one document a file")
    wanted = "YAML, such as `name: value` or `name: {key: value, key: value}`"
    if "mapping values are not allowed" in said:
        wanted = "one `name: value` a line (quote a value that itself contains a colon and a space)"
    elif "expected ','" in said:
        wanted = "a comma or a closing bracket"
    elif "could not find expected ':'" in said or "block mapping" in said or "block end" in said:
        wanted = "a line of the form `name: value`, indented like its neighbours"
    return Problem(file, line, "", show(shown) if shown else "something YAML cannot read", wanted)


class _Reader:
    """Turns YAML nodes into plain values, noting places and repeated keys on the way."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.places: dict[Steps, tuple[str, int | None]] = {}
        self.problems: list[Problem] = []
        self.count = 0

    def value(self, node: Any, at: Steps) -> Any:
        self.count += 1
        if self.count > MAX_NODES or len(at) > MAX_DEPTH:
            line = node.start_mark.line + 1
            found = "a file that unfolds without end"
            raise InputError.one(file=self.file, line=line, found=found, wanted="plain values")
        self.places.setdefault(at, (self.file, node.start_mark.line + 1))
        self._no_tag(node, at)
        kind = type(node).__name__
        if kind == "MappingNode":
            return self._mapping(node, at)
        if kind == "SequenceNode":
            return [self.value(item, (*at, i)) for i, item in enumerate(node.value)]
        return self._scalar(node, at)

    def _mapping(self, node: Any, at: Steps) -> dict[str, Any]:
        result: dict[str, Any] = {}
        first: dict[str, int] = {}
        for key, value in node.value:
            line = key.start_mark.line + 1
            name = key.value if isinstance(key.value, str) else ""
            if not name:
                found = "a key that is not a name"
                self.problems.append(Problem(self.file, line, dotted(at), found, "`name: value`"))
                continue
            self._printable(name, key, at)
            if name in result:
                found = f"'{name}' a second time (first on line {first[name]})"
                self.problems.append(
                    Problem(self.file, line, dotted((*at, name)), found, "each name once")
                )
                continue
            first[name] = line
            self.places[(*at, name)] = (self.file, line)
            result[name] = self.value(value, (*at, name))
        return result

    def _no_tag(self, node: Any, at: Steps) -> None:
        """Values are what they look like: a tag that says otherwise is refused."""
        if node.ctag is None or node.ctag.handle is None:
            return
        line, tag = node.start_mark.line + 1, str(node.tag).replace("tag:yaml.org,2002:", "!!")
        self.problems.append(
            Problem(self.file, line, dotted(at), f"the tag {tag}", "a plain value")
        )

    def _printable(self, text: str, node: Any, at: Steps) -> None:
        """Quoted text can spell any character: those that no one can read are refused."""
        if (special := UNPRINTABLE.search(text)) is not None:
            found, wanted = f"the character {special[0]!r}", "text that can be printed"
            self.problems.append(
                Problem(self.file, node.start_mark.line + 1, dotted(at), found, wanted)
            )

    def _scalar(self, node: Any, at: Steps) -> Any:
        tag, text = str(node.tag).rpartition(":")[2], str(node.value)
        self._printable(text, node, at)
        if tag == "null":
            return None
        if tag == "bool":
            return text.lower() == "true"
        if tag not in ("int", "float"):
            return text
        try:
            number = _number(text, tag)
        except ValueError:  # `._` looks like a number, and is none
            return text
        if number is None:
            found, wanted = f"a number of {len(text)} digits", f"at most {MAX_DIGITS}"
            self.problems.append(
                Problem(self.file, node.start_mark.line + 1, dotted(at), found, wanted)
            )
        return number


class _Whole(int):
    """A whole number that knows how it was written."""

    written: str


class _Real(float):
    """A number that knows how it was written."""

    written: str


def _number(text: str, tag: str) -> int | float | None:
    """What YAML calls an int or a float, None of one too long. Raises ValueError."""
    digits = text.replace("_", "").lower()
    if len(digits) > MAX_DIGITS:
        return None
    number: _Whole | _Real
    if tag == "int":
        number = _Whole(digits, 0 if digits.lstrip("+-")[:2] in ("0x", "0o") else 10)
    else:
        number = _Real(digits.replace(".", "") if digits[-1] in "fn" else digits)
    number.written = text
    return number
