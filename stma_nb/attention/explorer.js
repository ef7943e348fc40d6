// The attention explorer: controls, the sentence, the pictures of space and time, and tabs of panels. All data are here from the
// start; nothing is asked of the kernel or of a network. The same code runs as an anywidget and in a saved page.

/** What is seen, in words; explorer.py says the same with `describe`. */
function describe(lab, pixel, result) {
  const { f } = lab, level = lab.get("level"), head = lab.get("head"), cross = level === "cross", corner = result.corner;
  const side = lab.side(level), size = lab.size(level), i = lab.index(pixel, corner);
  const weights = result.spatialOf(pixel, level, head), order = ranked(weights), own = lab.cell(pixel, level, corner);
  const place = (cell) => {
    const top = corner[0] + Math.floor(cell / side) * size, left = corner[1] + (cell % side) * size;
    const where = cell === own ? "its own cell" : `rows ${top}–${top + size - 1}, columns ${left}–${left + size - 1}`;
    return `${where} (${cross ? `cosine ${fixed(Math.floor(100 * weights[cell] + 0.5) / 100, 2)}` : percent(weights[cell])})`;
  };
  const mapped = `mapped as ${lab.name(result.prediction[i])}`, who = f.labelled ? `${lab.name(lab.label(i, corner))}, ${mapped}` : mapped;
  let looks;
  if (cross) {
    const alike = weights[order[0]] - weights[order.at(-1)] < 0.1 ? ": all cells nearly alike" : "";
    looks = `across scales its level 1 is most like level 2 at ${place(order[0])}, least at ${place(order.at(-1))}${alike}`;
  } else if (isEven(weights)) {
    looks = `level ${level}, ${lab.headName(head)} looks at all ${weights.length} cells nearly alike (at most ${percent(weights[order[0]])} each)`;
  } else {
    const share = new Float64Array(NONE + 1), area = new Float64Array(NONE + 1); // of the weight and of the patch, by class
    for (let p = 0; p < f.patch ** 2; p++) {
      const cell = Math.floor(p / f.patch / size) * side + Math.floor((p % f.patch) / size);
      const code = f.labelled ? lab.label(p, corner) : result.prediction[p];
      share[code] += weights[cell] / size ** 2;
      area[code] += 1 / f.patch ** 2;
    }
    const best = ranked(share.subarray(0, NONE))[0], spread = Math.exp(-weights.reduce((sum, w) => sum + (w > 0 ? w * Math.log(w) : 0), 0));
    looks = `level ${level}, ${lab.headName(head)} looks most at ${place(order[0])} and ${place(order[1])}, even would be ` +
      `${percent(1 / side ** 2)}; ${percent(share[best])} of the weight is on ${lab.name(best)} (even: ${percent(area[best])}); ` +
      `it spreads as over ${spread.toFixed(0)} of ${side ** 2} cells`;
  }
  const received = result.received(level, head), [first, second] = ranked(received);
  const said = lab.get("show") === "before" ? "" : inWords(lab.get("edits"), f).join(" ");
  return (
    `${said}${said ? " " : ""}Pixel row ${pixel[0]}, column ${pixel[1]} (${who}): ${looks}. In time, level ${lab.timeLevel(level)}, ` +
    `${lab.headName(head)}: ${f.dates[first]} and ${f.dates[second]} receive most (${percent(received[first])} and ` +
    `${percent(received[second])}; even would be ${percent(1 / f.dates.length)}), the same for the whole patch.`
  );
}
/** What the locked pixel gives to the cell of another. */
function lockedGives(lab, locked, pixel, result) {
  const level = lab.get("level"), value = result.spatialOf(locked, level, lab.get("head"))[lab.cell(pixel, level)];
  const gives = level === "cross" ? `has cosine ${fixed(value, 2)} with` : `gives ${percent(value)} of its attention to`;
  const i = lab.index(locked), its = lab.name(lab.f.labelled ? lab.label(i) : result.prediction[i]);
  return `The locked pixel, row ${locked[0]}, column ${locked[1]} (${its}), ${gives} the cell of this one.`;
}

function render({ model, el, page = false }) {
  const lab = new Lab(model), { f } = lab, T = f.dates.length;
  let since = 0;
  const set = (values, options) => lab.set(values, options), scrub = (values) => set(values, { undoable: false });

  // ---------------------------------------------------------------------------------------------------------- controls
  const layers = [...f.bands.map((band) => [band.name, band.label]), ...(f.labelled ? [["label", "Reference"]] : []), ["prediction", "Crop map"]];
  const layer = select("Image", layers, (value) => set({ layer: value }));
  const date = slider("Date", { min: 0, max: T - 1 }, (value) => scrub({ date: value })), dateText = make("span", { class: "value" });
  let playing = 0;
  const play = button("▶", () => {
    const step = () => scrub({ date: (lab.get("date") + 1) % T });
    if (playing) { clearInterval(playing); playing = 0; }
    else if (matchMedia("(prefers-reduced-motion: reduce)").matches) step(); // one step a click, nothing that moves by itself
    else { step(); playing = setInterval(step, 700); }
    play.textContent = playing ? "⏸" : "▶"; play.setAttribute("aria-label", playing ? "Stop" : "Play over the dates");
  }, { "aria-label": "Play over the dates" });
  const cells = (level) => `${lab.side(level)} × ${lab.side(level)} cells`;
  const level = select("Level", [...f.levels.map((l) => [l, `Level ${l} (${cells(l)})`]), ["cross", `Cross-scale (${cells("cross")})`]],
    (value) => set({ level: value === "cross" ? value : +value }));
  const head = select("Head", [...[...Array(f.heads).keys()].map((h) => [h + 1, `Head ${h + 1}`]), [0, "Mean of heads"]], (value) => set({ head: +value }));
  const headOf = make("span", {}, "Head");
  // A slider that is dragged asks for a picture each time, but tells Python only where it ends.
  const opacity = slider("Opacity of the attention", { min: 0, max: 1, step: 0.05 }, (value) => { model.set("opacity", value); lab.tell(); });
  opacity.addEventListener("change", () => model.save_changes());
  const number = (name, position) => make("input", { type: "number", "aria-label": `Pixel ${name}`, onchange: (e) => {
    const pixel = [...lab.get("pixel")], first = lab.get("corner")[position];
    pixel[position] = clampTo(Math.round(+e.target.value || 0), first, first + f.patch - 1);
    e.target.value = pixel[position];
    set({ pixel });
  } });
  const row = number("row", 0), column = number("column", 1);
  const lock = button("", () => (lab.get("locked") ? set({ locked: null }) : patch.toggleLock()));
  const wrong = f.labelled ? [["wrong", "mapped wrongly"]] : [];
  const only = select("Show only", [["", "all classes"], ...f.classes.map((crop) => [crop.name, crop.name]), ...wrong], (value) => { step.textContent = ""; set({ only: value }); });
  const step = make("span", { class: "hint" }), walk = (by) => { step.textContent = patch.walk(by); };
  const onward = button("Next ▸", () => walk(1), { "aria-label": "Next pixel of this kind" });
  const back = button("◂ Previous", () => walk(-1), { "aria-label": "Previous pixel of this kind" });
  const undo = button("Undo", () => lab.undo()), redo = button("Redo", () => lab.redo());
  const zoom = [["−", 1 / 1.5, "Zoom out"], ["+", 1.5, "Zoom in"]].map(([text, by, name]) => button(text, () => patch.zoomTo(patch.zoom() * by), { "aria-label": name }));
  const sentence = make("p", { class: "sentence" }), copy = button("Copy", () => copyText(sentence.textContent, copy));
  const controls = make("details", { class: "drawer" }, make("summary", {}, "Controls"),
    make("div", { class: "bar" }, labelled("Image", layer), labelled("Date", date, dateText), play, labelled("Level", level), make("label", {}, headOf, head), labelled("Opacity", opacity)),
    make("div", { class: "bar" }, labelled("Pixel row", row), labelled("column", column), lock, labelled("Show only", only), back, onward, step, ...zoom, undo, redo));

  // ------------------------------------------------------------------------------------------------------------ layout
  const ui = {
    colours: () => colours(), say: (text) => say(text), width: () => room(".more"),
    overviewWidth: () => (columns() === 3 ? 240 : Math.min(300, ui.patchWidth())), patchWidth: () => room(".space"), chartWidth: () => room(".time"),
    canvases: () => [{ title: patchTitle(), canvas: patch.canvas }, scaleOf(".space"), ...(lab.get("locked") ? [{ title: "Locked pixel", canvas: patch.other }] : []),
      { title: "Dates that ask dates", canvas: dates.matrix }, scaleOf(".time"), { title: "Weight received, and backscatter", canvas: dates.chart }],
    legendText: () => root.querySelector(".patch-panel .legend").textContent,
  };
  /** The bar of a scale, with its ends in words. */
  const scaleOf = (place) => {
    const [from, , to] = root.querySelector(`${place} .scale`).childNodes;
    return { title: `From ${from.textContent} to ${to.textContent}`, canvas: root.querySelector(`${place} .scale-bar`) };
  };
  const patchTitle = () => root.querySelector(".patch-panel figcaption").textContent;
  const wide = () => root.clientWidth || 900, columns = () => (wide() >= 1200 ? 3 : wide() >= 700 ? 2 : 1);
  const room = (place) => Math.max(220, (root.querySelector(place)?.clientWidth || 400) - 2);
  const patch = patchPanel(lab, ui), overview = f.live ? overviewPanel(lab, ui) : null, dates = datesPanel(lab, ui);
  const seen = [headsPanel(lab, ui), classesPanel(lab, ui)];
  const panels = f.live ? [experimentsPanel(lab, ui), ...seen, networksPanel(lab, ui)] : seen;
  const tabs = tabList(panels, () => schedule());
  const notice = make("p", { class: "hint" }); // what a link asked for in vain, or what was left behind
  const note = make("p", { class: "hint" }, "Attention tells where the network looked, not what decided. " + (f.live
    ? `The network is computed in this page: change what it sees, and look again. Backscatter is rounded to ${f.bands.map((band) => `${+band.step.toPrecision(2)} ${band.unit}`)[0]}.`
    : "This network is too large to run in a page: its maps of one patch are here, experiments are not."));
  const root = frame("Attention explorer", controls,
    make("div", { class: "panels" },
      make("div", { class: "column" }, make("div", { class: "space" }, patch.element), ...(overview ? [overview.element] : [])),
      make("div", { class: "column" }, make("div", { class: "time" }, dates.element), make("div", { class: "words" }, make("div", {}, sentence, notice), copy))),
    tabs.element,
    make("div", { class: "bar take" }, ...takeAway(lab, ui, page)), note);
  const say = announcer(root), { colours, stop: stopTheme } = theme(root, () => schedule());
  root.lab = lab;
  controls.open = true;
  root.addEventListener("keydown", (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.target.matches("input")) return;
    if (event.key === "z" || event.key === "y") { event.preventDefault(); event.key === "y" || event.shiftKey ? lab.redo() : lab.undo(); }
  });
  el.replaceChildren(root);
  if (wide() < 700) controls.open = false; // on a phone the picture comes first

  // ----------------------------------------------------------------------------------------------------------- drawing
  const schedule = once(draw), asked = () => { since ||= performance.now(); schedule(); };
  let lastWords = "";
  function draw() {
    if (!root.isConnected) return; // its size and colours are known, and told, when it stands in the page
    const began = performance.now();
    layer.value = lab.get("layer"); date.value = lab.get("date"); level.value = lab.get("level"); head.value = lab.get("head");
    headOf.textContent = lab.get("level") === "cross" ? "Head (dates)" : "Head"; // across scales there is one map
    opacity.value = lab.get("opacity");
    [row, column].forEach((box, k) => { if (box !== document.activeElement) box.value = lab.get("pixel")[k]; }); // not under a hand that types
    only.value = lab.get("only");
    lab.get("corner").forEach((first, k) => { const box = [row, column][k]; box.min = first; box.max = first + f.patch - 1; });
    dateText.textContent = f.dates[lab.get("date")]; date.setAttribute("aria-valuetext", f.dates[lab.get("date")]);
    lock.textContent = lab.get("locked") ? "Unlock" : "Lock to compare";
    undo.disabled = !lab.past.length; redo.disabled = !lab.future.length;
    root.classList.toggle("busy", lab.busy);
    root.dataset.columns = columns();
    const result = lab.shownResult(), shown = lab.hover ?? lab.get("pixel"), locked = lab.get("locked");
    patch.draw(); overview?.draw(); dates.draw(); tabs.draw();
    let words = lab.failed || (result ? describe(lab, shown, result) : "The network is being computed …");
    if (result && locked) words += ` ${lockedGives(lab, locked, shown, result)}`;
    if (sentence.textContent !== words) sentence.textContent = words;
    if (lab.notice !== null) { notify(lab.notice); lab.notice = null; }
    if (lab.keyed && words !== lastWords) { say(changeFirst(lab, shown, result, words)); lab.keyed = false; }
    lastWords = words;
    const now = performance.now();
    root.dataset.draw = (now - began).toFixed(2); root.dataset.paint = (now - (since || began)).toFixed(2); // milliseconds, for measuring
    since = 0;
  }
  const off = lab.on(asked), watch = new ResizeObserver(() => schedule());
  watch.observe(root);
  const notify = (text) => { notice.textContent = text; say(text); };
  const follow = () => { const told = readLink(lab, location.hash); if (told) notify(told); };
  if (page) { follow(); window.addEventListener("hashchange", follow); }
  draw();
  return () => { off(); watch.disconnect(); stopTheme(); clearInterval(playing); schedule.stop(); lab.stop(); };
}

/** What is read out after a key: the new place first, in few words. */
function changeFirst(lab, pixel, result, words) {
  if (!result) return words;
  const i = lab.index(pixel), label = lab.f.labelled ? `${lab.name(lab.label(i))}, ` : "";
  const weights = result.spatialOf(pixel, lab.get("level"), lab.get("head")), best = ranked(weights)[0];
  const most = lab.get("level") === "cross" ? `most like, cosine ${fixed(weights[best], 2)}` : `looks most at ${best === lab.cell(pixel, lab.get("level")) ? "its own cell" : `cell ${best + 1}`}, ${percent(weights[best])}`;
  return `Row ${pixel[0]}, column ${pixel[1]}: ${label}mapped as ${lab.name(result.prediction[i])}; ${most}. ${lab.f.dates[lab.get("date")]}.`;
}

/** Panels behind tabs, by the pattern of ARIA: arrow keys move between tabs. Only the open panel is drawn. */
function tabList(panels, changed) {
  const id = `stma-${Math.random().toString(36).slice(2)}`;
  let open = 0;
  const tabs = panels.map(({ title }, k) => button(title, () => choose(k), { role: "tab", id: `${id}-tab${k}`, "aria-controls": `${id}-${k}` }));
  const bodies = panels.map(({ element }, k) => make("div", { role: "tabpanel", id: `${id}-${k}`, "aria-labelledby": `${id}-tab${k}` }, element));
  const list = make("div", { class: "tabs", role: "tablist", "aria-label": "More of this patch" }, ...tabs);
  list.addEventListener("keydown", (event) => {
    const to = { ArrowLeft: open - 1, ArrowRight: open + 1, Home: 0, End: tabs.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault(); choose((to + tabs.length) % tabs.length); tabs[open].focus();
  });
  function choose(k) {
    open = k;
    tabs.forEach((tab, i) => { tab.setAttribute("aria-selected", String(i === k)); tab.tabIndex = i === k ? 0 : -1; bodies[i].hidden = i !== k; });
    changed();
  }
  const element = make("div", { class: "more" }, list, ...bodies);
  let started = false;
  return { element, draw() { if (!started) { started = true; choose(open); } panels[open].draw(); } };
}
