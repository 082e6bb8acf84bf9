"""In: `Spikes`. Out: what the slow world and the reader need of them: rates, receptors bound,
voltages, rhythms.

Functions on arrays; nothing here is kept between calls. Rates are spikes a second a cell (Hz);
powers are of the population rate of principal cells (Hz^2), from Welch's method.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from plastogen.model.circuit import PRINCIPAL, Circuit, Spikes

Array = npt.NDArray[np.float64]

BATCHES = 8  # parts of a window whose spread gives the standard error of its mean
VOLTAGE_BINS_MV = np.arange(-100, -29)  # edges; sampled voltages outside fall in the outer bins
RATE_BIN_S = 0.001
WELCH_S = 2  # length of a segment: resolves 0.5 Hz
CORRELATION_BIN_S = 0.02
RATE_FLOOR_HZ = 0.1  # keeps ratios of rates finite when a class is silent
GAMMA_HZ, DELTA_HZ = (30, 80), (0.1, 4)  # the usual bands
MS_PER_S = 1000


def rates_hz(spikes: Spikes) -> tuple[Array, Array]:
    """Mean rate of each class and its standard error from batch means; shapes (classes,)."""
    edges = np.linspace(0, spikes.seconds, BATCHES + 1)
    length = spikes.seconds / BATCHES
    counts = np.array(
        [
            np.histogram(spikes.of(name)[0], edges)[0] / (spikes.count(name) * length)
            for name in spikes.classes
        ]
    )
    return counts.mean(axis=1), counts.std(axis=1, ddof=1) / np.sqrt(BATCHES)


def bound_share(spikes: Spikes, *, saturation: float, decay_ms: float) -> float:
    """Mean share of synaptic NMDA receptors with glutamate bound, over synapses of principal cells.

    Each spike binds `saturation` of the free receptors, which decay with `decay_ms` (Wang 1999);
    every increment lasts one decay on average, so the mean is the sum of increments x decay / time.
    """
    n = spikes.count(spikes.principal)
    t, i = spikes.of(spikes.principal)
    order = np.lexsort((t, i))
    t, i = t[order], i[order]
    rank = np.arange(len(i)) - np.searchsorted(
        i, i
    )  # 0 for a cell's first spike, 1 for its second, ...
    by_rank = np.argsort(rank, kind="stable")
    ends = np.cumsum(np.bincount(rank)).tolist()
    s, last = np.zeros(n), np.full(n, -np.inf)
    total, begin = 0.0, 0
    for end in ends:  # all first spikes, then all second ones, ...
        cells, when = i[by_rank[begin:end]], t[by_rank[begin:end]]
        before = s[cells] * np.exp(-(when - last[cells]) * MS_PER_S / decay_ms)
        grown = saturation * (1 - before)
        total += float(grown.sum())
        s[cells], last[cells], begin = before + grown, when, end
    return total * decay_ms / MS_PER_S / (n * spikes.seconds)


def voltage_distribution(spikes: Spikes) -> Array:
    """Share of sampled voltages in each bin of VOLTAGE_BINS_MV for each class; shape (classes,
    bins), rows add to 1.
    """
    rows = []
    for name in spikes.classes:
        part = spikes.slices[name]
        sampled = spikes.v_mV[:, (spikes.recorded >= part.start) & (spikes.recorded < part.stop)]
        inside = np.clip(sampled, VOLTAGE_BINS_MV[0], VOLTAGE_BINS_MV[-1])
        counts = np.histogram(inside, VOLTAGE_BINS_MV)[0]
        rows.append(counts / counts.sum())
    return np.array(rows)


def bin_centres_mV() -> Array:
    """Centres of the voltage bins, shape (bins,)."""
    return (VOLTAGE_BINS_MV[1:] + VOLTAGE_BINS_MV[:-1]) / 2


def by_pool(circuit: Circuit, voltage: Array) -> dict[str, Array]:
    """Pool -> distribution of its membrane's voltage, from that of each class, (..., classes,
    bins); at rest all the weight is at the resting one.
    """
    found = {}
    for pool in circuit.pools():
        name, _, kind = pool.partition(".")
        if kind == "rest":
            rest = float(circuit.populations[name].rest)
            row = np.zeros_like(voltage[..., 0, :])
            row[..., np.argmin(np.abs(bin_centres_mV() - rest))] = 1
            found[pool] = row
        else:
            found[pool] = voltage[..., circuit.classes.index(name), :]
    return found


def usual_voltage(circuit: Circuit) -> Array:
    """Distribution of voltage of each class at baseline, as the formula in the circuit's file has
    it: (classes, bins).
    """
    v, f = bin_centres_mV(), circuit.formula
    bells = [
        np.exp(-(((v - float(f.voltage[name])) / float(f.voltage_spread)) ** 2) / 2)
        for name in circuit.classes
    ]
    return np.array([bell / bell.sum() for bell in bells])


def inward(circuit: Circuit, voltage: Array) -> Array:
    """Mean current of a unit of conductance of each subunit (mV): what Mg2+ leaves free times the
    driving force, over a distribution of voltage: (..., bins) -> (..., subunits).
    """
    v = bin_centres_mV()
    free, push = circuit.magnesium.free(v), float(circuit.reversals.excitatory) - v
    each = [(voltage * free[:, k] * push).sum(axis=-1) for k in range(free.shape[-1])]
    return np.stack(each, axis=-1)


def pool_current(circuit: Circuit, pool: str, voltage: Array) -> Array:
    """Mean current of a unit of a pool's conductance (mV), as `inward`: (..., bins) -> (...)."""
    return np.asarray((inward(circuit, voltage) * circuit.subunit_shares(pool)).sum(axis=-1))


def unit_currents(circuit: Circuit) -> dict[str, Array]:
    """Pool -> `inward`, (subunits,), at the voltage usual for its membrane: times the shares of its
    conductance, the share of its current that each subunit carries.
    """
    at = by_pool(circuit, usual_voltage(circuit))
    return {pool: inward(circuit, voltage) for pool, voltage in at.items()}


def population_rate(spikes: Spikes, name: str, bin_s: float = RATE_BIN_S) -> tuple[Array, Array]:
    """Bin starts (s) and rate of class `name` in them (Hz a cell)."""
    bins = round(spikes.seconds / bin_s)
    counts, edges = np.histogram(spikes.of(name)[0], bins=bins, range=(0, spikes.seconds))
    return edges[:-1], counts / (spikes.count(name) * bin_s)


def spectrum(spikes: Spikes) -> tuple[Array, Array]:
    """Frequencies (Hz) and power density (Hz^2/Hz) of the population rate of principal cells
    (Welch 1967).
    """
    from scipy.signal import welch

    _, rate = population_rate(spikes, spikes.principal)
    per_s = 1 / RATE_BIN_S
    segment = min(len(rate), round(WELCH_S * per_s))
    frequency, density = welch(rate, fs=per_s, nperseg=segment, detrend="constant")
    return np.asarray(frequency), np.asarray(density)


def band_power(frequency_hz: Array, density: Array, band_hz: tuple[float, float]) -> float:
    """Power between two frequencies (Hz^2): the integral of the density."""
    inside = (frequency_hz >= band_hz[0]) & (frequency_hz <= band_hz[1])
    return float(density[inside].sum() * (frequency_hz[1] - frequency_hz[0]))


def peak_frequency(
    frequency_hz: Array, density: Array, band_hz: tuple[float, float], *, smooth: int = 9
) -> float:
    """Frequency (Hz) of the greatest power in a band, after a running mean over `smooth`
    frequencies.
    """
    smoothed = np.convolve(density, np.full(smooth, 1 / smooth), mode="same")
    inside = (frequency_hz >= band_hz[0]) & (frequency_hz <= band_hz[1])
    return float(frequency_hz[inside][np.argmax(smoothed[inside])])


def half_patterns(spikes: Spikes) -> Array:
    """Spike counts of every principal cell in the odd and in the even seconds; shape (2, cells)."""
    t, i = spikes.of(spikes.principal)
    odd = (t.astype(np.int64) % 2).astype(bool)
    n = spikes.count(spikes.principal)
    return np.array(
        [np.bincount(i[~odd], minlength=n), np.bincount(i[odd], minlength=n)], dtype=float
    )


def dissociation(circuit: Circuit, rate_hz: npt.ArrayLike, before_hz: npt.ArrayLike) -> Array:
    """The dissociation proxy: the share of dendritic inhibition lost for each spike of excitation.

    1 - (r_dendritic / r_principal) / (the same before the drug); rates (..., classes), also
    `before_hz`; the rate of several dendritic classes is that of all their cells. 0 before the drug
    and in a silent circuit, 1 when principal cells speak and dendritic ones are silent. Reasoning:
    dendritic cells (SST) gate what reaches the dendrites; when principal cells speak without that
    gate, their output is no longer matched to its input. It comes from spikes, not from block: a
    blocker that leaves the balance alone gives 0. A proxy: no scale of experience is claimed.
    """
    named = circuit.of_role("dendritic")
    rows = [circuit.classes.index(name) for name in named]
    cells = np.array([circuit.populations[name].count for name in named])
    (speaks, gates), (spoke, gated) = (
        (rates[..., PRINCIPAL], rates[..., rows] @ (cells / cells.sum()))
        for rates in (
            np.asarray(rate_hz, dtype=float),
            np.maximum(np.asarray(before_hz, dtype=float), RATE_FLOOR_HZ),
        )
    )
    each = gated / spoke  # rate of dendritic inhibition that went with 1 Hz of principal cells
    return np.asarray(1 - (gates / each + RATE_FLOOR_HZ) / (speaks + RATE_FLOOR_HZ))


def pattern_shift(now: Array, baseline: Array) -> float:
    """How far the pattern of rates over E cells has moved from the baseline's: 0 not at all, 1
    unrelated.

    1 - r / sqrt(r_now r_baseline), r the correlation of E-cell rates between the two states and r_x
    each state's own reliability (its two halves, Spearman-Brown), so that noise alone gives 0. Both
    arguments as `half_patterns` gives them. Ketamine silences active and wakes silent E cells
    (Cichon 2023); this is how much of that switch a circuit shows. 1 when either state is silent.
    """
    whole = _correlation(now.sum(axis=0), baseline.sum(axis=0))
    own = [_spearman_brown(_correlation(*halves)) for halves in (now, baseline)]
    if min(own) <= 0:
        return 1.0
    return 1 - whole / float(np.sqrt(own[0] * own[1]))


def _correlation(a: Array, b: Array) -> float:
    if a.std() == 0 or b.std() == 0:
        return 0.0
    return float(np.corrcoef(a, b)[0, 1])


def _spearman_brown(r: float) -> float:
    return 2 * r / (1 + r)


def interval_variation(spikes: Spikes, *, at_least: int = 10) -> float:
    """Median coefficient of variation of inter-spike intervals over cells with `at_least`
    intervals.
    """
    order = np.lexsort((spikes.t_s, spikes.i))
    cells, starts = np.unique(spikes.i[order], return_index=True)
    trains = np.split(spikes.t_s[order], starts[1:]) if len(cells) else []
    found = [
        gaps.std() / gaps.mean() for train in trains if len(gaps := np.diff(train)) >= at_least
    ]
    return float(np.median(found)) if found else float("nan")


def pair_correlation(spikes: Spikes, *, cells: int = 200) -> float:
    """Mean correlation of spike counts (20 ms) over pairs among `cells` evenly spaced principal
    cells that fired.
    """
    t, i = spikes.of(spikes.principal)
    active = np.unique(i)
    chosen = active[np.unique(np.linspace(0, len(active) - 1, min(cells, len(active))).astype(int))]
    bins = round(spikes.seconds / CORRELATION_BIN_S)
    counts = np.array(
        [np.histogram(t[i == c], bins=bins, range=(0, spikes.seconds))[0] for c in chosen]
    )
    r = np.corrcoef(counts)
    return float(r[np.triu_indices(len(chosen), 1)].mean())
