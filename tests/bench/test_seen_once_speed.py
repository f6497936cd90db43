"""What a comparison saves by looking at every image once, not once an arm; next to the FLOPs of the second look."""

import contextlib
import time
from collections.abc import Callable
from statistics import median

import pytest

from skipit_nb import Session
from skipit_nb.backend.evaluation.seen_once import SeenOnce

pytestmark = pytest.mark.bench

TASK, B, QUESTIONS, TURNS = "easy-vqa", "vision absent 6-", 300, 5


def cpu_seconds(session: Session) -> float:
    """Of this process, all threads."""
    start = time.process_time()
    session.compare(TASK, None, B, limit=QUESTIONS, measure=["accuracy"])
    return time.process_time() - start


def predicted(session: Session) -> float:
    """FLOPs of both arms with two looks / with one; answers have two tokens, their end included."""
    metrics = {metric.name: metric for metric in session.compare(TASK, None, B, limit=20, measure=["flops"]).metrics}
    first, prefill, token = (
        metrics[name] for name in ("FLOPs to first token", "prefill FLOPs, measured", "FLOPs per token, measured")
    )
    both = first.a + token.a + first.b + token.b
    return both / (both - (first.a - prefill.a))


def test_arms_that_look_together_take_less_time(
    session: Session, record: Callable[[tuple[str, ...]], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    once, each = [], []
    cpu_seconds(session)
    for _ in range(TURNS):
        once.append(cpu_seconds(session))
        with monkeypatch.context() as patch:
            patch.setattr(SeenOnce, "by", lambda *_: contextlib.nullcontext())
            each.append(cpu_seconds(session))
    measured, expected = median(each) / median(once), predicted(session)
    what = (
        f"A/B of {QUESTIONS} questions, images seen once / once an arm, model in the box, CPU time, median of {TURNS}"
    )
    record((what, f"{measured:.2f}×", f"{expected:.2f}×", f"{measured / expected:.2f}"))
    assert measured > 1
