// The questions that A and B answer differently. Everything a model or a data set wrote is text here.
const FILTERS = { any: "all flips", worse: "worse", better: "better", changed: "other words" };
const SAYS = { worse: "A was right, B is wrong", better: "A was wrong, B is right", changed: "scored the same", same: "the same answer" };
const SIGN = { worse: "▼ worse", better: "▲ better", changed: "= other words", same: "= same" };

const made = (tag, name, text = "") => {
  const element = document.createElement(tag);
  element.className = name;
  element.textContent = text;
  return element;
};

function button(text, press) {
  const element = made("button", "skipit-chip", text);
  element.type = "button";
  element.addEventListener("click", press);
  return element;
}

function card(item, tag, isPinned, send) {
  const box = made(tag, `skipit-flip skipit-flip-${item.change}`);
  const words = made("div", "skipit-flip-words"), answers = made("dl", "");
  if (item.image.startsWith("data:image/png;base64,")) {
    const image = made("img", "");
    image.src = item.image;
    image.alt = `image of: ${item.question}`;
    box.append(image);
  }
  const sign = made("div", "skipit-flip-sign", SIGN[item.change]), pin = button(isPinned ? "Unpin" : "Pin", () => send({ pinned: isPinned ? "" : item.key }));
  sign.title = SAYS[item.change];
  pin.setAttribute("aria-label", `${isPinned ? "Unpin" : "Pin"}: ${item.question}`);
  pin.classList.add("skipit-flip-pin");
  pin.dataset.key = item.key;
  sign.append(made("span", "skipit-flip-kind", item.kind), pin);
  const earlier = (item.earlier ?? []).map(([skipset, text]) => [`B was ${skipset}`, text]);
  [["right", item.target], ["A", item.a], ["B", item.b], ...earlier].forEach(([name, text]) => {
    answers.append(made("dt", "", name), made("dd", "", text || "(nothing)"));
  });
  words.append(sign, made("div", "skipit-flip-question", item.question), answers);
  box.append(words);
  return box;
}

function render({ model, el }) {
  el.classList.add("skipit");
  const head = made("div", "skipit-flips-head"), reference = made("div", "skipit-flips-pinned"), list = made("ul", "skipit-flips");
  const foot = made("div", "skipit-flips-more"), place = made("span", "");
  const send = content => model.send(content);
  head.setAttribute("role", "group");
  reference.setAttribute("role", "group");
  reference.setAttribute("aria-label", "Pinned question");
  list.tabIndex = 0;  // it scrolls, so a keyboard must get there
  list.setAttribute("aria-label", "Questions that A and B answer differently");
  head.setAttribute("aria-label", "Which flips to show");
  const buttons = Object.fromEntries(Object.keys(FILTERS).map(name => [name, button("", () => send({ flips: name }))]));
  const label = made("label", "skipit-flips-kind", "of type "), select = made("select", "skipit-input");
  select.addEventListener("change", () => send({ kind: select.value }));
  label.append(select);
  head.append(...Object.values(buttons), label);
  const back = button("‹ Earlier", () => send({ page: model.get("page") - 1 })), on = button("Later ›", () => send({ page: model.get("page") + 1 }));
  foot.append(back, on, place);
  place.setAttribute("role", "status");
  el.addEventListener("keydown", event => {  // JupyterLab's cell shortcuts must not hear it
    if (!event.ctrlKey && !event.metaKey && !event.altKey && event.key !== "Tab") event.stopPropagation();
  });
  el.append(head, reference, list, foot);

  const paint = () => {
    const counts = model.get("counts"), items = model.get("items"), chosen = model.get("chosen"), pinned = model.get("pinned");
    el.classList.toggle("skipit-gone", Object.keys(counts).length === 0);
    Object.entries(buttons).forEach(([name, one]) => {
      one.textContent = `${FILTERS[name]} (${(counts[name] ?? 0).toLocaleString("en")})`;
      one.setAttribute("aria-pressed", String(name === chosen));
    });
    const kinds = ["", ...model.get("kinds")];
    if (kinds.join("\n") !== [...select.options].map(one => one.value).join("\n"))
      select.replaceChildren(...kinds.map(kind => { const one = made("option", "", kind || "any"); one.value = kind; return one; }));
    select.value = model.get("kind");
    const held = document.activeElement?.dataset?.key;
    reference.hidden = !pinned.key;
    reference.replaceChildren(...(pinned.key ? [card(pinned, "div", true, send)] : []));
    list.replaceChildren(...items.map(item => card(item, "li", false, send)));
    if (held && !el.contains(document.activeElement)) [...el.querySelectorAll(".skipit-flip-pin")].find(one => one.dataset.key === held)?.focus();
    const all = counts[chosen] ?? 0, page = model.get("page"), pages = model.get("pages"), first = model.get("first");
    back.hidden = on.hidden = pages < 2;
    back.disabled = page === 0;
    on.disabled = page >= pages - 1;
    place.textContent = all === 0 ? "No question." : pages > 1 ? `${first + 1} to ${first + items.length} of ${all.toLocaleString("en")}` : "";
  };
  const names = ["items", "counts", "chosen", "pinned", "kinds", "kind", "page", "pages", "first"].map(name => `change:${name}`);
  let waiting = 0;
  const soon = () => { waiting ||= requestAnimationFrame(() => { waiting = 0; paint(); }); };  // several traits, one drawing
  names.forEach(name => model.on(name, soon));
  paint();
  return () => {
    cancelAnimationFrame(waiting);
    names.forEach(name => model.off(name, soon));
  };
}

export default { render };
