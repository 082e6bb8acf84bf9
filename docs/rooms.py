"""In: the package's source, in this checkout or at a revision of git. Out: its rooms, floors and
arrows, as a table and as a picture.

    python docs/rooms.py                       this checkout
    python docs/rooms.py --rev 83d7936 HEAD    revisions side by side
    python docs/rooms.py --picture rooms.svg   the map that docs/architecture.md shows

A *room* is a folder of the package (`model/` holds three). An *arrow* is an import, at the top of a
module or inside a function; a name that a package's `__init__` passes on counts as an import of the
module that defines it. The *floors* are the modules of the longest chain of imports; modules that
import each other in a circle share one.
"""

from __future__ import annotations

import argparse
import ast
import subprocess
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = "plastogen"
GUARD = "tests/test_architecture.py"  # its table ROOMS is the order imports must keep
INK, PALE, ACCENT = "#1F2933", "#E4E7EB", "#0072B2"
ROW_IN, WIDTH_IN, NAMES_PER_LINE = 0.62, 13.5, 7


def imports(tree: ast.Module) -> Iterator[tuple[int, str, str]]:
    """(line, module, name) of everything that a module imports; the name is "" for `import x`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name, "") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((node.lineno, node.module or "", alias.name) for alias in node.names)


@dataclass(frozen=True)
class House:
    """The modules of one state of the package: dotted name -> source. `order`: its table of rooms,
    if it has one.
    """

    sources: Mapping[str, str]
    order: Sequence[str] = ()

    @cached_property
    def trees(self) -> dict[str, ast.Module]:
        """Each module's syntax tree."""
        return {name: ast.parse(source) for name, source in self.sources.items()}

    @cached_property
    def lengths(self) -> dict[str, int]:
        """Lines of each module."""
        return {name: len(source.splitlines()) for name, source in self.sources.items()}

    def room(self, module: str) -> str:
        """The folder a module stands in: `plastogen.model.circuit.engine` -> `model.circuit`;
        itself for a module that stands in none, "" for the package's own `__init__`.
        """
        parts = module.removesuffix(".__init__").split(".")[1:]
        if not parts:
            return ""
        holds_modules = any(
            name.startswith(f"{PACKAGE}.{parts[0]}.") and name.count(".") == 2
            for name in self.sources
            if not name.endswith(".__init__")
        )
        if holds_modules or f"{PACKAGE}.{parts[0]}" in self.sources:
            return parts[0]
        return ".".join(parts[:2])

    @cached_property
    def rooms(self) -> list[str]:
        """All rooms: in the order of the table, if there is one, or by name."""
        found = {self.room(module) for module in self.sources if self._counts(module)}
        table = [name for name in self.order if name in found]
        return [*table, *sorted(found - set(table))]

    @cached_property
    def passed_on(self) -> dict[tuple[str, str], str]:
        """(package, name) -> the module that defines what a package's `__init__` passes on."""
        return {
            (module.removesuffix(".__init__"), name): source
            for module, tree in self.trees.items()
            if module.endswith(".__init__")
            for _, source, name in imports(tree)
            if source.startswith(f"{PACKAGE}.") and source != module.removesuffix(".__init__")
        }

    def target(self, source: str, name: str) -> str | None:
        """The module of the package that `from source import name` reads; None for other
        libraries.
        """
        for module in (f"{source}.{name}", f"{source}.{name}.__init__"):
            if module in self.sources:
                return module
        if (source, name) in self.passed_on:
            return self.target(self.passed_on[source, name], name)
        return next((m for m in (source, f"{source}.__init__") if m in self.sources), None)

    @cached_property
    def arrows(self) -> dict[tuple[str, str], int]:
        """(importing module, imported module) -> line of the first such import."""
        found: dict[tuple[str, str], int] = {}
        for module, tree in self.trees.items():
            if not self._counts(module):
                continue
            for line, source, name in imports(tree):
                to = self.target(source, name)
                if to is not None and to != module and self._counts(to):
                    found.setdefault((module, to), line)
        return found

    @cached_property
    def between(self) -> Counter[tuple[str, str]]:
        """(importing room, imported room) -> arrows between their modules."""
        pairs = ((self.room(a), self.room(b)) for a, b in self.arrows)
        return Counter((a, b) for a, b in pairs if a != b)

    @cached_property
    def circles(self) -> list[set[str]]:
        """Sets of modules that import each other in a circle (Tarjan's components of two or
        more).
        """
        return [found for found in self._components if len(found) > 1]

    @property
    def against(self) -> list[str]:
        """Arrows that run against the table of rooms, as `module:line imports module`."""
        place = {name: i for i, name in enumerate(self.order)}
        return [
            f"{a}:{line} imports {b}"
            for (a, b), line in self.arrows.items()
            if self.room(a) in place
            and self.room(b) in place
            and place[self.room(b)] > place[self.room(a)]
        ]

    @property
    def floors(self) -> int:
        """Modules in the longest chain of imports."""
        where = {module: i for i, found in enumerate(self._components) for module in found}
        tall: list[int] = []
        for i, found in enumerate(self._components):  # what is imported comes first
            below = {where[b] for a, b in self.arrows if a in found} - {i}
            tall.append(1 + max((tall[k] for k in below), default=0))
        return max(tall, default=0)

    @cached_property
    def _components(self) -> list[set[str]]:
        """Strongly connected sets of modules, imported ones first (Tarjan 1972)."""
        below: dict[str, list[str]] = {module: [] for module in self.sources}
        for a, b in self.arrows:
            below[a].append(b)
        index: dict[str, int] = {}
        low: dict[str, int] = {}
        stack: list[str] = []
        found: list[set[str]] = []

        def visit(module: str) -> None:
            index[module] = low[module] = len(index)
            stack.append(module)
            for other in below[module]:
                if other not in index:
                    visit(other)
                if other in stack:
                    low[module] = min(low[module], low[other])
            if low[module] == index[module]:
                at = stack.index(module)
                found.append(set(stack[at:]))
                del stack[at:]

        for module in self.sources:
            if module not in index:
                visit(module)
        return found

    def _counts(self, module: str) -> bool:
        """Whether arrows from and to a module are drawn: not those of an `__init__`, which passes
        on what others define.
        """
        return not module.endswith(".__init__")


def of_checkout(root: Path = ROOT) -> House:
    """The package as it lies in a checkout."""
    files = {
        str(path.relative_to(root)): path.read_text(encoding="utf-8")
        for path in sorted((root / "src" / PACKAGE).rglob("*.py"))
    }
    guard = root / GUARD
    return _house(files, guard.read_text(encoding="utf-8") if guard.is_file() else "")


def of_revision(rev: str, root: Path = ROOT) -> House:
    """The package as git holds it at `rev`. Raises CalledProcessError for a revision that is not
    there.
    """
    listed = _git(root, "ls-tree", "-r", "--name-only", rev, "--", f"src/{PACKAGE}", GUARD)
    texts = {
        name: _git(root, "show", f"{rev}:{name}")
        for name in listed.splitlines()
        if name.endswith(".py")
    }
    return _house({n: t for n, t in texts.items() if n != GUARD}, texts.get(GUARD, ""))


def _git(root: Path, *words: str) -> str:
    done = subprocess.run(["git", *words], cwd=root, capture_output=True, check=True, text=True)
    return done.stdout


def _house(files: Mapping[str, str], guard: str) -> House:
    sources = {
        name.removeprefix("src/").removesuffix(".py").replace("/", "."): text
        for name, text in files.items()
    }
    return House(sources, _table(guard))


def _table(guard: str) -> tuple[str, ...]:
    """The literal table ROOMS of the architecture test; empty where there is none."""
    for node in ast.parse(guard).body:
        if isinstance(node, ast.AnnAssign) and ast.unparse(node.target) == "ROOMS" and node.value:
            return tuple(str(name) for name in ast.literal_eval(node.value))
    return ()


def figures_of(house: House) -> dict[str, str]:
    """What the table says of one house."""
    modules = [module for module in house.sources if not module.endswith(".__init__")]
    flat = [module for module in modules if module.count(".") == 1]
    longest = max(house.lengths, key=lambda module: house.lengths[module])
    both_ways = {frozenset(pair) for pair in house.between if pair[::-1] in house.between}
    return {
        "modules (without __init__)": str(len(modules)),
        "of these, flat beside each other": str(len(flat)),
        "rooms that are folders": str(len({house.room(m) for m in modules if m not in flat})),
        "floors (longest chain of imports)": str(house.floors),
        "arrows between modules": str(len(house.arrows)),
        "arrows between rooms (a flat module is one)": str(len(house.between)),
        "pairs of rooms that import each other": str(len(both_ways)),
        "arrows against the order": str(len(house.against)) if house.order else "no order",
        "circles of modules": str(len(house.circles)),
        "longest module, lines": f"{house.lengths[longest]} ({longest.split('.', 1)[-1]})",
    }


def table(houses: Mapping[str, House]) -> str:
    """Rooms, floors and arrows, a column each house."""
    columns = {name: figures_of(house) for name, house in houses.items()}
    rows = [["", *columns]]
    for key in next(iter(columns.values())):
        rows.append([key, *(column[key] for column in columns.values())])
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )


def picture(house: House, path: Path) -> None:
    """The map of rooms: left, each with its modules; right, how many imports run from it to each
    other. All imports lie left of the diagonal: they go up only.
    """
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib.figure import Figure

    rooms = house.rooms
    fig = Figure(figsize=(WIDTH_IN, ROW_IN * (len(rooms) + 3)), layout="constrained")
    names, grid = fig.subplots(1, 2, width_ratios=(8, 5), sharey=True)
    for row, room in enumerate(rooms):
        _room(names, row, room, house)
    most = max(house.between.values())
    for (a, b), n in house.between.items():
        row, column = rooms.index(a), rooms.index(b)
        strength = 0.15 + 0.85 * (n / most) ** 0.5
        colour = ACCENT if row > column else "#B3261E"
        grid.add_patch(_square(column, row, colour, strength))
        ink = "white" if strength > 1 / 2 else INK
        grid.text(column, row, str(n), ha="center", va="center", fontsize=11, color=ink)
    for row in range(len(rooms)):
        grid.add_patch(_square(row, row, PALE, 1))
    names.set(xlim=(0, 1), ylim=(len(rooms) - 0.5, -0.5))
    names.axis("off")
    grid.set_xlim(-0.5, len(rooms) - 0.5)
    grid.set_xticks(range(len(rooms)), rooms, rotation=50, ha="left", fontsize=11)
    grid.tick_params(length=0, labelleft=False, labeltop=True, labelbottom=False, top=True)
    grid.spines[:].set_visible(False)
    grid.set_xlabel("imports that the room on the left makes of the room above", fontsize=11)
    path.parent.mkdir(parents=True, exist_ok=True)
    with matplotlib.rc_context({"svg.hashsalt": PACKAGE, "svg.fonttype": "none"}):
        fig.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)


def _room(ax: Any, row: int, room: str, house: House) -> None:
    """One room: its name and its modules, wrapped."""
    prefix = f"{PACKAGE}.{room}."
    modules = [
        module.removeprefix(prefix)
        for module in house.sources
        if house.room(module) == room and not module.endswith(".__init__")
    ]
    inside = [name for name in modules if not name.startswith(PACKAGE)]
    lines = [
        "  ".join(inside[i : i + NAMES_PER_LINE]) for i in range(0, len(inside), NAMES_PER_LINE)
    ]
    ax.axhspan(row - 0.45, row + 0.45, color=PALE, alpha=0.6, linewidth=0)
    ax.text(0.01, row, room, va="center", fontsize=12, weight="bold", color=INK)
    ax.text(0.31, row, "\n".join(lines), va="center", fontsize=8, color=INK)


def _square(x: int, y: int, colour: str, strength: float) -> Any:
    from matplotlib.patches import Rectangle

    side = 0.92
    return Rectangle((x - side / 2, y - side / 2), side, side, color=colour, alpha=strength, lw=0)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="Rooms, floors and arrows of the package.")
    parser.add_argument("--rev", nargs="+", default=[], help="revisions of git, a column each")
    parser.add_argument("--picture", type=Path, help="also draw the map of this checkout")
    given = parser.parse_args()
    houses = {rev: of_revision(rev) for rev in given.rev} or {"checkout": of_checkout()}
    print(table(houses))
    for name, house in houses.items():
        for line in (*house.against, *(" <-> ".join(sorted(found)) for found in house.circles)):
            print(f"{name}: {line}")
    if given.picture:
        picture(of_checkout(), given.picture)


if __name__ == "__main__":
    main()
