// The days after: courses of a finished sweep, drawn from minutes to weeks; a moment of them sets the network.

const LATE_H = 24, SHORT_H = 16, STEPS = 500, PLAY_MS = 9000, ABSENT = 65535;
const MINUTES = [0, 40, 120, 360], DAYS = [1, 3, 7, 14, 28, 42, 84, 112];
const day = { study: 0, arm: "", place: [], u: null, follows: true, curve: "recurrent" };
const study = () => STUDIES[day.study];

function timeText(hours) {
  const minutes = Math.round(Math.abs(hours) * 60), sign = hours < 0 && minutes ? "−" : "";
  if (minutes < 60 || (minutes < 180 && minutes % 30)) return minutes ? `${sign}${minutes} min` : "0";
  if (minutes < 48 * 60) return minutes === 1440 ? "1 d" : `${sign}${say(minutes / 60, 3)} h`;
  return `${sign}${say(minutes / 1440, 3)} d`;
}

// The values of a curve along the course of an arm at a place of the grid; NaN where the course's circuit has no such thing.
function levels(s) {
  if (!s.levels) {
    const raw = atob(s.data), bytes = new Uint8Array(raw.length);
    for (let k = 0; k < raw.length; k++) bytes[k] = raw.charCodeAt(k);
    s.levels = new Uint16Array(bytes.buffer);
    s.at = Object.fromEntries(s.curves.map((c, k) => [c.name, k]));
  }
  return s.levels;
}
const courseOf = (arm) => study().index[[arm, ...day.place].join("/")];
function curve(name, arm = day.arm) {
  const s = study(), all = levels(s), k = s.at[name], n = s.time_h.length, from = (courseOf(arm) * s.curves.length + k) * n;
  return Float64Array.from({ length: n }, (_, j) => (k === undefined || all[from + j] === ABSENT ? NaN : s.low[k] + ((s.high[k] - s.low[k]) * all[from + j]) / (ABSENT - 1)));
}
const has = (name, arm = day.arm) => Number.isFinite(curve(name, arm)[0]);
const classesNow = () => study().classes.filter((c) => has(`block_${c.name}`)).map((c) => ({ ...c, colour: c[dark() ? "dark" : "light"] }));
function at(values, hour) {
  const t = study().time_h;
  let k = t.findIndex((x) => x >= hour);
  if (k <= 0) return values[k < 0 ? t.length - 1 : 0];
  return values[k - 1] + ((values[k] - values[k - 1]) * (hour - t[k - 1])) / (t[k] - t[k - 1] || 1);
}
const given = (arm = day.arm) => study().given[courseOf(arm)];

function timeScale() {
  const t = study().time_h, first = t[0], last = t[t.length - 1], late = study().given.flat().some(([start]) => start > LATE_H);
  return late || last <= SHORT_H ? { ...linear(first, last), late } : { ...story(first, last), late };
}
function timeTicks(x) {
  if (x.late) return ticks(0, x.high / 24, 8).map((d) => d * 24);
  return [...MINUTES.map((m) => m / 60), ...DAYS.map((d) => d * 24)].filter((h) => h >= x.low && h <= x.high);
}
const momentH = () => (day.u === null ? null : timeScale().from(day.u / STEPS));
const shownH = () => momentH() ?? study().time_h[0];

const sentence = (text) => (/^[a-z][a-z ]/.test(text) ? text[0].toUpperCase() + text.slice(1) : text);
const range = (names, relative) => {
  const s = study(); levels(s);
  const low = Math.min(...names.map((n) => s.low[s.at[n]])), high = Math.max(...names.map((n) => s.high[s.at[n]]));
  return relative ? [low, high] : [Math.min(0, low), high];
};

// What each panel draws: lines of the chosen arm by class, or one line an arm.
function panels() {
  const s = study(), arms = s.arms.map((a) => ({ ...a, colour: a[dark() ? "dark" : "light"] })), x = timeScale(), classes = classesNow();
  const relative = (name) => { const c = curve(name); return c.map((v) => (100 * v) / c[0]); };
  const own = s.curves.find((c) => c.name === day.curve);
  const byArm = (name, scale) => arms.map((a) => ({ label: a.label, colour: a.colour, dash: a.dash, ys: curve(name, a.name).map((v) => v * scale), width: a.name === day.arm ? 3 : 1.5, chosen: a.name === day.arm }));
  const rates = classes.map((c) => ({ label: c.name, colour: c.colour, ys: relative(`rate_${c.name}`) }));
  const most = Math.max(120, ...rates.flatMap((r) => [...r.ys].filter(Number.isFinite)));
  const spread = ([low, high], room = 0.06) => linear(low - (high - low) * room, high + (high - low) * room || 1);
  return [
    { title: "NMDA current blocked (%)", y: linear(0, Math.max(10, range(s.classes.map((c) => `block_${c.name}`))[1]) * 1.05),
      lines: classes.map((c) => ({ label: c.name, colour: c.colour, ys: curve(`block_${c.name}`) })) },
    { title: "Firing rates (% of before)", y: linear(0, Math.min(400, most * 1.05)), lines: rates },
    { title: "Spines (% of healthy)", y: spread(range(["spine_density"], true).map((v) => 100 * v)), lines: byArm("spine_density", 100), arms: true },
    { title: `${sentence(own.label)}${own.unit && !own.label.includes(own.unit) ? ` (${own.unit})` : ""}`, y: spread(range([day.curve], true)), lines: byArm(day.curve, 1), arms: true },
  ].map((p) => ({ ...p, x }));
}

function drawDays() {
  const each = 148, strip = 26, list = panels(), narrow = $("course").parentElement.clientWidth < 560;
  const screen = stage($("course"), strip + each * list.length + 28), { g, w } = screen, hour = momentH();
  list.forEach((p, k) => {
    const last = k === list.length - 1;
    g.save();
    g.translate(0, strip + k * each);
    const room = last ? each + 28 : each, f = frame({ g, w, h: room }, { ...p, top: 24, bottom: last ? 34 : 10, left: 44, xTicks: timeTicks(p.x), xText: timeText });
    for (const [start, end] of given()) {
      g.fillStyle = css("--shade");
      g.fillRect(f.px(start), f.box.top, Math.max(1.5, f.px(Math.max(start, end)) - f.px(start)), f.box.bottom - f.box.top);
    }
    for (const l of [...p.lines].sort((a, b) => (a.chosen ? 1 : 0) - (b.chosen ? 1 : 0))) line(g, f, study().time_h, l.ys, l.colour, { dash: l.dash, width: l.width || 2 });
    if (!p.arms && !(narrow && k > 1)) key(g, w, p.lines);
    if (hour !== null) drawMoment(g, f, p, hour);
    day.frame = f;
    g.restore();
  });
  g.fillStyle = css("--muted"); g.font = `12px ${FONT}`; g.textBaseline = "top"; g.textAlign = "left";
  const what = [...new Set(given().map(([, , text]) => text))], first = given()[0];
  g.fillText(what.length ? `shaded: ${what.join("; ")}` : "nothing is given", first && !narrow ? Math.max(0, Math.min(day.frame.px(first[0]), w - g.measureText(`shaded: ${what.join("; ")}`).width)) : 0, 4, w);
  setText("days-say", describe());
  drawDendrite();
  showFollowing();
  noteAddress();
}
function drawMoment(g, f, p, hour) {
  g.strokeStyle = css("--ink"); g.lineWidth = 1.5;
  g.beginPath(); g.moveTo(f.px(hour), f.box.top); g.lineTo(f.px(hour), f.box.bottom); g.stroke();
  for (const l of p.lines) {
    const value = at(l.ys, hour);
    if ((p.arms && !l.chosen) || !Number.isFinite(value)) continue;
    g.fillStyle = l.colour; g.strokeStyle = css("--page"); g.lineWidth = 1.5;
    g.beginPath(); g.arc(f.px(hour), f.py(Math.min(p.y.high, value)), 4.5, 0, 7); g.fill(); g.stroke();
  }
}

const armLabel = () => study().arms.find((a) => a.name === day.arm).label;
const placeText = () => study().axes.map((a, k) => `${a.name} ${a.texts[day.place[k]]}`).join(", ");
const courseText = () => [armLabel(), placeText()].filter(Boolean).join(", ");
const momentText = (hour) => `${courseText()}, ${timeScale().late && hour >= 24 ? `day ${say(hour / 24, 3)}` : timeText(hour)}`;

function describe() {
  const hour = shownH(), value = (name) => at(curve(name), hour);
  const text = classesNow().map((c) => `${c.name} ${Math.round(value(`block_${c.name}`))} %`).join(", ");
  return `${courseText()}, at ${timeText(hour)}: blocked ${text}. Spines ${(100 * value("spine_density")).toFixed(1)} % of healthy, strength of ${study().principal}–${study().principal} synapses ${Math.round(100 * value("recurrent"))} % of healthy (${Math.round(100 * curve("recurrent")[0])} % before).`;
}

// The network of a moment, or null when the course's circuit has other classes or numbers than the network shown.
function networkAt(hour) {
  const classes = classesNow().map((c) => c.name);
  if ([...classes].sort().join() !== [...CLASSES].sort().join() || !MODEL.factors.every((name) => has(`drive.${name}`))) return null;
  const whole = (h) => MODEL.factors.map((name) => at(curve(`drive.${name}`), h));
  const same = { mg: usualPlace("mg"), background: usualPlace("background") };
  return { drive: whole(hour), ...same, moment: momentText(hour), before: { drive: whole(study().time_h[0]), ...same }, beforeText: `${courseText()}, at the start` };
}

// Shows the moment; the network, when it follows, becomes what it was then.
function goTo(u, { playing: inPlay = false } = {}) {
  day.u = Math.max(0, Math.min(STEPS, u));
  const hour = momentH(), started = performance.now();
  setDial("time", day.u, timeText(hour));
  drawDays();
  document.documentElement.dataset.gridMs = Math.round(performance.now() - started);
  if (!day.follows) return;
  const wanted = networkAt(hour);
  if (!wanted) return;
  if (inPlay) followPlay(wanted); else setNetwork(wanted);
}

// While playing, controls, raster and sentences of the network go on together, as each answer comes in.
let waitingForPlay = false;
function followPlay(wanted) {
  if (waitingForPlay) return;
  waitingForPlay = true;
  const { drive, mg, background, before } = wanted, asked = [{ drive, mg, background, seed: net.seed }, { drive: before.drive, mg: before.mg, background: before.background, seed: net.seed }];
  const done = () => {
    if (!asked.every((q) => answerTo(q))) return;
    waitingForPlay = false;
    if (playing) setNetwork(wanted);
  };
  asked.forEach((q, k) => quick.ask(`play-${k}`, short(q), done));
}

function choose({ study: name, arm, place, hour, u } = {}) {
  if (name !== undefined) day.study = Math.max(0, STUDIES.findIndex((s) => s.name === name));
  const s = study();
  day.arm = [arm, day.arm].find((a) => s.arms.some(({ name: known }) => known === a)) ?? s.arms[Math.min(1, s.arms.length - 1)].name;
  day.place = place ?? (day.place.length === s.axes.length && name === undefined ? day.place : s.axes.map((a) => (a.numbers ? Math.floor((a.texts.length - 1) / 2) : 0)));
  if (!s.choices.includes(day.curve)) day.curve = s.choices.includes("recurrent") ? "recurrent" : s.choices[0];
  showChoices();
  if (hour !== undefined || u !== undefined) goTo(u ?? timeScale().to(hour) * STEPS);
  else changedDays();
}
function changedDays() {
  const started = performance.now();
  if (day.u === null) drawDays(); else goTo(day.u);
  document.documentElement.dataset.gridMs = Math.round(performance.now() - started);
}
function showFollowing() {
  const fits = networkAt(shownH()) !== null;
  $("follows").disabled = !fits;
  setText("follows-not", fits ? "" : `The network above does not follow: this course was computed in a circuit of ${classesNow().map((c) => c.name).join(", ")}.`);
}

function showChoices() {
  const s = study();
  setText("study-question", s.question);
  setText("study-who", s.who);
  $("studies").replaceChildren(...radios("study", STUDIES.map(({ title }) => ({ text: title })), day.study, (k) => choose({ study: STUDIES[k].name })));
  $("arms").replaceChildren(...radios("arm", s.arms.map((a) => ({ text: a.label, sign: swatch(a[dark() ? "dark" : "light"], a.dash) })), s.arms.findIndex((a) => a.name === day.arm),
    (k) => { day.arm = s.arms[k].name; changedDays(); }));
  $("axes").replaceChildren(...s.axes.map((a, k) => {
    const turn = (value) => { day.place[k] = value; if (a.numbers) setDial(`axis-${k}`, value, a.texts[value]); changedDays(); };
    if (a.numbers) return dial(`axis-${k}`, a.name, a.texts.length - 1, day.place[k], () => turn(Number($(`axis-${k}`).value)));
    return el("fieldset", { class: "segments" }, el("legend", {}, a.name), el("div", {}, ...radios(`axis-${k}`, a.texts.map((text) => ({ text })), day.place[k], turn)));
  }));
  s.axes.forEach((a, k) => { if (a.numbers) setDial(`axis-${k}`, day.place[k], a.texts[day.place[k]]); });
  $("curve").replaceChildren(...s.choices.map((name) => el("option", { value: name }, s.curves.find((c) => c.name === name).label)));
  $("curve").value = day.curve;
  showCurveTerm();
}
function showCurveTerm() {
  const place = $("curve-term"), words = termText(day.curve);
  $("gloss-days").hidden = true;
  place.replaceChildren(...(words ? [term(day.curve, "?", "gloss-days")] : []));
  if (words) place.firstChild.setAttribute("aria-label", `What is ${study().curves.find((c) => c.name === day.curve).label}?`);
}

function startDays() {
  $("curve").onchange = () => { day.curve = $("curve").value; showCurveTerm(); drawDays(); };
  $("time").max = STEPS;
  $("time").oninput = () => goTo(Number($("time").value));
  $("follows").onchange = () => { day.follows = $("follows").checked; if (day.follows && day.u !== null) goTo(day.u); };
  const point = (event) => {
    const box = $("course").getBoundingClientRect(), { left, right } = day.frame.box;
    goTo((((event.clientX - box.left) / ($("course").currentCSSZoom || 1) - left) / (right - left)) * STEPS);
  };
  $("course").onpointerdown = (event) => { point(event); $("course").setPointerCapture(event.pointerId); $("course").onpointermove = point; };
  $("course").onpointerup = $("course").onpointercancel = () => { $("course").onpointermove = null; };
  $("play").onclick = () => (playing ? stopPlay() : play());
  saveable($("course").closest("figure"), "plastogen-course", () => `${study().title}: ${momentText(shownH())}`, () => {
    const all = study().curves.filter((c) => has(c.name)).map((c) => [`${c.name}${c.unit ? ` [${c.unit}]` : ""}`, curve(c.name)]);
    return [["time [h]", ...all.map(([head]) => head)], ...study().time_h.map((t, k) => [t, ...all.map(([, values]) => values[k])])];
  });
  choose();
}

// Moments one after the other. What is said changes with each and is read aloud once it stops.
let playing = 0;
function play() {
  const from = day.u === null || day.u >= STEPS ? 0 : day.u, start = performance.now();
  $("play").textContent = "Stop";
  for (const id of ["days-say", "network-says"]) $(id).setAttribute("aria-live", "off");
  const step = (now) => {
    const u = from + ((now - start) / PLAY_MS) * STEPS;
    playing = requestAnimationFrame(step);
    goTo(u, { playing: true });
    if (u >= STEPS) stopPlay();
  };
  playing = requestAnimationFrame(step);
}
function stopPlay() {
  cancelAnimationFrame(playing);
  playing = 0;
  waitingForPlay = false;
  $("play").textContent = "Play";
  for (const id of ["days-say", "network-says"]) { $(id).setAttribute("aria-live", "polite"); setText(id, ""); }
  goTo(day.u);
  drawNetwork();
}
