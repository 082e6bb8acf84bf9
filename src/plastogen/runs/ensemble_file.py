"""In: the weights of a course with ensembles. Out: ensembles.npz in its run's folder, and again."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from plastogen._base.files import read_npz, write_npz
from plastogen.errors import CacheDamaged
from plastogen.simulation import Weights

ENSEMBLES = "ensembles.npz"
TYPES = {"members": "i4", "pre": "i4", "post": "i4", "before": "f4", "after": "f4"}


def write_ensembles(path: Path, weights: Weights) -> None:
    """Write the file: an array for each field of `Weights`. Raises StoreError."""
    write_npz(path, **{name: getattr(weights, name).astype(kind) for name, kind in TYPES.items()})


def read_ensembles(path: Path) -> Weights:
    """What `write_ensembles` wrote. Raises CacheDamaged."""
    if not path.is_file():
        raise CacheDamaged(f"{path} is not there: this run teaches no ensembles")
    arrays = read_npz(path)
    return Weights(**{name: np.asarray(arrays[name]) for name in TYPES})
