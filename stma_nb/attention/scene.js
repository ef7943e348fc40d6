// The pictures of space: the whole scene with a frame around the patch, and the patch with what the network looks at.

const VEIL = [110, 0, 84]; // attention over a picture: the more, the less the picture shows through
const MIDDLE = [128, 128, 128]; // what the bars of a legend are drawn over
const MOVES = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }; // rows, columns
/** How pale classes stand under attention of this opacity. */
const paleness = (opacity) => 0.65 * opacity;
const ORANGE = [213, 94, 0]; // errors
const GROUND = [255, 255, 255]; // under the classes of a picture, in light and in dark: their colours mean the same in both

/** Grey values of a band on a date for drawing: {low, high} are the 2nd and 98th percentile of what is known. */
function greyRange(values) {
  const known = values.filter(Number.isFinite).sort();
  if (!known.length) return null;
  return { low: known[Math.floor(0.02 * known.length)], high: known[Math.floor(0.98 * (known.length - 1))] };
}
const greyOf = (value, { low, high }) => Array(3).fill(clampTo(25 + (215 * (value - low)) / (high - low || 1), 0, 255));
/** Two colours mixed: `share` of the other. */
const mix = (colour, other, share) => colour.map((v, i) => v + share * (other[i] - v));
const rgbOf = (text) => text.match(/[\d.]+/g).slice(0, 3).map(Number);

/** The map of the whole scene, made patch by patch in the background: classes, and how undecided the network is. */
class SceneMap {
  constructor(lab) {
    this.lab = lab;
    const size = lab.f.rows * lab.f.columns;
    this.classes = new Uint8Array(size).fill(NONE);
    this.entropy = new Float32Array(size).fill(NaN); // 0 sure, 1 all classes alike
    this.corners = null; // patches of the scene, in the order of the work
    this.from = new Uint16Array(size); // which of them mapped a place
    this.done = 0; // how many of them
  }
  /** Start, or go on; the patches near the present one come first. */
  start() {
    if (this.corners || !this.lab.f.live) return;
    const { origin: [top, left], rows, columns, patch } = this.lab.f, [r, c] = this.lab.get("corner");
    const steps = (first, length) => { // the last patch ends at the border
      const places = Array.from({ length: Math.ceil(length / patch) }, (_, k) => Math.min(k * patch, length - patch));
      return [...new Set(places)].map((place) => first + place);
    };
    const far = ([row, column]) => Math.hypot(row - r, column - c);
    this.corners = steps(top, rows).flatMap((row) => steps(left, columns).map((column) => [row, column]));
    this.corners.sort((a, b) => far(a) - far(b));
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
  /** Corner of the patch that a place (index of the scene) was mapped in. */
  cornerOf(at) { return this.corners[this.from[at]]; }
  take(result) {
    const number = this.corners.findIndex((corner) => String(corner) === String(result.corner));
    const { patch, classes } = this.lab.f, size = patch ** 2, most = Math.log(classes.length);
    for (let p = 0; p < size; p++) {
      const at = this.lab.at(p, result.corner);
      this.classes[at] = result.prediction[p];
      this.from[at] = number;
      if (result.prediction[p] === NONE) continue;
      const entropy = result.probabilities(p).reduce((sum, q) => sum - (q > 0 ? q * Math.log(q) : 0), 0);
      this.entropy[at] = entropy / most;
    }
    this.done++;
  }
  get share() { return this.corners ? this.done / this.corners.length : 0; }
  /** Whether a place (index of the scene) is mapped otherwise than its reference. */
  wrong(at) {
    const label = this.lab.a.label?.[at] ?? NONE, mapped = this.classes[at];
    return label !== NONE && mapped !== NONE && label !== mapped;
  }
}

/** The whole scene: where the patch lies, and where to go. */
function overviewPanel(lab, ui) {
  const { f } = lab, map = new SceneMap(lab), { rows, columns, origin: [top, left], patch } = f;
  const ofReference = (...choice) => (f.labelled ? [choice] : []);
  const choices = [
    ...f.bands.map((band) => [band.name, band.label]),
    ...ofReference("label", "Reference"),
    ["map", "Crop map"],
    ...ofReference("errors", "Errors"),
    ["entropy", "Doubt (entropy)"],
  ];
  const layer = select("Scene shows", choices, (value) => {
    if (needsMap(value)) map.start();
    shown = value;
    draw();
  });
  let shown = (layer.value = f.bands[0].name);
  const needsMap = (name) => ["map", "errors", "entropy"].includes(name);
  const [canvas, pen] = sheet(200, 200, {
    class: "overview", tabindex: 0, role: "application",
    "aria-label": "The whole scene. Arrow keys move the patch by 8 pixels, with Shift by its side.",
  });
  const note = make("p", { class: "hint" }), keyLegend = make("div", { class: "legend" });
  const crops = f.labelled ? codesIn(lab.a.label) : [];
  const crop = select("Crop to go to", crops.map((code) => [code, lab.name(code)]), () => {});
  const nextCrop = button("Next field", () => {
    const place = nextOf(placesOf((at) => lab.a.label[at] === +crop.value));
    lab.goTo(pixelAt(place));
  }, { "aria-label": "Next field of this crop" });
  const nextError = button("Next error", () => {
    map.start();
    seeking = true;
    seekError();
  });
  const jumpNote = make("p", { class: "hint" });
  const jumps = make("div", { class: "jumps" },
    ...(crops.length ? [labelled("Crop", crop), nextCrop] : []), ...ofReference(nextError).flat(), jumpNote);
  let zoom = 1, dragged = null;
  let seeking = false; // an error was asked for while the map is being made

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
    const move = MOVES[event.key], far = event.shiftKey ? patch : 8;
    if (!move) return;
    event.preventDefault();
    lab.moveTo(lab.get("corner").map((v, k) => v + far * move[k]));
    ui.say(`Patch at row ${lab.get("corner")[0]}, column ${lab.get("corner")[1]}.`);
  });

  const pixelAt = (at) => [top + Math.floor(at / columns), left + (at % columns)];
  /** The next of these places in reading order, from the chosen pixel on; then from the start. */
  function nextOf(places) {
    const [r, c] = lab.get("pixel"), here = (r - top) * columns + (c - left);
    return places.find((place) => place > here) ?? places[0];
  }
  /** Go to the next field that is mapped wrongly, once the map is made; to the patch that the map was made of, so that it is
   *  as wrong there. */
  function seekError() {
    if (!seeking) return;
    jumpNote.textContent = map.share < 1 ? `Looking for errors: the map of the scene is being made (${percent(map.share)}).` : "";
    if (map.share < 1) return;
    seeking = false;
    const place = nextOf(placesOf((at) => map.wrong(at) && lab.a.label[at] !== f.background));
    jumpNote.textContent = place === undefined ? "No field is mapped wrongly." : "";
    if (place === undefined) return ui.say(jumpNote.textContent);
    const corner = map.cornerOf(place);
    lab.set({ corner, pixel: pixelAt(place), locked: null, edits: lab.fitting(corner) });
  }
  /** One place (index of the scene) a field, or block of 16 pixels, with at least four pixels of this kind. */
  function placesOf(wanted) {
    const seen = new Map();
    for (let at = 0; at < rows * columns; at++) {
      if (!wanted(at)) continue;
      const row = Math.floor(at / columns), column = at % columns;
      const field = lab.a.parcel?.[at] || `${row >> 4}.${column >> 4}`;
      if (!seen.has(field)) seen.set(field, []);
      seen.get(field).push(at);
    }
    const large = [...seen.values()].filter((list) => list.length > 3);
    return large.map((list) => list[list.length >> 1]).sort((a, b) => a - b);
  }

  let cached = ["", null, null];
  /** The picture of the scene: [key, canvas, range of greys]. */
  function image() {
    const t = lab.get("date"), band = lab.band(shown), key = [shown, band >= 0 ? t : "", map.done].join();
    if (cached[0] === key) return cached;
    const values = band >= 0 ? Float32Array.from({ length: rows * columns }, (_, at) => lab.sceneValue(band, t, at)) : null;
    const range = values && greyRange(values), rgb = f.classes.map((crop) => hexColour(crop.colour));
    const colours = {
      label: (at) => rgb[lab.a.label[at]] ?? GROUND,
      map: (at) => rgb[map.classes[at]] ?? GROUND,
      errors: (at) => (map.wrong(at) ? ORANGE : map.classes[at] === NONE ? GROUND : mix(GROUND, MIDDLE, 0.4)),
      entropy: (at) => (Number.isFinite(map.entropy[at]) ? VIRIDIS[Math.round(255 * Math.min(1, map.entropy[at]))] : GROUND),
    };
    const grey = (at) => (Number.isFinite(values[at]) ? greyOf(values[at], range) : GROUND);
    const colour = values ? grey : colours[shown];
    cached = [key, picture(columns, (at) => [...colour(at), 255], rows), range];
    return cached;
  }
  function draw() {
    seekError();
    const width = ui.overviewWidth();
    zoom = Math.min(width / columns, 300 / rows);
    resize(canvas, pen, ...size());
    const [, base, range] = image();
    pen.imageSmoothingEnabled = zoom < 1;
    pen.drawImage(base, 0, 0, ...size());
    const [r, c] = lab.get("corner"), side = patch * zoom, box = [(c - left) * zoom, (r - top) * zoom, side, side];
    strokeBox(pen, "#fff", 4, ...box);
    strokeBox(pen, "#d4006a", 2, ...box);
    if (f.pixel) scaleBar(pen, f.pixel, zoom, columns * zoom, rows * zoom);
    drawWords(range);
  }
  /** What the colours mean, in words and as a legend. */
  function drawWords(range) {
    const making = needsMap(shown) && map.share < 1 ? ` The map is being made: ${percent(map.share)}.` : "";
    const unit = range && f.bands[lab.band(shown)].unit;
    const words = range ? `${fixed(range.low, 1)} (dark) to ${fixed(range.high, 1)} ${unit}, ${f.dates[lab.get("date")]}`
      : { errors: "Orange: mapped otherwise than the reference", entropy: "Dark: sure; yellow: undecided" }[shown] ?? "";
    note.textContent = `${words}${words && making ? "." : ""}${making}`;
    keyLegend.hidden = !["label", "map"].includes(shown);
    if (keyLegend.hidden) return;
    const codes = codesIn(shown === "label" ? lab.a.label : map.classes);
    keyLegend.replaceChildren(...codes.map((code) => swatch(f.classes[code].colour, lab.name(code))));
  }
  const km = (pixels) => fixed((pixels * f.pixel) / 1000, 1);
  const extent = `${rows} × ${columns} pixels${f.pixel ? `, ${km(rows)} × ${km(columns)} km` : ""}`;
  const caption = make("figcaption", {}, "Scene ", make("small", {}, `${extent}; drag the frame`));
  const element = make("div", { class: "overview-panel" }, make("figure", {}, caption, layer, canvas), note, keyLegend, jumps);
  return { element, draw };
}
/** Classes that occur, in the order of their codes. */
const codesIn = (codes) => [...new Set(codes)].filter((code) => code !== NONE).sort((a, b) => a - b);

/** A scale bar of a round length at the lower left. */
function scaleBar(pen, metres, zoom, width, height) {
  const most = (width / 3 / zoom) * metres, power = 10 ** Math.floor(Math.log10(most));
  const length = [5, 2, 1].map((n) => n * power).find((n) => n <= most) ?? power;
  const long = (length / metres) * zoom, text = length < 1000 ? `${length} m` : `${length / 1000} km`;
  pen.save();
  pen.font = "600 11px system-ui, sans-serif";
  pen.textBaseline = "bottom";
  pen.textAlign = "left";
  fillBox(pen, "rgba(255, 255, 255, 0.85)", 4, height - 24, Math.max(long, pen.measureText(text).width) + 10, 20);
  fillBox(pen, "#111", 9, height - 9, long, 2);
  pen.fillText(text, 9, height - 10);
  pen.restore();
}

const GUTTER = { left: 34, bottom: 20, top: 2, right: 4 }; // around a patch, for rows and columns

/** The patch: the picture chosen, over it where the present pixel looks (or which cells the answer needs). */
function patchPanel(lab, ui) {
  const { f } = lab, { patch } = f;
  const label = "Patch. Arrow keys choose the pixel (with Shift 8 on), Enter locks it, Escape unlocks, "
    + "Page Up and Down change the date, 1 to 9 the head, plus and minus zoom.";
  const [canvas, pen] = sheet(300, 300, { class: "scene", tabindex: 0, role: "application", "aria-label": label });
  const [other, otherPen] = sheet(300, 300, { role: "img" });
  const title = make("figcaption"), otherTitle = make("figcaption");
  const otherFigure = make("figure", { hidden: true }, otherTitle, other);
  const bar = make("canvas", { class: "scale-bar", role: "img", "aria-label": "Scale of the attention" });
  const low = make("span"), high = make("span");
  const scale = make("div", { class: "scale" }, low, bar, high), legend = make("div", { class: "legend" });
  const hint = make("p", { class: "hint" },
    "Point at a pixel; click or tap to choose it, once more (or Enter) to lock it and compare it with others.");
  let view = { zoom: 1, row: 0, column: 0 }; // of the patch, in pixels of the patch; `loose`: the pixel may be out of sight
  let side = 300;

  // ------------------------------------------------------------------------------------------------------------- input
  function pixelAt(event) {
    const [x, y] = placeOver(event, canvas), [top, left] = lab.get("corner");
    const at = (place, gutter, first) => Math.floor(first + ((place - gutter) / side) * (patch / view.zoom));
    const pixel = [at(y, GUTTER.top, top + view.row), at(x, GUTTER.left, left + view.column)];
    return lab.inPatch(pixel) && x >= GUTTER.left && y <= side + GUTTER.top ? pixel : null;
  }
  let held = null; // a finger that is down: {timer, moving}
  let pan = null; // a mouse that drags the picture under a larger view: {x, y, row, column, far}
  canvas.addEventListener("pointermove", (event) => {
    if (event.pointerType === "touch" && !held?.moving) return; // until a long press, a finger scrolls the page
    if (pan) return panTo(event);
    const pixel = pixelAt(event);
    if (event.pointerType === "touch") return pixel && lab.set({ pixel }, { undoable: false });
    if (String(pixel) === String(lab.hover)) return;
    lab.hover = pixel;
    lab.tell();
  });
  function panTo(event) {
    const unit = (side * view.zoom) / patch, first = (place) => clampTo(place, 0, patch - patch / view.zoom);
    const right = event.clientX - pan.x, down = event.clientY - pan.y;
    pan.far ||= Math.hypot(right, down) > 4;
    view = { ...view, row: first(pan.row - down / unit), column: first(pan.column - right / unit), loose: true };
    lab.tell();
  }
  canvas.addEventListener("pointerleave", () => {
    pan = null;
    if (!lab.hover) return;
    lab.hover = null;
    lab.tell();
  });
  canvas.addEventListener("pointerdown", (event) => {
    const { pointerType, clientX: x, clientY: y } = event;
    if (pointerType === "mouse" && view.zoom > 1) pan = { x, y, row: view.row, column: view.column, far: false };
    if (pointerType === "touch") held = { moving: false, timer: setTimeout(moveHeld, 350) };
  });
  function moveHeld() {
    held.moving = true;
    navigator.vibrate?.(10);
  }
  for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, () => {
    clearTimeout(held?.timer);
    setTimeout(() => { held = null; }); // a click that follows is still of this finger
  });
  canvas.addEventListener("touchmove", (event) => { if (held?.moving) event.preventDefault(); }, { passive: false });
  canvas.addEventListener("contextmenu", (event) => { if (held) event.preventDefault(); });
  canvas.addEventListener("click", (event) => {
    const pixel = pixelAt(event), panned = pan?.far;
    pan = null;
    if (!pixel || held?.moving || panned) return;
    if (lab.pick?.(pixel)) return; // an experiment that asks for a place
    if (isChosen(pixel, event.pointerType === "touch" ? 2 : 0)) toggleLock();
    else lab.set({ pixel });
  });
  /** Whether a pixel is the chosen one, or as near as a finger can tell. */
  function isChosen([row, column], near) {
    const [r, c] = lab.get("pixel");
    return Math.max(Math.abs(row - r), Math.abs(column - c)) <= near;
  }
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
  canvas.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const { key } = event, turn = { PageUp: -1, PageDown: 1, ",": -1, ".": 1 }[key];
    if (MOVES[key]) movePixel(MOVES[key], event.shiftKey ? 8 : 1);
    else if (turn) lab.set({ date: clampTo(lab.get("date") + turn, 0, f.dates.length - 1) }, { undoable: false });
    else if (key === "Enter" || key === " ") lab.pick?.(lab.get("pixel")) || toggleLock();
    else if (key === "Escape" && lab.get("locked")) lab.set({ locked: null });
    else if (key === "+" || key === "-") zoomTo(view.zoom * (key === "+" ? 1.5 : 1 / 1.5));
    else if (/^[0-9]$/.test(key) && +key <= f.heads && lab.get("level") !== "cross") lab.set({ head: +key });
    else return;
    event.preventDefault();
    lab.keyed = true; // what is said next was asked for by a key
  });
  function movePixel([down, right], far) {
    const [top, left] = lab.get("corner"), [row, column] = lab.get("pixel");
    const within = (place, first) => clampTo(place, first, first + patch - 1);
    lab.hover = null;
    view.loose = false;
    lab.set({ pixel: [within(row + far * down, top), within(column + far * right, left)] }, { undoable: false });
  }

  // ----------------------------------------------------------------------------------------------------------- drawing
  let cached = ["", null, null];
  /** The picture under the attention: [key, canvas, range of greys, classes that occur]. */
  function base() {
    const name = lab.get("layer"), show = lab.get("show"), pale = paleness(lab.get("opacity"));
    const shown = [name, lab.get("date"), lab.get("corner"), show, lab.get("only"), JSON.stringify(lab.get("edits"))];
    const key = [...shown, lab.answered, lab.shownResult() ? 1 : 0, pale].join();
    if (cached[0] === key) return cached;
    const band = lab.band(name), look = band >= 0 ? greys(band, show) : classColours(name, show, pale);
    const { colour, range = null, codes = null } = look;
    const fade = (p) => (matches(p) ? colour(p) : mix(colour(p), GROUND, 0.85));
    cached = [key, picture(patch, (p) => [...fade(p), 255]), range, codes && codesIn(codes)];
    return cached;
  }
  /** Colours of a band on the present date: {colour(p), range}. */
  function greys(band, show) {
    const size = patch ** 2, start = (lab.get("date") * f.bands.length + band) * size;
    const of = (values) => values.subarray(start, start + size);
    const measured = of(lab.measured()), edited = of(lab.values());
    if (show === "difference") {
      const change = edited.map((v, p) => v - measured[p]);
      const most = change.reduce((m, v) => Math.max(m, Math.abs(v) || 0), 0.1);
      const toneOf = (v) => DIVERGING[Math.round(127.5 * (1 + v / most))];
      return {
        colour: (p) => (Number.isFinite(change[p]) ? toneOf(change[p]) : GROUND),
        range: { low: -most, high: most, change: true },
      };
    }
    const values = show === "before" ? measured : edited, range = greyRange(measured) ?? greyRange(values);
    return { colour: (p) => (Number.isFinite(values[p]) ? greyOf(values[p], range) : GROUND), range };
  }
  /** Colours of reference or crop map, `pale` so that attention comes forward: {colour(p), codes}. */
  function classColours(name, show, pale) {
    const size = patch ** 2, rgb = f.classes.map((crop) => hexColour(crop.colour));
    const { before, after } = lab, mapped = lab.shownResult()?.prediction ?? new Uint8Array(size).fill(NONE);
    const codes = name === "label" ? Uint8Array.from({ length: size }, (_, p) => lab.label(p)) : mapped;
    const whole = show !== "difference" || name === "label"; // else the pixels that change stand out
    const changed = (p) => before?.prediction && after && before.prediction[p] !== after.prediction[p];
    const colour = (p) => (rgb[codes[p]] ? mix(rgb[codes[p]], GROUND, whole || changed(p) ? pale : 0.88) : GROUND);
    return { colour, codes };
  }
  /** Whether a pixel (index in the patch) is of the kind that is to be shown. */
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
    if (!found.size) {
      ui.say("No pixel of this kind in the patch.");
      return "None in the patch.";
    }
    const own = lab.cell(lab.get("pixel"), level), order = [...found.keys()].sort((a, b) => a - b);
    const onward = by > 0 ? order : [...order].reverse();
    const next = onward.find((cell) => by * (cell - own) > 0) ?? onward[0];
    lab.hover = null;
    lab.set({ pixel: found.get(next) }, { undoable: false });
    const told = `Cell ${order.indexOf(next) + 1} of ${order.length}.`;
    ui.say(told);
    return told;
  }

  /** What lies over the picture: {values (cells), low, high, signed or cross}. */
  function overlay(pixel, result) {
    const level = lab.get("level"), head = lab.get("head");
    if (lab.overlay === "need" && lab.needCells) return lab.needCells;
    const of = (one) => one.spatialOf(pixel, level, head);
    if (lab.get("show") === "difference" && lab.after !== lab.before) {
      if (lab.get("layer") === "prediction") return null; // the pixels that change stand alone
      const now = of(lab.after), old = of(lab.before), values = now.map((v, k) => v - old[k]);
      const most = values.reduce((m, v) => Math.max(m, Math.abs(v)), 1e-6);
      return { values, low: -most, high: most, signed: true };
    }
    const values = of(result), high = Math.max(...values);
    if (level === "cross") return { values, low: Math.min(...values), high, cross: true }; // cosines: the range that occurs
    return { values, low: 0, high: Math.max(high, 2 / values.length) }; // a map that is even is not to look bright
  }
  /** Colour and opacity of a value that lies over the picture: [r, g, b, alpha 0..255]. */
  function blend({ low, high, signed }, value) {
    const share = clampTo((value - low) / (high - low || 1), 0, 1), opacity = 255 * lab.get("opacity");
    if (!signed) return [...VEIL, opacity * share ** 0.6]; // weak weights let the picture through
    return [...DIVERGING[Math.round(255 * share)], opacity * Math.min(1, 0.15 + 1.7 * Math.abs(share - 0.5))];
  }

  /** A patch with what lies over it and what is marked in it; rows and columns around. */
  function drawOn(g, pixel, over, locked, colours) {
    const unit = side / (patch / view.zoom), full = patch * unit; // CSS pixels of a pixel, and of the whole patch
    g.clearRect(0, 0, side + GUTTER.left + GUTTER.right, side + GUTTER.top + GUTTER.bottom);
    g.save();
    g.translate(GUTTER.left, GUTTER.top);
    g.save();
    g.beginPath();
    g.rect(0, 0, side, side);
    g.clip();
    g.translate(-view.column * unit, -view.row * unit);
    g.imageSmoothingEnabled = false;
    g.drawImage(base()[1], 0, 0, full, full);
    if (over) {
      const n = Math.sqrt(over.values.length), cells = picture(n, (k) => blend(over, over.values[k]));
      g.drawImage(cells, 0, 0, full, full);
    }
    outlines(g, unit);
    if (over) numberCells(g, over, full);
    if (lab.picked) markPicked(g, unit);
    if (locked) markPixel(g, locked, unit, "#fff", "#000", [2, 2]);
    markPixel(g, pixel, unit, "#fff", "#d4006a");
    if (f.pixel) {
      g.translate(view.column * unit, view.row * unit);
      scaleBar(g, f.pixel, unit, side, side);
    }
    g.restore();
    drawNumbers(g, unit, colours);
    g.restore();
  }
  /** A square that is seen on every ground: one colour within another. */
  function markBox(g, x, y, wide, outer, inner, dash = []) {
    strokeBox(g, outer, 4, x, y, wide, wide);
    g.setLineDash(dash);
    strokeBox(g, inner, 2, x, y, wide, wide);
    g.setLineDash([]);
  }
  /** Frames around the cells that the sentence names, with their number (beside a small cell). */
  function numberCells(g, over, full) {
    const n = Math.sqrt(over.values.length), size = full / n, beside = size < 24 ? size : 4;
    g.font = "600 12px system-ui, sans-serif";
    g.textAlign = "center";
    g.textBaseline = "middle";
    for (const [cell, word] of namedCells(over)) {
      const x = (cell % n) * size, y = Math.floor(cell / n) * size, wide = g.measureText(word).width + 6;
      markBox(g, x + 1, y + 1, size - 2, "#000", "#fff");
      fillBox(g, "#000", x + beside, y + 4, wide, 15);
      g.fillStyle = "#fff";
      g.fillText(word, x + beside + wide / 2, y + 12);
    }
  }
  /** The cells that an experiment is to change. */
  function markPicked(g, unit) {
    const { cells, size } = lab.picked, count = patch / size, wide = size * unit;
    for (const cell of cells) {
      markBox(g, (cell % count) * wide + 2, Math.floor(cell / count) * wide + 2, wide - 4, "#fff", "#0b5fa5", [4, 3]);
    }
  }
  function markPixel(g, [row, column], unit, outer, inner, dash) {
    const [top, left] = lab.get("corner"), wide = Math.max(unit, 8), shift = (wide - unit) / 2;
    markBox(g, (column - left) * unit - shift, (row - top) * unit - shift, wide, outer, inner, dash);
  }
  /** Rows and columns of the season beside the patch. */
  function drawNumbers(g, unit, colours) {
    const [top, left] = lab.get("corner"), row = top + Math.floor(view.row), column = left + Math.floor(view.column);
    const places = Array.from({ length: 8 }, (_, k) => Math.round((k * (patch / view.zoom)) / 8));
    g.fillStyle = colours.soft;
    g.font = "12px system-ui, sans-serif";
    g.textAlign = "right";
    g.textBaseline = "middle";
    for (const place of places) g.fillText(row + place, -5, Math.max((place + 0.5) * unit, 6));
    g.textAlign = "center";
    g.textBaseline = "top";
    for (const place of places) g.fillText(column + place, (place + 0.5) * unit, side + 5);
  }
  /** The cells that the sentence names. */
  function namedCells(over) {
    const order = ranked(over.values);
    if (over.signed) return [];
    if (over.cross) return over.high - over.low < 0.1 ? [] : [[order[0], "most"], [order.at(-1), "least"]];
    return over.high <= 2 / over.values.length && isEven(over.values) ? [] : [[order[0], "1"], [order[1], "2"]];
  }
  /** Lines between fields, where the scene has them. */
  function outlines(g, unit) {
    const fields = lab.a.parcel ?? lab.a.label;
    if (!fields || unit < 3) return;
    const line = (x, y, toX, toY) => {
      g.moveTo(x, y);
      g.lineTo(toX, toY);
    };
    g.strokeStyle = lab.band(lab.get("layer")) >= 0 ? "rgba(255, 255, 255, 0.45)" : "rgba(0, 0, 0, 0.55)";
    g.lineWidth = 1;
    g.beginPath();
    for (let p = 0; p < patch ** 2; p++) {
      const x = (p % patch) * unit, y = Math.floor(p / patch) * unit, own = fields[lab.at(p)];
      if (p % patch && fields[lab.at(p - 1)] !== own) line(x, y, x, y + unit);
      if (p >= patch && fields[lab.at(p - patch)] !== own) line(x, y, x + unit, y);
    }
    g.stroke();
  }
  function drawScale(over) {
    scale.hidden = !over;
    if (!over) return;
    const g = bar.getContext("2d");
    resize(bar, g, 130, 13);
    for (let x = 0; x < 130; x++) { // over grey, as over the picture
      const [red, green, blue, alpha] = blend(over, over.low + ((over.high - over.low) * x) / 129);
      fillBox(g, css(MIDDLE), x, 0, 1, 13);
      fillBox(g, `rgba(${red}, ${green}, ${blue}, ${alpha / 255})`, x, 0, 1, 13);
    }
    const number = (v) => (over.cross || over.unit ? fixed(v, 2) : percent(v));
    low.textContent = number(over.low);
    const what = over.unit ?? (over.cross ? "cosine" : over.signed ? "change of attention" : "of its attention");
    high.textContent = `${number(over.high)} ${what}`;
  }
  function drawLegend(range, codes) {
    const band = f.bands[lab.band(lab.get("layer"))];
    if (range) legend.replaceChildren(greysInWords(band, range));
    else if (band) legend.replaceChildren("No data on this date");
    else legend.replaceChildren(...codes.map((code) => swatch(paleColour(code), lab.name(code))));
  }
  function greysInWords({ label, unit }, { low, high, change }) {
    const number = (v) => (unit === "dB" ? fixed(v, 1) : `${+v.toPrecision(3)}`), date = f.dates[lab.get("date")];
    if (change) return `${label}: change from ${number(low)} (blue) to ${number(high)} ${unit} (brown), ${date}`;
    return `Grey: ${label} from ${number(low)} (dark) to ${number(high)} ${unit} (bright), ${date}`;
  }
  const paleColour = (code) => css(mix(hexColour(f.classes[code].colour), GROUND, paleness(lab.get("opacity"))).map(Math.round));

  function draw() {
    const shown = lab.hover ?? lab.get("pixel"), locked = lab.get("locked"), result = lab.shownResult();
    side = Math.min(ui.patchWidth() - GUTTER.left - GUTTER.right, 700);
    if (view.zoom > 1 && !lab.hover && !view.loose) keepInSight(lab.get("pixel")); // unless the picture was dragged from it
    const over = result ? overlay(shown, result) : null, lockedOver = result && locked ? overlay(locked, result) : null;
    if (over && lockedOver && !over.cross) { // one scale for both
      over.high = lockedOver.high = Math.max(over.high, lockedOver.high);
    }
    drawPatch(canvas, pen, shown, over, locked);
    title.replaceChildren(`Row ${shown[0]}, column ${shown[1]} `, make("small", {}, whatIsSeen(result, over)));
    otherFigure.hidden = !locked;
    if (locked) {
      drawPatch(other, otherPen, locked, lockedOver, null);
      otherTitle.replaceChildren("Locked: ", `row ${locked[0]}, column ${locked[1]}`);
      other.setAttribute("aria-label", result ? describe(lab, locked, result) : "being computed");
    }
    const [, , range, codes] = base();
    drawScale(over);
    drawLegend(range, codes ?? []);
  }
  function drawPatch(node, g, ...what) {
    resize(node, g, side + GUTTER.left + GUTTER.right, side + GUTTER.top + GUTTER.bottom);
    drawOn(g, ...what, ui.colours());
  }
  /** Move the part that is seen if a pixel has left it. */
  function keepInSight([row, column]) {
    const [top, left] = lab.get("corner"), shown = patch / view.zoom;
    const outside = (place, first) => place < first || place >= first + shown;
    if (!outside(row - top, view.row) && !outside(column - left, view.column)) return;
    const first = (place) => clampTo(place - shown / 2, 0, patch - shown);
    view = { ...view, row: first(row - top), column: first(column - left) };
  }
  function whatIsSeen(result, over) {
    const level = lab.get("level"), experiment = lab.get("edits").length ? `, ${lab.get("show")}` : "";
    const when = lab.band(lab.get("layer")) >= 0 ? `; ${f.dates[lab.get("date")]}` : ""; // classes belong to all dates
    let what = level === "cross" ? "cross-scale similarity" : `level ${level}, ${lab.headName(lab.get("head"))}`;
    if (result && !over) what = "pixels that change, in their new class";
    if (lab.overlay === "need" && lab.needCells) what = "which cells the answer needs";
    return `${what}${experiment}${when}`;
  }
  const figure = make("figure", {}, title, canvas);
  const element = make("div", { class: "patch-panel" }, figure, scale, legend, hint, otherFigure);
  return { element, draw, walk, toggleLock, zoomTo, canvas, other, zoom: () => view.zoom };
}

const isEven = (weights) => weights.every((w) => w < 1.5 / weights.length);
/** Whether weights differ by less than a thousandth, as equal ones do. */
const isAlike = (weights) => Math.max(...weights) - Math.min(...weights) < 1e-3;
