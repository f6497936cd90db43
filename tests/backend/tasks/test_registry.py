import itertools
import sys

import pytest

from skipit_nb.backend.tasks import load_task, task_names
from skipit_nb.backend.tasks.registry import _load
from skipit_nb.errors import MissingPackageError, SettingError, UnknownTaskError


def test_there_are_two_tasks() -> None:
    assert task_names() == ("easy-vqa", "digits-vqa")


def test_a_task_is_loaded_once() -> None:
    assert load_task("digits-vqa") is load_task("digits-vqa", "test")


def test_an_unknown_task_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UnknownTaskError, match=r"no task 'vqa'\. Known tasks: easy-vqa, digits-vqa"):
        load_task("vqa")


@pytest.mark.parametrize("name", task_names())
def test_an_unknown_split_is_refused(name: str) -> None:
    with pytest.raises(SettingError, match="split is 'dev', but should be one of train, validation, test"):
        load_task(name, "dev")


def test_a_missing_package_is_named_with_the_command_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "easy_vqa", None)
    _load.cache_clear()
    with pytest.raises(MissingPackageError, match=r"package easy-vqa, .*pip install 'skipit-nb\[tasks\]'"):
        load_task("easy-vqa")


@pytest.mark.parametrize("name", task_names())
@pytest.mark.parametrize("split", ["validation", "test"])
def test_keys_are_unique_and_questions_about_an_image_stand_together(name: str, split: str) -> None:
    examples = load_task(name, split).examples
    assert len({example.key for example in examples}) == len(examples)
    changes = sum(a.cluster != b.cluster for a, b in itertools.pairwise(examples))
    assert changes + 1 == len({example.cluster for example in examples})


@pytest.mark.parametrize("name", task_names())
def test_images_are_rgb_of_64_pixels(name: str) -> None:
    for example in load_task(name).examples[::1000]:
        assert (example.image.mode, example.image.size) == ("RGB", (64, 64))


@pytest.mark.parametrize("name", task_names())
def test_answers_are_single_words_in_lower_case(name: str) -> None:
    assert all(e.answer == e.answer.lower() and e.answer.isalnum() for e in load_task(name).examples)
