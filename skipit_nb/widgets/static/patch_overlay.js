// An image, the distance of each vision token laid over its patch, and the text tokens beneath.
const STOPS = ["#f4f8fb", "#9ccbe6", "#2c8cc4", "#0b4f86", "#06274a"].map(hex => [1, 3, 5].map(at => parseInt(hex.slice(at, at + 2), 16)));
const STEPS = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
const PIXELATED = 128;  // an image of fewer pixels keeps its edges

const short = value => (value !== 0 && Math.abs(value) < 1e-3 ? value.toExponential(1) : String(+value.toPrecision(3)));
const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

// Pale to dark: it reads without colour, too.
function ramp(share) {
  const at = clamp(share, 0, 1) * (STOPS.length - 1), left = Math.min(STOPS.length - 2, Math.floor(at)), rest = at - left;
  return `rgb(${STOPS[left].map((some, i) => Math.round(some + (STOPS[left + 1][i] - some) * rest)).join(",")})`;
}

function made(parent, name, className, attributes = {}) {
  const element = parent.appendChild(document.createElement(name));
  element.className = className;
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}

function render({ model, el }) {
  el.classList.add("skipit");
  const root = made(el, "div", "skipit-overlay"), stage = made(root, "div", "skipit-overlay-stage");
  const image = made(stage, "img", "skipit-overlay-image"), grid = made(stage, "div", "skipit-overlay-grid", { role: "grid" });
  const message = made(stage, "div", "skipit-overlay-empty");
  const side = made(root, "div", "skipit-overlay-side"), readout = made(side, "div", "skipit-overlay-readout");
  const legend = made(side, "div", "skipit-overlay-legend", { "aria-hidden": "true" });
  made(legend, "div", "skipit-overlay-unit").textContent = "d = 1 − cos, pale = moved least";
  const bar = made(legend, "div", "skipit-overlay-bar"), numbers = made(legend, "div", "skipit-overlay-numbers");
  const label = made(side, "label", "skipit-overlay-opacity");
  label.append("Overlay ");
  const opacity = made(label, "input", "", { type: "range", min: 0, max: 1, step: 0.05 });
  const strip = made(root, "div", "skipit-overlay-strip", { role: "list", "aria-label": "text tokens and their distance" });
  let cells = [], focused = 0;

  const shape = () => model.get("grid"), values = () => model.get("values");
  const span = () => {
    const [low, high] = model.get("span"), all = values();
    return high > low ? [low, high] : [Math.min(...all), Math.max(...all)];
  };
  const share = value => { const [low, high] = span(); return high > low ? (value - low) / (high - low) : 0; };
  const named = at => `row ${Math.floor(at / shape()[1])}, column ${at % shape()[1]}: ${short(values()[at])}`;
  const tell = at => {
    const all = values(), mean = all.reduce((sum, some) => sum + some, 0) / all.length;
    const whole = all.length ? `mean ${short(mean)}, from ${short(Math.min(...all))} to ${short(Math.max(...all))}` : "";
    readout.textContent = at === null ? whole : named(at);
  };
  const reach = at => {
    cells[focused]?.setAttribute("tabindex", -1);
    focused = clamp(at, 0, Math.max(0, cells.length - 1));
    cells[focused]?.setAttribute("tabindex", 0);
  };
  const build = () => {
    const [rows, columns] = shape();
    grid.replaceChildren();
    grid.style.gridTemplateColumns = `repeat(${columns}, 1fr)`;
    cells = [];
    for (let row = 0; row < rows; row++) {
      const line = made(grid, "div", "skipit-overlay-row", { role: "row" });
      for (let column = 0; column < columns; column++) cells.push(made(line, "div", "skipit-overlay-cell", { role: "gridcell", tabindex: -1 }));
    }
    reach(focused);
  };
  const paintCells = () => {
    const [rows, columns] = shape(), all = values();
    if (cells.length !== rows * columns || grid.childElementCount !== rows) build();
    grid.setAttribute("aria-label", model.get("title"));
    cells.forEach((cell, at) => {
      const height = clamp(share(all[at]), 0, 1);
      cell.style.background = ramp(height);
      cell.style.opacity = 0.15 + 0.85 * height;
      cell.setAttribute("aria-label", named(at));
    });
    tell(null);
  };
  const paintStrip = () => {
    const tokens = model.get("tokens"), distances = model.get("token_values"), most = Math.max(...distances, 1e-12);
    strip.replaceChildren();
    tokens.forEach((token, at) => {
      const item = made(strip, "span", "skipit-overlay-token", { role: "listitem" });
      const bar = made(made(item, "span", "skipit-overlay-rise"), "span", "");
      bar.style.height = `${(100 * distances[at]) / most}%`;
      made(item, "span", "skipit-overlay-word").textContent = token;
      made(item, "span", "skipit-overlay-number").textContent = short(distances[at]);
    });
  };
  const paintLegend = () => {
    bar.style.background = `linear-gradient(to right, ${[0, 0.25, 0.5, 0.75, 1].map(ramp).join(",")})`;
    numbers.replaceChildren();
    const [low, high] = span();
    for (const value of [low, (low + high) / 2, high]) made(numbers, "span", "").textContent = short(value);
  };
  const paintOpacity = () => { opacity.value = model.get("opacity"); grid.style.opacity = opacity.value; };
  const paintImage = () => {
    const address = model.get("image");
    image.hidden = !address;
    if (address) image.src = address; else image.removeAttribute("src");
    image.alt = model.get("alt");
  };
  const paint = () => {
    const isEmpty = !values().length;
    message.textContent = isEmpty ? model.get("empty") : "";
    grid.hidden = label.hidden = legend.hidden = isEmpty;
    paintImage();
    fit();
    if (isEmpty) tell(null); else { paintLegend(); paintCells(); }
    paintStrip();
  };
  const fit = () => {  // the patches' shape if there are some, else the image's
    const [rows, columns] = shape();
    stage.style.aspectRatio = rows && columns ? columns / rows : image.naturalWidth / image.naturalHeight || 1;
    image.classList.toggle("skipit-overlay-pixelated", image.naturalWidth < PIXELATED);
  };
  image.addEventListener("load", fit);
  const cellAt = event => cells.indexOf(event.target.closest(".skipit-overlay-cell"));
  grid.addEventListener("pointerover", event => { if (cellAt(event) >= 0) tell(cellAt(event)); });
  grid.addEventListener("pointerleave", () => tell(null));
  grid.addEventListener("focusin", event => { reach(cellAt(event)); tell(focused); });
  grid.addEventListener("focusout", () => tell(null));
  root.addEventListener("keydown", event => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.key === "Tab") return;
    event.stopPropagation();
    if (!(event.key in STEPS) || !grid.contains(event.target)) return;
    event.preventDefault();
    const [rows, columns] = shape(), [down, right] = STEPS[event.key];
    const row = clamp(Math.floor(focused / columns) + down, 0, rows - 1), column = clamp((focused % columns) + right, 0, columns - 1);
    reach(row * columns + column);
    cells[focused].focus();
  });
  opacity.addEventListener("input", () => { grid.style.opacity = opacity.value; });
  opacity.addEventListener("change", () => { model.set("opacity", Number(opacity.value)); model.save_changes(); });

  const names = ["image", "alt", "title", "grid", "values", "tokens", "token_values", "span", "empty"].map(name => `change:${name}`);
  let waiting = 0;
  const soon = () => { waiting ||= requestAnimationFrame(() => { waiting = 0; paint(); }); };  // several traits, one drawing
  names.forEach(name => model.on(name, soon));
  model.on("change:opacity", paintOpacity);
  paint();
  paintOpacity();
  return () => {
    cancelAnimationFrame(waiting);
    names.forEach(name => model.off(name, soon));
    model.off("change:opacity", paintOpacity);
  };
}

export default { render };
