// Paste a skip set, open one from a file, save one. The page reads nothing of it: Python does.
function render({ model, el }) {
  el.classList.add("skipit");
  const made = (tag, name, attributes = {}, text = "") => {
    const element = document.createElement(tag);
    element.className = name;
    Object.entries(attributes).forEach(([key, value]) => element.setAttribute(key, value));
    element.textContent = text;
    return element;
  };
  const box = made("details", "skipit-code"), head = made("summary", "", {}, "Paste, open or save");
  const label = "Paste a skip set: its written form, code or JSON";
  const area = made("textarea", "skipit-paste", { rows: 3, spellcheck: "false", "aria-label": label, placeholder: label });
  const row = made("div", "skipit-code-row"), said = made("span", "skipit-paste-said");
  const input = made("input", "skipit-unseen", { type: "file", accept: ".json,.txt,.py", tabindex: -1, "aria-label": "Skip set file" });
  const button = (text, press) => {
    const control = made("button", "skipit-button", { type: "button" }, text);
    control.addEventListener("click", press);
    return control;
  };
  const take = (text, join) => { if (text.trim()) model.send({ take: text, join }); };
  row.append(button("Replace by pasted", () => take(area.value, false)), button("Join pasted", () => take(area.value, true)),
    button("Open a file …", () => input.click()), button("Save as JSON", () => model.send({ save: true })), input, said);
  box.append(head, area, row);
  el.append(box);

  input.addEventListener("change", async () => {
    const [file] = input.files;
    input.value = "";  // the same file may be opened again
    if (file) take((await file.text()).slice(0, 3_000_000), false);
  });
  box.addEventListener("keydown", event => {  // JupyterLab's cell shortcuts must not hear it
    if (!event.ctrlKey && !event.metaKey && !event.altKey && event.key !== "Tab") event.stopPropagation();
  });
  const download = () => {
    const { name, text } = model.get("file");
    if (!name) return;
    const address = URL.createObjectURL(new Blob([text], { type: "application/json" }));
    made("a", "", { href: address, download: name }).click();
    setTimeout(() => URL.revokeObjectURL(address), 10_000);
  };
  const say = () => { said.textContent = model.get("said"); };
  const watched = { "change:file": download, "change:said": say };
  Object.entries(watched).forEach(([name, listener]) => model.on(name, listener));
  say();
  return () => Object.entries(watched).forEach(([name, listener]) => model.off(name, listener));
}

export default { render };
