"""The picture of a reproduction: curves, bands and accuracies, each with its interval."""

import dataclasses

import pytest

from skipit_nb import charts
from skipit_nb.charts.reproduction import accuracy_rows
from tests.charts.sample_reproduction import PREDICTED, reproduction


def parts(spec):
    if isinstance(spec, dict):
        yield spec
        for name, part in spec.items():
            if name not in ("datasets", "data"):
                yield from parts(part)
    elif isinstance(spec, list):
        for part in spec:
            yield from parts(part)


def values(spec):
    return [row for rows in spec["datasets"].values() for row in rows]


def test_a_reproduction_has_a_panel_for_distance_flow_and_accuracy():
    spec = charts.reproduction_chart(reproduction()).to_dict()
    assert len(spec["vconcat"]) == 3
    assert "1 passed, 1 failed, 1 undecided" in spec["title"]["text"]
    assert "1 passed; 2 failed; 3 undecided" in spec["title"]["subtitle"][1]
    assert "tiny" in spec["title"]["subtitle"][0]


def test_every_axis_is_named_and_nothing_is_an_expression():
    spec = charts.reproduction_chart(reproduction()).to_dict()
    axes = [part[channel] for part in parts(spec) for channel in ("x", "y") if "field" in part.get(channel, {})]
    named = {axis["field"] for axis in axes if axis.get("title")}
    assert {axis["field"] for axis in axes if axis["type"] == "quantitative"} <= named
    assert not {name for part in parts(spec) for name in part} & {"expr", "signal", "transform", "params", "labelExpr"}


def test_the_bar_of_a_set_is_its_difference_and_that_of_the_full_model_its_accuracy():
    full, predicted, middle = accuracy_rows(reproduction())
    assert (full["row"], full["low"], full["high"]) == ("full model", pytest.approx(0.92), pytest.approx(0.98))
    assert predicted["row"] == f"predicted: {PREDICTED}"
    assert (predicted["low"], predicted["high"]) == (pytest.approx(0.94), pytest.approx(0.98))
    assert (middle["accuracy"], middle["low"], middle["high"]) == (0.7, pytest.approx(0.68), pytest.approx(0.72))


def test_the_middle_band_is_framed_and_every_band_of_its_length_marked():
    rows = values(charts.reproduction_chart(reproduction()).to_dict())
    frame = next(row for row in rows if row.get("words") == "middle band")
    assert (frame["layer"], frame["stop"]) == (3.5, 7.5)
    assert len([row for row in rows if row.get("row") == "every band of 4 layers"]) == 9


def test_what_was_not_measured_is_left_out():
    found = reproduction()
    layers = tuple(dataclasses.replace(row, var=None, var_low=None, var_high=None) for row in found.layers)
    arms = tuple(arm for arm in found.arms if arm.role in ("full", "band"))
    spec = charts.reproduction_chart(dataclasses.replace(found, layers=layers, arms=arms)).to_dict()
    assert len(spec["vconcat"]) == 2
    assert "middle band" not in [row.get("words") for row in values(spec)]
