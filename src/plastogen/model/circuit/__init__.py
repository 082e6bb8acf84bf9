"""The fast world: a spiking microcircuit, described in models/circuits, simulated for seconds by
Brian2.
"""

from plastogen.errors import EngineError
from plastogen.model.circuit.definition import CLASSES, Circuit
from plastogen.model.circuit.drive import Drive
from plastogen.model.circuit.engine import Engine
from plastogen.model.circuit.spikes import Spikes

__all__ = ["CLASSES", "Circuit", "Drive", "Engine", "EngineError", "Spikes"]
