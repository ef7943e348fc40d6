// Experiments on one patch: what is changed in the season before the network looks at it again. The twin of edits.py, which
// tells what an edit and an area look like; the two agree to float32 rounding and say the same words. No page, no network:
// this runs in a worker as well.
//
// A scene holds days (T), bands and decibel (names), scene_mean (T x bands), crop_mean (K x T x bands), corner [row, column],
// patch (the side in pixels), parcel and label (patch x patch, or null); arrays lie flat, in that order, NaN where unknown.

const EDIT_KEYS = { // what an edit must have, and what it may have
  "leave out": [["dates", "by"], ["area"]],
  bend: [["band", "by"], ["area"]],
  "copy crop": [["crop"], ["area"]],
  hide: [[], ["area"]],
  shift: [["days"], []],
  exchange: [["dates"], []],
  speckle: [["looks"], ["seed"]],
  even: [["branch", "levels"], ["heads"]],
  "random weights": [["seed"], []],
};
const AREA_KEYS = { patch: [], pixel: ["at"], field: ["at"], cells: ["cells", "size"], beyond: ["at", "radius"] };
const WHOLE_PATCH = { kind: "patch" };
const PHYSICAL = [-60, 30]; // dB: no radar measures less, no field scatters more
const LARGEST = 1e38; // near the end of float32, for bands that are no backscatter
const MOST_LOOKS = 100;
const UNLABELLED = 255;
const MONTH_NAMES = [
  "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December",
];

const isNumber = (given) => typeof given === "number" && Math.abs(given) <= LARGEST;
const isWhole = (given, low, high) => Number.isInteger(given) && given >= low && given <= high;
const isObject = (given) => typeof given === "object" && given !== null && !Array.isArray(given);
const refuseEdit = (why) => { throw new Error(why); };
/** What was given, as JSON, for an error. */
const asGiven = (given) => {
  const text = JSON.stringify(given) ?? "undefined", letters = [...text];
  return letters.length <= 60 ? text : `${letters.slice(0, 60).join("")} …`;
};

// --------------------------------------------------------------------------------------------------------------- areas

/** Which pixels of the patch an area holds: 1 or 0 each; throws what cannot be one. */
function areaMask(area, scene) {
  const kind = isObject(area) ? area.kind : undefined, side = scene.patch, mask = new Uint8Array(side * side);
  if (typeof kind !== "string" || !Object.hasOwn(AREA_KEYS, kind)) {
    refuseEdit(`the area is ${asGiven(area)}; expected an object whose "kind" is one of ${Object.keys(AREA_KEYS).join(", ")}.`);
  }
  checkKeys(area, ["kind", ...AREA_KEYS[kind]], [], "the area");
  if (kind === "patch") return mask.fill(1);
  const where = (holds) => mask.map((_, p) => holds(Math.floor(p / side), p % side));
  if (kind === "cells") {
    const { cells, size } = area;
    if (![4, 8].includes(size) || side % size) {
      const why = `expected 4 or 8 pixels, in a patch of whole cells (it has ${side} pixels a side)`;
      refuseEdit(`the size of the cells is ${asGiven(size)}; ${why}.`);
    }
    const count = side / size;
    checkPositions(cells, count ** 2, "cells");
    return where((r, c) => cells.includes(Math.floor(r / size) * count + Math.floor(c / size)));
  }
  const [row, column] = placeInside(area.at, scene);
  if (kind === "pixel") return where((r, c) => r === row && c === column);
  if (kind === "field") return fieldMask(row, column, scene);
  const { radius } = area;
  if (!isNumber(radius) || radius < 0) {
    refuseEdit(`the radius is ${asGiven(radius)}; expected a number of pixels, 0 or more.`);
  }
  return where((r, c) => (r - row) ** 2 + (c - column) ** 2 > radius ** 2);
}

/** Row and column in the patch of a pixel of the season. */
function placeInside(at, { corner: [top, left], patch }) {
  const last = patch - 1, pair = Array.isArray(at) && at.length === 2;
  if (!(pair && isWhole(at[0], top, top + last) && isWhole(at[1], left, left + last))) {
    const inside = `rows ${top} to ${top + last}, columns ${left} to ${left + last}`;
    refuseEdit(`the pixel ${asGiven(at)} is outside the patch: ${inside}.`);
  }
  return [at[0] - top, at[1] - left];
}

function fieldMask(row, column, { parcel, label, corner, patch }) {
  const place = `row ${corner[0] + row}, column ${corner[1] + column}`, start = row * patch + column;
  if (parcel) {
    if (!(parcel[start] > 0)) refuseEdit(`at ${place} there is no field: choose a pixel, cells or the patch.`);
    return Uint8Array.from(parcel, (number) => number === parcel[start]);
  }
  if (!label) refuseEdit("the scene has neither fields nor labels: choose a pixel, cells or the patch.");
  if (label[start] === UNLABELLED) refuseEdit(`at ${place} there is no label: choose a pixel, cells or the patch.`);
  const mask = new Uint8Array(patch * patch), waiting = [start];
  while (waiting.length) { // pixels of one label that touch along a side
    const p = waiting.pop(), c = p % patch;
    if (mask[p] || label[p] !== label[start]) continue;
    mask[p] = 1;
    if (c > 0) waiting.push(p - 1);
    if (c < patch - 1) waiting.push(p + 1);
    if (p >= patch) waiting.push(p - patch);
    if (p + patch < mask.length) waiting.push(p + patch);
  }
  return mask;
}

/** Mean curve (T x bands) of the known pixels under a mask; NaN where there are none. */
function areaCurve(values, mask) {
  const n = mask.length;
  return Float64Array.from({ length: values.length / n }, (_, layer) => {
    let sum = 0, known = 0;
    for (let p = 0; p < n; p++) {
      const value = values[layer * n + p];
      if (mask[p] && Number.isFinite(value)) { sum += value; known++; }
    }
    return sum / known; // 0 / 0 is NaN
  });
}

// -------------------------------------------------------------------------------------------------------------- checks

/** Throws one sentence for what no experiment can be; `heads` of the network, where they are known. */
function checkEdits(edits, scene, heads = null) {
  if (!Array.isArray(edits)) refuseEdit(`The edits are ${asGiven(edits)}; expected a list of edits.`);
  edits.forEach((edit, k) => {
    const known = isObject(edit) && typeof edit.do === "string" && Object.hasOwn(EDIT_KEYS, edit.do);
    const those = Object.keys(EDIT_KEYS).join(", ");
    if (!known) refuseEdit(`Edit ${k + 1} is ${asGiven(edit)}; expected an object whose "do" is one of ${those}.`);
  });
  oneByOne(edits, (edit) => checkEdit(edit, scene, heads));
}

/** Take one step for each edit; an error says in which. */
function oneByOne(edits, step) {
  edits.forEach((edit, k) => {
    try { step(edit); } catch (error) { refuseEdit(`Edit ${k + 1} (${edit.do}): ${error.message}`); }
  });
}

function checkEdit(edit, scene, heads) {
  const dates = scene.days.length, [needed, allowed] = EDIT_KEYS[edit.do];
  checkKeys(edit, ["do", ...needed], allowed, "it");
  if (Object.hasOwn(edit, "area")) areaMask(edit.area, scene);
  if (Object.hasOwn(edit, "seed") && !isWhole(edit.seed, 0, 2 ** 32 - 1)) {
    refuseEdit(`the seed is ${asGiven(edit.seed)}; expected a whole number from 0 to 4294967295.`);
  }
  const check = {
    "leave out"() {
      checkPositions(edit.dates, dates, "dates");
      if (!["mean", "neighbours"].includes(edit.by)) {
        refuseEdit(`"by" is ${asGiven(edit.by)}; expected "mean" or "neighbours".`);
      }
      if (edit.by === "neighbours" && edit.dates.length === dates) {
        const what = "all dates are left out, so that none is there to interpolate from";
        refuseEdit(`${what}: keep one, or take "mean".`);
      }
    },
    bend() {
      if (!scene.bands.includes(edit.band)) {
        refuseEdit(`the band is ${asGiven(edit.band)}; expected one of ${scene.bands.join(", ")}.`);
      }
      if (!Array.isArray(edit.by) || edit.by.length !== dates || !edit.by.every(isNumber)) {
        refuseEdit(`"by" is ${asGiven(edit.by)}; expected ${dates} numbers, one a date.`);
      }
    },
    "copy crop"() {
      const size = dates * scene.bands.length, crops = scene.crop_mean.length / size;
      if (!crops) refuseEdit("the scene has no labels, so that there is no crop to copy.");
      if (!isWhole(edit.crop, 0, crops - 1)) {
        refuseEdit(`the crop is ${asGiven(edit.crop)}; expected a code from 0 to ${crops - 1}.`);
      }
      if (!scene.crop_mean.slice(edit.crop * size, (edit.crop + 1) * size).some(Number.isFinite)) {
        refuseEdit(`class ${edit.crop} has no pixel with data in the scene: choose another.`);
      }
    },
    shift() {
      if (!isNumber(edit.days)) refuseEdit(`"days" is ${asGiven(edit.days)}; expected a number.`);
    },
    exchange() {
      checkPositions(edit.dates, dates, "dates");
      if (edit.dates.length !== 2) refuseEdit(`the dates are ${asGiven(edit.dates)}; expected two.`);
    },
    speckle() {
      if (isWhole(edit.looks, 0, MOST_LOOKS)) return;
      refuseEdit(`the looks are ${asGiven(edit.looks)}; expected a whole number from 0 (no speckle) to ${MOST_LOOKS}.`);
    },
    even() {
      if (!["spatial", "temporal"].includes(edit.branch)) {
        refuseEdit(`the branch is ${asGiven(edit.branch)}; expected "spatial" or "temporal".`);
      }
      const lists = [["levels", edit.levels, 3], ["heads", Object.hasOwn(edit, "heads") ? edit.heads : [], heads ?? Infinity]];
      for (const [name, given, last] of lists) {
        const list = Array.isArray(given) && (name === "heads" || given.length) && given.every((v) => isWhole(v, 1, last));
        const to = last === Infinity ? "" : ` to ${last}`;
        if (!list) refuseEdit(`the ${name} are ${asGiven(given)}; expected a list of whole numbers from 1${to}.`);
      }
    },
  };
  check[edit.do]?.();
}

function checkKeys(given, needed, allowed, what) {
  const all = [...needed, ...allowed];
  for (const key of needed) if (!Object.hasOwn(given, key)) refuseEdit(`${what} lacks "${key}".`);
  for (const key of Object.keys(given)) {
    if (!all.includes(key)) refuseEdit(`${what} has ${asGiven(key)}; expected only ${all.join(", ")}.`);
  }
}

function checkPositions(given, count, name) {
  const list = Array.isArray(given) && given.length && given.every((v) => isWhole(v, 0, count - 1));
  if (list && new Set(given).size === given.length) return;
  refuseEdit(`the ${name} are ${asGiven(given)}; expected positions from 0 to ${count - 1}, each once.`);
}

// --------------------------------------------------------------------------------------------------------------- edits

/** The values (T x bands x patch x patch, a Float32Array) after an experiment; the given ones stay. Edits of the network change
 * nothing here. Throws as `checkEdits`, for values of another size, and for a curve bent beyond the physical. */
function applyEdits(values, edits, scene) {
  const size = scene.days.length * scene.bands.length * scene.patch ** 2;
  if (values.length !== size) refuseEdit(`There are ${values.length} values; expected ${size}.`);
  checkEdits(edits, scene);
  const changed = Float64Array.from(values);
  oneByOne(edits, (edit) => applyEdit(changed, edit, scene));
  return Float32Array.from(changed);
}

/** Carry out one edit in place. */
function applyEdit(values, edit, scene) {
  const T = scene.days.length, B = scene.bands.length, n = scene.patch ** 2, row = B * n; // a row is one date
  const mask = areaMask(edit.area ?? WHOLE_PATCH, scene);
  /** Every value of the area becomes `value(layer, place)`; a layer is one band on one date. */
  const fill = (layers, value) => {
    for (const layer of layers) for (let p = 0; p < n; p++) if (mask[p]) values[layer * n + p] = value(layer, layer * n + p);
  };
  const all = [...Array(T * B).keys()];
  const apply = {
    "leave out"() {
      const left = all.filter((layer) => edit.dates.includes(Math.floor(layer / B)));
      if (edit.by === "mean") return fill(left, (layer) => scene.scene_mean[layer]);
      fill(left, (_, place) => betweenKept(values, place, row, edit.dates, scene.days)); // reads dates kept alone
    },
    bend() {
      const band = scene.bands.indexOf(edit.band), curve = areaCurve(values, mask);
      checkBent(edit.by.map((by, t) => curve[t * B + band] + by), edit.band, scene);
      fill(all.filter((layer) => layer % B === band), (layer, place) => values[place] + edit.by[Math.floor(layer / B)]);
    },
    "copy crop"() {
      const curve = areaCurve(values, mask), rise = curve.map((v, k) => scene.crop_mean[edit.crop * T * B + k] - v);
      fill(all, (layer, place) => values[place] + (Number.isNaN(rise[layer]) ? 0 : rise[layer]));
    },
    hide() { fill(all, (layer) => scene.scene_mean[layer]); },
    shift() { shiftDays(values, row, edit.days, scene.days); },
    exchange() {
      const [one, other] = edit.dates, kept = values.slice(one * row, (one + 1) * row);
      values.copyWithin(one * row, other * row, (other + 1) * row);
      values.set(kept, other * row);
    },
    speckle() { freshSpeckle(values, edit.looks, edit.seed ?? 0, scene); },
  };
  apply[edit.do]?.();
}

function checkBent(curve, band, scene) {
  const [low, high] = scene.decibel.includes(band) ? PHYSICAL : [-LARGEST, LARGEST];
  const date = curve.findIndex((v) => v < low || v > high); // NaN is neither
  if (date < 0) return;
  const would = `on date ${date} the curve of ${band} would be at ${tenths(curve[date])}`;
  refuseEdit(`${would}; expected ${low} to ${high}: bend it less.`);
}

/** The value at a place, interpolated in time from the known values of the dates that are not left out; the nearest beyond the
 * ends, NaN where there is none at all. Dates lie `row` places apart. */
function betweenKept(values, place, row, left, days) {
  const date = Math.floor(place / row), at = (t) => values[(t - date) * row + place];
  const usable = (t) => !left.includes(t) && Number.isFinite(at(t));
  let first = date, last = date;
  while (first >= 0 && !usable(first)) first--;
  while (last < days.length && !usable(last)) last++;
  if (first < 0) return last < days.length ? at(last) : NaN;
  if (last === days.length) return at(first);
  const share = (days[date] - days[first]) / (days[last] - days[first]);
  return at(first) + (at(last) - at(first)) * share;
}

/** What was there `by` days earlier, interpolated in time; constant beyond the ends. */
function shiftDays(values, row, by, days) {
  const before = values.slice(), end = days.length - 1;
  days.forEach((day, t) => {
    const asked = Math.min(Math.max(day - by, days[0]), days[end]);
    let first = 0;
    while (first < end - 1 && days[first + 1] <= asked) first++;
    const last = Math.min(first + 1, end), span = days[last] - days[first], share = span > 0 ? (asked - days[first]) / span : 0;
    for (let p = 0; p < row; p++) {
      const low = before[first * row + p], high = before[last * row + p];
      // Where a date is met, the other counts for nothing, even if it is missing.
      values[t * row + p] = share === 0 ? low : share === 1 ? high : low + (high - low) * share;
    }
  });
}

/** The mean power of the field, or of 5 x 5 pixels where there is none, times gamma noise of mean 1; in the bands in dB alone. */
function freshSpeckle(values, looks, seed, { days, bands, decibel, patch, parcel }) {
  const n = patch ** 2;
  for (let layer = 0; layer < days.length * bands.length; layer++) {
    if (!decibel.includes(bands[layer % bands.length])) continue;
    const power = values.slice(layer * n, (layer + 1) * n).map((db) => 10 ** (db / 10)), fields = new Map();
    for (let p = 0; p < n; p++) {
      if (!(parcel?.[p] > 0) || !Number.isFinite(power[p])) continue;
      const [sum, known] = fields.get(parcel[p]) ?? [0, 0];
      fields.set(parcel[p], [sum + power[p], known + 1]);
    }
    for (let p = 0; p < n; p++) {
      if (!Number.isFinite(power[p])) continue;
      const [sum, known] = fields.get(parcel?.[p]) ?? windowSum(power, p, patch);
      const mean = (sum / known) * (looks ? gammaNoise((layer * n + p) * looks, looks, seed) : 1);
      values[layer * n + p] = 10 * Math.log10(mean);
    }
  }
}

/** Sum and number of the known values in the 5 x 5 pixels around one, within the patch. */
function windowSum(power, p, side) {
  const row = Math.floor(p / side), column = p % side;
  let sum = 0, known = 0;
  for (let r = Math.max(row - 2, 0); r <= Math.min(row + 2, side - 1); r++) {
    for (let c = Math.max(column - 2, 0); c <= Math.min(column + 2, side - 1); c++) {
      if (Number.isFinite(power[r * side + c])) { sum += power[r * side + c]; known++; }
    }
  }
  return [sum, known];
}

/** Gamma noise of mean 1, the mean of `looks` exponentials. Each number follows from the seed and its place alone. */
function gammaNoise(place, looks, seed) {
  let total = 0;
  for (let look = 0; look < looks; look++) total -= Math.log(uniformAt(place + look, seed));
  return total / looks;
}

/** A random number between 0 and 1 for each place, a whole number. */
function uniformAt(place, seed) {
  const key = mixBits(seed);
  return (mixBits(mixBits(place ^ key) + key) + 0.5) / 2 ** 32;
}

/** 32 bits stirred (the last steps of MurmurHash3, by A. Appleby): none of them stays alike if one changes. */
function mixBits(bits) {
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
}

// --------------------------------------------------------------------------------------------------------------- words

/** One sentence for each edit, in plain English. The edits must have been checked. */
function inWords(edits, facts) {
  return edits.map((edit) => editSaid(edit, facts));
}

function editSaid(edit, facts) {
  const area = areaSaid(edit.area ?? WHOLE_PATCH), within = area === "the patch" ? "" : ` in ${area}`;
  const mean = "the mean of each field, or of 5 × 5 pixels where there is none";
  const say = {
    "leave out"() {
      const several = edit.dates.length > 1, dates = datesSaid(edit.dates, facts.dates);
      if (edit.by === "mean") {
        const which = several ? "each of these dates stands" : "that date stands";
        return `${dates} left out${within}: the scene's mean of ${which} there.`;
      }
      const own = several ? "their values are" : "its values are";
      return `${dates} left out${within}: ${own} interpolated from the nearest dates kept.`;
    },
    bend() {
      const { label, unit } = facts.bands.find((band) => band.name === edit.band);
      const bent = edit.by.filter((by) => by !== 0).map(Math.abs);
      const by = `${tenths(Math.max(0, ...bent))}${unit === "1" ? "" : ` ${unit}`}`;
      return `${label} of ${area} bent by up to ${by} on ${counted(bent.length, "date")}.`;
    },
    "copy crop": () => `The mean curve of ${facts.classes[edit.crop].name} in the scene given to ${area}; its texture stays.`,
    hide: () => `${area[0].toUpperCase()}${area.slice(1)} hidden: the scene's mean of each date stands there.`,
    shift() {
      const days = Number(tenths(Math.abs(edit.days)));
      return `The season comes ${counted(days, "day")} ${edit.days >= 0 ? "later" : "earlier"}.`;
    },
    exchange: () => `${datesSaid(edit.dates, facts.dates)} exchanged.`,
    speckle() {
      if (!edit.looks) return `Speckle taken away: ${mean}, stands there.`;
      return `Fresh speckle of ${counted(edit.looks, "look")} (seed ${edit.seed ?? 0}) on ${mean}.`;
    },
    even() {
      const heads = edit.heads ?? [], plural = (name, list) => `${name}${list.length > 1 ? "s" : ""} ${listed(list)}`;
      const over = { spatial: "pixels", temporal: "dates" }[edit.branch];
      const which = heads.length ? plural("head", heads) : "all heads";
      return `Equal attention over ${over} in ${plural("level", edit.levels)}, ${which}.`;
    },
    "random weights": () => `All weights drawn anew (seed ${edit.seed}), as before training.`,
  };
  return say[edit.do]();
}

function areaSaid({ kind, at, cells, size, radius }) {
  if (kind === "patch") return "the patch";
  if (kind === "cells") return `${counted(cells.length, "cell")} of ${size} × ${size} pixels`;
  const place = `row ${at[0]}, column ${at[1]}`;
  if (kind === "beyond") return `all pixels farther than ${counted(Number(tenths(radius)), "pixel")} from ${place}`;
  return `the ${kind} at ${place}`;
}

/** Up to three dates by name, more by their number and range; the year where there are two. */
function datesSaid(dates, known) {
  const years = new Set(known.map((iso) => iso.slice(0, 4))).size > 1;
  const names = [...dates].sort((a, b) => a - b).map((date) => {
    const [year, month, number] = known[date].split("-");
    return `${Number(number)} ${MONTH_NAMES[month - 1]}${years ? ` ${year}` : ""}`;
  });
  return names.length > 3 ? `${names.length} dates from ${names[0]} to ${names.at(-1)}` : listed(names);
}

const listed = (names) => (names.length > 1 ? `${names.slice(0, -1).join(", ")} and ${names.at(-1)}` : `${names[0]}`);
const counted = (number, name) => `${number} ${name}${number === 1 ? "" : "s"}`;
const tenths = (value) => (Math.floor(10 * value + 0.5) / 10).toFixed(1);

// ----------------------------------------------------------------------------------------------------------- agreement

/** Do two importances of the same dates agree? Spearman's rho; `chance`, the share of all shifts of b, wrapped around, that
 * agree as well; and a word for rho. Where one is the same on every date there is no order: rho and chance are NaN.
 * `rank_agreement` in meaning.py gives the same numbers. */
function agreement(a, b) {
  if (a.length !== b.length) refuseEdit(`There are ${a.length} and ${b.length} numbers; expected one a date in both.`);
  const [x, y] = [a, b].map((values) => standardScores(averageRanks(values))), n = x.length;
  const found = y.map((_, shift) => x.reduce((sum, v, k) => sum + v * y[(k - shift + n) % n], 0) / n);
  const rho = found[0] ?? NaN, share = (test) => (Number.isNaN(rho) ? NaN : found.filter(test).length / n);
  const chance = share((v) => v >= rho - 1e-9), other = share((v) => v <= rho + 1e-9);
  return { rho, chance, word: agreementWord(rho, Math.min(chance, other) <= Math.max(0.1, 1 / n)) };
}

/** A word for rho; "none" as well where more than a tenth of all shifts do as much (`rare` is false). */
function agreementWord(rho, rare) {
  if (!rare || !(Math.abs(rho) >= 0.2)) return "none"; // NaN as well
  if (rho < 0) return "opposite";
  return rho < 0.4 ? "weak" : rho < 0.7 ? "moderate" : "strong";
}

/** Ranks from 1; equal values share the mean of theirs, NaN has none. */
function averageRanks(values) {
  const list = Array.from(values), among = (test) => list.filter(test).length;
  return list.map((v) => (Number.isNaN(v) ? NaN : among((w) => w < v) + (among((w) => w === v) + 1) / 2));
}

/** Values with mean 0 and (population) standard deviation 1; NaN where all are alike. */
function standardScores(values) {
  const mean = values.reduce((sum, v) => sum + v, 0) / values.length;
  const spread = Math.sqrt(values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / values.length);
  return values.map((v) => (v - mean) / spread);
}
