// Run, how far, Pause, Cancel. A click sends what the user wants; Python says what happens.
const UNDER_WAY = ["waiting", "running", "paused"];

function render({ model, el }) {
  el.classList.add("skipit");
  const bar = document.createElement("div");
  bar.className = "skipit-job";
  const button = (wish, kind) => {
    const made = document.createElement("button");
    made.type = "button";
    made.className = `skipit-button ${kind}`;
    made.addEventListener("click", () => model.send({ do: wish() }));
    return made;
  };
  const isPaused = () => model.get("state") === "paused";
  const run = button(() => "run", "skipit-button-main"), cancel = button(() => "cancel", "");
  const pause = button(() => (isPaused() ? "resume" : "pause"), "");
  cancel.textContent = "Cancel";
  const progress = document.createElement("progress");
  const message = document.createElement("span");
  message.className = "skipit-job-message";
  message.setAttribute("role", "status");
  bar.append(run, pause, cancel, progress, message);
  el.append(bar);

  const paint = () => {
    const state = model.get("state"), total = model.get("total");
    const busy = UNDER_WAY.includes(state);
    const hadFocus = [run, pause, cancel].includes(document.activeElement) ? document.activeElement : null;
    run.textContent = model.get("label");
    pause.textContent = isPaused() ? "Resume" : "Pause";
    run.hidden = busy;
    cancel.hidden = progress.hidden = !busy;
    pause.hidden = !busy || state === "waiting" || !model.get("can_pause");
    if (hadFocus?.hidden) (busy ? cancel : run).focus();  // a hidden button would drop the focus to the page
    progress.setAttribute("aria-label", `${model.get("label")}: progress`);
    if (total) { progress.max = total; progress.value = model.get("done"); } else progress.removeAttribute("value");
    message.textContent = model.get("message");
  };
  const names = ["label", "state", "done", "total", "message", "can_pause"].map(name => `change:${name}`);
  names.forEach(name => model.on(name, paint));
  paint();
  return () => names.forEach(name => model.off(name, paint));
}

export default { render };
