// What the explorer knows and does, without a picture: the scene, the patch that is looked at, the experiments on it, and what
// the network makes of it before and after. Panels read it, set it, and are told when it has changed.

const NONE = 255; // class code, or code of a band, without data or label
// What can be set, taken back, put into a link and told to Python.
const STATE = ["corner", "pixel", "locked", "level", "head", "date", "layer", "opacity", "only", "edits", "show"];

/** What a network made of one patch: a map with probabilities, and all attention. */
class Result {
  /** `raw` is {logits (K, P, P), spatial, temporal, cross}, as STMA.forward gives it; maps that Python packed have a `prediction`
   *  instead of logits. */
  constructor(lab, corner, raw) {
    Object.assign(this, { lab, f: lab.f, corner, ...raw });
    this.prediction = raw.prediction ?? this.classesOf(raw.logits);
  }
  classesOf(logits) {
    const { patch, classes } = this.f, size = patch ** 2, out = new Uint8Array(size);
    for (let p = 0; p < size; p++) {
      let best = 0;
      for (let k = 1; k < classes.length; k++) if (logits[k * size + p] > logits[best * size + p]) best = k;
      out[p] = this.lab.empty(this.corner, p) ? NONE : best;
    }
    return out;
  }
  /** Probabilities (K) of the pixel with this index in the patch, or their mean over several; null for maps alone. */
  probabilities(indices) {
    if (!this.logits) return null;
    const { patch, classes } = this.f, size = patch ** 2, pixels = [indices].flat(), total = new Float64Array(classes.length);
    for (const p of pixels) {
      const logits = classes.map((_, k) => this.logits[k * size + p]), most = Math.max(...logits);
      const powers = logits.map((v) => Math.exp(v - most)), sum = powers.reduce((a, b) => a + b, 0);
      powers.forEach((v, k) => { total[k] += v / sum; });
    }
    return total.map((v) => v / pixels.length);
  }
  /** Weights that the cell of a pixel gives to all cells of a level ("cross": cosines); head 0 is the mean of the heads. */
  spatialOf(pixel, level, head) {
    const n = this.lab.side(level) ** 2, query = this.lab.cell(pixel, level, this.corner);
    if (level === "cross") return Float64Array.from(this.cross.subarray(query * n, (query + 1) * n));
    return this.mean(this.spatial[level], head, (h) => (h * n + query) * n, n);
  }
  /** Temporal weights, T asking x T answering dates: one map for the whole patch. */
  temporalOf(level, head) {
    const n = this.f.dates.length ** 2;
    return this.mean(this.temporal[this.lab.timeLevel(level)], head, (h) => h * n, n);
  }
  mean(weights, head, start, n) {
    const heads = head ? [head - 1] : [...Array(this.f.heads).keys()], out = new Float64Array(n);
    for (const h of heads) for (let k = 0, at = start(h); k < n; k++) out[k] += weights[at + k] / heads.length;
    return out;
  }
  /** Weight that each date receives, the mean over the dates that ask. */
  received(level, head) {
    const T = this.f.dates.length, weights = this.temporalOf(level, head), out = new Float64Array(T);
    for (let q = 0; q < T; q++) for (let k = 0; k < T; k++) out[k] += weights[q * T + k] / T;
    return out;
  }
}

class Lab {
  /** `model` has get, set, save_changes, on and off, as a widget's model and `pageModel` of controls.js. */
  constructor(model) {
    this.model = model;
    this.f = model.get("facts");
    const raw = model.get("data");
    const view = raw.buffer ? new Uint8Array(raw.buffer, raw.byteOffset, raw.byteLength) : new Uint8Array(raw);
    this.bytes = view.slice(); // a copy of our own starts aligned
    this.a = {}; // arrays by name
    const kinds = { u1: Uint8Array, u2: Uint16Array, f4: Float32Array };
    for (const [name, [at, size, kind]] of Object.entries(this.f.arrays)) {
      this.a[name] = new kinds[kind](this.bytes.buffer, at, size);
    }
    this.listeners = new Set();
    this.past = []; // states that undo brings back, the latest last
    this.future = [];
    this.before = this.after = this.other = null; // Results
    this.failed = "";
    this.edited = null; // the last values after an experiment: {asked, values}
    this.hover = null; // the pixel under the pointer
    this.overlay = "attention"; // over the patch; or "need"
    this.need = null; // what each date is worth to the answer: {values, unit, of}; see experiments.js
    this.needCells = null; // the same of each cell: {values, low, high, unit}
    this.picked = null; // cells that an experiment is to change: {cells, size}
    this.notice = null; // what the reader must be told once
    this.pick = null; // an experiment that waits for a place takes it: (pixel) => true
    this.engine = this.f.live ? new Engine(this.f.networks, this.bytes.slice(this.f.weights)) : null;
    this.heard = () => {
      if (this.hover && !this.inPatch(this.hover)) this.hover = null; // the patch has moved away beneath the pointer
      this.tell();
      this.refresh();
    };
    for (const name of STATE) model.on(`change:${name}`, this.heard);
    this.refresh();
  }
  stop() {
    for (const name of STATE) this.model.off(`change:${name}`, this.heard);
    this.engine?.stop();
  }

  // ------------------------------------------------------------------------------------------------------------------ state

  get(name) { return this.model.get(name); }
  /** Set some of STATE. `undoable: false` for what changes all the time, such as a date that is scrubbed. */
  set(values, { undoable = true } = {}) {
    const old = Object.fromEntries(Object.keys(values).map((name) => [name, this.get(name)]));
    if (JSON.stringify(old) === JSON.stringify(values)) return;
    if (undoable) {
      this.past.push(this.state());
      this.future = [];
    }
    for (const [name, value] of Object.entries(values)) this.model.set(name, value);
    this.model.save_changes();
    this.heard();
  }
  state() { return Object.fromEntries(STATE.map((name) => [name, this.get(name)])); }
  undo() { this.step(this.past, this.future); }
  redo() { this.step(this.future, this.past); }
  step(from, to) {
    if (!from.length) return;
    to.push(this.state());
    this.set(from.pop(), { undoable: false });
  }
  /** Call `listen` whenever state or results have changed; returns how to stop it. */
  on(listen) {
    this.listeners.add(listen);
    return () => this.listeners.delete(listen);
  }
  tell() { for (const listen of this.listeners) listen(); }

  // ------------------------------------------------------------------------------------------------------- place in the scene

  size(level) { return level === 1 ? 4 : 8; } // pixels along a cell
  side(level) { return this.f.patch / this.size(level); }
  timeLevel(level) { return level === "cross" ? this.f.levels[0] : level; }
  /** Index of a pixel (row, column of the season) in the patch. */
  index([row, column], corner = this.get("corner")) { return (row - corner[0]) * this.f.patch + column - corner[1]; }
  pixelOf(index, [row, column] = this.get("corner")) {
    return [row + Math.floor(index / this.f.patch), column + (index % this.f.patch)];
  }
  cell([row, column], level, corner = this.get("corner")) {
    const size = this.size(level);
    return Math.floor((row - corner[0]) / size) * this.side(level) + Math.floor((column - corner[1]) / size);
  }
  inPatch([row, column]) {
    const [top, left] = this.get("corner"), { patch } = this.f;
    return row >= top && column >= left && row < top + patch && column < left + patch;
  }
  /** Index in the scene's arrays of a pixel of the patch. */
  at(index, [row, column] = this.get("corner")) {
    const { origin: [top, left], columns, patch } = this.f;
    return (row - top + Math.floor(index / patch)) * columns + column - left + (index % patch);
  }
  /** The nearest corner that a patch can have. */
  corner([row, column]) {
    const { origin: [top, left], rows, columns, patch } = this.f;
    return [clampTo(Math.round(row), top, top + rows - patch), clampTo(Math.round(column), left, left + columns - patch)];
  }
  /** Put the patch so that a pixel is in its middle (or as near as the border allows), and look at that pixel. */
  goTo(pixel) {
    const corner = this.corner(pixel.map((v) => v - this.f.patch / 2));
    this.set({ corner, pixel, locked: null, edits: this.fitting(corner) });
  }
  /** Move the patch; the pixel keeps its place in it. */
  moveTo(corner, options) {
    const from = this.get("corner"), to = this.corner(corner), locked = this.get("locked");
    const along = (pixel) => pixel && pixel.map((v, k) => v - from[k] + to[k]);
    this.set({ corner: to, pixel: along(this.get("pixel")), locked: along(locked), edits: this.fitting(to) }, options);
  }
  /** The edits that are possible at another corner: those of a pixel or field stay behind with it. */
  fitting(corner) {
    const scene = this.sceneOf(corner), edits = this.get("edits");
    let values = this.measured(corner);
    const kept = edits.filter((edit) => {
      try {
        checkEdits([edit], scene, this.f.heads);
        values = applyEdits(values, [edit], scene);
        return true;
      } catch {
        return false;
      }
    });
    const left = edits.length - kept.length;
    if (left) this.notice = `${counted(left, "edit")} stayed behind with the place that it belongs to; Undo brings it back.`;
    return kept;
  }
  /** Put these edits in force, as `set` does, and let them be seen; why they cannot be, in a sentence (nothing has changed then),
   *  or "". */
  experiment(edits, options) {
    try {
      checkEdits(edits, this.sceneOf(), this.f.heads);
      this.values(edits);
    } catch (error) {
      return error.message;
    }
    const show = this.get("show") === "before" ? "after" : this.get("show");
    const fixed = this.get("layer") === "label" && edits.length > 0; // the reference does not change, the map does
    const layer = fixed ? "prediction" : this.get("layer");
    this.set({ edits, show, layer }, options);
    return "";
  }

  // --------------------------------------------------------------------------------------------------------- what is known

  name(code) { return code === NONE ? "no data" : this.f.classes[code].name; }
  headName(head) { return head ? `head ${head}` : "the mean of the heads"; }
  band(name) { return this.f.bands.findIndex((band) => band.name === name); }
  /** Value of a band (by its number) at an index of the scene, in its unit; NaN without data. */
  sceneValue(band, date, at) {
    const code = this.a.bands[(date * this.f.bands.length + band) * this.f.rows * this.f.columns + at];
    return code === NONE ? NaN : this.f.bands[band].low + this.f.bands[band].step * code;
  }
  /** Reference class of a pixel of the patch; NONE where there is none. */
  label(index, corner) { return this.a.label ? this.a.label[this.at(index, corner)] : NONE; }
  empty(corner, index) { return Boolean(this.a.empty[this.at(index, corner)]); }
  /** Values (T, bands, P, P) of the patch at a corner, as measured. */
  measured(corner = this.get("corner")) {
    const { dates, bands, patch } = this.f, size = patch ** 2, out = new Float32Array(dates.length * bands.length * size);
    let k = 0;
    for (let t = 0; t < dates.length; t++) for (let b = 0; b < bands.length; b++) for (let p = 0; p < size; p++) {
      out[k++] = this.sceneValue(b, t, this.at(p, corner));
    }
    return out;
  }
  /** Values (T, bands, P, P) as the network is given them now: measured, then edited. */
  values(edits = this.get("edits"), corner = this.get("corner")) {
    if (!edits.length) return this.measured(corner);
    const asked = JSON.stringify([corner, edits]); // pointing asks for the same again and again: the last answer is kept
    if (this.edited?.asked !== asked) {
      this.edited = { asked, values: applyEdits(this.measured(corner), edits, this.sceneOf(corner)) };
    }
    return this.edited.values;
  }
  /** What edits must know of the scene; see edits.js. */
  sceneOf(corner = this.get("corner")) {
    const { f } = this, names = (bands) => bands.map((band) => band.name);
    const patchOf = (array) => array && Int32Array.from({ length: f.patch ** 2 }, (_, p) => array[this.at(p, corner)]);
    const flat = (means) => Float64Array.from(means.flat(Infinity), (v) => v ?? NaN);
    return {
      days: f.days,
      bands: names(f.bands),
      decibel: names(f.bands.filter((band) => band.unit === "dB")),
      scene_mean: (this.sceneMean ??= flat(f.scene_mean)),
      crop_mean: (this.cropMean ??= flat(f.crop_mean)),
      corner,
      patch: f.patch,
      parcel: patchOf(this.a.parcel),
      label: patchOf(this.a.label),
    };
  }
  /** Scaled for the network; what is missing gets the mean. */
  scaled(values) {
    const { dates, bands, patch } = this.f, size = patch ** 2, out = new Float32Array(values.length);
    let k = 0;
    for (let t = 0; t < dates.length; t++) for (const { mean, std } of bands) for (let p = 0; p < size; p++, k++) {
      out[k] = Number.isFinite(values[k]) ? (values[k] - mean) / std : 0;
    }
    return out;
  }
  /** Pixels (indices in the patch) of the field that a pixel belongs to; the pixel alone where there is none. */
  fieldOf(pixel, corner = this.get("corner")) {
    try {
      const mask = areaMask({ kind: "field", at: pixel }, this.sceneOf(corner));
      return [...mask.keys()].filter((p) => mask[p]);
    } catch {
      return [this.index(pixel, corner)];
    }
  }
  /** The result that is to be seen (`show`), if it belongs to the patch that is looked at. */
  shownResult() {
    const result = this.get("show") === "before" ? this.before : this.after;
    return String(result?.corner) === String(this.get("corner")) ? result : null;
  }

  // --------------------------------------------------------------------------------------------------------------- computing

  /** Forward pass over values (T, bands, P, P); edits of the network (even, random weights) among `edits` are obeyed. */
  async compute(values, edits = [], { network = 0, corner = this.get("corner"), place = "front" } = {}) {
    const random = edits.findLast((edit) => edit.do === "random weights");
    const job = {
      network: random ? { of: network, seed: random.seed } : network,
      values: this.scaled(values),
      even: edits.filter((edit) => edit.do === "even"),
    };
    return new Result(this, corner, await this.engine.run(job, place));
  }
  /** Compute what the state asks for; panels are told as soon as it is there. One state at a time: while a curve is dragged, what
   *  was just computed is shown, and then the latest is asked for. */
  async refresh() {
    this.asked = JSON.stringify([this.get("corner"), this.get("edits")]);
    if (this.working) return;
    this.working = true;
    while (this.asked !== this.answered) {
      const { asked } = this, [corner, edits] = JSON.parse(asked);
      const found = this.f.live ? await this.results(corner, edits) : this.packed(corner);
      Object.assign(this, found, { answered: asked });
      this.tell();
    }
    this.working = false;
  }
  /** Results before and after these edits, and of a second network; or why there are none. */
  async results(corner, edits) {
    const edited = (network) => this.compute(this.values(edits, corner), edits, { corner, network });
    try {
      const known = String(this.before?.corner) === String(corner);
      const before = known ? this.before : await this.compute(this.measured(corner), [], { corner });
      const after = edits.length ? await edited(0) : before;
      const other = this.f.networks[1] ? await edited(1) : null;
      return { before, after, other, failed: "" };
    } catch (error) {
      return { before: null, after: null, other: null, failed: String(error?.message ?? error) };
    }
  }
  /** Whether the results belong to the present patch and edits, or new ones are being computed. */
  get busy() { return this.asked !== this.answered; }
  /** Results of the maps that Python packed, where the network is too large for a page. */
  packed(corner) {
    const { f, a } = this;
    const spatial = (level, steps, zero) => {
      const codes = a[`spatial${level}`], scales = a[`scale${level}`], n = codes.length / scales.length;
      return Float32Array.from(codes, (code, k) => (code - zero) * (scales[Math.floor(k / n)] / steps));
    };
    const temporal = (level) => Float32Array.from(a[`temporal${level}`], (code) => code / 65535);
    const byLevel = (maps) => Object.fromEntries(f.levels.map((level) => [level, maps(level)]));
    const found = new Result(this, corner, {
      prediction: a.prediction,
      cross: spatial("cross", 127, 128),
      spatial: byLevel((level) => spatial(level, 255, 0)),
      temporal: byLevel(temporal),
    });
    return { before: found, after: found };
  }
}
