"""A skip set at work: equal to the slow reference, cached or not, padded or not; and the model comes back."""

import copy
import functools
import threading

import pytest
import torch
from transformers import DynamicCache, StaticCache

from skipit_nb import SkipSet
from skipit_nb.backend.live.anatomy import anatomy_of
from skipit_nb.backend.live.cache_argument import NAME as CACHE
from skipit_nb.backend.live.forward_pass import NoVisionTokensWarning
from skipit_nb.backend.live.skipping import skipping
from skipit_nb.errors import UnsupportedSkipError
from tests.backend.live.reference import reference_logits
from tests.backend.live.tiny_llava import END, IMAGE, NUM_LAYERS, prompts, tiny_llava

CLOSE = 5e-5
SETS = [
    "whole 0",
    "whole 3",
    "whole 0-1; vision absent 2-3",
    "vision absent 0",
    "vision absent 0-1",
    "vision absent 2-",
    "vision absent 1-2",
    "vision absent 0-",
    "vision frozen 0",
    "vision frozen 0-",
    "vision frozen 1; vision absent 3; whole 2",
    "text frozen 1",
    "text frozen 0+3",
    "text absent 0",
    "text absent 2",
    "attn 0",
    "mlp 1",
    "vision frozen 0; attn 0",
    "vision absent 2; mlp 2",
]


@pytest.fixture(scope="module", params=["sdpa", "eager"])
def model(request):
    return tiny_llava(request.param)


@torch.no_grad()
def logits_under(model, inputs, text, **kwargs):
    with skipping(model, anatomy_of(model), SkipSet.parse(text, num_layers=NUM_LAYERS)):
        return model(**inputs, **kwargs).logits


@pytest.mark.parametrize("padded", [False, True])
@pytest.mark.parametrize("text", SETS)
def test_prefill_equals_the_reference(model, text, padded):
    inputs = prompts(padded=padded)
    expected = reference_logits(model, inputs, SkipSet.parse(text, num_layers=NUM_LAYERS))
    is_token = inputs["attention_mask"].bool()
    assert (logits_under(model, inputs, text) - expected)[is_token].abs().max() < CLOSE


@pytest.mark.parametrize("padded", [False, True])
@pytest.mark.parametrize("text", SETS)
def test_cached_generation_equals_the_uncached_reference(model, text, padded):
    inputs = prompts(padded=padded)
    skipset = SkipSet.parse(text, num_layers=NUM_LAYERS)
    steps = 4
    with skipping(model, anatomy_of(model), skipset):
        out = model.generate(
            **inputs, max_new_tokens=steps, min_new_tokens=steps, do_sample=False, suppress_tokens=[IMAGE, END],
            output_logits=True, return_dict_in_generate=True,
        )  # fmt: skip
    length = inputs["input_ids"].shape[1]
    for step in range(steps):
        ids = out.sequences[:, : length + step]
        ones = torch.ones(len(ids), step, dtype=torch.long)
        grown = inputs | {"input_ids": ids, "attention_mask": torch.cat([inputs["attention_mask"], ones], 1)}
        expected = reference_logits(model, grown, skipset)[:, -1]
        assert (out.logits[step] - expected).abs().max() < CLOSE, f"step {step}"


@pytest.mark.parametrize("text", ["whole 0", "vision absent 0-1", "vision absent 1-2", "vision frozen 0", "attn 0"])
@pytest.mark.parametrize("cache", ["dynamic", "static"])
def test_a_hand_written_loop_with_several_tokens_a_step_equals_the_reference(model, text, cache):
    inputs = prompts(padded=False)
    skipset = SkipSet.parse(text, num_layers=NUM_LAYERS)
    kept = DynamicCache() if cache == "dynamic" else StaticCache(config=model.config.text_config, max_cache_len=40)
    more = torch.tensor([[30, 31], [32, 33]])[:, None]
    with torch.no_grad(), skipping(model, anatomy_of(model), skipset):
        model(**inputs, **{CACHE: kept})
        for step in more:
            got = model(input_ids=step, **{CACHE: kept}).logits
    ids = torch.cat([inputs["input_ids"], more[0], more[1]], 1)
    grown = inputs | {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
    assert (got - reference_logits(model, grown, skipset)[:, -2:]).abs().max() < CLOSE


def test_beam_search_equals_beam_search_without_a_cache(model):
    inputs = prompts(padded=True)
    settings = {"max_new_tokens": 4, "num_beams": 3, "do_sample": False, "suppress_tokens": [IMAGE, END]}
    with skipping(model, anatomy_of(model), SkipSet.parse("vision absent 0; whole 2", num_layers=NUM_LAYERS)):
        cached = model.generate(**inputs, **settings)
        uncached = model.generate(**inputs, **settings, use_cache=False)
    assert torch.equal(cached, uncached)


def test_late_entry_at_0_and_early_exit_after_the_last_layer_change_no_bit(model):
    inputs = prompts(padded=True)
    skipset = SkipSet.late_entry(0, num_layers=NUM_LAYERS) | SkipSet.early_exit(NUM_LAYERS, num_layers=NUM_LAYERS)
    with torch.no_grad():
        plain = model(**inputs).logits
    assert torch.equal(logits_under(model, inputs, str(skipset)), plain)


def test_an_empty_set_installs_nothing(model):
    with skipping(model, anatomy_of(model), SkipSet.none(num_layers=NUM_LAYERS)):
        assert not model._forward_pre_hooks
        assert all("forward" not in module.__dict__ for module in model.modules())


def test_absent_layers_keep_keys_of_the_rows_that_ran_only(model):
    inputs = prompts(padded=False)
    kept = DynamicCache()
    logits_under(model, inputs, "vision absent 0-1; whole 3", **{CACHE: kept})
    length = inputs["input_ids"].shape[1]
    text = int((inputs["input_ids"] != IMAGE).sum())
    assert [layer.keys.shape[2] for layer in kept.layers[:3]] == [text, text, length]
    assert kept.layers[3].keys.numel() == length, "one number a token, so that the layer counts them"
    assert [layer.get_seq_length() for layer in kept.layers] == [length] * 4


def test_skipped_rows_are_not_computed(model):
    inputs = prompts(padded=False)
    seen = {}
    layers = model.model.language_model.layers
    hooks = [
        layers[i].mlp.register_forward_hook(lambda m, args, out, i=i: seen.update({i: args[0].shape[1]}))
        for i in range(NUM_LAYERS)
    ]
    logits_under(model, inputs, "vision absent 0; vision frozen 1; whole 2")
    for hook in hooks:
        hook.remove()
    length, text = inputs["input_ids"].shape[1], int((inputs["input_ids"] != IMAGE).sum())
    assert seen == {0: text, 1: text, 3: length}


@pytest.mark.parametrize("text", ["whole 0", "vision absent 0-1", "vision frozen 2", "attn 1"])
def test_the_model_is_restored_when_the_block_raises(model, text):
    inputs = prompts(padded=True)
    before = copy.deepcopy(model.state_dict())
    with torch.no_grad():
        plain = model(**inputs).logits
    for error in (KeyboardInterrupt, RuntimeError):
        with pytest.raises(error), skipping(model, anatomy_of(model), SkipSet.parse(text, num_layers=NUM_LAYERS)):
            model(**inputs)
            raise error
    assert all("forward" not in module.__dict__ for module in model.modules())
    assert not model._forward_pre_hooks
    assert all(torch.equal(value, model.state_dict()[name]) for name, value in before.items())
    with torch.no_grad():
        assert torch.equal(model(**inputs).logits, plain)


def test_a_forward_of_somebody_else_comes_back(model):
    layer = model.model.language_model.layers[1]
    theirs = layer.forward
    wrapper = functools.partial(theirs)
    layer.forward = wrapper
    with skipping(model, anatomy_of(model), SkipSet.parse("vision frozen 1", num_layers=NUM_LAYERS)):
        assert layer.forward is not wrapper
    assert layer.forward is wrapper
    del layer.forward


def test_hidden_states_can_be_asked_for_inside_and_after(model):
    inputs = prompts(padded=False)
    with torch.no_grad(), skipping(model, anatomy_of(model), SkipSet.parse("whole 1", num_layers=NUM_LAYERS)):
        inside = model(**inputs, output_hidden_states=True).hidden_states
    with torch.no_grad():
        after = model(**inputs, output_hidden_states=True).hidden_states
    assert len(inside) == len(after) == NUM_LAYERS + 1
    assert torch.equal(inside[1], inside[2])
    assert not torch.equal(after[1], after[2])


def test_a_row_without_an_image_runs_as_it_is_with_one_warning(model):
    inputs = prompts(padded=True, text_only_row=True)
    expected = reference_logits(model, inputs, SkipSet.none(num_layers=NUM_LAYERS))[2, -1]
    with torch.no_grad(), skipping(model, anatomy_of(model), SkipSet.parse("vision absent 0-1", num_layers=NUM_LAYERS)):
        with pytest.warns(NoVisionTokensWarning, match="ran as it is") as caught:
            got = model(**inputs).logits
            model(**inputs)
    assert len(caught) == 1
    assert (got[2, -1] - expected).abs().max() < CLOSE
    skipped = reference_logits(model, inputs, SkipSet.parse("vision absent 0-1", num_layers=NUM_LAYERS))
    assert (got[:2, -1] - skipped[:2, -1]).abs().max() < CLOSE


def test_a_call_without_token_ids_is_refused_and_leaves_nothing(model):
    embeds = torch.randn(1, 5, 32)
    with (
        skipping(model, anatomy_of(model), SkipSet.parse("vision absent 0", num_layers=NUM_LAYERS)),
        pytest.raises(UnsupportedSkipError, match="gives no input_ids"),
    ):
        model(inputs_embeds=embeds)
    assert all("forward" not in module.__dict__ for module in model.modules())


def test_gradients_flow_through_a_skipped_model():
    model = tiny_llava()
    with skipping(model, anatomy_of(model), SkipSet.parse("vision frozen 1; whole 2", num_layers=NUM_LAYERS)):
        model(**prompts(padded=True)).logits.sum().backward()
    layers = model.model.language_model.layers
    assert layers[1].mlp.up_proj.weight.grad is not None
    assert layers[2].mlp.up_proj.weight.grad is None


def test_two_threads_with_two_models_do_not_mix():
    inputs, models = prompts(padded=False), {text: tiny_llava(seed=3) for text in ("vision absent 0", "whole 1")}
    results = {}
    threads = [
        threading.Thread(target=lambda text=text: results.update({text: logits_under(models[text], inputs, text)}))
        for text in models
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for text, got in results.items():
        assert torch.allclose(got, logits_under(models[text], inputs, text), atol=1e-6)
