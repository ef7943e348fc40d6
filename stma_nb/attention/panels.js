// What the panels beneath the patch and the chart share (heads.js, classes.js, networks.js): small maps, charts over the dates,
// tables. A panel is a function of the lab and its frame `ui` (colours(), width(), say(text)); it gives {title, element, draw()}.
// Weights of all levels, heads and dates have one scale: how many times an equal weight they are.

const MOST_TIMES = 8; // the darkest colour: so many times what equal weights would give, or more
const NEARLY_ALIKE = 0.1; // cosines that differ less look alike

// ------------------------------------------------------------------------------------------------------- what panels share

const signColour = (share) => DIVERGING[Math.round(127.5 * (1 + clampTo(share, -1, 1)))];
/** Colour of a weight that is so many times an equal one: white is none. */
const timesColour = (times) => MAGENTA[Math.round(255 * clampTo(Math.log1p(times) / Math.log1p(MOST_TIMES), 0, 1))];
/** Black or white, whichever has more contrast (WCAG's relative luminance). */
function inkOver(colour) {
  const [r, g, b] = colour.map((v) => (v > 10 ? ((v / 255 + 0.055) / 1.055) ** 2.4 : v / 3294.6));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.179 ? "#000" : "#fff";
}
const largestOf = (lists) => lists.reduce((most, list) => list.reduce((m, v) => Math.max(m, Math.abs(v)), most), 0);
const minus = (a, b) => a.map((v, k) => v - b[k]);
const signed = (value, digits) => `${value > 0 ? "+" : ""}${fixed(value, digits)}`;
const unsigned = (share) => fixed(100 * share, 1);
const points = (share) => `${signed(100 * share, 1)} points`;
const timesText = (ratio) => `× ${ratio < 0.095 ? fixed(ratio, 2) : fixed(ratio, 1)}`;
/** Over how many cells or dates a weight is spread, as if evenly: the exponential of its entropy. */
const spreadOf = (weights) => Math.exp(-weights.reduce((sum, w) => sum + (w > 0 ? w * Math.log(w) : 0), 0));
const spreadText = (weights) => `${fixed(spreadOf(weights), spreadOf(weights) < 9.95 ? 1 : 0)} of ${weights.length}`;
/** Mean spread of the rows of a T x T map: of the dates that ask. */
function rowSpread(weights, T) {
  let sum = 0;
  for (let q = 0; q < T; q++) sum += spreadOf(weights.subarray(q * T, (q + 1) * T));
  return sum / T;
}

/** The results of the present patch, as {before, after, shown, difference}; null while there are none. */
function resultsHere(lab) {
  const { before, after } = lab, corner = String(lab.get("corner"));
  if (!before || !after || String(before.corner) !== corner || String(after.corner) !== corner) return null;
  return { before, after, shown: lab.shownResult(), difference: lab.get("show") === "difference" };
}
const waitingText = (lab) => (lab.failed ? `Nothing can be computed: ${lab.failed}` : "The network is computing this patch.");
/** Where the cell with this number lies, in rows and columns of the season. */
function cellText(lab, cell, level) {
  const size = lab.size(level), side = lab.side(level), [top, left] = lab.get("corner");
  const row = top + size * Math.floor(cell / side), column = left + size * (cell % side);
  return `rows ${row}–${row + size - 1}, columns ${column}–${column + size - 1}`;
}
const headText = (level, head) => {
  if (level === "cross") return "cross-scale";
  return `level ${level}, ${head ? `head ${head}` : "mean of heads"}`;
};

/** A small map with a caption: {element, paint(width, columns, colour, rows, mark), say(title, text)}; `mark` is framed. */
function smallMap() {
  const [canvas, context] = sheet(1, 1, { role: "img" }), title = make("figcaption"), text = make("p", { class: "hint" });
  return {
    element: make("figure", { class: "small" }, title, canvas, text),
    paint(width, ...given) {
      this.element.style.width = `${width}px`;
      paintMap(canvas, context, width, ...given);
    },
    say(caption, words) {
      title.textContent = caption; text.textContent = words;
      canvas.setAttribute("aria-label", `${caption}: ${words}`);
    },
  };
}
function paintMap(canvas, context, width, columns, colour, rows = columns, mark = null) {
  const height = (width * rows) / columns, unit = width / columns;
  resize(canvas, context, width, height);
  context.imageSmoothingEnabled = false;
  context.drawImage(picture(columns, (k) => [...colour(k), 255], rows), 0, 0, width, height);
  if (mark === null) return;
  const side = Math.max(unit, 5);
  const left = Math.min((mark % columns) * unit + 1, width - side);
  const top = Math.min(Math.floor(mark / columns) * unit + 1, height - side);
  strokeBox(context, "#fff", 4, left, top, side - 2, side - 2);
  strokeBox(context, "#000", 2, left, top, side - 2, side - 2);
}
/** What colours mean: a bar, the texts at its ends, and a remark. */
const ramp = (colours, low, high, what) => make("p", { class: "ramp" }, low,
  make("i", { style: `background: linear-gradient(to right, ${colours.filter((_, k) => k % 15 === 0).map(css)})` }), high,
  make("span", {}, what));
const timesRamp = (also = "") =>
  ramp(MAGENTA, "0", `${MOST_TIMES} ×`, `what equal weights would give; pale pink: the same${also}`);
const signRamp = (end, what) => ramp(DIVERGING, `−${end}`, `+${end}`, what);
const changeRamp = (bound) => signRamp(`${fixed(bound, 2)} ×`, "an equal weight, after minus before");

/** Rows of texts as a table; the first row names the columns, the first cell of each other its row. */
function tableOf(label, [head, ...rows]) {
  const cell = (text, k) => (k ? make("td", {}, text) : make("th", { scope: "row" }, text));
  return scrolling(label, make("table", {},
    make("thead", {}, make("tr", {}, ...head.map((text) => make("th", { scope: "col" }, text)))),
    make("tbody", {}, ...rows.map((row) => make("tr", {}, ...row.map(cell))))));
}
const scrolling = (label, table) => make("div", { class: "wide", tabindex: 0, role: "region", "aria-label": label }, table);
/** Numbers to unfold: `fill(rows())` makes the table only while it is open. */
function unfolded(summary, rows) {
  const place = make("div"), element = make("details", {}, make("summary", {}, summary), place);
  const fill = () => { if (element.open) place.replaceChildren(tableOf(summary, rows())); };
  element.addEventListener("toggle", fill);
  return { element, fill };
}

// ------------------------------------------------------------------------------------------------------------------- charts

/** A chart over the dates, at their true distances: {context, x(t), y(value), ..} with axes drawn; `low` to `high` upwards. */
function datesChart([canvas, context], { f, width, height, low, high, colours, text = plainNumber }) {
  const left = 44, right = width - 10, top = 8, bottom = height - 22, span = f.days.at(-1) - f.days[0] || 1;
  const along = (days) => left + 14 + ((right - left - 28) * days) / span, x = (t) => along(f.days[t] - f.days[0]);
  const y = (value) => bottom - ((bottom - top) * (value - low)) / (high - low || 1);
  resize(canvas, context, width, height);
  context.font = "12px system-ui, sans-serif"; context.fillStyle = colours.soft; context.strokeStyle = colours.line;
  context.textAlign = "right"; context.textBaseline = "middle";
  for (const value of roundSteps(low, high)) {
    context.beginPath(); context.moveTo(left, y(value)); context.lineTo(right, y(value)); context.stroke();
    context.fillText(text(value), left - 5, y(value));
  }
  context.textAlign = "center"; context.textBaseline = "top";
  let free = -Infinity;
  for (const [days, name] of monthStarts(f.dates)) {
    const at = along(days);
    context.beginPath(); context.moveTo(at, bottom); context.lineTo(at, bottom + 4); context.stroke();
    if (at - free < 40) continue;
    context.fillText(name, clampTo(at, left + 12, right - 14), bottom + 6);
    free = at;
  }
  return { context, x, y, left, right, bottom };
}
const plainNumber = (v) => `${+v.toPrecision(6)}`.replace("-", "−");
/** Three to seven round numbers between two. */
function roundSteps(low, high) {
  const rough = (high - low) / 4 || 1, power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 5, 10].find((k) => k * power >= rough), out = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + 1e-9 * step; k++) out.push(k * step);
  return out;
}
/** Firsts of the months between the dates, as [days after the first date, name]; a January, and the first, with its year. */
function monthStarts(dates) {
  const [year, month] = dates[0].split("-").map(Number), several = dates[0].slice(0, 4) !== dates.at(-1).slice(0, 4), out = [];
  for (let k = 0; ; k++) {
    const first = new Date(Date.UTC(year, month - 1 + k, 1)).toISOString().slice(0, 10), days = daysBetween(dates[0], first);
    if (first > dates.at(-1)) return out.length ? out : [[0, day(dates[0])]];
    const number = Number(first.slice(5, 7));
    const named = several && (number === 1 || !out.length) ? ` ${first.slice(0, 4)}` : "";
    if (days >= 0) out.push([days, `${MONTHS[number - 1]}${named}`]);
  }
}
/** A curve, with a marker ("dot" or "box") at every date; where a value is missing the curve is broken. */
function drawCurve({ context, x, y }, values, { colour, dash = [], marker = "" }) {
  context.strokeStyle = context.fillStyle = colour; context.lineWidth = 2;
  context.setLineDash(dash); context.beginPath();
  values.forEach((v, t) => {
    if (Number.isFinite(v)) Number.isFinite(values[t - 1]) ? context.lineTo(x(t), y(v)) : context.moveTo(x(t), y(v));
  });
  context.stroke(); context.setLineDash([]);
  values.forEach((v, t) => {
    if (!Number.isFinite(v) || !marker) return;
    context.beginPath();
    if (marker === "dot") context.arc(x(t), y(v), 3, 0, 7);
    else context.rect(x(t) - 3, y(v) - 3, 6, 6);
    context.fill();
  });
}
