"""The surface of the rates: as scikit-learn has it, likelihood, fit and factor."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import (
    ConstantKernel,
    Kernel,
    Matern,
    NormalizedKernelMixin,
    StationaryKernelMixin,
    WhiteKernel,
)

from plastogen.simulation.rate_surface import (
    FITTED,
    LENGTHS,
    NOISES,
    SEED_STEP,
    SHARES,
    SIZES,
    RateSurface,
    fitted_on,
    places,
    scale,
)

NUMBERS, CLASSES = 3, 2


class SameSeed(StationaryKernelMixin, NormalizedKernelMixin, Kernel):  # type: ignore[misc]
    """1 between questions to one seed."""

    def __init__(self) -> None:
        """Nothing to set; scikit-learn reads parameters from this signature."""

    def __call__(self, X: Any, Y: Any = None, eval_gradient: bool = False) -> Any:
        own, other = (np.rint(a[:, -1] / SEED_STEP) for a in (X, X if Y is None else Y))
        same = (own[:, None] == other).astype(float)
        return (same, np.empty((*same.shape, 0))) if eval_gradient else same


def oracle(surface: RateSurface, **options: Any) -> GaussianProcessRegressor:
    start = RateSurface.first(NUMBERS)
    seeds = ConstantKernel(1.0, "fixed") + ConstantKernel(start.share, SHARES) * SameSeed()
    rates = ConstantKernel(start.size, SIZES) * Matern(start.lengths, LENGTHS, nu=2.5)
    kernel = rates * seeds + WhiteKernel(start.noise, NOISES)
    return GaussianProcessRegressor(kernel.clone_with_theta(surface.theta), **options)


def asked(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Questions to three seeds, and log rates that one number moves much and another little."""
    rng = np.random.default_rng(n)
    drives = rng.random((n, NUMBERS))
    seeds = np.arange(n) % 3
    rates = np.sin(3 * drives[:, :1]) + 0.1 * drives[:, 1:2] + 0.05 * seeds[:, None]
    return places(drives, seeds), rates + 0.02 * rng.standard_normal((n, CLASSES))


THETA = np.log([2.0, 0.4, 1.5, 7.0, 0.5, 0.1, 0.01])


def test_theta_is_size_lengths_share_and_noise() -> None:
    found = RateSurface.from_theta(THETA)
    assert (found.size, found.share, found.noise) == pytest.approx((2, 0.1, 0.01))
    np.testing.assert_allclose(found.lengths, [0.4, 1.5, 7, 0.5])
    np.testing.assert_allclose(found.theta, THETA)


def test_likelihood_and_its_gradient_are_those_of_scikit_learn() -> None:
    told, rates = asked(30)
    other = oracle(RateSurface.from_theta(THETA), optimizer=None).fit(told, rates)
    wanted, slope = other.log_marginal_likelihood(THETA, eval_gradient=True)
    found, gradient = RateSurface.from_theta(THETA).log_likelihood(told, rates)
    assert found == pytest.approx(wanted, rel=1e-12)
    np.testing.assert_allclose(gradient, slope, rtol=1e-10, atol=1e-12)


def test_covariances_and_their_factor_are_those_of_scikit_learn() -> None:
    surface, (told, rates) = RateSurface.from_theta(THETA), asked(30)
    other = oracle(surface, optimizer=None).fit(told, rates)
    questions, _ = asked(7)
    kernel = other.kernel_.k1
    np.testing.assert_allclose(surface.covariance(questions, told), kernel(questions, told), 1e-14)
    np.testing.assert_allclose(surface.variance, kernel.diag(questions), 1e-14)
    np.testing.assert_allclose(surface.factor(told), other.L_, rtol=1e-9, atol=1e-12)


def test_a_departure_varies_by_what_its_ends_do_not_share() -> None:
    """Var(x - y) = 2 var - 2 cov(x, y) of answers to one seed, whichever."""
    surface, (told, _) = RateSurface.from_theta(THETA), asked(30)
    starts = told.copy()
    starts[:, :-1] = told[::-1, :-1]
    shared = np.diag(surface.covariance(told, starts))
    found = surface.variance * surface.departing(told, starts)
    np.testing.assert_allclose(found, 2 * (surface.variance - shared), rtol=1e-9, atol=1e-14)
    assert found.min() > 0
    assert (surface.departing(told, told) == 0).all()


@pytest.mark.filterwarnings("ignore:The optimal value found")  # a bound that is reached
def test_a_fit_ends_where_that_of_scikit_learn_ends() -> None:
    told, rates = asked(60)
    middle, spread = scale(rates)
    other = oracle(RateSurface.first(NUMBERS)).fit(told, (rates - middle) / spread)
    found = RateSurface.first(NUMBERS).fitted(told, rates)
    np.testing.assert_allclose(found.theta, other.kernel_.theta, rtol=1e-6)
    bounds = np.log([SIZES, *[LENGTHS] * (NUMBERS + 1), SHARES, NOISES])
    assert (bounds[:, 0] <= found.theta).all()
    assert (found.theta <= bounds[:, 1]).all()


def test_no_more_than_some_answers_are_fitted_and_they_are_spread_over_all() -> None:
    assert fitted_on(5).tolist() == [0, 1, 2, 3, 4]
    many = fitted_on(4 * FITTED)
    assert len(set(many)) == FITTED
    assert (many[0], many[-1]) == (0, 4 * FITTED - 1)


def test_a_question_has_the_same_bits_whatever_else_is_asked() -> None:
    surface, (told, _), (questions, _) = RateSurface.from_theta(THETA), asked(40), asked(70)
    blocks = list(surface.alike_in_blocks(questions, told))
    assert {len(alike) for _, alike, _ in blocks} == {32}
    together = np.concatenate([surface.covariance_of(a, s)[:n] for n, a, s in blocks])
    ((n, alike, same),) = surface.alike_in_blocks(questions[50:51], told)
    np.testing.assert_array_equal(surface.covariance_of(alike, same)[:n], together[50:51])
