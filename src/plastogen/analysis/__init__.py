"""What came out: contrasts, responders, sensitivity, comparison, evidence."""

from typing import TYPE_CHECKING

from plastogen._base.facade import lookup

if TYPE_CHECKING:
    from plastogen.analysis import contrast, provenance, responders, sensitivity
    from plastogen.analysis.compare import Comparison, compare_results, describe_comparison
    from plastogen.analysis.contrast import (
        Contrast,
        by_unit,
        contrasts,
        require_name,
        results_error,
        scale_of,
    )
    from plastogen.analysis.evidence import CameOut, load_rows, sourced
    from plastogen.analysis.evidence_page import render_evidence
    from plastogen.analysis.naive import naive_verdicts
    from plastogen.analysis.provenance import (
        WORDS,
        Cited,
        Number,
        count_evidence,
        describe_evidence,
        list_cited,
        numbers_in_use,
    )
    from plastogen.analysis.responders import Response, Separation, find_responders, number_behind
    from plastogen.analysis.sensitivity import Influence, influences, ranked
    from plastogen.analysis.wiring import Wiring, wiring_at
else:
    __getattr__, __dir__ = lookup(__name__, __file__)
