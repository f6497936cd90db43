"""What the builder says about thresholds, proposals and predicted cost."""

from dataclasses import replace

from skipit_nb.cost import cost
from skipit_nb.widgets.readout import proposal_sentence, speedup_sentence, thresholds_sentence
from tests.widgets.asked_session import AskedSession
from tests.widgets.fake_session import FakeSession


def test_thresholds_by_hand_are_numbers_and_those_of_a_null_name_their_level() -> None:
    port = FakeSession()
    by_hand = port.recommend(port.profile("shapes"))
    assert "Condition 2, flow low: VAR ≤ 0.1. Measured on 60 questions of shapes." in thresholds_sentence(by_hand)
    by_null = thresholds_sentence(replace(by_hand, max_var=None, level=0.05))
    assert "Condition 2, flow low: VAR below chance at each layer (level 0.05). Measured" in by_null


def test_a_proposal_says_from_how_much_it_was_taken() -> None:
    port = AskedSession()
    proposal = port.propose("shortgpt", "shapes", limit=9, layers=2)
    said = "shortgpt proposes: whole 10-11 (on 9 questions of shapes, lowest of 12 by 1 - cos)."
    assert proposal_sentence(proposal) == said
    unmeasured = replace(proposal, candidates=(), provenance=replace(proposal.provenance, task=""))
    assert proposal_sentence(unmeasured) == "shortgpt proposes: whole 10-11 (on 9 questions)."
    port.close()


def test_a_predicted_speed_up_is_never_called_measured() -> None:
    shape = FakeSession().shape
    full, half = cost(shape, num_text=16), cost(shape, "whole 6-", num_text=16)
    said = (
        f"Predicted prefill speed-up {full.flops_prefill / half.flops_prefill:.2f}×: arithmetic, not a measured time."
    )
    assert speedup_sentence(full, half) == said
