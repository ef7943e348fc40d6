// What can be taken away: a picture, tables, Python that makes the same, and a link with the state.

/** Buttons that hand out what is seen: as a picture, as tables, as Python and, in a saved page, as a link.
 *  `ui.canvases()` gives [{title, canvas}], `ui.legendText()` their legends in words. */
function takeAway(lab, ui, page) {
  const file = (what) => {
    const [row, column] = lab.get("pixel"), level = lab.get("level"), head = lab.get("head");
    const heads = level === "cross" ? "" : `_${head ? `head${head}` : "mean"}`;
    return `${what}_row${row}_column${column}_level${level}${heads}`;
  };
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
  const pale = (colour) => css(mix(hexColour(colour), GROUND, paleness(lab.get("opacity"))).map(Math.round)); // as scene.js
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
      ...[before, after].map((result) => digits(probability(result, p, code))), ...weights.map((list) => digits(list[cell]))];
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
    ...["before", "after"].map((when) => `asked by ${f.dates[asks]} ${when}`),
    ...(need ? [`needed by the ${need.of} (${need.unit})`] : [])];
  const rows = f.dates.map((date, t) => [
    date,
    ...f.bands.map((_, b) => values[(t * f.bands.length + b) * size + p]),
    ...received.map((list) => digits(list[t])),
    ...given.map((map) => digits(map[asks * T + t])),
    ...(need ? [digits(need.values[t])] : []),
  ]);
  return [header, ...rows];
}
/** A weight or probability to four digits: more are not known, since what travelled here was rounded. */
const digits = (value) => Math.round(1e4 * value) / 1e4;
/** One row for each pair of dates. */
function pairRows(lab) {
  const { f, before, after } = lab, T = f.dates.length;
  const maps = [before, after].map((result) => result.temporalOf(lab.get("level"), lab.get("head")));
  const level = lab.timeLevel(lab.get("level")), head = lab.get("head") || "mean";
  const rows = Array.from(maps[0], (_, k) => {
    const asking = f.dates[Math.floor(k / T)], answering = f.dates[k % T];
    return [level, head, asking, answering, ...maps.map((map) => digits(map[k]))];
  });
  return [["level", "head", "asking", "answering", "weight before", "weight after"], ...rows];
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
