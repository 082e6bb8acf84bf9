// One branch of one cell of which every spine is known: where it stands, how large it is, when it was born and lost.

const HEAD = 6, REACH = 18; // radius of a head of size 1, and how far a click reaches, in pixels
const picked = { site: null, drawn: [] };
const spineOf = ([site, um, lasting, returned, born, lost, sizes]) => ({ site, um, lasting, returned, born: born ?? -Infinity, lost: lost ?? Infinity, sizes });
const branchSpines = () => study().branch.courses[courseOf(day.arm)].map(spineOf);
const looksH = () => study().branch.looks_h[courseOf(day.arm)];
const stands = (s, hour) => s.born <= hour && hour < s.lost;

// The size of a spine at the last look that has one, or the first that has.
function sizeAt(s, hour) {
  const looks = looksH(), known = looks.map((h, k) => [h, s.sizes[k]]).filter(([, x]) => x !== null);
  const past = known.filter(([h]) => h <= hour);
  return (past.length ? past[past.length - 1] : known[0] ?? [0, null])[1];
}

function drawBranch() {
  const all = branchSpines(), hour = shownH(), whole = study().branch.length_um;
  const wide = $("dendrite").parentElement.clientWidth || 300, rows = Math.max(1, Math.ceil(520 / wide)), each = whole / rows;
  const { g, w } = stage($("dendrite"), rows * ROW), now = all.filter((s) => stands(s, hour)), taken = new Set(now.map((s) => s.site));
  const gone = [...new Map(all.filter((s) => s.lost <= hour && s.lasting && !taken.has(s.site)).map((s) => [s.site, s])).values()];
  const mid = (x, row) => row * ROW + ROW / 2 + 5 * Math.sin(x / 90 + row * 2);
  g.lineCap = "round"; g.strokeStyle = css("--dendrite"); g.lineWidth = 11;
  for (let row = 0; row < rows; row++) {
    g.beginPath();
    for (let x = 8; x <= w - 8; x += 6) g.lineTo(x, mid(x, row));
    g.stroke();
  }
  picked.drawn = [];
  for (const s of [...gone, ...now]) {
    const row = Math.min(rows - 1, Math.floor(s.um / each)), x = 18 + (s.um / each - row) * (w - 36), up = s.site % 2 ? 1 : -1;
    const base = mid(x, row) + up * 5, rise = up * (20 + ((s.site * 7) % 11)), there = taken.has(s.site), y = base + rise;
    picked.drawn.push({ site: s.site, um: s.um, x, y });
    if (there) spine(g, x, base, 0, rise, HEAD * Math.cbrt(sizeAt(s, hour) ?? 0.3), css(!s.lasting ? "--transient" : s.born > 0 ? "--new" : "--spine"), s.lasting && s.born > 0);
    else { g.strokeStyle = css("--muted"); g.lineWidth = 1; g.setLineDash([2, 2.5]); g.beginPath(); g.arc(x, y, 3.6, 0, 7); g.stroke(); g.setLineDash([]); }
    if (s.site === picked.site) { g.strokeStyle = css("--accent"); g.lineWidth = 2.5; g.beginPath(); g.arc(x, y, 12, 0, 7); g.stroke(); }
  }
  const lasting = now.filter((s) => s.lasting).length, fresh = now.filter((s) => s.lasting && s.born > 0).length;
  $("dendrite-says").textContent = `${courseText()}, at ${timeText(hour)}: ${now.length} spines on ${say(whole, 3)} µm of a branch of cell ${study().branch.cell}, ${lasting} of them lasting, ${fresh} of those born since time 0; ${gone.length} places have lost theirs. Seen under a ${study().branch.preparation}, seed ${study().branch.seed}.`;
  $("dendrite").setAttribute("aria-label", $("dendrite-says").textContent);
  $("dendrite").tabIndex = 0; $("dendrite").style.cursor = "pointer";
  $("spine-says").hidden = picked.site === null;
  if (picked.site !== null) setText("spine-says", historyOf(picked.site, all));
}

// What became of a place, in sentences.
function historyOf(site, all) {
  const lives = all.filter((s) => s.site === site).sort((a, b) => a.born - b.born), looks = looksH();
  if (!lives.length) return "At this place no spine ever stood in this arm.";
  const told = lives.map((s) => {
    const born = s.born === -Infinity ? "there from the start" : `born at ${timeText(s.born)}${s.returned ? ", where one had been lost" : ""}`;
    const sizes = looks.map((h, k) => [h, s.sizes[k]]).filter(([, x]) => x !== null), few = [...new Set([sizes[0], sizes[sizes.length >> 1], sizes[sizes.length - 1]])].filter(Boolean);
    const size = few.length ? `; size ${few.map(([h, x]) => `${say(x, 2)} at ${timeText(h)}`).join(", ")}` : "; gone before it was measured";
    return `${s.lasting ? "a lasting spine" : "a passing spine"}, ${born}${size}; ${s.lost === Infinity ? "still there at the end" : `lost at ${timeText(s.lost)}`}`;
  });
  return `At ${say(lives[0].um, 3)} µm: ${told.join(". Then ")}. (A mean lasting spine has size 1.)`;
}

function pick(site) { picked.site = site; drawBranch(); }
function clearBranch() { picked.site = null; $("spine-says").hidden = true; $("dendrite").removeAttribute("tabindex"); $("dendrite").style.cursor = ""; }

function startBranch() {
  const canvas = $("dendrite");
  canvas.addEventListener("click", (event) => {
    if (!study().branch) return;
    const box = canvas.getBoundingClientRect(), x = event.clientX - box.left, y = event.clientY - box.top;
    const far = (p) => Math.hypot(p.x - x, p.y - y), nearest = picked.drawn.reduce((a, b) => (a && far(a) <= far(b) ? a : b), null);
    pick(nearest && far(nearest) <= REACH ? nearest.site : null);
  });
  canvas.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!study().branch || !step || !picked.drawn.length) return;
    event.preventDefault();
    const order = [...picked.drawn].sort((a, b) => a.um - b.um), k = order.findIndex((p) => p.site === picked.site);
    pick(order[k < 0 ? (step > 0 ? 0 : order.length - 1) : (k + step + order.length) % order.length].site);
  });
}

function branchTable() {
  const looks = looksH(), h = (x) => (Number.isFinite(x) ? x : "");
  return [["site", "place [um]", "lasting", "returned", "born [h]", "lost [h]", ...looks.map((t) => `size at ${t} h`)],
    ...branchSpines().map((s) => [s.site, s.um, s.lasting, s.returned, h(s.born), h(s.lost), ...s.sizes.map((x) => x ?? "")])];
}
