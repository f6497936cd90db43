"""Images that several arms look at are encoded once: the same logits to the bit, in every family."""

import contextlib
import inspect

import pytest
import torch

from skipit_nb.backend.evaluation.seen_once import ENCODER, SeenOnce
from tests.families.all_families import BUILDERS, family

LOOKS_AGAIN = {"phi4_multimodal", "mllama"}
"""Families that find their vision tokens without `get_image_features`."""

pytestmark = pytest.mark.filterwarnings("ignore")


def written(replica):
    out = replica.model.generate(
        **replica.padded, max_new_tokens=2, do_sample=False, return_dict_in_generate=True, output_logits=True
    )
    return torch.stack(out.logits)


@contextlib.contextmanager
def encoded(model):
    """How often the model's encoder runs, a list with an entry a run."""
    owner, runs = type(model.base_model), []
    encode = getattr(owner, ENCODER, None)

    def counted(*args, **kwargs):
        runs.append(args)
        return encode(*args, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        if encode is not None:
            counted.__signature__ = inspect.signature(encode)  # generation reads it
            patch.setattr(owner, ENCODER, counted)
        yield runs


@pytest.mark.parametrize("name", BUILDERS)
def test_a_second_run_sees_what_the_first_one_saw_to_the_bit(name):
    replica = family(name)
    alone = written(replica)
    with encoded(replica.model) as runs:
        seen = SeenOnce()
        for _ in range(2):
            with seen.by(replica.model):
                assert torch.equal(written(replica), alone)
    assert len(runs) == (0 if name in LOOKS_AGAIN else 1)
    assert ENCODER not in vars(replica.model) | vars(replica.model.base_model)
