// What every page of the site does beyond being read: elements, light and dark, the list of chapters, copy buttons, figures
// that enlarge, meanings of words, pictures that move. All stands in the page without it as well.

// ----------------------------------------------------------------------------------------------------------------- elements

const all = (selector, root = document) => [...root.querySelectorAll(selector)];
const tools = document.querySelector(".tools");

/** What the browser keeps for us under a name; some keep nothing, and then a page remembers while it is open. */
const memory = new Map();
function recall(key) {
  try {
    return localStorage.getItem(key) ?? memory.get(key) ?? null;
  } catch {
    return memory.get(key) ?? null;
  }
}
function keep(key, text) {
  memory.set(key, text);
  try {
    if (text === null) localStorage.removeItem(key);
    else localStorage.setItem(key, text);
  } catch { /* it stays in memory */ }
}

// ----------------------------------------------------------------------------------------------------------- light and dark

const systemDark = matchMedia("(prefers-color-scheme: dark)");
const root = document.documentElement;
const scheme = () => root.dataset.scheme ?? (systemDark.matches ? "dark" : "light");
const darkSwitch = button("Dark", () => {
  const wanted = scheme() === "dark" ? "light" : "dark";
  const asSystem = (wanted === "dark") === systemDark.matches;
  if (asSystem) delete root.dataset.scheme; // and follows the system again
  else root.dataset.scheme = wanted;
  keep("stma_nb.scheme", asSystem ? null : wanted);
  dress();
});
function dress() {
  darkSwitch.setAttribute("aria-pressed", String(scheme() === "dark"));
  for (const { contentWindow } of frames) contentWindow?.postMessage({ scheme: scheme() }, "*");
}

// ------------------------------------------------------------------------------------------------------------------ reading

/** What scrolls sideways must be reached by keyboard; what does not scroll would only be one stop more. */
function reach() {
  for (const box of all("pre, .scroll, .output")) {
    if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
    else box.removeAttribute("tabindex");
  }
}
addEventListener("resize", reach);
addEventListener("toggle", reach, true);

/** The list of chapters is open where it stands beside the text, and folded where it would stand above it. */
const chapterList = document.querySelector(".chapters > details"), wide = matchMedia("(min-width: 66rem)");
const fold = () => { chapterList.open = wide.matches; };
wide.addEventListener("change", fold);
fold();
if (wide.matches) { // and shows the chapter that is open
  const list = chapterList.parentElement, current = list.querySelector("[aria-current]");
  if (current) list.scrollTop = current.offsetTop - list.clientHeight / 3;
}

/** Mark the section that is being read in the list of sections. */
const sectionLinks = all(".sections a");
const marked = sectionLinks.map((link) => document.getElementById(decodeURIComponent(link.hash.slice(1))));
function mark() {
  const above = marked.filter((heading) => heading && heading.getBoundingClientRect().top < 120).length;
  sectionLinks.forEach((link, k) => {
    if (k === above - 1) link.setAttribute("aria-current", "location");
    else link.removeAttribute("aria-current");
  });
}
let marking = 0;
addEventListener("scroll", () => {
  cancelAnimationFrame(marking);
  marking = requestAnimationFrame(mark);
}, { passive: true });

// --------------------------------------------------------------------------------------------------------------------- code

const heard = make("p", { class: "heard", role: "status" });
document.body.append(heard);

for (const box of all(".highlight")) {
  const code = box.querySelector("pre");
  const copy = button("Copy", async () => {
    const done = await copied(code);
    copy.textContent = done ? "Copied" : "Selected";
    heard.textContent = done ? "Copied" : "The code is selected: copy it with your keyboard";
    setTimeout(() => { copy.textContent = "Copy"; }, 2000);
  }, { class: "copy" });
  box.append(copy);
}
/** Put code on the clipboard; where the browser does not allow it, select it and return false. */
async function copied(code) {
  try {
    await navigator.clipboard.writeText(code.textContent.trimEnd());
    return true;
  } catch {
    getSelection().selectAllChildren(code);
    return false;
  }
}

// ------------------------------------------------------------------------------------------------------------------ figures

const large = make("dialog", { class: "large", "aria-label": "Enlarged figure" });
document.body.append(large);
large.addEventListener("click", ({ target }) => { if (target === large) large.close(); }); // beside the picture

function enlarge(image) {
  const words = image.closest("figure")?.querySelector("figcaption");
  const copy = make("img", { src: image.src, alt: image.alt });
  // At least as large as it was made for, so that its letters can be read; on a wide screen larger.
  copy.style.width = `max(92vw, ${image.getAttribute("width") ?? image.naturalWidth}px)`;
  copy.style.maxWidth = `${Math.max(2 * (image.getAttribute("width") ?? image.naturalWidth), innerWidth * 0.92)}px`;
  const close = button("Close", () => large.close());
  const scroller = make("div", { class: "whole", tabindex: 0, role: "group", "aria-label": "Figure, scrolls" }, copy);
  large.replaceChildren(close, scroller, ...(words ? [words.cloneNode(true)] : []));
  large.showModal();
}
for (const image of all(".output img")) {
  if (image.closest(".live, a")) continue;
  const frame = make("span", { class: "picture" });
  image.replaceWith(frame);
  image.addEventListener("click", () => enlarge(image));
  frame.append(image, button("Enlarge", () => enlarge(image), { class: "enlarge" }));
}

// ----------------------------------------------------------------------------------------------------------------- glossary

const meaning = make("div", { class: "meaning", id: "meaning", role: "tooltip", hidden: true });
document.body.append(meaning);
let hiding = 0;
function explain(link) {
  clearTimeout(hiding);
  meaning.textContent = link.dataset.meaning;
  meaning.hidden = false;
  link.setAttribute("aria-describedby", "meaning");
  const at = link.getBoundingClientRect(), box = meaning.getBoundingClientRect();
  const below = at.bottom + box.height + 8 < innerHeight || at.top < box.height + 8;
  meaning.style.left = `${scrollX + Math.max(8, Math.min(at.left, innerWidth - box.width - 16))}px`;
  meaning.style.top = `${scrollY + (below ? at.bottom + 6 : at.top - box.height - 6)}px`;
}
function forget() {
  meaning.hidden = true;
  for (const link of all("a[aria-describedby='meaning']")) link.removeAttribute("aria-describedby");
}
const later = () => { hiding = setTimeout(forget, 200); }; // time to move onto the words themselves
for (const link of all("a[data-meaning]")) {
  for (const sign of ["pointerenter", "focus"]) link.addEventListener(sign, () => explain(link));
  for (const sign of ["pointerleave", "blur"]) link.addEventListener(sign, later);
}
meaning.addEventListener("pointerenter", () => clearTimeout(hiding));
meaning.addEventListener("pointerleave", later);
addEventListener("keydown", ({ key }) => { if (key === "Escape") forget(); });

// ------------------------------------------------------------------------------------------------------ pictures that move

// They take the place of their stills, on pages of their own, which tell how high they are.
const frames = all(".live").map((place) => {
  const frame = make("iframe", { src: place.dataset.page, title: place.dataset.title, loading: "lazy" });
  place.replaceChildren(frame);
  return frame;
});
addEventListener("message", ({ source, data }) => {
  const frame = frames.find(({ contentWindow }) => contentWindow === source);
  if (!frame || !(data?.height > 0)) return;
  if (!frame.style.height) source.postMessage({ scheme: scheme() }, "*"); // it has begun
  frame.style.height = `${Math.min(data.height, 8000)}px`;
});

tools.append(darkSwitch);
systemDark.addEventListener("change", dress);
dress();
reach();
mark();
