// A stretch of dendrite with 100 spines in a healthy subject. How many stand and how strong they are is the model's;
// which of them stands where, and its shape, is drawn.

const SPINES = 100, HAIRS = 8, EXAGGERATED = 10, ROW = 118;

// Fixed, so that a redraw changes only what changed: sites in the order in which they fill, and a shape for each place.
const DRAWN = (() => {
  let x = 12345;
  const next = () => ((x = (x * 1103515245 + 12345) % 2147483648) / 2147483648);
  const rank = Array.from({ length: SPINES }, (_, k) => k);
  for (let k = SPINES - 1; k > 0; k--) { const j = Math.floor(next() * (k + 1)); [rank[k], rank[j]] = [rank[j], rank[k]]; }
  return { rank, lean: Array.from({ length: SPINES + HAIRS }, () => 8 * (next() - 0.5)), tall: Array.from({ length: SPINES + HAIRS }, () => 18 + 12 * next()) };
})();

// The places along the dendrite: sites of lasting spines, passing spines spread between them.
function places(sites) {
  const ranks = DRAWN.rank.filter((r) => r < sites), found = ranks.map((rank) => ({ rank }));
  for (let k = 0; k < HAIRS; k++) found.splice(Math.round(((k + 0.5) * found.length) / HAIRS), 0, { hair: (k * 3) % HAIRS });
  return found;
}

function counts(hour) {
  const value = (name) => at(curve(name), hour);
  return { sites: Math.round(SPINES * value("sites")), lasting: SPINES * value("persistent"), passing: SPINES * value("transient"), weight: value("weight") };
}
const grown = (count, rank) => Math.max(0, Math.min(1, count - rank));

function drawDendrite() {
  const own = Boolean(study().branch);
  $("each-about").hidden = !own; $("dendrite-about").hidden = own;
  if (own) return drawBranch();
  clearBranch();
  const start = counts(study().time_h[0]), now = counts(shownH()), all = places(now.sites);
  const wide = $("dendrite").parentElement.clientWidth || 300, lines = Math.ceil(all.length / Math.max(16, Math.floor(wide / 11.5)));
  const each = Math.ceil(all.length / lines), { g, w } = stage($("dendrite"), lines * ROW);
  const radius = 4.4 * Math.sqrt(Math.max(0.2, 1 + EXAGGERATED * (now.weight - 1)));
  g.lineCap = "round";
  for (let row = 0; row < lines; row++) {
    const mid = (x) => row * ROW + ROW / 2 + 5 * Math.sin(x / 90 + row * 2);
    g.strokeStyle = css("--dendrite"); g.lineWidth = 11;
    g.beginPath();
    for (let x = 8; x <= w - 8; x += 6) g.lineTo(x, mid(x));
    g.stroke();
    all.slice(row * each, (row + 1) * each).forEach((place, k) => {
      const number = row * each + k, up = k % 2 ? 1 : -1, x = 18 + ((k + 0.5) / each) * (w - 36), base = mid(x) + up * 5;
      const lean = DRAWN.lean[number], tall = up * DRAWN.tall[number];
      if (place.hair !== undefined) {
        const is = grown(now.passing, place.hair);
        if (is > 0.02) spine(g, x, base, 1.6 * lean * is, 1.25 * tall * is, 1.7 * is, css("--transient"));
        return;
      }
      const is = grown(now.lasting, place.rank), more = is > grown(start.lasting, place.rank) + 0.02;
      if (is < 0.98) {
        g.strokeStyle = css("--muted"); g.lineWidth = 1; g.setLineDash([2, 2.5]);
        g.beginPath(); g.arc(x + lean, base + tall, 3.6, 0, 7); g.stroke();
        g.setLineDash([]);
      }
      if (is > 0.02) spine(g, x, base, lean * is, tall * is, radius * Math.sqrt(is), css(more ? "--new" : "--spine"), more);
    });
  }
  const gained = Math.round(now.lasting) - Math.round(start.lasting);
  $("dendrite-says").textContent = `${courseText()}, at ${timeText(shownH())}: ${Math.round(now.lasting)} lasting and ${Math.round(now.passing)} passing spines where a healthy subject has ${SPINES}`
    + `${gained ? `; ${Math.abs(gained)} lasting ${gained > 0 ? "more" : "fewer"} than before` : ""}.`;
  $("dendrite").setAttribute("aria-label", $("dendrite-says").textContent);
}

function spine(g, x, base, lean, rise, radius, colour, ringed = false) {
  g.strokeStyle = g.fillStyle = colour;
  g.lineWidth = Math.min(2.6, 0.3 + radius);
  g.beginPath(); g.moveTo(x, base); g.quadraticCurveTo(x, base + rise / 2, x + lean, base + rise); g.stroke();
  g.beginPath(); g.arc(x + lean, base + rise, radius, 0, 7); g.fill();
  if (ringed) { g.strokeStyle = css("--ink"); g.lineWidth = 1.2; g.stroke(); }
}

function startDendrite() {
  startBranch();
  saveable($("dendrite").closest("figure"), "plastogen-dendrite", () => `${study().title}: ${$("dendrite-says").textContent}`, () => {
    if (study().branch) return branchTable();
    const names = ["sites", "persistent", "transient", "vacant", "weight"].filter((n) => n in study().at);
    return [["time [h]", ...names], ...study().time_h.map((t, k) => [t, ...names.map((n) => curve(n)[k])])];
  });
}
