// A season as a film: the scene on one date after the other, and the course of the field or pixel that is pointed at.

const LAYERS = { vv: "VV", vh: "VH", ratio: "VV − VH (ratio)", colour: "in colours" };
const LINES = [{ colour: "#0072b2" }, { colour: "#d55e00", dash: [6, 4], square: true }]; // VV, VH, as in the explorer

/** Backscatter in dB, parcels and their curves, as Python packed them. */
function scene(model) {
  const f = model.get("facts"), data = buffer(model.get("data")), [H, W] = f.shape, T = f.dates.length, P = f.parcels.length;
  const curves = new Float32Array(data, 0, P * 2 * T), parcel = new Uint16Array(data, 8 * P * T, H * W);
  const codes = new Uint8Array(data, 8 * P * T + 2 * H * W, 2 * T * H * W);
  const db = (band, t, k) => {
    const code = codes[(band * T + t) * H * W + k], [low, high] = f.range[band];
    return code === 255 ? NaN : low + (code * (high - low)) / 254;
  };
  const value = { vv: (t, k) => db(0, t, k), vh: (t, k) => db(1, t, k), ratio: (t, k) => db(0, t, k) - db(1, t, k) };
  return {
    ...f, H, W, T, parcel, value,
    /** The number of the parcel at a pixel among those listed, or -1. */
    field: ([row, column]) => parcel[row * W + column] - 1,
    course: (band, field, [row, column]) =>
      (field >= 0 ? Array.from(curves.subarray((field * 2 + band) * T, (field * 2 + band + 1) * T))
      : f.dates.map((_, t) => db(band, t, row * W + column))),
    /** Brightness 0 .. 255 of a layer, between the limits that hold for all dates; NaN where there is no data. */
    grey(layer, t, k) {
      const [low, high] = f.limits[layer];
      return clampTo((255 * (value[layer](t, k) - low)) / (high - low || 1), 0, 255);
    },
  };
}
/** Lines along the borders of the fields, each a little inside its own field: a path for every crop, and for every field. */
function borders({ H, W, parcel, parcels }) {
  const inset = 0.22, byCrop = new Map(), byField = parcels.map(() => new Path2D());
  const at = (r, c) => (r < 0 || c < 0 || r >= H || c >= W ? -1 : parcel[r * W + c]);
  for (let r = 0; r < H; r++) for (let c = 0; c < W; c++) {
    const own = at(r, c), a = inset, b = 1 - inset;
    if (!own) continue;
    const { crop } = parcels[own - 1];
    if (!byCrop.has(crop)) byCrop.set(crop, new Path2D());
    for (const [dr, dc, x0, y0, x1, y1] of [[-1, 0, 0, a, 1, a], [1, 0, 0, b, 1, b], [0, -1, a, 0, a, 1], [0, 1, b, 0, b, 1]]) {
      if (at(r + dr, c + dc) === own) continue;
      for (const path of [byCrop.get(crop), byField[own - 1]]) { path.moveTo(c + x0, r + y0); path.lineTo(c + x1, r + y1); }
    }
  }
  return { byCrop, byField };
}
function told(s, { date, pixel, per }) {
  const field = s.field(pixel), whole = per === "field" && field >= 0, [row, column] = pixel;
  const name = field >= 0 ? `field ${s.parcels[field].number}, ${s.classes[s.parcels[field].crop].name}` : "no field";
  const what = whole ? `${name} (${s.parcels[field].pixels} pixels)` : `pixel row ${row}, column ${column}, in ${name}`;
  const [vv, vh] = [0, 1].map((band) => s.course(band, whole ? field : -1, pixel));
  const number = (v) => (Number.isFinite(v) ? `${fixed(v, 1)} dB` : "no data");
  const known = [...vh.keys()].filter((t) => Number.isFinite(vh[t])), on = (t) => dayIn(s.dates[t], s.dates);
  const by = (better) => on(known.reduce((a, b) => (better(vh[b], vh[a]) ? b : a)));
  const ends = known.length ? ` VH is lowest on ${by((a, b) => a < b)} and highest on ${by((a, b) => a > b)}.` : "";
  return `${on(date)}: ${what}: VV ${number(vv[date])}, VH ${number(vh[date])}.${ends}`;
}

function render({ model, el }) {
  const s = scene(model), get = (name) => model.get(name), set = (name, value) => choose(model, name, value);
  const still = matchMedia("(prefers-reduced-motion: reduce)"), lines = borders(s), films = new Map();
  let timer = 0;
  const step = (by) => set("date", clampTo(get("date") + by, 0, s.T - 1));
  const stop = () => { clearInterval(timer); timer = 0; following.soon(); };
  const play = () => {
    if (timer) return stop();
    if (get("date") === s.T - 1) set("date", 0);
    else step(1);
    if (still.matches) return; // who asked for less motion goes on by hand
    timer = setInterval(() => { if (get("date") === s.T - 1 || !root.isConnected) stop(); else step(1); }, 700);
    following.soon();
  };
  const layer = select("Image", Object.entries(LAYERS), (v) => set("layer", v)), run = button("Play", play, { class: "play" });
  const back = button("◂", () => step(-1), { "aria-label": "Date before", "aria-keyshortcuts": "," });
  const next = button("▸", () => step(1), { "aria-label": "Next date", "aria-keyshortcuts": "." });
  const date = slider("Date", { min: 0, max: s.T - 1, step: 1 }, (t) => { stop(); set("date", t); }), shown = make("output", {});
  const per = select("Curve of", [["field", "field"], ["pixel", "pixel"]], (v) => set("per", v));
  const outlines = make("input", { type: "checkbox", onchange: (e) => set("outlines", e.target.checked) });
  const sentence = make("p", { class: "sentence" }), legend = make("div", { class: "legend" }),
    scale = make("p", { class: "hint" });
  const map = roomy({ class: "map", role: "application", tabindex: "0" }, 470, (width) => Math.round((width * s.H) / s.W),
    paintScene);
  const chart = roomy({ role: "img" }, 620, () => 250, paintChart),
    values = table("Values as a table", ["Date", "VV (dB)", "VH (dB)", "VV − VH (dB)"]);
  const key = make("div", { class: "legend" });
  const root = frame("The season, date by date",
    make("div", { class: "bar" }, labelled("Image", layer), back, run, next, labelled("Date", date, shown),
      labelled("Curve of", per),
      ...(s.parcels.length ? [labelled("", outlines, "Outlines of the fields")] : [])),
    sentence,
    make("div", { class: "pair" }, make("figure", {}, map.place, scale, legend),
      make("figure", {}, key, chart.place,
        make("p", { class: "hint" }, "Click or tap the image for another place (arrow keys move it, " +
        "with Shift by ten pixels), the curves for another date (keys , and . step)."), values.node)));
  el.append(root);
  const say = announcer(root), look = theme(root, () => following.now());

  root.addEventListener("keydown", (event) => {
    if ((event.key !== "," && event.key !== ".") || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault(); stop(); step(event.key === "," ? -1 : 1);
  });
  const moves = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
  const place = (row, column) => set("pixel", [clampTo(row, 0, s.H - 1), clampTo(column, 0, s.W - 1)]);
  map.canvas.addEventListener("keydown", (event) => {
    const move = moves[event.key], [row, column] = get("pixel"), far = event.shiftKey ? 10 : 1;
    if (!move) return;
    event.preventDefault(); place(row + far * move[0], column + far * move[1]);
  });
  map.canvas.addEventListener("click", (event) => {
    const box = map.canvas.getBoundingClientRect();
    place(Math.floor(((event.clientY - box.top) / box.height) * s.H), Math.floor(((event.clientX - box.left) / box.width) * s.W));
  });
  chart.canvas.addEventListener("click", (event) => {
    const x = event.clientX - chart.canvas.getBoundingClientRect().left, at = dateAxis(chart.width());
    stop(); set("date", ranked(at.map((v) => -Math.abs(v - x)))[0]);
  });

  const dateAxis = (width) => timeAxis(s.dates, 50, width - 70);
  const chosen = () => (get("per") === "field" ? s.field(get("pixel")) : -1);
  function film(name, t) { // made when first shown
    const id = `${name} ${t}`;
    if (!films.has(id)) films.set(id, picture(s.W, (k) => {
      const rgb = name === "colour" ? ["vv", "vh", "ratio"].map((band) => s.grey(band, t, k)) : Array(3).fill(s.grey(name, t, k));
      return rgb.every(Number.isFinite) ? [...rgb, 255] : [150, 120, 90, 255]; // brown: no data
    }, s.H));
    return films.get(id);
  }
  function paintScene(g, width, height) {
    const zoom = width / s.W, { mark } = look.colours(), field = chosen(), [row, column] = get("pixel");
    g.imageSmoothingEnabled = false;
    g.drawImage(film(get("layer"), get("date")), 0, 0, width, height);
    g.save(); g.scale(zoom, zoom);
    if (get("outlines")) for (const [crop, path] of lines.byCrop) {
      g.lineWidth = 1.3 / zoom; g.strokeStyle = s.classes[crop].colour; g.stroke(path);
    }
    for (const [colour, thick] of [["#fff", 4], [mark, 2]]) {
      g.lineWidth = thick / zoom; g.strokeStyle = colour;
      if (field >= 0) g.stroke(lines.byField[field]);
      else g.strokeRect(column - 2 / zoom, row - 2 / zoom, 1 + 4 / zoom, 1 + 4 / zoom);
    }
    g.restore();
  }
  function paintChart(g, width) {
    const colours = look.colours(), x = dateAxis(width), courses = [0, 1].map((band) => s.course(band, chosen(), get("pixel"))),
      t = get("date");
    const [low, high] = range([...courses.flat(), ...s.usual]);
    const y = drawValues(g, { left: 44, top: 24, wide: width - 58, tall: 196, low, high, title: "Backscatter (dB)", colours,
      count: 5 });
    g.strokeStyle = colours.mark; g.lineWidth = 1.5; g.setLineDash([3, 3]);
    g.beginPath(); g.moveTo(x[t], 24); g.lineTo(x[t], 220); g.stroke(); g.setLineDash([]);
    courses.forEach((course, band) =>
      drawCurve(g, x, y, course, { ...LINES[band], colour: legible(LINES[band].colour, colours.paper) }));
    drawMonths(g, s.dates, x, 222, colours.soft);
  }
  function draw() {
    const state = { date: get("date"), pixel: get("pixel"), per: get("per") }, text = told(s, state), { paper } = look.colours();
    tell(sentence, text, timer ? () => {} : say); // a film is not read out
    run.textContent = timer ? "Stop" : "Play";
    layer.value = get("layer"); date.value = state.date; per.value = state.per; outlines.checked = get("outlines");
    shown.textContent = dayIn(s.dates[state.date], s.dates); date.setAttribute("aria-valuetext", shown.textContent);
    back.disabled = state.date === 0; next.disabled = state.date === s.T - 1;
    const name = get("layer"), ends = (band) => s.limits[band].map((v) => fixed(v, 1));
    scale.textContent = name === "colour" ?
      `Red: VV, green: VH, blue: VV − VH, each from dark to bright as its grey image. Side: ${s.side}.` :
      `Dark ${ends(name)[0]} dB, bright ${ends(name)[1]} dB and more, the same on all dates. Side: ${s.side}.`;
    const there = get("outlines") ? [...lines.byCrop.keys()].sort((a, b) => a - b) : [];
    legend.replaceChildren(...there.map((crop) => swatch(s.classes[crop].colour, s.classes[crop].name)));
    key.replaceChildren(...["VV", "VH"].map((band, k) => lineMark(legible(LINES[k].colour, paper), band, LINES[k].dash)));
    map.canvas.setAttribute("aria-label",
      `Image of the scene on ${shown.textContent}. Arrow keys move the place that is looked at.`);
    chart.canvas.setAttribute("aria-label", "VV and VH over the season; values in the table below.");
    map.now(); chart.now();
    const [vv, vh] = [0, 1].map((band) => s.course(band, chosen(), state.pixel)),
      number = (v) => (Number.isFinite(v) ? fixed(v, 2) : "no data");
    values.fill(s.dates.map((day, t) => [day, number(vv[t]), number(vh[t]), number(vv[t] - vh[t])]));
  }
  const following = follow(root, model, ["date", "pixel", "per", "layer", "outlines"], draw, look, map, chart);
  return () => { clearInterval(timer); following.stop(); };
}
