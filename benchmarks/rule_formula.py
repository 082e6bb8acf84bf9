"""The section `formula` of a calcium rule, fitted on the spiking network.

    python benchmarks/rule_formula.py visual_nonlinear classical

`prefrontal`, 4 seeds of 10 s, a state at a time: NMDA receptors of principal cells blocked by up to
75 % and those of the other classes as ketamine then blocks them, GABA-A receptors, release, AMPA
receptors and recurrent strength turned down or up. Baselines are means over seeds by class of
synapse. Of each number, the logarithm of its mean over classes,
relative to the seed's own baseline, is fitted by least squares on those of the rate of principal
cells and of what is left of NMDA conductance times release: two slopes, neither below 0, no constant. Printed as
YAML, with the part of the variance that the two explain.
"""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from itertools import product

import numpy as np
from scipy import optimize

import plastogen
from plastogen.model.circuit import RATE_GROUPS, Activity, Circuit, Drive
from plastogen.simulation import NetworkProbe

SEEDS, SECONDS, SETTLE_S = range(1, 5), 10, 0.5
BLOCKS = (0.04, 0.09, 0.16, 0.2, 0.28, 0.35, 0.5, 0.75)
ODDS = {"E": 1, "PV": 1.15, "SST": 1.53}  # of block, of what ketamine blocks of E at 0.5 mg/kg
OTHERS: tuple[dict[str, float], ...] = (
    {"gaba": 0.9},
    {"gaba": 0.8},
    {"gaba": 0.7},
    {"release": 0.7},
    {"ampa": 0.95},
    {"ampa": 0.8},
    {"recurrent": 0.851},
    {"recurrent": 1.1},
)
NUMBERS = ("potentiation", "depression", "drift_variance")
NOTE = "fitted on the network (benchmarks/rule_formula.py)"


def states(circuit: Circuit) -> list[Drive]:
    """The healthy state, then all others."""
    odds = [(f"{kind}_{name}", ratio) for name, ratio in ODDS.items() for kind in ("nmda", "tonic")]
    blocked = [
        Drive(**{pool: 1 / (1 + ratio * share / (1 - share)) for pool, ratio in odds})
        for share in BLOCKS
    ]
    return [Drive(), *blocked, *(Drive(**numbers) for numbers in OTHERS)]


def entry(value: float) -> str:
    return f'{{value: {value:.3g}, source: computed, evidence: computed, note: "{NOTE}"}}'


def fitted(circuit: Circuit, drives: list[Drive], answers: list[Activity], number: str) -> str:
    """One number of the section; answers state by state, seed by seed."""
    values = np.array([getattr(a, number) for a in answers]).reshape(len(drives), len(SEEDS), -1)
    rates = np.array([a.rate_hz[0] for a in answers]).reshape(len(drives), len(SEEDS))
    left = [d[f"nmda_{circuit.principal}"] * d["release"] for d in drives[1:]]
    logs = np.log(values[1:].mean(axis=-1) / values[0].mean(axis=-1)).ravel()
    by = np.column_stack(
        [np.log(rates[1:] / rates[0]).ravel(), np.repeat(np.log(left), len(SEEDS))]
    )
    slopes, _ = optimize.nnls(by, logs)
    explained = 1 - np.var(logs - by @ slopes) / np.var(logs)
    lines = [f"  {number}:  # explains {explained:.0%}", "    baseline:"]
    base = values[0].mean(axis=0).reshape(len(RATE_GROUPS), -1)
    for group, row in zip(RATE_GROUPS, base, strict=True):
        cells = [f"{b}: {entry(v)}" for b, v in zip(RATE_GROUPS, row, strict=True)]
        lines.append(f"      {group}: {{{', '.join(cells)}}}")
    names = zip(("rate", "left"), slopes, strict=True)
    return "\n".join(lines + [f"    {name}: {entry(slope)}" for name, slope in names])


def section(name: str) -> str:
    """The section of the rule `name`."""
    circuit = plastogen.load_model("circuits", "prefrontal")
    rule = plastogen.load_model("rules", name)
    probe = NetworkProbe(circuit, rule, seconds=SECONDS, settle_s=SETTLE_S)
    drives = states(circuit)
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda q: probe.measure(*q), product(drives, SEEDS)))
    return "formula:\n" + "\n".join(fitted(circuit, drives, answers, n) for n in NUMBERS)


if __name__ == "__main__":
    for name in sys.argv[1:]:
        print(f"# models/rules/{name}.yaml\n{section(name)}\n", flush=True)
