"""Does leaving out the work leave out the time? Ratios beside what the arithmetic predicts."""

import itertools
import time
from statistics import median

import pytest
import torch
from transformers import CLIPVisionConfig, LlamaConfig, LlavaConfig, LlavaForConditionalGeneration

from skipit_nb import SkipSet
from skipit_nb.backend.live.anatomy import anatomy_of
from skipit_nb.backend.live.skipping import skipping
from skipit_nb.backend.redundancy.geometric import DistanceRecorder, per_token_distances
from skipit_nb.cost import cost

pytestmark = [pytest.mark.bench, pytest.mark.timeout(1200)]

NUM_LAYERS, NUM_VISION, NUM_TEXT, IMAGE = 24, 576, 48, 99
REPEATS = 7


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    vision = CLIPVisionConfig(
        image_size=96, patch_size=4, hidden_size=32, intermediate_size=32, num_hidden_layers=1, num_attention_heads=1
    )
    text = LlamaConfig(
        vocab_size=100, hidden_size=512, intermediate_size=1376, num_hidden_layers=NUM_LAYERS, num_attention_heads=8
    )
    return LlavaForConditionalGeneration(
        LlavaConfig(vision_config=vision, text_config=text, image_token_id=IMAGE, image_seq_length=NUM_VISION)
    ).eval()


@pytest.fixture(scope="module")
def inputs():
    ids = torch.tensor([[1] + [IMAGE] * NUM_VISION + list(range(2, NUM_TEXT + 1))])
    return {"input_ids": ids, "attention_mask": torch.ones_like(ids), "pixel_values": torch.randn(1, 3, 96, 96)}


def seconds(call):
    start = time.perf_counter()
    with torch.inference_mode():
        call()
    return time.perf_counter() - start


def ratio_of_medians(first, second):
    """Time of `first` / time of `second`, in turn, after one warm-up each."""
    times = {first: [], second: []}
    for repeat in range(REPEATS + 1):
        for arm in (first, second) if repeat % 2 else (second, first):
            elapsed = seconds(arm)
            if repeat:
                times[arm].append(elapsed)
    return median(times[first]) / median(times[second])


@pytest.mark.parametrize(
    ("name", "text", "bar"),
    [
        ("early exit at L/2", "vision absent 12-", 0.9),
        ("late entry at L/4", "vision absent 0-5", 0.9),
        ("whole, every fourth layer", "whole 0+4+8+12+16+20", 0.9),
        ("freeze in L/2", "vision frozen 12-", 0.8),
    ],
)
def test_prefill_is_faster_by_what_the_arithmetic_predicts(model, inputs, record, name, text, bar):
    anatomy, skipset = anatomy_of(model), SkipSet.parse(text, num_layers=NUM_LAYERS)

    def full():
        model(**inputs, logits_to_keep=1)

    def skipped():
        with skipping(model, anatomy, skipset):
            model(**inputs, logits_to_keep=1)

    measured = ratio_of_medians(full, skipped)
    costs = [cost(anatomy.shape, s, num_vision=NUM_VISION, num_text=NUM_TEXT) for s in (None, skipset)]
    predicted = costs[1].speedup_over(costs[0])
    what = f"prefill, {name} (`{text}`): random LLaVA, 24 layers, width 512, 576 + 48 tokens"
    record((what, f"{measured:.2f}×", f"{predicted:.2f}×", f"{measured / predicted:.2f}"))
    assert measured >= bar * predicted


def test_profiling_costs_little_more_than_a_plain_forward(model, inputs, record):
    anatomy = anatomy_of(model)

    def plain():
        model(**inputs, logits_to_keep=1)

    def profiled():
        recorder = DistanceRecorder(anatomy)
        with recorder.recording(inputs):
            model(**inputs, logits_to_keep=1)

    measured = ratio_of_medians(profiled, plain)
    record(("profile (means, tails, norms), streaming / plain forward", f"{measured:.2f}×", "≤ 1.10×", ""))
    assert measured <= 1.25


def test_keeping_every_tokens_distance_costs_a_little_more(model, inputs, record):
    anatomy = anatomy_of(model)

    def plain():
        model(**inputs, logits_to_keep=1)

    def kept():
        with per_token_distances(anatomy):
            model(**inputs, logits_to_keep=1)

    measured = ratio_of_medians(kept, plain)
    record(("profile, every token's distance kept / plain forward", f"{measured:.2f}×", "≤ 1.25×", ""))
    assert measured <= 1.25


def test_all_hidden_states_beside_ours(model, inputs, record):
    """The usual way: keep every layer's states, then compare neighbours."""

    def plain():
        model(**inputs, logits_to_keep=1)

    def stored():
        states = model(**inputs, logits_to_keep=1, output_hidden_states=True).hidden_states
        for before, after in itertools.pairwise(states):
            torch.nn.functional.cosine_similarity(before, after, dim=-1).mean()

    measured = ratio_of_medians(stored, plain)
    record(("the same by `output_hidden_states` / plain forward", f"{measured:.2f}×", "", ""))


def test_an_empty_skip_set_costs_nothing(model, inputs, record):
    anatomy, none = anatomy_of(model), SkipSet.none(num_layers=NUM_LAYERS)

    def plain():
        model(**inputs, logits_to_keep=1)

    def skipped():
        with skipping(model, anatomy, none):
            model(**inputs, logits_to_keep=1)

    measured = ratio_of_medians(skipped, plain)
    record(("empty skip set / plain forward", f"{measured:.2f}×", "1×", ""))
    assert measured <= 1.1
