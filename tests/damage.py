"""What plastogen's own files are tried with: a short experiment, the kinds of file it leaves, and a
flipped bit in one of them.
"""

from __future__ import annotations

import random
from pathlib import Path

MINE = """question: Does one dose raise weights?
model: {subject: healthy_adult, circuit: small}
course: {duration: 3 h, seeds: SEEDS, method: formula}
arms:
  vehicle: {}
  ketamine: {give: {x: {drug: ketamine, dose: 1 mg/kg, route: iv, over: 40 min}}}
readouts: {weight_2h: {of: weight, at: 2 h}}
figures: [arms]
"""
KINDS = (
    "results.nc", "table.csv", "report.html", "report.json", "asked.json", "checksums.json",
    "figures/arms.png", "figures/arms.svg", "figures/drawn.json", "figures/checksums.json",
    "runs/*/manifest.json", "runs/*/course.npz", "runs/*/plan.json", "runs/*/snapshots.npz",
)  # fmt: skip


def write_mine(folder: Path, *, seeds: int) -> None:
    """Put the experiment into a folder, as mine.yaml."""
    (folder / "mine.yaml").write_text(MINE.replace("SEEDS", str(seeds)))


def flip(path: Path, rng: random.Random) -> None:
    """Turn over one bit of a file."""
    raw = bytearray(path.read_bytes())
    raw[rng.randrange(len(raw))] ^= 1 << rng.randrange(8)
    path.write_bytes(raw)
