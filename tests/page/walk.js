// node walk.js PAGE chromium|firefox [FOLDER]: opens a page with the network cut, walks through it, says what it found.
"use strict";
const puppeteer = require("puppeteer-core"), path = require("path");
const [, , file, which, folder] = process.argv;
const DEAD = "127.0.0.1:9", WAIT = { timeout: 120000 };
const CHROMIUM = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync", `--proxy-server=http://${DEAD}`, "--proxy-bypass-list=<-loopback>"];
const FIREFOX = { "network.proxy.type": 1, "network.proxy.http": "127.0.0.1", "network.proxy.http_port": 9, "network.proxy.ssl": "127.0.0.1", "network.proxy.ssl_port": 9 };
const said = { errors: [], requests: [], steps: [], serious: [], overflow: {}, times: {} };

(async () => {
  const browser = await puppeteer.launch(which === "firefox"
    ? { browser: "firefox", executablePath: process.env.FIREFOX || "/usr/bin/firefox-esr", extraPrefsFirefox: FIREFOX, ...WAIT, protocolTimeout: 240000 }
    : { executablePath: process.env.CHROMIUM || "/usr/bin/chromium", args: CHROMIUM, ...WAIT, protocolTimeout: 240000 });
  const page = await browser.newPage();
  page.on("console", (m) => { if (["error", "warn", "warning"].includes(m.type())) said.errors.push(m.text()); });
  page.on("pageerror", (e) => said.errors.push(e.message));
  page.on("request", (r) => { if (!/^(file|blob|data|about):/.test(r.url())) said.requests.push(r.url()); });
  const data = (name) => page.evaluate((key) => document.documentElement.dataset[key], name);
  const when = (test, ...rest) => page.waitForFunction(test, WAIT, ...rest);
  const shoot = async (name) => { if (folder) await page.screenshot({ path: path.join(folder, `${which}_${name}.png`), fullPage: true }); };
  await page.setViewport({ width: 1280, height: 900 });
  await page.goto(`file://${path.resolve(file)}`, WAIT);
  await when(() => document.documentElement.dataset.firstRaster);
  said.times.first_raster = Number(await data("firstRaster"));
  await when(() => document.documentElement.dataset.told);
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
  const axes = await page.$("#axis-0");
  for (const value of axes ? [2, 5, 8] : []) {
    await slide("axis-0", value);
    said.times.grid.push(Number(await data("gridMs")));
  }

  if (which !== "firefox") {
    await page.reload(WAIT);
    await when(() => document.documentElement.dataset.told);
    const tabTo = async (selector) => {
      for (let k = 0; k < 60; k++) {
        if (await page.evaluate((s) => document.activeElement.matches(s), selector)) return;
        await page.keyboard.press("Tab");
      }
      throw new Error(`no key leads to ${selector}`);
    };
    for (let k = 1; k <= 5; k++) { // keys alone
      const step = `#step-${k}`, told = await data("told"), acts = await page.$$eval(`${step} [data-do]`, (all) => all.length);
      for (let j = acts > 1 && k !== 3 ? 1 : acts - 1; j >= 0 && j < acts; j = acts) {
        await tabTo(`${step} .act button:nth-of-type(${j + 1})`);
        await page.keyboard.press("Enter");
      }
      await when((before) => document.documentElement.dataset.told !== before, told);
      await page.evaluate(() => window.scrollTo(0, 0));
      await page.$eval(`${step} .act button`, (e) => e.focus());
      await tabTo(`${step} input[type=radio]`);
      await page.keyboard.press("Space");
      for (let j = 0; j < 3 && !(await page.evaluate(() => document.activeElement.hasAttribute("data-right"))); j++) await page.keyboard.press("ArrowDown");
      said.steps.push({
        title: await page.$eval(step, (e) => e.dataset.title), network: await page.$eval("#network-says", (e) => e.textContent),
        verdict: await page.$eval(`${step} .verdict`, (e) => e.textContent), answered: await page.$eval(`${step} .answer`, (e) => !e.hidden),
        rates: await page.$$eval(".rates tbody tr", (rows) => rows.map((r) => [...r.querySelectorAll("td")].slice(0, 3).map((c) => c.textContent))),
      });
      await shoot(`step_${k}`);
      if (k < 5) { await tabTo(`${step} .next`); await page.keyboard.press("Enter"); }
    }
    said.end = await page.evaluate(() => [document.documentElement.dataset.step, document.querySelector("#days-say").textContent, document.querySelector("#dendrite-says").textContent]);
    await page.evaluate(() => { window.saved = []; HTMLAnchorElement.prototype.click = function () { window.saved.push([this.download, this.href.slice(0, 14)]); }; });
    for (const button of await page.$$(".save button")) await button.evaluate((e) => e.click());
    said.saved = await page.evaluate(() => window.saved);
    await page.addScriptTag({ content: require("fs").readFileSync(require.resolve("axe-core/axe.min.js"), "utf8") });
    for (const theme of ["light", "dark"]) {
      await page.evaluate((t) => { document.documentElement.dataset.theme = t; redraw(); document.querySelectorAll(".step, .answer").forEach((e) => { e.hidden = false; }); }, theme);
      for (const width of [1280, 768, 390]) {
        await page.setViewport({ width, height: 900 });
        await new Promise((go) => setTimeout(go, 400));
        said.overflow[`${theme} ${width}`] = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        const found = await page.evaluate(() => axe.run(document, { resultTypes: ["violations"] }));
        for (const v of found.violations) if (["serious", "critical"].includes(v.impact)) said.serious.push(`${theme} ${width}: ${v.id} at ${v.nodes.map((n) => `${n.target} ${(n.failureSummary || "").split("\n")[1] || ""}`).slice(0, 3)}`);
        await shoot(`${theme}_${width}`);
      }
    }
  }
  said.scope = await page.$eval("footer", (e) => e.textContent);
  await browser.close();
  process.stdout.write(JSON.stringify(said));
})().catch((error) => { console.error(error); process.exit(1); });
