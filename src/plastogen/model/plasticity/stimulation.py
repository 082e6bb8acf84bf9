"""In: an entry of `intervene:` that stimulates cells. Out: which principal cells electrodes make
fire in the network, and when.

As light does that makes chosen cells fire (Carrillo-Reid 2016): what is not a presentation of
`teaching:`, but comes later, under what is given then, and from the weights that are there.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field, model_validator

from plastogen._base.definition import Definition
from plastogen._base.quantity import Fault, faulty
from plastogen.model.pharmacology import Moment
from plastogen.model.plasticity.ensembles import Pulses, Rate, Seconds, pulses, spikes_of
from plastogen.model.plasticity.intervention import NOW, Cells

Array = npt.NDArray[np.int64]


class Stimulation(Definition):
    """One entry of `intervene:`, which makes cells fire at `at`: `times` over, one `every` so
    often, for so long (`for:`), at a `rate`.

    stimulate: `ensembles`, the one with a `number` (the first is 1) or all in turn; or `cells`, a
    `group` of them. All of it takes no time in the course. Meanwhile the calcium rule moves every
    synapse between principal cells.
    """

    stimulate: Literal["ensembles", "cells"]
    number: int | None = Field(None, ge=1)
    group: Cells | None = None
    at: Moment = NOW
    rate: Rate
    held: Seconds = Field(alias="for")
    every: Seconds
    times: int = Field(1, ge=1)

    @model_validator(mode="after")
    def _possible(self) -> Stimulation:
        faults = list(self._faults())
        if faults:
            raise faulty(faults)
        return self

    def _faults(self) -> Iterator[Fault]:
        if self.stimulate == "cells" and self.group is None:
            wanted = "which cells, such as group: {share: 10 %, draw: a}"
            yield Fault("group", "nothing beside stimulate: cells", wanted)
        if self.stimulate == "cells" and self.number is not None:
            wanted = "`number` only beside stimulate: ensembles"
            yield Fault("number", f"{self.number} beside stimulate: cells", wanted)
        if self.stimulate == "ensembles" and self.group is not None:
            wanted = "`group` only beside stimulate: cells"
            yield Fault("group", f"{self.group.words} beside stimulate: ensembles", wanted)
        if float(self.held) > float(self.every):
            wanted = f"at most every, {self.every.text}: one stretch after the other"
            yield Fault("for", self.held.text, wanted)
        if self.spikes < 1:
            found = f"{self.rate.text} for {self.held.text}, less than a spike"
            yield Fault("rate", found, "a spike or more of each cell")

    @property
    def spikes(self) -> int:
        """Of each cell in a stretch."""
        return spikes_of(self.rate, self.held)

    def cells(self, members: Array, principal: int, seed: int) -> Array:
        """Who fires together, (groups, cells), of ensembles with these `members`."""
        if self.group is not None:
            return np.flatnonzero(self.group.members(principal, seed))[None]
        return members if self.number is None else members[self.number - 1][None]

    def pulses(self, cells: Array, rng: np.random.Generator) -> Pulses:
        """The spikes of all stretches, s from the begin; groups of (groups, cells) in turn."""
        order = np.tile(np.arange(len(cells)), self.times)
        held_s, every_s = float(self.held), float(self.every)
        return pulses(order, cells, rng, spikes=self.spikes, held_s=held_s, every_s=every_s)

    @property
    def what(self) -> str:
        """In few words: `ensemble 1 stimulated`, as on a figure."""
        which = "all ensembles" if self.number is None else f"ensemble {self.number}"
        return f"{which if self.group is None else self.group.words} stimulated"

    @property
    def words(self) -> str:
        """In a sentence: `ensemble 1 stimulated at 2 h, 15 times for 500 ms at 40 Hz`."""
        return (
            f"{self.what} at {self.at.text}, {self.times} times for {self.held.text} at"
            f" {self.rate.text}, one every {self.every.text}"
        )
