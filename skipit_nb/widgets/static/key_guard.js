// Keys typed in the widgets of this output must not reach JupyterLab's cell shortcuts. Ctrl+S, and Tab, must.
const OUTPUT = ".jp-OutputArea-output, .cell-output-ipywidget-background, .output_subarea";

function render({ el }) {
  el.classList.add("skipit-gone");  // a style would be reset by JupyterLab
  const stop = event => {
    if (!event.ctrlKey && !event.metaKey && !event.altKey && event.key !== "Tab") event.stopPropagation();
  };
  let host = null;
  const timer = setTimeout(() => {  // el is attached only after render
    host = el.closest(OUTPUT) ?? el.parentElement;
    host?.addEventListener("keydown", stop);
  }, 0);
  return () => {
    clearTimeout(timer);
    host?.removeEventListener("keydown", stop);
  };
}

export default { render };
