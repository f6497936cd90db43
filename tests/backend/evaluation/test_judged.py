"""Two lists of scores get the same verdict as a run of ours, and bad lists a clear refusal."""

import subprocess
import sys

import numpy as np
import pytest

from skipit_nb.backend.evaluation.judged import paired_comparison
from skipit_nb.errors import NoExamplesError, SettingError
from skipit_nb.results import PairedComparison


def test_scores_of_a_run_are_judged_as_the_run_was(session):
    run = session.compare("digits-vqa", b="vision absent 0-3", limit=40, measure=("accuracy",), margin=0.05)
    frame = run.frame
    found = paired_comparison(frame.score_a, frame.score_b, frame.cluster, kinds=frame.kind, margin=0.05)
    assert (found.accuracy, found.verdict, found.kinds, found.tests) == (
        run.metric("accuracy"), run.verdict, run.kinds, run.tests,
    )  # fmt: skip
    assert (found.p_mcnemar, found.mde, found.design_effect) == (run.p_mcnemar, run.mde, run.design_effect)
    assert (found.worse, found.better) == (run.worse, run.better) == (len(run.flips("worse")), len(run.flips("better")))
    assert run.flip_share == pytest.approx((run.worse + run.better) / run.num_questions)


def test_one_question_and_plain_truth_values_are_enough():
    found = paired_comparison([True], [False])
    assert (found.num_questions, found.num_clusters, found.worse, found.better) == (1, 1, 1, 0)
    assert found.accuracy.low == -1 < found.accuracy.high
    assert found.verdict.kind == "inconclusive"
    assert found.tests.correlation is None


def test_clusters_widen_and_are_counted():
    rng = np.random.default_rng(0)
    lost = np.repeat(rng.random(60) < 0.3, 10)
    apart = paired_comparison(np.ones(600), 1.0 - lost)
    together = paired_comparison(np.ones(600), 1.0 - lost, np.repeat(np.arange(60), 10))
    assert (apart.num_clusters, together.num_clusters) == (600, 60)
    assert together.design_effect == pytest.approx(10, rel=0.1)
    assert together.accuracy.low < apart.accuracy.low
    assert together.tests.p_sign_flip > apart.tests.p_sign_flip


def test_one_image_finds_no_more_than_one_question_does():
    many, one = (paired_comparison([1] * n, [0] * n, ["one"] * n) for n in (90, 1))
    assert many.design_effect == 90
    assert many.mde == pytest.approx(one.mde)


def test_few_and_uneven_images_are_told_of():
    def reading(sizes):
        images = [image for image, size in enumerate(sizes) for _ in range(size)]
        found = paired_comparison([1] * len(images), [1] * len(images), images)
        return found.even_images, found.statistics.set_index("statistic").reading["images"]

    assert reading([10] * 20) == (20, "questions about one image are not independent")
    even, words = reading([1, 1, 2, 2, 3, 3, 5, 8, 13, 21, 34, 55])
    assert even == pytest.approx(148**2 / 4908)
    assert words.endswith("these weigh like 4.5 even ones, and below 20 the interval may be too narrow")


def test_it_reads_back_and_prints_all_it_knows():
    found = paired_comparison([1, 1, 0, 0.5], [1, 0, 1, 0.5], ["a", "a", "b", "b"], kinds=["x", "y", "x", "y"])
    assert PairedComparison.from_json(found.to_json()) == found
    table = found.statistics.set_index("statistic")
    assert table.value["flips"] == 0.5
    assert table.value["agreement"] == 0.5
    assert list(table.index[table.decides]) == ["delta low", "delta high", "margin"]
    assert {"p sign-flip", "p McNemar", "p McNemar mid", "p not worse", "p equivalent", "MDE"} <= set(table.index)
    assert list(found.frame.kind) == ["x", "y"]
    assert "4 questions, 2 images" in repr(found)
    with pytest.raises(SettingError, match="metric is 'speed'"):
        found.metric("speed")


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (lambda: paired_comparison([], []), NoExamplesError, "at least one"),
        (lambda: paired_comparison([1, 0], [1]), SettingError, "length of b is 1, but should be 2"),
        (lambda: paired_comparison([1, 0], [1, 0], ["x"]), SettingError, "length of clusters is 1"),
        (lambda: paired_comparison([1, 0], [1, 0], kinds=[]), SettingError, "length of kinds is 0"),
        (lambda: paired_comparison([1, 0], [1, 2]), SettingError, r"b\[1\] is 2, but"),
        (lambda: paired_comparison([1, None], [1, 1]), SettingError, r"a\[1\] is None"),
        (lambda: paired_comparison([1], ["right"]), SettingError, r"b\[0\] is 'right'"),
        (lambda: paired_comparison([float("nan")], [1]), SettingError, r"a\[0\] is nan"),
        (lambda: paired_comparison([1], [1], margin=1), SettingError, "margin is 1"),
    ],
)
def test_lists_that_do_not_fit_are_refused(call, error, match):
    with pytest.raises(error, match=match):
        call()


def test_judging_scores_needs_no_torch():
    code = "import sys; import skipit_nb.backend.evaluation.judged; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
