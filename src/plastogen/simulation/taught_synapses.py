"""In: what synapses between principal cells learned, and the spines of a course. Out: what each of
these synapses transmits at a time.

Of the mean synapse all stand for ever. Where each spine is followed, the network has a synapse
between any two principal cells (`everywhere`), and it transmits what the spines do that stand
between them at that time: nothing where none does, so that births are not bound to a wiring. A
spine transmits as much as its size times what it has learned. What is learned goes with the spine
that learned it: one that is born later, on the same site too, has learned nothing. Contacts of one
pair of cells learn alike, for they meet the same spikes. Sizes are over the mean of their time: how
strong all of them are together, the drive says.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from plastogen._base.quantity import Quantity
from plastogen.model.circuit import Circuit
from plastogen.simulation.course import Lives

Array: TypeAlias = npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class Synapses:
    """Every synapse between principal cells, (synapses,): the cells before and behind, and what
    each transmits relative to the circuit's: its efficacy over the rule's own, times its size.

    onto: mean of what those onto a cell transmit that have learned nothing, one number or for each
    synapse that of its cell. filled: how many of these the circuit has, a share: their mean.
    """

    pre: Array
    post: Array
    conductance: Array
    efficacy: Array
    size: Array
    onto: float | Array = 1.0
    filled: float = 1.0


class Kept(Protocol):
    """What synapses learned, in the course of time."""

    def at(self, t_h: float) -> Synapses:
        """All synapses at a time; the same object if nothing has changed."""

    def begins(self, t_h: float) -> Synapses | None:
        """With what teaching begins; None: each as the rule and the circuit have it."""

    def take(self, taught: Synapses, before: Synapses, t_h: float) -> None:
        """From a time on they are as `taught`, who were as `before`."""

    def shuffle(self, t_h: float, rng: np.random.Generator) -> None:
        """What was learned goes to some synapse or other."""


class MeanSynapses:
    """Synapses that neither come nor go."""

    def __init__(self, begun: Synapses) -> None:
        self.now = begun

    def at(self, t_h: float) -> Synapses:
        return self.now

    def begins(self, t_h: float) -> Synapses | None:
        return None

    def take(self, taught: Synapses, before: Synapses, t_h: float) -> None:
        self.now = taught

    def shuffle(self, t_h: float, rng: np.random.Generator) -> None:
        order = rng.permutation(len(self.now.pre))
        names = ("conductance", "efficacy", "size")
        self.now = replace(self.now, **{name: getattr(self.now, name)[order] for name in names})


class TaughtSpines:
    """The spines of a course, and what each has learned: its efficacy, and the factor by which what
    its cell receives was scaled.
    """

    def __init__(self, lives: Lives, begun: Synapses, initial: float, probability: float) -> None:
        """`begun`: who is connected to whom, all pairs of cells; `initial`: efficacy of the
        untaught; `probability`: of a connection in the circuit.
        """
        self.lives, self.pre, self.post = lives, begun.pre, begun.post
        self.initial, self.probability = initial, probability
        self.cells = 1 + int(max(begun.pre.max(), begun.post.max()))
        pairs = np.full((self.cells, self.cells), -1)
        pairs[begun.pre, begun.post] = np.arange(len(begun.pre))
        self.pair = pairs[lives.pre, lives.post]
        assert (self.pair >= 0).all()
        self.efficacy = np.full(len(lives.pre), initial)
        self.scale = np.ones(len(lives.pre))

    def stand(self, t_h: float) -> Array:
        """Which spines stand at a time, (spines,)."""
        return np.asarray((self.lives.born_h <= t_h) & (t_h < self.lives.lost_h))

    def at(self, t_h: float) -> Synapses:
        look = int(np.searchsorted(self.lives.look_h, t_h, side="right")) - 1
        size = np.where(self.stand(t_h), np.exp(self.lives.ln_size[:, look].astype(float)), 0)
        bare = self._of_pairs(size)
        unit = self.probability / bare.mean()
        scaled = unit * size * self.scale
        sizes, moved = self._of_pairs(scaled), self._of_pairs(scaled * self.efficacy)
        efficacy = np.divide(moved, sizes, out=np.full_like(sizes, self.initial), where=sizes > 0)
        onto = unit * mean_of_cell(bare, self.post)
        relative = sizes * efficacy / self.initial
        return Synapses(self.pre, self.post, relative, efficacy, sizes, onto, self.probability)

    def begins(self, t_h: float) -> Synapses | None:
        return self.at(t_h)

    def take(self, taught: Synapses, before: Synapses, t_h: float) -> None:
        there = self.stand(t_h)
        pair = self.pair[there]
        gained = (taught.efficacy - before.efficacy)[pair]
        self.efficacy[there] = np.clip(self.efficacy[there] + gained, 0, 1)
        self.scale[there] *= taught.size[pair] / before.size[pair]

    def shuffle(self, t_h: float, rng: np.random.Generator) -> None:
        there = np.flatnonzero(self.stand(t_h))
        order = rng.permutation(there)
        self.efficacy[there], self.scale[there] = self.efficacy[order], self.scale[order]

    def left_within(self, members: Array, since_h: float, t_h: float) -> float:
        """Of the spines within ensembles that stood at a time, the share that still does."""
        group = group_of(members, self.cells)
        before, behind = group[self.lives.pre], group[self.lives.post]
        there = self.stand(since_h) & (before == behind) & (before >= 0)
        return float(self.stand(t_h)[there].mean()) if there.any() else 1.0

    def _of_pairs(self, each: Array) -> Array:
        return np.bincount(self.pair, each, len(self.pre))


def everywhere(circuit: Circuit) -> Circuit:
    """The circuit, any two of whose principal cells are connected."""
    own = circuit.connection(circuit.principal, circuit.principal)
    all_of_them = {"probability": Quantity(1.0, "1", "100 %")}
    connections = [
        one.model_copy(update=all_of_them) if one is own else one for one in circuit.connections
    ]
    return circuit.model_copy(update={"connections": connections})


def mean_of_cell(relative: Array, post: Array) -> Array:
    """For each weight the mean of all onto its cell behind, (synapses,); 1 where that is nil."""
    mean = np.bincount(post, relative) / np.maximum(np.bincount(post), 1)
    return np.asarray(np.where(mean > 0, mean, 1)[post])


def group_of(members: Array, cells: int) -> Array:
    """The ensemble of each of so many principal cells, (cells,); -1 where it is in none."""
    group = np.full(cells, -1)
    group[members] = np.arange(len(members))[:, None]
    return group
