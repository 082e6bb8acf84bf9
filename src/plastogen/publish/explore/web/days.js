// The days after: courses of a finished sweep, drawn from minutes to weeks; a moment of them sets the network.

const LATE_H = 24, SHORT_H = 16, STEPS = 500, PLAY_MS = 9000;
const MINUTES = [0, 40, 120, 360], DAYS = [1, 3, 7, 14, 28, 42, 84, 112];
const day = { study: 0, arm: "", place: [], u: null, follows: true };
const study = () => STUDIES[day.study];

function timeText(hours) {
  const minutes = Math.round(Math.abs(hours) * 60), sign = hours < 0 && minutes ? "−" : "";
  if (minutes < 60 || (minutes < 180 && minutes % 30)) return minutes ? `${sign}${minutes} min` : "0";
  if (minutes < 48 * 60) return minutes === 1440 ? "1 d" : `${sign}${say(minutes / 60, 3)} h`;
  return `${sign}${say(minutes / 1440, 3)} d`;
}

// The values of a curve along the course of an arm at a place of the grid.
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
  return Float64Array.from({ length: n }, (_, j) => s.low[k] + ((s.high[k] - s.low[k]) * all[from + j]) / 65535);
}
function at(values, hour) {
  const t = study().time_h;
  let k = t.findIndex((x) => x >= hour);
  if (k <= 0) return values[k < 0 ? t.length - 1 : 0];
  return values[k - 1] + ((values[k] - values[k - 1]) * (hour - t[k - 1])) / (t[k] - t[k - 1] || 1);
}
const given = (arm = day.arm) => study().given[courseOf(arm)];
const firstDose = () => Math.min(0, ...STUDIES[day.study].given.flat().map(([start]) => start));

function timeScale() {
  const t = study().time_h, first = t[0], last = t[t.length - 1], late = study().given.flat().some(([start]) => start > LATE_H);
  return late || last <= SHORT_H ? { ...linear(first, last), late } : { ...story(first, last), late };
}
function timeTicks(x) {
  if (x.late) return ticks(0, x.high / 24, 8).map((d) => d * 24);
  return [...MINUTES.map((m) => m / 60), ...DAYS.map((d) => d * 24)].filter((h) => h >= x.low && h <= x.high);
}
const momentH = () => (day.u === null ? null : timeScale().from(day.u / STEPS));

const sentence = (text) => (/^[a-z][a-z ]/.test(text) ? text[0].toUpperCase() + text.slice(1) : text);
const range = (names, relative) => {
  const s = study(); levels(s);
  const low = Math.min(...names.map((n) => s.low[s.at[n]])), high = Math.max(...names.map((n) => s.high[s.at[n]]));
  return relative ? [low, high] : [Math.min(0, low), high];
};
const CLASS_LINES = (stem) => CLASSES.map((c) => ({ name: `${stem}_${c}`, label: c, colour: `--${c}` }));

// What each panel draws: lines of the chosen arm by class, or one line an arm.
function panels() {
  const s = study(), arms = s.arms.map((a) => ({ ...a, colour: a[dark() ? "dark" : "light"] })), x = timeScale();
  const relative = (name, arm) => { const c = curve(name, arm); return c.map((v) => (100 * v) / c[0]); };
  const chosen = $("curve").value, own = s.curves.find((c) => c.name === chosen);
  const byArm = (name, scale) => arms.map((a) => ({ label: a.label, colour: a.colour, dash: a.dash, ys: curve(name, a.name).map((v) => v * scale), width: a.name === day.arm ? 3 : 1.5, chosen: a.name === day.arm }));
  const rates = CLASSES.map((c) => ({ label: c, colour: css(`--${c}`), ys: relative(`rate_${c}`, day.arm) }));
  const most = Math.max(120, ...rates.flatMap((r) => [...r.ys]));
  const spread = ([low, high], room = 0.06) => linear(low - (high - low) * room, high + (high - low) * room || 1);
  return [
    { title: "NMDA receptors blocked (%)", y: linear(0, Math.max(10, range(CLASSES.map((c) => `block_${c}`))[1]) * 1.05),
      lines: CLASSES.map((c) => ({ label: c, colour: css(`--${c}`), ys: curve(`block_${c}`) })) },
    { title: "Firing rates (% of before)", y: linear(0, Math.min(400, most * 1.05)), lines: rates },
    { title: "Spines (% of healthy)", y: spread(range(["spine_density"], true).map((v) => 100 * v)), lines: byArm("spine_density", 100), arms: true },
    { title: `${sentence(own.label)}${own.unit && !own.label.includes(own.unit) ? ` (${own.unit})` : ""}`, y: spread(range([chosen], true)), lines: byArm(chosen, 1), arms: true },
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
    if (hour !== null) {
      g.strokeStyle = css("--ink"); g.lineWidth = 1.5;
      g.beginPath(); g.moveTo(f.px(hour), f.box.top); g.lineTo(f.px(hour), f.box.bottom); g.stroke();
      for (const l of p.lines) {
        if (p.arms && !l.chosen) continue;
        g.fillStyle = l.colour; g.strokeStyle = css("--page"); g.lineWidth = 1.5;
        g.beginPath(); g.arc(f.px(hour), f.py(Math.min(p.y.high, at(l.ys, hour))), 4.5, 0, 7); g.fill(); g.stroke();
      }
    }
    day.frame = f;
    g.restore();
  });
  g.fillStyle = css("--muted"); g.font = `12px ${FONT}`; g.textBaseline = "top"; g.textAlign = "left";
  const what = [...new Set(given().map(([, , text]) => text))], first = given()[0];
  g.fillText(what.length ? `shaded: ${what.join("; ")}` : "nothing is given", first && !narrow ? Math.min(day.frame.px(first[0]), w - g.measureText(`shaded: ${what.join("; ")}`).width) : 0, 4, w);
  drawDendrite();
}

function momentText(hour) {
  const late = timeScale().late;
  return `${study().arms.find((a) => a.name === day.arm).label}, ${late && hour >= 24 ? `day ${say(hour / 24, 3)}` : timeText(hour)}`;
}

function describe() {
  const hour = momentH() ?? study().time_h[0], value = (name) => at(curve(name), hour);
  const text = CLASSES.map((c) => `${c} ${Math.round(value(`block_${c}`))} %`).join(", ");
  return `At ${timeText(hour)}: blocked ${text}. Spines ${(100 * value("spine_density")).toFixed(1)} % of healthy, strength of E–E synapses ${Math.round(100 * value("recurrent"))} % of healthy (${Math.round(100 * curve("recurrent")[0])} % before).`;
}

// Shows the moment; the network, when it follows, becomes what it was then.
function goTo(u, { quiet = false } = {}) {
  day.u = Math.max(0, Math.min(STEPS, u));
  const hour = momentH(), whole = (h) => MODEL.factors.map((name) => at(curve(`drive.${name}`), h));
  $("time").value = day.u;
  $("time-out").value = timeText(hour);
  $("time").setAttribute("aria-valuetext", timeText(hour));
  const started = performance.now();
  drawDays();
  document.documentElement.dataset.gridMs = Math.round(performance.now() - started);
  if (!quiet) $("days-say").textContent = describe();
  if (day.follows) {
    const start = study().time_h[0], same = { mg: usualPlace("mg"), background: usualPlace("background") };
    Object.assign(net, same);
    setNetwork({ drive: whole(hour), moment: momentText(hour), before: { drive: whole(start), ...same }, beforeText: "at the start of the course" });
  }
}

function choose({ study: name, arm, place, hour } = {}) {
  if (name !== undefined) day.study = Math.max(0, STUDIES.findIndex((s) => s.name === name));
  const s = study();
  day.arm = [arm, day.arm].find((a) => s.arms.some(({ name: known }) => known === a)) ?? s.arms[Math.min(1, s.arms.length - 1)].name;
  day.place = place ?? (day.place.length === s.axes.length && name === undefined ? day.place : s.axes.map((a) => (a.numbers ? Math.floor((a.texts.length - 1) / 2) : 0)));
  showChoices();
  if (hour !== undefined) goTo(timeScale().to(hour) * STEPS);
  else changed();
}
function changed() {
  const started = performance.now();
  if (day.u === null) drawDays(); else goTo(day.u, { quiet: true });
  document.documentElement.dataset.gridMs = Math.round(performance.now() - started);
  $("days-say").textContent = describe();
}

const radios = (name, texts, chosen) => texts.map((text, k) => `<label><input type="radio" name="${name}" value="${k}"${k === chosen ? " checked" : ""}><span>${text}</span></label>`).join("");
function showChoices() {
  const s = study();
  $("study-question").textContent = s.question;
  $("study-who").textContent = `${s.who}; mean of ${s.seeds} networks of 1,000 cells`.replace(/^[^·]*·\s*/, "");
  $("arms").innerHTML = radios("arm", s.arms.map((a) => `<i style="border-color: ${a[dark() ? "dark" : "light"]}" class="${a.dash.length ? "dashed" : ""}"></i>${a.label}`), s.arms.findIndex((a) => a.name === day.arm));
  $("axes").innerHTML = s.axes.map((a, k) => (a.numbers
    ? `<div class="dial"><label for="axis-${k}">${a.name}</label><output id="axis-${k}-out" for="axis-${k}">${a.texts[day.place[k]]}</output><input type="range" id="axis-${k}" min="0" max="${a.texts.length - 1}" value="${day.place[k]}" aria-valuetext="${a.texts[day.place[k]]}"></div>`
    : `<fieldset class="segments"><legend>${a.name}</legend><div>${radios(`axis-${k}`, a.texts, day.place[k])}</div></fieldset>`)).join("");
  s.axes.forEach((a, k) => {
    for (const input of $("axes").querySelectorAll(`#axis-${k}, [name="axis-${k}"]`)) {
      input.oninput = () => {
        day.place[k] = Number(input.value);
        if (a.numbers) { $(`axis-${k}-out`).value = a.texts[day.place[k]]; input.setAttribute("aria-valuetext", a.texts[day.place[k]]); }
        changed();
      };
    }
  });
  for (const input of $("arms").querySelectorAll("input")) input.oninput = () => { day.arm = s.arms[Number(input.value)].name; changed(); };
}

function startDays() {
  $("studies").innerHTML = radios("study", STUDIES.map((s) => s.title), 0);
  for (const input of $("studies").querySelectorAll("input")) input.oninput = () => choose({ study: STUDIES[Number(input.value)].name });
  const listed = ["glutamate", "plasma_ng_ml", "brain_uM", "bdnf", "mtorc1", "eef2k", "protein", "weight", "recurrent", "pv_integrity", "tolerance", "clinical_effect"];
  $("curve").innerHTML = listed.map((name) => `<option value="${name}">${STUDIES[0].curves.find((c) => c.name === name).label}</option>`).join("");
  $("curve").value = "recurrent";
  $("curve").onchange = changed;
  $("time").max = STEPS;
  $("time").oninput = () => goTo(Number($("time").value));
  $("follows").onchange = () => { day.follows = $("follows").checked; if (day.follows && day.u !== null) goTo(day.u); };
  const point = (event) => {
    const box = $("course").getBoundingClientRect(), { left, right } = day.frame.box;
    goTo((((event.clientX - box.left) / ($("course").currentCSSZoom || 1) - left) / (right - left)) * STEPS);
  };
  $("course").onpointerdown = (event) => { point(event); $("course").setPointerCapture(event.pointerId); $("course").onpointermove = point; };
  $("course").onpointerup = $("course").onpointercancel = () => { $("course").onpointermove = null; };
  $("play").onclick = play;
  saveable($("course").closest("figure"), "plastogen-course", () => `${study().title}: ${momentText(momentH() ?? study().time_h[0])}`, () => {
    const all = study().curves.map((c) => [`${c.name}${c.unit ? ` [${c.unit}]` : ""}`, curve(c.name)]);
    return [["time [h]", ...all.map(([head]) => head)], ...study().time_h.map((t, k) => [t, ...all.map(([, values]) => values[k])])];
  });
  choose();
}

let playing = 0;
function play() {
  if (playing) { cancelAnimationFrame(playing); playing = 0; $("play").textContent = "Play"; $("days-say").textContent = describe(); return; }
  const from = day.u === null || day.u >= STEPS ? 0 : day.u, start = performance.now();
  $("play").textContent = "Stop";
  const step = (now) => {
    const u = from + ((now - start) / PLAY_MS) * STEPS;
    goTo(u, { quiet: true });
    if (u < STEPS) playing = requestAnimationFrame(step);
    else { playing = 0; $("play").textContent = "Play"; $("days-say").textContent = describe(); }
  };
  playing = requestAnimationFrame(step);
}
