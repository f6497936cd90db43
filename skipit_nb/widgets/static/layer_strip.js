// A grid of layers by kinds of tokens. Python holds the truth (`cells`); a gesture goes to it as one message.
const KEYS = { r: "run", a: "absent", f: "frozen", w: "whole", t: "attn", m: "mlp" };
const MOVES = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0],
  Home: [0, -Infinity], End: [0, Infinity] };
const OF_THE_LAYER = ["whole", "attn", "mlp"];
const HELP = "Click or drag; shift-click for a range. Keys: arrows, space, R run, A absent, F frozen, W whole, T attention, M MLP.";

function render({ model, el }) {
  el.classList.add("skipit");
  const root = make("div", "skipit-strip"), heat = make("div", "", { "aria-hidden": "true" });
  const signs = make("div", "", { "aria-hidden": "true" });  // the cells' descriptions say both in words
  const grid = make("div", "", { role: "grid", "aria-label": "Skip set: layers by tokens" });
  const area = make("div", "skipit-strip-area");
  area.append(heat, grid, signs);
  root.append(area, legendLine(), make("div", "skipit-strip-hint", {}, HELP));
  el.append(root);
  let rows = [], cells = {}, at = { row: 0, layer: 0 }, anchor = null, drag = null;

  const many = () => cells[rows[0]]?.length ?? 0;
  const within = (value, most) => Math.max(0, Math.min(most, value));
  const next = (row, layer) => {
    const cycle = model.get("cycles")[row];
    return cycle[(cycle.indexOf(model.get("cells")[row][layer]) + 1) % cycle.length];
  };
  const send = (row, layers, action, layer = at.layer) => {
    anchor = { row, layer, action };
    model.send({ row, layers, action });
  };

  const paintCell = (row, layer, action) => {
    const cell = cells[row][layer], note = model.get("notes")[layer] ?? "";
    cell.dataset.action = action;
    cell.firstChild.textContent = SIGNS[action];
    cell.setAttribute("aria-label", `layer ${layer}, ${HEADS[row]}: ${action}`);
    cell.title = `layer ${layer}, ${HEADS[row]}: ${action}${note ? `\n${note}` : ""}`;
    if (note) cell.setAttribute("aria-description", note); else cell.removeAttribute("aria-description");
  };
  const paint = () => {
    const truth = model.get("cells");
    if (Object.keys(truth).join() !== rows.join() || truth[rows[0]]?.length !== many()) build();
    rows.forEach(row => truth[row].forEach((action, layer) => paintCell(row, layer, action)));
    drag?.layers.forEach(layer => paintCell(drag.row, layer, drag.action));
  };
  const build = () => {
    rows = Object.keys(model.get("cells"));
    const count = model.get("cells")[rows[0]]?.length ?? 0, made = rows.map(row => cellLine(row, count));
    cells = Object.fromEntries(rows.map((row, i) => [row, made[i][1]]));
    grid.replaceChildren(numberLine(count), ...made.map(([row]) => row));
    [at, anchor, drag] = [{ row: 0, layer: 0 }, null, null];
    if (count) cells[rows[0]][0].tabIndex = 0;
  };
  const paintBars = () => heat.replaceChildren(...model.get("heat").map(barLine));
  const paintMarks = () => signs.replaceChildren(...model.get("marks").length ? [markLine(model.get("marks"))] : []);

  const enter = (row, layer) => {  // the one cell that Tab stops at
    cells[rows[at.row]][at.layer].tabIndex = -1;
    at = { row: within(row, rows.length - 1), layer: within(layer, many() - 1) };
    const cell = cells[rows[at.row]][at.layer];
    cell.tabIndex = 0;
    return cell;
  };
  const focus = (row, layer) => enter(row, layer).focus();
  const hit = event => {
    const cell = event.target.closest?.("[role=gridcell]");
    return cell && { row: cell.parentElement.dataset.row, layer: Number(cell.dataset.layer) };
  };
  const under = event => {  // by place, not by element: a drag may leave its row
    const boxes = cells[drag.row].map(cell => cell.getBoundingClientRect());
    return within(boxes.filter(box => box.left <= event.clientX).length - 1, many() - 1);
  };
  const typed = key => {
    const action = KEYS[key], row = OF_THE_LAYER.includes(action) ? "layer" : rows[at.row];
    if (row !== "layer" || action === "run" || OF_THE_LAYER.includes(action)) send(row, [at.layer], action);
  };

  const listeners = {
    pointerdown: event => {
      const found = event.button === 0 && hit(event);
      if (!found) return;
      event.preventDefault();
      focus(rows.indexOf(found.row), found.layer);
      const { row, layer } = found;
      if (event.shiftKey && anchor?.row === row) return send(row, span(anchor.layer, layer), anchor.action, anchor.layer);
      drag = { row, from: layer, layers: [layer], action: next(row, layer) };
      root.setPointerCapture(event.pointerId);
      paint();
    },
    pointermove: event => {
      if (!drag) return;
      drag.layers = span(drag.from, under(event));
      paint();
    },
    pointerup: () => {
      if (!drag) return;
      const { row, layers, action, from } = drag;
      drag = null;
      send(row, layers, action, from);
    },
    focusin: event => {
      const found = hit(event);
      if (found) enter(rows.indexOf(found.row), found.layer);
    },
    pointercancel: () => { drag = null; paint(); },
    click: event => {  // a screen reader clicks without a pointer
      const found = event.detail === 0 && hit(event);
      if (found) send(found.row, [found.layer], next(found.row, found.layer), found.layer);
    },
    keydown: event => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.key === "Tab") return;
      event.stopPropagation();  // JupyterLab's cell shortcuts must not hear it
      const row = rows[at.row], from = at.layer, key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
      if (key in MOVES) {
        const [down, right] = MOVES[key], action = model.get("cells")[row][from];
        focus(at.row + down, at.layer + right);
        if (event.shiftKey && right) send(row, span(from, at.layer), model.get("cycles")[row].includes(action) ? action : "run");
      } else if (key === " " || key === "Enter") send(row, [from], next(row, from));
      else if (key === "Escape") listeners.pointercancel();
      else if (key in KEYS) typed(key);
      else return;
      event.preventDefault();
    },
  };

  Object.entries(listeners).forEach(([name, listener]) => root.addEventListener(name, listener));
  const watched = { "change:cells": paint, "change:revision": paint, "change:notes": paint,
    "change:heat": paintBars, "change:marks": paintMarks };
  Object.entries(watched).forEach(([name, listener]) => model.on(name, listener));
  [paint, paintBars, paintMarks].forEach(draw => draw());
  return () => Object.entries(watched).forEach(([name, listener]) => model.off(name, listener));
}

export default { render };
