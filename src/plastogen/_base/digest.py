"""In: definitions and arrays that thousands of plans share. Out: their digests, or plain data, each
made once.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from plastogen._base.definition import Definition
from plastogen._base.files import canonical, digest

TEXT_ONLY = ("title", "note", "varies")  # fields of models that change nothing that is computed


class Once:
    """What `make` makes of a definition or an array, made once however many plans share it.

    Called with anything, it gives plain data in which every definition and array is what was made
    of it.
    """

    def __init__(self, make: Callable[[Any], Any]) -> None:
        self.make = make
        self.known: dict[int, Any] = {}  # by the id of a thing, for as long as it is there

    def __call__(self, part: Any) -> Any:
        if isinstance(part, Mapping):
            return {str(key): self(value) for key, value in part.items()}
        if isinstance(part, list | tuple):
            return [self(value) for value in part]
        if not isinstance(part, Definition | np.ndarray):
            return canonical(part)
        if id(part) not in self.known:
            self.known[id(part)] = self.make(
                canonical(part) if isinstance(part, np.ndarray) else self(_fields(part))
            )
            weakref.finalize(part, self.known.pop, id(part))
        return self.known[id(part)]


def _fields(part: Definition) -> dict[str, Any]:
    return {name: getattr(part, name) for name in type(part).model_fields if name not in TEXT_ONLY}


fingerprint = Once(digest)
plain = Once(lambda whole: whole)
