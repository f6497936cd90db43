// A value per layer, in several series. Click, drag or arrow keys choose a layer; Python hears of it once a gesture.
const DATA = ["title", "y_title", "series", "skipped", "num_layers", "scale", "top", "height", "empty"];
const STEPS = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -5, PageUp: 5, Home: -1e9, End: 1e9 };

function render({ model, el }) {
  el.classList.add("skipit");
  const root = made(el, "div", "skipit-plot"), head = made(root, "div", "skipit-plot-head");
  const title = made(head, "span", "skipit-plot-title"), place = made(head, "span", "skipit-plot-place");
  const legend = made(root, "div", "skipit-plot-legend"), slider = made(root, "div", "skipit-plot-area");
  for (const [key, value] of [["role", "slider"], ["tabindex", 0], ["aria-valuemin", 0]]) slider.setAttribute(key, value);
  const svg = drawn(slider, "svg", { "aria-hidden": "true" });
  let layer = model.get("layer"), hovered = null, isHeld = false, frame = null, cursor = null;

  const point = () => {  // what depends on the layer alone
    const series = model.get("series"), { x, y, height, count } = frame;
    const values = series.map(one => `${one.name} ${short(valueAt(one, layer, count))}`).join(", ");
    slider.setAttribute("aria-valuenow", layer);
    slider.setAttribute("aria-valuetext", `layer ${layer}: ${values || model.get("empty")}`);
    place.textContent = `layer ${hovered ?? layer}`;
    drawLegend(legend, series, hovered ?? layer, count);
    cursor.replaceChildren();
    const down = at => `M${x(at)},${EDGE.top}V${height - EDGE.bottom}`;
    drawn(cursor, "path", { d: down(layer), class: "skipit-plot-chosen" });
    if (hovered !== null) drawn(cursor, "path", { d: down(hovered), class: "skipit-plot-hovered" });
    for (const one of series) if (SHAPES[one.look] && !one.is_beside && Number.isFinite(one.values[layer])) {
      const ring = drawn(cursor, "g", { class: `skipit-look-${one.look}`, transform: `translate(${x(layer)},${y(one.values[layer])})` });
      drawn(ring, "path", { d: SHAPES[one.look](5), class: "skipit-plot-point skipit-plot-ring" });
    }
  };
  const draw = () => {
    const count = model.get("num_layers"), series = model.get("series"), height = model.get("height");
    const width = Math.max(200, slider.clientWidth || 480), step = (width - EDGE.left - EDGE.right) / Math.max(1, count);
    title.textContent = model.get("title");
    slider.setAttribute("aria-label", `${model.get("title")}: layer`);
    slider.setAttribute("aria-valuemax", Math.max(0, count - 1));
    svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    svg.replaceChildren();
    frame = { width, height, step, count, words: model.get("y_title"), x: at => EDGE.left + step * (at + 0.5) };
    Object.assign(frame, vertical(series, model.get("scale"), model.get("top"), height));
    drawSkipped(svg, model.get("skipped"), frame);
    drawAxes(svg, frame);
    if (!series.length) drawn(svg, "text", { x: width / 2, y: height / 2, "text-anchor": "middle", class: "skipit-plot-word" }, model.get("empty"));
    for (const one of series) drawSeries(svg, one, frame);
    cursor = drawn(svg, "g");
    point();
  };

  const tell = () => { if (layer !== model.get("layer")) { model.set("layer", layer); model.save_changes(); } };
  const below = event => {
    const at = ((event.clientX - slider.getBoundingClientRect().left) / slider.clientWidth) * frame.width;
    return clamp(Math.floor((at - EDGE.left) / frame.step), 0, frame.count - 1);
  };
  // What stands beside in the same explorer follows at once; Python hears at the end of the gesture.
  const here = () => el.closest(".skipit-explorer");
  const on = (name, action) => slider.addEventListener(name, event => {
    const before = layer;
    action(event);
    point();
    if (layer !== before && here()) document.dispatchEvent(new CustomEvent("skipit-layer", { detail: { layer, room: here(), from: el } }));
  });
  const hear = ({ detail }) => {
    if (detail.from === el || detail.room !== here()) return;
    layer = detail.layer;
    point();
  };
  document.addEventListener("skipit-layer", hear);
  on("pointerdown", event => {
    if (event.button) return;
    isHeld = true;
    layer = below(event);
    slider.setPointerCapture(event.pointerId);
  });
  on("pointermove", event => {
    hovered = below(event);
    if (isHeld && event.buttons === 0) giveUp();  // released where nobody heard it
    if (isHeld) layer = hovered;
  });
  on("pointerup", () => { if (isHeld) tell(); isHeld = false; });
  const giveUp = () => { if (isHeld) layer = model.get("layer"); isHeld = false; };
  on("pointercancel", giveUp);
  on("lostpointercapture", giveUp);  // comes after pointerup too, when there is nothing to give up
  on("pointerleave", () => { hovered = null; });
  on("keydown", event => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.key === "Tab") return;
    event.stopPropagation();
    if (!(event.key in STEPS)) return;
    event.preventDefault();
    layer = clamp(layer + STEPS[event.key], 0, frame.count - 1);
  });
  on("keyup", tell);  // a held key is one gesture
  on("blur", tell);

  const follow = () => { layer = model.get("layer"); point(); };
  const names = DATA.map(name => `change:${name}`);
  let waiting = 0;
  const soon = () => { waiting ||= requestAnimationFrame(() => { waiting = 0; draw(); }); };  // several traits, one drawing
  names.forEach(name => model.on(name, soon));
  model.on("change:layer", follow);
  draw();
  const resized = new ResizeObserver(() => { if (slider.clientWidth && slider.clientWidth !== frame.width) soon(); });
  resized.observe(slider);
  return () => {
    resized.disconnect();
    document.removeEventListener("skipit-layer", hear);
    cancelAnimationFrame(waiting);
    names.forEach(name => model.off(name, soon));
    model.off("change:layer", follow);
  };
}

export default { render };
