// The quiz: at the beginning of the course only its score is told, at the end each question answers at once.

const quiz = document.querySelector(".quiz");
if (quiz) {
  const fields = all("[data-question]", quiz).map((field) => {
    const verdict = make("p", { class: "verdict", role: "status" });
    field.querySelector("details").before(verdict);
    return { field, verdict, number: field.dataset.question, why: field.querySelector("details") };
  });
  const chosen = ({ field }) => field.querySelector("input:checked");
  const isRight = (question) => chosen(question)?.hasAttribute("data-right") ?? false;
  const times = make("select", { "aria-label": "When do you take the quiz?", onchange: () => show() },
    make("option", { value: "beginning" }, "at the beginning of the course: the score only"),
    make("option", { value: "end" }, "at the end, or to practise: every question answers at once"));
  const total = make("p", { class: "verdict", role: "status" });
  const answer = (question) => {
    const mine = chosen(question), reason = mine && question.why.querySelector(`[data-choice="${mine.value}"] span`).textContent;
    question.verdict.textContent = mine ? `${isRight(question) ? "Right." : "Not quite."} ${reason}` : "";
    question.field.dataset.state = !mine ? "" : isRight(question) ? "right" : "wrong";
  };
  /** What is told of each question, by when the quiz is taken. */
  const show = () => {
    const atEnd = times.value === "end";
    for (const question of fields) {
      question.why.hidden = !(atEnd && chosen(question));
      if (atEnd) answer(question);
      else {
        question.verdict.textContent = "";
        delete question.field.dataset.state;
      }
    }
  };
  const score = () => {
    const given = fields.filter(chosen).length, right = fields.filter(isRight).length, when = times.value;
    if (given < fields.length) {
      total.textContent = `${given} of ${fields.length} questions have an answer. Choose one for each, then it is scored.`;
      fields.find((question) => !chosen(question)).field.querySelector("input").focus();
      return;
    }
    const score = { right, of: fields.length, day: new Date().toISOString().slice(0, 10) };
    const { scores } = progress(), other = scores[when === "end" ? "beginning" : "end"];
    note({ scores: { ...scores, [when]: score } });
    total.textContent = `${right} of ${fields.length} right; kept as your score at the ${when}.`
      + (other ? ` At the ${when === "end" ? "beginning" : "end"} it was ${other.right}.` : "");
  };
  const again = () => {
    quiz.reset();
    note({ answers: {} });
    times.value = "end"; // `reset` has put it back
    show();
    total.textContent = "";
  };
  for (const question of fields) {
    const given = progress().answers[question.number];
    for (const input of all("input", question.field)) input.checked = input.value === given;
    question.field.addEventListener("change", () => {
      note({ answers: { ...progress().answers, [question.number]: chosen(question).value } });
      show();
    });
  }
  times.value = progress().scores.beginning ? "end" : "beginning";
  quiz.prepend(make("label", { class: "when" }, "I take it ", times));
  quiz.append(make("p", { class: "actions" }, button("Score", score), button("Take all answers back", again)), total);
  show();
}
