// Search over all pages, without a network: a page out of sight holds the index and hands it over when the search first opens.

const plain = (text) => text.toLowerCase().normalize("NFD").replace(/\p{M}/gu, "");
const wordsOf = (text) => plain(text).match(/[\p{L}\p{N}]+/gu) ?? [];
let sections = null; // what there is to find: addresses, headings and texts, with their words

function load() {
  if (document.getElementById("index-of-search")) return;
  const frame = make("iframe", { src: "search.html", id: "index-of-search", title: "Index of the search", hidden: true });
  addEventListener("message", ({ source, data }) => {
    if (source !== frame.contentWindow || !Array.isArray(data?.entries)) return;
    sections = data.entries.map((entry) => ({
      ...entry, inHeading: wordsOf(entry.heading), inPage: wordsOf(entry.page),
      inText: [...new Set(wordsOf(entry.text))], inCode: [...new Set(wordsOf(entry.code))],
    }));
    look();
  });
  document.body.append(frame);
}

/**
 * How well a section answers to words, each of which begins one of its own; 0 if one is missing. The course comes before the
 * reference and before code, headings come before text; but a name as code has it, such as season_map, is itself meant.
 */
function worth(section, asked) {
  let sum = 0, told = !section.address.startsWith("api/");
  for (const word of asked) {
    const begins = (own) => own.startsWith(word), inHeading = section.inHeading.some(begins);
    const said = inHeading ? 100 : section.inPage.some(begins) ? 10 : section.inText.some(begins) ? 1 : 0;
    if (!said && !section.inCode.some(begins)) return 0;
    told &&= said > 0;
    sum += (said || 0.1) * (section.inHeading.includes(word) ? 2 : 1) + (section.inText.includes(word) ? 0.5 : 0);
  }
  const named = /[_.]/.test(asking.value) && plain(asking.value.trim()) === plain(section.heading);
  // Of two headings the shorter says it more plainly.
  return (named ? 2000 : told ? 1000 : 0) + sum / asked.length - (section.inHeading.length / 100);
}

const beginning = (asked) => new RegExp(`(?<![\\p{L}\\p{N}])(?:${asked.join("|")})`, "giu"); // asked are letters and digits alone
/** A text with the asked beginnings of words marked. */
function withMarks(text, asked) {
  const parts = [];
  let end = 0;
  for (const found of text.matchAll(beginning(asked))) {
    parts.push(text.slice(end, found.index), make("mark", {}, found[0]));
    end = found.index + found[0].length;
  }
  return [...parts, text.slice(end)];
}
/** The words around the first place in a text that is asked for. */
function around(text, asked) {
  const at = Math.max(0, text.search(beginning(asked))), start = at < 60 ? 0 : text.indexOf(" ", at - 60) + 1;
  const cut = text.slice(start, start + 170), whole = start + 170 >= text.length;
  return `${start ? "… " : ""}${whole ? cut : `${cut.slice(0, cut.lastIndexOf(" "))} …`}`;
}

const asking = make("input", {
  type: "search", "aria-label": "Search the course", placeholder: "Words, or their beginnings", autocomplete: "off",
});
const count = make("p", { role: "status" }), results = make("ol");
function look() {
  const asked = wordsOf(asking.value);
  results.replaceChildren();
  if (!asked.length || !sections) {
    count.textContent = sections || !asked.length ? "" : "The index is being opened ...";
    return;
  }
  const found = sections.map((section) => [worth(section, asked), section]).filter(([value]) => value !== 0)
    .sort(([a], [b]) => b - a).map(([, section]) => section);
  const shown = found.slice(0, 30);
  const many = found.length > shown.length ? `The first ${shown.length} of ${found.length}` : `${found.length} found`;
  count.textContent = found.length ? many : "Nothing is found";
  const telling = (text, code) => (text.search(beginning(asked)) < 0 && code.search(beginning(asked)) >= 0 ? code : text);
  results.append(...shown.map(({ address, page, heading, text, code }) => make("li", {},
    make("a", { href: address, onclick: () => finder.close() }, ...withMarks(heading, asked)),
    make("small", {}, heading === page ? "" : page),
    make("p", {}, ...withMarks(around(telling(text, code), asked), asked)))));
}
asking.addEventListener("input", look);

const finder = make("dialog", { class: "finder", "aria-label": "Search" },
  make("div", { class: "bar" }, asking, button("Close", () => finder.close())), count, results);
document.body.append(finder);
finder.addEventListener("click", ({ target }) => { if (target === finder) finder.close(); });
finder.addEventListener("keydown", (event) => {
  const stops = [asking, ...all("a", results)], at = stops.indexOf(document.activeElement);
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (event.key === "Escape") finder.close(); // at once, though a field of search would first be emptied
  else if (event.key === "Enter" && document.activeElement === asking) stops[1]?.click();
  else if (step && at >= 0) stops[Math.min(Math.max(at + step, 0), stops.length - 1)].focus();
  else return;
  event.preventDefault();
});
function openFinder() {
  load();
  if (!finder.open) finder.showModal();
  asking.focus();
  asking.select();
}
/** Whether a letter is meant for a field; just after the search has closed, its own field may still have the focus. */
const typing = () => (finder.open || document.activeElement !== asking)
  && document.activeElement?.closest("input, select, textarea, [contenteditable]");
addEventListener("keydown", (event) => {
  const short = event.key === "/" && !typing() && !event.ctrlKey && !event.metaKey && !event.altKey;
  if (!(short || (event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey)))) return;
  event.preventDefault();
  openFinder();
});
tools.prepend(button("Search", openFinder, { "aria-keyshortcuts": "/ Control+K", title: "Search: / or Ctrl+K" }));
