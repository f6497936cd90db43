// A small table of text; with a label it is folded away under it.
function render({ model, el }) {
  el.classList.add("skipit");
  const watcher = new ResizeObserver(([{ target }]) => {  // what scrolls must be reached by keyboard
    if (target.scrollWidth > target.clientWidth) target.tabIndex = 0; else target.removeAttribute("tabindex");
  });
  let isOpen = false;
  const folded = box => {
    const made = document.createElement("details"), head = document.createElement("summary");
    made.className = "skipit-folded";
    made.open = isOpen;
    head.textContent = model.get("label");
    made.append(head, box);
    made.addEventListener("keydown", event => {  // JupyterLab's cell shortcuts must not hear it
      if (!event.ctrlKey && !event.metaKey && !event.altKey && event.key !== "Tab") event.stopPropagation();
    });
    return made;
  };
  const paint = () => {
    const words = new Set([0, ...model.get("words")]);
    const cell = (text, column, tag, scope) => {
      const made = document.createElement(tag);
      made.textContent = text;
      if (scope) made.scope = scope;
      if (words.has(column)) made.className = "skipit-word";
      return made;
    };
    const line = (texts, tag, scope) => {
      const made = document.createElement("tr");
      made.append(...texts.map((text, i) => (scope || i ? cell(text, i, tag, scope) : cell(text, i, "th", "row"))));
      return made;
    };
    const bars = model.get("bars") ?? [];
    const pair = lengths => {  // A above B; the numbers stand beside them
      const made = document.createElement("td");
      made.className = "skipit-table-bars";
      made.append(...lengths.map((length, arm) => {
        const bar = document.createElement("div");
        bar.className = arm ? "skipit-table-b" : "skipit-table-a";
        bar.style.width = `${Math.max(0, Math.min(100, 100 * length))}%`;
        return bar;
      }));
      return made;
    };
    watcher.disconnect();
    isOpen = el.querySelector("details")?.open ?? isOpen;  // its toggle event comes late
    const isAtHead = Boolean(el.querySelector("summary:focus"));
    el.replaceChildren();
    if (!model.get("rows").length) return;
    const box = document.createElement("div"), table = document.createElement("table");
    box.className = "skipit-table";
    if (model.get("caption")) table.createCaption().textContent = model.get("caption");
    table.createTHead().append(line(model.get("columns"), "th", "col"));
    table.createTBody().append(...model.get("rows").map(texts => line(texts, "td")));
    if (bars.length) {
      table.tHead.rows[0].cells[0].after(cell("A above B", -1, "th", "col"));
      [...table.tBodies[0].rows].forEach((row, at) => row.cells[0].after(pair(bars[at] ?? [])));
    }
    box.append(table);
    el.append(model.get("label") ? folded(box) : box);
    watcher.observe(box);
    if (isAtHead) el.querySelector("summary")?.focus({ preventScroll: true });
  };
  const names = ["label", "caption", "columns", "rows", "words", "bars"].map(name => `change:${name}`);
  names.forEach(name => model.on(name, paint));
  paint();
  return () => {
    watcher.disconnect();
    names.forEach(name => model.off(name, paint));
  };
}

export default { render };
