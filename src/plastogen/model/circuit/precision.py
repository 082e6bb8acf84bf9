"""In: a type of floating-point number. Out: Brian2's code and arrays in it.

Cells are in single precision: twice as many go through one instruction, and mean rates agree with
those in double within errors of 0.1 to 0.3 % (docs/decisions/0003). What adds up over a run,
synapses that follow a rule, is in double.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

CELLS: type[np.floating[Any]] = np.float32
SYNAPSES: type[np.floating[Any]] = np.float64


@contextmanager
def floats(dtype: type[np.floating[Any]]) -> Iterator[None]:
    """Within, what Brian2 makes and writes is in `dtype`, if nothing else is said."""
    import brian2 as b2

    known = b2.prefs.core.default_float_dtype
    b2.prefs.core.default_float_dtype = dtype
    try:
        yield
    finally:
        b2.prefs.core.default_float_dtype = known


def write_in_double(pathway: Any) -> None:
    """Have Brian2 write the code of a synaptic pathway in double, whatever the network is in: its
    arrays alone would be, what is computed on the way would not.
    """
    write: Callable[..., None] = pathway.create_code_objects

    def create_code_objects(*given: Any, **named: Any) -> None:
        with floats(SYNAPSES):
            write(*given, **named)

    pathway.create_code_objects = create_code_objects
