"""src/ holds mechanisms, models/ holds numbers: a float literal in src is 0, 0.5, 1, 2 or a listed
constant.
"""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

SRC = Path(__file__).parents[1] / "src" / "plastogen"
PLAIN = (0.0, 0.5, 1.0, 2.0)

# Unit factors and numerical tolerances, by module. A number of biology, however well known, belongs
# in models/.
UNIT_FACTORS = {
    "model/circuit/drive": {"PICO", "NANO", "MILLI"},
    "model/pharmacology/kinetics": {"MIN_PER_H"},
    "model/pharmacology/regimen": {"UMOL_PER_MMOL"},
    "model/pharmacology/block_kinetics": {"S_PER_H"},
    "model/plasticity/spine": {"H_PER_DAY"},
}
TOLERANCES = {
    "model/pharmacology/regimen": {"SHORTEST_H"},
    "model/pharmacology/relaxation": {"POLES", "RESIDUES"},
    "model/pharmacology/known": {"FIRST_PART_H", "WIDENING"},
    "experiment/resolve": {"JUST_BEFORE_H"},
    "model/circuit/definition": {"SHARE_TOLERANCE", "STEP_TOLERANCE", "FINEST_STEP_MS"},
    "model/pharmacology/kinetics": {"EIGEN_TOLERANCE", "SHARE_TOLERANCE"},
    "simulation/time_grid": {"CLOSE_H"},
    "simulation/lockstep": {"FIRST_STEP_H", "GROWTH", "LONGEST_STEP_H", "FURTHEST", "SUBSTEPS", "REST_ROUNDS", "REST_TOLERANCE"},
    "simulation/step": {"SUBSTEP"},
    "simulation/emulator": {"LEAST_MOVE", "MARGIN", "ALARM"},
    "simulation/rate_surface": {"LENGTHS", "SIZES", "SHARES", "NOISES", "FIRST_LENGTH", "FIRST_SHARE", "FIRST_NOISE",
                                "LEAST_SPREAD", "MATERN_SLOPE", "JITTER", "SEED_STEP"},
    "simulation/drift_surface": {"SLOWEST", "LEAST_SPREAD", "BOUNDS", "FIRST", "STARTS"},
    "simulation/balance_surface": {"LITTLE", "FURTHEST"},
    "simulation/train_emulator": {"SURE_SHARE", "BALANCE_SHARE", "SLACK", "PLAIN", "SILENT", "NEARLY", "REFIT_GROWTH"},
    "simulation/adaptive": {
        "FIRST_STEP_H", "SHORTEST_STEP_H", "LONGEST_STEP_H", "SHRINK", "SAFETY", "GROW",
    },
    "simulation/probe_scheduler": {"RESOLUTION_SHARE", "UNSURE_SHARE"},
    "simulation/variables": {"ERROR_OF_STEPS"},
    "simulation/ensembles": {"FROZEN", "SHORTEST_S"},
    "experiment/selection": {"SAME"},
    "experiment/validate_of_circuit": {"UNSURE"},
    "model/pharmacology/block_kinetics": {"SHARE_TOLERANCE"},
    "experiment/statistics": {"ROUNDING", "RESOLUTION"},
    "experiment/definition": {"SHORTEST_S", "LONGEST_S"},
    "_base/quantity": {"SMALLEST", "LARGEST"},
    "_base/text": {"NEAREST_CUTOFF", "SLIP_CUTOFF", "TINY"},
    "_base/units": {"WORD_CUTOFF"},
}  # fmt: skip
# How a signal is analysed: definitions of measures and of intervals, not of a brain.
ANALYSIS = {
    "experiment/statistics": {"CONFIDENCE", "POWER"},
    "analysis/compare": {"CHANCE"},
    "simulation/nmda_reliance": {"STEP"},
    "model/circuit/ensemble_activity": {"COUNT_BIN_S"},
    "model/circuit/measures": {
        "RATE_FLOOR_HZ",
        "RATE_BIN_S",
        "CORRELATION_BIN_S",
        "GAMMA_HZ",
        "DELTA_HZ",
    },
}
QUOTIENTS_ARE_LAYOUT = ("figures", "publish/report")  # a quarter of an axis is no number of biology
FILES = {str(path.relative_to(SRC).with_suffix("")): path for path in sorted(SRC.rglob("*.py"))}


def constants(statement: ast.stmt) -> set[str]:
    """The UPPER_CASE names a module-level statement assigns, empty for any other statement."""
    if isinstance(statement, ast.Assign):
        targets: list[ast.expr] = statement.targets
    elif isinstance(statement, ast.AnnAssign):
        targets = [statement.target]
    else:
        return set()
    names = {n.id for t in targets for n in ast.walk(t) if isinstance(n, ast.Name)}
    return names if all(name.isupper() for name in names) else set()


def numbers(node: ast.AST, *, quotients: bool = True) -> list[tuple[int, float]]:
    """Line and value of each float in `node` that is not plain, `quotients` and powers of literals
    included.
    """
    found = []
    for part in ast.walk(node):
        value: object = None
        if isinstance(part, ast.Constant):
            value = part.value
        elif (
            quotients
            and isinstance(part, ast.BinOp)
            and isinstance(part.op, ast.Div | ast.Pow)
            and all(isinstance(n, ast.Constant | ast.UnaryOp) for n in (part.left, part.right))
        ):
            try:
                value = eval(compile(ast.Expression(part), "literal", "eval"), {})
            except (NameError, TypeError, ArithmeticError):
                continue
        if isinstance(value, float) and value not in PLAIN:
            found.append((getattr(part, "lineno", 0), value))
    return found


def strays(source: str, allowed: set[str], *, quotients: bool = True) -> list[tuple[int, float]]:
    """Numbers of `source` outside plain ones and the `allowed` module-level constants."""
    return [
        number
        for statement in ast.parse(source).body
        if not (names := constants(statement)) or not names <= allowed
        for number in numbers(statement, quotients=quotients)
    ]


def allowed(module: str) -> set[str]:
    """The constants that may hold a number in `module`."""
    return set().union(
        *(listed.get(module, set()) for listed in (UNIT_FACTORS, TOLERANCES, ANALYSIS))
    )


def test_no_number_of_biology_stands_in_src() -> None:
    found = [
        f"{module}:{line}: {value}"
        for module, path in FILES.items()
        for line, value in strays(
            path.read_text(encoding="utf-8"),
            allowed(module),
            quotients=not module.startswith(QUOTIENTS_ARE_LAYOUT),
        )
    ]
    assert found == []


def test_the_lists_name_only_what_exists() -> None:
    for listed in (UNIT_FACTORS, TOLERANCES, ANALYSIS):
        for module, names in listed.items():
            tree = ast.parse(FILES[module].read_text(encoding="utf-8"))
            assert names <= {name for statement in tree.body for name in constants(statement)}, (
                module
            )


@pytest.mark.parametrize(
    "source",
    [
        "x = 1.42",
        "IC50 = 1.42",
        "def f(x):\n    return 3.5 * x",
        "def f(x=0.1): pass",
        "x = 3 / 4",
        "x = 10 ** -3",
        "class A:\n    RATE = 1.5",
        "if True:\n    H_PER_DAY = 25.0",
    ],
)
def test_a_number_slipped_in_is_caught(source: str) -> None:
    assert strays(source, {"H_PER_DAY"}) != []


@pytest.mark.parametrize(
    "source",
    [
        "H_PER_DAY = 24.0",
        "x = 0.5 * y",
        "x = 2.0 ** n",
        "n = 1000",
        "x = y / 3",
        "H_PER_DAY: float = 24.0",
    ],
)
def test_what_is_allowed_passes(source: str) -> None:
    assert strays(source, {"H_PER_DAY"}) == []
