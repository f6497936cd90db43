"""`cost` predicts what the decoder really dispatches, with either attention: as PyTorch counts it."""

import pytest
import torch

from skipit_nb import SkipSet
from skipit_nb.backend.live.anatomy import anatomy_of
from skipit_nb.backend.live.skipping import skipping
from skipit_nb.cost import cost
from tests.backend.live.tiny_llava import NUM_LAYERS, NUM_VISION, prompts, tiny_llava
from tests.families.dispatched import dispatched


@pytest.mark.parametrize("attention", ["eager", "sdpa"])
@pytest.mark.parametrize(
    "text",
    ["none", "whole 1", "vision absent 0-1", "vision absent 2-", "vision frozen 0-", "attn 1", "mlp 0+2",
     "vision absent 0; vision frozen 1; whole 2", "text frozen 1"],
)  # fmt: skip
def test_the_predicted_flops_are_those_dispatched(text, attention):
    model, inputs = tiny_llava(attention), prompts(padded=False)
    anatomy, skipset = anatomy_of(model), SkipSet.parse(text, num_layers=NUM_LAYERS)
    num_text = inputs["input_ids"].shape[1] - NUM_VISION
    with torch.no_grad(), skipping(model, anatomy, skipset), dispatched(anatomy) as passes:
        model(**inputs, logits_to_keep=1)
    predicted = cost(anatomy.shape, skipset, num_vision=NUM_VISION, num_text=num_text).flops_prefill
    assert predicted == passes[0].flops
