"""In: a circuit's own definition. Out: a drawing: who there is, who excites and inhibits whom,
where block acts.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Arc, Circle, FancyArrowPatch, Wedge

from plastogen.experiment import SUBJECT
from plastogen.figures import data, layout, style
from plastogen.model.circuit import Circuit, Connection, Population

SPAN = (-42, 88, -34, 36)  # left, right, bottom, top, in units of the drawing
# principal cells stand left, at 0, 0; those that inhibit stand right of them, from top to bottom
COLUMN_X, MIDDLE_Y = 48, -0.5
HEIGHT = {1: 0, 2: 35, 3: 47}  # of the column, by number of classes
TALLEST = 52
BULGE, ROOM = 16, 7  # of a column of more than two: to the right, and above and below
LARGEST_RADIUS, SMALLEST_RADIUS, WIDEST_PT, NARROWEST_PT = 15, 8, 11, 1
POOL_TEXT = {"synaptic": "synaptic", "tonic": "tonic", "rest": "resting"}


@dataclass(frozen=True)
class Node:
    """One population as drawn. In degrees, where things sit on its rim: `pools`, the middle of its
    NMDA pools and how far they are apart; `loop`, synapses onto itself; `input`, from outside.
    """

    name: str
    x: float
    y: float
    radius: float
    colour: str
    pools: tuple[float, float]
    loop: float
    input: float

    def pool_angle(self, i: int, n: int) -> float:
        """Where the pool `i` of `n` sits."""
        middle, apart = self.pools
        return middle + apart * (i - (n - 1) / 2)


@layout.slide
def plot_circuit(
    definition: Circuit,
    ds: xr.Dataset | None = None,
    *,
    arm: str | None = None,
    name: str = "",
) -> Figure:
    """`definition` drawn: circles by number of cells, lines by probability x peak conductance, NMDA
    pools on them.

    With results `ds`, each pool is filled by its block in `arm` when the drug peaks in the brain;
    `name` heads a drawing without results.
    """
    about = ds if ds is not None else xr.Dataset(attrs={"circuit": name} if name else {})
    block, when = _blocked(ds, arm) if ds is not None else ({}, "")
    note = (
        "circles: number of cells; lines: probability × peak conductance. Small circles: pools of"
        " NMDA receptors"
    )
    note += f", filled by the share blocked: {when}." if when else ", the sites where block acts."
    fig = layout.new_slide(
        about, f"{definition.title}", seeds=f"{definition.size:,} cells", note=note
    )
    ax = fig.add_subplot()
    ax.set_axis_off()
    ax.set_aspect("equal")
    many = len(definition.inhibitory) > 2
    ax.set_xlim(SPAN[0], SPAN[1] + many * BULGE)
    ax.set_ylim(SPAN[2] - many * ROOM, SPAN[3] + many * ROOM)
    nodes = _nodes(definition)
    strongest = max(strength(c) for c in definition.connections)
    for connection in definition.connections:
        _connection(ax, nodes, connection, strength(connection) / strongest)
    pools = definition.pools()
    for cls, population in definition.populations.items():
        mine = {pool: block.get(pool) for pool in pools if pool.startswith(f"{cls}.")}
        _population(ax, nodes[cls], population, mine)
        _background(
            ax, nodes[cls], f"{definition.background.rate.text} × {population.background.text}"
        )
    ends = ((">", 1, "excites (AMPA, NMDA)"), ("|", 3, "inhibits (GABA)"))
    handles = [
        Line2D(
            [],
            [],
            color=style.GREY,
            linestyle="none",
            marker=mark,
            markersize=12,
            markeredgewidth=edge,
            label=text,
        )
        for mark, edge, text in ends
    ]
    ax.legend(
        handles=handles, loc="lower left", bbox_to_anchor=(0, 0), fontsize=13, borderaxespad=0
    )
    return fig


def _nodes(definition: Circuit) -> dict[str, Node]:
    """Each class in its place: principal cells left, the others in a column that bulges to the
    right where it holds more than two.
    """
    looks = style.class_styles(definition.classes)
    largest = max(p.count for p in definition.populations.values())
    radius = {
        name: max(SMALLEST_RADIUS, LARGEST_RADIUS * math.sqrt(p.count / largest))
        for name, p in definition.populations.items()
    }
    first = definition.principal
    nodes = {first: Node(first, 0, 0, radius[first], looks[first].colour, (180, 28), -90, 115)}
    others = definition.inhibitory
    half, bulge = HEIGHT.get(len(others), TALLEST) / 2, BULGE * (len(others) > 2)
    for i, name in enumerate(others):
        height = 1 - 2 * i / (len(others) - 1) if len(others) > 1 else 0
        x, y = COLUMN_X + bulge * (1 - abs(height)), MIDDLE_Y + half * height
        loop, outside = (90, 155) if height >= 0 else (-90, -150)
        pools = (15 * height, -54)
        nodes[name] = Node(name, x, y, radius[name], looks[name].colour, pools, loop, outside)
    return nodes


def strength(connection: Connection) -> float:
    """Probability x summed peak conductance (nS): how thick a connection is drawn. NMDA counts
    before Mg2+ block.
    """
    peaks = (connection.ampa, connection.nmda, connection.gaba)
    return float(connection.probability) * sum(float(peak) for peak in peaks if peak is not None)


def _blocked(ds: xr.Dataset, arm: str | None) -> tuple[dict[str, float], str]:
    """Block of each pool when the drug peaks in the brain, and words that say so."""
    from plastogen.figures.axis import time_text

    ds = data.single_point(ds, ("block", "brain_uM"))
    one = data.focus_arm(ds, arm)
    runs = [dim for dim in ("seed", SUBJECT) if dim in ds.dims]
    brain = ds["brain_uM"].sel(arm=one).mean(runs).sum("species")
    at = float(ds["time"][int(np.nanargmax(brain.values))])
    values = ds["block"].sel(arm=one, time=at).mean(runs)
    blocked = {str(pool): float(values.sel(pool=pool)) for pool in ds["pool"].values}
    return blocked, f"{style.arm_title(ds, one)}, {time_text(at)}"


def _connection(ax: Axes, nodes: Mapping[str, Node], connection: Connection, share: float) -> None:
    """A line in the source's colour with an arrow (excites) or a bar (inhibits); width by `share`
    of the strongest.
    """
    source, target = nodes[connection.source], nodes[connection.target]
    width = NARROWEST_PT + (WIDEST_PT - NARROWEST_PT) * share
    colour = style.tint(source.colour, 30)
    if source is target:
        _loop(ax, source, connection, width, colour)
        return
    dx, dy = target.x - source.x, target.y - source.y
    length = math.hypot(dx, dy)
    ux, uy = dx / length, dy / length
    aside = 2  # the two directions of a pair run beside each other
    start = (source.x + ux * source.radius - uy * aside, source.y + uy * source.radius + ux * aside)
    gap = target.radius + 1
    end = (target.x - ux * gap - uy * aside, target.y - uy * gap + ux * aside)
    if connection.gaba is not None:
        ax.plot(
            [start[0], end[0]],
            [start[1], end[1]],
            color=colour,
            linewidth=width,
            zorder=1,
            solid_capstyle="butt",
        )
    _end(ax, end, (ux, uy), width, colour, excites=connection.gaba is None, start=start)


def _loop(ax: Axes, node: Node, connection: Connection, width: float, colour: str) -> None:
    """Synapses of a class onto itself: part of a circle that stands square on the cell's rim."""
    side, size, rim = node.loop, node.radius / 3 + 2, node.radius + 1
    away = math.hypot(node.radius, size)
    x, y = (
        node.x + away * math.cos(math.radians(side)),
        node.y + away * math.sin(math.radians(side)),
    )
    open_half = math.degrees(
        math.acos((size**2 + away**2 - rim**2) / (2 * size * away))
    )  # seen from the loop's centre
    first, last = side - 180 + open_half, side + 180 - open_half
    ax.add_patch(
        Arc(
            (x, y),
            2 * size,
            2 * size,
            theta1=first,
            theta2=last,
            edgecolor=colour,
            linewidth=width,
            zorder=1,
        )
    )
    end = math.radians(last)
    tip, along = (
        (x + size * math.cos(end), y + size * math.sin(end)),
        (
            -math.sin(end),
            math.cos(end),
        ),
    )
    _end(ax, tip, along, width, colour, excites=connection.gaba is None)


def _end(
    ax: Axes,
    tip: tuple[float, float],
    along: tuple[float, float],
    width: float,
    colour: str,
    *,
    excites: bool,
    start: tuple[float, float] | None = None,
) -> None:
    """The end of a connection at `tip`, coming `along` a unit vector: an arrow (its shaft from
    `start`) or a bar.
    """
    ux, uy = along
    if excites:
        shaft = start or (tip[0] - 3 * ux, tip[1] - 3 * uy)
        head = f"-|>,head_length={6 + width:g},head_width={3 + width / 2:g}"
        ax.add_patch(
            FancyArrowPatch(
                shaft,
                tip,
                arrowstyle=head,
                mutation_scale=1,
                linewidth=width if start else 0,
                color=colour,
                zorder=3,
                shrinkA=0,
                shrinkB=0,
                capstyle="butt",
            )
        )
        return
    half = 2 + width / 5
    across = [tip[0] + uy * half, tip[0] - uy * half], [tip[1] - ux * half, tip[1] + ux * half]
    ax.plot(*across, color=colour, linewidth=4, zorder=3, solid_capstyle="butt")


def _population(
    ax: Axes, node: Node, population: Population, pools: Mapping[str, float | None]
) -> None:
    """The circle, its name and number of cells, and its NMDA pools on the rim."""
    colour = node.colour
    ax.add_patch(
        Circle(
            (node.x, node.y),
            node.radius,
            facecolor=style.tint(colour, 80),
            edgecolor=colour,
            linewidth=3,
            zorder=2,
        )
    )
    ax.annotate(
        node.name,
        (node.x, node.y),
        ha="center",
        va="bottom",
        fontsize=24,
        fontweight="bold",
        color=colour,
    )
    ax.annotate(
        f"{population.count} cells", (node.x, node.y - 1), ha="center", va="top", fontsize=13
    )
    for i, (pool, blocked) in enumerate(pools.items()):
        _pool(ax, node, population, pool, node.pool_angle(i, len(pools)), blocked)


def _pool(
    ax: Axes, node: Node, population: Population, pool: str, angle: float, blocked: float | None
) -> None:
    """One NMDA pool on the rim: a small circle, filled by the share blocked; its name and subunits
    outside.
    """
    kind = pool.split(".")[1]
    ux, uy = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    x, y, size = node.x + node.radius * ux, node.y + node.radius * uy, 2
    ax.add_patch(
        Circle((x, y), size, facecolor="white", edgecolor=style.INK, linewidth=2, zorder=4)
    )
    if blocked is not None and np.isfinite(blocked):
        ax.add_patch(
            Wedge((x, y), size, 90 - 360 * blocked, 90, facecolor=style.INK, linewidth=0, zorder=5)
        )
    mix = getattr(population.nmdar, kind).shares()
    subunits = ", ".join(
        f"{name.removeprefix('GluN')} {100 * share:.0f} %" for name, share in mix.items()
    )
    tonic = f"; {population.tonic_nmda.text}" if kind == "tonic" else ""
    share = f": {100 * blocked:.0f} % blocked" if blocked is not None else ""
    right = ux > 0
    ax.annotate(
        f"{POOL_TEXT[kind]}{share}",
        (x, y),
        xytext=(16 if right else -16, 6),
        textcoords="offset points",
        ha="left" if right else "right",
        va="center",
        fontsize=13,
        fontweight="bold",
        zorder=6,
    )
    ax.annotate(
        f"{subunits}{tonic}",
        (x, y),
        xytext=(16 if right else -16, -9),
        textcoords="offset points",
        ha="left" if right else "right",
        va="center",
        fontsize=10,
        color=style.MUTED,
        zorder=6,
    )


def _background(ax: Axes, node: Node, text: str) -> None:
    """Input from outside: a short grey arrow."""
    angle = math.radians(node.input)
    ux, uy = math.cos(angle), math.sin(angle)
    tip = (node.x + (node.radius + 1) * ux, node.y + (node.radius + 1) * uy)
    tail = (tip[0] + 7 * ux, tip[1] + 7 * uy)
    arrow = FancyArrowPatch(
        tail, tip, arrowstyle="-|>", mutation_scale=14, linewidth=2, color=style.GREY, shrinkA=0
    )
    ax.add_patch(arrow)
    ax.annotate(
        f"background\n{text}",
        tail,
        xytext=(-6, 2 if uy > 0 else -2),
        textcoords="offset points",
        ha="right",
        va="bottom" if uy > 0 else "top",
        fontsize=11,
        color=style.MUTED,
    )
