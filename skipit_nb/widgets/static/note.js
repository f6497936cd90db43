// Some text. Its tone decides the look, and whether it is a heading, a status or an alert.
const HEADINGS = { heading: 3, section: 4 };

function render({ model, el }) {
  const note = document.createElement("div");
  el.classList.add("skipit");
  el.append(note);
  const paint = () => {
    const text = model.get("text"), tone = model.get("tone");
    note.className = `skipit-note skipit-note-${tone}`;
    const role = tone in HEADINGS ? "heading" : tone === "error" ? "alert" : model.get("live") ? "status" : null;
    if (role) note.setAttribute("role", role); else note.removeAttribute("role");
    if (role === "heading") note.setAttribute("aria-level", HEADINGS[tone]); else note.removeAttribute("aria-level");
    note.textContent = text;
    // By class: JupyterLab resets an element's own style. A live region must be there before it speaks.
    el.classList.toggle("skipit-gone", !text && !model.get("live"));
    el.classList.toggle("skipit-silent", !text && model.get("live"));
    note.classList.toggle("skipit-note-empty", !text);
  };
  const names = ["change:text", "change:tone", "change:live"];
  names.forEach(name => model.on(name, paint));
  paint();
  return () => names.forEach(name => model.off(name, paint));
}

export default { render };
