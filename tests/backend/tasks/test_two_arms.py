"""A task's own metric for two arms: the numbers are `put_together`'s, the intervals hold what they claim."""

import numpy as np
import pytest

from skipit_nb.backend.tasks import Example, Score, metric_names, put_together
from skipit_nb.backend.tasks.scoring.two_arms import task_metrics


def questions(images):
    """Two questions about each image, one to be answered yes, one no; four categories."""
    kinds = ("color", "OCR", "count", "code_reasoning")
    return [
        Example(f"k{image}{right}", "q", right, kinds[image % 4], f"i{image}", lambda: None, scorer="yes_no")
        for image in range(images)
        for right in ("yes", "no")
    ]


def scores(rng, n, share):
    """Right with this probability; of the others half cannot be read."""
    draws = rng.random((n, 2))
    return [Score(float(x < share), parsed=bool(x < share or y < 0.5), rule="r") for x, y in draws]


@pytest.mark.parametrize("metric", [name for name in metric_names() if name != "accuracy"])
def test_the_numbers_are_those_of_each_arm_alone(metric):
    rng, examples = np.random.default_rng(0), questions(40)
    a, b = scores(rng, 80, 0.8), scores(rng, 80, 0.6)
    apart = [put_together(metric, examples, arm) for arm in (a, b)]
    found = task_metrics(metric, examples, a, b)
    assert [row.name for row in found] == [name for name in apart[0] if name not in ("accuracy", "parsed_rate")]
    for row in found:
        assert (row.a, row.b) == (pytest.approx(apart[0][row.name]), pytest.approx(apart[1][row.name]))
        assert row.value == pytest.approx(row.b - row.a)
        assert row.low <= row.value <= row.high
        assert row.unit == ("points" if row.name in ("mme", "perception", "cognition") else "share")


def test_equal_arms_differ_by_nothing():
    examples, a = questions(30), scores(np.random.default_rng(1), 60, 0.7)
    for metric in metric_names():
        assert all((row.value, row.low, row.high) == (0, 0, 0) for row in task_metrics(metric, examples, a, a))


def test_plain_accuracy_is_left_to_its_own_statistics():
    examples, a = questions(3), scores(np.random.default_rng(1), 6, 0.7)
    assert task_metrics("accuracy", examples, a, a) == []


def test_one_image_gives_numbers_and_no_error():
    examples = questions(1)
    right, wrong = ([Score(value, parsed=True, rule="r")] * 2 for value in (1.0, 0.0))
    assert task_metrics("mme", examples, right, wrong)[0].value == -200


def test_the_seed_decides_the_interval():
    rng, examples = np.random.default_rng(2), questions(30)
    a, b = scores(rng, 60, 0.8), scores(rng, 60, 0.6)
    assert task_metrics("f1", examples, a, b, seed=1) == task_metrics("f1", examples, a, b, seed=1)
    assert task_metrics("f1", examples, a, b, seed=1) != task_metrics("f1", examples, a, b, seed=2)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("metric", "name"), [("f1", "f1"), ("mme", "mme"), ("circular", "circular"), ("macro", "macro_accuracy")]
)
def test_the_interval_covers_the_true_difference_19_times_in_20(metric, name):
    rng, examples = np.random.default_rng(3), questions(100)
    everywhere = questions(20_000)
    truth = {}
    for arm, share in (("a", 0.8), ("b", 0.7)):
        truth[arm] = put_together(metric, everywhere, scores(rng, len(everywhere), share))[name]
    covered = 0
    for run in range(400):
        a, b = scores(rng, 200, 0.8), scores(rng, 200, 0.7)
        row = next(row for row in task_metrics(metric, examples, a, b, seed=run) if row.name == name)
        covered += row.low <= truth["b"] - truth["a"] <= row.high
    assert 0.91 <= covered / 400 <= 0.98
