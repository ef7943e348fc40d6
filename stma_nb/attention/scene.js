// The pictures of space: the whole scene with a frame around the patch, and the patch with what the network looks at.

const VEIL = [110, 0, 84]; // attention over a picture: the more, the less the picture shows through
const MIDDLE = [128, 128, 128]; // what the bars of a legend are drawn over
/** How pale classes stand under attention of this opacity. */
const paleness = (opacity) => 0.65 * opacity;
const GROUND = [255, 255, 255]; // under the classes of a picture, in light and in dark: their colours mean the same in both

/** Grey values of a band on a date for drawing: {low, high} are the 2nd and 98th percentile of what is known. */
function greyRange(values) {
  const known = values.filter(Number.isFinite).sort();
  if (!known.length) return null;
  return { low: known[Math.floor(0.02 * known.length)], high: known[Math.floor(0.98 * (known.length - 1))] };
}
const greyOf = (value, { low, high }) => Array(3).fill(clampTo(25 + (215 * (value - low)) / (high - low || 1), 0, 255));
const mix = (colour, other, share) => colour.map((v, i) => v + share * (other[i] - v));
const rgbOf = (text) => text.match(/[\d.]+/g).slice(0, 3).map(Number);

/** The map of the whole scene, made patch by patch in the background: classes, and how undecided the network is. */
class SceneMap {
  constructor(lab) {
    this.lab = lab;
    const size = lab.f.rows * lab.f.columns;
    this.classes = new Uint8Array(size).fill(NONE);
    this.entropy = new Float32Array(size).fill(NaN); // 0 sure, 1 all classes alike
    this.done = 0; this.corners = null;
  }
  /** Start, or go on; the patches near the present one come first. */
  start() {
    if (this.corners || !this.lab.f.live) return;
    const { origin: [top, left], rows, columns, patch } = this.lab.f, [r, c] = this.lab.get("corner");
    const steps = (first, length) => [...new Set([...Array(Math.ceil(length / patch)).keys()].map((k) => first + Math.min(k * patch, length - patch)))];
    this.corners = steps(top, rows).flatMap((row) => steps(left, columns).map((column) => [row, column]));
    this.corners.sort((a, b) => Math.hypot(a[0] - r, a[1] - c) - Math.hypot(b[0] - r, b[1] - c));
    this.work();
  }
  async work() {
    for (const corner of this.corners) {
      const result = await this.lab.compute(this.lab.measured(corner), [], { corner, place: "back" }).catch(() => null);
      if (!result) return;
      this.take(result);
      this.lab.tell();
    }
  }
  take(result) {
    const { patch, classes } = this.lab.f, size = patch ** 2, most = Math.log(classes.length);
    for (let p = 0; p < size; p++) {
      const at = this.lab.at(p, result.corner);
      this.classes[at] = result.prediction[p];
      if (result.prediction[p] === NONE) continue;
      this.entropy[at] = result.probabilities(p).reduce((sum, q) => sum - (q > 0 ? q * Math.log(q) : 0), 0) / most;
    }
    this.done++;
  }
  get share() { return this.corners ? this.done / this.corners.length : 0; }
  wrong(at) { const label = this.lab.a.label?.[at] ?? NONE; return label !== NONE && this.classes[at] !== NONE && label !== this.classes[at]; }
}

/** The whole scene: where the patch lies, and where to go. */
function overviewPanel(lab, ui) {
  const { f } = lab, map = new SceneMap(lab), { rows, columns, origin: [top, left], patch } = f;
  const choices = [...f.bands.map((band) => [band.name, band.label]), ...(f.labelled ? [["label", "Reference"]] : []), ["map", "Crop map"],
    ...(f.labelled ? [["errors", "Errors"]] : []), ["entropy", "Doubt (entropy)"]];
  const layer = select("Scene shows", choices, (value) => { if (needsMap(value)) map.start(); shown = value; draw(); });
  let shown = (layer.value = f.bands[0].name);
  const needsMap = (name) => ["map", "errors", "entropy"].includes(name);
  const [canvas, pen] = sheet(200, 200, { class: "overview", tabindex: 0, role: "application",
    "aria-label": "The whole scene. Arrow keys move the patch by 8 pixels, with Shift by its side." });
  const note = make("p", { class: "hint" }), keyLegend = make("div", { class: "legend" });
  const crops = f.labelled ? [...new Set(lab.a.label)].filter((code) => code !== NONE).sort((a, b) => a - b) : [];
  const crop = select("Crop to go to", crops.map((code) => [code, lab.name(code)]), () => {});
  const nextCrop = button("Next field", () => jump((at) => lab.a.label[at] === +crop.value, "crop"), { "aria-label": "Next field of this crop" });
  const nextError = button("Next error", async () => { map.start(); jump((at) => map.wrong(at), "error"); });
  const jumps = make("div", { class: "jumps" }, ...(crops.length ? [crop, nextCrop] : []), ...(f.labelled ? [nextError] : []));
  let zoom = 1, dragged = null;

  const size = () => [columns * zoom, rows * zoom];
  const placeOf = (event) => {
    const box = canvas.getBoundingClientRect();
    return [top + (event.clientY - box.top) / zoom - patch / 2, left + (event.clientX - box.left) / zoom - patch / 2];
  };
  canvas.addEventListener("pointerdown", (event) => {
    if (event.pointerType === "touch") return; // a finger may be scrolling: it moves the patch by a tap
    canvas.setPointerCapture(event.pointerId);
    const steps = lab.past.length;
    lab.moveTo(placeOf(event));
    dragged = { corner: lab.get("corner"), x: event.clientX, y: event.clientY, steps };
  });
  canvas.addEventListener("pointermove", (event) => { // by how far, not where: what stands above may grow meanwhile
    if (!dragged) return;
    const { corner: [row, column], x, y, steps } = dragged;
    const undoable = lab.past.length === steps; // one step for the whole drag
    lab.moveTo([row + (event.clientY - y) / zoom, column + (event.clientX - x) / zoom], { undoable });
  });
  for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, () => { dragged = null; });
  canvas.addEventListener("click", (event) => { if (event.pointerType === "touch") lab.moveTo(placeOf(event)); });
  canvas.addEventListener("keydown", (event) => {
    const move = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key], far = event.shiftKey ? patch : 8;
    if (!move) return;
    event.preventDefault();
    lab.moveTo(lab.get("corner").map((v, k) => v + far * move[k]));
    ui.say(`Patch at row ${lab.get("corner")[0]}, column ${lab.get("corner")[1]}.`);
  });

  /** Go to the next field, in reading order of blocks, that has a pixel of the kind asked for. */
  function jump(wanted, what) {
    const seen = new Map(); // one place a field (or a block of 16 pixels)
    for (let at = 0; at < rows * columns; at++) {
      if (!wanted(at)) continue;
      const row = Math.floor(at / columns), column = at % columns;
      const field = lab.a.parcel?.[at] || `${row >> 4}.${column >> 4}`;
      if (!seen.has(field)) seen.set(field, []);
      seen.get(field).push(at);
    }
    const places = [...seen.values()].filter((list) => list.length > 3).map((list) => list[list.length >> 1]).sort((a, b) => a - b);
    if (!places.length) {
      note.textContent = what === "error" && map.share < 1 ? "The map of the scene is still being made: ask again in a moment." : `No ${what} found.`;
      return ui.say(note.textContent);
    }
    const [r, c] = lab.get("pixel"), here = (r - top) * columns + (c - left), at = places.find((place) => place > here) ?? places[0];
    lab.goTo([top + Math.floor(at / columns), left + (at % columns)]);
  }

  let cached = ["", null, null];
  function image() {
    const t = lab.get("date"), band = lab.band(shown), key = [shown, band >= 0 ? t : "", map.done].join();
    if (cached[0] === key) return cached;
    const rgb = f.classes.map((crop) => hexColour(crop.colour)), size = rows * columns;
    let colour, range = null;
    if (band >= 0) {
      const values = Float32Array.from({ length: size }, (_, at) => lab.sceneValue(band, t, at));
      range = greyRange(values);
      colour = (at) => (Number.isFinite(values[at]) ? greyOf(values[at], range) : GROUND);
    } else if (shown === "label") colour = (at) => rgb[lab.a.label[at]] ?? GROUND;
    else if (shown === "map") colour = (at) => rgb[map.classes[at]] ?? GROUND;
    else if (shown === "errors") colour = (at) => (map.wrong(at) ? [213, 94, 0] : map.classes[at] === NONE ? GROUND : mix(GROUND, MIDDLE, 0.4));
    else colour = (at) => (Number.isFinite(map.entropy[at]) ? VIRIDIS[Math.round(255 * Math.min(1, map.entropy[at]))] : GROUND);
    cached = [key, picture(columns, (at) => [...colour(at), 255], rows), range];
    return cached;
  }
  function draw() {
    const width = ui.overviewWidth();
    zoom = Math.min(width / columns, 300 / rows);
    resize(canvas, pen, ...size());
    const [, base, range] = image();
    pen.imageSmoothingEnabled = zoom < 1;
    pen.drawImage(base, 0, 0, ...size());
    const [r, c] = lab.get("corner"), side = patch * zoom, x = (c - left) * zoom, y = (r - top) * zoom;
    for (const [colour, line] of [["#fff", 4], ["#d4006a", 2]]) { pen.strokeStyle = colour; pen.lineWidth = line; pen.strokeRect(x, y, side, side); }
    if (f.pixel) scaleBar(pen, f.pixel, zoom, columns * zoom, rows * zoom);
    const making = needsMap(shown) && map.share < 1 ? ` The map is being made: ${percent(map.share)}.` : "";
    const unit = range && f.bands[lab.band(shown)].unit;
    const words = range ? `${fixed(range.low, 1)} (dark) to ${fixed(range.high, 1)} ${unit}, ${f.dates[lab.get("date")]}`
      : { errors: "Orange: mapped otherwise than the reference", entropy: "Dark: sure; yellow: undecided" }[shown] ?? "";
    note.textContent = `${words}${words && making ? "." : ""}${making}`;
    keyLegend.hidden = !["label", "map"].includes(shown);
    if (!keyLegend.hidden) keyLegend.replaceChildren(...[...new Set(shown === "label" ? lab.a.label : map.classes)].filter((code) => code !== NONE)
      .sort((a, b) => a - b).map((code) => swatch(f.classes[code].colour, lab.name(code))));
  }
  const caption = make("figcaption", {}, "Scene ", make("small", {}, `${rows} × ${columns} pixels${f.pixel ? `, ${fixed((rows * f.pixel) / 1000, 1)} × ${fixed((columns * f.pixel) / 1000, 1)} km` : ""}; drag the frame`));
  const element = make("div", { class: "overview-panel" }, make("figure", {}, caption, layer, canvas), note, keyLegend, jumps);
  return { element, draw, map, canvas };
}

/** A scale bar of a round length at the lower left. */
function scaleBar(pen, metres, zoom, width, height) {
  const most = (width / 3 / zoom) * metres, power = 10 ** Math.floor(Math.log10(most)), length = [5, 2, 1].map((n) => n * power).find((n) => n <= most) ?? power;
  const long = (length / metres) * zoom, text = length < 1000 ? `${length} m` : `${length / 1000} km`;
  pen.save();
  pen.font = "600 11px system-ui, sans-serif";
  const wide = Math.max(long, pen.measureText(text).width) + 10;
  pen.fillStyle = "rgba(255, 255, 255, 0.85)"; pen.fillRect(4, height - 24, wide, 20);
  pen.fillStyle = "#111"; pen.fillRect(9, height - 9, long, 2); pen.textBaseline = "bottom"; pen.textAlign = "left"; pen.fillText(text, 9, height - 10);
  pen.restore();
}

const GUTTER = { left: 34, bottom: 20, top: 2, right: 4 }; // around a patch, for rows and columns

/** The patch: the picture chosen, over it where the present pixel looks (or which cells the answer needs). */
function patchPanel(lab, ui) {
  const { f } = lab, { patch } = f;
  const label = "Patch. Arrow keys choose the pixel (with Shift 8 on), Enter locks it, Escape unlocks, Page Up and Down change the date, 1 to 9 the head, plus and minus zoom.";
  const [canvas, pen] = sheet(300, 300, { class: "scene", tabindex: 0, role: "application", "aria-label": label });
  const [other, otherPen] = sheet(300, 300, { role: "img" });
  const title = make("figcaption"), otherTitle = make("figcaption"), otherFigure = make("figure", { hidden: true }, otherTitle, other);
  const bar = make("canvas", { class: "scale-bar", role: "img", "aria-label": "Scale of the attention" }), low = make("span"), high = make("span");
  const scale = make("div", { class: "scale" }, low, bar, high), legend = make("div", { class: "legend" });
  const hint = make("p", { class: "hint" }, "Point at a pixel; click or tap to choose it, once more (or Enter) to lock it and compare it with others.");
  let view = { zoom: 1, row: 0, column: 0 }; // of the patch, in pixels of the patch
  let side = 300;

  // ------------------------------------------------------------------------------------------------------------- input
  const inside = ([r, c]) => { const [top, left] = lab.get("corner"); return r >= top && c >= left && r < top + patch && c < left + patch; };
  function pixelAt(event) {
    const box = canvas.getBoundingClientRect(), shown = patch / view.zoom, [top, left] = lab.get("corner");
    const at = (place, gutter, first) => Math.floor(first + ((place - gutter) / side) * shown);
    const pixel = [at(event.clientY - box.top, GUTTER.top, top + view.row), at(event.clientX - box.left, GUTTER.left, left + view.column)];
    return inside(pixel) && event.clientX - box.left >= GUTTER.left && event.clientY - box.top <= side + GUTTER.top ? pixel : null;
  }
  let held = null; // a finger that is down: {timer, moving}
  let pan = null; // a mouse that drags the picture under a larger view: {x, y, row, column, far}
  canvas.addEventListener("pointermove", (event) => {
    if (event.pointerType === "touch" && !held?.moving) return; // until a long press, a finger scrolls the page
    if (pan) {
      const unit = (side * view.zoom) / patch, first = (place) => clampTo(place, 0, patch - patch / view.zoom);
      pan.far ||= Math.hypot(event.clientX - pan.x, event.clientY - pan.y) > 4;
      view = { ...view, row: first(pan.row - (event.clientY - pan.y) / unit), column: first(pan.column - (event.clientX - pan.x) / unit), loose: true };
      lab.tell();
      return;
    }
    const pixel = pixelAt(event);
    if (event.pointerType === "touch") return pixel && lab.set({ pixel }, { undoable: false });
    if (String(pixel) === String(lab.hover)) return;
    lab.hover = pixel;
    lab.tell();
  });
  canvas.addEventListener("pointerleave", () => { pan = null; if (lab.hover) { lab.hover = null; lab.tell(); } });
  canvas.addEventListener("pointerdown", (event) => {
    if (event.pointerType === "mouse" && view.zoom > 1) pan = { x: event.clientX, y: event.clientY, row: view.row, column: view.column, far: false };
    if (event.pointerType === "touch") held = { moving: false, timer: setTimeout(() => { held.moving = true; navigator.vibrate?.(10); }, 350) };
  });
  for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, () => { clearTimeout(held?.timer); setTimeout(() => { held = null; }); });
  canvas.addEventListener("touchmove", (event) => { if (held?.moving) event.preventDefault(); }, { passive: false });
  canvas.addEventListener("contextmenu", (event) => { if (held) event.preventDefault(); });
  canvas.addEventListener("click", (event) => {
    const pixel = pixelAt(event), panned = pan?.far;
    pan = null;
    if (!pixel || held?.moving || panned) return;
    if (lab.pick?.(pixel)) return; // an experiment that asks for a place
    if (String(pixel) === String(lab.get("pixel"))) toggleLock();
    else lab.set({ pixel });
  });
  /** Lock the chosen pixel, or let the locked one go. */
  function toggleLock() {
    const pixel = lab.get("pixel");
    lab.set({ locked: String(lab.get("locked")) === String(pixel) ? null : pixel });
  }
  canvas.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && !event.metaKey) return; // a wheel alone scrolls the page; a pinch of the touchpad comes with Ctrl
    event.preventDefault();
    zoomTo(view.zoom * (event.deltaY < 0 ? 1.25 : 0.8), pixelAt(event));
  }, { passive: false });
  function zoomTo(zoom, pixel = null) {
    const [top, left] = lab.get("corner"), [r, c] = pixel ?? lab.get("pixel"), shown = patch / clampTo(zoom, 1, 8);
    const first = (place) => clampTo(place - shown / 2, 0, patch - shown);
    view = { zoom: patch / shown, row: first(r - top + 0.5), column: first(c - left + 0.5) };
    lab.tell();
  }
  const MOVES = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
  canvas.addEventListener("keydown", (event) => {
    const far = event.shiftKey ? 8 : 1, turn = { PageUp: -1, PageDown: 1, ",": -1, ".": 1 }[event.key];
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (MOVES[event.key]) {
      const [top, left] = lab.get("corner"), [r, c] = lab.get("pixel"), [down, right] = MOVES[event.key];
      lab.hover = null; view.loose = false;
      lab.set({ pixel: [clampTo(r + far * down, top, top + patch - 1), clampTo(c + far * right, left, left + patch - 1)] }, { undoable: false });
    } else if (turn) lab.set({ date: clampTo(lab.get("date") + turn, 0, f.dates.length - 1) }, { undoable: false });
    else if (event.key === "Enter" || event.key === " ") lab.pick?.(lab.get("pixel")) || toggleLock();
    else if (event.key === "Escape" && lab.get("locked")) lab.set({ locked: null });
    else if (event.key === "+" || event.key === "-") zoomTo(view.zoom * (event.key === "+" ? 1.5 : 1 / 1.5));
    else if (/^[0-9]$/.test(event.key) && +event.key <= f.heads && lab.get("level") !== "cross") lab.set({ head: +event.key });
    else return;
    event.preventDefault();
    lab.keyed = true; // what is said next was asked for by a key
  });

  // ----------------------------------------------------------------------------------------------------------- drawing
  let cached = ["", null, null];
  /** The picture under the attention: [key, canvas, range of greys, classes that occur]. */
  function base() {
    const name = lab.get("layer"), t = lab.get("date"), corner = lab.get("corner"), show = lab.get("show"), result = lab.shownResult();
    const pale = paleness(lab.get("opacity")); // classes step back as attention comes forward
    const edits = JSON.stringify(lab.get("edits"));
    const key = [name, t, corner, show, lab.get("only"), edits, lab.answered, result ? 1 : 0, pale].join();
    if (cached[0] === key) return cached;
    const size = patch ** 2, rgb = f.classes.map((crop) => hexColour(crop.colour)), band = lab.band(name);
    let colour, range = null, codes = null;
    if (band >= 0) {
      const of = (values) => values.subarray((t * f.bands.length + band) * size, (t * f.bands.length + band + 1) * size);
      const measured = of(lab.measured()), edited = of(lab.values());
      if (show === "difference") {
        const change = edited.map((v, p) => v - measured[p]), most = change.reduce((m, v) => Math.max(m, Math.abs(v) || 0), 0.1);
        range = { low: -most, high: most, change: true };
        colour = (p) => (Number.isFinite(change[p]) ? DIVERGING[Math.round(127.5 * (1 + change[p] / most))] : GROUND);
      } else {
        const values = show === "before" ? measured : edited;
        range = greyRange(measured) ?? greyRange(values);
        colour = (p) => (Number.isFinite(values[p]) ? greyOf(values[p], range) : GROUND);
      }
    } else {
      const now = result?.prediction, old = lab.before?.prediction;
      codes = name === "label" ? Uint8Array.from({ length: size }, (_, p) => lab.label(p)) : now ?? new Uint8Array(size).fill(NONE);
      const changed = (p) => show !== "difference" || name === "label" || (old && lab.after && old[p] !== lab.after.prediction[p]);
      colour = (p) => (rgb[codes[p]] ? mix(rgb[codes[p]], GROUND, changed(p) ? pale : 0.88) : GROUND);
    }
    const fade = (p) => (matches(p) ? colour(p) : mix(colour(p), GROUND, 0.85));
    cached = [key, picture(patch, (p) => [...fade(p), 255]), range, codes && [...new Set(codes)].filter((code) => code !== NONE).sort((a, b) => a - b)];
    return cached;
  }
  function matches(p) {
    const only = lab.get("only");
    if (!only) return true;
    const label = lab.label(p), mapped = lab.shownResult()?.prediction[p] ?? NONE;
    if (only === "wrong") return label !== NONE && mapped !== NONE && label !== mapped;
    return lab.name(f.labelled ? label : mapped) === only;
  }
  /** The next pixel that passes the filter, in reading order of the cells: one a cell, so that every step shows another map. */
  function walk(by) {
    const found = new Map(), level = lab.get("level");
    for (let p = 0; p < patch ** 2; p++) {
      const pixel = lab.pixelOf(p), cell = lab.cell(pixel, level);
      if (matches(p) && !found.has(cell)) found.set(cell, pixel);
    }
    const own = lab.cell(lab.get("pixel"), level), order = [...found.keys()].sort((a, b) => by * (a - b));
    if (!order.length) { ui.say("No pixel of this kind in the patch."); return "None in the patch."; }
    const next = order.find((cell) => by * (cell - own) > 0) ?? order[0];
    lab.hover = null;
    lab.set({ pixel: found.get(next) }, { undoable: false });
    const told = `Cell ${[...order].sort((a, b) => a - b).indexOf(next) + 1} of ${order.length}.`;
    ui.say(told);
    return told;
  }

  /** What lies over the picture: {values (cells), low, high, signed}. */
  function overlay(pixel, result) {
    const level = lab.get("level"), head = lab.get("head");
    if (lab.overlay === "need" && lab.needCells) return lab.needCells;
    const of = (one) => one.spatialOf(pixel, level, head), cross = level === "cross";
    if (lab.get("show") === "difference" && lab.after !== lab.before) {
      if (lab.get("layer") === "prediction") return null; // the pixels that change stand alone
      const now = of(lab.after), old = of(lab.before), values = now.map((v, k) => v - old[k]);
      const most = values.reduce((m, v) => Math.max(m, Math.abs(v)), 1e-6);
      return { values, low: -most, high: most, signed: true, level };
    }
    const values = of(result);
    // A map that is even is not to look bright; cosines are shown over the range that occurs.
    return cross ? { values, low: Math.min(...values), high: Math.max(...values), cross, level } : { values, low: 0, high: Math.max(...values, 2 / values.length), level };
  }
  const blend = ({ low, high, signed }, value) => {
    const share = clampTo((value - low) / (high - low || 1), 0, 1);
    if (signed) return [...DIVERGING[Math.round(255 * share)], 255 * lab.get("opacity") * Math.min(1, 0.15 + 1.7 * Math.abs(share - 0.5))];
    return [...VEIL, 255 * lab.get("opacity") * share ** 0.6]; // weak weights let the picture through
  };

  function drawOn(g, pixel, over, locked, colours) {
    const shown = patch / view.zoom, unit = side / shown, n = Math.sqrt(over?.values.length ?? 1), full = patch * unit, cellSide = full / n;
    const text = (string, x, y, align, baseline) => { g.textAlign = align; g.textBaseline = baseline; g.fillText(string, x, y); };
    g.clearRect(0, 0, side + GUTTER.left + GUTTER.right, side + GUTTER.top + GUTTER.bottom);
    g.save(); g.translate(GUTTER.left, GUTTER.top);
    g.save(); g.beginPath(); g.rect(0, 0, side, side); g.clip();
    g.translate(-view.column * unit, -view.row * unit); g.imageSmoothingEnabled = false;
    g.drawImage(base()[1], 0, 0, full, full);
    if (over) g.drawImage(picture(n, (k) => blend(over, over.values[k])), 0, 0, full, full);
    outlines(g, unit);
    const box = (x, y, w, outer, inner, dash = []) => {
      for (const [colour, width] of [[outer, 4], [inner, 2]]) {
        g.strokeStyle = colour; g.lineWidth = width; g.setLineDash(width === 2 ? dash : []); g.strokeRect(x, y, w, w);
      }
      g.setLineDash([]);
    };
    for (const [cell, word] of over ? namedCells(over) : []) {
      const x = (cell % n) * cellSide, y = Math.floor(cell / n) * cellSide, beside = cellSide < 24 ? cellSide : 4; // a small cell has its number beside it
      box(x + 1, y + 1, cellSide - 2, "#000", "#fff");
      g.font = "600 12px system-ui, sans-serif";
      const wide = g.measureText(word).width + 6;
      g.fillStyle = "#000"; g.fillRect(x + beside, y + 4, wide, 15); g.fillStyle = "#fff"; text(word, x + beside + wide / 2, y + 12, "center", "middle");
    }
    if (lab.picked) { // cells that an experiment is to change
      const { cells, size } = lab.picked, count = patch / size;
      for (const cell of cells) box((cell % count) * size * unit + 2, Math.floor(cell / count) * size * unit + 2, size * unit - 4, "#fff", "#0b5fa5", [4, 3]);
    }
    const [top, left] = lab.get("corner");
    const mark = ([r, c], outer, inner, dash) => {
      const w = Math.max(unit, 8), shift = (w - unit) / 2;
      box((c - left) * unit - shift, (r - top) * unit - shift, w, outer, inner, dash);
    };
    if (locked) mark(locked, "#fff", "#000", [2, 2]);
    mark(pixel, "#fff", "#d4006a");
    if (f.pixel) { g.translate(view.column * unit, view.row * unit); scaleBar(g, f.pixel, unit, side, side); }
    g.restore();
    g.fillStyle = colours.soft; g.font = "12px system-ui, sans-serif";
    for (let k = 0; k < 8; k++) {
      const place = Math.round((k * shown) / 8);
      text(top + Math.floor(view.row) + place, -5, Math.max((place + 0.5) * unit, 6), "right", "middle");
      text(left + Math.floor(view.column) + place, (place + 0.5) * unit, side + 5, "center", "top");
    }
    g.restore();
  }
  /** The cells that the sentence names. */
  function namedCells(over) {
    const order = ranked(over.values), cross = over.cross;
    if (over.signed) return [];
    if (cross) return over.high - over.low < 0.1 ? [] : [[order[0], "most"], [order.at(-1), "least"]];
    return over.high <= 2 / over.values.length && isEven(over.values) ? [] : [[order[0], "1"], [order[1], "2"]];
  }
  /** Lines between fields, where the scene has them. */
  function outlines(g, unit) {
    const fields = lab.a.parcel ?? lab.a.label;
    if (!fields || unit < 3) return;
    g.strokeStyle = lab.band(lab.get("layer")) >= 0 ? "rgba(255, 255, 255, 0.45)" : "rgba(0, 0, 0, 0.55)"; g.lineWidth = 1; g.beginPath();
    for (let p = 0; p < patch ** 2; p++) {
      const x = (p % patch) * unit, y = Math.floor(p / patch) * unit, own = fields[lab.at(p)];
      if (p % patch && fields[lab.at(p - 1)] !== own) { g.moveTo(x, y); g.lineTo(x, y + unit); }
      if (p >= patch && fields[lab.at(p - patch)] !== own) { g.moveTo(x, y); g.lineTo(x + unit, y); }
    }
    g.stroke();
  }
  function drawScale(over) {
    scale.hidden = !over;
    if (!over) return;
    const g = bar.getContext("2d");
    resize(bar, g, 130, 13);
    for (let x = 0; x < 130; x++) { // over grey, as over the picture
      g.fillStyle = css(MIDDLE); g.fillRect(x, 0, 1, 13);
      const [r, gr, b, alpha] = blend(over, over.low + ((over.high - over.low) * x) / 129);
      g.fillStyle = `rgba(${r}, ${gr}, ${b}, ${alpha / 255})`; g.fillRect(x, 0, 1, 13);
    }
    const number = (v) => (over.cross ? fixed(v, 2) : over.unit ? fixed(v, 2) : percent(v));
    low.textContent = number(over.low);
    const what = over.unit ?? (over.cross ? "cosine" : over.signed ? "change of attention" : "of its attention");
    high.textContent = `${number(over.high)} ${what}`;
  }
  function drawLegend(range, codes) {
    const name = lab.get("layer"), pale = paleness(lab.get("opacity"));
    if (range) {
      const { label, unit } = f.bands[lab.band(name)], number = (v) => (unit === "dB" ? fixed(v, 1) : `${+v.toPrecision(3)}`);
      legend.replaceChildren(range.change ? `${label}: change from ${number(range.low)} (blue) to ${number(range.high)} ${unit} (brown), ${f.dates[lab.get("date")]}`
        : `Grey: ${label} from ${number(range.low)} (dark) to ${number(range.high)} ${unit} (bright), ${f.dates[lab.get("date")]}`);
    } else if (lab.band(name) >= 0) legend.replaceChildren("No data on this date");
    else legend.replaceChildren(...codes.map((code) => swatch(css(mix(hexColour(f.classes[code].colour), GROUND, pale).map(Math.round)), lab.name(code))));
  }
  function draw() {
    const colours = ui.colours(), shown = lab.hover ?? lab.get("pixel"), locked = lab.get("locked"), result = lab.shownResult();
    side = Math.min(ui.patchWidth() - GUTTER.left - GUTTER.right, 700);
    const size = [side + GUTTER.left + GUTTER.right, side + GUTTER.top + GUTTER.bottom];
    if (view.zoom > 1 && !lab.hover && !view.loose) { // the chosen pixel stays in sight, unless the picture was dragged from it
      const [top, left] = lab.get("corner"), [r, c] = lab.get("pixel"), wide = patch / view.zoom;
      if (r - top < view.row || r - top >= view.row + wide || c - left < view.column || c - left >= view.column + wide) {
        const first = (place) => clampTo(place - wide / 2, 0, patch - wide);
        view = { ...view, row: first(r - top), column: first(c - left) };
      }
    }
    const over = result ? overlay(shown, result) : null, lockedOver = result && locked ? overlay(locked, result) : null;
    if (over && lockedOver && !over.cross) over.high = lockedOver.high = Math.max(over.high, lockedOver.high); // one scale for both
    resize(canvas, pen, ...size);
    drawOn(pen, shown, over, locked, colours);
    const level = lab.get("level"), heads = level === "cross" ? "cross-scale similarity" : `level ${level}, ${lab.headName(lab.get("head"))}`;
    const changes = result && !over ? "pixels that change, in their new class" : heads;
    const what = lab.overlay === "need" && lab.needCells ? "which cells the answer needs" : changes;
    const when = lab.band(lab.get("layer")) >= 0 ? `; ${f.dates[lab.get("date")]}` : ""; // classes belong to all dates
    title.replaceChildren(`Row ${shown[0]}, column ${shown[1]} `, make("small", {}, `${what}${lab.get("edits").length ? `, ${lab.get("show")}` : ""}${when}`));
    otherFigure.hidden = !locked;
    if (locked) {
      resize(other, otherPen, ...size);
      drawOn(otherPen, locked, lockedOver, null, colours);
      otherTitle.replaceChildren("Locked: ", `row ${locked[0]}, column ${locked[1]}`);
      other.setAttribute("aria-label", result ? describe(lab, locked, result) : "being computed");
    }
    const [, , range, codes] = base();
    drawScale(over); drawLegend(range, codes ?? []);
  }
  const figure = make("figure", {}, title, canvas);
  const element = make("div", { class: "patch-panel" }, figure, scale, legend, hint, otherFigure);
  return { element, draw, walk, toggleLock, zoomTo, canvas, other, zoom: () => view.zoom };
}

const isEven = (weights) => weights.every((w) => w < 1.5 / weights.length);
