// Five steps, each with a question: choose, compare with what comes out, read on. Tabs, so that keys walk through them.

function startGuide() {
  const steps = [...document.querySelectorAll(".step")], tabs = $("steps");
  tabs.innerHTML = steps.map((step, k) => `<button type="button" role="tab" id="tab-${k}" aria-controls="${step.id}"><b>${k + 1}</b><span>${step.dataset.title}</span></button>`).join("");
  const buttons = [...tabs.children];
  const show = (k, focus = false) => {
    steps.forEach((step, j) => { step.hidden = j !== k; });
    buttons.forEach((button, j) => { button.setAttribute("aria-selected", j === k); button.tabIndex = j === k ? 0 : -1; });
    if (focus) buttons[k].focus();
    document.documentElement.dataset.step = k + 1;
  };
  buttons.forEach((button, k) => { button.onclick = () => show(k); });
  tabs.onkeydown = (event) => {
    const k = buttons.indexOf(document.activeElement), to = { ArrowRight: k + 1, ArrowDown: k + 1, ArrowLeft: k - 1, ArrowUp: k - 1, Home: 0, End: steps.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    show((to + steps.length) % steps.length, true);
  };
  steps.forEach((step, k) => {
    step.setAttribute("role", "tabpanel");
    step.setAttribute("aria-labelledby", `tab-${k}`);
    const answer = step.querySelector(".answer"), verdict = step.querySelector(".verdict");
    const reveal = () => { answer.hidden = false; };
    for (const input of step.querySelectorAll("input[type=radio]")) {
      input.onchange = () => {
        const right = input.hasAttribute("data-right");
        verdict.textContent = right ? "Yes, that is what comes out." : "Not what comes out. Set it up and look again, or read why.";
        verdict.className = `verdict ${right ? "right" : "wrong"}`;
        if (right) reveal();
      };
    }
    for (const button of step.querySelectorAll("[data-do]")) {
      const wish = JSON.parse(button.dataset.do);
      button.hidden = wish.days && !STUDIES.some((s) => s.arms.some((a) => a.name === wish.days.arm));
      button.onclick = () => {
        if (wish.fresh) { fresh(); showControls(); run(); }
        if (wish.network) { fresh(); setNetwork(wish.network); }
        if (wish.seed) { net.seed = (net.seed + 1) % MODEL.seeds.length; showControls(); run(); }
        if (wish.days) { choose(wish.days); $("days").scrollIntoView({ block: "start" }); } else if (innerWidth < 900) $("network").scrollIntoView({ block: "start" });
      };
    }
    step.querySelector(".why").onclick = () => { reveal(); verdict.textContent = ""; };
    const move = step.querySelector(".move");
    for (const [text, to] of [["Back", k - 1], ["Next step", k + 1]]) {
      if (to < 0 || to >= steps.length) continue;
      const button = document.createElement("button");
      button.type = "button"; button.textContent = text; button.onclick = () => show(to, true);
      if (to > k) button.className = "next";
      move.append(button);
    }
  });
  show(0);
}
