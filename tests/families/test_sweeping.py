"""Every family: many skip sets along one pass give what each gives by itself."""

import pytest
import torch

from skipit_nb import SkipSet
from skipit_nb.backend.live.limits import limits
from skipit_nb.backend.live.model import LiveModel
from skipit_nb.backend.live.skipping import skipping
from skipit_nb.backend.trie.logits import FULL, Work, logits_of
from skipit_nb.backend.trie.walk import can_walk
from tests.families.all_families import BUILDERS, family

SETS = [
    "none", "whole 0", "whole 1+3", "whole 0-", "attn 1", "mlp 0+2", "vision absent 0", "vision absent 0-1",
    "vision absent 1-2", "vision absent 2-", "vision absent 3-", "vision frozen 0-", "vision frozen 1", "text frozen 1",
    "text absent 2", "whole 1; vision frozen 2; vision absent 3",
]  # fmt: skip
ROWS = 2
ONE_BY_ONE = {"gemma4", "mllama"}
"""Their layers hand each other keys and values, or are left out where there is no image."""


def possible_sets(anatomy):
    sets = []
    for text in SETS:
        skipset = SkipSet.parse(text, num_layers=len(anatomy.layers))
        for layer, _ in list(limits(anatomy, skipset)):
            skipset = skipset.replace(layer, "run")
        sets.append(skipset)
    return sets


def alone(live, inputs, skipset):
    with skipping(live.model, live.anatomy, skipset):
        return live.model(**inputs, use_cache=False).logits[:, -ROWS:]


@pytest.mark.filterwarnings("ignore:a prompt without vision tokens")
@torch.inference_mode()
@pytest.mark.parametrize("prompts", ["one", "padded"])
@pytest.mark.parametrize("name", BUILDERS)
def test_sets_together_are_the_sets_alone(name, prompts):
    replica = family(name)
    live, inputs = LiveModel(replica.model, None, name=name, revision=""), getattr(replica, prompts)
    sets, work = possible_sets(live.anatomy), Work()
    got = {}
    for numbers, logits in logits_of(live, inputs, sets, rows=ROWS, memory=None, work=work):
        got |= dict(zip(numbers, logits, strict=True))
    plain = live.model(**inputs, use_cache=False).logits[:, -ROWS:]
    near = 1e-5 * float(plain.abs().max())
    assert (got.pop(FULL) - plain).abs().max() < near
    assert sorted(got) == list(range(len(sets)))
    for number, skipset in enumerate(sets):
        assert (got[number] - alone(live, inputs, skipset)).abs().max() < 10 * near, str(skipset)
    assert can_walk(live.anatomy) == (name not in ONE_BY_ONE)
    assert work.executed == (work.bound if can_walk(live.anatomy) else work.naive)
    assert all(not layer._forward_hooks for layer in live.anatomy.layers)
