"""Layer contribution: both directions of KL, the slow way, and layers that contribute nothing."""

from statistics import fmean

import pytest
import torch

from skipit_nb import SkipSet
from skipit_nb.backend.live.anatomy import anatomy_of
from skipit_nb.backend.redundancy.contribution import cells_of
from skipit_nb.errors import SettingError
from skipit_nb.results import Contribution
from tests.families.all_families import family

TASK = "digits-vqa"


@pytest.fixture(scope="module")
def found(session):
    return session.contribution(TASK, limit=6, batch_size=6)


@torch.no_grad()
def slow_kls(session, skipset):
    """Question by question: KL(full ‖ skipped) and KL(skipped ‖ full), summed over the vocabulary by hand."""
    forward, backward = [], []
    for example in session.examples(TASK, limit=6):
        inputs = session._open.inputs([example.image], [example.question])
        full = session.model(**inputs).logits[0, -1].double().softmax(-1)
        with session.skipping(SkipSet.parse(skipset, num_layers=session.num_layers)):
            skipped = session.model(**inputs).logits[0, -1].double().softmax(-1)
        forward.append(float((full * (full / skipped).log()).sum()))
        backward.append(float((skipped * (skipped / full).log()).sum()))
    return fmean(forward), fmean(backward)


@pytest.mark.parametrize(
    "cell", [(3, "vision", "frozen"), (2, "vision", "absent"), (7, "text", "frozen"), (0, "text", "absent")], ids=str
)
def test_both_directions_are_the_sums_by_hand(session, found, cell):
    layer, tokens, action = cell
    row = found.of(tokens, action)[layer]
    forward, backward = slow_kls(session, f"{tokens} {action} {layer}")
    assert row.layer == layer
    assert row.kl_full_skipped == pytest.approx(forward, rel=1e-3, abs=1e-6)
    assert row.kl_skipped_full == pytest.approx(backward, rel=1e-3, abs=1e-6)


def test_nobody_reads_what_the_last_layer_does_to_frozen_vision(found):
    last = found.of("vision", "frozen")[-1]
    assert (last.layer, last.agreement) == (11, 1)
    assert last.kl_full_skipped == pytest.approx(0, abs=1e-9)


def test_every_layer_has_both_modalities_and_actions_and_it_reads_back(found):
    assert len(found.rows) == 12 * 4 == len(found.frame)
    assert Contribution.from_json(found.to_json()) == found
    assert all(row.kl_full_skipped >= 0 and row.kl_skipped_full >= 0 for row in found.rows)
    assert found.provenance.task.startswith(TASK)
    assert (
        repr(found)
        == f"Contribution(tiny, 12 layers, {found.provenance.task}, {len(found.provenance.samples)} questions)"
    )
    with pytest.raises(SettingError, match="vision whole"):
        found.of("vision", "whole")


def test_a_family_has_only_the_cells_it_can_run():
    cells = cells_of(anatomy_of(family("qwen3_vl").model), ("frozen", "absent"))
    assert (0, "vision", "frozen") in cells
    assert (0, "vision", "absent") not in cells


def test_an_unknown_action_and_a_family_without_any_are_refused(session):
    with pytest.raises(SettingError, match="actions is 'whole'"):
        session.contribution(TASK, actions=("whole",), limit=2)
    with pytest.raises(SettingError, match="actions is"):
        cells_of(anatomy_of(family("mllama").model), ("frozen",))
