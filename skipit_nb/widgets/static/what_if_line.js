// One question, its image, and two answers with their probabilities as bars. All of it is text and numbers.
function render({ model, el }) {
  el.classList.add("skipit");
  const made = (tag, name, attributes = {}) => {
    const element = document.createElement(tag);
    element.className = name;
    Object.entries(attributes).forEach(([key, value]) => element.setAttribute(key, value));
    return element;
  };
  const root = made("div", "skipit-whatif"), image = made("img", "skipit-whatif-image"), body = made("div", "skipit-whatif-body");
  const question = made("div", "skipit-whatif-question"), right = made("div", "skipit-whatif-right");
  const answers = made("dl", "skipit-whatif-answers"), message = made("div", "skipit-whatif-message", { role: "status" });
  const waiting = made("div", "skipit-whatif-waiting", { "aria-hidden": "true" });  // `aria-busy` says it
  waiting.textContent = "asking …";
  body.append(question, right, waiting);
  root.append(image, body, answers, message);
  el.append(root);

  const line = ({ head, text, share, note }) => {
    const row = made("div", "skipit-whatif-answer"), name = made("dt", ""), said = made("dd", "skipit-whatif-said");
    const bar = made("dd", "skipit-whatif-bar", { "aria-hidden": "true" }), level = made("i", ""), sure = made("dd", "skipit-whatif-sure");
    name.textContent = head;
    said.textContent = text;
    sure.textContent = note;
    level.style.width = `${100 * Math.max(0, Math.min(1, share))}%`;
    bar.append(level);
    row.append(name, said, bar, sure);
    return row;
  };
  const paint = () => {
    const phase = model.get("phase"), address = model.get("image"), texts = model.get("answers").map(answer => answer.text);
    root.dataset.phase = phase;
    root.setAttribute("aria-busy", String(phase === "asking"));
    image.hidden = !address.startsWith("data:image/");
    if (!image.hidden && image.src !== address) image.src = address;
    image.alt = model.get("alt");
    question.textContent = model.get("question");
    right.textContent = model.get("right") ? `right answer: ${model.get("right")}` : "";
    answers.replaceChildren(...model.get("answers").map(line));
    answers.classList.toggle("skipit-whatif-changed", new Set(texts).size > 1);
    answers.hidden = !texts.length || phase === "failed";  // the last answers are of another skip set
    message.textContent = model.get("message");
  };
  const names = ["image", "alt", "question", "right", "answers", "message", "phase"].map(name => `change:${name}`);
  names.forEach(name => model.on(name, paint));
  paint();
  return () => names.forEach(name => model.off(name, paint));
}

export default { render };
