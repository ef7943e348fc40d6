// Two networks side by side: their maps, where they differ, and whether they look at the same dates.

/** Network A beside B: the second one that travelled, or the first one with random weights. */
function networksPanel(lab, ui) {
  const { f } = lab, second = f.networks.length > 1;
  const status = make("p", { class: "hint" }), words = make("p"), legend = make("div"), all = make("div");
  const [classMaps, attentionMaps] = [0, 1].map(() => [0, 1, 2].map(smallMap));
  const [classLegend, barLegend] = [0, 1].map(() => make("p", { class: "legend" })), bars = sheet(1, 1, { role: "img" });
  const numbers = unfolded("Dates received as numbers", table);
  let seed = null, random = null; // the result with random weights, and what it belongs to: {asked, result, failed}
  let unsaid = false, drawn = false;
  const compare = button("Compare with random weights", () => { seed = seed === null ? 0 : seed + 1; unsaid = true; draw(); });
  const row = (maps) => make("div", { class: "maps" }, ...maps.map((map) => map.element)), title = (text) => make("h2", {}, text);
  all.append(words, title("Maps"), row(classMaps), classLegend, title("Where the present pixel looks"), row(attentionMaps),
    legend, title("Weight that the dates receive"), make("figure", {}, bars[0]), barLegend, numbers.element);

  /** Result of network B for the present patch and edits; null while there is none. */
  function resultOfB() {
    if (second) return lab.other;
    const asked = JSON.stringify([lab.get("corner"), lab.get("edits"), seed]);
    if (seed === null || lab.busy || random?.asked === asked) return random?.result ?? null;
    const edits = lab.get("edits"), mine = { asked, result: null, failed: "" };
    random = mine;
    Promise.resolve().then(() => lab.compute(lab.values(), [...edits, { do: "random weights", seed }]))
      .then((result) => { mine.result = result; }, (error) => { mine.failed = String(error?.message ?? error); })
      .then(() => { if (random === mine) lab.tell(); });
    return null;
  }
  function draw() {
    compare.hidden = second || !f.live;
    compare.textContent = seed === null ? "Compare with random weights" : "Draw other weights";
    const found = resultsHere(lab), b = found && f.live ? resultOfB() : null;
    const ready = b && String(b.corner) === String(lab.get("corner"));
    drawn ||= Boolean(ready);
    all.hidden = !ready && !(drawn && found && !random?.failed); // what was seen stays, paler, until the next is there
    all.classList.toggle("old", !ready);
    status.textContent = statusText(found, ready);
    if (!ready) return;
    const a = lab.after, level = lab.get("level"), head = lab.get("head"), pixel = lab.hover ?? lab.get("pixel");
    words.textContent = sentence(a, b, level, head);
    if (unsaid) { unsaid = false; ui.say(words.textContent); }
    drawClasses(a, b);
    drawAttention(a, b, level, head, pixel);
    drawDates(a.received(level, head), b.received(level, head));
    numbers.fill();
  }
  function statusText(found, ready) {
    if (!f.live) return "This network is too large to run in a page: its own maps are here, and no second network.";
    if (!found) return waitingText(lab);
    if (!second && seed === null) return "Compare the network with itself before training, to see what training changed.";
    if (random?.failed) return `Network B cannot be computed: ${random.failed}`;
    if (!ready) return "Network B is computing this patch.";
    const which = second ? "" : ` B is A with weights drawn anew, as before training (seed ${seed}).`;
    const edited = lab.get("edits").length ? " Both see the patch as the experiment left it." : "";
    return `Network A beside network B, at ${headText(lab.get("level"), lab.get("head"))}.${which}${edited}`;
  }
  function sentence(a, b, level, head) {
    const share = (pixels, test) => {
      const found = pixels.filter(test).length;
      return `${percent(found / pixels.length)} (${found} of ${pixels.length})`;
    };
    const known = [...a.prediction.keys()].filter((p) => !lab.empty(a.corner, p)), truth = (p) => lab.label(p, a.corner);
    const checked = known.filter((p) => truth(p) !== NONE);
    const right = (result) => share(checked, (p) => result.prediction[p] === truth(p));
    const alike = `A and B map ${share(known, (p) => a.prediction[p] === b.prediction[p])} of the pixels alike.`;
    const correct = checked.length ? ` A maps ${right(a)} of the pixels with a label right, B ${right(b)}.` : "";
    const dates = (h) => agreementText(a.received(level, h), b.received(level, h)), where = headText(lab.timeLevel(level), head);
    const mean = head ? ` A head of A need not do the work of the same head of B; the mean of the heads: ${dates(0)}.` : "";
    return `${alike}${correct} The weights that dates receive in A and B, ${where}: ${dates(head)}.${mean}`;
  }
  function agreementText(a, b) {
    const { rho, chance, word } = agreement(a, b);
    const agree = { none: "no agreement", opposite: "opposite" }[word] ?? `${word} agreement`;
    if (!Number.isFinite(rho)) return "no ranks to compare, since one gives all dates the same";
    return `${agree}, rank correlation ${fixed(rho, 2)} (${percent(chance)} of all shifts in time agree as well or better)`;
  }
  const width = () => clampTo((ui.width() - 40) / 3, 90, 200);
  function drawClasses(a, b) {
    const rgb = f.classes.map((crop) => hexColour(crop.colour)), blank = [255, 255, 255];
    const { mark, panel } = ui.colours(), marked = rgbOf(mark), pale = rgbOf(panel);
    const differ = (p) => a.prediction[p] !== b.prediction[p];
    const classes = (result) => (p) => rgb[result.prediction[p]] ?? blank;
    const colours = [classes(a), classes(b), (p) => (differ(p) ? marked : pale)];
    const largest = ({ prediction }) => {
      const counts = f.classes.map((_, k) => prediction.filter((code) => code === k).length);
      const most = ranked(counts).filter((k) => counts[k]).slice(0, 3);
      return most.map((k) => `${lab.name(k)} ${percent(counts[k] / f.patch ** 2)}`).join(", ");
    };
    const texts = [largest(a), largest(b), counted(a.prediction.filter((_, p) => differ(p)).length, "pixel")];
    classMaps.forEach((map, k) => {
      map.paint(width(), f.patch, colours[k]);
      map.say(["Network A", second ? "Network B" : "Network B, random", "Where they differ"][k], texts[k]);
    });
    const present = f.classes.filter((_, k) => a.prediction.includes(k) || b.prediction.includes(k));
    const different = swatch("var(--mark)", "mapped differently");
    classLegend.replaceChildren(...present.map(({ name, colour }) => swatch(colour, name)), different);
  }
  function drawAttention(a, b, level, head, pixel) {
    const cross = level === "cross", lists = [a, b].map((result) => result.spatialOf(pixel, level, head)), side = lab.side(level);
    const change = minus(lists[1], lists[0]), bound = largestOf(cross ? [...lists, change] : [change]) || 1;
    const signs = (list) => (c) => signColour(list[c] / bound), ofEqual = (list) => (c) => timesColour(list[c] * side ** 2);
    const colours = [...lists.map(cross ? signs : ofEqual), signs(change)];
    const value = (v) => (cross ? `cosine ${fixed(v, 2)}` : percent(v)), by = (v) => (cross ? signed(v, 2) : points(v));
    const place = (list, cell, text) => `most, ${text(list[cell])}, at ${cellText(lab, cell, level)}`;
    const texts = lists.map((list) => place(list, ranked(list)[0], value));
    texts.push(place(change, ranked(change.map(Math.abs))[0], by));
    attentionMaps.forEach((map, k) => {
      map.paint(width(), side, colours[k], side, lab.cell(pixel, level));
      map.say(["A", "B", "B minus A"][k], texts[k]);
    });
    const end = cross ? fixed(bound, 2) : percent(bound);
    legend.replaceChildren(...(cross ? [] : [timesRamp()]), signRamp(end, cross ? "cosines, and their difference" : "B minus A"));
  }
  function drawDates(a, b) {
    const colours = ui.colours(), T = f.dates.length, high = largestOf([a, b, [1 / T]]);
    const wide = clampTo(ui.width() - 8, 260, 640);
    const text = (share) => `${plainNumber(100 * share)} %`;
    const chart = datesChart(bars, { f, width: wide, height: 160, low: 0, high, colours, text });
    const { context, x, y, left, right, bottom } = chart, gaps = f.dates.slice(1).map((_, t) => x(t + 1) - x(t));
    const bar = clampTo((Math.min(...gaps, 40) - 2) / 2, 2, 12);
    for (const [list, colour, shift] of [[a, colours.accent, -bar], [b, colours.mark, 0]]) {
      context.fillStyle = colour;
      list.forEach((v, t) => context.fillRect(x(t) + shift, y(v), bar - 0.5, bottom - y(v)));
    }
    context.strokeStyle = colours.ink; context.setLineDash([2, 3]);
    context.beginPath(); context.moveTo(left, y(1 / T)); context.lineTo(right, y(1 / T)); context.stroke();
    context.setLineDash([]);
    const most = (list) => `most on ${dayIn(f.dates[ranked(list)[0]], f.dates)} (${percent(Math.max(...list))})`;
    bars[0].setAttribute("aria-label", `Weight received by each date; A: ${most(a)}; B: ${most(b)}`);
    const even = make("span", {}, `dotted line: equal weights, ${percent(1 / T)}`);
    barLegend.replaceChildren(swatch(colours.accent, `A, left: ${most(a)}`), swatch(colours.mark, `B, right: ${most(b)}`), even);
  }
  function table() {
    const b = resultOfB(), level = lab.get("level"), head = lab.get("head");
    if (!b) return [["Date"]];
    const [one, two] = [lab.after, b].map((r) => r.received(level, head));
    const row = (date, t) => [dayIn(date, f.dates), percent(one[t]), percent(two[t]), points(two[t] - one[t])];
    return [["Date", "A", "B", "B minus A"], ...f.dates.map(row)];
  }
  return { title: "Two networks", element: make("div", { class: "panel" }, status, compare, all), draw };
}
