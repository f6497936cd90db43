// Code to copy: folded away, selectable, and with a button for the clipboard where the browser allows it.
function render({ model, el }) {
  el.classList.add("skipit");
  const box = document.createElement("details"), head = document.createElement("summary");
  const area = document.createElement("textarea"), copy = document.createElement("button");
  const said = document.createElement("span"), row = document.createElement("div");
  box.className = "skipit-code";
  row.className = "skipit-code-row";
  area.readOnly = true;
  area.spellcheck = false;
  copy.type = "button";
  copy.className = "skipit-button";
  copy.textContent = "Copy as code";
  said.setAttribute("role", "status");
  row.append(copy, said);
  box.append(head, area, row);
  el.append(box);

  const say = text => { said.textContent = text; };
  copy.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(area.value);
      say("copied");
    } catch {  // no clipboard in this frame: leave the text selected
      area.focus();
      area.select();
      say("selected: press Ctrl+C");
    }
  });
  box.addEventListener("keydown", event => {  // JupyterLab's cell shortcuts must not hear it
    if (!event.ctrlKey && !event.metaKey && !event.altKey && event.key !== "Tab") event.stopPropagation();
  });
  const paint = () => {
    head.textContent = model.get("label");
    area.setAttribute("aria-label", model.get("label"));
    area.value = model.get("code");
    area.rows = model.get("code").split("\n").length;
    say("");
  };
  const names = ["change:code", "change:label"];
  names.forEach(name => model.on(name, paint));
  paint();
  return () => names.forEach(name => model.off(name, paint));
}

export default { render };
