"""Both worlds together: one course of one arm with one seed."""

from typing import TYPE_CHECKING

from plastogen._base.facade import lookup

__all__ = [
    "Activity",
    "Course",
    "FormulaProbe",
    "NetworkProbe",
    "Plan",
    "Probe",
    "State",
    "simulate",
]

if TYPE_CHECKING:
    from plastogen.model.circuit import Activity, State
    from plastogen.simulation.adaptive import SNAPSHOT_S, follow, simulate
    from plastogen.simulation.coupling import held_state, reaches, targets_of
    from plastogen.simulation.course import Course, Lives, Plan, Weights, event_times, treated_of
    from plastogen.simulation.emulator import Emulator
    from plastogen.simulation.ensembles import teaching_program
    from plastogen.simulation.kinds import COURSES, OF_ENSEMBLES, OF_SPINES, Kind, kind_of
    from plastogen.simulation.lockstep import (
        Lockstep,
        alike,
        formula_nodes,
        simulate_formulas,
        simulate_with_errors,
    )
    from plastogen.simulation.model_version import MODEL_VERSION, SPINES_VERSION
    from plastogen.simulation.nmda_reliance import measure_reliance, slowest_return_per_h
    from plastogen.simulation.pathway import most_synapses
    from plastogen.simulation.probe import FormulaProbe, NetworkProbe, Probe, network_key
    from plastogen.simulation.switches import Switches, block_sites
    from plastogen.simulation.time_grid import MANY, SHARED, grid, shared, union
    from plastogen.simulation.train_emulator import network, train
    from plastogen.simulation.variables import (
        READABLE,
        VARIABLES,
        Variable,
        bounds_of,
        impossible,
        variables_of,
    )
else:
    __getattr__, __dir__ = lookup(__name__, __file__)
