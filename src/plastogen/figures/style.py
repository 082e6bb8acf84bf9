"""In: arm and class names, a figure. Out: the colours, labels, header, footer and files that all
figures share.

Colours are Okabe and Ito's (2008), told apart by colour-blind readers; the untreated are grey. An
arm that adds a blocker to another arm keeps that arm's colour and changes line style and marker.
"""

from __future__ import annotations

import functools
import os
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, ParamSpec

import matplotlib
import matplotlib.style
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import to_hex, to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Annotation

from plastogen import SCOPE
from plastogen.experiment.design import SUBJECT
from plastogen.figures import data
from plastogen.simulation.variables import VARIABLES

P = ParamSpec("P")
WIDTH_PT, HEIGHT_PT, PT_PER_INCH = 960, 540, 72
MARGIN_PT, HEADER_PT, KEY_PT, FOOTER_PT, LINE_PT = 30, 66, 20, 40, 15
ROW_CHARS, KEY_CHARS = (
    130,
    9,
)  # letters that fit beside one another in a key of arms; what a line takes of them
PLACE_DIGITS = 4  # of a position on the slide, as a share of its width or height
INK, MUTED, PALE, ALARM = "#1F2933", "#616E7C", "#E4E7EB", "#B3261E"
GREY = "#7B8794"
BLUE, ORANGE, GREEN, VERMILION, PURPLE, SKY = (
    "#0072B2",
    "#E69F00",
    "#009E73",
    "#D55E00",
    "#CC79A7",
    "#56B4E9",
)
BAND = "33"  # opacity of an interval's band, as the last two digits of #RRGGBBAA

CLASS_COLOURS = {"E": VERMILION, "PV": BLUE, "SST": GREEN}
UNTREATED = ("vehicle", "sham", "baseline", "none")
DRUG_COLOURS = {
    "ketamine": BLUE,
    "memantine": PURPLE,
    "mk801": VERMILION,
    "ssri": ORANGE,
    "esketamine": SKY,
}
PALETTE = (BLUE, ORANGE, GREEN, VERMILION, PURPLE, SKY, INK)
# line and marker of the first arm of a colour, the second, ...
ARM_LOOKS: tuple[tuple[Any, str], ...] = (
    ("-", "o"),
    ((0, (1, 2)), "d"),
    ((0, (4, 1)), "p"),
    ((0, (6, 1, 1, 1)), "h"),
)
MOST_NAMED = 3  # more arms that lack runs than this are counted, not named
STRESS = "stress"  # what the dosing of results.nc calls a stretch of stress: no drug
# blocker named in an arm -> how it is written, line style, marker
BLOCKERS: dict[str, tuple[str, Any, str]] = {
    "nbqx": ("NBQX", (0, (5, 2)), "s"),
    "rapamycin": ("rapamycin", (0, (1, 1)), "^"),
    "anti_bdnf": ("anti-BDNF", (0, (5, 1, 1, 1)), "D"),
    "gaba_antagonist": ("GABA-A antagonist", (0, (8, 2)), "v"),
    "release_reducer": ("release reducer", (0, (3, 1, 1, 1, 1, 1)), "P"),
    "spike_silencer": ("spikes silenced", (0, (2, 2)), "X"),
}
WORDS = {
    "mk801": "MK-801",
    "ssri": "SSRI",
    "hydroxynorketamine": "HNK",
    "hnk": "HNK",
    "bdnf": "BDNF",
}
UNIT_TEXT = {"uM": "µM", "Hz^2": "Hz²", "Hz^2/Hz": "Hz²/Hz", "ng/mL": "ng/mL"}


@dataclass(frozen=True)
class ArmStyle:
    """How an arm is drawn, the same in every figure of an experiment."""

    label: str
    colour: str
    line: Any
    marker: str
    filled: bool


def slide(draw: Callable[P, Figure]) -> Callable[P, Figure]:
    """Decorator: draws in plastogen's style, whatever style is set outside, and lays the figure
    out.
    """

    @functools.wraps(draw)
    def styled(*args: P.args, **kwargs: P.kwargs) -> Figure:
        with matplotlib.style.context(sheet()):
            fig = draw(*args, **kwargs)
            # ticks come into being and find their place here, in this style
            fig.draw_without_rendering()
            _fix(fig)
            return fig

    return styled


def _fix(fig: Figure) -> None:
    """Ends the layout and rounds where axes stand: the solver's last digits differ from one run to
    the next.
    """
    fig.set_layout_engine("none")
    for ax in fig.axes:
        place = ax.get_position(original=True)
        left, bottom, width, height = (round(float(value), PLACE_DIGITS) for value in place.bounds)
        ax.set_position((left, bottom, width, height))


def sheet() -> list[str | dict[str, Any]]:
    """Matplotlib's defaults and then this package's style sheet: what a reader's own settings
    cannot change.
    """
    path = resources.files("plastogen.figures") / "slide.mplstyle"
    return ["default", str(path)]


def split_arm(name: str) -> tuple[str, list[str]]:
    """`ketamine_nbqx` -> ("ketamine", ["nbqx"]); a blocker alone belongs to "" (the untreated)."""
    rest, found = f"_{name}_", []
    for blocker in BLOCKERS:
        if f"_{blocker}_" in rest:
            rest = rest.replace(f"_{blocker}_", "_")
            found.append(blocker)
    return rest.strip("_"), found


def arm_label(name: str) -> str:
    """An arm's name as a reader would write it: `ketamine_nbqx` -> `ketamine + NBQX`."""
    parent, blockers = split_arm(name)
    words = " ".join(WORDS.get(word, word) for word in parent.split("_"))
    return " + ".join([words] * bool(words) + [BLOCKERS[b][0] for b in blockers])


def label_of(ds: xr.Dataset, arm: str) -> str:
    """The arm's own title, where the results carry one (coordinate `arm_title`), else its name made
    readable.
    """
    title = str(ds["arm_title"].sel(arm=arm).item()) if "arm_title" in ds.coords else ""
    return title or arm_label(arm)


def arm_styles(ds: xr.Dataset) -> dict[str, ArmStyle]:
    """A style for every arm of the experiment (not only of those drawn): equal in all of its
    figures.

    The first arm of a known drug has the drug's colour, further ones have colours of their own, or,
    if they differ in a number (doses), shades of it from light to dark. An arm with a blocker looks
    like the arm without, but for line and marker; arms that get nothing are grey.
    """
    names = [str(arm) for arm in ds["arm"].values]
    drugs = {name: _drugs(ds, name) for name in names}
    blockers = {name: [drug for drug in drugs[name] if drug in BLOCKERS] for name in names}
    mains = {name: next((d for d in drugs[name] if d not in BLOCKERS), "") for name in names}
    colours: dict[str, str] = {}
    for drug in dict.fromkeys(mains.values()):
        members = [name for name in names if mains[name] == drug and not blockers[name]]
        if not drug:
            colours |= dict.fromkeys(members, GREY)
        elif len(members) > 2 and all(re.search(r"\d", name) for name in members):
            colours |= dict(
                zip(members, shades(DRUG_COLOURS.get(drug, BLUE), len(members)), strict=True)
            )
        else:
            for name in members:
                own = [DRUG_COLOURS[drug]] if drug in DRUG_COLOURS else []
                free = [c for c in (*own, *PALETTE) if c not in colours.values()] or PALETTE[
                    len(colours) % len(PALETTE) :
                ]
                colours[name] = free[0]
    met: Counter[str] = Counter()
    styles: dict[str, ArmStyle] = {}
    for name in names:
        like = next(
            (m for m in (split_arm(name)[0], *names) if m in colours and mains[m] == mains[name]),
            None,
        )
        colour = colours.get(name) or (
            colours[like] if like else DRUG_COLOURS.get(mains[name], GREY)
        )
        line, marker = (
            BLOCKERS[blockers[name][0]][1:]
            if blockers[name]
            else ARM_LOOKS[met[colour] % len(ARM_LOOKS)]
        )
        met[colour] += name in colours
        styles[name] = ArmStyle(label_of(ds, name), colour, line, marker, not blockers[name])
    return styles


def _drugs(ds: xr.Dataset, arm: str) -> list[str]:
    """The drugs an arm is given, as the results say, or, if they do not, as its name says."""
    if "dosing" in ds.attrs:
        return [
            drug for drug in dict.fromkeys(g.drug for g in data.given(ds, [arm])) if drug != STRESS
        ]
    parent, blockers = split_arm(arm)
    known = next((drug for drug in DRUG_COLOURS if drug in parent.split("_")), parent)
    return [known] * (known not in ("", *UNTREATED)) + blockers


def shades(colour: str, n: int) -> list[str]:
    """`n` shades of a colour from light to dark; the colour itself when n is 1."""
    if n == 1:
        return [colour]
    light, dark = np.array(to_rgb(tint(colour, 35))), np.array(to_rgb("#000000"))
    base = np.array(to_rgb(colour))
    stops = np.stack([light, base, (base + dark) / 2])
    at = np.linspace(0, 2, n)
    red, green, blue = (np.interp(at, [0, 1, 2], stops[:, k]) for k in range(3))
    return [to_hex(rgb) for rgb in zip(red, green, blue, strict=True)]


def tint(colour: str, percent_white: int) -> str:
    """`colour` mixed with so many per cent of white."""
    share = percent_white / 100
    red, green, blue = ((1 - share) * c + share for c in to_rgb(colour))
    return to_hex((red, green, blue))


def sentence(text: str) -> str:
    """`text` with a capital to begin with, but for words that have their own, such as mTORC1 and
    eEF2K.
    """
    word = text.partition(" ")[0]
    return text[:1].upper() + text[1:] if word == word.lower() else text


def unit_label(values: xr.DataArray) -> str:
    """What an axis of `values` says: their unit, or what they are relative to, or what a 1
    means.
    """
    if unit := unit_text(str(values.attrs.get("units", "1"))):
        return unit
    if values.attrs.get("yes_no"):
        return "1: yes, 0: no"
    if reference := values.attrs.get("ratio_to"):
        return f"relative to {str(reference).replace('_', ' ')}"
    return VARIABLES[str(values.attrs.get("of", values.name))].scale


def unit_text(unit: str) -> str:
    """A unit as it is printed: `uM` -> `µM`, `1` -> nothing."""
    return "" if unit == "1" else UNIT_TEXT.get(unit, unit)


def blank(
    ds: xr.Dataset,
    heading: str,
    *,
    arms: Sequence[ArmStyle] = (),
    note: str = "",
    seeds: str | None = None,
) -> Figure:
    """An empty slide for `ds`: heading, who and what, n (red when runs are missing) or `seeds`, key
    of `arms`, how the points of a sweep were made, scope.

    Room is left for panels between header and footer; the layout keeps to it.
    """
    fig = Figure(figsize=(WIDTH_PT / PT_PER_INCH, HEIGHT_PT / PT_PER_INCH))
    left, right = MARGIN_PT, WIDTH_PT - MARGIN_PT
    _say(fig, heading, left, HEIGHT_PT - 20, size=20, weight="bold", va="top")
    _say(fig, who(ds), left, HEIGHT_PT - 48, size=12, color=MUTED, va="top")
    seeds = seeds if seeds is not None else seeds_sentence(ds)
    ink = ALARM if seeds.startswith("INCOMPLETE") else INK
    _say(fig, seeds, right, HEIGHT_PT - 24, size=14, weight="bold", color=ink, ha="right", va="top")
    design = data.design(ds)
    _say(fig, design, left, 27, size=10, color=MUTED)
    _say(fig, note, left, 42 if design else 27, size=10, color=MUTED)
    footer = FOOTER_PT + bool(design) * LINE_PT
    _say(fig, str(ds.attrs.get("scope", SCOPE)), left, 12, size=9, color=MUTED, style="italic")
    header = HEADER_PT + KEY_PT * _key_of_arms(fig, arms)
    fig.set_layout_engine(
        "constrained",
        w_pad=6 / PT_PER_INCH,
        h_pad=3 / PT_PER_INCH,
        rect=(
            MARGIN_PT / WIDTH_PT,
            footer / HEIGHT_PT,
            1 - 2 * MARGIN_PT / WIDTH_PT,
            1 - (footer + header) / HEIGHT_PT,
        ),
    )
    return fig


def _key_of_arms(fig: Figure, arms: Sequence[ArmStyle]) -> int:
    """The arms' lines and names under the header, right-aligned, in as many rows as they need;
    returns how many.
    """
    if not arms:
        return 0
    handles = [
        Line2D([], [], color=arm.colour, linestyle=arm.line, label=arm.label, linewidth=3)
        for arm in arms
    ]
    rows = 1
    while (
        max(sum(KEY_CHARS + len(arm.label) for arm in arms[row::rows]) for row in range(rows))
        > ROW_CHARS
    ):
        rows += 1
    place = ((WIDTH_PT - MARGIN_PT) / WIDTH_PT, (HEIGHT_PT - 62) / HEIGHT_PT)
    made = fig.legend(
        handles=handles,
        loc="upper right",
        bbox_to_anchor=place,
        ncols=-(-len(arms) // rows),
        borderaxespad=0,
        columnspacing=2,
        handlelength=3,
        handletextpad=0.5,
        borderpad=0,
    )
    made.set_in_layout(False)
    return rows


def seeds_sentence(ds: xr.Dataset) -> str:
    """`n = 4 seeds`, or virtual subjects; when runs are missing, how many there are `of` all, and
    where they lack.
    """
    counts = data.complete(ds)
    here = sum(done for done, _ in counts.values())
    expected = max(int(ds.attrs.get("n_expected", 0)), sum(total for _, total in counts.values()))
    n = ds.sizes.get("seed", 1)
    if here == expected:
        seeds = f"{n} seed" + "s" * (n > 1)
        return (
            f"n = {ds.sizes[SUBJECT]} virtual subjects × {seeds}"
            if SUBJECT in ds.sizes
            else f"n = {seeds}"
        )
    lacking = [
        f"{label_of(ds, arm)} {done} of {total}"
        for arm, (done, total) in counts.items()
        if done < total
    ]
    where = f" ({', '.join(lacking)})" if 0 < len(lacking) <= MOST_NAMED else ""
    return f"INCOMPLETE: {here} of {expected} runs{where}"


def who(ds: xr.Dataset) -> str:
    """`One infusion · human, stressed adult · prefrontal circuit · plasticity: all`, of what `ds`
    says of itself.
    """
    attrs = {key: str(value).replace("_", " ") for key, value in ds.attrs.items()}
    parts = [attrs.get("title", "")]
    parts.append(", ".join(attrs[key] for key in ("species", "subject") if key in attrs))
    parts.append(f"{attrs['circuit']} circuit" if "circuit" in attrs else "")
    parts.append(f"plasticity: {attrs['plasticity']}" if "plasticity" in attrs else "")
    parts.append("a formula, not the network" if attrs.get("method") == "formula" else "")
    return "  ·  ".join(part for part in parts if part)


def key(ax: Axes, *, above: bool = True, size: int = 11) -> None:
    """A key of the labelled lines in `ax`: in a row `above` it, right of its title, or inside where
    there is room.
    """
    handles, labels = ax.get_legend_handles_labels()
    common: dict[str, Any] = {
        "handletextpad": 0.5,
        "fontsize": size,
        "borderpad": 0,
        "borderaxespad": 0,
    }
    if above:
        made = ax.legend(
            handles,
            labels,
            loc="lower right",
            bbox_to_anchor=(1, 1),
            ncols=max(1, len(handles)),
            handlelength=3 / 2,
            columnspacing=1,
            **common,
        )
        made.set_in_layout(False)
    else:
        ax.legend(handles, labels, loc="best", handlelength=2, labelspacing=0, **common)


def save(fig: Figure, folder: Path | str, name: str) -> list[Path]:
    """Writes `<name>.png` (dpi 150) and `<name>.svg` into `folder`; equal figures make equal bytes,
    no date inside.

    Each file is written under a temporary name first. Returns the two paths, PNG first.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    kinds: dict[str, dict[str, Any]] = {
        "png": {"Software": None},
        "svg": {"Date": None, "Creator": "plastogen"},
    }
    paths = []
    with matplotlib.style.context(sheet()):
        for kind, metadata in kinds.items():
            path, partial = folder / f"{name}.{kind}", folder / f".{name}.{kind}.partial"
            fig.savefig(partial, format=kind, metadata=metadata)
            os.replace(partial, path)
            paths.append(path)
    return paths


def _say(fig: Figure, text: str, x_pt: int, y_pt: int, **kwargs: Any) -> None:
    if text:
        fig.add_artist(
            Annotation(
                text, (x_pt, y_pt), xycoords="figure points", annotation_clip=False, **kwargs
            )
        )
