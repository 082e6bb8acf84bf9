"""In: a circuit. Out: the same network as a user of Brian2 would write it: differential equations,
default settings.

Checks that the baseline of engine_speed.py is no straw man; also the peer and the naive sweep of
other benchmarks. Connections are drawn with numpy beforehand, at no cost to the run, and come from
another random stream than the engine's; everything else is the same.
"""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from plastogen.model.circuit import Circuit, Drive, cell_values, shared_values
from plastogen.model.circuit import network as ours

EQUATIONS = """
dv/dt = (g_L*(v_L - v) + (w_ampa*x_ampa + w_ext*x_ext)*(v_exc - v) + (w_PV*x_PV + w_SST*x_SST)*(v_inh - v)
         + (w_adapt*x_adapt + g_silence)*(v_K - v)
         + (NMDA)*(v_exc - v))/C : volt (unless refractory)
ds/dt = -s/tau_nmda : 1
ds_now : 1
"""
RESET = "v = v_reset; ds_now = out_nmda*(1 - s); s += ds_now; x_adapt += 1"
ARRIVAL = (
    "x_ampa_post += out_ampa_pre; x_nmda_post += ds_now_pre; x_PV_post += out_PV_pre; x_SST_post +="
    " out_SST_pre"
)


def taus(circuit: Circuit) -> dict[str, float]:
    """Conductance -> its time constant (ms)."""
    k = circuit.decays
    own = {"ampa": k.ampa, "ext": k.ampa, "nmda": k.nmda, **k.gaba, "adapt": k.adaptation}
    return {name: float(tau) for name, tau in own.items()}


def build(
    circuit: Circuit, seed: int, seconds: float, folder: Path, drive: Drive | None = None
) -> None:
    """Write and compile the program in `folder`; its values, seed and duration are fixed."""
    import brian2 as b2

    b2.device.reinit()
    b2.set_device("cpp_standalone", directory=str(folder), build_on_run=False)
    b2.prefs.reset_to_defaults()
    assembled(circuit, seed, drive or Drive())[0].run(seconds * b2.second)
    b2.get_device().build(directory=str(folder), compile=True, run=False)
    b2.device.reinit()
    b2.set_device("runtime")


def assembled(circuit: Circuit, seed: int, drive: Drive) -> tuple[Any, Any]:
    """The network, and the monitor of its spikes, on the device that is set."""
    import brian2 as b2

    laws = tuple(circuit.magnesium_laws)
    nmda = " + ".join(f"(w_{law}*x_nmda + g_{law})/(1 + {law}*exp(-v/mg_efold))" for law in laws)
    b2.defaultclock.dt = float(circuit.step) * b2.ms
    cells = {
        k: x
        for k, x in cell_values(circuit, drive, seed).items()
        if not k.startswith(("is_", "p_"))
    }
    units = {
        name: unit
        for name, unit in ours.shared_units(circuit.classes, laws).items()
        if not name.startswith(("left_", "mean_"))
    }
    known = {"volt": b2.volt, "1": 1}
    namespace = {name: shared_values(circuit)[name] * known[unit] for name, unit in units.items()}
    namespace |= {f"tau_{name}": tau * b2.ms for name, tau in taus(circuit).items()}
    lines = [f"dx_{name}/dt = -x_{name}/tau_{name} : 1" for name in taus(circuit)]
    per_cell = ours.cell_units(circuit.classes, laws)
    lines += [f"{name} : {per_cell[name]} (constant)" for name in cells if name != "v"]
    group = b2.NeuronGroup(
        circuit.size,
        EQUATIONS.replace("NMDA", nmda) + "\n".join(lines),
        threshold="v > v_th",
        reset=RESET,
        refractory="t_ref",
        method="exponential_euler",
        namespace=namespace,
        name="cells",
    )
    for name, values in cells.items():
        group.variables[name].set_value(values)
    synapses = b2.Synapses(
        group, group, on_pre=ARRIVAL, delay=circuit.wait_ms * b2.ms, name="synapses"
    )
    source, target = connections(circuit, seed)
    synapses.connect(i=source, j=target)
    outside = b2.PoissonInput(group, "x_ext", 1, float(circuit.background.rate) * b2.Hz, 1)
    spikes = b2.SpikeMonitor(group, name="spikes")
    voltage = b2.StateMonitor(
        group, "v", record=ours.recorded(circuit.size), dt=ours.VOLTAGE_STEP_MS * b2.ms
    )
    b2.seed(seed)
    return b2.Network(group, synapses, outside, spikes, voltage), spikes


def connections(circuit: Circuit, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Pairs (source cells, target cells), each drawn with its own probability."""
    chance = np.zeros((circuit.size, circuit.size))
    slices = circuit.slices()
    for a in circuit.classes:
        for b in circuit.classes:
            if found := circuit.connection(a, b):
                chance[slices[a], slices[b]] = float(found.probability)
    np.fill_diagonal(chance, 0)
    source, target = np.nonzero(np.random.default_rng(seed).random(chance.shape) < chance)
    return source, target


def run(folder: Path, circuit: Circuit, seconds: float) -> list[float]:
    """Run the program; mean rate of each class (Hz)."""
    subprocess.run([str(folder / "main")], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    (file,) = (folder / "results").glob("_dynamic_array_spikes_i_*")
    return rates_hz(circuit, np.fromfile(file, dtype=np.int32), seconds)


def rates_hz(circuit: Circuit, cells: npt.ArrayLike, seconds: float) -> list[float]:
    """Mean rate of each class (Hz) from the cells that fired, one entry a spike."""
    counts = np.bincount(np.asarray(cells), minlength=circuit.size)
    return [float(counts[part].mean()) / seconds for part in circuit.slices().values()]
