import torch

from skipit_nb.zoo.scenes import FACETS
from skipit_nb.zoo.smol.words import Words
from tests.zoo.smol.small_backbone import small_tokenizer

TOKENIZER = small_tokenizer()
EMBEDDINGS = torch.randn(len(TOKENIZER), 8, generator=torch.Generator().manual_seed(0))


def embedding(word: str) -> torch.Tensor:
    ids = TOKENIZER(word, add_special_tokens=False)["input_ids"]
    return EMBEDDINGS[ids].mean(dim=0)


def patch(**seen: str) -> torch.Tensor:
    scene = torch.tensor([FACETS[facet].index(seen.get(facet, "nothing")) for facet in FACETS])
    return Words(TOKENIZER)(scene[None, None], EMBEDDINGS)[0, 0]


def test_a_patch_of_a_red_circle_reads_red_and_circle_at_once() -> None:
    assert torch.allclose(patch(color="red", shape="circle"), embedding(" red") + embedding(" circle"))


def test_a_count_has_another_word_than_the_digit() -> None:
    digit, count = patch(digit="3"), patch(count="3")
    assert torch.allclose(digit, embedding("3"))
    assert torch.allclose(count, embedding(" three"))
    assert not torch.allclose(digit, count)


def test_a_patch_of_nothing_reads_empty() -> None:
    assert torch.allclose(patch(), embedding(" empty"))
