// Two cells and one synapse: a pairing as electrodes make it, the rule's own program, and what that leaves of the weight.

const SYNAPSE = { glue: "pair-glue", binary: "pair-binary", model: PAIR, answer: "pairedSynapse", kept: new Map() };
const LEAST_SCALE = 70; // %: charts keep their scale while nothing exceeds it
const usualPair = () => ({ rate: PAIR.rate, interval: PAIR.interval_ms, block: 0 }); // place of a rate, ms, %
const pair = { ...usualPair(), failed: "" };
let pairRunner;

const pairQuestion = ({ rate = pair.rate, block = pair.block, looks = false } = {}) => ({ rate: PAIR.rates_Hz[rate], interval: pair.interval, block: block / 100, looks });
const pairAnswer = (question) => SYNAPSE.kept.get(mark(question)) ?? null;
const PAIR_DIALS = [
  { id: "rate", name: "Rate of pairs", term: "pair_rate", most: PAIR.rates_Hz.length - 1, place: () => pair.rate, turn: (k) => { pair.rate = k; }, text: () => `${say(PAIR.rates_Hz[pair.rate])} Hz` },
  { id: "interval", name: "Interval", term: "pair_interval", most: 2 * PAIR.farthest_ms, place: () => pair.interval + PAIR.farthest_ms, turn: (k) => { pair.interval = k - PAIR.farthest_ms; }, text: () => intervalText(pair.interval) },
  { id: "block", name: "NMDA receptors blocked", term: "pair_block", most: 100, place: () => pair.block, turn: (k) => { pair.block = k; }, text: () => `${pair.block} %` },
];
const intervalText = (ms) => `${ms > 0 ? "+" : ""}${say(ms)} ms`;

// Draws what is known of the controls as they stand, and asks for what is not: the synapse first, then its curves.
function changedSynapse() {
  for (const d of PAIR_DIALS) setDial(`pair-${d.id}`, d.place(), d.text());
  drawSynapse();
  const asked = { now: pairQuestion({ looks: true }) };
  PAIR.rates_Hz.forEach((_, rate) => { asked[`sweep-${rate}`] = pairQuestion({ rate }); asked[`sweep-plain-${rate}`] = pairQuestion({ rate, block: 0 }); });
  for (const [slot, question] of Object.entries(asked)) if (!pairAnswer(question)) pairRunner.ask(slot, question, drawSynapse); else pairRunner.drop(slot);
  noteAddress();
}
function setPair(wish) { Object.assign(pair, wish); changedSynapse(); }

const pairText = () => `${PAIR.spikes} pairs at ${say(PAIR.rates_Hz[pair.rate])} Hz, ${PAIR.trains} times; ${pair.interval ? `the ${pair.interval > 0 ? "receiver" : "sender"} ${say(Math.abs(pair.interval))} ms later` : "both at once"}; ${pair.block} % of the synapse’s NMDA receptors blocked`;
const signed = (share) => { const by = Math.round(100 * share); return by ? `${by > 0 ? "+" : "−"}${Math.abs(by)} %` : "0 %"; };
function outcomeText(change) {
  const by = Math.round(100 * change);
  return by > 0 ? "the synapse is stronger (LTP)" : by < 0 ? "the synapse is weaker (LTD)" : "the synapse is as it was";
}

// Two rows of spikes over the calcium that they let in, with the band in which calcium weakens and the one in which it strengthens.
function drawCalcium(answer) {
  const screen = stage($("calcium"), $("calcium").parentElement.clientWidth < 420 ? 160 : 215), { g, w } = screen, [low, high] = PAIR.thresholds;
  const top = Math.max(1.5 * high, ...(answer?.calcium ?? [])), begin = answer ? answer.at[0] : 0, end = begin + PAIR.shown_s;
  const f = frame(screen, { x: linear(begin, end), y: linear(0, 1.05 * top), top: 62, left: 62, right: 12, title: "Calcium (threshold of weakening = 1)", xTicks: [0, 0.1, 0.2, 0.3, 0.4].filter((t) => t >= begin && t <= end), xText: (t) => `${say(t)} s` });
  for (const [from, to, colour, words] of [[low, high, "--weaker", "weakens"], [high, 1.05 * top, "--stronger", "strengthens"]]) {
    g.fillStyle = css(colour); g.globalAlpha = 0.22;
    g.fillRect(f.box.left, f.py(to), f.box.right - f.box.left, f.py(from) - f.py(to));
    g.globalAlpha = 1; g.fillStyle = css("--ink"); g.textAlign = "right"; g.textBaseline = "top"; g.font = `12px ${FONT}`;
    g.fillText(words, f.box.right - 4, f.py(to) + 3);
  }
  ["sender", "receiver"].forEach((who, k) => {
    const y = 31 + 15 * k;
    g.fillStyle = css("--ink"); g.textAlign = "left"; g.textBaseline = "middle"; g.font = `12px ${FONT}`;
    g.fillText(who, 0, y);
    g.strokeStyle = css("--grid"); g.lineWidth = 1; g.beginPath(); g.moveTo(f.box.left, y + 0.5); g.lineTo(f.box.right, y + 0.5); g.stroke();
    g.strokeStyle = css("--ink"); g.lineWidth = 2;
    for (const s of (answer ? [answer.pre, answer.post][k] : []).filter((t) => t >= begin && t <= end)) { g.beginPath(); g.moveTo(f.px(s), y - 6); g.lineTo(f.px(s), y + 6); g.stroke(); }
  });
  if (answer) line(g, f, answer.at, answer.calcium, css("--accent"));
  else waitingText(g, w, 120);
}
function waitingText(g, w, y) {
  g.fillStyle = css("--muted"); g.font = `600 15px ${FONT}`; g.textAlign = "center"; g.textBaseline = "middle";
  g.fillText(pair.failed ? "did not run" : "computing …", w / 2, y);
}

// The weight from the first pair to the last, relative to where it began, beside a synapse of that size.
function drawWeight(answer) {
  const screen = stage($("weight"), $("weight").parentElement.clientWidth < 420 ? 140 : 215), { g, w, h } = screen, room = w < 420 ? 0 : 96;
  const change = answer ? answer.weight.map((x) => 100 * (x / PAIR.initial - 1)) : [], most = Math.max(LEAST_SCALE, ...Array.from(change, Math.abs));
  const minutes = answer ? answer.at.map((s) => s / 60) : [0, 1];
  const f = frame(screen, { x: linear(minutes[0], minutes.at(-1)), y: linear(-1.1 * most, 1.1 * most), right: room + 50, left: 40, title: "Weight of the synapse (% change)", xText: (t) => `${say(t)} min` });
  line(g, f, [minutes[0], minutes.at(-1)], [0, 0], css("--muted"), { width: 1 });
  if (!answer) { waitingText(g, w - room, h / 2); return; }
  const colour = toneOf(answer.change);
  line(g, f, minutes, change, colour, { width: 2.4 });
  g.fillStyle = css("--ink"); g.font = `700 14px ${FONT}`; g.textAlign = "left"; g.textBaseline = "middle";
  g.fillText(signed(answer.change), f.box.right + 4, f.py(change.at(-1)), 46);
  if (room) drawContact(g, w - room / 2, h / 2 + 4, answer.change, colour);
}
const toneOf = (change) => css(Math.round(100 * change) > 0 ? "--stronger" : Math.round(100 * change) < 0 ? "--weaker" : "--muted");

// Sender above, receiver below; the head between them has an area in proportion to the weight, the ring is where it began.
function drawContact(g, x, y, change, colour) {
  const head = 17, r = head * Math.sqrt(1 + change);
  g.strokeStyle = css("--dendrite"); g.lineCap = "round";
  for (const [from, to, width] of [[y + 62, y + 62, 12], [y + 62, y, 5], [y - 62, y - 50, 4]]) { g.lineWidth = width; g.beginPath(); g.moveTo(from === to ? x - 36 : x, from); g.lineTo(from === to ? x + 36 : x, to); g.stroke(); }
  g.fillStyle = css("--dendrite"); g.beginPath(); g.ellipse(x, y - 40, 19, 11, 0, 0, 7); g.fill();
  g.fillStyle = colour; g.beginPath(); g.arc(x, y, r, 0, 7); g.fill();
  g.strokeStyle = css("--ink"); g.lineWidth = 1.4; g.setLineDash([3, 3]); g.beginPath(); g.arc(x, y, head, 0, 7); g.stroke(); g.setLineDash([]);
  g.lineCap = "butt";
  g.fillStyle = css("--muted"); g.font = `11px ${FONT}`; g.textAlign = "center"; g.textBaseline = "middle";
  g.fillText("sender", x, y - 71);
  g.fillText("receiver", x, y + 78);
}

// What each rate leaves with this interval: with this block, and without any.
function ratePoints(block) {
  return PAIR.rates_Hz.map((hz, rate) => ({ hz, answer: pairAnswer(pairQuestion({ rate, block })) })).filter(({ answer }) => answer);
}
function drawByRate(answer) {
  const screen = stage($("by-rate"), $("by-rate").parentElement.clientWidth < 420 ? 140 : 195), { g, w } = screen, blocked = ratePoints(pair.block), plain = ratePoints(0);
  const all = [...blocked, ...plain].map((p) => 100 * p.answer.change), most = Math.max(LEAST_SCALE, ...all.map(Math.abs)), hz = PAIR.rates_Hz.at(-1);
  const f = frame(screen, { x: linear(0, hz), y: linear(-1.1 * most, 1.1 * most), left: 40, right: 22, title: w < 420 ? "Change by rate (%)" : `Change of the synapse by rate of pairs (%), interval ${intervalText(pair.interval)}`, xTicks: [0, 10, 20, 30, 40, 50], xText: (x) => `${say(x)} Hz` });
  line(g, f, [0, hz], [0, 0], css("--muted"), { width: 1 });
  for (const [points, colour, dash] of [[plain, css("--past"), [3, 2]], [blocked, css("--accent"), []]]) {
    if (points === blocked && !pair.block) continue;
    line(g, f, points.map((p) => p.hz), points.map((p) => 100 * p.answer.change), colour, { dash });
    for (const p of points) { g.fillStyle = colour; g.beginPath(); g.arc(f.px(p.hz), f.py(100 * p.answer.change), 2.6, 0, 7); g.fill(); }
  }
  if (answer) {
    g.fillStyle = toneOf(answer.change); g.strokeStyle = css("--ink"); g.lineWidth = 2;
    g.beginPath(); g.arc(f.px(PAIR.rates_Hz[pair.rate]), f.py(100 * answer.change), 6, 0, 7); g.fill(); g.stroke();
  }
  key(g, w, [{ label: "no block", colour: css("--past"), dash: [3, 2] }, ...(pair.block ? [{ label: `${pair.block} % blocked`, colour: css("--accent") }] : [])]);
}

function drawSynapse() {
  const answer = pairAnswer(pairQuestion({ looks: true }));
  drawCalcium(answer);
  drawWeight(answer);
  drawByRate(answer);
  setText("synapse-says", pair.failed || (answer ? `${pairText()}: ${signed(answer.change)}, ${outcomeText(answer.change)}.` : COMPUTING));
  const marks = document.documentElement.dataset;
  if (answer) marks.paired = answer.change;
  else delete marks.paired;
}

function startSynapse() {
  pairRunner = new Runner((why) => { pair.failed = `The synapse could not run in this browser: ${why}`; drawSynapse(); }, SYNAPSE);
  for (const d of PAIR_DIALS) {
    const what = term(d.term, "?", "gloss-synapse");
    what.setAttribute("aria-label", `What is ${d.name}?`);
    $("synapse-says").before(dial(`pair-${d.id}`, d.name, d.most, d.place(), () => { d.turn(Number($(`pair-${d.id}`).value)); changedSynapse(); }, [el("span", { class: "more" }, what)]));
  }
  $("pair-fresh").onclick = () => setPair(usualPair());
  const rows = (names, of) => { const answer = pairAnswer(pairQuestion({ looks: true })); return [names, ...(answer ? Array.from(answer.at, (t, k) => [t, of(answer, k)]) : [])]; };
  const title = (what) => () => `${what}: ${pairText()}; rule: ${PAIR.title}`;
  saveable($("calcium").closest("figure"), "plastogen-calcium", title("Calcium at the synapse"), () => rows(["time [s]", "calcium [threshold of depression]"], (a, k) => a.calcium[k]));
  saveable($("weight").closest("figure"), "plastogen-weight", title("Weight of the synapse"), () => rows(["time [s]", "weight"], (a, k) => a.weight[k]));
  saveable($("by-rate").closest("figure"), "plastogen-by-rate", title("Change by rate"), () => [["rate [Hz]", "block [%]", "change"], ...[...new Set([0, pair.block])].flatMap((block) => ratePoints(block).map(({ hz, answer }) => [hz, block, answer.change]))]);
}
