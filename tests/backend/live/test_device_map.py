"""A model spread over memory and disk answers as the whole one does, also under a skip set; and what is refused."""

import importlib.util
import shutil

import pytest
import torch

from skipit_nb import Session, zoo
from skipit_nb.backend.live import placement
from skipit_nb.backend.live.placement import main_device, number_format
from skipit_nb.errors import DeviceError, MissingPackageError, SettingError
from tests.backend.live.tiny_llava import NUM_LAYERS, prompts, tiny_llava

ON_DISK = (1, 2)
SPREAD = {
    "model.vision_tower": "cpu",
    "model.multi_modal_projector": "cpu",
    "model.language_model.embed_tokens": "disk",
    "model.language_model.norm": "cpu",
    "model.language_model.rotary_emb": "cpu",
    "lm_head": "cpu",
    **{f"model.language_model.layers.{layer}": "disk" if layer in ON_DISK else "cpu" for layer in range(NUM_LAYERS)},
}


@pytest.fixture
def folder(tmp_path):
    """A checkpoint of random weights, with the processor of the model in the box."""
    for file in zoo.model_path().iterdir():
        if file.name.startswith(("tokenizer", "processor", "preprocessor", "chat")):
            shutil.copy(file, tmp_path)
    tiny_llava().save_pretrained(tmp_path)
    return tmp_path


@pytest.fixture
def spread(folder):
    with Session.open(str(folder), device_map=SPREAD, dtype="float32") as session:
        yield session


def logits(model, inputs):
    with torch.no_grad():
        return model(**inputs).logits


def test_a_spread_model_gives_the_logits_of_the_whole_one(spread):
    layers = spread.model.model.language_model.layers
    assert [layer.mlp.up_proj.weight.is_meta for layer in layers] == [layer in ON_DISK for layer in range(NUM_LAYERS)]
    inputs = prompts(padded=True)
    assert torch.equal(logits(spread.model, inputs), logits(tiny_llava(), inputs))


@pytest.mark.parametrize(
    "skipset", ["vision absent 0; whole 2; vision frozen 3", "vision frozen 0-", "attn 1; mlp 2", "vision absent 1-"]
)
@pytest.mark.parametrize("padded", [True, False])
def test_a_spread_model_is_skipped_as_the_whole_one_is_and_is_as_before_afterwards(spread, skipset, padded):
    inputs, whole = prompts(padded=padded), tiny_llava()
    before, forwards = logits(spread.model, inputs), forwards_of(spread.model)
    with spread.skipping(skipset), Session(whole).skipping(skipset):
        assert torch.equal(logits(spread.model, inputs), logits(whole, inputs))
        generated = [m.generate(**inputs, max_new_tokens=4, do_sample=False) for m in (spread.model, whole)]
        assert torch.equal(*generated)
    assert torch.equal(logits(spread.model, inputs), before)
    assert forwards_of(spread.model) == forwards


def forwards_of(model):
    """What accelerate put on every module, and every hook."""
    return {
        name: (module.__dict__.get("forward"), len(module._forward_hooks), len(module._forward_pre_hooks))
        for name, module in model.named_modules()
    }


def test_a_skip_set_is_undone_when_the_block_raises(spread):
    forwards = forwards_of(spread.model)
    with pytest.raises(KeyboardInterrupt), spread.skipping("whole 2; vision frozen 3"):
        raise KeyboardInterrupt
    assert forwards_of(spread.model) == forwards


def test_inputs_go_where_the_token_embeddings_run_though_their_weights_lie_on_disk(spread):
    assert spread.model.get_input_embeddings().weight.is_meta
    assert spread._open.device == torch.device("cpu")
    assert spread.provenance.device == "cpu + disk"
    inputs = spread._open.inputs([None], ["how many digits are there?"])
    assert {value.device.type for value in inputs.values()} == {"cpu"}


def test_the_code_opens_it_again(folder):
    arguments = {"device_map": {"": "disk"}, "offload_folder": folder / "parts", "attn_implementation": "eager"}
    with Session.open(str(folder), **arguments) as session:
        assert session.provenance.attention == "eager"
        assert session.code == (
            f"session = Session.open({str(folder)!r}, device_map={{'': 'disk'}}, "
            f"offload_folder={str(folder / 'parts')!r}, attn_implementation='eager')"
        )
        exec(session.code, scope := {"Session": Session})
        scope["session"].close()


def test_auto_finds_a_place_for_everything(folder):
    with Session.open(str(folder), device_map="auto") as session:
        inputs = {name: value.to(session._open.device) for name, value in prompts(padded=False).items()}
        assert logits(session.model, inputs).isfinite().all()


@pytest.mark.parametrize(
    ("arguments", "error", "match"),
    [
        ({"device_map": "everywhere"}, SettingError, r"device_map is 'everywhere', but should be 'auto', .* or a dict"),
        ({"device_map": {}}, SettingError, "device_map is {}"),
        ({"device_map": {"model": "disk"}}, SettingError, r"names every module of this model.*lm_head"),
        ({"device_map": "auto", "device": "cpu"}, SettingError, "device is 'cpu', but should be left out"),
        ({"device_map": {"": "cuda:99"}}, DeviceError, "device 'cuda:99' is not to be had"),
        ({"device_map": {"": 99}}, DeviceError, "device 99 is not to be had"),
        ({"attn_implementation": "none"}, SettingError, "attn_implementation is 'none', but should be 'eager', 'sdpa'"),
    ],
)
def test_what_cannot_be_followed_is_refused(folder, arguments, error, match):
    with pytest.raises(error, match=match):
        Session.open(str(folder), **arguments)


def test_without_accelerate_the_message_has_the_line_to_type(monkeypatch):
    monkeypatch.setattr(placement, "find_spec", lambda _: None)
    with pytest.raises(MissingPackageError, match=r"device_map needs .* accelerate.*skipit-nb\[gpu\]"):
        main_device(None, "auto")


def test_an_attention_without_its_package_is_refused(folder):
    if importlib.util.find_spec("flash_attn"):
        pytest.skip("it is installed")
    with pytest.raises(SettingError, match="attn_implementation is 'flash_attention_2'"):
        Session.open(str(folder), attn_implementation="flash_attention_2")


@pytest.fixture
def old_card(monkeypatch):
    """A card that only emulates bfloat16, as those before Ampere do."""
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation=True: including_emulation)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda *_: "Tesla T4")
    return torch.device("cuda")


def test_a_card_without_bfloat16_is_named_and_gets_float16_by_default(old_card):
    with pytest.raises(DeviceError, match=r"dtype 'bfloat16', which Tesla T4 does not compute in.*float16, float32"):
        number_format("bfloat16", old_card)
    assert number_format(None, old_card) == torch.float16
    assert number_format("float16", old_card) == torch.float16


def test_a_card_with_bfloat16_gets_it_by_default(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda **_: True)
    assert number_format(None, torch.device("cuda")) == torch.bfloat16
    assert number_format(None, torch.device("cpu")) == torch.float32


def test_a_map_runs_on_its_first_card(monkeypatch):
    monkeypatch.setattr(placement, "available_devices", lambda: ("cuda:0", "cuda:1", "cpu"))
    assert main_device(None, {"model": "cpu", "lm_head": 1}) == torch.device("cuda:1")
    assert main_device(None, {"model": "cpu", "lm_head": "disk"}) == torch.device("cpu")
