// A row of labelled fields and buttons. Each entry and press is one message; Python decides what the fields show.
let count = 0;

const made = (tag, name, attributes = {}, text = "") => {
  const element = document.createElement(tag);
  element.className = name;
  Object.entries(attributes).forEach(([key, value]) => value != null && element.setAttribute(key, value));
  element.textContent = text;
  return element;
};

function input(field, id) {
  if (field.kind === "choice") {
    const select = made("select", "skipit-input", { id });
    field.options.forEach(option => select.append(made("option", "", { value: option }, option)));
    return select;
  }
  if (field.kind === "check") return made("input", "skipit-check", { id, type: "checkbox" });
  const isNumber = ["int", "number"].includes(field.kind);
  return made("input", `skipit-input skipit-input-${field.kind}`, { id, type: isNumber ? "number" : "text",
    min: field.min, max: field.max, step: field.step ?? (field.kind === "number" ? "any" : null), spellcheck: "false" });
}

function render({ model, el }) {
  el.classList.add("skipit");
  const row = made("div", "skipit-controls", { role: "group" });
  el.append(row);
  const prefix = `skipit-${count += 1}-${Math.random().toString(36).slice(2, 8)}`;
  let shown = {}, drawn = "";

  const read = (field, control) => {
    if (field.kind === "check") return control.checked;
    if (!["int", "number"].includes(field.kind)) return control.value;
    return control.value === "" ? null : Number(control.value);
  };
  const button = field => {
    const control = made("button", `skipit-button skipit-button-${field.kind}`, { type: "button" }, field.label);
    control.addEventListener("click", () => model.send({ press: field.name }));
    return [control, control];
  };
  const labelled = field => {
    const id = `${prefix}-${field.name}`, control = input(field, id), box = made("div", `skipit-field skipit-field-${field.kind}`);
    control.addEventListener("change", () => model.send({ enter: field.name, value: read(field, control) }));
    box.append(made("label", "", { for: id }, field.label), control);
    return [box, control];
  };
  const build = fields => {
    shown = {};
    row.replaceChildren(...fields.map(field => {
      const [box, control] = ["button", "main"].includes(field.kind) ? button(field) : labelled(field);
      shown[field.name] = [box, control];
      return box;
    }));
  };
  const paint = () => {
    const fields = model.get("fields");
    const shape = JSON.stringify(fields.map(({ disabled, hidden, ...rest }) => rest));
    if (shape !== drawn) build(fields);  // or else the focus would be lost with each change of state
    drawn = shape;
    row.setAttribute("aria-label", model.get("label") || "controls");
    fields.forEach(field => {
      const [box, control] = shown[field.name], value = model.get("values")[field.name];
      box.hidden = Boolean(field.hidden);
      control.disabled = Boolean(field.disabled);
      if (field.hint) { control.title = field.hint; control.setAttribute("aria-description", field.hint); }
      if (control.tagName === "BUTTON") return;
      const isRefused = field.name === model.get("refused");  // what was typed stays, to be mended
      control.setAttribute("aria-invalid", String(isRefused));
      if (value == null) return;
      if (field.kind === "check") control.checked = value;  // a tick has nothing to mend
      else if (!isRefused) control.value = String(value);
    });
  };
  row.addEventListener("keydown", event => {  // JupyterLab's cell shortcuts must not hear it
    if (!event.ctrlKey && !event.metaKey && !event.altKey && event.key !== "Tab") event.stopPropagation();
  });
  const names = ["fields", "values", "label", "refused", "revision"].map(name => `change:${name}`);
  names.forEach(name => model.on(name, paint));
  paint();
  return () => names.forEach(name => model.off(name, paint));
}

export default { render };
