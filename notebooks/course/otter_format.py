"""An nbgrader source notebook, written as Otter's: the same text, answers, checks and points.

| nbgrader                             | Otter                                                             |
| ------------------------------------ | ----------------------------------------------------------------- |
| answer cell `tail`, check `tail-test` | question `tail`: a solution block and a tests block               |
| the check's visible part             | a public test case, as a function of the names that it reads      |
| between BEGIN and END HIDDEN TESTS   | a hidden test case, with the imports of the visible part          |
| manually graded text                 | a manual question: prompt, and a solution block                   |

A check that fails earns nothing in both, so a question's test cases are all or nothing.
"""

import ast
import builtins
import re
import symtable
from collections.abc import Iterator
from textwrap import indent

import yaml
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_raw_cell

HIDDEN = re.compile(r"^# BEGIN HIDDEN TESTS\n(.*?)^# END HIDDEN TESTS$", re.DOTALL | re.MULTILINE)
WRITTEN = re.compile(r"^<!-- BEGIN SOLUTION -->\n(.*?)^<!-- END SOLUTION -->$", re.DOTALL | re.MULTILINE)


def otter_master(source: NotebookNode, name: str, files: list[str]) -> NotebookNode:
    """The notebook that `otter assign` takes.

    Args:
        source: The nbgrader source notebook.
        name: Of the assignment.
        files: What lies beside the notebook and is read by it.
    """
    config = {
        "name": name,
        "files": files,
        "export_cell": {"pdf": False, "files": files},
        "generate": {"show_stdout": True},
        "tests": {"ok_format": False},
        "python_version": "3.11",
    }
    cells = [new_raw_cell(_block("ASSIGNMENT CONFIG", config)), *_cells(list(source.cells))]
    return new_notebook(metadata=source.metadata, cells=cells)


def _cells(cells: list[NotebookNode]) -> Iterator[NotebookNode]:
    for cell, following in zip(cells, [*cells[1:], NotebookNode()], strict=True):
        graded = cell.metadata.get("nbgrader", {})
        if graded.get("solution") and graded["grade"]:
            yield from _manual(cell)
        elif graded.get("solution"):
            yield from _question(cell, following)
        elif not graded.get("grade"):
            yield new_markdown_cell(cell.source) if cell.cell_type == "markdown" else new_code_cell(cell.source)


def _question(answer: NotebookNode, check: NotebookNode) -> Iterator[NotebookNode]:
    """An answer cell and the check that follows it."""
    config = {
        "name": answer.metadata.nbgrader.grade_id,
        "points": check.metadata.nbgrader.points,
        "all_or_nothing": True,
    }
    (hidden,) = HIDDEN.findall(check.source)
    visible = HIDDEN.sub("", check.source)
    yield new_raw_cell(_block("BEGIN QUESTION", config))
    yield from _fenced("SOLUTION", new_code_cell(answer.source))
    yield from _fenced(
        "TESTS",
        new_code_cell(_test_case(visible, "test_visible")),
        new_code_cell("# HIDDEN\n" + _test_case(_imports(visible) + hidden, "test_hidden")),
    )
    yield new_raw_cell("# END QUESTION")


def _manual(cell: NotebookNode) -> Iterator[NotebookNode]:
    """A text that a person grades."""
    graded = cell.metadata.nbgrader
    (solution,) = WRITTEN.findall(cell.source)
    yield new_raw_cell(_block("BEGIN QUESTION", {"name": graded.grade_id, "points": graded.points, "manual": True}))
    yield new_markdown_cell(WRITTEN.sub("", cell.source).strip())
    yield from _fenced("SOLUTION", new_markdown_cell(solution.strip()))
    yield new_raw_cell("# END QUESTION")


def _fenced(name: str, *cells: NotebookNode) -> Iterator[NotebookNode]:
    yield new_raw_cell(f"# BEGIN {name}")
    yield from cells
    yield new_raw_cell(f"# END {name}")


def _block(title: str, config: dict[str, object]) -> str:
    return f"# {title}\n{yaml.safe_dump(config, sort_keys=False)}".strip()


def _test_case(code: str, name: str) -> str:
    """The code as a function; what it reads and does not make itself, Otter hands in by name."""
    body = indent(code.strip(), "    ")
    table = symtable.symtable(f"def {name}():\n{body}\n", name, "exec").get_children()[0]
    return f"def {name}({', '.join(sorted(_free(table)))}):\n{body}"


def _free(table: symtable.SymbolTable) -> set[str]:
    """Names that a scope, or one inside it, takes from outside."""
    names = {symbol.get_name() for symbol in table.get_symbols() if symbol.is_global()}
    return {*names, *(name for child in table.get_children() for name in _free(child))} - set(dir(builtins))


def _imports(code: str) -> str:
    """The import lines of some code."""
    nodes = [node for node in ast.parse(code).body if isinstance(node, ast.Import | ast.ImportFrom)]
    return "".join(f"{ast.unparse(node)}\n" for node in nodes)
