"""The tools of this folder work: what they say about a widget can be believed."""

import anywidget
import pytest
import traitlets
from playwright.sync_api import expect

from tests.browser.accessibility import violations
from tests.browser.component_page import Mount
from tests.browser.conftest import Opened, Written
from tests.browser.notebook_page import Notebook, drag

BUTTON = """
import ipywidgets
button = ipywidgets.Button(description="Press me")
presses = []
button.on_click(lambda _: presses.append(len(presses)))
button
"""


class Counter(anywidget.AnyWidget):
    """A button that counts."""

    _esm = """
    function render({ model, el }) {
      const button = document.createElement("button");
      const paint = () => { button.textContent = `pressed ${model.get("count")} times`; };
      button.addEventListener("click", () => { model.set("count", model.get("count") + 1); model.save_changes(); });
      model.on("change:count", paint);
      paint();
      el.append(button);
      return () => model.off("change:count", paint);
    }
    export default { render };
    """
    count = traitlets.Int(0).tag(sync=True)


@pytest.fixture(scope="module")
def notebook(opened: Opened, written: Written) -> Notebook:
    notebook = opened(written(BUTTON, "answer = 6 * 7"))
    assert notebook.run_all()
    return notebook


def test_lab_itself_works(notebook: Notebook) -> None:
    assert notebook.errors() == []
    assert notebook.value("answer") == 42
    notebook.page.get_by_role("button", name="Press me").click()
    notebook.wait_value("presses", [0])
    notebook.run("button.description = 'Pressed'")
    expect(notebook.page.get_by_role("button", name="Pressed")).to_be_visible()


def test_a_cell_that_raises_is_reported(opened: Opened, written: Written) -> None:
    notebook = opened(written("1 / 0"))
    assert not notebook.run_all()
    assert notebook.errors() == ["cell 0: ZeroDivisionError: division by zero"]


def test_the_theme_changes_and_comes_back(notebook: Notebook) -> None:
    notebook.theme("JupyterLab Dark")
    notebook.theme("JupyterLab Light")


def test_a_request_to_the_world_is_refused_and_noted(notebook: Notebook) -> None:
    notebook.page.evaluate("() => fetch('https://example.org/').catch(() => null)")
    assert notebook.outside == ["https://example.org/"]
    notebook.outside.clear()


def test_a_component_tells_python_and_hears_from_it(mount: Mount) -> None:
    component = mount(Counter(count=2))
    component.host.get_by_role("button").click()
    assert component.saves == [{"count": 3}]
    component.from_python(count=10)
    expect(component.host).to_have_text("pressed 10 times")
    assert component.clean_up() == 0


def test_a_drag_presses_moves_and_releases(mount: Mount) -> None:
    component = mount(Counter())
    component.page.evaluate("""() => { window.seen = []; for (const name of ['pointerdown', 'pointerup'])
        document.addEventListener(name, event => window.seen.push([name, Math.round(event.clientX)])); }""")
    drag(component.page, component.host.get_by_role("button"), component.host)
    (down, start), (up, end) = component.page.evaluate("() => window.seen")
    assert (down, up) == ("pointerdown", "pointerup")
    assert start < end


def test_axe_finds_a_button_without_a_name(mount: Mount) -> None:
    component = mount(Counter())
    assert violations(component.page, "#host") == []
    component.page.evaluate("() => { document.querySelector('#host button').textContent = ''; }")
    assert len(violations(component.page, "#host")) == 1
