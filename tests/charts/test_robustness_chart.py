"""The picture of robustness: the right numbers in the right column, and few or many skip sets."""

import json
from dataclasses import replace

import pytest

from skipit_nb import charts
from skipit_nb.charts.robustness import MOST_NAMED, accuracy_rows, correlation_rows, distance_rows
from skipit_nb.errors import SettingError
from skipit_nb.results import EPSILONS, SEVERITY_UNITS
from tests.charts import sample_robustness as sample
from tests.charts.sample_results import NUM_LAYERS, VISION


def test_accuracy_starts_at_the_clean_images_and_counts_severity_as_its_axis_does():
    full = [row for row in accuracy_rows(sample.robustness(), "pgd") if row["arm"] == "full model"]
    assert [row["severity"] for row in full] == pytest.approx([0, 2, 4])
    assert [row["accuracy"] for row in full] == pytest.approx([0.97, 0.87, 0.77])
    assert [(row["low"], row["high"]) for row in full][1] == pytest.approx((0.84, 0.90))


def test_many_sets_are_lines_alike_with_the_lowest_named_and_few_have_a_look_each():
    many = charts.robustness_chart(sample.robustness()).to_dict()
    assert "each of 12 skip sets" in str(many)
    labels = [rows[0]["arm"] for rows in many["datasets"].values() if len(rows) == 1 and "arm" in rows[0]]
    assert labels == ["vision absent 0"] * 2
    few = {row["series"] for row in accuracy_rows(sample.robustness(MOST_NAMED), "noise")}
    assert few == {"full model", *(f"vision absent {layer}" for layer in range(MOST_NAMED))}


def test_distances_are_those_of_clean_images_and_of_the_strongest_perturbation():
    rows = distance_rows(sample.robustness(), "noise")
    assert [row["distance"] for row in rows[:NUM_LAYERS]] == list(VISION)
    assert rows[NUM_LAYERS]["distance"] == pytest.approx(1.2 * VISION[0])
    assert {row["image"] for row in rows} == {"clean image", "strongest perturbation"}


def test_distances_of_different_size_get_a_logarithmic_axis_and_others_do_not():
    even = sample.robustness()
    layers = tuple(replace(row, distance=50.0**-row.layer) for row in even.layers)
    steep = replace(even, layers=layers)
    assert '"type": "log"' in json.dumps(charts.robustness_chart(steep).to_dict())
    assert '"type": "log"' not in json.dumps(charts.robustness_chart(even).to_dict())
    assert min(row["distance"] for row in distance_rows(steep, "noise")) == EPSILONS[0]


def test_no_set_is_named_where_all_do_about_as_well():
    even = sample.robustness()
    alike = replace(even, rows=tuple(replace(row, accuracy=0.9) for row in even.rows))
    spec = charts.robustness_chart(alike).to_dict()
    assert not [rows for rows in spec["datasets"].values() if len(rows) == 1 and "arm" in rows[0]]


def test_correlations_are_the_full_models_at_the_strongest_severity():
    rows = correlation_rows(sample.robustness(), "noise", "accuracy")
    assert [row["rho"] for row in rows] == [layer / 20 for layer in range(NUM_LAYERS)]
    assert [row["low"] is None for row in rows] == [False, True] * 6


def test_the_description_tells_the_story_without_the_picture():
    words = charts.robustness_chart(sample.robustness()).to_dict()["description"]
    assert "The full model answers 97.0% of clean images right." in words
    assert "Under Noise at its strongest, 0.1, 77.0%; lowest with 'vision absent 0', 65.0%." in words
    assert words.count("The interval of ρ leaves out 0 at layers 4, 6, 8, 10.") == 2


@pytest.mark.parametrize(("attack", "lines"), [("against the full model", 4), ("", 3)])
def test_that_attacks_are_transferred_is_said_where_there_are_some(attack, lines):
    subtitle = charts.robustness_chart(sample.robustness(attack=attack)).to_dict()["title"]["subtitle"]
    assert len(subtitle) == lines
    assert ("transferred" in subtitle[-1]) == bool(attack)


def test_no_skip_sets_and_another_outcome_are_drawn_and_an_unknown_one_refused():
    spec = charts.robustness_chart(sample.robustness(0), "log_likelihood").to_dict()
    assert "log-likelihood lost" in str(spec)
    with pytest.raises(SettingError, match="outcome is 'speed', but should be one of accuracy, log_likelihood"):
        charts.robustness_chart(sample.robustness(), "speed")


def test_every_kind_has_a_heading_and_a_scale():
    from skipit_nb.charts.robustness import HEADINGS, SCALES

    assert list(HEADINGS) == list(SCALES) == list(SEVERITY_UNITS)
