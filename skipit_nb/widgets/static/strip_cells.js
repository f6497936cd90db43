// The cells of the strip: what Python says of them, and what a gesture has made of them until Python answers.
const stripCells = (model, grid) => {
  let rows = [], lines = {}, cells = {}, shown = {}, painted = new Map();
  const truth = () => model.get("cells");
  const count = () => cells[rows[0]]?.length ?? 0;
  const each = draw => rows.forEach(row => cells[row].forEach((_, layer) => draw(row, layer)));

  const paintCell = (row, layer) => {
    const cell = cells[row][layer], action = shown[row][layer], note = model.get("notes")[layer] ?? "";
    const measured = model.get("behind")[row], value = measured ? `${measured.label} ${measured.texts[layer]}` : "";
    const isPending = action !== truth()[row][layer], look = [action, note, value, isPending].join("\n");
    if (painted.get(cell) === look) return;
    painted.set(cell, look);
    const name = `layer ${layer}, ${HEADS[row]}: ${action}`, said = [value, note].filter(Boolean);
    cell.dataset.action = action;
    cell.toggleAttribute("data-pending", isPending);
    cell.lastChild.textContent = SIGNS[action];
    cell.setAttribute("aria-label", name);
    cell.title = [name, ...said].join("\n");
    if (said.length) cell.setAttribute("aria-description", said.join(". ")); else cell.removeAttribute("aria-description");
  };
  const build = () => {
    rows = Object.keys(truth());
    const layers = truth()[rows[0]]?.length ?? 0, made = rows.map(row => cellLine(row, layers));
    lines = Object.fromEntries(rows.map((row, i) => [row, made[i][0]]));
    cells = Object.fromEntries(rows.map((row, i) => [row, made[i][1]]));
    painted = new Map();
    grid.replaceChildren(numberLine(layers), ...made.map(([row]) => row));
  };

  return {
    get rows() { return rows; },
    get count() { return count(); },
    of: row => cells[row],
    action: (row, layer) => shown[row][layer],
    isOutgrown: () => Object.keys(truth()).join() !== rows.join() || truth()[rows[0]]?.length !== count(),
    build,
    paint: () => each(paintCell),
    paintBars: () => rows.forEach(row => measureLine(lines[row], cells[row], model.get("behind")[row])),
    forget: () => { shown = Object.fromEntries(rows.map(row => [row, [...truth()[row]]])); },
    apply: ({ row, layers, action }) => layers.forEach(layer => {  // what Python will say, as far as a page can know
      if (shown[row][layer] === "whole") rows.forEach(other => { shown[other][layer] = "run"; });
      (row === "layer" ? rows : [row]).forEach(other => { shown[other][layer] = action; });
    }),
  };
};
