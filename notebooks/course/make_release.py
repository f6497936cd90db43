"""Make what students and graders get from `source/` and `rubric.toml`: `python -m notebooks.course.make_release`.

    release/   nbgrader's student versions
    otter/     Otter's student versions, and an autograder.zip for each
    rubric.md  the rubric for people
    made.json  fingerprints of what went in and came out; a test compares them

It needs the extra `course`. Nothing of it runs a student's answer: the tests do. What was there stays until all of it
is made: where something fails, nothing is lost.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import nbformat

from notebooks.course.otter_format import otter_master
from notebooks.course.rubric import COURSE, Assignment, page, rubric

STORED = COURSE.parents[1] / "docs" / "results" / "digits-vqa-agreement.json"
"""A measurement that takes minutes, which the third notebook reads."""

MADE_FROM = ("source", "rubric.toml", "rubric.py", "otter_format.py", "make_release.py", "nbgrader_config.py")
FOLDERS = ("release", "otter")
MADE = (*FOLDERS, "rubric.md")


def main() -> None:
    """Make all of it anew."""
    assignments = rubric()
    for assignment in assignments:
        check_points(assignment)
    shutil.copy(STORED, COURSE / "source" / "3-reproduction")
    # Beside what it will replace: only within one file system is a move a renaming.
    with tempfile.TemporaryDirectory(dir=COURSE, prefix=".making-") as folder:
        for assignment in assignments:
            make_assignment(assignment.name, Path(folder))
            print(f"{assignment.name}: {assignment.points} points")
        put_in_place(Path(folder))
    (COURSE / "rubric.md").write_text(page(assignments))
    (COURSE / "made.json").write_text(json.dumps(fingerprints(), indent=1) + "\n")


def make_assignment(name: str, to: Path) -> None:
    """Let nbgrader and Otter make `release/` and `otter/` of one assignment in a folder."""
    with tempfile.TemporaryDirectory() as scratch:
        make_nbgrader_release(name, Path(scratch), to / "release" / name)
    with tempfile.TemporaryDirectory() as scratch:
        make_otter_release(name, Path(scratch), to / "otter" / name)


def put_in_place(made: Path) -> None:
    """Move what was made to where it belongs; where that fails, what was there comes back."""
    before = made / "before"
    before.mkdir()
    try:
        for name in FOLDERS:
            if (COURSE / name).exists():
                (COURSE / name).rename(before / name)
            (made / name).rename(COURSE / name)
    except BaseException:
        for kept in before.iterdir():
            shutil.rmtree(COURSE / kept.name, ignore_errors=True)
            kept.rename(COURSE / kept.name)
        raise


def source(name: str) -> nbformat.NotebookNode:
    """A source notebook."""
    return nbformat.read(COURSE / "source" / name / f"{name}.ipynb", as_version=4)


def check_points(assignment: Assignment) -> None:
    """Hold the notebook's points against the rubric's.

    Raises:
        ValueError: If they differ.
    """
    wanted = {q.id if q.manual else f"{q.id}-test": q.points for q in assignment.questions}
    graded = [cell.metadata.nbgrader for cell in source(assignment.name).cells if "nbgrader" in cell.metadata]
    found = {cell.grade_id: cell.points for cell in graded if cell.grade}
    if found != wanted:
        both = f"the notebook says {found}, rubric.toml {wanted}"
        raise ValueError(f"{assignment.name} and its rubric differ: {both}. Change one of them.")


def make_nbgrader_release(name: str, course: Path, to: Path) -> None:
    """Let nbgrader take out solutions and hidden tests, in a course folder of its own."""
    shutil.copy(COURSE / "nbgrader_config.py", course)
    shutil.copytree(COURSE / "source" / name, course / "source" / name)
    run("nbgrader", "generate_assignment", name, "--create", at=course)
    shutil.copytree(course / "release" / name, to)
    for file in to.iterdir():
        file.chmod(0o644)  # nbgrader makes them read-only


def make_otter_release(name: str, scratch: Path, to: Path) -> None:
    """Let Otter make a student's notebook and an autograder of the same source."""
    beside = [file for file in (COURSE / "source" / name).iterdir() if file.suffix != ".ipynb"]
    for file in beside:
        shutil.copy(file, scratch)
    master = otter_master(source(name), name, [file.name for file in beside])
    nbformat.write(master, scratch / f"{name}.ipynb")
    run("otter", "assign", f"{name}.ipynb", "made", "--no-run-tests", "--no-pdfs", at=scratch)
    (autograder,) = (scratch / "made" / "autograder").glob("*.zip")
    number_the_cells(scratch / "made" / "student" / f"{name}.ipynb")
    shutil.copytree(scratch / "made" / "student", to / "student")
    copy_without_times(autograder, to / "autograder.zip")


def number_the_cells(path: Path) -> None:
    """Give cells an id by their place, where Otter draws one anew each time."""
    notebook = nbformat.read(path, as_version=4)
    for number, cell in enumerate(notebook.cells):
        cell["id"] = f"cell-{number}"
    nbformat.write(notebook, path)


def copy_without_times(archive: Path, target: Path) -> None:
    """Copy a zip file so that equal contents give equal bytes."""
    with zipfile.ZipFile(archive) as given, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as taken:
        for name in sorted(given.namelist()):
            entry = zipfile.ZipInfo(name)
            entry.external_attr = given.getinfo(name).external_attr
            entry.compress_type = zipfile.ZIP_DEFLATED
            taken.writestr(entry, given.read(name))


def run(module: str, *arguments: str, at: Path) -> None:
    """Run a command line tool of this Python.

    Raises:
        RuntimeError: If it fails; with what it said.
    """
    # nbgrader calls the command `alembic`: it has to be found in an environment that nobody activated too.
    found = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=at,
        env=os.environ | {"PATH": found},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{module} {' '.join(arguments)} failed:\n{done.stdout}\n{done.stderr}")


def fingerprints() -> dict[str, dict[str, str]]:
    """SHA-256 of every file that goes in, and of every file that comes out."""
    return {"from": _hashes(MADE_FROM), "made": _hashes(MADE)}


def _hashes(names: tuple[str, ...]) -> dict[str, str]:
    roots = [COURSE / name for name in names]
    found = [file for root in roots for file in ([root] if root.is_file() else root.rglob("*")) if file.is_file()]
    kept = [file for file in found if ".ipynb_checkpoints" not in file.parts]
    return {str(file.relative_to(COURSE)): hashlib.sha256(file.read_bytes()).hexdigest() for file in sorted(kept)}


if __name__ == "__main__":
    main()
