function redraw() { tones.clear(); showChoices(); drawNetwork(); drawDays(); }
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
startNetwork();
startDays();
startDendrite();
startGuide();
