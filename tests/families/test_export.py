"""Every family, whole layers left out: the pruned checkpoint is the skipped model bit for bit, or is refused."""

import copy
import dataclasses

import pytest
import torch
from transformers import (
    Cohere2Config,
    DeepseekV3Config,
    Llama4TextConfig,
    LlavaConfig,
    LlavaForConditionalGeneration,
    Qwen3MoeConfig,
    SmolLM3Config,
)

from skipit_nb import Session, SkipSet
from skipit_nb.backend.export import layer_entries
from skipit_nb.errors import UnsupportedExportError
from tests.backend.live.tiny_llava import BEGIN, END, IMAGE, NUM_VISION, PAD, prompts, tiny_llava
from tests.families.all_families import BUILDERS, family

KINDS = {"first": "whole 0", "second": "whole 1", "last": "whole {last}", "two": "whole 0+2"}

REFUSED = {
    ("gemma4", "last"): "not homogeneous across layers",  # the last layer must have full attention
    ("gemma4_unshared", "last"): "not homogeneous across layers",
    ("mllama", "first"): "layer 1 would come first",
    ("mllama", "two"): "layer 1 would come first",
    ("qwen3_vl", "first"): "vision features are added by layer number up to layer 1",
    ("qwen3_vl", "second"): "vision features are added by layer number up to layer 1",
    ("qwen3_vl", "two"): "vision features are added by layer number up to layer 1",
}
"""Where a checkpoint without the layers would be another model."""

NOT_SKIPPED = {("gemma4", "two"): "whole 0+1"}
"""Layer 2 makes keys that others read, so it cannot even be skipped: another pair."""


def skipset_of(name, kind, num_layers):
    text = NOT_SKIPPED.get((name, kind), KINDS[kind].format(last=num_layers - 1))
    return SkipSet.parse(text, num_layers=num_layers)


def reopened(path, like):
    model, info = type(like).from_pretrained(path, output_loading_info=True)
    assert not info["missing_keys"]
    assert not info["unexpected_keys"]
    assert not info["mismatched_keys"]
    model.set_attn_implementation(like.config._attn_implementation)
    return model.eval()


def answer(replica, inputs):
    out = replica.model.generate(
        **inputs, max_new_tokens=3, min_new_tokens=3, do_sample=False, output_logits=True,
        suppress_tokens=list(replica.suppress), return_dict_in_generate=True,
    )  # fmt: skip
    return torch.stack(out.logits, dim=1)


CASES = [
    pytest.param(name, kind, marks=[] if kind == "two" or (name, kind) in REFUSED else pytest.mark.slow)
    for name in BUILDERS
    for kind in KINDS
]
"""All of them in `make test-full`; a second for each."""


@pytest.mark.parametrize(("name", "kind"), CASES)
def test_a_pruned_checkpoint_is_the_skipped_model_or_is_refused(name, kind, tmp_path):
    replica = family(name)
    with Session(replica.model) as session:
        skipset = skipset_of(name, kind, session.num_layers)
        if (name, kind) in REFUSED:
            with pytest.raises(UnsupportedExportError, match=REFUSED[name, kind]):
                session.export(skipset, tmp_path / "pruned", form="pruned")
            return
        session.export(skipset, tmp_path / "pruned", form="pruned")
        small = dataclasses.replace(replica, model=reopened(tmp_path / "pruned", replica.model))
        for inputs in (replica.one, replica.padded):
            with torch.inference_mode(), session.skipping(skipset):
                expected, said = replica.model(**inputs).logits, answer(replica, inputs)
            with torch.inference_mode():
                assert torch.equal(small.model(**inputs).logits, expected)
                assert torch.equal(answer(small, inputs), said)


@pytest.mark.parametrize("name", ["gemma3", "gemma4_unshared", "qwen3_5"])
def test_entries_per_layer_that_are_not_followed_are_found_out(name, tmp_path, monkeypatch):
    """With the first layers' entries instead of the kept ones', the draft is refused, whatever its logits say."""
    monkeypatch.setattr(layer_entries, "_kept_entries", lambda _, values, kept, __: values[: len(kept)])
    with Session(family(name).model) as session, pytest.raises(UnsupportedExportError):
        session.export("whole 0", tmp_path / "pruned", form="pruned")


# -- decoders that say something of single layers, inside LLaVA --------------------------------------------------------

SMALL = {
    "vocab_size": 50, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 4, "num_attention_heads": 4,
    "num_key_value_heads": 2, "initializer_range": 0.3, "pad_token_id": PAD, "bos_token_id": BEGIN, "eos_token_id": END,
}  # fmt: skip
EXPERTS = {"moe_intermediate_size": 16, "num_experts_per_tok": 2}

DECODERS = {
    "dense at first": lambda: DeepseekV3Config(
        **SMALL | {"num_key_value_heads": 4}, **EXPERTS, first_k_dense_replace=2, n_routed_experts=4, n_group=1,
        topk_group=1, q_lora_rank=8, kv_lora_rank=8, qk_rope_head_dim=4, qk_nope_head_dim=4, v_head_dim=8,
    ),
    "dense by number": lambda: Qwen3MoeConfig(**SMALL, **EXPERTS, num_experts=4, head_dim=8, mlp_only_layers=[1]),
    "no positions in some": lambda: SmolLM3Config(**SMALL, no_rope_layers=[1, 0, 1, 0]),
    "chunks, experts, no positions": lambda: Llama4TextConfig(
        **SMALL, num_local_experts=4, intermediate_size_mlp=48, interleave_moe_layer_step=2, head_dim=8,
        attention_chunk_size=8, no_rope_layers=[1, 0, 1, 0],
    ),
    "a long window": lambda: Cohere2Config(
        **SMALL, sliding_window=1000, layer_types=["sliding_attention", "full_attention"] * 2
    ),
}  # fmt: skip


def inside_llava(text):
    torch.manual_seed(0)
    vision = tiny_llava().config.vision_config
    config = LlavaConfig(vision_config=vision, text_config=text, image_token_id=IMAGE, image_seq_length=NUM_VISION)
    return LlavaForConditionalGeneration(config).eval()


@pytest.mark.parametrize("text", ["whole 0", "whole 1", "whole 0+2"])
@pytest.mark.parametrize("kind", DECODERS)
def test_what_a_decoder_says_of_single_layers_follows_them(kind, text, tmp_path):
    model, inputs = inside_llava(DECODERS[kind]()), prompts(padded=True)
    with Session(model) as session:
        session.export(text, tmp_path / "pruned", form="pruned")
        with torch.inference_mode(), session.skipping(text):
            expected = model(**inputs).logits
    with torch.inference_mode():
        assert torch.equal(reopened(tmp_path / "pruned", model)(**inputs).logits, expected)


def test_rotary_tables_by_layer_number_follow_the_layers(tmp_path):
    replica = family("molmo2")
    config = copy.deepcopy(replica.model.config)
    config.text_config.rope_scaling_layers = [1, 3]
    config.text_config.rope_parameters = {"rope_type": "linear", "factor": 4.0, "rope_theta": 10_000.0}
    model = type(replica.model)(config).eval()
    model.load_state_dict(replica.model.state_dict())
    with Session(model) as session:
        session.export("whole 0", tmp_path / "pruned", form="pruned")
        with torch.inference_mode(), session.skipping("whole 0"):
            expected = model(**replica.one).logits
    small = reopened(tmp_path / "pruned", model)
    assert small.get_decoder().rope_types == ["scaled", "unscaled", "scaled"]
    with torch.inference_mode():
        assert torch.equal(small(**replica.one).logits, expected)


def test_a_pattern_over_all_layers_cannot_follow_and_is_refused(tmp_path):
    every_second = Qwen3MoeConfig(**SMALL, **EXPERTS, num_experts=4, head_dim=8, decoder_sparse_step=2)
    with Session(inside_llava(every_second)) as session:
        assert session.export("whole 3", tmp_path / "last").form == "pruned"
        exported = session.export("whole 0", tmp_path / "first")
    assert exported.form == "config"
    assert "tensor model.language_model.layers.0.mlp" in exported.reason
