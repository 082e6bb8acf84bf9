"""The fast world: a spiking microcircuit, simulated for seconds by Brian2."""

from typing import TYPE_CHECKING

from plastogen._base.facade import lookup

__all__ = ["Activity", "Circuit", "State"]

if TYPE_CHECKING:
    from plastogen.model.circuit import engine, measures, network, pair, synapse_classes, wasm
    from plastogen.model.circuit.activity import (
        Activity,
        State,
        agonist,
        derive_activity,
        left_under,
        reduce,
        voltages,
    )
    from plastogen.model.circuit.children import terminate_children
    from plastogen.model.circuit.definition import PRINCIPAL, Circuit, Connection, Population, Role
    from plastogen.model.circuit.drive import Drive, cell_values, shared_values
    from plastogen.model.circuit.electrodes import MOST_DRIVEN
    from plastogen.model.circuit.engine import Engine
    from plastogen.model.circuit.ensemble_activity import Cues, coactivity, cue_response, quiet_bins
    from plastogen.model.circuit.measures import (
        DELTA_HZ,
        GAMMA_HZ,
        RATE_FLOOR_HZ,
        bin_centres_mV,
        rates_hz,
    )
    from plastogen.model.circuit.plastic import Learner, Learning, RuleNumbers
    from plastogen.model.circuit.program import (
        compiler,
        compiler_version,
        default_backend,
        is_built,
        program_key,
        signature,
    )
    from plastogen.model.circuit.spikes import Spikes
    from plastogen.model.circuit.synapse_classes import RATE_CLASSES, RATE_GROUPS, Drift, balance
else:
    __getattr__, __dir__ = lookup(__name__, __file__)
