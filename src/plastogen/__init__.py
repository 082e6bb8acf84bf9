"""plastogen: from a dose of ketamine to synapses and spines, weeks later, through a real spiking
network.

Start with `run`, `load`, `plot` and `catalogue`; models stand in `plastogen.model`, one course in
`plastogen.simulation`, experiments in `plastogen.experiment`, pictures in `plastogen.figures`.
"""

from typing import TYPE_CHECKING

from plastogen._base.facade import lookup

__version__ = "0.2.0"
__all__ = [
    "SCOPE", "EngineError", "InputError", "StoreError", "WorkersLost", "__version__", "catalogue",
    "check", "compare", "contrasts", "load", "load_model", "open_outcome", "plot", "responders_of",
    "run", "sensitivity_of", "show", "simulate", "status",
]  # fmt: skip

if TYPE_CHECKING:
    from plastogen._base.scope import SCOPE
    from plastogen.errors import EngineError, InputError, StoreError, WorkersLost
    from plastogen.publish.door import (
        catalogue,
        check,
        compare,
        contrasts,
        load_model,
        open_outcome,
        plot,
        responders_of,
        run,
        sensitivity_of,
        show,
        status,
    )
    from plastogen.runs import load
    from plastogen.simulation import simulate
else:
    __getattr__, __dir__ = lookup(__name__, __file__)
