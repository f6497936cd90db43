"""Scores put together: F1 with unparsed outputs, MME's pairs, MMBench's circles, means of means."""

import pytest

from skipit_nb.backend.tasks import Example, Score, metric_names, put_together, score
from skipit_nb.errors import NoExamplesError, SettingError, TooFewSamplesError


def yes_no(right, cluster="image-0", kind="random", group=""):
    return Example("k", "is it?", right, kind, cluster, lambda: None, scorer="yes_no", group=group)


def run(metric, *pairs):
    examples = [example for example, _ in pairs]
    return put_together(metric, examples, [score(said, example) for example, said in pairs])


def test_f1_counts_what_cannot_be_read_as_an_error_of_its_question():
    yes, no = yes_no("yes"), yes_no("no")
    found = run(
        "f1", (yes, "yes"), (yes, "Yes."), (yes, "no"), (yes, "garbage"), (no, "no"), (no, "no"), (no, "yes"), (no, "?")
    )
    # 2 hits of 4 questions to be answered yes; 3 readings of yes, of which one false, and one unread no.
    assert found["recall"] == pytest.approx(2 / 4)
    assert found["precision"] == pytest.approx(2 / 4)
    assert found["f1"] == pytest.approx(2 * 2 / (2 * 2 + 2 + 2))
    assert found["accuracy"] == pytest.approx(4 / 8)
    assert found["parsed_rate"] == pytest.approx(6 / 8)


@pytest.mark.parametrize(("said", "ratio"), [("yes", 1.0), ("no", 0.0), ("garbage", 0.0)])
def test_the_yes_ratio_is_of_what_was_said_and_not_of_what_is_right(said, ratio):
    assert run("f1", *[(yes_no(right), said) for right in ("yes", "no", "yes", "no")])["yes_ratio"] == ratio


def test_f1_agrees_with_scikit_learn_where_all_is_parsed():
    from sklearn.metrics import f1_score, precision_score, recall_score

    right = ["yes", "no", "yes", "yes", "no", "no", "yes"]
    said = ["yes", "yes", "no", "yes", "no", "yes", "yes"]
    found = run("f1", *[(yes_no(one), other) for one, other in zip(right, said, strict=True)])
    for name, function in (("f1", f1_score), ("precision", precision_score), ("recall", recall_score)):
        assert found[name] == pytest.approx(function(right, said, pos_label="yes"))


def test_nothing_parsed_is_zero_and_no_error():
    found = run("f1", *[(yes_no(right), "?") for right in ("yes", "no")])
    assert (found["f1"], found["precision"], found["recall"], found["parsed_rate"]) == (0, 0, 0, 0)


def mme(*pairs):
    """Each pair: category, group, and what is said to the question answered yes and to that answered no."""
    return [
        (yes_no(right, group, kind, group), said)
        for kind, group, answers in pairs
        for right, said in zip(("yes", "no"), answers, strict=True)
    ]


def test_mme_is_accuracy_plus_accuracy_of_pairs_by_category():
    found = run(
        "mme",
        *mme(
            ("color", "color/1", ("yes", "no")),
            ("color", "color/2", ("yes", "yes")),
            ("code_reasoning", "code/1", ("no", "yes")),
            ("code_reasoning", "code/2", ("yes", "no")),
        ),
    )
    # color: 3 of 4 answers and 1 of 2 images; code_reasoning: 2 of 4 and 1 of 2.
    assert found["perception"] == pytest.approx(75 + 50)
    assert found["cognition"] == pytest.approx(50 + 50)
    assert found["mme"] == pytest.approx(225)
    assert found["accuracy_plus"] == pytest.approx(0.5)
    assert next(iter(found)) == "mme"


def test_a_perfect_mme_run_has_200_points_a_category():
    found = run("mme", *mme(*[(kind, f"{kind}/1", ("yes", "no")) for kind in ("OCR", "count", "text_translation")]))
    assert (found["perception"], found["cognition"]) == (400, 200)


def test_half_a_pair_of_mme_is_refused():
    with pytest.raises(
        TooFewSamplesError, match=r"questions about color/2: there are 1, but at least 2 .* whole images"
    ):
        run("mme", *mme(("color", "color/1", ("yes", "no")), ("color", "color/2", ("yes", "no")))[:3])


def test_a_circle_is_right_only_in_every_rotation():
    def rotated(group, right):
        return Example(
            "k", "q", right, "", group, lambda: None, choices=("a cow", "a dog"), scorer="choice", group=group
        )

    found = run(
        "circular",
        (rotated("1", "A"), "A"),
        (rotated("1", "B"), "B"),
        (rotated("2", "A"), "A"),
        (rotated("2", "B"), "A"),
    )
    assert found["circular"] == pytest.approx(1 / 2)
    assert found["accuracy"] == pytest.approx(3 / 4)


def test_a_macro_mean_weighs_types_alike_and_accuracy_weighs_questions():
    found = run("macro", (yes_no("yes", kind="a"), "yes"), *[(yes_no("yes", kind="b"), "no")] * 3)
    assert found["macro_accuracy"] == pytest.approx(1 / 2)
    assert found["accuracy"] == pytest.approx(1 / 4)


@pytest.mark.parametrize("metric", metric_names())
def test_every_metric_reports_accuracy_and_the_parsed_rate(metric):
    found = run(metric, *mme(("color", "color/1", ("yes", "?"))))
    assert (found["accuracy"], found["parsed_rate"]) == (0.5, 0.5)


def test_soft_scores_count_in_an_accuracy():
    example = yes_no("yes")
    scores = [Score(0.3, parsed=True, rule="r"), Score(0.9, parsed=True, rule="r")]
    assert put_together("accuracy", [example, example], scores)["accuracy"] == pytest.approx(0.6)


def test_an_unknown_metric_and_no_questions_are_refused():
    with pytest.raises(SettingError, match="metric is 'bleu', but should be one of accuracy, f1, mme, circular, macro"):
        put_together("bleu", [], [])
    with pytest.raises(NoExamplesError, match="the metric 'f1' needs at least one example"):
        put_together("f1", [], [])
