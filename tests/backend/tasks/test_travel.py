"""Questions of a task in the box travel as keys, all others whole; the same question arrives."""

import pickle
from dataclasses import replace

import pytest

from skipit_nb.backend.tasks import travel
from skipit_nb.backend.tasks.registry import load_task, task_names
from skipit_nb.backend.tasks.task import Example
from skipit_nb.backend.tasks.travel import Reference, packed, unpacked
from skipit_nb.errors import WorkerError


@pytest.mark.parametrize("name", task_names())
def test_a_question_in_the_box_travels_as_its_key(name):
    example = load_task(name).examples[7]
    sent = packed(example)
    assert isinstance(sent, Reference)
    assert len(pickle.dumps(sent)) < 300
    assert unpacked(pickle.loads(pickle.dumps(sent))) is example  # noqa: S301  written a line ago


@pytest.mark.parametrize("key", ["own/0", "own", "digits-vqa/test/99999", "digits-vqa/no-such-split/0", ""])
def test_a_question_of_ones_own_travels_whole(key):
    own = Example(key, "how many?", "1", "count", "a", loader=int)
    assert packed(own) is own
    assert unpacked(own) is own


def test_a_borrowed_key_does_not_bring_the_task_s_image():
    borrowed = replace(load_task("digits-vqa").examples[0], loader=int)
    assert packed(borrowed) is borrowed


def test_another_version_of_the_questions_is_refused(monkeypatch):
    sent = packed(load_task("digits-vqa").examples[0])
    other = replace(load_task("digits-vqa"), version="digits-vqa 2")
    monkeypatch.setattr(travel, "load_task", lambda *_: other)
    with pytest.raises(WorkerError, match="a worker has the questions of 'digits-vqa 2', this session those of"):
        unpacked(sent)


def test_a_key_of_the_hub_travels_whole_and_asks_no_network():
    drawn = Example("pope/test/000001", "is there a dog?", "yes", "random", "a", loader=int, scorer="yes_no")
    assert packed(drawn) is drawn
