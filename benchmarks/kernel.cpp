// The network of src/plastogen/model/circuit/network.py by hand, in double precision: what a compiler makes of plain loops.
//
//     kernel FOLDER CELLS SECONDS STEP_S DELAY_STEPS SEED
//
// Reads FOLDER/cells (the arrays of CELL, one after the other) and FOLDER/shared (the numbers of SHARED), as doubles;
// writes FOLDER/spikes: pairs (step, cell) of 32-bit integers. Compiled by kernel.py.

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

using Array = std::vector<double>;
enum Cell { V, C, G_L, V_L, V_TH, V_RESET, T_REF, W_EXT, W_AMPA, W_PV, W_SST, W_ADAPT,
            W_2AB, G_2AB, W_2C, G_2C, W_2D, G_2D, G_SILENCE, OUT_AMPA, OUT_NMDA, OUT_PV, OUT_SST, IS_E, IS_PV, IS_SST, P_E, P_PV, P_SST, CELL_ARRAYS };
enum Trace { AMPA, EXT, NMDA, PV, SST, ADAPT, TRACES };
constexpr int SHARED = 2 * TRACES + 8, MOST = 8;

static Array read(const std::string& path, size_t n) {
    Array values(n);
    FILE* file = std::fopen(path.c_str(), "rb");
    if (!file || std::fread(values.data(), sizeof(double), n, file) != n) { std::perror(path.c_str()); std::exit(1); }
    std::fclose(file);
    return values;
}

static inline uint64_t scattered(uint64_t x) {  // splitmix64
    x += 0x9e3779b97f4a7c15u; x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u; x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

static inline double uniform(uint64_t& x) {  // xorshift64 (Marsaglia 2003), its upper 52 bits
    x ^= x << 13; x ^= x >> 7; x ^= x << 17;
    union { uint64_t bits; double value; } one = {(x >> 12) | 0x3ff0000000000000u};
    return one.value - 1;
}

struct Network {
    int n;
    const double *left, *mean, *upto, *others, *cells;
};

// One step of every cell: background input, voltage, decay. A function of its own, so that nothing aliases.
__attribute__((noinline)) static void advance(
    const Network& net, double now, double dt, uint64_t* __restrict stream, double* __restrict v, double* __restrict s,
    const double* __restrict from, double* __restrict xa, double* __restrict xe, double* __restrict xn,
    double* __restrict xp, double* __restrict xs, double* __restrict xk) {
    const int n = net.n;
    auto cell = [&](int which) { return net.cells + size_t(which) * n; };
    const double *__restrict c = cell(C), *__restrict g_L = cell(G_L), *__restrict v_L = cell(V_L);
    const double *__restrict v_reset = cell(V_RESET), *__restrict w_ext = cell(W_EXT), *__restrict w_ampa = cell(W_AMPA);
    const double *__restrict w_PV = cell(W_PV), *__restrict w_SST = cell(W_SST), *__restrict w_adapt = cell(W_ADAPT);
    const double *__restrict w_2AB = cell(W_2AB), *__restrict g_2AB = cell(G_2AB);
    const double *__restrict w_2C = cell(W_2C), *__restrict g_2C = cell(G_2C);
    const double *__restrict w_2D = cell(W_2D), *__restrict g_2D = cell(G_2D);
    const double* __restrict g_silence = cell(G_SILENCE);
    const double v_exc = net.others[0], v_inh = net.others[1], v_K = net.others[2];
    const double mg_2AB = net.others[3], mg_2C = net.others[4], mg_2D = net.others[5];
    const double efold = net.others[6];
    double left[TRACES], mean[TRACES], upto[MOST];
    for (int k = 0; k < TRACES; k++) { left[k] = net.left[k]; mean[k] = net.mean[k]; }
    for (int k = 0; k < MOST; k++) upto[k] = net.upto[k];
    for (int i = 0; i < n; i++) {
        const double u = uniform(stream[i]);
        const double ext = xe[i] + (u > upto[0] ? 1.0 : 0.0) + (u > upto[1] ? 1.0 : 0.0) + (u > upto[2] ? 1.0 : 0.0)
            + (u > upto[3] ? 1.0 : 0.0) + (u > upto[4] ? 1.0 : 0.0) + (u > upto[5] ? 1.0 : 0.0)
            + (u > upto[6] ? 1.0 : 0.0) + (u > upto[7] ? 1.0 : 0.0);
        const double g_e = w_ampa[i] * xa[i] * mean[AMPA] + w_ext[i] * ext * mean[EXT];
        const double g_i = w_PV[i] * xp[i] * mean[PV] + w_SST[i] * xs[i] * mean[SST];
        const double bound = xn[i] * mean[NMDA], held = std::exp(-v[i] / efold);
        const double g_n = (w_2AB[i] * bound + g_2AB[i]) / (1 + mg_2AB * held)
            + (w_2C[i] * bound + g_2C[i]) / (1 + mg_2C * held) + (w_2D[i] * bound + g_2D[i]) / (1 + mg_2D * held);
        const double g_k = w_adapt[i] * xk[i] * mean[ADAPT] + g_silence[i];
        const double g = g_L[i] + g_e + g_i + g_n + g_k;
        const double end = (g_L[i] * v_L[i] + (g_e + g_n) * v_exc + g_i * v_inh + g_k * v_K) / g;
        const double next = end + (v[i] - end) * std::exp(-dt * g / c[i]);
        v[i] = now >= from[i] ? next : v_reset[i];
        s[i] *= left[NMDA];
        xa[i] *= left[AMPA]; xe[i] = ext * left[EXT]; xn[i] *= left[NMDA];
        xp[i] *= left[PV]; xs[i] *= left[SST]; xk[i] *= left[ADAPT];
    }
}

int main(int argc, char** argv) {
    if (argc != 7) return 2;
    const std::string folder = argv[1];
    const int n = std::atoi(argv[2]), delay = std::atoi(argv[5]);
    const double dt = std::atof(argv[4]);
    const int64_t steps = std::llround(std::atof(argv[3]) / dt);
    const Array all = read(folder + "/cells", size_t(CELL_ARRAYS) * n), shared = read(folder + "/shared", SHARED);
    auto cell = [&](int which) { return all.data() + size_t(which) * n; };

    std::vector<uint64_t> own(n);  // a stream a cell
    for (int i = 0; i < n; i++) own[i] = scattered(scattered(std::strtoull(argv[6], nullptr, 10)) + i);

    std::vector<int> first(n + 1, 0), target;  // compressed rows
    for (int i = 0; i < n; i++) {
        const double to_E = cell(P_E)[i], to_PV = cell(P_PV)[i], to_SST = cell(P_SST)[i];
        for (int j = 0; j < n; j++) {
            const double p = cell(IS_E)[j] * to_E + cell(IS_PV)[j] * to_PV + cell(IS_SST)[j] * to_SST;
            if (j != i && uniform(own[i]) < p) target.push_back(j);
        }
        first[i + 1] = int(target.size());
    }

    double left[TRACES], mean[TRACES], upto[MOST];
    for (int k = 0; k < TRACES; k++) { left[k] = shared[2 * k]; mean[k] = shared[2 * k + 1]; }
    double term = std::exp(-shared[19]), sum = 0;
    for (int k = 0; k < MOST; k++) { sum += term; upto[k] = sum; term *= shared[19] / (k + 1); }

    Array v(cell(V), cell(V) + n), s(n, 0.0), awake_from(n, 0.0);
    Array trace[TRACES];
    for (Array& x : trace) x.assign(n, 0.0);
    struct Spike { int cell; double ds; };
    std::vector<std::vector<Spike>> ring(delay + 1);  // spikes that wait, by the step they arrive in
    std::vector<int32_t> spikes;

    double *const xa = trace[AMPA].data(), *const xn = trace[NMDA].data(), *const xp = trace[PV].data();
    double *const xs = trace[SST].data(), *const xk = trace[ADAPT].data();
    const double *const v_th = cell(V_TH), *const v_reset = cell(V_RESET);
    const Network network = {n, left, mean, upto, shared.data() + 2 * TRACES, all.data()};

    for (int64_t step = 0; step < steps; step++) {
        const double now = step * dt;
        advance(network, now, dt, own.data(), v.data(), s.data(), awake_from.data(), xa, trace[EXT].data(), xn, xp, xs, xk);
        std::vector<Spike>& sent = ring[(step + delay) % (delay + 1)];
        for (int i = 0; i < n; i++) {
            if (v[i] <= v_th[i]) continue;
            const double ds = cell(OUT_NMDA)[i] * (1 - s[i]);
            s[i] += ds; xk[i] += 1; v[i] = v_reset[i]; awake_from[i] = now + cell(T_REF)[i] + 0.5 * dt;
            sent.push_back({i, ds});
            spikes.push_back(int32_t(step)); spikes.push_back(i);
        }
        std::vector<Spike>& due = ring[step % (delay + 1)];
        for (const Spike& spike : due) {
            const int *t = target.data() + first[spike.cell], *end = target.data() + first[spike.cell + 1];
            if (cell(IS_E)[spike.cell] > 0) {
                const double out = cell(OUT_AMPA)[spike.cell];
                for (; t != end; t++) { xa[*t] += out; xn[*t] += spike.ds; }
            } else if (cell(IS_PV)[spike.cell] > 0) {
                for (; t != end; t++) xp[*t] += 1;
            } else {
                for (; t != end; t++) xs[*t] += 1;
            }
        }
        due.clear();
    }
    FILE* file = std::fopen((folder + "/spikes").c_str(), "wb");
    if (!file || std::fwrite(spikes.data(), 4, spikes.size(), file) != spikes.size()) return 1;
    return std::fclose(file);
}
