"""The network in NEURON: python peers_neuron.py FOLDER SECONDS, where peers.py has left it; prints
JSON.

Same equations and connections; glutamate bound is kept at each synapse, as NEURON's NET_RECEIVE
would have it; voltages go by the implicit Euler rule; each cell has a NetStim of its own. Run with
a Python that has NEURON; needs no more.
"""

import json
import math
import sys
import time

import numpy as np
from neuron import h, load_mechanisms

folder, seconds = sys.argv[1], float(sys.argv[2])
load_mechanisms(folder)
h.load_file("stdrun.hoc")
given = dict(np.load(f"{folder}/network.npz"))
of_class, n = given["of_class"], len(given["of_class"])
PER_CELL = {"v_L": 1e3, "v_th": 1e3, "v_reset": 1e3, "t_ref": 1e3} | dict.fromkeys(
    ("g_L", "w_ampa", "w_nmda", "w_PV", "w_SST", "w_ext", "w_adapt", "g_tonic"), 1e6
)
SHARED = {"v_exc": 1e3, "v_inh": 1e3, "v_K": 1e3, "mg_efold": 1e3, "mg_ratio": 1}
sections, cells, links, outside = [], [], [], []
for k in range(n):
    section = h.Section(name=f"cell{k}")
    section.L = section.diam = math.sqrt(
        given["C"][k] * 1e12 * 100 / math.pi
    )  # 0.01 pF a square micrometre
    section.cm = 1
    cell = h.CircuitCell(section(0.5))
    for name, factor in PER_CELL.items():
        setattr(cell, name, given[name][k] * factor)
    for name, factor in SHARED.items():
        setattr(cell, name, float(given[name]) * factor)
    for name in ("ampa", "nmda", "PV", "SST", "adapt"):
        setattr(cell, f"tau_{name}", float(given[f"tau_{name}"]))
    cell.out_nmda = given["out_nmda"].max()
    stim = h.NetStim()
    stim.interval, stim.number, stim.start, stim.noise = 1e3 / float(given["rate"]), 1e12, 0, 1
    stim.noiseFromRandom123(k, 1, 0)
    link = h.NetCon(stim, cell, 0, 0.1, 0)
    sections.append(section), cells.append(cell), outside.append((stim, link))
for i, j in zip(given["source"].tolist(), given["target"].tolist(), strict=True):
    link = h.NetCon(cells[i], cells[j], 0, float(given["delay_ms"]), 1 + of_class[i])
    links.append(link)
times, ids = h.Vector(), h.Vector()
for k in range(n):
    link = h.NetCon(cells[k], None)
    link.record(times, ids, k)
    outside.append(link)
h.dt, h.steps_per_ms = 0.1, 10
h.finitialize(-60)
for k in range(n):
    sections[k](0.5).v = given["v"][k] * 1e3
h.continuerun(100)
began, before = time.process_time(), len(ids)
h.continuerun(100 + 1e3 * seconds)
cpu = time.process_time() - began
counts = np.bincount(np.array(ids)[before:].astype(int), minlength=n)
print(
    json.dumps(
        {"cpu_s": cpu, "rates_hz": [counts[of_class == c].mean() / seconds for c in range(3)]}
    )
)
