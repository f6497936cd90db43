"""A run of the evaluator in a real JupyterLab: the kernel restarts in the middle of it, or Cancel is pressed."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import TWO_TIMED_PROMPTS, Opened, Written
from tests.browser.notebook_page import Notebook, press

pytestmark = pytest.mark.timeout(600)

OPEN = """
from skipit_nb import ABEvaluator, Session
session = Session.open(device="cpu")
"""

# -- the kernel restarts in the middle of a run ----------------------------------------------------------------------

JUDGE = """
evaluator = ABEvaluator(session, b="vision absent 0-5", task="easy-vqa", limit=200, ledger="ledger")
evaluator
"""
LEDGER = """
from pathlib import Path
lines = Path("ledger/answers.jsonl").read_text().splitlines()
"""
SAME = "said = lambda found: [(one.key, one.a, one.b, one.score_a, one.score_b) for one in found.answers]"


def test_a_run_goes_on_after_a_restart_and_says_what_an_uninterrupted_one_says(
    opened_anew: Opened, written: Written
) -> None:
    notebook = opened_anew(written(OPEN + TWO_TIMED_PROMPTS, JUDGE))
    assert notebook.run_all(), notebook.errors()
    press(notebook.output(1).locator(".skipit-tool").first, "Run A against B")
    notebook.wait_value("evaluator.job.done >= 60", want=True, seconds=60)
    notebook.restart()
    kept = notebook.run(LEDGER, "len(lines)")
    assert notebook.run_all(), notebook.errors()
    tool = notebook.output(1).locator(".skipit-tool").first
    press(tool, "Run A against B")
    notebook.wait_value("evaluator.result is not None", want=True, seconds=180)
    expect(tool.get_by_text(notebook.value("evaluator.result.verdict.sentence"))).to_be_visible()
    asked, arms = notebook.run(LEDGER, "[len(lines), len(lines) / evaluator.result.num_questions]")
    assert 0 < kept < asked
    assert arms == 3  # A, B and how sure A is of what B says: each question once, whether before or after
    alone = "'easy-vqa', None, 'vision absent 0-5', limit=200, margin=0.01, measure=('accuracy',)"
    notebook.run(f"whole = session.compare({alone})")
    assert notebook.value("evaluator.result.verdict == whole.verdict")
    notebook.run(SAME)
    assert notebook.value("said(evaluator.result) == said(whole)")
    assert notebook.errors() == []


# -- Cancel ----------------------------------------------------------------------------------------------------------

# From the press until the page shows that the job has ended.
WATCH = """root => {
    const button = [...root.querySelectorAll('button')].find(one => one.textContent === 'Cancel');
    button.addEventListener('pointerdown', () => {
        const start = performance.now();
        const look = () => {
            const words = root.querySelector('.skipit-job-message').textContent;
            if (words.startsWith('cancelled')) window.took.push(performance.now() - start);
            else requestAnimationFrame(look);
        };
        look();
    }, { capture: true, once: true });
}"""
LONG = """
evaluator = ABEvaluator(session, b="vision absent 0-5", task="easy-vqa", limit=3000)
evaluator
"""


@pytest.fixture(scope="module")
def judging(opened: Opened, written: Written) -> Notebook:
    made = opened(written(OPEN + TWO_TIMED_PROMPTS, LONG))
    assert made.run_all(), made.errors()
    return made


def cancel(notebook: Notebook, after: str) -> float:
    """Press Cancel once that much is done; seconds until the page shows the end."""
    tool = notebook.output(1).locator(".skipit-tool").first
    press(tool, "Run A against B")
    notebook.wait_value(after, want=True, seconds=60)
    notebook.page.evaluate("() => { window.took = []; }")
    tool.evaluate(WATCH)
    press(tool, "Cancel")
    notebook.page.wait_for_function("() => window.took.length", timeout=60_000)
    notebook.wait_value("evaluator.job.state", "cancelled")
    took: float = notebook.page.evaluate("() => window.took[0]")
    return took / 1000


def test_cancel_ends_a_long_run_and_keeps_what_was_answered(judging: Notebook) -> None:
    cancel(judging, "evaluator.job.done >= 100")
    expect(judging.page.get_by_role("button", name="Run A against B")).to_be_focused()
    assert 100 <= judging.value("evaluator.result.num_questions") < 3000
    assert not judging.value("evaluator.result.is_complete")
    assert judging.value("session.model.training") is False
    assert judging.complaints == []


@pytest.mark.bench
def test_cancel_is_seen_within_half_a_second(judging: Notebook) -> None:
    took = sorted(cancel(judging, f"evaluator.job.done >= {done}") for done in (20, 60, 100, 150, 200))
    print(f"\nCancel to the end on the page: {[round(1000 * one) for one in took]} ms")  # noqa: T201
    assert took[-1] < 0.5


@pytest.mark.bench
def test_cancel_is_seen_within_half_a_second_while_answers_are_timed(judging: Notebook) -> None:
    judging.run("evaluator.set(limit=12)")
    took = cancel(judging, "evaluator.job.done > evaluator.job.total - 10")
    judging.run("evaluator.set(limit=3000)")
    print(f"\nCancel while timed: {1000 * took:.0f} ms")  # noqa: T201
    assert took < 0.5
