"""The same ratios on a GPU, at the shape of LLaVA-1.5-7B with random weights; skipped where there is no GPU."""

import time
from statistics import median

import pytest
import torch
from transformers import CLIPVisionConfig, LlamaConfig, LlavaConfig, LlavaForConditionalGeneration

from skipit_nb import SkipSet
from skipit_nb.backend.live.anatomy import anatomy_of
from skipit_nb.backend.live.skipping import skipping
from skipit_nb.cost import cost

pytestmark = [pytest.mark.bench, pytest.mark.gpu, pytest.mark.timeout(1200)]

NUM_VISION, NUM_TEXT, IMAGE, REPEATS = 576, 64, 32000, 9
SETS = {
    "early exit at L/2": "vision absent 16-",
    "late entry at L/4": "vision absent 0-7",
    "whole, every fourth layer": "whole 0+4+8+12+16+20+24+28",
    "freeze in L/2": "vision frozen 16-",
}
BARS = {8: 0.9, 1: 0.0}
"""Batch 8 has a bar; batch 1 is bound by memory, and is reported beside its roofline."""


@pytest.fixture(scope="module")
def model():
    vision = CLIPVisionConfig(
        image_size=336, patch_size=14, hidden_size=64, intermediate_size=64, num_hidden_layers=1, num_attention_heads=1
    )
    text = LlamaConfig(
        vocab_size=32064, hidden_size=4096, intermediate_size=11008, num_hidden_layers=32, num_attention_heads=32
    )
    config = LlavaConfig(vision_config=vision, text_config=text, image_token_id=IMAGE, image_seq_length=NUM_VISION)
    torch.set_default_dtype(torch.bfloat16)
    try:
        with torch.device("cuda"):
            return LlavaForConditionalGeneration(config).eval()
    finally:
        torch.set_default_dtype(torch.float32)


def inputs_of(batch):
    ids = torch.tensor([[1] + [IMAGE] * NUM_VISION + list(range(2, NUM_TEXT + 1))] * batch, device="cuda")
    pixels = torch.randn(batch, 3, 336, 336, device="cuda", dtype=torch.bfloat16)
    return {"input_ids": ids, "attention_mask": torch.ones_like(ids), "pixel_values": pixels}


def milliseconds(model, inputs, skipset):
    torch.cuda.synchronize()
    start = time.perf_counter()
    with torch.inference_mode(), skipping(model, anatomy_of(model), skipset):
        model(**inputs, use_cache=False, logits_to_keep=1)
    torch.cuda.synchronize()
    return 1000 * (time.perf_counter() - start)


@pytest.mark.parametrize("batch", BARS)
@pytest.mark.parametrize("name", SETS)
def test_prefill_on_a_gpu(model, record, name, batch):
    anatomy, inputs = anatomy_of(model), inputs_of(batch)
    full, skipped = (SkipSet.parse(text, num_layers=32) for text in ("none", SETS[name]))
    times = {full: [], skipped: []}
    for repeat in range(REPEATS + 2):
        for skipset in (full, skipped) if repeat % 2 else (skipped, full):
            torch.cuda.reset_peak_memory_stats()
            elapsed = milliseconds(model, inputs, skipset)
            if repeat > 1:
                times[skipset].append(elapsed)
    peak = torch.cuda.max_memory_allocated() / 2**30
    a, b = median(times[full]), median(times[skipped])
    costs = [cost(anatomy.shape, s, num_vision=NUM_VISION, num_text=NUM_TEXT) for s in (full, skipped)]
    predicted = costs[1].speedup_over(costs[0])
    bar = 0.8 if name.startswith("freeze") else BARS[batch]
    what = f"{torch.cuda.get_device_name()}, random weights of LLaVA-1.5-7B's shape, bfloat16, batch {batch}: {name}"
    record((f"{what}; {a:.1f} ms → {b:.1f} ms, peak {peak:.1f} GiB", f"{a / b:.2f}×", f"{predicted:.2f}×",
            f"{a / b / predicted:.2f}"))  # fmt: skip
    assert a / b >= (bar if batch > 1 else 0) * predicted
