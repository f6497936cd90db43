"""A whole tool in a bare page with its Python behind it: every anywidget drawn, every message answered. No Jupyter."""

import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import anywidget
from playwright.sync_api import Browser, Locator, Page

from tests.browser.component_page import plain_state

PAGE = """<!doctype html><html lang='en'><title>tool</title><style>
body { margin: 8px; font-family: sans-serif }
.widget-vbox, .widget-hbox { display: flex; flex-direction: column; min-width: 0 } .widget-hbox { flex-direction: row }
</style><body data-jp-theme-light='true'><main id='host'></main></body></html>"""

DARK = """() => { document.body.dataset.jpThemeLight = 'false'; document.body.style.background = '#111';
    for (const [name, value] of Object.entries({ 'ui-font-color1': '#fff',
        'layout-color0': '#111', 'layout-color1': '#111', 'layout-color2': '#2a2a2a',
        'border-color1': '#616161', 'border-color2': '#424242' }))
        document.documentElement.style.setProperty(`--jp-${name}`, value); }"""

# What Jupyter's widget manager does, as far as our widgets need it.
MANAGER = """() => {
    window.models = {};
    window.sent = [];
    window.mountWidget = async (id, esm, css, state, parent, classes) => {
        const style = document.createElement('style');
        style.textContent = css;
        document.head.append(style);
        const listeners = new Map();
        const emit = name => [...(listeners.get(name) ?? [])].forEach(listener => listener());
        const model = window.models[id] = {
            state, get: key => state[key], set: (key, value) => { state[key] = value; }, save_changes: () => {},
            on: (name, listener) => { listeners.set(name, [...(listeners.get(name) ?? []), listener]); },
            off: (name, listener) => { listeners.set(name, (listeners.get(name) ?? []).filter(o => o !== listener)); },
            send: content => { window.sent.push([id, content]); window.toPython(id, content); },
            receive: changes => {
                Object.assign(state, changes);
                Object.keys(changes).forEach(key => emit(`change:${key}`));
            },
        };
        const el = document.createElement('div');
        el.className = ['jupyter-widgets', ...classes].join(' ');
        document.getElementById(parent).append(el);
        const module = (await import(URL.createObjectURL(new Blob([esm], { type: 'text/javascript' })))).default;
        await module.render({ model, el });
    };
    window.mountBox = (id, parent, classes) => {
        const el = document.createElement('div');
        el.id = id;
        el.className = ['jupyter-widgets', ...classes].join(' ');
        document.getElementById(parent).append(el);
    };
}"""


class ToolPage:
    """A tool drawn in a page. `settle` answers what the page sent and repaints; call it after each gesture."""

    def __init__(self, page: Page, tool: Any) -> None:
        self.page = page
        self.tool = tool
        self.errors: list[str] = []
        self._widgets: dict[str, Any] = {}
        self._inbox: deque[tuple[str, Any]] = deque()
        self._outbox: deque[tuple[str, dict[str, Any]]] = deque()
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.set_content(PAGE)
        page.expose_function("toPython", lambda name, content: self._inbox.append((name, content)))
        page.evaluate(MANAGER)
        self._mount(tool.view.box, "host")
        self.settle()

    def dark(self) -> None:
        """Change to JupyterLab's dark colours."""
        self.page.evaluate(DARK)

    def settle_until(self, condition: Callable[[], bool], seconds: float = 30) -> None:
        """Let Python and the page talk until something has come true."""
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, "it did not come true"
            self.settle()
        self.settle()

    def wait_for(self, what: Locator) -> None:
        """Let Python answer until this can be seen: a thread of its own may take its time."""
        self.settle_until(lambda: what.count() > 0 and what.first.is_visible())

    def settle(self) -> None:
        """Let Python answer until neither side has anything to say."""
        self.page.wait_for_timeout(30)
        while self._inbox or self._outbox:
            while self._inbox:
                name, content = self._inbox.popleft()
                self._widgets[name]._handle_custom_msg(content, [])
            while self._outbox:
                name, changes = self._outbox.popleft()
                self.page.evaluate("([name, changes]) => window.models[name].receive(changes)", [name, changes])
            self.page.wait_for_timeout(30)

    @property
    def sent(self) -> list[Any]:
        """Every message to Python, oldest first."""
        return [content for _, content in self.page.evaluate("() => window.sent")]

    def by_label(self, label: str) -> Locator:
        """A field or a cell by its accessible name."""
        return self.page.get_by_label(label, exact=True)

    def press(self, name: str) -> None:
        """Press a button and let Python answer."""
        self.page.get_by_role("button", name=name, exact=True).click()
        self.settle()

    def _mount(self, widget: Any, parent: str) -> None:
        name = f"w{widget.model_id}"
        if isinstance(widget, anywidget.AnyWidget):
            self._widgets[name] = widget
            code, classes = [str(widget._esm), str(getattr(widget, "_css", ""))], list(widget._dom_classes)
            names = [*plain_state(widget)]
            widget.observe(lambda change: self._outbox.append((name, {change["name"]: change["new"]})), names)
            state = plain_state(widget)  # read after `observe`: what a thread changes meanwhile is in one or the other
            self.page.evaluate("args => window.mountWidget(...args)", [name, *code, state, parent, classes])
            return
        kind = "widget-hbox" if type(widget).__name__ == "HBox" else "widget-vbox"
        classes = ["widget-box", kind, *widget._dom_classes]
        self.page.evaluate("args => window.mountBox(...args)", [name, parent, classes])
        for child in widget.children:
            self._mount(child, name)


Draw = Callable[[Any], ToolPage]
"""Draws a tool in a page of its own."""


@contextmanager
def drawing(browser: Browser, width: int, height: int) -> Iterator[Draw]:
    """Draws tools in pages of one window; closes them at the end, and fails if a page complained."""
    context = browser.new_context(viewport={"width": width, "height": height}, reduced_motion="reduce")
    pages: list[ToolPage] = []

    def drawn(tool: Any) -> ToolPage:
        pages.append(ToolPage(context.new_page(), tool))
        return pages[-1]

    yield drawn
    for page in pages:
        page.tool.close()
    context.close()
    assert [error for page in pages for error in page.errors] == []
