"""In: names of arms and classes. Out: the colours, lines, markers and names they have in every
figure.

Colours are Okabe and Ito's (2008), told apart by colour-blind readers; the untreated are grey. An
arm that adds a blocker to another arm keeps that arm's colour and changes line style and marker.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.colors import to_hex, to_rgb

from plastogen.experiment import spelled
from plastogen.figures import data, labels

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
LIGHT = (2, 7, 1)  # how much red, green and blue light a colour up, about (ITU-R BT.709)
DARK = 2 / 9  # of full light: words on darker ground are white
TITLE_CHARS = 48  # of an arm, at most
BAND = "33"  # opacity of an interval's band, as the last two digits of #RRGGBBAA

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
NO_DRUGS = ("stress", "spines", "cells")  # what results.nc calls stress and interventions
# blocker named in an arm -> how it is written, line style, marker
BLOCKERS: dict[str, tuple[str, Any, str]] = {
    "nbqx": ("NBQX", (0, (5, 2)), "s"),
    "rapamycin": ("rapamycin", (0, (1, 1)), "^"),
    "anti_bdnf": ("anti-BDNF", (0, (5, 1, 1, 1)), "D"),
    "gaba_antagonist": ("GABA-A antagonist", (0, (8, 2)), "v"),
    "release_reducer": ("release reducer", (0, (3, 1, 1, 1, 1, 1)), "P"),
    "spike_silencer": ("spikes silenced", (0, (2, 2)), "X"),
}


@dataclass(frozen=True)
class ClassStyle:
    """How a class of cells is drawn."""

    colour: str
    line: Any


# classes that look the same in whatever circuit they stand
KNOWN_CLASSES = {
    "E": ClassStyle(VERMILION, "-"),
    "PV": ClassStyle(BLUE, (0, (6, 1))),
    "SST": ClassStyle(GREEN, (0, (3, 1))),
    "VIP": ClassStyle(PURPLE, (0, (1, 1))),
}
OTHER_LINE = (0, (5, 1, 1, 1))  # of a class of another name


def class_styles(classes: Iterable[str]) -> dict[str, ClassStyle]:
    """A style for each of a circuit's classes: a known one has its own, others the next colour that
    is free.
    """
    names = [str(name) for name in classes]
    styles = {name: KNOWN_CLASSES[name] for name in names if name in KNOWN_CLASSES}
    taken = {known.colour for known in styles.values()}
    free = itertools.cycle([c for c in (*PALETTE, GREY) if c not in taken])
    others = (name for name in names if name not in KNOWN_CLASSES)
    return styles | {name: ClassStyle(next(free), OTHER_LINE) for name in others}


@dataclass(frozen=True)
class ArmStyle:
    """How an arm is drawn, the same in every figure of an experiment."""

    label: str
    colour: str
    line: Any
    marker: str
    filled: bool


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
    words = " ".join(spelled(word) for word in parent.split("_"))
    return " + ".join([words] * bool(words) + [BLOCKERS[b][0] for b in blockers])


def arm_title(ds: xr.Dataset, arm: str) -> str:
    """The arm's own title, where the results carry one (coordinate `arm_title`), else its name made
    readable; of one that is too long for a figure, its beginning.
    """
    own = str(ds["arm_title"].sel(arm=arm).item()) if "arm_title" in ds.coords else ""
    return labels.cut(own or arm_label(arm), TITLE_CHARS)


def arm_styles(ds: xr.Dataset) -> dict[str, ArmStyle]:
    """A style for every arm of the experiment (not only of those drawn): equal in all of its
    figures.

    The first arm of a known drug has the drug's colour, further ones have colours of their own, or,
    if they differ in a number (doses), shades of it from light to dark. An arm with a blocker looks
    like the arm without, but for line and marker; arms that get nothing are grey where others get
    something. No two arms look alike.
    """
    names = [str(arm) for arm in ds["arm"].values]
    drugs = {name: _drugs(ds, name) for name in names}
    blockers = {name: [drug for drug in drugs[name] if drug in BLOCKERS] for name in names}
    mains = {name: next((d for d in drugs[name] if d not in BLOCKERS), "") for name in names}
    colours: dict[str, str] = {}
    for drug in dict.fromkeys(mains.values()):
        members = [name for name in names if mains[name] == drug and not blockers[name]]
        if not drug and any(mains.values()):
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
        styles[name] = ArmStyle(arm_title(ds, name), colour, line, marker, not blockers[name])
    return _apart(styles)


def _apart(styles: dict[str, ArmStyle]) -> dict[str, ArmStyle]:
    """The same; arms that would look alike have shades of their colour, from light to dark."""
    alike: dict[tuple[Any, ...], list[str]] = {}
    for name, style in styles.items():
        alike.setdefault((style.colour, style.line, style.marker, style.filled), []).append(name)
    for (colour, *_), names in alike.items():
        for name, shade in zip(names, shades(colour, len(names)), strict=True):
            styles[name] = replace(styles[name], colour=shade)
    return styles


def _drugs(ds: xr.Dataset, arm: str) -> list[str]:
    """The drugs an arm is given, as the results say, or, if they do not, as its name says."""
    if "dosing" in ds.attrs:
        return [
            drug
            for drug in dict.fromkeys(g.drug for g in data.dosing_events(ds, [arm]))
            if drug not in NO_DRUGS
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


def ink_on(ground: Iterable[float]) -> str:
    """What words on a ground (red, green, blue from 0 to 1) are written in: white where it is
    dark.
    """
    light = sum(weight * part**2 for weight, part in zip(LIGHT, ground, strict=False))
    return INK if light > DARK * sum(LIGHT) else "white"


def tint(colour: str, percent_white: int) -> str:
    """`colour` mixed with so many per cent of white."""
    share = percent_white / 100
    red, green, blue = ((1 - share) * c + share for c in to_rgb(colour))
    return to_hex((red, green, blue))
