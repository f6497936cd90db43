"""How nbgrader grades this course. Run it in this folder."""

from typing import Any

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell
from nbgrader.api import Gradebook
from nbgrader.preprocessors import (
    CheckCellMetadata,
    ClearOutput,
    DeduplicateIds,
    NbGraderPreprocessor,
    OverwriteCells,
    OverwriteKernelspec,
)


class RestoreAnswers(NbGraderPreprocessor):
    """Puts an empty answer cell where a student deleted one.

    nbgrader restores a deleted check behind the cell before it. If that was the answer, and is gone too, it gives up on
    the whole notebook.
    """

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        """Add what is missing, after the cell that it followed."""
        asked = resources["nbgrader"]
        with Gradebook(asked["db_url"]) as book:
            released = book.find_notebook(asked["notebook"], asked["assignment"])
            order = [cell.name for cell in released.source_cells]
            graded = {cell.name for cell in released.grade_cells}
        place = 0
        for name in order:
            found = [i for i, cell in enumerate(nb.cells) if cell.metadata.get("nbgrader", {}).get("grade_id") == name]
            if not found and name not in graded:
                self.log.warning("Missing answer cell %s encountered, adding an empty one", name)
                nb.cells.insert(place, empty_answer(name))
                found = [place]
            place = found[0] + 1 if found else place
        return nb, resources


def empty_answer(name: str) -> NotebookNode:
    """An answer cell that says that it was deleted."""
    known = {"grade": False, "grade_id": name, "locked": False, "schema_version": 3, "solution": True, "task": False}
    said = f"# This cell ({name}) was missing from the submission. It was added back, without an answer."
    return new_code_cell(said, metadata={"nbgrader": known | {"cell_type": "code"}})


c = get_config()  # noqa: F821 - nbgrader gives it

c.CourseDirectory.course_id = "skipit-nb"

# On one slow core every cell keeps within half of the 30 seconds that are the default; graders run several at a time.
c.Execute.timeout = 60

# A kernel on a busy machine may be slow to start and to answer: that is no student's fault.
c.Execute.startup_timeout = 300
c.Execute.iopub_timeout = 60

# A check that a student has deleted comes back, says so, and is run.
c.OverwriteCells.add_missing_cells = True
c.Autograde.sanitize_preprocessors = [
    ClearOutput,
    DeduplicateIds,
    OverwriteKernelspec,
    RestoreAnswers,
    OverwriteCells,
    CheckCellMetadata,
]
