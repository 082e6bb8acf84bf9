"""In: a circuit, a drug. Out: every number the network of the page may be given, so that the page
itself has no model.

`cell_values` is a product in every number of a `Drive`. So the page needs its values at a drive of
ones, and for each class which numbers of the drive multiply them; what it then hands over equals
`cell_values` bit by bit (tested).
"""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
import numpy.typing as npt

from plastogen._base.quantity import Quantity
from plastogen._base.streams import stream
from plastogen.model.circuit import (
    Activity,
    Circuit,
    Drive,
    State,
    cell_values,
    left_under,
    reduce,
    shared_values,
)
from plastogen.model.pharmacology import Drug
from plastogen.simulation import NetworkProbe

Array = npt.NDArray[np.float64]

SEEDS = range(1, 13)
SETTLE_S, WINDOW_S = 0.5, 20  # of the drug-free network whose voltage and activity decide block
MG_QUARTERS = range(7)  # of the Mg2+ in the circuit's file: none to one and a half times as much
DRIVE_PERCENT = range(80, 121, 5)  # of the background rate in the circuit's file
DECADES_UM, TENTHS = (
    range(-2, 2),
    (
        10,
        12,
        15,
        20,
        25,
        30,
        40,
        50,
        60,
        80,
    ),
)  # concentrations of the table
LAST_FACTORS = ("ampa", "gaba", "inhibitory_weight", "pv_output", "release", "silence")


def left_numbers(circuit: Circuit) -> tuple[str, ...]:
    """The numbers of a drive that say how much of each class's NMDA conductance is left."""
    return tuple(f"{kind}_{name}" for kind in ("nmda", "tonic") for name in circuit.classes)


def factors(circuit: Circuit) -> tuple[str, ...]:
    """The circuit's numbers of a drive in the order in which `cell_values` multiplies.

    Another order gives another last bit.
    """
    last = (name for name in LAST_FACTORS if name in circuit.drive_numbers)
    return ("recurrent", *left_numbers(circuit), *last)


def packed(values: npt.ArrayLike) -> str:
    """Numbers as base64 of little-endian doubles."""
    return base64.b64encode(np.asarray(values, dtype="<f8").tobytes()).decode("ascii")


def cells(circuit: Circuit) -> dict[str, dict[str, Any]]:
    """Name -> {seeds: one array for each of SEEDS, or one for all; factors: for each class the
    drive's numbers}.

    Raises ValueError when a value is no product in the drive.
    """
    ones = Drive(**dict.fromkeys(factors(circuit), 1))
    plain = [cell_values(circuit, ones, seed) for seed in SEEDS]
    by: dict[str, list[list[str]]] = {name: [[] for _ in circuit.classes] for name in plain[0]}
    for number in factors(circuit):
        for name, twice in cell_values(circuit, ones.changed(**{number: 2.0}), SEEDS[0]).items():
            for k, part in enumerate(circuit.slices().values()):
                before, after = plain[0][name][part], twice[part]
                if np.array_equal(after, 2 * before) and before.any():
                    by[name][k].append(number)
                elif not np.array_equal(after, before):
                    raise ValueError(f"{name} is no product in {number}: the page cannot make it")
    found = {}
    for name in plain[0]:
        own = [values[name] for values in plain]
        same = all(np.array_equal(own[0], other) for other in own)
        found[name] = {
            "seeds": [packed(values) for values in (own[:1] if same else own)],
            "factors": by[name],
        }
    return found


def with_number(circuit: Circuit, section: str, name: str, value: float) -> Circuit:
    """The circuit with another number `section.name`, in the unit of its file."""
    part = getattr(circuit, section)
    old: Quantity = getattr(part, name)
    own = part.model_copy(update={name: Quantity(float(value), old.unit, f"{value:g} {old.unit}")})
    return circuit.model_copy(update={section: own})


def dials(circuit: Circuit) -> dict[str, list[dict[str, Any]]]:
    """Dial -> its places, each with a label, whether the circuit's file has it, and the values that
    it changes. A dial of a number that is 0 in the file has one place.
    """
    mg, rate = float(circuit.magnesium.concentration), float(circuit.background.rate)
    places = {
        "mg": [
            (f"{mg * q / 4:g} mM", q == 4, ("magnesium", "concentration", mg * q / 4))
            for q in (MG_QUARTERS if mg else (4,))
        ],
        "background": [
            (f"{p} %", p == 100, ("background", "rate", rate * p / 100)) for p in DRIVE_PERCENT
        ],
    }
    usual, found = shared_values(circuit), dict[str, list[dict[str, Any]]]()
    for dial, listed in places.items():
        found[dial] = []
        for label, is_usual, number in listed:
            now = shared_values(with_number(circuit, *number))
            changed = {name: value for name, value in now.items() if value != usual[name]}
            found[dial].append(
                {"label": label, "usual": is_usual, "value": number[2], "changes": changed}
            )
    return found


def concentrations() -> Array:
    """Unbound concentrations of the table, uM: none, then round numbers in even steps of the
    logarithm.
    """
    steps = (float(f"{tenths}e{decade - 1}") for decade in DECADES_UM for tenths in TENTHS)
    return np.array([0, *steps, 10 ** (DECADES_UM[-1] + 1)])


def block_table(circuit: Circuit, drug: Drug, rest: Activity) -> list[list[list[float]]]:
    """What a concentration of the drug leaves of NMDA conductance: [place of
    Mg2+][concentration][`left_numbers`]; `rest` is the drug-free network.
    """
    found = []
    for place in dials(circuit)["mg"]:
        now = with_number(circuit, "magnesium", "concentration", place["value"])
        row = []
        for uM in concentrations():
            drive = reduce(circuit, State(nmdar=left_under(now, drug, uM, rest)))
            row.append([float(drive[number]) for number in left_numbers(circuit)])
        found.append(row)
    return found


def inputs(circuit: Circuit, drug: Drug, *, backend: str | None = None) -> dict[str, Any]:
    """Everything the page's network needs beside its program, ready for JSON. Raises EngineError,
    StoreError.
    """
    rest = NetworkProbe(circuit, seconds=WINDOW_S, settle_s=SETTLE_S, backend=backend).measure(
        Drive(), SEEDS[0]
    )
    return {
        "title": circuit.title,
        "classes": {name: [part.start, part.stop] for name, part in circuit.slices().items()},
        "principal": circuit.principal,
        "roles": {name: circuit.populations[name].role for name in circuit.classes},
        "cells": cells(circuit),
        "shared": shared_values(circuit),
        "dials": dials(circuit),
        "factors": list(factors(circuit)),
        "usual": [float(Drive()[number]) for number in factors(circuit)],
        "seeds": [
            {"seed": s, "structure": stream(s, "structure"), "noise": stream(s, "noise")}
            for s in SEEDS
        ],
        "settle_s": SETTLE_S,
        "drug": drug.parent,
        "concentrations_uM": concentrations().tolist(),
        "left_numbers": list(left_numbers(circuit)),
        "left": np.round(block_table(circuit, drug, rest), 6).tolist(),
    }
