"""The rubric: what every question is worth, what earns it, and what typical mistakes lose.

`rubric.toml` holds it for people and programs alike: the notebooks' points are held against it, `rubric.md` is written
from it, and the tests hand in its mistakes and expect the points it says.
"""

import tomllib
from dataclasses import dataclass
from pathlib import Path

COURSE = Path(__file__).parent


@dataclass(frozen=True)
class Question:
    """One answer cell; its check is the cell `<id>-test`."""

    id: str
    points: int
    goal: str
    earned: str
    manual: bool = False


@dataclass(frozen=True)
class Mistake:
    """A wrong solution that is often handed in."""

    name: str
    why: str
    loses: tuple[str, ...]
    """Questions without points; all others earn theirs."""
    answers: dict[str, str]
    """What stands in these questions' cells."""


@dataclass(frozen=True)
class Assignment:
    """One notebook."""

    name: str
    title: str
    minutes: int
    questions: tuple[Question, ...]
    mistakes: tuple[Mistake, ...]

    @property
    def points(self) -> int:
        """All points."""
        return sum(question.points for question in self.questions)

    def automatic(self, without: tuple[str, ...] = ()) -> int:
        """Points that a program gives, if some questions are wrong."""
        return sum(q.points for q in self.questions if not q.manual and q.id not in without)


def rubric() -> tuple[Assignment, ...]:
    """All assignments, in the order of the course."""
    stored = tomllib.loads((COURSE / "rubric.toml").read_text())
    return tuple(
        Assignment(
            name=one["name"],
            title=one["title"],
            minutes=one["minutes"],
            questions=tuple(Question(**question) for question in one["question"]),
            mistakes=tuple(Mistake(**mistake | {"loses": tuple(mistake["loses"])}) for mistake in one["mistake"]),
        )
        for one in stored["assignment"]
    )


def page(assignments: tuple[Assignment, ...]) -> str:
    """The rubric for people, in Markdown."""
    lines = ["# Rubric", "", "Written from `rubric.toml` by `make_release`; change it there.", ""]
    for one in assignments:
        lines += [f"## {one.name}: {one.title}", ""]
        lines += [
            f"{one.points} points, {one.points - one.automatic()} of them by hand; about {one.minutes} minutes.",
            "",
        ]
        lines += ["| question | points | goal | earned by |", "| --- | --- | --- | --- |"]
        lines += [
            f"| `{q.id}`{' (by hand)' if q.manual else ''} | {q.points} | {q.goal} | {q.earned} |"
            for q in one.questions
        ]
        lines += ["", "Typical mistakes, and what is left if all else is right (points by program):", ""]
        lines += ["| mistake | why it is made | loses | earns |", "| --- | --- | --- | --- |"]
        for mistake in one.mistakes:
            lost = ", ".join(f"`{name}`" for name in mistake.loses)
            earns = f"{one.automatic(mistake.loses)} of {one.automatic()}"
            lines.append(f"| {mistake.name} | {mistake.why} | {lost} | {earns} |")
        lines.append("")
    return "\n".join(lines)
