// The still parts of the strip: rows of cells, signs below them, and the legend. `layer_strip.js` follows.
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
const share = value => `${Math.round(1000 * Math.max(0, Math.min(1, value))) / 10}%`;

const line = (head, hint, role) => {
  const made = make("div", "skipit-strip-line", role ? { role } : {});
  const header = make("div", "skipit-strip-head", role ? { role: "rowheader" } : {}, head);
  if (hint) header.append(make("span", "skipit-strip-hint", {}, hint));
  made.append(header);
  return made;
};

// A cell is a bar of what was measured, the pattern of its action over it, and its letter on top.
const cellLine = (row, many) => {
  const made = line(HEADS[row], " ", "row");
  made.dataset.row = row;
  const cells = Array.from({ length: many }, (_, layer) => {
    const cell = make("div", "skipit-strip-cell", { role: "gridcell", tabindex: -1, "data-layer": layer });
    cell.append(make("i", "", { "aria-hidden": "true" }), make("b", "", { "aria-hidden": "true" }));
    return cell;
  });
  made.append(...cells);
  return [made, cells];
};

const measureLine = (made, cells, measure) => {  // bars behind the cells of one row; none if nothing was measured
  made.classList.toggle("skipit-strip-measured", Boolean(measure));
  made.firstChild.lastChild.textContent = measure?.hint ?? "";
  made.style.setProperty("--line", share(measure?.line ?? 0));
  made.classList.toggle("skipit-strip-limited", measure?.line != null);
  cells.forEach((cell, layer) => {
    const height = measure?.heights[layer] ?? 0;
    cell.firstChild.style.height = share(height);
    cell.firstChild.classList.toggle("skipit-strip-more", height >= 1 && measure?.line != null);
  });
};

const markLine = marks => {
  const made = line("conditions", "✓ met, else broken");
  marks.forEach(({ sign, text, tone }, layer) => made.append(make("div",
    `skipit-strip-mark skipit-strip-mark-${tone}`, { title: `layer ${layer}: ${text}`, "data-layer": layer }, sign)));
  return made;
};

const numberLine = many => {
  const made = line("layer", "", "row");
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
    sample.append(make("i", ""), make("b", "", {}, SIGNS[action]));
    item.prepend(sample);
    made.append(item);
  });
  return made;
};
