// Run, how far, Cancel. A click sends what the user wants; Python says what happens.
function render({ model, el }) {
  el.classList.add("skipit");
  const bar = document.createElement("div");
  bar.className = "skipit-job";
  const button = (wish, kind) => {
    const made = document.createElement("button");
    made.type = "button";
    made.className = `skipit-button ${kind}`;
    made.addEventListener("click", () => model.send({ do: wish }));
    return made;
  };
  const run = button("run", "skipit-button-main"), cancel = button("cancel", "");
  cancel.textContent = "Cancel";
  const progress = document.createElement("progress");
  const message = document.createElement("span");
  message.className = "skipit-job-message";
  message.setAttribute("role", "status");
  bar.append(run, cancel, progress, message);
  el.append(bar);

  const paint = () => {
    const state = model.get("state"), total = model.get("total");
    const busy = state === "running" || state === "waiting";
    const hadFocus = document.activeElement === run || document.activeElement === cancel;
    run.textContent = model.get("label");
    run.hidden = busy;
    cancel.hidden = progress.hidden = !busy;
    if (hadFocus) (busy ? cancel : run).focus();  // a hidden button would drop the focus to the page
    progress.setAttribute("aria-label", `${model.get("label")}: progress`);
    if (total) { progress.max = total; progress.value = model.get("done"); } else progress.removeAttribute("value");
    message.textContent = model.get("message");
  };
  const names = ["label", "state", "done", "total", "message"].map(name => `change:${name}`);
  names.forEach(name => model.on(name, paint));
  paint();
  return () => names.forEach(name => model.off(name, paint));
}

export default { render };
