"""The replicas are worth testing against: images count, caches are exact, and padding changes nothing."""

from functools import cache

import pytest
import torch
from torch import Tensor
from transformers import PreTrainedModel

from tests.families import instructblip_family, llava_family, other_llama_family
from tests.families.llava_like import IMAGE
from tests.families.replica import Inputs, Replica

BUILDERS = llava_family.BUILDERS | other_llama_family.BUILDERS | instructblip_family.BUILDERS
PROMPTS = ("one", "padded", "several", "text_only")

families = pytest.mark.parametrize("family", BUILDERS)
attentions = pytest.mark.parametrize("attention", ["sdpa", "eager"])
prompts = pytest.mark.parametrize("prompt", PROMPTS)

replica_of = cache(lambda family, attention: BUILDERS[family](attention))


def inputs_of(replica: Replica, prompt: str) -> Inputs:
    inputs = getattr(replica, prompt)
    if inputs is None:
        pytest.skip("this family takes one image only")
    return inputs


@torch.no_grad()
def last_logits(replica: Replica, inputs: Inputs) -> Tensor:
    return replica.model(**inputs).logits[:, -1]


def generated(replica: Replica, inputs: Inputs, tokens: int = 4, **how: object) -> tuple[Tensor, Tensor]:
    """Prompt and new tokens, and the logits that each of the new ones was chosen from."""
    out = replica.model.generate(
        **inputs,
        **how,
        max_new_tokens=tokens,
        do_sample=False,
        suppress_tokens=list(replica.suppress),
        output_logits=True,
        return_dict_in_generate=True,
    )
    return out.sequences, torch.stack(out.logits, dim=1)


def same(logits: Tensor, expected: Tensor) -> bool:
    return torch.allclose(logits, expected, atol=1e-4, rtol=0)


@families
@attentions
def test_text_and_vision_attend_as_asked(family, attention):
    modules = replica_of(family, attention).model.modules()
    asked = {module.config._attn_implementation for module in modules if isinstance(module, PreTrainedModel)}
    assert asked == {attention}


@families
@attentions
@pytest.mark.parametrize("prompt", ["one", "padded", "several"])
def test_pixels_change_the_next_token(family, attention, prompt):
    replica = replica_of(family, attention)
    inputs = inputs_of(replica, prompt)
    usual = last_logits(replica, inputs)
    for name in inputs:
        if name.endswith("pixel_values"):
            negative = last_logits(replica, inputs | {name: -inputs[name]})
            assert (negative - usual).abs().amax(dim=1).min() > 1e-3


@families
@attentions
@prompts
def test_the_cache_changes_no_token(family, attention, prompt):
    replica = replica_of(family, attention)
    inputs = inputs_of(replica, prompt)
    sequences, logits = generated(replica, inputs)
    if family.startswith("instructblip"):  # its `generate` caches even when asked not to
        expected = token_by_token(replica, inputs)
    else:
        expected = generated(replica, inputs, use_cache=False)
    assert torch.equal(sequences, expected[0])
    assert same(logits, expected[1])


def token_by_token(replica: Replica, inputs: Inputs, tokens: int = 4) -> tuple[Tensor, Tensor]:
    """As `generated`, but each token is written after a fresh prompt."""
    steps = []
    for _ in range(tokens):
        (ids, logits), mask = generated(replica, inputs, 1), inputs["attention_mask"]
        inputs = inputs | {"input_ids": ids, "attention_mask": torch.cat([mask, torch.ones_like(mask[:, :1])], dim=1)}
        steps.append(logits)
    return inputs["input_ids"], torch.cat(steps, dim=1)


@families
@attentions
def test_a_row_alone_is_the_row_in_its_batch(family, attention):
    replica = replica_of(family, attention)
    _, together = generated(replica, replica.padded, 1)
    for row in range(len(together)):
        _, logits = generated(replica, alone(replica, row), 1)
        assert same(logits, together[row : row + 1])


@families
@prompts
def test_both_attentions_agree(family, prompt):
    sdpa, eager = (replica_of(family, attention) for attention in ("sdpa", "eager"))
    assert same(last_logits(sdpa, inputs_of(sdpa, prompt)), last_logits(eager, inputs_of(eager, prompt)))


@families
def test_prompts_of_a_batch_differ_in_length_and_in_vision_tokens(family):
    padded = replica_of(family, "sdpa").padded
    lengths, vision = padded["attention_mask"].sum(dim=1), (padded["input_ids"] == IMAGE).sum(dim=1)
    assert lengths.unique().numel() == len(lengths)
    assert vision.unique().numel() > 1 or family.startswith("instructblip")


def alone(replica: Replica, row: int) -> Inputs:
    """A row of the padded prompts without its padding, and the pixels that fill its vision tokens."""
    inputs = replica.padded
    kept = inputs["attention_mask"][row] == 1
    visual = {name: value for name, value in inputs.items() if name not in {"input_ids", "attention_mask"}}
    features = replica.model.base_model.get_image_features(**visual).pooler_output
    filled_by_row = (inputs["input_ids"] == IMAGE).sum(dim=1).cumsum(dim=0)
    filled_by_image = torch.tensor([len(feature) for feature in features]).cumsum(dim=0)
    mine = torch.searchsorted(filled_by_row, filled_by_image) == row
    ids = {name: inputs[name][row : row + 1, kept] for name in ("input_ids", "attention_mask")}
    counts = {name: value[row : row + 1] for name, value in visual.items() if name == "batch_num_images"}
    return {name: value[mine] for name, value in visual.items() if name not in counts} | counts | ids
