// The still parts of the strip: rows of cells, bars above them, signs below, and the legend. `layer_strip.js` follows.
const SIGNS = { run: "", absent: "A", frozen: "F", whole: "W", attn: "At", mlp: "Ml" };
const HEADS = { vision: "vision", text: "text", layer: "whole layer" };
const LEGEND = [["run", "runs"], ["absent", "absent: not there"], ["frozen", "frozen: kept, not updated"],
  ["whole", "whole layer skipped"], ["attn", "attention skipped"], ["mlp", "MLP skipped"]];

const make = (tag, name, attributes = {}, text = "") => {
  const made = document.createElement(tag);
  made.className = name;
  Object.entries(attributes).forEach(([key, value]) => made.setAttribute(key, value));
  made.textContent = text;
  return made;
};
const span = (a, b) => Array.from({ length: Math.abs(a - b) + 1 }, (_, i) => Math.min(a, b) + i);

const line = (head, hint, many, role) => {
  const made = make("div", "skipit-strip-line", role ? { role } : {});
  made.style.setProperty("--layers", many);
  const header = make("div", "skipit-strip-head", role ? { role: "rowheader" } : {}, head);
  if (hint) header.append(make("span", "skipit-strip-hint", {}, hint));
  made.append(header);
  return made;
};

const barLine = ({ label, hint, tone, values, texts }) => {
  const made = line(label, hint, values.length);
  made.classList.add("skipit-strip-bars", `skipit-strip-${tone}`);
  values.forEach((value, layer) => {
    const bar = make("div", "skipit-strip-bar", { title: `layer ${layer}: ${texts[layer] ?? ""}` });
    const level = make("i", "");
    level.style.height = `${Math.round(100 * Math.max(0, Math.min(1, value)))}%`;
    bar.append(level);
    made.append(bar);
  });
  return made;
};

const markLine = marks => {
  const made = line("conditions", "✓ met, else broken", marks.length);
  marks.forEach(({ sign, text, tone }, layer) => made.append(
    make("div", `skipit-strip-mark skipit-strip-mark-${tone}`, { title: `layer ${layer}: ${text}` }, sign)));
  return made;
};

const cellLine = (row, many) => {
  const made = line(HEADS[row], "", many, "row");
  made.dataset.row = row;
  const cells = Array.from({ length: many }, (_, layer) => {
    const cell = make("div", "skipit-strip-cell", { role: "gridcell", tabindex: -1, "data-layer": layer });
    cell.append(make("b", "", { "aria-hidden": "true" }));
    return cell;
  });
  made.append(...cells);
  return [made, cells];
};

const numberLine = many => {
  const made = line("layer", "", many, "row");
  made.firstChild.setAttribute("role", "columnheader");
  for (let layer = 0; layer < many; layer += 1) {
    made.append(make("div", "skipit-strip-number", { role: "columnheader" }, `${layer}`));
  }
  return made;
};

const legendLine = () => {
  const made = make("div", "skipit-strip-legend");
  LEGEND.forEach(([action, text]) => {
    const item = make("span", "", {}, text);
    const sample = make("i", "skipit-strip-cell", { "data-action": action, "aria-hidden": "true" });
    sample.append(make("b", "", {}, SIGNS[action]));
    item.prepend(sample);
    made.append(item);
  });
  return made;
};
