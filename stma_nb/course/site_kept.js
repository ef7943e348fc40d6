// What a reader has done: chapters and answers of the quiz. It is kept in this browser alone, and can be saved as a file.

const KEPT = "stma_nb.progress", TIMES = ["beginning", "end"];

/** What was kept, or read from a file, with all left out that is none of ours; null if nothing of it is. */
function understood(text) {
  let given;
  try {
    given = JSON.parse(text);
  } catch {
    return null;
  }
  if (!Array.isArray(given?.done) || typeof given.answers !== "object" || typeof given.scores !== "object") return null;
  const answers = Object.entries(given.answers ?? {}).filter(([n, letter]) => /^\d+$/.test(n) && /^[a-d]$/.test(letter));
  const scores = Object.entries(given.scores ?? {}).filter(([time, score]) => TIMES.includes(time)
    && Number.isInteger(score?.right) && Number.isInteger(score.of) && /^\d{4}-\d\d-\d\d$/.test(score.day));
  return {
    done: given.done.filter((name) => /^\w+$/.test(name)),
    answers: Object.fromEntries(answers),
    scores: Object.fromEntries(scores.map(([time, { right, of, day }]) => [time, { right, of, day }])),
  };
}
const nothing = () => ({ done: [], answers: {}, scores: {} });
const progress = () => understood(recall(KEPT) ?? "") ?? nothing();
function note(change) {
  keep(KEPT, JSON.stringify({ ...progress(), ...change }));
  showProgress();
}

// A chapter is done when its reader says so, at its end.
const here = document.body.dataset.name, chapterNames = all(".chapters [data-chapter]").map(({ dataset }) => dataset.chapter);
const doneBox = make("input", { type: "checkbox", onchange: () => {
  const others = progress().done.filter((name) => name !== here);
  note({ done: doneBox.checked ? [...others, here] : others });
} });
document.querySelector(".after")?.prepend(make("label", { class: "done" }, doneBox, " I have worked through this notebook"));

function showProgress() {
  const { done, scores, answers } = progress();
  doneBox.checked = done.includes(here);
  for (const item of all("[data-chapter]")) {
    item.querySelector(".tick")?.remove();
    const tick = make("span", { class: "tick" }, " ✓", make("span", { class: "heard" }, " done"));
    if (done.includes(item.dataset.chapter)) item.querySelector("a").append(tick);
  }
  if (!tally) return;
  const score = (time) => (scores[time] ? `${scores[time].right} of ${scores[time].of} on ${scores[time].day}` : "not taken yet");
  const chapters = chapterNames.filter((name) => done.includes(name)).length, given = Object.keys(answers).length;
  tally.textContent = `${chapters} of ${chapterNames.length} notebooks done. Quiz at the beginning: ${score("beginning")}; `
    + `at the end: ${score("end")}; ${given} of its questions answered now.`;
}

const place = document.getElementById("progress"), tally = place && make("p", { role: "status" });
if (place) {
  const said = make("p", { role: "status" });
  const save = () => {
    const file = new Blob([JSON.stringify(progress(), null, 1)], { type: "application/json" });
    const link = make("a", { href: URL.createObjectURL(file), download: "stma_nb_progress.json" });
    link.click();
    URL.revokeObjectURL(link.href);
  };
  const chooser = make("input", { type: "file", accept: ".json,application/json", hidden: true, onchange: async () => {
    const [file] = chooser.files, found = file && understood(await file.text());
    chooser.value = "";
    if (!file) return;
    if (found) note(found);
    said.textContent = found ? `Read ${file.name}.`
      : `${file.name} holds no progress of this course: choose a file that "Save as a file" has written. Nothing was changed.`;
  } });
  const clear = () => {
    if (!confirm("Forget which notebooks and questions you have done, in this browser?")) return;
    keep(KEPT, null);
    showProgress();
    said.textContent = "Cleared.";
  };
  const read = button("Read a file", () => chooser.click());
  place.append(make("h2", {}, "Your progress"), tally,
    make("p", { class: "actions" }, button("Save as a file", save), read, button("Clear", clear), chooser),
    said, make("p", { class: "note" }, "It is kept in this browser alone; nothing is sent anywhere."));
}
addEventListener("storage", showProgress); // another tab has noted something
showProgress();
