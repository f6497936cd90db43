"""The map of bands: a square per band, its numbers, the best one outlined and named."""

import pytest

from skipit_nb import charts
from skipit_nb.charts.bands import band_map_rows
from skipit_nb.errors import SettingError
from tests.charts import sample_results as sample


def test_there_is_a_square_per_band_with_its_first_and_last_layer():
    rows = band_map_rows(sample.band_distances(), "last", "angle")
    assert len(rows) == 12 * 13 / 2
    assert rows[0] == {"start": 0, "last": 0, "value": 1 / 200, "x": -0.5, "x2": 0.5, "y": -0.5, "y2": 0.5}


def test_the_best_band_is_outlined_and_named():
    spec = charts.band_map(sample.band_distances(), layers=3).to_dict()
    assert spec["title"]["subtitle"][1] == "outlined: best band of 3: layers 0 to 2 (0.045)"
    assert "The best band of 3: layers 0 to 2 (0.045)." in spec["description"]
    outlined = spec["datasets"][spec["layer"][1]["data"]["name"]]
    assert [row["start"] for row in outlined] == [0]
    assert len(charts.band_map(sample.band_distances()).to_dict()["layer"]) == 1


def test_the_words_name_the_token_and_the_unit():
    spec = charts.band_map(sample.band_distances(), metric="distance").to_dict()
    assert spec["title"]["text"] == "How far every band of layers turns the last token"
    assert "1 \N{MINUS SIGN} cos, 0 to 2, low is redundant" in spec["description"]


def test_what_is_not_there_is_refused():
    with pytest.raises(SettingError, match="tokens is 'vision'"):
        charts.band_map(sample.band_distances(), "vision")
    with pytest.raises(SettingError, match="metric is"):
        charts.band_map(sample.band_distances(), metric="sine")
    with pytest.raises(SettingError, match="layers is 13"):
        charts.band_map(sample.band_distances(), layers=13)
