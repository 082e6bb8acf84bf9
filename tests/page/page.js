// A page's parts, out of the file: its network and its synapse in node, its data, its functions.
"use strict";
const fs = require("fs");

function open(path) {
  const html = fs.readFileSync(path, "utf8");
  const part = (id) => html.match(new RegExp(`<script type="[^"]*" id="${id}">([\\s\\S]*?)</script>`))[1];
  const model = JSON.parse(part("model-data")), worker = {};
  const glued = (id) => new Function("require", "module", "exports", "__filename", "__dirname", `${part(id)}; return Network;`)(require, {}, {}, __filename, __dirname);
  new Function("module_exports", part("worker"))(worker);
  const program = (id) => new WebAssembly.Module(Buffer.from(part(id), "base64")), paired = JSON.parse(part("pair-data"));
  const network = program("binary"), pair = program("pair-binary");
  const script = html.slice(html.lastIndexOf("<script>") + 8, html.lastIndexOf("</script>"));
  return { model, studies: JSON.parse(part("study-data")), worker, script, run: (ask) => worker.simulate(glued("glue"), network, model, ask), synapse: (ask) => worker.pairedSynapse(glued("pair-glue"), pair, paired, ask) };
}
module.exports = { open };

// node page.js PAGE < questions: what the network answers, what it was given, rates and spectra as the page sums them up.
if (require.main === module) {
  (async () => {
    const page = open(process.argv[2]), summary = {}, found = [];
    const sums = page.script.slice(page.script.indexOf("// Summaries of spikes"), page.script.indexOf("// Drawing on canvas"));
    new Function("into", `${sums}; Object.assign(into, { ratesHz, populationRate, welch, bandPower });`)(summary);
    for (const ask of JSON.parse(fs.readFileSync(0, "utf8"))) {
      const run = await page.run(ask), rate = summary.populationRate(run, page.model.classes[page.model.principal], 0.001);
      const values = page.worker.cellValues(page.model, ask.drive, ask.seed), welch = summary.welch(rate, 1000, 1024);
      found.push({
        t: Array.from(run.t), i: Array.from(run.i), rates: summary.ratesHz(run, page.model.classes), rate: Array.from(rate),
        hz: Array.from(welch.hz), density: Array.from(welch.density), shared: page.worker.sharedValues(page.model, ask.mg, ask.background),
        values: ask.values ? Object.fromEntries(Object.entries(values).map(([name, v]) => [name, Array.from(v)])) : {},
      });
    }
    process.stdout.write(JSON.stringify(found));
  })();
}
