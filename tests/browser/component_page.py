"""A widget's JavaScript in a bare page, with a stand-in for its Python side. No Jupyter, so half a second a test."""

from collections.abc import Callable
from typing import Any

from playwright.sync_api import Locator, Page

PAGE = "<!doctype html><html lang='en'><title>widget</title><body><main><div id='host'></div></main></body></html>"

# The part of anywidget's model that a module may use. `save_changes` sends what was set since the last one,
# so `window.saves` holds the messages that would have reached Python.
HARNESS = """async ([esm, css, state]) => {
    const style = document.createElement('style');
    style.textContent = css;
    document.head.append(style);

    const listeners = new Map();
    const emit = (name, ...args) => [...(listeners.get(name) ?? [])].forEach(listener => listener(...args));
    let unsaved = {};
    window.saves = [];
    window.messages = [];
    const model = window.model = {
        get: key => state[key],
        set: (key, value) => {
            if (JSON.stringify(state[key]) === JSON.stringify(value)) return;
            state[key] = unsaved[key] = value;
            emit(`change:${key}`);
            emit('change');
        },
        save_changes: () => { window.saves.push(unsaved); unsaved = {}; },
        on: (name, listener) => { listeners.set(name, [...(listeners.get(name) ?? []), listener]); },
        off: (name, listener) => {
            if (name == null) listeners.clear();
            else if (listener == null) listeners.delete(name);
            else listeners.set(name, (listeners.get(name) ?? []).filter(other => other !== listener));
        },
        send: message => { window.messages.push(message); },
    };
    window.fromPython = changes => {
        Object.assign(state, changes);
        Object.keys(changes).forEach(key => emit(`change:${key}`));
        emit('change');
    };
    window.listenerCount = () => [...listeners.values()].reduce((sum, some) => sum + some.length, 0);

    const address = URL.createObjectURL(new Blob([esm], { type: 'text/javascript' }));
    const module = (await import(address)).default;
    const widget = typeof module === 'function' ? await module() : module;
    const forget = await widget.initialize?.({ model });
    const leave = await widget.render({ model, el: document.getElementById('host') });
    window.cleanUp = () => { leave?.(); forget?.(); };
}"""


class Component:
    """A drawn widget: `host` is where it stands; `saves` is what it told Python."""

    def __init__(self, page: Page, widget: Any) -> None:
        self.page = page
        self.errors: list[str] = []
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.set_content(PAGE)
        page.evaluate(HARNESS, [str(widget._esm), str(getattr(widget, "_css", "")), plain_state(widget)])

    @property
    def host(self) -> Locator:
        """The element that the widget drew into."""
        return self.page.locator("#host")

    @property
    def saves(self) -> list[dict[str, Any]]:
        """The messages sent to Python, oldest first: one dict of changed traits each."""
        messages: list[dict[str, Any]] = self.page.evaluate("() => window.saves")
        return messages

    @property
    def messages(self) -> list[Any]:
        """The custom messages sent to Python, oldest first."""
        sent: list[Any] = self.page.evaluate("() => window.messages")
        return sent

    def state(self, trait: str) -> Any:
        """The value of a trait as the page knows it."""
        return self.page.evaluate("name => window.model.get(name)", trait)

    def from_python(self, **changes: object) -> None:
        """Change traits as Python would."""
        self.page.evaluate("changes => window.fromPython(changes)", changes)

    def clean_up(self) -> int:
        """Take the widget down, and get how many listeners it forgot: should be 0."""
        self.page.evaluate("() => window.cleanUp()")
        left: int = self.page.evaluate("() => window.listenerCount()")
        return left


def plain_state(widget: Any) -> dict[str, Any]:
    """Get the traits that a widget shares with its page and that JSON can hold."""
    plain = (bool, int, float, str, list, dict, type(None))
    state = widget.get_state()
    return {name: value for name, value in state.items() if not name.startswith("_") and isinstance(value, plain)}


Mount = Callable[..., Component]
