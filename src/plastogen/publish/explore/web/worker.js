// In: the network's program and numbers, then questions {drive, mg, background, seed, seconds}. Out: spikes.
// Also loaded by node in the tests. The model is the program; here its values are only put together and handed over.
"use strict";

function doubles(text) {
  const raw = atob(text), bytes = new Uint8Array(raw.length);
  for (let k = 0; k < raw.length; k++) bytes[k] = raw.charCodeAt(k);
  return new Float64Array(bytes.buffer);
}

// Name -> one value a cell: the value at a drive of ones times the numbers of the drive that its class hears.
function cellValues(model, drive, seed) {
  const found = {};
  for (const [name, part] of Object.entries(model.cells)) {
    const values = doubles(part.seeds[part.seeds.length > 1 ? seed : 0]);
    Object.values(model.classes).forEach(([first, end], k) => {
      for (const number of part.factors[k]) {
        const by = drive[model.factors.indexOf(number)];
        for (let i = first; i < end; i++) values[i] *= by;
      }
    });
    found[name] = values;
  }
  return found;
}

function sharedValues(model, mg, background) {
  return { ...model.shared, ...model.dials.mg[mg].changes, ...model.dials.background[background].changes };
}

// One run: a fresh instance each time, as the program keeps its state in globals.
async function simulate(Network, module, model, ask) {
  const seed = model.seeds[ask.seed];
  let said = "";
  const network = await Network({
    instantiateWasm(imports, done) {
      const instance = new WebAssembly.Instance(module, imports);
      done(instance, module);
      return instance.exports;
    },
    preRun: [(m) => Object.assign(m.ENV, {
      PLASTOGEN_SECONDS: String(model.settle_s + ask.seconds), PLASTOGEN_STRUCTURE: String(seed.structure),
      PLASTOGEN_NOISE: String(seed.noise),
    })],
    print: (line) => { said += line; }, printErr: (line) => { said += line; },
  });
  const words = ["--results_dir", "/r/"];
  network.FS.mkdir("/r");
  for (const [name, values] of Object.entries(cellValues(model, ask.drive, ask.seed))) {
    network.FS.writeFile(`/${name}`, new Uint8Array(values.buffer));
    words.push(`G.${name}=/${name}`);
  }
  for (const [name, value] of Object.entries(sharedValues(model, ask.mg, ask.background))) words.push(`G.${name}=${value}`);
  const code = network.callMain(words);
  if (code || said.trim()) throw new Error(`the network stopped (exit ${code}): ${said.slice(0, 300)}`);
  const times = new Float64Array(network.FS.readFile(`/r/${model.files["spikes.t"]}`).buffer);
  const cells = new Int32Array(network.FS.readFile(`/r/${model.files["spikes.i"]}`).buffer);
  const first = times.findIndex((t) => t >= model.settle_s), kept = first < 0 ? times.length : first;
  return { t: times.slice(kept).map((t) => t - model.settle_s), i: cells.slice(kept), seconds: ask.seconds };
}

if (typeof WorkerGlobalScope !== "undefined") {
  let module, model;
  onmessage = async ({ data }) => {
    if (data.model) {
      ({ model } = data);
      module = await WebAssembly.compile(data.binary);
      return;
    }
    try {
      while (!module) await new Promise((go) => setTimeout(go, 1));
      const found = await simulate(self.Network, module, model, data);
      postMessage(found, [found.t.buffer, found.i.buffer]);
    } catch (error) {
      postMessage({ error: String(error.message || error) });
    }
  };
} else if (typeof module_exports !== "undefined") {
  Object.assign(module_exports, { cellValues, sharedValues, simulate });
}
