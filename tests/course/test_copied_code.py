"""What *copy as code* puts into the clipboard is an answer, as it stands."""

import pytest

from skipit_nb import LayerDistanceExplorer, Session, SkipSetBuilder
from tests.course.submissions import cell, source


def check(assignment: str, question: str, answer: str, session: Session) -> None:
    """Run an answer and its whole check, hidden part and all, in one namespace, as a notebook would."""
    notebook = source(assignment)
    imports = [line for line in notebook.cells[1].source.splitlines() if line.startswith(("import ", "from "))]
    names: dict[str, object] = {"session": session}
    exec("\n".join(imports), names)
    exec(answer, names)
    exec(cell(notebook, f"{question}-test").source, names)


def test_the_explorers_code_answers_the_first_question(session: Session) -> None:
    explorer = LayerDistanceExplorer(session, task="easy-vqa", limit=100)
    explorer.set(task="digits-vqa", epsilon=0.01)
    check("1-geometry", "explored", explorer.code(), session)
    explorer.run(block=True)
    check("1-geometry", "explored", explorer.code(), session)


def test_the_explorers_code_for_another_task_is_refused_with_the_reason(session: Session) -> None:
    code = LayerDistanceExplorer(session, task="easy-vqa", limit=100, epsilon=0.01).code()
    with pytest.raises(AssertionError, match="choose the task digits-vqa in the explorer, and copy again"):
        check("1-geometry", "explored", code, session)


def test_the_builders_code_answers_what_was_built(session: Session) -> None:
    builder = SkipSetBuilder(session)
    builder.set(skipset="vision absent 6-")
    check("2-skip-set", "built", builder.code(), session)


def test_an_untouched_builders_code_is_refused_with_the_reason(session: Session) -> None:
    with pytest.raises(AssertionError, match=r"'none' saves 1.00; the brief asks for 1.5"):
        check("2-skip-set", "built", SkipSetBuilder(session).code(), session)
