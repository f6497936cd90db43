"""The trained part goes into a file and comes back; with a language model it makes a whole checkpoint."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoProcessor, LlavaForConditionalGeneration

from skipit_nb.errors import BrokenWeightsError
from skipit_nb.zoo import TRAINED_PART, whole_checkpoint
from skipit_nb.zoo.smol import assembled
from skipit_nb.zoo.smol.architecture import make_model
from skipit_nb.zoo.smol.cache import CACHE_VARIABLE
from skipit_nb.zoo.smol.low_rank import add_updates, merge_updates
from skipit_nb.zoo.smol.trained import read_trained, write_trained
from tests.zoo.smol.small_backbone import small_backbone

pytestmark = pytest.mark.model


def trained_model() -> LlavaForConditionalGeneration:
    """A model whose tower, projector and updates all differ from those of a new one."""
    model = make_model(small_backbone(), seed=5)
    updates = add_updates(model.model.language_model, rank=3)
    torch.manual_seed(7)
    with torch.no_grad():
        for module in (updates, model.model.vision_tower, model.model.multi_modal_projector):
            for weight in module.parameters():
                weight.add_(torch.randn_like(weight) * 0.1)
    return model.eval()


def logits(model: LlavaForConditionalGeneration) -> torch.Tensor:
    image = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(3))
    ids = torch.tensor([[1, *[model.config.image_token_id] * 64, 5, 6]])
    with torch.inference_mode():
        return model(input_ids=ids, pixel_values=image).logits[0, -1]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "kept"))
    monkeypatch.setattr(assembled, "read_backbone", small_backbone)
    monkeypatch.setattr(assembled, "backbone_version", lambda: "1")
    monkeypatch.setattr(assembled, "backbone_file", lambda: Path(__file__))
    write_trained(trained_model(), tmp_path / "trained")
    return tmp_path / "trained"


def test_the_file_holds_nothing_of_the_language_model(folder: Path) -> None:
    tensors = load_file(folder / TRAINED_PART)
    assert {tensor.dtype for tensor in tensors.values()} == {torch.float16}
    assert {name.split(".")[1] for name in tensors} == {"vision_tower", "multi_modal_projector", "language_model"}
    assert all(".update." in name for name in tensors if "language_model" in name)


def test_read_back_the_model_says_what_it_said(folder: Path) -> None:
    model = make_model(small_backbone(), seed=0)
    before = logits(model)
    read_trained(model, folder)
    after = logits(trained_model())
    assert (before - after).abs().max() > 0.5
    assert (logits(model) - after).abs().max() < 0.05  # float16


def test_a_whole_checkpoint_opens_with_transformers_alone_and_says_the_same(folder: Path) -> None:
    model = make_model(small_backbone(), seed=0)
    read_trained(model, folder)
    merge_updates(model.model.language_model)
    whole = whole_checkpoint(folder)
    opened = LlavaForConditionalGeneration.from_pretrained(whole, dtype=torch.float32).eval()
    assert (logits(opened) - logits(model)).abs().max() < 0.05
    assert AutoProcessor.from_pretrained(whole).image_token_id == opened.config.image_token_id
    assert opened.generation_config.eos_token_id == 2


def test_it_is_put_together_once_and_again_for_other_weights(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = whole_checkpoint(folder)
    model = trained_model()
    with monkeypatch.context() as patch:
        patch.setattr(assembled, "read_backbone", lambda: pytest.fail("read again"))
        assert whole_checkpoint(folder) == first
    torch.nn.init.ones_(model.model.multi_modal_projector.linear_1.bias)
    write_trained(model, folder)
    assert whole_checkpoint(folder) != first


def test_a_folder_with_all_its_weights_is_whole_as_it_is(tmp_path: Path) -> None:
    assert whole_checkpoint(tmp_path) == tmp_path


def test_a_damaged_file_is_refused(folder: Path) -> None:
    file = folder / TRAINED_PART
    file.write_bytes(file.read_bytes()[:1000])
    with pytest.raises(BrokenWeightsError, match=TRAINED_PART):
        read_trained(make_model(small_backbone()), folder)


def test_a_part_of_another_language_model_is_refused(folder: Path) -> None:
    with pytest.raises(BrokenWeightsError, match="32"):
        read_trained(make_model(small_backbone(width=16)), folder)
