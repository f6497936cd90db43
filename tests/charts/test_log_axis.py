"""Charts on a logarithmic axis: the decades it spans, and where a zero stands."""

from dataclasses import replace

from skipit_nb import charts
from skipit_nb.charts.distance import distance_rows
from skipit_nb.results import EPSILONS
from tests.charts import sample_results as sample


def test_a_log_axis_holds_the_lines_and_cuts_a_band_that_reaches_to_zero() -> None:
    found = sample.profile()
    wide = replace(found, layers=tuple(replace(row, spread=2 * row.distance) for row in found.layers))
    spec = charts.distance_chart(wide, ("vision",), "log").to_dict()
    band, *_ = (layer for layer in spec["layer"] if layer["mark"]["type"] == "area")
    low, high = band["encoding"]["y"]["scale"]["domain"]
    drawn = [row.distance for row in wide.of("vision")]
    assert low <= min(drawn) < 10 * low
    assert high / 10 < max(drawn) <= high
    assert band["mark"]["clip"]


def test_a_log_axis_draws_zero_at_its_floor_and_says_so() -> None:
    last = distance_rows(sample.profile(), ("first",), "log")[-1]
    assert last["distance"] == last["low"] == EPSILONS[0]
    spec = charts.distance_chart(sample.profile(), ("first",), "log").to_dict()
    assert "below 2e-06" in spec["title"]["subtitle"][1]
