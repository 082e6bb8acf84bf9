// node synapse.js PAGE < questions: what the page's synapse answers, in node.
// node synapse.js PAGE browser: moves its sliders in a browser and says what the page shows; answers stand beside.
"use strict";
const { open } = require("./page.js"), SIZES = [[1280, 720], [1024, 768], [390, 844]];
const [, , file, where] = process.argv;

async function inNode() {
  const { synapse } = open(file), asked = JSON.parse(require("fs").readFileSync(0, "utf8")), found = [];
  for (const ask of asked) {
    const { at, weight, calcium, change } = await synapse(ask);
    found.push({ at: Array.from(at), weight: Array.from(weight), calcium: Array.from(calcium), change });
  }
  return found;
}

async function inBrowser() {
  const { browser, page, faults, open: visit, when } = await require("./browser.js").start(), found = { shown: [], outside: [], links: [] };
  const state = () => page.evaluate(() => ({ said: document.getElementById("synapse-says").textContent, question: pairQuestion({ looks: true }), change: Number(document.documentElement.dataset.paired), outs: PAIR_DIALS.map((d) => document.getElementById(`pair-${d.id}-out`).value) }));
  const settled = () => when(() => document.documentElement.dataset.paired && ratePoints(pair.block).length === PAIR.rates_Hz.length);
  const slide = (id, value) => page.$eval(`#pair-${id}`, (e, v) => { e.value = v; e.dispatchEvent(new Event("input")); return document.getElementById("synapse-says").textContent; }, value);
  await page.setViewport({ width: 1280, height: 720 });
  await visit(file, "#pair-rate=99&pair-interval=1e9&pair-block=-3");
  await settled();
  found.shown.push(await state());
  found.times = [];
  for (const [id, value] of [["block", 50], ["rate", 9], ["interval", 40], ["block", 100], ["rate", 0]]) {
    const began = Date.now(), atOnce = await slide(id, value);
    await when(() => document.documentElement.dataset.paired);
    found.times.push(Date.now() - began);
    found.shown.push({ atOnce, ...(await state()) });
  }
  await settled();
  await new Promise((go) => setTimeout(go, 600)); // the address follows a little later
  const before = await state(), hash = await page.evaluate(() => location.hash);
  await visit(file, hash);
  await settled();
  found.links.push(before, await state());
  for (const [width, height] of SIZES) {
    await page.setViewport({ width, height });
    await new Promise((go) => setTimeout(go, 200));
    found.outside.push(await page.evaluate(() => {
      document.getElementById("synapse").scrollIntoView();
      const boxes = [...document.querySelectorAll("#pairing input, #synapse-says, #weight, #by-rate")].map((e) => [e.id, e.getBoundingClientRect()]);
      return boxes.filter(([, box]) => box.top < 0 || box.bottom > innerHeight || box.right > innerWidth + 1).map(([id]) => id);
    }));
  }
  await browser.close();
  return { ...faults, ...found };
}

(where === "browser" ? inBrowser() : inNode()).then((found) => process.stdout.write(JSON.stringify(found))).catch((error) => { console.error(error); process.exit(1); });
