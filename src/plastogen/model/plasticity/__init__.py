"""From activity to spines: signalling, synapses, spines, and their joint equations."""
