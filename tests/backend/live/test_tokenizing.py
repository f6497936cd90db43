"""Prompts are the same whoever else makes some at the same time."""

import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from skipit_nb import Session
from skipit_nb.backend.live.answer_tokens import AnswerTokens
from skipit_nb.backend.live.model import LiveModel
from skipit_nb.backend.live.tokenizing import tokenizing

CALLS = {
    "a prompt": lambda live, example: live.inputs([example.image], [example.question]),
    "unknown words": lambda live, example: live.unknown_words(example.question),
    "an answer": lambda live, _: AnswerTokens(live.processor.tokenizer, "", " ").of("red"),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_who_calls_the_tokenizer_waits_for_who_does(session: Session, call: Callable[[LiveModel, Any], object]) -> None:
    example = session.examples("easy-vqa", limit=1)[0]
    other = threading.Thread(target=call, args=[session._open, example])
    with tokenizing:
        other.start()
        other.join(0.2)
        assert other.is_alive()
    other.join(30)
    assert not other.is_alive()


@pytest.fixture
def eager_threads() -> Iterator[None]:
    """Threads take turns as often as Python can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("eager_threads")
def test_a_quick_question_does_not_take_the_padding_from_a_batch(session: Session) -> None:
    live, examples = session._open, session.examples("easy-vqa", limit=32)
    images, questions = [one.image for one in examples], [one.question for one in examples]
    expected = live.inputs(images, questions)["input_ids"].tolist()
    stop = threading.Event()

    def ask() -> None:
        while not stop.is_set():
            live.unknown_words(questions[0])

    others = [threading.Thread(target=ask) for _ in range(2)]
    for other in others:
        other.start()
    try:
        for _ in range(10):
            assert live.inputs(images, questions)["input_ids"].tolist() == expected
    finally:
        stop.set()
        for other in others:
            other.join()
