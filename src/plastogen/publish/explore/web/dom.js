// Elements made of text. Whatever stands in data or in the address is text here, never markup.

const $ = (id) => document.getElementById(id);

// An element with attributes (functions become handlers) and children: elements, or text.
function el(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") made[name] = value;
    else if (value !== false && value !== undefined) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children);
  return made;
}

// A choice of one: `items` are {text, sign}, `sign` an element beside the text; `act` is given the place chosen.
function radios(name, items, chosen, act) {
  return items.map(({ text, sign }, k) => el("label", {},
    el("input", { type: "radio", name, value: k, checked: k === chosen, oninput: () => act(k) }),
    el("span", {}, ...(sign ? [sign, text] : [text]))));
}

// A slider with its name and what it says now.
function dial(id, name, most, value, oninput, extra = []) {
  return el("div", { class: "dial" }, el("label", { for: id }, ...[name].flat()), el("output", { id: `${id}-out`, for: id }),
    el("input", { type: "range", id, min: 0, max: most, value, oninput }), ...extra);
}
function setDial(id, value, text) {
  $(id).value = value;
  $(`${id}-out`).value = text;
  $(id).setAttribute("aria-valuetext", text);
}

// A stretch of line as it is drawn in the charts, for a key.
function swatch(colour, dash) {
  const ns = "http://www.w3.org/2000/svg", picture = document.createElementNS(ns, "svg"), stroke = document.createElementNS(ns, "line");
  for (const [name, value] of [["width", 34], ["height", 10], ["aria-hidden", "true"], ["class", "swatch"]]) picture.setAttribute(name, value);
  for (const [name, value] of [["x1", 0], ["x2", 34], ["y1", 5], ["y2", 5], ["stroke", colour], ["stroke-width", 3], ["stroke-dasharray", dash.map((d) => 3 * d).join(" ")]]) stroke.setAttribute(name, value);
  picture.append(stroke);
  return picture;
}

// Only what differs is written, so that a reader of the screen hears each sentence once.
function setText(id, text) { if ($(id).textContent !== text) $(id).textContent = text; }

// Scrolls as little as possible, so that all of `parts` are in the window; the first one when they do not fit.
function keepInView(...parts) {
  const boxes = parts.map((part) => part.getBoundingClientRect()), pad = 8;
  const top = Math.min(...boxes.map((box) => box.top)) - pad, bottom = Math.max(...boxes.map((box) => box.bottom)) + pad;
  if (top < 0 || bottom - top > innerHeight) scrollBy(0, top);
  else if (bottom > innerHeight) scrollBy(0, bottom - innerHeight);
}
