// The attention explorer: controls, the sentence, the pictures of space and time, and tabs of panels. All data are here from the
// start; nothing is asked of the kernel or of a network. The same code runs as an anywidget and in a saved page.

/** What is seen, in words; explorer.py says the same with `describe`. */
function describe(lab, pixel, result) {
  const { f } = lab, head = lab.headName(lab.get("head")), time = lab.timeLevel(lab.get("level"));
  const i = lab.index(pixel, result.corner), mapped = `mapped as ${lab.name(result.prediction[i])}`;
  const who = f.labelled ? `${lab.name(lab.label(i, result.corner))}, ${mapped}` : mapped;
  const received = result.received(lab.get("level"), lab.get("head")), [first, second] = ranked(received);
  const edits = lab.get("show") === "before" ? [] : inWords(lab.get("edits"), f);
  const seen = `Pixel row ${pixel[0]}, column ${pixel[1]} (${who}): ${whereItLooks(lab, pixel, result)}.`;
  const shares = `${percent(received[first])} and ${percent(received[second])}; even would be ${percent(1 / f.dates.length)}`;
  const most = isAlike(received) ? `all dates receive alike (${percent(1 / f.dates.length)} each).`
    : `${f.dates[first]} and ${f.dates[second]} receive most (${shares}), the same for the whole patch.`;
  return [...edits, seen, `In time, level ${time}, ${head}: ${most}`].join(" ");
}
function whereItLooks(lab, pixel, result) {
  const { f } = lab, { corner } = result, level = lab.get("level"), cross = level === "cross";
  const side = lab.side(level), size = lab.size(level), own = lab.cell(pixel, level, corner);
  const weights = result.spatialOf(pixel, level, lab.get("head")), order = ranked(weights);
  const place = (cell) => {
    const cosine = () => `cosine ${fixed(Math.floor(100 * weights[cell] + 0.5) / 100, 2)}`;
    return `${cell === own ? "its own cell" : cellText(lab, cell, level)} (${cross ? cosine() : percent(weights[cell])})`;
  };
  if (cross) {
    const alike = weights[order[0]] - weights[order.at(-1)] < 0.1 ? ": all cells nearly alike" : "";
    return `across scales its level 1 is most like level 2 at ${place(order[0])}, least at ${place(order.at(-1))}${alike}`;
  }
  const looks = `level ${level}, ${lab.headName(lab.get("head"))} looks`;
  if (isEven(weights)) return `${looks} at all ${weights.length} cells nearly alike (at most ${percent(weights[order[0]])} each)`;
  const share = new Float64Array(NONE + 1), area = new Float64Array(NONE + 1); // of the weight and of the patch, by class
  for (let p = 0; p < f.patch ** 2; p++) {
    const cell = Math.floor(p / f.patch / size) * side + Math.floor((p % f.patch) / size);
    const code = f.labelled ? lab.label(p, corner) : result.prediction[p];
    share[code] += weights[cell] / size ** 2;
    area[code] += 1 / f.patch ** 2;
  }
  const best = ranked(share.subarray(0, NONE))[0], spread = spreadOf(weights).toFixed(0);
  return `${looks} most at ${place(order[0])} and ${place(order[1])}, even would be ${percent(1 / side ** 2)}; `
    + `${percent(share[best])} of the weight is on ${lab.name(best)} (even: ${percent(area[best])}); `
    + `it spreads as over ${spread} of ${side ** 2} cells`;
}
/** What the locked pixel gives to the cell of another. */
function lockedGives(lab, locked, pixel, result) {
  const level = lab.get("level"), value = result.spatialOf(locked, level, lab.get("head"))[lab.cell(pixel, level)];
  const back = result.spatialOf(pixel, level, lab.get("head"))[lab.cell(locked, level)], even = 1 / lab.side(level) ** 2;
  const gives = level === "cross" ? `has cosine ${fixed(value, 2)} with` : `gives ${percent(value)} of its attention to`;
  const gets = level === "cross" ? "" : `, which gives ${percent(back)} to its cell (even would be ${percent(even)})`;
  const i = lab.index(locked), its = lab.name(lab.f.labelled ? lab.label(i) : result.prediction[i]);
  return `The locked pixel, row ${locked[0]}, column ${locked[1]} (${its}), ${gives} the cell of this one${gets}.`;
}

function render({ model, el, page = false }) {
  const lab = new Lab(model), { f } = lab, T = f.dates.length;
  const set = (values) => lab.set(values), scrub = (date) => lab.set({ date }, { undoable: false });

  // ---------------------------------------------------------------------------------------------------------- controls
  const ofReference = (...choice) => (f.labelled ? [choice] : []);
  const bands = f.bands.map((band) => [band.name, band.label]);
  const layers = [...bands, ...ofReference("label", "Reference"), ["prediction", "Crop map"]];
  const layer = select("Image", layers, (value) => set({ layer: value }));
  const date = slider("Date", { min: 0, max: T - 1 }, scrub), dateText = make("span", { class: "value" });
  let playing = 0;
  const play = button("▶", () => {
    const step = () => scrub((lab.get("date") + 1) % T);
    if (playing) {
      clearInterval(playing);
      playing = 0;
    } else {
      step();
      const still = matchMedia("(prefers-reduced-motion: reduce)").matches; // one step a click, nothing that moves by itself
      if (!still) playing = setInterval(step, 700);
    }
    play.textContent = playing ? "⏸" : "▶";
    play.setAttribute("aria-label", playing ? "Stop" : "Play over the dates");
  }, { "aria-label": "Play over the dates" });
  const cells = (level) => `${lab.side(level)} × ${lab.side(level)} cells`;
  const levels = [...f.levels.map((l) => [l, `Level ${l} (${cells(l)})`]), ["cross", `Cross-scale (${cells("cross")})`]];
  const level = select("Level", levels, (value) => set({ level: value === "cross" ? value : +value }));
  const heads = [...Array.from({ length: f.heads }, (_, h) => [h + 1, `Head ${h + 1}`]), [0, "Mean of heads"]];
  const head = select("Head", heads, (value) => set({ head: +value }));
  const headOf = make("span", {}, "Head");
  // A slider that is dragged asks for a picture each time, but tells Python only where it ends.
  const opacity = slider("Opacity of the attention", { min: 0, max: 1, step: 0.05 }, (value) => {
    model.set("opacity", value);
    lab.tell();
  });
  opacity.addEventListener("change", () => model.save_changes());
  const number = (name, position) => make("input", { type: "number", "aria-label": `Pixel ${name}`, onchange: (event) => {
    const pixel = [...lab.get("pixel")], first = f.origin[position], count = position ? f.columns : f.rows;
    pixel[position] = clampTo(Math.round(+event.target.value || 0), first, first + count - 1);
    event.target.value = pixel[position];
    if (lab.inPatch(pixel)) set({ pixel });
    else lab.goTo(pixel); // the patch goes there
  } });
  const row = number("row", 0), column = number("column", 1);
  const lock = button("", () => (lab.get("locked") ? set({ locked: null }) : patch.toggleLock()));
  const crops = f.classes.map((crop) => [crop.name, crop.name]);
  const kinds = [["", "all classes"], ...crops, ...ofReference("wrong", "mapped wrongly")];
  const only = select("Show only", kinds, (value) => {
    step.textContent = "";
    set({ only: value });
  });
  const step = make("span", { class: "hint" });
  const walk = (by) => { step.textContent = patch.walk(by); };
  const onward = button("Next ▸", () => walk(1), { "aria-label": "Next pixel of this kind" });
  const back = button("◂ Previous", () => walk(-1), { "aria-label": "Previous pixel of this kind" });
  const undo = button("Undo", () => lab.undo()), redo = button("Redo", () => lab.redo());
  const zoomButton = (text, by, name) => button(text, () => patch.zoomTo(patch.zoom() * by), { "aria-label": name });
  const zoom = [zoomButton("−", 1 / 1.5, "Zoom out"), zoomButton("+", 1.5, "Zoom in")];
  const sentence = make("p", { class: "sentence" }), copy = button("Copy", () => copyText(sentence.textContent, copy));
  const controls = make("details", { class: "drawer" },
    make("summary", {}, "Controls"),
    make("div", { class: "bar" },
      labelled("Image", layer), labelled("Date", date, dateText), play,
      labelled("Level", level), make("label", {}, headOf, head), labelled("Opacity", opacity)),
    make("div", { class: "bar" },
      labelled("Pixel row", row), labelled("column", column), lock,
      labelled("Show only", only), back, onward, step, ...zoom, undo, redo));

  // ------------------------------------------------------------------------------------------------------------ layout
  const ui = { // what panels may ask of the whole
    colours: () => colours(),
    say: (text) => say(text),
    width: () => room(".more"),
    overviewWidth: () => (columns() === 3 ? 240 : Math.min(300, ui.patchWidth())),
    patchWidth: () => room(".space"),
    chartWidth: () => room(".time"),
    canvases: () => [
      { title: patchTitle(), canvas: patch.canvas },
      scaleOf(".space"),
      ...(lab.get("locked") ? [{ title: "Locked pixel", canvas: patch.other }] : []),
      { title: "Dates that ask dates", canvas: dates.matrix },
      scaleOf(".time"),
      { title: "Weight received, and backscatter", canvas: dates.chart },
    ],
    legendText: () => root.querySelector(".patch-panel .legend").textContent,
  };
  /** The bar of a scale, with its ends in words. */
  function scaleOf(place) {
    const [from, , to] = root.querySelector(`${place} .scale`).childNodes;
    return { title: `From ${from.textContent} to ${to.textContent}`, canvas: root.querySelector(`${place} .scale-bar`) };
  }
  const patchTitle = () => root.querySelector(".patch-panel figcaption").textContent;
  const wide = () => root.clientWidth || 900;
  const columns = () => (wide() >= 1200 ? 3 : wide() >= 700 ? 2 : 1);
  const room = (place) => Math.max(220, (root.querySelector(place)?.clientWidth || 400) - 2);
  const patch = patchPanel(lab, ui), overview = f.live ? overviewPanel(lab, ui) : null, dates = datesPanel(lab, ui);
  const seen = [headsPanel(lab, ui), classesPanel(lab, ui)];
  const panels = f.live ? [experimentsPanel(lab, ui), ...seen, networksPanel(lab, ui)] : seen;
  const tabs = tabList(panels, () => schedule());
  const notice = make("p", { class: "hint" }); // what a link asked for in vain, or what was left behind
  const root = frame("Attention explorer", controls,
    make("div", { class: "panels" },
      make("div", { class: "column" },
        make("div", { class: "space" }, patch.element),
        ...(overview ? [overview.element] : [])),
      make("div", { class: "column" },
        make("div", { class: "time" }, dates.element),
        make("div", { class: "words" }, make("div", {}, sentence, notice), copy))),
    tabs.element,
    make("div", { class: "bar take" }, ...takeAway(lab, ui, page)),
    make("p", { class: "hint" }, "Attention tells where the network looked, not what decided. ", whatIsHere(f)));
  const say = announcer(root), { colours, stop: stopTheme } = theme(root, () => draw());
  root.lab = lab;
  controls.open = true;
  root.addEventListener("keydown", (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.target.matches("input")) return;
    if (event.key !== "z" && event.key !== "y") return;
    event.preventDefault();
    if (event.key === "y" || event.shiftKey) lab.redo();
    else lab.undo();
  });
  el.replaceChildren(root);
  if (wide() < 700) controls.open = false; // on a phone the picture comes first

  // ----------------------------------------------------------------------------------------------------------- drawing
  let since = 0; // when the picture was asked for
  let lastWords = "";
  const schedule = once(draw);
  function draw() {
    if (!root.isConnected) return; // its size and colours are known, and told, when it stands in the page
    const began = performance.now();
    showState();
    root.classList.toggle("busy", lab.busy);
    root.dataset.columns = columns();
    patch.draw();
    overview?.draw();
    dates.draw();
    tabs.draw();
    tellWhatIsSeen();
    const now = performance.now();
    root.dataset.draw = (now - began).toFixed(2); // milliseconds, for measuring
    root.dataset.paint = (now - (since || began)).toFixed(2);
    since = 0;
  }
  /** Controls follow the state. */
  function showState() {
    const day = f.dates[lab.get("date")];
    for (const [name, control] of Object.entries({ layer, date, level, head, opacity, only })) control.value = lab.get(name);
    [row, column].forEach((box, k) => {
      if (box !== document.activeElement) box.value = lab.get("pixel")[k]; // not under a hand that types
      Object.assign(box, { min: f.origin[k], max: f.origin[k] + (k ? f.columns : f.rows) - 1 });
    });
    headOf.textContent = lab.get("level") === "cross" ? "Head (dates)" : "Head"; // across scales there is one map
    dateText.textContent = day;
    date.setAttribute("aria-valuetext", day);
    lock.textContent = lab.get("locked") ? "Unlock" : "Lock to compare";
    undo.disabled = !lab.past.length;
    redo.disabled = !lab.future.length;
  }
  function notify(text) {
    notice.textContent = text;
    say(text);
  }
  function tellWhatIsSeen() {
    const result = lab.shownResult(), shown = lab.hover ?? lab.get("pixel"), locked = lab.get("locked");
    let words = lab.failed || (result ? describe(lab, shown, result) : "The network is being computed …");
    if (result && locked) words += ` ${lockedGives(lab, locked, shown, result)}`;
    if (sentence.textContent !== words) sentence.textContent = words;
    if (lab.notice !== null) notify(lab.notice);
    lab.notice = null;
    if (lab.keyed && words !== lastWords) {
      say(changeFirst(lab, shown, result, words));
      lab.keyed = false;
    }
    lastWords = words;
  }

  // ------------------------------------------------------------------------------------------------------ start and end
  const off = lab.on(() => {
    since ||= performance.now();
    schedule();
  });
  const watch = new ResizeObserver(() => schedule());
  watch.observe(root);
  function followLink() {
    const told = readLink(lab, location.hash);
    if (told) notify(told);
  }
  if (page) {
    followLink();
    window.addEventListener("hashchange", followLink);
  }
  draw();
  return () => {
    off();
    watch.disconnect();
    stopTheme();
    clearInterval(playing);
    schedule.stop();
    lab.stop();
  };
}
/** What a page of these facts can do, and how exact it is. */
function whatIsHere({ live, bands: [{ step, unit }] }) {
  if (!live) return "This network is too large to run in a page: its maps of one patch are here, experiments are not.";
  return "The network is computed in this page: change what it sees, and look again. "
    + `Backscatter is rounded to ${+step.toPrecision(2)} ${unit}.`;
}

/** What is read out after a key: the new place first, in few words. */
function changeFirst(lab, pixel, result, words) {
  if (!result) return words;
  const i = lab.index(pixel), label = lab.f.labelled ? `${lab.name(lab.label(i))}, ` : "", level = lab.get("level");
  const weights = result.spatialOf(pixel, level, lab.get("head")), best = ranked(weights)[0];
  const place = best === lab.cell(pixel, level) ? "its own cell" : `cell ${best + 1}`;
  const alike = `most like, cosine ${fixed(weights[best], 2)}`, looks = `looks most at ${place}, ${percent(weights[best])}`;
  const most = level === "cross" ? alike : looks, mapped = `mapped as ${lab.name(result.prediction[i])}`;
  return `Row ${pixel[0]}, column ${pixel[1]}: ${label}${mapped}; ${most}. ${lab.f.dates[lab.get("date")]}.`;
}

/** Panels behind tabs, by the pattern of ARIA: arrow keys move between tabs. Only the open panel is drawn. */
function tabList(panels, changed) {
  const id = `stma-${Math.random().toString(36).slice(2)}`;
  let open = 0;
  const tabs = panels.map(({ title }, k) =>
    button(title, () => choose(k), { role: "tab", id: `${id}-tab${k}`, "aria-controls": `${id}-${k}` }));
  const bodies = panels.map(({ element }, k) =>
    make("div", { role: "tabpanel", id: `${id}-${k}`, "aria-labelledby": `${id}-tab${k}` }, element));
  const list = make("div", { class: "tabs", role: "tablist", "aria-label": "More of this patch" }, ...tabs);
  list.addEventListener("keydown", (event) => {
    const to = { ArrowLeft: open - 1, ArrowRight: open + 1, Home: 0, End: tabs.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    choose((to + tabs.length) % tabs.length);
    tabs[open].focus();
  });
  function choose(k) {
    open = k;
    tabs.forEach((tab, i) => {
      tab.setAttribute("aria-selected", String(i === k));
      tab.tabIndex = i === k ? 0 : -1;
      bodies[i].hidden = i !== k;
    });
    changed();
  }
  const element = make("div", { class: "more" }, list, ...bodies);
  let started = false;
  function draw() {
    if (!started) choose(open);
    started = true;
    panels[open].draw();
  }
  return { element, draw };
}
