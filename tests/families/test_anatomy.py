"""The parts of every family, found by structure: its vision rows, layers, cache slots, final norm and head."""

import pytest
import torch
from transformers import DynamicCache

from skipit_nb.backend.live.anatomy import anatomy_of
from skipit_nb.backend.live.cache_argument import NAME as CACHE
from tests.families.all_families import BUILDERS, family

each_family = pytest.mark.parametrize("name", BUILDERS)

NEWLINES = {"llava_next": 1, "llava_onevision": 1, "phi4_multimodal": 2}
"""How many learned vectors stand on image positions, at the ends of rows and between pictures, whatever the pixels."""

CAPPED = {"paligemma2", "gemma4", "gemma4_unshared"}
"""Families that keep logits below a limit; none scales them, not even aya_vision, whose decoder alone would."""

FULL, SLIDING, LINEAR, CROSS = (f"{kind}_attention" for kind in ("full", "sliding", "linear", "cross"))
LAYER_TYPES = {
    "llava_mistral": [SLIDING] * 4,
    "aya_vision": [SLIDING, FULL] * 2,
    "paligemma2": [SLIDING, FULL] * 2,
    "gemma3": [SLIDING, FULL] * 2,
    "gemma4": [SLIDING, FULL] * 3,
    "gemma4_unshared": [SLIDING, FULL] * 3,
    "qwen3_vl": [FULL] * 5,
    "qwen3_5": [LINEAR, LINEAR, FULL] * 2,
    "mllama": [FULL, CROSS, FULL] * 2,
}
"""All others: four layers that attend to everything."""

WITHOUT_SLOTS = {"gemma4": {4, 5}, "qwen3_5": {0, 1, 3, 4}, "mllama": {1, 4}}
"""Layers that keep no keys of their own tokens."""


@torch.no_grad()
def call(model, inputs, **settings):
    """The logits, and what the first layer got and the last one gave."""
    layers, seen = anatomy_of(model).layers, []
    with (
        layers[0].register_forward_pre_hook(lambda module, args: seen.append(args[0])),
        layers[-1].register_forward_hook(lambda module, args, out: seen.append(out)),
    ):
        return model(**inputs, **settings).logits, *seen


@each_family
@pytest.mark.parametrize("prompts", ["one", "padded", "text_only"])
def test_vision_rows_are_those_that_change_with_the_pixels_and_newlines_between_them(name, prompts):
    replica = family(name)
    inputs = getattr(replica, prompts)
    negative = {key: -value if "pixel_values" in key else value for key, value in inputs.items()}
    first, other = (call(replica.model, given, use_cache=False)[1] for given in (inputs, negative))
    changes = (first != other).any(-1)
    rows = anatomy_of(replica.model).vision_rows(inputs["input_ids"])
    assert not (changes & ~rows).any()
    assert len(first[rows & ~changes].unique(dim=0)) == (NEWLINES.get(name, 0) if rows.any() else 0)
    assert rows.any() == (prompts != "text_only" and name != "mllama")


@each_family
def test_norm_and_head_of_the_last_state_are_the_logits_but_for_the_cap_of_some_families(name):
    replica = family(name)
    anatomy = anatomy_of(replica.model)
    config = anatomy.decoder.config
    logits, _, last = call(replica.model, replica.one, use_cache=False)
    with torch.no_grad():
        given = anatomy.head(anatomy.final_norm(last))
    if name in CAPPED:
        given = config.final_logit_softcapping * (given / config.final_logit_softcapping).tanh()
    torch.testing.assert_close(given, logits, atol=1e-5, rtol=0)


@each_family
def test_layers_are_of_the_kinds_that_the_family_has(name):
    anatomy = anatomy_of(family(name).model)
    assert anatomy.layer_types == (*LAYER_TYPES.get(name, [FULL] * 4),)
    assert len(anatomy.layers) == anatomy.shape.num_layers == len(anatomy.layer_types)
    assert anatomy.has_vision_rows == (name != "mllama")
    assert anatomy.last_injection == (1 if name == "qwen3_vl" else -1)


@each_family
def test_a_cache_slot_is_where_the_layer_writes_its_keys(name, monkeypatch):
    replica, at, written = family(name), [], {}
    anatomy, cache = anatomy_of(replica.model), DynamicCache(config=anatomy_of(replica.model).decoder.config)
    update = DynamicCache.update

    def noting(cache, keys, values, layer_idx, *args, **kwargs):
        written[at[-1]] = layer_idx
        return update(cache, keys, values, layer_idx, *args, **kwargs)

    monkeypatch.setattr(DynamicCache, "update", noting)
    hooks = [
        layer.register_forward_pre_hook(lambda module, args, index=index: at.append(index))
        for index, layer in enumerate(anatomy.layers)
    ]
    call(replica.model, replica.one, **{CACHE: cache})
    for hook in hooks:
        hook.remove()
    without = WITHOUT_SLOTS.get(name, set())
    own = {index: slot for index, slot in written.items() if anatomy.layer_types[index] != CROSS}
    assert own == {index: slot for index, slot in enumerate(anatomy.cache_slots) if slot is not None}
    assert own == {index: index for index in range(len(anatomy.layers)) if index not in without}
