// STMA in the browser: the forward pass of model.py, to be read beside it. It runs in a worker (engine.js), or on the page.
//
// Everything is a matrix: rows times columns in a Float32Array. An image is the matrix of its pixels (rows) and channels; the
// dates of a season are images one under another. T dates, P patch side, K classes; a level has c channels a date, N pixels, and
// m = T c features a pixel.
//
//   values (T, bands, P, P)
//     trunk       every date by itself, so a date that was seen before costs nothing    3 levels of T images (N x c)
//     lsape       a gate that tells where a pixel lies                                  3 gated levels (N x m)
//     stsa        attention over pixels and over dates                                  3 levels (N x m), weights
//     mca         level 1 asks, level 2 answers, 3 is added                             (N x E), weights
//     decoder     back to full size                                                     logits (P P x K)

const LEVELS = [2, 4, 8]; // channels a date
const REMEMBERED = 16 * 2 ** 20; // bytes of dates whose features are kept

class STMA {
  /** `sizes` is the model's `arguments`; `w` its weights by the names of its state dict, each {shape, values}. */
  constructor(sizes, w) {
    this.sizes = sizes;
    this.w = w;
    this.layers = {}; // convolutions, with their normalisation folded in, made at first use
    this.seen = []; // dates that went through the trunk, the latest first: {image, levels}
  }

  /** Logits (K, P, P) and attention of `values` (T, bands, P, P), scaled as for the network.
   *  `even` takes weights away: [{branch: "spatial" | "temporal", levels, heads}], as attention.uniform_attention. */
  forward(values, even = []) {
    const { patch: P, classes } = this.sizes;
    const gated = this.trunk(values).map((images, i) => this.lsape(i, this.besideEachOther(images, i)));
    const attended = gated.map((level, i) => this.stsa(i, level, even));
    const [fused, cross] = this.mca(...attended.map((a) => a.out));
    const logits = this.decoder(add(fused, gated[2]), gated[0]);
    const byLevel = (branch) => Object.fromEntries(attended.map((a, i) => [i + 1, a[branch]]));
    return {
      logits: upsample(logits, P / 2, P, classes),
      spatial: byLevel("spatial"),
      temporal: byLevel("temporal"),
      cross,
    };
  }

  // ---------------------------------------------------------------------------------------------- 1. features of every date

  /** Three levels, each T images (N x c). Only dates that are new are computed: the trunk sees one date at a time. */
  trunk(values) {
    const { dates: T, patch: P, bands } = this.sizes, size = bands * P * P;
    const images = Array.from({ length: T }, (_, t) => values.subarray(t * size, (t + 1) * size));
    const known = images.map((image) => this.seen.find((one) => same(one.image, image)));
    const fresh = images.filter((_, t) => !known[t]);
    const found = fresh.length ? this.stages(fresh) : [];
    for (let t = 0, n = 0; t < T; t++) known[t] ??= { image: images[t].slice(), levels: found[n++] };
    const others = this.seen.filter((one) => !known.includes(one));
    this.seen = [...new Set(known), ...others].slice(0, Math.max(T, Math.floor(REMEMBERED / (4 * size))));
    return LEVELS.map((_, i) => known.map((one) => one.levels[i]));
  }
  /** The stem and three stages of a ResNet-18 for some dates at once; for each date its three squeezed levels. */
  stages(images) {
    const { patch: P, bands } = this.sizes, n = images.length;
    let x = { n, side: P, c: bands, values: new Float32Array(n * P * P * bands) };
    images.forEach((image, t) => {
      for (let b = 0; b < bands; b++) for (let p = 0; p < P * P; p++) {
        x.values[(t * P * P + p) * bands + b] = image[b * P * P + p];
      }
    });
    x = maxPool(this.conv(x, "trunk.stem.0", { norm: "trunk.stem.1", stride: 2, relu: true }));
    const levels = LEVELS.map((_, i) => {
      for (const block of [0, 1]) x = this.residual(x, `trunk.stage${i + 1}.${block}`, i === 1 && block === 0 ? 2 : 1);
      return this.conv(x, `trunk.squeeze.${i}.0`, { norm: `trunk.squeeze.${i}.1`, relu: true }).values;
    });
    const part = (values, t) => values.slice((t * values.length) / n, ((t + 1) * values.length) / n);
    return images.map((_, t) => levels.map((values) => part(values, t)));
  }
  residual(x, name, stride) {
    const y = this.conv(x, `${name}.conv1`, { norm: `${name}.bn1`, stride, relu: true });
    const z = this.conv(y, `${name}.conv2`, { norm: `${name}.bn2` });
    const short = `${name}.shortcut.0.weight` in this.w
      ? this.conv(x, `${name}.shortcut.0`, { norm: `${name}.shortcut.1`, stride })
      : x;
    for (let k = 0; k < z.values.length; k++) z.values[k] = Math.max(0, z.values[k] + short.values[k]);
    return z;
  }
  /** T images (N x c) beside each other: a pixel with all its dates is a row (N x m). */
  besideEachOther(images, i) {
    const c = LEVELS[i], T = images.length, N = images[0].length / c, out = new Float32Array(N * T * c);
    images.forEach((image, t) => {
      for (let p = 0; p < N; p++) for (let k = 0; k < c; k++) out[p * T * c + t * c + k] = image[p * c + k];
    });
    return out;
  }

  // ---------------------------------------------------------------------------------------------------- 2. position encoding

  /** f times sigmoid of a depth-wise 3 x 3 convolution of f. */
  lsape(i, f) {
    const weight = this.value(`lsape.${i}.conv.weight`), bias = this.value(`lsape.${i}.conv.bias`), m = bias.length;
    const side = Math.sqrt(f.length / m), out = new Float32Array(f.length);
    for (let y = 0; y < side; y++) for (let x = 0; x < side; x++) for (let k = 0; k < m; k++) {
      const top = Math.max(0, 1 - y), bottom = Math.min(3, side + 1 - y);
      const left = Math.max(0, 1 - x), right = Math.min(3, side + 1 - x);
      let sum = bias[k];
      for (let v = top; v < bottom; v++) for (let u = left; u < right; u++) {
        sum += weight[k * 9 + v * 3 + u] * f[((y + v - 1) * side + x + u - 1) * m + k];
      }
      const at = (y * side + x) * m + k;
      out[at] = f[at] / (1 + Math.exp(-sum));
    }
    return out;
  }

  // -------------------------------------------------------------------------------------- 3. spatio-temporal self-attention

  /** Softmax(q k' / sqrt(d)) v in every head; tokens (n x features). `even` are heads whose weights are all 1 / n. */
  attend(tokens, n, name, even) {
    const { heads } = this.sizes;
    const [q, k, v] = ["query", "key", "value"].map((what) => this.linear(tokens, n, `${name}.to_${what}`));
    const inner = q.length / n, d = inner / heads;
    const weights = new Float32Array(heads * n * n), answers = new Float32Array(n * inner);
    for (let h = 0; h < heads; h++) {
      const part = (x) => columns(x, inner, h * d, d);
      const scores = even.includes(h + 1) ? new Float32Array(n * n) : product(part(q), part(k), d);
      for (let row = 0; row < n; row++) softmax(scores.subarray(row * n, (row + 1) * n), 1 / Math.sqrt(d));
      weights.set(scores, h * n * n);
      const answer = product(scores, transpose(part(v), n, d), n);
      for (let row = 0; row < n; row++) answers.set(answer.subarray(row * d, (row + 1) * d), row * inner + h * d);
    }
    return [this.linear(answers, n, `${name}.out`), weights];
  }
  /** Pixels attend to pixels, dates to dates, and both are fused: {out (N x m), spatial, temporal}. */
  stsa(i, f, even) {
    const { dates: T, heads } = this.sizes, name = `stsa.${i}`, c = LEVELS[i], m = T * c, N = f.length / m;
    const all = Array.from({ length: heads }, (_, h) => h + 1);
    const meant = (e, branch) => e.branch === branch && (!e.levels?.length || e.levels.includes(i + 1));
    const taken = (branch) => even.filter((e) => meant(e, branch)).flatMap((e) => (e.heads?.length ? e.heads : all));
    const attend = (branch, tokens, n) =>
      this.attend(this.norm(tokens, tokens.length / n, `${name}.norm_${branch}`), n, `${name}.attend_${branch}`, taken(branch));

    const [update, spatialWeights] = attend("spatial", f, N);
    const spatial = add(f, update);

    const days = turnToDates(f, T, c); // (T x c N), channel by channel
    const [change, temporalWeights] = attend("temporal", days, T);
    const temporal = turnToPixels(add(days, change), T, c);

    const both = new Float32Array(2 * N * m);
    for (let p = 0; p < N; p++) {
      both.set(spatial.subarray(p * m, (p + 1) * m), 2 * p * m);
      both.set(temporal.subarray(p * m, (p + 1) * m), (2 * p + 1) * m);
    }
    const hidden = this.linear(this.norm(both, 2 * m, `${name}.norm_both`), N, `${name}.mlp.0`).map(gelu);
    const fused = this.linear(hidden, N, `${name}.mlp.3`);
    // The skip mix: a 1 x 2 convolution over (spatial, temporal) that mixes pixels. (N out, N in, 1, 2)
    const mix = this.value(`${name}.skip_mix.weight`), bias = this.value(`${name}.skip_mix.bias`);
    const branch = (which) => mix.filter((_, k) => k % 2 === which);
    const mixed = add(product(branch(0), transpose(spatial, N, m), N), product(branch(1), transpose(temporal, N, m), N));
    for (let p = 0; p < N; p++) for (let k = 0; k < m; k++) fused[p * m + k] += mixed[p * m + k] + bias[p];
    return { out: this.norm(fused, m, `${name}.norm`), spatial: spatialWeights, temporal: temporalWeights };
  }

  // --------------------------------------------------------------------------------------- 4. multi-scale cross-attention

  /** Level 1 asks, level 2 answers, weighted by cosine; level 3 is added: [(N x E), weights (N x N)]. */
  mca(level1, level2, level3) {
    const N = (this.sizes.patch / 8) ** 2, E = level3.length / N;
    const z1 = halve(this.linear(level1, 4 * N, "mca.lift1"), E);
    const z2 = this.linear(level2, N, "mca.lift2");
    const q = this.linear(z1, N, "mca.to_query");
    const kv = this.linear(z2, N, "mca.to_key_value");
    const k = columns(kv, 2 * E, 0, E), v = columns(kv, 2 * E, E, E);
    const weights = product(normalised(q, E), normalised(k, E), E);
    const answer = this.linear(product(weights, transpose(v, N, E), N), N, "mca.out");
    return [add(answer, level3), weights];
  }

  // ----------------------------------------------------------------------------------------------------------- 5. decoder

  /** From the fused map (side P/8) to logits (P/2 P/2 x K); level 1 joins at P/4. */
  decoder(fused, level1) {
    const { patch: P, dates: T } = this.sizes, at = (name) => `decoder.${name}`;
    let x = { n: 1, side: P / 8, c: LEVELS[2] * T, values: fused };
    x = this.spread(x, at("to_quarter_size.0"), at("to_quarter_size.1"));
    x = this.conv(x, at("to_quarter_size.3"), { norm: at("to_quarter_size.4"), relu: true });
    x.values = add(x.values, level1);
    x = this.spread(x, at("to_half_size.0"), at("to_half_size.1"));
    x = this.conv(x, at("classify.0"), { norm: at("classify.1"), relu: true });
    return this.conv(x, at("classify.3")).values;
  }

  // -------------------------------------------------------------------------------------------------------------- layers

  value(name) { return this.w[name].values; }
  linear(x, rows, name) {
    return product(x, this.value(`${name}.weight`), x.length / rows, this.w[`${name}.bias`]?.values);
  }
  /** Layer normalisation of rows of `size` numbers. */
  norm(x, size, name) {
    const weight = this.value(`${name}.weight`), bias = this.value(`${name}.bias`), out = new Float32Array(x.length);
    for (let at = 0; at < x.length; at += size) {
      let mean = 0, variance = 0;
      for (let k = 0; k < size; k++) mean += x[at + k] / size;
      for (let k = 0; k < size; k++) variance += (x[at + k] - mean) ** 2 / size;
      const scale = 1 / Math.sqrt(variance + 1e-5);
      for (let k = 0; k < size; k++) out[at + k] = (x[at + k] - mean) * scale * weight[k] + bias[k];
    }
    return out;
  }
  /** Scale and shift that batch normalisation is in use. */
  batchNorm(name) {
    const [weight, bias, mean, variance] =
      ["weight", "bias", "running_mean", "running_var"].map((what) => this.value(`${name}.${what}`));
    const scale = weight.map((w, o) => w / Math.sqrt(variance[o] + 1e-5));
    return { scale, shift: bias.map((b, o) => b - mean[o] * scale[o]) };
  }
  /** A convolution as a product: each pixel's window is a row. Padding keeps the size; `norm` is folded into the weights. */
  conv(x, name, { norm = null, stride = 1, relu = false } = {}) {
    const { matrix, bias, out, kernel } = (this.layers[name] ??= this.folded(name, norm));
    const side = Math.ceil(x.side / stride);
    const rows = kernel === 1 && stride === 1 ? x.values : windows(x, kernel, stride, side);
    const values = product(rows, matrix, matrix.length / out, bias);
    if (relu) for (let k = 0; k < values.length; k++) if (values[k] < 0) values[k] = 0;
    return { n: x.n, side, c: out, values };
  }
  folded(name, norm) {
    const { shape: [out, c, kernel], values } = this.w[`${name}.weight`], area = kernel * kernel;
    const none = { scale: new Float32Array(out).fill(1), shift: new Float32Array(out) };
    const { scale, shift } = norm ? this.batchNorm(norm) : none;
    const given = this.w[`${name}.bias`]?.values, matrix = new Float32Array(values.length);
    for (let o = 0; o < out; o++) for (let k = 0; k < c; k++) for (let u = 0; u < area; u++) {
      matrix[(o * area + u) * c + k] = values[(o * c + k) * area + u] * scale[o];
    }
    return { matrix, out, kernel, bias: shift.map((s, o) => s + (given ? given[o] * scale[o] : 0)) };
  }
  /** A transposed 3 x 3 convolution that doubles the side: every pixel spreads its values over a window of the larger image. */
  spread(x, name, norm) {
    const { shape: [c, out], values: weight } = this.w[`${name}.weight`], bias = this.value(`${name}.bias`);
    const { scale, shift } = this.batchNorm(norm);
    const matrix = (this.layers[name] ??= transposedWeights(weight, c, out));
    const parts = product(x.values, matrix, c);
    const side = 2 * x.side, values = new Float32Array(side * side * out);
    for (let y = 0; y < x.side; y++) for (let z = 0; z < x.side; z++) for (let v = 0; v < 3; v++) for (let u = 0; u < 3; u++) {
      const row = 2 * y + v - 1, column = 2 * z + u - 1;
      if (row < 0 || column < 0 || row >= side || column >= side) continue;
      const from = ((y * x.side + z) * 9 + v * 3 + u) * out, to = (row * side + column) * out;
      for (let o = 0; o < out; o++) values[to + o] += parts[from + o];
    }
    for (let k = 0; k < values.length; k++) {
      const o = k % out;
      values[k] = Math.max(0, (values[k] + bias[o]) * scale[o] + shift[o]);
    }
    return { n: 1, side, c: out, values };
  }
}

// ------------------------------------------------------------------------------------------------------------ arithmetic

/** a (rows x k) times the transpose of b (columns x k), plus a bias a column: the one place where the time goes. Four rows and
 *  two columns at a time, so that every number that is fetched is used several times. */
function product(a, b, k, bias) {
  const rows = a.length / k, cols = b.length / k, out = new Float32Array(rows * cols);
  const rowAt = (i) => Math.min(i, rows - 1) * k, columnAt = (j) => Math.min(j, cols - 1) * k; // the last stands in for more
  for (let i = 0; i < rows; i += 4) {
    const a0 = rowAt(i), a1 = rowAt(i + 1), a2 = rowAt(i + 2), a3 = rowAt(i + 3);
    for (let j = 0; j < cols; j += 2) {
      const b0 = columnAt(j), b1 = columnAt(j + 1), two = j + 1 < cols;
      const first = bias ? bias[j] : 0, second = bias && two ? bias[j + 1] : 0;
      let s00 = first, s10 = first, s20 = first, s30 = first;
      let s01 = second, s11 = second, s21 = second, s31 = second;
      for (let n = 0; n < k; n++) {
        const u = b[b0 + n], v = b[b1 + n];
        const w0 = a[a0 + n], w1 = a[a1 + n], w2 = a[a2 + n], w3 = a[a3 + n];
        s00 += w0 * u; s10 += w1 * u; s20 += w2 * u; s30 += w3 * u;
        s01 += w0 * v; s11 += w1 * v; s21 += w2 * v; s31 += w3 * v;
      }
      const at = i * cols + j, more = rows - i;
      out[at] = s00;
      if (more > 1) out[at + cols] = s10;
      if (more > 2) out[at + 2 * cols] = s20;
      if (more > 3) out[at + 3 * cols] = s30;
      if (!two) continue;
      out[at + 1] = s01;
      if (more > 1) out[at + cols + 1] = s11;
      if (more > 2) out[at + 2 * cols + 1] = s21;
      if (more > 3) out[at + 3 * cols + 1] = s31;
    }
  }
  return out;
}
/** The window around every pixel as a row (rows of kernel x kernel x channels), zeros beyond the border. */
function windows({ n, side: from, c, values }, kernel, stride, side) {
  const pad = kernel >> 1, out = new Float32Array(n * side * side * kernel * kernel * c);
  let at = 0;
  for (let t = 0; t < n; t++) for (let y = 0; y < side; y++) for (let x = 0; x < side; x++) for (let v = 0; v < kernel; v++) {
    const row = y * stride + v - pad, first = x * stride - pad;
    for (let u = 0; u < kernel; u++, at += c) {
      if (row < 0 || row >= from || first + u < 0 || first + u >= from) continue;
      const start = ((t * from + row) * from + first + u) * c;
      for (let k = 0; k < c; k++) out[at + k] = values[start + k];
    }
  }
  return out;
}
/** 3 x 3 maximum with stride 2; what lies beyond the border does not count. */
function maxPool({ n, side, c, values }) {
  const half = Math.ceil(side / 2), out = new Float32Array(n * half * half * c).fill(-Infinity);
  for (let t = 0; t < n; t++) for (let y = 0; y < half; y++) for (let x = 0; x < half; x++) {
    const at = ((t * half + y) * half + x) * c;
    const top = Math.max(0, 2 * y - 1), bottom = Math.min(side, 2 * y + 2);
    const left = Math.max(0, 2 * x - 1), right = Math.min(side, 2 * x + 2);
    for (let v = top; v < bottom; v++) for (let u = left; u < right; u++) {
      const from = ((t * side + v) * side + u) * c;
      for (let k = 0; k < c; k++) if (values[from + k] > out[at + k]) out[at + k] = values[from + k];
    }
  }
  return { n, side: half, c, values: out };
}
/** Mean over 2 x 2 pixels of an image (rows x c). */
function halve(x, c) {
  const side = Math.sqrt(x.length / c), half = side / 2, out = new Float32Array(x.length / 4);
  for (let y = 0; y < side; y++) for (let z = 0; z < side; z++) for (let k = 0; k < c; k++) {
    out[((y >> 1) * half + (z >> 1)) * c + k] += x[(y * side + z) * c + k] / 4;
  }
  return out;
}
/** Bilinear resize of logits (pixels x K) from one side to another, as (K, pixels). */
function upsample(x, from, side, K) {
  const out = new Float32Array(K * side * side);
  const place = (k) => { // between which two pixels, and how far
    const at = Math.max(0, ((k + 0.5) * from) / side - 0.5), low = Math.floor(at);
    return [low, Math.min(low + 1, from - 1), at - low];
  };
  for (let y = 0; y < side; y++) for (let z = 0; z < side; z++) {
    const [y0, y1, v] = place(y), [z0, z1, u] = place(z);
    for (let k = 0; k < K; k++) {
      const at = (row, column) => x[(row * from + column) * K + k];
      const upper = (1 - u) * at(y0, z0) + u * at(y0, z1), lower = (1 - u) * at(y1, z0) + u * at(y1, z1);
      out[k * side * side + y * side + z] = (1 - v) * upper + v * lower;
    }
  }
  return out;
}
/** (N x m), m date by date, as dates (T x c N), channel by channel; and back. */
function turnToDates(f, T, c) {
  const N = f.length / (T * c), out = new Float32Array(f.length);
  for (let t = 0; t < T; t++) for (let k = 0; k < c; k++) for (let p = 0; p < N; p++) {
    out[(t * c + k) * N + p] = f[(p * T + t) * c + k];
  }
  return out;
}
function turnToPixels(days, T, c) {
  const N = days.length / (T * c), out = new Float32Array(days.length);
  for (let t = 0; t < T; t++) for (let k = 0; k < c; k++) for (let p = 0; p < N; p++) {
    out[(p * T + t) * c + k] = days[(t * c + k) * N + p];
  }
  return out;
}
function transposedWeights(weight, c, out) { // (c, out, 3, 3) as (9 out x c)
  const matrix = new Float32Array(weight.length);
  for (let k = 0; k < c; k++) for (let o = 0; o < out; o++) for (let u = 0; u < 9; u++) {
    matrix[(u * out + o) * c + k] = weight[(k * out + o) * 9 + u];
  }
  return matrix;
}
function softmax(row, scale) {
  let most = -Infinity, sum = 0;
  for (const score of row) most = Math.max(most, score);
  for (let k = 0; k < row.length; k++) sum += row[k] = Math.exp((row[k] - most) * scale);
  for (let k = 0; k < row.length; k++) row[k] /= sum;
}
function normalised(x, size) {
  const out = new Float32Array(x.length);
  for (let at = 0; at < x.length; at += size) {
    let sum = 0;
    for (let k = 0; k < size; k++) sum += x[at + k] ** 2;
    const length = Math.max(Math.sqrt(sum), 1e-12);
    for (let k = 0; k < size; k++) out[at + k] = x[at + k] / length;
  }
  return out;
}
/** x times the standard normal distribution function of x (its error function to 1.5e-7: Abramowitz and Stegun 7.1.26). */
function gelu(x) {
  const z = Math.abs(x) / Math.SQRT2, t = 1 / (1 + 0.3275911 * z);
  const series = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
  const tail = series * Math.exp(-z * z);
  return x * (x >= 0 ? 1 - tail / 2 : tail / 2);
}
const add = (x, y) => x.map((v, k) => v + y[k]);
function same(x, y) {
  for (let k = 0; k < x.length; k++) if (x[k] !== y[k]) return false;
  return true;
}
function columns(x, width, first, count) {
  const rows = x.length / width, out = new Float32Array(rows * count);
  for (let r = 0; r < rows; r++) for (let k = 0; k < count; k++) out[r * count + k] = x[r * width + first + k];
  return out;
}
function transpose(x, rows, cols) {
  const out = new Float32Array(x.length);
  for (let r = 0; r < rows; r++) for (let k = 0; k < cols; k++) out[k * rows + r] = x[r * cols + k];
  return out;
}

// --------------------------------------------------------------------------------------------------------------- weights

/** Weights as Python packed them (packing.py): 16-bit numbers with a scale a row, small tensors as they are. */
function unpackWeights(tensors, bytes) {
  const w = {};
  for (const { name, shape, at, scales } of tensors) {
    const size = shape.reduce((a, b) => a * b, 1);
    if (scales === null) {
      w[name] = { shape, values: new Float32Array(bytes.buffer, bytes.byteOffset + at, size) };
      continue;
    }
    const codes = new Int16Array(bytes.buffer, bytes.byteOffset + at, size);
    const scale = new Float32Array(bytes.buffer, bytes.byteOffset + scales, shape[0]);
    const values = new Float32Array(size), row = size / shape[0];
    for (let k = 0; k < size; k++) values[k] = codes[k] * scale[Math.floor(k / row)];
    w[name] = { shape, values };
  }
  return w;
}
/** Weights as before training, drawn as packing.random_weights draws them: uniform, with the mean and spread of each tensor. */
function randomWeights(tensors, seed) {
  const w = {};
  let place = 0;
  for (const { name, shape, fresh: [middle, half] } of tensors) {
    const values = new Float32Array(shape.reduce((a, b) => a * b, 1));
    for (let k = 0; k < values.length; k++) values[k] = middle + half * (2 * uniformAt(place++, seed) - 1);
    w[name] = { shape, values };
  }
  return w;
}
