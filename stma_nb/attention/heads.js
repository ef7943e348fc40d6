// All heads at once: where the present pixel looks, and which dates ask which, for every level and head.

/** All levels and heads at once, each as a map of where the present pixel looks and one of the dates. */
function headsPanel(lab, ui) {
  const { f } = lab, T = f.dates.length, heads = [...Array(f.heads).keys()].map((h) => h + 1).concat(0);
  const rows = [...f.levels.map((level) => heads.map((head) => makeTile(level, head))), [makeTile("cross", 0)]];
  const tiles = rows.flat(), status = make("p", { class: "hint" }), legend = make("div");
  const rowTitle = ({ level }) => {
    const name = level === "cross" ? "Across scales, level 1 to level 2" : `Level ${level}`;
    return make("b", {}, `${name} (${lab.side(level)} × ${lab.side(level)} cells)`);
  };
  const grid = make("div", { role: "group", "aria-label": "All levels and heads", class: "tiles", onkeydown: move },
    ...rows.flatMap((row) => [rowTitle(row[0]), make("div", {}, ...row.map((tile) => tile.node))]));
  const numbers = unfolded("These maps as numbers", table);

  function makeTile(level, head) {
    const cells = sheet(1, 1, { "aria-hidden": "true" }), dates = sheet(1, 1, { "aria-hidden": "true" });
    const text = make("span"), cross = level === "cross";
    const title = make("b", {}, cross ? "Cross-scale" : head ? `Head ${head}` : "Mean");
    const node = make("button", { type: "button", class: "tile", tabindex: -1, onclick: () => choose(tile) },
      title, cells[0], ...(cross ? [] : [dates[0]]), text);
    const tile = { level, head, cross, cells, dates, text, node, name: headText(level, head) };
    return tile;
  }
  function choose({ level, head, cross, node }) {
    lab.set(cross ? { level } : { level, head });
    node.focus();
    ui.say(node.getAttribute("aria-label"));
  }
  const chosen = ({ level, head, cross }) => level === lab.get("level") && (cross || head === lab.get("head"));
  const inFocus = (tile) => tile.node === document.activeElement;
  function move(event) {
    const row = rows.findIndex((tilesOf) => tilesOf.some(inFocus)), column = rows[row]?.findIndex(inFocus);
    const moves = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0], Home: [0, -99], End: [0, 99] };
    if (row < 0 || !moves[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
    const [down, right] = moves[event.key], to = rows[clampTo(row + down, 0, rows.length - 1)];
    reachable(to[clampTo(column + right, 0, to.length - 1)]).node.focus();
    event.preventDefault();
  }
  /** One of them is reached by Tab, the others from it by arrow keys. */
  function reachable(one) {
    for (const tile of tiles) tile.node.tabIndex = tile === one ? 0 : -1;
    return one;
  }
  /** Weights of cells and of dates that a tile shows: those of `show`, or what the experiment changed. */
  function weightsOf({ level, head }) {
    const { before, after, shown, difference } = resultsHere(lab), pixel = lab.hover ?? lab.get("pixel");
    const read = (result) => [result.spatialOf(pixel, level, head), result.temporalOf(level, head)];
    return difference ? read(after).map((weights, k) => minus(weights, read(before)[k])) : read(shown);
  }
  /** Of a level and head over the whole patch: the mean spread of the cells that ask, and how far they look (pixels). */
  let known = { result: null, heads: {} };
  function overPatch({ level, head, name }) {
    const { shown } = resultsHere(lab), side = lab.side(level), n = side ** 2;
    if (known.result !== shown) known = { result: shown, heads: {} };
    return (known.heads[name] ??= (() => {
      let spread = 0, far = 0, even = 0;
      for (let cell = 0; cell < n; cell++) {
        const pixel = lab.pixelOf(Math.floor(cell / side) * lab.size(level) * f.patch + (cell % side) * lab.size(level));
        const weights = shown.spatialOf(pixel, level, head);
        spread += spreadOf(weights) / n;
        weights.forEach((w, k) => {
          const down = Math.floor(k / side) - Math.floor(cell / side), right = (k % side) - (cell % side);
          const distance = lab.size(level) * Math.hypot(down, right);
          far += (w * distance) / n;
          even += distance / n ** 2;
        });
      }
      return { spread, far, even };
    })());
  }
  function words(tile, [cells, dates], difference) {
    const { cross } = tile;
    const low = fixed(Math.min(...cells), 2), high = fixed(Math.max(...cells), 2);
    if (cross) return `cosines ${difference ? "change by " : ""}${low} to ${high}`;
    if (difference) return `cells ± ${unsigned(largestOf([cells]))}, dates ± ${unsigned(largestOf([dates]))} points`;
    const { spread, far, even } = overPatch(tile);
    const away = `${fixed(far, 1)} pixels away (even ${fixed(even, 1)})`;
    return `here ${spreadText(cells)} cells; in the patch ${fixed(spread, 0)}, ${away}; ` +
      `${fixed(rowSpread(dates, T), 1)} of ${T} dates`;
  }
  function draw() {
    const found = resultsHere(lab);
    grid.hidden = numbers.element.hidden = legend.hidden = !found;
    if (!found) { status.textContent = waitingText(lab); return; }
    const { difference } = found, pixel = lab.hover ?? lab.get("pixel"), weights = tiles.map(weightsOf);
    const columns = clampTo(Math.floor(ui.width() / 110), 2, heads.length);
    const width = Math.min(112, Math.floor(ui.width() / columns) - 22);
    const bound = difference ? largestOf(tiles.flatMap(({ cross }, k) => (cross ? [] : inEqualShares(weights[k])))) || 1 : 0;
    const colour = (share) => (difference ? signColour(share / bound) : timesColour(share));
    grid.style.setProperty("--tile", `${width + 14}px`);
    grid.style.setProperty("--columns", columns);
    tiles.forEach((tile, k) => {
      const [cells, dates] = inEqualShares(weights[k]), side = lab.side(tile.level);
      const paint = tile.cross ? cosineColour(weights[k][0], difference) : (c) => colour(cells[c]);
      paintMap(...tile.cells, width, side, paint, side, lab.cell(pixel, tile.level));
      if (!tile.cross) paintMap(...tile.dates, width, T, (c) => colour(dates[c]));
      tile.text.textContent = words(tile, weights[k], difference);
      tile.node.setAttribute("aria-label", `${tile.name}: ${tile.text.textContent}`);
      tile.node.setAttribute("aria-pressed", String(chosen(tile)));
    });
    if (!tiles.some(inFocus)) reachable(tiles.find(chosen) ?? tiles[0]);
    const what = difference ? "How the experiment changed where" : "Where";
    status.textContent = `${what} the pixel at row ${pixel[0]}, column ${pixel[1]} looks (above; its cell is framed), ` +
      "and which date looks at which (below; a row asks, the columns answer). " +
      (difference ? "Numbers: the largest changes."
        : "Numbers: over how many cells and dates the weights spread, as if evenly; how far a cell looks in the mean.");
    legend.replaceChildren(difference ? changeRamp(bound) : timesRamp("; across scales: from the least cosine to the largest"));
    numbers.fill();
  }
  /** Weights of cells and of dates, in units of an equal one. */
  const inEqualShares = ([cells, dates]) => [cells.map((w) => w * cells.length), dates.map((w) => w * T)];
  function cosineColour(cosines, difference) {
    const low = Math.min(...cosines), range = Math.max(Math.max(...cosines) - low, NEARLY_ALIKE);
    const most = Math.max(largestOf([cosines]), NEARLY_ALIKE);
    return difference ? (c) => signColour(cosines[c] / most) : (c) => MAGENTA[Math.round((255 * (cosines[c] - low)) / range)];
  }
  function table() {
    const { difference } = resultsHere(lab), most = (list) => ranked(difference ? list.map(Math.abs) : list)[0];
    const texts = difference ? ["Cell that changes most", "change", "Date received that changes most", "change"] :
      ["Looks most at", "weight", "Date that receives most", "weight"];
    const rest = difference ? [] : ["cells", "dates", "cells in the patch", "pixels away", "if even"];
    return [["Level and head", ...texts, ...rest], ...tiles.map((tile) => {
      const [cells, dates] = weightsOf(tile), text = tile.cross ? (v) => fixed(v, 2) : difference ? points : percent;
      const received = dates.subarray(0, T).map((_, t) => dates.reduce((sum, w, k) => sum + (k % T === t ? w / T : 0), 0));
      const cell = most(cells), date = most(received);
      const ofDates = tile.cross ? ["", ""] : [dayIn(f.dates[date], f.dates), text(received[date])];
      const whole = tile.cross || difference ? null : overPatch(tile);
      const far = whole ? [fixed(whole.spread, 1), fixed(whole.far, 1), fixed(whole.even, 1)] : ["", "", ""];
      const spread = tile.cross ? ["", "", ...far] : [spreadText(cells), `${fixed(rowSpread(dates, T), 1)} of ${T}`, ...far];
      return [tile.name, cellText(lab, cell, tile.level), text(cells[cell]), ...ofDates, ...(difference ? [] : spread)];
    })];
  }
  return { title: "All heads", element: make("div", { class: "panel" }, status, legend, grid, numbers.element), draw };
}
