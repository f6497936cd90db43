"""A browser, a JupyterLab and the notebooks open in it. The tests here run in a pytest call of their own."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import Browser, Error, Route, expect

from tests.browser.chromium import chromium
from tests.browser.component_page import Component, Mount
from tests.browser.lab_server import Lab, lab_server
from tests.browser.notebook_page import Notebook

HERE = Path(__file__).parent
NOTEBOOKS = HERE.parents[1] / "notebooks"

# Upper ends of what was measured on two busy cores.
expect.set_options(timeout=20_000)

TWO_TIMED_PROMPTS = """
from skipit_nb.backend.evaluation import ab
ab.TIMED_PROMPTS = 2
"""
"""For a kernel: comparisons time for real, but on fewer prompts, where a test is about something else than times."""

Opened = Callable[..., Notebook]
Written = Callable[..., str]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what lies here, so that no test of this folder can end up in a run without a browser."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Headless Chromium, one for all tests."""
    with chromium() as running:
        yield running


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A real JupyterLab, one for all tests, on a copy of `notebooks/`."""
    base = tmp_path_factory.mktemp("lab")
    shutil.copytree(NOTEBOOKS, base / "root", ignore=shutil.ignore_patterns("conftest.py", ".*", "__pycache__"))
    with lab_server(base) as running:
        yield running


@pytest.fixture(scope="session")
def written(lab: Lab) -> Written:
    """Writes a notebook with the given code cells where JupyterLab finds it, and gives its name."""
    numbers = count()

    def write(*cells: str) -> str:
        name = f"written-{next(numbers)}.ipynb"
        kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells], metadata=kernel)
        nbformat.write(notebook, lab.root / name)
        return name

    return write


@pytest.fixture(scope="module")
def opened(lab: Lab, browser: Browser) -> Iterator[Opened]:
    """Opens a notebook by name, in a window of its own; share one in a module, as each takes about ten seconds.

    A request to anywhere but the server is refused, noted in `notebook.outside`, and fails the module's teardown:
    everything must work offline.
    """
    with opening(lab, browser) as open_notebook:
        yield open_notebook


@pytest.fixture
def opened_anew(lab: Lab, browser: Browser) -> Iterator[Opened]:
    """The same for one test: its kernels and windows end with it."""
    with opening(lab, browser) as open_notebook:
        yield open_notebook


@contextmanager
def opening(lab: Lab, browser: Browser) -> Iterator[Opened]:
    """Opens notebooks while the block runs; then ends their kernels and fails if a page asked for another address."""
    notebooks: list[Notebook] = []

    def open_notebook(name: str, width: int = 1400, height: int = 1000) -> Notebook:
        context = browser.new_context(viewport={"width": width, "height": height}, reduced_motion="reduce")
        notebook = Notebook(context.new_page())
        notebooks.append(notebook)
        _stay_inside(notebook, lab.address)
        notebook.page.goto(f"{lab.address}/doc/tree/{name}?reset")
        notebook.wait_open()
        return notebook

    yield open_notebook
    for notebook in notebooks:
        with suppress(Error):
            notebook.shut_down()
        notebook.page.context.close()
    assert [address for notebook in notebooks for address in notebook.outside] == []


@pytest.fixture
def mount(browser: Browser) -> Iterator[Mount]:
    """Draws an anywidget in a bare page; no error may happen on it."""
    context = browser.new_context(viewport={"width": 1000, "height": 600}, reduced_motion="reduce")
    components: list[Component] = []

    def mounted(widget: object) -> Component:
        components.append(Component(context.new_page(), widget))
        return components[-1]

    yield mounted
    context.close()
    assert [error for component in components for error in component.errors] == []


def _stay_inside(notebook: Notebook, address: str) -> None:
    def guard(route: Route) -> None:
        if route.request.url.startswith((f"{address}/", "data:", "blob:")):
            route.continue_()
            return
        notebook.outside.append(route.request.url)
        route.abort()

    notebook.page.context.route("**/*", guard)
