// Classes instead of pixels: who looks at whom, what a class looks at, and where right and wrong differ.

/** Attention at one level and head, seen from groups of pixels; every pixel asks with the weights of its cell. */
class Groups {
  /** `codes` is a class for each pixel of the patch, NONE for none. */
  constructor(lab, result, level, head, codes) {
    const { patch, classes } = lab.f, size = lab.size(level), cellsAlong = lab.side(level);
    this.N = cellsAlong ** 2;
    this.cell = Array.from(codes, (_, p) => Math.floor(p / patch / size) * cellsAlong + Math.floor((p % patch) / size));
    this.codes = codes;
    this.rows = Array.from({ length: this.N }, (_, c) => {
      const first = Math.floor(c / cellsAlong) * size * patch + (c % cellsAlong) * size;
      return result.spatialOf(lab.pixelOf(first, result.corner), level, head);
    });
    this.members = Array.from({ length: classes.length + 1 }, () => new Float64Array(this.N)); // share of a class in each cell
    codes.forEach((code, p) => { this.members[Math.min(code, classes.length)][this.cell[p]] += 1 / size ** 2; });
  }
  /** The mean map (N) of these pixels (indices in the patch): where they look. */
  map(pixels) {
    const out = new Float64Array(this.N), asks = new Float64Array(this.N);
    for (const p of pixels) asks[this.cell[p]] += 1 / pixels.length;
    asks.forEach((share, c) => { if (share) this.rows[c].forEach((w, k) => { out[k] += share * w; }); });
    return out;
  }
  /** Share of a map on one class, and on each; the last is what has none. */
  share(map, code) { return this.members[code].reduce((sum, part, c) => sum + part * map[c], 0); }
  shares(map) { return this.members.map((_, code) => this.share(map, code)); }
  /** Share of their attention that these pixels give to pixels of their own class. */
  own(pixels) {
    const known = new Map(), own = (p) => {
      const key = this.cell[p] + this.N * this.codes[p];
      if (!known.has(key)) known.set(key, this.share(this.rows[this.cell[p]], this.codes[p]));
      return known.get(key);
    };
    return pixels.reduce((sum, p) => sum + own(p), 0) / pixels.length;
  }
  /** The same if all weights were equal. */
  ownIfEven(pixels) {
    const area = this.shares(new Float64Array(this.N).fill(1 / this.N));
    return pixels.reduce((sum, p) => sum + area[this.codes[p]], 0) / pixels.length;
  }
  cellsOf(pixels) { return new Set(pixels.map((p) => this.cell[p])).size; }
}
/** Mean and spread (standard deviation) over pixels, by band and date: {mean, spread}, each [band][date]; NaN without data. */
function curvesOf(lab, values, pixels) {
  const { dates, bands, patch } = lab.f, size = patch ** 2, mean = [], spread = [];
  for (let b = 0; b < bands.length; b++) {
    const known = dates.map((_, t) => pixels.map((p) => values[(t * bands.length + b) * size + p]).filter(Number.isFinite));
    mean.push(known.map((list) => list.reduce((sum, v) => sum + v, 0) / list.length));
    spread.push(known.map((list, t) => Math.sqrt(list.reduce((sum, v) => sum + (v - mean[b][t]) ** 2, 0) / list.length)));
  }
  return { mean, spread };
}

/** Classes instead of pixels: who looks at whom, mean maps and curves, those mapped right against those mapped wrongly. */
function classesPanel(lab, ui) {
  const { f } = lab, kind = f.labelled ? "reference class" : "class of the map";
  const status = make("p", { class: "hint" }), whom = make("div"), legend = make("div"), words = make("p");
  const choice = make("select", { "aria-label": "Class", onchange: () => { draw(); ui.say(words.textContent); } });
  const groups = [["all", "All"], ...(f.labelled ? [["right", "Mapped right"], ["wrong", "Mapped wrongly"]] : [])];
  const maps = groups.map(([key, name]) => ({ key, name, map: smallMap() }));
  const charts = f.bands.map((band) => {
    const own = sheet(1, 1, { role: "img" });
    return { band, own, element: make("figure", {}, make("figcaption", {}, `${band.label} (${band.unit})`), own[0]) };
  });
  const chartLegend = make("p", { class: "legend" });
  const numbers = unfolded("These curves as numbers", table);
  const all = make("div", {}, make("h2", {}, "Who looks at whom"), whom, make("h2", {}, "One class"),
    make("div", { class: "bar" }, labelled("Class", choice)), words,
    make("div", { class: "maps" }, ...maps.map(({ map }) => map.element)), legend,
    make("div", { class: "maps" }, ...charts.map((chart) => chart.element)), chartLegend, numbers.element);
  let seen = null, drawn = null;

  /** All that follows from results, level and head; made anew only when they change. */
  function look() {
    const found = resultsHere(lab), level = lab.timeLevel(lab.get("level")), head = lab.get("head");
    const key = [found.before, found.after, found.shown, found.difference, level, head];
    if (seen && key.every((v, k) => v === seen.key[k])) return seen;
    const corner = lab.get("corner"), size = f.patch ** 2;
    const codes = Uint8Array.from({ length: size }, (_, p) => {
      const code = f.labelled ? lab.label(p, corner) : found.shown.prediction[p];
      return lab.empty(corner, p) ? NONE : code;
    });
    const now = new Groups(lab, found.shown, level, head, codes);
    const earlier = found.difference ? new Groups(lab, found.before, level, head, codes) : null;
    const values = lab.get("show") === "before" ? lab.measured() : lab.values();
    const present = [...new Set(codes)].filter((code) => code !== NONE).sort((a, b) => a - b);
    seen = { key, ...found, level, head, codes, now, earlier, values, present };
    return seen;
  }
  /** Pixels of a class ("" for all): all of them, those mapped right, those mapped wrongly. */
  function pixelsOf({ codes, shown }, code) {
    const all = [...codes.keys()].filter((p) => codes[p] !== NONE && (code === "" || codes[p] === +code));
    const hit = (p) => shown.prediction[p] === codes[p];
    return { all, right: all.filter(hit), wrong: all.filter((p) => !hit(p)) };
  }
  /** Rows of who looks at whom: {code, pixels, shares, change}; the last of shares is what has no class. */
  function whoLooks(s) {
    return s.present.map((code) => {
      const pixels = pixelsOf(s, code).all, shares = s.now.shares(s.now.map(pixels));
      return { code, pixels, shares, change: s.earlier && minus(shares, s.earlier.shares(s.earlier.map(pixels))) };
    });
  }
  function drawWhom(s) {
    const area = s.now.shares(new Float64Array(s.now.N).fill(1 / s.now.N)), rows = whoLooks(s);
    const columns = [...s.present, ...(area[f.classes.length] > 0 ? [f.classes.length] : [])];
    const name = (code) => (code === f.classes.length ? `no ${f.labelled ? "label" : "data"}` : lab.name(code));
    const bound = largestOf(rows.map((row) => row.change ?? [])) || 1;
    const cells = ({ shares, change }) => columns.map((code) => {
      const ratio = shares[code] / area[code];
      const colour = signColour(change ? change[code] / bound : Math.log(ratio) / Math.log(MOST_TIMES));
      return make("td", { style: `background: ${css(colour)}; color: ${inkOver(colour)}` },
        change ? points(change[code]) : `${percent(shares[code])} (${timesText(ratio)})`);
    });
    const head = ["Of the attention of", "pixels, cells", ...columns.map((code) => `to ${name(code)}`)];
    const even = columns.map((code) => make("td", {}, percent(area[code])));
    const line = (title, count, data) => make("tr", {}, make("th", { scope: "row" }, title), make("td", {}, count), ...data);
    const lines = rows.map((row) => line(name(row.code), `${row.pixels.length}, ${s.now.cellsOf(row.pixels)}`, cells(row)));
    whom.replaceChildren(scrolling("Who looks at whom", make("table", { class: "whom" },
      make("thead", {}, make("tr", {}, ...head.map((text) => make("th", { scope: "col" }, text)))),
      make("tbody", {}, ...lines, line("Equal weights", "", even)))));
  }
  function draw() {
    const found = resultsHere(lab);
    all.hidden = !found;
    if (!found) { status.textContent = waitingText(lab); drawn = null; return; }
    const s = look(), options = ["", ...s.present], asked = choice.value === "" ? "" : +choice.value;
    const chosen = options.includes(asked) ? asked : "";
    const key = [s, chosen, ui.width(), ui.colours().paper];
    if (drawn && key.every((v, k) => v === drawn[k])) return; // only the pointer has moved
    drawn = key;
    if (String(options) !== choice.dataset.options) {
      choice.dataset.options = String(options);
      const named = (code) => (code === "" ? "all classes" : lab.name(code));
      choice.replaceChildren(...options.map((code) => make("option", { value: code }, named(code))));
    }
    choice.value = chosen;
    const cross = lab.get("level") === "cross" ? " Cosines are no shares of attention: another level is shown." : "";
    const size = lab.size(s.level), change = s.difference ? ", after minus before" : "";
    status.textContent = `By the ${kind} of each pixel, at ${headText(s.level, s.head)}${change}. A pixel looks with its cell ` +
      `of ${size} × ${size} pixels. Brown: more than ${s.difference ? "before" : "equal weights give"}; blue: less.${cross}`;
    drawWhom(s);
    const pixels = pixelsOf(s, chosen);
    words.textContent = sentence(s, pixels, chosen);
    drawMaps(s, pixels);
    drawCurves(s, pixels);
    numbers.fill();
  }
  function sentence(s, { all: members, right, wrong }, code) {
    if (!members.length) return "No pixel of the patch has a class.";
    const who = code === "" ? "The patch" : lab.name(code), own = (list) => percent(s.now.own(list));
    const has = `${who} has ${counted(members.length, "pixel")} in ${counted(s.now.cellsOf(members), "cell")}`;
    const even = `equal weights would give ${percent(s.now.ownIfEven(members))}`;
    const together = `They give ${own(members)} of their attention to their own class; ${even}.`;
    if (!f.labelled) return `${has}. ${together}`;
    if (!wrong.length) return `${has}, all mapped right. ${together}`;
    const counts = f.classes.map((_, k) => wrong.filter((p) => s.shown.prediction[p] === k).length);
    const share = percent(wrong.length / members.length), most = lab.name(ranked(counts)[0]);
    const first = `${has}; ${wrong.length} (${share}) are mapped wrongly, most of them as ${most}.`;
    if (!right.length) return `${first} ${together}`;
    return `${first} Those mapped right give ${own(right)} of their attention to their own class, those mapped wrongly ` +
      `${own(wrong)}; ${even}.`;
  }
  function drawMaps(s, pixels) {
    const mapOf = (list) => (s.earlier ? minus(s.now.map(list), s.earlier.map(list)) : s.now.map(list));
    const found = maps.map(({ key }) => (pixels[key].length ? mapOf(pixels[key]).map((w) => w * s.now.N) : null));
    const bound = s.earlier ? largestOf(found.filter(Boolean)) || 1 : 0, width = clampTo((ui.width() - 40) / 3, 80, 160);
    maps.forEach(({ key, name, map }, k) => {
      map.element.hidden = !found[k];
      if (!found[k]) return;
      const list = found[k], side = Math.sqrt(s.now.N);
      map.paint(width, side, (c) => (s.earlier ? signColour(list[c] / bound) : timesColour(list[c])));
      const best = ranked(s.earlier ? list.map(Math.abs) : list)[0], value = list[best] / s.now.N;
      const what = s.earlier ? `most changed: ${points(value)} at` : `most, ${percent(value)}, at`;
      map.say(`${name} (${counted(pixels[key].length, "pixel")})`, `${what} ${cellText(lab, best, s.level)}`);
    });
    legend.replaceChildren(s.earlier ? changeRamp(bound) : timesRamp());
  }
  /** Which curves are drawn: of all pixels with their spread, of those mapped right and wrongly. */
  function looksOf(colours) {
    return {
      all: { colour: colours.ink, text: "mean of all" },
      right: { colour: colours.accent, marker: "dot", text: "mapped right (dots)" },
      wrong: { colour: colours.mark, dash: [6, 4], marker: "box", text: "mapped wrongly (dashes, squares)" },
    };
  }
  function drawCurves(s, pixels) {
    const colours = ui.colours(), looks = looksOf(colours);
    const curves = maps.map(({ key }) => [key, curvesOf(lab, s.values, pixels[key])]);
    const width = Math.max(260, ui.width() >= 640 ? (ui.width() - 24) / 2 : ui.width() - 8);
    charts.forEach(({ own, band }, b) => {
      const { mean, spread } = curves[0][1], ends = mean[b].flatMap((v, t) => [v - spread[b][t], v + spread[b][t]]);
      const known = [...ends, ...curves.flatMap(([, c]) => c.mean[b])].filter(Number.isFinite);
      const chart = datesChart(own, { f, width, height: 170, low: Math.min(...known), high: Math.max(...known), colours });
      chart.context.fillStyle = colours.line;
      for (let t = 1; t < f.dates.length; t++) { // the band of spread, date by date, so that a gap stays one
        const corners = [[t - 1, -1], [t, -1], [t, 1], [t - 1, 1]];
        const four = corners.map(([d, side]) => [chart.x(d), chart.y(mean[b][d] + side * spread[b][d])]);
        if (!four.flat().every(Number.isFinite)) continue;
        chart.context.beginPath();
        four.forEach(([x, y]) => chart.context.lineTo(x, y));
        chart.context.fill();
      }
      for (const [key, c] of curves) drawCurve(chart, c.mean[b], looks[key]);
      own[0].setAttribute("aria-label", `Mean ${band.label} of the pixels over the dates; the numbers stand in the table`);
    });
    chartLegend.replaceChildren(swatch(colours.line, "mean ± one standard deviation over the pixels"),
      ...maps.map(({ key }) => swatch(looks[key].colour, looks[key].text)));
  }
  function table() {
    const s = look(), pixels = pixelsOf(s, choice.value), curves = maps.map(({ key }) => curvesOf(lab, s.values, pixels[key]));
    const value = (v) => (Number.isFinite(v) ? fixed(v, 2) : "–"), others = maps.slice(1);
    const groupsOf = (label) => others.map(({ name }) => `${label}, ${name.toLowerCase()}`);
    const head = ({ label, unit }) => [`${label} (${unit})`, `${label}, spread`, ...groupsOf(label)];
    const row = (b, t) => [curves[0].mean[b][t], curves[0].spread[b][t], ...others.map((_, k) => curves[k + 1].mean[b][t])];
    return [["Date", ...f.bands.flatMap(head)],
      ...f.dates.map((date, t) => [dayIn(date, f.dates), ...f.bands.flatMap((_, b) => row(b, t).map(value))])];
  }
  return { title: "Classes", element: make("div", { class: "panel" }, status, all), draw };
}
