"""Results made ready for people: reports, lessons, films, the page, exports."""

from typing import TYPE_CHECKING

from plastogen._base.facade import lookup

if TYPE_CHECKING:
    from plastogen.publish.catalogue import KINDS, describe, listing, new_file
    from plastogen.publish.crate import to_crate
    from plastogen.publish.demo import make_demo
    from plastogen.publish.evidence import evidence_page
    from plastogen.publish.explore.build import build_page, shipped_page
    from plastogen.publish.export import to_csv
    from plastogen.publish.film import make_film
    from plastogen.publish.lesson.make import make_lesson
    from plastogen.publish.nwb import to_nwb
    from plastogen.publish.progress_bar import ProgressBar
    from plastogen.publish.spine_tables import to_spine_tables
    from plastogen.publish.workflow import (
        Outcome,
        complete,
        publish_results,
        redraw,
        reopen,
        rewrite_report,
    )
else:
    __getattr__, __dir__ = lookup(__name__, __file__)
