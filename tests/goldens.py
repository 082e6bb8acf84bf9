"""Golden numbers: what each part of the model gives for inputs that stand here, under the versions
of `MODEL_VERSION`.

`python tests/goldens.py --write` writes tests/goldens.json again. It refuses where outputs moved
and no version of what computes them rose, unless their inputs (files of models/) changed.
"""

from __future__ import annotations

import hashlib
import json
import sys
import tempfile
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from courses import BATH, KETAMINE, RULE, answering, plan

from plastogen._base.digest import digest, fingerprint
from plastogen._base.library import Library
from plastogen.model.circuit import Circuit, Drive, Engine
from plastogen.model.circuit.generate import generate
from plastogen.model.circuit.measures import rates_hz
from plastogen.model.circuit.program import baked, default_backend
from plastogen.model.pharmacology.drug import Drug
from plastogen.model.pharmacology.kinetics import Exposure
from plastogen.model.pharmacology.regimen import Input
from plastogen.simulation.adaptive import simulate
from plastogen.simulation.emulator import Emulator
from plastogen.simulation.model_version import MODEL_VERSION
from plastogen.simulation.probe import FormulaProbe

FILE = Path(__file__).with_suffix(".json")
SEEDS = range(1, 9)
Outputs = dict[str, Any]


class Golden(NamedTuple):
    """`outputs` of some parts of the model; equal within `rtol`, or as `same` says."""

    parts: tuple[str, ...]
    make: Callable[[], tuple[str, Outputs]]  # a digest of the inputs, and the outputs
    rtol: float


def kinetics() -> tuple[str, Outputs]:
    """Plasma and brain after each route of each drug in each species."""
    times, found, inputs = np.array([0.1, 0.5, 1, 3, 8, 24, 72]), {}, []
    for name in Library().names("drugs"):
        drug = Library().load("drugs", name, Drug)
        inputs.append(fingerprint(drug))
        for species, variants in drug.kinetics.items():
            for variant, one in variants.items():
                for route in one.routes:
                    exposure = Exposure(
                        one,
                        parent=name,
                        inputs=(Input(route, 0.0, 40 / 60, 35.0),),
                        holds=(),
                        molar_masses=drug.molar_masses(),
                        weight_kg=70.0,
                    ).at(times)
                    found[f"{name} {species} {variant} {route}"] = {
                        s: values.tolist() for s, values in exposure.plasma_ng_ml.items()
                    }
    return digest(inputs), found


def courses() -> tuple[str, Outputs]:
    """Every variable of three courses that ask the formula."""
    plans = {
        "nothing": plan({}, hours=6),
        "infusion": plan(KETAMINE, hours=48),
        "bath": plan(BATH, hours=12),
    }
    found = {}
    for name, one in plans.items():
        course = simulate(one)
        some = np.unique(np.linspace(0, course.t_h.size - 1, 7).astype(int))
        found[name] = {
            variable: np.asarray(values)[some].tolist()
            for variable, values in course.arrays.items()
            if len(values) == course.t_h.size
        }
    given = [[fingerprint(x) for x in (p.subject, p.circuit, p.plasticity)] for p in plans.values()]
    return digest(
        [given, [sorted(map(fingerprint, p.drugs.values())) for p in plans.values()]]
    ), found


def emulator() -> tuple[str, Outputs]:
    """Rates between sixty answers of the formula."""
    circuit, rng = answering(), np.random.default_rng(0)
    rest = Drive().array(circuit)
    drives = rest * (1 - 0.3 * rng.random((60, 1)) - 0.05 * rng.random((60, rest.size)))
    seeds = 1 + np.arange(60) % 2
    probe = FormulaProbe(circuit, RULE)
    answers = [
        probe.measure(Drive.from_array(circuit, d), int(s))
        for d, s in zip(drives, seeds, strict=True)
    ]
    between = (drives[:20] + drives[20:40]) / 2
    fitted = Emulator.fit(circuit, drives, seeds, answers)
    return fingerprint(circuit), {
        "rate_hz": np.asarray(
            fitted.measure(Drive.from_array(circuit, between), 1).rate_hz
        ).tolist()
    }


def sources() -> tuple[str, Outputs]:
    """A digest of the C++ of each circuit's network; Brian2 writes its lines in one of two orders."""
    found, brian2 = {}, metadata.version("brian2")
    for name in Library().names("circuits"):
        circuit = Library().load("circuits", name, Circuit)
        with tempfile.TemporaryDirectory() as place:
            generate(Path(place), baked(circuit), ("-O3",))
            lines = sorted(
                line.strip().replace(place, "")
                for path in Path(place).rglob("*")
                if path.suffix in (".cpp", ".h") and "brianlib" not in path.parts
                for line in path.read_text().splitlines()
            )
        found[name] = hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]
    inputs = [baked(Library().load("circuits", name, Circuit)) for name in found]
    return digest([brian2, inputs]), found


def rates() -> tuple[str, Outputs]:
    """Mean rates of the small network over eight seeds, and their standard errors."""
    circuit, found = Library().load("circuits", "small", Circuit), {}
    engine = Engine(circuit, backend=default_backend())
    for name, drive in {"healthy": Drive(), "inputs halved": Drive(recurrent=0.5)}.items():
        runs = [rates_hz(engine.run(drive, s, seconds=4, settle_s=0.5))[0] for s in SEEDS]
        found[name] = {
            "mean": np.mean(runs, axis=0).tolist(),
            "se": (np.std(runs, axis=0, ddof=1) / np.sqrt(len(SEEDS))).tolist(),
        }
    return fingerprint(circuit), found


GOLDENS = {
    "kinetics": Golden(("pharmacology",), kinetics, 1e-9),
    "courses": Golden(("pharmacology", "plasticity", "simulation"), courses, 1e-9),
    "emulator": Golden(("simulation", "circuit"), emulator, 1e-4),
    "sources": Golden(("circuit",), sources, 0),
    "rates": Golden(("circuit",), rates, 0),
}


def moved(name: str, old: Any, new: Any, rtol: float) -> list[str]:
    """Where `new` differs from `old`."""
    if name == "rates":
        return [
            state
            for state in new
            if state not in old
            or (
                np.abs(np.subtract(new[state]["mean"], old[state]["mean"]))
                > 2 * np.hypot(new[state]["se"], old[state]["se"])
            ).any()
        ]
    if isinstance(new, dict):
        if not isinstance(old, dict) or old.keys() != new.keys():
            return ["other names"]
        return [
            f"{key} {place}".strip() for key in new for place in moved("", old[key], new[key], rtol)
        ]
    if isinstance(new, str) or np.shape(old) != np.shape(new):
        return [] if old == new else [""]
    # rounding of numbers that are nothing beside the largest of their variable is no change
    scale = float(np.max(np.abs(old), initial=0.0))
    return [] if np.allclose(new, old, rtol=rtol, atol=rtol * 1e-3 * scale) else [""]


def judge(name: str, old: dict[str, Any] | None, new: dict[str, Any]) -> str:
    """Why the golden `name` must not become `new`; "" when it may."""
    golden = GOLDENS[name]
    if old is None or old["inputs"] != new["inputs"]:
        return ""
    places = moved(name, old["outputs"], new["outputs"], golden.rtol)
    rose = any(new["versions"][part] > old["versions"][part] for part in golden.parts)
    if places and not rose:
        wanted = " or ".join(golden.parts)
        return f"{name} moved ({', '.join(places[:5])}) without a new version of {wanted}"
    return ""


def compute(name: str) -> dict[str, Any]:
    """The golden as it is stored."""
    inputs, outputs = GOLDENS[name].make()
    versions = {part: MODEL_VERSION[part] for part in GOLDENS[name].parts}
    return {"versions": versions, "inputs": inputs, "outputs": outputs}


def stored() -> dict[str, Any]:
    """What stands in goldens.json."""
    return dict(json.loads(FILE.read_text())) if FILE.is_file() else {}


def write() -> None:
    old, new = stored(), {name: compute(name) for name in GOLDENS}
    refused = [why for name in GOLDENS if (why := judge(name, old.get(name), new[name]))]
    if refused:
        sys.exit("\n".join([*refused, "raise it in src/plastogen/simulation/model_version.py"]))
    FILE.write_text(json.dumps(new, separators=(",", ":"), sort_keys=True) + "\n")


if __name__ == "__main__":
    if sys.argv[1:] != ["--write"]:
        sys.exit(__doc__)
    write()
