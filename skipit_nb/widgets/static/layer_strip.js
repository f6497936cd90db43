// A grid of layers by kinds of tokens. Python holds the truth (`cells`); a gesture goes to it as one message, and is
// shown at once, marked as not yet confirmed.
function render({ model, el }) {
  el.classList.add("skipit");
  const root = make("div", "skipit-strip"), signs = make("div", "", { "aria-hidden": "true" });
  const grid = make("div", "", { role: "grid", "aria-label": "Skip set: layers by tokens" });
  const area = make("div", "skipit-strip-area"), reason = make("div", "skipit-strip-reason", { "aria-hidden": "true" });
  area.append(grid, signs);  // the cells' descriptions say in words what signs and bars show
  root.append(area, reason, legendLine(), make("div", "skipit-strip-hint", {}, HELP));
  el.append(root);
  const cells = stripCells(model, grid);
  const me = Math.random().toString(36).slice(2);
  let at = { row: 0, layer: 0 }, anchor = null, drag = null, sent = 0, pending = [];

  const within = (value, most) => Math.max(0, Math.min(most, value));
  const next = (row, layer) => {
    const cycle = model.get("cycles")[row];
    return cycle[(cycle.indexOf(cells.action(row, layer)) + 1) % cycle.length];
  };
  const explain = layer => {
    const note = model.get("notes")[layer];
    reason.textContent = note ? `layer ${layer}: ${note}` : "";
  };

  const draw = () => {  // the truth, what was sent and is not answered yet, and the drag that goes on
    cells.forget();
    [...pending, ...drag ? [drag] : []].forEach(cells.apply);
    cells.paint();
  };
  const heard = () => {  // Python answers in order; another view of the same strip has gestures of its own
    const answered = pending.findIndex(gesture => gesture.id === model.get("answered"));
    pending = pending.slice(answered + 1);
    draw();
  };
  const repaint = () => {
    if (cells.isOutgrown()) {
      cells.build();
      root.style.setProperty("--layers", cells.count);
      [at, anchor, drag, pending] = [{ row: 0, layer: 0 }, null, null, []];
      if (cells.count) cells.of(cells.rows[0])[0].tabIndex = 0;
      cells.paintBars();
    }
    draw();
  };
  const remeasure = () => { cells.paintBars(); cells.paint(); };
  const resign = () => signs.replaceChildren(...model.get("marks").length ? [markLine(model.get("marks"))] : []);
  const renote = () => { cells.paint(); explain(at.layer); };

  const send = (row, layers, action, layer = at.layer) => {
    anchor = { row, layer, action };
    const gesture = { row, layers, action, id: `${me}-${sent += 1}` };
    pending.push(gesture);
    draw();
    model.send(gesture);
  };
  const enter = (row, layer) => {  // the one cell that Tab stops at
    cells.of(cells.rows[at.row])[at.layer].tabIndex = -1;
    at = { row: within(row, cells.rows.length - 1), layer: within(layer, cells.count - 1) };
    const cell = cells.of(cells.rows[at.row])[at.layer];
    cell.tabIndex = 0;
    explain(at.layer);
    return cell;
  };
  const focus = (row, layer) => enter(row, layer).focus();
  const hit = event => {
    const cell = event.target.closest?.("[role=gridcell]");
    return cell && { row: cell.parentElement.dataset.row, layer: Number(cell.dataset.layer) };
  };
  const under = event => {  // by place, not by element: a drag may leave its row
    const boxes = cells.of(drag.row).map(cell => cell.getBoundingClientRect());
    return within(boxes.filter(box => box.left <= event.clientX).length - 1, cells.count - 1);
  };
  const typed = (action, row, from) => {
    if (OF_THE_LAYER.includes(action)) send("layer", [from], action);
    else if (row !== "layer" || action === "run") send(row, [from], action);
  };
  const moved = (event, row, from) => {
    const [down, right] = MOVES[event.key], action = cells.action(row, from);
    focus(at.row + down, at.layer + right);
    if (event.shiftKey && right) send(row, span(from, at.layer), model.get("cycles")[row].includes(action) ? action : "run");
  };

  const giveUp = () => {
    if (!drag) return;
    drag = null;
    draw();
  };

  const listeners = {
    pointerdown: event => {
      const found = event.button === 0 && hit(event);
      if (!found) return;
      event.preventDefault();
      focus(cells.rows.indexOf(found.row), found.layer);
      const { row, layer } = found;
      if (event.shiftKey && anchor?.row === row) return send(row, span(anchor.layer, layer), anchor.action, anchor.layer);
      drag = { row, from: layer, layers: [layer], action: next(row, layer) };
      root.setPointerCapture(event.pointerId);
      draw();
    },
    pointermove: event => {
      if (!drag) return;
      if (event.buttons === 0) return giveUp();  // released where nobody heard it
      drag.layers = span(drag.from, under(event));
      draw();
    },
    pointerup: () => {
      if (!drag) return;
      const { row, layers, action, from } = drag;
      drag = null;
      send(row, layers, action, from);
    },
    pointercancel: giveUp,
    lostpointercapture: giveUp,
    pointerover: event => explain(event.target.closest?.("[data-layer]")?.dataset.layer ?? at.layer),
    focusin: event => {
      const found = hit(event);
      if (found) enter(cells.rows.indexOf(found.row), found.layer);
    },
    click: event => {  // a screen reader clicks without a pointer
      const found = event.detail === 0 && hit(event);
      if (found) send(found.row, [found.layer], next(found.row, found.layer), found.layer);
    },
    keydown: event => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.key === "Tab") return;
      event.stopPropagation();  // JupyterLab's cell shortcuts must not hear it
      const row = cells.rows[at.row], from = at.layer, key = keyOf(event);
      if (key in MOVES) moved(event, row, from);
      else if (key === " " || key === "Enter") send(row, [from], next(row, from));
      else if (key === "Escape") giveUp();
      else if (key in KEYS) typed(KEYS[key], row, from);
      else return;
      event.preventDefault();
    },
  };

  Object.entries(listeners).forEach(([name, listener]) => root.addEventListener(name, listener));
  const ignoreUndo = listenForUndo(root, way => model.send({ travel: way }));
  const watched = { "change:cells": repaint, "change:answered": heard, "change:behind": remeasure,
    "change:notes": renote, "change:marks": resign };
  Object.entries(watched).forEach(([name, listener]) => model.on(name, listener));
  [repaint, resign, renote].forEach(paint => paint());
  return () => {
    ignoreUndo();
    Object.entries(watched).forEach(([name, listener]) => model.off(name, listener));
  };
}

export default { render };
