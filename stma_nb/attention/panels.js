// Panels beneath the patch and the chart: all heads at once, classes instead of pixels, two networks; and what can be taken away.
// A panel is a function of the lab and its frame `ui` (colours(), width(), say(text)) that gives {title, element, draw()}.
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
const many = (number, name) => `${number} ${name}${number === 1 ? "" : "s"}`;
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
  const [left, top] = [(mark % columns) * unit, Math.floor(mark / columns) * unit], side = Math.max(unit, 5);
  for (const [stroke, line] of [["#fff", 4], ["#000", 2]]) {
    context.strokeStyle = stroke; context.lineWidth = line;
    context.strokeRect(Math.min(left + 1, width - side), Math.min(top + 1, height - side), side - 2, side - 2);
  }
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

// ---------------------------------------------------------------------------------------------------------------- 1. all heads

/** All levels and heads at once, each as a map of where the present pixel looks and one of the dates. */
function headsPanel(lab, ui) {
  const { f } = lab, T = f.dates.length, heads = [...Array(f.heads).keys()].map((h) => h + 1).concat(0);
  const rows = [...f.levels.map((level) => heads.map((head) => makeTile(level, head))), [makeTile("cross", 0)]];
  const tiles = rows.flat(), status = make("p", { class: "hint" }), legend = make("div");
  const rowTitle = ({ level }) => {
    const name = level === "cross" ? "Across scales, level 1 to level 2" : `Level ${level}`;
    return make("b", {}, `${name} (${lab.side(level)} × ${lab.side(level)} cells)`);
  };
  const grid = make("div", { role: "group", "aria-label": "All levels and heads", class: "tiles", onkeydown: move },
    ...rows.flatMap((row) => [rowTitle(row[0]), make("div", {}, ...row.map((tile) => tile.node))]));
  const numbers = unfolded("These maps as numbers", table);

  function makeTile(level, head) {
    const cells = sheet(1, 1, { "aria-hidden": "true" }), dates = sheet(1, 1, { "aria-hidden": "true" });
    const text = make("span"), cross = level === "cross";
    const title = make("b", {}, cross ? "Cross-scale" : head ? `Head ${head}` : "Mean");
    const node = make("button", { type: "button", class: "tile", tabindex: -1, onclick: () => choose(tile) },
      title, cells[0], ...(cross ? [] : [dates[0]]), text);
    const tile = { level, head, cross, cells, dates, text, node, name: headText(level, head) };
    return tile;
  }
  function choose({ level, head, cross, node }) {
    lab.set(cross ? { level } : { level, head });
    node.focus();
    ui.say(node.getAttribute("aria-label"));
  }
  const chosen = ({ level, head, cross }) => level === lab.get("level") && (cross || head === lab.get("head"));
  const inFocus = (tile) => tile.node === document.activeElement;
  function move(event) {
    const row = rows.findIndex((tilesOf) => tilesOf.some(inFocus)), column = rows[row]?.findIndex(inFocus);
    const moves = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0], Home: [0, -99], End: [0, 99] };
    if (row < 0 || !moves[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
    const [down, right] = moves[event.key], to = rows[clampTo(row + down, 0, rows.length - 1)];
    reachable(to[clampTo(column + right, 0, to.length - 1)]).node.focus();
    event.preventDefault();
  }
  /** One of them is reached by Tab, the others from it by arrow keys. */
  function reachable(one) {
    for (const tile of tiles) tile.node.tabIndex = tile === one ? 0 : -1;
    return one;
  }
  /** Weights of cells and of dates that a tile shows: those of `show`, or what the experiment changed. */
  function weightsOf({ level, head }) {
    const { before, after, shown, difference } = resultsHere(lab), pixel = lab.hover ?? lab.get("pixel");
    const read = (result) => [result.spatialOf(pixel, level, head), result.temporalOf(level, head)];
    return difference ? read(after).map((weights, k) => minus(weights, read(before)[k])) : read(shown);
  }
  function words({ cross }, [cells, dates], difference) {
    const low = fixed(Math.min(...cells), 2), high = fixed(Math.max(...cells), 2);
    if (cross) return `cosines ${difference ? "change by " : ""}${low} to ${high}`;
    if (difference) return `cells ± ${unsigned(largestOf([cells]))}, dates ± ${unsigned(largestOf([dates]))} points`;
    return `${spreadText(cells)} cells, ${fixed(rowSpread(dates, T), 1)} of ${T} dates`;
  }
  function draw() {
    const found = resultsHere(lab);
    grid.hidden = numbers.element.hidden = legend.hidden = !found;
    if (!found) { status.textContent = waitingText(lab); return; }
    const { difference } = found, pixel = lab.hover ?? lab.get("pixel"), weights = tiles.map(weightsOf);
    const columns = clampTo(Math.floor(ui.width() / 110), 2, heads.length);
    const width = Math.min(112, Math.floor(ui.width() / columns) - 22);
    const bound = difference ? largestOf(tiles.flatMap(({ cross }, k) => (cross ? [] : inEqualShares(weights[k])))) || 1 : 0;
    const colour = (share) => (difference ? signColour(share / bound) : timesColour(share));
    grid.style.setProperty("--tile", `${width + 14}px`);
    grid.style.setProperty("--columns", columns);
    tiles.forEach((tile, k) => {
      const [cells, dates] = inEqualShares(weights[k]), side = lab.side(tile.level);
      const paint = tile.cross ? cosineColour(weights[k][0], difference) : (c) => colour(cells[c]);
      paintMap(...tile.cells, width, side, paint, side, lab.cell(pixel, tile.level));
      if (!tile.cross) paintMap(...tile.dates, width, T, (c) => colour(dates[c]));
      tile.text.textContent = words(tile, weights[k], difference);
      tile.node.setAttribute("aria-label", `${tile.name}: ${tile.text.textContent}`);
      tile.node.setAttribute("aria-pressed", String(chosen(tile)));
    });
    if (!tiles.some(inFocus)) reachable(tiles.find(chosen) ?? tiles[0]);
    const what = difference ? "How the experiment changed where" : "Where";
    status.textContent = `${what} the pixel at row ${pixel[0]}, column ${pixel[1]} looks (above; its cell is framed), ` +
      "and which date looks at which (below; a row asks, the columns answer). " +
      (difference ? "Numbers: the largest changes." : "Numbers: over how many cells and dates the weights spread, as if evenly.");
    legend.replaceChildren(difference ? changeRamp(bound) : timesRamp("; across scales: from the least cosine to the largest"));
    numbers.fill();
  }
  /** Weights of cells and of dates, in units of an equal one. */
  const inEqualShares = ([cells, dates]) => [cells.map((w) => w * cells.length), dates.map((w) => w * T)];
  function cosineColour(cosines, difference) {
    const low = Math.min(...cosines), range = Math.max(Math.max(...cosines) - low, NEARLY_ALIKE);
    const most = Math.max(largestOf([cosines]), NEARLY_ALIKE);
    return difference ? (c) => signColour(cosines[c] / most) : (c) => MAGENTA[Math.round((255 * (cosines[c] - low)) / range)];
  }
  function table() {
    const { difference } = resultsHere(lab), most = (list) => ranked(difference ? list.map(Math.abs) : list)[0];
    const texts = difference ? ["Cell that changes most", "change", "Date received that changes most", "change"] :
      ["Looks most at", "weight", "Date that receives most", "weight"];
    const rest = difference ? [] : ["cells", "dates"];
    return [["Level and head", ...texts, ...rest], ...tiles.map((tile) => {
      const [cells, dates] = weightsOf(tile), text = tile.cross ? (v) => fixed(v, 2) : difference ? points : percent;
      const received = dates.subarray(0, T).map((_, t) => dates.reduce((sum, w, k) => sum + (k % T === t ? w / T : 0), 0));
      const cell = most(cells), date = most(received);
      const ofDates = tile.cross ? ["", ""] : [dayIn(f.dates[date], f.dates), text(received[date])];
      const spread = tile.cross ? ["", ""] : [spreadText(cells), `${fixed(rowSpread(dates, T), 1)} of ${T}`];
      return [tile.name, cellText(lab, cell, tile.level), text(cells[cell]), ...ofDates, ...(difference ? [] : spread)];
    })];
  }
  return { title: "All heads", element: make("div", { class: "panel" }, status, legend, grid, numbers.element), draw };
}

// -------------------------------------------------------------------------------------------------------------- 2. classes

/** Attention at one level and head, seen from groups of pixels; every pixel asks with the weights of its cell. */
class Groups {
  /** `codes` is a class for each pixel of the patch, NONE for none. */
  constructor(lab, result, level, head, codes) {
    const { patch, classes } = lab.f, size = lab.size(level), cellsAlong = lab.side(level);
    this.N = cellsAlong ** 2;
    this.cell = Array.from(codes, (_, p) => Math.floor(p / patch / size) * cellsAlong + Math.floor((p % patch) / size));
    this.codes = codes;
    this.rows = Array.from({ length: this.N }, (_, c) => {
      const first = Math.floor(c / cellsAlong) * size * patch + (c % cellsAlong) * size;
      return result.spatialOf(lab.pixelOf(first, result.corner), level, head);
    });
    this.members = Array.from({ length: classes.length + 1 }, () => new Float64Array(this.N)); // share of a class in each cell
    codes.forEach((code, p) => { this.members[Math.min(code, classes.length)][this.cell[p]] += 1 / size ** 2; });
  }
  /** The mean map (N) of these pixels (indices in the patch): where they look. */
  map(pixels) {
    const out = new Float64Array(this.N), asks = new Float64Array(this.N);
    for (const p of pixels) asks[this.cell[p]] += 1 / pixels.length;
    asks.forEach((share, c) => { if (share) this.rows[c].forEach((w, k) => { out[k] += share * w; }); });
    return out;
  }
  /** Share of a map on one class, and on each; the last is what has none. */
  share(map, code) { return this.members[code].reduce((sum, part, c) => sum + part * map[c], 0); }
  shares(map) { return this.members.map((_, code) => this.share(map, code)); }
  /** Share of their attention that these pixels give to pixels of their own class. */
  own(pixels) {
    const known = new Map(), own = (p) => {
      const key = this.cell[p] + this.N * this.codes[p];
      if (!known.has(key)) known.set(key, this.share(this.rows[this.cell[p]], this.codes[p]));
      return known.get(key);
    };
    return pixels.reduce((sum, p) => sum + own(p), 0) / pixels.length;
  }
  /** The same if all weights were equal. */
  ownIfEven(pixels) {
    const area = this.shares(new Float64Array(this.N).fill(1 / this.N));
    return pixels.reduce((sum, p) => sum + area[this.codes[p]], 0) / pixels.length;
  }
  cellsOf(pixels) { return new Set(pixels.map((p) => this.cell[p])).size; }
}
/** Mean and spread (standard deviation) over pixels, by band and date: {mean, spread}, each [band][date]; NaN without data. */
function curvesOf(lab, values, pixels) {
  const { dates, bands, patch } = lab.f, size = patch ** 2, mean = [], spread = [];
  for (let b = 0; b < bands.length; b++) {
    const known = dates.map((_, t) => pixels.map((p) => values[(t * bands.length + b) * size + p]).filter(Number.isFinite));
    mean.push(known.map((list) => list.reduce((sum, v) => sum + v, 0) / list.length));
    spread.push(known.map((list, t) => Math.sqrt(list.reduce((sum, v) => sum + (v - mean[b][t]) ** 2, 0) / list.length)));
  }
  return { mean, spread };
}

/** Classes instead of pixels: who looks at whom, mean maps and curves, those mapped right against those mapped wrongly. */
function classesPanel(lab, ui) {
  const { f } = lab, kind = f.labelled ? "reference class" : "class of the map";
  const status = make("p", { class: "hint" }), whom = make("div"), legend = make("div"), words = make("p");
  const choice = make("select", { "aria-label": "Class", onchange: () => { draw(); ui.say(words.textContent); } });
  const groups = [["all", "All"], ...(f.labelled ? [["right", "Mapped right"], ["wrong", "Mapped wrongly"]] : [])];
  const maps = groups.map(([key, name]) => ({ key, name, map: smallMap() }));
  const charts = f.bands.map((band) => {
    const own = sheet(1, 1, { role: "img" });
    return { band, own, element: make("figure", {}, make("figcaption", {}, `${band.label} (${band.unit})`), own[0]) };
  });
  const chartLegend = make("p", { class: "legend" });
  const numbers = unfolded("These curves as numbers", table);
  const all = make("div", {}, make("h2", {}, "Who looks at whom"), whom, make("h2", {}, "One class"),
    make("div", { class: "bar" }, labelled("Class", choice)), words,
    make("div", { class: "maps" }, ...maps.map(({ map }) => map.element)), legend,
    make("div", { class: "maps" }, ...charts.map((chart) => chart.element)), chartLegend, numbers.element);
  let seen = null, drawn = null;

  /** All that follows from results, level and head; made anew only when they change. */
  function look() {
    const found = resultsHere(lab), level = lab.timeLevel(lab.get("level")), head = lab.get("head");
    const key = [found.before, found.after, found.shown, found.difference, level, head];
    if (seen && key.every((v, k) => v === seen.key[k])) return seen;
    const corner = lab.get("corner"), size = f.patch ** 2;
    const codes = Uint8Array.from({ length: size }, (_, p) => {
      const code = f.labelled ? lab.label(p, corner) : found.shown.prediction[p];
      return lab.empty(corner, p) ? NONE : code;
    });
    const now = new Groups(lab, found.shown, level, head, codes);
    const earlier = found.difference ? new Groups(lab, found.before, level, head, codes) : null;
    const values = lab.get("show") === "before" ? lab.measured() : lab.values();
    const present = [...new Set(codes)].filter((code) => code !== NONE).sort((a, b) => a - b);
    seen = { key, ...found, level, head, codes, now, earlier, values, present };
    return seen;
  }
  /** Pixels of a class ("" for all): all of them, those mapped right, those mapped wrongly. */
  function pixelsOf({ codes, shown }, code) {
    const all = [...codes.keys()].filter((p) => codes[p] !== NONE && (code === "" || codes[p] === +code));
    const hit = (p) => shown.prediction[p] === codes[p];
    return { all, right: all.filter(hit), wrong: all.filter((p) => !hit(p)) };
  }
  /** Rows of who looks at whom: {code, pixels, shares, change}; the last of shares is what has no class. */
  function whoLooks(s) {
    return s.present.map((code) => {
      const pixels = pixelsOf(s, code).all, shares = s.now.shares(s.now.map(pixels));
      return { code, pixels, shares, change: s.earlier && minus(shares, s.earlier.shares(s.earlier.map(pixels))) };
    });
  }
  function drawWhom(s) {
    const area = s.now.shares(new Float64Array(s.now.N).fill(1 / s.now.N)), rows = whoLooks(s);
    const columns = [...s.present, ...(area[f.classes.length] > 0 ? [f.classes.length] : [])];
    const name = (code) => (code === f.classes.length ? `no ${f.labelled ? "label" : "data"}` : lab.name(code));
    const bound = largestOf(rows.map((row) => row.change ?? [])) || 1;
    const cells = ({ shares, change }) => columns.map((code) => {
      const ratio = shares[code] / area[code];
      const colour = signColour(change ? change[code] / bound : Math.log(ratio) / Math.log(MOST_TIMES));
      return make("td", { style: `background: ${css(colour)}; color: ${inkOver(colour)}` },
        change ? points(change[code]) : `${percent(shares[code])} (${timesText(ratio)})`);
    });
    const head = ["Of the attention of", "pixels, cells", ...columns.map((code) => `to ${name(code)}`)];
    const even = columns.map((code) => make("td", {}, percent(area[code])));
    const line = (title, count, data) => make("tr", {}, make("th", { scope: "row" }, title), make("td", {}, count), ...data);
    const lines = rows.map((row) => line(name(row.code), `${row.pixels.length}, ${s.now.cellsOf(row.pixels)}`, cells(row)));
    whom.replaceChildren(scrolling("Who looks at whom", make("table", { class: "whom" },
      make("thead", {}, make("tr", {}, ...head.map((text) => make("th", { scope: "col" }, text)))),
      make("tbody", {}, ...lines, line("Equal weights", "", even)))));
  }
  function draw() {
    const found = resultsHere(lab);
    all.hidden = !found;
    if (!found) { status.textContent = waitingText(lab); drawn = null; return; }
    const s = look(), options = ["", ...s.present], asked = choice.value === "" ? "" : +choice.value;
    const chosen = options.includes(asked) ? asked : "";
    const key = [s, chosen, ui.width(), ui.colours().paper];
    if (drawn && key.every((v, k) => v === drawn[k])) return; // only the pointer has moved
    drawn = key;
    if (String(options) !== choice.dataset.options) {
      choice.dataset.options = String(options);
      const named = (code) => (code === "" ? "all classes" : lab.name(code));
      choice.replaceChildren(...options.map((code) => make("option", { value: code }, named(code))));
    }
    choice.value = chosen;
    const cross = lab.get("level") === "cross" ? " Cosines are no shares of attention: another level is shown." : "";
    const size = lab.size(s.level), change = s.difference ? ", after minus before" : "";
    status.textContent = `By the ${kind} of each pixel, at ${headText(s.level, s.head)}${change}. A pixel looks with its cell ` +
      `of ${size} × ${size} pixels. Brown: more than ${s.difference ? "before" : "equal weights give"}; blue: less.${cross}`;
    drawWhom(s);
    const pixels = pixelsOf(s, chosen);
    words.textContent = sentence(s, pixels, chosen);
    drawMaps(s, pixels);
    drawCurves(s, pixels);
    numbers.fill();
  }
  function sentence(s, { all: members, right, wrong }, code) {
    if (!members.length) return "No pixel of the patch has a class.";
    const who = code === "" ? "The patch" : lab.name(code), own = (list) => percent(s.now.own(list));
    const has = `${who} has ${many(members.length, "pixel")} in ${many(s.now.cellsOf(members), "cell")}`;
    const even = `equal weights would give ${percent(s.now.ownIfEven(members))}`;
    const together = `They give ${own(members)} of their attention to their own class; ${even}.`;
    if (!f.labelled) return `${has}. ${together}`;
    if (!wrong.length) return `${has}, all mapped right. ${together}`;
    const counts = f.classes.map((_, k) => wrong.filter((p) => s.shown.prediction[p] === k).length);
    const share = percent(wrong.length / members.length), most = lab.name(ranked(counts)[0]);
    const first = `${has}; ${wrong.length} (${share}) are mapped wrongly, most of them as ${most}.`;
    if (!right.length) return `${first} ${together}`;
    return `${first} Those mapped right give ${own(right)} of their attention to their own class, those mapped wrongly ` +
      `${own(wrong)}; ${even}.`;
  }
  function drawMaps(s, pixels) {
    const mapOf = (list) => (s.earlier ? minus(s.now.map(list), s.earlier.map(list)) : s.now.map(list));
    const found = maps.map(({ key }) => (pixels[key].length ? mapOf(pixels[key]).map((w) => w * s.now.N) : null));
    const bound = s.earlier ? largestOf(found.filter(Boolean)) || 1 : 0, width = clampTo((ui.width() - 40) / 3, 80, 160);
    maps.forEach(({ key, name, map }, k) => {
      map.element.hidden = !found[k];
      if (!found[k]) return;
      const list = found[k], side = Math.sqrt(s.now.N);
      map.paint(width, side, (c) => (s.earlier ? signColour(list[c] / bound) : timesColour(list[c])));
      const best = ranked(s.earlier ? list.map(Math.abs) : list)[0], value = list[best] / s.now.N;
      const what = s.earlier ? `most changed: ${points(value)} at` : `most, ${percent(value)}, at`;
      map.say(`${name} (${many(pixels[key].length, "pixel")})`, `${what} ${cellText(lab, best, s.level)}`);
    });
    legend.replaceChildren(s.earlier ? changeRamp(bound) : timesRamp());
  }
  /** Which curves are drawn: of all pixels with their spread, of those mapped right and wrongly. */
  function looksOf(colours) {
    return {
      all: { colour: colours.ink, text: "mean of all" },
      right: { colour: colours.accent, marker: "dot", text: "mapped right (dots)" },
      wrong: { colour: colours.mark, dash: [6, 4], marker: "box", text: "mapped wrongly (dashes, squares)" },
    };
  }
  function drawCurves(s, pixels) {
    const colours = ui.colours(), looks = looksOf(colours);
    const curves = maps.map(({ key }) => [key, curvesOf(lab, s.values, pixels[key])]);
    const width = Math.max(260, ui.width() >= 640 ? (ui.width() - 24) / 2 : ui.width() - 8);
    charts.forEach(({ own, band }, b) => {
      const { mean, spread } = curves[0][1], ends = mean[b].flatMap((v, t) => [v - spread[b][t], v + spread[b][t]]);
      const known = [...ends, ...curves.flatMap(([, c]) => c.mean[b])].filter(Number.isFinite);
      const chart = datesChart(own, { f, width, height: 170, low: Math.min(...known), high: Math.max(...known), colours });
      chart.context.fillStyle = colours.line;
      for (let t = 1; t < f.dates.length; t++) { // the band of spread, date by date, so that a gap stays one
        const corners = [[t - 1, -1], [t, -1], [t, 1], [t - 1, 1]];
        const four = corners.map(([d, side]) => [chart.x(d), chart.y(mean[b][d] + side * spread[b][d])]);
        if (!four.flat().every(Number.isFinite)) continue;
        chart.context.beginPath();
        four.forEach(([x, y]) => chart.context.lineTo(x, y));
        chart.context.fill();
      }
      for (const [key, c] of curves) drawCurve(chart, c.mean[b], looks[key]);
      own[0].setAttribute("aria-label", `Mean ${band.label} of the pixels over the dates; the numbers stand in the table`);
    });
    chartLegend.replaceChildren(swatch(colours.line, "mean ± one standard deviation over the pixels"),
      ...maps.map(({ key }) => swatch(looks[key].colour, looks[key].text)));
  }
  function table() {
    const s = look(), pixels = pixelsOf(s, choice.value), curves = maps.map(({ key }) => curvesOf(lab, s.values, pixels[key]));
    const value = (v) => (Number.isFinite(v) ? fixed(v, 2) : "–"), others = maps.slice(1);
    const groupsOf = (label) => others.map(({ name }) => `${label}, ${name.toLowerCase()}`);
    const head = ({ label, unit }) => [`${label} (${unit})`, `${label}, spread`, ...groupsOf(label)];
    const row = (b, t) => [curves[0].mean[b][t], curves[0].spread[b][t], ...others.map((_, k) => curves[k + 1].mean[b][t])];
    return [["Date", ...f.bands.flatMap(head)],
      ...f.dates.map((date, t) => [dayIn(date, f.dates), ...f.bands.flatMap((_, b) => row(b, t).map(value))])];
  }
  return { title: "Classes", element: make("div", { class: "panel" }, status, all), draw };
}

// ----------------------------------------------------------------------------------------------------------- 3. two networks

/** Network A beside B: the second one that travelled, or the first one with random weights. */
function networksPanel(lab, ui) {
  const { f } = lab, second = f.networks.length > 1;
  const status = make("p", { class: "hint" }), words = make("p"), legend = make("div"), all = make("div");
  const [classMaps, attentionMaps] = [0, 1].map(() => [0, 1, 2].map(smallMap));
  const [classLegend, barLegend] = [0, 1].map(() => make("p", { class: "legend" })), bars = sheet(1, 1, { role: "img" });
  const numbers = unfolded("Dates received as numbers", table);
  let seed = null, random = null; // the result with random weights, and what it belongs to: {asked, result, failed}
  let unsaid = false, drawn = false;
  const compare = button("Compare with random weights", () => { seed = seed === null ? 0 : seed + 1; unsaid = true; draw(); });
  const row = (maps) => make("div", { class: "maps" }, ...maps.map((map) => map.element)), title = (text) => make("h2", {}, text);
  all.append(words, title("Maps"), row(classMaps), classLegend, title("Where the present pixel looks"), row(attentionMaps),
    legend, title("Weight that the dates receive"), make("figure", {}, bars[0]), barLegend, numbers.element);

  /** Result of network B for the present patch and edits; null while there is none. */
  function resultOfB() {
    if (second) return lab.other;
    const asked = JSON.stringify([lab.get("corner"), lab.get("edits"), seed]);
    if (seed === null || lab.busy || random?.asked === asked) return random?.result ?? null;
    const edits = lab.get("edits"), mine = { asked, result: null, failed: "" };
    random = mine;
    Promise.resolve().then(() => lab.compute(lab.values(), [...edits, { do: "random weights", seed }]))
      .then((result) => { mine.result = result; }, (error) => { mine.failed = String(error?.message ?? error); })
      .then(() => { if (random === mine) lab.tell(); });
    return null;
  }
  function draw() {
    compare.hidden = second || !f.live;
    compare.textContent = seed === null ? "Compare with random weights" : "Draw other weights";
    const found = resultsHere(lab), b = found && f.live ? resultOfB() : null;
    const ready = b && String(b.corner) === String(lab.get("corner"));
    drawn ||= Boolean(ready);
    all.hidden = !ready && !(drawn && found && !random?.failed); // what was seen stays, paler, until the next is there
    all.classList.toggle("old", !ready);
    status.textContent = statusText(found, ready);
    if (!ready) return;
    const a = lab.after, level = lab.get("level"), head = lab.get("head"), pixel = lab.hover ?? lab.get("pixel");
    words.textContent = sentence(a, b, level, head);
    if (unsaid) { unsaid = false; ui.say(words.textContent); }
    drawClasses(a, b);
    drawAttention(a, b, level, head, pixel);
    drawDates(a.received(level, head), b.received(level, head));
    numbers.fill();
  }
  function statusText(found, ready) {
    if (!f.live) return "This network is too large to run in a page: its own maps are here, and no second network.";
    if (!found) return waitingText(lab);
    if (!second && seed === null) return "Compare the network with itself before training, to see what training changed.";
    if (random?.failed) return `Network B cannot be computed: ${random.failed}`;
    if (!ready) return "Network B is computing this patch.";
    const which = second ? "" : ` B is A with weights drawn anew, as before training (seed ${seed}).`;
    const edited = lab.get("edits").length ? " Both see the patch as the experiment left it." : "";
    return `Network A beside network B, at ${headText(lab.get("level"), lab.get("head"))}.${which}${edited}`;
  }
  function sentence(a, b, level, head) {
    const share = (pixels, test) => {
      const found = pixels.filter(test).length;
      return `${percent(found / pixels.length)} (${found} of ${pixels.length})`;
    };
    const known = [...a.prediction.keys()].filter((p) => !lab.empty(a.corner, p)), truth = (p) => lab.label(p, a.corner);
    const checked = known.filter((p) => truth(p) !== NONE);
    const right = (result) => share(checked, (p) => result.prediction[p] === truth(p));
    const alike = `A and B map ${share(known, (p) => a.prediction[p] === b.prediction[p])} of the pixels alike.`;
    const correct = checked.length ? ` A maps ${right(a)} of the pixels with a label right, B ${right(b)}.` : "";
    const dates = (h) => agreementText(a.received(level, h), b.received(level, h)), where = headText(lab.timeLevel(level), head);
    const mean = head ? ` A head of A need not do the work of the same head of B; the mean of the heads: ${dates(0)}.` : "";
    return `${alike}${correct} The weights that dates receive in A and B, ${where}: ${dates(head)}.${mean}`;
  }
  function agreementText(a, b) {
    const { rho, chance, word } = agreement(a, b);
    const agree = { none: "no agreement", opposite: "opposite" }[word] ?? `${word} agreement`;
    if (!Number.isFinite(rho)) return "no ranks to compare, since one gives all dates the same";
    return `${agree}, rank correlation ${fixed(rho, 2)} (${percent(chance)} of all shifts in time agree as well or better)`;
  }
  const width = () => clampTo((ui.width() - 40) / 3, 90, 200);
  function drawClasses(a, b) {
    const rgb = f.classes.map((crop) => hexColour(crop.colour)), blank = [255, 255, 255];
    const { mark, panel } = ui.colours(), marked = rgbOf(mark), pale = rgbOf(panel);
    const differ = (p) => a.prediction[p] !== b.prediction[p];
    const classes = (result) => (p) => rgb[result.prediction[p]] ?? blank;
    const colours = [classes(a), classes(b), (p) => (differ(p) ? marked : pale)];
    const largest = ({ prediction }) => {
      const counts = f.classes.map((_, k) => prediction.filter((code) => code === k).length);
      const most = ranked(counts).filter((k) => counts[k]).slice(0, 3);
      return most.map((k) => `${lab.name(k)} ${percent(counts[k] / f.patch ** 2)}`).join(", ");
    };
    const texts = [largest(a), largest(b), many(a.prediction.filter((_, p) => differ(p)).length, "pixel")];
    classMaps.forEach((map, k) => {
      map.paint(width(), f.patch, colours[k]);
      map.say(["Network A", second ? "Network B" : "Network B, random", "Where they differ"][k], texts[k]);
    });
    const present = f.classes.filter((_, k) => a.prediction.includes(k) || b.prediction.includes(k));
    const different = swatch("var(--mark)", "mapped differently");
    classLegend.replaceChildren(...present.map(({ name, colour }) => swatch(colour, name)), different);
  }
  function drawAttention(a, b, level, head, pixel) {
    const cross = level === "cross", lists = [a, b].map((result) => result.spatialOf(pixel, level, head)), side = lab.side(level);
    const change = minus(lists[1], lists[0]), bound = largestOf(cross ? [...lists, change] : [change]) || 1;
    const signs = (list) => (c) => signColour(list[c] / bound), ofEqual = (list) => (c) => timesColour(list[c] * side ** 2);
    const colours = [...lists.map(cross ? signs : ofEqual), signs(change)];
    const value = (v) => (cross ? `cosine ${fixed(v, 2)}` : percent(v)), by = (v) => (cross ? signed(v, 2) : points(v));
    const place = (list, cell, text) => `most, ${text(list[cell])}, at ${cellText(lab, cell, level)}`;
    const texts = lists.map((list) => place(list, ranked(list)[0], value));
    texts.push(place(change, ranked(change.map(Math.abs))[0], by));
    attentionMaps.forEach((map, k) => {
      map.paint(width(), side, colours[k], side, lab.cell(pixel, level));
      map.say(["A", "B", "B minus A"][k], texts[k]);
    });
    const end = cross ? fixed(bound, 2) : percent(bound);
    legend.replaceChildren(...(cross ? [] : [timesRamp()]), signRamp(end, cross ? "cosines, and their difference" : "B minus A"));
  }
  function drawDates(a, b) {
    const colours = ui.colours(), T = f.dates.length, high = largestOf([a, b, [1 / T]]);
    const wide = clampTo(ui.width() - 8, 260, 640);
    const text = (share) => `${plainNumber(100 * share)} %`;
    const chart = datesChart(bars, { f, width: wide, height: 160, low: 0, high, colours, text });
    const { context, x, y, left, right, bottom } = chart, gaps = f.dates.slice(1).map((_, t) => x(t + 1) - x(t));
    const bar = clampTo((Math.min(...gaps, 40) - 2) / 2, 2, 12);
    for (const [list, colour, shift] of [[a, colours.accent, -bar], [b, colours.mark, 0]]) {
      context.fillStyle = colour;
      list.forEach((v, t) => context.fillRect(x(t) + shift, y(v), bar - 0.5, bottom - y(v)));
    }
    context.strokeStyle = colours.ink; context.setLineDash([2, 3]);
    context.beginPath(); context.moveTo(left, y(1 / T)); context.lineTo(right, y(1 / T)); context.stroke();
    context.setLineDash([]);
    const most = (list) => `most on ${dayIn(f.dates[ranked(list)[0]], f.dates)} (${percent(Math.max(...list))})`;
    bars[0].setAttribute("aria-label", `Weight received by each date; A: ${most(a)}; B: ${most(b)}`);
    const even = make("span", {}, `dotted line: equal weights, ${percent(1 / T)}`);
    barLegend.replaceChildren(swatch(colours.accent, `A, left: ${most(a)}`), swatch(colours.mark, `B, right: ${most(b)}`), even);
  }
  function table() {
    const b = resultOfB(), level = lab.get("level"), head = lab.get("head");
    if (!b) return [["Date"]];
    const [one, two] = [lab.after, b].map((r) => r.received(level, head));
    const row = (date, t) => [dayIn(date, f.dates), percent(one[t]), percent(two[t]), points(two[t] - one[t])];
    return [["Date", "A", "B", "B minus A"], ...f.dates.map(row)];
  }
  return { title: "Two networks", element: make("div", { class: "panel" }, status, compare, all), draw };
}

// ------------------------------------------------------------------------------------------------------------- 4. take away

/** Buttons that hand out what is seen: as a picture, as tables, as Python and, in a saved page, as a link.
 *  `ui.canvases()` gives [{title, canvas}], `ui.legendText()` their legends in words. */
function takeAway(lab, ui, page) {
  const file = (what) => `${what}_row${lab.get("pixel")[0]}_column${lab.get("pixel")[1]}`;
  const table = (what, rows) => () => {
    if (resultsHere(lab)) download(`${file(what)}.csv`, new Blob([csv(rows(lab))], { type: "text/csv" }));
    else ui.say(waitingText(lab));
  };
  const image = () => { // not by toBlob, which waits until the browser is idle
    const png = fromBase64(composed(lab, ui).toDataURL("image/png").split(",")[1]);
    download(`${file("attention")}.png`, new Blob([png], { type: "image/png" }));
  };
  const python = button("Copy as Python", () => copyText(asPython(lab), python));
  const link = button("Copy link", () => copyText(linkOf(lab), link));
  return [button("Picture (PNG)", image), button("Patch (CSV)", table("patch", patchRows), { title: "one row a pixel" }),
    button("Dates (CSV)", table("dates", dateRows), { title: "one row a date" }),
    button("Dates × dates (CSV)", table("dates_by_dates", pairRows), { title: "one row for each pair of dates" }),
    python, ...(page ? [link] : [])];
}

/** What is seen, on one canvas at twice its size: pictures one under another, their legends, a line that says what it is. */
function composed(lab, ui) {
  const colours = ui.colours(), pictures = ui.canvases().map(({ title, canvas }) => {
    const width = parseFloat(canvas.style.width) || canvas.width / 2;
    return { title, canvas, width, height: (width * canvas.height) / canvas.width };
  });
  const margin = 16, width = Math.max(420, ...pictures.map((one) => one.width));
  const canvas = make("canvas"), context = canvas.getContext("2d");
  const lines = (text, font, height) => {
    context.font = font;
    return wrapped(context, text, width).map((line) => ({ text: line, font, height }));
  };
  const plain = (text) => lines(text, "12px system-ui, sans-serif", 17);
  const bold = (text) => lines(text, "600 14px system-ui, sans-serif", 20);
  const seen = classesSeen(lab), legend = seen.flatMap(({ name, colour }) => plain(name).map((part) => ({ ...part, colour })));
  if (!seen.length) legend.push(...plain(ui.legendText()));
  const parts = [...pictures.flatMap((one) => [...bold(one.title), { ...one, height: one.height + 12 }]),
    ...legend, ...plain(captionOf(lab))];
  canvas.width = 2 * (width + 2 * margin);
  canvas.height = 2 * (parts.reduce((sum, part) => sum + part.height, 0) + 2 * margin);
  context.scale(2, 2);
  context.fillStyle = colours.paper; context.fillRect(0, 0, canvas.width, canvas.height);
  context.fillStyle = colours.ink; context.textBaseline = "top";
  let top = margin;
  for (const part of parts) {
    context.font = part.font ?? context.font;
    if (part.canvas) context.drawImage(part.canvas, margin, top, part.width, part.height - 12);
    else context.fillText(part.text, margin + (part.colour ? 18 : 0), top);
    if (part.colour) drawSwatch(context, part.colour, colours.soft, margin, top);
    top += part.height;
  }
  return canvas;
}
function drawSwatch(context, fill, line, left, top) {
  context.save();
  context.fillStyle = fill; context.strokeStyle = line;
  context.fillRect(left, top, 12, 12); context.strokeRect(left + 0.5, top + 0.5, 11, 11);
  context.restore();
}
/** The classes in the picture of the patch, where it shows classes: {name, colour}, as pale as the picture has them. */
function classesSeen(lab) {
  const layer = lab.get("layer"), result = lab.shownResult();
  if (!result || lab.band(layer) >= 0) return [];
  const codes = new Set(Array.from(result.prediction, (code, p) => (layer === "label" ? lab.label(p) : code)));
  const pale = (colour) => css(mix(hexColour(colour), GROUND, 0.65 * lab.get("opacity")).map(Math.round)); // as scene.js
  return lab.f.classes.filter((_, code) => codes.has(code)).map(({ name, colour }) => ({ name, colour: pale(colour) }));
}
/** Words of a text in lines no wider than `width`. */
function wrapped(context, text, width) {
  const lines = [];
  for (const word of text.split(/\s+/).filter(Boolean)) {
    const longer = `${lines.at(-1)} ${word}`;
    if (lines.length && context.measureText(longer).width <= width) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
}
function captionOf(lab) {
  const { f } = lab, [row, column] = lab.get("pixel"), [top, left] = lab.get("corner"), edits = lab.get("edits");
  const experiment = edits.length && lab.get("show") !== "before" ? ` ${inWords(edits, f).join(" ")}` : "";
  const shown = lab.get("show") === "difference" ? ", after minus before" : "";
  return `Pixel at row ${row}, column ${column}; patch of ${f.patch} × ${f.patch} pixels at row ${top}, column ${left}; ` +
    `STMA, ${headText(lab.get("level"), lab.get("head"))}; ${f.dates[lab.get("date")]}${shown}.${experiment}`;
}

/** One row a pixel. "Its class" is the reference class where there is one, else the class it was mapped as before. */
function patchRows(lab) {
  const { before, after } = lab, pixel = lab.get("pixel"), level = lab.get("level"), head = lab.get("head");
  const weights = [before, after].map((result) => result.spatialOf(pixel, level, head));
  const probability = (result, p, code) => (result.logits && code !== NONE ? result.probabilities(p)[code] : NaN);
  const rows = Array.from(before.prediction, (mapped, p) => {
    const place = lab.pixelOf(p), label = lab.label(p), code = label === NONE ? mapped : label, cell = lab.cell(place, level);
    return [...place, label === NONE ? "" : lab.name(label), lab.name(mapped), lab.name(after.prediction[p]),
      ...[before, after].map((result) => probability(result, p, code)), ...weights.map((list) => list[cell])];
  });
  const two = (name) => [`${name} before`, `${name} after`];
  const header = ["row", "column", "label", ...two("mapped"), ...two("probability of its class"), ...two("weight of its cell")];
  return [header, ...rows];
}
/** One row a date: what the network saw of the pixel, what the date receives, what the chosen date gives it, what it is worth. */
function dateRows(lab) {
  const { f, before, after } = lab, T = f.dates.length, level = lab.get("level"), head = lab.get("head"), asks = lab.get("date");
  const values = lab.values(), p = lab.index(lab.get("pixel")), size = f.patch ** 2, { need } = lab;
  const both = (read) => [before, after].map(read);
  const received = both((result) => result.received(level, head)), given = both((result) => result.temporalOf(level, head));
  const header = ["date", ...f.bands.map((band) => `${band.label} (${band.unit})`), "received before", "received after",
    `asked by ${f.dates[asks]} before`, `asked by ${f.dates[asks]} after`, ...(need ? [`needed by the ${need.of} (${need.unit})`] : [])];
  return [header, ...f.dates.map((date, t) => [date, ...f.bands.map((_, b) => values[(t * f.bands.length + b) * size + p]),
    ...received.map((list) => list[t]), ...given.map((map) => map[asks * T + t]), ...(need ? [need.values[t]] : [])])];
}
/** One row for each pair of dates. */
function pairRows(lab) {
  const { f, before, after } = lab, T = f.dates.length;
  const maps = [before, after].map((result) => result.temporalOf(lab.get("level"), lab.get("head")));
  return [["asking", "answering", "weight before", "weight after"],
    ...Array.from(maps[0], (_, k) => [f.dates[Math.floor(k / T)], f.dates[k % T], ...maps.map((map) => map[k])])];
}

// ---------------------------------------------------------------------------------------------------------- Python and links

const pythonOf = (value) => {
  if (value === null || value === undefined) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (Array.isArray(value)) return `[${value.map(pythonOf).join(", ")}]`;
  if (typeof value === "object") return `{${Object.entries(value).map((pair) => pair.map(pythonOf).join(": ")).join(", ")}}`;
  return JSON.stringify(value); // a number, or a text, whose escapes are those of Python
};
/** Python that brings an explorer of the same scene to the present state; the corner first, since pixels lie in the patch. */
function asPython(lab) {
  const value = (name) => (name === "date" ? lab.f.dates[lab.get(name)] : lab.get(name));
  return STATE.map((name) => `explorer.${name} = ${pythonOf(value(name))}\n`).join("");
}

const linkOf = (lab) => `${location.href.split("#")[0]}#${encodeURIComponent(JSON.stringify(lab.state()))}`;
/** Set what a link asks for. Values that are unknown or impossible here are ignored, and a sentence says so; "" otherwise. */
function readLink(lab, hash) {
  const text = hash.replace(/^#/, "");
  if (!text) return "";
  const given = stateIn(text);
  if (!given) return "The address holds no state of this explorer, which starts as it was saved.";
  const { f } = lab, values = {}, ignored = Object.keys(given).filter((name) => !STATE.includes(name));
  const within = (pair, first, count) => Array.isArray(pair) && pair.length === 2 &&
    pair.every((v, k) => isWhole(v, first[k], first[k] + count[k] - 1));
  const corner = () => values.corner ?? lab.get("corner"), inPatch = (pixel) => within(pixel, corner(), [f.patch, f.patch]);
  const optional = (name) => (f.labelled ? [name] : []);
  const possible = {
    corner: (v) => within(v, f.origin, [f.rows - f.patch + 1, f.columns - f.patch + 1]),
    pixel: inPatch,
    locked: (v) => v === null || inPatch(v),
    level: (v) => [...f.levels, "cross"].includes(v),
    head: (v) => isWhole(v, 0, f.heads),
    date: (v) => isWhole(v, 0, f.dates.length - 1),
    layer: (v) => [...f.bands.map((band) => band.name), ...optional("label"), "prediction"].includes(v),
    opacity: (v) => isNumber(v) && v >= 0 && v <= 1,
    only: (v) => ["", ...f.classes.map((crop) => crop.name), ...optional("wrong")].includes(v),
    edits: (v) => Array.isArray(v) && (!v.length || (f.live && canBeDone(lab, v, corner()))),
    show: (v) => ["after", "before", "difference"].includes(v),
  };
  for (const name of STATE.filter((one) => Object.hasOwn(given, one))) { // the corner comes first
    if (possible[name](given[name])) values[name] = given[name];
    else ignored.push(name);
  }
  if (!values.pixel && !inPatch(lab.get("pixel"))) values.pixel = corner().map((v) => v + f.patch / 2);
  if (values.locked === undefined && !possible.locked(lab.get("locked"))) values.locked = null;
  if (!values.edits && String(corner()) !== String(lab.get("corner"))) values.edits = lab.fitting(corner());
  lab.set(values, { undoable: false });
  const names = listed(ignored.map((name) => (name.length > 30 ? `${name.slice(0, 30)} …` : name)));
  return ignored.length ? `The link asks for what is unknown or impossible here; ignored: ${names}.` : "";
}
function stateIn(text) {
  try {
    const given = JSON.parse(decodeURIComponent(text));
    return isObject(given) ? given : null;
  } catch {
    return null;
  }
}
function canBeDone(lab, edits, corner) {
  try {
    checkEdits(edits, lab.sceneOf(corner), lab.f.heads);
    lab.values(edits, corner);
    return true;
  } catch {
    return false;
  }
}
