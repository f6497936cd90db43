"""What it costs to watch a comparison: 1,000 questions with the evaluator shown, against the same call headless."""

import time
from collections.abc import Callable
from statistics import median

import pytest

from skipit_nb import Session
from skipit_nb.widgets import ABEvaluator

pytestmark = pytest.mark.bench

TASK, B, QUESTIONS, TURNS = "easy-vqa", "vision absent 3-", 1000, 3
MOST = 1.05


def cpu_seconds(run: Callable[[], object]) -> float:
    """Of this process, all threads: other work on the machine does not count."""
    start = time.process_time()
    run()
    return time.process_time() - start


def test_a_comparison_that_is_shown_costs_no_more_than_a_headless_one(
    session: Session, record: Callable[[tuple[str, ...]], None]
) -> None:
    with ABEvaluator(session, b=B, task=TASK, limit=QUESTIONS) as tool:
        view = tool.view  # follows every look, tick and flip, as it does in a notebook
        headless, shown = [], []
        for _ in range(TURNS):
            headless.append(cpu_seconds(lambda: session.compare(TASK, None, B, limit=QUESTIONS)))
            shown.append(cpu_seconds(tool.run))
        assert view.flips.counts["any"] > 0  # type: ignore[attr-defined]
    ratio = median(shown) / median(headless)
    what = f"A/B of {QUESTIONS:,} questions with the evaluator shown / headless, CPU time, median of {TURNS} turns"
    record((what, f"{ratio:.3f}×", f"bar: {MOST}×", "–"))
    assert ratio <= MOST
