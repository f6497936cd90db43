"""The card's tables of layers can be measured again, on any machine, to within 2 questions in 1,000."""

import pytest

from skipit_nb import SkipSet
from skipit_nb.zoo import model_path
from skipit_nb.zoo.card import read_card

PROFILES = {profile["task"]: profile for profile in read_card(model_path()).get("profiles", [])}
TASKS = ["easy-vqa", pytest.param("digits-vqa", marks=pytest.mark.slow)]


@pytest.mark.parametrize("task", TASKS)
def test_late_entry_and_early_exit_score_what_the_card_says(session, task):
    card, n = PROFILES[task], session.num_layers
    sets = [SkipSet.late_entry(4, num_layers=n), SkipSet.early_exit(6, num_layers=n)]
    sweep = session.sweep(task, sets, limit=500)
    told = [card["base"], card["entry"][3], card["exit"][6]]
    found = [sweep.baseline, *(row.accuracy for row in sweep.rows)]
    assert len(sweep.provenance.samples) == card["n"]
    assert found == pytest.approx(told, abs=0.002)


@pytest.mark.slow
@pytest.mark.parametrize("task", ["easy-vqa", "digits-vqa"])
def test_distances_and_flow_are_what_the_card_says(session, task):
    card = PROFILES[task]
    profile = session.profile(task, limit=500)
    assert profile.distances("vision") == pytest.approx(card["vision"], abs=1e-4)
    assert [row.var for row in profile.flow] == pytest.approx(card["var"], abs=1e-3)
