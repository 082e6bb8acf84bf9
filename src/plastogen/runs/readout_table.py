"""In: runs, one after the other, and the cells they stand in. Out: what is kept in memory of each:
readouts, state.

Each readout is read from the whole course. Where an emulator answered in place of the network,
`<readout>_se` says how far one of its standard errors moves the readout; what another seed would do
is not in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from plastogen.experiment import COMPLETE, ERROR, REASON, Readout, evaluate, read
from plastogen.model.pharmacology import KNOWN, Known
from plastogen.runs.netcdf import Dims
from plastogen.runs.store import Stored

Array: TypeAlias = NDArray[Any]
MISSING = "missing"


def _read(readout: Readout, run: Stored, known: Known | None) -> tuple[float, str, float]:
    """The number, why it is none of a time, and how far a standard error of the emulator moves it;
    NaN where no emulator answered.
    """
    number, reason = read(
        readout, arrays=run.arrays, time_h=run.time_h, labels=run.labels, known=known
    )
    if not run.emulated:
        return number, reason, np.nan
    arrays = {**run.arrays, **run.moved}
    moved = evaluate(readout, arrays=arrays, time_h=run.time_h, labels=run.labels, known=known)
    return number, reason, abs(moved - number)


class ReadoutTable:
    """What is kept in memory of every run, cell by cell: its readouts, whether it is there, how it
    came about.
    """

    def __init__(self, readouts: Mapping[str, Readout], names: Array) -> None:
        self.readouts, self.names = readouts, names
        self.numbers = {name: np.full(names.shape, np.nan) for name in readouts}
        self.errors: dict[str, Array] = {}
        self.reasons: dict[str, Array] = {}
        self.status = np.full(names.shape, MISSING, dtype=object)
        self.probes, self.cap_hit = (
            np.zeros(names.shape, dtype=np.int64),
            np.zeros(names.shape, dtype=np.int8),
        )
        self.beyond = np.full(names.shape, "", dtype=object)
        self.backends: set[str] = set()

    @property
    def of_known(self) -> bool:
        """Whether a readout is of what is known beforehand."""
        return any(readout.of in KNOWN for readout in self.readouts.values())

    def enter(
        self, places: Iterable[tuple[int, ...]], run: Stored, known: Known | None = None
    ) -> None:
        """A run that is there, at all places that share it. `known`: what was given in it."""
        log = run.manifest["log"]
        numbers = {name: _read(readout, run, known) for name, readout in self.readouts.items()}
        if run.emulated and not self.errors:
            self.errors = {name: np.full(self.names.shape, np.nan) for name in self.readouts}
        self.backends.add(str(run.manifest["backend"]))
        for at in places:
            self.status[at] = COMPLETE
            self.beyond[at] = str(log.get("beyond", ""))
            self.probes[at], self.cap_hit[at] = (
                int(log.get("probes", 0)),
                int(bool(log.get("cap_hit", False))),
            )
            for name, (number, reason, error) in numbers.items():
                self.numbers[name][at] = number
                if reason:
                    empty = np.full(self.names.shape, "", dtype=object)
                    self.reasons.setdefault(name, empty)[at] = reason
                if self.errors:
                    self.errors[name][at] = error

    def miss(self, places: Iterable[tuple[int, ...]], why: str) -> None:
        """A run that is not there."""
        for at in places:
            self.status[at] = why

    def state(self) -> dict[str, str]:
        """What became of each run."""
        return dict(zip(self.names.ravel(), self.status.ravel(), strict=True))

    @property
    def complete(self) -> NDArray[np.bool_]:
        return np.asarray(self.status == COMPLETE)

    def variables(self, dims: Dims) -> dict[str, tuple[Dims, Array, dict[str, Any]]]:
        """All of it as variables over `dims`."""
        found: dict[str, tuple[Dims, Array, dict[str, Any]]] = {}
        for name, readout in self.readouts.items():
            title = readout.title or name.replace("_", " ")
            attrs = {
                "units": readout.unit,
                "long_name": title,
                "readout": 1,
                "of": readout.of,
                "scale": readout.scale,
            }
            if readout.relative_to is not None and readout.unit == "1":
                how = "ratio_to" if readout.as_ == "ratio" else "difference_from"
                attrs[how] = readout.relative_to
            if readout.yes_no:
                beyond = "above" if readout.above is not None else "below"
                attrs |= {"yes_no": 1, "threshold": readout.threshold, "beyond": beyond}
            found[name] = (dims, self.numbers[name], attrs)
            if name in self.reasons:
                attrs = {"long_name": f"why there is none: {title}", "reason_of": name}
                found[f"{name}{REASON}"] = (dims, self.reasons[name], attrs)
            if self.errors:
                attrs = {
                    "units": readout.unit,
                    "long_name": f"standard error of the emulator, {title}",
                    "error_of": name,
                }
                found[f"{name}{ERROR}"] = (dims, self.errors[name], attrs)
        if self.errors:
            attrs = {"long_name": "numbers of the circuit beyond all the emulator was asked"}
            found["beyond"] = (dims, self.beyond, attrs)
        seeds = f"complete seeds of {self.names.shape[-1]} expected"
        return found | {
            "status": (dims, self.status, {"long_name": "whether the run is complete, or why not"}),
            "run": (dims, self.names, {"long_name": "folder of the run, below runs/"}),
            "probes": (
                dims,
                self.probes,
                {"units": "1", "long_name": "times the circuit was asked"},
            ),
            "cap_hit": (
                dims,
                self.cap_hit,
                {"units": "1", "long_name": "1 where the cap on probes was reached"},
            ),
            "n": (dims[:-1], self.complete.sum(-1), {"units": "1", "long_name": seeds}),
        }
