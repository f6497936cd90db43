// How A and B stand while a comparison runs: the difference, and an interval around it that closes in.
const AREA = { left: 46, right: 14, top: 10, bottom: 34, height: 190 };

function render({ model, el }) {
  el.classList.add("skipit");
  const root = made(el, "div", "skipit-standing"), title = made(root, "div", "skipit-standing-title");
  const stage = made(root, "div", "skipit-standing-stage", { role: "img" }), svg = drawn(stage, "svg", { "aria-hidden": "true" });
  title.textContent = "B − A while it ran, in points";
  let width = 0;

  // From the latest intervals, so that the wide ones of the start do not press the rest flat.
  const ends = (looks, final, margin) => {
    const last = [looks.at(-1), ...(final.length ? [final] : [])];
    const low = Math.min(...last.map(one => one[2]), -margin, 0), high = Math.max(...last.map(one => one[3]), 0);
    const room = Math.max(1, high - low) * 0.5;
    return [Math.max(-100, low - room), Math.min(100, high + room)];
  };
  const axes = (frame, margin) => {
    const { x, y, low, high, planned, foot } = frame, right = width - AREA.right, step = niceStep(high - low, 5);
    for (let at = Math.ceil(low / step) * step; at <= high + 1e-9; at += step) {
      drawn(svg, "path", { d: `M${AREA.left},${y(at)}H${right}`, class: "skipit-standing-grid" });
      const label = String(+at.toPrecision(3)).replace("-", "−");
      drawn(svg, "text", { x: AREA.left - 6, y: y(at) + 4, "text-anchor": "end" }, at > 0 ? `+${label}` : label);
    }
    const every = niceStep(planned, Math.max(1, (right - AREA.left) / 90));
    for (let at = 0; at <= planned; at += every) drawn(svg, "text", { x: x(at), y: foot + 15, "text-anchor": "middle" }, at.toLocaleString("en"));
    drawn(svg, "text", { x: right, y: AREA.height - 4, "text-anchor": "end" }, "questions →");
    drawn(svg, "path", { d: `M${AREA.left},${y(0)}H${right}`, class: "skipit-standing-zero" });
    if (!margin || -margin < low) return;
    drawn(svg, "path", { d: `M${AREA.left},${y(-margin)}H${right}`, class: "skipit-standing-margin" });
    drawn(svg, "text", { x: right, y: y(-margin) + 12, "text-anchor": "end" }, "− margin");
  };
  const draw = () => {
    const looks = model.get("looks"), final = model.get("final"), margin = model.get("margin");
    el.classList.toggle("skipit-gone", !looks.length);
    svg.replaceChildren();
    if (!looks.length) return;
    width = Math.max(220, stage.clientWidth || 480);
    svg.setAttribute("viewBox", `0 0 ${width} ${AREA.height}`);
    stage.setAttribute("aria-label", model.get("words"));
    const foot = AREA.height - AREA.bottom, [low, high] = ends(looks, final, margin);
    const planned = Math.max(model.get("planned"), looks.at(-1)[0], 1);
    const x = at => AREA.left + (width - AREA.left - AREA.right) * (at / planned);
    const y = value => foot - (foot - AREA.top) * clamp((value - low) / (high - low), 0, 1);
    axes({ x, y, low, high, planned, foot }, margin);
    const edge = at => looks.map(look => `${x(look[0])},${y(look[at])}`);
    drawn(svg, "path", { d: `M${[...edge(3), ...edge(2).reverse()].join("L")}z`, class: "skipit-standing-band" });
    drawn(svg, "path", { d: `M${edge(1).join("L")}`, class: "skipit-standing-line" });
    const [n, delta, under, over] = final.length ? final : looks.at(-1);
    if (final.length) drawn(svg, "path", { d: `M${x(n) - 4},${y(over)}h8m-4,0V${y(under)}m-4,0h8`, class: "skipit-standing-final" });
    drawn(svg, "circle", { cx: x(n), cy: y(delta), r: 4, class: "skipit-standing-now" });
  };

  const names = ["looks", "final", "planned", "margin", "words"].map(name => `change:${name}`);
  let waiting = 0;
  const soon = () => { waiting ||= requestAnimationFrame(() => { waiting = 0; draw(); }); };  // several traits, one drawing
  names.forEach(name => model.on(name, soon));
  draw();
  const resized = new ResizeObserver(() => { if (stage.clientWidth && stage.clientWidth !== width) soon(); });
  resized.observe(stage);
  return () => {
    resized.disconnect();
    cancelAnimationFrame(waiting);
    names.forEach(name => model.off(name, soon));
  };
}

export default { render };
