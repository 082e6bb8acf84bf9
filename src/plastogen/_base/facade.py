"""In: a package whose `__init__` lists what it offers, as imports under `if TYPE_CHECKING`.
Out: its `__getattr__` and `__dir__` (PEP 562), which import a module when a name of it is used.

One list serves type checkers and the running program alike, and importing the package costs
nothing.
"""

from __future__ import annotations

import importlib
import sys
import threading
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

_parsing = threading.Lock()  # `ast.parse` in two threads at once can fail (CPython 3.11)


def lookup(
    package: str, file: str, derived: Callable[[], Mapping[str, str]] = dict
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """`__getattr__` and `__dir__` of `package`, whose `__init__` stands in `file`.

    derived: what it offers besides, name -> module, where a table elsewhere has the list.
    """

    def all_homes() -> dict[str, str]:
        return {**offered(file), **derived()}

    def find(name: str) -> Any:
        homes = offered(file)
        if name not in homes:
            homes = all_homes()
        if name not in homes:
            there = ", ".join(sorted(homes))
            raise AttributeError(f"{package} has no {name!r}; it offers {there}")
        if homes[name] == package:
            return importlib.import_module(f"{package}.{name}")
        return getattr(importlib.import_module(homes[name]), name)

    def names() -> list[str]:
        return sorted({*all_homes(), *getattr(sys.modules[package], "__all__", ())})

    return find, names


@cache
def offered(file: str) -> dict[str, str]:
    """Name -> module it comes from, of the imports under `if TYPE_CHECKING` of a file."""
    import ast

    with _parsing:
        parsed = ast.parse(Path(file).read_text(encoding="utf-8"))
    return {
        alias.name: node.module or ""
        for block in parsed.body
        if isinstance(block, ast.If)
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
