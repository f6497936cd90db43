"""Takes the pictures of the docs: each tool and the studio in a real JupyterLab, light and dark.

python -m tests.browser.pictures        writes docs/pictures/*.png
"""

import tempfile
from pathlib import Path

import nbformat

from tests.browser.chromium import chromium
from tests.browser.lab_server import lab_server
from tests.browser.notebook_page import Notebook

PICTURES = Path(__file__).parents[2] / "docs" / "pictures"
WIDTH = 1280

SETUP = """
from skipit_nb import ABEvaluator, LayerDistanceExplorer, Session, SkipSetBuilder, Studio
session = Session.open(device="cpu")
profile = session.profile("easy-vqa", limit=200)
advice = session.recommend(profile)
"""
TOOLS = {
    "explorer": 'explorer = LayerDistanceExplorer(session, task="easy-vqa", limit=200, layer=3, scale="log")',
    "builder": "builder = SkipSetBuilder(session, profile, skipset=advice.skipset)",
    "evaluator": 'evaluator = ABEvaluator(session, b="vision absent 0-3", task="easy-vqa", limit=300, margin=0.02)',
    "studio": 'studio = Studio(session, task="easy-vqa", limit=300)',
}
WORK = """
explorer.run(); evaluator.run(); studio.explorer.run(); studio.explorer.set(scale="log", layer=3)
studio.skipset = advice.skipset; studio.evaluator.run()
"""


def take() -> None:
    """Write the pictures."""
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as base, chromium() as browser:
        (Path(base) / "root").mkdir()
        cells = [SETUP, *(f"{code}\n{name}" for name, code in TOOLS.items()), WORK]
        kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
        written = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells], metadata=kernel)
        nbformat.write(written, Path(base) / "root" / "pictures.ipynb")
        with lab_server(Path(base)) as lab:
            notebook = Notebook(browser.new_page(viewport={"width": WIDTH, "height": 1200}, device_scale_factor=1.5))
            notebook.page.goto(f"{lab.address}/doc/tree/pictures.ipynb?reset")
            notebook.page.locator(".jp-NotebookPanel .jp-Notebook").first.wait_for(timeout=60_000)
            notebook.wait_idle()
            assert notebook.run_all(seconds=400), notebook.errors()
            for theme in ("light", "dark"):
                notebook.theme(f"JupyterLab {theme.title()}")
                _photograph(notebook, theme)
            notebook.shut_down()


def _photograph(notebook: Notebook, theme: str) -> None:
    notebook.page.set_viewport_size({"width": WIDTH, "height": 4600})
    for index, name in enumerate(TOOLS, start=1):
        tool = notebook.output(index).locator(".skipit").first
        tool.scroll_into_view_if_needed()
        notebook.page.wait_for_timeout(600)
        tool.screenshot(path=PICTURES / f"{name}-{theme}.png")


if __name__ == "__main__":
    take()
