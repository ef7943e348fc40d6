// The attention explorer in the browser. All data are here from the start; nothing is asked of the kernel or of a network.
// The same file runs as an anywidget and, with `standalone`, in a saved page.

const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");
const NONE = 255; // class code without data or label
const DASHES = [[5, 3], [], [7, 3, 2, 3], [2, 2]]; // bands differ in colour, dashes and markers
// Anchors of viridis and of a brown-white-blue scale (for similarities of either sign), interpolated to 256 colours.
const VIRIDIS = lut(["440154", "482475", "414487", "355f8d", "2a788e", "21918c", "22a884", "44bf70", "7ad151", "bddf26", "fde725"]);
const DIVERGING = lut(["08306b", "2171b5", "6baed6", "c6dbef", "f7f7f7", "fdd0a2", "f1a340", "b35806", "7f3b08"]);

function lut(anchors) {
  const rgb = anchors.map((hex) => [0, 2, 4].map((i) => parseInt(hex.slice(i, i + 2), 16)));
  return Array.from({ length: 256 }, (_, k) => {
    const x = (k / 255) * (rgb.length - 1), i = Math.min(Math.floor(x), rgb.length - 2);
    return rgb[i].map((v, j) => Math.round(v + (x - i) * (rgb[i + 1][j] - v)));
  });
}
const css = (colour) => `rgb(${colour.join(",")})`;

// ------------------------------------------------------------------------------------------------ data and arithmetic

/** The arrays that Python packed (see explorer.py), unpacked once. */
function unpack(facts, raw) {
  const view = raw.buffer ? new Uint8Array(raw.buffer, raw.byteOffset, raw.byteLength) : new Uint8Array(raw);
  const bytes = view.slice().buffer; // a copy of our own starts aligned
  const kind = (name) => (name.startsWith("scale") ? Float32Array : /^(bands|temporal)/.test(name) ? Uint16Array : Uint8Array);
  return Object.fromEntries(Object.entries(facts.arrays).map(([name, [at, size]]) => [name, new (kind(name))(bytes, at, size)]));
}

class Patch {
  constructor(facts, raw) {
    this.f = facts;
    this.a = unpack(facts, raw);
    this.dates = facts.dates.length;
    this.classes = facts.labelled ? this.a.label : this.a.prediction;
  }
  size(level) {
    return level === 1 ? 4 : 8; // pixels along a cell
  }
  side(level) { return this.f.patch / this.size(level); }
  index([row, column]) { return (row - this.f.row) * this.f.patch + column - this.f.column; }
  cell([row, column], level) {
    const size = this.size(level);
    return Math.floor((row - this.f.row) / size) * this.side(level) + Math.floor((column - this.f.column) / size);
  }
  name(code) { return code === NONE ? "no data" : this.f.classes[code].name; }
  headName(head) { return head ? `head ${head}` : "the mean of the heads"; }
  timeLevel(level) { return level === "cross" ? this.f.levels[0] : level; }
  /** Weights that the cell of a pixel gives to all cells of a level. */
  spatial(pixel, level, head) {
    const n = this.side(level) ** 2, query = this.cell(pixel, level), cross = level === "cross";
    const codes = this.a[`spatial${level}`], scales = this.a[`scale${level}`], out = new Float64Array(n);
    const heads = cross ? [0] : head ? [head - 1] : [...Array(this.f.heads).keys()];
    for (const h of heads) {
      const scale = scales[h * n + query] / (cross ? 127 : 255), at = (h * n + query) * n;
      for (let k = 0; k < n; k++) out[k] += (codes[at + k] - (cross ? 128 : 0)) * scale;
    }
    if (heads.length > 1) for (let k = 0; k < n; k++) out[k] /= heads.length;
    return out;
  }
  /** Temporal weights, T asking x T answering dates. */
  temporal(level, head) {
    const n = this.dates ** 2, codes = this.a[`temporal${this.timeLevel(level)}`], out = new Float64Array(n);
    const heads = head ? [head - 1] : [...Array(this.f.heads).keys()];
    for (const h of heads) for (let k = 0; k < n; k++) out[k] += codes[h * n + k] / 65535;
    if (heads.length > 1) for (let k = 0; k < n; k++) out[k] /= heads.length;
    return out;
  }
  /** Weight that each date receives, the mean over the dates that ask. */
  received(level, head) {
    const T = this.dates, weights = this.temporal(level, head), out = new Float64Array(T);
    for (let q = 0; q < T; q++) for (let k = 0; k < T; k++) out[k] += weights[q * T + k];
    return out.map((v) => v / T);
  }
  /** The band of this name as a number; -1 if it is none. */
  band(name) {
    return this.f.bands.findIndex((band) => band.name === name);
  }
  /** Value of a band (by its number) in its unit; NaN without data. */
  value(band, date, index) {
    const code = this.a.bands[(band * this.dates + date) * this.f.patch ** 2 + index];
    return code === 65535 ? NaN : this.f.bands[band].low + this.f.bands[band].step * code;
  }
  /** The sentence in words; explorer.py says the same with `describe`. */
  describe(pixel, level, head) {
    const { f } = this, i = this.index(pixel), cross = level === "cross", side = this.side(level), size = this.size(level);
    const weights = this.spatial(pixel, level, head), order = ranked(weights), own = this.cell(pixel, level);
    const place = (cell) => {
      const top = f.row + Math.floor(cell / side) * size, left = f.column + (cell % side) * size;
      const where = cell === own ? "its own cell" : `rows ${top}–${top + size - 1}, columns ${left}–${left + size - 1}`;
      const value = weights[cell];
      return `${where} (${cross ? `cosine ${(Math.floor(100 * value + 0.5) / 100).toFixed(2)}` : percent(value)})`;
    };
    const mapped = `mapped as ${this.name(this.a.prediction[i])}`;
    const who = f.labelled ? `${this.name(this.a.label[i])}, ${mapped}` : mapped;
    let looks;
    if (cross) {
      looks = `across scales its level 1 is most like level 2 at ${place(order[0])}, least at ${place(order.at(-1))}`;
    } else if (isEven(weights)) {
      const most = percent(weights[order[0]]);
      looks = `level ${level}, ${this.headName(head)} looks at all ${weights.length} cells nearly alike (at most ${most} each)`;
    } else {
      const share = new Float64Array(NONE + 1);
      for (let p = 0; p < this.classes.length; p++) {
        const cell = Math.floor(p / f.patch / size) * side + Math.floor((p % f.patch) / size);
        share[this.classes[p]] += weights[cell] / size ** 2;
      }
      const best = ranked(share.subarray(0, NONE))[0];
      const spread = Math.exp(-weights.reduce((sum, w) => sum + (w > 0 ? w * Math.log(w) : 0), 0));
      looks =
        `level ${level}, ${this.headName(head)} looks mostly at ${place(order[0])} and ${place(order[1])}, with ` +
        `${percent(share[best])} of the weight on ${this.name(best)}; ` +
        `it spreads as over ${spread.toFixed(0)} of ${side ** 2} cells`;
    }
    const received = this.received(level, head), [first, second] = ranked(received);
    return (
      `Pixel row ${pixel[0]}, column ${pixel[1]} (${who}): ${looks}. In time, level ${this.timeLevel(level)}, ` +
      `${this.headName(head)}: ${f.dates[first]} and ${f.dates[second]} receive most (${percent(received[first])} and ` +
      `${percent(received[second])}; even would be ${percent(1 / this.dates)}), the same for the whole patch.`
    );
  }
}

const isEven = (weights) => weights.every((w) => w < 1.5 / weights.length);
const ranked = (values) => Array.from(values.keys()).sort((a, b) => values[b] - values[a] || a - b);
function percent(share) {
  const value = 100 * share;
  return value >= 9.95 ? `${Math.floor(value + 0.5)} %` : `${(Math.floor(10 * value + 0.5) / 10).toFixed(1)} %`;
}
const day = (iso) => `${Number(iso.slice(8, 10))} ${MONTHS[Number(iso.slice(5, 7)) - 1]}`;

// ------------------------------------------------------------------------------------------------------------ elements

function make(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else if (value !== false && value != null) node.setAttribute(key, value === true ? "" : value);
  }
  node.append(...children);
  return node;
}
const select = (label, options, change) =>
  make("select", { "aria-label": label, onchange: (e) => change(e.target.value) },
    ...options.map(([value, text]) => make("option", { value }, text)));
const labelled = (text, ...nodes) => make("label", {}, text, ...nodes);

/** A canvas of this size in CSS pixels, sharp on fine screens; returns [canvas, context]. */
function sheet(width, height, attributes) {
  const ratio = Math.max(1, window.devicePixelRatio || 1);
  const canvas = make("canvas", { width: width * ratio, height: height * ratio, ...attributes });
  canvas.style.width = `${width}px`;
  const context = canvas.getContext("2d");
  context.scale(ratio, ratio);
  return [canvas, context];
}
/** A small picture (pixels x pixels) for `drawImage`; `colour(k)` gives [r, g, b, alpha 0..255]. */
function picture(side, colour) {
  const canvas = make("canvas", { width: side, height: side }), image = new ImageData(side, side);
  for (let k = 0; k < side * side; k++) image.data.set(colour(k), 4 * k);
  canvas.getContext("2d").putImageData(image, 0, 0);
  return canvas;
}

// ---------------------------------------------------------------------------------------------------------------- view

// Sizes in CSS pixels, made to stand side by side in a notebook; narrower places shrink the canvases as pictures.
const LEFT = 34, BOTTOM = 20, SIDE = 336; // of a scene
const CHART = { width: 540, left: 62, right: 30, matrix: 222, bars: 70, curves: 180, gap: 28, foot: 56 };

function render({ model, el }) {
  const patch = new Patch(model.get("facts"), model.get("data")), { f } = patch;
  const get = (name) => model.get(name);
  const set = (values) => {
    for (const [name, value] of Object.entries(values)) model.set(name, value);
    model.save_changes();
    schedule();
  };
  let hover = null, frame = 0, since = 0, filter = "";

  // ------------------------------------------------------------------------------------------------ controls
  const layers = [...f.bands.map((band) => [band.name, band.label]), ...(f.labelled ? [["label", "Reference"]] : []), ["prediction", "Crop map"]];
  const layer = select("Image", layers, (value) => set({ layer: value }));
  const slider = (label, name, range) =>
    make("input", { type: "range", ...range, "aria-label": label, oninput: (e) => set({ [name]: +e.target.value }) });
  const date = slider("Date", "date", { min: 0, max: patch.dates - 1 });
  const dateText = make("span", { class: "value" });
  const cells = (level) => `${patch.side(level)} × ${patch.side(level)} cells`;
  const levels = [...f.levels.map((l) => [l, `Level ${l} (${cells(l)})`]), ["cross", `Cross-scale (${cells("cross")})`]];
  const level = select("Level", levels, (value) => set({ level: value === "cross" ? value : +value }));
  const headNames = [...Array(f.heads).keys()].map((h) => [h + 1, `Head ${h + 1}`]);
  const head = select("Head", [...headNames, [0, "Mean of heads"]], (value) => set({ head: +value }));
  const opacity = slider("Opacity of the attention", "opacity", { min: 0, max: 1, step: 0.05 });
  const number = (name, position) =>
    make("input", {
      type: "number", min: f[name], max: f[name] + f.patch - 1, "aria-label": `Pixel ${name}`,
      onchange: (e) => {
        const pixel = [...get("pixel")];
        pixel[position] = clamp(Math.round(+e.target.value || 0), name);
        set({ pixel });
      },
    });
  const clamp = (value, name) => Math.min(Math.max(value, f[name]), f[name] + f.patch - 1);
  const row = number("row", 0), column = number("column", 1);
  const lock = make("button", { type: "button", onclick: () => (get("locked") ? set({ locked: null }) : toggleLock(get("pixel"))) });
  const present = [...new Set(patch.classes)].filter((code) => code !== NONE).sort((a, b) => a - b);
  const wrong = f.labelled ? [["wrong", "mapped wrongly"]] : [];
  const choices = [["", "all classes"], ...present.map((code) => [code, patch.name(code)]), ...wrong];
  const only = select("Show only", choices, (value) => { filter = value; schedule(); });
  const step = (by, text, label) => make("button", { type: "button", "aria-label": label, onclick: () => walk(by) }, text);
  const sentence = make("p", { "aria-live": "polite", class: "sentence" });
  const copy = make("button", { type: "button", onclick: () => copyText(sentence.textContent, copy) }, "Copy");

  // -------------------------------------------------------------------------------------------------- panels
  const total = SIDE + LEFT + 4;
  const keys = "Scene. Arrow keys move the pixel (with Shift by 8), Enter locks, Escape unlocks, Page Up and Down change the date.";
  const [scene, ink] = sheet(total, SIDE + BOTTOM + 4, { class: "scene", tabindex: 0, role: "application", "aria-label": keys });
  const [other, otherInk] = sheet(total, SIDE + BOTTOM + 4, { role: "img" });
  const sceneTitle = make("figcaption"), otherTitle = make("figcaption");
  const scale = make("div", { class: "scale" }), legend = make("div", { class: "legend" });
  const hint = make("p", { class: "hint" }, "Point at a pixel; click or press Enter to lock it and compare it with others.");
  const otherFigure = make("figure", {}, otherTitle, other);
  const height = CHART.matrix + CHART.bars + CHART.curves + 2 * CHART.gap + CHART.foot;
  const [chart, pen] = sheet(CHART.width, height, { role: "img", onclick: (e) => pickDate(e) });
  const chartTitle = make("figcaption");
  const rows = make("tbody");
  const columns = ["Date", ...f.bands.map((band) => `${band.label} (${band.unit})`), "weight received"].map((text) => make("th", { scope: "col" }, text));
  const table = make("details", { ontoggle: () => schedule() }, make("summary", {}, "Values of this pixel as a table"),
    make("table", {}, make("thead", {}, make("tr", {}, ...columns)), rows));
  const note = make("p", { class: "hint", style: "margin-left: 0; max-width: 540px" },
    "Attention tells where the network looked, not what decided. A date attends with all pixels of the patch, " +
      "so the temporal map is the same for every pixel. Dates stand at even distances.");
  const root = make("section", { class: "stma", "aria-label": "Attention explorer", "data-lm-suppress-shortcuts": "true" },
    make("div", { class: "bar" }, labelled("Image", layer), labelled("Date", date, dateText), labelled("Level", level),
      labelled("Head", head), labelled("Opacity", opacity)),
    make("div", { class: "bar" }, labelled("Pixel row", row), labelled("column", column), lock, labelled("Show only", only),
      step(-1, "◂ Previous", "Previous pixel of this class"), step(1, "Next ▸", "Next pixel of this class")),
    make("div", { class: "words" }, sentence, copy),
    make("div", { class: "panels" },
      make("div", {}, make("figure", {}, sceneTitle, scene), scale, legend, hint, otherFigure),
      make("div", {}, make("figure", {}, chartTitle, chart), note, table)));
  el.replaceChildren(root);

  // --------------------------------------------------------------------------------------------------- input
  function pixelAt(event) {
    const box = scene.getBoundingClientRect(), zoom = box.width / total;
    const at = (pixels, start, name) => f[name] + Math.floor(((pixels / zoom - start) / SIDE) * f.patch);
    const pixel = [at(event.clientY - box.top, 2, "row"), at(event.clientX - box.left, LEFT, "column")];
    return pixel[0] === clamp(pixel[0], "row") && pixel[1] === clamp(pixel[1], "column") ? pixel : null;
  }
  scene.addEventListener("pointermove", (event) => {
    const pixel = pixelAt(event);
    if (String(pixel) === String(hover)) return;
    hover = pixel;
    schedule();
  });
  scene.addEventListener("pointerleave", () => { hover = null; schedule(); });
  scene.addEventListener("click", (event) => {
    const pixel = pixelAt(event);
    if (pixel) toggleLock(pixel);
  });
  function toggleLock(pixel) { set({ pixel, locked: String(get("locked")) === String(pixel) ? null : pixel }); }
  const MOVES = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
  scene.addEventListener("keydown", (event) => {
    const [r, c] = get("pixel"), far = event.shiftKey ? 8 : 1, turn = { PageUp: -1, PageDown: 1 }[event.key];
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (MOVES[event.key]) {
      const [down, right] = MOVES[event.key];
      hover = null;
      set({ pixel: [clamp(r + far * down, "row"), clamp(c + far * right, "column")] });
    } else if (turn) set({ date: Math.min(Math.max(get("date") + turn, 0), patch.dates - 1) });
    else if (event.key === "Enter" || event.key === " ") toggleLock([r, c]);
    else if (event.key === "Escape" && get("locked")) set({ locked: null });
    else return;
    event.preventDefault();
  });
  // Notebooks listen to keys around us: what is typed here is meant for us.
  root.addEventListener("keydown", (event) => { if (event.key !== "Tab") event.stopPropagation(); });
  function matches(p) {
    if (filter === "") return true;
    if (filter !== "wrong") return patch.classes[p] === +filter;
    return patch.a.label[p] !== NONE && patch.a.label[p] !== patch.a.prediction[p];
  }
  /** The next pixel that passes the filter, in reading order of the cells: one a cell, so that every step shows another map. */
  function walk(by) {
    const found = new Map(), size = f.patch ** 2;
    for (let p = 0; p < size; p++) {
      const pixel = [f.row + Math.floor(p / f.patch), f.column + (p % f.patch)], cell = patch.cell(pixel, get("level"));
      if (matches(p) && !found.has(cell)) found.set(cell, pixel);
    }
    const own = patch.cell(get("pixel"), get("level")), order = [...found.keys()].sort((a, b) => by * (a - b));
    if (!order.length) return;
    hover = null;
    set({ pixel: found.get(order.find((cell) => by * (cell - own) > 0) ?? order[0]) });
  }
  function pickDate(event) {
    const box = chart.getBoundingClientRect(), x = (event.clientX - box.left) * (CHART.width / box.width) - CHART.left;
    const index = Math.floor((x / (CHART.width - CHART.left - CHART.right)) * patch.dates);
    if (index >= 0 && index < patch.dates) set({ date: index });
  }

  // ------------------------------------------------------------------------------------------------- drawing
  function schedule() {
    if (frame) return;
    since = performance.now();
    frame = requestAnimationFrame(draw);
  }

  function draw() {
    frame = 0;
    const began = performance.now();
    const locked = get("locked"), shown = hover ?? get("pixel");
    const now = { level: get("level"), head: get("head"), date: get("date") };
    const heads = now.level === "cross" ? "cross-scale similarity" : `level ${now.level}, ${patch.headName(now.head)}`;
    layer.value = get("layer"); date.value = now.date; level.value = now.level; head.value = now.head;
    opacity.value = get("opacity"); [row.value, column.value] = get("pixel");
    dateText.textContent = f.dates[now.date];
    date.setAttribute("aria-valuetext", f.dates[now.date]);
    lock.textContent = locked ? "Unlock" : "Lock to compare";
    const weights = patch.spatial(shown, now.level, now.head);
    const lockedWeights = locked && patch.spatial(locked, now.level, now.head);
    // One scale for both; an even map is not to look bright.
    const bound = [...weights, ...(lockedWeights ?? [])].reduce((most, w) => Math.max(most, Math.abs(w)), 2 / weights.length);
    const base = baseImage();
    drawScene(ink, base, shown, weights, bound, locked);
    sceneTitle.replaceChildren(`Row ${shown[0]}, column ${shown[1]} `, make("small", {}, heads));
    otherFigure.hidden = !locked; hint.hidden = Boolean(locked);
    let words = patch.describe(shown, now.level, now.head);
    if (locked) {
      drawScene(otherInk, base, locked, lockedWeights, bound, null);
      otherTitle.replaceChildren("Locked: ", `row ${locked[0]}, column ${locked[1]}`);
      other.setAttribute("aria-label", patch.describe(locked, now.level, now.head));
      const value = lockedWeights[patch.cell(shown, now.level)];
      const gives = now.level === "cross" ? `has cosine ${value.toFixed(2)} with` : `gives ${percent(value)} of its attention to`;
      const its = patch.name(patch.classes[patch.index(locked)]);
      words += ` The locked pixel, row ${locked[0]}, column ${locked[1]} (${its}), ${gives} the cell of this one.`;
    }
    if (sentence.textContent !== words) sentence.textContent = words;
    drawScale(bound, now.level); drawLegend(); drawChart(shown, locked, now);
    if (table.open) fillTable(shown, now);
    root.dataset.draw = (performance.now() - began).toFixed(2); // milliseconds, for measuring
    root.dataset.paint = (performance.now() - since).toFixed(2);
  }

  let cached = ["", null, ""];
  /** The picture under the attention: [canvas, text of its scale]; made anew only when layer, date or filter change. */
  function baseImage() {
    const name = get("layer"), t = get("date"), key = [name, t, filter].join();
    if (cached[0] === key) return cached[1];
    const size = f.patch ** 2;
    let colour;
    const band = patch.band(name);
    if (band >= 0) {
      const values = Float64Array.from({ length: size }, (_, p) => patch.value(band, t, p));
      const known = values.filter(Number.isFinite).sort();
      const low = known[Math.floor(0.02 * known.length)] ?? 0, high = known[Math.floor(0.98 * (known.length - 1))] ?? 1;
      const grey = (value) => Array(3).fill(25 + (215 * (value - low)) / (high - low || 1));
      colour = (p) => (Number.isFinite(values[p]) ? grey(values[p]) : [255, 255, 255]);
      cached[2] = known.length ? [low, high] : null;
    } else {
      const rgb = f.classes.map((c) => [1, 3, 5].map((i) => parseInt(c.colour.slice(i, i + 2), 16)));
      colour = (p) => rgb[patch.a[name][p]] ?? [255, 255, 255];
      cached[2] = null;
    }
    const wash = (rgb) => rgb.map((v) => 235 + 0.08 * (v - 128));
    cached[0] = key;
    cached[1] = picture(f.patch, (p) => [...(matches(p) ? colour(p) : wash(colour(p))), 255]);
    return cached[1];
  }

  function drawScene(g, base, pixel, weights, bound, locked) {
    const lev = get("level"), cross = lev === "cross", side = patch.side(lev), unit = SIDE / f.patch, cellSide = SIDE / side;
    const text = (string, x, y, align, base) => { g.textAlign = align; g.textBaseline = base; g.fillText(string, x, y); };
    g.clearRect(0, 0, total, SIDE + BOTTOM + 4); g.save(); g.translate(LEFT, 2); g.imageSmoothingEnabled = false;
    g.drawImage(base, 0, 0, SIDE, SIDE);
    const over = picture(side, (k) => {
      const x = weights[k] / bound, colour = cross ? DIVERGING[Math.round(127.5 * (x + 1))] : VIRIDIS[Math.round(255 * x)];
      return [...colour, 255 * get("opacity") * (0.1 + 0.9 * Math.abs(x) ** 0.6)]; // weak weights let the picture through
    });
    g.drawImage(over, 0, 0, SIDE, SIDE);
    const box = (left, top, w, outer, inner, dash = []) => {
      for (const [colour, width] of [[outer, 4], [inner, 2]]) {
        g.strokeStyle = colour; g.lineWidth = width; g.setLineDash(width === 2 ? dash : []); g.strokeRect(left, top, w, w);
      }
      g.setLineDash([]);
    };
    const corner = (cell) => [(cell % side) * cellSide, Math.floor(cell / side) * cellSide];
    const named = cross ? 1 : isEven(weights) ? 0 : 2; // the cells that the sentence names
    ranked(weights).slice(0, named).forEach((cell, rank) => {
      const [left, top] = corner(cell), beside = cellSide < 24 ? cellSide : 4; // a small cell has its number beside it
      box(left + 1, top + 1, cellSide - 2, "#000", "#fff");
      g.font = "600 12px system-ui, sans-serif"; g.fillStyle = "#000"; g.fillRect(left + beside, top + 4, 12, 14);
      g.fillStyle = "#fff";
      text(rank + 1, left + beside + 6, top + 11, "center", "middle");
    });
    const mark = ([r, c], outer, inner, dash) => {
      const w = Math.max(unit, 7), shift = (w - unit) / 2;
      box((c - f.column) * unit - shift, (r - f.row) * unit - shift, w, outer, inner, dash);
    };
    if (locked) mark(locked, "#fff", "#000", [2, 2]);
    mark(pixel, "#fff", "#d4006a");
    g.fillStyle = "#505a64"; g.font = "12px system-ui, sans-serif";
    for (let k = 0; k < f.patch; k += f.patch / 8) {
      text(f.row + k, -5, Math.max((k + 0.5) * unit, 5), "right", "middle");
      text(f.column + k, (k + 0.5) * unit, SIDE + 5, "center", "top");
    }
    g.restore();
  }
  function drawScale(bound, lev) {
    const cross = lev === "cross", colours = (cross ? DIVERGING : VIRIDIS).filter((_, k) => k % 15 === 0).map(css);
    const bar = make("i", { style: `background: linear-gradient(to right, ${colours.join()})` });
    const ends = cross ? [(-bound).toFixed(2), bound.toFixed(2), "cosine"] : ["0 %", percent(bound), "of its attention"];
    scale.replaceChildren(ends[0], bar, `${ends[1]} ${ends[2]}`);
  }
  function drawLegend() {
    const name = get("layer"), range = cached[2];
    const swatch = (colour, text) => make("span", {}, make("i", { style: `background: ${colour}` }), text);
    if (range) {
      const { label, unit } = f.bands[patch.band(name)];
      const [low, high] = range.map((v) => (unit === "dB" ? v.toFixed(1) : +v.toPrecision(3)));
      legend.replaceChildren(`Grey: ${label} from ${low} (dark) to ${high} ${unit} (bright), ${f.dates[get("date")]}`);
    } else if (patch.band(name) >= 0) {
      legend.replaceChildren("No data on this date");
    } else {
      const codes = [...new Set(patch.a[name])].filter((code) => code !== NONE).sort((a, b) => a - b);
      legend.replaceChildren(...codes.map((code) => swatch(f.classes[code].colour, patch.name(code))));
    }
  }

  /** Temporal map, weights and curves over one axis of dates. */
  function drawChart(shown, locked, now) {
    const { width, left, right, matrix, bars, curves, gap } = CHART, g = pen, grey = "#505a64";
    const T = patch.dates, every = Math.ceil(T / 20), wide = width - left - right, w = wide / T, x = (t) => left + (t + 0.5) * w;
    const map = patch.temporal(now.level, now.head), got = patch.received(now.level, now.head), most = Math.max(...map) || 1;
    const which = `level ${patch.timeLevel(now.level)}, ${now.head ? `head ${now.head}` : "mean"}; brightest ${percent(most)}`;
    chartTitle.replaceChildren("Dates (rows) attend to dates (columns) ", make("small", {}, which));
    g.clearRect(0, 0, width, height); g.font = "12px system-ui, sans-serif"; g.lineWidth = 1; g.textBaseline = "middle";
    const text = (string, at, y, align, colour = grey) => { g.fillStyle = colour; g.textAlign = align; g.fillText(string, at, y); };
    const h = matrix / T;
    for (let q = 0; q < T; q++) for (let k = 0; k < T; k++) {
      g.fillStyle = css(VIRIDIS[Math.round((255 * map[q * T + k]) / most)]); g.fillRect(left + k * w, q * h, w + 0.5, h + 0.5);
    }
    const ink = (t) => (t === now.date ? "#d4006a" : grey);
    for (let q = 0; q < T; q += Math.ceil(13.5 / h)) text(day(f.dates[q]), left - 6, (q + 0.5) * h, "right", ink(q));
    for (const [colour, line] of [["#fff", 4], ["#d4006a", 2]]) {
      g.strokeStyle = colour; g.lineWidth = line; g.strokeRect(left, now.date * h, wide, h);
    }
    // the weight received
    const top1 = matrix + gap, asked = map.subarray(now.date * T, now.date * T + T), high = Math.max(...got, ...asked, 1e-9);
    text("Weight each date receives", left, top1 - 12, "left", "#1a1a1a");
    text(`– asked by ${day(f.dates[now.date])}`, width - right, top1 - 12, "right", "#d4006a");
    for (let t = 0; t < T; t++) {
      g.fillStyle = "#8a94a0"; g.fillRect(x(t) - 0.36 * w, top1 + bars * (1 - got[t] / high), 0.72 * w, (bars * got[t]) / high);
      g.fillStyle = "#d4006a"; g.fillRect(x(t) - 0.45 * w, top1 + bars * (1 - asked[t] / high) - 1, 0.9 * w, 2);
    }
    text(percent(high), left - 6, top1 + 4, "right"); text("0 %", left - 6, top1 + bars, "right");
    // the curves, on columns as grey as their dates receive weight
    const top2 = top1 + bars + gap, sets = [...(locked ? [[locked, 0.4]] : []), [shown, 1]];
    const course = (band, pixel) => f.dates.map((_, t) => patch.value(band, t, patch.index(pixel)));
    const unit = f.bands[0].unit, decibel = unit === "dB"; // one axis, one unit: the first band's
    const drawn = f.bands.map((_, band) => band).filter((band) => f.bands[band].unit === unit);
    const series = sets.flatMap(([pixel, alpha]) => drawn.map((band) => ({ band, alpha, db: course(band, pixel) })));
    const all = series.flatMap((s) => s.db).filter(Number.isFinite);
    const under = Math.min(...all, ...(decibel ? [-8] : [])), over = Math.max(...all, ...(decibel ? [-10] : []));
    const room = decibel ? 0.5 : (over - under || 1) / 20;
    const low = decibel ? Math.floor(under - room) : under - room, up = decibel ? Math.ceil(over + room) : over + room;
    const y = (db) => top2 + (curves * (up - db)) / (up - low), peak = Math.max(...got);
    text(decibel ? "Backscatter of the pixel (dB)" : `Values of the pixel (${unit})`, left, top2 - 12, "left", "#1a1a1a");
    if (locked) text("faint: locked pixel", width - right, top2 - 12, "right");
    for (let t = 0; t < T; t++) {
      g.fillStyle = `rgba(60, 70, 80, ${(0.28 * got[t]) / peak})`; g.fillRect(left + t * w, top2, w, curves);
    }
    g.lineWidth = 1; g.strokeStyle = "#d5dae0";
    const tick = decibel ? 5 : 10 ** Math.floor(Math.log10(up - low)) / (up - low < 2.5 * 10 ** Math.floor(Math.log10(up - low)) ? 2 : 1);
    for (let db = Math.ceil(low / tick) * tick; db <= up; db += tick) {
      g.beginPath(); g.moveTo(left, y(db)); g.lineTo(width - right, y(db)); g.stroke();
      text(decibel ? db : +db.toPrecision(3), left - 6, y(db), "right");
    }
    for (const { band, alpha, db } of series) {
      const { colour, label } = f.bands[band];
      g.globalAlpha = alpha; g.strokeStyle = g.fillStyle = colour; g.lineWidth = 2; g.setLineDash(DASHES[band % DASHES.length]);
      g.beginPath();
      db.forEach((v, t) => {
        if (Number.isFinite(v)) Number.isFinite(db[t - 1]) ? g.lineTo(x(t), y(v)) : g.moveTo(x(t), y(v)); // gaps stay gaps
      });
      g.stroke(); g.setLineDash([]);
      db.forEach((v, t) => {
        if (!Number.isFinite(v)) return;
        g.beginPath();
        if (band % 2) g.arc(x(t), y(v), 3.2, 0, 7);
        else g.rect(x(t) - 3, y(v) - 3, 6, 6);
        g.fill();
      });
      const last = db.findLast(Number.isFinite);
      if (alpha === 1 && last !== undefined) text(label.length > 4 ? `${label.slice(0, 3)}…` : label, width - right + 5, y(last), "left", colour);
      g.globalAlpha = 1;
    }
    g.setLineDash([3, 3]); g.strokeStyle = "#d4006a"; g.lineWidth = 1.2; g.beginPath();
    g.moveTo(x(now.date), matrix); g.lineTo(x(now.date), top2 + curves); g.stroke(); g.setLineDash([]);
    for (let t = 0; t < T; t += every) {
      g.save(); g.translate(x(t) + 4, top2 + curves + 8); g.rotate(-Math.PI / 3.2);
      text(day(f.dates[t]), 0, 0, "right", ink(t));
      g.restore();
    }
    const best = ranked(got)[0], most1 = `${f.dates[best]} receives most, ${percent(got[best])}`;
    chart.setAttribute("aria-label", `Temporal attention and backscatter; ${most1}. Values in the table below.`);
  }
  function fillTable(shown, now) {
    const got = patch.received(now.level, now.head), index = patch.index(shown);
    const written = (value, unit) => (unit === "dB" ? value.toFixed(2) : `${+value.toPrecision(4)}`);
    const shownValue = (value, unit) => (Number.isFinite(value) ? written(value, unit) : "no data");
    const values = (t) => f.bands.map(({ unit }, band) => shownValue(patch.value(band, t, index), unit));
    const line = (t) => [...values(t), percent(got[t])].map((value) => make("td", {}, value));
    rows.replaceChildren(...f.dates.map((text, t) => make("tr", {}, make("th", { scope: "row" }, text), ...line(t))));
  }

  const watched = ["pixel", "level", "head", "date", "layer", "opacity", "locked"].map((name) => `change:${name}`);
  watched.forEach((name) => model.on(name, schedule));
  draw();
  return () => {
    cancelAnimationFrame(frame);
    watched.forEach((name) => model.off(name, schedule));
  };
}

function copyText(text, button) {
  const done = () => { button.textContent = "Copied"; setTimeout(() => (button.textContent = "Copy"), 1500); };
  const old = () => { // where the clipboard is not allowed, as in some frames
    const field = make("textarea"); field.value = text;
    document.body.append(field); field.select(); document.execCommand("copy"); field.remove(); button.focus(); done();
  };
  if (navigator.clipboard) navigator.clipboard.writeText(text).then(done, old);
  else old();
}

/** Run without a kernel: the state stands in the page. */
function standalone(el) {
  const read = (id) => document.getElementById(id).textContent;
  const state = { ...JSON.parse(read("state")), data: Uint8Array.from(atob(read("data")), (c) => c.charCodeAt(0)) };
  const set = (name, value) => { state[name] = value; };
  const model = { get: (name) => state[name], set, save_changes() {}, on() {}, off() {} };
  render({ model, el });
}

export default { render };
