"""The arithmetic: against the papers' table, by hand, and in its relations. tests/families has what models dispatch."""

from dataclasses import astuple, replace
from functools import reduce

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skipit_nb import ModelShape, SkipSet
from skipit_nb.cost import LayerShape, cost
from skipit_nb.errors import SettingError
from skipit_nb.tokendrop import TokenDrop

NUM_LAYERS = 3
ACTIONS = ["attn", "mlp", "whole", *(f"{m} {a}" for m in ("vision", "text") for a in ("frozen", "absent"))]
skipsets = st.lists(
    st.builds("{} {}".format, st.sampled_from(ACTIONS), st.integers(0, NUM_LAYERS - 1)).map(SkipSet.parse), max_size=4
).map(lambda sets: reduce(SkipSet.__or__, sets, SkipSet.none(num_layers=NUM_LAYERS)))

sizes, counts = st.integers(0, 9), st.integers(0, 20)
layers = st.builds(
    LayerShape, query=sizes, key_value=sizes, output=sizes, scores=sizes, mlp=sizes, expansion=sizes, extra=sizes,
    state=sizes, chunk=st.integers(1, 5), kept=sizes, window=st.none() | st.integers(1, 9),
    reads_images=st.booleans(), only_last_row=st.booleans(),
)  # fmt: skip
own_layers = st.lists(layers, min_size=NUM_LAYERS, max_size=NUM_LAYERS).map(tuple)
shapes = st.builds(replace, st.just(ModelShape(NUM_LAYERS, 8, 12, 4, 2, 2, 10)), layers=st.just(()) | own_layers)


def numbers(cost):
    """Everything that a cost says, in one row."""
    *totals, of_layers = astuple(cost)
    return [*totals, *of_layers]


@given(shapes, skipsets, skipsets, counts, st.integers(1, 20), st.booleans())
def test_a_stronger_action_never_costs_more(shape, one, other, num_vision, num_text, published):
    weak, strong = (
        cost(shape, skipset, num_vision=num_vision, num_text=num_text, published=published)
        for skipset in (one, one | other)
    )
    assert all(a >= b for a, b in zip(numbers(weak), numbers(strong), strict=True))


@given(shapes, skipsets, counts, st.integers(1, 20), counts, counts, st.booleans())
def test_more_tokens_never_cost_less(shape, skipset, num_vision, num_text, more_vision, more_text, published):
    few, many = (
        cost(shape, skipset, num_vision=num_vision + vision, num_text=num_text + text, published=published)
        for vision, text in ((0, 0), (more_vision, more_text))
    )
    assert all(a <= b for a, b in zip(numbers(few), numbers(many), strict=True))


@pytest.mark.parametrize(("num_layers", "d_model", "d_ff", "num_vision", "full", "fastv"), [
    (32, 4096, 11008, 576, 8.5, 4.9), (40, 5120, 13824, 576, 16.6, 9.4),
    (32, 4096, 11008, 2880, 42.7, 22.0), (40, 5120, 13824, 2880, 81.8, 42.1),
])  # fmt: skip
def test_fastv_costs_what_the_papers_print(num_layers, d_model, d_ff, num_vision, full, fastv):
    shape = ModelShape(num_layers, d_model, d_ff, d_model // 128, d_model // 128, 128, 32_000)
    half = TokenDrop.fastv(2, drop=0.5)
    tera = [
        cost(shape, what, num_vision=num_vision, num_text=64, published=True).flops_prefill / 1e12
        for what in (None, half)
    ]
    assert [round(flops, 1) for flops in tera] == [full, fastv]


@given(st.floats(0, 1), st.floats(0, 1), st.integers(1, NUM_LAYERS - 1), st.integers(0, 40))
def test_dropping_more_tokens_never_costs_more(one, other, layer, num_vision):
    shape = ModelShape(NUM_LAYERS, 8, 12, 4, 2, 2, 10)
    few, many = (
        cost(shape, TokenDrop.fastv(layer, drop=drop), num_vision=num_vision, num_text=3)
        for drop in sorted((one, other))
    )
    assert all(a >= b for a, b in zip(numbers(few), numbers(many), strict=True))


def test_dropping_all_tokens_costs_what_an_early_exit_does_and_the_ranking():
    shape = ModelShape(NUM_LAYERS, 8, 12, 4, 2, 2, 10)
    drop, leave = (
        cost(shape, what, num_vision=20, num_text=3) for what in (TokenDrop.fastv(2, drop=1.0), SkipSet.early_exit(2))
    )
    assert drop.kv_bytes == leave.kv_bytes
    assert drop.flops_prefill - leave.flops_prefill == 2 * 23 * 4 * 2  # one query, 23 keys, four heads of width 2


def test_a_small_decoder_by_hand():
    shape = ModelShape(num_layers=1, d_model=2, d_ff=3, num_heads=1, num_kv_heads=1, head_dim=2, vocab=5)
    projections, mlp, head = 4 + 8 + 4, 3 * 2 * 3, 2 * 5
    full = cost(shape, num_vision=1, num_text=2)
    assert full.layer_flops == (2 * (3 * (projections + mlp) + 3 * 3 * (2 + 2)),)
    assert full.flops_prefill == full.layer_flops[0] + 2 * head
    assert full.flops_per_token == 2 * (projections + mlp + 4 * (2 + 2) + head)
    assert (full.kv_bytes, full.active_parameters) == (3 * 2 * 2 * 4, projections + mlp)
    frozen = cost(shape, "vision frozen 0", num_vision=1, num_text=2)
    assert full.layer_flops[0] - frozen.layer_flops[0] == 2 * (4 + mlp + 3 * (2 + 2))  # output, MLP, one asker's scores


def test_a_window_bounds_what_is_kept_and_what_a_step_reads():
    layer = LayerShape(query=0, key_value=0, output=0, scores=1, mlp=0, kept=1)
    shape = ModelShape(1, 1, 1, 1, 1, 1, 0, bytes_per_value=1, layers=(layer,))
    narrow = replace(shape, layers=(replace(layer, window=4),))
    wide, bounded = cost(shape, num_vision=6, num_text=2), cost(narrow, num_vision=6, num_text=2)
    assert (wide.kv_bytes, bounded.kv_bytes) == (8, 3)
    assert (wide.flops_per_token, bounded.flops_per_token) == (2 * 9, 2 * 4)
    assert wide.flops_prefill == bounded.flops_prefill == 2 * 8 * 8


def test_linear_attention_fills_up_its_last_chunk():
    layer = LayerShape(query=0, key_value=0, output=0, scores=0, mlp=0, state=1, chunk=5)
    shape = ModelShape(1, 1, 1, 1, 1, 1, 0, layers=(layer,))
    assert [cost(shape, num_vision=0, num_text=n).flops_prefill for n in (1, 5, 6)] == [10, 10, 20]
    assert cost(shape, num_vision=0, num_text=6).flops_per_token == 0


def test_layers_that_read_images_run_for_text_and_not_at_all_without_an_image():
    own = LayerShape(query=1, key_value=10, output=100, scores=1000, mlp=10_000, kept=1)
    crossing = replace(own, reads_images=True)
    shape = ModelShape(2, 1, 1, 1, 1, 1, 0, bytes_per_value=1, layers=(own, crossing))
    with_image = cost(shape, num_vision=7, num_text=3)
    assert with_image.layer_flops == (2 * (3 * 10_111 + 9_000), 2 * (3 * 10_101 + 7 * 10 + 3 * 7_000))
    assert with_image.kv_bytes == 3 + 7
    assert with_image.flops_per_token == 2 * (10_111 + 4_000) + 2 * (10_101 + 7_000)
    assert cost(shape, num_vision=0, num_text=3).layer_flops == (2 * (3 * 10_111 + 9_000), 0)


def test_matrices_beside_the_layers_run_for_every_token_that_comes_in():
    shape = ModelShape(1, 1, 1, 1, 1, 1, 0)
    more = [cost(replace(shape, beside=b), "whole 0", num_vision=7, num_text=3) for b in (0, 5)]
    assert [(c.flops_prefill, c.flops_per_token) for c in more] == [(0, 0), (2 * 50, 2 * 5)]


def test_a_layer_for_the_last_row_reads_every_key():
    layer = LayerShape(query=1, key_value=0, output=10, scores=100, mlp=1000, only_last_row=True)
    shape = ModelShape(1, 1, 1, 1, 1, 1, 0, layers=(layer,))
    assert cost(shape, num_vision=7, num_text=3).flops_prefill == 2 * (1011 + 10 * 100)
    assert cost(shape, "text frozen 0", num_vision=7, num_text=3).active_parameters == 0


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
