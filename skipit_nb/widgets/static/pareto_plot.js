// Accuracy against FLOPs, a point a skip set. Click or keys choose one; the button or Enter sends it to Python.
const FRAME = { left: 52, right: 16, top: 24, bottom: 36, height: 250 };
const MOVES = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, Home: -1e9, End: 1e9 };
const DISC = "M-4.5,0a4.5,4.5 0 1,0 9,0a4.5,4.5 0 1,0 -9,0", DIAMOND = "M0,-6.5L6,0L0,6.5L-6,0z";
const percent = value => `${+(100 * value).toPrecision(3)} %`;
let paretos = 0;

function render({ model, el }) {
  el.classList.add("skipit");
  const prefix = `skipit-pareto-${paretos += 1}-${Math.random().toString(36).slice(2, 8)}`;
  const root = made(el, "div", "skipit-pareto"), title = made(root, "div", "skipit-pareto-title");
  const list = made(root, "div", "skipit-pareto-stage", { role: "listbox", tabindex: 0 });
  const svg = drawn(list, "svg", { role: "presentation" });
  const foot = made(root, "div", "skipit-pareto-foot"), readout = made(foot, "div", "skipit-pareto-readout", { role: "status" });
  const take = made(foot, "button", "skipit-button", { type: "button" }), note = made(root, "div", "skipit-pareto-note");
  take.textContent = "Take as B";
  let chosen = -1, width = 0, marks = [];

  const choose = at => {
    const points = model.get("points");
    chosen = at === null || !points.length ? -1 : clamp(at, 0, points.length - 1);
    marks.forEach((mark, i) => {
      mark.setAttribute("aria-selected", String(i === chosen));
      mark.classList.toggle("skipit-pareto-chosen", i === chosen);
    });
    const point = points[chosen];
    take.hidden = !point;
    take.disabled = point?.name === model.get("taken");
    readout.textContent = point ? `${point.name}: ${point.words}` : "Click a point, or use the arrow keys.";
    if (point) list.setAttribute("aria-activedescendant", `${prefix}-${chosen}`); else list.removeAttribute("aria-activedescendant");
  };
  const axes = (back, { x, y, lowest, highest, least }) => {
    const right = width - FRAME.right, bottom = FRAME.height - FRAME.bottom, step = niceStep(highest - lowest, 5);
    for (let at = Math.ceil(lowest / step - 1e-9) * step; at <= highest + 1e-9; at += step) {
      drawn(back, "path", { d: `M${FRAME.left},${y(at)}H${right}`, class: "skipit-pareto-grid" });
      drawn(back, "text", { x: FRAME.left - 6, y: y(at) + 4, "text-anchor": "end" }, percent(at));
    }
    const every = niceStep(1.02 - least, Math.max(2, (right - FRAME.left) / 70));
    for (let at = Math.ceil(least / every - 1e-9) * every; at <= 1 + 1e-9; at += every)
      drawn(back, "text", { x: x(at), y: bottom + 16, "text-anchor": "middle" }, percent(at));
    drawn(back, "text", { x: right, y: FRAME.height - 4, "text-anchor": "end" }, "FLOPs of the full model (left = cheaper)");
    drawn(back, "text", { x: 0, y: FRAME.height - 4 }, "↑ accuracy");
    drawn(back, "path", { d: `M${FRAME.left},${y(model.get("baseline"))}H${right}`, class: "skipit-pareto-full" });
    drawn(back, "text", { x: FRAME.left + 4, y: y(model.get("baseline")) - 5 }, `full model ${percent(model.get("baseline"))}`);
  };
  const draw = () => {
    const points = model.get("points"), base = model.get("baseline"), before = chosen;
    el.classList.toggle("skipit-gone", !points.length);
    svg.replaceChildren();
    if (!points.length) return;
    width = Math.max(240, list.clientWidth || 520);
    svg.setAttribute("viewBox", `0 0 ${width} ${FRAME.height}`);
    title.textContent = model.get("title");
    note.textContent = model.get("note");
    list.setAttribute("aria-label", `${model.get("title")}: accuracy against FLOPs`);
    const low = Math.min(base, ...points.map(one => one.accuracy)), high = Math.max(base, ...points.map(one => one.high));
    const room = Math.max(0.02, high - low) * 0.08, lowest = Math.max(0, low - room), highest = Math.min(1, high + room);
    const least = Math.max(0, Math.min(...points.map(one => one.flops)) - 0.03), bottom = FRAME.height - FRAME.bottom;
    const x = share => FRAME.left + (width - FRAME.left - FRAME.right) * ((share - least) / (1.02 - least));
    const y = value => bottom - (bottom - FRAME.top) * clamp((value - lowest) / (highest - lowest), 0, 1);
    const back = drawn(svg, "g", { "aria-hidden": "true" });
    axes(back, { x, y, lowest, highest, least });
    const steps = points.filter(one => one.front).map(one => `${x(one.flops)},${y(one.accuracy)}`);
    if (steps.length > 1) drawn(back, "path", { d: `M${steps.join("L")}`, class: "skipit-pareto-front" });
    marks = points.map((one, at) => {
      const look = `skipit-pareto-point${one.front ? " skipit-pareto-best" : ""}${one.name === model.get("taken") ? " skipit-pareto-b" : ""}`;
      const mark = drawn(svg, "g", { class: look, role: "option", id: `${prefix}-${at}`, "aria-label": `${one.name}: ${one.words}${one.front ? ", on the front" : ""}` });
      drawn(mark, "path", { d: `M${x(one.flops)},${y(one.high)}V${y(one.low)}`, class: "skipit-pareto-bar" });
      drawn(mark, "path", { d: one.front ? DIAMOND : DISC, transform: `translate(${x(one.flops)},${y(one.accuracy)})` });
      if (one.name === model.get("taken")) drawn(mark, "text", { x: x(one.flops) + 9, y: y(one.accuracy) + 4 }, "B");
      mark.addEventListener("click", () => choose(at));
      return mark;
    });
    const b = points.findIndex(one => one.name === model.get("taken")), here = before < 0 ? b : before;
    choose(here < 0 ? null : here);
  };
  const send = () => { if (chosen >= 0 && !take.disabled) model.send({ take: chosen }); };
  take.addEventListener("click", send);
  root.addEventListener("keydown", event => {  // JupyterLab's cell shortcuts must not hear it
    if (event.ctrlKey || event.metaKey || event.altKey || event.key === "Tab") return;
    event.stopPropagation();
    if (event.target !== list) return;
    if (event.key in MOVES) choose((chosen < 0 ? (MOVES[event.key] > 0 ? -1 : 1) : chosen) + MOVES[event.key]);
    else if (event.key === "Enter" || event.key === " ") send();
    else return;
    event.preventDefault();
  });

  const fresh = () => { chosen = -1; soon(); };
  let waiting = 0;
  const soon = () => { waiting ||= requestAnimationFrame(() => { waiting = 0; draw(); }); };
  const names = ["baseline", "taken", "title", "note"].map(name => `change:${name}`);
  names.forEach(name => model.on(name, soon));
  model.on("change:points", fresh);
  draw();
  const resized = new ResizeObserver(() => { if (list.clientWidth && list.clientWidth !== width) soon(); });
  resized.observe(list);
  return () => {
    resized.disconnect();
    cancelAnimationFrame(waiting);
    names.forEach(name => model.off(name, soon));
    model.off("change:points", fresh);
  };
}

export default { render };
