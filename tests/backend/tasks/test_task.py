import pytest
from PIL import Image

from skipit_nb.backend.tasks import Example, Task
from skipit_nb.errors import LimitError, NoExamplesError, SettingError


def blank() -> Image.Image:
    return Image.new("RGB", (3, 2), (9, 8, 7))


def example(image: int, number: int, kind: str = "color") -> Example:
    return Example(f"toy/test/{image}-{number}", "what color is it?", "red", kind, f"image-{image}", blank)


# Image i has i + 1 questions: 1 + 2 + 3 + 4 + 5 = 15.
TOY = Task("toy", "test", "toy 1", tuple(example(image, number) for image in range(5) for number in range(image + 1)))


def test_a_task_counts_its_questions() -> None:
    assert len(TOY) == 15


def test_an_image_is_loaded_when_it_is_asked_for() -> None:
    assert TOY.examples[0].image.getpixel((0, 0)) == (9, 8, 7)


def test_examples_are_equal_by_content_and_hash_alike() -> None:
    assert example(1, 0) == example(1, 0)
    assert hash(example(1, 0)) == hash(example(1, 0))


def test_a_sample_without_limit_is_the_task_in_its_own_order() -> None:
    assert TOY.sample() == TOY.examples


@pytest.mark.parametrize("limit", [1, 4, 7, 15, 99])
def test_a_sample_holds_whole_clusters_and_at_least_the_limit_where_there_are_enough(limit: int) -> None:
    sample = TOY.sample(limit, seed=3)
    assert len(sample) >= min(limit, len(TOY))
    for cluster in {chosen.cluster for chosen in sample}:
        assert sum(chosen.cluster == cluster for chosen in sample) == int(cluster[-1]) + 1


def test_a_sample_stops_at_the_first_cluster_that_reaches_the_limit() -> None:
    sample = TOY.sample(7, seed=3)
    last = sample[-1].cluster
    assert sum(chosen.cluster != last for chosen in sample) < 7


def test_a_larger_sample_begins_with_the_smaller_one() -> None:
    small, large = TOY.sample(4, seed=1), TOY.sample(11, seed=1)
    assert large[: len(small)] == small


def test_the_seed_decides_the_sample() -> None:
    assert TOY.sample(7, seed=1) == TOY.sample(7, seed=1)
    assert len({TOY.sample(7, seed=seed) for seed in range(6)}) > 1


@pytest.mark.parametrize("limit", [0, -3])
def test_a_limit_below_one_is_refused(limit: int) -> None:
    with pytest.raises(LimitError, match=f"limit is {limit}, but at least 1 question"):
        TOY.sample(limit)


def test_a_task_without_examples_is_refused() -> None:
    with pytest.raises(NoExamplesError, match="task 'empty' needs at least one example"):
        Task("empty", "test", "0", ())


def test_an_example_is_found_by_its_key() -> None:
    assert TOY.example("toy/test/3-2") is TOY.examples[8]


def test_an_unknown_key_is_refused_with_one_that_exists() -> None:
    with pytest.raises(SettingError, match=r"key is 'toy/test/9-9', but should be .* such as 'toy/test/0-0'"):
        TOY.example("toy/test/9-9")


def test_the_kinds_are_sorted_and_unique() -> None:
    task = Task("toy", "test", "1", (example(0, 0, "shape"), example(0, 1, "color"), example(1, 0, "shape")))
    assert task.kinds == ("color", "shape")


def test_the_repr_names_size_and_source() -> None:
    assert repr(TOY) == "Task('toy', split='test', 15 questions about 5 images, version='toy 1')"
