const frames = [...document.querySelectorAll(".film img")];
const bar = document.querySelector(".bar");
const slider = bar.querySelector("input"), button = bar.querySelector("button"), output = bar.querySelector("output");
let timer = 0;
function show(k) {
  frames.forEach((frame, i) => { frame.hidden = i !== k; });
  slider.value = k;
  const said = frames[k].dataset.said;
  output.textContent = said;
  slider.setAttribute("aria-valuetext", said);
}
function stop() { clearInterval(timer); timer = 0; button.textContent = "Play"; }
function play() {
  if (Number(slider.value) === frames.length - 1) show(0);
  button.textContent = "Pause";
  timer = setInterval(() => {
    const next = Number(slider.value) + 1;
    if (next < frames.length) show(next); else stop();
  }, Number(bar.dataset.ms));
}
slider.addEventListener("input", () => { stop(); show(Number(slider.value)); });
button.addEventListener("click", () => (timer ? stop() : play()));
show(0);
