"""plastogen: from a dose of ketamine to synapses and spines, weeks later, through a real spiking
network.
"""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.2.0"

# The Python door: public name -> module that holds it. Nothing is imported before it is asked for.
_DOOR: dict[str, str] = {
    "InputError": "plastogen.errors",
    "SCOPE": "plastogen._base.scope",
    "StoreError": "plastogen.errors",
    "load": "plastogen.runs.results",
    "run": "plastogen.publish.workflow",
}

__all__ = ["__version__", *_DOOR]


def __getattr__(name: str) -> Any:
    if name in _DOOR:
        return getattr(importlib.import_module(_DOOR[name]), name)
    raise AttributeError(f"plastogen has no {name!r}; it offers {', '.join(sorted(_DOOR))}")


def __dir__() -> list[str]:
    return sorted(__all__)
