"""Attention calls: weights by hand for every form of mask, other models left alone, nothing left behind."""

from dataclasses import replace

import pytest
import torch
from transformers import AttentionInterface

from skipit_nb.backend.live.anatomy import anatomy_of
from skipit_nb.backend.live.rows import Rows
from skipit_nb.backend.redundancy.attention_calls import AttentionCall, listening
from tests.backend.live.tiny_llava import NUM_LAYERS, prompts, tiny_llava

BATCH, HEADS, KEY_HEADS, SEQ, DIM = 2, 6, 2, 7, 5
IS_TOKEN = torch.tensor([[True] * SEQ, [False] * 2 + [True] * (SEQ - 2)])
CHOSEN = torch.zeros(BATCH, SEQ, dtype=torch.bool)
CHOSEN[:, [3, 6]] = True


def call_with(mask, **options):
    torch.manual_seed(0)
    query, key = torch.randn(BATCH, HEADS, SEQ, DIM), torch.randn(BATCH, KEY_HEADS, SEQ, DIM)
    return AttentionCall(0, torch.nn.Identity(), query, key, mask, options)


def weights_by_hand(call, sample, head, position, *, window=SEQ, cap=None):
    """One head, one query, one key at a time."""
    scores = []
    for key in range(SEQ):
        seen = key <= position and position - key < window and (call.mask is None or bool(IS_TOKEN[sample, key]))
        score = float(call.query[sample, head, position] @ call.key[sample, head // (HEADS // KEY_HEADS), key]) * 0.3
        scores.append((cap * torch.tanh(torch.tensor(score / cap)) if cap else score) if seen else -torch.inf)
    return torch.tensor(scores).softmax(0)


def as_lines(dtype, window=SEQ):
    distance = torch.arange(SEQ)[:, None] - torch.arange(SEQ)[None]
    seen = ((distance >= 0) & (distance < window))[None] & IS_TOKEN[:, None]
    if dtype is torch.bool:
        return seen[:, None]
    return torch.zeros(BATCH, 1, SEQ, SEQ, dtype=dtype).masked_fill(~seen[:, None], torch.finfo(dtype).min)


@pytest.mark.parametrize(
    ("mask", "options"),
    [
        (None, {}),
        (None, {"sliding_window": 3}),
        (IS_TOKEN.long(), {}),
        (IS_TOKEN.long(), {"sliding_window": 3}),
        (as_lines(torch.bool), {}),
        (as_lines(torch.bool, 3), {"sliding_window": 3}),
        (as_lines(torch.float16), {}),
        (as_lines(torch.float32), {"softcap": 0.7}),
    ],
)
def test_weights_are_those_by_hand_for_every_form_of_mask(mask, options):
    call, rows = call_with(mask, scaling=0.3, **options), Rows.where(CHOSEN)
    weights, seen = call.weights(rows), call.seen(rows)
    assert weights.shape == (BATCH, HEADS, 2, SEQ)
    for sample in range(BATCH):
        for head in range(HEADS):
            for row, position in enumerate((3, 6)):
                by_hand = weights_by_hand(
                    call, sample, head, position, window=options.get("sliding_window", SEQ), cap=options.get("softcap")
                )
                assert torch.allclose(weights[sample, head, row], by_hand, atol=1e-6)
                assert torch.equal(seen.expand(BATCH, HEADS, -1, -1)[sample, head, row], by_hand > 0)


@pytest.mark.parametrize("call", [call_with(object()), call_with(None, s_aux=1), call_with(torch.ones(2, 2, 2))])
def test_what_would_change_the_weights_in_unknown_ways_is_not_understood(call):
    assert not call.is_understood


def test_listeners_hear_their_own_model_only_and_each_layer_once():
    mine, other, heard = tiny_llava(), tiny_llava(seed=1), []
    with torch.no_grad(), listening(anatomy_of(mine), lambda call: heard.append(call.layer) or call):
        other(**prompts(padded=True))
        assert heard == []
        mine(**prompts(padded=True))
    assert heard == list(range(NUM_LAYERS))


def test_blocks_nest_and_the_interface_is_as_before_behind_the_last():
    model, before, inner = tiny_llava(), AttentionInterface.get_interface, []
    anatomy, inputs = anatomy_of(model), prompts(padded=False)

    def see_nothing_but(call):
        return replace(call, mask=torch.eye(call.key.shape[2], dtype=torch.bool)[None, None])

    with torch.no_grad(), listening(anatomy, see_nothing_but):
        with listening(anatomy, lambda call: inner.append(call.mask) or call):
            changed = model(**inputs).logits
        assert AttentionInterface.get_interface is not before
        assert torch.equal(model(**inputs).logits, changed)
    assert inner[0].sum() == inputs["input_ids"].shape[1]
    assert AttentionInterface.get_interface is before
