"""A reproduction as a value: it reads back, counts its checks and tells what it was."""

import dataclasses

import pytest

from skipit_nb.results import Reproduction
from tests.charts.sample_reproduction import reproduction


def test_a_reproduction_reads_back_equal_and_is_frozen():
    found = reproduction()
    assert Reproduction.from_json(found.to_json()) == found
    with pytest.raises(dataclasses.FrozenInstanceError):
        found.margin = 0.5


def test_checks_are_counted_by_what_came_out():
    found = reproduction()
    assert found.counts == {"passed": 1, "failed": 1, "undecided": 1}
    assert [check.outcome for check in found.checks] == ["passed", "failed", "undecided"]
    assert found.check(2).why == "Alas."
    with pytest.raises(KeyError):
        found.check(9)
    assert repr(found) == "Reproduction(tiny, easy-vqa, 64 questions: 1 passed, 1 failed, 1 undecided)"


def test_the_statement_says_what_was_fixed_without_labels():
    statement = reproduction().statement
    assert "Fixed on 30 questions without their answers, before any label was seen" in statement
    assert "predicted 'vision absent 0+9-11', 9 bands of 4 layers; judged on 34 questions" in statement
    assert "margin 2 points" in statement


def test_the_report_has_every_check_with_number_interval_threshold_and_reason():
    report = reproduction().report()
    assert "1  PASSED     It holds\n   1.5 [1.2, 1.8], needs more than 1: a number\n   Because." in report
    assert "2  FAILED     It does not\n   -0.3 [-0.4, -0.2], needs more than 0: another\n   Alas." in report
    assert "3  UNDECIDED  Who knows\n   not measured: a third\n   Nothing was predicted." in report


def test_the_tables_have_a_row_a_check_a_layer_and_a_set():
    found = reproduction()
    assert list(found.frame.outcome) == ["passed", "failed", "undecided"]
    assert list(found.layer_frame.layer) == list(range(12))
    assert list(found.arm_frame.role[:3]) == ["full", "predicted", "middle"]
    assert found.arm_frame.skipset[1] == "vision absent 0+9-11"
    assert [arm.accuracy for arm in found.of("middle")] == [0.7]
    assert found.of("late entry") == ()
