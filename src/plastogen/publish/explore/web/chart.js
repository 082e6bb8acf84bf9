// Drawing on canvas: one frame with axes, lines in it, and what every chart can be saved as.

const dark = () => (document.documentElement.dataset.theme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
const tones = new Map(); // colours of the style sheet, looked up once a theme
const css = (name) => {
  if (!tones.has(name)) tones.set(name, getComputedStyle(document.documentElement).getPropertyValue(name).trim());
  return tones.get(name);
};
const FONT = "system-ui, sans-serif";

// A canvas as wide as its parent, sharp on any screen. Returns {g, w, h} in CSS pixels, cleared.
function stage(canvas, height) {
  const ratio = Math.max(1, (window.devicePixelRatio || 1) * (canvas.currentCSSZoom || 1)), w = canvas.parentElement.clientWidth || 300;
  canvas.style.height = `${height}px`;
  canvas.width = Math.round(w * ratio);
  canvas.height = Math.round(height * ratio);
  const g = canvas.getContext("2d");
  g.setTransform(ratio, 0, 0, ratio, 0, 0);
  g.clearRect(0, 0, w, height);
  g.lineJoin = "round";
  return { g, w, h: height };
}

const linear = (low, high) => ({ low, high, to: (x) => (x - low) / (high - low), from: (u) => low + u * (high - low) });
// Linear about 0 and logarithmic far from it, as in plastogen's figures: arsinh of hours.
const story = (low, high) => {
  const a = Math.asinh(low), b = Math.asinh(high);
  return { low, high, to: (x) => (Math.asinh(x) - a) / (b - a), from: (u) => Math.sinh(a + u * (b - a)) };
};

// Round numbers, about `most` of them, between two ends.
function ticks(low, high, most) {
  const raw = (high - low) / most, ten = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 2.5, 5, 10].map((k) => k * ten).find((s) => s >= raw * 0.999), found = [];
  for (let x = Math.ceil(low / step - 1e-9) * step; x <= high + step * 1e-9; x += step) found.push(Math.abs(x) < step * 1e-9 ? 0 : x);
  return found;
}

const say = (x, digits = 3) => (Math.abs(x) >= 1000 ? Math.round(x).toLocaleString("en") : String(Number(x.toPrecision(digits)))).replace("-", "−");

// Numbers beside the ticks, with as many decimals as tell one from the next.
function tickTexts(values) {
  const step = values.length > 1 ? values[1] - values[0] : 1;
  let digits = 0;
  while (digits < 9 && Math.abs(step * 10 ** digits - Math.round(step * 10 ** digits)) > 1e-6 * step * 10 ** digits) digits++;
  return values.map((v) => v.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits }).replace("-", "−"));
}

// A frame: box {left, top, right, bottom}, scales x and y, labels. Returns functions from data to pixels.
function frame({ g, w, h }, { x, y, left = 46, right = 22, top = 22, bottom = 30, title = "", xTicks, xText = say, xLabel = "", yMost = 4 }) {
  const box = { left, top, right: w - right, bottom: h - bottom };
  const px = (v) => box.left + x.to(v) * (box.right - box.left), py = (v) => box.bottom - y.to(v) * (box.bottom - box.top);
  g.font = `12px ${FONT}`;
  g.lineWidth = 1;
  g.textBaseline = "middle";
  g.textAlign = "right";
  const yTicks = ticks(y.low, y.high, yMost), yTexts = tickTexts(yTicks);
  for (const [k, v] of yTicks.entries()) {
    const at = Math.round(py(v)) + 0.5;
    g.strokeStyle = css("--grid");
    g.beginPath(); g.moveTo(box.left, at); g.lineTo(box.right, at); g.stroke();
    g.fillStyle = css("--muted");
    g.fillText(yTexts[k], box.left - 6, at);
  }
  g.textBaseline = "top";
  if (bottom > 12) {
    let last = -Infinity;
    for (const v of xTicks || ticks(x.low, x.high, w / 90)) {
      const text = xText(v), at = px(v), half = g.measureText(text).width / 2;
      if (at - half < last + 6 || at + half > w) continue;
      last = at + half;
      g.strokeStyle = css("--muted");
      g.beginPath(); g.moveTo(Math.round(at) + 0.5, box.bottom); g.lineTo(Math.round(at) + 0.5, box.bottom + 4); g.stroke();
      g.textAlign = "center";
      g.fillStyle = css("--muted");
      g.fillText(text, at, box.bottom + 6);
    }
    if (xLabel) { g.textAlign = "right"; g.fillStyle = css("--muted"); g.fillText(xLabel, box.right, box.top + 2); }
  }
  if (title) {
    g.textAlign = "left"; g.textBaseline = "alphabetic";
    g.fillStyle = css("--ink"); g.font = `600 13px ${FONT}`;
    g.fillText(title, 0, 13);
    g.font = `12px ${FONT}`;
  }
  return { box, px, py, x, y };
}

function line(g, f, xs, ys, colour, { width = 2, dash = [], fill = "" } = {}) {
  g.save();
  g.beginPath();
  g.rect(f.box.left, f.box.top - 2, f.box.right - f.box.left, f.box.bottom - f.box.top + 4);
  g.clip();
  g.beginPath();
  for (let k = 0; k < xs.length; k++) g.lineTo(f.px(xs[k]), f.py(ys[k]));
  g.strokeStyle = colour; g.lineWidth = width; g.setLineDash(dash.map((d) => d * width));
  g.stroke();
  if (fill) {
    g.lineTo(f.px(xs[xs.length - 1]), f.box.bottom); g.lineTo(f.px(xs[0]), f.box.bottom);
    g.fillStyle = fill; g.fill();
  }
  g.restore();
}

// Lines named in a row, from the right end leftwards. items: {label, colour, dash}
function key(g, w, items, y = 8) {
  let right = w;
  g.font = `12px ${FONT}`; g.textBaseline = "middle"; g.textAlign = "right";
  for (const { label, colour, dash = [], width = 3 } of [...items].reverse()) {
    g.fillStyle = css("--ink");
    g.fillText(label, right, y);
    right -= g.measureText(label).width + 5;
    g.strokeStyle = colour; g.lineWidth = width; g.setLineDash(dash.map((d) => d * 2));
    g.beginPath(); g.moveTo(right - 18, y); g.lineTo(right, y); g.stroke();
    g.setLineDash([]);
    right -= 30;
  }
}

function download(name, href) {
  const link = document.createElement("a");
  link.download = name; link.href = href;
  document.body.append(link);
  link.click();
  link.remove();
}

// The chart on the page's ground with its title and the scope line: nothing leaves without saying what it is.
function savePng(canvas, name, title) {
  const copy = document.createElement("canvas"), ratio = canvas.width / canvas.clientWidth, pad = 16 * ratio, lines = title.split("; "), head = 20 * ratio * lines.length;
  copy.width = canvas.width + 2 * pad;
  copy.height = canvas.height + 2 * pad + head + 32 * ratio;
  const g = copy.getContext("2d");
  g.fillStyle = css("--page"); g.fillRect(0, 0, copy.width, copy.height);
  g.fillStyle = css("--ink");
  lines.forEach((line, k) => {
    g.font = `${k ? "" : "600 "}${(k ? 12 : 14) * ratio}px ${FONT}`;
    g.fillText(line, pad, pad + (10 + 20 * k) * ratio, canvas.width);
  });
  g.drawImage(canvas, pad, pad + head);
  g.fillStyle = css("--muted"); g.font = `italic ${11 * ratio}px ${FONT}`;
  g.fillText(PAGE.scope, pad, copy.height - 10 * ratio, canvas.width);
  download(`${name}.png`, copy.toDataURL("image/png"));
}

function saveCsv(rows, name, title) {
  const inert = (x) => (/^[=+\-@\t\r]/.test(x) && !Number.isFinite(Number(x)) ? `'${x}` : x); // no spreadsheet runs it
  const cell = (x) => (typeof x === "number" ? String(x) : /[",\n]/.test(inert(x)) ? `"${inert(x).replaceAll('"', '""')}"` : inert(x));
  const text = [`# ${PAGE.scope}`, `# ${title.replace(/\s+/g, " ")}`, ...rows.map((row) => row.map(cell).join(","))].join("\n");
  download(`${name}.csv`, URL.createObjectURL(new Blob([text + "\n"], { type: "text/csv" })));
}

// The two buttons under every chart. `table()` gives its rows, the first being their head; `title()` what it shows.
function saveable(figure, name, title, table) {
  const canvas = figure.querySelector("canvas"), row = document.createElement("div");
  row.className = "save";
  for (const [kind, act] of [["PNG", () => savePng(canvas, name, title())], ["CSV", () => saveCsv(table(), name, title())]]) {
    const button = document.createElement("button");
    button.type = "button"; button.textContent = kind;
    button.setAttribute("aria-label", `Save ${figure.querySelector("figcaption b").textContent} as ${kind}`);
    button.onclick = act;
    row.append(button);
  }
  figure.querySelector("figcaption").append(row);
}
