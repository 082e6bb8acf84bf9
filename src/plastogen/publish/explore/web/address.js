// What the page shows stands in its address, so that a link leads back to it. What an address says is checked like any input.

const NOTE_MS = 400, MOST_FACTOR = 4;
let noting = 0, addressed = false;

const listed = (drive) => MODEL.factors.map((name, k) => [name, drive[k]]).filter(([, value], k) => value !== MODEL.usual[k]).map(([name, value]) => `${name}:${value}`).join(",");
function writeSetting(words, prefix, { drive, mg, background, level = 0 }) {
  if (mg !== usualPlace("mg")) words.set(`${prefix}mg`, mg);
  if (background !== usualPlace("background")) words.set(`${prefix}background`, background);
  if (level) words.set(`${prefix}level`, level);
  else if (listed(drive)) words.set(`${prefix}drive`, listed(drive));
}

function addressWords() {
  const words = new URLSearchParams(), following = followsMoment();
  if (guide.shown) words.set("step", guide.shown + 1);
  if (net.seed) words.set("seed", net.seed);
  if (!following) {
    writeSetting(words, "", net);
    writeSetting(words, "a-", { ...net.before, level: 0 });
  }
  if (net.over) words.set("over", 1);
  if (sweep.dial) words.set("sweep", sweep.dial.id);
  for (const [name, value] of Object.entries(usualPair())) if (pair[name] !== value) words.set(`pair-${name}`, pair[name]);
  if (STUDIES.length) {
    if (day.study) words.set("study", study().name);
    words.set("arm", day.arm);
    if (day.place.length) words.set("place", day.place.join("."));
    if (day.curve !== "recurrent") words.set("curve", day.curve);
    if (day.u !== null) words.set("moment", Number(day.u.toFixed(2)));
    if (day.u !== null && !following) words.set("apart", 1);
  }
  return words;
}

// Written down a little after the last change; a browser that forbids it for files loses nothing but the link.
function noteAddress() {
  if (!addressed) return;
  clearTimeout(noting);
  noting = setTimeout(() => {
    const to = `#${addressWords()}`;
    try { if (to !== location.hash) history.replaceState(null, "", to); } catch { /* an address that may not change */ }
    if ($("share").open) showShare();
  }, NOTE_MS);
}

// A number between 0 and `most`, or undefined: whatever else an address says is passed over.
function between(text, most) {
  const number = Number(text);
  return text !== null && text !== "" && number >= 0 && number <= most ? number : undefined;
}
const whole = (text, most) => (Number.isInteger(Number(text)) ? between(text, most) : undefined);
function readDrive(text) {
  const drive = [...MODEL.usual];
  for (const part of (text ?? "").split(",")) {
    const [name, value] = part.split(":"), number = Number(value);
    if (name in factorAt && value && Number.isFinite(number) && number >= 0 && number <= MOST_FACTOR) drive[factorAt[name]] = number;
  }
  return drive;
}
function readSetting(words, prefix) {
  const place = (name) => whole(words.get(prefix + name), MODEL.dials[name].length - 1) ?? usualPlace(name);
  const found = { mg: place("mg"), background: place("background"), drive: readDrive(words.get(`${prefix}drive`)), level: null };
  const level = whole(words.get(`${prefix}level`), MODEL.concentrations_uM.length - 1) ?? (words.has(`${prefix}drive`) ? undefined : 0);
  return level === undefined ? found : withLevel(found, level);
}

function readPair(words) {
  const found = usualPair(), interval = Number(words.get("pair-interval"));
  found.rate = whole(words.get("pair-rate"), PAIR.rates_Hz.length - 1) ?? found.rate;
  found.block = whole(words.get("pair-block"), 100) ?? found.block;
  if (words.get("pair-interval") && Number.isInteger(interval) && Math.abs(interval) <= PAIR.farthest_ms) found.interval = interval;
  return found;
}

// Sets the page as an address says. Shown before: what the page starts with.
function openAddress() {
  const words = new URLSearchParams(location.hash.slice(1)), moment = between(words.get("moment"), STEPS);
  net.seed = whole(words.get("seed"), MODEL.seeds.length - 1) ?? 0;
  net.over = $("over").checked = words.get("over") === "1";
  const { level, ...before } = readSetting(words, "a-");
  const kept = [...words.keys()].some((name) => name.startsWith("a-"));
  Object.assign(net, readSetting(words, ""), { before, beforeText: kept ? "as it was kept" : "nothing blocked", moment: null });
  if (STUDIES.length) {
    const known = STUDIES.find((s) => s.name === words.get("study")) ?? STUDIES[0];
    const places = (words.get("place") ?? "").split(".").map((text, k) => whole(text, (known.axes[k]?.texts.length ?? 0) - 1));
    const place = places.length === known.axes.length && !places.includes(undefined) ? places : undefined;
    if (known.choices.includes(words.get("curve"))) day.curve = words.get("curve");
    day.u = null;
    const apart = words.get("apart") === "1";
    day.follows = !apart;
    choose({ study: known.name, arm: words.get("arm") ?? "", place, u: moment });
    day.follows = $("follows").checked;
  }
  setPair(readPair(words));
  if (guide.steps.length) showStep((whole(words.get("step"), guide.steps.length) ?? 1) - 1);
  changedNetwork();
  const d = dialOf(words.get("sweep"));
  if (d) runSweep(d, { scroll: false });
}

function showShare() {
  const link = `${location.href.split("#")[0]}#${addressWords()}`;
  $("share-link").value = link;
  $("share-embed").value = el("iframe", { src: link, title: document.title, width: "100%", height: "900", loading: "lazy", allow: "clipboard-write" }).outerHTML;
  $("share-file").hidden = location.protocol !== "file:";
}

function startAddress() {
  $("share-open").onclick = () => { showShare(); $("share").showModal(); };
  $("share-close").onclick = () => $("share").close();
  for (const button of document.querySelectorAll("[data-copy]")) {
    button.onclick = async () => {
      const field = $(button.dataset.copy);
      field.select();
      try { await navigator.clipboard.writeText(field.value); setText("share-says", "Copied."); } catch { setText("share-says", "Marked; press Ctrl and C to copy."); }
    };
  }
  addEventListener("hashchange", () => { if (location.hash.includes("=")) openAddress(); }); // not for #network
  openAddress();
  addressed = true;
}
