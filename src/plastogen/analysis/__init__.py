"""What came out: contrasts, responders, sensitivity, comparison, evidence."""

from typing import TYPE_CHECKING

from plastogen._base.facade import lookup

if TYPE_CHECKING:
    from plastogen.analysis import contrast, evidence, provenance, responders, sensitivity
    from plastogen.analysis.compare import Comparison, compare_results, lines
    from plastogen.analysis.contrast import Contrast, by_unit, contrasts, one_of, refusal, scale_of
    from plastogen.analysis.provenance import WORDS, Cited, Number, cited, counts, numbers, summary
    from plastogen.analysis.responders import Response, Separation, behind, response
    from plastogen.analysis.sensitivity import Influence, influences, ranked
else:
    __getattr__, __dir__ = lookup(__name__, __file__)
