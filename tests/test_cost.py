"""The arithmetic: against the papers' table, and against what the model really dispatches."""

import pytest

from skipit_nb import ModelShape, SkipSet
from skipit_nb.cost import cost
from skipit_nb.errors import SettingError


def llava(size: str, num_vision: int) -> ModelShape:
    layers, width, ff = {"7B": (32, 4096, 11008), "13B": (40, 5120, 13824)}[size]
    return ModelShape(layers, width, ff, width // 128, width // 128, 128, 32064, 2, 3, num_vision)


@pytest.mark.parametrize(
    ("size", "num_vision", "skipset", "printed"),
    [
        ("7B", 576, "none", 8.5),
        ("7B", 576, "vision frozen 13-31", 4.7),
        ("7B", 576, "vision absent 16-", 4.7),
        ("13B", 576, "none", 16.6),
        ("13B", 576, "vision frozen 16-39", 9.1),
        ("13B", 576, "vision absent 20-", 9.1),
        ("7B", 2880, "none", 42.7),
        ("7B", 2880, "vision frozen 13-31", 21.6),
        ("7B", 2880, "vision absent 16-", 21.8),
        ("13B", 2880, "none", 81.8),
        ("13B", 2880, "vision frozen 16-39", 41.0),
        ("13B", 2880, "vision absent 20-", 41.7),
    ],
)
def test_the_published_formula_gives_the_teraflops_of_shortvs_table(size, num_vision, skipset, printed):
    flops = cost(llava(size, num_vision), skipset, num_text=64, published=True).flops_prefill
    assert round(flops / 1e12, 1) == printed


def test_an_absent_modality_costs_nothing_anywhere():
    shape = llava("7B", 576)
    without = cost(shape, SkipSet.late_entry(32, num_layers=32), num_text=64)
    assert without == cost(shape, num_vision=0, num_text=64)


def test_a_whole_layer_takes_its_share_of_everything():
    shape = llava("7B", 576)
    full, half = cost(shape), cost(shape, "whole 0-15")
    head = 2 * shape.d_model * shape.vocab
    assert half.flops_prefill - head == pytest.approx((full.flops_prefill - head) / 2)
    assert half.kv_bytes == full.kv_bytes / 2
    assert half.active_parameters == full.active_parameters / 2
    assert half.flops_per_token - head == pytest.approx((full.flops_per_token - head) / 2)
    assert half.speedup_over(full) == full.flops_prefill / half.flops_prefill > 1.9


def test_attention_and_mlp_add_up_to_the_whole_layer():
    shape = llava("7B", 576)
    layer = cost(shape).layer_flops[0]
    no_attention, no_mlp = cost(shape, "attn 0").layer_flops[0], cost(shape, "mlp 0").layer_flops[0]
    assert no_attention + no_mlp == pytest.approx(layer)
    assert cost(shape, "attn 0").kv_bytes == cost(shape, "whole 0").kv_bytes


def test_freezing_keeps_the_cache_and_absence_shrinks_it():
    shape = llava("7B", 576)
    assert cost(shape, "vision frozen 0-31").kv_bytes == cost(shape).kv_bytes
    assert cost(shape, "vision absent 0-31", num_text=64).kv_bytes == pytest.approx(cost(shape).kv_bytes * 64 / 640)


def test_a_prompt_without_tokens_or_with_fewer_than_none_is_refused():
    with pytest.raises(SettingError, match="num_vision is -1"):
        cost(llava("7B", 576), num_vision=-1)
    with pytest.raises(SettingError, match="not 0 for both"):
        cost(llava("7B", 576), num_vision=0, num_text=0)


def test_the_frame_has_one_row_of_totals():
    frame = cost(llava("7B", 576)).frame
    assert list(frame.columns) == ["flops_prefill", "flops_per_token", "kv_bytes", "active_parameters"]
    assert len(frame) == 1
