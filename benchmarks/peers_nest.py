"""The network in NEST (iaf_bw_2001): python peers_nest.py FOLDER SECONDS, where peers.py has left
it; prints JSON.

What this model lacks is put in as a constant: tonic NMDA conductance at -55 mV and the mean of
adaptation go into the leak, inhibition decays as PV's everywhere (SST weights scaled to the same
charge), NMDA rises in 2 ms. Run with a Python that has NEST; needs nothing else.
"""

import json
import math
import sys
import time

import nest
import numpy as np

folder, seconds = sys.argv[1], float(sys.argv[2])
given = dict(np.load(f"{folder}/network.npz"))
of_class, n = given["of_class"], len(given["of_class"])
nest.verbosity = nest.VerbosityLevel.ERROR
nest.resolution, nest.local_num_threads, nest.rng_seed = 0.1, 1, 1
saturation, rise = given["out_nmda"].max(), 2.0
block = 1 / (1 + float(given["mg_ratio"]) * math.exp(0.055 / float(given["mg_efold"])))
typical = np.array([4.5, 12.0, 8.0])[of_class]  # Hz
tonic = 1e9 * given["g_tonic"] * block
slow = 1e9 * given["w_adapt"] * float(given["tau_adapt"]) * 1e-3 * typical
leak = 1e9 * given["g_L"]
total = leak + tonic + slow
rest = (leak * given["v_L"] + tonic * given["v_exc"] + slow * given["v_K"]) * 1e3 / total
cells = nest.Create(
    "iaf_bw_2001",
    n,
    {
        "C_m": 1e12 * given["C"],
        "g_L": total,
        "E_L": rest,
        "V_th": 1e3 * given["v_th"],
        "V_reset": 1e3 * given["v_reset"],
        "t_ref": 1e3 * given["t_ref"],
        "E_ex": [1e3 * float(given["v_exc"])] * n,
        "E_in": [1e3 * float(given["v_inh"])] * n,
        "tau_AMPA": [float(given["tau_ampa"])] * n,
        "tau_GABA": [float(given["tau_PV"])] * n,
        "tau_decay_NMDA": [float(given["tau_nmda"])] * n,
        "tau_rise_NMDA": [rise] * n,
        "alpha": [-math.log(1 - saturation) / rise] * n,
        "conc_Mg2": [float(given["mg_ratio"]) * 3.57] * n,
        "V_m": 1e3 * given["v"],
    },
)
first = cells[0].global_id
delay = round(float(given["delay_ms"]), 1)
source, target = given["source"], given["target"]
charge = float(given["tau_SST"]) / float(given["tau_PV"])
ways = [(0, "w_ampa", 1, 1), (0, "w_nmda", 1, 3), (1, "w_PV", 1, 2), (2, "w_SST", charge, 2)]
for sender, name, factor, receptor in ways:
    these = of_class[source] == sender
    weights = 1e9 * factor * given[name][target[these]]
    spec = {
        "synapse_model": "static_synapse",
        "weight": weights,
        "delay": np.full(len(weights), delay),
        "receptor_type": np.full(len(weights), receptor),
    }
    nest.Connect(source[these] + first, target[these] + first, "one_to_one", spec)
outside = nest.Create("poisson_generator", 1, {"rate": float(given["rate"])})
nest.Connect(
    outside,
    cells,
    "all_to_all",
    {"weight": 1e9 * given["w_ext"][:, None], "delay": delay, "receptor_type": 1},
)
recorder = nest.Create("spike_recorder", 1, {"start": 100.0})
nest.Connect(cells, recorder)
nest.Simulate(100.0)
began = time.process_time()
nest.Simulate(1e3 * seconds)
cpu = time.process_time() - began
counts = np.bincount(np.asarray(recorder.events["senders"]) - first, minlength=n)
print(
    json.dumps(
        {
            "cpu_s": cpu,
            "rates_hz": [float(counts[of_class == c].mean()) / seconds for c in range(3)],
        }
    )
)
