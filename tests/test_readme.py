"""What the README promises is what happens."""

import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.model

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")


@pytest.mark.usefixtures("two_timed_prompts")
def test_the_ten_lines_run() -> None:
    (code,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    scope: dict[str, object] = {}
    exec(re.sub(r"limit=\d+", "limit=20", code.replace("open()", "open(device='cpu')")), scope)
    assert "points" in scope["result"].verdict.sentence  # type: ignore[attr-defined]
    scope["session"].close()  # type: ignore[attr-defined]


def test_every_link_leads_somewhere() -> None:
    root = Path(__file__).parents[1]
    links = re.findall(r"\]\((?!http)([^)#]+)\)", README)
    assert links
    assert [link for link in links if not (root / link).exists()] == []
