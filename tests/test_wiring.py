"""Who is connected to whom, by the spines of a run: against counting by hand and random graphs."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import xarray as xr

from plastogen.analysis import Wiring, wiring_at


def drawn(cells: int, p: float, seed: int = 0) -> Wiring:
    chosen = np.random.default_rng(seed).random((cells, cells)) < p
    np.fill_diagonal(chosen, False)
    post, pre = np.nonzero(chosen)
    return Wiring(cells, pre, post, np.ones(len(pre), int), np.ones(len(pre)))


def by_hand(graph: Wiring) -> tuple[float, float]:
    """Reciprocity and transitivity, pair by pair."""
    pairs = set(zip(graph.pre.tolist(), graph.post.tolist(), strict=True))
    near = {frozenset(pair) for pair in pairs}
    closed = total = 0
    for middle in range(graph.cells):
        others = [c for c in range(graph.cells) if frozenset((c, middle)) in near]
        for one, other in itertools.combinations(others, 2):
            total += 1
            closed += frozenset((one, other)) in near
    return sum((b, a) in pairs for a, b in pairs) / len(pairs), closed / total


@pytest.mark.parametrize(("cells", "p", "seed"), [(7, 0.4, 0), (12, 0.2, 1), (9, 0.8, 2)])
def test_statistics_are_those_counted_by_hand(cells: int, p: float, seed: int) -> None:
    graph = drawn(cells, p, seed)
    assert (graph.reciprocity, graph.clustering) == pytest.approx(by_hand(graph))
    assert graph.in_degree.sum() == graph.out_degree.sum() == len(graph.pre)
    np.testing.assert_array_equal((graph.matrix() > 0).sum(axis=1), graph.in_degree)


def test_a_random_graph_has_what_is_said_of_random_graphs() -> None:
    graph = drawn(300, 0.1)
    assert graph.density == pytest.approx(0.1, rel=0.03)
    assert graph.reciprocity == pytest.approx(graph.density, rel=0.1)
    assert graph.clustering == pytest.approx(graph.random_clustering, rel=0.05)


def test_connections_are_those_of_the_spines_that_stand_at_a_look() -> None:
    ln_size = np.log([[1, 2, np.nan, 4], [1, np.nan, 3, 5]]).T
    columns = {"pre": [0, 0, 1, 2], "post": [1, 1, 2, 0]}
    spines = xr.Dataset(
        {name: ("spine", x) for name, x in columns.items()}
        | {"ln_size": (("spine", "look"), ln_size)}
    )
    first, last = (wiring_at(spines, look) for look in (0, 1))
    assert first.cells == 3
    np.testing.assert_array_equal(first.matrix(), [[0, 0, 4], [3, 0, 0], [0, 0, 0]])
    np.testing.assert_array_equal(last.matrix(), [[0, 0, 5], [1, 0, 0], [0, 3, 0]])
    assert sorted(first.contacts.tolist()) == [1, 2]
