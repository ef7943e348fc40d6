// Two crops side by side: their courses with the spread of their fields, and how far apart they are, date by date.

/** Means, spreads and distances of the crops, as Python packed them: (crop, band, mean or sd, date). */
function crops(model) {
  const f = model.get("facts"), numbers = new Float64Array(buffer(model.get("data"))), T = f.dates.length;
  const row = (crop, band, what) => numbers.subarray(((crop * 2 + band) * 2 + what) * T, ((crop * 2 + band) * 2 + what + 1) * T);
  const code = (name) => f.crops.findIndex((crop) => crop.name === name);
  return {
    ...f,
    code,
    mean: (name, band) => row(code(name), band, 0),
    sd: (name, band) => row(code(name), band, 1),
    /** The distance of the means over the joint standard deviation. */
    apart(first, second, band) {
      const [m1, m2] = [first, second].map((name) => this.mean(name, band)),
        [s1, s2] = [first, second].map((name) => this.sd(name, band));
      return m1.map((m, t) => Math.abs(m - m2[t]) / Math.sqrt((s1[t] ** 2 + s2[t] ** 2) / 2));
    },
  };
}
function differMost(fields, first, second) {
  if (first === second) return `${first} compared with itself: choose another crop.`;
  const days = [1, 0].map((band) => { // VH first
    const apart = fields.apart(first, second, band), best = ranked(apart.map((v) => (Number.isFinite(v) ? v : -1)))[0];
    return `${dayIn(fields.dates[best], fields.dates)} in ${fields.bands[band]} (${fixed(apart[best], 1)})`;
  });
  return `${first} and ${second} differ most on ${days[0]} and on ${days[1]}, in standard deviations of their fields.`;
}

function render({ model, el }) {
  const fields = crops(model), { dates } = fields, get = (name) => model.get(name),
    titled = (crop) => `${crop.name} (${crop.fields} fields)`;
  const list = (label, trait) => select(label, fields.crops.map((crop) => [crop.name, titled(crop)]),
    (name) => choose(model, trait, name));
  const first = list("First crop", "first"), second = list("Second crop", "second");
  const swap = button("Swap", () => {
    const [one, two] = [get("first"), get("second")];
    choose(model, "first", two); choose(model, "second", one);
  });
  const sentence = make("p", { class: "sentence" }), legend = make("div", { class: "legend" });
  const values = table("Values as a table", []);
  const charts = fields.bands.map((name, band) =>
    roomy({ role: "img" }, 620, () => 272, (g, width) => paintBand(g, width, band)));
  const root = frame("Two crops compared",
    make("div", { class: "bar" }, labelled("First crop", first), labelled("Second crop", second), swap),
    sentence, legend,
    make("div", { class: "pair" }, ...charts.map((chart, band) => part(fields.bands[band], chart.place))),
    make("p", { class: "hint" }, "Line: mean of the fields; band: their standard deviation. Bars: distance of the two means in " +
      "standard deviations of the fields."),
    values.node);
  el.append(root);
  const say = announcer(root), look = theme(root, () => following.now());

  const looks = () => {
    const colours = look.colours(), same = get("first") === get("second");
    const line = (name) => legible(fields.crops[fields.code(name)].colour, colours.paper);
    return [[get("first"), { colour: line(get("first")) }],
      ...(same ? [] : [[get("second"), { colour: line(get("second")), dash: [6, 4], square: true }]])];
  };
  /** Above, the courses in dB; below, the distances as bars. One scale for VV and VH distances. */
  function paintBand(g, width, band) {
    const colours = look.colours(), left = 42, wide = width - left - 14, x = timeAxis(dates, left + 6, wide - 12),
      shown = looks();
    const all = shown.flatMap(([name]) =>
      [-1, 1].flatMap((sign) => Array.from(fields.mean(name, band), (m, t) => m + sign * fields.sd(name, band)[t])));
    const [low, high] = range(all),
      y = drawValues(g, { left, top: 24, wide, tall: 136, low, high, title: "Backscatter (dB)", colours });
    for (const [name, line] of shown) {
      const mean = fields.mean(name, band), sd = fields.sd(name, band);
      drawBand(g, x, y, mean.map((m, t) => m - sd[t]), mean.map((m, t) => m + sd[t]), line.colour);
    }
    for (const [name, line] of shown) drawCurve(g, x, y, fields.mean(name, band), line);
    const [one, two] = [get("first"), get("second")], apart = fields.apart(one, two, band);
    const most = Math.max(1, ...[0, 1].flatMap((b) => Array.from(fields.apart(one, two, b)).filter(Number.isFinite)));
    const yd = drawValues(g, { left, top: 190, wide, tall: 52, low: 0, high: most, title: "Difference (sd of fields)", colours,
      count: 2 });
    const best = one === two ? -1 : ranked(apart.map((v) => (Number.isFinite(v) ? v : -1)))[0],
      thick = clampTo((0.6 * wide) / dates.length, 3, 14);
    apart.forEach((v, t) => {
      if (!Number.isFinite(v)) return;
      g.fillStyle = t === best ? colours.mark : colours.soft; g.fillRect(x[t] - thick / 2, yd(v), thick, yd(0) - yd(v));
    });
    drawMonths(g, dates, x, 246, colours.soft);
  }
  function draw() {
    const text = differMost(fields, get("first"), get("second"));
    tell(sentence, text, say);
    first.value = get("first"); second.value = get("second");
    const marks = looks().map(([name, { colour, dash }]) => lineMark(colour, titled(fields.crops[fields.code(name)]), dash));
    legend.replaceChildren(...marks);
    for (const [band, chart] of charts.entries()) {
      chart.canvas.setAttribute("aria-label",
        `${fields.bands[band]} of ${get("first")} and ${get("second")} over the season; values in the table below.`);
      chart.now();
    }
    const [one, two] = [get("first"), get("second")],
      heads = fields.bands.flatMap((b) => [`${b} ${one} (dB)`, `${b} ${two} (dB)`, `${b} difference (sd)`]);
    values.name(["Date", ...heads]);
    const number = (v) => (Number.isFinite(v) ? fixed(v, 2) : "no data");
    values.fill(dates.map((date, t) =>
      [date, ...[0, 1].flatMap((band) => [fields.mean(one, band)[t], fields.mean(two, band)[t],
        fields.apart(one, two, band)[t]].map(number))]));
  }
  const following = follow(root, model, ["first", "second"], draw, look, ...charts);
  return following.stop;
}
