// A tile a quantity: the effect in large figures, A and B as bars with their values, and how sure it is.
function render({ model, el }) {
  el.classList.add("skipit");
  const made = (tag, name, ...inside) => {
    const element = document.createElement(tag);
    element.className = name;
    element.append(...inside);
    return element;
  };
  const arm = (name, length, text) => {
    const bar = made("i", "skipit-score-bar");
    bar.style.width = `${Math.max(0, Math.min(100, 100 * (length ?? 0)))}%`;
    return made("div", `skipit-score-arm skipit-score-${name.toLowerCase()}`,
      made("span", "skipit-score-name", name), made("span", "skipit-score-track", bar), made("span", "skipit-score-value", text));
  };
  const tile = ({ name, effect, note, a, b, lengths }) => made("li", "skipit-score",
    made("div", "skipit-score-quantity", name), made("div", "skipit-score-effect", effect),
    arm("A", lengths[0], a), arm("B", lengths[1], b), made("div", "skipit-score-note", note));
  const paint = () => {
    el.replaceChildren();
    if (!model.get("tiles").length) return;
    const list = made("ul", "skipit-scoreboard", ...model.get("tiles").map(tile));
    list.setAttribute("aria-label", "What B changes");
    el.append(list);
  };
  model.on("change:tiles", paint);
  paint();
  return () => model.off("change:tiles", paint);
}

export default { render };
