"""Slopes along real steps: the same as asking the model with and without a layer."""

import numpy as np
import pytest
import torch

from skipit_nb.backend.redundancy.geometric import per_token_distances
from skipit_nb.backend.redundancy.lipschitz import Steps, steps
from skipit_nb.jobs import no_tick


def test_a_step_is_what_the_layer_does_and_a_change_what_its_absence_does(session):
    live, examples = session._open, session.examples("digits-vqa", limit=3)[:3]
    found = steps(live, examples, batch_size=2, tick=no_tick)
    assert found.change.shape == found.distance.shape == (12, 3)
    inputs = live.inputs([examples[0].image], [examples[0].question])
    right = live.answer_ids(examples[0].answer)[0]
    with torch.no_grad(), per_token_distances(live.anatomy) as distances:
        full = session.model(**inputs).logits[0, -1].softmax(-1)[right]
    with torch.no_grad(), session.skipping("whole 4"):
        without = session.model(**inputs).logits[0, -1].softmax(-1)[right]
    assert found.change[4, 0] == pytest.approx(float(full - without), abs=1e-4)
    assert found.distance[:, 0] == pytest.approx([float(d.sum()) for d in distances], rel=1e-3)


def test_a_slope_is_change_over_step_and_no_step_has_none():
    found = Steps(distance=np.array([[0.0, 2.0, 8.0]]), change=np.array([[0.0, -1.0, 1.0]]))
    assert found.slope().tolist() == [[0, 0.5, 0.25]]
