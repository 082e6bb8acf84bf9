"""In: the spines of a run. Out: who is connected to whom at a look, and statistics of that graph.

A connection is a pair of cells, one before and one behind, with at least one spine between them;
its weight is the size of all of them together. Statistics stand beside what cells have that are
connected at random with the same number of connections:

    reciprocity   share of connections that go back too                     random: the density p
    clustering    triangles over pairs of neighbours, directions ignored    random: 1 - (1 - p)^2
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import xarray as xr

Array: TypeAlias = npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class Wiring:
    """Connections between `cells` principal cells at a look: from `pre` to `post`, each once, of so
    many `contacts` and so much `weight` (the mean of lasting spines is 1).
    """

    cells: int
    pre: Array
    post: Array
    contacts: Array
    weight: Array

    @cached_property
    def in_degree(self) -> Array:
        """Connections onto each cell, (cells,)."""
        return np.bincount(self.post, minlength=self.cells)

    @cached_property
    def out_degree(self) -> Array:
        """Connections of each cell, (cells,)."""
        return np.bincount(self.pre, minlength=self.cells)

    @property
    def density(self) -> float:
        """Connections, of all that could be."""
        return len(self.pre) / (self.cells * (self.cells - 1))

    @cached_property
    def reciprocity(self) -> float:
        """Share of connections that go back too; NaN without any."""
        there = self.pre.astype(np.int64) * self.cells + self.post
        back = self.post.astype(np.int64) * self.cells + self.pre
        return float(np.isin(back, there).mean()) if len(there) else float("nan")

    @cached_property
    def clustering(self) -> float:
        """Transitivity: three times the triangles over the pairs of neighbours; NaN without any."""
        from scipy.sparse import csr_array

        shape = (self.cells, self.cells)
        ones = np.ones(2 * len(self.pre))
        ends = np.concatenate([self.pre, self.post]), np.concatenate([self.post, self.pre])
        graph = csr_array((ones, ends), shape=shape)
        graph.data[:] = 1  # a pair connected both ways is one neighbour
        degree = graph.sum(axis=1)
        pairs = float((degree * (degree - 1)).sum())
        closed = float(((graph @ graph) * graph).sum())
        return closed / pairs if pairs else float("nan")

    @property
    def random_clustering(self) -> float:
        """Of a random graph with as many connections."""
        return 1 - (1 - self.density) ** 2

    def matrix(self) -> Array:
        """Weights, (cells behind, cells before); 0 where there is no connection."""
        found = np.zeros((self.cells, self.cells), np.float32)
        found[self.post, self.pre] = self.weight
        return found


def wiring_at(spines: xr.Dataset, look: int) -> Wiring:
    """Who is connected to whom at a look. A cell counts if any spine ever was its own."""
    sizes = spines["ln_size"].isel(look=look).values
    there = np.isfinite(sizes)
    pre, post = (spines[end].values.astype(np.int64) for end in ("pre", "post"))
    cells = int(max(pre.max(), post.max())) + 1
    pair, at = np.unique(post[there] * cells + pre[there], return_inverse=True)
    return Wiring(
        cells=cells,
        pre=pair % cells,
        post=pair // cells,
        contacts=np.bincount(at, minlength=len(pair)),
        weight=np.bincount(at, np.exp(sizes[there]), minlength=len(pair)),
    )
