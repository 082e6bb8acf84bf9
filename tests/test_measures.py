"""What is read out of spikes, on spike trains whose answers are known beforehand."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from circuit_files import CLASSES, SMALL
from hypothesis import given, settings
from hypothesis import strategies as st

from plastogen.model.circuit import Spikes
from plastogen.model.circuit.measures import (
    BATCHES,
    GAMMA_HZ,
    VOLTAGE_BINS_MV,
    band_power,
    bin_centres_mV,
    bound_share,
    dissociation,
    half_patterns,
    interval_variation,
    pair_correlation,
    pattern_shift,
    peak_frequency,
    population_rate,
    rates_hz,
    spectrum,
    voltage_distribution,
)

Array = npt.NDArray[np.float64]
COUNTS = {"E": 80, "PV": 12, "SST": 8}
PLACES = {"E": slice(0, 80), "PV": slice(80, 92), "SST": slice(92, 100)}


def spikes(
    t_s: npt.ArrayLike, i: npt.ArrayLike, seconds: float, v_mV: npt.ArrayLike | None = None
) -> Spikes:
    t, cells = np.asarray(t_s, float), np.asarray(i, np.int32)
    order = np.argsort(t, kind="stable")
    v = np.full((1, 100), -60.0) if v_mV is None else np.asarray(v_mV, float)
    return Spikes(t[order], cells[order], seconds, v, np.arange(100), PLACES)


def poisson(rates: npt.ArrayLike, seconds: float, seed: int = 0) -> Spikes:
    """A Poisson train for each of 100 cells."""
    rng = np.random.default_rng(seed)
    n = rng.poisson(np.asarray(rates, float) * seconds)
    return spikes(rng.uniform(0, seconds, n.sum()), np.repeat(np.arange(100), n), seconds)


def by_class(e: float, pv: float, sst: float) -> Array:
    return np.repeat(np.array([e, pv, sst]), list(COUNTS.values()))


# rates


def test_rates_are_spikes_a_second_a_cell() -> None:
    t = np.concatenate([np.arange(0.05, 4, 0.1), np.arange(0.05, 4, 0.05), [1.0, 2.0]])
    i = np.concatenate([np.full(40, 3), np.full(79, 85), [95, 99]])
    rate, _ = rates_hz(spikes(t, i, 4.0))
    np.testing.assert_allclose(rate, [40 / 80 / 4, 79 / 12 / 4, 2 / 8 / 4], rtol=1e-12)


def test_standard_error_of_a_poisson_rate() -> None:
    true, seconds = by_class(5, 12, 8), 16.0
    found = [rates_hz(poisson(true, seconds, seed)) for seed in range(200)]
    rate, error = (np.array(x) for x in zip(*found, strict=True))
    wanted = np.sqrt([5, 12, 8]) / np.sqrt(np.array([80, 12, 8]) * seconds)
    np.testing.assert_allclose(rate.mean(axis=0), [5, 12, 8], atol=4 * wanted.max() / np.sqrt(200))
    np.testing.assert_allclose(rate.std(axis=0), wanted, rtol=0.2)
    np.testing.assert_allclose(np.sqrt((error**2).mean(axis=0)), wanted, rtol=0.1)


def test_slow_changes_enter_the_error() -> None:
    """Batch means see what a Poisson formula would not: a rate that drifts through the window."""
    t = np.sqrt(np.random.default_rng(0).uniform(0, 64, 80 * 40))
    _, error = rates_hz(spikes(t, np.arange(len(t)) % 80, 8.0))
    starts = np.arange(BATCHES)
    means = 5 * 2 * (starts + 0.5) / BATCHES
    assert error[0] == pytest.approx(means.std(ddof=1) / np.sqrt(BATCHES), rel=0.05)
    assert error[0] > 5 * np.sqrt(5 / (80 * 8))


def test_a_silent_class_has_rate_and_error_zero() -> None:
    rate, error = rates_hz(poisson(by_class(5, 0, 5), 4))
    assert (rate[1], error[1]) == (0, 0)


def test_population_rate_counts_all_spikes_of_the_class() -> None:
    found = poisson(by_class(5, 20, 5), 3)
    start, rate = population_rate(found, "PV", bin_s=0.01)
    assert len(start) == len(rate) == 300
    np.testing.assert_allclose(start, np.arange(300) * 0.01, atol=1e-12)
    assert (rate * 12 * 0.01).sum() == pytest.approx(len(found.of("PV")[0]))
    counts = [((found.of("PV")[0] >= a) & (found.of("PV")[0] < a + 0.01)).sum() for a in start]
    np.testing.assert_allclose(rate, np.array(counts) / (12 * 0.01))


# receptors with glutamate bound


def integrated(found: Spikes, saturation: float, decay_ms: float, dt_ms: float = 0.05) -> float:
    """The same share by stepping every cell through time."""
    steps = round(found.seconds * 1000 / dt_ms)
    total = 0.0
    t, i = found.of("E")
    for cell in range(80):
        at = np.zeros(steps + 1, int)
        np.add.at(at, np.round(t[i == cell] * 1000 / dt_ms).astype(int), 1)
        s, left = 0.0, np.exp(-dt_ms / decay_ms)
        for n in at.tolist():
            for _ in range(n):
                s += saturation * (1 - s)
            total += s * (1 - left) * decay_ms / dt_ms  # the mean over the step
            s *= left
        total += s * decay_ms / dt_ms  # what is still bound at the end
    return total / (80 * steps)


@pytest.mark.parametrize(
    ("saturation", "decay_ms", "rate"), [(0.3, 100, 5), (0.6, 50, 20), (1.0, 150, 8)]
)
def test_bound_share_is_the_time_integral(saturation: float, decay_ms: float, rate: float) -> None:
    found = poisson(by_class(rate, 9, 9), 1.0)
    assert bound_share(found, saturation=saturation, decay_ms=decay_ms) == pytest.approx(
        integrated(found, saturation, decay_ms), rel=2e-3
    )


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.tuples(st.floats(0, 2), st.integers(0, 99)), max_size=60),
    st.floats(0.01, 1),
    st.floats(5, 500),
)
def test_bound_share_is_less_than_without_saturation_and_ignores_interneurons(
    events: list[tuple[float, int]], saturation: float, decay_ms: float
) -> None:
    found = spikes([t for t, _ in events], [i for _, i in events], 2.0)
    share = bound_share(found, saturation=saturation, decay_ms=decay_ms)
    n = sum(i < 80 for _, i in events)
    linear = saturation * n * decay_ms / 1000 / (80 * 2)
    assert 0 <= share <= linear + 1e-12
    one_each = len({i for _, i in events if i < 80}) == n
    if one_each:
        assert share == pytest.approx(linear)


def test_share_bound_by_a_poisson_cell_is_the_known_mean() -> None:
    """For a Poisson train E[s] = k r tau / (1 + k r tau), exactly (the share just before a spike is
    the mean).
    """
    found = poisson(by_class(6, 0, 0), 60)
    mean = 0.3 * 6 * 0.1
    assert bound_share(found, saturation=0.3, decay_ms=100) == pytest.approx(
        mean / (1 + mean), rel=0.02
    )


# voltages and magnesium


def test_voltages_fall_in_their_bins_by_class() -> None:
    v = np.empty((4, 100))
    v[:, PLACES["E"]] = -60.5
    v[:, PLACES["PV"]] = np.array([-55.5, -54.5, -54.5, -54.5])[:, None]
    v[:, PLACES["SST"]] = np.array([-150, -150, 10, 10])[:, None]  # outside: in the outer bins
    share = voltage_distribution(spikes([], [], 1.0, v))
    centres = bin_centres_mV()
    assert share.shape == (3, len(centres))
    np.testing.assert_allclose(share.sum(axis=1), 1)
    assert share[0, centres == -60.5] == 1
    assert (share[1, centres == -55.5], share[1, centres == -54.5]) == (0.25, 0.75)
    assert (share[2, 0], share[2, -1]) == (0.5, 0.5)
    assert (centres[0], centres[-1]) == (VOLTAGE_BINS_MV[0] + 0.5, VOLTAGE_BINS_MV[-1] - 0.5)


# rhythms


def modulated(
    frequency_hz: float, depth: float, rate_hz: float, seconds: float, seed: int = 0
) -> Spikes:
    """80 E cells whose Poisson rate goes as 1 + depth sin(2 pi f t), by thinning."""
    rng = np.random.default_rng(seed)
    n = rng.poisson(80 * rate_hz * (1 + depth) * seconds)
    t = rng.uniform(0, seconds, n)
    kept = rng.uniform(0, 1 + depth, n) < 1 + depth * np.sin(2 * np.pi * frequency_hz * t)
    return spikes(t[kept], rng.integers(0, 80, n)[kept], seconds)


@pytest.mark.parametrize("hz", [37, 40, 65])
def test_a_rhythm_has_its_peak_at_its_frequency_and_its_power(hz: float) -> None:
    depth, rate, seconds = 0.8, 10.0, 40.0
    frequency, density = spectrum(modulated(hz, depth, rate, seconds))
    assert frequency[1] - frequency[0] == pytest.approx(0.5)
    assert frequency[np.argmax(density)] == pytest.approx(hz, abs=0.5)
    assert peak_frequency(frequency, density, GAMMA_HZ) == pytest.approx(hz, abs=2)
    shot = rate / 80  # of each spike, spread over all frequencies: (Hz^2/Hz) two-sided
    power = band_power(frequency, density, (hz - 3, hz + 3)) - 2 * shot * 6.5
    assert power == pytest.approx((rate * depth) ** 2 / 2, rel=0.06)


def test_powers_add_up_to_the_variance_of_the_rate() -> None:
    """Parseval: the spectrum's integral is the variance of the population rate in its bins."""
    found = modulated(40, 0.5, 8, 40)
    frequency, density = spectrum(found)
    _, rate = population_rate(found, "E")
    assert band_power(frequency, density, (0, 500)) == pytest.approx(rate.var(), rel=0.03)


def test_independent_spikes_have_a_flat_spectrum() -> None:
    frequency, density = spectrum(poisson(by_class(10, 5, 5), 60))
    for low in (1, 30, 80, 200):
        inside = (frequency >= low) & (frequency < low + 50)
        assert density[inside].mean() == pytest.approx(2 * 10 / 80, rel=0.08)


def test_interneurons_do_not_enter_the_spectrum() -> None:
    rng = np.random.default_rng(1)
    n = 8000
    t = rng.uniform(0, 10, n)
    kept = rng.uniform(0, 2, n) < 1 + np.sin(2 * np.pi * 40 * t)
    _, density = spectrum(spikes(t[kept], rng.integers(80, 100, kept.sum()), 10.0))
    assert not density.any()


def test_power_of_a_band_is_that_of_the_frequencies_in_it() -> None:
    frequency, density = np.arange(0, 100, 0.5), np.zeros(200)
    density[frequency == 30], density[frequency == 80], density[frequency == 80.5] = 2, 3, 50
    assert band_power(frequency, density, GAMMA_HZ) == 2.5


def test_a_lone_noisy_frequency_is_not_the_peak() -> None:
    frequency = np.arange(0, 100, 0.5)
    density = np.exp(-(((frequency - 50) / 4) ** 2))
    density[frequency == 35] = 1.5
    assert peak_frequency(frequency, density, GAMMA_HZ) == pytest.approx(50, abs=0.6)
    assert peak_frequency(frequency, density, (30, 80), smooth=1) == 35
    density[frequency == 20] = 100
    assert peak_frequency(frequency, density, (30, 80)) == pytest.approx(50, abs=0.6)


# patterns


def test_halves_count_even_and_odd_seconds() -> None:
    found = spikes([0.5, 1.5, 1.6, 2.5, 3.5, 0.2], [7, 7, 7, 7, 8, 85], 4.0)
    even, odd = half_patterns(found)
    assert even.shape == odd.shape == (80,)
    assert (even[7], odd[7], even[8], odd[8]) == (2, 2, 0, 1)
    assert even.sum() + odd.sum() == 5


def broad(seed: int) -> Array:
    return np.concatenate([np.random.default_rng(seed).lognormal(1.5, 0.6, 80), np.full(20, 5.0)])


def test_noise_alone_does_not_shift_the_pattern() -> None:
    rates = broad(0)
    shifts = []
    for seed in range(30):
        now, base = (half_patterns(poisson(rates, 8, seed=2 * seed + k)) for k in (0, 1))
        shifts.append(pattern_shift(now, base))
    assert np.mean(shifts) == pytest.approx(0, abs=0.01)
    raw = 1 - np.corrcoef(now.sum(axis=0), base.sum(axis=0))[0, 1]
    assert raw > 0.01  # what it would be without the correction


def test_scaling_all_rates_does_not_shift_the_pattern() -> None:
    shifts = [
        pattern_shift(
            half_patterns(poisson(2 * broad(0), 8, seed)),
            half_patterns(poisson(broad(0), 8, 100 + seed)),
        )
        for seed in range(20)
    ]
    assert np.mean(shifts) == pytest.approx(0, abs=0.02)


def test_unrelated_patterns_are_shifted_by_one() -> None:
    shifts = [
        pattern_shift(
            half_patterns(poisson(broad(seed), 8, seed)),
            half_patterns(poisson(broad(100 + seed), 8, 50 + seed)),
        )
        for seed in range(30)
    ]
    assert np.mean(shifts) == pytest.approx(1, abs=0.1)


def test_the_shift_is_that_of_the_true_rates() -> None:
    """Half the cells swap their rates: the corrected correlation is that of the rates behind the
    spikes.
    """
    rates = broad(0)
    moved = rates.copy()
    moved[:40] = rates[:40][::-1]
    true = 1 - np.corrcoef(rates[:80], moved[:80])[0, 1]
    shifts = [
        pattern_shift(
            half_patterns(poisson(moved, 8, seed)), half_patterns(poisson(rates, 8, 100 + seed))
        )
        for seed in range(30)
    ]
    assert 0.1 < true < 0.9
    assert np.mean(shifts) == pytest.approx(true, abs=0.03)


def test_a_silent_state_is_wholly_shifted() -> None:
    base = half_patterns(poisson(broad(0), 8))
    assert pattern_shift(np.zeros((2, 80)), base) == 1
    assert pattern_shift(base, np.zeros((2, 80))) == 1


# irregularity


def test_intervals_of_poisson_trains_vary_as_much_as_they_last() -> None:
    assert interval_variation(poisson(by_class(10, 10, 10), 40)) == pytest.approx(1, abs=0.03)


def test_a_clock_does_not_vary_and_few_intervals_are_not_judged() -> None:
    clock, rare = np.arange(0.05, 4, 0.1), np.array([0.5, 0.6, 3.0])
    found = spikes(
        np.concatenate([clock, rare]), np.concatenate([np.full(40, 3), np.full(3, 9)]), 4.0
    )
    assert interval_variation(found) == pytest.approx(0, abs=1e-9)
    assert interval_variation(found, at_least=2) > 0.3  # the median of the two
    assert np.isnan(interval_variation(spikes(rare, [9, 9, 9], 4.0)))
    assert np.isnan(interval_variation(spikes([], [], 4.0)))


def test_median_of_the_variation_is_over_cells() -> None:
    gamma = np.random.default_rng(0).gamma(4, 0.025, (100, 200)).cumsum(axis=1)
    inside = gamma < 8
    found = spikes(gamma[inside], np.nonzero(inside)[0], 8.0)
    assert interval_variation(found) == pytest.approx(0.5, abs=0.03)  # 1/sqrt(4)


def test_independent_cells_are_not_correlated() -> None:
    assert pair_correlation(poisson(by_class(10, 10, 10), 60)) == pytest.approx(0, abs=0.005)


def test_correlation_of_cells_that_share_part_of_their_spikes() -> None:
    """Each spike of a common train is taken with chance p by every cell, the rest is its own:
    correlation p.
    """
    rng = np.random.default_rng(0)
    common = rng.uniform(0, 60, 60 * 20)
    t, i = [], []
    for cell in range(80):
        mine = common[rng.random(len(common)) < 0.25]
        t.append(mine)
        i.append(np.full(len(mine), cell))
    found = spikes(np.concatenate(t), np.concatenate(i), 60.0)
    assert pair_correlation(found) == pytest.approx(0.25, abs=0.02)


def test_correlation_is_of_e_cells_that_fired() -> None:
    clock = np.arange(0.05, 8, 0.1)
    t = np.concatenate([clock, clock, np.random.default_rng(0).uniform(0, 8, 400)])
    i = np.concatenate([np.full(80, 3), np.full(80, 9), np.full(400, 90)])
    assert pair_correlation(spikes(t, i, 8.0)) == pytest.approx(1)


def test_class_order_is_the_order_of_rows() -> None:
    rate, _ = rates_hz(poisson(by_class(1, 20, 8), 8))
    assert dict(zip(CLASSES, rate.round(-1), strict=True))["PV"] == 20


def test_dissociation_is_inhibition_lost_for_each_spike_of_excitation() -> None:
    before = np.array([4.0, 10.0, 8.0])
    assert dissociation(SMALL, before, before) == pytest.approx(0, abs=1e-12)
    assert dissociation(SMALL, 2 * before, before) == pytest.approx(
        0, abs=1e-12
    )  # the balance is kept
    assert dissociation(SMALL, [4.0, 0.0, 4.0], before) == pytest.approx(
        0.5, abs=0.02
    )  # half the inhibition
    assert dissociation(SMALL, [8.0, 10.0, 8.0], before) == pytest.approx(
        0.5, abs=0.02
    )  # twice the excitation
    assert dissociation(SMALL, [4.0, 10.0, 0.0], before) == pytest.approx(1, abs=0.03)
    assert dissociation(SMALL, [0.0, 0.0, 0.0], before) == pytest.approx(0, abs=1e-12)
    assert dissociation(SMALL, np.array([before, [8.0, 1.0, 8.0]]), before).shape == (2,)
