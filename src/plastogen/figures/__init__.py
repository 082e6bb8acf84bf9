"""Pictures of results: plot_<name> draws the figure `name` of the table of figures."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from plastogen._base.facade import lookup

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from plastogen.figures import data, labels, layout, style
    from plastogen.figures._frame import image, plot_frame
    from plastogen.figures._pair import plot_pair
    from plastogen.figures.agreement import Agreement, agreement_of, write_agreement
    from plastogen.figures.axis import H_PER_DAY, time_text
    from plastogen.figures.branch_at import one_branch
    from plastogen.figures.caption import caption_of
    from plastogen.figures.data import count_runs
    from plastogen.figures.draw import Shown, draw_figures
    from plastogen.figures.layout import save
    from plastogen.figures.overlay import Overlay, read_overlay
    from plastogen.figures.spine_panels import median_branch, on_branch
    from plastogen.figures.style import arm_label, arm_styles, class_styles, tint

    def __getattr__(name: str) -> Callable[..., Figure]: ...  # plot_<name> of each row

else:

    def _plots() -> dict[str, str]:
        from plastogen.experiment import FIGURES

        return {f"plot_{name}": f"{__name__}._{name}" for name in FIGURES}

    __getattr__, __dir__ = lookup(__name__, __file__, _plots)
