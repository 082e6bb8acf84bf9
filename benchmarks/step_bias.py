"""Error of the time step: rates and gamma power against dt 0.02 ms, ours and plain exponential
Euler.

    python benchmarks/step_bias.py [--seeds 16] [--seconds 20] [--left 1] [--jobs 2] [--store FILE]
        [--json FILE]

A seed has the same connections, background strengths and first voltages at every step, but other
input spikes. Biases are paired by seed: mean over seeds of (value - value at 0.02 ms), with a t
interval, in percent of the mean at 0.02 ms. The reference is dt 0.02 ms with averaged conductances;
plain at 0.02 ms stands beside it. Runs are kept in --store as they end, so a broken run goes on
where it stopped.

`--left 0.7` leaves 70 % of all NMDA conductance. Every step has the same delay from threshold to
effect.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats
from variants import PlainEngine, circuit, machine, table

from plastogen.model.circuit import (
    GAMMA_HZ,
    Circuit,
    Drive,
    Engine,
    cell_values,
    measures,
    program_key,
    rates_hz,
)
from plastogen.model.circuit.program import build

REFERENCE, OURS, PLAIN = "averaged, 0.02 ms", "averaged, 0.5 ms (ours)", "plain, 0.1 ms"
VARIANTS: dict[str, tuple[type[Engine], float]] = {
    REFERENCE: (Engine, 0.02),
    OURS: (Engine, 0.5),
    PLAIN: (PlainEngine, 0.1),
    "plain, 0.02 ms": (PlainEngine, 0.02),
    "averaged, 0.1 ms": (Engine, 0.1),
    "plain, 0.5 ms": (PlainEngine, 0.5),
}
CLASSES = ("E", "PV", "SST")
READOUTS = (*(f"{name} rate" for name in CLASSES), "gamma power")
SETTLE_S = 2
LEVEL = 0.95


def drive(left: float) -> Drive:
    """The healthy circuit with the share `left` of its NMDA conductance."""
    return Drive(**{f"{kind}_{name}": left for kind in ("nmda", "tonic") for name in CLASSES})


def key(model: Circuit, engine: Engine, held: Drive, seconds: float) -> str:
    """Digest of all a seed's readouts depend on."""
    parts = [program_key(model), sorted(engine._shared.items()), seconds, SETTLE_S]
    cells = (values.tobytes() for _, values in sorted(cell_values(model, held, 0).items()))
    return hashlib.sha256(repr(parts).encode() + b"".join(cells)).hexdigest()[:16]


def kept(store: Path) -> dict[tuple[str, int], list[float]]:
    """(key, seed) -> readouts, of the runs already done; a line cut short is left out."""
    found = {}
    for line in store.read_text().splitlines() if store.exists() else ():
        try:
            one = json.loads(line)
        except json.JSONDecodeError:
            continue
        found[one["key"], one["seed"]] = one["readouts"]
    return found


def measure(
    name: str, *, seeds: int, seconds: float, left: float, jobs: int, store: Path
) -> dict[str, np.ndarray]:
    """Variant -> readouts, shape (seeds, readouts)."""
    held, done, guard = drive(left), kept(store), threading.Lock()
    models = {label: circuit(name, step_ms) for label, (_, step_ms) in VARIANTS.items()}
    engines = {label: kind(models[label]) for label, (kind, _) in VARIANTS.items()}
    keys = {label: key(models[label], engines[label], held, seconds) for label in VARIANTS}

    def one(job: tuple[int, str]) -> None:
        seed, label = job
        if (keys[label], seed) in done:
            return
        spikes = engines[label].run(held, seed, seconds=seconds, settle_s=SETTLE_S)
        readouts = [
            *rates_hz(spikes)[0].tolist(),
            measures.band_power(*measures.spectrum(spikes), GAMMA_HZ),
        ]
        with guard:
            done[keys[label], seed] = readouts
            with store.open("a") as out:
                out.write(
                    json.dumps(
                        {"key": keys[label], "variant": label, "seed": seed, "readouts": readouts}
                    )
                    + "\n"
                )
            print(f"seed {seed}, {label}: " + ", ".join(f"{x:.4g}" for x in readouts), flush=True)

    store.parent.mkdir(parents=True, exist_ok=True)
    for model in models.values():
        build(model)  # here, since Brian2 is imported in the main thread or not at all
    with ThreadPoolExecutor(jobs) as pool:
        list(pool.map(one, [(seed, label) for seed in range(1, seeds + 1) for label in VARIANTS]))
    return {
        label: np.array([done[keys[label], seed] for seed in range(1, seeds + 1)])
        for label in VARIANTS
    }


def mean_and_half_width(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean over seeds (rows) and half the width of its 95 % t interval."""
    n = len(x)
    return x.mean(axis=0), stats.t.ppf((1 + LEVEL) / 2, n - 1) * x.std(axis=0, ddof=1) / np.sqrt(n)


def compare(found: dict[str, np.ndarray]) -> dict[str, Any]:
    """Biases in percent of the reference, and how much larger plain's are in size than ours (paired
    by seed).
    """
    reference = found[REFERENCE]
    percent = {label: 100 * (x - reference) / reference.mean(axis=0) for label, x in found.items()}
    biases = {label: mean_and_half_width(x) for label, x in percent.items() if label != REFERENCE}
    sign = {label: np.sign(biases[label][0]) for label in (OURS, PLAIN)}
    excess = mean_and_half_width(sign[PLAIN] * percent[PLAIN] - sign[OURS] * percent[OURS])
    return {
        "reference": mean_and_half_width(reference),
        "biases": biases,
        "plain minus ours": excess,
    }


def judgement(excess: float, half_width: float) -> str:
    """What can be said of the size of our bias beside plain's."""
    if excess - half_width > 0:
        return "ours is smaller"
    return "ours is LARGER" if excess + half_width < 0 else "no larger within the interval"


def report(
    result: dict[str, Any], found: dict[str, np.ndarray], seconds: float, left: float
) -> str:
    """The result in Markdown."""
    value, wide = result["reference"]
    rows = [
        [f"{REFERENCE}: value", *(f"{x:.3f} ± {w:.3f}" for x, w in zip(value, wide, strict=True))]
    ]
    for label, (bias, half) in result["biases"].items():
        rows.append(
            [f"{label}: bias %", *(f"{b:+.2f} ± {h:.2f}" for b, h in zip(bias, half, strict=True))]
        )
    excess, half = result["plain minus ours"]
    rows.append(
        [
            "size: plain 0.1 less ours, %",
            *(f"{b:+.2f} ± {h:.2f}" for b, h in zip(excess, half, strict=True)),
        ]
    )
    verdicts = [judgement(b, h) for b, h in zip(excess, half, strict=True)]
    met = "met" if all("LARGER" not in verdict for verdict in verdicts) else "MISSED"
    return "\n".join([
        f"{len(found[REFERENCE])} seeds x {seconds:g} s of biology after {SETTLE_S} s, {100 * left:g} % of NMDA "
        f"conductance; rates in Hz, power in Hz^2; mean ± half of the 95 % interval over seeds. {machine()}.",
        "", table(["", *READOUTS], [*rows, ["bias", *verdicts]]), "",
        f"Our bias is no larger than that of plain exponential Euler at 0.1 ms: {met}.",
    ])  # fmt: skip


def main() -> None:
    """Measure, print and, if asked, keep."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--circuit", default="prefrontal")
    parser.add_argument("--seeds", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--left", type=float, default=1, help="share of NMDA conductance left")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--store", type=Path, default=Path("results/benchmarks/step_bias.jsonl"))
    parser.add_argument("--json", type=Path, help="also write every figure here")
    asked = parser.parse_args()
    found = measure(
        asked.circuit,
        seeds=asked.seeds,
        seconds=asked.seconds,
        left=asked.left,
        jobs=asked.jobs,
        store=asked.store,
    )
    result = compare(found)
    print(report(result, found, asked.seconds, asked.left))
    if asked.json:
        kept_values = {
            "readouts": READOUTS,
            "machine": machine(),
            "seeds": {k: x.tolist() for k, x in found.items()},
        }
        asked.json.write_text(
            json.dumps(kept_values | {"result": result}, default=np.ndarray.tolist, indent=1)
        )


if __name__ == "__main__":
    main()
