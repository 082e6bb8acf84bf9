// node spoken.js PAGE: presses forty times, at unequal intervals, and records whatever the page shows in words, frame by frame,
// beside what its controls say in the same frame.
"use strict";
const { start } = require("./browser.js");
const WAITS = [30, 400, 120, 900, 0, 250], PATIENT = 4; // ms between presses; every so many, until all is said

const PAUSE = ""; // until all is said
const expect = (k, right) => `document.querySelectorAll("#step-${k} input")[${right}].click(); showStep(${k - 1})`;
const press = (k, n) => `document.querySelectorAll("#step-${k} [data-do]")[${n}].click()`;
const slide = (id, value) => `$("${id}").value = ${value}; $("${id}").dispatchEvent(new Event("input"))`;
const click = (selector, n = 0) => `document.querySelectorAll('${selector}')[${n}].click()`;
const PRESSES = [
  press(1, 1), `${expect(1, 1)}; ${press(1, 0)}`, press(1, 1), press(1, 1),
  `${expect(2, 2)}; ${press(2, 0)}`, `${expect(3, 0)}; ${press(3, 0)}`, PAUSE, press(3, 1), PAUSE, press(3, 2), PAUSE,
  `${expect(4, 3)}; ${press(4, 0)}`, press(4, 1), `${expect(5, 2)}; ${press(5, 0)}`, press(5, 1), press(5, 2), click("#fresh"),
  click('[data-site="E"]'), click('[data-site="PV"]'), click('[data-site="SST"]'), click('[data-site="all"]'),
  slide("block-SST", 30), slide("level", 20), slide("mg", 0), slide("background", 8), slide("seed", 3), click("#keep"), slide("mg", 5), click("#over"), click('[data-sweep="mg"]'), slide("block-E", 12),
  click("#fresh"), slide("time", 120), click("#arms input", 2), slide("axis-0", 4), slide("time", 390), click("#play"), click("#play"), click("#studies input", 1), click("#axes input", 2), click("#follows"), slide("time", 60), click("#follows"), click("#studies input", 2), slide("time", 470), slide("block-PV", 66),
];

// Runs inside the page.
function record() {
  window.frames_ = [];
  const text = (id) => document.getElementById(id).textContent, seen = () => JSON.stringify({
    says: { network: text("network-says"), days: text("days-say"), dendrite: text("dendrite-says"), response: text("response-says") },
    verdicts: [...document.querySelectorAll(".verdict")].map((e) => e.textContent).filter(Boolean),
    caption: text("rates-caption"), table: [...document.querySelectorAll("#rates tr")].map((row) => [...row.querySelectorAll("td")].slice(0, 3).map((e) => e.textContent)),
    out: Object.fromEntries([...document.querySelectorAll("output")].map((e) => [e.id, e.value])),
    asked: { now: question("now"), before: question("before") },
    day: { study: day.study, arm: day.arm, place: day.place, hour: shownH(), chosen: day.u !== null, label: document.querySelector("#arms input:checked").parentElement.textContent, playing: Boolean(playing) },
  });
  let last = "";
  (function frame() {
    const now = seen();
    if (now !== last) { last = now; window.frames_.push(now); }
    requestAnimationFrame(frame);
  })();
}

(async () => {
  const { browser, page, faults, when, open } = await start();
  await page.setViewport({ width: 1280, height: 720 });
  await open(process.argv[2]);
  await page.evaluate(record);
  for (const [k, code] of PRESSES.entries()) {
    await page.evaluate(code);
    await new Promise((go) => setTimeout(go, WAITS[k % WAITS.length]));
    if (code === PAUSE || k % PATIENT === PATIENT - 1) await when(() => playing || !/Computing/.test(document.getElementById("network-says").textContent));
  }
  await when(() => !/Computing/.test(document.getElementById("network-says").textContent));
  const frames = await page.evaluate(() => window.frames_);
  await browser.close();
  process.stdout.write(JSON.stringify({ ...faults, presses: PRESSES.filter((code) => code !== PAUSE).length, frames: frames.map((frame) => JSON.parse(frame)) }));
})().catch((error) => { console.error(error); process.exit(1); });
