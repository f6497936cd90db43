"""A skip set and the many ways to call a model: recorded states, embeddings, used caches, padding."""

import pytest
import torch
from transformers import DynamicCache, StaticCache

from skipit_nb.backend.live.anatomy import anatomy_of
from skipit_nb.backend.live.cache_argument import NAME as CACHE
from skipit_nb.errors import PaddingError
from tests.families.all_families import BUILDERS, family
from tests.families.matrix import under, written

each_kind = pytest.mark.parametrize(
    "kind", ["whole, first", "attention", "late entry", "vision frozen everywhere", "text frozen", "union"]
)


@torch.no_grad()
def logits_of(model, inputs, **settings):
    return model(**inputs, **settings).logits


@pytest.mark.parametrize("name", ["llava", "gemma3", "qwen2_5_vl", "aya_vision", "qwen3_vl", "gemma4"])
def test_hidden_states_are_recorded_inside_and_as_before_afterwards(name):
    model, inputs = BUILDERS[name]("sdpa").model, family(name).one
    count = len(anatomy_of(model).layers)
    with torch.no_grad(), under(model, "whole, first"):
        inside = model(**inputs, output_hidden_states=True).hidden_states
    assert len(inside) == count + 1
    assert torch.equal(inside[0], inside[1])
    with torch.no_grad():
        after = model(**inputs, output_hidden_states=True).hidden_states
        never_skipped = family(name).model(**inputs, output_hidden_states=True).hidden_states
    assert len(after) == count + 1
    assert all(map(torch.equal, after, never_skipped))


@each_kind
@pytest.mark.parametrize("name", ["llava", "llava_mistral", "aya_vision"])
def test_a_mask_given_by_hand_does_for_embeddings_what_token_ids_do(name, kind):
    replica, seen = family(name), []
    ids = replica.padded["input_ids"]
    with anatomy_of(replica.model).decoder.register_forward_pre_hook(
        lambda module, args, kwargs: seen.append(kwargs["inputs_embeds"]), with_kwargs=True
    ):
        logits_of(replica.model, replica.padded)
    embedded = {"inputs_embeds": seen[0], "attention_mask": replica.padded["attention_mask"]}
    with under(replica.model, kind):
        _, wanted = written(replica, replica.padded, 3)
    with under(replica.model, kind, vision=anatomy_of(replica.model).vision_rows(ids)):
        _, got = written(replica, embedded, 3)
    assert torch.allclose(got, wanted, atol=1e-4)


@each_kind
@pytest.mark.parametrize("cache", ["dynamic", "static"])
@pytest.mark.parametrize("name", ["llava", "gemma3", "aya_vision", "gemma4"])
def test_a_cache_that_was_reset_is_an_ordinary_one(name, cache, kind):
    replica = family(name)
    config, step = replica.model.get_decoder().config, {"input_ids": torch.tensor([[30]])}
    used, fresh = [
        DynamicCache(config=config) if cache == "dynamic" else StaticCache(config=config, max_cache_len=60)
        for _ in range(2)
    ]
    with under(replica.model, kind):
        logits_of(replica.model, replica.one, **{CACHE: used})
        logits_of(replica.model, step, **{CACHE: used})
    used.reset()
    for inputs in (replica.one, step):
        wanted = logits_of(replica.model, inputs, **{CACHE: fresh})
        assert torch.equal(logits_of(replica.model, inputs, **{CACHE: used}), wanted)


def test_a_batch_padded_on_the_right_may_be_read_but_not_gone_on_with():
    replica = family("llava")
    inputs = {
        name: value.flip(1) if name in ("input_ids", "attention_mask") else value
        for name, value in replica.padded.items()
    }
    with under(replica.model, "late entry"):
        logits_of(replica.model, inputs)
        with pytest.raises(PaddingError, match="padded on the right"):
            written(replica, inputs, 3)
        written(replica, replica.padded, 3)


def test_padding_between_picture_and_question_is_no_padding_at_the_end():
    replica = family("instructblip")
    assert (replica.padded["attention_mask"][:, [0, -1]] == 1).all()
    assert (replica.padded["attention_mask"] == 0).any()
    with under(replica.model, "late entry"):
        _, first = written(replica, replica.padded, 3)
        assert torch.equal(written(replica, replica.padded, 3)[1], first), "a second prompt in the same block"
