"""In: spikes that electrodes cause. Out: what makes cells of a Brian2 network fire then, whatever
else drives them.

A cell that is made to fire does so in the step of the spike, with all that follows from a spike of
its own.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from plastogen.model.circuit.measures import MS_PER_S

MOST_DRIVEN = 2**15  # spikes that electrodes may cause in a run
NEVER_BIN = 2**31 - 1
FIRES = "forced_post = 1"
# of a cell that can be driven:
VARIABLES, THRESHOLD, RESET = "forced : 1", "forced > 0", "forced = 0"
GIVEN = ("_timebins", "neuron_index")  # what a compiled program is told at run time


class Driven(NamedTuple):
    """Spikes that electrodes cause, (spikes,) in rising order of time: whole steps of the network
    from its start, and cells.
    """

    bins: npt.NDArray[Any]
    cells: npt.NDArray[Any]

    @classmethod
    def at(cls, t_s: npt.ArrayLike, cells: npt.ArrayLike, step_ms: float) -> Driven:
        """Spikes of `cells` at the times `t_s`, each in the step that holds it; two of a cell in
        one step are one.
        """
        steps = np.rint(np.asarray(t_s, float) * MS_PER_S / step_ms).astype(np.int64)
        both = np.unique(np.stack([steps, np.asarray(cells, np.int64)], axis=1), axis=0)
        return cls(*both.T)

    @classmethod
    def nobody(cls) -> Driven:
        """As many spikes as there may be, none of which comes: what a program is compiled with."""
        return cls(np.arange(MOST_DRIVEN) + MOST_DRIVEN, np.zeros(MOST_DRIVEN, np.int64))

    @property
    def given(self) -> dict[str, npt.NDArray[np.int32]]:
        """The arrays that a compiled program is given."""
        room = (0, MOST_DRIVEN - len(self.bins))
        bins = np.pad(self.bins, room, constant_values=NEVER_BIN)
        values = bins.astype(np.int32), np.pad(self.cells, room).astype(np.int32)
        return {f"electrodes.{name}": x for name, x in zip(GIVEN, values, strict=True)}


def equations() -> list[str]:
    """All that is written in Brian2's language of electrodes."""
    return [VARIABLES, THRESHOLD, RESET, FIRES, str(MOST_DRIVEN)]


def attached(group: Any, n: int, step_ms: float, driven: Driven) -> dict[str, Any]:
    """An electrode for each cell of `group`, ahead of all else in a step: parts by name."""
    import brian2 as b2

    times = driven.bins * step_ms * b2.ms
    electrodes = b2.SpikeGeneratorGroup(n, driven.cells, times, when="start", name="electrodes")
    for name in GIVEN:
        electrodes.variables[name].read_only = False
    contacts = b2.Synapses(electrodes, group, on_pre=FIRES, name="contacts", namespace={})
    contacts.pre.when = "before_groups"
    contacts.connect(j="i")
    return {"electrodes": electrodes, "contacts": contacts}
