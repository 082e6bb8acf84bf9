"""External spikes: the generator's own published numbers, its quality, and the same spikes in both
backends.
"""

from __future__ import annotations

import shutil

import numpy as np
import numpy.typing as npt
import pytest
from scipy import stats

from plastogen._base.library import Library
from plastogen.model.circuit import Circuit, Drive, Engine
from plastogen.model.circuit import external as ext

CELLS, STEPS, MEAN = 250, 1200, 0.5
# first sums of xoshiro128+ from the words 1, 2, 3, 4 (tests of the Rust crate rand_xoshiro 0.6,
# made there by the authors' C)
PUBLISHED = [
    *(5, 12295, 25178119, 27286542, 39879690),
    *(1140358681, 3276312097, 4110231701, 399823256, 2144435200),
]


def stepped(words: dict[str, ext.Words], steps: int) -> npt.NDArray[np.float32]:
    """What `DRAW` gives, run line by line: shape (steps, cells)."""
    called = {"uniform": ext.uniform, "xor": np.bitwise_xor}
    names = {**called, "moved": ext.moved, "turned": ext.turned, **words}
    code, found = compile(ext.DRAW.strip(), "DRAW", "exec"), []
    for _ in range(steps):
        exec(code, names)
        found.append(names["u"])
    return np.array(found)


@pytest.fixture(scope="module")
def drawn() -> npt.NDArray[np.float64]:
    return stepped(ext.begun(CELLS, 1), STEPS).astype(float)


def test_the_generator_is_the_published_one() -> None:
    words = dict(zip(ext.STATE, np.arange(1, 5, dtype=np.int32)[:, np.newaxis], strict=True))
    assert (stepped(words, 10)[:, 0] * 2**24).tolist() == [sum_ >> 8 for sum_ in PUBLISHED]


def test_numbers_are_uniform_bit_by_bit(drawn: npt.NDArray[np.float64]) -> None:
    assert 0 <= drawn.min() < 1e-4
    assert 1 - 1e-4 < drawn.max() < 1
    assert stats.kstest(drawn.ravel(), "uniform").pvalue > 1e-3
    bits = ((drawn * 2**24).astype(np.int64)[..., np.newaxis] >> np.arange(24)) & 1
    off = (bits.reshape(-1, 24).mean(axis=0) - 0.5) * 2 * np.sqrt(drawn.size)
    assert np.abs(off).max() < 4.5, "standard errors from a half, each of 24 bits"


@pytest.mark.parametrize("lag", [1, 2, 3, 4, 100])
def test_numbers_know_nothing_of_earlier_ones(drawn: npt.NDArray[np.float64], lag: int) -> None:
    """Pairs fall evenly into 32 x 32 boxes, within a cell and between neighbours."""
    for one, other in (
        (drawn[:-lag], drawn[lag:]),
        (drawn[:, :-lag], drawn[:, lag:]),
    ):
        counts = np.histogram2d(one.ravel(), other.ravel(), bins=32, range=[[0, 1], [0, 1]])[0]
        assert 1e-4 < stats.chisquare(counts.ravel()).pvalue < 1 - 1e-4


def test_cells_and_moments_are_independent(drawn: npt.NDArray[np.float64]) -> None:
    """Variance of sums over cells and over time is that of independent numbers."""
    for axis, n in ((0, STEPS), (1, CELLS)):
        sums = (drawn - 0.5).sum(axis=axis) / np.sqrt(n / 12)
        assert stats.kstest(sums, "norm").pvalue > 1e-3
        assert abs(sums.var() - 1) < 4 * np.sqrt(2 / sums.size)


def counted(u: npt.NDArray[np.float64], mean: float) -> npt.NDArray[np.float64]:
    """External spikes by the block that goes into the network."""
    names = {"u": u, "n_ext": mean, "x_ext": 0.0, "exp": np.exp, "int": lambda x: 1 * x}
    exec(ext.external(), names)
    return np.asarray(names["x_ext"])


@pytest.mark.parametrize("mean", [0.02, MEAN, 1.0])
def test_counts_are_poisson(drawn: npt.NDArray[np.float64], mean: float) -> None:
    counts = counted(drawn, mean).ravel()
    top = int(stats.poisson.ppf(1 - 20 / counts.size, mean))
    found = np.bincount(np.minimum(counts, top).astype(int), minlength=top + 1)
    wanted = stats.poisson.pmf(np.arange(top + 1), mean)
    wanted[-1] += stats.poisson.sf(top, mean)
    assert stats.chisquare(found, wanted * counts.size).pvalue > 1e-3
    assert abs(counts.mean() - mean) < 4 * np.sqrt(mean / counts.size)


def test_seeds_begin_apart() -> None:
    words = np.concatenate([np.stack(list(ext.begun(CELLS, seed).values())) for seed in (1, 2)])
    assert len(np.unique(words)) > 0.999 * words.size
    assert np.array_equal(ext.begun(CELLS, 1)["r_0"], ext.begun(CELLS, 1)["r_0"])


@pytest.mark.network
@pytest.mark.skipif(shutil.which("g++") is None, reason="needs g++")
def test_both_backends_hear_the_same_spikes() -> None:
    """Unconnected cells fire at the same steps, but where rounding decides."""
    small = Library().document("circuits", "small")
    apart = {f"connections.{k}.probability": 0 for k in range(len(small.tree["connections"]))}
    circuit = Library().load("circuits", "small", Circuit, overrides=apart)
    runs = [
        Engine(circuit, backend=backend).run(Drive(), 3, seconds=1, settle_s=0)
        for backend in ("cpp", "numpy")
    ]
    cpp, numpy = ({*zip(r.i.tolist(), np.round(r.t_s, 6), strict=True)} for r in runs)
    assert len(cpp) > 200
    assert len(cpp ^ numpy) < 0.02 * len(cpp)
