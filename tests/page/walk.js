// node walk.js PAGE chromium|firefox [FOLDER]: opens a page with the network cut, walks through it, says what it found.
"use strict";
const path = require("path"), { start, WAIT } = require("./browser.js");
const [, , file, which, folder] = process.argv;
const SIZES = [[1280, 720], [1024, 768], [390, 844]];
const NONSENSE = "#step=99&seed=1e9&drive=nmda_E:NaN,<img>:1,silence:1e308&a-mg=-1&place=9.9.9&moment=1e9&study=%00&arm=<img src=x onerror=alert(1)>&sweep=zzz&curve=x";
const said = { steps: [], serious: [], overflow: {}, times: {} };

(async () => {
  const { browser, page, faults, data, when, open, told } = await start(which);
  const shoot = async (name, fullPage = true) => { if (folder) await page.screenshot({ path: path.join(folder, `${which}_${name}.png`), fullPage }); };
  await page.setViewport({ width: 1280, height: 900 });
  await open(file);
  said.times.first_raster = Number(await data("firstRaster"));
  said.before = await page.$eval("#network-says", (e) => e.textContent);

  const slide = (id, value) => page.$eval(`#${id}`, (e, v) => { delete document.documentElement.dataset.answerMs; e.value = v; e.dispatchEvent(new Event("input")); }, value);
  said.times.slider = [];
  for (const value of [30, 50, 70]) {
    await slide("block-SST", value);
    await when(() => document.documentElement.dataset.answerMs);
    said.times.slider.push(Number(await data("answerMs")));
  }
  await page.click('[data-site="SST"]');
  said.site = await page.$$eval(".blocks output", (all) => all.map((e) => e.value));
  said.times.grid = [];
  for (const value of [2, 5, 8]) {
    await slide("axis-0", value);
    said.times.grid.push(Number(await data("gridMs")));
  }
  if (which !== "firefox") {
    await page.reload();
    await when(() => document.documentElement.dataset.told);
    await byKeys(page, data, told, shoot);
    await shared(page, open);
    said.laid = await laid(page, slide);
    await inView(page, told, shoot);
    await saved(page);
    await branch(page);
    await looks(page, shoot);
  }
  said.scope = await page.$eval("footer", (e) => e.textContent);
  await browser.close();
  process.stdout.write(JSON.stringify({ ...faults, ...said }));
})().catch((error) => { console.error(error); process.exit(1); });

// All five steps with keys alone: expect, run, read.
async function byKeys(page, data, told, shoot) {
  const tabTo = async (selector) => {
    for (let k = 0; k < 120; k++) {
      if (await page.evaluate((s) => document.activeElement.matches(s), selector)) return;
      await page.keyboard.press("Tab");
    }
    throw new Error(`no key leads to ${selector}`);
  };
  for (let k = 1; k <= 5; k++) {
    const step = `#step-${k}`, acts = await page.$$eval(`${step} .act button`, (all) => all.map((e) => e.hasAttribute("data-needed")));
    const text = (part) => page.$eval(`${step} ${part}`, (e) => e.textContent);
    await tabTo(`${step} .act button`);
    await page.keyboard.press("Enter");
    const asked = await text(".verdict"); // nothing runs before an answer is given; the focus goes to it
    await page.keyboard.press("Space");
    for (let j = 0; j < 3 && !(await page.evaluate(() => document.activeElement.hasAttribute("data-right"))); j++) await page.keyboard.press("ArrowDown");
    for (const [j, needed] of acts.entries()) {
      if (!needed) continue;
      await tabTo(`${step} .act button:nth-of-type(${j + 1})`);
      await told(() => page.keyboard.press("Enter"));
    }
    said.steps.push({
      title: await page.$eval(step, (e) => e.dataset.title), asked, network: await page.$eval("#network-says", (e) => e.textContent),
      verdict: await text(".verdict"), answered: await page.$eval(`${step} .answer`, (e) => !e.hidden), bars: await page.evaluate(bars),
      rates: await page.$$eval(".rates tbody tr", (rows) => rows.map((r) => [...r.querySelectorAll("td")].slice(0, 3).map((c) => c.textContent))),
    });
    await shoot(`step_${k}`);
    if (k < 5) { await tabTo(`${step} .next`); await page.keyboard.press("Enter"); }
  }
  said.end = await page.evaluate(() => [document.documentElement.dataset.step, document.querySelector("#days-say").textContent, document.querySelector("#dendrite-says").textContent]);
  said.keys = await page.$$eval("#arms .swatch line", (all) => all.map((e) => `${e.getAttribute("stroke")} ${e.getAttribute("stroke-dasharray")}`));
}

// For each class what is said of the change, and how far the end of the bar is from the mark.
function bars() {
  return [...document.querySelectorAll(".rates .bar")].map((bar) => {
    const [end, at] = [bar.querySelector("b"), bar.querySelector("span")].map((e) => e.getBoundingClientRect().right);
    return [bar.closest("tr").querySelector(".change").textContent, Math.abs(end - at)];
  });
}

// A link leads back to what was shown; nonsense in an address leads to the start.
async function shared(page, open) {
  const shown = () => page.evaluate(() => ["network-says", "days-say", "time-out", "level-out", "response-says"].map((id) => document.getElementById(id)?.textContent).concat(document.documentElement.dataset.step));
  const wait = () => page.waitForFunction(() => !/Computing/.test(document.getElementById("network-says").textContent + document.getElementById("response-says").textContent));
  const link = async () => { await page.click("#share-open"); const found = await page.$eval("#share-link", (e) => e.value); said.embed = await page.$eval("#share-embed", (e) => e.value); await page.click("#share-close"); return found; };
  said.links = [];
  const visit = async (act) => {
    if (act) await page.evaluate(act);
    await wait();
    const before = await shown(), to = await link();
    await open(to.split("#")[0].replace("file://", ""), `#${to.split("#")[1] ?? ""}`);
    await wait();
    said.links.push([before, await shown()]);
  };
  await visit(); // a moment of a course, as step 5 left it
  await visit(() => { document.querySelector("#fresh").click(); for (const [id, value] of [["block-PV", 40], ["mg", 3], ["seed", 4]]) { const e = document.getElementById(id); e.value = value; e.dispatchEvent(new Event("input")); } document.querySelector('[data-sweep="mg"]').click(); });
  await open(process.argv[2], NONSENSE);
  said.nonsense = await page.$eval("#network-says", (e) => e.textContent);
}

// What the raster draws of A and B, side by side and laid over each other: of each, how many spikes in its colour and where the first
// and the last of them stand, beside what the network said; and the titles above.
async function laid(page, slide) {
  await slide("block-SST", 60);
  await page.waitForFunction(() => SLOTS.every((slot) => runOf(slot)?.seconds === LONG_S), WAIT);
  const drawn = (over) => page.evaluate((on) => {
    if ($("over").checked !== on) $("over").click();
    const spikes = { before: [], now: [] }, titles = [], { fillRect, fillText } = CanvasRenderingContext2D.prototype;
    const colours = new Map([[css("--past"), "before"], ...CLASSES.map((name) => [css(`--class-${name}`), "now"])].map(([colour, slot]) => { const g = document.createElement("canvas").getContext("2d"); g.fillStyle = colour; return [g.fillStyle, slot]; }));
    CanvasRenderingContext2D.prototype.fillRect = function (x, y, ...size) { if (this.canvas.id === "raster" && colours.has(this.fillStyle)) spikes[colours.get(this.fillStyle)].push(this.getTransform().e + x * this.getTransform().a); fillRect.call(this, x, y, ...size); };
    CanvasRenderingContext2D.prototype.fillText = function (text, ...rest) { if (this.canvas.id === "raster" && /^[AB], /.test(text)) titles.push(text); fillText.call(this, text, ...rest); };
    drawNetwork();
    Object.assign(CanvasRenderingContext2D.prototype, { fillRect, fillText });
    const ends = (xs) => [xs.length, Math.min(...xs), Math.max(...xs)];
    return { titles, before: ends(spikes.before), now: ends(spikes.now) };
  }, over);
  const wanted = await page.evaluate(() => Object.fromEntries(SLOTS.map((slot) => [slot, [...runOf(slot).t].filter((t) => t < SHOWN_S).length])));
  return { wanted, apart: await drawn(false), over: await drawn(true), again: await drawn(false), wide: await page.$eval("#raster", (e) => e.width) };
}

// After every button of the guide the raster and the row of E cells are in the window, at once and once the answer is there.
async function inView(page, told, shoot) {
  const outside = () => page.evaluate(() => {
    const boxes = ["raster", "rate-E"].map((id) => document.getElementById(id).getBoundingClientRect());
    return boxes.every((box) => box.top >= 0 && box.bottom <= innerHeight) ? "" : `raster ${boxes[0].top}, E row ${boxes[1].bottom} of ${innerHeight}`;
  });
  said.outside = [];
  for (const [width, height] of SIZES) {
    await page.setViewport({ width, height });
    await new Promise((go) => setTimeout(go, 100));
    for (const step of await page.$$(".step")) {
      const k = await step.evaluate((e) => { scrollTo(0, 0); showStep(guide.steps.findIndex(({ article }) => article === e)); const looked = [...e.querySelectorAll("input")].at(-1); looked.click(); return e.id; });
      for (const button of await step.$$("[data-do]")) {
        let atOnce;
        await told(async () => { atOnce = await button.evaluate((e) => { scrollTo(0, 0); e.click(); }).then(outside); });
        for (const found of [atOnce, await outside()]) if (found) said.outside.push(`${width}x${height} ${k} ${await button.evaluate((e) => e.textContent)}: ${found}`);
        if (await button.evaluate((e) => e === e.parentElement.lastElementChild)) await shoot(`${width}_${k}`, false);
      }
    }
  }
}

async function saved(page) {
  said.terms = await page.$$eval(".term", (all) => all.map((e) => { e.click(); const note = document.getElementById(e.getAttribute("aria-controls")), found = [e.textContent, note.hidden ? "" : note.textContent]; e.click(); return found; }));
  await page.evaluate(() => { window.carried = []; window.Blob = class extends Blob { constructor(parts, kind) { super(parts, kind); window.carried.push(parts[0].split("\n")[1]); } }; });
  await page.evaluate(() => { window.saved = []; HTMLAnchorElement.prototype.click = function () { window.saved.push([this.download, this.href.slice(0, 14)]); }; runSweep(dialOf("mg")); });
  for (const button of await page.$$(".save button")) await button.evaluate((e) => e.click());
  [said.saved, said.carried] = await page.evaluate(() => [window.saved, window.carried]);
}

async function looks(page, shoot) {
  await page.addScriptTag({ content: require("fs").readFileSync(require.resolve("axe-core/axe.min.js"), "utf8") });
  await page.evaluate(() => document.querySelectorAll(".term").forEach((e) => e.click()));
  for (const theme of ["light", "dark"]) {
    await page.evaluate((t) => { document.documentElement.dataset.theme = t; redraw(); document.querySelectorAll(".step, .answer").forEach((e) => { e.hidden = false; }); }, theme);
    for (const width of [1280, 768, 390]) {
      await page.setViewport({ width, height: 900 });
      await new Promise((go) => setTimeout(go, 300));
      said.overflow[`${theme} ${width}`] = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      const found = await page.evaluate(() => axe.run(document, { resultTypes: ["violations"] }));
      for (const v of found.violations) if (["serious", "critical"].includes(v.impact)) said.serious.push(`${theme} ${width}: ${v.id} at ${v.nodes.map((n) => `${n.target} ${(n.failureSummary || "").split("\n")[1] || ""}`).slice(0, 3)}`);
      await shoot(`${theme}_${width}`);
    }
  }
}

async function branch(page) {
  said.branch = await page.evaluate(() => {
    const choose = (k) => document.querySelectorAll("#studies input")[k].click(), text = (id) => document.getElementById(id).textContent;
    choose(STUDIES.findIndex((s) => s.branch));
    [...document.querySelectorAll("#arms input")].at(-1).click();
    const canvas = document.getElementById("dendrite"), box = canvas.getBoundingClientRect(), found = { wanted: branchSpines().filter((s) => stands(s, shownH())).length, drawn: picked.drawn.length, told: [] };
    for (const p of picked.drawn) { canvas.dispatchEvent(new MouseEvent("click", { clientX: box.left + p.x, clientY: box.top + p.y })); found.told.push(text("spine-says")); }
    found.dendrite = text("dendrite-says");
    pick(null);
    canvas.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowRight" }));
    found.key = text("spine-says");
    choose(0);
    return { ...found, others: [document.getElementById("spine-says").hidden, text("dendrite-says")] };
  });
}
