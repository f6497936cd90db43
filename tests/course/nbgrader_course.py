"""A course folder in which nbgrader releases one assignment, grades what was handed in, and writes feedback."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from notebooks.course.rubric import COURSE

# Read in a process of its own: what nbgrader's database layer warns of is not ours.
SCORES = """
import json, sys
from nbgrader.api import Gradebook
with Gradebook("sqlite:///gradebook.db") as book:
    print(json.dumps({
        sent.student.id: {
            grade.cell.name: [grade.auto_score, grade.needs_manual_grade] for grade in sent.notebooks[0].grades
        }
        for sent in book.assignment_submissions(sys.argv[1])
    }))
"""


@dataclass(frozen=True)
class Graded:
    """What came back for one student."""

    points: dict[str, float | None]
    """By cell; None where a person has to grade."""
    waiting: tuple[str, ...]
    """Cells that wait for a person."""
    feedback: str
    """The page that the student gets; empty if there is none."""

    @property
    def total(self) -> float:
        return sum(points or 0 for points in self.points.values())

    def earned(self, question: str) -> float | None:
        return self.points[f"{question}-test"]


@dataclass(frozen=True)
class Course:
    """One assignment in a folder of its own."""

    folder: Path
    name: str

    @classmethod
    def open(cls, folder: Path, name: str) -> "Course":
        """Copy the assignment's source, and let nbgrader release it."""
        shutil.copy(COURSE / "nbgrader_config.py", folder)
        shutil.copytree(COURSE / "source" / name, folder / "source" / name)
        course = cls(folder, name)
        course.run("generate_assignment", name, "--create")
        return course

    def grade(self, submissions: Mapping[str, NotebookNode]) -> tuple[dict[str, Graded], str]:
        """Hand in, grade and give feedback: for each student what came back, and what the grader was told."""
        for student, notebook in submissions.items():
            folder = self.folder / "submitted" / student / self.name
            folder.mkdir(parents=True)
            nbformat.write(notebook, folder / f"{self.name}.ipynb")
        told = self.run("autograde", self.name, may_fail=True)
        assert (self.folder / "autograded").exists(), told
        self.run("generate_feedback", self.name)
        scores = json.loads(self._python("-c", SCORES, self.name).stdout)
        return {student: self._graded(student, scores.get(student, {})) for student in submissions}, told

    def run(self, *arguments: str, may_fail: bool = False) -> str:
        done = self._python("-m", "nbgrader", *arguments)
        assert may_fail or done.returncode == 0, done.stderr
        return done.stdout + done.stderr

    def _graded(self, student: str, cells: dict[str, list]) -> Graded:
        page = self.folder / "feedback" / student / self.name / f"{self.name}.html"
        return Graded(
            points={cell: points for cell, (points, _) in cells.items()},
            waiting=tuple(cell for cell, (_, waits) in cells.items() if waits),
            feedback=page.read_text() if page.exists() else "",
        )

    def _python(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        # nbgrader calls the command `alembic`: it has to be found in an environment that nobody activated too.
        settings = os.environ | {
            "JUPYTER_CONFIG_DIR": str(self.folder / "no-settings-of-anybody"),
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]),
        }
        return subprocess.run(
            [sys.executable, *arguments], cwd=self.folder, env=settings, capture_output=True, text=True, check=False
        )
