"""Dropped vision tokens in every family: none and all of them are known sets, and a cache changes nothing."""

import pytest
import torch

from skipit_nb import SkipSet, TokenDrop
from skipit_nb.backend.live.limits import limits
from skipit_nb.backend.live.model import LiveModel
from skipit_nb.backend.live.skipping import skipping
from skipit_nb.backend.selection.dropping import dropping
from skipit_nb.errors import UnsupportedSkipError
from tests.families.all_families import BUILDERS, family

LAYER = 2


@torch.no_grad()
def logits_under(live, drop, inputs):
    with dropping(live, drop):
        return live.model(**inputs, use_cache=False).logits


def opened(name):
    replica = family(name)
    live = LiveModel(replica.model, None, name=name, revision="")
    num_layers = len(live.anatomy.layers)
    layer = min(LAYER, num_layers - 1)
    return replica, live, layer, SkipSet.early_exit(layer, num_layers=num_layers)


@pytest.mark.parametrize("ranked_by", ["before", "at"])
@pytest.mark.parametrize("name", sorted(BUILDERS))
def test_none_and_all_are_known_sets(name, ranked_by):
    replica, live, layer, exits = opened(name)
    inputs = replica.padded
    if any(limits(live.anatomy, exits)):
        with pytest.raises(UnsupportedSkipError):
            logits_under(live, TokenDrop(((layer, 0.5),), ranked_by), inputs)
        return
    with torch.no_grad():
        full = live.model(**inputs, use_cache=False).logits
        with skipping(live.model, live.anatomy, exits):
            gone = live.model(**inputs, use_cache=False).logits
    assert torch.equal(logits_under(live, TokenDrop(((layer, 1.0),), ranked_by), inputs), full)
    assert torch.equal(logits_under(live, TokenDrop(((layer, 0.0),), ranked_by), inputs), gone)
    half = logits_under(live, TokenDrop(((layer, 0.5),), ranked_by), inputs)
    assert not torch.equal(half, full)
    assert not torch.equal(half, gone)
