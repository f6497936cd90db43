"""Attention knockout: exact masking, known answers, the slow way, and a result that can be read."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
import torch

from skipit_nb import SkipSet
from skipit_nb.backend.live.anatomy import anatomy_of
from skipit_nb.backend.live.skipping import skipping
from skipit_nb.backend.redundancy.geometric import token_kinds
from skipit_nb.backend.redundancy.knockout import bands_of, knocked_out
from skipit_nb.backend.tasks.task import Task
from skipit_nb.errors import LayerIndexError, NoImagesError, SettingError, UnsupportedSkipError
from skipit_nb.results import Knockout
from tests.backend.live.tiny_llava import NUM_LAYERS, prompts, tiny_llava

TASK = "digits-vqa"


@torch.no_grad()
def blind_logits(model, inputs, band):
    with knocked_out(anatomy_of(model), band, inputs):
        return model(**inputs).logits


@torch.no_grad()
def slow_logits(model, inputs, band):
    """Sample by sample, without padding or masks: in the band text rows run by themselves, at their own positions."""
    found = []
    for sample in range(len(inputs["input_ids"])):
        is_token = inputs["attention_mask"][sample].bool()
        ids = inputs["input_ids"][sample][is_token][None]
        vision = anatomy_of(model).vision_rows(ids)[0]
        states, decoder = [], model.model.language_model

        def grab(_, args, states=states):
            states.append(args[0])

        hook = decoder.layers[0].register_forward_pre_hook(grab)
        model(input_ids=ids, pixel_values=inputs["pixel_values"][sample : sample + 1])
        hook.remove()
        state = states[0]
        cos, sin = decoder.rotary_emb(state, torch.arange(ids.shape[1])[None])
        for index, layer in enumerate(decoder.layers):
            after = layer(state, position_embeddings=(cos, sin), attention_mask=None)
            if index in band:
                rows = (cos[:, ~vision], sin[:, ~vision])
                after[:, ~vision] = layer(state[:, ~vision], position_embeddings=rows, attention_mask=None)
            state = after
        found.append(model.lm_head(decoder.norm(state))[0, -1])
    return torch.stack(found)


@pytest.mark.parametrize("attention", ["sdpa", "eager"])
@pytest.mark.parametrize("band", [range(1), range(1, 3), range(3, 4), range(NUM_LAYERS)], ids=str)
def test_a_padded_batch_equals_text_rows_run_by_themselves(attention, band):
    inputs = prompts(padded=True)
    got = blind_logits(tiny_llava(attention), inputs, band)[:, -1]
    assert (got - slow_logits(tiny_llava("sdpa"), inputs, band)).abs().max() < 1e-4
    assert (got - tiny_llava(attention)(**inputs).logits[:, -1]).abs().max() > 1e-2


def test_blind_everywhere_is_vision_absent_everywhere_for_the_text():
    model, inputs = tiny_llava(), prompts(padded=False)
    everywhere = SkipSet.parse("vision absent 0-", num_layers=NUM_LAYERS)
    with torch.no_grad(), skipping(model, anatomy_of(model), everywhere):
        absent = model(**inputs).logits
    text = ~token_kinds(inputs, anatomy_of(model))[0]
    blind = blind_logits(model, inputs, range(NUM_LAYERS))
    assert torch.allclose(blind[text], absent[text], atol=1e-4)


def test_a_layer_whose_attention_says_nothing_can_be_knocked_out_without_a_trace():
    model, inputs = tiny_llava(), prompts(padded=True)
    with torch.no_grad():
        model.model.language_model.layers[2].self_attn.o_proj.weight.zero_()
        plain = model(**inputs).logits
    assert torch.equal(blind_logits(model, inputs, range(2, 3)), plain)
    assert not torch.equal(blind_logits(model, inputs, range(1, 2)), plain)


@torch.no_grad()
def test_vision_rows_compute_what_they_always_do():
    model, inputs = tiny_llava(), prompts(padded=False)
    vision = token_kinds(inputs, anatomy_of(model))[0]
    plain = model(**inputs).logits
    blind = blind_logits(model, inputs, range(NUM_LAYERS - 1, NUM_LAYERS))
    assert torch.allclose(plain[vision], blind[vision], atol=1e-6)


def test_the_model_is_as_before_also_when_the_pass_raises():
    model, inputs = tiny_llava(), prompts(padded=False)
    with torch.no_grad():
        plain = model(**inputs).logits
    with pytest.raises(RuntimeError), knocked_out(anatomy_of(model), range(2), inputs):
        raise RuntimeError
    with torch.no_grad():
        assert torch.equal(model(**inputs).logits, plain)


def test_bands_are_single_layers_windows_of_a_width_or_ones_own():
    anatomy = anatomy_of(tiny_llava())
    assert bands_of(anatomy, None) == tuple(range(i, i + 1) for i in range(NUM_LAYERS))
    assert bands_of(anatomy, 3) == (range(3), range(1, 4))
    assert bands_of(anatomy, [range(1, 3)]) == (range(1, 3),)


@pytest.mark.parametrize("bands", [0, NUM_LAYERS + 1, True, 2.0, "3", [], [range(2, 2)], [range(0, 4, 2)], [3]])
def test_bands_that_are_none_are_refused(bands):
    with pytest.raises(SettingError, match="bands is"):
        bands_of(anatomy_of(tiny_llava()), bands)


def test_layers_that_are_not_there_and_kernels_without_masks_are_refused():
    model = tiny_llava()
    with pytest.raises(LayerIndexError):
        bands_of(anatomy_of(model), [range(3, 6)])
    model.model.language_model.config._attn_implementation = "flash_attention_2"
    with pytest.raises(UnsupportedSkipError, match="takes no masks of our making"):
        bands_of(anatomy_of(model), None)


def test_a_knockout_has_a_row_for_every_band_and_reads_back(session):
    found = session.knockout(TASK, [range(12), range(2, 3)], limit=24, batch_size=10)
    assert [row.band for row in found.rows] == ["0-11", "2"]
    assert list(found.frame.columns[:3]) == ["band", "start", "stop"]
    assert Knockout.from_json(found.to_json()) == found
    everywhere, one = found.rows
    assert everywhere.kl > one.kl > 0
    assert everywhere.accuracy_drop > 0.3
    assert everywhere.low <= everywhere.accuracy_drop <= everywhere.high
    assert everywhere.log_likelihood_drop > 1
    assert everywhere.log_likelihood_low < everywhere.log_likelihood_drop < everywhere.log_likelihood_high
    assert repr(found).startswith("Knockout(digits-vqa")


def test_blind_everywhere_scores_what_a_sweep_scores_with_vision_absent(session):
    (row,) = session.knockout(TASK, [range(12)], limit=12).rows
    (absent,) = session.sweep(TASK, ["vision absent 0-"], limit=12).rows
    assert row.kl == pytest.approx(absent.kl, abs=1e-4)
    assert row.accuracy_drop == pytest.approx(-absent.delta)
    assert (row.low, row.high) == pytest.approx((-absent.high, -absent.low))


def test_one_image_gives_a_likelihood_without_an_interval(session):
    (row,) = session.knockout(TASK, [range(12)], limit=1).rows
    assert row.log_likelihood_drop is not None
    assert (row.log_likelihood_low, row.log_likelihood_high) == (None, None)


def test_workers_find_what_one_machine_finds(session):
    asked = {"limit": 12, "batch_size": 4}
    with ThreadPoolExecutor(2) as executor:
        assert session.knockout(TASK, [range(2)], executor=executor, **asked) == session.knockout(
            TASK, [range(2)], **asked
        )
        contribution = session.contribution(TASK, actions=("frozen",), executor=executor, **asked)
    assert contribution == session.contribution(TASK, actions=("frozen",), **asked)


def test_questions_without_images_are_refused(session):
    with pytest.raises(NoImagesError, match="'knockout' is about vision tokens"):
        session.knockout(text_only(session), limit=2)


def text_only(session):
    examples = tuple(replace(example, loader=lambda: None) for example in session.examples(TASK, limit=2))
    return Task("own", "own", "", examples)
