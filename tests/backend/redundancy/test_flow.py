"""VAR: equal to the attention weights that transformers gives, and the model's attention comes back."""

import pytest
import torch

from skipit_nb.backend.live.anatomy import anatomy_of
from skipit_nb.backend.redundancy.flow import FlowRecorder
from skipit_nb.backend.redundancy.geometric import token_kinds
from tests.backend.live.tiny_llava import NUM_LAYERS, prompts, tiny_llava


@torch.no_grad()
def recorded(model, inputs):
    recorder = FlowRecorder(anatomy_of(model))
    with recorder.recording(inputs):
        model(**inputs)
    return recorder.rows()


def test_var_equals_the_mass_in_the_attention_weights():
    inputs = prompts(padded=True)
    rows = recorded(tiny_llava("sdpa"), inputs)
    eager = tiny_llava("eager")
    with torch.no_grad():
        weights = eager(**inputs, output_attentions=True).attentions
    vision = token_kinds(inputs, anatomy_of(eager))[0].float()
    for row in rows:
        mass = (weights[row.layer][:, :, -1, :] * vision[:, None]).sum(-1).mean(1)
        assert row.var == pytest.approx(float(mass.mean()), abs=1e-5)
        assert row.spread == pytest.approx(float(mass.std()), abs=1e-5)
    assert len(rows) == NUM_LAYERS


def test_the_uniform_share_is_vision_keys_over_all_keys():
    inputs = prompts(padded=False)
    assert recorded(tiny_llava(), inputs)[0].uniform == pytest.approx(16 / inputs["input_ids"].shape[1])


def test_attention_is_as_before_afterwards_also_when_the_pass_raises():
    model, inputs = tiny_llava("sdpa"), prompts(padded=False)
    recorded(model, inputs)
    with pytest.raises(RuntimeError), FlowRecorder(anatomy_of(model)).recording(inputs):
        raise RuntimeError
    assert model.model.language_model.config._attn_implementation == "sdpa"
    assert all(not layer.self_attn._forward_hooks for layer in model.model.language_model.layers)


def test_a_prompt_without_vision_tokens_has_no_flow():
    inputs = {"input_ids": torch.tensor([[2, 5, 6]]), "attention_mask": torch.ones(1, 3, dtype=torch.long)}
    assert recorded(tiny_llava(), inputs) == ()
