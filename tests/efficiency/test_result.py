"""The stored value: Amdahl's line by hand, what a busy machine is, and what was not measured stays so."""

from dataclasses import replace

import pytest

from skipit_nb.errors import SettingError
from skipit_nb.results import Conditions, Efficiency, Expectation
from skipit_nb.results.efficiency import FREE
from tests.efficiency.samples import efficiency


def test_it_reads_back_and_its_frame_has_a_row_per_quantity_and_mode():
    made = efficiency()
    assert Efficiency.from_json(made.to_json()) == made
    assert len(made.frame) == len(made.rows)
    assert list(made.frame.query("name == 'total time'")["mode"]) == ["fixed length", "free-running"]


def test_what_was_not_measured_is_none_with_a_reason_and_no_metric():
    made = efficiency()
    assert (made.row("energy").a, made.row("energy").method) == (None, "nobody counts it")
    assert "energy" not in [metric.name for metric in made.metrics]
    assert "not measured: nobody counts it" in repr(made)


def test_a_comparison_tells_the_two_modes_apart_by_name():
    names = [metric.name for metric in efficiency().metrics]
    assert names.count("total time") == names.count("total time, free-running") == 1
    assert efficiency().row("total time", FREE).a == 33.0
    with pytest.raises(SettingError, match="row is 'speed', but should be one of preprocess time, vision time"):
        efficiency().row("speed")


def test_amdahls_line_says_what_is_expected_at_most_and_measured():
    words = str(Expectation("time to first token", 0.25, 2.0, 1 / (0.25 + 0.75 / 2), 1.55))
    assert "25% of it is not the language model" in words
    assert "2.00x less work there gives 1.60x, and no skip set more than 4.00x; measured 1.55x" in words
    assert "any number" in str(Expectation("FLOPs to first token", 0.0, 2.0, 2.0, None))


@pytest.mark.parametrize(
    ("threads", "cores", "load", "busy"),
    [(1, 2, 0.9, False), (1, 2, 1.1, True), (2, 2, 0.4, False), (2, 2, 0.6, True), (4, 16, None, False)],
)
def test_a_machine_is_busy_when_others_want_more_than_the_cores_left_over(threads, cores, load, busy):
    about = Conditions(threads, cores, load)
    assert about.is_busy == busy
    assert ("BUSY" in str(about)) == busy
    assert str(about).startswith(f"{threads} CPU thread{'s' * (threads > 1)} on {cores} cores")


def test_the_words_have_prediction_interval_and_convention():
    made = efficiency()
    line = next(line for line in repr(made).splitlines() if "prefill FLOPs" in line)
    assert line.endswith("A / B 2.00  (predicted 4 and 2)")
    assert "A / B 1.50 [1.35, 1.65]" in repr(made)
    assert "2 FLOPs" in replace(made).convention
