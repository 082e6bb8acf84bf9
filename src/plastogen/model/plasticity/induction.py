"""In: the `induction:` of an experiment. Out: when both cells of a synapse, or of a pathway of
synapses, are made to fire, and what that leaves of their efficacy.

    repeats x (trains x (spikes at a rate))        a theta burst: 4 spikes at 100 Hz, 10 trains,
                                                   one every 200 ms

Trains do not overlap: the next begins `every` after the last began or, where a train takes longer,
where its next spike would have stood; so do repeats.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Annotated, Any, Literal

import numpy as np
import numpy.typing as npt
import pydantic
from pydantic import Field

from plastogen._base.definition import Definition
from plastogen._base.quantity import Fault, Given, Quantity, faulty
from plastogen._base.units import parse
from plastogen.model.circuit import RuleNumbers, measures
from plastogen.model.pharmacology import S_PER_H
from plastogen.model.plasticity.calcium_rule import Efficacies, efficacies

Array = npt.NDArray[np.float64]
MOST_SPIKES = 1_000_000  # of all synapses together
MOST_SD = 6  # standard deviations: none of so many spikes is jittered further


def _default(text: str, unit: str) -> Any:
    return Field(default_factory=lambda: Quantity(parse(text, unit), unit, text))


class Induction(Definition):
    """What electrodes do to a synapse, or to a pathway of `synapses` onto one cell.

    `drives`: which cells they make fire. `timing`: spikes of a train are even (regular), pairs come
    at Poisson times (irregular), or either cell has Poisson times of its own (independent).
    `interval`: from the presynaptic spike to the postsynaptic one, negative where that comes first.
    `at`: the first spike of the presynaptic cell, in the time of the course. `block`: share of the
    synapse's NMDA receptors taken out, beside what drugs block. `initial`: efficacy to begin with,
    the rule's own if not given; `spread`: synapses begin evenly spread that far to both sides.
    `jitter`: standard deviation of each presynaptic spike of each synapse.
    """

    drives: Literal["both", "presynaptic", "postsynaptic"] = "both"
    timing: Literal["regular", "irregular", "independent"] = "regular"
    rate: Annotated[Quantity, Given("Hz", above=0)]
    interval: Annotated[Quantity, Given("ms")] = _default("10 ms", "ms")
    spikes: int = Field(5, ge=1)
    trains: int = Field(1, ge=1)
    every: Annotated[Quantity, Given("s", above=0)] = _default("10 s", "s")
    repeats: int = Field(1, ge=1)
    repeat_every: Annotated[Quantity, Given("s", above=0)] = _default("5 min", "s")
    at: Annotated[Quantity, Given("h")] = _default("0 h", "h")
    block: Annotated[Quantity, Given("1", minimum=0, maximum=1)] = _default("0", "1")
    initial: Annotated[Quantity, Given("1", above=0, maximum=1)] | None = None
    synapses: int = Field(1, ge=1)
    spread: Annotated[Quantity, Given("1", minimum=0, below=1)] = _default("0", "1")
    jitter: Annotated[Quantity, Given("ms", minimum=0)] = _default("0 ms", "ms")

    @pydantic.model_validator(mode="after")
    def _possible(self) -> Induction:
        faults = list(self._faults())
        if faults:
            raise faulty(faults)
        return self

    def _faults(self) -> Iterator[Fault]:
        count = self.spikes * self.trains * self.repeats * self.synapses
        if count > MOST_SPIKES:
            found = f"{count} spikes (spikes x trains x repeats x synapses)"
            yield Fault("", found, f"at most {MOST_SPIKES}")
        if self.timing != "regular" and self.drives != "both":
            wanted = "regular, or both cells driven (drives: both)"
            yield Fault("timing", f"'{self.timing}' where one cell is driven", wanted)
        if self.synapses == 1 and float(self.spread):
            yield Fault("spread", f"{self.spread.text} of one synapse", "synapses: 2 or more")

    def first_efficacies(self, usual: float) -> Array:
        """What synapses begin with, (synapses,); `usual`: in the middle, where the file does not
        say.
        """
        middle = usual if self.initial is None else float(self.initial)
        spread = float(self.spread)
        return np.linspace(middle - spread, middle + spread, self.synapses)

    @property
    def words(self) -> str:
        """What is done, as a methods section says it."""
        kind = {"regular": "", "irregular": " at Poisson times", "independent": " (Poisson)"}
        noun = "pairs" if self.drives == "both" else f"{self.drives} spikes"
        if self.timing == "independent":
            noun = "spikes of either cell"
        text = f"{self.spikes} {noun} at {self.rate.text}{kind[self.timing]}"
        if self.drives == "both" and self.timing != "independent":
            text += f", the postsynaptic spike {self.interval.text} after the presynaptic one"
        text += f", {self.trains} times, every {self.every.text}" if self.trains > 1 else ""
        if self.repeats > 1:
            text += f"; all of it {self.repeats} times, every {self.repeat_every.text}"
        if self.synapses > 1:
            text += f", at {self.synapses} synapses"
        block = float(self.block)
        return text + (f"; {100 * block:g} % of its NMDA receptors taken out" if block else "")

    @property
    def starts_s(self) -> Array:
        """When trains begin, from the first (trains x repeats,)."""
        train_s = max(float(self.every), self.spikes / float(self.rate))
        repeat_s = max(float(self.repeat_every), self.trains * train_s)
        starts = np.add.outer(np.arange(self.repeats) * repeat_s, np.arange(self.trains) * train_s)
        return np.asarray(starts.ravel())

    @property
    def length_h(self) -> float:
        """From the first spike to where the one after the last would stand."""
        return float(self.starts_s[-1] + self.spikes / float(self.rate)) / S_PER_H

    @property
    def edges_h(self) -> tuple[float, float]:
        """The first and the last moment, from `at`, at which either cell may be made to fire."""
        paired = self.drives == "both" and self.timing != "independent"
        late = float(self.interval) / measures.MS_PER_S if paired else 0.0
        spread = MOST_SD * float(self.jitter) / measures.MS_PER_S
        early_s, late_s = min(0.0, late) - spread, max(0.0, late) + spread
        return early_s / S_PER_H, self.length_h + late_s / S_PER_H

    def spike_times(self, rng: np.random.Generator) -> tuple[Array, Array]:
        """When the cells fire, s from `at`: presynaptic (synapses, spikes), postsynaptic (spikes,).

        A cell that is not driven has none.
        """
        first = self._train(rng)
        pre = first if self.drives != "postsynaptic" else first[:0]
        late = float(self.interval) / measures.MS_PER_S
        post = self._train(rng) if self.timing == "independent" else first + late
        post = post if self.drives != "presynaptic" else post[:0]
        jitter = float(self.jitter) / measures.MS_PER_S
        noise = rng.standard_normal((self.synapses, len(pre))) if jitter else 0.0
        return np.broadcast_to(pre, (self.synapses, len(pre))) + jitter * noise, post

    def _train(self, rng: np.random.Generator) -> Array:
        """Spikes of all trains; irregular ones are a Poisson process, given their number."""
        starts, span_s = self.starts_s, self.spikes / float(self.rate)
        if self.timing == "regular":
            within = np.arange(self.spikes) / float(self.rate)
            return np.asarray(np.add.outer(starts, within).ravel())
        within = np.sort(rng.random((len(starts), self.spikes)), axis=1) * span_s
        return np.asarray((starts[:, None] + within).ravel())


def induce(
    induction: Induction,
    numbers: RuleNumbers,
    at_s: Array,
    rng: np.random.Generator,
    left: Callable[[float], float],
) -> list[Efficacies]:
    """Every synapse of the pathway at the times `at_s` (s from the induction's first spike).

    `left(s)`: conductance of its NMDA receptors that drugs leave.
    """
    pre, post = induction.spike_times(rng)
    own = 1 - float(induction.block)
    return [
        efficacies(numbers, one, post, at_s, left=lambda s: own * left(s), initial=float(first))
        for one, first in zip(pre, induction.first_efficacies(numbers.initial), strict=True)
    ]
