"""The slow world: signals, synaptic weight and spines, over days."""

from typing import TYPE_CHECKING

from plastogen._base.facade import lookup

__all__ = ["Plasticity"]

if TYPE_CHECKING:
    from plastogen.model.plasticity.calcium_rule import (
        CalciumRule,
        Efficacies,
        efficacies,
        in_magnesium,
        learner_of,
        nmda_share,
        numbers_of,
        rule_in,
    )
    from plastogen.model.plasticity.definition import Plasticity
    from plastogen.model.plasticity.ensembles import Ensembles, spikes_of
    from plastogen.model.plasticity.induction import Induction, induce
    from plastogen.model.plasticity.intervention import Cells, Intervention, frozen_sites
    from plastogen.model.plasticity.signalling import Inputs
    from plastogen.model.plasticity.spine import H_PER_DAY, Spines
    from plastogen.model.plasticity.spine_law import SpineLaw, SpineModel, law_of
    from plastogen.model.plasticity.spine_table import (
        LASTING,
        STEP_H,
        TRANSIENT,
        Sites,
        SpineTable,
        Surroundings,
        advance,
        connection_probability,
        delete,
        potential_sites,
        sites_expected,
        table_at_rest,
    )
    from plastogen.model.plasticity.stimulation import Stimulation
    from plastogen.model.plasticity.system import COUNTED, STATES, SlowModel, stacked
else:
    __getattr__, __dir__ = lookup(__name__, __file__)
