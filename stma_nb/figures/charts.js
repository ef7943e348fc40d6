// What the small pictures of the course share beyond controls.js: canvases that fill their room, curves over dates, tables.

/** The numbers of a trait of bytes; a widget gives a DataView, a page a Uint8Array. The copy starts aligned. */
function buffer(data) {
  const view = data.buffer ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength) : new Uint8Array(data);
  return view.slice().buffer;
}
/** Set what the reader chose; with a kernel Python follows, without one nothing waits for it. */
function choose(model, name, value) {
  model.set(name, value);
  model.save_changes();
}
/** Put a sentence in its place, and say it to those who listen if it is another one. */
function tell(node, text, say) {
  if (node.textContent && node.textContent !== text) say(text);
  node.textContent = text;
}
/** Draw when a picture comes into its page (before that it has no colours), and before the next paint when one of these traits
 * changes; `stop` ends that and what else is given. */
function follow(root, model, names, draw, ...others) {
  const now = () => { if (root.isConnected) draw(); };
  const soon = once(now), watched = names.map((name) => `change:${name}`), arrival = new ResizeObserver(() => {
    arrival.disconnect();
    now();
  });
  arrival.observe(root);
  watched.forEach((name) => model.on(name, soon));
  return {
    now,
    soon,
    stop() {
      arrival.disconnect();
      watched.forEach((name) => model.off(name, soon));
      [soon, ...others].forEach((other) => other.stop());
    },
  };
}
/** A part of the page with a title; what stands in it follows. */
const part = (title, ...children) => make("figure", {}, make("figcaption", {}, title), ...children);
/** A canvas as wide as its room, up to `most` CSS pixels, and `high(width)` high; `paint(g, width, height)` draws it. */
function roomy(attributes, most, high, paint) {
  const canvas = make("canvas", attributes), g = canvas.getContext("2d"), place = make("div", { class: "room" }, canvas);
  let width = 0;
  const now = () => {
    if (!width || !canvas.isConnected) return;
    g.clearRect(0, 0, width, high(width));
    paint(g, width, high(width));
  };
  const watch = new ResizeObserver(([entry]) => {
    const room = Math.floor(Math.min(entry.contentRect.width, most));
    if (!room || room === width) return;
    width = room;
    resize(canvas, g, width, high(width));
    now();
  });
  watch.observe(place);
  return { place, canvas, now, width: () => width, stop: () => watch.disconnect() };
}

// ------------------------------------------------------------------------------------------------------------------ colours

const luminance = (rgb) => rgb.map((v) => (v / 255 <= 0.04 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4))
  .reduce((sum, v, k) => sum + v * [0.2126, 0.7152, 0.0722][k], 0);
/** The colour of a class as a line that shows on this paper: moved towards black or white until the contrast is 3. */
function legible(hex, paper) {
  const rgb = hexColour(hex), ground = luminance(paper.match(/[\d.]+/g).slice(0, 3).map(Number)), end = ground > 0.5 ? 0 : 255;
  const contrast = (c) => (Math.max(luminance(c), ground) + 0.05) / (Math.min(luminance(c), ground) + 0.05);
  for (let share = 0; share < 1; share += 0.1) {
    const moved = rgb.map((v) => Math.round(v + share * (end - v)));
    if (contrast(moved) >= 3) return css(moved);
  }
  return css([end, end, end]);
}

// --------------------------------------------------------------------------------------------------------- axes and curves

const LETTERS = "12px system-ui, sans-serif";
/** Round numbers between two, about `count` of them. */
function ticks(low, high, count = 4) {
  const rough = (high - low) / count || 1, power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((k) => k * power).find((s) => s >= 0.7 * rough), first = Math.ceil(low / step - 1e-9);
  return Array.from({ length: Math.max(Math.floor(high / step + 1e-9) - first + 1, 0) }, (_, k) => (first + k) * step);
}
const written = (value, step) => fixed(value, Math.max(0, -Math.floor(Math.log10(step || 1) + 1e-9)));
/** Where dates lie on an axis true to time: positions in pixels by the number of the date. */
function timeAxis(dates, left, wide) {
  const days = dates.map((iso) => Date.parse(iso)), span = days.at(-1) - days[0] || 1;
  return days.map((t) => left + (wide * (t - days[0])) / span);
}
/** Names of months under an axis of dates (the first and last date where the season is short). */
function drawMonths(g, dates, x, y, colour) {
  const first = new Date(dates[0]), last = Date.parse(dates.at(-1)), years = dates[0].slice(0, 4) !== dates.at(-1).slice(0, 4);
  const begin = Date.parse(dates[0]), scale = (x.at(-1) - x[0]) / (last - begin || 1), marks = [];
  for (let month = first.getUTCMonth() + 1; ; month++) {
    const t = Date.UTC(first.getUTCFullYear(), month, 1);
    if (t > last) break;
    const at = new Date(t), name = MONTHS[at.getUTCMonth()];
    const yearly = years && (!marks.length || !at.getUTCMonth());
    marks.push([x[0] + scale * (t - begin), yearly ? `${name} ${at.getUTCFullYear()}` : name]);
  }
  if (marks.length < 2) marks.splice(0, 9, [x[0], dayIn(dates[0], dates)], [x.at(-1), dayIn(dates.at(-1), dates)]);
  g.fillStyle = g.strokeStyle = colour; g.font = LETTERS; g.textBaseline = "top";
  let free = -Infinity;
  for (const [at, name] of marks) {
    const half = g.measureText(name).width / 2;
    g.lineWidth = 1; g.beginPath(); g.moveTo(at, y); g.lineTo(at, y + 4); g.stroke();
    if (at - half < free) continue;
    g.textAlign = at + half > g.canvas.clientWidth ? "right" : "center"; g.fillText(name, at, y + 6);
    free = at + half + 6;
  }
}
/** An axis of values with lines across; returns where a value lies. */
function drawValues(g, { left, top, wide, tall, low, high, title, colours, count }) {
  const y = (value) => top + (tall * (high - value)) / (high - low || 1), marks = ticks(low, high, count),
    step = marks[1] - marks[0];
  g.font = LETTERS; g.textBaseline = "middle"; g.textAlign = "right"; g.lineWidth = 1; g.strokeStyle = colours.line;
  for (const value of marks) {
    g.beginPath(); g.moveTo(left, y(value)); g.lineTo(left + wide, y(value)); g.stroke();
    g.fillStyle = colours.soft; g.fillText(written(value, step), left - 6, y(value));
  }
  g.fillStyle = colours.ink; g.textAlign = "left"; g.textBaseline = "bottom"; g.fillText(title, Math.max(left - 40, 0), top - 6);
  return y;
}
/** A curve with marks; NaN leaves a gap. `dash` and `square` tell curves apart where colours do not. */
function drawCurve(g, x, y, values, { colour, dash = [], square = false }) {
  g.strokeStyle = g.fillStyle = colour; g.lineWidth = 2; g.setLineDash(dash); g.beginPath();
  values.forEach((v, t) => {
    if (Number.isFinite(v)) Number.isFinite(values[t - 1]) ? g.lineTo(x[t], y(v)) : g.moveTo(x[t], y(v));
  });
  g.stroke(); g.setLineDash([]);
  values.forEach((v, t) => {
    if (!Number.isFinite(v)) return;
    g.beginPath();
    if (square) g.rect(x[t] - 3, y(v) - 3, 6, 6);
    else g.arc(x[t], y(v), 3.3, 0, 7);
    g.fill();
  });
}
/** A line of the legend. */
const lineMark = (colour, text, dashed = false) =>
  make("span", {}, make("i", { class: dashed ? "line dashed" : "line", style: `border-color: ${colour}` }), text);
/** The band between two curves, as pale as alpha says. */
function drawBand(g, x, y, low, high, colour, alpha = 0.2) {
  g.globalAlpha = alpha; g.fillStyle = colour;
  for (let t = 1; t < low.length; t++) {
    if (![low[t - 1], low[t], high[t - 1], high[t]].every(Number.isFinite)) continue;
    g.beginPath(); g.moveTo(x[t - 1], y(low[t - 1])); g.lineTo(x[t], y(low[t])); g.lineTo(x[t], y(high[t]));
    g.lineTo(x[t - 1], y(high[t - 1])); g.fill();
  }
  g.globalAlpha = 1;
}
/** Lowest and highest finite value, with a little room. */
function range(values, room = 0.05) {
  const finite = values.filter(Number.isFinite), low = Math.min(...finite), high = Math.max(...finite),
    more = room * (high - low || 1);
  return finite.length ? [low - more, high + more] : [0, 1];
}

// ------------------------------------------------------------------------------------------------------------------- tables

/** A table that opens on demand; `fill(rows)` takes texts, the first of a row names it. */
function table(title, heads) {
  const body = make("tbody"), top = make("tr");
  const name = (texts) => top.replaceChildren(...texts.map((text) => make("th", { scope: "col" }, text)));
  name(heads);
  const box = make("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": title },
    make("table", {}, make("thead", {}, top), body));
  const line = ([first, ...rest]) =>
    make("tr", {}, make("th", { scope: "row" }, first), ...rest.map((text) => make("td", {}, text)));
  return {
    node: make("details", {}, make("summary", {}, title), box),
    name,
    fill: (rows) => body.replaceChildren(...rows.map(line)),
  };
}
