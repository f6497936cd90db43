import pytest
from PIL import Image

from skipit_nb.backend.tasks import Example
from skipit_nb.zoo.evaluate import blind, by_kind, share

pytestmark = pytest.mark.model


def ask(question: str, answer: str, kind: str = "color") -> Example:
    return Example("k", question, answer, kind, "c", lambda: Image.new("RGB", (1, 1)))


def test_the_blind_guess_is_the_most_frequent_answer_to_the_same_words() -> None:
    train = [ask("q", "yes"), ask("q", "no"), ask("q", "no"), ask("p", "red")]
    assert blind(train, [ask("q", "no"), ask("q", "yes"), ask("p", "red")]) == [True, False, True]


def test_on_a_tie_the_blind_guess_is_the_first_in_the_alphabet() -> None:
    assert blind([ask("q", "yes"), ask("q", "no")], [ask("q", "no")]) == [True]


def test_words_never_asked_in_training_are_guessed_wrong() -> None:
    assert blind([ask("q", "yes")], [ask("new", "yes")]) == [False]


def test_accuracy_by_kind_counts_its_questions() -> None:
    examples = [ask("q", "a", "shape"), ask("q", "a", "color"), ask("q", "a", "shape")]
    assert by_kind(examples, [True, False, False]) == {
        "color": {"accuracy": 0.0, "n": 1},
        "shape": {"accuracy": 0.5, "n": 2},
    }


def test_a_share_is_between_none_and_all() -> None:
    assert (share([False]), share([True, False]), share([True])) == (0.0, 0.5, 1.0)
