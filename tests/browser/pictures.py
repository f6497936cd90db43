"""Takes the pictures of the docs in a real JupyterLab: every state of each tool, then all tools light and dark.

python -m tests.browser.pictures        writes docs/pictures/*.png, docs/pictures/states/*.png and docs/states.md
"""

import io
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import nbformat
from PIL import Image
from playwright.sync_api import Browser, Locator

from tests.browser.chromium import chromium
from tests.browser.lab_server import Lab, lab_server
from tests.browser.notebook_page import Notebook
from tests.browser.states import STATES, State

DOCS = Path(__file__).parents[2] / "docs"
PICTURES = DOCS / "pictures"
WIDTH = 1280
HEAD = """# Every state

What you may meet in each tool, on the model in the box. Written by `python -m tests.browser.pictures`.
"""
SETTLED_MS = 600
COLORS = 128
"""Of a state's picture: enough for its few hues, a third of the bytes."""

SETUP = """
import time
from skipit_nb import ABEvaluator, LayerDistanceExplorer, Session, SkipSetBuilder, Studio
session = Session.open(device="cpu")
profile = session.profile("easy-vqa", limit=200)
advice = session.recommend(profile)
"""
TOOLS = {
    "explorer": 'explorer = LayerDistanceExplorer(session, task="easy-vqa", limit=200, layer=3, scale="log")',
    "builder": "builder = SkipSetBuilder(session, profile)",
    "evaluator": 'evaluator = ABEvaluator(session, b="vision absent 0-3", task="easy-vqa", limit=300, margin=0.02)',
    "studio": 'studio = Studio(session, task="easy-vqa", limit=300)',
}
WORK = """
explorer.set(over="task", layer=3); explorer.run(); builder.set(skipset=advice.skipset); builder.what_if()
evaluator.set(b="vision absent 0-3", limit=300, margin=0.02); evaluator.run()
studio.explorer.set(limit=200); studio.explorer.run(); studio.explorer.set(scale="log", layer=3)
studio.builder.recommended(); studio.evaluator.set(limit=1500); studio.evaluator.run()
"""


def take() -> None:
    """Write the pictures."""
    (PICTURES / "states").mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as base, chromium() as browser:
        (Path(base) / "root").mkdir()
        cells = [SETUP, *(f"{code}\n{name}" for name, code in TOOLS.items())]
        kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
        written = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells], metadata=kernel)
        nbformat.write(written, Path(base) / "root" / "pictures.ipynb")
        with lab_server(Path(base)) as lab:
            with _opened(browser, lab) as notebook:
                for state in STATES:
                    _photograph_state(notebook, state)
            (DOCS / "states.md").write_text(page(), encoding="utf-8")
            with _opened(browser, lab) as notebook:  # with tools that remember nothing of those states
                notebook.run(WORK)
                for theme in ("light", "dark"):
                    notebook.theme(f"JupyterLab {theme.title()}")
                    _photograph(notebook, theme)


@contextmanager
def _opened(browser: Browser, lab: Lab) -> Iterator[Notebook]:
    """The notebook, run, in a window that is high enough for every tool."""
    notebook = Notebook(browser.new_page(viewport={"width": WIDTH, "height": 1200}, device_scale_factor=1.5))
    notebook.page.goto(f"{lab.address}/doc/tree/pictures.ipynb?reset")
    notebook.wait_open()
    assert notebook.run_all(seconds=400), notebook.errors()
    notebook.page.set_viewport_size({"width": WIDTH, "height": 4600})
    yield notebook
    notebook.shut_down()


def _tool(notebook: Notebook, name: str) -> Locator:
    tool = notebook.output(1 + list(TOOLS).index(name)).locator(".skipit").first
    tool.scroll_into_view_if_needed()
    return tool


def _photograph(notebook: Notebook, theme: str) -> None:
    for name in TOOLS:
        tool = _tool(notebook, name)
        notebook.page.wait_for_timeout(SETTLED_MS)
        tool.screenshot(path=PICTURES / f"{name}-{theme}.png")


def _photograph_state(notebook: Notebook, state: State) -> None:
    notebook.run(state.code)
    tool = _tool(notebook, state.tool)
    notebook.page.wait_for_timeout(SETTLED_MS)
    state.act(tool)
    notebook.page.wait_for_timeout(SETTLED_MS)
    picture = Image.open(io.BytesIO(tool.screenshot())).convert("RGB")
    picture.quantize(COLORS).save(PICTURES / "states" / state.file, optimize=True)


def page() -> str:
    """docs/states.md."""
    parts = [HEAD]
    for name in TOOLS:
        parts.append(f"## {name.title()}\n")
        parts += [
            f"{s.caption}\n\n![{name}: {s.caption}](pictures/states/{s.file})\n" for s in STATES if s.tool == name
        ]
    return "\n".join(parts)


if __name__ == "__main__":
    take()
