"""In: nothing. Out: `MODEL_VERSION`, which says what computes a course, a part of every run's name;
`SPINES_VERSION`, a part of the names of those that follow each spine.

Raise a number when what that part computes moves: tests/goldens.py then has to write its numbers
again, and every run is made again under another name. Wording,
layout, names and speed need no new version (docs/decisions/0017).
"""

from __future__ import annotations

MODEL_VERSION: dict[str, int] = {
    "pharmacology": 10,  # kinetics, block, targets
    "circuit": 5,  # what the network is, what it is given, what is measured of it
    "plasticity": 6,  # equations of the slow state
    "simulation": 12,  # steps, probes, the emulator
}

SPINES_VERSION = 5  # what follows each spine: its table, and how the circuit hears it
