"""In: results, and the runs behind them. Out: in words, which runs reached the cap on probes, and
how far from what was asked their answers then were.
"""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING

import numpy as np

from plastogen.errors import CacheDamaged
from plastogen.runs.store import Store

if TYPE_CHECKING:
    import xarray as xr


def describe_cap(ds: xr.Dataset, store: Store) -> str:
    """A sentence, "" where no run reached the cap."""
    hit = ds["cap_hit"].values.astype(bool)
    if not hit.any():
        return ""
    arms = np.broadcast_to(ds["arm"].values[(...,) + (None,) * (hit.ndim - 1)], hit.shape)
    each = ", ".join(f"{n} of {arm}" for arm, n in Counter(map(str, arms[hit])).items())
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
