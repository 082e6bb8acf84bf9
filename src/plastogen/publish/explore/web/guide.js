// Five steps, each with a question. First an expectation is taken, then the network runs, then both are shown beside each other.

const MOST_SHOWN = 3;
const guide = { steps: [], shown: 0, pressed: null };

// What a step wants to know of a setting that was pressed.
const READINGS = {
  rates: () => `network ${dialOf("seed").text(setting())}: ${CLASSES.map((name, k) => `${name} ${meanRates(runOf("now"))[k].toFixed(1)}`).join(", ")} Hz`,
  change: (label) => { const [was, is] = bothRuns().runs.map((run) => meanRates(run)[0]); return `${label}: ${PRINCIPAL} cells ${was.toFixed(1)} to ${is.toFixed(1)} Hz (${change(is, was)})`; },
  block: (label) => `${label}: ${PRINCIPAL} ${percent(blockOf(net.drive, PRINCIPAL))} blocked`,
  day: (label) => `${label}: ${PRINCIPAL} ${Math.round(at(curve(`block_${PRINCIPAL}`), shownH()))} % blocked, spines ${(100 * at(curve("spine_density"), shownH())).toFixed(1)} % of healthy`,
};

function guideStep(article) {
  const step = { article, found: new Map(), verdict: article.querySelector(".verdict"), answer: article.querySelector(".answer"), question: article.querySelector("fieldset") };
  step.buttons = [...article.querySelectorAll("[data-do]")].filter((button) => {
    const { days } = JSON.parse(button.dataset.do);
    button.hidden = Boolean(days) && !STUDIES.some((s) => s.name === days.study && s.arms.some((a) => a.name === days.arm));
    return !button.hidden;
  });
  const name = `${article.id}-expected`, looked = step.looked = el("input", { type: "radio", name });
  step.question.append(el("label", {}, looked, " I would rather look first"));
  for (const input of step.question.querySelectorAll("input")) { input.name = name; input.onchange = () => conclude(step); }
  for (const button of step.buttons) button.onclick = () => press(step, button);
  step.picked = () => step.question.querySelector("input:checked");
  step.seed = article.hasAttribute("data-networks");
  return step;
}

// Before anything runs, what is expected.
function press(step, button) {
  if (!step.picked()) {
    step.verdict.textContent = "First say what you expect; then it runs.";
    step.verdict.className = "verdict wrong";
    step.question.querySelector("input").focus({ preventScroll: true });
    keepInView(step.question, step.verdict);
    return;
  }
  const wish = JSON.parse(button.dataset.do), before = guide.pressed;
  guide.pressed = null;
  if (before) conclude(before.step);
  step.verdict.textContent = COMPUTING;
  step.verdict.className = "verdict";
  if (!wish.days) fresh();
  if (wish.seed) net.seed = (net.seed + 1) % MODEL.seeds.length;
  if (wish.days) choose(wish.days); else setNetwork(wish.network ?? {});
  guide.pressed = { step, button, about: bothQuestions() };
  keepAnswerInView();
  toldAbout = "";
  tell();
}
const keepAnswerInView = () => keepInView($("raster"), $("rates-caption"), $(`rate-${PRINCIPAL}`));

// Called when the network has said all about the present setting.
function networkTold() {
  const pressed = guide.pressed;
  if (!pressed) return;
  guide.pressed = null;
  const { step, button, about } = pressed;
  if (about !== bothQuestions()) { conclude(step); return; } // somebody moved on meanwhile
  const label = button.textContent.trim();
  step.found.set(step.seed ? `${label} ${net.seed}` : button, { button, text: READINGS[step.article.dataset.reads](label) });
  conclude(step);
  keepAnswerInView();
}

// What was expected and what came out, once all that the question needs was tried.
function conclude(step) {
  const picked = step.picked(), tried = new Set([...step.found.values()].map(({ button }) => button));
  const left = step.buttons.filter((button) => button.hasAttribute("data-needed") && !tried.has(button));
  const right = step.question.querySelector("[data-right]").parentElement.textContent.trim();
  const found = [...step.found.values()].slice(-MOST_SHOWN).map(({ text }) => text).join("; ");
  step.verdict.className = "verdict";
  if (!step.found.size) { step.verdict.textContent = ""; return; }
  if (left.length) step.verdict.textContent = `${sentence(found)}. Still to try: ${left.map((button) => button.textContent.trim()).join(", ")}.`;
  else {
    const expected = picked === step.looked ? "" : `You expected “${picked.parentElement.textContent.trim()}”. `;
    step.verdict.textContent = `${expected}What comes out${step.article.dataset.where ?? ""}: “${right}”. Here: ${found}.`;
    if (expected) step.verdict.classList.add(picked.hasAttribute("data-right") ? "right" : "wrong");
    step.answer.hidden = false;
  }
}

function showStep(k, focus = false) {
  guide.shown = Math.max(0, Math.min(guide.steps.length - 1, k));
  guide.steps.forEach(({ article, tab }, j) => {
    article.hidden = j !== guide.shown;
    tab.setAttribute("aria-selected", j === guide.shown);
    tab.tabIndex = j === guide.shown ? 0 : -1;
  });
  if (focus) guide.steps[guide.shown].tab.focus();
  document.documentElement.dataset.step = guide.shown + 1;
  noteAddress();
}

function startGuide() {
  const tabs = $("steps");
  guide.steps = [...document.querySelectorAll(".step")].map(guideStep).filter(({ article, buttons }) => { article.hidden = true; return buttons.length; });
  guide.steps.forEach((step, k) => {
    step.tab = el("button", { type: "button", role: "tab", id: `tab-${k}`, "aria-controls": step.article.id, onclick: () => showStep(k) }, el("b", {}, String(k + 1)), el("span", {}, step.article.dataset.title));
    step.article.setAttribute("role", "tabpanel");
    step.article.setAttribute("aria-labelledby", `tab-${k}`);
    const ways = [["Back", k - 1], ["Next step", k + 1]].filter(([, to]) => to >= 0 && to < guide.steps.length);
    step.article.querySelector(".move").append(...ways.map(([text, to]) => el("button", { type: "button", class: to > k ? "next" : "back", onclick: () => showStep(to, true) }, text)));
  });
  tabs.append(...guide.steps.map(({ tab }) => tab));
  tabs.onkeydown = (event) => {
    const k = guide.steps.findIndex(({ tab }) => tab === document.activeElement), n = guide.steps.length;
    const to = { ArrowRight: k + 1, ArrowDown: k + 1, ArrowLeft: k - 1, ArrowUp: k - 1, Home: 0, End: n - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    showStep((to + n) % n, true);
  };
  showStep(0);
}
