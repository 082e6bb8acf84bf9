"""The house: which module stands on which. Imports go down only, in no circle, and heavy things
come late.
"""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

import pytest

from plastogen._base.facade import offered
from plastogen.experiment import FIGURES

ROOT = Path(__file__).parents[1]
SRC = ROOT / "src" / "plastogen"
MAX_LINES = 400

# The rooms, in the order of the data: a module may import its own room and those above it in this
# table.
ROOMS: tuple[str, ...] = (
    "errors",
    "_base",
    "model.pharmacology",
    "model.circuit",
    "model.plasticity",
    "simulation",
    "experiment",
    "runs",
    "analysis",
    "figures",
    "publish",
    "cli",
    "__main__",
)
ONLY_IN = {
    "brian2": ("model.circuit",),
    "SALib": ("experiment", "analysis"),
    "matplotlib": ("figures",),
    "sklearn": (),  # an oracle of tests
    "ruamel": ("_base",),
}
HEAVY = (
    "brian2",
    "numpy",
    "scipy",
    "xarray",
    "matplotlib",
    "h5py",
    "h5netcdf",
    "pandas",
    "pynwb",
)

OPEN_ROOMS = ("", "errors", "_base")  # used by module
FACADES = [
    "plastogen",
    "plastogen.model",
    *(
        f"plastogen.{name}"
        for name in ROOMS
        if (SRC / name.replace(".", "/")).is_dir() and name not in ("_base", "cli")
    ),
]
FACADE_LINES = 50

FILES = sorted(SRC.rglob("*.py"))
MODULES = {
    ".".join(("plastogen", *path.relative_to(SRC).with_suffix("").parts)): path for path in FILES
}


def room(module: str) -> str:
    """The room of the table that `module` (a full dotted name) stands in; "" for the package
    itself.
    """
    below = module.removeprefix("plastogen").removeprefix(".")
    return next((name for name in ROOMS if f"{below}.".startswith(f"{name}.")), "")


def imports(path: Path, *, top_only: bool = False) -> Iterator[tuple[int, str]]:
    """Line and full dotted name of everything `path` imports; `top_only` leaves out what functions
    import.
    """
    tree = ast.parse(path.read_text(encoding="utf-8"))
    nodes: list[ast.AST] = list(ast.walk(tree))
    if top_only:
        late = {
            id(x)
            for f in nodes
            if isinstance(f, ast.FunctionDef | ast.AsyncFunctionDef)
            for x in ast.walk(f)
        }
        late |= {
            id(x)
            for n in nodes
            if isinstance(n, ast.If) and "TYPE_CHECKING" in ast.unparse(n.test)
            for x in ast.walk(n)
        }
        nodes = [node for node in nodes if id(node) not in late]
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name}:{node.lineno}: relative import"
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def test_no_module_is_longer_than_a_person_can_hold() -> None:
    lengths = {m: len(path.read_text(encoding="utf-8").splitlines()) for m, path in MODULES.items()}
    too_long = {m: n for m, n in lengths.items() if n > MAX_LINES}
    assert too_long == {}


def test_a_module_opens_with_what_goes_in_and_what_comes_out() -> None:
    mute = [
        module
        for module, path in MODULES.items()
        if not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert [module for module in mute if module != "plastogen.__init__"] == []


def test_every_module_has_its_place_in_the_table() -> None:
    lost = [
        m
        for m in MODULES
        if not room(m) and m not in ("plastogen.__init__", "plastogen.model.__init__")
    ]
    assert lost == []


def test_imports_go_up_the_table_only() -> None:
    wrong = [
        f"{module}:{line} imports {name}"
        for module, path in MODULES.items()
        for line, name in imports(path)
        if room(name) and room(module) and ROOMS.index(room(name)) > ROOMS.index(room(module))
    ]
    assert wrong == []


def test_a_room_is_entered_through_its_facade() -> None:
    """A module takes from another room only what that room's `__init__` offers, by that name."""
    past = []
    for module, path in MODULES.items():
        for line, name in imports(path):
            there = f"plastogen.{room(name)}"
            if (
                room(name) in OPEN_ROOMS
                or there == name
                or room(module) in (room(name), "__main__")
                or module == "plastogen.__init__"
            ):
                continue
            wanted = name.removeprefix(f"{there}.")
            if wanted not in offered(str(MODULES[f"{there}.__init__"])):
                past.append(f"{module}:{line} imports {name}")
    assert past == []


OUTSIDE = [path for name in ("benchmarks", "notebooks") for path in (ROOT / name).glob("*.py")]
# benchmarks that take the network apart, to time its parts or to build variants of it
INSIDE = {f"{stem}.py": "model.circuit.program" for stem in (
    "engine_speed", "kernel", "step_bias", "sweep_speed", "variants",
)}  # fmt: skip


def test_notebooks_and_benchmarks_use_what_is_offered_only() -> None:
    """Notebooks what is public; benchmarks also what a room's facade offers to other rooms."""
    past = []
    for path in OUTSIDE:
        for line, name in imports(path):
            package, _, last = name.rpartition(".")
            if not name.startswith("plastogen.") or package == "plastogen":
                continue
            if package in FACADES and package != "plastogen._base":
                public = getattr(importlib.import_module(package), "__all__", None)
                if path.parent.name == "notebooks":
                    fine = last in (public or ()) or last.startswith("plot_")
                else:
                    fine = last in offered(str(MODULES[f"{package}.__init__"]))
            else:
                fine = package == f"plastogen.{INSIDE.get(path.name)}"
            if not fine:
                past.append(f"{path.parent.name}/{path.name}:{line} imports {name}")
    assert past == []


@pytest.mark.parametrize("package", FACADES)
def test_a_facade_is_short_and_offers_only_what_is_there(package: str) -> None:
    path, facade = MODULES[f"{package}.__init__"], importlib.import_module(package)
    assert len(path.read_text(encoding="utf-8").splitlines()) < FACADE_LINES
    homes = offered(str(path))
    assert homes
    for name, home in homes.items():
        assert getattr(facade, name) is not None
        bears = f"{package}.{name}" in MODULES or f"{package}.{name}.__init__" in MODULES
        assert bears == (home == package), f"{name} bears the name of a module"
    derived = {f"plot_{name}" for name in FIGURES} if package == "plastogen.figures" else set()
    assert {*getattr(facade, "__all__", ()), *homes, *derived} == set(dir(facade))
    assert not derived & homes.keys()
    with pytest.raises(AttributeError, match=rf"{package} has no 'nothing'; it offers"):
        _ = facade.nothing


def test_a_facade_costs_nothing() -> None:
    code = f"import sys, {', '.join(FACADES)}; print([m for m in sys.modules if m.startswith('plastogen.')])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    packages = {"plastogen._base", "plastogen._base.facade", *FACADES} - {"plastogen"}
    assert set(ast.literal_eval(found.stdout)) == packages


def test_no_import_runs_in_a_circle() -> None:
    graph: dict[str, set[str]] = {}
    for module, path in MODULES.items():
        wanted = {name for _, name in imports(path) if name.startswith("plastogen.")}
        targets = {
            t
            for name in wanted
            for t in (name, name.rpartition(".")[0])
            if t in MODULES or f"{t}.__init__" in MODULES
        }
        targets = {t if t in MODULES else f"{t}.__init__" for t in targets} - {"plastogen.__init__"}
        # a package's own parts may come through its __init__, which they stand below
        graph[module.removesuffix(".__init__")] = {
            t.removesuffix(".__init__")
            for t in targets
            if not module.startswith(t.removesuffix("__init__")) or t == module
        } - {module.removesuffix(".__init__")}
    try:
        tuple(TopologicalSorter(graph).static_order())
    except CycleError as error:
        pytest.fail(f"import circle: {' -> '.join(error.args[1])}")


def test_each_heavy_library_stands_behind_one_door() -> None:
    strays = [
        f"{module}:{line} imports {name}"
        for module, path in MODULES.items()
        for line, name in imports(path)
        if (allowed := ONLY_IN.get(name.split(".")[0])) is not None and room(module) not in allowed
    ]
    assert strays == []


@pytest.mark.parametrize("name", ["cli.main", "__main__"])
def test_the_command_line_imports_nothing_heavy_at_the_top(name: str) -> None:
    path = MODULES.get(f"plastogen.{name}")
    if path is None:
        pytest.skip(f"{name} is not built yet")
    assert [n for _, n in imports(path, top_only=True) if n.split(".")[0] in HEAVY] == []
    code = f"import sys, plastogen.{name}; print([m for m in {HEAVY!r} if m in sys.modules])"
    if name == "cli.main":
        found = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, check=True, text=True
        )
        assert found.stdout.strip() == "[]"


STARTED = """
import atexit, sys
from plastogen.cli.main import main
atexit.register(lambda: print("\\n", [name for name in {names!r} if is_there(name)]))
def is_there(name):
    return getattr(sys.modules.get(name), "__spec__", None) is not None
sys.argv = ["plastogen", *{words!r}]
main()
"""
NOT_FOR = {
    "--help": ("rich.markdown", "rich.traceback", "pygments", "pydantic", "ruamel", *HEAVY),
    "check one_infusion": tuple({*HEAVY, "dask", "rich.console"} - {"numpy"}),
}


@pytest.mark.parametrize("command", NOT_FOR)
def test_nobody_waits_for_what_a_command_does_not_use(command: str) -> None:
    """`benchmarks/start.py` says what it saves."""
    code = STARTED.format(names=NOT_FOR[command], words=command.split())
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert found.stdout.splitlines()[-1].strip() == "[]"


def test_what_is_put_off_of_rich_is_there_when_it_is_called() -> None:
    code = (
        "from plastogen.cli import late_rich; late_rich.defer()\n"
        "from rich.markdown import Markdown; from rich.traceback import Traceback\n"
        "print(Markdown('# x').markup, Traceback.extract.__name__, Markdown('y').markup)"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert found.stdout.strip() == "# x extract y"


def test_the_package_itself_imports_nothing() -> None:
    code = "import sys; before = set(sys.modules); import plastogen; print(sorted(set(sys.modules) - before))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    loaded = ast.literal_eval(found.stdout)
    assert [
        m for m in loaded if m.split(".")[0] in (*HEAVY, "pydantic") or m.startswith("plastogen.")
    ] == ["plastogen._base", "plastogen._base.facade"]


def test_the_python_door_opens_on_what_it_promises() -> None:
    import plastogen

    for name in plastogen.__all__:
        assert getattr(plastogen, name) is not None
        assert name in dir(plastogen)
    assert (
        plastogen.SCOPE == "plastogen explains mechanisms; it is not advice on doses or treatment."
    )
    with pytest.raises(AttributeError, match="plastogen has no 'nothing'; it offers EngineError"):
        _ = plastogen.nothing


def test_the_wheel_carries_models_experiments_and_types() -> None:
    import tomllib

    project = tomllib.loads((SRC.parents[1] / "pyproject.toml").read_text(encoding="utf-8"))
    included = project["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    assert included == {
        name: f"plastogen/_library/{name}" for name in ("models", "experiments", "lessons")
    }
    assert (SRC / "py.typed").is_file()


def test_only_tables_keep_a_layout_of_their_own() -> None:
    """Every `# fmt: skip` in the source ends the assignment of a literal table."""
    strays = []
    for module, path in MODULES.items():
        text = path.read_text(encoding="utf-8")
        skipped = {i for i, line in enumerate(text.splitlines(), 1) if "# fmt: skip" in line}
        tables = {
            node.end_lineno
            for node in ast.walk(ast.parse(text))
            if isinstance(node, ast.Assign | ast.AnnAssign)
            and isinstance(node.value, ast.Dict | ast.Tuple | ast.List | ast.Set)
        }
        strays += [f"{module}:{line}" for line in sorted(skipped - tables)]
    assert strays == []


def test_what_packages_offer_is_parsed_one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """`ast.parse` of two threads at once can fail (CPython 3.11), and any thread may be the first to
    use a package.
    """
    parse, inside, most = ast.parse, list[int](), list[int]()

    def slow(*told: Any, **more: Any) -> Any:
        inside.append(1)
        most.append(len(inside))
        time.sleep(0.02)
        inside.pop()
        return parse(*told, **more)

    monkeypatch.setattr(ast, "parse", slow)
    packages = [SRC / room.replace(".", "/") / "__init__.py" for room in ("runs", "simulation")]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(offered.__wrapped__, [str(path) for path in packages * 4]))
    assert max(most) == 1


def test_nothing_that_is_kept_points_out_of_the_repository() -> None:
    """A link to a folder of one machine stood where `plastogen run` writes its results."""
    root = Path(__file__).parents[1]
    listed = subprocess.run(
        ["git", "ls-files", "--stage"], cwd=root, capture_output=True, text=True, check=False
    )
    if listed.returncode:
        pytest.skip("not a checkout of git")
    links = [line for line in listed.stdout.splitlines() if line.startswith("120000")]
    assert links == []
