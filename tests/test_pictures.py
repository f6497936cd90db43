"""The drawn picture in the docs is the one its script draws."""

import importlib.util
from pathlib import Path

DOCS = Path(__file__).parents[1] / "docs"


def test_the_picture_of_skipping_is_what_its_script_draws():
    spec = importlib.util.spec_from_file_location("draw_skipping", DOCS / "draw_skipping.py")
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    assert script.PICTURE.read_text(encoding="utf-8") == script.svg()
