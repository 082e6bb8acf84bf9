// The network, now: what it was asked, and its raster, rates, rhythm and spectrum (B) beside those of before (A).

const GAMMA = [30, 80], RATE_BIN_S = 0.001, SEGMENT = 1024, LEAST_HZ = 0.05, LEAST_POWER = 0.005;
const MOST_FOLD = 10; // beyond it a percentage says how little there was before, and nothing else
const SLOTS = ["before", "now"], COMPUTING = "Computing …";
// `before` and the numbers beside it are settings; `moment` is the course and the time that a setting was taken from.
const net = { ...usual(), seed: 0, before: usual(), beforeText: "nothing blocked", moment: null, over: false, failed: "" };
let quick, thorough, idle, changedAt = 0, toldAbout = "";

const question = (slot) => { const { drive, mg, background } = slot === "before" ? net.before : net; return { drive, mg, background, seed: net.seed }; };
const runOf = (slot) => answerTo(question(slot));
const bothQuestions = () => SLOTS.map((slot) => mark(question(slot))).join();
const setting = () => ({ drive: net.drive, mg: net.mg, background: net.background, seed: net.seed, level: net.level });
const sameSetting = (a, b) => JSON.stringify([a.drive, a.mg, a.background]) === JSON.stringify([b.drive, b.mg, b.background]);

const followsMoment = () => net.moment !== null && sameSetting(net, net.moment);
function momentNow() {
  if (!net.moment) return "";
  return followsMoment() ? net.moment.text : `changed by hand from ${net.moment.text}`;
}

// Draws what is known of the controls as they stand, and asks for what is not: two seconds at once, ten when nothing moves.
function changedNetwork() {
  showControls(setting());
  changedAt = performance.now();
  clearTimeout(idle);
  drawNetwork();
  for (const slot of SLOTS) if (!runOf(slot)) quick.ask(slot, short(question(slot)), drawNetwork);
  idle = setTimeout(() => {
    for (const slot of SLOTS) if (runOf(slot)?.seconds !== LONG_S) thorough.ask(slot, long(question(slot)), drawNetwork);
  }, IDLE_MS);
}

// Everything the guide, the buttons, the days and the address may set at once.
function setNetwork({ blocks, uM, mgValue, mg, background, drive, moment = null, seed, before, beforeText }) {
  let next = setting();
  if (mgValue !== undefined) next.mg = MODEL.dials.mg.findIndex((place) => place.value === mgValue);
  if (mg !== undefined) next.mg = mg;
  if (background !== undefined) next.background = background;
  if (seed !== undefined) next.seed = seed;
  if (blocks || uM !== undefined) next.drive = [...MODEL.usual];
  if (blocks) for (const [name, share] of Object.entries(blocks)) next.drive = withBlock(next.drive, name, share);
  if (blocks || drive) next.level = null;
  if (uM !== undefined) next = withLevel(next, nearestLevel(uM));
  if (drive) next.drive = [...drive];
  Object.assign(net, next, { moment: moment && { ...next, text: moment } });
  if (before) Object.assign(net, { before, beforeText });
  changedNetwork();
}

// What A and B are, in words: every picture and table that leaves the page says it.
function settingText({ drive, mg, background }) {
  const other = MODEL.factors.filter((name, k) => !/^(nmda|tonic)_/.test(name) && drive[k] !== MODEL.usual[k]).map((name) => `${name} ${say(drive[factorAt[name]])}`);
  const blocked = `blocked ${CLASSES.map((name) => `${name} ${percent(blockOf(drive, name))}`).join(", ")}`;
  return [blocked, `Mg²⁺ ${MODEL.dials.mg[mg].label}`, `drive ${MODEL.dials.background[background].label}`, ...other].join(", ");
}
const bothTexts = () => `network ${dialOf("seed").text(setting())}; A: ${settingText(net.before)}; B: ${settingText(net)}`;

function fresh() {
  Object.assign(net, usual(), { before: usual(), beforeText: "nothing blocked", moment: null });
}

function change(now, before, least = LEAST_HZ) {
  if (Math.max(now, before) < least) return "same";
  if (before < least) return "from none";
  if (now < least) return "to none";
  if (now > MOST_FOLD * before) return "over tenfold";
  const by = Math.round(100 * (now / before - 1));
  return by ? `${by > 0 ? "+" : "−"}${Math.abs(by)} %` : "same";
}

// The rows of the raster: class, its cells, its rows' top and pitch, the last class on top. Small classes get taller rows.
function rows(top, height) {
  const count = (name) => MODEL.classes[name][1] - MODEL.classes[name][0], most = Math.max(...CLASSES.map(count));
  const weight = (name) => Math.min(3, Math.sqrt(most / count(name))), gap = 8;
  const pitch = (height - gap * (CLASSES.length - 1)) / CLASSES.reduce((sum, name) => sum + count(name) * weight(name), 0), found = [];
  for (const name of [...CLASSES].reverse()) {
    const [first, end] = MODEL.classes[name], each = pitch * weight(name);
    found.push({ name, first, end, top, each, height: each * (end - first) });
    top += each * (end - first) + gap;
  }
  return found;
}

const RASTER_HIGH = 300, RASTER_LOW = 165;
function drawRaster() {
  const narrow = $("raster").parentElement.clientWidth < 560, high = narrow ? RASTER_LOW : RASTER_HIGH, stacked = narrow && !net.over;
  const { g, w } = stage($("raster"), stacked ? 2 * high : high), moment = momentNow();
  const titles = { before: `A, before: ${net.beforeText}`, now: moment ? `B, now: ${moment}` : "B, now" };
  const panels = net.over ? [{ title: `${titles.before} (grey); ${titles.now} (coloured)`, slots: SLOTS }] : SLOTS.map((slot) => ({ title: titles[slot], slots: [slot] }));
  const wide = narrow || net.over ? w : (w - 22) / 2, label = 8 + Math.max(...CLASSES.map((name) => 8 * name.length));
  panels.forEach(({ title, slots }, k) => {
    g.save();
    g.translate(stacked ? 0 : k * (wide + 22), stacked ? k * high : 0);
    g.fillStyle = css("--ink"); g.font = `600 13px ${FONT}`; g.textAlign = "left"; g.textBaseline = "alphabetic";
    g.fillText(title, 0, 13, wide);
    const px = (t) => label + (t / SHOWN_S) * (wide - label - 2), bands = rows(22, high - 46);
    for (const band of bands) {
      g.fillStyle = css("--panel"); g.fillRect(label, band.top - 2, wide - label, band.height + 4);
      g.fillStyle = css("--ink"); g.textBaseline = "middle"; g.textAlign = "left"; g.font = `600 12px ${FONT}`;
      g.fillText(band.name, 0, band.top + band.height / 2, label - 6);
    }
    for (const slot of slots) drawSpikes(g, runOf(slot), bands, px, (name) => css(slot === "now" ? `--class-${name}` : "--past"));
    if (slots.some((slot) => !runOf(slot))) {
      g.fillStyle = css("--muted"); g.font = `600 15px ${FONT}`; g.textAlign = "center"; g.textBaseline = "middle";
      g.fillText(net.failed ? "did not run" : "computing …", (label + wide) / 2, high / 2);
    }
    g.fillStyle = css("--muted"); g.font = `12px ${FONT}`; g.textBaseline = "top";
    for (const t of [0, 0.5, 1, 1.5, 2]) {
      g.textAlign = t === 0 ? "left" : t === SHOWN_S ? "right" : "center";
      g.fillText(`${say(t)} s`, px(t), high - 18);
    }
    g.restore();
  });
}
function drawSpikes(g, run, bands, px, colour) {
  for (const band of run ? bands : []) {
    g.fillStyle = colour(band.name);
    const size = Math.max(1.3, Math.min(2.4, band.each));
    for (let j = 0; j < run.t.length && run.t[j] < SHOWN_S; j++) {
      const i = run.i[j];
      if (i >= band.first && i < band.end) g.fillRect(px(run.t[j]), band.top + (i - band.first) * band.each, 1.6, size);
    }
  }
}

// Both runs over the same seconds: a longer run begins with the shorter one.
function firstSeconds(run, seconds) {
  if (!run || run.seconds === seconds) return run;
  const end = run.t.findIndex((t) => t >= seconds), kept = end < 0 ? run.t.length : end;
  return (run.shorter ??= { t: run.t.slice(0, kept), i: run.i.slice(0, kept), seconds });
}
function bothRuns() {
  const found = SLOTS.map(runOf), seconds = Math.min(...found.map((run) => run?.seconds ?? LONG_S));
  return { runs: found.map((run) => firstSeconds(run, seconds)), seconds };
}
const meanRates = (run) => (run ? ratesHz(run, MODEL.classes) : null);
const spectrumOf = (run) => (run.spectrum ??= welch(populationRate(run, MODEL.classes[PRINCIPAL], RATE_BIN_S), 1 / RATE_BIN_S, SEGMENT));

function drawRates() {
  const { runs, seconds } = bothRuns(), [was, is] = runs.map(meanRates), top = Math.max(20, ...(was || []), ...(is || []));
  setText("rates-over", `Mean rates over ${seconds === LONG_S ? "ten" : "two"} seconds`);
  CLASSES.forEach((name, k) => {
    const row = $(`rate-${name}`), by = was && is ? change(is[k], was[k]) : "";
    fillRow(row, was?.[k].toFixed(1), is?.[k].toFixed(1), by);
    const bar = row.querySelector(".bar");
    bar.style.setProperty("--was", was ? was[k] / top : -1);
    bar.style.setProperty("--is", is ? (by === "same" ? was[k] : is[k]) / top : 0); // "same": bar and mark stand together
  });
  const power = runs.map((run) => (run ? bandPower(spectrumOf(run), ...GAMMA) : null));
  fillRow($("rhythm-power"), power[0] === null ? undefined : say(power[0], 2), power[1] === null ? undefined : say(power[1], 2), power.includes(null) ? "" : change(power[1], power[0], LEAST_POWER));
}
function fillRow(row, was = "…", is = "…", by) {
  ["was", "is", "change"].forEach((name, k) => { row.querySelector(`.${name}`).textContent = [was, is, by][k]; });
}

function rhythmLines() {
  return SLOTS.filter(runOf).map((slot) => {
    const rate = smooth(populationRate(runOf(slot), MODEL.classes[PRINCIPAL], 0.005).slice(0, SHOWN_S / 0.005), 2);
    return { slot, xs: Array.from(rate, (_, k) => (k + 0.5) * 0.005), ys: rate };
  });
}
function spectrumLines() {
  const { runs } = bothRuns();
  return SLOTS.map((slot, k) => ({ slot, run: runs[k] })).filter(({ run }) => run).map(({ slot, run }) => {
    const { hz, density } = spectrumOf(run), last = hz.findIndex((f) => f > 100);
    return { slot, xs: Array.from(hz.slice(2, last)), ys: Array.from(smooth(density, 2).slice(2, last)) };
  });
}
function drawPair(id, lines, options) {
  const screen = stage($(id), 190), top = Math.max(options.least, ...lines.flatMap((l) => Array.from(l.ys)));
  const f = frame(screen, { ...options, y: linear(0, top * 1.05), top: 26 }), colours = { before: css("--past"), now: css(`--class-${PRINCIPAL}`) };
  if (options.band) {
    const [a, b] = options.band.map(f.px);
    screen.g.fillStyle = css("--shade"); screen.g.fillRect(a, f.box.top, b - a, f.box.bottom - f.box.top);
    screen.g.fillStyle = css("--muted"); screen.g.textAlign = "right"; screen.g.textBaseline = "top"; screen.g.fillText("gamma", b - 4, f.box.top + 2);
  }
  for (const l of lines) line(screen.g, f, l.xs, l.ys, colours[l.slot], { width: l.slot === "now" ? 2 : 1.6 });
  key(screen.g, screen.w, [{ label: "A", colour: colours.before }, { label: "B", colour: colours.now }]);
}

function drawNetwork() {
  drawRaster();
  drawRates();
  drawPair("rhythm", rhythmLines(), { x: linear(0, SHOWN_S), title: `${PRINCIPAL} cells together (Hz)`, xText: (t) => `${say(t)} s`, xTicks: [0, 0.5, 1, 1.5, 2], least: 10, left: 36 });
  drawPair("spectrum", spectrumLines(), { x: linear(0, 100), title: "Spectrum (Hz²/Hz)", xText: (f) => `${f} Hz`, xTicks: [0, 20, 40, 60, 80, 100], band: GAMMA, least: 0.5, left: 36 });
  drawSweep();
  tell();
  noteAddress();
  const marks = document.documentElement.dataset;
  if (runOf("now")) {
    marks.firstRaster ??= Math.round(performance.now());
    marks.answerMs ??= Math.round(performance.now() - changedAt);
  }
}

// The sentence under the network: of the controls as they stand, once ten seconds of both settings are there.
function tell() {
  const { runs, seconds } = bothRuns(), [was, is] = runs.map(meanRates), whole = was && is && seconds === LONG_S;
  if (!whole) { setText("network-says", net.failed || COMPUTING); return; }
  const how = CLASSES.map((name) => `${name} ${percent(blockOf(net.drive, name))}`).join(", ");
  const rates = CLASSES.map((name, k) => `${name} cells ${is[k].toFixed(1)} Hz, ${was[k].toFixed(1)} before (${change(is[k], was[k])})`);
  setText("network-says", `Blocked: ${how}. ${rates.join("; ")}.`);
  if (toldAbout === bothQuestions()) return;
  toldAbout = bothQuestions();
  document.documentElement.dataset.told = (Number(document.documentElement.dataset.told) || 0) + 1;
  networkTold();
}

function fail(why) {
  net.failed = `The network could not run in this browser: ${why}`;
  drawNetwork();
}

function buildRates() {
  for (const name of CLASSES) {
    $("rates").append(el("tr", { id: `rate-${name}` }, el("th", { scope: "row" }, el("i", { class: "tone", style: `--tone: var(--class-${name})` }), term(`class ${name}`, name, "gloss-rates"), " (Hz)"),
      ...["was", "is", "change"].map((slot) => el("td", { class: slot })),
      el("td", { "aria-hidden": "true" }, el("div", { class: "bar", style: `--tone: var(--class-${name})` }, el("b"), el("span")))));
  }
  $("rates").append(el("tr", { id: "rhythm-power" }, el("th", { scope: "row" }, term("gamma", "gamma (Hz²)", "gloss-rates")), ...["was", "is", "change"].map((slot) => el("td", { class: slot })), el("td")));
}

function startNetwork() {
  [quick, thorough] = [new Runner(fail), new Runner(fail)];
  buildRates();
  startControls((d, value) => { Object.assign(net, d.turn(setting(), value)); changedNetwork(); });
  for (const button of document.querySelectorAll("[data-site]")) {
    button.onclick = () => {
      const most = Math.max(...CLASSES.map((name) => blockOf(net.drive, name))), share = most < 0.01 ? 0.5 : Math.round(100 * most) / 100;
      setNetwork({ blocks: Object.fromEntries(CLASSES.filter((name) => ["all", name].includes(button.dataset.site)).map((name) => [name, share])) });
    };
  }
  $("fresh").onclick = () => { fresh(); changedNetwork(); };
  $("keep").onclick = () => {
    Object.assign(net, { before: { drive: net.drive, mg: net.mg, background: net.background }, beforeText: momentNow() || "as you kept it" });
    changedNetwork();
  };
  $("over").onchange = () => { net.over = $("over").checked; drawNetwork(); };
  const both = (lines, head) => [head, ...(lines[0]?.xs || []).map((x, k) => [x, ...lines.map((l) => l.ys[k])])];
  const names = (lines, unit) => lines.map((l) => `${l.slot} [${unit}]`);
  saveable($("raster").closest("figure"), "plastogen-raster", () => `${MODEL.title}: spikes; ${bothTexts()}`, () => [["run", "class", "cell", "time [s]"],
    ...SLOTS.flatMap((slot) => { const run = runOf(slot); return Array.from(run?.t || [], (t, k) => [slot, CLASSES.find((c) => run.i[k] < MODEL.classes[c][1]), run.i[k], t]); })]);
  saveable($("rhythm").closest("figure"), "plastogen-rhythm", () => `${MODEL.title}: rate of ${PRINCIPAL} cells; ${bothTexts()}`, () => both(rhythmLines(), ["time [s]", ...names(rhythmLines(), "Hz")]));
  saveable($("spectrum").closest("figure"), "plastogen-spectrum", () => `${MODEL.title}: spectrum of ${PRINCIPAL} cells; ${bothTexts()}`, () => both(spectrumLines(), ["frequency [Hz]", ...names(spectrumLines(), "Hz^2/Hz")]));
}
