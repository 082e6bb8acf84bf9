"""In: unbound drug at the receptor, agonist and voltage, over time. Out: the blocked states of all
pools, of one course or of many side by side.

The equations are those of `nmda_block`; each step is solved exactly (`relaxation`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from plastogen.model.pharmacology.nmda_block import (
    SUBUNITS,
    Array,
    NmdarBlock,
    magnesium_free,
    unblocking_rate,
)
from plastogen.model.pharmacology.relaxation import propagators, relaxed

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
    """What the blockers of a course meet: magnesium and how its hold on the pore depends on
    voltage.
    """

    blocks: tuple[NmdarBlock, ...]
    mg_mM: float
    mg_efold_mV: float

    def __hash__(self) -> int:
        return id(self.blocks[0]) if self.blocks else 0


@lru_cache(maxsize=1024)
def _tables(site: _Site, v_mV: bytes) -> tuple[Array, Array]:
    """v(V), (bins, subunits, species), and koff, (bins, species), at the voltages (an array's
    bytes).
    """
    v = np.frombuffer(v_mV)
    free, koff = (
        np.zeros((v.size, len(SUBUNITS), len(site.blocks))),
        np.zeros((v.size, len(site.blocks))),
    )
    for k, block in enumerate(site.blocks):
        free[..., k] = magnesium_free(block, v, mg_mM=site.mg_mM, mg_efold_mV=site.mg_efold_mV)
        koff[..., k] = unblocking_rate(block, v)
    return free, koff


class BlockKinetics:
    """The blocked states of all pools, advanced together; arrays of shape (pools, subunits,
    species, 2).

    `stacked` puts many courses side by side: then every shape begins with (courses,), those of
    inputs too.
    """

    def __init__(
        self,
        pools: Sequence[Pool],
        blockers: Mapping[str, NmdarBlock],
        *,
        mg_mM: float,
        mg_efold_mV: float,
    ) -> None:
        """`blockers`: species -> its block; their order is the order of the species axis
        everywhere.
        """
        self.pools, self.species = tuple(pools), tuple(blockers)
        blocks = tuple(blockers.values())
        self._sites = [_Site(blocks, float(mg_mM), float(mg_efold_mV))]
        self.shares = np.array([pool.shares() for pool in self.pools]).reshape(-1, len(SUBUNITS))
        koff = np.array([float(b.unblocking_rate) for b in blocks], float)
        trapped = np.array([float(b.trapped) for b in blocks], float)
        without_mg = np.array([b.ic50_without_mg.uM() for b in blocks]).reshape(-1, len(SUBUNITS))
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

    def _averages(self, weights: npt.ArrayLike, v_mV: npt.ArrayLike) -> tuple[Array, Array]:
        """Mean v(V), (pools, subunits, species), and koff, (pools, species), over each pool's
        voltages.
        """
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
        lead, bins = free.shape[:-3], free.shape[-3]
        mean = share @ free.reshape(*lead, bins, -1)
        return mean.reshape(*mean.shape[:-1], len(SUBUNITS), len(self.species)), share @ koff

    def _rates(self, a: Array, free: Array, koff: Array, brain_uM: Array) -> tuple[Array, Array]:
        """on and off, 1/s, of the pairs present: (steps, pairs, species * 2), from values at each
        step.

        a (steps, pools); free (steps, pools, subunits, species); koff (steps, pools, species).
        """
        pool, subunit = self._present
        a_pair = a[..., pool, None]
        binding = (
            self._kon[..., subunit, :]
            * free[..., pool, subunit, :]
            * brain_uM[..., None, :]
            * a_pair
        )
        on = binding[..., None] * self._into[..., None, :, :]
        open_, shut = a_pair[..., None], 1 - a_pair[..., None]
        off = open_ * koff[..., pool, :, None] + shut * self._escape[..., None, :, :]
        return on.reshape(*on.shape[:-2], -1), off.reshape(*off.shape[:-2], -1)

    def advance(
        self,
        state: Array,
        *,
        a_start: npt.ArrayLike,
        a_end: npt.ArrayLike,
        v_weights_start: npt.ArrayLike,
        v_weights_end: npt.ArrayLike,
        v_mV: npt.ArrayLike,
        brain_uM: npt.ArrayLike,
        dt_h: float,
    ) -> Array:
        """`state` followed over `dt_h` hours in equal steps, one a row of `brain_uM`.

        a_start, a_end: agonist-bound fraction 0..1, (pools,). v_weights_start, v_weights_end:
        weights of the voltage bins `v_mV` (bins,), (pools, bins). Both run linearly over the
        interval. brain_uM: unbound concentration at the middle of each step, (steps, species). Each
        step is solved exactly at its middle values. Returns (steps + 1, pools, subunits, species,
        2), the first row being `state`.
        """
        c = np.asarray(brain_uM, float)
        steps = len(c)
        path = np.zeros((steps + 1, *self.shape))
        path[0] = state
        if not self.species or steps == 0 or not (state.any() or c.any()):
            return path
        run = (a_start, a_end, v_weights_start, v_weights_end, v_mV)
        on, off = self._rates_along(*run, (np.arange(steps) + 0.5) / steps, c)
        dt_s = dt_h * S_PER_H / steps
        pool, subunit = self._present
        x = path[0][..., pool, subunit, :, :]
        whole, x = x.shape, x.reshape(*x.shape[:-2], -1)
        p, f = propagators(on * dt_s, off * dt_s)
        for i in range(steps):
            x = np.matmul(p[i], x[..., None])[..., 0] + f[i]
            path[i + 1][..., pool, subunit, :, :] = x.reshape(whole)
        return path

    def advance_many(
        self,
        state: Array,
        *,
        a_start: npt.ArrayLike,
        a_end: npt.ArrayLike,
        v_weights_start: npt.ArrayLike,
        v_weights_end: npt.ArrayLike,
        v_mV: npt.ArrayLike,
        brain_uM: npt.ArrayLike,
        dt_h: float,
    ) -> Array:
        """As `advance`, of courses side by side, in fewer steps: (steps + 1, courses, ...).

        brain_uM: at the start, middle and end of each step, (2 steps + 1, courses, species). In
        each step the rates of its middle are held and solved exactly; what they differ by at its
        ends acts as a force that runs from end to end, weighted as in Simpson's rule. A fast block
        so follows the drug to the end of a step, not to its middle.
        """
        c = np.asarray(brain_uM, float)
        steps = len(c) // 2
        path = np.zeros((steps + 1, *self.shape))
        path[0] = state
        if not self.species or not (path[0].any() or c.any()):
            return path
        run = (a_start, a_end, v_weights_start, v_weights_end, v_mV)
        on, off = self._rates_along(*run, np.arange(2 * steps + 1) / (2 * steps), c)
        dt_s = dt_h * S_PER_H / steps
        on, off = on * dt_s, off * dt_s
        pool, subunit = self._present
        x = path[0][..., pool, subunit, :, :]
        whole, x = x.shape, x.reshape(*x.shape[:-2], -1)
        for i in range(steps):
            free = 1 - sum(np.moveaxis(x, -1, 0))[..., None]
            first, last = (
                (on[k] - on[2 * i + 1]) * free - (off[k] - off[2 * i + 1]) * x
                for k in (2 * i, 2 * i + 2)
            )
            even = (first + last) / 3  # two thirds of their mean: what Simpson's rule leaves out
            x = relaxed(x, on[2 * i + 1], off[2 * i + 1], first - even, last - even)
            path[i + 1][..., pool, subunit, :, :] = x.reshape(whole)
        return path

    def _rates_along(
        self,
        a_start: npt.ArrayLike,
        a_end: npt.ArrayLike,
        v_weights_start: npt.ArrayLike,
        v_weights_end: npt.ArrayLike,
        v_mV: npt.ArrayLike,
        share: Array,
        brain_uM: Array,
    ) -> tuple[Array, Array]:
        """`_rates` at shares of the way from start to end, one concentration each."""
        free0, koff0 = self._averages(v_weights_start, v_mV)
        free1, koff1 = self._averages(v_weights_end, v_mV)
        return self._rates(
            _between(np.asarray(a_start, float), np.asarray(a_end, float), share),
            _between(free0, free1, share),
            _between(koff0, koff1, share),
            brain_uM,
        )

    def fraction(self, state: Array) -> Array:
        """Blocked fraction of each pool's conductance, 0..1: a state, or a path of them, -> (...,
        pools).
        """
        blocked = np.clip(state, 0, 1).sum(axis=(-1, -2))  # clipped of rounding errors
        share: Array = np.minimum((blocked * self.shares).sum(-1), 1)
        return share

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
        per_agonist = (self._kon * free * c)[..., None] * self._into
        bound = agonist[:, None, None, None]
        off = bound * koff[:, None, :, None] + (1 - bound) * self._escape
        tied = (self._escape == 0) & np.ones_like(
            off, bool
        )  # a cancels: finite in the limit of no agonist
        off_per_agonist = np.where(tied, koff[:, None, :, None], off)
        ratio = np.where(tied, per_agonist, bound * per_agonist) / off_per_agonist
        state: Array = ratio / (1 + ratio.sum(axis=(-1, -2), keepdims=True))
        return np.where(self.shares[..., None, None] > 0, state, 0)


def _between(start: Array, end: Array, share: Array) -> Array:
    """Linear interpolation: (steps, *shape of start)."""
    share = share.reshape((-1,) + (1,) * start.ndim)
    values: Array = (1 - share) * start + share * end
    return values
