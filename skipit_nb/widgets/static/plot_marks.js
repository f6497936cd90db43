// The marks of a plot: axes, shaded bands, lines with points, and the legend that prints the values.
const SHAPES = {
  vision: r => `M${-r},0a${r},${r} 0 1,0 ${2 * r},0a${r},${r} 0 1,0 ${-2 * r},0`,
  text: r => `M${-r},${-r}h${2 * r}v${2 * r}h${-2 * r}z`,
  first: r => `M0,${-1.2 * r}L${1.2 * r},${r}H${-1.2 * r}z`,
  flow: r => `M0,${-1.4 * r}L${1.2 * r},0L0,${1.4 * r}L${-1.2 * r},0z`,
};

function drawn(parent, name, attributes = {}, text = "") {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.textContent = text;
  return parent.appendChild(made);
}

const NAMED = 200;

function made(parent, name, className) {
  const element = parent.appendChild(document.createElement(name));
  element.className = className;
  return element;
}

function drawAxes(svg, { x, y, ticks, step, count, width, height, words }) {
  const foot = height - EDGE.bottom, right = width - EDGE.right;
  for (const [value, label] of ticks) {
    drawn(svg, "path", { d: `M${EDGE.left},${y(value)}H${right}`, class: "skipit-plot-grid" });
    drawn(svg, "text", { x: EDGE.left - 6, y: y(value) + 4, "text-anchor": "end" }, label);
  }
  const every = [1, 2, 5, 10, 20, 50, 100].find(some => some * step >= 22) ?? 200;
  for (let at = 0; at < count; at += every) drawn(svg, "text", { x: x(at), y: foot + 15, "text-anchor": "middle" }, at);
  drawn(svg, "path", { d: `M${EDGE.left},${foot + 0.5}H${right}`, class: "skipit-plot-axis" });
  drawn(svg, "text", { x: right, y: height - 5, "text-anchor": "end", class: "skipit-plot-word" }, "layer →");
  drawn(svg, "text", { x: 0, y: height - 5, class: "skipit-plot-word" }, `↑ ${words}`);
}

function drawSkipped(svg, bands, { x, step, height }) {
  for (const band of bands) {
    const left = x(band.start - 0.5), wide = step * (band.stop - band.start), fits = wide > 6.2 * band.label.length;
    const box = { x: left + 1, y: EDGE.top, width: Math.max(1, wide - 2), height: height - EDGE.bottom - EDGE.top };
    drawn(svg, "rect", { ...box, class: `skipit-plot-skipped${band.is_chosen ? " skipit-plot-band-chosen" : ""}` });
    if (height < NAMED) continue;  // a small plot stands below a large one, which names the bands
    const turn = fits ? `translate(${left + 5},${EDGE.top + 12})` : `translate(${left + 12},${EDGE.top + 5}) rotate(-90)`;
    drawn(svg, "text", { transform: turn, "text-anchor": fits ? "start" : "end", class: "skipit-plot-word" }, band.label);
  }
}

// Another model may have another number of layers: its line goes over the same width.
function drawSeries(svg, one, { x, y, step, count }) {
  const group = drawn(svg, "g", { class: `skipit-look-${one.look}${one.is_beside ? " skipit-plot-beside" : ""}` });
  const place = at => (one.values.length === count ? at : ((at + 0.5) * count) / one.values.length - 0.5);
  const seen = one.values.map((value, at) => [place(at), value]).filter(([, value]) => Number.isFinite(value));
  const path = points => points.map(([at, value]) => `${x(at)},${y(value)}`).join("L");
  if (!seen.length) return;
  if (one.low && one.high) {
    const around = [...seen.map(([at]) => [at, one.high[at]]), ...seen.map(([at]) => [at, one.low[at]]).reverse()];
    drawn(group, "path", { d: `M${path(around)}z`, class: "skipit-plot-band" });
  }
  drawn(group, "path", { d: `M${path(seen)}`, class: "skipit-plot-line" });
  if (SHAPES[one.look]) for (const [at, value] of seen) {
    const transform = `translate(${x(at)},${y(value)})`;
    drawn(group, "path", { d: SHAPES[one.look](clamp(step / 5, 1.2, 3.2)), transform, class: "skipit-plot-point" });
  }
}

// The value of a line at a layer, or at the layer of the same depth.
const valueAt = ({ values }, at, count) => values[values.length === count ? at : Math.floor(((at + 0.5) * values.length) / count)];

function drawKey(entry, { look, is_beside }) {
  const key = drawn(entry, "svg", { viewBox: "-12 -6 24 12", "aria-hidden": "true", class: is_beside ? "skipit-plot-beside" : "" });
  drawn(key, "path", { d: "M-12,0H12", class: "skipit-plot-line" });
  if (SHAPES[look]) drawn(key, "path", { d: SHAPES[look](4), class: "skipit-plot-point" });
}

// What lies beside stands in the entry of the line that it is compared with.
function drawLegend(legend, series, at, count) {
  legend.replaceChildren();
  const others = series.filter(one => one.is_beside), own = series.filter(one => !one.is_beside);
  for (const one of own) {
    const entry = made(legend, "span", `skipit-look-${one.look}`), twin = others.find(other => other.name === `${one.name} beside`);
    drawKey(entry, one);
    entry.append(`${one.name} `);
    made(entry, "b", "").textContent = short(valueAt(one, at, count));
    if (!twin) continue;
    drawKey(entry, twin);
    made(entry, "b", "").textContent = short(valueAt(twin, at, count));
  }
}
