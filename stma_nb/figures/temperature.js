// What softmax makes of scores: weights, how far they spread, and the mean of the values, as the sharpness changes.

/** Sharpness on the slider: 0, then quarters of a doubling from 1/16 to 32. */
const SHARP = [0, ...Array.from({ length: 37 }, (_, k) => 2 ** ((k - 16) / 4))];

/** softmax(sharpness x scores), its entropy as a number of equal weights, and the mean of the values under it. */
function softmax(scores, values, sharpness) {
  const most = Math.max(...scores), raw = scores.map((s) => Math.exp(sharpness * (s - most))), sum = raw.reduce((a, b) => a + b);
  const weights = raw.map((w) => w / sum), entropy = -weights.reduce((total, w) => total + (w ? w * Math.log(w) : 0), 0);
  return { weights, spread: Math.exp(entropy), answer: weights.reduce((total, w, k) => total + w * values[k], 0) };
}
const spreads = (n) => fixed(n, n < 99.95 ? 1 : 0);
/** Three digits; what is smaller than a millionth is 0. */
const short = (value) => String(Math.abs(value) < 1e-6 ? 0 : +value.toPrecision(3)).replace("-", "−");
function reading(f, asks, sharpness, { weights, spread, answer }) {
  const best = ranked(weights)[0],
    shares = f.groups.map((name, group) => weights.reduce((sum, w, k) => sum + (f.group[k] === group ? w : 0), 0));
  const asked = f.asking.length ? `${f.asking[asks]} asks. ` : "", whose = f.names.length ? ` (${f.names[best]})` : "";
  const open = `Sharpness ${short(sharpness)}: the weights spread as over ${spreads(spread)} of ${weights.length} ${f.things}`;
  const group = f.groups.length ? ` ${percent(shares[0])} fall on ${f.groups[0]}.` : "";
  const truth = f.truth === null ? "" : `, the truth is ${short(f.truth)}`;
  return `${asked}${open}; the largest is ${percent(weights[best])}${whose}.${group} ` +
    `Answer, the weighted mean of ${f.value}: ${short(answer)}${truth}.`;
}

function render({ model, el }) {
  const f = model.get("facts"), [Q, N] = f.shape, numbers = new Float64Array(buffer(model.get("data")));
  const values = Array.from(numbers.subarray(Q * N)), get = (name) => model.get(name),
    set = (name, value) => choose(model, name, value);
  const scoresOf = (asks) => Array.from(numbers.subarray(asks * N, (asks + 1) * N)), ordered = f.names.length === N;
  const nearest = (sharpness) => ranked(SHARP.map((s) => -Math.abs(Math.log2(s + 1e-3) - Math.log2(sharpness + 1e-3))))[0];
  const sharp = slider("Sharpness", { min: 0, max: SHARP.length - 1, step: 1 }, (k) => set("sharpness", SHARP[k])),
    shown = make("output", {});
  const reset = button("As computed (1)", () => set("sharpness", 1)),
    asking = select("Who asks", f.asking.map((name, k) => [k, name]), (k) => set("asks", +k));
  const sentence = make("p", { class: "sentence" }), cells = make("dl", { class: "numbers" }),
    legend = make("div", { class: "legend" });
  const bars = ["scores", "weights"].map((what) => roomy({ role: "img" }, 960, () => (what === "weights" && ordered ? 206 : 172),
    (g, width, height) => paintBars(g, width, height, what)));
  const line = roomy({ role: "img" }, 960, () => 76, paintAnswer),
    rows = table("Values as a table", [ordered ? f.thing : "Rank", "Score", "Weight", f.value]);
  const root = frame("From scores to weights",
    make("div", { class: "bar" }, labelled("Sharpness", sharp, shown), reset,
      ...(f.asking.length ? [labelled("Who asks", asking)] : [])),
    sentence, cells, legend,
    part(ordered ? "Scores" : `Scores, the largest first (${N} ${f.things})`, bars[0].place),
    part("Weights: softmax of sharpness × score", bars[1].place),
    part(`Where the answer lies among the values of ${f.value}`, line.place), rows.node);
  el.append(root);
  const say = announcer(root), look = theme(root, () => following.now()), groupColours = ["#505a64", "#882255"];
  let scores = [], result = softmax([0], [0], 1), order = [];

  const colourOf = (k, colours) => (f.groups.length ? legible(groupColours[f.group[k] ? 1 : 0], colours.paper) : colours.accent);
  function paintBars(g, width, height, what) {
    const colours = look.colours(), list = what === "scores" ? scores : result.weights, left = 52, wide = width - left - 10;
    const tall = height - 34 - (what === "weights" && ordered ? 40 : 6), [low, high] = range([...list, 0], 0);
    const title = what === "scores" ? "query · key" : "weight";
    const y = drawValues(g, { left, top: 24, wide, tall, low, high: high || 1, title, colours, count: 3 });
    const step = wide / N, best = ranked(result.weights)[0];
    order.forEach((k, place) => {
      g.fillStyle = what === "weights" && k === best && !f.groups.length ? colours.mark : colourOf(k, colours);
      const top = Math.min(y(list[k]), y(0)), size = Math.abs(y(list[k]) - y(0));
      g.fillRect(left + place * step + (step > 3 ? 0.12 * step : 0), top, step > 3 ? 0.76 * step : step,
        Math.max(size, list[k] ? 0.5 : 0));
    });
    if (what === "weights") { // what equal weights would be
      g.strokeStyle = colours.ink; g.setLineDash([3, 3]); g.lineWidth = 1; g.beginPath(); g.moveTo(left, y(1 / N));
      g.lineTo(left + wide, y(1 / N)); g.stroke();
      g.setLineDash([]);
    }
    if (what !== "weights" || !ordered) return;
    g.font = LETTERS; g.textAlign = "right"; g.textBaseline = "middle"; g.fillStyle = colours.soft;
    const every = Math.ceil(15 / step);
    f.names.forEach((name, k) => {
      if (k % every) return;
      g.save(); g.translate(left + (k + 0.5) * step, y(0) + 6); g.rotate(-Math.PI / 3); g.fillText(name, 0, 0); g.restore();
    });
  }
  /** Every value as a line as high as its weight, and where their mean and the truth lie. */
  function paintAnswer(g, width) {
    const colours = look.colours(), left = 24, wide = width - 48, known = f.truth === null ? [] : [f.truth],
      [low, high] = range([...values, ...known], 0.02);
    const x = (v) => left + (wide * (v - low)) / (high - low || 1), heaviest = Math.max(...result.weights),
      marks = ticks(low, high, width / 110);
    values.forEach((v, k) => {
      const tall = 3 + 29 * (result.weights[k] / heaviest);
      g.globalAlpha = N > 100 ? 0.35 : 0.8; g.fillStyle = colourOf(k, colours); g.fillRect(x(v) - 1, 54 - tall, 2, tall);
    });
    g.globalAlpha = 1; g.font = LETTERS; g.fillStyle = g.strokeStyle = colours.soft; g.lineWidth = 1; g.textAlign = "center";
    g.textBaseline = "top";
    g.beginPath(); g.moveTo(left, 54); g.lineTo(left + wide, 54); g.stroke();
    for (const v of marks) g.fillText(written(v, marks[1] - marks[0]), x(v), 58);
    const shown = [[result.answer, colours.mark, "answer"],
      ...known.map((v) => [v, colours.ink, "truth"])].sort((a, b) => a[0] - b[0]);
    shown.forEach(([v, colour, text], place) => { // the smaller says its name on the left, unless there is no room
      g.strokeStyle = g.fillStyle = colour; g.lineWidth = 2; g.beginPath(); g.moveTo(x(v), 2); g.lineTo(x(v), 54); g.stroke();
      const before = shown.length > 1 ? place === 0 : x(v) > width / 2;
      g.textAlign = before ? "right" : "left"; g.fillText(text, x(v) + (before ? -5 : 5), 2);
    });
  }
  const paint = () => { bars.forEach((bar) => bar.now()); line.now(); };
  function draw() {
    const asks = get("asks"), sharpness = get("sharpness");
    scores = scoresOf(asks);
    result = softmax(scores, values, sharpness);
    order = ordered ? [...scores.keys()] : ranked(scores);
    const text = reading(f, asks, sharpness, result);
    tell(sentence, text, say);
    sharp.value = nearest(sharpness); shown.textContent = short(sharpness);
    sharp.setAttribute("aria-valuetext", short(sharpness)); asking.value = asks;
    const facts = [["Spreads over", `${spreads(result.spread)} of ${N}`],
      ["Largest weight", percent(Math.max(...result.weights))], ["Answer", short(result.answer)]];
    if (f.truth !== null) facts.push(["Truth", short(f.truth)]);
    cells.replaceChildren(...facts.map(([term, value]) => make("div", {}, make("dt", {}, term), make("dd", {}, value))));
    const { paper } = look.colours();
    legend.replaceChildren(...f.groups.map((name, group) => swatch(legible(groupColours[group], paper), name)),
      ...[make("span", {}, "Dashed: equal weights")]);
    bars.forEach((bar, k) => bar.canvas.setAttribute("aria-label",
      `${k ? "Weights" : "Scores"} of ${N} ${f.things}; values in the table below.`));
    line.canvas.setAttribute("aria-label", `The answer is ${short(result.answer)}.`);
    const listed = order.slice(0, 40); // of many pixels those with the largest scores
    rows.fill(listed.map((k, place) => [ordered ? f.names[k] : String(place + 1), short(scores[k]), percent(result.weights[k]),
      short(values[k])]));
    paint();
  }
  const following = follow(root, model, ["sharpness", "asks"], draw, look, line, ...bars);
  return following.stop;
}
