"""Dropped vision tokens: who falls, and that the rest is what the slow, obvious way gives."""

import pytest
import torch
from transformers import DynamicCache, StaticCache
from transformers.models.llama.modeling_llama import apply_rotary_pos_emb, repeat_kv

from skipit_nb import SkipSet
from skipit_nb.backend.live.cache_argument import NAME as CACHE
from skipit_nb.backend.live.model import LiveModel
from skipit_nb.backend.live.skipping import skipping
from skipit_nb.backend.selection.dropping import dropping
from skipit_nb.cost import cost
from skipit_nb.errors import LayerIndexError, PaddingError, SettingError, UnsupportedSkipError
from skipit_nb.tokendrop import TokenDrop
from tests.backend.live.tiny_llava import NUM_LAYERS, NUM_VISION, prompts, tiny_llava
from tests.families.dispatched import dispatched

CLOSE = 5e-5
DROPS = [
    TokenDrop.fastv(1, drop=0.5),
    TokenDrop.fastv(2, drop=0.75),
    TokenDrop.fastv(3, drop=1.0),
    TokenDrop.pyramid_drop(NUM_LAYERS),
    TokenDrop(((0, 0.8), (2, 0.5)), "at"),
    TokenDrop(((1, 0.6), (2, 0.4), (3, 0.0)), "at"),
]


@pytest.fixture(scope="module", params=["sdpa", "eager"])
def live(request):
    return LiveModel(tiny_llava(request.param), None, name="llava", revision="")


@torch.no_grad()
def reference(model, inputs, drop, gone=None):
    """Logits, every layer on every row: who fell is a hidden column whose state passes on; and who fell, by layer.

    `gone` says who falls; None lets attention decide.
    """
    who = {}
    core, decoder = model.model, model.model.language_model
    ids, padding = inputs["input_ids"], inputs["attention_mask"].bool()
    vision = ids == model.config.image_token_id
    hidden = decoder.embed_tokens(ids.masked_fill(vision, 0))
    features = torch.cat(list(core.get_image_features(inputs["pixel_values"], return_dict=True).pooler_output))
    hidden = hidden.masked_scatter(vision[..., None], features)
    rotary = decoder.rotary_emb(hidden, position_ids=(padding.cumsum(1) - 1).clamp(min=0))
    present, weights = torch.ones_like(vision), None
    for index, layer in enumerate(decoder.layers):
        if index in dict(drop.stages):
            if drop.ranked_by == "at":
                weights = attention(layer, hidden, rotary, present & padding)
            share = dict(drop.stages)[index]
            who[index] = fallen(weights, vision, present, share) if gone is None else gone[index]
            present = present & ~who[index]
        weights = attention(layer, hidden, rotary, present & padding)
        new = hidden + layer.self_attn(layer.input_layernorm(hidden), position_embeddings=rotary,
                                       attention_mask=additive(present & padding))[0]  # fmt: skip
        new = new + layer.mlp(layer.post_attention_layernorm(new))
        hidden = torch.where(present[..., None], new, hidden)
    return model.lm_head(decoder.norm(hidden)), who


def additive(seen):
    length = seen.shape[1]
    allowed = torch.ones(length, length, dtype=torch.bool).tril()[None] & seen[:, None, :]
    allowed = allowed | torch.eye(length, dtype=torch.bool)[None]
    return torch.zeros(allowed.shape).masked_fill(~allowed, torch.finfo(torch.float32).min)[:, None]


def attention(layer, hidden, rotary, seen):
    """What the last row pays to each row, mean over heads: [batch, seq]."""
    block, states = layer.self_attn, layer.input_layernorm(hidden)
    query, key = (
        project(states).unflatten(-1, (-1, block.head_dim)).transpose(1, 2) for project in (block.q_proj, block.k_proj)
    )
    query, key = apply_rotary_pos_emb(query, key, *rotary)
    scores = query @ repeat_kv(key, block.num_key_value_groups).transpose(2, 3) * block.scaling
    return (scores + additive(seen)).softmax(-1)[:, :, -1].mean(1)


def fallen(weights, vision, present, share):
    falls = torch.zeros_like(vision)
    for row in range(len(vision)):
        there = [i for i in vision[row].nonzero()[:, 0].tolist() if present[row, i]]
        stays = sorted(there, key=lambda i: -float(weights[row, i]))[: int(int(vision[row].sum()) * share + 1e-9)]
        falls[row, [i for i in there if i not in stays]] = True
    return falls


@torch.no_grad()
def logits_under(live, inputs, drop, **kwargs):
    with dropping(live, drop):
        return live.model(**inputs, **kwargs).logits


@pytest.mark.parametrize("padded", [False, True])
@pytest.mark.parametrize("drop", DROPS, ids=str)
def test_prefill_equals_the_reference(live, drop, padded):
    inputs = prompts(padded=padded)
    is_token = inputs["attention_mask"].bool()
    expected, _ = reference(live.model, inputs, drop)
    assert (logits_under(live, inputs, drop)[is_token] - expected[is_token]).abs().max() < CLOSE


@pytest.mark.parametrize("padded", [False, True])
@pytest.mark.parametrize("drop", DROPS, ids=str)
@pytest.mark.parametrize("make", [DynamicCache, StaticCache])
def test_new_tokens_see_those_that_stayed(live, drop, padded, make):
    """Token by token from a cache equals one pass over everything under the set of those who fell."""
    inputs = prompts(padded=padded)
    config = live.model.config.get_text_config()
    length = inputs["input_ids"].shape[1]
    cache = make(config=config) if make is DynamicCache else make(config=config, max_cache_len=length + 3)
    with torch.no_grad(), dropping(live, drop):
        steps = [live.model(**inputs, **{CACHE: cache}, use_cache=True).logits[:, -1]]
        mask, more = inputs["attention_mask"], []
        for _ in range(3):
            more.append(steps[-1].argmax(-1, keepdim=True))
            mask = torch.cat([mask, torch.ones_like(mask[:, :1])], 1)
            steps.append(live.model(input_ids=more[-1], attention_mask=mask, **{CACHE: cache}).logits[:, -1])
    _, gone = reference(live.model, inputs, drop)
    gone = {layer: torch.nn.functional.pad(rows, (0, 3)) for layer, rows in gone.items()}
    longer = {**inputs, "input_ids": torch.cat([inputs["input_ids"], *more], 1), "attention_mask": mask}
    expected, _ = reference(live.model, longer, drop, gone)
    for step, logits in enumerate(steps):
        assert (logits - expected[:, length - 1 + step]).abs().max() < CLOSE


def test_what_stays_is_a_skip_set_with_its_rows_by_hand(live):
    """Nothing else happens to the prompt: bit for bit the early exit of those who fell."""
    inputs, drop = prompts(padded=True), TokenDrop.fastv(2, drop=0.5)
    _, gone = reference(live.model, inputs, drop)
    exits = SkipSet.early_exit(2, num_layers=NUM_LAYERS)
    with torch.no_grad(), skipping(live.model, live.anatomy, exits, vision=gone[2]):
        expected = live.model(**inputs).logits
    assert torch.equal(logits_under(live, inputs, drop), expected)


def test_the_model_comes_back(live):
    inputs = prompts(padded=False)
    with torch.no_grad():
        before = live.model(**inputs).logits
    logits_under(live, inputs, TokenDrop.pyramid_drop(NUM_LAYERS))
    with pytest.raises(ZeroDivisionError), dropping(live, DROPS[0]):
        raise ZeroDivisionError
    with torch.no_grad():
        assert torch.equal(live.model(**inputs).logits, before)
    assert not any("forward" in layer.__dict__ or layer._forward_pre_hooks for layer in live.anatomy.layers)


def test_a_batch_padded_at_its_end_is_refused(live):
    inputs = {name: value.flip(1) if value.dim() == 2 else value for name, value in prompts(padded=True).items()}
    with pytest.raises(PaddingError):
        logits_under(live, inputs, DROPS[0])


def test_an_image_in_the_middle_of_a_conversation_is_refused(live):
    inputs, cache = prompts(padded=False), DynamicCache(config=live.model.config.get_text_config())
    with torch.no_grad(), dropping(live, DROPS[0]), pytest.raises(UnsupportedSkipError, match="one piece"):
        live.model(**inputs, **{CACHE: cache}, use_cache=True)
        live.model(**inputs, **{CACHE: cache}, use_cache=True)


def test_a_stage_behind_the_last_layer_is_refused(live):
    with pytest.raises(LayerIndexError), dropping(live, TokenDrop.fastv(NUM_LAYERS)):
        pass


@pytest.mark.parametrize(
    "make",
    [
        lambda: TokenDrop(()),
        lambda: TokenDrop.fastv(0),
        lambda: TokenDrop.fastv(2, drop=1.5),
        lambda: TokenDrop(((4, 0.5), (2, 0.2)), "at"),
        lambda: TokenDrop(((2, 0.2), (4, 0.5)), "at"),
        lambda: TokenDrop(((2, 0.5), (4, 0.2)), "before"),
        lambda: TokenDrop(((2, 0.5),), "after"),
    ],
)
def test_what_is_no_drop_is_refused(make):
    with pytest.raises(SettingError):
        make()


@pytest.mark.parametrize("drop", DROPS, ids=str)
def test_the_predicted_flops_are_those_dispatched(live, drop):
    inputs = prompts(padded=False)
    with torch.no_grad(), dispatched(live.anatomy) as passes, dropping(live, drop):
        live.model(**inputs, logits_to_keep=1)
    num_text = inputs["input_ids"].shape[1] - NUM_VISION
    assert cost(live.shape, drop, num_vision=NUM_VISION, num_text=num_text).flops_prefill == passes[0].flops
