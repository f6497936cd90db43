"""Each committed notebook was really run, is small, and hides nothing from nbval.

nbval compares what it finds: where a cell was never executed it compares nothing and passes.
"""

import ast
import re
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))

# A cell's output may be left out of the comparison only if it is a timing; a cell may never be left out altogether.
IGNORED = re.compile(r"nbval[-_]ignore[-_]output", re.IGNORECASE)
SKIPPED = re.compile(r"nbval[-_](skip|raises)", re.IGNORECASE)

pytestmark = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)

Notebook = nbformat.NotebookNode
Cell = nbformat.NotebookNode


def read(path: Path) -> Notebook:
    return nbformat.read(path, as_version=4)


def code_cells(notebook: Notebook) -> list[Cell]:
    return [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip()]


def marks(cell: Cell) -> str:
    """Everything that nbval could take as an instruction: the cell's tags and its comments."""
    comments = re.findall(r"#.*", cell.source)
    return "\n".join([*cell.metadata.get("tags", []), *comments])


def test_it_is_a_notebook_of_the_story(path: Path) -> None:
    nbformat.validate(read(path))
    assert re.match(r"\d+-[a-z0-9-]+\.ipynb", path.name), "a notebook is numbered by its place in the story"


def test_each_cell_was_run_once_from_top_to_bottom(path: Path) -> None:
    counts = [cell.execution_count for cell in code_cells(read(path))]
    assert counts == list(range(1, len(counts) + 1))


def test_no_cell_failed(path: Path) -> None:
    outputs = [output for cell in code_cells(read(path)) for output in cell.outputs]
    assert [output.evalue for output in outputs if output.output_type == "error"] == []


def test_no_cell_wrote_to_stderr(path: Path) -> None:
    outputs = [output for cell in code_cells(read(path)) for output in cell.outputs]
    assert [output.text for output in outputs if output.get("name") == "stderr"] == []


def test_no_widget_state_is_stored(path: Path) -> None:
    assert "widgets" not in read(path).metadata


def test_no_path_of_a_machine_is_shown(path: Path) -> None:
    text = path.read_text()
    assert str(ROOT) not in text
    assert re.findall(r"/(?:home|root|tmp|Users)/[\w.-]+/[\w./-]*", text) == []


def test_it_is_short_and_has_prose(path: Path) -> None:
    cells = read(path).cells
    assert len(cells) < 20
    assert cells[0].cell_type == "markdown"


def test_it_says_first_what_the_reader_will_know(path: Path) -> None:
    assert re.search(r"you will (have|know)", read(path).cells[0].source)


def test_it_ends_with_two_exercises(path: Path) -> None:
    last = read(path).cells[-1].source
    assert last.startswith("## Exercises\n")
    assert re.findall(r"^\d+\.", last, re.MULTILINE) == ["1.", "2."]


def test_its_pictures_are_seen_on_a_static_page(path: Path) -> None:
    shown = [set(output.get("data", ())) for cell in code_cells(read(path)) for output in cell.outputs]
    pictures = [kinds for kinds in shown if kinds & {"image/png", "image/svg+xml"}]
    live = [kinds for kinds in shown if any("widget-view" in kind for kind in kinds)]
    assert pictures
    assert [kinds for kinds in live if "image/png" not in kinds] == []


def test_it_defines_nothing(path: Path) -> None:
    trees = [ast.parse(cell.source) for cell in code_cells(read(path))]
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    found = [node.name for tree in trees for node in ast.walk(tree) if isinstance(node, kinds)]
    assert found == [], "a notebook that needs a helper shows a hole in the package"


def test_only_timings_are_left_out_of_the_comparison(path: Path) -> None:
    cells = code_cells(read(path))
    assert [cell.source for cell in cells if SKIPPED.search(marks(cell))] == []
    ignored = [cell for cell in cells if IGNORED.search(marks(cell))]
    assert [cell.source for cell in ignored if "timing" not in cell.metadata.get("tags", [])] == []


def test_most_cells_are_compared(path: Path) -> None:
    shown = [cell for cell in code_cells(read(path)) if cell.outputs]
    assert shown, "a notebook without outputs proves nothing"
    assert sum(bool(IGNORED.search(marks(cell))) for cell in shown) <= len(shown) / 4
