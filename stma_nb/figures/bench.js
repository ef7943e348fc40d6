// A bench for speckle: two fields with an edge, a third with a point target; fresh speckle, and what a filter gains and costs.

const FILTERS = { none: "none", boxcar: "boxcar", lee: "Lee", decibels: "boxcar on decibels (wrong)" };
const decibel = (power) => 10 * Math.log10(Math.max(power, 1e-6));

// ----------------------------------------------------------------------------------------------------------------- speckle

/** Uniform numbers in (0, 1) from a seed (mulberry32), and normal ones by pairs (Box and Muller 1958). */
function generator(seed) {
  let state = seed | 0, spare = NaN;
  const uniform = () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return (((t ^ (t >>> 14)) >>> 0) + 0.5) / 4294967296;
  };
  return () => {
    if (spare === spare) { const value = spare; spare = NaN; return value; }
    const size = Math.sqrt(-2 * Math.log(uniform())), angle = 2 * Math.PI * uniform();
    spare = size * Math.sin(angle);
    return size * Math.cos(angle);
  };
}
/** Weights of ceil(looks) looks: 1, but less for the last, so that their ENL is `looks`; they sum to 1. */
function lookWeights(looks) {
  const whole = Math.ceil(looks) - 1, weights = Array(whole + 1).fill(1);
  if (whole) weights[whole] = (whole - Math.sqrt(Math.max(0, whole ** 2 - (looks - 1) * whole * (looks - whole)))) / (looks - 1);
  const sum = weights.reduce((a, b) => a + b);
  return weights.map((w) => w / sum);
}
/** How each of `count` pixels is made of samples a resolution apart: sinc functions over 16 of them, each of unit energy. */
function samples(count, share) {
  const taps = 16;
  if (share === 1) return { length: count, taps: 1, first: (k) => k, weights: () => [1] };
  const sinc = (x) => (x ? Math.sin(Math.PI * x) / (Math.PI * x) : 1), rows = [];
  for (let k = 0; k < count; k++) {
    const at = k * share, row = Array.from({ length: taps }, (_, j) => sinc(at - Math.floor(at) + taps / 2 - 1 - j));
    const energy = Math.sqrt(row.reduce((sum, w) => sum + w * w, 0));
    rows.push(row.map((w) => w / energy));
  }
  return { length: Math.floor((count - 1) * share) + taps, taps, first: (k) => Math.floor(k * share), weights: (k) => rows[k] };
}
/** Unit-mean speckle of H x W pixels: white, or correlated as at 10 m in a GRDH image, whose resolution `shares` tell. */
function speckle(H, W, looks, seed, [down, across]) {
  const normal = generator(seed), y = samples(H, down), x = samples(W, across), image = new Float64Array(H * W);
  for (const weight of lookWeights(looks)) for (let part = 0; part < 2; part++) { // real and imaginary part of a look
    const lines = new Float64Array(y.length * W), coarse = new Float64Array(x.length);
    for (let r = 0; r < y.length; r++) {
      for (let c = 0; c < x.length; c++) coarse[c] = normal();
      for (let c = 0; c < W; c++) {
        const w = x.weights(c), first = x.first(c);
        let sum = 0;
        for (let j = 0; j < x.taps; j++) sum += w[j] * coarse[first + j];
        lines[r * W + c] = sum;
      }
    }
    for (let r = 0; r < H; r++) {
      const w = y.weights(r), first = y.first(r);
      for (let c = 0; c < W; c++) {
        let sum = 0;
        for (let j = 0; j < y.taps; j++) sum += w[j] * lines[(first + j) * W + c];
        image[r * W + c] += (weight * sum * sum) / 2;
      }
    }
  }
  return image;
}

// ----------------------------------------------------------------------------------------------------------------- filters

/** Means of windows of w x w pixels, which shrink at the border of the image. */
function boxcar(image, H, W, w) {
  const half = w >> 1, lines = new Float64Array(H * W), result = new Float64Array(H * W);
  for (let r = 0; r < H; r++) for (let c = 0; c < W; c++) {
    const from = Math.max(c - half, 0), to = Math.min(c + half, W - 1);
    let sum = 0;
    for (let k = from; k <= to; k++) sum += image[r * W + k];
    lines[r * W + c] = sum / (to - from + 1);
  }
  for (let r = 0; r < H; r++) {
    const from = Math.max(r - half, 0), to = Math.min(r + half, H - 1);
    for (let k = from; k <= to; k++) for (let c = 0; c < W; c++) result[r * W + c] += lines[k * W + c] / (to - from + 1);
  }
  return result;
}
/** Lee (1980): z + k (I - z), k = 1 - C_u^2 / C_i^2 and not below 0, with C_u^2 = 1 / looks. */
function lee(image, H, W, w, looks) {
  const mean = boxcar(image, H, W, w), squares = boxcar(image.map((v) => v * v), H, W, w);
  return image.map((v, k) => {
    const variance = Math.max(squares[k] - mean[k] ** 2, 1e-37);
    return mean[k] + clampTo(1 - mean[k] ** 2 / looks / variance, 0, 1) * (v - mean[k]);
  });
}
function filtered(name, image, H, W, w, looks) {
  if (name === "boxcar") return boxcar(image, H, W, w);
  if (name === "lee") return lee(image, H, W, w, looks);
  if (name === "decibels") return boxcar(image.map(decibel), H, W, w).map((db) => 10 ** (db / 10));
  return image;
}

// ----------------------------------------------------------------------------------------------------------------- measures

/** ENL and mean of a box [top, bottom, left, right). */
function boxOf(image, W, [top, bottom, left, right]) {
  let n = 0, sum = 0, squares = 0;
  for (let r = top; r < bottom; r++) for (let c = left; c < right; c++) {
    const v = image[r * W + c];
    n++; sum += v; squares += v * v;
  }
  const mean = sum / n;
  return { mean, enl: mean ** 2 / (squares / n - mean ** 2) };
}
/** Mean over the lines of an image, column by column. */
const profile = (image, W) => Array.from({ length: W }, (_, c) => {
  let sum = 0;
  for (let k = c; k < image.length; k += W) sum += image[k];
  return sum / (image.length / W);
});
/** Pixels between 10 and 90 % of the step of a profile that rises in its middle, from the mean of its first eight to that of
 *  its last. */
function edgeWidth(values) {
  const level = (part) => part.reduce((sum, v) => sum + v, 0) / part.length, low = level(values.slice(0, 8)),
    high = level(values.slice(-8));
  const q = values.map((v) => (v - low) / (high - low)), middle = q.length / 2;
  let a = middle - 1, b = middle;
  while (a >= 0 && q[a] >= 0.1) a--;
  while (b < q.length && q[b] <= 0.9) b++;
  return a < 0 || b >= q.length ? NaN : b - 1 + (0.9 - q[b - 1]) / (q[b] - q[b - 1]) - (a + (0.1 - q[a]) / (q[a + 1] - q[a]));
}
/** Everything that is seen: images, the mean line across the edge, numbers. */
function experiment(f, truth, { looks, filter, window: w, correlated, seed }) {
  const [H, W] = f.shape, shares = correlated ? f.shares : [1, 1], { row, left, width, lines } = f.edge;
  const noisy = speckle(H, W, looks, 2 * seed + 1, shares).map((v, k) => v * truth[k]);
  const image = filtered(filter, noisy, H, W, w, looks), line = truth.subarray(row * W + left, row * W + left + width);
  const strip = speckle(lines, width, looks, 2 * seed + 2, shares).map((v, k) => v * line[k % width]);
  const across = profile(filtered(filter, strip, lines, width, w, looks), width), before = boxOf(noisy, W, f.box),
    after = boxOf(image, W, f.box);
  const point = f.point[0] * W + f.point[1];
  return {
    noisy, image, across, line: Array.from(line),
    numbers: {
      before: before.enl, enl: after.enl, bias: decibel(after.mean) - decibel(before.mean),
      edge: edgeWidth(across), least: edgeWidth(Array.from(line)),
      point: decibel(image[point]) - decibel(noisy[point]),
    },
  };
}
const wide = (pixels) => (Number.isFinite(pixels) ? `${fixed(pixels, 1)} pixels` : "wider than 40 pixels");
function summary({ looks, filter, window: w }, n) {
  const edge = `Width of the edge (10 to 90 % of the step): ${wide(n.edge)}; by the instrument alone ${wide(n.least)}.`;
  if (filter === "none") return `No filter: ENL ${fixed(n.enl, 1)} in the box, of speckle with ${fixed(looks, 1)} looks. ${edge}`;
  const name = `${FILTERS[filter][0].toUpperCase()}${FILTERS[filter].slice(1)}, ${w} × ${w} pixels`;
  const gain = `ENL from ${fixed(n.before, 1)} to ${fixed(n.enl, 1)} in the box, its mean changes by ${fixed(n.bias, 2)} dB.`;
  return `${name}: ${gain} ${edge} The point target changes by ${fixed(n.point, 1)} dB.`;
}

// ------------------------------------------------------------------------------------------------------------------ picture

function render({ model, el }) {
  const f = model.get("facts"), truth = new Float32Array(buffer(model.get("data"))), [H, W] = f.shape;
  const get = (name) => model.get(name), set = (name, value) => choose(model, name, value);
  const names = ["looks", "filter", "window", "correlated", "seed"],
    state = () => Object.fromEntries(names.map((name) => [name, get(name)]));
  let now = experiment(f, truth, state());
  const looks = slider("Looks", { min: 1, max: 16, step: 0.2 }, (v) => set("looks", v)), looksShown = make("output", {});
  const filter = select("Filter", Object.entries(FILTERS), (v) => set("filter", v));
  const size = slider("Window", { min: 3, max: 11, step: 2 }, (v) => set("window", v)), sizeShown = make("output", {});
  const shared = make("input", { type: "checkbox", onchange: (e) => set("correlated", e.target.checked) });
  const fresh = button("Fresh speckle", () => set("seed", get("seed") + 1));
  const sentence = make("p", { class: "sentence" }), numbers = make("dl", { class: "numbers" }),
    legend = make("div", { class: "legend" });
  const grey = (image) => picture(W, (k) => [...Array(3).fill(clampTo(((decibel(image[k]) + 26) * 255) / 18, 0, 255)), 255], H);
  const views = [["With speckle", () => now.noisy], ["Filtered", () => now.image]].map(([title, image]) =>
    [title, roomy({ role: "img",
      "aria-label": `${title}: two fields and the edge between them, a third below with a point target.` }, 384,
      (width) => Math.round((width * H) / W), (g, width) => paintScene(g, width, image()))]);
  const chart = roomy({ role: "img" }, 960, () => 216, paintEdge), values = table("The edge as a table",
    ["Pixels from the edge", "without speckle (dB)", "filtered (dB)"]);
  const root = frame("Speckle and filters",
    make("div", { class: "bar" }, labelled("Looks", looks, looksShown), labelled("Filter", filter),
      labelled("Window", size, sizeShown),
      labelled("", shared, "Neighbours share speckle, as in Sentinel-1"), fresh),
    sentence, numbers,
    make("div", { class: "pair" }, ...views.map(([title, view]) => part(title, view.place))),
    make("p", { class: "hint" },
      "Grey from −26 (dark) to −8 dB (bright). ENL and mean are those of the box, the edge is that between the " +
      `two upper fields, measured on ${f.edge.lines} lines with the same edge.`),
    part("Across the edge", legend, chart.place), values.node);
  el.append(root);
  const say = announcer(root), look = theme(root, () => following.now());

  function paintScene(g, width, image) {
    const zoom = width / W, [top, bottom, left, right] = f.box;
    g.imageSmoothingEnabled = false;
    g.drawImage(grey(image), 0, 0, width, zoom * H);
    for (const [colour, thick] of [["#fff", 4], [look.colours().mark, 2]]) {
      g.strokeStyle = colour; g.lineWidth = thick;
      g.strokeRect(zoom * left, zoom * top, zoom * (right - left), zoom * (bottom - top));
      g.beginPath(); g.arc(zoom * (f.point[1] + 0.5), zoom * (f.point[0] + 0.5), 12, 0, 7); g.stroke();
    }
  }
  function paintEdge(g, width) {
    const colours = look.colours(), n = now.line.length, left = 44, room = width - left - 14,
      x = now.line.map((_, c) => left + ((c + 0.5) * room) / n);
    const [one, two] = [now.line, now.across].map((line) => line.map(decibel)), [low, high] = range([...one, ...two], 0.12);
    const y = drawValues(g, { left, top: 24, wide: room, tall: 150, low, high, title: "Mean backscatter (dB)", colours });
    drawCurve(g, x, y, one, { colour: colours.soft, dash: [5, 4], square: true });
    drawCurve(g, x, y, two, { colour: colours.accent });
    g.font = LETTERS; g.textBaseline = "top"; g.textAlign = "center"; g.fillStyle = colours.soft;
    for (let c = 0; c <= n; c += 5) g.fillText(fixed(c - n / 2, 0), left + (c * room) / n, 178);
    g.textAlign = "right"; g.fillText("pixels from the edge", width - 14, 196);
  }
  const paint = () => { views.forEach(([, view]) => view.now()); chart.now(); };
  function draw() {
    const chosen = state(), n = (now = experiment(f, truth, chosen)).numbers, text = summary(chosen, n);
    tell(sentence, text, say);
    looks.value = chosen.looks; looksShown.textContent = fixed(chosen.looks, 1); filter.value = chosen.filter;
    size.value = chosen.window; sizeShown.textContent = `${chosen.window} × ${chosen.window}`; shared.checked = chosen.correlated;
    size.disabled = chosen.filter === "none";
    numbers.replaceChildren(...[["ENL in the box", fixed(n.enl, 1)], ["Change of its mean", `${fixed(n.bias, 2)} dB`],
      ["Width of the edge", wide(n.edge)],
      ["Point target", `${fixed(n.point, 1)} dB`]].map(([term, value]) =>
        make("div", {}, make("dt", {}, term), make("dd", {}, value))));
    const { accent, soft } = look.colours();
    legend.replaceChildren(lineMark(accent, "filtered"), lineMark(soft, "without speckle", true));
    chart.canvas.setAttribute("aria-label", `Mean across the edge: ${wide(n.edge)} from 10 to 90 %; values in the table below.`);
    values.fill(now.line.map((v, c) => [fixed(c + 0.5 - now.line.length / 2, 1), fixed(decibel(v), 2),
      fixed(decibel(now.across[c]), 2)]));
    paint();
  }
  const following = follow(root, model, names, draw, look, chart, ...views.map(([, view]) => view));
  return following.stop;
}
