// A map of bands: first layer to the right, last layer upwards. Click or keys choose a band; Python hears once a gesture.
const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
const MARGIN = 34, SIZE = 300;


function render({ model, el }) {
  el.classList.add("skipit");
  const root = made(el, "div", "skipit-bands"), title = made(root, "div", "skipit-bands-title");
  const area = made(root, "div", "skipit-bands-area", { role: "application", tabindex: 0, "aria-roledescription": "map of bands of layers" });
  const svg = drawn(area, "svg", { viewBox: `0 0 ${MARGIN + SIZE + 4} ${SIZE + MARGIN + 4}`, "aria-hidden": "true" });
  const side = made(root, "div", "skipit-bands-side"), readout = made(side, "div", "skipit-bands-readout", { role: "status" });
  const legend = made(side, "div", "skipit-bands-legend", { "aria-hidden": "true" }), bar = made(legend, "div", "skipit-bands-bar");
  bar.style.background = RAMP;
  const most = made(legend, "span", ""), unit = made(legend, "span", "skipit-bands-unit");
  let band = model.get("band"), marks = null;

  const count = () => model.get("num_layers");
  const cell = () => SIZE / count();
  const index = ([first, last]) => first * count() - (first * (first - 1)) / 2 + last - first;
  const square = ([first, last]) => ({ x: MARGIN + first * cell(), y: (count() - 1 - last) * cell(), width: cell(), height: cell() });
  const words = some => {
    const [first, last] = some, layers = first === last ? `layer ${first}` : `layers ${first} to ${last}`;
    return `${layers}: ${short(model.get("values")[index(some)])}`;
  };
  const read = hovered => {
    const some = hovered ?? (band.length ? band : null);
    readout.textContent = some && model.get("values").length ? words(some) : "Point at a band, or use the arrow keys.";
  };
  const mark = hovered => {
    marks.replaceChildren();
    if (band.length) drawn(marks, "rect", { ...square(band), class: "skipit-bands-chosen" });
    if (hovered) drawn(marks, "rect", { ...square(hovered), class: "skipit-bands-hovered" });
    read(hovered);
  };
  const draw = () => {
    const values = model.get("values"), high = Math.max(...values, 1e-12), layers = count();
    title.textContent = model.get("title");
    area.setAttribute("aria-label", `${model.get("title")}. Arrow keys choose a band.`);
    area.tabIndex = values.length ? 0 : -1;
    area.hidden = legend.hidden = readout.hidden = !values.length;
    svg.replaceChildren();
    if (!values.length) title.textContent += `: ${model.get("empty")}`;
    let at = 0;
    if (values.length) for (let first = 0; first < layers; first++) for (let last = first; last < layers; last++, at++)
      drawn(svg, "rect", { ...square([first, last]), fill: ramp(values[at] / high), class: "skipit-bands-cell" });
    const every = [1, 2, 5, 10, 20, 50].find(some => some * cell() >= 22) ?? 100;
    for (let layer = 0; layer < layers; layer += every) {
      const middle = (layer + 0.5) * cell();
      drawn(svg, "text", { x: MARGIN + middle, y: SIZE + 13, "text-anchor": "middle" }, layer);
      drawn(svg, "text", { x: MARGIN - 5, y: SIZE - middle + 4, "text-anchor": "end" }, layer);
    }
    drawn(svg, "text", { x: MARGIN + SIZE, y: SIZE + 28, "text-anchor": "end" }, "first layer of the band →");
    drawn(svg, "text", { x: MARGIN, y: SIZE + 28 }, "↑ last layer");
    marks = drawn(svg, "g");
    most.textContent = `0 to ${short(high)}`;
    unit.textContent = model.get("unit");
    mark(null);
  };

  const below = event => {
    const box = svg.getBoundingClientRect(), scale = (MARGIN + SIZE + 4) / box.width;
    const first = Math.floor(((event.clientX - box.left) * scale - MARGIN) / cell());
    const last = count() - 1 - Math.floor(((event.clientY - box.top) * scale) / cell());
    return first >= 0 && last < count() && first <= last ? [first, last] : null;
  };
  const tell = () => {
    if (JSON.stringify(band) === JSON.stringify(model.get("band"))) return;
    model.set("band", band);
    model.save_changes();
  };
  area.addEventListener("pointermove", event => mark(below(event)));
  area.addEventListener("pointerleave", () => mark(null));
  area.addEventListener("click", event => {
    const here = below(event);
    if (!here) return;
    band = JSON.stringify(here) === JSON.stringify(band) ? [] : here;
    mark(null);
    tell();
  });
  area.addEventListener("keydown", event => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.key === "Tab") return;
    event.stopPropagation();
    if (event.key === "Escape") band = [];
    else if (event.key in STEPS) {
      event.preventDefault();
      const [right, up] = STEPS[event.key], [first, last] = band.length ? band : [0 - right, 0 - up];
      const start = clamp(first + right, 0, count() - 1), end = clamp(last + up, 0, count() - 1);
      band = right ? [start, Math.max(start, end)] : [Math.min(start, end), end];
    } else return;
    mark(null);
  });
  area.addEventListener("keyup", tell);  // a held key is one gesture
  area.addEventListener("blur", tell);

  const follow = () => { band = model.get("band"); mark(null); };
  const names = ["title", "unit", "num_layers", "values", "empty"].map(name => `change:${name}`);
  let waiting = 0;
  const soon = () => { waiting ||= requestAnimationFrame(() => { waiting = 0; draw(); }); };
  names.forEach(name => model.on(name, soon));
  model.on("change:band", follow);
  draw();
  return () => {
    cancelAnimationFrame(waiting);
    names.forEach(name => model.off(name, soon));
    model.off("change:band", follow);
  };
}

export default { render };
