"""What a circuit did: spikes and sampled voltages of one run, before anything is made of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from plastogen.model.circuit.definition import PRINCIPAL


@dataclass(frozen=True, eq=False)
class Spikes:
    """Spikes and voltages after settling.

    t_s: spike times (s from the end of settling), i: the cells that fired, both shape (spikes,), in
    order of time. seconds: length. v_mV: voltages, shape (samples, recorded cells); recorded: which
    cells those are. slices: class -> its cells, the principal class first. synapses: the cells
    before and behind each synapse, shape (2, synapses), where these were wanted.
    """

    t_s: npt.NDArray[np.float64]
    i: npt.NDArray[np.int32]
    seconds: float
    v_mV: npt.NDArray[np.float64]
    recorded: npt.NDArray[np.int64]
    slices: dict[str, slice]
    synapses: npt.NDArray[np.int32] | None = None

    @property
    def classes(self) -> tuple[str, ...]:
        """The circuit's classes, in order."""
        return tuple(self.slices)

    @property
    def principal(self) -> str:
        """The class of principal cells."""
        return self.classes[PRINCIPAL]

    def of(self, name: str) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int32]]:
        """Times and cells (counted from 0 within the class) of the spikes of class `name`."""
        part = self.slices[name]
        inside = (self.i >= part.start) & (self.i < part.stop)
        return self.t_s[inside], self.i[inside] - part.start

    def count(self, name: str) -> int:
        """Number of cells of class `name`."""
        part = self.slices[name]
        return len(range(part.start, part.stop))
