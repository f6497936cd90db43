"""Where the time goes: stages that add up to the whole, and a story without the picture."""

import pytest

from skipit_nb import charts
from skipit_nb.charts.efficiency import STAGES, stage_rows
from skipit_nb.errors import SettingError
from tests.efficiency.samples import TIMES, efficiency


def test_stages_follow_each_other_and_end_at_the_total():
    rows = stage_rows(efficiency())
    a = [row for row in rows if row["arm"] == "A"]
    assert [row["stage"] for row in a] == list(STAGES)
    assert [row["ms"] for row in a] == [2, 5, 20, 3, 40]
    assert [row["start"] for row in a] == [0, 2, 7, 27, 30]
    assert a[-1]["stop"] == 70
    assert [row["stop"] for row in rows][-1] == 52


def test_medians_that_do_not_add_up_give_no_negative_stage():
    odd = TIMES | {"time to first token": (26.0, 20.0), "total time": (25.0, 52.0)}
    assert [row["ms"] for row in stage_rows(efficiency(odd))][:5] == [2, 5, 20, 0, 0]


def test_a_question_without_an_image_has_no_tower():
    blind = {name: pair for name, pair in TIMES.items() if name != "vision time"}
    assert next(row for row in stage_rows(efficiency(blind)) if row["stage"] == "vision tower")["ms"] == 0


def test_the_words_have_the_numbers_the_interval_and_the_machine():
    spec = charts.efficiency_chart(efficiency()).to_dict()
    assert "A: preprocess 2 ms, vision tower 5 ms, prefill 20 ms" in spec["description"]
    assert "total A / B 1.35 [1.21, 1.48]" in spec["title"]["subtitle"][1]
    assert "1 CPU thread on 2 cores" in spec["title"]["subtitle"][2]


def test_without_times_there_is_no_picture():
    with pytest.raises(SettingError, match="row is 'preprocess time'"):
        charts.efficiency_chart(efficiency({}))
