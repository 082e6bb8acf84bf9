// A browser with the network cut, a page opened from a file in it, and what went wrong there.
"use strict";
const puppeteer = require("puppeteer-core"), path = require("path");
const DEAD = "127.0.0.1:9", WAIT = { timeout: 120000 };
const CHROMIUM = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync", `--proxy-server=http://${DEAD}`, "--proxy-bypass-list=<-loopback>"];
const FIREFOX = { "network.proxy.type": 1, "network.proxy.http": "127.0.0.1", "network.proxy.http_port": 9, "network.proxy.ssl": "127.0.0.1", "network.proxy.ssl_port": 9 };

async function start(which = "chromium") {
  const browser = await puppeteer.launch(which === "firefox"
    ? { browser: "firefox", executablePath: process.env.FIREFOX || "/usr/bin/firefox-esr", extraPrefsFirefox: FIREFOX, ...WAIT, protocolTimeout: 240000 }
    : { executablePath: process.env.CHROMIUM || "/usr/bin/chromium", args: CHROMIUM, ...WAIT, protocolTimeout: 240000 });
  const page = await browser.newPage(), faults = { errors: [], requests: [] };
  page.on("console", (m) => { if (["error", "warn", "warning"].includes(m.type())) faults.errors.push(m.text()); });
  page.on("pageerror", (e) => faults.errors.push(e.message));
  page.on("request", (r) => { if (!/^(file|blob|data|about):/.test(r.url())) faults.requests.push(r.url()); });
  const data = (name) => page.evaluate((key) => document.documentElement.dataset[key], name);
  const when = (test, ...rest) => page.waitForFunction(test, WAIT, ...rest);
  const open = async (file, hash = "") => {
    await page.goto("about:blank");
    await page.goto(`file://${path.resolve(file)}${hash}`, WAIT);
    await when(() => document.documentElement.dataset.told);
  };
  // Acts, then waits until the network has said all about what it is given now.
  const told = async (act) => {
    const before = await data("told");
    await act();
    await when((was) => document.documentElement.dataset.told !== was, before);
  };
  return { browser, page, faults, data, when, open, told };
}
module.exports = { start, WAIT };

// node browser.js PAGE < SCRIPT: what the script, run inside the page once its network has answered, returns; and all faults.
if (require.main === module) {
  (async () => {
    const { browser, page, faults, open } = await start();
    await open(process.argv[2]);
    const script = require("fs").readFileSync(0, "utf8"), found = await page.evaluate(`(async () => { ${script} })()`);
    await browser.close();
    process.stdout.write(JSON.stringify({ ...faults, found }));
  })().catch((error) => { console.error(error); process.exit(1); });
}
