"""In: the command line, before its help is written. Out: nothing; the parts of rich that typer
imports for any help and uses for none of ours (Markdown, tracebacks in colour) are imported when
they are first called, which takes half of the time from `plastogen --help`.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import Any

LATE = {"rich.markdown": "Markdown", "rich.traceback": "Traceback"}


class _Late(type):
    """A class that is another, of the same name in the same module, as soon as it is used."""

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        return _real(cls)(*args, **kwargs)

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(_real(cls), name)


def _real(late: type) -> Any:
    if isinstance(getattr(sys.modules.get(late.__module__), late.__name__, None), _Late):
        del sys.modules[late.__module__]
    return getattr(importlib.import_module(late.__module__), late.__name__)


def defer() -> None:
    """Put off the import of `LATE`, but of what is there already."""
    for module, name in LATE.items():
        if module not in sys.modules:
            stub = ModuleType(module)
            setattr(stub, name, _Late(name, (), {"__module__": module}))
            sys.modules[module] = stub
