"""What would move synapses, smoothed between probes with a noise of its own."""

from __future__ import annotations

from functools import cache

import numpy as np
from courses import RULE, answering

from plastogen.model.circuit import RATE_CLASSES, Drift, Drive
from plastogen.simulation.drift_surface import (
    COLUMNS,
    GROUP,
    DriftSurface,
    drift_columns,
    drift_from,
)
from plastogen.simulation.probe import FormulaProbe

N, CLASSES = 80, RATE_CLASSES**2
FAST = [k for k in range(CLASSES) if k % RATE_CLASSES == RATE_CLASSES - 1]  # fast cells behind
NOISE = 0.4  # of the log of potentiation over depression, of fast cells


def correlations(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.exp(-(((x[:, None] - y) / 0.5) ** 2) / 2)


@cache
def questions() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Where, whether to one seed, what is true, what probes say."""
    rng = np.random.default_rng(0)
    x, seed = rng.random(N), np.arange(N) % 2
    true = np.outer(np.sin(3 * x), np.ones(COLUMNS)) + np.linspace(-8, -2, COLUMNS)
    true[:, :CLASSES][:, FAST] += 0.2 * seed[:, None]
    said = true + 0.01 * rng.standard_normal(true.shape)
    said[:, FAST] += NOISE * rng.standard_normal((N, len(FAST)))
    return x, (seed[:, None] == seed).astype(float), true, said


@cache
def surface() -> DriftSurface:
    x, same, _, said = questions()
    alike = correlations(x, x)
    return DriftSurface(
        alike, same, said, DriftSurface.fitted(alike, same, said, DriftSurface.first())
    )


def test_columns_are_those_of_a_drift_and_back() -> None:
    drift = Drift(*np.random.default_rng(1).random((3, 4, CLASSES)))
    answer = FormulaProbe(answering(), RULE).measure(Drive(), 1)
    said = [
        type(answer)(**{
            **answer.arrays(),
            "potentiation": drift.potentiation[k],
            "depression": drift.depression[k],
            "drift_variance": drift.variance[k],
        })
        for k in range(4)
    ]  # fmt: skip
    for found, wanted in zip(drift_from(drift_columns(said)), drift, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-9)
    still = drift_from(drift_columns([type(answer)(**{
        **answer.arrays(), **dict.fromkeys(
            ("potentiation", "depression", "drift_variance"), np.zeros(CLASSES)
        )
    })]))  # fmt: skip
    assert all((part < 1e-15).all() for part in still)
    assert Drift(*np.zeros((3, 2, CLASSES))).balance.tolist() == [0, 0]


def test_every_group_has_the_noise_of_its_own_columns() -> None:
    found = np.sqrt(surface().theta[GROUP, 2]) * surface()._spread
    np.testing.assert_allclose(found[FAST], NOISE, rtol=0.3)
    assert (np.delete(found, FAST) < 0.05).all()


def test_what_probes_say_is_smoothed_over_drives_and_seeds_stay_apart() -> None:
    x, same, true, said = questions()
    found = surface().means(correlations(x, x), same)
    missed = np.sqrt(((found - true) ** 2)[:, FAST].mean())
    assert missed < NOISE / 3
    assert np.sqrt(((said - true) ** 2)[:, FAST].mean()) > 0.8 * NOISE
    first, second = found[::2, FAST].mean(), found[1::2, FAST].mean()
    apart = true[1::2, FAST].mean() - true[::2, FAST].mean()
    assert second - first > apart / 2


def test_what_goes_slowly_along_long_lengths_is_not_taken_for_noise() -> None:
    rng = np.random.default_rng(2)
    x = np.linspace(0, 0.1, 24)  # short against the lengths that rates have: all nearly alike
    alike, same = correlations(x / 4, x / 4), np.ones((24, 24))
    said = np.outer(4 * x, np.ones(COLUMNS)) + 0.05 * rng.standard_normal((24, COLUMNS))
    theta = DriftSurface.fitted(alike, same, said, DriftSurface.first())
    found = DriftSurface(alike, same, said, theta).means(alike, same)
    np.testing.assert_allclose(found[-1] - found[0], 0.4, atol=0.12)
