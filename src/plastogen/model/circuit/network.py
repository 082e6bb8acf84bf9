"""In: classes of cells, laws of Mg2+, how many cells, a step. Out: the spiking network in Brian2,
compiled or run in numpy.

The equations of one cell (leaky integrate-and-fire, conductances; g is nS, sums run over arriving
spikes):

    C dv/dt = g_L (v_L - v) + (g_ampa + g_ext)(v_exc - v) + g_I (v_inh - v)
              + (g_adapt + g_silence)(v_K - v)
              + sum_k (g_nmda,k + g_tonic,k) B_k(v) (v_exc - v)
    B_k(v) = 1 / (1 + mg_k exp(-v / mg_efold))
    dg_x/dt = -g_x / tau_x                                 x: ampa, ext, nmda, adapt, I

I runs over the classes that inhibit, each with a conductance and a time constant of its own;
`classes` always lists the principal class, which excites, first.
k runs over the laws by which Mg2+ holds NMDA receptors, each with what the subunits that obey it
have of a cell's conductance (`Circuit.magnesium_laws`); B_k(v) is that of
`pharmacology.magnesium`. NMDA: at each spike of a principal cell the share `s` of receptors with
glutamate bound grows by out_nmda (1 - s) and decays with tau_nmda (saturation kept in the
presynaptic cell; exact because the decay is linear; Wang 1999, eq. 5 without the 2 ms rise).
A step is exponential Euler with the mean of each conductance over the step in place of its value at
the start, which keeps rates right at 0.5 ms. All cells are one NeuronGroup and all synapses one
Synapses object: fewer files, a faster build. What a cell has is in single precision, twice as much
in one instruction; so the end of rest is met within a hundredth of a step.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from plastogen.model.circuit import electrodes, external, packed, plastic, standalone
from plastogen.model.circuit.children import run_child
from plastogen.model.circuit.electrodes import Driven
from plastogen.model.circuit.precision import CELLS, floats

CXX = "g++"  # the compiler, unless the environment names another
THRESHOLD = "v > v_th"
RESET = "v = v_reset; rest_left = t_ref; ds = out_nmda*(1 - s); s = s + ds; x_adapt = x_adapt + 1"
VOLTAGE_STEP_MS = 5
PAIRS = ("S._synaptic_pre", "S._synaptic_post")  # as Brian2 calls the ends of its synapses
NEEDED = ("spikes.t", "spikes.i", "voltage.v", "G.v", *PAIRS)  # what is read after a run
RECORDED = 100  # cells whose voltage is sampled, evenly spread over all

# spike times (s), their cells, sampled voltages (V), and the cells before and behind each synapse


class Raw(NamedTuple):
    """What a run leaves: spike times (s), cells, sampled voltages (V; samples, recorded cells), the
    cells before and behind each synapse (2, synapses), and of those that follow a rule what is in
    them.
    """

    t: npt.NDArray[Any]
    i: npt.NDArray[Any]
    v: npt.NDArray[Any]
    pairs: npt.NDArray[Any]
    learning: Mapping[str, npt.NDArray[Any]]


def cell_units(classes: Sequence[str], laws: Sequence[str]) -> dict[str, str]:
    """What every cell has of its own: name -> unit."""
    inhibitory = classes[1:]
    return {
        "v": "volt",
        "C": "farad",
        "g_L": "siemens",
        "v_L": "volt",
        "v_th": "volt",
        "v_reset": "volt",
        "t_ref": "second",
        "w_ext": "siemens",
        "w_ampa": "siemens",
        **{f"w_{name}": "siemens" for name in inhibitory},
        "w_adapt": "siemens",
        **{f"{part}_{law}": "siemens" for law in laws for part in ("w", "g")},
        "g_silence": "siemens",
        "out_ampa": "1",
        "out_nmda": "1",
        **{f"out_{name}": "1" for name in inhibitory},
        **{f"is_{name}": "1" for name in classes},
        **{f"p_{name}": "1" for name in classes},
    }


def traces(classes: Sequence[str]) -> tuple[str, ...]:
    """The conductances that decay."""
    return ("ampa", "ext", "nmda", *classes[1:], "adapt")


def shared_units(classes: Sequence[str], laws: Sequence[str]) -> dict[str, str]:
    """What all cells share: name -> unit."""
    decays = {f"{part}_{name}": "1" for name in traces(classes) for part in ("left", "mean")}
    return decays | {
        "v_exc": "volt",
        "v_inh": "volt",
        "v_K": "volt",
        **dict.fromkeys(laws, "1"),
        "mg_efold": "volt",
        "n_ext": "1",
    }


def variables(classes: Sequence[str], laws: Sequence[str]) -> str:
    """Every variable of a cell, as Brian2 declares them."""
    return "\n".join(
        [f"{name} : {unit}" for name, unit in cell_units(classes, laws).items()]
        + [f"{name} : {unit} (shared)" for name, unit in shared_units(classes, laws).items()]
        + [f"x_{name} : 1" for name in traces(classes)]
        + ["s : 1", "ds : 1", "rest_left : second"]
        + [f"{name} : integer" for name in external.STATE]
    )


def step(classes: Sequence[str], laws: Sequence[str]) -> str:
    """The update of one step. `one`: a 1 in the equation would come out in double."""
    inhibition = " + ".join(f"w_{name}*x_{name}*mean_{name}" for name in classes[1:])
    nmda = " + ".join(f"(w_{law}*bound + g_{law})/(one + {law}*held)" for law in laws)
    return f"""
one = 1
g_e = w_ampa*x_ampa*mean_ampa + w_ext*x_ext*mean_ext
g_i = {inhibition or "0*siemens"}
bound = x_nmda*mean_nmda
held = exp(-v/mg_efold)
g_n = {nmda}
g_k = w_adapt*x_adapt*mean_adapt + g_silence
g_all = g_L + g_e + g_i + g_n + g_k
v_end = (g_L*v_L + (g_e + g_n)*v_exc + g_i*v_inh + g_k*v_K) / g_all
awake = 1.0*int(rest_left <= dt/100)
v = v_reset + awake*(v_end + (v - v_end)*exp(-dt*g_all/C) - v_reset)
rest_left = rest_left - dt
s = s*left_nmda
""" + "\n".join(f"x_{name} = x_{name}*left_{name}" for name in traces(classes))


def arrival(classes: Sequence[str]) -> str:
    """What a spike does to the cell it reaches."""
    return "; ".join(
        ["x_ampa_post += out_ampa_pre", "x_nmda_post += ds_pre"]
        + [f"x_{name}_post += out_{name}_pre" for name in classes[1:]]
    )


def connect(classes: Sequence[str], p_max: float, among: str = "", every: int = 1) -> str:
    """Every pair with its own probability: candidates at `p_max` drawn by jumps, then thinned.

    `among` one class only, and one pair of cells in `every`: the same pairs for the same random
    numbers, the others left out.
    """
    chance = f"({' + '.join(f'is_{name}_post*p_{name}_pre' for name in classes)})"
    only = f" and is_{among}_pre*is_{among}_post > 0" if among else ""
    only += f" and (i + k) % {every} == 0" if every > 1 else ""
    return f"k for k in sample(N_post, p={p_max!r}) if i != k and rand() < {chance}/{p_max!r}{only}"


def recorded(n: int) -> npt.NDArray[np.int64]:
    """Indices of the cells whose voltage is sampled."""
    return np.unique(np.linspace(0, n - 1, min(n, RECORDED)).astype(np.int64))


def model(
    classes: Sequence[str],
    laws: Sequence[str],
    n: int,
    step_ms: float,
    delay_ms: float,
    p_max: float,
    learner: Mapping[str, Any] | None = None,
    driven: Driven | None = None,
    *,
    structure: Any,
) -> tuple[Any, dict[str, Any]]:
    """The network (not run) and its parts by name; `structure(group)` is called just before
    synapses are drawn. With a `learner`, arguments of `plastic.synapses`, those between principal
    cells follow a rule. `driven`: the spikes that electrodes cause.
    """
    import brian2 as b2

    b2.defaultclock.dt = step_ms * b2.ms
    group = b2.NeuronGroup(
        n,
        variables(classes, laws) + ("" if driven is None else f"\n{electrodes.VARIABLES}"),
        threshold=THRESHOLD if driven is None else f"{THRESHOLD} or {electrodes.THRESHOLD}",
        reset=RESET if driven is None else f"{RESET}; {electrodes.RESET}",
        method="euler",
        name="G",
        namespace=external.functions(),
    )
    drawn = external.DRAW + external.external()
    group.run_regularly(drawn + step(classes, laws), when="groups", name="step")
    synapses = b2.Synapses(
        group, group, on_pre=arrival(classes), delay=delay_ms * b2.ms, name="S", namespace={}
    )
    structure(group)
    synapses.connect(j=connect(classes, p_max))
    spikes = b2.SpikeMonitor(group, name="spikes")
    voltage = b2.StateMonitor(
        group, "v", record=recorded(n), dt=VOLTAGE_STEP_MS * b2.ms, name="voltage"
    )
    parts = {"G": group, "S": synapses, "spikes": spikes, "voltage": voltage}
    if driven is not None:
        parts |= electrodes.attached(group, n, step_ms, driven)
    if learner is not None:
        every = learner.get("every", 1)
        how = {name: value for name, value in learner.items() if name != "every"}
        parts["P"] = plastic.synapses(group, group, **how, delay_ms=delay_ms)
        structure(group)
        parts["P"].connect(j=connect(classes, p_max, among=classes[0], every=every))
    return b2.Network(*parts.values(), name="network"), parts


def write_sources(
    folder: Path,
    *,
    classes: Sequence[str],
    laws: Sequence[str],
    n: int,
    step_ms: float,
    delay_ms: float,
    p_max: float,
    learner: Mapping[str, Any] | None = None,
    driven: bool = False,
    flags: list[str],
) -> None:
    """Generate the C++ program in `folder` (not compiled). Its values, seeds and duration come at
    run time.
    """

    def construct(device: Any) -> Any:
        def structure(group: Any) -> None:
            if learner is None and not driven:
                device.apply_run_args()  # values reach the network before synapses are drawn ...
            elif not device.run_args_applied:
                device.run_args_applied = True
                device.insert_code("main", _set("G."))
            device.insert_code("main", _seeded("PLASTOGEN_STRUCTURE"))

        network, parts = model(
            classes,
            laws,
            n,
            step_ms,
            delay_ms,
            p_max,
            learner,
            Driven.nobody() if driven else None,
            structure=structure,
        )
        if learner is not None:
            device.insert_code("main", _set("P."))  # ... and plastic ones once they are there
        device.insert_code("main", _seeded("PLASTOGEN_NOISE"))
        words = [device.get_array_name(parts["G"].variables[name]) for name in external.STATE]
        device.insert_code("main", external.begin([f"brian::{name}" for name in words], n))
        return network

    at_last = _set("electrodes.") if driven else ""
    with floats(CELLS):
        kept = NEEDED if learner is None else (*NEEDED, *plastic.READ)
        standalone.write_program(folder, construct, flags, kept=kept, at_last=at_last)
    if learner is not None:
        packed.pack(folder)


COMMON = (
    "<stdlib.h>",
    '"objects.h"',
    "<cmath>",
    "<ctime>",
    "<climits>",
    "<iostream>",
    "<fstream>",
    "<random>",
    "<algorithm>",
    '"brianlib/common_math.h"',
    '"brianlib/stdint_compat.h"',
)
COMMON_RULE = """

$(OBJS): common.h.gch
common.h.gch: common.h
\t$(CXX) $(CXXFLAGS) -x c++-header $< -o $@
"""


def _set(owner: str) -> str:
    """Code that sets what the command line says of one object."""
    return (
        "{ std::vector<std::string> own; for (const std::string& arg : args)"
        f' if (arg.compare(0, {len(owner)}, "{owner}") == 0) own.push_back(arg);'
        " set_from_command_line(own); }"
    )


def _seeded(variable: str) -> str:
    return (
        f'brian::_random_generators[0].seed(std::strtoul(std::getenv("{variable}"), nullptr, 10));'
    )


def run_numpy(
    cells: dict[str, npt.NDArray[np.float64]],
    shared: dict[str, float],
    *,
    classes: Sequence[str],
    laws: Sequence[str],
    step_ms: float,
    delay_ms: float,
    p_max: float,
    seconds: float,
    structure_seed: int,
    noise_seed: int,
    learner: Mapping[str, Any] | None = None,
    learning: Mapping[str, npt.ArrayLike] | None = None,
    driven: Driven | None = None,
) -> Raw:
    """Run without a compiler; `learning`: what synapses that follow a rule begin with."""
    import brian2 as b2

    b2.set_device("runtime")
    b2.prefs.codegen.target = "numpy"
    b2.prefs.core.stop_on_keyboard_interrupt = False

    def structure(group: Any) -> None:
        for name, value in {**cells, **shared}.items():
            group.variables[name].set_value(value)
        b2.seed(structure_seed)

    n = len(cells["v"])
    with floats(CELLS):
        network, parts = model(
            classes, laws, n, step_ms, delay_ms, p_max, learner, driven, structure=structure
        )
        for name, value in (learning or {}).items():
            parts["P"].variables[name].set_value(value)
        for name, words in external.begun(n, noise_seed).items():
            parts["G"].variables[name].set_value(words)
        network.run(seconds * b2.second)
    monitor, kept = parts["spikes"], plastic.KEPT if "P" in parts else ()
    return Raw(
        np.asarray(monitor.t / b2.second),
        np.asarray(monitor.i),
        np.asarray(parts["voltage"].v / b2.volt).T,
        np.stack([np.asarray(parts["S"].i), np.asarray(parts["S"].j)]),
        {name: np.array(parts["P"].variables[name].get_value()) for name in kept},
    )


def make(folder: Path, jobs: int = 2) -> tuple[int, str]:
    """Compile the program in `folder`: exit code of make and what it printed.

    What all of its files include is compiled once, which halves the time; where a compiler cannot
    do that, or Brian2's makefile has changed, each file includes it as ever.
    """
    rules = (folder / "makefile").read_text()
    own = "$(CXX) $(CXXFLAGS) $< -o $@"
    (folder / "makefile").write_text(
        rules.replace(own, own.replace("$<", "-include common.h $<")) + COMMON_RULE
    )
    (folder / "common.h").write_text("".join(f"#include {header}\n" for header in COMMON))
    (folder / "make.deps").touch()  # nothing here is ever compiled a second time
    environment = os.environ | {"CXX": os.environ.get("CXX", "").strip() or CXX}
    done = run_child(["make", f"-j{jobs}", "-C", str(folder)], folder, environment)
    return done.code, done.out[-4000:]
