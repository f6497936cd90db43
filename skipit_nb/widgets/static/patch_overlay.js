// Images, the value of each vision token laid over its patch, and the text tokens beneath.
const VALUES = ["title", "unit", "values", "sinks", "tokens", "token_values", "token_sinks", "lengths", "span"];
const SHAPES = ["images", "alt", "stages", "empty"];

function render({ model, el }) {
  el.classList.add("skipit");
  const root = made(el, "div", "skipit-overlay"), stagesBox = made(root, "div", "skipit-overlay-stages");
  const side = made(root, "div", "skipit-overlay-side"), readout = made(side, "div", "skipit-overlay-readout");
  const legend = made(side, "div", "skipit-overlay-legend", { "aria-hidden": "true" });
  const unit = made(legend, "div", "skipit-overlay-unit"), bar = made(legend, "div", "skipit-overlay-bar");
  const numbers = made(legend, "div", "skipit-overlay-numbers"), label = made(side, "label", "skipit-overlay-opacity");
  label.append("Overlay ");
  const opacity = made(label, "input", "", { type: "range", min: 0, max: 1, step: 0.05 });
  const strip = made(root, "div", "skipit-overlay-strip", { role: "list", "aria-label": "text tokens and their numbers" });
  bar.style.background = RAMP;
  let stages = [], items = [], loose = [], frame = null;

  const get = name => frame?.[name] ?? model.get(name);  // `frame` is a layer that Python has not heard of yet

  const values = () => get("values");
  const span = () => {
    const [low, high] = get("span"), all = values();
    return high > low ? [low, high] : [Math.min(...all), Math.max(...all)];
  };
  const length = at => (get("lengths").length ? `, length ${short(get("lengths")[at])}` : "");
  const named = (at, sinks) => `${short(values()[at])}${sinks.has(at) ? `, sink${length(at)}` : ""}`;
  const mean = some => short(some.reduce((sum, one) => sum + one, 0) / some.length);
  const tell = (at, place) => {
    const all = values();
    if (at !== null) readout.textContent = `${place}: ${short(all[at])}${length(at)}${get("sinks").includes(at) ? ", sink" : ""}`;
    else if (!all.length) readout.textContent = "";
    else {
      const without = loose.length ? `; ${loose.length} newline or padding tokens: mean ${mean(loose.map(one => all[one]))}` : "";
      readout.textContent = `mean ${mean(all)}, from ${short(Math.min(...all))} to ${short(Math.max(...all))}${without}`;
    }
  };
  const build = () => {
    stagesBox.replaceChildren();
    const given = model.get("stages"), images = model.get("images"), placed = new Set(given.flatMap(one => one.at));
    stages = given.map(one => makeStage(stagesBox, one, images[one.image], model.get("alt"), tell));
    if (!given.length) images.forEach(address => makeStage(stagesBox, { aspect: "auto", boxes: [], at: [] }, address, model.get("alt"), tell));
    // By class: JupyterLab resets an element's own style.
    el.classList.toggle("skipit-gone", !images.length && !model.get("empty") && !get("tokens").length);
    if (!given.length && model.get("empty")) made(stagesBox, "div", "skipit-overlay-empty").textContent = model.get("empty");
    loose = placed.size ? values().map((_, at) => at).filter(at => !placed.has(at)) : [];
    fade();
  };
  const paint = () => {
    const [low, high] = span(), all = values(), sinks = new Set(get("sinks"));
    const share = at => (high > low ? (all[at] - low) / (high - low) : 0);
    const names = all.map((_, at) => named(at, sinks));
    stages.forEach(stage => stage.paint(get("title"), share, at => names[at], sinks));
    legend.hidden = label.hidden = !stages.length;
    unit.textContent = get("unit");
    numbers.replaceChildren(...(all.length ? [low, (low + high) / 2, high] : []).map(value => Object.assign(document.createElement("span"), { textContent: short(value) })));
    paintStrip();
    tell(null);
  };
  const paintStrip = () => {
    const tokens = get("tokens"), numbers = get("token_values"), most = Math.max(...numbers, 1e-12);
    if (items.length !== tokens.length) {
      strip.replaceChildren();
      items = tokens.map(() => {
        const item = made(strip, "span", "skipit-overlay-token", { role: "listitem" });
        const rise = made(made(item, "span", "skipit-overlay-rise"), "span", "");
        return { item, rise, word: made(item, "span", "skipit-overlay-word"), number: made(item, "span", "skipit-overlay-number"), sign: made(item, "span", "skipit-overlay-sign") };
      });
    }
    const sinks = new Set(get("token_sinks"));
    items.forEach(({ item, rise, word, number, sign }, at) => {
      rise.style.height = `${(100 * numbers[at]) / most}%`;
      word.textContent = tokens[at];
      number.textContent = short(numbers[at]);
      sign.textContent = sinks.has(at) ? "sink" : "";
      item.title = `${tokens[at]}: ${short(numbers[at])}${length(values().length + at)}`;
    });
  };
  const fade = () => {
    opacity.value = model.get("opacity");
    stages.forEach(stage => stage.fade(opacity.value));
  };
  root.addEventListener("keydown", event => {
    if (!event.ctrlKey && !event.metaKey && !event.altKey && event.key !== "Tab") event.stopPropagation();
  });
  opacity.addEventListener("input", () => stages.forEach(stage => stage.fade(opacity.value)));
  opacity.addEventListener("change", () => { model.set("opacity", Number(opacity.value)); model.save_changes(); });

  const hear = ({ detail }) => {  // a layer was chosen in a plot of the same explorer
    if (detail.room !== el.closest(".skipit-explorer") || !model.get("frames")[detail.layer]) return;
    frame = model.get("frames")[detail.layer];
    paint();
  };
  document.addEventListener("skipit-layer", hear);
  let waiting = 0, isNew = false;
  const soon = () => {  // several traits, one drawing
    frame = null;
    waiting ||= requestAnimationFrame(() => { waiting = 0; if (isNew) build(); isNew = false; paint(); });
  };
  const anew = () => { isNew = true; soon(); };
  VALUES.forEach(name => model.on(`change:${name}`, soon));
  SHAPES.forEach(name => model.on(`change:${name}`, anew));
  model.on("change:opacity", fade);
  build();
  paint();
  return () => {
    cancelAnimationFrame(waiting);
    document.removeEventListener("skipit-layer", hear);
    VALUES.forEach(name => model.off(`change:${name}`, soon));
    SHAPES.forEach(name => model.off(`change:${name}`, anew));
    model.off("change:opacity", fade);
  };
}

export default { render };
