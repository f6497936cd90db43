"""The evaluator on the model in the box: it can be watched, goes on after a restart, and asks many sets at once."""

from pathlib import Path

import pytest

from skipit_nb import Session
from skipit_nb.backend.evaluation import batches, watching
from skipit_nb.widgets import ABEvaluator

TASK, B = "digits-vqa", "vision absent 3-"

pytestmark = pytest.mark.usefixtures("two_timed_prompts")


def test_a_run_is_watched_and_its_data_are_those_of_the_same_call(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "SECONDS_BETWEEN_LOOKS", 0.0)
    with ABEvaluator(session, b=B, task=TASK, limit=24) as evaluator:
        found = evaluator.run()
        assert found is not None
        assert evaluator.looks[-1].planned == found.num_questions
        assert evaluator.looks[-1].low < found.metric("accuracy").value < evaluator.looks[-1].high
        plain = session.compare(TASK, b=B, limit=24, measure=("accuracy",))
        assert plain.answers == found.answers


def test_after_a_restart_the_ledger_has_the_answers(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ABEvaluator(session, b=B, task=TASK, limit=12, ledger=tmp_path / "kept") as evaluator:
        before = evaluator.run()
    written = (tmp_path / "kept" / "answers.jsonl").read_text()
    left: list[int] = []
    run = batches.Here.run

    def counting(here: batches.Here, examples: object, work: object, **named: object) -> object:
        kept = batches.Anew.unless_kept(work)  # type: ignore[arg-type]
        left.extend(kept.left(batch) is not None for batch in batches.batches(examples, here.chunk))  # type: ignore[arg-type]
        return run(here, examples, work, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(batches.Here, "run", counting)
    with ABEvaluator(session, b=B, task=TASK, limit=12, ledger=tmp_path / "kept") as again:
        found = again.run()
    assert found is not None
    assert before is not None
    assert found.answers == before.answers
    assert left
    assert not any(left), "no question was asked a second time"
    assert (tmp_path / "kept" / "answers.jsonl").read_text() == written


def test_many_skip_sets_are_asked_at_once(session: Session) -> None:
    with ABEvaluator(session, b=B, task=TASK, limit=12) as evaluator:
        assert evaluator.can_sweep
        found = evaluator.sweep()
        assert found is not None
        assert len(found.rows) == evaluator.num_layers - 1
        assert found.rows[2].skipset == evaluator.b  # it is one of the family
