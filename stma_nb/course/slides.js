// One slide at a time, by keys, buttons or touch. Without this script all slides stand one below the other.
const slides = [...document.querySelectorAll(".slide")];
const counter = document.querySelector("nav output");
const notesButton = document.querySelector("[data-notes]");
const SMALLEST = 0.55; // of the size of letters: a slide that needs less scrolls
let place = 0;
let notes = false;

const steps = (slide) => [...slide.querySelectorAll(".step")];

// Letters get smaller until all of a slide is to be seen.
const fit = () => {
  const shown = slides[place].querySelector(".shown");
  for (let size = 1; size >= SMALLEST; size -= 0.05) {
    shown.style.setProperty("--fit", size);
    if (shown.scrollHeight <= shown.clientHeight + 1 && shown.scrollWidth <= shown.clientWidth + 1) break;
  }
  const scrolls = shown.scrollHeight > shown.clientHeight + 1 || shown.scrollWidth > shown.clientWidth + 1;
  if (scrolls) shown.tabIndex = 0; else shown.removeAttribute("tabindex");
};

const show = (next, { open = false, focus = true } = {}) => {
  place = Math.min(Math.max(next, 0), slides.length - 1);
  slides.forEach((slide, i) => {
    slide.hidden = i !== place;
    slide.querySelectorAll(".notes").forEach((box) => { box.hidden = !notes; });
  });
  steps(slides[place]).forEach((step) => { step.hidden = !open; });
  counter.textContent = `${place + 1} / ${slides.length}`;
  history.replaceState(null, "", `#${place + 1}`);
  fit();
  if (focus) slides[place].focus({ preventScroll: true });
};

const go = (way) => {
  const closed = steps(slides[place]).find((step) => step.hidden);
  if (way > 0 && closed) { closed.hidden = false; fit(); return; }
  if (place + way >= 0 && place + way < slides.length) show(place + way, { open: way < 0 });
};

const toggleNotes = () => {
  notes = !notes;
  notesButton.setAttribute("aria-pressed", notes);
  slides[place].querySelectorAll(".notes").forEach((box) => { box.hidden = !notes; });
  fit();
};

const toggleFull = () => {
  if (document.fullscreenElement) document.exitFullscreen();
  else document.documentElement.requestFullscreen?.().catch(() => {});
};

const KEYS = {
  ArrowRight: () => go(1), ArrowDown: () => go(1), PageDown: () => go(1), " ": () => go(1),
  ArrowLeft: () => go(-1), ArrowUp: () => go(-1), PageUp: () => go(-1),
  Home: () => show(0), End: () => show(slides.length - 1, { open: true }),
  f: toggleFull, n: toggleNotes,
};

addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || !KEYS[event.key]) return;
  const { target } = event;
  if (event.key === " " && target.closest("button, a")) return; // presses it
  // What scrolls keeps its own keys while it is in focus.
  const scrolls = target.closest(".notes, .shown[tabindex]");
  if (scrolls && scrolls.scrollHeight > scrolls.clientHeight && /Up|Down| |Home|End/.test(event.key)) return;
  event.preventDefault();
  KEYS[event.key]();
});
document.querySelectorAll("[data-go]").forEach((button) => {
  button.addEventListener("click", () => {
    go(Number(button.dataset.go));
    button.focus(); // a second press goes on
  });
});
notesButton.addEventListener("click", toggleNotes);
document.querySelector("[data-full]").addEventListener("click", toggleFull);

// A finger that moves further sideways than up or down turns the page.
let touch = null;
addEventListener("touchstart", ({ touches }) => { touch = touches.length === 1 ? touches[0] : null; }, { passive: true });
addEventListener("touchend", ({ changedTouches: [end] }) => {
  if (!touch) return;
  const [x, y] = [end.clientX - touch.clientX, end.clientY - touch.clientY];
  if (Math.abs(x) > 50 && Math.abs(x) > 2 * Math.abs(y)) go(x < 0 ? 1 : -1);
  touch = null;
});

addEventListener("resize", fit);
addEventListener("load", fit); // figures have their size now
addEventListener("hashchange", () => show((Number(location.hash.slice(1)) || 1) - 1));
// On paper every slide has letters of its own size, which fits there as well: the form is that of a screen.
addEventListener("beforeprint", () => {
  const before = place;
  slides.forEach((_, i) => show(i, { open: true, focus: false }));
  show(before, { focus: false });
});
document.documentElement.classList.add("ready");
document.body.classList.add("ready");
show((Number(location.hash.slice(1)) || 1) - 1, { focus: false });
