"""What is asked: arms, sweeps, readouts and claims of an experiment's file."""

from typing import TYPE_CHECKING

from plastogen._base.facade import lookup

__all__ = ["Claim", "Experiment", "Readout", "Verdict", "open_experiment"]

if TYPE_CHECKING:
    from plastogen.experiment import population
    from plastogen.experiment.claim import Claim, Status
    from plastogen.experiment.definition import NAME, Experiment, shipped
    from plastogen.experiment.design import DIMENSIONS, LEVELS, POINT, ROLE, SUBJECT, Axis, corners
    from plastogen.experiment.figure_table import FIGURES, Taken
    from plastogen.experiment.judge_sweep import judge_claims
    from plastogen.experiment.models import FOLDERS
    from plastogen.experiment.reading import evaluate, read
    from plastogen.experiment.readout import ERROR, REASON, Readout
    from plastogen.experiment.resolve import Condition, OpenExperiment, open_experiment
    from plastogen.experiment.selection import picked
    from plastogen.experiment.statistics import (
        CONFIDENCE,
        FEWEST,
        FIXED,
        PAIRED,
        RESOLUTION,
        Array,
        Estimate,
        Intervals,
        auc,
        differences,
        false_discovery,
        mean_interval,
        mean_intervals,
        most_of,
        normal_quantile,
        paired_difference,
        partial_rank_correlations,
        share_interval,
        standard_error,
        t_test,
        varies,
    )
    from plastogen.experiment.sweep import Span, kind_of
    from plastogen.experiment.titles import spelled, title_in, title_of
    from plastogen.experiment.validate import check, resolve_conditions
    from plastogen.experiment.verdict import COMPLETE, Verdict, stored_verdicts
else:
    __getattr__, __dir__ = lookup(__name__, __file__)
