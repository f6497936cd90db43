import pytest
from PIL import Image

from skipit_nb.backend.tasks import Example, Score, score

RED = Example("toy/0", "what color is it?", "red", "color", "image-0", lambda: Image.new("RGB", (1, 1)))


@pytest.mark.parametrize("answer", ["red", "Red", " red\n", "red.", "RED!", "red ."])
def test_case_space_and_final_punctuation_do_not_count(answer: str) -> None:
    assert score(answer, RED) == Score(value=1.0, parsed=True, rule="exact match")


@pytest.mark.parametrize("answer", ["blue", "redder", "it is red", "red blue"])
def test_other_words_are_wrong(answer: str) -> None:
    assert score(answer, RED) == Score(value=0.0, parsed=True, rule="exact match")


@pytest.mark.parametrize("answer", ["", "  ", ".", "\n"])
def test_an_empty_output_is_not_parsed(answer: str) -> None:
    assert score(answer, RED) == Score(value=0.0, parsed=False, rule="exact match")
