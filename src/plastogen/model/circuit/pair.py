"""In: the equations of a calcium rule (`plastic`). Out: two cells and one synapse between them in
Brian2, compiled for a page.

A step is an event, whatever its time: `at` says when it is, `fires` which of the cells fire then
(the presynaptic one when its spike arrives, so that delays are the giver's). Before either does,
the synapse is brought up to that time, so that a step in which nobody fires only looks at it.
Nothing is rounded to a step of time.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from plastogen.model.circuit import plastic, standalone

MOST_STEPS = 2048
STEP_MS = 1  # of the clock that counts events
SEEN = ("efficacy", "by_nmda", "by_spike")


def equations() -> list[str]:
    """All that is written in Brian2's language, and in C++, of the pair."""
    return [*plastic.equations(), FIRES, NOW, str(MOST_STEPS)]


FIRES = "fires(t, i) > 0.5"
NOW = "at(t)"


def values(rule: plastic.RuleNumbers) -> dict[str, float]:
    """What the program is given of a rule, no receptor blocked: what its synapses share, and what
    one begins with.
    """
    begun = plastic.initial(rule.initial)
    shared = plastic.values(rule, left=1, from_s=plastic.NEVER_S)
    return {f"P.{name}": float(np.asarray(x)) for name, x in {**shared, **begun}.items()}


def model() -> Any:
    """The network, not run. Values of `at` and `fires` come at run time."""
    import brian2 as b2

    step = STEP_MS * b2.ms
    b2.defaultclock.dt = step
    at = b2.TimedArray(np.zeros(MOST_STEPS) * b2.second, dt=step, name="at")
    fires = b2.TimedArray(np.zeros((MOST_STEPS, 2)), dt=step, name="fires")
    named = {"fires": fires}
    cells = b2.NeuronGroup(2, "v : 1", threshold=FIRES, reset="", name="G", namespace=named)
    synapse = plastic.synapses(
        cells, cells, calcium_delay_ms=0, live=True, now=NOW, namespace={"at": at}
    )
    synapse.connect(i=0, j=1)
    synapse.run_regularly(plastic.UPDATE + plastic.LEARN, when="groups", name="look")
    seen = b2.StateMonitor(synapse, SEEN, record=[0], when="end", name="seen")
    return b2.Network(cells, synapse, seen, name="network")


def write_sources(folder: Path, *, flags: list[str]) -> None:
    """Generate the C++ program in `folder` (not compiled). What the synapse begins with and what
    its rule shares come at run time.
    """

    def construct(device: Any) -> Any:
        network = model()
        device.apply_run_args()
        return network

    standalone.write_program(folder, construct, flags, kept=[f"seen.{name}" for name in SEEN])
