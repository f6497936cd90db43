"""Grade a whole class with Otter, without containers: `python -m notebooks.course.grade_with_otter AUTOGRADER FOLDER`.

    AUTOGRADER  otter/<assignment>/autograder.zip
    FOLDER      what was handed in: <student>.ipynb, or the <student>.zip that Otter's last cell makes
    graded/     (or --to) points.csv for the teacher, and a <student>.txt to give back

`otter run` grades one notebook. It knows no time limit, wants whatever kernel the notebook names, and says of an answer
that could not be read only that it is not there. Here every notebook gets a limit for each cell and the kernel it was
released for, errors of its cells are told, and grading goes on with the next student whatever happens.

Limits need SIGALRM, which Windows has not.
"""

import argparse
import csv
import inspect
import json
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell

CELL_SECONDS = 60
"""As for nbgrader: see nbgrader_config.py."""

NOTEBOOK_SECONDS = 1800
"""For what no signal stops, such as an endless loop in compiled code."""


@dataclass(frozen=True)
class Graded:
    """What Otter gives one student."""

    points: dict[str, float]
    """By question; empty if the notebook could not be graded."""
    said: str
    """What the checks said, for the student."""
    errors: tuple[str, ...]
    """What went wrong outside the checks: a cell with an error, or the whole notebook."""

    @property
    def total(self) -> float:
        """All points."""
        return sum(self.points.values())


def main() -> None:
    """Grade a folder; tell of each student in a line."""
    parser = argparse.ArgumentParser(prog="grade_with_otter", description="Grade a whole class with Otter.")
    parser.add_argument("autograder", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--to", type=Path, default=Path("graded"))
    asked = parser.parse_args()
    asked.to.mkdir(parents=True, exist_ok=True)
    found: dict[str, Graded] = {}
    for submission in sorted(file for file in asked.folder.iterdir() if file.suffix in {".ipynb", ".zip"}):
        found[submission.stem] = one = grade(asked.autograder, submission)
        (asked.to / f"{submission.stem}.txt").write_text(one.said)
        print(f"{submission.stem}: {one.total:g} {' · '.join(one.errors)}".strip(), flush=True)
    write_points(asked.to / "points.csv", found)


def grade(autograder: Path, submission: Path, cell_seconds: int = CELL_SECONDS) -> Graded:
    """What one student gets; a notebook that cannot be graded gets no points, and the reason."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        log = folder / "errors.txt"
        try:
            notebook = guarded(read(submission), log, cell_seconds)
            nbformat.write(notebook, folder / file_name(autograder))
            results = otter_run(autograder, folder / file_name(autograder))
        except Exception as problem:  # noqa: BLE001 - whatever a student hands in, the next one is graded
            why = f"not graded: {type(problem).__name__}: {problem}"
            return Graded({}, why, (why,))
        errors = tuple(log.read_text().splitlines()) if log.exists() else ()
    tests = [one for one in results["tests"] if one["name"] != "Public Tests"]
    parts = [f"{one['name']}: {one['score']:g} of {one['max_score']:g}\n{one['output']}" for one in tests]
    return Graded({one["name"]: one["score"] for one in tests}, "\n\n".join([*errors, *parts]), errors)


def read(submission: Path) -> NotebookNode:
    """The notebook that was handed in, out of its zip file if need be.

    Raises:
        ValueError: If there is not one notebook, or it cannot be read.
    """
    if submission.suffix == ".ipynb":
        return nbformat.reads(submission.read_text(encoding="utf-8"), as_version=4)
    with zipfile.ZipFile(submission) as archive:
        inside = [name for name in archive.namelist() if name.endswith(".ipynb") and "/." not in f"/{name}"]
        if len(inside) != 1:
            raise ValueError(f"{submission.name} holds {len(inside)} notebooks, and one is expected. Ask for it alone.")
        return nbformat.reads(archive.read(inside[0]).decode("utf-8"), as_version=4)


def guarded(notebook: NotebookNode, log: Path, cell_seconds: int) -> NotebookNode:
    """The notebook with the kernel it was released for, and a first cell that limits and watches the others."""
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    first = f"{inspect.getsource(guard)}\nguard(get_ipython(), {cell_seconds}, {str(log)!r})\ndel guard"
    notebook.cells.insert(0, new_code_cell(first))
    return notebook


def guard(shell, seconds, log):  # noqa: ANN001, ANN201
    """Stop every cell after some seconds, and write down its error.

    Its source runs in the student's kernel, where no name of this file is known.
    """
    import signal
    from pathlib import Path

    def stop(_signal, _frame):  # noqa: ANN001, ANN202
        raise TimeoutError(f"it was stopped after {seconds} seconds")

    def begin(_cell):  # noqa: ANN001, ANN202
        # Again and again: a check catches the first, and its hidden part would run for ever.
        signal.setitimer(signal.ITIMER_REAL, seconds, seconds)

    def end(result):  # noqa: ANN001, ANN202
        signal.setitimer(signal.ITIMER_REAL, 0)
        error = result.error_before_exec or result.error_in_exec
        if error is not None:
            lines = result.info.raw_cell.strip().splitlines() or [""]
            what = " ".join(str(error).split())
            with Path(log).open("a", encoding="utf-8") as file:
                file.write(f"in the cell that begins with `{lines[0]}`: {type(error).__name__}: {what}\n")

    signal.signal(signal.SIGALRM, stop)
    shell.events.register("pre_run_cell", begin)
    shell.events.register("post_run_cell", end)


def otter_run(autograder: Path, notebook: Path) -> dict[str, Any]:
    """Otter's results.json.

    Raises:
        RuntimeError: If Otter gives up; with the last that it said.
        subprocess.TimeoutExpired: If the notebook as a whole takes too long.
    """
    command = [sys.executable, "-m", "otter", "run", "-a", autograder.resolve(), "-o", notebook.parent, notebook]
    done = subprocess.run(
        command, cwd=notebook.parent, capture_output=True, text=True, check=False, timeout=NOTEBOOK_SECONDS
    )
    if done.returncode:
        raise RuntimeError((done.stderr.strip().splitlines() or [f"Otter left with {done.returncode}"])[-1])
    return json.loads((notebook.parent / "results.json").read_text())


def file_name(autograder: Path) -> str:
    """What Otter's first cell calls the notebook, whatever the student's file is called."""
    with zipfile.ZipFile(autograder) as archive:
        return json.loads(archive.read("otter_config.json"))["assignment_name"] + ".ipynb"


def write_points(path: Path, found: dict[str, Graded]) -> None:
    """A table with a row for each student and a column for each question."""
    questions = list(dict.fromkeys(question for one in found.values() for question in one.points))
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["student", *questions, "total", "errors"])
        for student, one in found.items():
            row = [one.points.get(question, 0) for question in questions]
            table.writerow([student, *row, one.total, " · ".join(one.errors)])


if __name__ == "__main__":
    main()
