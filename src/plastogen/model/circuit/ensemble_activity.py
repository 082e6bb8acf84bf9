"""In: spikes, which principal cells belong together, when one ensemble was cued. Out: whether its
cells fire together, complete each other and go on.

All numbers are of principal cells; those outside are the ones in no ensemble.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from plastogen.model.circuit.spikes import Spikes

Array = npt.NDArray[Any]
COUNT_BIN_S = 0.1  # of ongoing activity, as long as NMDA receptors of one spike speak


@dataclass(frozen=True)
class Cues:
    """Which ensemble is cued when: (cues,) both; the first `cued` of its cells are driven for
    `held_s`; delay activity is that of `delay_s` after a cue.
    """

    begin_s: Array
    ensemble: Array
    cued: int
    held_s: float
    delay_s: tuple[float, float]


def outside(spikes: Spikes, members: Array) -> Array:
    """The principal cells in no ensemble."""
    return np.setdiff1d(np.arange(spikes.count(spikes.principal)), members)


def cue_response(spikes: Spikes, members: Array, cues: Cues) -> dict[str, float]:
    """What a cue does, by means over cues; rates are relative to as long a time before the cue.

    completion: how the rate of the ensemble's cells that are not driven changes during the cue,
    over how that of cells outside does; overlap: the same of cells of other ensembles, 1 without
    any. delay: rate of the ensemble after the cue over that before; delay_outside: the same of
    cells outside.
    """
    rest = outside(spikes, members)
    group = np.full(spikes.count(spikes.principal), -1)
    group[members] = np.arange(len(members))[:, None]
    driven = np.zeros(len(group), bool)
    driven[members[:, : cues.cued]] = True
    counts: dict[str, Array] = {}
    windows = {
        "before": (-cues.held_s, 0.0),
        "during": (0.0, cues.held_s),
        "after": tuple(cues.held_s + x for x in cues.delay_s),
    }
    for window, (first, last) in windows.items():
        rates = _rates(spikes, cues.begin_s + first, last - first)
        mine = group[None] == cues.ensemble[:, None]
        others = (group[None] >= 0) & ~mine
        counts[window] = np.array(
            [
                _mean(rates, mine & ~driven),
                _mean(rates, others),
                rates[:, rest].mean(),
                _mean(rates, mine),
            ]
        )
    floor = 1 / (len(cues.begin_s) * cues.held_s * len(rest))  # a spike of all that was looked at
    during = (counts["during"] + floor) / (counts["before"] + floor)
    after = (counts["after"] + floor) / (counts["before"] + floor)
    return {
        "completion": float(during[0] / during[2]),
        "overlap": float(during[1] / during[2]) if len(members) > 1 else 1.0,
        "delay": float(after[3]),
        "delay_outside": float(after[2]),
    }


def coactivity(spikes: Spikes, members: Array, quiet: Array) -> tuple[float, float]:
    """Mean correlation of spike counts over pairs within ensembles, and over pairs outside.

    Only of the bins in which no electrode speaks: `quiet` (bins,), bins of `COUNT_BIN_S`; a cell
    that is silent there is in no pair.
    """
    t, i = spikes.of(spikes.principal)
    cells, bins = spikes.count(spikes.principal), len(quiet)
    bin_of = (t / COUNT_BIN_S).astype(np.int64)
    inside = bin_of < bins
    places = i[inside].astype(np.int64) * bins + bin_of[inside]
    counts = np.bincount(places, minlength=cells * bins).reshape(cells, bins)[:, quiet]
    groups = [*members, outside(spikes, members)]
    found = [_pairs(counts[group]) for group in groups]
    return float(np.mean(found[:-1])), found[-1]


def quiet_bins(cues: Cues, seconds: float) -> Array:
    """Which bins hold ongoing activity: those from the end of a delay to the next cue."""
    t = (np.arange(int(seconds / COUNT_BIN_S)) + 1 / 2) * COUNT_BIN_S
    since = t[:, None] - cues.begin_s
    spoken = (since >= 0) & (since < cues.held_s + cues.delay_s[1])
    return np.asarray(~spoken.any(axis=1))


def _pairs(counts: Array) -> float:
    heard = counts[counts.std(axis=1) > 0] if counts.size else counts
    if len(heard) < 2:
        return 0.0
    r = np.corrcoef(heard)
    return float(r[np.triu_indices(len(heard), 1)].mean())


def _rates(spikes: Spikes, first_s: Array, length_s: float) -> Array:
    """Rate (Hz) of each principal cell in stretches that begin at `first_s`, (stretches, cells)."""
    t, i = spikes.of(spikes.principal)
    ends = zip(np.searchsorted(t, first_s), np.searchsorted(t, first_s + length_s), strict=True)
    cells = spikes.count(spikes.principal)
    return np.array([np.bincount(i[a:b], minlength=cells) / length_s for a, b in ends])


def _mean(rates: Array, there: Array) -> float:
    """Mean over the cells that are there at each cue; 0 where there are none."""
    return float(rates[there].mean()) if there.any() else 0.0
