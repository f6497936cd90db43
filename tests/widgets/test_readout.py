"""What the builder says about the thresholds."""

from dataclasses import replace

from skipit_nb.widgets.readout import thresholds_sentence
from tests.widgets.fake_session import FakeSession


def test_thresholds_by_hand_are_numbers_and_those_of_a_null_name_their_level() -> None:
    port = FakeSession()
    by_hand = port.recommend(port.profile("shapes"))
    assert "Condition 2, flow low: VAR ≤ 0.1. Measured on 60 questions of shapes." in thresholds_sentence(by_hand)
    by_null = thresholds_sentence(replace(by_hand, max_var=None, level=0.05))
    assert "Condition 2, flow low: VAR below chance at each layer (level 0.05). Measured" in by_null
