"""Opening a checkpoint, and every way it can fail."""

import json
import shutil

import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from skipit_nb import Session, zoo
from skipit_nb.errors import BrokenWeightsError, DeviceError, ModelNotFoundError, NotAVisionLanguageModelError
from tests.backend.live.tiny_llava import tiny_llava

pytestmark = pytest.mark.model


@pytest.fixture
def copy_of_the_box(tmp_path):
    return shutil.copytree(zoo.model_path(), tmp_path / "model")


def test_a_folder_opens_by_its_path_and_the_code_opens_it_again(copy_of_the_box):
    with Session.open(copy_of_the_box, device="cpu", dtype="float32") as session:
        assert session.code == f"session = Session.open({str(copy_of_the_box)!r}, device='cpu', dtype='float32')"
        assert session.name == str(copy_of_the_box)
        scope = {"Session": Session}
        exec(session.code, scope)
        assert scope["session"].num_layers == session.num_layers
        scope["session"].close()


def test_dtype_is_what_was_asked_for(copy_of_the_box):
    with Session.open(str(copy_of_the_box), device="cpu", dtype="bfloat16") as session:
        assert session.model.dtype == torch.bfloat16
        assert session.shape.bytes_per_value == 2
        assert session.ask(next(iter(session.examples("digits-vqa", limit=1))).image, "how many digits are there?").text


@pytest.mark.parametrize("model", ["/no/such/folder", "./nowhere", "a/b/c", "nobody/nothing-at-all"])
def test_a_model_that_cannot_be_had_is_named(model):
    with pytest.raises(ModelNotFoundError, match="cannot be opened"):
        Session.open(model)


def test_a_folder_without_a_configuration_is_not_a_model(tmp_path):
    with pytest.raises(ModelNotFoundError, match=r"no config\.json"):
        Session.open(str(tmp_path))


def test_a_configuration_that_is_not_json_is_named(copy_of_the_box):
    (copy_of_the_box / "config.json").write_text("{ not json")
    with pytest.raises(ModelNotFoundError):
        Session.open(str(copy_of_the_box))


def test_a_text_model_is_refused(tmp_path):
    config = LlamaConfig(vocab_size=20, hidden_size=8, intermediate_size=8, num_hidden_layers=1, num_attention_heads=1)
    LlamaForCausalLM(config).save_pretrained(tmp_path)
    with pytest.raises(NotAVisionLanguageModelError, match="knows it as 'llama'"):
        Session.open(str(tmp_path))
    with pytest.raises(NotAVisionLanguageModelError, match="names no image token"):
        Session(LlamaForCausalLM(config))


@pytest.mark.parametrize("keep", [0, 4, 1000, -100])
def test_weights_that_are_cut_short_are_refused(copy_of_the_box, keep):
    weights = copy_of_the_box / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:keep])
    with pytest.raises(BrokenWeightsError, match="Copy or download the checkpoint again"):
        Session.open(str(copy_of_the_box))


def test_weights_with_tensors_missing_are_refused(copy_of_the_box):
    config = json.loads((copy_of_the_box / "config.json").read_text())
    config["text_config"]["num_hidden_layers"] += 1
    (copy_of_the_box / "config.json").write_text(json.dumps(config))
    with pytest.raises(BrokenWeightsError, match="tensors are missing"):
        Session.open(str(copy_of_the_box))


def test_pickled_weights_are_never_read(copy_of_the_box):
    (copy_of_the_box / "model.safetensors").unlink()
    torch.save({}, copy_of_the_box / "pytorch_model.bin")
    with pytest.raises(ModelNotFoundError):
        Session.open(str(copy_of_the_box))


def test_a_device_or_format_that_is_not_there_is_refused():
    with pytest.raises(DeviceError, match="device 'cuda:99' is not to be had"):
        Session.open(device="cuda:99")
    with pytest.raises(DeviceError, match="dtype 'int3'"):
        Session.open(dtype="int3")


def test_a_model_you_hold_can_be_bound_without_a_processor():
    model = tiny_llava()
    session = Session(model)
    assert session.model is model
    assert session.name == "LlavaForConditionalGeneration"
    assert session.code == ""
    session.close()
    assert model.training is False


def test_code_that_comes_with_a_checkpoint_is_never_run(copy_of_the_box):
    config = json.loads((copy_of_the_box / "config.json").read_text())
    config |= {"model_type": "unheard-of", "auto_map": {"AutoConfig": "its_code.ItsConfig"}}
    (copy_of_the_box / "config.json").write_text(json.dumps(config))
    (copy_of_the_box / "its_code.py").write_text("import pathlib; pathlib.Path(__file__).with_suffix('.ran').touch()")
    with pytest.raises(ModelNotFoundError, match="cannot be opened"):
        Session.open(str(copy_of_the_box))
    assert not list(copy_of_the_box.glob("*.ran"))
