"""The picture of the conditions where every layer has its own threshold on VAR, or no flow at all."""

from dataclasses import replace

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


def test_a_threshold_by_hand_still_has_its_corner():
    spec = charts.conditions_chart(sample.recommendation()).to_dict()
    marks = [layer["mark"]["type"] for layer in spec["layer"]]
    assert "rect" in marks
    assert "tick" not in marks
