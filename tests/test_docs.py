"""The pages: every public name is documented, every block of the first ten minutes runs, every link leads somewhere."""

import re
from pathlib import Path
from typing import Any

import pytest

import skipit_nb
from skipit_nb import Session

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = sorted(path for path in DOCS.rglob("*.md") if "_build" not in path.parts)
BLOCK = re.compile(r"```python\n(.*?)```", re.DOTALL)
API = "\n".join(path.read_text("utf-8") for path in (DOCS / "api").glob("*.md"))


@pytest.mark.parametrize("name", skipit_nb.__all__)
def test_every_public_name_is_in_the_reference(name: str) -> None:
    module = getattr(skipit_nb, name).__module__
    by_module = any(f"automodule:: {part}\n" in API for part in (module, module.rpartition(".")[0]))
    assert by_module or re.search(rf"auto(class|function|exception):: \S*\b{name}\b", API)


@pytest.mark.model
@pytest.mark.usefixtures("two_timed_prompts")
def test_the_first_ten_minutes_run(capsys: pytest.CaptureFixture[str]) -> None:
    scope: dict[str, object] = {}
    for block in BLOCK.findall((DOCS / "start.md").read_text("utf-8")):
        exec(block.replace("open()", "open(device='cpu')").replace("limit=500", "limit=100"), scope)
    said = capsys.readouterr().out
    assert "points" in said
    assert "vision absent" in said


@pytest.mark.model
def test_the_first_ten_minutes_run_on_another_model_with_the_three_lines_changed(
    session: Session, tmp_path: Path
) -> None:
    """The other model is a folder with the one in the box without two of its layers."""
    session.export("whole 8+10", tmp_path / "mine")
    said = re.sub(r"limit=\d+", "limit=20", "".join(BLOCK.findall((DOCS / "start.md").read_text("utf-8"))))
    changed = re.findall(r"^# ((\w+) = .*)$", said, re.MULTILINE)
    assert [name for _, name in changed] == ["session", "profile", "result"]
    mine = said.replace('"llava-hf/llava-1.5-7b-hf", dtype="bfloat16"', f'"{tmp_path / "mine"}", device="cpu"')
    mine = mine.replace("gqa", "digits-vqa").replace("skipset, limit=20", 'skipset, limit=20, measure=("accuracy",)')
    for line, name in re.findall(r"^# ((\w+) = .*)$", mine, re.MULTILINE):
        mine = re.sub(rf"^{name} = .*$", line, mine, count=1, flags=re.MULTILINE)
    scope: dict[str, Any] = {}
    exec(mine, scope)
    assert scope["result"].provenance.task.startswith("digits-vqa")
    assert scope["result"].b.num_layers == 10


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(DOCS)))
def test_every_link_leads_somewhere(path: Path) -> None:
    links = re.findall(r"\]\((?!https?:|mailto:|#)([^)#\s]+)", path.read_text("utf-8"))
    assert [link for link in links if not (path.parent / link).exists()] == []


def test_every_page_is_within_reach_of_the_first() -> None:
    trees = [*re.findall(r"```\{toctree\}(.*?)```", (DOCS / "index.md").read_text("utf-8"), re.DOTALL)]
    listed = {line.strip() for tree in trees for line in tree.splitlines() if line.strip() and ":" not in line}
    pages = {path.relative_to(DOCS).with_suffix("").as_posix() for path in DOCS.glob("*.md")} - {"index"}
    assert pages - listed == set()
    assert {name for name in listed if "*" not in name and not (DOCS / f"{name}.md").exists()} == set()
