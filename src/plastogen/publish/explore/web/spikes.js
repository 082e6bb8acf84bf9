// Summaries of spikes: rates, the rate of a population over time, its spectrum (Welch 1967, Hann windows).

// Spikes a second a cell of every class, in order.
function ratesHz(run, classes) {
  return Object.values(classes).map(([first, end]) => {
    let n = 0;
    for (const i of run.i) if (i >= first && i < end) n++;
    return n / ((end - first) * run.seconds);
  });
}

// Rate (Hz a cell) of the cells [first, end) in bins of `binS` seconds.
function populationRate(run, [first, end], binS) {
  const rate = new Float64Array(Math.round(run.seconds / binS)), each = 1 / ((end - first) * binS);
  for (let k = 0; k < run.t.length; k++) {
    if (run.i[k] >= first && run.i[k] < end) {
      const bin = Math.floor(run.t[k] / binS + 1e-9);
      if (bin < rate.length) rate[bin] += each;
    }
  }
  return rate;
}

// In-place FFT of a power of two many points.
function fft(re, im) {
  const n = re.length;
  for (let i = 1, j = 0; i < n; i++) {
    let bit = n >> 1;
    for (; j & bit; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i < j) { [re[i], re[j]] = [re[j], re[i]]; [im[i], im[j]] = [im[j], im[i]]; }
  }
  for (let size = 2; size <= n; size <<= 1) {
    for (let k = 0; k < size / 2; k++) {
      const angle = (-2 * Math.PI * k) / size, c = Math.cos(angle), s = Math.sin(angle);
      for (let a = k; a < n; a += size) {
        const b = a + size / 2, x = re[b] * c - im[b] * s, y = re[b] * s + im[b] * c;
        re[b] = re[a] - x; im[b] = im[a] - y; re[a] += x; im[a] += y;
      }
    }
  }
}

// One-sided power density (signal^2/Hz) from half-overlapping segments of `size` samples, their means taken out.
function welch(signal, perS, size) {
  const window = Float64Array.from({ length: size }, (_, k) => 0.5 - 0.5 * Math.cos((2 * Math.PI * k) / size));
  const scale = 1 / (perS * window.reduce((sum, w) => sum + w * w, 0));
  const density = new Float64Array(size / 2 + 1);
  let segments = 0;
  for (let start = 0; start + size <= signal.length; start += size / 2, segments++) {
    const part = signal.slice(start, start + size), mean = part.reduce((a, b) => a + b, 0) / size;
    const re = part.map((x, k) => (x - mean) * window[k]), im = new Float64Array(size);
    fft(re, im);
    for (let k = 0; k < density.length; k++) density[k] += (re[k] * re[k] + im[k] * im[k]) * scale * (k && k < size / 2 ? 2 : 1);
  }
  const hz = Float64Array.from(density, (_, k) => (k * perS) / size);
  return { hz, density: density.map((x) => x / Math.max(1, segments)) };
}

// Power between two frequencies: the integral of the density.
function bandPower({ hz, density }, low, high) {
  let sum = 0;
  for (let k = 0; k < hz.length; k++) if (hz[k] >= low && hz[k] <= high) sum += density[k];
  return sum * (hz[1] - hz[0]);
}

// Running mean over 2 `half` + 1 neighbours.
function smooth(values, half) {
  return values.map((_, k) => {
    let sum = 0, n = 0;
    for (let j = Math.max(0, k - half); j <= Math.min(values.length - 1, k + half); j++, n++) sum += values[j];
    return sum / n;
  });
}
