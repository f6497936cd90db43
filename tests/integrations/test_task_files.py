"""Our tasks as folders for lmms-eval, and the one that is in the package."""

import importlib.util

import pytest

from skipit_nb.backend.tasks.registry import load_task
from skipit_nb.backend.tasks.task import Task
from skipit_nb.errors import MissingPackageError, SettingError
from skipit_nb.integrations import lmms_eval
from skipit_nb.integrations.lmms_eval import TASKS, write_task

SHIPPED = TASKS / "easy_vqa" / "easy_vqa.yaml"


@pytest.fixture(scope="module")
def shipped():
    return Task.from_yaml(SHIPPED, trust=True)


@pytest.fixture(scope="module")
def ours():
    return load_task("easy-vqa")


def test_the_folder_in_the_package_asks_what_our_task_asks(shipped, ours):
    drawn = ours.sample(len(ours), seed=0)
    assert [(one.question, one.answer, one.cluster, one.kind) for one in shipped.examples] == [
        (one.question, one.answer, one.cluster, one.kind) for one in drawn
    ]
    assert shipped.max_new_tokens == ours.max_new_tokens


def test_its_images_are_the_same_to_the_pixel(shipped, ours):
    for mine, theirs in list(zip(ours.sample(len(ours), seed=0), shipped.examples, strict=True))[::400]:
        assert theirs.image.tobytes() == mine.image.tobytes()


def test_the_first_questions_are_those_that_a_limit_draws(shipped, ours):
    drawn = ours.sample(190, seed=0)
    assert [one.question for one in shipped.examples[: len(drawn)]] == [one.question for one in drawn]


@pytest.mark.parametrize("answer", ["yes", " Yes. ", "YES!", "no", "", "yes it is"])
def test_its_rule_scores_as_ours(shipped, ours, answer):
    from skipit_nb.backend.tasks.scoring.registry import score

    index = next(i for i, one in enumerate(shipped.examples) if one.answer == "yes")
    assert score(answer, shipped.examples[index]).value == score(answer, ours.sample(len(ours), 0)[index]).value


def test_any_task_of_single_words_can_be_written_and_read_back(tmp_path):
    task = load_task("digits-vqa").drawn(40, seed=3)
    back = Task.from_yaml(write_task(task, tmp_path / "new", seed=5), trust=True)
    drawn = task.sample(len(task), seed=5)
    assert [(one.question, one.answer, one.cluster) for one in back.examples] == [
        (one.question, one.answer, one.cluster) for one in drawn
    ]
    assert [one.image.tobytes() for one in back.examples] == [one.image.tobytes() for one in drawn]


def test_a_task_with_another_rule_is_refused(tmp_path):
    task = load_task("digits-vqa").drawn(4).scored_by("choice")
    with pytest.raises(SettingError, match=r"the scorer of digits-vqa.*'exact'"):
        write_task(task, tmp_path)


def test_a_question_without_an_image_is_refused(tmp_path):
    task = Task.from_dicts([{"question": "two and two?", "answer": "four"}], doc_to_visual=None)
    with pytest.raises(SettingError, match="one image"):
        write_task(task, tmp_path)


@pytest.mark.skipif(importlib.util.find_spec("lmms_eval") is not None, reason="lmms-eval is installed here")
def test_the_adapter_says_what_it_needs():
    with pytest.raises(MissingPackageError, match=r"needs the package lmms_eval.*docs/harnesses\.md"):
        lmms_eval.SkipIt  # noqa: B018


def test_there_is_nothing_else():
    with pytest.raises(AttributeError, match="Skipit"):
        lmms_eval.Skipit  # noqa: B018


def test_the_module_prints_where_its_tasks_are(capsys):
    import runpy

    runpy.run_module("skipit_nb.integrations.lmms_eval", run_name="__main__")
    assert capsys.readouterr().out.strip() == str(TASKS)
