"""What students hand in: a notebook of nbgrader's or Otter's with answers in its answer cells."""

from collections.abc import Callable, Mapping
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from notebooks.course.rubric import COURSE

Change = Callable[[NotebookNode], None]


def read(path: Path) -> NotebookNode:
    return nbformat.read(path, as_version=4)


def source(name: str) -> NotebookNode:
    return read(COURSE / "source" / name / f"{name}.ipynb")


def release(name: str) -> NotebookNode:
    return read(COURSE / "release" / name / f"{name}.ipynb")


def graded(cell: NotebookNode) -> NotebookNode:
    """What nbgrader knows of a cell; nothing of most."""
    return cell.metadata.get("nbgrader", NotebookNode(solution=False, grade=False, grade_id=""))


def cell(notebook: NotebookNode, grade_id: str) -> NotebookNode:
    return next(cell for cell in notebook.cells if graded(cell).grade_id == grade_id)


def solutions(name: str) -> dict[str, str]:
    """The teacher's answers, by question."""
    return {graded(cell).grade_id: cell.source for cell in source(name).cells if graded(cell).solution}


def answered(name: str, answers: Mapping[str, str]) -> NotebookNode:
    """A release notebook with these answers; the other answer cells as they were handed out."""
    notebook = release(name)
    for question, answer in answers.items():
        cell(notebook, question).source = answer
    return notebook


def full(name: str, **instead: str) -> NotebookNode:
    """The teacher's answers, some of them replaced."""
    return answered(name, solutions(name) | instead)


def clicked(name: str) -> NotebookNode:
    """Somebody found everything with the widgets, and wrote nothing down."""
    return click(release(name))


def click(notebook: NotebookNode) -> NotebookNode:
    """The same notebook, with its widgets used."""
    for one in notebook.cells:
        if one.cell_type == "code" and one.source.endswith("\nexplorer"):
            one.source = one.source.removesuffix("explorer") + 'explorer.set(task="digits-vqa", epsilon=0.01)'
            one.source += "\nexplorer.run()\nprofile_seen = explorer.result\nexplorer"
        if one.cell_type == "code" and one.source.endswith("\nbuilder"):
            one.source = one.source.removesuffix("builder") + 'builder.set(skipset="vision absent 6-")\nbuilder'
    return notebook


def otter_student(name: str) -> NotebookNode:
    """What Otter hands out."""
    return read(COURSE / "otter" / name / "student" / f"{name}.ipynb")


def otter_answered(name: str, answers: Mapping[str, str]) -> NotebookNode:
    """Otter's notebook with these answers; the other answer cells as they were handed out."""
    notebook = otter_student(name)
    places = [one for one in notebook.cells if "otter_answer_cell" in one.metadata.get("tags", [])]
    for question, place in zip(solutions(name), places, strict=True):
        place.source = answers.get(question, place.source)
    return notebook
