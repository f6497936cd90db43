"""The replicas are worth testing against: pictures count, the cache changes nothing, nor do padding and company."""

from functools import cache

import pytest
import torch
from torch import Tensor
from transformers import PreTrainedModel

from tests.families import further_family, gemma_family, molmo2_family, qwen_family
from tests.families.replica import Inputs, Replica

BUILDERS = qwen_family.BUILDERS | gemma_family.BUILDERS | further_family.BUILDERS | molmo2_family.BUILDERS
PICTURES_OF_ROW = (slice(0, 1), slice(1, 2), slice(2, 4))
"""Which pictures of the padded prompts belong to which row."""

families = pytest.mark.parametrize("family", BUILDERS)
attentions = pytest.mark.parametrize("attention", ["sdpa", "eager"])
prompts = pytest.mark.parametrize("prompt", ["one", "padded", "several", "text_only"])

replica_of = cache(lambda family, attention: BUILDERS[family](attention))


@torch.no_grad()
def last_logits(replica: Replica, inputs: Inputs) -> Tensor:
    return replica.model(**inputs).logits[:, -1]


def new_logits(replica: Replica, inputs: Inputs, tokens: int, **how: object) -> Tensor:
    """Logits of each new token."""
    result = replica.model.generate(
        **inputs, max_new_tokens=tokens, do_sample=False, suppress_tokens=list(replica.suppress),
        output_logits=True, return_dict_in_generate=True, **how,
    )  # fmt: skip
    return torch.stack(result.logits)


@families
@attentions
def test_text_and_vision_attend_as_asked(family, attention):
    modules = replica_of(family, attention).model.modules()
    used = {module.config._attn_implementation for module in modules if isinstance(module, PreTrainedModel)}
    assert used == {"eager" if family == "paligemma2" else attention}


@families
@attentions
@pytest.mark.parametrize("prompt", ["one", "padded", "several"])
def test_pixels_change_the_next_token(family, attention, prompt):
    replica = replica_of(family, attention)
    inputs = getattr(replica, prompt)
    name = next(name for name in inputs if name.endswith("pixel_values"))
    flipped = last_logits(replica, inputs | {name: inputs[name].flip(dims=[-1])})
    assert (flipped - last_logits(replica, inputs)).abs().amax(dim=1).min() > 1e-2


@families
@attentions
@prompts
def test_the_cache_changes_nothing(family, attention, prompt):
    replica = replica_of(family, attention)
    inputs = getattr(replica, prompt)
    cached, uncached = (new_logits(replica, inputs, 4, use_cache=use_cache) for use_cache in (True, False))
    torch.testing.assert_close(cached, uncached, atol=2e-4, rtol=0)


@families
@attentions
def test_a_row_alone_is_the_row_in_its_batch(family, attention):
    replica = replica_of(family, attention)
    for row, together in enumerate(new_logits(replica, replica.padded, 1)[0]):
        by_itself = new_logits(replica, alone(replica.padded, row), 1)[0, 0]
        torch.testing.assert_close(by_itself, together, atol=1e-4, rtol=0)


@families
@prompts
def test_both_attentions_agree(family, prompt):
    sdpa, eager = (replica_of(family, attention) for attention in ("sdpa", "eager"))
    torch.testing.assert_close(
        last_logits(sdpa, getattr(sdpa, prompt)), last_logits(eager, getattr(eager, prompt)), atol=1e-4, rtol=0
    )


@families
def test_prompts_of_a_batch_differ_in_length(family):
    lengths = replica_of(family, "sdpa").padded["attention_mask"].sum(dim=1)
    assert lengths.unique().numel() == len(lengths)


def alone(inputs: Inputs, row: int) -> Inputs:
    """A row of the padded prompts as a prompt of its own: without its padding, with its own pictures only.

    In mllama, a word before the first picture looks at all places for pictures, empty ones too, so they are kept.
    """
    ids, kept = inputs["input_ids"], inputs["attention_mask"][row].bool()
    sizes = per_picture(inputs)

    def cut(name: str, value: Tensor) -> Tensor:
        if value.shape[:2] == ids.shape:
            return value[row : row + 1, kept]
        if name in sizes:
            return torch.cat(value.split(sizes[name].tolist())[PICTURES_OF_ROW[row]])
        return value[row : row + 1] if len(value) == len(ids) else value[PICTURES_OF_ROW[row]]

    own = {name: cut(name, value) for name, value in inputs.items()}
    if "image_token_pooling" in own:
        own["image_token_pooling"] -= own["image_token_pooling"].min()  # counted from the first patch of the prompt
    return own


def per_picture(inputs: Inputs) -> Inputs:
    """How many entries each picture has in a tensor that strings the pictures together."""
    if "image_grid_thw" in inputs:
        return {"pixel_values": inputs["image_grid_thw"].prod(dim=1)}
    if "image_num_crops" in inputs:
        whole_height, whole_width, height, width = inputs["image_grids"].T
        return {
            "pixel_values": inputs["image_num_crops"],
            "image_token_pooling": whole_height * whole_width + height * width,
        }
    return {}
