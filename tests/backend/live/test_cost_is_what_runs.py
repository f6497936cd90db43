"""`cost` predicts what the decoder really dispatches: counted by PyTorch's own counter, to 1 %."""

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode, sdpa_flop_count

from skipit_nb import SkipSet
from skipit_nb.backend.live.anatomy import anatomy_of
from skipit_nb.backend.live.skipping import skipping
from skipit_nb.cost import cost
from tests.backend.live.tiny_llava import NUM_LAYERS, NUM_VISION, prompts, tiny_llava

# PyTorch's counter does not know the CPU's fused attention and would count it as nothing.
FUSED = {
    torch.ops.aten._scaled_dot_product_flash_attention_for_cpu: lambda q, k, v, *_, out_shape=None, **__: (
        sdpa_flop_count(q, k, v)
    )
}


def counted(model, inputs, skipset):
    counter = FlopCounterMode(display=False, custom_mapping=FUSED)
    with torch.no_grad(), skipping(model, anatomy_of(model), skipset), counter:
        model(**inputs, logits_to_keep=1)
    counts = counter.get_flop_counts()
    return sum(counts["LlavaForConditionalGeneration.model.language_model"].values()) + sum(
        counts["LlavaForConditionalGeneration.lm_head"].values()
    )


@pytest.mark.parametrize("attention", ["eager", "sdpa"])
@pytest.mark.parametrize(
    "text",
    ["none", "whole 1", "vision absent 0-1", "vision absent 2-", "vision frozen 0-", "attn 1", "mlp 0+2",
     "vision absent 0; vision frozen 1; whole 2", "text frozen 1"],
)  # fmt: skip
def test_the_predicted_flops_are_those_dispatched(text, attention):
    model, inputs = tiny_llava(attention), prompts(padded=False)
    skipset = SkipSet.parse(text, num_layers=NUM_LAYERS)
    num_text = inputs["input_ids"].shape[1] - NUM_VISION
    predicted = cost(anatomy_of(model).shape, skipset, num_vision=NUM_VISION, num_text=num_text).flops_prefill
    assert predicted == pytest.approx(counted(model, inputs, skipset), rel=0.01)
