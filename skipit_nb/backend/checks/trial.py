"""What the checks share: a skip set to try, a batch to try it on, and the tokens that come of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from skipit_nb.backend.live.anatomy import Anatomy
from skipit_nb.backend.live.limits import limits, takes_masks
from skipit_nb.backend.live.model import Inputs, LiveModel
from skipit_nb.backend.tasks.task import Example
from skipit_nb.skipset import SkipSet

NEW_TOKENS = 6
"""Tokens that every trial writes: the first comes from the prompt, the others through the cache."""


@dataclass(frozen=True, slots=True)
class Trial:
    """A model, a skip set and a few questions. Hold the model's lock."""

    live: LiveModel
    skipset: SkipSet
    examples: Sequence[Example]

    @property
    def is_exact(self) -> bool:
        """Whether other shapes must give the same tokens: in half precision they round otherwise."""
        return bool(self.live.model.dtype == torch.float32)

    def batch(self) -> Inputs:
        """All questions, padded on the left."""
        return self.live.inputs([one.image for one in self.examples], [one.question for one in self.examples])

    def alone(self, example: Example) -> Inputs:
        """One question."""
        return self.live.inputs([example.image], [example.question])

    def logits(self, inputs: Inputs) -> Tensor:
        """Of the last place, by one plain call under whatever is installed: [batch, vocab]."""
        with torch.inference_mode():
            logits: Tensor = self.live.model(**inputs).logits
        return logits[:, -1]

    def tokens(self, inputs: Inputs, *, use_cache: bool = True) -> Tensor:
        """New tokens under the skip set, greedy and of fixed length: [batch, NEW_TOKENS]."""
        with self.live.skipping(self.skipset), torch.inference_mode():
            out: Tensor = self.live.model.generate(
                **inputs, max_new_tokens=NEW_TOKENS, min_new_tokens=NEW_TOKENS, do_sample=False, use_cache=use_cache
            )
        return out[:, inputs["input_ids"].shape[1] :]


def usual_set(anatomy: Anatomy) -> SkipSet:
    """Vision absent in the later half and the layer before it skipped as a whole, as far as the model can."""
    last = len(anatomy.layers) - 1
    half = (last + 1) // 2
    vision = f"; vision absent {half}-{last}" if takes_masks(anatomy) else ""
    skipset = SkipSet.parse(f"whole {max(half - 1, 0)}{vision}", num_layers=last + 1)
    for layer, _ in list(limits(anatomy, skipset)):
        skipset = skipset.replace(layer, "run")
    return skipset


def rows_that_differ(one: Tensor, other: Tensor) -> int:
    """How many rows are not the same tokens."""
    return int((one != other).any(dim=1).sum())
