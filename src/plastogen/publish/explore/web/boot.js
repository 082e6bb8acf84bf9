// Starts the page's parts, and draws anew when the width or the light changes.

function redraw() { tones.clear(); drawNetwork(); drawSynapse(); if (STUDIES.length) { showChoices(); drawDays(); } }
$("theme").onclick = () => { document.documentElement.dataset.theme = dark() ? "light" : "dark"; redraw(); };
$("print").onclick = () => window.print();
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
let width = innerWidth, waiting = 0;
addEventListener("resize", () => {
  if (innerWidth === width) return;
  width = innerWidth;
  cancelAnimationFrame(waiting);
  waiting = requestAnimationFrame(redraw);
});
startTerms();
startNetwork();
startSweep();
if (STUDIES.length) { startDays(); startDendrite(); }
startSynapse();
if ($("steps")) startGuide();
startAddress();
