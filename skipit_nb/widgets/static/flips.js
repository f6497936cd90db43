// The questions that A and B answer differently. Everything a model or a data set wrote is text here.
const FILTERS = { any: "all flips", worse: "worse", better: "better", changed: "other words" };
const SAYS = { worse: "A was right, B is wrong", better: "A was wrong, B is right", changed: "scored the same" };
const SIGN = { worse: "▼ worse", better: "▲ better", changed: "= other words" };

const made = (tag, name, text = "") => {
  const element = document.createElement(tag);
  element.className = name;
  element.textContent = text;
  return element;
};

function card(item) {
  const box = made("li", `skipit-flip skipit-flip-${item.change}`);
  const words = made("div", "skipit-flip-words"), answers = made("dl", "");
  if (item.image.startsWith("data:image/png;base64,")) {
    const image = made("img", "");
    image.src = item.image;
    image.alt = `image of: ${item.question}`;
    box.append(image);
  }
  const sign = made("div", "skipit-flip-sign", SIGN[item.change]);
  sign.title = SAYS[item.change];
  sign.append(made("span", "skipit-flip-kind", item.kind));
  [["right", item.target], ["A", item.a], ["B", item.b]].forEach(([name, text]) => {
    answers.append(made("dt", "", name), made("dd", "", text || "(nothing)"));
  });
  words.append(sign, made("div", "skipit-flip-question", item.question), answers);
  box.append(words);
  return box;
}

function render({ model, el }) {
  el.classList.add("skipit");
  const head = made("div", "skipit-flips-head"), list = made("ul", "skipit-flips"), more = made("div", "skipit-flips-more");
  head.setAttribute("role", "group");
  list.tabIndex = 0;  // it scrolls, so a keyboard must get there
  list.setAttribute("aria-label", "Questions that A and B answer differently");
  head.setAttribute("aria-label", "Which flips to show");
  const buttons = Object.fromEntries(Object.keys(FILTERS).map(name => {
    const button = made("button", "skipit-chip");
    button.type = "button";
    button.addEventListener("click", () => model.send({ filter: name }));
    head.append(button);
    return [name, button];
  }));
  [head, list].forEach(part => part.addEventListener("keydown", event => {  // JupyterLab's cell shortcuts must not hear it
    if (!event.ctrlKey && !event.metaKey && !event.altKey && event.key !== "Tab") event.stopPropagation();
  }));
  el.append(head, list, more);

  const paint = () => {
    const counts = model.get("counts"), items = model.get("items"), chosen = model.get("chosen");
    const isEmpty = Object.keys(counts).length === 0;
    el.classList.toggle("skipit-gone", isEmpty);
    Object.entries(buttons).forEach(([name, button]) => {
      button.textContent = `${FILTERS[name]} (${(counts[name] ?? 0).toLocaleString("en")})`;
      button.setAttribute("aria-pressed", String(name === chosen));
    });
    list.replaceChildren(...items.map(card));
    const all = counts[chosen] ?? 0;
    more.textContent = all === 0 ? "No question." : items.length < all ? `The first ${items.length} of ${all.toLocaleString("en")}.` : "";
  };
  const names = ["items", "counts", "chosen"].map(name => `change:${name}`);
  names.forEach(name => model.on(name, paint));
  paint();
  return () => names.forEach(name => model.off(name, paint));
}

export default { render };
