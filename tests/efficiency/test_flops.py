"""FLOPs counted through `generate` are those that the arithmetic predicts, on the model in the box."""

import pytest
import torch

from skipit_nb import SkipSet
from skipit_nb.backend.evaluation.efficiency.counting import flop_rows, inputs_of, predicted_cost, weigh
from skipit_nb.backend.evaluation.efficiency.flops import count_flops
from skipit_nb.backend.live.model import LiveModel
from tests.backend.live.tiny_llava import prompts, tiny_llava

SETS = (
    "none",
    "vision absent 6-",
    "vision absent 0-3",
    "vision frozen 0-",
    "whole 3+5",
    "attn 2; mlp 7; text frozen 9",
)


def bound(text, num_layers=12):
    return SkipSet.of(text, num_layers=num_layers)


@pytest.mark.parametrize("text", SETS)
def test_on_the_model_in_the_box_measured_flops_are_the_predicted_ones(session, text):
    live = session._open
    inputs = inputs_of(live, session.examples("digits-vqa", limit=1)[:1])[0]
    counted, predicted = count_flops(live, bound(text), inputs), predicted_cost(live, bound(text), inputs)
    assert counted.prefill == pytest.approx(predicted.flops_prefill, rel=0.01)
    assert counted.per_token == pytest.approx(predicted.flops_per_token, rel=0.01)
    assert counted.first_token == counted.vision + counted.prefill


def test_the_vision_towers_flops_by_hand(session):
    inputs = inputs_of(session._open, session.examples("digits-vqa", limit=1)[:1])[0]
    patches, rows, width, mlp = 64, 65, 128, 384
    layer = 2 * rows * (4 * width * width + 2 * width * mlp) + 4 * rows * rows * width
    patching, projecting = 2 * patches * 3 * 8 * 8 * width, 2 * patches * 2 * width * width
    assert count_flops(session._open, bound("none"), inputs).vision == patching + 4 * layer + projecting


def test_both_kinds_of_attention_are_counted_alike():
    found = []
    for attention in ("eager", "sdpa"):
        live = LiveModel(tiny_llava(attention), None, name="tiny", revision="")
        found.append(count_flops(live, bound("vision frozen 1", 4), prompts(padded=False)))
    assert found[0].first_token == found[1].first_token
    assert found[0].per_token == found[1].per_token


def test_a_simulated_skip_saves_nothing(session):
    """A hook that puts the layer's input back changes the answer and does all the work."""
    live, none = session._open, bound("none")
    inputs = inputs_of(live, session.examples("digits-vqa", limit=1)[:1])[0]
    honest, full = count_flops(live, bound("whole 5"), inputs), count_flops(live, none, inputs)
    hook = live.anatomy.layers[5].register_forward_hook(lambda _, args, out: args[0])
    try:
        simulated = count_flops(live, none, inputs)
    finally:
        hook.remove()
    assert simulated == full
    assert full.prefill - honest.prefill == pytest.approx(full.prefill / 12, rel=0.01)


def test_rows_put_measured_beside_predicted_and_say_what_a_flop_is(session):
    live = session._open
    arms = bound("none"), bound("whole 0-5")
    with torch.inference_mode():
        rows = flop_rows(*weigh(live, arms, inputs_of(live, session.examples("digits-vqa", limit=2))))
    by_name = {row.name: row for row in rows}
    assert list(by_name) == ["vision FLOPs", "prefill FLOPs", "FLOPs to first token", "FLOPs per token"]
    assert by_name["vision FLOPs"].ratio == 1
    for name in ("prefill FLOPs", "FLOPs per token"):
        row = by_name[name]
        assert (row.a, row.b) == (pytest.approx(row.predicted_a), pytest.approx(row.predicted_b))
        assert row.ratio == pytest.approx(2, rel=0.01)
        assert "1 multiply-add = 2 FLOPs" in row.method
