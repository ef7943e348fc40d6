// The pictures of time, over one axis that is true to time: dates that ask dates, the weight each date receives (and, if asked
// for, what it is worth to the answer), and the curves of the chosen pixel or field, which can be dragged.

const DASHES = [[5, 3], [], [7, 3, 2, 3], [2, 2]]; // bands differ in colour, dashes and markers
const TIME = { left: 68, right: 34, top: 4, foot: 58, bars: 78, curves: 190, gap: 44 };

/** Where dates stand: `edge(t)` begins the column of date t (halfway to its neighbours), `x(t)` is the date itself; 0 to 1. */
function timeAxis(days) {
  const T = days.length, between = days.slice(1).map((day, t) => (day + days[t]) / 2);
  const first = days[0] - (between[0] - days[0]), last = days[T - 1] + (days[T - 1] - between[T - 2]);
  const edges = [first, ...between, last], share = (day) => (day - first) / (last - first);
  return { edge: (t) => share(edges[t]), x: (t) => share(days[t]), at: (place) => clampTo(edges.slice(1).findIndex((e) => share(e) > place), 0, T - 1), share };
}

function datesPanel(lab, ui) {
  const { f } = lab, T = f.dates.length, axis = timeAxis(f.days), named = (t) => dayIn(f.dates[t], f.dates);
  const [matrix, ink] = sheet(300, 300, { class: "matrix", tabindex: 0, role: "application",
    "aria-label": "Dates that ask dates. Arrow keys move over the cells; Enter chooses the asking date." });
  const [chart, pen] = sheet(300, 300, { class: "curves", tabindex: 0, role: "application",
    "aria-label": "Weight received and curves by date. Left and right choose the date; up and down bend the chosen curve by half a decibel." });
  const matrixTitle = make("figcaption"), told = make("p", { class: "told hint" }), scale = make("div", { class: "scale" });
  const bar = make("canvas", { class: "scale-bar", role: "img", "aria-label": "Scale of the weights" }), most = make("span");
  scale.append("0 %", bar, most);
  const chartTitle = make("figcaption", {}, "Weight received, and backscatter");
  const rows = make("tbody"), head = make("tr");
  const table = make("details", { ontoggle: () => lab.tell() }, make("summary", {}, "These values as a table"),
    make("div", { class: "wide" }, make("table", {}, make("thead", {}, head), rows)));
  let width = 500, side = 250, cell = null, drag = null;
  const inner = () => width - TIME.left - TIME.right, px = (share) => TIME.left + share * inner();

  // ------------------------------------------------------------------------------------------------------------- input
  const over = (event, node) => { const box = node.getBoundingClientRect(); return [event.clientX - box.left, event.clientY - box.top]; };
  const dateAt = (x) => (x < TIME.left || x > TIME.left + inner() ? -1 : axis.at((x - TIME.left) / inner()));
  function cellAt(event) {
    const [x, y] = over(event, matrix), asks = y >= TIME.top && y <= TIME.top + side ? axis.at((y - TIME.top) / side) : -1;
    return asks < 0 ? null : [asks, x < TIME.left ? -1 : dateAt(x)];
  }
  matrix.addEventListener("pointermove", (event) => { const next = cellAt(event); if (String(next) !== String(cell)) { cell = next; lab.tell(); } });
  matrix.addEventListener("pointerleave", () => { cell = null; lab.tell(); });
  matrix.addEventListener("click", (event) => { const next = cellAt(event); if (next) { cell = next; lab.set({ date: next[0] }, { undoable: false }); } });
  matrix.addEventListener("keydown", (event) => {
    const move = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
    if (move) {
      const from = cell && cell[1] >= 0 ? cell : [lab.get("date"), lab.get("date")];
      cell = from.map((v, k) => clampTo(v + move[k], 0, T - 1));
      lab.tell(); ui.say(inCell());
    } else if ((event.key === "Enter" || event.key === " ") && cell) lab.set({ date: cell[0] }, { undoable: false });
    else return;
    event.preventDefault();
  });
  /** What a cell of the matrix says. */
  function inCell() {
    const result = lab.shownResult();
    if (!result) return "";
    const weights = shownMatrix(result), row = lab.get("date");
    const [asks, answers] = cell && cell[1] >= 0 ? cell : [cell?.[0] ?? row, -1];
    const own = weights.subarray(asks * T, asks * T + T), best = answers >= 0 ? answers : ranked(own)[0];
    const gets = signed() ? `${own[best] >= 0 ? "gains" : "loses"} ${percent(Math.abs(own[best]))}` : `gets ${percent(own[best])}`;
    return `${named(asks)} asks, ${named(best)} ${answers >= 0 ? gets : `${gets}, the most`}.`;
  }
  const signed = () => lab.get("show") === "difference" && lab.before !== lab.after && Boolean(lab.after);
  function shownMatrix(result) {
    const level = lab.get("level"), head = lab.get("head"), now = result.temporalOf(level, head);
    if (!signed()) return now;
    const old = lab.before.temporalOf(level, head);
    return now.map((v, k) => v - old[k]);
  }

  // Curves: a click chooses the date; dragging a point bends the curve of the area that the experiments name (`lab.bend`).
  chart.addEventListener("pointerdown", (event) => {
    const [x, y] = over(event, chart), t = dateAt(x), top = TIME.top + 18 + TIME.bars + TIME.gap;
    if (t < 0) return;
    lab.set({ date: t }, { undoable: false });
    const near = curvesNow.filter((one) => one.main && Number.isFinite(one.values[t])).map((one) => ({ one, far: Math.abs(yOf(one.values[t]) - y) }))
      .sort((a, b) => a.far - b.far)[0];
    if (!lab.bend || !near || near.far > 14 || y < top) return;
    drag = { t, band: near.one.band, from: y, by: 0 };
    chart.setPointerCapture(event.pointerId);
    event.preventDefault();
  });
  chart.addEventListener("touchstart", (event) => { if (drag) event.preventDefault(); }, { passive: false });
  chart.addEventListener("pointermove", (event) => {
    const [x, y] = over(event, chart);
    if (!drag) { chart.style.cursor = lab.bend && dateAt(x) >= 0 && y > TIME.top + TIME.bars ? "ns-resize" : "pointer"; return; }
    drag.by = Math.round(10 * valueOf(y) - 10 * valueOf(drag.from)) / 10;
    lab.bend(drag.band, drag.t, drag.by, drag.started ?? false);
    drag.started = true;
  });
  for (const end of ["pointerup", "pointercancel"]) chart.addEventListener(end, () => { drag = null; });
  chart.addEventListener("keydown", (event) => {
    const turn = { ArrowLeft: -1, ArrowRight: 1 }[event.key], lift = { ArrowUp: 0.5, ArrowDown: -0.5 }[event.key];
    if (turn) {
      lab.set({ date: clampTo(lab.get("date") + turn, 0, T - 1) }, { undoable: false });
      ui.say(inDate(lab.get("date")));
    } else if (lift && lab.bend) lab.bend(lab.bendBand ?? f.bands[0].name, lab.get("date"), lift, false);
    else return;
    event.preventDefault();
  });
  function inDate(t) {
    const result = lab.shownResult(), received = result?.received(lab.get("level"), lab.get("head"));
    const values = curvesNow.filter((one) => one.main).map((one) => `${f.bands[one.at].label} ${written(one.values[t], f.bands[one.at].unit)}`);
    return `${named(t)}: ${values.join(", ")}${received ? `; receives ${percent(received[t])}` : ""}.`;
  }
  const written = (value, unit) => (Number.isFinite(value) ? `${unit === "dB" ? fixed(value, 2) : +value.toPrecision(4)}${unit === "1" ? "" : ` ${unit}`}` : "no data");

  // ----------------------------------------------------------------------------------------------------------- curves
  let curvesNow = [], low = -25, up = -5;
  const top2 = () => TIME.top + 18 + TIME.bars + TIME.gap;
  const yOf = (value) => top2() + (TIME.curves * (up - value)) / (up - low), valueOf = (y) => up - ((y - top2()) * (up - low)) / TIME.curves;
  /** Curves to draw: of the shown pixel (or the field, if experiments are about fields), after and before, and of the locked one. */
  function findCurves(shown, locked) {
    const edits = lab.get("edits"), show = lab.get("show"), size = f.patch ** 2, unit = f.bands[0].unit; // one axis, one unit: the first band's
    const indices = lab.curveOf === "field" ? lab.fieldOf(shown) : [lab.index(shown)];
    const measured = lab.measured(), edited = edits.length ? lab.values() : measured;
    const course = (values, at, list) => Float64Array.from(f.dates, (_, t) => {
      let sum = 0, n = 0;
      for (const p of list) { const v = values[(t * f.bands.length + at) * size + p]; if (Number.isFinite(v)) { sum += v; n++; } }
      return n ? sum / n : NaN;
    });
    const bands = f.bands.map((band, at) => ({ band: band.name, at })).filter(({ at }) => f.bands[at].unit === unit);
    return bands.flatMap(({ band, at }) => [
      ...(locked ? [{ band, at, values: course(edited, at, [lab.index(locked)]), alpha: 0.4 }] : []),
      ...(edits.length && show !== "before" ? [{ band, at, values: course(measured, at, indices), alpha: 0.45, ghost: true }] : []),
      { band, at, values: course(show === "before" ? measured : edited, at, indices), alpha: 1, main: true },
    ]);
  }

  // ----------------------------------------------------------------------------------------------------------- drawing
  function drawMatrix(result, colours) {
    const g = ink, weights = shownMatrix(result), date = lab.get("date"), high = weights.reduce((m, v) => Math.max(m, Math.abs(v)), 1e-6);
    resize(matrix, g, width, side + TIME.top + 4);
    g.font = "12px system-ui, sans-serif"; g.textBaseline = "middle"; g.textAlign = "right";
    const y = (share) => TIME.top + share * side, tone = (v) => (signed() ? DIVERGING[Math.round(127.5 * (1 + v / high))] : VIRIDIS[Math.round((255 * v) / high)]);
    for (let q = 0; q < T; q++) for (let k = 0; k < T; k++) {
      g.fillStyle = css(tone(weights[q * T + k]));
      g.fillRect(px(axis.edge(k)), y(axis.edge(q)), px(axis.edge(k + 1)) - px(axis.edge(k)) + 0.5, y(axis.edge(q + 1)) - y(axis.edge(q)) + 0.5);
    }
    let free = -Infinity; // a label stands where the last one leaves room; the chosen date always has one
    for (let q = 0; q < T; q++) {
      const at = y(axis.x(q)), chosen = q === date;
      if (!chosen && (at - free < 13 || Math.abs(at - y(axis.x(date))) < 13)) continue;
      g.fillStyle = chosen ? colours.mark : colours.soft;
      g.fillText(briefDay(f.dates[q], f.dates), TIME.left - 6, clampTo(at, 7, side));
      free = at;
    }
    g.strokeStyle = colours.mark; g.lineWidth = 1.5; // the chosen row between two lines, so that it stays in sight
    for (const edge of [axis.edge(date), axis.edge(date + 1)]) { g.beginPath(); g.moveTo(px(0) - 3, y(edge)); g.lineTo(px(1) + 3, y(edge)); g.stroke(); }
    if (cell && cell[1] >= 0) {
      const [q, k] = cell, box = [px(axis.edge(k)), y(axis.edge(q)), px(axis.edge(k + 1)) - px(axis.edge(k)), y(axis.edge(q + 1)) - y(axis.edge(q))];
      for (const [colour, line] of [["#000", 3], ["#fff", 1.5]]) { g.strokeStyle = colour; g.lineWidth = line; g.strokeRect(...box); }
    }
    const b = bar.getContext("2d");
    resize(bar, b, 110, 13);
    for (let x = 0; x < 110; x++) { b.fillStyle = css(signed() ? DIVERGING[Math.round((255 * x) / 109)] : VIRIDIS[Math.round((255 * x) / 109)]); b.fillRect(x, 0, 1, 13); }
    scale.firstChild.textContent = signed() ? percent(-high) : "0 %";
    most.textContent = percent(high);
    const level = lab.get("level"), head = lab.get("head");
    matrixTitle.replaceChildren("Dates (rows) ask dates (columns) ", make("small", {}, `level ${lab.timeLevel(level)}, ${head ? `head ${head}` : "mean"}`));
    told.textContent = inCell();
  }
  function drawChart(result, shown, locked, colours) {
    const g = pen, date = lab.get("date"), level = lab.get("level"), head = lab.get("head"), height = top2() + TIME.curves + TIME.foot;
    resize(chart, g, width, height);
    g.font = "12px system-ui, sans-serif"; g.textBaseline = "middle"; g.lineWidth = 1;
    const text = (string, x, y, align, colour = colours.soft) => { g.fillStyle = colour; g.textAlign = align; g.fillText(string, x, y); };
    const top1 = TIME.top + 18, w = (t) => px(axis.edge(t + 1)) - px(axis.edge(t)), x = (t) => px(axis.x(t));
    const got = result?.received(level, head) ?? new Float64Array(T), asked = result ? result.temporalOf(level, head).subarray(date * T, date * T + T) : got;
    const old = signed() ? lab.before.received(level, head) : null;
    const high = Math.max(...Array.from({ length: T }, (_, q) => Math.max(got[q], old?.[q] ?? 0)), 2 / T); // one axis for all dates that ask
    text(width < 440 ? "Received" : "Weight each date receives", TIME.left, TIME.top + 6, "left", colours.ink);
    text(`– asked by ${named(date)}`, width - TIME.right, TIME.top + 6, "right", colours.mark);
    const need = lab.need?.values, worth = need ? Math.max(...need.map(Math.abs), 1e-9) : 1, half = need ? 0.42 : 0.36;
    for (let t = 0; t < T; t++) {
      const wide = Math.min(w(t), 26), bars = TIME.bars, left = x(t) - half * wide;
      g.fillStyle = "#8a94a0"; g.fillRect(left, top1 + bars * (1 - got[t] / high), need ? half * wide : 2 * half * wide, (bars * got[t]) / high);
      if (old) { g.strokeStyle = colours.ink; g.strokeRect(left, top1 + bars * (1 - old[t] / high), 2 * half * wide, (bars * old[t]) / high); }
      if (need) { // what the answer needs: hatched bars beside
        const tall = (bars * Math.max(0, need[t])) / worth;
        g.fillStyle = "#009e73"; g.fillRect(x(t), top1 + bars - tall, half * wide, tall);
        g.strokeStyle = colours.paper; g.beginPath();
        for (let s = 3; s < tall; s += 4) { g.moveTo(x(t), top1 + bars - s); g.lineTo(x(t) + half * wide, top1 + bars - s + 3); }
        g.stroke();
      }
      const y = top1 + bars * (1 - Math.min(1, asked[t] / high));
      g.fillStyle = colours.mark; g.fillRect(x(t) - 0.45 * wide, y - 1, 0.9 * wide, asked[t] > high ? 4 : 2);
    }
    g.strokeStyle = colours.edge ?? colours.line; g.beginPath(); g.moveTo(px(0), top1 + TIME.bars + 0.5); g.lineTo(px(1), top1 + TIME.bars + 0.5); g.stroke();
    text(percent(high), TIME.left - 6, top1 + 4, "right"); text("0 %", TIME.left - 6, top1 + TIME.bars, "right");
    if (need) text(`green: needed, up to ${fixed(worth, 2)} ${lab.need.unit}`, TIME.left, top1 + TIME.bars + 11, "left", colours.ink);

    curvesNow = findCurves(shown, locked);
    const all = curvesNow.flatMap((one) => [...one.values]).filter(Number.isFinite), decibel = f.bands[0].unit === "dB";
    if (!drag) { // while a point is dragged, the axis stays
      const under = Math.min(...all, ...(decibel ? [-8] : [])), above = Math.max(...all, ...(decibel ? [-10] : [])), room = decibel ? 1.5 : (above - under || 1) / 10;
      [low, up] = decibel ? [Math.floor(under - room), Math.ceil(above + room)] : [under - room, above + room];
    }
    const who = lab.curveOf === "field" ? "field" : "pixel", peak = Math.max(...got, 1e-9);
    text(decibel ? `Backscatter of the ${who} (dB)` : `Values of the ${who} (${f.bands[0].unit})`, TIME.left, top2() - 12, "left", colours.ink);
    const faint = [locked && "faint: locked pixel", lab.get("edits").length && lab.get("show") !== "before" && "thin: before"].filter(Boolean).join("; ");
    text(faint, width - TIME.right, top2() - 12, "right");
    for (let t = 0; t < T; t++) { // columns as grey as their dates receive weight
      g.fillStyle = `rgba(110, 120, 130, ${(0.3 * got[t]) / peak})`; g.fillRect(px(axis.edge(t)), top2(), w(t), TIME.curves);
    }
    g.strokeStyle = colours.line;
    const power = 10 ** Math.floor(Math.log10(up - low || 1)), tick = decibel ? 5 : power / (up - low < 2.5 * power ? 2 : 1);
    for (let v = Math.ceil(low / tick) * tick; v <= up; v += tick) {
      g.beginPath(); g.moveTo(px(0), yOf(v)); g.lineTo(px(1), yOf(v)); g.stroke();
      text(decibel ? fixed(v, 0) : `${+v.toPrecision(3)}`, TIME.left - 6, yOf(v), "right");
    }
    const ends = [];
    for (const { at, values, alpha, main, ghost } of curvesNow) {
      const { colour, label } = f.bands[at], line = bandColour(colour, colours.paper);
      g.globalAlpha = alpha; g.strokeStyle = g.fillStyle = line; g.lineWidth = ghost ? 1.2 : 2; g.setLineDash(ghost ? [2, 3] : DASHES[at % DASHES.length]);
      g.beginPath();
      values.forEach((v, t) => {
        if (Number.isFinite(v)) Number.isFinite(values[t - 1]) ? g.lineTo(x(t), yOf(v)) : g.moveTo(x(t), yOf(v)); // gaps stay gaps
      });
      g.stroke(); g.setLineDash([]);
      if (!ghost) values.forEach((v, t) => {
        if (!Number.isFinite(v)) return;
        const r = main && t === date ? 5 : 3.2;
        g.beginPath();
        if (at % 2) g.arc(x(t), yOf(v), r, 0, 7);
        else g.rect(x(t) - r, yOf(v) - r, 2 * r, 2 * r);
        g.fill();
      });
      g.globalAlpha = 1;
      const last = values.findLast(Number.isFinite);
      if (main && last !== undefined) ends.push({ y: yOf(last), text: label.length > 4 ? `${label.slice(0, 3)}…` : label, line });
    }
    ends.sort((a, b) => a.y - b.y).forEach((end, k) => { if (k) end.y = Math.max(end.y, ends[k - 1].y + 13); }); // names never overlap
    for (const end of ends) text(end.text, px(1) + 5, end.y, "left", end.line);
    g.setLineDash([3, 3]); g.strokeStyle = colours.mark; g.lineWidth = 1.2; g.beginPath();
    g.moveTo(x(date), top1); g.lineTo(x(date), top2() + TIME.curves); g.stroke(); g.setLineDash([]);
    drawDates(g, text, x, top2() + TIME.curves, date, colours);
    if (!got.some(Boolean)) return;
    const best = ranked(got)[0];
    chart.setAttribute("aria-label", `Weight received and curves by date; ${named(best)} receives most, ${percent(got[best])}. Left and right choose the date` +
      `${lab.bend ? "; up and down bend the chosen curve by half a decibel" : ""}. Values in the table below.`);
  }
  /** Dates along the axis, slanted where they leave room, and the year beneath its first. */
  function drawDates(g, text, x, y, date, colours) {
    let free = -Infinity;
    for (let t = 0; t < T; t++) {
      const chosen = t === date;
      if (!chosen && (x(t) - free < 16 || Math.abs(x(t) - x(date)) < 16)) continue;
      free = x(t);
      g.save(); g.translate(x(t) + 4, y + 8); g.rotate(-Math.PI / 3.2);
      text(day(f.dates[t]), 0, 0, "right", chosen ? colours.mark : colours.soft);
      g.restore();
    }
    const years = [...new Set(f.dates.map((iso) => iso.slice(0, 4)))];
    for (const year of years) text(year, Math.max(px(0), x(f.dates.findIndex((iso) => iso.startsWith(year))) - 14), y + TIME.foot - 6, "left");
  }
  function fillTable(result, shown) {
    const got = result?.received(lab.get("level"), lab.get("head")), main = curvesNow.filter((one) => one.main), need = lab.need?.values;
    head.replaceChildren(...["Date", ...main.map(({ at }) => `${f.bands[at].label} (${f.bands[at].unit})`), "weight received", ...(need ? ["needed (nat)"] : [])]
      .map((name) => make("th", { scope: "col" }, name)));
    const number = (value, unit) => (Number.isFinite(value) ? (unit === "dB" ? fixed(value, 2) : `${+value.toPrecision(4)}`) : "no data");
    rows.replaceChildren(...f.dates.map((iso, t) => make("tr", {}, make("th", { scope: "row" }, iso),
      ...[...main.map((one) => number(one.values[t], f.bands[one.at].unit)), got ? percent(got[t]) : "", ...(need ? [fixed(need[t], 3)] : [])].map((v) => make("td", {}, v)))));
  }
  function draw() {
    const colours = ui.colours(), result = lab.shownResult(), shown = lab.hover ?? lab.get("pixel");
    width = ui.chartWidth(); side = clampTo(inner() * 0.5, 120, 260);
    if (result) drawMatrix(result, colours);
    drawChart(result, shown, lab.get("locked"), colours);
    if (table.open) fillTable(result, shown);
  }
  const element = make("div", { class: "dates-panel" }, make("figure", {}, matrixTitle, matrix, scale, told), make("figure", {}, chartTitle, chart), table);
  return { element, draw, matrix, chart };
}

/** A band's colour, lighter on a dark ground. */
const bandColour = (hex, paper) => (rgbOf(paper)[0] < 100 ? css(mix(hexColour(hex), [255, 255, 255], 0.45).map(Math.round)) : hex);
