"""Flow in every family: VAR is the eager weights' mass, its pass keeps its bits, and knockout is exact."""

import pytest
import torch
from transformers import AttentionInterface

from skipit_nb import SkipSet
from skipit_nb.backend.live.anatomy import anatomy_of
from skipit_nb.backend.live.limits import limits
from skipit_nb.backend.live.skipping import skipping
from skipit_nb.backend.redundancy.flow import FlowRecorder
from skipit_nb.backend.redundancy.geometric import DistanceRecorder, token_kinds
from skipit_nb.backend.redundancy.knockout import can_be_blind, knocked_out
from skipit_nb.errors import SettingError, UnsupportedSkipError
from tests.families.all_families import BUILDERS, family

WITHOUT_VISION_ROWS = ("mllama",)
FAMILIES = sorted(set(BUILDERS) - set(WITHOUT_VISION_ROWS))


@torch.no_grad()
def recorded(model, inputs, **asked):
    recorder = FlowRecorder(anatomy_of(model), **asked)
    with recorder.recording(inputs):
        logits = model(**inputs, use_cache=False).logits
    return recorder.rows(), logits


@torch.no_grad()
def eager_weights(name, inputs):
    """[batch, head, query, key] of every layer that has them, as transformers computes them in the open."""
    eager, seen = family(name, "eager").model, {}
    anatomy = anatomy_of(eager)

    def keep(layer):
        return lambda _, __, out: seen.update({layer: out[1].float()})

    hooks = [
        attention.register_forward_hook(keep(layer))
        for layer in range(len(anatomy.layers))
        if (attention := anatomy.attention_of(layer)) is not None
    ]
    eager(**inputs, use_cache=False)
    for hook in hooks:
        hook.remove()
    return seen


def masses(weights, inputs, anatomy, query):
    """[sample, head] by hand, sample by sample and row by row."""
    kinds = token_kinds(inputs, anatomy)
    found = []
    for sample, (vision, text) in enumerate(zip(kinds[0], kinds[1], strict=True)):
        rows = text.nonzero()[:, 0] if query == "text" else kinds.any(0)[sample].nonzero()[-1]
        found.append(weights[sample][:, rows][..., vision].sum(-1).mean(1))
    return torch.stack(found)


@pytest.mark.parametrize("query", ["last", "text"])
@pytest.mark.parametrize("name", FAMILIES)
def test_var_is_the_mass_in_the_eager_weights_head_by_head(name, query):
    replica = family(name)
    anatomy, inputs = anatomy_of(replica.model), replica.padded
    rows, _ = recorded(replica.model, inputs, query=query)
    expected = eager_weights(name, inputs)
    assert [row.layer for row in rows] == sorted(expected)
    for row in rows:
        mass = masses(expected[row.layer], inputs, anatomy, query)
        assert row.heads == pytest.approx(mass.mean(0).tolist(), abs=1e-5)
        assert row.var == pytest.approx(float(mass.mean()), abs=1e-5)
        assert row.spread == pytest.approx(float(mass.mean(1).std()), abs=1e-5)
        assert 0 < row.uniform < 1


@pytest.mark.parametrize("name", [*FAMILIES, *WITHOUT_VISION_ROWS])
def test_recording_distances_and_flow_changes_no_bit_and_leaves_nothing_behind(name):
    replica, before = family(name), AttentionInterface.get_interface
    with torch.no_grad():
        plain = replica.model(**replica.padded, use_cache=False).logits
        with DistanceRecorder(anatomy_of(replica.model)).recording(replica.padded):
            rows, logits = recorded(replica.model, replica.padded)
    assert torch.equal(plain, logits)
    assert bool(rows) == (name not in WITHOUT_VISION_ROWS)
    assert AttentionInterface.get_interface is before


def test_a_linear_layer_has_no_row_and_is_refused_where_it_is_asked_for():
    replica = family("qwen3_5")
    types = anatomy_of(replica.model).layer_types
    rows, _ = recorded(replica.model, replica.one)
    assert [row.layer for row in rows] == [i for i, kind in enumerate(types) if kind == "full_attention"]
    with pytest.raises(SettingError, match=r"layers is 0, .* can be recomputed; this one is linear_attention"):
        recorded(replica.model, replica.one, layers=[0])


def bands_that_may_be_absent(anatomy):
    """The last layer alone, and all layers, where the family can leave vision out there."""
    count = len(anatomy.layers)
    for band in (range(count - 1, count), range(count)):
        absent = SkipSet.absent(band, num_layers=count)
        if all(can_be_blind(anatomy, layer) for layer in band) and not any(limits(anatomy, absent)):
            yield band, absent


@pytest.mark.parametrize("name", FAMILIES)
@torch.no_grad()
def test_text_that_is_blind_answers_as_if_vision_were_absent(name):
    model, inputs = family(name).model, family(name).padded
    anatomy = anatomy_of(model)
    bands = list(bands_that_may_be_absent(anatomy))
    if not bands:
        pytest.skip("this family cannot leave vision out at its last layer")
    plain = model(**inputs, use_cache=False).logits[:, -1]
    for band, absent in bands:
        with knocked_out(anatomy, band, inputs):
            blind = model(**inputs, use_cache=False).logits[:, -1]
        with skipping(model, anatomy, absent):
            left_out = model(**inputs, use_cache=False).logits[:, -1]
        assert (blind - left_out).abs().max() < 1e-4
        assert (blind - plain).abs().max() > 1e-3


@pytest.mark.parametrize(("name", "why"), [("mllama", "no rows"), ("qwen3_5", r"layer 0 has no attention .*linear")])
def test_families_whose_text_sees_images_otherwise_are_refused(name, why):
    replica = family(name)
    with pytest.raises(UnsupportedSkipError, match=why), knocked_out(anatomy_of(replica.model), range(1), replica.one):
        pass
