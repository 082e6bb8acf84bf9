"""The three models, in the order of the data: pharmacology, circuit, plasticity."""
