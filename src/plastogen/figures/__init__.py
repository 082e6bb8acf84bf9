"""Pictures of results: plot_<name> draws the figure `name`."""

from typing import TYPE_CHECKING

from plastogen._base.facade import lookup

if TYPE_CHECKING:
    from plastogen.figures import data, labels, layout, style
    from plastogen.figures._frame import image, plot_frame
    from plastogen.figures._pair import plot_pair
    from plastogen.figures.axis import H_PER_DAY, time_text
    from plastogen.figures.captions import FIGURES
    from plastogen.figures.data import count_runs
    from plastogen.figures.draw import Shown, draw_figures
    from plastogen.figures.layout import save
    from plastogen.figures.overlay import read_overlay
    from plastogen.figures.style import arm_label, arm_styles, class_styles, tint
else:
    __getattr__, __dir__ = lookup(__name__, __file__)
