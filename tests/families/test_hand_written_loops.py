"""Exact without plain `generate` too: several tokens a step, chats, candidates taken back, caches used again."""

import pytest
import torch
from transformers import Cache, DynamicCache, StaticCache

from skipit_nb.backend.live.anatomy import anatomy_of
from skipit_nb.backend.live.cache_argument import NAME as CACHE
from skipit_nb.errors import UnsupportedSkipError
from tests.families.all_families import family
from tests.families.matrix import CLOSE, skipset_of, under, written
from tests.families.reference import reference

FAMILIES = ("llava", "gemma3", "qwen2_5_vl", "aya_vision", "instructblip", "qwen3_vl", "gemma4")
IN_PARTS = ("llava", "qwen2_5_vl", "aya_vision", "qwen3_vl", "gemma4")
"""Families that transformers lets read a prompt in parts, with the same result without a skip set."""

IN_TURNS = ("llava", "aya_vision", "gemma4")
"""Families that take another image when the cache is not empty, with the same result without a skip set."""

each_kind = pytest.mark.parametrize(
    "kind", ["whole, first", "late entry", "middle band", "vision frozen everywhere", "text absent", "union"]
)


def by_reference(name, kind, inputs):
    model = family(name, "eager").model
    return reference(model, inputs["input_ids"], skipset_of(kind, anatomy_of(model)))


@torch.no_grad()
def expected(name, kind, inputs):
    """Logits of every row by the reference."""
    with by_reference(name, kind, inputs):
        return family(name, "eager").model(**inputs, use_cache=False).logits


def are_close(got, wanted):
    return (got - wanted).abs().max() < CLOSE * wanted.abs().max()


def grown(inputs, more):
    """The inputs with more words behind them."""
    behind = {"input_ids": more, "attention_mask": torch.ones_like(more)}
    return {
        name: torch.cat([value, behind.get(name, torch.zeros_like(more))], 1) if is_by_token(inputs, value) else value
        for name, value in inputs.items()
    }


def with_another_picture(inputs):
    """The prompt once more with the negative of its picture, and both turns as one."""
    turn = {name: -value if name == "pixel_values" else value for name, value in inputs.items()}
    both = {
        name: torch.cat([value, turn[name]], dim=1 if is_by_token(inputs, value) else 0)
        for name, value in inputs.items()
    }
    return turn, both


def is_by_token(inputs, value):
    return value.shape == inputs["input_ids"].shape


def cache_of(kind, model):
    if kind == "without a config":
        return DynamicCache()
    config = model.get_decoder().config
    return DynamicCache(config=config) if kind == "dynamic" else StaticCache(config=config, max_cache_len=80)


@torch.no_grad()
def last_logits(model, inputs, cache, steps):
    """Logits of the words of the last step. InstructBLIP's decoder goes on alone: the whole wants a picture again."""
    model(**inputs, **{CACHE: cache})
    rest = model.language_model if hasattr(model.config, "qformer_config") else model
    for step in steps:
        logits = rest(input_ids=step, **{CACHE: cache}).logits
    return logits


@each_kind
@pytest.mark.parametrize("name", FAMILIES)
def test_several_tokens_a_step_equal_the_reference(name, kind):
    replica = family(name)
    steps = torch.tensor([[30, 31, 32], [33, 34, 35]])[:, None]
    wanted = expected(name, kind, grown(replica.one, steps.view(1, -1)))[:, -3:]
    with under(replica.model, kind):
        for cache in ("without a config", "dynamic", "static"):
            assert are_close(last_logits(replica.model, replica.one, cache_of(cache, replica.model), steps), wanted)


@each_kind
@pytest.mark.parametrize("name", FAMILIES)
def test_text_rows_of_a_prompt_equal_the_reference_with_a_cache_and_without(name, kind):
    replica = family(name)
    wanted, inputs = expected(name, kind, replica.padded), replica.padded
    is_text = inputs["attention_mask"].bool() & ~anatomy_of(replica.model).vision_rows(inputs["input_ids"])
    with torch.no_grad(), under(replica.model, kind):
        for use_cache in (False, True):
            got = replica.model(**inputs, use_cache=use_cache).logits
            assert are_close(got[is_text], wanted[is_text])


@pytest.mark.parametrize("kind", ["whole, first", "late entry", "union"])
@pytest.mark.parametrize("name", FAMILIES)
def test_candidates_taken_back_change_nothing(name, kind, monkeypatch):
    replica, crops, crop = family(name), [], Cache.crop
    monkeypatch.setattr(Cache, "crop", lambda cache, removed: (crops.append(removed), crop(cache, removed)))
    settings = {"max_new_tokens": 24, "do_sample": False, "suppress_tokens": [*replica.suppress]}
    with under(replica.model, kind):
        plain = replica.model.generate(**replica.one, **settings)
        assert torch.equal(replica.model.generate(**replica.one, **settings, prompt_lookup_num_tokens=3), plain)
    assert any(crops), "some candidates were refused"


@pytest.mark.parametrize("kind", ["whole, first", "late entry", "vision frozen everywhere", "text absent", "union"])
@pytest.mark.parametrize("name", IN_PARTS)
def test_a_prompt_read_in_parts_is_the_prompt_read_at_once(name, kind):
    replica = family(name)
    with under(replica.model, kind):
        tokens, logits = written(replica, replica.one, 3)
        got_tokens, got = written(replica, replica.one, 3, prefill_chunk_size=7)
    assert torch.equal(got_tokens, tokens)
    assert are_close(got, logits)


@each_kind
@pytest.mark.parametrize("name", IN_TURNS)
def test_a_chat_goes_on_with_another_picture(name, kind):
    replica = family(name)
    turn, both = with_another_picture(replica.one)
    length = replica.one["input_ids"].shape[1]
    wanted = expected(name, kind, both)[:, length:]
    is_text = ~anatomy_of(replica.model).vision_rows(turn["input_ids"])
    with torch.no_grad(), under(replica.model, kind):
        cache = DynamicCache(config=replica.model.get_decoder().config)
        replica.model(**replica.one, **{CACHE: cache})
        got = replica.model(**turn | {"attention_mask": both["attention_mask"]}, **{CACHE: cache}).logits
    assert are_close(got[is_text], wanted[is_text])


@each_kind
@pytest.mark.parametrize("name", [*IN_TURNS, "gemma3"])
def test_a_chat_goes_on_with_another_picture_in_generate(name, kind):
    replica = family(name)
    turn, both = with_another_picture(replica.one)
    with by_reference(name, kind, both):
        tokens, logits = written(family(name, "eager"), both, 3, use_cache=False)
    with torch.no_grad(), under(replica.model, kind):
        cache = DynamicCache(config=replica.model.get_decoder().config)
        replica.model(**replica.one, **{CACHE: cache})
        whole = {name: both[name] if is_by_token(turn, value) else value for name, value in turn.items()}
        got_tokens, got = written(replica, whole, 3, **{CACHE: cache})
    assert torch.equal(got_tokens, tokens)
    assert are_close(got, logits)


def test_a_picture_after_text_that_was_frozen_alone_is_refused():
    replica = family("llava")
    turn, _ = with_another_picture(replica.one)
    with torch.no_grad(), under(replica.model, "text frozen"):
        cache = DynamicCache()
        last_logits(replica.model, replica.one, cache, [torch.tensor([[30]])])
        with pytest.raises(UnsupportedSkipError, match=r"its keys are missing\. Begin a new prompt"):
            replica.model(**turn | {"attention_mask": None}, **{CACHE: cache})
        cache.reset()
        last_logits(replica.model, replica.one, cache, [torch.tensor([[30]])])


@pytest.mark.parametrize("kind", ["late entry", "text absent", "union"])
@pytest.mark.parametrize("name", ["llava", "llava_mistral", "gemma3", "aya_vision"])
def test_a_cache_follows_when_sequences_are_picked_and_repeated(name, kind):
    replica, order = family(name), torch.tensor([2, 0, 0])
    step = torch.tensor([[30], [31], [32]])
    inputs = replica.padded
    wanted = expected(name, kind, grown(inputs, step))[:, -1:]
    with torch.no_grad(), under(replica.model, kind):
        for move, rows in {
            "batch_select_indices": order,
            "reorder_cache": order,
            "batch_repeat_interleave": torch.arange(3).repeat_interleave(2),
        }.items():
            cache = DynamicCache(config=replica.model.get_decoder().config)
            replica.model(**inputs, **{CACHE: cache})
            getattr(cache, move)(2 if "repeat" in move else rows)
            mask = grown(inputs, step)["attention_mask"][rows]
            got = replica.model(input_ids=step[rows], attention_mask=mask, **{CACHE: cache}).logits
            assert are_close(got, wanted[rows]), move
