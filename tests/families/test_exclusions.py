"""What the matrix leaves out does not work without any skip set either."""

import contextlib
from itertools import product

import pytest
import torch

from tests.families.all_families import BUILDERS, family
from tests.families.exclusions import EXCLUDED
from tests.families.matrix import AXES, AXIS_OF, KINDS, Case, outcome_of, written

INSTRUCTBLIP = [name for name in BUILDERS if name.startswith("instructblip")]
BY_HAND = {("paligemma2", "sdpa"), *product(INSTRUCTBLIP, ("several", "beams"))}


@pytest.mark.parametrize("values", sorted(EXCLUDED.keys() - BY_HAND), ids="-".join)
def test_generation_fails_or_differs_from_the_uncached_one(values, monkeypatch):
    monkeypatch.setitem(KINDS, "nothing", "none")
    given = {"family": values[0], "kind": "nothing"} | {AXIS_OF[value]: value for value in values}
    cases = product(*([given[axis]] if axis in given else AXES[axis] for axis in AXES))
    assert any(fails(Case(*case)) for case in cases)


def fails(case):
    try:
        return not outcome_of(case).is_exact
    except (AttributeError, IndexError):
        return True


@torch.no_grad()
def test_paligemma2_loses_the_cap_of_its_scores_with_sdpa_attention():
    replica = BUILDERS["paligemma2"]("eager")
    usual = replica.model(**replica.one).logits
    with contextlib.suppress(ValueError):  # newer transformers refuse it
        replica.model.set_attn_implementation("sdpa")
        assert (replica.model(**replica.one).logits - usual).abs().max() > 0.1


@pytest.mark.parametrize("name", INSTRUCTBLIP)
def test_instructblip_reads_its_question_for_one_picture(name):
    replica = family(name)
    picture = replica.one["pixel_values"]
    with pytest.raises(RuntimeError, match="Expected size 2 but got size 1"):
        replica.model(**replica.one | {"pixel_values": torch.cat([picture, -picture])})


@pytest.mark.parametrize("name", INSTRUCTBLIP)
def test_instructblip_caches_though_told_not_to(name):
    replica, lengths = family(name), []
    embedding = replica.model.language_model.get_input_embeddings()
    hook = embedding.register_forward_hook(lambda module, args, out: lengths.append(out.shape[1]))
    written(replica, replica.one, 3, num_beams=2, use_cache=False)
    hook.remove()
    assert lengths == [replica.one["input_ids"].shape[1], 1, 1]


def test_all_that_is_excluded_is_shown():
    assert all(values[0] in BUILDERS for values in EXCLUDED)
    assert EXCLUDED.keys() >= BY_HAND
