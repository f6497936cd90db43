"""The picture of the conditions where every layer has its own threshold on VAR, or no flow at all."""

from dataclasses import replace

import pytest

from skipit_nb import charts
from tests.charts import sample_results as sample


def by_null():
    """The sample with a threshold for each layer, and a last layer whose flow was not measured."""
    found = sample.recommendation()
    reasons = [replace(reason, max_var=0.3 + 0.02 * reason.layer) for reason in found.reasons]
    reasons[-1] = replace(reasons[-1], var=None, max_var=None, is_flow_low=False)
    return replace(found, reasons=tuple(reasons), max_var=None, level=0.05)


def data_of(spec):
    return [row for rows in spec["datasets"].values() for row in rows]


def test_each_layer_has_its_own_threshold_and_the_corner_is_gone():
    spec = charts.conditions_chart(by_null()).to_dict()
    marks = [layer["mark"]["type"] for layer in spec["layer"]]
    assert "tick" in marks
    assert "rect" not in marks
    limits = {row["layer"]: row["limit"] for row in data_of(spec) if "limit" in row}
    assert limits[0] == 0.3
    assert limits[10] == 0.5


def test_a_layer_without_flow_has_no_point_and_no_label():
    spec = charts.conditions_chart(by_null()).to_dict()
    assert {row["layer"] for row in data_of(spec) if "meets" in row} == set(range(11))
    assert not any("11" in row["layers"] for row in data_of(spec) if "layers" in row)


def with_distances(*distances):
    found = sample.recommendation()
    reasons = [replace(one, distance=distances[one.layer % len(distances)]) for one in found.reasons]
    return replace(found, reasons=tuple(reasons), max_distance=0.01)


def axis_of(spec):
    x = next(layer["encoding"]["x"] for layer in spec["layer"] if layer["mark"]["type"] == "point")
    return x["scale"]["domain"], x["axis"]["values"]


def test_distances_of_every_size_stand_apart_on_an_axis_that_holds_them_and_the_threshold():
    (low, high), ticks = axis_of(charts.conditions_chart(with_distances(0.002, 0.3)).to_dict())
    assert low < 0.002
    assert high > 0.3
    assert ticks == pytest.approx([0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2])
    (low, high), ticks = axis_of(charts.conditions_chart(with_distances(0.02, 0.02)).to_dict())
    assert low < 0.01  # the threshold
    assert high > 0.02
    assert len(ticks) > 1


def test_a_layer_that_moves_nothing_has_a_place_and_the_subtitle_says_where():
    spec = charts.conditions_chart(with_distances(0.0, 0.3)).to_dict()
    assert {row["drawn"] for row in data_of(spec) if row.get("distance") == 0} == {2e-6}
    assert any("below 2e-06 drawn at 2e-06" in line for line in spec["title"]["subtitle"])
    _, ticks = axis_of(spec)
    assert ticks == pytest.approx([1e-5, 1e-4, 1e-3, 1e-2, 1e-1])  # powers of ten alone


def test_a_threshold_by_hand_still_has_its_corner():
    spec = charts.conditions_chart(sample.recommendation()).to_dict()
    marks = [layer["mark"]["type"] for layer in spec["layer"]]
    assert "rect" in marks
    assert "tick" not in marks
