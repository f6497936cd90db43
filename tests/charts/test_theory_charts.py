"""The charts of the theory: the right numbers in the right place, and words that say where the evidence ends."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from skipit_nb import charts
from skipit_nb.charts.agreement import agreement_rows
from skipit_nb.charts.bounds import bounds_rows
from skipit_nb.charts.contribution import contribution_rows
from skipit_nb.charts.decomposition import decomposition_rows
from skipit_nb.charts.functional import functional_rows
from skipit_nb.charts.information import information_rows
from skipit_nb.charts.knockout import knockout_rows
from skipit_nb.errors import LayerCountError, SettingError
from tests.charts import sample_results as sample
from tests.charts import sample_theory as theory


def drawn(spec: dict[str, Any], field: str) -> Iterator[dict[str, Any]]:
    """Every row of data that has a field, each once."""
    seen = [row for rows in spec["datasets"].values() for row in rows if field in row]
    return iter({str(row): row for row in seen}.values())


def headings(spec: dict[str, Any]) -> list[str]:
    return [panel["title"]["text"] for panel in spec["vconcat"]]


# -- flow and its causal check -------------------------------------------------------------------------------------


def test_a_band_is_as_wide_as_its_layers_and_its_loss_is_in_points():
    first, *_, last = knockout_rows(theory.knockout(width=3))
    assert (first["band"], first["layer"], first["left"], first["right"]) == ("0-2", 1, -0.34, 2.34)
    assert (first["accuracy"], first["accuracy_low"], first["accuracy_high"]) == pytest.approx((6.2, 4.2, 8.2))
    assert (last["band"], last["likelihood"]) == ("9-11", 0.05)


def test_flow_and_knockout_stand_over_the_same_layers():
    spec = charts.knockout_chart(theory.profile_with_heads(), theory.knockout()).to_dict()
    assert spec["resolve"]["scale"]["x"] == "shared"
    assert [panel["height"] for panel in spec["vconcat"]] == [160, 160, 160]
    assert "90.0%" in headings(spec)[2]
    assert "VAR is highest at layer 0 (0.62; flat attention 0.89)" in spec["description"]
    assert "blind in layers 0: 6.2 points (4.2 to 8.2)" in spec["description"]


def test_every_head_has_a_tick_where_heads_were_stored():
    spec = charts.knockout_chart(theory.profile_with_heads(), theory.knockout()).to_dict()
    ticks = [row["share"] for row in drawn(spec, "share") if row["layer"] == 1]
    assert ticks == pytest.approx([0.52, 0.58])
    assert not list(drawn(charts.knockout_chart(sample.profile(), theory.knockout()).to_dict(), "share"))


def test_a_likelihood_that_cannot_be_had_leaves_its_panel_out():
    spec = charts.knockout_chart(sample.profile(), theory.knockout(with_likelihood=False)).to_dict()
    assert [heading.split(":")[0] for heading in headings(spec)] == ["VAR", "Knockout"]


def test_likelihood_has_an_interval_where_one_was_stored():
    spec = charts.knockout_chart(theory.profile_with_heads(), theory.knockout()).to_dict()
    assert headings(spec)[1].endswith("that is lost, with its 95 % interval")
    assert "likelihood_low" in str(spec["vconcat"][1])
    earlier = theory.knockout()
    rows = tuple(replace(row, log_likelihood_low=None, log_likelihood_high=None) for row in earlier.rows)
    spec = charts.knockout_chart(theory.profile_with_heads(), replace(earlier, rows=rows)).to_dict()
    assert headings(spec)[1].endswith("that is lost")


def test_the_heading_says_whose_attention_it_is():
    spec = charts.knockout_chart(theory.profile_with_heads("text"), theory.knockout()).to_dict()
    assert headings(spec)[0].startswith("VAR: attention of the text tokens on the image")
    whole = charts.profile_chart(theory.profile_with_heads("text"), 0.02).to_dict()
    assert headings(whole)[2] == "Flow: attention of the text tokens on the image"
    alone = charts.flow_chart(theory.profile_with_heads("text")).to_dict()
    assert "attention of the text tokens: mean" in " ".join(alone["title"]["subtitle"])


def test_flow_and_knockout_of_different_models_are_refused():
    with pytest.raises(LayerCountError, match="this knockout was made for 32 layers, but 12"):
        charts.knockout_chart(sample.profile(), theory.knockout(num_layers=32))
    with pytest.raises(SettingError, match="cross-modal flow"):
        charts.knockout_chart(sample.profile(with_flow=False), theory.knockout())


# -- contribution --------------------------------------------------------------------------------------------------


def test_both_directions_are_drawn_and_nothing_falls_below_the_floor():
    rows = {(row["layer"], row["series"]): row for row in contribution_rows(theory.contribution())}
    assert (rows[0, "text absent"]["kl_full_skipped"], rows[0, "text absent"]["kl_skipped_full"]) == (2.0, 4.0)
    assert rows[11, "vision frozen"]["kl_full_skipped"] == rows[11, "vision frozen"]["kl_skipped_full"] == 1e-5
    spec = charts.contribution_chart(theory.contribution()).to_dict()
    assert [heading.split(":")[0] for heading in headings(spec)] == ["KL(full ‖ skipped)", "KL(skipped ‖ full)"]
    assert spec["resolve"]["scale"] == {"x": "shared", "y": "shared"}


def test_the_noise_of_half_precision_is_a_line_and_a_sentence():
    plain = charts.contribution_chart(theory.contribution()).to_dict()
    noisy = charts.contribution_chart(theory.contribution(2e-3)).to_dict()
    assert [len(spec["vconcat"][0]["layer"]) for spec in (plain, noisy)] == [2, 3]
    assert noisy["title"]["subtitle"][-1] == "dashed line: rounding alone, 0.002 nats"


# -- information and its decomposition -----------------------------------------------------------------------------


def test_every_size_of_codebook_has_its_own_chance():
    rows = information_rows(theory.information(), "told", "text")
    assert {row["codes"]: row["null"] for row in rows} == pytest.approx({"2 codes": 0.05, "4 codes": 0.1})
    assert [row["value"] for row in rows[:13]] == pytest.approx([boundary / 10 for boundary in range(13)])
    assert information_rows(theory.information(), "added", "text")[0]["boundary"] == 1


def test_information_has_a_column_per_view_and_a_row_per_quantity():
    spec = charts.information_chart(theory.information()).to_dict()
    assert [len(row["hconcat"]) for row in spec["vconcat"]] == [3, 3]
    assert "counted on 32 questions, 2 answers" in spec["title"]["subtitle"][2]
    assert "last prompt token, 4 codes: 0.00 at boundary 0, 1.20 at the last" in spec["description"]


def test_parts_of_a_decomposition_share_one_scale():
    rows = decomposition_rows(theory.information(), "before + after", "last", "unique_second")
    assert [(row["value"], row["null"]) for row in rows] == [(0.3, 0.05)] * 12
    spec = charts.decomposition_chart(theory.information()).to_dict()
    tops = {p["layer"][1]["encoding"]["y"]["scale"]["domain"][1] for r in spec["vconcat"] for p in r["hconcat"]}
    assert tops == {1.1 * 0.3}
    assert "24 of 96 parts are above" in spec["description"]


def test_a_result_without_a_decomposition_is_refused():
    with pytest.raises(SettingError, match="pid=True"):
        charts.decomposition_chart(theory.information(with_pid=False))


# -- functional ----------------------------------------------------------------------------------------------------


def test_the_gap_of_a_layer_stands_between_its_boundaries_and_views_stand_side_by_side():
    rows = functional_rows(theory.functional(), ["vision", "text", "last"], "gap")
    assert [(row["layer"], row["view"]) for row in rows[:2]] == [(0, "vision"), (1, "vision")]
    assert [row["at"] for row in rows if row["layer"] == 3] == pytest.approx([2.74, 3.0, 3.26])
    above, below, _ = charts.functional_chart(theory.functional()).to_dict()["vconcat"]
    assert above["layer"][-1]["encoding"]["x"]["scale"]["domain"] == [-0.5, 12.5]
    assert below["layer"][-1]["encoding"]["x"]["scale"]["domain"] == [-1, 12]


def test_the_chain_test_is_drawn_with_its_interval():
    rows = functional_rows(theory.functional(), ["text"], "chain")
    assert len(rows) == 12
    [broken] = [row for row in rows if row["low"] > 0]
    assert (broken["layer"], broken["value"], broken["p"]) == (3, 0.2, 0.005)


# -- bounds --------------------------------------------------------------------------------------------------------


def test_a_bound_that_says_nothing_is_marked_and_so_is_a_broken_one():
    marks = {row["layer"]: row["mark"] for row in bounds_rows(theory.bounds_report(), "geometric ⇒ proximal")[1::2]}
    assert [marks[layer] for layer in (0, 7, 8)] == ["allowed", "allowed", "allowed, says nothing"]
    assert bounds_rows(theory.bounds_report(), "geometric ⇒ functional")[1]["mark"] == "allowed, broken"
    words = charts.bounds_chart(theory.bounds_report()).to_dict()["description"]
    assert "25 of 37 bounds say something; broken: 1." in words


def test_what_is_not_positive_is_drawn_at_the_floor_of_its_log_axis():
    rows = bounds_rows(theory.bounds_report(), "proximal ⇒ informational")
    assert [row["value"] for row in rows if row["layer"] == 1] == pytest.approx([1e-4, 0.2])


# -- agreement, similarity -----------------------------------------------------------------------------------------


def test_scores_are_told_apart_by_chance_and_those_without_a_rank_have_no_point():
    marks = {row["score"]: row["mark"] for row in agreement_rows(theory.agreement(), "whole", "log_likelihood")}
    above, below = "above 95 % of random orders", "not above"
    assert marks == {"distance": above, "tail": below, "LC": above, "BI": below}
    spec = charts.agreement_chart(theory.agreement()).to_dict()
    assert [row["score"] for row in drawn(spec, "words")] == ["VAR"]
    assert [len(row["hconcat"]) for row in spec["vconcat"]] == [3, 1]
    assert "early exit: distance, LC above chance." in spec["description"]


def test_the_cost_is_named_and_an_unknown_one_refused():
    assert (
        "cost: accuracy lost"
        in charts.agreement_chart(theory.agreement(), "accuracy").to_dict()["title"]["subtitle"][1]
    )
    with pytest.raises(SettingError, match="outcome is 'time'"):
        charts.agreement_chart(theory.agreement(), "time")


def test_layers_whose_states_do_not_vary_have_no_similarity():
    spec = charts.similarity_chart(theory.similarity()).to_dict()
    assert {row["layer"] for row in drawn(spec, "value")} == set(range(1, 12))
    assert spec["title"]["text"].startswith("Debiased linear CKA")
