// Experiments: what the reader changes, what became of map, probabilities and attention, and what the answer needs beside where
// the network looks. What an edit does, its words and its refusals are in edits.js; the state with its way back is in lab.js.

const WHERE = {
  patch: "the whole patch", pixel: "the chosen pixel", field: "its field", cells: "cells that I pick",
  beyond: "all farther away than",
};
const SHOWN_CLASSES = 6; // paired bars; the rest is summed
const sameEdit = (a, b) => JSON.stringify(a) === JSON.stringify(b);
const arrow = (from, to) => `${from} → ${to}`;
const sentenceOf = (text) => text && text[0].toUpperCase() + text.slice(1);
const naming = ([row, column]) => `row ${row}, column ${column}`;
const numberField = (name, attributes) => make("input", { type: "number", "aria-label": name, ...attributes });
const inRow = (...nodes) => make("div", { class: "row" }, ...nodes);
/** A group of buttons of which one is pressed: {element, press(value)}. */
function choiceOf(name, options, change) {
  const buttons = options.map(([value, text]) => button(text, () => change(value), { "data-value": value }));
  const press = (chosen) => {
    for (const one of buttons) one.setAttribute("aria-pressed", String(one.dataset.value === chosen));
  };
  return { element: make("span", { class: "choice", role: "group", "aria-label": name }, ...buttons), buttons, press };
}

// -------------------------------------------------------------------------------------------------------- before and after

/** Pixels (indices) whose answer is looked at: the chosen pixel, its field, or all of the patch that have data. */
function pixelsOf(lab, of) {
  const pixel = lab.get("pixel"), corner = lab.get("corner"), known = (p) => !lab.empty(corner, p);
  if (of === "patch") return [...Array(lab.f.patch ** 2).keys()].filter(known);
  const own = lab.index(pixel), field = of === "field" ? lab.fieldOf(pixel).filter(known) : [];
  return field.length ? field : [own];
}

/** Pixels (1 or 0) that edits hide, unless nothing but them is left. */
function hiddenBy(lab) {
  const scene = lab.sceneOf(), mask = new Uint8Array(lab.f.patch ** 2);
  for (const edit of lab.get("edits")) {
    if (edit.do === "hide") areaMask(edit.area ?? WHOLE_PATCH, scene).forEach((inside, p) => { mask[p] |= inside; });
  }
  return mask.every(Boolean) ? mask.fill(0) : mask;
}

/** What an experiment changed, in numbers; null while it is computed. `of` is "pixel" or "field". */
function changeOf(lab, of) {
  const { before, after, f } = lab, here = String(lab.get("corner"));
  if (!after?.logits || String(before.corner) !== here || String(after.corner) !== here) return null;
  const pixel = lab.get("pixel"), level = lab.get("level"), head = lab.get("head"), size = f.patch ** 2;
  const moved = (a, b) => a.reduce((sum, v, k) => sum + Math.abs(v - b[k]), 0);
  const looks = [before, after].map((one) => one.spatialOf(pixel, level, head)), cross = level === "cross";
  const got = [before, after].map((one) => one.received(level, head)), indices = pixelsOf(lab, of);
  const hidden = hiddenBy(lab), map = { changed: 0, seen: 0, known: 0, right: [0, 0], toRight: 0, toWrong: 0 };
  for (let p = 0; p < size; p++) {
    if (hidden[p]) continue; // what was taken away is no answer to look at
    map.seen++;
    const [old, now, label] = [before.prediction[p], after.prediction[p], lab.label(p)];
    if (old !== now) map.changed++;
    if (label === NONE || old === NONE) continue;
    map.known++;
    map.right[0] += old === label; map.right[1] += now === label;
    map.toRight += old !== label && now === label; map.toWrong += old === label && now !== label;
  }
  return {
    of, count: indices.length, size, map, cross, empty: before.prediction[indices[0]] === NONE,
    probabilities: [before, after].map((one) => one.probabilities(indices)),
    space: moved(...looks) / (cross ? looks[0].length : 2), time: moved(...got) / 2, // half the weight moved is 50 %
  };
}

/** One sentence or two about what an experiment changed, the change first; "" while it is computed or where there is none. */
function changeInWords(lab, of = "pixel") {
  const change = lab.get("edits").length && !lab.busy ? changeOf(lab, of) : null;
  if (!change) return "";
  const { probabilities: [old, now], map, size, cross, space, time } = change, [first, then] = [ranked(old)[0], ranked(now)[0]];
  const answer = change.empty ? `The ${of} has no data`
    : first === then ? `Still ${lab.name(then)}: ${arrow(percent(old[first]), percent(now[then]))}`
      : arrow(`${lab.name(first)} ${percent(old[first])}`, `${lab.name(then)} ${percent(now[then])}`);
  const rest = map.changed - map.toRight - map.toWrong, still = rest ? `, ${rest} are wrong before and after` : "";
  const judged = map.known && map.changed ? ` (${map.toRight} become right, ${map.toWrong} wrong${still})` : "";
  const cosines = `the cosines across scales by ${fixed(space, 2)} on average`;
  const looks = cross ? cosines : `${percent(space)} of where the pixel looks`;
  const level = lab.get("level"), head = lab.headName(lab.get("head"));
  const moved = `At level ${lab.timeLevel(level)}, ${head}, ${looks} and ${percent(time)} of the weight of dates moves.`;
  const which = map.seen < size ? `${map.seen} pixels that are not hidden` : `${size} pixels`;
  return `${answer}. ${map.changed} of ${which} change class${judged}. ${moved}`;
}

// ------------------------------------------------------------------------------------------------------------ what it needs

/** How much less likely, in nat, the present answer becomes with each of these edits on top of those in force: the mean over
 *  pixels (indices) of -log p of the class that each had. `step(done)` says whether to go on; null if not. */
async function worthOf(lab, indices, onTop, step) {
  const corner = lab.get("corner"), edits = lab.get("edits"), K = lab.f.classes.length, size = lab.f.patch ** 2;
  const see = (all) => lab.compute(lab.values(all, corner), all, { corner, place: "back" });
  const own = await see(edits), answer = indices.map((p) => ranked(own.probabilities(p))[0]);
  const surprise = ({ logits }) => indices.reduce((sum, p, n) => {
    const row = Array.from({ length: K }, (_, k) => logits[k * size + p]), most = Math.max(...row);
    return sum + most + Math.log(row.reduce((all, v) => all + Math.exp(v - most), 0)) - row[answer[n]];
  }, 0) / indices.length;
  const before = surprise(own), values = new Float64Array(onTop.length);
  for (const [k, edit] of onTop.entries()) {
    if (!step(k)) return null;
    values[k] = surprise(await see([...edits, edit])) - before;
  }
  return step(onTop.length) ? values : null;
}

const LITTLE = 0.1; // nat: what makes an answer less likely by a tenth at most

/** Occlusion of dates or cells on demand; one at a time, given up when the reader goes on. */
class Needs {
  constructor(lab) {
    Object.assign(this, { lab, of: "pixel", running: null, failed: "" });
    this.stop = lab.on(() => this.check());
  }
  /** What a result depends on; the level's grid for cells. */
  key(what, of = this.of) {
    const { lab } = this, at = of === "patch" ? "" : of === "pixel" ? lab.get("pixel") : pixelsOf(lab, of)[0];
    return JSON.stringify([lab.get("corner"), lab.get("edits"), of, at, what === "cells" ? lab.size(lab.get("level")) : ""]);
  }
  /** Forget what no longer holds. */
  check() {
    const { lab, running } = this;
    if (lab.need && lab.need.key !== this.key("dates", lab.need.of)) lab.need = null;
    if (lab.needCells && lab.needCells.key !== this.key("cells", lab.needCells.of)) lab.needCells = null;
    if (running && running.key !== this.key(running.what, running.of)) this.cancel();
  }
  cancel() { this.running = null; this.lab.tell(); }
  /** Compute what every date, or every cell, is worth; resolves to the values, or null if it was given up. */
  async find(what, of = this.of) {
    const { lab } = this, level = lab.get("level"), size = lab.size(level), cells = [...Array(lab.side(level) ** 2).keys()];
    const onTop = what === "dates" ? lab.f.dates.map((_, t) => ({ do: "leave out", dates: [t], by: "mean" }))
      : cells.map((cell) => ({ do: "hide", area: { kind: "cells", cells: [cell], size } }));
    const run = { what, of, key: this.key(what, of), done: 0, total: onTop.length };
    Object.assign(this, { running: run, failed: "" });
    lab.tell();
    const step = (done) => {
      run.done = done;
      if (this.running === run) lab.tell();
      return this.running === run;
    };
    try {
      const values = await worthOf(lab, pixelsOf(lab, of), onTop, step);
      if (!values) return null;
      const made = { values, unit: "nat", of, key: run.key };
      if (what === "dates") lab.need = made;
      else { // blue: hiding the cell makes the answer surer; what hardly matters is to look so
        const most = values.reduce((m, v) => Math.max(m, Math.abs(v)), LITTLE);
        lab.needCells = { ...made, low: -most, high: most, signed: true, level };
      }
      return values;
    } catch (error) {
      this.failed = String(error?.message ?? "it was given up");
      return null;
    } finally {
      if (this.running === run) this.running = null;
      lab.tell();
    }
  }
}

/** Agreement as a sentence; chance only where it means something (dates follow one another). */
function agreementSaid({ rho, chance, word }, chanceToo) {
  if (Number.isNaN(rho)) return "one of the two is the same everywhere, so that there is no order to compare";
  const said = { none: "no clear agreement", opposite: "the other way round" }[word] ?? `${word} agreement`;
  return `rho ${fixed(rho, 2)}: ${said}${chanceToo ? `; ${percent(chance)} of all shifts of the calendar agree as well` : ""}`;
}

// --------------------------------------------------------------------------------------------------------------- questions

/** Questions with the experiment that answers them. `ask(lab)` is the question, `run(lab, needs)` sets the experiment and gives
 *  what there is to say before the numbers; null if it was given up, and a text that starts with "!" if it cannot be. */
const QUESTIONS = [
  {
    name: "Which date does it need?",
    ask: (lab) => `Which date does ${whoIs(lab)} need most? ` +
      "Look at its curves and at the weight that dates receive, choose one, then see.",
    async run(lab, needs) {
      const asked = lab.experiment([]) || (await needs.find("dates", "pixel"));
      if (!asked || typeof asked === "string") return asked && `!${asked}`;
      const received = lab.after.received(lab.get("level"), lab.get("head")), [best] = ranked(asked), [most] = ranked(received);
      const named = (t) => dayIn(lab.f.dates[t], lab.f.dates), agree = agreementSaid(agreement(received, asked), true);
      lab.experiment([{ do: "leave out", dates: [best], by: "mean" }]);
      return `It needs ${named(best)} most: without it its class is ${fixed(asked[best], 2)} nat less likely. ` +
        `Most weight goes to ${named(most)}. Weight received and need, over the dates: ${agree}. `;
    },
  },
  {
    name: "Does it need its neighbours?",
    ask: (lab) => `Everything farther than 8 pixels from ${whoIs(lab)} is hidden. Is it still mapped alike? How sure?`,
    run: (lab) => simply(lab, [{ do: "hide", area: { kind: "beyond", at: lab.get("pixel"), radius: 8 } }]),
  },
  {
    name: "Does it need its attention over dates?",
    ask: () => "All dates get the same weight, in every level and head. How many pixels change class: none, some, most?",
    run: (lab) => simply(lab, [{ do: "even", branch: "temporal", levels: lab.f.levels }]),
  },
  {
    name: "… over pixels?",
    ask: () => "All cells get the same weight, in every level and head. How many pixels change class: none, some, most?",
    run: (lab) => simply(lab, [{ do: "even", branch: "spatial", levels: lab.f.levels }]),
  },
  {
    name: "What if all grew 20 days later?",
    ask: (lab) => `Would ${classOf(lab)} sown 20 days later still be mapped as ${classOf(lab)}?`,
    run: (lab) => simply(lab, [{ do: "shift", days: 20 }]),
  },
  {
    name: "What makes it another crop?",
    ask: (lab) => `The field gets the mean curve of ${lab.name(otherCrop(lab))}; its texture and its neighbours stay. ` +
      `Is that enough to make ${lab.name(otherCrop(lab))} of ${classOf(lab)}?`,
    run(lab) {
      const area = { kind: "field", at: lab.get("pixel") }, crop = otherCrop(lab);
      if (crop === NONE) return "!The scene has no labels, so that there is no crop to copy.";
      return simply(lab, [{ do: "copy crop", crop, area }]);
    },
  },
  {
    name: "Is it only speckle?",
    ask: () => "The speckle of every field is drawn anew, three times (4 looks). Does the answer stay in all three?",
    async run(lab) {
      const draws = [1, 2, 3].map((seed) => [{ do: "speckle", looks: 4, seed }]), corner = lab.get("corner");
      const own = lab.index(lab.get("pixel")), known = pixelsOf(lab, "patch"), old = lab.before.prediction;
      const results = await Promise.all(draws.map((edits) => lab.compute(lab.values(edits), edits, { corner })));
      const said = results.map((one) => likeliest(lab, one.probabilities(own))).join(", ");
      const stay = known.filter((p) => results.every((one) => one.prediction[p] === old[p])).length;
      const words = `Three draws: ${said}. ${stay} of ${known.length} pixels keep their class in all three. The third: `;
      return simply(lab, draws[2], words);
    },
  },
];
const classOf = (lab) => lab.name(lab.before?.prediction[lab.index(lab.get("pixel"))] ?? NONE);
const likeliest = (lab, shares) => { const [best] = ranked(shares); return `${lab.name(best)} ${percent(shares[best])}`; };
const whoIs = (lab) => `the pixel at ${naming(lab.get("pixel"))} (mapped as ${classOf(lab)})`;
/** Set an experiment; what `run` of a question gives. */
function simply(lab, edits, words = "") {
  const refused = lab.experiment(edits);
  return refused ? `!${refused}` : words;
}
/** The likeliest crop, other than the class of the pixel, whose mean curve is known; NONE where there is none. */
function otherCrop(lab) {
  const shares = lab.before?.probabilities(lab.index(lab.get("pixel"))) ?? [];
  return ranked(shares).slice(1).find((code) => code !== lab.f.background && cropKnown(lab, code)) ?? NONE;
}
const cropKnown = (lab, code) => Boolean(lab.f.crop_mean[code]?.flat().some((v) => v !== null));

// -------------------------------------------------------------------------------------------------------------------- panel

/** The tab "Experiments": {title, element, draw}. */
function experimentsPanel(lab, ui) {
  if (!lab.f.live) {
    const why = "This network is too large to run in a page, so that only its maps are there: experiments need a smaller one.";
    return { title: "Experiments", element: make("p", { class: "hint" }, why), draw() {} };
  }
  const needs = new Needs(lab), refusal = make("p", { class: "refused", hidden: true });
  /** Say why something cannot be, or, with "", that all is well. */
  const refuse = (why) => {
    refusal.hidden = !why;
    refusal.textContent = sentenceOf(why);
    if (why) ui.say(refusal.textContent);
    return !why;
  };
  const propose = (edits, options) => refuse(lab.experiment(edits, options));
  const parts = [
    questionsPart(lab, ui, needs), editPart(lab, ui, propose, refuse), forcePart(lab, propose), changePart(lab, ui),
    needPart(lab, ui, needs),
  ];
  const [questions, edit, force, change, need] = parts.map((part) => part.element);
  edit.append(refusal);
  const columns = make("div", { class: "columns" }, make("div", {}, edit, force), make("div", {}, change, need));
  return {
    title: "Experiments",
    element: make("div", { class: "experiments" }, questions, columns),
    draw() { for (const part of parts) part.draw(); },
  };
}

/** Resolves when results belong to the state. */
const settled = (lab) => new Promise((resolve) => {
  if (!lab.busy) return resolve();
  const stop = lab.on(() => { if (!lab.busy) { stop(); resolve(); } });
});

function questionsPart(lab, ui, needs) {
  const question = make("p", { class: "question" }), answer = make("p", { class: "answer" });
  const show = button("Show me", () => run()), leave = button("Close", () => open(null));
  const box = make("div", { class: "asked", hidden: true }, question, inRow(show, leave), answer);
  const names = choiceOf("Questions", QUESTIONS.map(({ name }, k) => [String(k), name]), (k) => open(k === asked ? null : k));
  let asked = null, working = false, answered = "";
  const state = () => JSON.stringify(["corner", "pixel", "edits"].map((name) => lab.get(name)));
  function open(k) {
    asked = k; answered = ""; answer.textContent = "";
    if (k !== null) ui.say(QUESTIONS[k].ask(lab));
    lab.tell();
  }
  async function run() {
    const own = asked;
    working = true; answered = ""; answer.textContent = "The answer is being computed …"; lab.tell();
    let found;
    try { found = await QUESTIONS[own].run(lab, needs); } catch (error) { found = `!${error?.message ?? "it was given up."}`; }
    await settled(lab);
    working = false;
    if (own !== asked) return lab.tell();
    const refused = found?.startsWith("!") && sentenceOf(found.slice(1));
    const said = found === null ? "Given up: ask again." : refused || `${found}${changeInWords(lab)}`;
    answer.textContent = said; answered = state();
    if (said) ui.say(said);
    lab.tell();
  }
  const element = make("section", { class: "questions", "aria-label": "Questions" },
    make("h2", {}, "Predict, then try"), names.element, box);
  return {
    element,
    draw() {
      names.press(asked);
      box.hidden = asked === null;
      if (answered && answered !== state()) { answer.textContent = ""; answered = ""; } // it was about something else
      if (asked !== null && !working && !answered) question.textContent = QUESTIONS[asked].ask(lab);
      show.disabled = working || !lab.before;
    },
  };
}

/** What to change and where: one form an experiment. */
function editPart(lab, ui, propose, refuse) {
  const { f } = lab, T = f.dates.length, dateOptions = f.dates.map((iso, t) => [t, dayIn(iso, f.dates)]);
  const last = (test) => lab.get("edits").findLastIndex(test);
  /** Put an edit in the place of the one with this index (-1: at the end); null takes that one away. */
  const put = (edit, at = -1, options = {}) => {
    const edits = [...lab.get("edits")];
    if (edit) at < 0 ? edits.push(edit) : edits.splice(at, 1, edit);
    else if (at >= 0) edits.splice(at, 1);
    return propose(edits, options);
  };

  // ------------------------------------------------------------------------------------------------------------- where
  let kind = "patch", picked = [], pickedSize = 8, fieldless = {}; // {pixel, why}
  const radius = numberField("Distance in pixels", { min: 0, max: 200, step: 1, value: 8 });
  const where = select("Where", Object.entries(WHERE), (value) => { goWhere(value); lab.tell(); });
  const pick = button("Pick", () => pickCells(!lab.pick), { "aria-pressed": "false" });
  const unpick = button("Pick none", () => { picked = []; told(); });
  const whereNote = make("p", { class: "hint" });
  const [small, ink] = sheet(128, 128, { class: "picked", role: "img" });
  const cells = inRow(pick, unpick, small), far = make("label", {}, radius, "pixels");
  const place = make("div", {}, inRow(labelled("Where ", where), far), cells, whereNote);
  function goWhere(value) {
    kind = where.value = value;
    pickCells(value === "cells");
    lab.curveOf = value === "field" ? "field" : "pixel";
  }
  function told() {
    lab.picked = kind === "cells" ? { cells: picked, size: pickedSize } : null;
    lab.tell();
  }
  function pickCells(on) {
    const size = lab.size(lab.get("level"));
    if (on && size !== pickedSize) { picked = []; pickedSize = size; }
    lab.pick = on ? pickAt : null;
    told();
  }
  function pickAt(pixel) {
    if (!place.offsetParent) return false; // another tab is open: a click chooses the pixel, as ever
    const [row, column] = pixel.map((v, k) => Math.floor((v - lab.get("corner")[k]) / pickedSize));
    const cell = row * (f.patch / pickedSize) + column;
    picked = picked.includes(cell) ? picked.filter((one) => one !== cell) : [...picked, cell].sort((a, b) => a - b);
    ui.say(`${counted(picked.length, "cell")} picked.`);
    told();
    return true;
  }
  small.addEventListener("click", ({ offsetX, offsetY }) => {
    const [top, left] = lab.get("corner"), inside = (place) => clampTo(Math.floor((place / 128) * f.patch), 0, f.patch - 1);
    pickAt([top + inside(offsetY), left + inside(offsetX)]);
  });
  /** The patch, small, with the picked cells. */
  function drawPicked() {
    const { patch } = f, values = lab.values().subarray(0, patch ** 2), range = greyRange(values);
    const each = (128 * pickedSize) / patch;
    const grey = (p) => [...(Number.isFinite(values[p]) ? greyOf(values[p], range) : rgbOf(ui.colours().paper)), 255];
    ink.imageSmoothingEnabled = false;
    ink.drawImage(picture(patch, grey), 0, 0, 128, 128);
    for (const cell of picked) {
      const x = (cell * each) % 128, y = Math.floor((cell * each) / 128) * each;
      for (const [colour, line] of [["#fff", 4], ["#d4006a", 2]]) {
        ink.strokeStyle = colour; ink.lineWidth = line;
        ink.strokeRect(x + 2, y + 2, each - 4, each - 4);
      }
    }
    small.setAttribute("aria-label", `The patch, small, with ${counted(picked.length, "cell")} picked`);
  }
  /** The area as an edit has it; throws nothing: what cannot be is refused when it is tried. */
  function area() {
    const at = lab.get("pixel");
    return { patch: { kind }, pixel: { kind, at }, field: { kind, at }, cells: { kind, cells: picked, size: pickedSize },
      beyond: { kind, at, radius: radius.valueAsNumber } }[kind];
  }
  /** Why the chosen pixel has no field, or "". */
  function noField() {
    const pixel = lab.get("pixel");
    if (sameEdit(fieldless.pixel, pixel)) return fieldless.why;
    fieldless = { pixel, why: "" };
    try { areaMask({ kind: "field", at: pixel }, lab.sceneOf()); } catch (error) { fieldless.why = error.message; }
    return fieldless.why;
  }
  function drawWhere() {
    const reason = noField(), field = [...where.options].find((option) => option.value === "field");
    field.disabled = Boolean(reason);
    if (kind === "field" && reason && document.activeElement !== where) goWhere("pixel");
    far.hidden = kind !== "beyond"; cells.hidden = kind !== "cells"; unpick.disabled = !picked.length;
    if (kind === "cells") drawPicked();
    pick.setAttribute("aria-pressed", String(Boolean(lab.pick)));
    pick.textContent = lab.pick ? "Picking" : "Pick";
    const from = `the chosen pixel, ${naming(lab.get("pixel"))}`;
    const how = `Click or tap cells of ${pickedSize} × ${pickedSize} pixels in the patch; by keys: arrows, and Enter picks. `;
    const words = {
      patch: reason && `No field to choose: ${reason}`, pixel: sentenceOf(from), field: sentenceOf(from), beyond: `from ${from}`,
      cells: `${how}${counted(picked.length, "cell")} picked.`,
    }[kind];
    if (whereNote.textContent !== words) whereNote.textContent = words;
  }

  // ------------------------------------------------------------------------------------------------------- experiments
  // Leaving out: the dates of the last such edit at this place are pressed.
  let by = "mean";
  const left = () => last((edit) => edit.do === "leave out" && sameEdit(edit.area ?? WHOLE_PATCH, area()));
  const leftDates = () => lab.get("edits")[left()]?.dates ?? [];
  const leave = (dates) => put(dates.length ? { do: "leave out", dates, by, area: area() } : null, left());
  const toggles = dateOptions.map(([t, text]) => button(text, () => {
    const dates = leftDates();
    leave(dates.includes(t) ? dates.filter((one) => one !== t) : [...dates, t].sort((a, b) => a - b));
  }, { "aria-pressed": "false" }));
  const ways = [["mean", "the mean of that date in the scene"], ["neighbours", "interpolated from the dates kept"]];
  const instead = select("Instead of it", ways, (value) => {
    const old = by;
    by = value;
    if (leftDates().length && !leave(leftDates())) by = instead.value = old;
  });

  // Bending: by dragging in the chart, by its keys, or by numbers. A drag that goes on replaces what it did so far.
  let drag = { edits: [], past: 0 };
  const band = select("Band", f.bands.map(({ name, label }) => [name, label]), (value) => { lab.bendBand = value; });
  const bentDate = select("Date to bend", dateOptions, (value) => lab.set({ date: +value }, { undoable: false }));
  const bentBy = numberField("Change", { value: 3, step: 0.5, min: -90, max: 90 }), bentUnit = make("span", {}, f.bands[0].unit);
  function bend(name, date, change, continued) {
    if (!Number.isFinite(change)) return refuse("There is no number of decibels: say by how much the curve is to be bent.");
    if (!continued) drag = { edits: lab.get("edits"), past: lab.past.length };
    const { edits } = drag, at = lab.band(name), { label, unit } = f.bands[at], top = edits.at(-1);
    const more = top?.do === "bend" && top.band === name && sameEdit(top.area ?? WHOLE_PATCH, area());
    const under = more ? edits.slice(0, -1) : edits, by = more ? [...top.by] : Array(T).fill(0), wished = by[date] + change;
    const [low, high] = unit === "dB" ? PHYSICAL : [-LARGEST, LARGEST];
    try {
      const curve = areaCurve(lab.values(under), areaMask(area(), lab.sceneOf()))[date * f.bands.length + at];
      const within = clampTo(wished, Math.ceil(10 * (low - curve)) / 10, Math.floor(10 * (high - curve)) / 10);
      by[date] = Number.isNaN(within) ? wished : Math.round(1e3 * within) / 1e3;
    } catch (error) { return refuse(error.message); }
    const bent = by.some(Boolean) ? [...under, { do: "bend", band: name, by, area: area() }] : under;
    const done = propose(bent, { undoable: lab.past.length === drag.past });
    const clamped = `${label} stays between ${fixed(low, 0)} and ${high} ${unit}: nothing beyond is measured.`;
    if (done && Math.abs(by[date] - wished) > 0.01) refuse(clamped);
  }

  const crops = f.classes.map((_, code) => [code, lab.name(code)]).filter(([code]) => cropKnown(lab, code));
  const crop = select("Crop", crops, () => {});
  const lastOf = (what) => last((edit) => edit.do === what), seedOf = (what) => (lab.get("edits")[lastOf(what)]?.seed ?? 0) + 1;
  let shifting = 0; // undo steps when the slider was taken
  const days = slider("Days later", { min: -60, max: 60, step: 1, value: 0 }, (value) => {
    put(value ? { do: "shift", days: value } : null, lastOf("shift"), { undoable: lab.past.length === shifting });
  });
  const daysSaid = make("output", { class: "value" });
  for (const start of ["pointerdown", "focus"]) days.addEventListener(start, () => { shifting = lab.past.length; });
  const first = select("First date", dateOptions, () => {}), second = select("Second date", dateOptions, () => {});
  second.value = T - 1;
  const looks = numberField("Looks", { min: 1, max: MOST_LOOKS, step: 1, value: 4 });
  const speckle = (edit) => put({ do: "speckle", ...edit }, lastOf("speckle"));
  const fresh = () => speckle({ looks: looks.valueAsNumber, seed: seedOf("speckle") });
  const random = () => put({ do: "random weights", seed: seedOf("random weights") }, lastOf("random weights"));
  const copy = () => put({ do: "copy crop", crop: +crop.value, area: area() });
  const branch = select("Equal over", [["temporal", "dates"], ["spatial", "pixels"]], () => {});
  const level = select("Level made equal", [["", "all levels"], ...f.levels.map((n) => [n, `level ${n}`])], () => {});
  const heads = Array.from({ length: f.heads }, (_, h) => [h + 1, `head ${h + 1}`]);
  const head = select("Head made equal", [["", "all heads"], ...heads], () => {});
  const even = () => put({
    do: "even", branch: branch.value, levels: level.value ? [+level.value] : f.levels, heads: head.value ? [+head.value] : [],
  });
  const decibel = f.bands.some(({ unit }) => unit === "dB");

  const dateButtons = make("div", { class: "dates", role: "group", "aria-label": "Dates left out" }, ...toggles);
  const forms = {
    leave: {
      name: "Leave out dates", at: "patch", hint: "Press the dates to leave out; press again to have them back.",
      rows: [place, labelled("Instead ", instead), dateButtons],
    },
    bend: {
      name: "Bend a curve", at: "field", hint: "Or drag a point of the curves; or, on the curves, press up and down.",
      rows: [place, inRow(band, labelled("on ", bentDate), labelled("by ", bentBy, bentUnit),
        button("Bend", () => bend(band.value, +bentDate.value, bentBy.valueAsNumber, false)))],
    },
    copy: {
      name: "Copy the curve of a crop", at: "field",
      hint: "The mean of the place becomes that of the crop; its texture stays. “All farther away” are other neighbours.",
      not: crops.length ? "" : "the scene has no labels, so that there is no crop to copy.",
      rows: [place, inRow(labelled("Crop ", crop), button("Copy", copy))],
    },
    hide: {
      name: "Hide a place", at: "beyond", hint: "The scene’s mean of each date stands there and tells nothing.",
      rows: [place, button("Hide", () => put({ do: "hide", area: area() }))],
    },
    shift: {
      name: "Shift the calendar", hint: "To the left all grows earlier, to the right later.",
      rows: [inRow(labelled("Days later ", days), daysSaid)],
    },
    exchange: {
      name: "Exchange two dates", hint: "Does it matter to the network what came first?",
      rows: [inRow(first, second, button("Exchange", () => put({ do: "exchange", dates: [+first.value, +second.value] })))],
    },
    speckle: {
      name: "Fresh speckle, or none", not: decibel ? "" : "no band is in decibels, so that there is no speckle.",
      hint: "Few looks: strong speckle. “Draw” once more draws other speckle of the same kind.",
      rows: [inRow(labelled("Looks ", looks), button("Draw", fresh), button("Take speckle away", () => speckle({ looks: 0 })))],
    },
    even: {
      name: "Equal attention", hint: "All places, or all dates, get the same weight; the network computes on with it.",
      rows: [inRow(labelled("Over ", branch), level, head, button("Make equal", even))],
    },
    random: {
      name: "Random weights", hint: "As before training: what attention looks like when nothing was learned.",
      rows: [button("Draw weights", random)],
    },
  };
  const what = select("Experiment", Object.entries(forms).map(([key, { name }]) => [key, name]), (key) => choose(key));
  for (const option of what.options) option.disabled = Boolean(forms[option.value].not);
  const impossible = Object.values(forms).filter(({ not }) => not).map(({ name, not }) => `${name}: ${not}`).join(" ");
  const body = make("div", { class: "form" }), hint = make("p", { class: "hint" });
  let chosen = "";
  function choose(key) {
    chosen = what.value = key;
    const { rows, at = "patch" } = forms[key];
    goWhere(at === "field" && noField() ? "pixel" : at);
    body.replaceChildren(...rows);
    hint.textContent = forms[key].hint;
    lab.bend = key === "bend" ? bend : null; // dragging bends only while bending is asked for
    lab.bendBand = band.value;
    refuse("");
    lab.tell();
  }
  choose("leave");
  const element = make("section", { class: "edit", "aria-label": "Change something" }, make("h2", {}, "Change something"),
    labelled("Experiment ", what), body, hint, make("p", { class: "hint", hidden: !impossible }, impossible));
  return {
    element,
    draw() {
      if (kind === "cells" && lab.size(lab.get("level")) !== pickedSize) pickCells(Boolean(lab.pick)); // another grid
      drawWhere();
      const dates = chosen === "leave" ? leftDates() : [];
      toggles.forEach((one, t) => one.setAttribute("aria-pressed", String(dates.includes(t))));
      const shifted = lab.get("edits")[lastOf("shift")]?.days ?? 0;
      days.value = shifted;
      daysSaid.textContent = shifted ? `${counted(Math.abs(shifted), "day")} ${shifted > 0 ? "later" : "earlier"}` : "as it was";
      if (document.activeElement !== bentDate) bentDate.value = lab.get("date");
    },
  };
}

/** The edits in force, and the ways back. */
function forcePart(lab, propose) {
  const list = make("ol"), none = make("p", { class: "hint" }, "None: the network sees what was measured.");
  const back = button("Take back", () => propose(lab.get("edits").slice(0, -1)), { title: "Take the last experiment away" });
  const clear = button("Clear all", () => propose([]));
  const times = [["before", "before"], ["after", "after"], ["difference", "difference"]];
  const show = choiceOf("The pictures show", times, (value) => lab.set({ show: value }));
  let drawn = "";
  const remove = (k) => {
    propose(lab.get("edits").toSpliced(k, 1));
    draw();
    (list.querySelectorAll("button")[Math.max(0, k - 1)] ?? back).focus(); // where the reader was
  };
  function draw() {
    const edits = lab.get("edits"), now = JSON.stringify(edits);
    back.disabled = !edits.length; clear.disabled = !edits.length; none.hidden = Boolean(edits.length);
    show.press(lab.get("show"));
    for (const one of show.buttons) one.disabled = !edits.length;
    if (now === drawn) return;
    drawn = now;
    list.replaceChildren(...inWords(edits, lab.f).map((words, k) =>
      make("li", {}, words, " ", button("Remove", () => remove(k), { "aria-label": `Remove: ${words}` }))));
    list.hidden = !edits.length;
  }
  const element = make("section", { class: "force", "aria-label": "Experiments in force" },
    make("h2", {}, "In force"), none, list, inRow(back, clear), inRow("The pictures show ", show.element));
  return { element, draw };
}

/** Probabilities before and after, the map, the attention, and the sentence. */
function changePart(lab, ui) {
  const { f } = lab;
  let of = "pixel", spoken = "", drawn = "";
  const whose = choiceOf("Whose answer", [["pixel", "Pixel"], ["field", "Field"]], (value) => { of = value; lab.tell(); });
  const sentence = make("p", { class: "change" }), rows = make("tbody"), facts = make("ul"), who = make("span");
  const column = (name) => make("th", { scope: "col" }, name);
  const header = make("tr", {}, column("Class"), make("td"), column("before"), column("after"));
  const table = make("table", { class: "paired" }, make("thead", {}, header), rows);
  const maps = [smallMap(), smallMap()], pair = make("div", { class: "pair" }, ...maps.map((map) => map.element));
  const element = make("section", { class: "changed", "aria-label": "What changed" },
    make("h2", {}, "What became of it"), sentence, pair, inRow(whose.element, who), table, facts);

  /** The map before and after, small, so that both are seen beside the experiment. */
  function drawMaps() {
    const rgb = f.classes.map((crop) => hexColour(crop.colour)), mark = lab.index(lab.get("pixel"));
    [["before", lab.before], ["after", lab.after]].forEach(([when, { prediction }], k) => {
      maps[k].paint(132, f.patch, (p) => rgb[prediction[p]] ?? GROUND, f.patch, mark);
      maps[k].say(`Map ${when}`, `the pixel is ${lab.name(prediction[mark])}`);
    });
  }

  const bar = (share, kind, colour) => make("i", { class: kind, style: `width: ${(100 * share).toFixed(1)}%; ${colour}` });
  const classRow = (name, colour, before, after) => make("tr", {}, make("th", { scope: "row" }, swatch(colour, name)),
    make("td", { class: "bars" }, bar(before, "old", ""), bar(after, "now", `background: ${colour}`)),
    make("td", {}, percent(before)), make("td", {}, percent(after)));
  function drawBars([before, after]) {
    const most = before.map((v, k) => Math.max(v, after[k]));
    const label = lab.label(lab.index(lab.get("pixel"))), order = ranked(most); // the reference class is always there
    const shown = order.filter((k, n) => k === label || (most[k] >= 0.005 && n < SHOWN_CLASSES));
    const rest = order.filter((k) => !shown.includes(k));
    const sum = (shares) => rest.reduce((all, k) => all + shares[k], 0);
    const named = (k) => `${lab.name(k)}${k === label ? " (reference)" : ""}`;
    rows.replaceChildren(...shown.map((k) => classRow(named(k), f.classes[k].colour, before[k], after[k])),
      ...(rest.length ? [classRow(counted(rest.length, "other"), "#8a94a0", sum(before), sum(after))] : []));
  }
  function drawFacts({ map, size, cross, space, time }) {
    const level = lab.get("level"), head = lab.headName(lab.get("head")), [old, now] = map.right;
    const turned = `${map.toRight} become right, ${map.toWrong} wrong`;
    facts.replaceChildren(...[
      `Map: ${map.changed} of ${map.seen} pixels${map.seen < size ? " that are not hidden" : ""} change class.`,
      map.known && `Right by the reference: ${arrow(old, now)} of ${map.known} (${turned}).`,
      cross ? `Cosines of the pixel across scales: changed by ${fixed(space, 2)} on average.`
        : `Where the pixel looks (level ${level}, ${head}): ${percent(space)} of the weight moves.`,
      `Weight that dates receive (level ${lab.timeLevel(level)}, ${head}): ${percent(time)} of it moves.`,
    ].filter(Boolean).map((text) => make("li", {}, text)));
  }
  function draw() {
    const now = JSON.stringify([of, lab.answered, lab.asked, ...["pixel", "level", "head"].map((name) => lab.get(name))]);
    if (now === drawn) return; // the pointer moves often
    drawn = now;
    const change = changeOf(lab, of), words = changeInWords(lab, of), edited = lab.get("edits").length > 0;
    const waiting = edited || lab.busy ? "Being computed …" : "Nothing is changed yet.";
    whose.press(of);
    sentence.textContent = lab.failed ? `It could not be computed: ${lab.failed}` : words || waiting;
    element.setAttribute("aria-busy", String(lab.busy));
    facts.hidden = pair.hidden = !edited;
    if (!lab.busy && lab.answered !== spoken) { // said when it is new, not when the reader goes on to another pixel
      if (words && spoken) ui.say(words);
      spoken = lab.answered;
    }
    if (!change) return;
    const several = of === "field" ? `: mean of ${counted(change.count, "pixel")}` : "";
    who.textContent = `${naming(lab.get("pixel"))}${several}`;
    drawMaps(); drawBars(change.probabilities); drawFacts(change);
  }
  return { element, draw };
}

/** Occlusion beside attention. */
function needPart(lab, ui, needs) {
  const names = { pixel: "the pixel", field: "its field", patch: "the whole patch" };
  const of = select("Answer of", Object.entries(names), (value) => { needs.of = value; needs.cancel(); });
  const dates = button("Every date", () => start("dates")), cells = button("Every cell", () => start("cells"));
  const cancel = button("Cancel", () => needs.cancel()), progress = make("progress", { "aria-label": "Progress" });
  const note = make("p", { class: "hint" }), told = make("p"), toldCells = make("p");
  const layers = [["attention", "where it looks"], ["need", "what it needs"]];
  const over = choiceOf("Over the patch", layers, (value) => { lab.overlay = value; lab.tell(); });
  async function start(what) {
    const found = await needs.find(what);
    if (found) ui.say(what === "dates" ? datesNeed() : cellsNeed());
  }
  function datesNeed() {
    const { need: { values, of: whose }, after, f } = lab, T = f.dates.length, [best] = ranked(values);
    const [level, head, date] = ["level", "head", "date"].map((name) => lab.get(name)), named = (t) => dayIn(f.dates[t], f.dates);
    const agree = (weights) => agreementSaid(agreement(weights, values), true);
    const asked = after.temporalOf(level, head).slice(date * T, (date + 1) * T);
    return `${sentenceOf(names[whose])} needs ${named(best)} most (${fixed(values[best], 2)} nat). ` +
      `Need and weight that dates receive (level ${lab.timeLevel(level)}, ${lab.headName(head)}): ` +
      `${agree(after.received(level, head))}. ` +
      `Need and weight asked by ${named(date)}: ${agree(asked)}.`;
  }
  function cellsNeed() {
    const { needCells: { values, of: whose }, after } = lab, [best] = ranked(values), level = lab.get("level");
    const looks = after.spatialOf(lab.get("pixel"), level, lab.get("head"));
    if (values[best] < LITTLE / 2) return `No single cell matters to ${names[whose]}: at most ${fixed(values[best], 2)} nat.`;
    return `Of all cells, ${names[whose]} needs ${cellText(lab, best, level)} most ` +
      `(${fixed(values[best], 2)} nat). Need and where the pixel looks: ${agreementSaid(agreement(looks, values), false)}.`;
  }
  function draw() {
    needs.check();
    const { running } = needs, ready = lab.after && !lab.busy;
    of.value = needs.of;
    for (const one of [dates, cells]) one.disabled = Boolean(running) || !ready;
    cancel.hidden = progress.hidden = !running;
    if (running) { progress.max = running.total; progress.value = running.done; }
    const failed = needs.failed && `It could not be computed: ${needs.failed}`;
    note.textContent = running ? `${running.done} of ${running.total} ${running.what} …` : failed;
    told.textContent = lab.need && ready ? datesNeed() : "";
    toldCells.textContent = lab.needCells && ready ? cellsNeed() : "";
    over.buttons[1].disabled = !lab.needCells;
    over.press(lab.needCells ? lab.overlay : "attention");
  }
  const how = "Dates or cells are hidden one by one, on top of what is in force: how much less likely becomes the class that " +
    "is mapped? In nat: 0.69 halves it, 2.3 leaves a tenth.";
  const element = make("section", { class: "needs", "aria-label": "What the answer needs" },
    make("h2", {}, "What does the answer need?"), make("p", { class: "hint" }, how),
    inRow(labelled("Answer of ", of), dates, cells, progress, cancel), note, told, toldCells,
    inRow("Over the patch ", over.element));
  return { element, draw };
}
