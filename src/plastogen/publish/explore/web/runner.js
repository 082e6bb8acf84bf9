// Who answers: workers in which a program runs, and the answers they gave.

const SHOWN_S = 2, LONG_S = 10, IDLE_MS = 250, MOST_KEPT = 150;
const QUESTION = ["drive", "mg", "background", "seed", "seconds", "rate", "interval", "block", "looks"];
const mark = (question) => JSON.stringify(QUESTION.map((name) => question[name]));
const kept = new Map(); // answers of the network by what was asked, the oldest dropped first
const long = (question) => ({ ...question, seconds: LONG_S }), short = (question) => ({ ...question, seconds: SHOWN_S });

// The best answer there is to a question, or null. Nothing else is ever drawn or said: it cannot belong to another question.
function answerTo(question) {
  for (const asked of [long(question), short(question)]) {
    const found = kept.get(mark(asked));
    if (!found) continue;
    kept.delete(mark(asked)); // used now, so dropped last
    kept.set(mark(asked), found);
    return found;
  }
  return null;
}

// `program`: ids of what its script and its binary stand in, its numbers, the function of the
// worker that answers, and its answers.
const NETWORK = { glue: "glue", binary: "binary", model: MODEL, answer: "simulate", kept };

class Runner {
  constructor(fail, { glue, binary, model, answer, kept: own } = NETWORK) {
    this.kept = own;
    const code = [glue, "worker"].map((id) => $(id).textContent).join("\n");
    this.worker = new Worker(URL.createObjectURL(new Blob([code], { type: "text/javascript" })));
    this.worker.onmessage = ({ data }) => this.answered(data);
    this.worker.onerror = (event) => fail(event.message || "the worker did not start");
    this.worker.postMessage({ model, answer, binary: bytesOf(binary) });
    this.waiting = new Map();
    this.fail = fail;
  }
  // Only the newest question of a slot is asked; those of a sweep wait for all others.
  ask(slot, question, done) {
    this.waiting.set(slot, { question, done });
    this.next();
  }
  drop(slot) { this.waiting.delete(slot); }
  next() {
    while (!this.now && this.waiting.size) {
      const slots = [...this.waiting.keys()], slot = slots.find((name) => !name.startsWith("sweep")) ?? slots[0];
      const asked = this.waiting.get(slot);
      this.waiting.delete(slot);
      if (this.kept.has(mark(asked.question))) { asked.done(); continue; }
      this.now = asked;
      this.worker.postMessage(asked.question);
    }
  }
  answered(run) {
    const { done, question } = this.now;
    this.now = null;
    if (run.error) { this.fail(run.error); return; }
    this.kept.set(mark(question), run);
    if (this.kept.size > MOST_KEPT) this.kept.delete(this.kept.keys().next().value);
    done();
    this.next();
  }
}
