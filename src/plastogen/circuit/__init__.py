"""The fast world: a spiking microcircuit, described in models/circuits, simulated for seconds by Brian2."""

from plastogen.circuit.definition import CLASSES, Circuit
from plastogen.circuit.drive import Drive
from plastogen.circuit.engine import Engine, EngineError
from plastogen.circuit.spikes import Spikes

__all__ = ["CLASSES", "Circuit", "Drive", "Engine", "EngineError", "Spikes"]
