// The network, now: its controls, its runs, and its raster, rates, rhythm and spectrum beside those of before.

const SHOWN_S = 2, LONG_S = 10, IDLE_MS = 250, MOST_KEPT = 60, GAMMA = [30, 80], RATE_BIN_S = 0.001, SEGMENT = 1024;
const CLASSES = Object.keys(MODEL.classes), $ = (id) => document.getElementById(id);
const usualPlace = (dial) => MODEL.dials[dial].findIndex((place) => place.usual);
const usual = () => ({ drive: [...MODEL.usual], mg: usualPlace("mg"), background: usualPlace("background") });
const net = { ...usual(), seed: 0, level: 0, before: usual(), beforeText: "nothing blocked", moment: "", runs: {} };

const mark = (question) => JSON.stringify(question);
const kept = new Map(); // answers of both workers, the oldest dropped first
class Runner {
  constructor() {
    const code = ["glue", "worker"].map((id) => $(id).textContent).join("\n");
    const url = URL.createObjectURL(new Blob([code], { type: "text/javascript" }));
    this.worker = new Worker(url);
    this.worker.onmessage = ({ data }) => this.answered(data);
    this.worker.onerror = (event) => fail(event.message || "the worker did not start");
    this.worker.postMessage({ model: MODEL, binary: BINARY });
    this.waiting = new Map();
  }
  // Only the newest question of a slot is asked.
  ask(slot, question, done) {
    this.waiting.set(slot, { question, done });
    this.next();
  }
  next() {
    while (!this.now && this.waiting.size) {
      const [slot, asked] = this.waiting.entries().next().value, known = kept.get(mark(asked.question));
      this.waiting.delete(slot);
      if (known) { asked.done(known); continue; }
      this.now = asked;
      this.worker.postMessage(asked.question);
    }
  }
  answered(run) {
    const { done, question } = this.now;
    this.now = null;
    if (run.error) { fail(run.error); return; }
    kept.set(mark(question), run);
    if (kept.size > MOST_KEPT) kept.delete(kept.keys().next().value);
    done(run);
    this.next();
  }
}
const fail = (why) => { $("network-says").textContent = `The network could not run in this browser: ${why}`; };
let quick, thorough, idle;

// Ask for what the controls say: two seconds at once, ten when nothing moves any more.
function run() {
  const { drive, mg, background, seed } = net, questions = { before: { ...net.before, seed }, now: { drive, mg, background, seed } };
  const started = performance.now(), long = (question) => ({ ...question, seconds: LONG_S });
  clearTimeout(idle);
  net.asked = questions;
  const show = (slot) => (found) => {
    if (net.asked[slot] !== questions[slot]) return;
    net.runs[slot] = found;
    drawNetwork();
    if (slot === "now" && found.seconds === SHOWN_S) document.documentElement.dataset.answerMs = Math.round(performance.now() - started);
  };
  for (const [slot, question] of Object.entries(questions)) {
    const known = kept.get(mark(long(question)));
    if (known) show(slot)(known); else quick.ask(slot, { ...question, seconds: SHOWN_S }, show(slot));
  }
  idle = setTimeout(() => {
    for (const [slot, question] of Object.entries(questions)) thorough.ask(slot, long(question), (found) => { show(slot)(found); tell(); });
  }, IDLE_MS);
}

const blockOf = (k) => Math.max(0, 1 - (net.drive[1 + k] + net.drive[4 + k]) / 2);
function setBlock(k, share) { net.drive = net.drive.map((d, j) => (j === 1 + k || j === 4 + k ? 1 - share : d)); }
function setLevel(level) {
  net.level = level;
  if (level !== null) net.drive = net.drive.map((d, j) => (j >= 1 && j <= 6 ? MODEL.left[net.mg][level][j - 1] : d));
}
const nearestLevel = (uM) => MODEL.concentrations_uM.reduce((best, c, k, all) => (Math.abs(c - uM) < Math.abs(all[best] - uM) ? k : best), 0);
const percent = (share) => `${Math.round(100 * share)} %`;
function change(now, before) {
  const by = before < 0.05 ? 0 : Math.round(100 * (now / before - 1));
  return by ? `${by > 0 ? "+" : "−"}${Math.abs(by)} %` : "";
}

// Everything the guide, the buttons and the days may set at once.
function setNetwork({ blocks, uM, mg, background, drive, moment = "", seed, before, beforeText }) {
  if (mg !== undefined) net.mg = MODEL.dials.mg.findIndex((place) => place.value === mg);
  if (background !== undefined) net.background = background;
  if (seed !== undefined) net.seed = seed;
  if (blocks || uM !== undefined) net.drive = [...MODEL.usual];
  if (blocks) { net.level = null; blocks.forEach((share, k) => setBlock(k, share)); }
  if (uM !== undefined) setLevel(nearestLevel(uM));
  if (drive) { net.drive = [...drive]; net.level = null; }
  if (before) { net.before = before; net.beforeText = beforeText; }
  net.moment = moment;
  showControls();
  run();
}

function fresh() {
  Object.assign(net, usual(), { level: 0, before: usual(), beforeText: "nothing blocked", moment: "" });
}

function showControls() {
  CLASSES.forEach((name, k) => {
    $(`block-${name}`).value = Math.round(100 * blockOf(k));
    $(`block-${name}-out`).value = percent(blockOf(k));
  });
  const uM = net.level === null ? null : MODEL.concentrations_uM[net.level];
  $("level").value = net.level ?? 0;
  $("level-out").value = uM === null ? (net.moment ? "as then" : "by hand") : `${say(uM)} µM`;
  $("level").setAttribute("aria-valuetext", $("level-out").value);
  for (const dial of ["mg", "background"]) {
    const { label } = MODEL.dials[dial][net[dial]];
    $(dial).value = net[dial];
    $(`${dial}-out`).value = label;
    $(dial).setAttribute("aria-valuetext", label);
  }
  $("seed").value = net.seed;
  $("seed-out").value = `no. ${MODEL.seeds[net.seed].seed}`;
  $("moment").hidden = !net.moment;
  $("moment-text").textContent = net.moment;
}

// The rows of the raster: [class, first cell, its rows' top and pitch], SST on top.
function rows(top, height) {
  const weight = { E: 1, PV: 2.2, SST: 2.6 }, gap = 8;
  const whole = CLASSES.reduce((sum, c) => sum + (MODEL.classes[c][1] - MODEL.classes[c][0]) * (weight[c] || 1), 0);
  const pitch = (height - gap * (CLASSES.length - 1)) / whole, found = [];
  for (const name of [...CLASSES].reverse()) {
    const [first, end] = MODEL.classes[name], each = pitch * (weight[name] || 1);
    found.push({ name, first, end, top, each, height: each * (end - first) });
    top += each * (end - first) + gap;
  }
  return found;
}

function drawRaster() {
  const narrow = $("raster").parentElement.clientWidth < 620, high = 330;
  const { g, w } = stage($("raster"), narrow ? 2 * high : high), wide = narrow ? w : (w - 22) / 2;
  [["before", `Before: ${net.beforeText}`], ["now", net.moment ? `Now: ${net.moment}` : "Now"]].forEach(([slot, title], k) => {
    const left = narrow ? 0 : k * (wide + 22), top = narrow ? k * high : 0, label = 34;
    g.save();
    g.translate(left, top);
    g.fillStyle = css("--ink"); g.font = `600 13px ${FONT}`; g.textAlign = "left"; g.textBaseline = "alphabetic";
    g.fillText(title, 0, 13, wide);
    const px = (t) => label + (t / SHOWN_S) * (wide - label - 2), bands = rows(24, high - 54), found = net.runs[slot];
    for (const band of bands) {
      g.fillStyle = css("--panel"); g.fillRect(label, band.top - 2, wide - label, band.height + 4);
      g.fillStyle = css("--ink"); g.textBaseline = "middle"; g.textAlign = "left"; g.font = `600 12px ${FONT}`;
      g.fillText(band.name, 0, band.top + band.height / 2);
      if (!found) continue;
      g.fillStyle = css(slot === "now" ? `--${band.name}` : "--past");
      const size = Math.max(1.3, Math.min(2.4, band.each));
      for (let j = 0; j < found.t.length && found.t[j] < SHOWN_S; j++) {
        const i = found.i[j];
        if (i >= band.first && i < band.end) g.fillRect(px(found.t[j]), band.top + (i - band.first) * band.each, 1.6, size);
      }
    }
    g.fillStyle = css("--muted"); g.font = `12px ${FONT}`; g.textBaseline = "top";
    for (const t of [0, 0.5, 1, 1.5, 2]) {
      g.textAlign = t === 0 ? "left" : t === SHOWN_S ? "right" : "center";
      g.fillText(`${say(t)} s`, px(t), high - 22);
    }
    g.restore();
  });
}

const meanRates = (run) => (run ? ratesHz(run, MODEL.classes) : null);
const spectrumOf = (run) => (run.spectrum ??= welch(populationRate(run, MODEL.classes.E, RATE_BIN_S), 1 / RATE_BIN_S, SEGMENT));

function drawRates() {
  const { before, now } = net.runs, was = meanRates(before), is = meanRates(now), top = Math.max(20, ...(was || []), ...(is || []));
  CLASSES.forEach((name, k) => {
    const row = $(`rate-${name}`);
    if (was) { row.querySelector(".was").textContent = was[k].toFixed(1); row.style.setProperty("--was", was[k] / top); }
    if (is) { row.querySelector(".is").textContent = is[k].toFixed(1); row.style.setProperty("--is", is[k] / top); }
    row.querySelector(".change").textContent = was && is ? change(is[k], was[k]) || "same" : "";
  });
  const power = [before, now].map((run) => (run ? bandPower(spectrumOf(run), ...GAMMA) : null));
  const row = $("rate-gamma");
  row.querySelector(".was").textContent = power[0] === null ? "" : say(power[0], 2);
  row.querySelector(".is").textContent = power[1] === null ? "" : say(power[1], 2);
  row.querySelector(".change").textContent = power.includes(null) ? "" : change(power[1], power[0]) || "same";
}

function rhythmLines() {
  return ["before", "now"].filter((slot) => net.runs[slot]).map((slot) => {
    const rate = smooth(populationRate(net.runs[slot], MODEL.classes.E, 0.005).slice(0, SHOWN_S / 0.005), 2);
    return { slot, xs: Array.from(rate, (_, k) => (k + 0.5) * 0.005), ys: rate };
  });
}
function spectrumLines() {
  return ["before", "now"].filter((slot) => net.runs[slot]).map((slot) => {
    const { hz, density } = spectrumOf(net.runs[slot]), last = hz.findIndex((f) => f > 100);
    return { slot, xs: Array.from(hz.slice(2, last)), ys: Array.from(smooth(density, 2).slice(2, last)) };
  });
}
function drawPair(id, lines, options) {
  const screen = stage($(id), 190), top = Math.max(options.least, ...lines.flatMap((l) => Array.from(l.ys)));
  const f = frame(screen, { ...options, y: linear(0, top * 1.05), top: 26 });
  if (options.band) {
    const [a, b] = options.band.map(f.px);
    screen.g.fillStyle = css("--shade"); screen.g.fillRect(a, f.box.top, b - a, f.box.bottom - f.box.top);
    screen.g.fillStyle = css("--muted"); screen.g.textAlign = "right"; screen.g.textBaseline = "top"; screen.g.fillText("gamma", b - 4, f.box.top + 2);
  }
  for (const l of lines) line(screen.g, f, l.xs, l.ys, css(l.slot === "now" ? "--E" : "--past"), { width: l.slot === "now" ? 2 : 1.6 });
  key(screen.g, screen.w, [{ label: "before", colour: css("--past") }, { label: "now", colour: css("--E") }]);
}

function drawNetwork() {
  drawRaster();
  drawRates();
  drawPair("rhythm", rhythmLines(), { x: linear(0, SHOWN_S), title: "E cells together (Hz)", xText: (t) => `${say(t)} s`, xTicks: [0, 0.5, 1, 1.5, 2], least: 10, left: 36 });
  drawPair("spectrum", spectrumLines(), { x: linear(0, 100), title: "Spectrum (Hz²/Hz)", xText: (f) => `${f} Hz`, xTicks: [0, 20, 40, 60, 80, 100], band: GAMMA, least: 0.5, left: 36 });
  if (net.runs.now) document.documentElement.dataset.firstRaster ??= Math.round(performance.now());
}

function tell() {
  const was = meanRates(net.runs.before), is = meanRates(net.runs.now);
  if (!was || !is || net.runs.now.seconds < LONG_S || net.runs.before.seconds < LONG_S) return;
  const said = CLASSES.map((name, k) => `${name} cells ${is[k].toFixed(1)} Hz, ${was[k].toFixed(1)} before${change(is[k], was[k]) && ` (${change(is[k], was[k])})`}`);
  const how = CLASSES.map((name, k) => `${name} ${percent(blockOf(k))}`).join(", ");
  $("network-says").textContent = `Blocked: ${how}. ${said.join("; ")}.`;
  document.documentElement.dataset.told = (Number(document.documentElement.dataset.told) || 0) + 1;
}

function startNetwork() {
  quick = new Runner();
  thorough = new Runner();
  const on = (id, act) => $(id).addEventListener("input", () => { act(Number($(id).value)); showControls(); run(); });
  CLASSES.forEach((name, k) => on(`block-${name}`, (value) => { net.level = null; setBlock(k, value / 100); }));
  on("level", setLevel);
  on("mg", (value) => { net.mg = value; if (net.level !== null) setLevel(net.level); });
  on("background", (value) => { net.background = value; });
  on("seed", (value) => { net.seed = value; });
  for (const button of document.querySelectorAll("[data-site]")) {
    button.onclick = () => {
      const most = Math.max(...CLASSES.map((_, k) => blockOf(k))), share = most < 0.01 ? 0.5 : Math.round(100 * most) / 100;
      setNetwork({ blocks: CLASSES.map((name) => (["all", name].includes(button.dataset.site) ? share : 0)), moment: "" });
    };
  }
  $("fresh").onclick = () => { fresh(); showControls(); run(); };
  $("keep").onclick = () => setNetwork({ before: { drive: net.drive, mg: net.mg, background: net.background }, beforeText: net.moment || "as you kept it", drive: net.drive, moment: net.moment });
  const both = (lines, head) => [head, ...(lines[0]?.xs || []).map((x, k) => [x, ...lines.map((l) => l.ys[k])])];
  const names = (lines) => lines.map((l) => `${l.slot}`);
  saveable($("raster").closest("figure"), "plastogen-raster", () => `${MODEL.title}: spikes`, () => [["run", "class", "cell", "time [s]"],
    ...["before", "now"].flatMap((slot) => Array.from(net.runs[slot]?.t || [], (t, k) => { const i = net.runs[slot].i[k]; return [slot, CLASSES.find((c) => i < MODEL.classes[c][1]), i, t]; }))]);
  saveable($("rhythm").closest("figure"), "plastogen-rhythm", () => `${MODEL.title}: rate of E cells`, () => both(rhythmLines(), ["time [s]", ...names(rhythmLines()).map((s) => `${s} [Hz]`)]));
  saveable($("spectrum").closest("figure"), "plastogen-spectrum", () => `${MODEL.title}: spectrum of E cells`, () => both(spectrumLines(), ["frequency [Hz]", ...names(spectrumLines()).map((s) => `${s} [Hz^2/Hz]`)]));
  showControls();
  run();
}
