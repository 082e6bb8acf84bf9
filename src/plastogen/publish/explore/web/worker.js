// In: a program and its numbers, then questions. Out, of the network: spikes, to {drive, mg, background, seed, seconds}; of the
// pair: what its synapse was in, to {rate, interval, block, looks}.
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

// One run: a fresh instance each time, as a program keeps its state in globals. `arrays`: path -> doubles, files it reads.
// Returns what reads the files it leaves.
async function execute(Program, module, environment, arrays, words) {
  let said = "";
  const program = await Program({
    instantiateWasm(imports, done) {
      const instance = new WebAssembly.Instance(module, imports);
      done(instance, module);
      return instance.exports;
    },
    preRun: [(m) => Object.assign(m.ENV, environment)],
    print: (line) => { said += line; }, printErr: (line) => { said += line; },
  });
  program.FS.mkdir("/r");
  for (const [path, values] of Object.entries(arrays)) {
    program.FS.mkdirTree(path.slice(0, path.lastIndexOf("/") + 1));
    program.FS.writeFile(path, new Uint8Array(values.buffer));
  }
  const code = program.callMain(["--results_dir", "/r/", ...words]);
  if (code || said.trim()) throw new Error(`the program stopped (exit ${code}): ${said.slice(0, 300)}`);
  return (file) => program.FS.readFile(`/r/${file}`).buffer;
}

async function simulate(Network, module, model, ask) {
  const seed = model.seeds[ask.seed], arrays = {};
  const words = Object.entries(sharedValues(model, ask.mg, ask.background)).map(([name, value]) => `G.${name}=${value}`);
  for (const [name, values] of Object.entries(cellValues(model, ask.drive, ask.seed))) {
    arrays[`/${name}`] = Float32Array.from(values);
    words.push(`G.${name}=/${name}`);
  }
  const environment = { PLASTOGEN_SECONDS: String(model.settle_s + ask.seconds), PLASTOGEN_STRUCTURE: String(seed.structure), PLASTOGEN_NOISE: String(seed.noise) };
  const read = await execute(Network, module, environment, arrays, words);
  const times = new Float64Array(read(model.files["spikes.t"])), cells = new Int32Array(read(model.files["spikes.i"]));
  const first = times.findIndex((t) => t >= model.settle_s), kept = first < 0 ? times.length : first;
  return { t: times.slice(kept).map((t) => t - model.settle_s), i: cells.slice(kept), seconds: ask.seconds };
}

// When both cells are made to fire (s): trains of evenly spaced pairs, which do not overlap.
function pairing({ spikes, trains, every_s }, { rate, interval }) {
  const train = Math.max(every_s, spikes / rate), pre = [];
  for (let n = 0; n < trains; n++) for (let k = 0; k < spikes; k++) pre.push(n * train + k / rate);
  return { pre, post: pre.map((s) => s + interval / 1000) };
}

// What happens at the synapse, in order: {at, who}; who fires (0, a presynaptic spike arrives; 1, the other cell), or null, a look.
function pairEvents(model, ask) {
  const { pre, post } = pairing(model, ask), begin = Math.min(pre[0], post[0]);
  const events = [...pre.map((s) => ({ at: s + model.delay_s, who: 0 })), ...post.map((s) => ({ at: s, who: 1 }))];
  const end = Math.max(...events.map(({ at }) => at)) + model.wait_s, looks = [begin, end];
  if (ask.looks) {
    looks.push(...events.map(({ at }) => at)); // just before
    for (let k = 1; k < model.looks; k++) looks.push(begin + (k * model.shown_s) / model.looks);
  }
  events.push(...looks.map((at) => ({ at, who: null })));
  return events.sort((a, b) => a.at - b.at || (a.who ?? -1) - (b.who ?? -1));
}

async function pairedSynapse(Pair, module, model, ask) {
  const events = pairEvents(model, ask), at = new Float64Array(model.steps), fires = new Float64Array(2 * model.steps);
  if (events.length > model.steps) throw new Error(`${events.length} events of at most ${model.steps}`);
  events.forEach((event, k) => { at[k] = event.at; if (event.who !== null) fires[2 * k + event.who] = 1; });
  const values = { ...model.values, "P.presynaptic": (1 - ask.block) * model.values["P.presynaptic"] };
  const words = Object.entries(values).map(([name, value]) => `${name}=${value}`);
  const arrays = { "/static_arrays/at_values": at, "/static_arrays/fires_values": fires };
  const read = await execute(Pair, module, { PLASTOGEN_SECONDS: String((events.length * model.step_s)) }, arrays, words);
  const [weight, nmda, spike] = ["efficacy", "by_nmda", "by_spike"].map((name) => new Float64Array(read(model.files[`seen.${name}`])));
  if (weight.length !== events.length) throw new Error(`${weight.length} of ${events.length} events`);
  return { at: at.slice(0, events.length), weight, calcium: nmda.map((c, k) => c + spike[k]), ...pairing(model, ask), change: weight.at(-1) / model.initial - 1 };
}

if (typeof WorkerGlobalScope !== "undefined") {
  let module, model, answer;
  onmessage = async ({ data }) => {
    if (data.model) {
      ({ model } = data);
      answer = { simulate, pairedSynapse }[data.answer];
      module = await WebAssembly.compile(data.binary);
      return;
    }
    try {
      while (!module) await new Promise((go) => setTimeout(go, 1));
      postMessage(await answer(self.Network, module, model, data));
    } catch (error) {
      postMessage({ error: String(error.message || error) });
    }
  };
} else if (typeof module_exports !== "undefined") {
  Object.assign(module_exports, { cellValues, sharedValues, simulate, pairedSynapse });
}
