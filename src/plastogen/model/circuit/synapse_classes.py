"""In: what would move each synapse between principal cells, and a baseline of these cells. Out: the
same by class of synapse: `Drift`.

Principal cells are put in groups of equal number by their rate in a healthy, drug-free baseline; a
class of synapses is a pair of groups, that of the cell before and that of the cell behind, in the
order low-low, low-middle, ..., high-high. The mean over classes is so no ratio of pathway means: a
few fast cells carry most of a pathway's calcium.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from plastogen.model.circuit.definition import Circuit
from plastogen.model.circuit.plastic import Learning

Array = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

RATE_GROUPS = ("low", "middle", "high")
RATE_CLASSES = len(RATE_GROUPS)
FOLLOWED = 8000  # synapses that follow the rule, about: means of a class are then within 1 to 2 %


class Drift(NamedTuple):
    """What would move synapses, by class, (..., classes); see `Activity`."""

    potentiation: Array
    depression: Array
    variance: Array

    @property
    def balance(self) -> Array:
        """Where an efficacy is driven to: see `balance`."""
        return balance(self.potentiation, self.depression)


def balance(potentiation: Array, depression: Array) -> Array:
    """potentiation / (potentiation + depression), where an efficacy is driven to, the mean over
    classes: (...,) from (..., classes); a class where nothing acts is driven to 0.
    """
    both = potentiation + depression
    shares = np.divide(potentiation, both, out=np.zeros_like(both), where=both > 0)
    return np.asarray(shares.mean(axis=-1))


def unknown(shape: tuple[int, ...] = ()) -> Drift:
    """The drift where no rule is followed: not a number, for each of `shape`."""
    return Drift(*np.full((3, *shape, RATE_CLASSES**2), np.nan))


def followed_every(circuit: Circuit) -> int:
    """One pair of cells in how many follows a rule in probes: a power of two, so that another
    probability seldom needs another program.
    """
    wired = circuit.connection(circuit.principal, circuit.principal)
    cells = circuit.populations[circuit.principal].count
    synapses = cells**2 * float(wired.probability) if wired else 0.0
    return int(2 ** max(0, round(math.log2(max(synapses, 1) / FOLLOWED))))


def rate_groups(spikes: npt.ArrayLike) -> Ints:
    """Group of each cell by its number of spikes, (cells,): equal numbers, ties by place."""
    counts = np.asarray(spikes)
    groups = np.empty(len(counts), np.int64)
    groups[np.argsort(counts, kind="stable")] = np.arange(len(counts)) * RATE_CLASSES // len(counts)
    return groups


def drift_of(learning: Learning, groups: Ints, seconds: float) -> Drift:
    """Means over the synapses of each class, their efficacies frozen for `seconds`; 0 of a class
    that has none, for nothing moves there.
    """
    which = RATE_CLASSES * groups[learning.pre] + groups[learning.post]
    number = np.maximum(np.bincount(which, minlength=RATE_CLASSES**2), 1)

    def mean(values: Array) -> Array:
        return np.asarray(np.bincount(which, values, RATE_CLASSES**2) / number)

    potentiation, depression = learning.potentiation / seconds, learning.depression / seconds
    drift = potentiation * (1 - learning.efficacy) - depression * learning.efficacy
    variance = mean((drift - mean(drift)[which]) ** 2)
    return Drift(mean(potentiation), mean(depression), variance)
