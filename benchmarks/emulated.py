"""Emulated against direct on random points of four swept numbers: how far apart, and whether the
intervals hold.

    python benchmarks/emulated.py [--points 20] [--seeds 2] [--out FOLDER]

Prints, for each readout of the effect (ketamine minus vehicle), the largest distance of the seed
means as a share of the readout's range over the points and in standard errors, and the share of
(point x readout) pairs that the emulator's 95 % intervals cover. An interval is +/- 1.96 sqrt(e^2 +
d^2): e is what one standard error of the emulator, the noise of one probe included, does to the
readout (`<readout>_se` in results.nc); d is the standard error of the direct seed mean about the
emulated one. Runs that are in FOLDER already are not run again.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

import plastogen

SWEEP = """question: How far is emulation from asking the network?
model: {subject: stressed_adult}
course: {duration: 3 d, seeds: SEEDS, method: METHOD}
arms:
  vehicle: {}
  ketamine:
    give: {infusion: {drug: ketamine, dose: 0.5 mg/kg, route: iv, over: 40 min, at: 0 h}}
sweep:
  arms.ketamine.give.infusion.dose: {from: 0.1 mg/kg, to: 1.5 mg/kg, spacing: log}
  subject.stress: {from: 0.2, to: 1}
  drugs.ketamine.actions.nmdar.ketamine.ic50.GluN2B: range
  plasticity.signalling.mtorc1_gain: {from: 5, to: 12}
design: {kind: sobol, points: POINTS, seed: 7}
readouts:
  weight_4h: {of: weight, at: 4 h}
  weight_24h: {of: weight, at: 24 h}
  spines_24h: {of: spine_density, at: 24 h}
  spines_72h: {of: spine_density, at: 72 h}
  recurrent_24h: {of: recurrent, at: 24 h}
  effect_24h: {of: clinical_effect, at: 24 h}
  glutamate_mean: {of: glutamate, take: mean, from: 0 h, until: 1 h}
  rate_E_40min: {of: rate_hz, class: E, at: 40 min, relative_to: start}
  rate_SST_40min: {of: rate_hz, class: SST, at: 40 min, relative_to: start}
  block_E_40min: {of: block, pool: E.synaptic, at: 40 min}
  mtorc1_peak: {of: mtorc1, take: peak}
  bdnf_peak: {of: bdnf, take: peak}
figures: []
"""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--points", type=int, default=20)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--out", type=Path, default=Path("results/emulated_against_direct"))
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    found = {}
    for method in ("emulated", "direct"):
        text = (
            SWEEP.replace("METHOD", method)
            .replace("POINTS", str(asked.points))
            .replace("SEEDS", str(asked.seeds))
        )
        path = asked.out / f"{method}.yaml"
        path.write_text(text)
        found[method] = plastogen.run(path, out=asked.out / method)
    names = [name for name in found["direct"].data_vars if "readout" in found["direct"][name].attrs]
    covered, pairs = 0, 0
    print("readout           largest distance, % of range   in standard errors   covered")
    for name in names:
        direct, emulated = (_effect(found[method], name) for method in ("direct", "emulated"))
        error = _effect_error(found["emulated"], name)
        distance = direct.mean(-1) - emulated.mean(-1)
        scatter = (direct - emulated).std(axis=-1, ddof=1) / np.sqrt(direct.shape[-1])
        pooled = np.sqrt((scatter**2).mean())
        share = np.abs(distance) / max(np.ptp(direct.mean(-1)), 1e-12)
        inside = np.abs(distance) <= 1.96 * np.hypot(error, pooled)
        within = (share <= 0.03) | (np.abs(distance) <= 2 * np.hypot(pooled, error))
        covered, pairs = covered + int(inside.sum()), pairs + inside.size
        print(
            f"{name:17} {100 * share.max():12.1f}"
            f" {np.abs(distance / np.maximum(pooled, 1e-12)).max():28.1f} {inside.sum():12d} of"
            f" {inside.size}; within 3 % or 2 se: {within.sum()} of {within.size}"
        )
    print(f"covered: {covered} of {pairs} ({covered / pairs:.0%})")


def _effect(ds: object, name: str) -> np.ndarray:
    """Ketamine minus vehicle, (points, seeds)."""
    values = ds[name].transpose("arm", "point", "seed")  # type: ignore[index]
    return np.asarray(values.sel(arm="ketamine")) - np.asarray(values.sel(arm="vehicle"))


def _effect_error(ds: object, name: str) -> np.ndarray:
    """What a standard error does to the seed mean of the effect, (points,): errors of arms apart,
    of seeds alike.
    """
    errors = ds[f"{name}_se"].transpose("arm", "point", "seed")  # type: ignore[index]
    return np.hypot(*(np.asarray(errors.sel(arm=arm)).mean(-1) for arm in ("ketamine", "vehicle")))


if __name__ == "__main__":
    main()
