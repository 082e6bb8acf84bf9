// The response curve: what every class does while one slider goes from end to end and all else stays as it is.

const MOST_POINTS = 13;
const sweep = { dial: null, base: "" };

// Everything but the slider: when that changes, the curve is of another network and goes.
function baseOf(d) {
  const { level, ...rest } = d.turn(setting(), 0);
  return JSON.stringify(rest);
}
const sweepPlaces = (d) => (d.most < MOST_POINTS ? Array.from({ length: d.most + 1 }, (_, k) => k) : Array.from({ length: 11 }, (_, k) => Math.round((k * d.most) / 10)));
function sweepQuestion(d, place) {
  const { drive, mg, background, seed } = d.turn(setting(), place);
  return { drive, mg, background, seed };
}

function startSweep() {
  for (const button of document.querySelectorAll("[data-sweep]")) button.onclick = () => runSweep(dialOf(button.dataset.sweep));
  saveable($("response").closest("figure"), "plastogen-response", () => `${MODEL.title}: ${sweepTitle()}; all else as in B: ${settingText(net)}`, () => [[sweep.dial?.name ?? "", ...CLASSES.map((name) => `${name} [Hz]`)],
    ...sweepPoints().map(({ place, rates }) => [sweep.dial.at(place), ...rates])]);
}

function runSweep(d, { scroll = true } = {}) {
  Object.assign(sweep, { dial: d, base: baseOf(d) });
  sweepPlaces(d).forEach((place, k) => (k % 2 ? quick : thorough).ask(`sweep-${k}`, long(sweepQuestion(d, place)), drawNetwork));
  drawSweep();
  if (scroll) keepInView($("response"));
}

// Points of the curve that are known; null when the controls are no longer those it was asked with.
function sweepPoints() {
  if (!sweep.dial || baseOf(sweep.dial) !== sweep.base) return null;
  return sweepPlaces(sweep.dial).map((place) => ({ place, run: kept.get(mark(long(sweepQuestion(sweep.dial, place)))) }))
    .filter(({ run }) => run).map(({ place, run }) => ({ place, rates: meanRates(run) }));
}
const sweepTitle = () => (sweep.dial ? `Response to ${sweep.dial.name}${sweep.dial.class ? ", share blocked" : ""}` : "Response");

function drawSweep() {
  const points = sweepPoints(), figure = $("response").closest("figure");
  if (sweep.dial && !points) {
    sweep.dial = null;
    for (let k = 0; k < MOST_POINTS; k++) for (const runner of [quick, thorough]) runner.drop(`sweep-${k}`);
  }
  figure.hidden = !points;
  if (!points) { setText("response-says", ""); return; }
  const d = sweep.dial, all = sweepPlaces(d), top = Math.max(20, ...points.flatMap(({ rates }) => rates));
  const screen = stage($("response"), 230), { g, w } = screen;
  const f = frame(screen, { x: linear(0, d.most), y: linear(0, top * 1.05), top: 28, left: 36, title: `${sweepTitle()} (Hz)`, xTicks: all, xText: d.at });
  g.strokeStyle = css("--ink"); g.lineWidth = 1.2; g.setLineDash([3, 3]);
  const here = f.px(d.place(setting()));
  g.beginPath(); g.moveTo(here, f.box.top); g.lineTo(here, f.box.bottom); g.stroke(); g.setLineDash([]);
  CLASSES.forEach((name, k) => {
    const colour = css(`--class-${name}`);
    line(g, f, points.map(({ place }) => place), points.map(({ rates }) => rates[k]), colour);
    for (const { place, rates } of points) { g.fillStyle = colour; g.beginPath(); g.arc(f.px(place), f.py(rates[k]), 3.5, 0, 7); g.fill(); }
  });
  key(g, w, CLASSES.map((name) => ({ label: name, colour: css(`--class-${name}`) })));
  setText("response-says", points.length < all.length ? `Computing: ${points.length} of ${all.length} places …` : `${CLASSES.map((name, k) => {
    const best = points.reduce((a, b) => (b.rates[k] > a.rates[k] ? b : a));
    return best.rates[k] < LEAST_HZ ? `${name} cells stay silent` : `${name} cells fire most (${best.rates[k].toFixed(1)} Hz) at ${d.at(best.place)}`;
  }).join("; ")}. The dashed line is where the slider stands.`);
}
