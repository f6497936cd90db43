// Tables of text under one line that opens them.
function render({ model, el }) {
  el.classList.add("skipit");
  const box = document.createElement("details"), head = document.createElement("summary");
  box.className = "skipit-values";
  box.append(head);
  el.append(box);
  const cell = (text, tag, scope) => {
    const made = Object.assign(document.createElement(tag), { textContent: text });
    if (scope) made.scope = scope;
    return made;
  };
  const tableOf = ({ caption, columns, rows }) => {
    const scroll = document.createElement("div"), table = document.createElement("table");
    scroll.className = "skipit-table";
    Object.assign(scroll, { tabIndex: 0, role: "region" });  // what scrolls must be reached by keyboard
    scroll.setAttribute("aria-label", caption);
    table.createCaption().textContent = caption;
    table.createTHead().insertRow().append(...columns.map(text => cell(text, "th", "col")));
    const body = table.createTBody();
    rows.forEach(([name, ...texts]) => body.insertRow().append(cell(name, "th", "row"), ...texts.map(text => cell(text, "td"))));
    scroll.append(table);
    return scroll;
  };
  const paint = () => {  // a closed table costs nothing
    head.textContent = model.get("label");
    const before = [...box.children].slice(1), focused = before.findIndex(one => one.matches(":focus"));
    before.forEach(one => one.remove());
    if (box.open) box.append(...model.get("tables").map(tableOf));
    if (focused >= 0) box.children[focused + 1]?.focus({ preventScroll: true });
  };
  box.addEventListener("toggle", paint);
  box.addEventListener("keydown", event => {  // JupyterLab's cell shortcuts must not hear it
    if (!event.ctrlKey && !event.metaKey && !event.altKey && event.key !== "Tab") event.stopPropagation();
  });
  const names = ["change:tables", "change:label"];
  names.forEach(name => model.on(name, paint));
  paint();
  return () => names.forEach(name => model.off(name, paint));
}

export default { render };
