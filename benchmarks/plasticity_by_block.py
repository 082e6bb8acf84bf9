"""What block of NMDA receptors does to the balance of potentiation and depression, in the network.

    python benchmarks/plasticity_by_block.py visual_nonlinear classical

`prefrontal` as under lasting stress (recurrent strength 0.85), 8 seeds of 20 s. Concentrations of
ketamine block up to three quarters of the current of E cells, and of the other classes what they
then block there, at equilibrium: in the whole circuit; on the spine alone, where calcium of
synapses comes in through fewer receptors and the network runs as ever; and in the network alone,
where cells lose current and calcium is as if they had not. Beside them a GABA-A antagonist, from
less to more firing of E cells than under 0.41 uM of ketamine. Per rule: the change of the
balance from the same network untreated, with 95 % intervals over networks. Writes a figure beside
the docs (docs/_static/plasticity_by_block.svg).
"""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure
from scipy import stats

import plastogen
from plastogen.model.circuit import Activity, Circuit, Drive, State, balance, left_under, reduce
from plastogen.model.pharmacology import Drug
from plastogen.model.plasticity import CalciumRule
from plastogen.simulation import NetworkProbe

SEEDS, SECONDS, SETTLE_S, STRESSED = range(1, 9), 20, 0.5, 0.85
CONCENTRATIONS_UM = (0.2, 0.41, 0.7, 1, 1.5, 3, 5, 8, 14)
GABA_LEFT = (0.9, 0.8, 0.7)
FIGURE = Path(__file__).parents[1] / "docs" / "_static" / "plasticity_by_block.svg"
LOOKS = {"everywhere": "#0072B2", "spine alone": "#D55E00", "network alone": "#009E73"}


class Point(NamedTuple):
    """One state: E rate over that untreated, and the change of the balance, mean and half width of
    the 95 % interval.
    """

    what: str
    block: float
    rate: float
    change: float
    half: float


def blocked(circuit: Circuit, drug: Drug, uM: float, rest: Activity) -> Drive:
    """The stressed network under an unbound concentration, at equilibrium."""
    drive = reduce(circuit, State(nmdar=left_under(circuit, drug, uM, rest)))
    return drive.changed(recurrent=STRESSED)


def entering(rule: CalciumRule, share: float) -> CalciumRule:
    """The rule where presynaptic spikes let in so much of the usual calcium."""
    now = float(rule.presynaptic) * share
    return rule.model_copy(update={"presynaptic": replace(rule.presynaptic, value=now)})


def goals(circuit: Circuit, rule: CalciumRule, drive: Drive) -> tuple[np.ndarray, np.ndarray]:
    """Rates of E cells (Hz) and balances, (seeds,) each."""
    probe = NetworkProbe(circuit, rule, seconds=SECONDS, settle_s=SETTLE_S)
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda seed: probe.measure(drive, seed), SEEDS))
    rates = np.array([a.rate_hz[0] for a in found])
    return rates, np.array([float(balance(a.potentiation, a.depression)) for a in found])


def curve(name: str) -> list[Point]:
    """Every state under the rule `name`."""
    circuit = plastogen.load_model("circuits", "prefrontal")
    rule, drug = plastogen.load_model("rules", name), plastogen.load_model("drugs", "ketamine")
    untreated = Drive(recurrent=STRESSED)
    rest = NetworkProbe(circuit, seconds=SECONDS, settle_s=SETTLE_S).measure(Drive(), SEEDS[0])
    rate_0, goal_0 = goals(circuit, rule, untreated)
    points = [Point(what, 0, 1, 0, 0) for what in LOOKS]
    print(f"\n{name}: balance untreated {goal_0.mean():.3f}, E {rate_0.mean():.2f} Hz")
    print("| state | block of E | E rate | change of the balance |\n|---|---|---|---|")

    def note(what: str, block: float, rates: np.ndarray, found: np.ndarray) -> None:
        moved = found - goal_0
        half = stats.t.ppf(0.975, len(moved) - 1) * stats.sem(moved)
        point = Point(what, block, float((rates / rate_0).mean()), float(moved.mean()), float(half))
        points.append(point)
        label = f"{what} | {block:.0%}" if block else f"{what} |"
        print(f"| {label} | x{point.rate:.2f} | {point.change:+.4f} ± {half:.4f} |", flush=True)

    for uM in CONCENTRATIONS_UM:
        drive = blocked(circuit, drug, uM, rest)
        left = float(drive["nmda_E"])
        note("everywhere", 1 - left, *goals(circuit, rule, drive))
        note("spine alone", 1 - left, *goals(circuit, entering(rule, left), untreated))
        note("network alone", 1 - left, *goals(circuit, entering(rule, 1 / left), drive))
    for gaba in GABA_LEFT:
        drive = untreated.changed(gaba=gaba)
        note(f"GABA-A antagonist, {1 - gaba:.0%}", 0, *goals(circuit, rule, drive))
    return points


def draw(curves: dict[str, list[Point]]) -> Figure:
    """A panel a rule: the change of the balance by block of E."""
    fig = Figure(figsize=(4.6 * len(curves), 3.6), layout="constrained")
    for ax, (name, points) in zip(
        np.ravel(fig.subplots(1, len(curves))), curves.items(), strict=True
    ):
        ax.axhline(0, color="#7B8794", lw=1)
        for what, colour in LOOKS.items():
            mine = [p for p in points if p.what == what]
            x, y, half = np.array([(100 * p.block, p.change, p.half) for p in mine]).T
            ax.errorbar(x, y, half, color=colour, marker="o", ms=4, lw=1.5, label=what)
        gaba = [p for p in points if p.what.startswith("GABA")]
        ax.errorbar(
            [-3] * len(gaba),
            [p.change for p in gaba],
            [p.half for p in gaba],
            color="#7B8794",
            marker="v",
            ms=5,
            ls="",
            label="GABA-A antagonist (no block)",
        )
        ax.set_title(f"rule {name}", loc="left", fontsize=10, fontweight="bold")
        ax.set_xlabel("block of the NMDA current of E cells (%)")
        ax.spines[["top", "right"]].set_visible(False)
    first = fig.axes[0]
    first.set_ylabel("change of the balance")
    first.legend(frameon=False, fontsize=8)
    return fig


if __name__ == "__main__":
    names = sys.argv[1:] or ["visual_nonlinear", "classical"]
    draw({name: curve(name) for name in names}).savefig(FIGURE, metadata={"Date": None})
    print(f"figure {FIGURE.name}")
