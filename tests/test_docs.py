"""The pages: every public name is documented, every block of the first ten minutes runs, every link leads somewhere."""

import re
from pathlib import Path

import pytest

import skipit_nb

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = sorted(path for path in DOCS.rglob("*.md") if "_build" not in path.parts)
API = "\n".join(path.read_text("utf-8") for path in (DOCS / "api").glob("*.md"))


@pytest.mark.parametrize("name", skipit_nb.__all__)
def test_every_public_name_is_in_the_reference(name: str) -> None:
    module = getattr(skipit_nb, name).__module__
    by_module = any(f"automodule:: {part}\n" in API for part in (module, module.rpartition(".")[0]))
    assert by_module or re.search(rf"auto(class|function|exception):: \S*\b{name}\b", API)


@pytest.mark.model
def test_the_first_ten_minutes_run(capsys: pytest.CaptureFixture[str]) -> None:
    scope: dict[str, object] = {}
    for block in re.findall(r"```python\n(.*?)```", (DOCS / "start.md").read_text("utf-8"), re.DOTALL):
        exec(block.replace("open()", "open(device='cpu')"), scope)
    said = capsys.readouterr().out
    assert "points" in said
    assert "vision absent" in said


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
