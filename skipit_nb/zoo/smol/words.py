"""What is over a patch, said in the language model's own words.

A red circle's patch is to look to the decoder as if it read " red" and " circle" at once: a decoder that knows
the words then need not learn what the projector says. Nothing here is trained.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from transformers import PreTrainedTokenizerBase

from skipit_nb.zoo.scenes import FACETS, NOTHING

_OTHER_WORDS = {
    "place": {"alone": "single", "leftmost": "left", "between": "middle", "rightmost": "right"},
    "count": {"1": "one", "2": "two", "3": "three", "4": "four"},
}
"""Words for what has no word of its own; a count must not look like a digit."""
_EMPTY = "empty"
"""The word of a patch that shows nothing."""


class Words(nn.Module):
    """Gives each patch the sum of the embeddings of the words for what it shows.

    Args:
        tokenizer: The language model's.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerBase) -> None:
        super().__init__()
        self._tokens = [_tokens(tokenizer, facet, name) for facet, names in FACETS.items() for name in names]
        self._empty = list(tokenizer(f" {_EMPTY}", add_special_tokens=False)["input_ids"])

    def forward(self, scene: Tensor, embeddings: Tensor) -> Tensor:
        """Give the vector of each patch.

        Args:
            scene: Scenes without unknown facets, image x patch x facet.
            embeddings: The decoder's embeddings, vocabulary x width.

        Returns:
            Vectors, image x patch x width.
        """
        nothing = torch.zeros_like(embeddings[0])
        vectors = torch.stack([embeddings[ids].mean(dim=0) if ids else nothing for ids in self._tokens])
        sizes = [len(names) for names in FACETS.values()]
        offsets = torch.tensor([sum(sizes[:i]) for i in range(len(sizes))], device=scene.device)
        empty = (scene == 0).all(dim=-1, keepdim=True)
        return torch.where(empty, embeddings[self._empty].mean(dim=0), vectors[scene + offsets].sum(dim=2)).float()


def _tokens(tokenizer: PreTrainedTokenizerBase, facet: str, name: str) -> list[int]:
    """Give the tokens of the word for a facet's value, none for nothing."""
    if name == NOTHING:
        return []
    word = _OTHER_WORDS.get(facet, {}).get(name, name)
    return list(tokenizer(word if word.isdigit() else f" {word}", add_special_tokens=False)["input_ids"])
