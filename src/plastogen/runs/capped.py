"""In: results, and the runs behind them. Out: in words, which runs reached the cap on probes, and
how far from what was asked their answers then were; which were emulated beyond what was asked.
"""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from plastogen.errors import CacheDamaged
from plastogen.runs.store import Store

if TYPE_CHECKING:
    import xarray as xr


def describe_cap(ds: xr.Dataset, store: Store) -> str:
    """A sentence, "" where no run reached the cap."""
    hit = ds["cap_hit"].values.astype(bool)
    if not hit.any():
        return ""
    each = _by_arm(ds, hit)
    furthest, allowed = 0.0, 0.0
    for run in dict.fromkeys(map(str, ds["run"].values[hit])):
        with suppress(CacheDamaged):
            log = store.load(run).manifest["log"]
            furthest = max(furthest, float(log.get("furthest", 0)))
            allowed = float(log.get("resolution", 0))
    off = f", up to {furthest:.2g} off where {allowed:.2g} is allowed" if furthest else ""
    return (
        f"the cap on probes was hit in {hit.sum()} of {hit.size} runs ({each}): the nearest answer"
        f" stood in for others{off}; a larger course.max_probes shows whether that matters"
    )


def describe_beyond(ds: xr.Dataset) -> str:
    """A sentence on runs that went beyond all the emulator was asked, "" where none did."""
    if "beyond" not in ds:
        return ""
    texts = ds["beyond"].values.astype(str)
    far = texts != ""
    if not far.any():
        return ""
    first = texts[far][0]
    return (
        f"{far.sum()} of {far.size} runs ({_by_arm(ds, far)}) go beyond all the emulator was asked,"
        f" such as {first}: how far its answers are off is not known there; course.method direct"
        " asks the network"
    )


def _by_arm(ds: xr.Dataset, hit: NDArray[np.bool_]) -> str:
    """How many runs of each arm: `3 of ketamine`."""
    arms = np.broadcast_to(ds["arm"].values[(...,) + (None,) * (hit.ndim - 1)], hit.shape)
    return ", ".join(f"{n} of {arm}" for arm, n in Counter(map(str, arms[hit])).items())
