// What keys mean in the strip, and undo and redo anywhere in its tool. `layer_strip.js` follows.
const KEYS = { r: "run", a: "absent", f: "frozen", w: "whole", t: "attn", m: "mlp" };
const MOVES = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0],
  Home: [0, -Infinity], End: [0, Infinity] };
const OF_THE_LAYER = ["whole", "attn", "mlp"];
const HELP = "Click or drag; shift-click for a range. Keys: arrows, space for the next action, R run, A absent, F frozen, "
  + "W whole, T attention, M MLP; Ctrl-Z undo, Ctrl-Shift-Z redo.";

const keyOf = event => (event.key.length === 1 ? event.key.toLowerCase() : event.key);

// "undo", "redo" or nothing. JupyterLab would take back the notebook's last change of cells.
const wayThroughTime = event => {
  const isCommand = (event.ctrlKey || event.metaKey) && !event.altKey, key = keyOf(event);
  if (!isCommand || !["z", "y"].includes(key)) return null;
  return key === "y" || event.shiftKey ? "redo" : "undo";
};

// Hears undo and redo in the whole tool that `root` comes to stand in; gives a function that stops it.
const listenForUndo = (root, travel) => {
  let tool = null, frame = 0;
  const hear = event => {
    const way = wayThroughTime(event);
    if (!way) return;
    event.stopPropagation();
    if (event.target.closest("input, textarea, select")) return;  // text has an undo of its own
    event.preventDefault();
    travel(way);
  };
  const attach = () => {
    if (!root.isConnected) { frame = requestAnimationFrame(attach); return; }
    tool = root.closest(".skipit-tool") ?? root;
    tool.addEventListener("keydown", hear);
  };
  frame = requestAnimationFrame(attach);
  return () => {
    cancelAnimationFrame(frame);
    tool?.removeEventListener("keydown", hear);
  };
};
