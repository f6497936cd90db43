"""Hostile answers, and runs too small to say anything: each goes through to the end, or is refused in clear words."""

from dataclasses import replace

import pytest

from skipit_nb import Comparison, Task
from skipit_nb.backend.evaluation import answering
from skipit_nb.backend.evaluation.deciding import document
from skipit_nb.backend.evaluation.judged import paired_comparison
from skipit_nb.backend.evaluation.ledger import Ledger
from skipit_nb.backend.tasks.registry import load_task
from skipit_nb.backend.tasks.scoring import score
from skipit_nb.backend.tasks.scoring.registry import scorer_names
from skipit_nb.backend.tasks.task import Example
from skipit_nb.charts.flips import flips_with_images
from skipit_nb.errors import DatasetNotFoundError, NoExamplesError, SettingError, TaskDataError
from tests.backend.evaluation.broken_images import task_with

B = "vision absent 3-"
ASKED = {"b": B, "measure": ("accuracy",)}
NASTY = {
    "HTML": "<script>alert(1)</script><b>red",
    "NUL": "red\x00\x00",
    "10 MB": "red " * 2_500_000,
    "right to left": "\u202eאדום\u202c",
    "lone surrogate": "red\udce9",
    "line separators": "red\u2028\u0085\x0b\r\nblue",
    "nothing": "",
    "JSON": '{"answer": NaN}\\n"',
}


@pytest.fixture(params=NASTY)
def answered(request, monkeypatch):
    """The model answers with something nasty under B, and rightly under A."""
    words = NASTY[request.param]

    def said(_, batch, *, arms, **__):
        return [tuple(one.answer if str(arm) == "none" else words for arm in arms) for one in batch]

    monkeypatch.setattr(answering, "answer_batch", said)
    return words


def test_a_nasty_answer_goes_through_scoring_tables_and_stored_forms(session, answered, tmp_path):
    task = task_with({}, 4)
    found = session.compare(task, ledger=tmp_path, **ASKED)
    assert list(found.frame.b) == [answered.encode("utf-8", "replace").decode()] * 4
    assert (found.metric("accuracy").a, found.metric("accuracy").b) == (1, 0)
    assert Comparison.from_json(found.to_json()) == found
    ledger = Ledger(tmp_path)
    kept = {ledger.answer(name, document(task.examples[0])) for name in ledger.configurations}
    assert kept == {task.examples[0].answer, answered}
    assert session.compare(task, ledger=tmp_path, **ASKED) == found
    page = flips_with_images(found, task)._repr_html_()
    assert "<script" not in page
    assert "\x00" not in page
    assert len(page) < 100_000
    assert found.by("question").worse.sum() == len(found.flips("worse")) == 4


@pytest.mark.parametrize("scorer", scorer_names())
@pytest.mark.parametrize("words", [*NASTY.values()], ids=[*NASTY])
def test_every_rule_scores_every_answer(scorer, words):
    choices = ("red", "blue") if scorer == "choice" else ()
    answer = {"choice": "A", "yes_no": "yes"}.get(scorer, "green")
    example = Example("k", "q?", answer, "", "c", lambda: None, choices=choices, scorer=scorer)
    found = score(words, example)
    assert 0 <= found.value <= 1
    assert isinstance(found.parsed, bool)


# ── too little to say anything ───────────────────────────────────────────────────────────────────────────────────────


def finite(found):
    """Whether no number of a comparison is NaN or infinite: JSON has neither."""
    return Comparison.from_json(found.to_json()) == found


def test_one_question_is_judged_and_says_little(session):
    found = session.compare(task_with({}, 1), **ASKED)
    assert (found.num_questions, found.num_clusters, found.verdict.kind) == (1, 1, "inconclusive")
    assert found.metric("accuracy").high - found.metric("accuracy").low > 1
    assert finite(found)


def test_questions_about_one_image_say_little(session):
    task = task_with({}, 12)
    one = replace(task, examples=tuple(replace(example, cluster="one") for example in task.examples))
    found = session.compare(one, b="vision absent 0-", measure=("accuracy",))
    assert (found.num_questions, found.num_clusters) == (12, 1)
    assert finite(found)


def test_zero_flips_are_no_proof(session):
    found = session.compare(task_with({}, 6), b="none", measure=("accuracy",))
    accuracy = found.metric("accuracy")
    assert (found.worse, found.better, found.p_mcnemar) == (0, 0, 1)
    assert accuracy.low < 0 < accuracy.high
    assert found.verdict.kind == "inconclusive"
    assert finite(found)
    assert len(flips_with_images(found, task_with({}, 6))) == 0


def test_answers_of_which_none_can_be_read_are_all_wrong_and_the_table_says_so(session, monkeypatch):
    monkeypatch.setattr(answering, "answer_batch", lambda _, batch, *, arms, **__: [("?",) * len(arms)] * len(batch))
    task = task_with({}, 6)
    task = replace(
        task, examples=tuple(replace(one, answer="A", choices=("x", "y"), scorer="choice") for one in task.examples)
    )
    found = session.compare(task, **ASKED)
    numbers = found.statistics.set_index("statistic").value
    assert (numbers["parsed A"], numbers["parsed B"], numbers["accuracy A"]) == (0, 0, 0)
    assert found.verdict.kind == "inconclusive"
    assert finite(found)


# ── refusals ─────────────────────────────────────────────────────────────────────────────────────────────────────────

CODE = "task: x\ndataset_path: json\ntest_split: test\ndata_files: rows.json\ndoc_to_text: !function utils.ask\n"
PYTHON = "task: !!python/object/apply:os.system ['touch owned']\n"


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda _: paired_comparison([1, 0], [1]), SettingError, "the length of b is 1, but should be 2"),
        (lambda _: paired_comparison([1, 0], [1, 1], [1]), SettingError, "the length of clusters is 1"),
        (lambda _: paired_comparison([], []), NoExamplesError, "at least one example"),
        (lambda folder: Task.from_yaml(written(folder, CODE)), TaskDataError, "code runs only if you say so"),
        (lambda folder: Task.from_yaml(written(folder, PYTHON)), TaskDataError, "could not determine a constructor"),
        (lambda _: load_task("pope", limit=3), DatasetNotFoundError, "Go online"),
    ],
    ids=["lengths", "clusters", "nothing", "function", "python tag", "offline"],
)
def test_what_cannot_be_done_is_refused_in_clear_words(call, error, message, tmp_path):
    with pytest.raises(error, match=message):
        call(tmp_path)
    assert not (tmp_path / "owned").exists()


def written(folder, text):
    """A task file beside one row."""
    (folder / "rows.json").write_text('[{"question": "q", "answer": "a"}]')
    (folder / "task.yaml").write_text(text)
    return folder / "task.yaml"
