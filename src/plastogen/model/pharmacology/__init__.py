"""What a dose does: regimen, concentration, block of NMDA receptors, subjects."""

from typing import TYPE_CHECKING

from plastogen._base.facade import lookup

__all__ = ["Drug", "Subject"]

if TYPE_CHECKING:
    from plastogen.model.pharmacology.block_kinetics import S_PER_H, BlockKinetics, Gating, Pool
    from plastogen.model.pharmacology.drug import Drug, check_treatment
    from plastogen.model.pharmacology.known import CONCENTRATIONS, KNOWN, Known
    from plastogen.model.pharmacology.magnesium import SUBUNITS, Magnesium
    from plastogen.model.pharmacology.nmda_block import (
        Array,
        BySubunit,
        NmdarBlock,
        ic50_without_mg_uM,
    )
    from plastogen.model.pharmacology.regimen import (
        Duration,
        Moment,
        Treatment,
        event_times,
    )
    from plastogen.model.pharmacology.subject import Subject, Varied, shares
    from plastogen.model.pharmacology.targets import (
        OF_SUBUNITS,
        TARGETS,
        by_pool,
        by_species,
        effect_paths,
        receptors,
        target,
        value,
    )
    from plastogen.model.pharmacology.treated_subject import TreatedSubject
else:
    __getattr__, __dir__ = lookup(__name__, __file__)
