// One image with its patches: built once a question, repainted with each layer. patch_overlay.js stands below it.
const PIXELATED = 128;  // an image of fewer pixels keeps its edges
const WIDTH = 640;  // pixels of the canvas that the colours are drawn on: thousands of elements would be slow
const NEXT = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };

// `boxes` are [left, top, right, bottom] in reading order; `tell(at)` hears of the patch in view, null for none.
function makeStage(parent, { caption, aspect, boxes, at }, address, alt, tell) {
  const figure = made(parent, "figure", "skipit-overlay-figure"), stage = made(figure, "div", "skipit-overlay-stage");
  stage.style.aspectRatio = aspect;
  const image = made(stage, "img", "skipit-overlay-image"), canvas = made(stage, "canvas", "skipit-overlay-colors", { "aria-hidden": "true" });
  const grid = made(stage, "div", "skipit-overlay-grid", { role: "grid" }), pen = canvas.getContext("2d");
  Object.assign(canvas, { width: WIDTH, height: Math.round(WIDTH / (Number(aspect) || 1)) });
  image.alt = alt;
  image.hidden = !address;
  image.addEventListener("load", () => image.classList.toggle("skipit-overlay-pixelated", image.naturalWidth < PIXELATED));
  if (address) image.src = address;
  if (caption) made(figure, "figcaption", "skipit-overlay-caption").textContent = caption;

  const rows = [], cells = [];
  boxes.forEach(([left, top, right, bottom], index) => {
    if (!rows.length || rows.at(-1).top !== top) rows.push({ top, first: index, line: made(grid, "div", "skipit-overlay-row", { role: "row" }) });
    const cell = made(rows.at(-1).line, "div", "skipit-overlay-cell", { role: "gridcell", tabindex: index ? -1 : 0 });
    cell.style.cssText = `left:${100 * left}%;top:${100 * top}%;width:${100 * (right - left)}%;height:${100 * (bottom - top)}%`;
    cells.push(cell);
  });
  grid.hidden = canvas.hidden = !cells.length;
  let focused = 0;
  const rowOf = index => rows.findLastIndex(row => row.first <= index);
  const placed = index => `row ${rowOf(index)}, column ${index - rows[rowOf(index)].first}`;
  const places = cells.map((_, index) => placed(index));
  const cellAt = event => cells.indexOf(event.target.closest(".skipit-overlay-cell"));
  const say = index => tell(index < 0 ? null : at[index], places[index]);
  grid.addEventListener("pointerover", event => say(cellAt(event)));
  grid.addEventListener("pointerleave", () => tell(null));
  grid.addEventListener("focusout", () => tell(null));
  grid.addEventListener("focusin", event => {
    cells[focused].setAttribute("tabindex", -1);
    focused = cellAt(event);
    cells[focused].setAttribute("tabindex", 0);
    say(focused);
  });
  grid.addEventListener("keydown", event => {
    if (!(event.key in NEXT) || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    const [down, right] = NEXT[event.key], row = clamp(rowOf(focused) + down, 0, rows.length - 1);
    const end = (rows[row + 1]?.first ?? cells.length) - 1, column = focused - rows[rowOf(focused)].first + right;
    cells[clamp(rows[row].first + Math.max(column, 0), rows[row].first, end)].focus();
  });
  return {
    paint(title, share, named, sinks) {
      grid.setAttribute("aria-label", caption ? `${title}, ${caption}` : title);
      pen.clearRect(0, 0, canvas.width, canvas.height);
      cells.forEach((cell, index) => {
        const height = clamp(share(at[index]), 0, 1);
        const [left, top, right, bottom] = boxes[index].map((edge, i) => Math.round(edge * (i % 2 ? canvas.height : canvas.width)));
        pen.fillStyle = ramp(height);
        pen.globalAlpha = 0.15 + 0.85 * height;
        pen.fillRect(left, top, right - left, bottom - top);
        cell.setAttribute("aria-label", `${places[index]}: ${named(at[index])}`);
        cell.classList.toggle("skipit-overlay-sink", sinks.has(at[index]));
      });
    },
    fade(opacity) { canvas.style.opacity = opacity; },
  };
}
