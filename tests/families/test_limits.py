"""What a family cannot do is refused with layer and reason, and it is exactly what its structure says."""

import re

import pytest

from skipit_nb.backend.live.anatomy import anatomy_of
from skipit_nb.backend.live.limits import limits
from skipit_nb.backend.live.skipping import skipping
from skipit_nb.errors import UnsupportedSkipError
from tests.families.all_families import BUILDERS, family
from tests.families.matrix import KINDS, asked_for

IMAGES_ARE_NO_ROWS = "images are no rows"
NO_ATTENTION = "has no self-attention"
MAKES_KEYS = "makes the keys and values that later layers read"
READS_KEYS = "reads the keys and values of an earlier layer"
INJECTION = "receives vision features from outside"
NO_MLP = "has no single MLP"

REFUSED = {
    "mllama": {
        "attn": dict.fromkeys((1, 4), NO_ATTENTION),  # they look at the picture only
        "frozen": dict.fromkeys(range(6), IMAGES_ARE_NO_ROWS),
        "absent": dict.fromkeys(range(6), IMAGES_ARE_NO_ROWS),
    },
    "qwen3_5": dict.fromkeys(("attn", "frozen", "absent"), dict.fromkeys((0, 1, 3, 4), NO_ATTENTION)),
    "qwen3_vl": {"absent": dict.fromkeys((0, 1), INJECTION)},
    "gemma4": {
        "whole": dict.fromkeys((2, 3), MAKES_KEYS),
        "attn": dict.fromkeys((2, 3), MAKES_KEYS),
        "absent": dict.fromkeys((2, 3), MAKES_KEYS) | dict.fromkeys((4, 5), READS_KEYS),
    },
    "instructblip_opt": {"mlp": dict.fromkeys(range(4), NO_MLP)},
}
"""Family, action, layer, and what the reason says; all else is possible."""


@pytest.mark.parametrize("name", BUILDERS)
def test_the_refused_layers_are_those_that_the_structure_forbids(name):
    anatomy = anatomy_of(family(name).model)
    for kind in KINDS:
        skipset = asked_for(kind, anatomy)
        expected = {
            layer: reason
            for action, reasons in REFUSED.get(name, {}).items()
            for layer, reason in reasons.items()
            if action in {skipset.action(layer, "vision"), skipset.action(layer, "text")}
        }
        found = dict(limits(anatomy, skipset))
        assert found.keys() == expected.keys(), kind
        assert all(expected[layer] in found[layer] for layer in expected), kind


@pytest.mark.parametrize("name", [name for name in REFUSED if name in BUILDERS])
def test_a_refusal_names_layer_and_reason_and_installs_nothing(name):
    model = family(name).model
    anatomy, before = anatomy_of(model), state_of(model)
    for kind in KINDS:
        skipset = asked_for(kind, anatomy)
        for layer, why in [*limits(anatomy, skipset)][:1]:
            with pytest.raises(UnsupportedSkipError, match=re.escape(f"layer {layer} {why}. Without that layer")):
                skipping(model, anatomy, skipset).__enter__()
            assert state_of(model) == before


def test_attention_that_takes_no_masks_is_refused_where_rows_are_left_out():
    model = BUILDERS["llava"]("sdpa").model
    anatomy, before = anatomy_of(model), state_of(model)
    anatomy.decoder.config._attn_implementation = "flash_attention_2"
    with pytest.raises(UnsupportedSkipError, match=r"'flash_attention_2' takes no masks of our making\. Switch first"):
        skipping(model, anatomy, asked_for("late entry", anatomy)).__enter__()
    assert state_of(model) == before
    with skipping(model, anatomy, asked_for("whole, first", anatomy)):
        pass


def state_of(model):
    """What a skip set could leave on the modules."""
    return [(module.__dict__.get("forward"), [*module._forward_pre_hooks]) for module in model.modules()]
