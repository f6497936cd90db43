"""Stopping early, looking at many sets, and asking A twice: on the model in the box."""

import pytest

from skipit_nb import Comparison, Session, SkipSet, Sweep
from skipit_nb.backend.evaluation import sweeping
from skipit_nb.backend.evaluation.stopping import looks
from skipit_nb.backend.tasks.scoring import score
from skipit_nb.backend.tasks.task import Example, Task

TASK = "digits-vqa"
ONLY_ACCURACY = ("accuracy",)


def questions(*images):
    """As many questions about each image as said."""
    return [
        Example(f"{image}/{number}", "?", "yes", "kind", str(image), lambda: None)
        for image, count in enumerate(images)
        for number in range(count)
    ]


def test_looks_are_whole_images_and_miss_none():
    asked = questions(3, 4, 2, 5, 1)
    parts = [list(part) for part in looks(asked, 5)]
    assert [len(part) for part in parts] == [7, 7, 1]
    assert [question for part in parts for question in part] == asked
    assert [len(part) for part in looks(asked, 100)] == [15]


def test_a_clear_loss_stops_the_run_and_says_so(session):
    found = session.compare(TASK, b="vision absent 0-", limit=300, measure=ONLY_ACCURACY, stop_early=True)
    assert found.verdict.kind == "worse"
    assert not found.is_complete
    assert found.num_questions < found.planned
    assert found.planned >= 300
    assert "anytime" in found.metric("accuracy").method
    assert found.provenance.samples == tuple(found.frame.key)
    assert found.statistics.set_index("statistic").value["asked"] == found.num_questions / found.planned
    assert Comparison.from_json(found.to_json()) == found
    order = [example.key for example in session.examples(TASK, limit=300)]
    assert order[: found.num_questions] == list(found.frame.key), "the images of a run to its end, in its order"


def test_a_run_without_a_clear_answer_goes_to_its_end_with_the_wider_interval(session):
    told = []
    asked = {"b": "whole 11", "limit": 30, "measure": ONLY_ACCURACY, "margin": 0.001}
    early = session.compare(TASK, stop_early=True, progress=lambda done, total: told.append((done, total)), **asked)
    plain = session.compare(TASK, **asked)
    assert early.is_complete
    assert told[-1] == (early.num_questions, early.num_questions)
    assert told == sorted(told)
    assert early.answers == plain.answers
    assert (early.planned, plain.planned) == (early.num_questions, None)
    one, other = early.metric("accuracy"), plain.metric("accuracy")
    assert one.low < other.low
    assert other.high < one.high
    assert early.tests == plain.tests
    assert early.mde / plain.mde == pytest.approx((one.high - one.low) / (other.high - other.low)), "it finds less"
    cautious = early.statistics.query("unit == 'p'").reading.str.contains("stop at any look")
    assert (cautious.all(), plain.statistics.reading.str.contains("stop at any look").any()) == (True, False)


def test_without_a_limit_stopping_early_shuffles_the_images(session):
    own = session.examples(TASK)[:40]
    task = Task("own", "test", "", own)
    found = session.compare(task, b="vision absent 0-", measure=ONLY_ACCURACY, stop_early=True)
    keys = [example.key for example in own]
    assert sorted(found.frame.key) == sorted(keys)
    assert list(found.frame.key) != keys
    assert list(found.frame.key) == [example.key for example in task.sample(len(task), 0)]


def test_the_intervals_of_a_sweep_hold_together_and_its_finalists_are_part_of_it(session):
    sets = ["whole 11", "vision absent 0-5", "vision absent 7-"]
    found = session.sweep(TASK, sets, limit=30, finalists=1)
    for row in found.rows:
        assert row.low_all <= row.low <= row.delta <= row.high <= row.high_all
        assert (row.p_adjusted < 0.05) == (not row.low_all <= 0 <= row.high_all)
    assert found.rows[1].p_adjusted < 0.05
    table = found.adjusted
    assert list(table.columns) == ["skipset", "delta", "low", "high", "p"]
    assert list(table.delta) == sorted(table.delta, reverse=True)
    assert Sweep.from_json(found.to_json()) == found
    assert session.sweep(TASK, sets, limit=30, finalists=1) == found


def test_a_set_given_twice_is_judged_twice_alike(session):
    found = session.sweep(TASK, ["whole 11", "whole 11"], limit=6, finalists=2)
    assert found.rows[0] == found.rows[1]


def test_a_sweep_scores_every_answer_once(session, monkeypatch):
    scored = []
    monkeypatch.setattr(sweeping, "score", lambda text, example: scored.append(example.key) or score(text, example))
    found = session.sweep(TASK, ["whole 11", "whole 0"], limit=8)
    assert len(scored) == 3 * len(found.provenance.samples)


def test_full_precision_has_no_noise_and_half_precision_in_batches_tells_it(session):
    asked = {"b": "whole 11", "limit": 12, "measure": ONLY_ACCURACY}
    assert session.compare(TASK, **asked).noise is None
    with Session.open(device="cpu", dtype="bfloat16") as half:
        assert half.compare(TASK, **asked).noise is None, "one question at a time: the same batches always"
        found = half.compare(TASK, batch_size=8, **asked)
    assert found.noise.batch_sizes == (8, 1)
    assert found.noise.asked == found.num_questions
    assert 0 <= found.noise.flipped <= found.noise.changed <= found.noise.asked
    assert found.noise.share < found.noise.high <= 1
    assert "A/A flips" in set(found.statistics.statistic)
    assert Comparison.from_json(found.to_json()) == found


def test_a_comparison_counts_by_kind_by_target_and_by_image(session):
    found = session.compare(TASK, b=SkipSet.late_entry(4), limit=20, measure=ONLY_ACCURACY)
    kinds = found.by("kind")
    assert list(kinds.columns[-2:]) == ["p", "p_holm"]
    assert (kinds.p_holm >= kinds.p).all()
    assert list(found.by_kind().columns) == list(kinds.columns[:-2])
    targets = found.by("target")
    assert targets.n.sum() == found.num_questions
    assert (targets.worse.sum(), targets.better.sum()) == (found.worse, found.better)
    with pytest.raises(Exception, match="column is 'colour'"):
        found.by("colour")
