: One cell of circuit/network.py for NEURON: everything but the capacitance and the leak's section is in here.
NEURON {
    POINT_PROCESS CircuitCell
    NONSPECIFIC_CURRENT i
    RANGE g_L, v_L, v_th, v_reset, t_ref, w_ampa, w_nmda, w_PV, w_SST, w_ext, w_adapt, g_tonic, awake
    RANGE v_exc, v_inh, v_K, mg_ratio, mg_efold, out_nmda
    RANGE tau_ampa, tau_nmda, tau_PV, tau_SST, tau_adapt
}
UNITS { (nA) = (nanoamp) (mV) = (millivolt) (uS) = (microsiemens) }
PARAMETER {
    g_L (uS) v_L (mV) v_th (mV) v_reset (mV) t_ref (ms)
    w_ampa (uS) w_nmda (uS) w_PV (uS) w_SST (uS) w_ext (uS) w_adapt (uS) g_tonic (uS)
    v_exc (mV) v_inh (mV) v_K (mV) mg_ratio mg_efold (mV) out_nmda
    tau_ampa (ms) tau_nmda (ms) tau_PV (ms) tau_SST (ms) tau_adapt (ms)
}
ASSIGNED { v (mV) i (nA) awake }
STATE { a e n p s k }
INITIAL { a = 0 e = 0 n = 0 p = 0 s = 0 k = 0 awake = 1 net_send(0, 1) }
BREAKPOINT {
    SOLVE decays METHOD cnexp
    i = g_L*(v - v_L) + (w_ampa*a + w_ext*e + (w_nmda*n + g_tonic)/(1 + mg_ratio*exp(-v/mg_efold)))*(v - v_exc)
        + (w_PV*p + w_SST*s)*(v - v_inh) + w_adapt*k*(v - v_K)
    if (awake < 0.5) { i = 10(uS)*(v - v_reset) }
}
DERIVATIVE decays {
    a' = -a/tau_ampa
    e' = -e/tau_ampa
    n' = -n/tau_nmda
    p' = -p/tau_PV
    s' = -s/tau_SST
    k' = -k/tau_adapt
}
: kind: 0 outside, 1 E, 2 PV, 3 SST. `held` and `last`: glutamate bound at this synapse, and when that was.
NET_RECEIVE (kind, held, last (ms)) {
    INITIAL { held = 0 last = -1e9 }
    if (flag == 1) { WATCH (v > v_th) 2
    } else if (flag == 2) { awake = 0 v = v_reset k = k + 1 net_event(t) net_send(t_ref, 3)
    } else if (flag == 3) { awake = 1
    } else if (kind == 0) { e = e + 1
    } else if (kind == 1) {
        a = a + 1
        held = held*exp(-(t - last)/tau_nmda)
        n = n + out_nmda*(1 - held)
        held = held + out_nmda*(1 - held)
        last = t
    } else if (kind == 2) { p = p + 1
    } else { s = s + 1 }
}
