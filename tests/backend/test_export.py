"""A skip set handed over: pruned where that is exact, beside the model elsewhere; written completely or not at all."""

import copy
import errno
import json
import shutil
from pathlib import Path

import pytest
import torch
import transformers.modeling_utils
from safetensors import SafetensorError
from transformers import Gemma3nTextConfig, LlamaConfig, LlamaForCausalLM, LlavaForConditionalGeneration

from skipit_nb import Session, SkipSet, exported_skips
from skipit_nb.backend.export.draft import pruned_draft
from skipit_nb.backend.export.layer_entries import keep_layers
from skipit_nb.backend.export.proof import NotTheSameError, proven
from skipit_nb.backend.export.trial import trial_prompt
from skipit_nb.backend.live.anatomy import anatomy_of
from skipit_nb.errors import (
    ExportError,
    LayerCountError,
    LayerIndexError,
    ResultFormatError,
    SessionClosedError,
    SettingError,
    UnsupportedExportError,
)
from skipit_nb.results import Exported
from tests.backend.live.tiny_llava import IMAGE, NUM_LAYERS, prompts, tiny_llava

WHOLE = ["whole 0", "whole 3", "whole 1", "whole 0+2", "whole 1-3"]


@pytest.fixture
def held():
    """A session on a model without a processor."""
    with Session(tiny_llava()) as opened:
        yield opened


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "checkpoint"


def logits(model, inputs):
    with torch.inference_mode():
        return model(**inputs).logits


def answer(model, inputs):
    return model.generate(
        **inputs, max_new_tokens=6, min_new_tokens=6, do_sample=False, suppress_tokens=[IMAGE], pad_token_id=1
    )


def reopened(path):
    return LlavaForConditionalGeneration.from_pretrained(path).eval()


def everything(model):
    """What must not change, in a form that compares bit for bit."""
    return {
        "weights": {name: (t.data_ptr(), t.clone()) for name, t in model.state_dict().items()},
        "config": model.config.to_json_string(use_diff=False),
        "generation": model.generation_config.to_json_string(use_diff=False),
        "objects": {name: id(module) for name, module in model.named_modules()},
        "numbers": {name: getattr(module, "layer_idx", None) for name, module in model.named_modules()},
        "own": {name: sorted(vars(module)) for name, module in model.named_modules()},
        "random": torch.get_rng_state(),
    }


def assert_unchanged(before, model):
    after = everything(model)
    assert torch.equal(before.pop("random"), after.pop("random"))
    weights = before.pop("weights"), after.pop("weights")
    assert weights[0].keys() == weights[1].keys()
    for name, (pointer, tensor) in weights[0].items():
        assert pointer == weights[1][name][0]
        assert torch.equal(tensor, weights[1][name][1])
    assert before == after


# -- a pruned checkpoint -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("padded", [False, True], ids=["one", "padded"])
@pytest.mark.parametrize("text", WHOLE)
def test_a_pruned_checkpoint_is_the_skipped_model_bit_for_bit(held, folder, text, padded):
    exported = held.export(text, folder)
    inputs, small = prompts(padded=padded), reopened(folder)
    with held.skipping(text):
        expected, said = logits(held.model, inputs), answer(held.model, inputs)
    assert exported.form == "pruned"
    assert torch.equal(logits(small, inputs), expected)
    assert torch.equal(answer(small, inputs), said)


def test_the_layers_left_are_numbered_anew_and_the_configuration_counts_them(held, folder):
    exported = held.export("whole 0+2", folder)
    small = reopened(folder)
    assert exported.num_layers == 2
    assert [layer.self_attn.layer_idx for layer in small.get_decoder().layers] == [0, 1]
    assert small.config.text_config.num_hidden_layers == 2
    assert small.config.text_config is not held.model.config.text_config


def test_a_pruned_checkpoint_is_smaller_by_its_layers(held, tmp_path):
    whole, pruned = held.export(None, tmp_path / "a"), held.export("whole 1-2", tmp_path / "b")
    of_layers = sum(p.nbytes for layer in held.model.get_decoder().layers[1:3] for p in layer.parameters())
    assert of_layers <= whole.bytes - pruned.bytes < of_layers + 4096


def test_the_empty_set_writes_the_model_as_it_is(held, folder):
    exported = held.export(None, folder)
    assert exported.form == "pruned"
    assert torch.equal(logits(reopened(folder), prompts(padded=False)), logits(held.model, prompts(padded=False)))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_stays_half_precision(folder, dtype):
    with Session(tiny_llava().to(dtype)) as held:
        held.export("whole 1", folder)
    assert reopened(folder).dtype == dtype


def test_the_set_that_is_exported_counts_not_the_one_at_work(held, folder):
    with held.skipping("whole 0; vision absent 3"):
        held.export("whole 2", folder)
    with held.skipping("whole 2"):
        expected = logits(held.model, prompts(padded=False))
    assert torch.equal(logits(reopened(folder), prompts(padded=False)), expected)


def test_no_weights_are_copied(held):
    anatomy = anatomy_of(held.model)
    draft = pruned_draft(held.model, anatomy, [1])
    draft, _ = proven(held.model, draft, SkipSet.whole(1, num_layers=NUM_LAYERS), trial_prompt(held._open))
    live = {tensor.data_ptr() for tensor in held.model.state_dict().values()}
    assert {tensor.data_ptr() for tensor in draft.weights.values()} < live


@pytest.mark.parametrize("form", ["pruned", "config"])
def test_the_live_model_stays_as_it_is(held, folder, form):
    before = everything(held.model)
    held.export("whole 1+3", folder, form=form)
    assert_unchanged(before, held.model)


def test_a_session_with_a_processor_tries_an_image_and_hands_the_processor_over(session, folder):
    exported = session.export("whole 3+7", folder)
    example = session.examples("digits-vqa", limit=1)[0]
    assert "a trial prompt with an image" in exported.reason
    with Session.open(str(folder), device="cpu") as small:
        assert small.num_layers == session.num_layers - 2
        assert small.skip_config is None
        asked = session.ask(example.image, example.question, skipset="whole 3+7")
        told = small.ask(example.image, example.question)
    assert (told.text, told.probability) == (asked.text, asked.probability)


# -- what cannot be a pruned checkpoint --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("attn 1", r"layer 1 is not left out as a whole \(attn\)"),
        ("whole 0; mlp 2", r"layer 2 is not left out as a whole \(mlp\)"),
        ("vision frozen 3", r"layer 3 is not left out as a whole \(vision frozen\)"),
        ("text absent 2; vision frozen 2-3", r"layer 3 is not left out as a whole"),
        ("vision absent 2-", r"layer 2 is not left out as a whole \(vision absent\)"),
        ("whole 0-", "no layer would be left"),
    ],
)
def test_what_is_not_the_same_is_refused_as_pruned_and_written_beside_the_model(held, folder, text, reason):
    with pytest.raises(UnsupportedExportError, match=f"{reason}.*form='config'"):
        held.export(text, folder, form="pruned")
    assert not folder.exists()
    exported = held.export(text, folder)
    assert exported.form == "config"
    assert exported.num_layers == NUM_LAYERS
    assert "a checkpoint without layers cannot say this" in exported.reason


def test_a_draft_that_is_another_model_is_found_out(held):
    """Layer 2 instead of layer 1: same names, same shapes, other weights."""
    draft = pruned_draft(held.model, anatomy_of(held.model), [2])
    with pytest.raises(NotTheSameError, match="on a trial prompt its logits differ"):
        proven(held.model, draft, SkipSet.whole(1, num_layers=NUM_LAYERS), trial_prompt(held._open))


def test_a_configuration_that_counts_other_layers_is_found_out(held):
    draft = pruned_draft(held.model, anatomy_of(held.model), [2])
    draft.config.text_config.num_hidden_layers = 2
    with pytest.raises(NotTheSameError, match=r"tensor model\.language_model\.layers\.2\S+ would be one too many"):
        proven(held.model, draft, SkipSet.whole(2, num_layers=NUM_LAYERS), trial_prompt(held._open))


def test_a_setting_that_would_be_another_one_is_found_out(held):
    draft = pruned_draft(held.model, anatomy_of(held.model), [2])
    draft.config.text_config.attention_dropout = 0.5
    with pytest.raises(NotTheSameError, match=r"layer 0 would have self_attn.attention_dropout 0.5 instead of 0.0"):
        proven(held.model, draft, SkipSet.whole(2, num_layers=NUM_LAYERS), trial_prompt(held._open))


def test_weights_that_are_not_in_memory_are_not_pruned(held, folder):
    held.model.lm_head.weight = torch.nn.Parameter(held.model.lm_head.weight.to("meta"))
    with pytest.raises(UnsupportedExportError, match="not in memory"):
        held.export("whole 1", folder, form="pruned")


# -- what a configuration says layer by layer --------------------------------------------------------------------------


def test_every_kind_of_entry_follows_the_layers():
    sliding, full = "sliding_attention", "full_attention"
    config = Gemma3nTextConfig(
        num_hidden_layers=5, layer_types=[sliding, full, sliding, full, sliding],
        intermediate_size=[10, 11, 12, 13, 14],
        activation_sparsity_pattern=[0.9, 0.8, 0.0, 0.1, 0.2], num_kv_shared_layers=2, eos_token_id=[2, 3, 4, 5, 6],
        no_rope_layers=[0, 1, 1, 1, 0], rope_types=["a", "b", "c", "d", "e"], cross_attention_layers=[1, 3, 8],
        rope_scaling_layers=[0, 1, 2, 3, 4], mlp_only_layers=[], first_k_dense_replace=3, mrope_section=[8, 12, 12],
        per_layer_config={3: {"head_dim": 8}, 1: {"head_dim": 16}},
    )  # fmt: skip
    before = config.to_json_string(use_diff=False)
    pruned = keep_layers(config, config, kept=(0, 3, 4), num_layers=5).to_dict()
    expected = {
        "num_hidden_layers": 3,
        "layer_types": [sliding, full, sliding],
        "intermediate_size": [10, 13, 14],
        "activation_sparsity_pattern": [0.9, 0.1, 0.2],
        "num_kv_shared_layers": 2,
        "eos_token_id": [2, 3, 4, 5, 6],
        "no_rope_layers": [0, 1, 0],
        "rope_types": ["a", "d", "e"],
        "cross_attention_layers": [1],
        "rope_scaling_layers": [0, 1, 2],
        "mlp_only_layers": [],
        "first_k_dense_replace": 1,
        "mrope_section": [8, 12, 12],
        "per_layer_config": {"1": {"head_dim": 8}},
    }
    assert {name: pruned[name] for name in expected} == expected
    assert config.to_json_string(use_diff=False) == before


# -- the set beside the model ------------------------------------------------------------------------------------------


def test_the_file_says_all_that_a_reader_needs(held, folder):
    exported = held.export("vision absent 2-; mlp 0", folder)
    stored = json.loads((folder / "skip_config.json").read_text())
    assert stored.pop("versions").keys() == {"skipit-nb", "torch", "transformers"}
    assert stored == {
        "format": 1,
        "skipset": "vision absent 2-3; mlp 0",
        "num_layers": NUM_LAYERS,
        "fingerprint": exported.skipset.fingerprint,
        "model": "LlavaForConditionalGeneration",
        "revision": "",
    }


def test_three_lines_apply_it_without_a_session(held, folder):
    held.export("vision absent 2-", folder)
    model, inputs = reopened(folder), prompts(padded=False)
    full, before = logits(model, inputs), everything(model)
    with held.skipping("vision absent 2-"):
        expected = logits(held.model, inputs)
    with exported_skips(model, folder):
        assert torch.equal(logits(model, inputs), expected)
    assert not torch.equal(expected, full)
    assert torch.equal(logits(model, inputs), full)
    assert_unchanged(before, model)


def test_a_session_carries_the_set_and_does_not_apply_it(session, folder):
    session.export("vision absent 3-; mlp 1", folder)
    example = session.examples("digits-vqa", limit=1)[0]
    inputs = session._open.inputs([example.image], [example.question])
    with Session.open(str(folder), device="cpu") as again:
        assert again.skip_config == SkipSet.parse("vision absent 3-; mlp 1", num_layers=session.num_layers)
        assert torch.equal(logits(again.model, inputs), logits(session.model, inputs))
        with session.skipping("vision absent 3-; mlp 1"), again.skipping(again.skip_config):
            assert torch.equal(logits(again.model, inputs), logits(session.model, inputs))


def test_a_model_without_an_exported_set_has_none(session):
    assert session.skip_config is None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda stored: stored | {"format": 2}, "it has format 2, this version reads 1"),
        (lambda stored: stored | {"skipset": "whole 3"}, "its fingerprint is not that of 'whole 3'"),
        (lambda stored: stored | {"skipset": "whole 17"}, "LayerIndexError"),
        (lambda stored: {}, "KeyError: 'format'"),
        (lambda stored: [1], "TypeError"),
    ],
)
def test_a_file_that_was_changed_is_refused(held, folder, change, message):
    held.export("whole 1", folder, form="config")
    file = folder / "skip_config.json"
    file.write_text(json.dumps(change(json.loads(file.read_text()))))
    with pytest.raises(ResultFormatError, match=message), exported_skips(held.model, folder):
        pass


def test_a_folder_without_the_file_and_a_model_of_another_depth_are_refused(held, tmp_path):
    with pytest.raises(ResultFormatError, match="FileNotFoundError"), exported_skips(held.model, tmp_path):
        pass
    held.export("whole 1", tmp_path / "pruned")
    held.export("whole 1", tmp_path / "config", form="config")
    with pytest.raises(LayerCountError), exported_skips(reopened(tmp_path / "pruned"), tmp_path / "config"):
        pass


# -- transformers' own form --------------------------------------------------------------------------------------------


def test_transformers_own_form_is_refused_as_long_as_it_skips_nothing(held, folder):
    with pytest.raises(UnsupportedExportError, match=r"per_layer_config of transformers .* logits differ"):
        held.export("whole 1; attn 2", folder, form="per_layer_config")
    with pytest.raises(UnsupportedExportError, match="but not 'vision absent'"):
        held.export("vision absent 3", folder, form="per_layer_config")
    assert not folder.exists()


def test_transformers_parses_its_own_form_and_runs_every_layer():
    torch.manual_seed(0)
    config = LlamaConfig(vocab_size=50, hidden_size=32, intermediate_size=48, num_hidden_layers=3,
                         num_attention_heads=4, initializer_range=0.3,
                         per_layer_config={1: {"skip": ["attention", "mlp"]}})  # fmt: skip
    told = LlamaForCausalLM(config).eval()
    assert config.per_layer_config[1].skip == ["attention", "mlp"]
    skipped = LlamaForCausalLM(LlamaConfig.from_dict(config.to_dict() | {"per_layer_config": None})).eval()
    skipped.load_state_dict(told.state_dict(), strict=False)
    skipped.model.layers[1].forward = lambda hidden_states, **_: hidden_states
    ids = torch.arange(9)[None]
    assert not torch.equal(logits(told, {"input_ids": ids}), logits(skipped, {"input_ids": ids})), (
        "transformers now runs per_layer_config: let form='auto' write it for attn and mlp sets, "
        "and say so in the docstrings of backend/export/per_layer_config.py and Session.export"
    )


# -- completely or not at all ------------------------------------------------------------------------------------------


def full_disk(*_, **__):
    raise OSError(errno.ENOSPC, "No space left on device")


def full_disk_of_safetensors(weights, filename, **_):
    Path(filename).write_bytes(b"half of them")
    raise SafetensorError("Error while serializing: I/O error: No space left on device (os error 28)")


@pytest.mark.parametrize("form", ["pruned", "config"])
@pytest.mark.parametrize("fails", [full_disk, full_disk_of_safetensors])
def test_a_full_disk_leaves_nothing_and_says_so(held, folder, monkeypatch, fails, form):
    before = everything(held.model)
    monkeypatch.setattr(transformers.modeling_utils, "safe_save_file", fails)
    with pytest.raises(ExportError, match=r"No space left on device.*as it was before"):
        held.export("whole 1", folder, form=form)
    assert list(folder.parent.iterdir()) == []
    assert_unchanged(before, held.model)


def test_a_checkpoint_that_was_there_survives_a_full_disk(held, folder, monkeypatch):
    held.export("whole 1", folder)
    files = {file.name: file.read_bytes() for file in folder.iterdir()}
    monkeypatch.setattr(transformers.modeling_utils, "safe_save_file", full_disk)
    with pytest.raises(ExportError):
        held.export("whole 2", folder, overwrite=True)
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == files
    assert list(folder.parent.iterdir()) == [folder]


def test_a_checkpoint_that_was_there_comes_back_if_the_new_one_cannot_take_its_place(held, folder, monkeypatch):
    held.export("whole 1", folder)
    rename = Path.rename

    def fails(path, target):
        return full_disk() if path.suffix == ".partial" else rename(path, target)

    monkeypatch.setattr(Path, "rename", fails)
    with pytest.raises(ExportError):
        held.export("whole 1-2", folder, overwrite=True)
    assert reopened(folder).config.text_config.num_hidden_layers == NUM_LAYERS - 1
    assert list(folder.parent.iterdir()) == [folder]


def test_an_interrupt_leaves_nothing(held, folder, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    before = everything(held.model)
    monkeypatch.setattr(transformers.modeling_utils, "safe_save_file", interrupted)
    with pytest.raises(KeyboardInterrupt):
        held.export("whole 1", folder)
    assert list(folder.parent.iterdir()) == []
    assert_unchanged(before, held.model)


def test_a_processor_that_cannot_be_saved_leaves_nothing(session, folder, monkeypatch):
    monkeypatch.setattr(type(session.processor), "save_pretrained", full_disk)
    with pytest.raises(ExportError, match="No space left"):
        session.export("whole 1", folder)
    assert list(folder.parent.iterdir()) == []


def test_a_disk_that_is_too_small_is_seen_before_anything_is_written(held, folder, monkeypatch):
    usage = shutil.disk_usage(folder.parent)._replace(free=10_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    with pytest.raises(ExportError, match=r"it needs 0\.00 GB, and 0\.00 GB are free"):
        held.export("whole 1", folder)
    assert list(folder.parent.iterdir()) == []


def test_what_transformers_will_not_save_is_an_export_error(held, folder):
    held.model.generation_config = copy.deepcopy(held.model.generation_config)
    held.model.generation_config.temperature = 0.5  # without do_sample
    with pytest.raises(ExportError, match=r"GenerationConfig is invalid|temperature"):
        held.export("whole 1", folder)
    assert list(folder.parent.iterdir()) == []


def test_a_folder_that_holds_something_is_replaced_only_when_asked_and_only_a_checkpoint(held, tmp_path):
    taken, notes, file = tmp_path / "taken", tmp_path / "notes", tmp_path / "file"
    held.export("whole 1", taken)
    notes.mkdir()
    (notes / "thesis.tex").write_text("years of work")
    file.write_text("")
    with pytest.raises(ExportError, match=r"the folder is not empty.*overwrite=True"):
        held.export("vision frozen 1", taken)
    for place, why in ((notes, "it has no config.json"), (file, "it is a file")):
        with pytest.raises(ExportError, match=why):
            held.export("whole 1", place, overwrite=True)
    assert held.export("vision frozen 1", taken, overwrite=True).form == "config"
    assert (taken / "skip_config.json").is_file()
    assert (notes / "thesis.tex").read_text() == "years of work"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "notes", "taken"]


def test_an_empty_folder_and_folders_that_are_not_there_will_do(held, tmp_path):
    (tmp_path / "empty").mkdir()
    assert held.export("whole 1", str(tmp_path / "empty")).path == str(tmp_path / "empty")
    assert held.export("whole 1", tmp_path / "a" / "b").form == "pruned"


# -- what comes back ---------------------------------------------------------------------------------------------------


def test_the_answer_says_what_where_and_why_and_reads_back(held, folder):
    exported = held.export("vision absent 2-", folder)
    assert str(exported) == (
        f"{folder}: the whole model and 'vision absent 2-3' in skip_config.json, {exported.bytes / 1e6:,.1f} MB.\n"
        "A checkpoint without layers cannot say this: layer 2 is not left out as a whole (vision absent).\n"
        f"    model = AutoModelForImageTextToText.from_pretrained('{folder}')\n"
        f"    with skipit_nb.exported_skips(model, '{folder}'):\n"
        "        model.generate(**inputs)"
    )
    assert Exported.from_json(exported.to_json()) == exported
    assert exported.bytes == sum(file.stat().st_size for file in folder.iterdir())


def test_wrong_arguments_are_refused_before_anything_is_written(held, folder):
    with pytest.raises(SettingError, match="form is 'onnx', but should be one of auto, pruned, config"):
        held.export("whole 1", folder, form="onnx")
    with pytest.raises(LayerIndexError):
        held.export("whole 4", folder)
    held.close()
    with pytest.raises(SessionClosedError):
        held.export("whole 1", folder)
    assert not folder.exists()


def test_nothing_is_printed(session, folder, capfd):
    session.export("whole 1", folder)
    assert capfd.readouterr() == ("", "")
