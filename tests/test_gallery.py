"""The gallery shows every chart, and its page is what the script writes."""

import ast
import importlib
import inspect
import sys
from pathlib import Path

import pytest

from skipit_nb import Session, charts

DOCS = Path(__file__).parents[1] / "docs"
PAGE = (DOCS / "gallery.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def script():
    sys.path.insert(0, str(DOCS))
    yield importlib.import_module("draw_gallery")
    sys.path.remove(str(DOCS))


def test_every_chart_is_in_the_gallery(script):
    shown = " ".join(entry.line for entry in script.GALLERY.values())
    assert [name for name in charts.__all__ if f"charts.{name}(" not in shown] == []


def test_the_page_is_what_the_script_writes_and_its_pictures_are_there(script):
    assert script.page() == PAGE
    assert all((DOCS / "pictures" / "gallery" / f"{name}.png").stat().st_size > 2_000 for name in script.GALLERY)


def test_every_line_calls_the_session_as_it_is(script):
    for entry in script.GALLERY.values():
        for call in ast.walk(ast.parse(entry.line)):
            if isinstance(call, ast.Call) and ast.unparse(call.func).startswith("session."):
                signature = inspect.signature(getattr(Session, call.func.attr))
                signature.bind(None, *call.args, **{keyword.arg: None for keyword in call.keywords})
