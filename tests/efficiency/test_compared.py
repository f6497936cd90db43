"""What a comparison predicts stands beside what it counts: of the same prompts, so that one checks the other."""

import pytest
import torch
from PIL import Image
from transformers import Qwen2VLConfig, Qwen2VLForConditionalGeneration, Qwen2VLTextConfig

from skipit_nb import Session, Task
from skipit_nb.backend.live.processors import open_processor
from tests.backend.live.processor_files import FAMILIES, SHORT, write
from tests.families.llava_like import text_config
from tests.families.qwen_family import ROPE, VISION

pytestmark = pytest.mark.filterwarnings(
    "ignore::skipit_nb.backend.evaluation.efficiency.compared.NotMeasuredWarning"  # a CPU has no peak of memory
)

BESIDE = ("prefill FLOPs", "FLOPs per token", "KV cache")


@pytest.fixture
def qwen(tmp_path):
    """Qwen2-VL, small: how many vision tokens an image has depends on its size."""
    processor = open_processor(str(write(FAMILIES["qwen2_vl"], tmp_path)))
    names = ("image_token_id", "video_token_id", "vision_start_token_id", "vision_end_token_id")
    ids = dict(zip(names, processor.tokenizer.convert_tokens_to_ids(FAMILIES["qwen2_vl"].tokens), strict=True))
    vision = VISION | {"embed_dim": 24, "hidden_size": 32, "patch_size": 14}
    config = Qwen2VLConfig(
        text_config=text_config(Qwen2VLTextConfig, rope_parameters=ROPE), vision_config=vision, **ids
    )
    torch.manual_seed(0)
    with Session(Qwen2VLForConditionalGeneration(config).eval(), processor) as session:
        yield session


def compared(session, task, b, **more):
    return session.compare(task, b=b, measure=("accuracy", "flops", "memory"), **more)


def test_in_the_box_what_is_predicted_is_what_is_counted(session):
    result = compared(session, "easy-vqa", "vision absent 6-", limit=3)
    for name in BESIDE:
        said, found = result.metric(name), result.metric(f"{name}, measured")
        assert (found.a, found.b) == pytest.approx((said.a, said.b), rel=1e-9)
        assert said.method.startswith("predicted: mean of 2 prompts of 64 vision and ")


def test_where_an_images_size_decides_the_prompts_own_vision_tokens_are_counted(qwen):
    rows = [
        {"image": Image.new("RGB", size, "red"), "question": SHORT, "answer": "red"} for size in ((56, 56), (112, 56))
    ]
    result = compared(qwen, Task.from_dicts(rows), "vision absent 2-")
    for name in BESIDE:
        said, found = result.metric(name), result.metric(f"{name}, measured")
        assert (found.a, found.b) == pytest.approx((said.a, said.b), rel=0.01)
        assert "2 prompts of 6 vision" in said.method  # 4 and 8


def test_the_usual_image_is_counted_where_nothing_says_how_large_one_is(qwen):
    assert qwen.cost("vision absent 2-") == qwen.cost("vision absent 2-", num_vision=576)
    assert qwen.cost("vision absent 2-").speedup_over(qwen.cost()) > 1
