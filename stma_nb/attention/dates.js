// The pictures of time, over one axis that is true to time: dates that ask dates, the weight each date receives (and, if asked
// for, what it is worth to the answer), and the curves of the chosen pixel or field, which can be dragged.

const DASHES = [[5, 3], [], [7, 3, 2, 3], [2, 2]]; // bands differ in colour, dashes and markers
// Where things stand, in CSS pixels: room around both pictures; bars, curves and dates beneath each other.
const TIME = { left: 68, right: 34, top: 4 };
const BARS = { top: 22, height: 78, bottom: 100 };
const CURVES = { top: 144, height: 190, bottom: 334, foot: 58 };

/** Where dates stand: `edge(t)` begins the column of date t (halfway to its neighbours), `x(t)` is the date itself; 0 to 1.
 *  `edgeAt`, `xAt` and `wide` are the same in a picture of `width` CSS pixels. */
function timeAxis(days) {
  const T = days.length;
  const between = days.slice(1).map((day, t) => (day + days[t]) / 2);
  const first = days[0] - (between[0] - days[0]);
  const last = days[T - 1] + (days[T - 1] - between[T - 2]);
  const edges = [first, ...between, last];
  const share = (day) => (day - first) / (last - first);
  return {
    width: 500,
    get inner() { return this.width - TIME.left - TIME.right; },
    edge: (t) => share(edges[t]),
    x: (t) => share(days[t]),
    /** The date at a share of the axis. */
    at: (place) => clampTo(edges.slice(1).findIndex((edge) => share(edge) > place), 0, T - 1),
    px(share) { return TIME.left + share * this.inner; },
    edgeAt(t) { return this.px(this.edge(t)); },
    xAt(t) { return this.px(this.x(t)); },
    wide(t) { return this.edgeAt(t + 1) - this.edgeAt(t); },
    /** The date at x of the picture; -1 beside the axis. */
    dateAt(x) { return x < TIME.left || x > TIME.left + this.inner ? -1 : this.at((x - TIME.left) / this.inner); },
  };
}
/** Whether weights are to be seen as their change by the experiment. */
const isDifference = (lab) => lab.get("show") === "difference" && lab.before !== lab.after && Boolean(lab.after);

function datesPanel(lab, ui) {
  const axis = timeAxis(lab.f.days), matrix = matrixPart(lab, ui, axis), curves = curvesPart(lab, ui, axis);
  function draw() {
    const colours = ui.colours(), result = lab.shownResult(), shown = lab.hover ?? lab.get("pixel");
    axis.width = ui.chartWidth();
    if (result) matrix.draw(result, colours);
    curves.draw(result, shown, colours);
  }
  const element = make("div", { class: "dates-panel" }, matrix.element, curves.element, curves.table);
  return { element, draw, matrix: matrix.canvas, chart: curves.canvas };
}

/** Dates that ask (rows) dates that answer (columns); a click on a row chooses its date. */
function matrixPart(lab, ui, axis) {
  const { f } = lab, T = f.dates.length;
  const [canvas, g] = sheet(300, 300, {
    class: "matrix", tabindex: 0, role: "application",
    "aria-label": "Dates that ask dates. Arrow keys move over the cells; Enter chooses the asking date.",
  });
  const bar = make("canvas", { class: "scale-bar", role: "img", "aria-label": "Scale of the weights" });
  const least = make("span"), most = make("span");
  const title = make("figcaption"), scale = make("div", { class: "scale" }, least, bar, most);
  const told = make("p", { class: "told hint" });
  let cell = null; // under the pointer: [asking date, answering date or -1]

  const side = () => clampTo(axis.inner * 0.5, 120, 260);
  const y = (share) => TIME.top + share * side();
  const named = (t) => dayIn(f.dates[t], f.dates);
  const choose = (date) => lab.set({ date }, { undoable: false });

  // ------------------------------------------------------------------------------------------------------------- input
  function cellAt(event) {
    const [x, below] = placeOver(event, canvas);
    if (below < TIME.top || below > TIME.top + side()) return null;
    return [axis.at((below - TIME.top) / side()), axis.dateAt(x)];
  }
  function pointAt(next) {
    cell = next;
    lab.tell();
  }
  canvas.addEventListener("pointermove", (event) => {
    const next = cellAt(event);
    if (String(next) !== String(cell)) pointAt(next);
  });
  canvas.addEventListener("pointerleave", () => pointAt(null));
  canvas.addEventListener("click", (event) => {
    const next = cellAt(event);
    if (!next) return;
    cell = next;
    choose(next[0]);
  });
  canvas.addEventListener("keydown", (event) => {
    const move = MOVES[event.key];
    if (move) {
      const from = cell && cell[1] >= 0 ? cell : [lab.get("date"), lab.get("date")];
      pointAt(from.map((t, k) => clampTo(t + move[k], 0, T - 1)));
      ui.say(inCell());
    } else if ((event.key === "Enter" || event.key === " ") && cell) choose(cell[0]);
    else return;
    event.preventDefault();
  });

  /** What a cell of the matrix says. */
  function inCell() {
    const result = lab.shownResult();
    if (!result) return "";
    const [asks, answers] = cell && cell[1] >= 0 ? cell : [cell?.[0] ?? lab.get("date"), -1];
    const row = weightsOf(result).subarray(asks * T, asks * T + T);
    const best = answers >= 0 ? answers : ranked(row)[0];
    if (answers < 0 && isAlike(row)) return `${named(asks)} asks all dates alike.`;
    const change = `${row[best] >= 0 ? "gains" : "loses"} ${fixed(100 * Math.abs(row[best]), 1)} points`;
    const gets = isDifference(lab) ? change : `gets ${percent(row[best])}`;
    return `${named(asks)} asks, ${named(best)} ${gets}${answers >= 0 ? "" : ", the most of this row"}.`;
  }
  /** Weights (T x T), or their change. */
  function weightsOf(result) {
    const level = lab.get("level"), head = lab.get("head"), now = result.temporalOf(level, head);
    if (!isDifference(lab)) return now;
    const old = lab.before.temporalOf(level, head);
    return now.map((v, k) => v - old[k]);
  }

  // ----------------------------------------------------------------------------------------------------------- drawing
  function draw(result, colours) {
    const weights = weightsOf(result), least = isDifference(lab) ? 1e-6 : 2 / T; // equal weights are not to look bright
    const high = weights.reduce((most, v) => Math.max(most, Math.abs(v)), least);
    resize(canvas, g, axis.width, side() + TIME.top + 4);
    drawCells(weights, high);
    drawLabels(colours);
    markRow(colours);
    if (cell && cell[1] >= 0) markCell();
    drawScale(high);
    const level = lab.get("level"), head = lab.get("head");
    const which = make("small", {}, `level ${lab.timeLevel(level)}, ${head ? `head ${head}` : "mean"}`);
    title.replaceChildren("Dates (rows) ask dates (columns) ", which);
    told.textContent = inCell();
  }
  /** The rectangle of a cell: [x, y, width, height]. */
  const boxOf = (q, k) => [axis.edgeAt(k), y(axis.edge(q)), axis.wide(k), y(axis.edge(q + 1)) - y(axis.edge(q))];
  function drawCells(weights, high) {
    const change = (v) => DIVERGING[Math.round(127.5 * (1 + v / high))], weight = (v) => VIRIDIS[Math.round((255 * v) / high)];
    const tone = isDifference(lab) ? change : weight;
    for (let q = 0; q < T; q++) for (let k = 0; k < T; k++) {
      const [left, top, wide, tall] = boxOf(q, k);
      fillBox(g, css(tone(weights[q * T + k])), left, top, wide + 0.5, tall + 0.5);
    }
  }
  /** Dates beside the rows: where the last one leaves room; the chosen date always. */
  function drawLabels(colours) {
    const date = lab.get("date"), chosenAt = y(axis.x(date));
    g.font = "12px system-ui, sans-serif";
    g.textBaseline = "middle";
    g.textAlign = "right";
    let free = -Infinity;
    for (let q = 0; q < T; q++) {
      const at = y(axis.x(q)), chosen = q === date;
      if (!chosen && (at - free < 13 || Math.abs(at - chosenAt) < 13)) continue;
      g.fillStyle = chosen ? colours.mark : colours.soft;
      g.fillText(briefDay(f.dates[q], f.dates), TIME.left - 6, clampTo(at, 7, side()));
      free = at;
    }
  }
  /** The chosen row between two lines, so that it stays in sight. */
  function markRow(colours) {
    const date = lab.get("date");
    g.strokeStyle = colours.mark;
    g.lineWidth = 1.5;
    for (const edge of [axis.edge(date), axis.edge(date + 1)]) {
      strokeLine(g, [axis.px(0) - 3, y(edge)], [axis.px(1) + 3, y(edge)]);
    }
  }
  function markCell() {
    strokeBox(g, "#000", 3, ...boxOf(...cell));
    strokeBox(g, "#fff", 1.5, ...boxOf(...cell));
  }
  function drawScale(high) {
    const pen = bar.getContext("2d"), colours = isDifference(lab) ? DIVERGING : VIRIDIS;
    resize(bar, pen, 110, 13);
    for (let x = 0; x < 110; x++) fillBox(pen, css(colours[Math.round((255 * x) / 109)]), x, 0, 1, 13);
    least.textContent = isDifference(lab) ? percent(-high) : "0 %";
    most.textContent = percent(high);
  }
  return { element: make("figure", {}, title, canvas, scale, told), canvas, draw };
}

/** Bars of the weight that dates receive, over the curves. A click chooses the date; dragging a point bends the curve of the
 *  area that the experiments name (`lab.bend`). */
function curvesPart(lab, ui, axis) {
  const { f } = lab, T = f.dates.length, decibel = f.bands[0].unit === "dB";
  const [canvas, g] = sheet(300, 300, {
    class: "curves", tabindex: 0, role: "application",
    "aria-label": "Weight received and curves by date. Left and right choose the date; "
      + "up and down bend the chosen curve by half a decibel.",
  });
  const rows = make("tbody"), headings = make("tr");
  const table = make("details", { ontoggle: () => lab.tell() },
    make("summary", {}, "These values as a table"),
    make("div", { class: "wide" }, make("table", {}, make("thead", {}, headings), rows)));
  let curves = []; // drawn now; see findCurves
  let low = -25, up = -5; // the axis of values
  let drag = null; // a point that is dragged: {t, band, from (y), started}

  const yOf = (value) => CURVES.top + (CURVES.height * (up - value)) / (up - low);
  const valueOf = (y) => up - ((y - CURVES.top) * (up - low)) / CURVES.height;
  const named = (t) => dayIn(f.dates[t], f.dates);
  const choose = (date) => lab.set({ date }, { undoable: false });
  const digits = (value, unit) => (unit === "dB" ? fixed(value, 2) : `${+value.toPrecision(4)}`);
  const withUnit = (value, unit) => `${digits(value, unit)}${unit === "1" ? "" : ` ${unit}`}`;
  const known = (value, text) => (Number.isFinite(value) ? text(value) : "no data");

  // ------------------------------------------------------------------------------------------------------------- input
  canvas.addEventListener("pointerdown", (event) => {
    const [x, y] = placeOver(event, canvas), t = axis.dateAt(x);
    if (t < 0) return;
    choose(t);
    const curve = lab.bend && y >= CURVES.top ? nearest(t, y) : null;
    if (!curve) return;
    drag = { t, band: curve.band, from: y, started: false };
    canvas.setPointerCapture(event.pointerId);
    event.preventDefault();
  });
  /** The curve whose point on a date is at y, or at most 14 pixels away. */
  function nearest(t, y) {
    const far = (curve) => Math.abs(yOf(curve.values[t]) - y);
    const there = curves.filter((curve) => curve.main && far(curve) <= 14);
    return there.sort((a, b) => far(a) - far(b))[0];
  }
  canvas.addEventListener("touchstart", (event) => { if (drag) event.preventDefault(); }, { passive: false });
  canvas.addEventListener("pointermove", (event) => {
    const [x, y] = placeOver(event, canvas);
    if (!drag) {
      canvas.style.cursor = lab.bend && axis.dateAt(x) >= 0 && y > TIME.top + BARS.height ? "ns-resize" : "pointer";
      return;
    }
    const by = Math.round(10 * valueOf(y) - 10 * valueOf(drag.from)) / 10;
    lab.bend(drag.band, drag.t, by, drag.started);
    drag.started = true;
  });
  for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, () => { drag = null; });
  canvas.addEventListener("keydown", (event) => {
    const turn = { ArrowLeft: -1, ArrowRight: 1 }[event.key], lift = { ArrowUp: 0.5, ArrowDown: -0.5 }[event.key];
    if (turn) {
      choose(clampTo(lab.get("date") + turn, 0, T - 1));
      ui.say(onDate(lab.get("date")));
    } else if (lift && lab.bend) lab.bend(lab.bendBand ?? f.bands[0].name, lab.get("date"), lift, false);
    else return;
    event.preventDefault();
  });
  /** What there is on a date. */
  function onDate(t) {
    const received = lab.shownResult()?.received(lab.get("level"), lab.get("head"));
    const values = curves.filter((curve) => curve.main).map(({ at, values }) => {
      const { label, unit } = f.bands[at];
      return `${label} ${known(values[t], (v) => withUnit(v, unit))}`;
    });
    return `${named(t)}: ${values.join(", ")}${received ? `; receives ${percent(received[t])}` : ""}.`;
  }

  /** Curves to draw: of the shown pixel (or the field, if experiments are about fields), after and before, and of the locked
   *  one. They share one axis, so bands in another unit than the first have none. */
  function findCurves(shown, locked) {
    const edits = lab.get("edits"), show = lab.get("show"), unit = f.bands[0].unit;
    const pixels = lab.curveOf === "field" ? lab.fieldOf(shown) : [lab.index(shown)];
    const measured = lab.measured(), edited = edits.length ? lab.values() : measured;
    return f.bands.flatMap((band, at) => {
      if (band.unit !== unit) return [];
      const of = (values, list, look) => ({ band: band.name, at, values: meanCurve(values, at, list), ...look });
      return [
        ...(locked ? [of(edited, [lab.index(locked)], { alpha: 0.4 })] : []),
        ...(edits.length && show !== "before" ? [of(measured, pixels, { alpha: 0.45, ghost: true })] : []),
        of(show === "before" ? measured : edited, pixels, { alpha: 1, main: true }),
      ];
    });
  }
  /** Mean of a band (by its number) over pixels of the patch, date by date; NaN where none has data. */
  function meanCurve(values, band, pixels) {
    return Float64Array.from(f.dates, (_, t) => {
      const start = (t * f.bands.length + band) * f.patch ** 2;
      let sum = 0, n = 0;
      for (const p of pixels) {
        if (!Number.isFinite(values[start + p])) continue;
        sum += values[start + p];
        n++;
      }
      return n ? sum / n : NaN;
    });
  }

  // ----------------------------------------------------------------------------------------------------------- drawing
  function text(string, x, y, align, colour) {
    g.fillStyle = colour;
    g.textAlign = align;
    g.fillText(string, x, y);
  }
  function draw(result, shown, colours) {
    const got = result?.received(lab.get("level"), lab.get("head")) ?? new Float64Array(T);
    resize(canvas, g, axis.width, CURVES.bottom + CURVES.foot);
    g.font = "12px system-ui, sans-serif";
    g.textBaseline = "middle";
    g.lineWidth = 1;
    drawWeights(result, got, colours);
    curves = findCurves(shown, lab.get("locked"));
    if (!drag) fitAxis(); // while a point is dragged, the axis stays
    drawGround(got, colours);
    for (const curve of curves) drawOne(curve, colours);
    nameCurves(colours);
    markDate(colours);
    drawDates(colours);
    if (got.some(Boolean)) describeChart(got);
    if (table.open) fillTable(result);
  }

  /** What dates receive (grey), before the experiment (outlined), what the answer needs (green), what the chosen date asks. */
  function drawWeights(result, got, colours) {
    const level = lab.get("level"), head = lab.get("head"), date = lab.get("date");
    const asked = result ? result.temporalOf(level, head).subarray(date * T, date * T + T) : got;
    const old = isDifference(lab) ? lab.before.received(level, head) : null;
    const high = Math.max(...got, ...(old ?? []), 2 / T); // one axis for all dates that ask
    const need = lab.need?.values, worth = need ? Math.max(...need.map(Math.abs), 1e-9) : 1;
    text(axis.width < 440 ? "Received" : "Weight each date receives", TIME.left, TIME.top + 6, "left", colours.ink);
    text(`– asked by ${named(date)}`, axis.width - TIME.right, TIME.top + 6, "right", colours.mark);
    const tall = (weight) => (BARS.height * weight) / high;
    const bar = (x, wide, weight) => [x, BARS.bottom - tall(weight), wide, tall(weight)];
    for (let t = 0; t < T; t++) {
      const x = axis.xAt(t), wide = Math.min(axis.wide(t), 26), half = (need ? 0.42 : 0.36) * wide;
      fillBox(g, "#8a94a0", ...bar(x - half, need ? half : 2 * half, got[t]));
      if (old) strokeBox(g, colours.ink, 1, ...bar(x - half, 2 * half, old[t]));
      if (need) hatchedBar(x, half, (BARS.height * Math.max(0, need[t])) / worth, colours.paper);
      if (asked[t] > high) beyond(x, 0.3 * wide, colours.mark);
      else fillBox(g, colours.mark, x - 0.45 * wide, BARS.bottom - tall(asked[t]) - 1, 0.9 * wide, 2);
    }
    g.strokeStyle = colours.line;
    strokeLine(g, [axis.px(0), BARS.bottom + 0.5], [axis.px(1), BARS.bottom + 0.5]);
    text(percent(high), TIME.left - 6, BARS.top + 4, "right", colours.soft);
    text("0 %", TIME.left - 6, BARS.bottom, "right", colours.soft);
    if (!need) return;
    text(`green: needed, up to ${fixed(worth, 2)} ${lab.need.unit}`, TIME.left, BARS.bottom + 11, "left", colours.ink);
  }
  /** A mark above the axis: more than it holds. */
  function beyond(x, half, colour) {
    g.fillStyle = colour;
    g.beginPath();
    g.moveTo(x - half, BARS.top + 7);
    g.lineTo(x, BARS.top);
    g.lineTo(x + half, BARS.top + 7);
    g.fill();
  }
  function hatchedBar(x, wide, tall, paper) {
    fillBox(g, "#009e73", x, BARS.bottom - tall, wide, tall);
    g.strokeStyle = paper;
    g.beginPath();
    for (let s = 3; s < tall; s += 4) {
      g.moveTo(x, BARS.bottom - s);
      g.lineTo(x + wide, BARS.bottom - s + 3);
    }
    g.stroke();
  }

  /** Ends of the axis of values: whole decibels around what is drawn. */
  function fitAxis() {
    const all = curves.flatMap((curve) => [...curve.values]).filter(Number.isFinite);
    if (decibel) {
      low = Math.floor(Math.min(...all, -8) - 1.5);
      up = Math.ceil(Math.max(...all, -10) + 1.5);
    } else {
      const least = Math.min(...all), most = Math.max(...all), room = (most - least || 1) / 10;
      [low, up] = [least - room, most + room];
    }
  }
  /** What lies under the curves: titles, columns as grey as their dates receive weight, lines at round values. */
  function drawGround(got, colours) {
    const who = lab.curveOf === "field" ? "field" : "pixel", peak = Math.max(...got, 2 / T), above = CURVES.top - 12;
    const title = decibel ? `Backscatter of the ${who} (dB)` : `Values of the ${who} (${f.bands[0].unit})`;
    const before = lab.get("edits").length && lab.get("show") !== "before";
    const faint = [lab.get("locked") && "faint: locked pixel", before && "thin: before"].filter(Boolean).join("; ");
    text(title, TIME.left, above, "left", colours.ink);
    text(faint, axis.width - TIME.right, above, "right", colours.soft);
    for (let t = 0; t < T; t++) {
      const grey = `rgba(110, 120, 130, ${(0.3 * got[t]) / peak})`;
      fillBox(g, grey, axis.edgeAt(t), CURVES.top, axis.wide(t), CURVES.height);
    }
    g.strokeStyle = colours.line;
    const power = 10 ** Math.floor(Math.log10(up - low || 1)), step = decibel ? 5 : power / (up - low < 2.5 * power ? 2 : 1);
    for (let v = Math.ceil(low / step) * step; v <= up; v += step) {
      strokeLine(g, [axis.px(0), yOf(v)], [axis.px(1), yOf(v)]);
      text(decibel ? fixed(v, 0) : `${+v.toPrecision(3)}`, TIME.left - 6, yOf(v), "right", colours.soft);
    }
  }
  function drawOne({ at, values, alpha, main, ghost }, colours) {
    g.globalAlpha = alpha;
    g.strokeStyle = g.fillStyle = bandColour(f.bands[at].colour, colours.paper);
    g.lineWidth = ghost ? 1.2 : 2;
    g.setLineDash(ghost ? [2, 3] : DASHES[at % DASHES.length]);
    g.beginPath();
    values.forEach((v, t) => {
      if (!Number.isFinite(v)) return; // gaps stay gaps
      if (Number.isFinite(values[t - 1])) g.lineTo(axis.xAt(t), yOf(v));
      else g.moveTo(axis.xAt(t), yOf(v));
    });
    g.stroke();
    g.setLineDash([]);
    if (!ghost) values.forEach((v, t) => {
      if (Number.isFinite(v)) drawMarker(at, axis.xAt(t), yOf(v), main && t === lab.get("date") ? 5 : 3.2);
    });
    g.globalAlpha = 1;
  }
  /** Squares and discs in turn, so that bands differ in print. */
  function drawMarker(band, x, y, r) {
    g.beginPath();
    if (band % 2) g.arc(x, y, r, 0, 7);
    else g.rect(x - r, y - r, 2 * r, 2 * r);
    g.fill();
  }
  /** Names of the bands where their curves end; they never overlap. */
  function nameCurves(colours) {
    const ends = [];
    for (const { at, values, main } of curves) {
      const last = values.findLast(Number.isFinite);
      if (main && last !== undefined) ends.push({ y: yOf(last), ...f.bands[at] });
    }
    ends.sort((a, b) => a.y - b.y).forEach((end, k) => {
      if (k) end.y = Math.max(end.y, ends[k - 1].y + 13);
      const name = end.label.length > 4 ? `${end.label.slice(0, 3)}…` : end.label;
      text(name, axis.px(1) + 5, end.y, "left", bandColour(end.colour, colours.paper));
    });
  }
  function markDate(colours) {
    const x = axis.xAt(lab.get("date"));
    g.setLineDash([3, 3]);
    g.strokeStyle = colours.mark;
    g.lineWidth = 1.2;
    strokeLine(g, [x, BARS.top], [x, CURVES.bottom]);
    g.setLineDash([]);
  }
  /** Dates along the axis, slanted where they leave room, and the year beneath its first. */
  function drawDates(colours) {
    const date = lab.get("date");
    let free = -Infinity;
    for (let t = 0; t < T; t++) {
      const chosen = t === date, x = axis.xAt(t);
      if (!chosen && (x - free < 16 || Math.abs(x - axis.xAt(date)) < 16)) continue;
      free = x;
      g.save();
      g.translate(x + 4, CURVES.bottom + 8);
      g.rotate(-Math.PI / 3.2);
      text(day(f.dates[t]), 0, 0, "right", chosen ? colours.mark : colours.soft);
      g.restore();
    }
    const years = [...new Set(f.dates.map((iso) => iso.slice(0, 4)))];
    for (const year of years) {
      const first = axis.xAt(f.dates.findIndex((iso) => iso.startsWith(year)));
      text(year, Math.max(axis.px(0), first - 14), CURVES.bottom + CURVES.foot - 6, "left", colours.soft);
    }
  }
  function describeChart(got) {
    const best = ranked(got)[0], most = `${named(best)} receives most, ${percent(got[best])}`;
    const bends = lab.bend ? "; up and down bend the chosen curve by half a decibel" : "";
    canvas.setAttribute("aria-label", `Weight received and curves by date; ${most}. `
      + `Left and right choose the date${bends}. Values in the table below.`);
  }
  function fillTable(result) {
    const got = result?.received(lab.get("level"), lab.get("head")), need = lab.need?.values;
    const main = curves.filter((curve) => curve.main).map(({ at, values }) => ({ ...f.bands[at], values }));
    const bands = main.map(({ label, unit }) => `${label} (${unit})`);
    const names = ["Date", ...bands, "weight received", ...(need ? ["needed (nat)"] : [])];
    const rowOf = (t) => [
      ...main.map(({ values, unit }) => known(values[t], (v) => digits(v, unit))),
      got ? percent(got[t]) : "",
      ...(need ? [fixed(need[t], 3)] : []),
    ];
    headings.replaceChildren(...names.map((name) => make("th", { scope: "col" }, name)));
    rows.replaceChildren(...f.dates.map((iso, t) =>
      make("tr", {}, make("th", { scope: "row" }, iso), ...rowOf(t).map((value) => make("td", {}, value)))));
  }
  const title = make("figcaption", {}, "Weight received, and backscatter");
  return { element: make("figure", {}, title, canvas), table, canvas, draw };
}

/** A band's colour, lighter on a dark ground. */
const bandColour = (hex, paper) => {
  const dark = rgbOf(paper)[0] < 100;
  return dark ? css(mix(hexColour(hex), [255, 255, 255], 0.45).map(Math.round)) : hex;
};
