"""One open notebook in JupyterLab: run it, ask its kernel, touch its widgets.

What has happened is asked of the application (`window.jupyterapp`), not guessed from the look of the page.
"""

import ast
import json
import time
from typing import Any

from playwright.sync_api import ConsoleMessage, Locator, Page

PANEL = "window.jupyterapp?.shell?.currentWidget"
KERNEL = f"{PANEL}?.sessionContext?.session?.kernel"

# The kernel's own status is idle for a moment before each cell, so no cell may wait for its number either.
IDLE = f"""() => {KERNEL}?.connectionStatus === 'connected' && {KERNEL}.status === 'idle'
    && !{PANEL}.content.widgets.some(cell => cell.model.type === 'code'
        && (cell.model.executionState === 'running' || (cell.promptNode?.textContent ?? '').includes('*')))"""

# `page.evaluate` knows no timeout, so a command leaves its outcome on the window and we poll for it.
PARK = """([name, args]) => {
    window.parked = null;
    window.jupyterapp.commands.execute(name, args).then(
        result => { window.parked = { ok: result !== false }; },
        error => { window.parked = { ok: false, error: String(error) }; });
}"""

ERRORS = f"""() => {PANEL}.content.widgets.flatMap((cell, index) => cell.model.type !== 'code' ? []
    : cell.model.outputs.toJSON().filter(output => output.output_type === 'error')
        .map(output => `cell ${{index}}: ${{output.ename}}: ${{output.evalue}}`))"""

EXECUTE = f"""async ([code, expression]) => (await {KERNEL}.requestExecute({{
    code, silent: true, store_history: false, user_expressions: {{ value: expression }} }}).done).content"""


class Notebook:
    """An open notebook with a running kernel.

    `outside` lists every request for an address that is not the server's, each of which was refused;
    `complaints` lists errors of the page and of its console.
    """

    def __init__(self, page: Page) -> None:
        self.page = page
        self.outside: list[str] = []
        self.complaints: list[str] = []
        self.listen()

    def wait_open(self) -> None:
        """Wait until the notebook is there and its kernel rests."""
        self.page.locator(".jp-NotebookPanel .jp-Notebook").first.wait_for(timeout=60_000)
        self.wait_idle()

    def wait_idle(self, seconds: float = 120) -> None:
        """Wait until the kernel rests and no cell is waiting: seen twice, as one look may fall between two cells."""
        for _ in range(2):
            self.page.wait_for_function(IDLE, timeout=seconds * 1000, polling=100)
            self.page.wait_for_timeout(150)

    def command(self, name: str, seconds: float = 120, **args: object) -> bool:
        """Run a command of JupyterLab, such as `notebook:run-all-cells`, and say whether it went well."""
        self.page.evaluate(PARK, [name, args])
        self.page.wait_for_function("() => window.parked", timeout=seconds * 1000, polling=100)
        ok: bool = self.page.evaluate("() => window.parked.ok")
        return ok

    def run_all(self, seconds: float = 240) -> bool:
        """Run every cell; False if one raised."""
        ok = self.command("notebook:run-all-cells", seconds)
        self.wait_idle(seconds)
        return ok

    def errors(self) -> list[str]:
        """What the cells raised, one line each."""
        lines: list[str] = self.page.evaluate(ERRORS)
        return lines

    def run(self, code: str, expression: str = "None") -> Any:
        """Run code in the kernel, unseen by the notebook, and get the value of an expression after it."""
        # Through JSON: the kernel's own text of a value breaks long lists into lines.
        wrapped = f"__import__('json').dumps({expression}, default=repr)"
        reply = self.page.evaluate(EXECUTE, [code, wrapped])
        value = reply.get("user_expressions", {}).get("value", reply)
        if value["status"] != "ok":
            message = f"{value['ename']}: {value['evalue']}"
            raise RuntimeError(message)
        return json.loads(ast.literal_eval(value["data"]["text/plain"]))

    def value(self, expression: str) -> Any:
        """Get the value of an expression in the kernel."""
        return self.run("", expression)

    def wait_value(self, expression: str, want: object, seconds: float = 15) -> None:
        """Wait until an expression in the kernel has a value; say what it was instead."""
        deadline = time.monotonic() + seconds
        while (got := self.value(expression)) != want:
            assert time.monotonic() < deadline, f"{expression} is {got!r}, expected {want!r}"
            self.page.wait_for_timeout(50)

    def cell(self, index: int) -> Locator:
        """Cell `index` of the notebook, from 0, text cells counted."""
        return self.page.locator(".jp-Notebook .jp-Cell").nth(index)

    def output(self, index: int) -> Locator:
        """All that cell `index` shows below its code."""
        return self.cell(index).locator(".jp-OutputArea-output")

    def cell_count(self) -> int:
        """How many cells there are: a key that leaks from a widget into JupyterLab changes it."""
        count: int = self.page.evaluate(f"() => {PANEL}.content.widgets.length")
        return count

    def active_cell(self) -> int:
        """The cell that JupyterLab has selected."""
        index: int = self.page.evaluate(f"() => {PANEL}.content.activeCellIndex")
        return index

    def add_cell(self, code: str) -> None:
        """Write one more cell below the active one, and run it."""
        assert self.command("notebook:insert-cell-below")
        self.page.evaluate(f"code => {{ {PANEL}.content.activeCell.model.sharedModel.setSource(code); }}", code)
        assert self.command("notebook:run-cell")
        self.wait_idle()

    def theme(self, name: str) -> None:
        """Change to "JupyterLab Dark", or back to "JupyterLab Light"."""
        assert self.command("apputils:change-theme", theme=name)
        light = str(name.endswith("Light")).lower()
        self.page.locator(f"body[data-jp-theme-light='{light}']").wait_for(state="attached")

    def save(self) -> None:
        """Save the notebook, with what its cells show: only then is that there again when the page is loaded anew."""
        assert self.command("docmanager:save")

    def reload(self) -> None:
        """Load the page again; the kernel lives on."""
        self.page.reload()
        self.wait_open()

    def come_back(self) -> None:
        """Close the window, whatever is going on in it, and open the notebook in another; the kernel lives on."""
        left, self.page = self.page, self.page.context.new_page()
        left.close()
        self.listen()
        self.page.goto(left.url)
        self.wait_open()

    def listen(self) -> None:
        """Note what the page complains about."""
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", self._hear)

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.complaints.append(message.text)

    def restart(self) -> None:
        """Restart the kernel, as its menu does; what cells show stays on the page, without anybody behind it."""
        self.page.evaluate(f"async () => {{ await {PANEL}.sessionContext.restartKernel(); }}")
        self.wait_idle()

    def shut_down(self) -> None:
        """End the kernel."""
        self.page.evaluate(f"async () => {{ await {PANEL}.sessionContext.shutdown(); }}")


def section(notebook: Notebook, place: int) -> Locator:
    """The part of a studio that holds a tool, from 0."""
    return notebook.page.locator(".skipit-section").nth(place)


def press(part: Locator, name: str) -> None:
    """Click the button of this name."""
    part.get_by_role("button", name=name, exact=True).click()


def drag(page: Page, start: Locator, end: Locator, steps: int = 12) -> None:
    """Press the mouse in the middle of one element and release it in the middle of another, once both stay in place."""
    _wait_at_rest(page, start, end)
    page.mouse.move(*_middle(start))
    page.mouse.down()
    page.mouse.move(*_middle(end), steps=steps)
    page.mouse.up()


def _wait_at_rest(page: Page, start: Locator, end: Locator, seconds: float = 15) -> None:
    """Wait until nothing above them moves them any more: pictures of other cells come late."""
    deadline, before, still = time.monotonic() + seconds, None, 0
    while still < 5:  # half a second
        assert time.monotonic() < deadline, "the elements keep moving"
        start.scroll_into_view_if_needed()
        page.wait_for_timeout(100)
        now = _middle(start), _middle(end)
        still = still + 1 if now == before else 0
        before = now


def _middle(element: Locator) -> tuple[float, float]:
    box = element.bounding_box()
    assert box is not None, "the element cannot be seen"
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
