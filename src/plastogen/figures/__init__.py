"""Pictures of results: plot_<name> draws the figure `name`."""

from typing import TYPE_CHECKING

from plastogen._base.facade import lookup

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from plastogen.figures import data, labels, layout, style
    from plastogen.figures._acute import plot_acute
    from plastogen.figures._arms import plot_arms
    from plastogen.figures._block import plot_block
    from plastogen.figures._circuit import plot_circuit
    from plastogen.figures._courses import plot_courses
    from plastogen.figures._dendrite import plot_dendrite
    from plastogen.figures._frame import image, plot_frame
    from plastogen.figures._landscape import plot_landscape
    from plastogen.figures._own_data import plot_own_data
    from plastogen.figures._pair import plot_pair
    from plastogen.figures._phase import plot_phase
    from plastogen.figures._raster import plot_raster
    from plastogen.figures._responders import plot_responders
    from plastogen.figures._sensitivity import plot_sensitivity
    from plastogen.figures._spectra import plot_spectra
    from plastogen.figures._spine_age import plot_spine_age
    from plastogen.figures._spine_sizes import plot_spine_sizes
    from plastogen.figures._spine_survival import plot_spine_survival
    from plastogen.figures._sweep import plot_sweep
    from plastogen.figures._timeline import plot_timeline
    from plastogen.figures._tornado import plot_tornado
    from plastogen.figures.agreement import Agreement, agreement_of, write_agreement
    from plastogen.figures.axis import H_PER_DAY, time_text
    from plastogen.figures.caption import caption_of
    from plastogen.figures.data import count_runs
    from plastogen.figures.draw import Shown, draw_figures
    from plastogen.figures.layout import save
    from plastogen.figures.overlay import Overlay, read_overlay
    from plastogen.figures.style import arm_label, arm_styles, class_styles, tint
else:
    __getattr__, __dir__ = lookup(__name__, __file__)
