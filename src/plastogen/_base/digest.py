"""In: definitions and arrays that thousands of plans share. Out: their digests, or plain data, each
made once.
"""

from __future__ import annotations

import hashlib
import json
import math
import weakref
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any

import numpy as np
import pydantic

from plastogen._base.definition import Definition
from plastogen._base.quantity import Quantity
from plastogen._base.units import rounded

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
            weakref.finalize(part, self.known.pop, id(part), None)  # two threads may both get here
        return self.known[id(part)]


def _fields(part: Definition) -> dict[str, Any]:
    return {name: getattr(part, name) for name in type(part).model_fields if name not in TEXT_ONLY}


def canonical(value: object) -> Any:
    """`value` as plain JSON that does not depend on the order of keys, the last bits of floats, or
    -0.
    """
    if isinstance(value, Quantity):
        return [canonical(value.value), value.unit]
    if isinstance(value, Enum):
        return canonical(value.value)
    if value is None or isinstance(value, str | bool):
        return value
    if isinstance(value, int | np.integer):
        return int(value)
    if isinstance(value, float | np.floating):
        number = rounded(float(value)) + 0
        return (
            repr(number)
            if not math.isfinite(number)
            else int(number)
            if number.is_integer()
            else number
        )
    if isinstance(value, Mapping):
        return {str(key): canonical(value[key]) for key in sorted(value, key=str)}
    if isinstance(value, np.ndarray):
        return canonical(value.tolist())
    if isinstance(value, set | frozenset):
        return sorted((canonical(item) for item in value), key=repr)
    if isinstance(value, list | tuple):
        return [canonical(item) for item in value]
    if isinstance(value, pydantic.BaseModel):
        return {name: canonical(getattr(value, name)) for name in sorted(type(value).model_fields)}
    if is_dataclass(value) and not isinstance(value, type):
        return canonical({f.name: getattr(value, f.name) for f in fields(value)})
    raise TypeError(f"cannot digest a {type(value).__name__}")


def digest(value: object) -> str:
    """SHA-256 (64 hex digits) of `value` as canonical JSON. Raises TypeError for what is not data.

    Floats count to 12 significant digits; a Quantity by its value and unit alone, not its source.
    """
    text = json.dumps(canonical(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


fingerprint = Once(digest)
plain = Once(lambda whole: whole)
