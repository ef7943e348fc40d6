// What the moving pictures share: numbers as text, colours, elements, canvases, keys, and a model for a page without a kernel.
// A picture is elements.js, this file, then files of its own, the last of which defines `render({ model, el })` (component.py).

// ------------------------------------------------------------------------------------------------------- words and numbers

const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");
const day = (iso) => `${Number(iso.slice(8, 10))} ${MONTHS[Number(iso.slice(5, 7)) - 1]}`;
/** A date with its year, where a season has more than one; briefly "29 Oct ’17". */
const dayIn = (iso, dates) => (severalYears(dates) ? `${day(iso)} ${iso.slice(0, 4)}` : day(iso));
const briefDay = (iso, dates) => (severalYears(dates) ? `${day(iso)} ’${iso.slice(2, 4)}` : day(iso));
const severalYears = (dates) => dates[0].slice(0, 4) !== dates.at(-1).slice(0, 4);
const daysBetween = (first, second) => Math.round((Date.parse(second) - Date.parse(first)) / 864e5);
/** A share with two digits: 0.237 is "24 %", 0.0231 is "2.3 %"; a minus sign, not a hyphen. */
function percent(share) {
  const value = 100 * Math.abs(share), sign = share < 0 ? "−" : "";
  return value >= 9.95 ? `${sign}${Math.floor(value + 0.5)} %` : `${sign}${(Math.floor(10 * value + 0.5) / 10).toFixed(1)} %`;
}
const fixed = (value, digits) => value.toFixed(digits).replace("-", "−");
const clampTo = (value, low, high) => Math.min(Math.max(value, low), high);
/** Positions of values, the largest first. */
const ranked = (values) => Array.from(values.keys()).sort((a, b) => values[b] - values[a] || a - b);

// ------------------------------------------------------------------------------------------------------------------ colours

// Colour ramps of 256 colours between these anchors: viridis, blue to white to brown (either sign), white to magenta (over maps).
const VIRIDIS = lut([
  ...["440154", "482475", "414487", "355f8d", "2a788e", "21918c"],
  ...["22a884", "44bf70", "7ad151", "bddf26", "fde725"],
]);
const DIVERGING = lut(["08306b", "2171b5", "6baed6", "c6dbef", "f7f7f7", "fdd0a2", "f1a340", "b35806", "7f3b08"]);
const MAGENTA = lut(["ffffff", "f6c3dc", "e56fae", "c01f80", "7a0055", "3d0030"]);

function lut(anchors) {
  const rgb = anchors.map((hex) => [0, 2, 4].map((i) => parseInt(hex.slice(i, i + 2), 16)));
  return Array.from({ length: 256 }, (_, k) => {
    const x = (k / 255) * (rgb.length - 1), i = Math.min(Math.floor(x), rgb.length - 2);
    return rgb[i].map((v, j) => Math.round(v + (x - i) * (rgb[i + 1][j] - v)));
  });
}
const css = (colour) => `rgb(${colour.join(",")})`;
const hexColour = (text) => [1, 3, 5].map((i) => parseInt(text.slice(i, i + 2), 16));

/** The colours of the theme as a canvas takes them; `changed` is called when the reader turns light into dark, or
 *  prints, which is always light; it must draw at once. */
function theme(root, changed) {
  const names = ["ink", "soft", "paper", "panel", "line", "accent", "mark"];
  const probes = names.map((name) => make("i", { hidden: true, style: `color: var(--${name})` }));
  root.append(...probes);
  const jupyter = () => document.body?.dataset.jpThemeLight; // "true", "false" or, elsewhere, nothing
  const dress = () => {
    root.classList.toggle("dark", jupyter() === "false");
    root.classList.toggle("light", jupyter() === "true");
  };
  const set = () => {
    dress();
    changed();
  };
  const watch = new MutationObserver(set), wishes = ["(prefers-color-scheme: dark)", "print"].map((query) => matchMedia(query));
  watch.observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-light"] });
  for (const wish of wishes) wish.addEventListener("change", set);
  dress();
  return {
    colours: () => Object.fromEntries(names.map((name, k) => [name, getComputedStyle(probes[k]).color])),
    stop() {
      watch.disconnect();
      for (const wish of wishes) wish.removeEventListener("change", set);
    },
  };
}

// ----------------------------------------------------------------------------------------------------------------- elements

const select = (label, options, change) =>
  make("select", { "aria-label": label, onchange: (e) => change(e.target.value) },
    ...options.map(([value, text]) => make("option", { value }, text)));
const slider = (label, range, change) =>
  make("input", { type: "range", ...range, "aria-label": label, oninput: (e) => change(+e.target.value) });
const labelled = (text, ...nodes) => make("label", {}, text, ...nodes);
const swatch = (colour, text) => make("span", {}, make("i", { style: `background: ${colour}` }), text);
/** The outermost element of a picture. Notebooks listen to keys around us: what is typed here is meant for us. */
function frame(label, ...children) {
  const root = make("section", { class: "stma", "aria-label": label, "data-lm-suppress-shortcuts": "true" }, ...children);
  root.addEventListener("keydown", (event) => { if (event.key !== "Tab") event.stopPropagation(); });
  for (const list of root.querySelectorAll("select, input")) list.setAttribute("data-lm-suppress-shortcuts", "true");
  return root;
}
/** Sentences for those who listen: `say(text)` is read out when nothing new was said for 400 ms. */
function announcer(root) {
  const node = make("p", { class: "heard", "aria-live": "polite" });
  let waiting = 0;
  root.append(node);
  return (text) => {
    clearTimeout(waiting);
    waiting = setTimeout(() => { node.textContent = text; }, 400);
  };
}

/** A canvas of this size in CSS pixels, sharp on fine screens and in print; returns [canvas, context]. */
function sheet(width, height, attributes) {
  const canvas = make("canvas", attributes), context = canvas.getContext("2d");
  resize(canvas, context, width, height);
  return [canvas, context];
}
function resize(canvas, context, width, height) {
  const ratio = Math.max(2, window.devicePixelRatio || 1);
  Object.assign(canvas, { width: width * ratio, height: height * ratio });
  Object.assign(canvas.style, { width: `${width}px`, height: `${height}px` });
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
}
/** Where the pointer is over an element: [x, y] in CSS pixels. */
function placeOver(event, node) {
  const box = node.getBoundingClientRect();
  return [event.clientX - box.left, event.clientY - box.top];
}
function fillBox(g, colour, ...box) {
  g.fillStyle = colour;
  g.fillRect(...box);
}
function strokeBox(g, colour, width, ...box) {
  g.strokeStyle = colour;
  g.lineWidth = width;
  g.strokeRect(...box);
}
/** A line through points [x, y]. */
function strokeLine(g, ...points) {
  g.beginPath();
  for (const [x, y] of points) g.lineTo(x, y);
  g.stroke();
}
/** A small picture (columns x rows) for `drawImage`; `colour(k)` gives [r, g, b, alpha 0..255]. */
function picture(columns, colour, rows = columns) {
  const canvas = make("canvas", { width: columns, height: rows }), image = new ImageData(columns, rows);
  for (let k = 0; k < columns * rows; k++) image.data.set(colour(k), 4 * k);
  canvas.getContext("2d").putImageData(image, 0, 0);
  return canvas;
}
/** Call `draw` before the next paint, however often it is asked for. */
function once(draw) {
  let waiting = 0;
  const now = () => {
    waiting = 0;
    draw();
  };
  const schedule = () => { waiting ||= requestAnimationFrame(now); };
  schedule.stop = () => cancelAnimationFrame(waiting);
  return schedule;
}

// ----------------------------------------------------------------------------------------------------------- taken elsewhere

function copyText(text, node) {
  const label = node.textContent;
  const done = () => {
    node.textContent = "Copied";
    setTimeout(() => { node.textContent = label; }, 1500);
  };
  const old = () => { // where the clipboard is not allowed, as in some frames
    const field = make("textarea");
    field.value = text;
    document.body.append(field);
    field.select();
    document.execCommand("copy");
    field.remove();
    node.focus();
    done();
  };
  if (navigator.clipboard) navigator.clipboard.writeText(text).then(done, old);
  else old();
}
/** Hand a file to the reader. */
function download(name, blob) {
  const link = make("a", { href: URL.createObjectURL(blob), download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}
/** Rows of a table as CSV: texts with commas or quotes are quoted; a text that a spreadsheet would compute is told as text. */
const csv = (rows) => rows.map((row) => row.map(csvField).join(",")).join("\r\n") + "\r\n";
function csvField(value) {
  if (typeof value === "number") return Number.isFinite(value) ? String(value) : "";
  const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

// ------------------------------------------------------------------------------------------------------ without a kernel

function fromBase64(text) {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(text);
  const letters = atob(text), bytes = new Uint8Array(letters.length);
  for (let k = 0; k < letters.length; k++) bytes[k] = letters.charCodeAt(k);
  return bytes;
}
/** State that can be read, set and listened to, as a widget's model; `state` stands in the page. */
function pageModel(state) {
  const heard = {};
  return {
    get: (name) => state[name],
    set(name, value) {
      if (JSON.stringify(state[name]) === JSON.stringify(value)) return;
      state[name] = value;
      for (const listen of [...(heard[`change:${name}`] ?? [])]) listen();
    },
    save_changes() {},
    on(event, listen) { (heard[event] ??= new Set()).add(listen); },
    off(event, listen) { heard[event]?.delete(listen); },
  };
}
/** Run in a saved page: the state stands in it, and what the address says (#...) comes on top; no kernel, no network. */
function standalone(el) {
  const read = (id) => document.getElementById(id).textContent;
  const state = { ...JSON.parse(read("state")), data: fromBase64(read("data")) };
  render({ model: pageModel(state), el, page: true });
  if (parent === window) return;
  addEventListener("message", followScheme);
  new ResizeObserver(() => tellHeight(el)).observe(el);
}
/** In a frame: be light or dark as the page around it is. */
function followScheme({ source, data }) {
  if (source !== parent || !["light", "dark"].includes(data?.scheme)) return;
  document.documentElement.dataset.scheme = data.scheme;
  document.body.dataset.jpThemeLight = String(data.scheme === "light"); // `theme` watches it
}
/** In a frame: tell the page around it how high the frame must be, so that nothing scrolls within it. */
function tellHeight(el) {
  parent.postMessage({ height: Math.ceil(el.getBoundingClientRect().bottom + scrollY) + 16 }, "*");
}
