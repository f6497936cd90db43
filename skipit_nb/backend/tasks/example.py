"""`Example`: one question with its right answer; it holds no pixels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from skipit_nb.backend.tasks.scoring.score import Score


@dataclass(frozen=True)
class Example:
    """One question about one image, or several, or none, with the answer that counts as right."""

    key: str
    """Name of the question, unique in its task, such as ``easy-vqa/test/0042``."""
    question: str
    """The question as it is put to the model, with the task's own words around it if it has some."""
    answer: str
    """The right answer: the word in lower case, or of a multiple choice the letter in upper case."""
    kind: str
    """The type of question, such as ``color``."""
    cluster: str
    """The image that the question is about; questions with the same cluster share an image."""
    loader: Callable[[], Any] = field(repr=False, compare=False)
    """Gives the image, a list of images, or None; called anew each time, so that a task holds no pixels."""
    answers: tuple[str, ...] = ()
    """What several people answered, ten in VQA; empty where `answer` is all there is."""
    choices: tuple[str, ...] = ()
    """The options in the order of their letters A, B, C, …; empty for an open question."""
    scorer: str = "exact"
    """The rule that scores an answer, one of `scorer_names()`."""
    group: str = ""
    """What is right or wrong together, such as the rotations of one multiple choice; empty where nothing is."""
    judge: Callable[[str], Score] | None = field(default=None, repr=False, compare=False)
    """The user's own rule in place of `scorer`; None for none."""
    picture: str = field(default="", repr=False)
    """What tells its image from another one in its place, such as a digest; empty where the task's version does."""

    @property
    def image(self) -> Any:
        """The image, in RGB, opened or drawn on demand; a list of several; None for a question without one."""
        return self.loader()
