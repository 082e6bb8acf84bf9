// What the network is given: the numbers of its drive, magnesium, input and wiring; which slider changes what.
// A setting is {drive, mg, background, seed, level}; `level` is the place of a concentration, null when block was set otherwise.

const CLASSES = Object.keys(MODEL.classes), PRINCIPAL = MODEL.principal;
const factorAt = Object.fromEntries(MODEL.factors.map((name, k) => [name, k]));
const usualPlace = (name) => MODEL.dials[name].findIndex((place) => place.usual);
const usual = () => ({ drive: [...MODEL.usual], mg: usualPlace("mg"), background: usualPlace("background"), level: 0 });
const percent = (share) => `${Math.round(100 * share)} %`;
const nearestLevel = (uM) => MODEL.concentrations_uM.reduce((best, c, k, all) => (Math.abs(c - uM) < Math.abs(all[best] - uM) ? k : best), 0);

// Block of a class: what is lost of its conductances, at synapses and outside them alike.
function blockOf(drive, name) {
  return Math.max(0, 1 - (drive[factorAt[`nmda_${name}`]] + drive[factorAt[`tonic_${name}`]]) / 2);
}
function withBlock(drive, name, share) {
  const changed = [...drive];
  for (const kind of ["nmda", "tonic"]) changed[factorAt[`${kind}_${name}`]] = 1 - share;
  return changed;
}
function withLevel(setting, level) {
  const drive = [...setting.drive];
  MODEL.left_numbers.forEach((name, k) => { drive[factorAt[name]] = MODEL.left[setting.mg][level][k]; });
  return { ...setting, drive, level };
}

// The sliders, in order: name, last place, `turn` (the setting once it stands at a place), `place` and `text` of a setting.
const DIALS = [
  { id: "level", term: "level", name: `${MODEL.drug[0].toUpperCase()}${MODEL.drug.slice(1)}, free`, most: MODEL.concentrations_uM.length - 1,
    turn: withLevel, place: (s) => s.level ?? 0, at: (k) => `${say(MODEL.concentrations_uM[k])} µM`,
    text: (s) => (s.level === null ? (followsMoment() ? "as then" : "by hand") : `${say(MODEL.concentrations_uM[s.level])} µM`) },
  ...CLASSES.map((name) => ({ id: `block-${name}`, class: name, name: `${name} cells`, most: 100,
    turn: (s, value) => ({ ...s, drive: withBlock(s.drive, name, value / 100), level: null }), place: (s) => Math.round(100 * blockOf(s.drive, name)),
    at: (value) => `${value} %`, text: (s) => percent(blockOf(s.drive, name)) })),
  { id: "mg", term: "mg", name: "Mg²⁺", most: MODEL.dials.mg.length - 1, turn: (s, mg) => (s.level === null ? { ...s, mg } : withLevel({ ...s, mg }, s.level)),
    place: (s) => s.mg, at: (k) => MODEL.dials.mg[k].label, text: (s) => MODEL.dials.mg[s.mg].label },
  { id: "background", term: "background", name: "Drive from outside", most: MODEL.dials.background.length - 1, turn: (s, background) => ({ ...s, background }),
    place: (s) => s.background, at: (k) => MODEL.dials.background[k].label, text: (s) => MODEL.dials.background[s.background].label },
  { id: "seed", term: "seed", name: "Network", most: MODEL.seeds.length - 1, turn: (s, seed) => ({ ...s, seed }), place: (s) => s.seed,
    at: (k) => `no. ${MODEL.seeds[k].seed}`, text: (s) => `no. ${MODEL.seeds[s.seed].seed}` },
].filter((d) => d.most > 0);
const dialOf = (id) => DIALS.find((d) => d.id === id);

// Builds the sliders into the form.
function startControls(turned) {
  const classes = el("fieldset", { class: "blocks" }, el("legend", {}, term("block", "NMDA receptors", "gloss-controls"), " blocked, ", term("tonic", "tonic", "gloss-controls"), " ones too, on"));
  for (const d of DIALS) {
    const name = d.class ? [el("i", { class: "tone", style: `--tone: var(--class-${d.class})` }), d.name] : d.name;
    const row = dial(d.id, name, d.most, 0, () => turned(d, Number($(d.id).value)));
    const what = term(d.term ?? `class ${d.class}`, "?", "gloss-controls");
    what.setAttribute("aria-label", `What is ${d.name}?`);
    row.append(el("span", { class: "more" }, what, el("button", { type: "button", class: "sweep", "data-sweep": d.id, "aria-label": `Sweep ${d.name}` }, "sweep")));
    if (d.class) classes.append(row); else $("gloss-controls").before(row);
    if (d.class === CLASSES.at(-1)) $("gloss-controls").before(classes);
  }
  const all = [...CLASSES, "all"].map((site) => el("button", { type: "button", "data-site": site, "aria-label": site === "all" ? "all classes" : `${site} alone` }, site));
  classes.append(el("div", { class: "sites", role: "group", "aria-label": "Put the whole block on one class" }, el("span", {}, "All of the block on one class:"), ...all));
}

function showControls(setting) {
  for (const d of DIALS) setDial(d.id, d.place(setting), d.text(setting));
}
