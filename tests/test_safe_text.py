"""What models and data sets say stays text: in tables, charts, mime bundles, files and pages that a notebook becomes.

`tests/browser/test_safe_text.py` looks at the same in a page that would notice.
"""

import ast
import csv
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import nbconvert
import nbformat
import pytest
from PIL import Image

from skipit_nb.charts.flips import flips_with_images
from skipit_nb.errors import SettingError
from skipit_nb.widgets import ABEvaluator, display
from tests.payloads import CRACK, EVERY, PAYLOADS
from tests.widgets.contract_tools import KINDS
from tests.widgets.hostile_session import HostileSession

CODE = {"expr", "signal", "calculate", "filter", "test", "labelExpr", "href", "url", "init", "update", "events"}
"""Keys of a Vega-Lite specification whose text is run or followed."""

TAG = re.compile(r"<(script|img|svg|a)\b[^>]*>")


@pytest.fixture
def port() -> Iterator[HostileSession]:
    fake = HostileSession()
    yield fake
    fake.close()


@pytest.fixture(params=KINDS)
def tool(port: HostileSession, request: pytest.FixtureRequest) -> Iterator[Any]:
    with KINDS[request.param].make(port) as made:
        made.run()
        yield made


def test_a_charts_specification_has_it_only_as_data(tool: Any) -> None:
    spec = tool.chart.to_dict()
    found = [where for where, text in texts(spec) if "cracked" in text]
    assert [where for where in found if CODE & {*where}] == []
    assert [where for where, text in keys(spec) if "cracked" in text and where[0] != "datasets"] == []


def test_a_saved_picture_has_it_as_text(tool: Any, tmp_path: Path) -> None:
    tool.save(tmp_path / "picture.png")
    picture = ET.parse(tool.save(tmp_path / "picture.svg"))  # noqa: S314 - written here
    names = {element.tag.rsplit("}", 1)[-1] for element in picture.iter()}
    assert names & {"script", "image", "foreignObject", "a"} == set()
    assert [name for element in picture.iter() for name in element.attrib if name.startswith("on")] == []


def test_saved_data_and_state_come_back_letter_by_letter(tool: Any, tmp_path: Path) -> None:
    before = tool.state, tool.result
    tool.load(tool.save(tmp_path / "tool.json"))
    assert (tool.state, tool.result) == before
    with tool.save(tmp_path / "data.csv").open(newline="", encoding="utf-8") as file:
        read = [*csv.DictReader(file)]
    for name, column in tool.data.items():
        if all(isinstance(value, str) for value in column):
            assert [row[name] for row in read] == [*column]


def test_the_code_names_it_in_quotes_and_begins_no_line_with_it(tool: Any) -> None:
    for line in tool.code().split("\n"):
        assert line.isprintable()
    tree = ast.parse(tool.code())
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    assert names & {"window", "cracked"} == set()


def test_tables_of_a_notebook_have_it_as_text(tool: Any) -> None:
    assert TAG.findall(tool.data._repr_html_()) == []


def test_a_notebook_saved_and_made_a_page_has_it_as_text(tool: Any) -> None:
    page = as_page(tool)
    assert CRACK in tool._repr_mimebundle_()[0]["text/plain"] or CRACK not in page
    assert [found.group() for found in re.finditer(r"<[^<>]*cracked[^<>]*>", page)] == []


@pytest.mark.parametrize("words", PAYLOADS.values(), ids=PAYLOADS)
def test_a_table_of_flips_has_it_as_text(words: str, port: HostileSession) -> None:
    found = port.compare("shapes", None, "vision absent 0-3")
    hostile = dict.fromkeys(("question", "target", "a", "b", "kind", "key"), words)
    said = replace(found, answers=tuple(replace(answer, **hostile) for answer in found.answers))
    task = SimpleNamespace(example=lambda key: SimpleNamespace(image=Image.new("RGB", (3, 3))))
    page = flips_with_images(said, task, "any")._repr_html_()
    assert {*re.findall(r"<(\w+)", page)} <= {"table", "thead", "tbody", "tr", "th", "td", "bdi", "img", "p", "code"}
    assert {*re.findall(r"<img (\w+)=\"data:image/png;base64,[\w+/=]+\" (\w+)=\"[^\"<>]*\">", page)} == {("src", "alt")}
    assert "\0" not in page


def test_an_error_says_it_as_text(port: HostileSession) -> None:
    with ABEvaluator(port, b="vision absent 0-3") as evaluator:
        evaluator.view.complain(SettingError("file name", EVERY, "another"))
        assert evaluator.view.message.text.startswith("SettingError: file name is ")
        assert repr(EVERY) in evaluator.view.message.text


# -- inside ----------------------------------------------------------------------------------------------------------


def as_page(*shown: Any) -> str:
    """The static page of a notebook that shows these."""
    cell = nbformat.v4.new_code_cell("shown", execution_count=1)
    for one in shown:
        data = {k: v for k, v in one._repr_mimebundle_()[0].items() if k != display.WIDGET_MIME}
        cell.outputs.append(nbformat.v4.new_output("display_data", data))
    page, _ = nbconvert.HTMLExporter().from_notebook_node(nbformat.v4.new_notebook(cells=[cell]))
    return str(page)


def texts(value: Any, *where: str) -> Iterator[tuple[tuple[str, ...], str]]:
    """Every text of a JSON value, with the keys that lead to it."""
    if isinstance(value, str):
        yield where, value
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from texts(inner, *where, str(key))


def keys(value: Any, *where: str) -> Iterator[tuple[tuple[str, ...], str]]:
    """Every key of a JSON value, with those that lead to it."""
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield (*where, str(key)), str(key)
        yield from keys(inner, *where, str(key))
