"""Cost of the 1,000-cell network: ours against plain exponential Euler with Brian2's default flags
at dt 0.1 ms.

    python benchmarks/engine_speed.py [--seconds 5] [--repetitions 7] [--json FILE]

CPU seconds (user and system) of the simulating process; medians over repetitions that alternate
between the variants. Everything is built first, in a cache of its own. Also: what a build costs,
and that another value does not build again.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import textbook
from variants import (
    PlainEngine,
    brian2_flags,
    children_cpu_s,
    circuit,
    compiled_with,
    machine,
    table,
)

from plastogen import load_model
from plastogen.model.circuit import Drive, Engine, Spikes, rates_hz
from plastogen.model.circuit.program import flags

OURS = "averaged, dt 0.5 ms, vectorised"
PLAIN = "plain, dt 0.1 ms, Brian2's flags"
PLAIN_VECTORISED = "plain, dt 0.1 ms, vectorised"
AVERAGED_DEFAULT = "averaged, dt 0.5 ms, Brian2's flags"
TEXTBOOK = "the same as textbook Brian2, dt 0.1 ms, Brian2's flags"
TARGET_RATIO, TARGET_BUILD_S = 0.3, 15
SEED = 1


def cpu(work: Callable[[], object]) -> float:
    """CPU seconds that `work` takes in processes it starts, and those end."""
    before = children_cpu_s()
    work()
    return children_cpu_s() - before


def measure(name: str, seconds: float, repetitions: int) -> dict[str, Any]:
    """Build every variant, then run all of them in turn."""
    default = brian2_flags()
    coarse, fine = circuit(name, 0.5), circuit(name, 0.1)
    engines = {
        OURS: (Engine(coarse), flags()),
        PLAIN: (PlainEngine(fine), default),
        PLAIN_VECTORISED: (PlainEngine(fine), flags()),
        AVERAGED_DEFAULT: (Engine(coarse), default),
    }
    found: dict[str, dict[str, Any]] = {}
    spikes: dict[str, Spikes] = {}
    with tempfile.TemporaryDirectory(prefix="plastogen-textbook-") as place:
        for label, (engine, chosen) in engines.items():
            with compiled_with(chosen):
                here = time.process_time()
                children = cpu(lambda e=engine: e.run(Drive(), SEED, seconds=0.01, settle_s=0))
                found[label] = {"build_cpu_s": children + time.process_time() - here, "cpu_s": []}
        folder = Path(place)
        here = time.process_time()
        children = cpu(lambda: textbook.build(fine, SEED, seconds, folder))
        found[TEXTBOOK] = {"build_cpu_s": children + time.process_time() - here, "cpu_s": []}
        for _ in range(repetitions):
            for label, (engine, chosen) in engines.items():
                with compiled_with(chosen):

                    def simulate(label: str = label, engine: Engine = engine) -> None:
                        spikes[label] = engine.run(Drive(), SEED, seconds=seconds, settle_s=0)

                    found[label]["cpu_s"].append(cpu(simulate))
                    found[label]["rates_hz"] = rates_hz(spikes[label])[0].tolist()

            def simulate_textbook() -> None:
                found[TEXTBOOK]["rates_hz"] = textbook.run(folder, fine, seconds)

            found[TEXTBOOK]["cpu_s"].append(cpu(simulate_textbook))
    pair = spikes[PLAIN], spikes[PLAIN_VECTORISED]
    same = np.array_equal(pair[0].t_s, pair[1].t_s) and np.array_equal(pair[0].i, pair[1].i)
    return {"variants": found, "vectorised_spikes_identical": same, "rebuilds": rebuilds(name)}


def rebuilds(name: str) -> int:
    """How many programs are built when parameters of every kind take another value."""
    built: list[str] = []
    changed = {
        "populations.E.leak": "13 nS", "populations.PV.threshold": "-49 mV",
        "populations.SST.refractory": "3 ms", "decays.nmda": "80 ms",
        "magnesium.concentration": "1.2 mM", "background.rate": "900 Hz",
        "connections.0.ampa": "0.2 nS", "connections.0.probability": 0.15,
        "agonist.saturation": 0.4,
    }  # fmt: skip
    for path, value in changed.items():
        other = load_model("circuits", name, set={"step": "0.5 ms", path: value})
        Engine(other, announce=built.append).run(Drive(), SEED, seconds=0.1, settle_s=0)
    drive = Drive(nmda_E=0.7, ampa=0.9, release=1.1, recurrent=1.2, pv_output=0.8, silence=0.1)
    Engine(circuit(name, 0.5), announce=built.append).run(drive, SEED + 1, seconds=0.1, settle_s=0)
    return len(built)


def report(result: dict[str, Any], seconds: float, repetitions: int) -> str:
    """The result in Markdown."""
    found = result["variants"]
    medians = {label: statistics.median(one["cpu_s"]) for label, one in found.items()}
    rows = []
    for label, one in found.items():
        ratio = [
            ours / base for ours, base in zip(one["cpu_s"], found[PLAIN]["cpu_s"], strict=True)
        ]
        rows.append([
            label, f"{medians[label]:.3f}", f"{min(one['cpu_s']):.3f}-{max(one['cpu_s']):.3f}",
            f"{medians[label] / medians[PLAIN]:.2f}", f"{min(ratio):.2f}-{max(ratio):.2f}", f"{one['build_cpu_s']:.1f}",
            " ".join(f"{rate:.1f}" for rate in one["rates_hz"]),
        ])  # fmt: skip
    ratio = medians[OURS] / medians[PLAIN]
    cost = found[OURS]["build_cpu_s"]
    head = ["variant", "CPU s", "range", "ratio", "range", "build CPU s", "E PV SST (Hz)"]
    return "\n".join([
        f"{seconds:g} s of biology; CPU seconds (user and system) of the simulating process, build excluded; "
        f"medians of {repetitions} alternating repetitions; ratios to \"{PLAIN}\". {machine()}.",
        "", table(head, rows), "",
        f"- ratio {ratio:.3f}, target at most {TARGET_RATIO}: {'met' if ratio <= TARGET_RATIO else 'MISSED'}",
        f"- build {cost:.1f} CPU s, target at most {TARGET_BUILD_S}: {'met' if cost <= TARGET_BUILD_S else 'MISSED'}",
        f"- programs built for ten other sets of values: {result['rebuilds']}, "
        f"target 0: {'met' if not result['rebuilds'] else 'MISSED'}",
        f"- plain at dt 0.1 ms, spikes with vectorising flags and with Brian2's: "
        f"{'identical' if result['vectorised_spikes_identical'] else 'DIFFERENT'}",
    ])  # fmt: skip


def main() -> None:
    """Measure, print and, if asked, keep."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--circuit", default="prefrontal")
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--repetitions", type=int, default=7)
    parser.add_argument("--json", type=Path, help="also write every figure here")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="plastogen-speed-") as cache:
        os.environ["PLASTOGEN_CACHE"] = cache
        result = measure(asked.circuit, asked.seconds, asked.repetitions)
    print(report(result, asked.seconds, asked.repetitions))
    if asked.json:
        asked.json.write_text(json.dumps(result | {"machine": machine()}, indent=1))


if __name__ == "__main__":
    main()
