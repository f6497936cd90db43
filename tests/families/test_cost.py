"""`cost` predicts what `generate` dispatches on every family: layer by layer, in the prompt and in a decoding step.

To the last FLOP, byte and weight, under every kind of skip set.
"""

import inspect

import pytest
from transformers import DeepseekV3Config, Lfm2Config, MixtralConfig, Qwen3NextConfig
from transformers.models.qwen3_next import modeling_qwen3_next

from skipit_nb import SkipSet
from skipit_nb.backend.live.anatomy import anatomy_of
from skipit_nb.backend.live.limits import limits
from skipit_nb.backend.live.skipping import skipping
from skipit_nb.cost import cost
from tests.families.all_families import BUILDERS, family
from tests.families.dispatched import dispatched
from tests.families.llava_family import llava
from tests.families.llava_like import text_config

KINDS = {
    "nothing": "none",
    "whole": "whole 1",
    "attention and MLP": "attn 1+{last}; mlp 0+2",
    "late entry": "vision absent 0-1",
    "early exit": "vision absent {last_two}",
    "vision frozen": "vision frozen 0-",
    "text": "text frozen 1+{last}; text absent 2",
    "union": "attn 0; vision frozen 0+2; whole 1; mlp 2; vision absent {last}",
}
EXPERTS = {"num_experts_per_tok": 2, "moe_intermediate_size": 24}
HEADS = {"linear_num_key_heads": 2, "linear_num_value_heads": 4, "linear_key_head_dim": 8, "linear_value_head_dim": 8}
OTHER_DECODERS = {
    "experts": (MixtralConfig, {"num_local_experts": 4}),
    "compressed keys": (
        DeepseekV3Config,
        EXPERTS | {
            "n_routed_experts": 4, "n_group": 1, "topk_group": 1, "first_k_dense_replace": 1, "num_key_value_heads": 4,
            "q_lora_rank": 12, "kv_lora_rank": 8, "qk_rope_head_dim": 4, "qk_nope_head_dim": 8, "v_head_dim": 10,
        },
    ),
    "linear attention and experts": (
        Qwen3NextConfig,
        EXPERTS | HEADS | {
            "num_experts": 4, "shared_expert_intermediate_size": 16, "head_dim": 8,
            "layer_types": ["linear_attention", "full_attention"] * 2,
        },
    ),
    "convolutions": (Lfm2Config, {"layer_types": ["conv", "full_attention"] * 2, "block_auto_adjust_ff_dim": False}),
}  # fmt: skip
"""Decoders that LLaVA may have and no replica has."""

SOLVES = "solve_triangular" in inspect.getsource(modeling_qwen3_next)
"""Whether linear attention solves its triangular systems; transformers 5.15 multiplies by their inverses."""

ONE_SIZE = (
    "llava", "llava_mistral", "deepseek_vl", "deepseek_vl_hybrid", "janus", "instructblip", "instructblip_opt",
    "paligemma", "paligemma2", "gemma3", "mllama",
)  # fmt: skip
TILES_OF_FOUR = ("llava_onevision", "internvl", "ovis2", "smolvlm", "idefics3", "aya_vision")


def possible(anatomy, kind):
    """The set without what this family cannot do."""
    last = len(anatomy.layers) - 1
    skipset = SkipSet.parse(KINDS[kind].format(last=last, last_two=f"{last - 1}-{last}"), num_layers=last + 1)
    for layer, _ in list(limits(anatomy, skipset)):
        skipset = skipset.replace(layer, "run")
    return skipset


def passes_of(replica, inputs, skipset):
    """What the prompt dispatches, then the first new token."""
    anatomy = anatomy_of(replica.model)
    with skipping(replica.model, anatomy, skipset), dispatched(anatomy) as passes:
        replica.model.generate(
            **inputs, max_new_tokens=2, min_new_tokens=2, do_sample=False, suppress_tokens=list(replica.suppress)
        )
    return passes


def check(replica, inputs, kind):
    """Compare everything; give the prediction, and what the prompt dispatched."""
    anatomy = anatomy_of(replica.model)
    if any(layer.state for layer in anatomy.shape.layers) and not SOLVES:
        pytest.skip("this transformers counts otherwise")
    skipset = possible(anatomy, kind)
    prompt, step = passes_of(replica, inputs, skipset)
    rows = int(anatomy.vision_rows(inputs["input_ids"]).sum())
    num_text = inputs["input_ids"].shape[1] - rows
    predicted = cost(anatomy.shape, skipset, num_vision=rows or prompt.features, num_text=num_text)
    assert predicted.layer_flops == tuple(prompt.layers)
    assert predicted.flops_prefill == prompt.flops
    assert predicted.flops_per_token == step.flops
    assert predicted.kv_bytes == step.cached
    return predicted, prompt


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", BUILDERS)
def test_the_prediction_is_what_generation_dispatches(name, kind):
    predicted, prompt = check(family(name), family(name).one, kind)
    assert predicted.active_parameters == prompt.weights


@pytest.mark.parametrize("kind", ["nothing", "text"])
@pytest.mark.parametrize("name", BUILDERS)
def test_it_is_without_an_image_too(name, kind):
    predicted, prompt = check(family(name), family(name).text_only, kind)
    assert predicted.active_parameters == prompt.weights


@pytest.mark.parametrize("kind", ["nothing", "attention and MLP", "union"])
@pytest.mark.parametrize("name", OTHER_DECODERS)
def test_it_is_for_decoders_of_other_kinds(name, kind):
    config, settings = OTHER_DECODERS[name]
    replica = llava("sdpa", text_config(config, **settings))
    check(replica, replica.one, kind)


@pytest.mark.parametrize("name", sorted(BUILDERS.keys() - {"llava_next"}))  # its replica does not say how many
def test_the_usual_number_of_vision_tokens_is_that_of_one_tile(name):
    anatomy = anatomy_of(family(name).model)
    rows = int(anatomy.vision_rows(family(name).one["input_ids"]).sum())
    of_mllama = 2 * (16 + 1)  # two tiles, each summed up in one feature more
    expected = (rows or of_mllama) if name in ONE_SIZE else 4 if name in TILES_OF_FOUR else 0
    assert anatomy.shape.num_vision == expected
