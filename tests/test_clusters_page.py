"""What the page about clusters shows is what runs."""

import re
from pathlib import Path

import pytest

PAGE = (Path(__file__).parents[1] / "docs" / "clusters.md").read_text(encoding="utf-8")
CODE = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize("code", CODE)
def test_every_block_is_python(code: str) -> None:
    compile(code, "clusters.md", "exec")


@pytest.mark.model
@pytest.mark.usefixtures("two_timed_prompts")
def test_two_processes_judge_a_skip_set() -> None:
    scope: dict[str, object] = {}
    exec(CODE[0].replace("limit=500", "limit=8"), scope)
    assert scope["result"].num_questions >= 8  # type: ignore[attr-defined]
    scope["session"].close()  # type: ignore[attr-defined]
