"""In: unbound drug at the receptor, agonist and voltage, over time. Out: the blocked states of all
pools, of one course or of many side by side.

The equations are those of `nmda_block`; each step is solved exactly (`relaxation`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from plastogen.model.pharmacology.magnesium import SUBUNITS, Magnesium, carried
from plastogen.model.pharmacology.nmda_block import (
    Array,
    NmdarBlock,
    ic50_without_mg_uM,
    unblocking_rate,
)
from plastogen.model.pharmacology.relaxation import relaxed

S_PER_H = 3600.0


SHARE_TOLERANCE = 1e-6  # how far the subunit shares of a pool may add up from 1


@dataclass(frozen=True)
class Pool:
    """One population of NMDA receptors, such as E.synaptic, and the subunits' shares of its
    conductance.
    """

    name: str
    subunits: Mapping[str, float]

    def shares(self) -> Array:
        """Share of each subunit, (subunits,). Raises ValueError: unknown name, or shares not adding
        to 1.
        """
        unknown = sorted(set(self.subunits) - set(SUBUNITS))
        if unknown:
            known = ", ".join(SUBUNITS)
            raise ValueError(f"pool {self.name}: found subunit {unknown[0]}, wanted one of {known}")
        shares = np.array([self.subunits.get(name, 0.0) for name in SUBUNITS], float)
        if not (shares >= 0).all() or abs(shares.sum() - 1) > SHARE_TOLERANCE:
            raise ValueError(f"pool {self.name}: found shares adding to {shares.sum():g}, wanted 1")
        return shares


@dataclass(frozen=True)
class _Site:
    """The blockers of a course and the magnesium that they meet."""

    blocks: tuple[NmdarBlock, ...]
    magnesium: Magnesium

    def __hash__(self) -> int:
        return id(self.blocks[0]) if self.blocks else 0


@lru_cache(maxsize=1024)
def _tables(site: _Site, v_mV: bytes) -> tuple[Array, Array]:
    """v(V), (bins, subunits), and koff, (bins, species), at the voltages (an array's bytes)."""
    v = np.frombuffer(v_mV)
    koff = np.zeros((v.size, len(site.blocks)))
    for k, block in enumerate(site.blocks):
        koff[..., k] = unblocking_rate(block, v)
    return site.magnesium.free(v), koff


@dataclass(frozen=True, eq=False)
class Gating:
    """What the receptors of each (pool, subunit) pair meet beside drug: the agonist-bound fraction
    `a`, (pairs,), and by species the rate of binding to open channels, 1/(uM s), and koff, 1/s,
    both (species, pairs); of many courses (courses, pairs) and (species, courses, pairs).
    """

    a: Array
    binding: Array
    koff: Array

    def towards(self, other: Gating, share: Array) -> tuple[Array, Array, Array]:
        """a, binding and koff at shares of the way to `other`, (shares, ...); one row for all where
        there is no way.
        """
        pairs = ((self.a, other.a), (self.binding, other.binding), (self.koff, other.koff))
        if other is self:
            return self.a[None], self.binding[None], self.koff[None]
        a, binding, koff = (x + share.reshape((-1,) + (1,) * x.ndim) * (y - x) for x, y in pairs)
        return a, binding, koff


class BlockKinetics:
    """The blocked states of all pools, advanced together; arrays of shape (pools, subunits,
    species, 2).

    `stacked` puts many courses side by side: then every shape begins with (courses,), those of
    inputs too.
    """

    def __init__(
        self, pools: Sequence[Pool], blockers: Mapping[str, NmdarBlock], magnesium: Magnesium
    ) -> None:
        """`blockers`: species -> its block; their order is the order of the species axis
        everywhere.
        """
        self.pools, self.species = tuple(pools), tuple(blockers)
        blocks = tuple(blockers.values())
        self._sites = [_Site(blocks, magnesium)]
        self.shares = np.array([pool.shares() for pool in self.pools]).reshape(-1, len(SUBUNITS))
        koff = np.array([float(b.unblocking_rate) for b in blocks], float)
        trapped = np.array([float(b.trapped) for b in blocks], float)
        without_mg = np.array([ic50_without_mg_uM(b, magnesium) for b in blocks])
        without_mg = without_mg.reshape(-1, len(SUBUNITS))
        self._kon = (koff[:, None] / without_mg).T  # (subunits, species), 1/(uM s)
        self._into = np.stack([trapped, 1 - trapped], axis=-1)  # (species, 2)
        escape = 1 / np.array([float(b.escape_time) for b in blocks], float)
        self._escape = np.stack([np.zeros_like(escape), escape], axis=-1)
        self._at_voltages: dict[bytes, tuple[Array, Array]] = {}
        self._present = np.nonzero(
            self.shares
        )  # the (pool, subunit) pairs there is anything to solve for

    @classmethod
    def stacked(cls, kinetics: Sequence[BlockKinetics]) -> BlockKinetics:
        """Many courses side by side. Raises ValueError unless all have the same pools and
        species.
        """
        if len({(k.species, tuple(pool.name for pool in k.pools)) for k in kinetics}) != 1:
            raise ValueError("courses side by side must have the same pools and species")
        both = cls.__new__(cls)
        both.pools, both.species = kinetics[0].pools, kinetics[0].species
        both._sites = [k._sites[0] for k in kinetics]
        both.shares = np.stack([k.shares for k in kinetics])
        both._kon, both._into, both._escape = (
            np.stack([getattr(k, name) for k in kinetics]) for name in ("_kon", "_into", "_escape")
        )
        both._at_voltages = {}
        both._present = np.nonzero(both.shares.any(axis=0))
        return both

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of a state: (pools, subunits, species, 2); the last axis is [trapped,
        superficial].
        """
        return (*self.shares.shape, len(self.species), 2)

    def start(self) -> Array:
        """No block anywhere."""
        return np.zeros(self.shape)

    def gating(self, a: npt.ArrayLike, v_weights: npt.ArrayLike, v_mV: npt.ArrayLike) -> Gating:
        """What receptors meet: `a`, the agonist-bound fraction 0..1 of each pool, (pools,), and the
        weights of its voltage bins `v_mV` (bins,), (pools, bins).
        """
        pool, subunit = self._present
        free, koff = self._averages(v_weights, v_mV)
        binding = free[..., pool, subunit, None] * self._kon[..., subunit, :]
        return Gating(
            np.asarray(a, float)[..., pool],
            np.moveaxis(binding, -1, 0),
            np.moveaxis(koff[..., pool, :], -1, 0),
        )

    def _averages(self, weights: npt.ArrayLike, v_mV: npt.ArrayLike) -> tuple[Array, Array]:
        """Mean v(V), (pools, subunits), and koff, (pools, species), over each pool's voltages."""
        share = np.ascontiguousarray(
            weights, float
        )  # a sum's last bits hang on how its numbers lie
        share = share / share.sum(-1, keepdims=True)
        key = np.asarray(v_mV, float).tobytes()
        if key not in self._at_voltages:
            each = [_tables(site, key) for site in self._sites]
            free, koff = (
                each[0] if self.shares.ndim == 2 else map(np.stack, zip(*each, strict=True))
            )
            self._at_voltages = {key: (free, koff)}
        free, koff = self._at_voltages[key]
        return share @ free, share @ koff

    def advance(
        self, state: Array, start: Gating, end: Gating, *, brain_uM: npt.ArrayLike, dt_h: float
    ) -> Array:
        """`state` followed over `dt_h` hours in equal steps: (steps + 1, pools, subunits, species,
        2), the first row being `state`.

        Gating runs linearly from `start` to `end`. brain_uM: unbound concentration at the start,
        middle and end of each step, (2 steps + 1, species). In each step the rates of its middle
        are held and solved exactly; what they differ by at its ends acts as a force that runs from
        end to end, weighted as in Simpson's rule. A fast block so follows the drug to the end of a
        step, not to its middle.
        """
        c = np.asarray(brain_uM, float)
        steps = len(c) // 2
        path = np.zeros((steps + 1, *self.shape))
        path[0] = state
        if not self.species or not (path[0].any() or c.any()):
            return path
        on, off = self._rates(start, end, c, dt_h * S_PER_H / steps)
        pool, subunit = self._present
        x = self._states_first(path[0][..., pool, subunit, :, :])
        for i in range(steps):
            free, middle = 1 - sum(x), 2 * i + 1
            first, last = (
                (on[k] - on[middle]) * free - (off[k] - off[middle]) * x
                for k in (middle - 1, middle + 1)
            )
            even = (first + last) / 3  # two thirds of their mean: what Simpson's rule leaves out
            x = relaxed(x, on[middle], off[middle], first - even, last - even)
            x = np.maximum(x, 0)  # what is taken for a force knows no bounds
            x /= np.maximum(sum(x), 1)
            pairs = np.moveaxis(x.reshape(len(self.species), 2, *x.shape[1:]), (0, 1), (-2, -1))
            path[i + 1][..., pool, subunit, :, :] = pairs
        return path

    def _rates(
        self, start: Gating, end: Gating, brain_uM: Array, dt_s: float
    ) -> tuple[Array, Array]:
        """on and off, rate times `dt_s`, at equal shares of the way from `start` to `end`, one
        concentration each: (shares, states, ..., pairs).
        """
        a, binding, koff = start.towards(end, np.linspace(0, 1, len(brain_uM)))
        c = np.moveaxis(brain_uM, -1, 1)[..., None] * dt_s  # (shares, species, ..., 1)
        on = (binding * a[:, None] * c)[:, :, None] * self._kinds(self._into)
        open_, shut = a[:, None] * koff * dt_s, (1 - a) * dt_s
        off = open_[:, :, None] + shut[:, None, None] * self._kinds(self._escape)
        shape = (len(c), -1, *on.shape[3:])
        return on.reshape(shape), np.broadcast_to(off, on.shape).reshape(shape)

    def _kinds(self, values: Array) -> Array:
        """(..., species, 2) as (species, 2, ..., 1): beside an axis of pairs."""
        return np.moveaxis(values, (-2, -1), (0, 1))[..., None]

    def _states_first(self, x: Array) -> Array:
        """(..., pairs, species, 2) as (species * 2, ..., pairs)."""
        first = np.moveaxis(x, (-2, -1), (0, 1))
        return np.ascontiguousarray(first.reshape(-1, *first.shape[2:]))

    def fraction(self, state: Array, shares: Array | None = None) -> Array:
        """Blocked fraction of each pool, 0..1: a state, or a path of them, -> (..., pools). Of its
        conductance; of its current where `shares` of each subunit in that are given, (pools,
        subunits).
        """
        blocked = state.sum(axis=(-1, -2))
        weights = self.shares if shares is None else shares
        share: Array = np.minimum((blocked * weights).sum(-1), 1)  # of rounding errors
        return share

    def carried(self, currents: Iterable[npt.ArrayLike]) -> Array:
        """Share of each pool's current that each subunit carries, (pools, subunits); `currents`:
        of a unit of conductance of each subunit, a row a pool.
        """
        return carried(self.shares, np.array(list(currents)))

    def equilibrium(
        self,
        a: npt.ArrayLike,
        v_weights: npt.ArrayLike,
        v_mV: npt.ArrayLike,
        brain_uM: npt.ArrayLike,
    ) -> Array:
        """The state that constant input leads to (at a = 0 the limit a -> 0); shapes as in
        `advance`.
        """
        agonist = np.asarray(a, float)
        free, koff = self._averages(v_weights, v_mV)
        c = np.asarray(brain_uM, float).reshape(len(self.species))
        per_agonist = (self._kon * free[..., None] * c)[..., None] * self._into
        bound = agonist[:, None, None, None]
        off = bound * koff[:, None, :, None] + (1 - bound) * self._escape
        tied = (self._escape == 0) & np.ones_like(
            off, bool
        )  # a cancels: finite in the limit of no agonist
        off_per_agonist = np.where(tied, koff[:, None, :, None], off)
        ratio = np.where(tied, per_agonist, bound * per_agonist) / off_per_agonist
        state: Array = ratio / (1 + ratio.sum(axis=(-1, -2), keepdims=True))
        return np.where(self.shares[..., None, None] > 0, state, 0)
