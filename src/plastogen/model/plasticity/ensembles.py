"""In: the `ensembles:` of an experiment. Out: which cells belong together, and when electrodes make
them fire: to teach, and to remind.

Teaching presents each ensemble in turn: all of its cells fire at a rate, each at Poisson times of
its own, given their number. Reminding drives a share of one ensemble's cells (the cue), and is then
silent. What that does to weights is left to the calcium rule.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import pydantic
from pydantic import Field

from plastogen._base.definition import Definition
from plastogen._base.quantity import Fault, Given, Quantity, faulty
from plastogen._base.streams import stream
from plastogen._base.units import parse
from plastogen.model.pharmacology import Moment

Array = npt.NDArray[Any]
MOST_ENSEMBLES, MOST_RECALLS = 20, 20


def _default(text: str, unit: str) -> Any:
    return Field(default_factory=lambda: Quantity(parse(text, unit), unit, text))


Share = Annotated[Quantity, Given("1", minimum=0, maximum=1)]
Seconds = Annotated[Quantity, Given("s", above=0)]
Rate = Annotated[Quantity, Given("Hz", above=0)]


class Teaching(Definition):
    """When and how ensembles are made, at `at` in the time of the course.

    Each of `presentations` drives every ensemble once, `held` (`for:`) long, one `every` so often.
    `block`: share of the NMDA receptors of all cells taken out meanwhile, beside what drugs block.
    """

    at: Moment
    rate: Rate
    held: Seconds = Field(alias="for")
    every: Seconds
    presentations: int = Field(ge=1)
    block: Share = _default("0", "1")


class Recall(Definition):
    """When ensembles are looked for and how: a `cue` drives that share of the cells of one, `held`
    (`for:`) long, every so often, `repeats` times each.

    Delay activity is that of `delay`, from and until so long after a cue has ended. `block`: as of
    teaching. `weights`: as they were learned, or shuffled among all synapses.
    """

    at: list[Moment] = Field(min_length=1, max_length=MOST_RECALLS)
    cue: Annotated[Quantity, Given("1", above=0, below=1)]
    rate: Rate
    held: Seconds = Field(alias="for")
    every: Seconds
    repeats: int = Field(ge=1)
    delay: tuple[Seconds, Seconds]
    block: Share = _default("0", "1")
    weights: Literal["learned", "shuffled"] = "learned"


class Pulses(NamedTuple):
    """Spikes that electrodes cause, at `t_s` in `cells`; when each stretch of them begins, and
    whose it is, (stretches,); how long all of it is.
    """

    t_s: Array
    cells: Array
    begin_s: Array
    ensemble: Array
    seconds: float


class Ensembles(Definition):
    """`groups` of so many principal `cells` each, drawn once a seed, no cell in two; what teaches
    them, and how they are looked for.

    `scaling`: between teaching and recall the weights onto each cell are scaled so that their sum
    is what it was (on), or are left as the rule left them (off).
    """

    groups: int = Field(ge=1, le=MOST_ENSEMBLES)
    cells: int = Field(ge=2)
    scaling: Literal["on", "off"] = "on"
    teaching: Teaching
    recall: Recall

    @pydantic.model_validator(mode="after")
    def _possible(self) -> Ensembles:
        faults = list(self._faults())
        if faults:
            raise faulty(faults)
        return self

    def _faults(self) -> Iterator[Fault]:
        teaching, recall = self.teaching, self.recall
        if float(teaching.held) > float(teaching.every):
            wanted = f"at most every, {teaching.every.text}: ensembles are taught one by one"
            yield Fault("teaching.for", teaching.held.text, wanted)
        first, last = (float(end) for end in recall.delay)
        texts = [end.text for end in recall.delay]
        if first >= last:
            yield Fault("recall.delay", f"{texts[0]} to {texts[1]}", "the earlier end first")
        needed = 2 * float(recall.held) + last
        if float(recall.every) < needed:
            wanted = f"at least {needed:g} s: as long before a cue as it lasts, the cue, the delay"
            yield Fault("recall.every", recall.every.text, wanted)
        if not 0 < self.cued < self.cells:
            wanted = f"a share that leaves some of {self.cells} cells on either side"
            yield Fault("recall.cue", recall.cue.text, wanted)
        for name, part in (("teaching", teaching), ("recall", recall)):
            if spikes_of(part.rate, part.held) < 1:
                found = f"{part.rate.text} for {part.held.text}, less than a spike"
                yield Fault(f"{name}.rate", found, "a spike or more of each cell")
        early = [at.text for at in recall.at if float(at) < float(teaching.at)]
        if early:
            wanted = f"a time after teaching, {teaching.at.text}"
            yield Fault("recall.at", early[0], wanted)

    @property
    def cued(self) -> int:
        """Cells of an ensemble that a cue drives: the first of them."""
        return round(float(self.recall.cue) * self.cells)

    @property
    def recall_h(self) -> tuple[float, ...]:
        """When ensembles are looked for (h), each time once, sorted."""
        return tuple(sorted({float(at) for at in self.recall.at}))

    def members(self, principal: int, seed: int) -> Array:
        """Those of a seed, (groups, cells)."""
        return self.draw(principal, np.random.default_rng(stream(seed, "ensembles members")))

    def draw(self, principal: int, rng: np.random.Generator) -> Array:
        """Which of so many principal cells belong together, (groups, cells)."""
        chosen = rng.permutation(principal)[: self.groups * self.cells]
        return np.asarray(chosen.reshape(self.groups, self.cells))

    def teach(self, members: Array, rng: np.random.Generator) -> Pulses:
        """The spikes of teaching, s from its begin."""
        part = self.teaching
        order = np.tile(np.arange(self.groups), part.presentations)
        return _presented(part, order, members, 0.0, rng)

    def remind(self, members: Array, rng: np.random.Generator) -> Pulses:
        """The spikes of cues, the first after as long a time without as a cue lasts."""
        part = self.recall
        order = np.tile(np.arange(self.groups), part.repeats)
        return _presented(part, order, members[:, : self.cued], float(part.held), rng)

    @property
    def words(self) -> str:
        """What is done, as a methods section says it."""
        teaching, recall = self.teaching, self.recall
        block = [
            f"; {100 * float(part.block):g} % of NMDA receptors taken out at {name}"
            for name, part in (("teaching", teaching), ("recall", recall))
            if float(part.block)
        ]
        return (
            f"{self.groups} ensembles of {self.cells} principal cells each, taught at"
            f" {teaching.at.text} by {teaching.presentations} presentations of"
            f" {teaching.held.text} at {teaching.rate.text}; looked for at"
            f" {', '.join(at.text for at in recall.at)} with cues to"
            f" {100 * float(recall.cue):g} % of the cells of one ({recall.rate.text} for"
            f" {recall.held.text}, {recall.repeats} times)" + "".join(block)
        )


def _presented(
    part: Teaching | Recall, order: Array, members: Array, first_s: float, rng: np.random.Generator
) -> Pulses:
    return pulses(
        order,
        members,
        rng,
        spikes=spikes_of(part.rate, part.held),
        held_s=float(part.held),
        every_s=float(part.every),
        first_s=first_s,
    )


def spikes_of(rate: Quantity, held: Quantity) -> int:
    """Spikes of each cell that is driven at a rate for so long."""
    return round(float(rate) * float(held))


def pulses(
    order: Array,
    members: Array,
    rng: np.random.Generator,
    *,
    spikes: int,
    held_s: float,
    every_s: float,
    first_s: float = 0.0,
) -> Pulses:
    """A stretch for each of `order`: all `members` of that group, (groups, cells), fire so many
    times, each at times of its own.
    """
    begin_s = first_s + every_s * np.arange(len(order))
    within = held_s * rng.random((len(order), members.shape[1], spikes))
    times = begin_s[:, None, None] + within
    cells = np.broadcast_to(members[order][:, :, None], times.shape)
    seconds = first_s + every_s * len(order)
    return Pulses(times.ravel(), cells.ravel(), begin_s, order, seconds)
