import pytest

from skipit_nb.backend.tasks import load_task
from skipit_nb.backend.tasks.easy_vqa import kind_of

pytest.importorskip("easy_vqa")


def test_the_test_split_is_the_packages_own() -> None:
    task = load_task("easy-vqa")
    assert (len(task), len({example.cluster for example in task.examples})) == (9673, 1000)
    assert task.version == "easy-vqa 1.0"


def test_train_and_validation_part_the_packages_train_split_by_image() -> None:
    train, validation = load_task("easy-vqa", "train"), load_task("easy-vqa", "validation")
    images, held_out = {e.cluster for e in train.examples}, {e.cluster for e in validation.examples}
    assert not images & held_out
    assert (len(images), len(held_out)) == (3800, 200)
    assert len(train) + len(validation) == 38575


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("what color is the circle?", "color"),
        ("what is the color of the shape?", "color"),
        ("what is the red shape?", "shape"),
        ("what shape is present?", "shape"),
        ("is there a red shape in the image?", "yes/no color"),
        ("is there not a red shape?", "yes/no color negated"),
        ("is no teal shape present?", "yes/no color negated"),
        ("does the image contain a triangle?", "yes/no shape"),
        ("does the image not contain a triangle?", "yes/no shape negated"),
    ],
)
def test_the_type_of_a_question_is_told_by_its_words(question: str, kind: str) -> None:
    assert kind_of(question) == kind


def test_yes_no_kinds_have_yes_no_answers_and_open_ones_do_not() -> None:
    for example in load_task("easy-vqa").examples:
        assert (example.answer in ("yes", "no")) == example.kind.startswith("yes/no")
