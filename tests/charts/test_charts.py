"""What the charts show: the right numbers, words that say what they are, and no data read as an expression."""

import json
import math
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import altair as alt
import pytest
import vl_convert

from skipit_nb import charts
from skipit_nb.charts.comparison import comparison_rows
from skipit_nb.charts.distance import distance_rows
from skipit_nb.charts.equal_cost import equal_cost_rows
from skipit_nb.charts.families import Place, places
from skipit_nb.charts.overlay import overlay_rows
from skipit_nb.charts.pixels import image_url
from skipit_nb.charts.skipped import SkippedBand, skipped_bands
from skipit_nb.charts.sweep import sweep_rows
from skipit_nb.errors import ImageError, LayerCountError, LayerIndexError, SettingError
from skipit_nb.results import EPSILONS
from skipit_nb.skipset import SkipSet
from tests.charts import sample_results as sample
from tests.charts import sample_robustness as stressed
from tests.charts import sample_theory as theory
from tests.efficiency.samples import efficiency

SKIPPED = SkipSet.early_exit(7)

EVERY = {
    "distance": lambda: charts.distance_chart(sample.profile(), skipset=SKIPPED),
    "distance, log": lambda: charts.distance_chart(sample.profile(), ("vision", "text", "first"), "log"),
    "norm": lambda: charts.norm_chart(sample.profile(), skipset=SKIPPED),
    "tail": lambda: charts.tail_chart(sample.profile(), 0.02),
    "tail curves": lambda: charts.tail_curve_chart(sample.profile(), [0, 4, 11]),
    "flow": lambda: charts.flow_chart(sample.profile()),
    "profile": lambda: charts.profile_chart(sample.profile(), 0.02, skipset=SKIPPED),
    "conditions": lambda: charts.conditions_chart(sample.recommendation()),
    "comparison": lambda: charts.comparison_chart(sample.comparison()),
    "efficiency": lambda: charts.efficiency_chart(efficiency()),
    "equal cost": lambda: charts.equal_cost_chart(sample.equal_cost()),
    "sweep": lambda: charts.sweep_chart(sample.entries_and_exits()),
    "sweep, listed": lambda: charts.sweep_chart(sample.sweep([SkipSet.parse("whole 3+5", num_layers=12)], [0.9])),
    "band map": lambda: charts.band_map(sample.band_distances(), layers=3),
    "knockout": lambda: charts.knockout_chart(theory.profile_with_heads(), theory.knockout()),
    "knockout, windows": lambda: charts.knockout_chart(sample.profile(), theory.knockout(3, with_likelihood=False)),
    "contribution": lambda: charts.contribution_chart(theory.contribution()),
    "contribution, half precision": lambda: charts.contribution_chart(theory.contribution(1e-3)),
    "information": lambda: charts.information_chart(theory.information()),
    "decomposition": lambda: charts.decomposition_chart(theory.information()),
    "functional": lambda: charts.functional_chart(theory.functional()),
    "bounds": lambda: charts.bounds_chart(theory.bounds_report()),
    "agreement": lambda: charts.agreement_chart(theory.agreement()),
    "similarity": lambda: charts.similarity_chart(theory.similarity()),
    "robustness": lambda: charts.robustness_chart(stressed.robustness()),
    "robustness, few sets": lambda: charts.robustness_chart(stressed.robustness(3)),
    "overlay": lambda: charts.overlay_chart(sample.token_distances(), 4, sample.picture()),
}


@pytest.fixture(params=list(EVERY), scope="module")
def drawn(request: pytest.FixtureRequest) -> dict[str, Any]:
    """One chart of each kind, as the specification that a browser gets; altair has checked it against its schema."""
    spec: dict[str, Any] = EVERY[request.param]().to_dict()
    return spec


def parts(spec: Any) -> Iterator[dict[str, Any]]:
    """Every object inside a specification, data aside."""
    if isinstance(spec, dict):
        yield spec
        for name, part in spec.items():
            if name not in ("datasets", "data"):
                yield from parts(part)
    elif isinstance(spec, list):
        for part in spec:
            yield from parts(part)


def encodings(spec: dict[str, Any], channel: str) -> list[dict[str, Any]]:
    return [part[channel] for part in parts(spec) if isinstance(part.get(channel), dict) and "field" in part[channel]]


# -- every chart --------------------------------------------------------------------------------------------------


def test_every_chart_says_what_it_is(drawn: dict[str, Any]) -> None:
    assert drawn["title"]["text"]
    assert any("tiny" in line for line in drawn["title"]["subtitle"])
    assert len(drawn["description"]) > 40


def test_every_axis_with_numbers_has_a_title(drawn: dict[str, Any]) -> None:
    axes = [e for channel in ("x", "y") for e in encodings(drawn, channel) if e["type"] == "quantitative"]
    named = {e["field"] for e in axes if e.get("title")}
    assert {e["field"] for e in axes} <= named | {"uniform"}


def test_no_chart_computes_an_expression(drawn: dict[str, Any]) -> None:
    names = {name for part in parts(drawn) for name in part}
    assert not names & {"expr", "signal", "transform", "params", "labelExpr", "href", "sort"} - {"sort"}
    assert all(part.get("sort") is None for part in parts(drawn))


def test_colors_are_plain_hex_for_export(drawn: dict[str, Any]) -> None:
    assert "var(" not in json.dumps(drawn)


def test_wherever_color_tells_series_apart_shape_or_dash_do_too(drawn: dict[str, Any]) -> None:
    colored = {e["field"] for e in encodings(drawn, "color") if e["type"] == "nominal"}
    assert colored <= {e["field"] for channel in ("shape", "strokeDash") for e in encodings(drawn, channel)}


def test_the_package_lists_what_it_has() -> None:
    assert set(charts.__all__) == set(charts._HOMES)
    with pytest.raises(AttributeError, match="no attribute 'pie_chart'"):
        charts.pie_chart  # noqa: B018 - the access is what is tested


# -- distance, tail, flow -----------------------------------------------------------------------------------------


def test_distances_come_with_their_band_clipped_at_zero() -> None:
    first, *_ = distance_rows(sample.profile(), ("text",))
    assert first["distance"] == 0.228
    assert (first["low"], first["high"]) == pytest.approx((0.8 * 0.228, 1.2 * 0.228))
    assert min(row["low"] for row in distance_rows(sample.profile(), ("first",))) == 0.0


def test_the_description_names_the_extremes() -> None:
    words = charts.distance_chart(sample.profile()).to_dict()["description"]
    assert "vision tokens: lowest at layer 10 (0.003), highest at layer 4 (0.018)" in words
    assert "text tokens: lowest at layer 10 (0.007), highest at layer 0 (0.228)" in words


def test_tails_are_those_of_the_profile() -> None:
    spec = charts.tail_chart(sample.profile(), 0.02).to_dict()
    [rows] = [rows for rows in spec["datasets"].values() if "tail" in rows[0]] if "datasets" in spec else [None]
    tails = {(row["layer"], row["tokens"]): row["tail"] for row in rows}
    at = next(e for e in EPSILONS if e >= 0.02)
    assert tails[4, "vision"] == pytest.approx(math.exp(-at / 0.018))


def test_every_layer_is_a_tick_up_to_24_and_every_fifth_of_80() -> None:
    spec = charts.flow_chart(sample.profile()).to_dict()
    assert encodings(spec, "x")[0]["axis"]["values"] == list(range(12))
    from skipit_nb.charts.marks import tick_step

    assert [tick_step(n) for n in (1, 24, 25, 32, 48, 80)] == [1, 1, 2, 2, 2, 5]


def test_a_profile_without_flow_leaves_its_panel_out() -> None:
    assert len(charts.profile_chart(sample.profile(), 0.02).to_dict()["vconcat"]) == 3
    assert len(charts.profile_chart(sample.profile(with_flow=False), 0.02).to_dict()["vconcat"]) == 2
    with pytest.raises(SettingError, match="cross-modal flow"):
        charts.flow_chart(sample.profile(with_flow=False))


def test_a_layer_that_writes_a_massive_activation_stands_out_where_distance_sees_nothing() -> None:
    plain = sample.profile()
    rows = tuple(
        replace(row, update=999.0, distance=1e-4) if (row.layer, row.tokens) == (5, "first") else row
        for row in plain.layers
    )
    spec = charts.norm_chart(replace(plain, layers=rows)).to_dict()
    assert "first: layer 5 adds most (999 times its length)." in spec["description"]
    drawn = [row for data in spec["datasets"].values() for row in data if row.get("tokens") == "first"]
    assert max(drawn, key=lambda row: row["update"])["layer"] == 5


def test_kinds_given_by_hand_are_drawn_beside_the_others() -> None:
    plain = sample.profile()
    sound = tuple(replace(row, tokens="audio") for row in plain.of("text"))
    profile = replace(plain, layers=plain.layers + sound)
    kinds = ("vision", "audio")
    for spec in (
        charts.distance_chart(profile, kinds).to_dict(),
        charts.tail_chart(profile, 0.02, kinds).to_dict(),
        charts.norm_chart(profile, kinds).to_dict(),
    ):
        assert "'domain': ['vision', 'audio']" in str(spec)
    with pytest.raises(SettingError, match="one of those that occurred: audio, first, text, vision"):
        charts.distance_chart(profile, ("sound",))


def test_unknown_tokens_scales_and_thresholds_are_refused() -> None:
    with pytest.raises(SettingError, match="tokens is"):
        charts.distance_chart(sample.profile(), ("sound",))
    with pytest.raises(SettingError, match="tokens is"):
        charts.distance_chart(sample.profile(), ())
    with pytest.raises(SettingError, match="'linear' or 'log'"):
        charts.distance_chart(sample.profile(), scale="cubic")  # type: ignore[arg-type]
    with pytest.raises(SettingError, match="epsilon"):
        charts.tail_chart(sample.profile(), 0.0)
    with pytest.raises(SettingError, match="1 to 6 layers"):
        charts.tail_curve_chart(sample.profile(), range(7))
    with pytest.raises(LayerIndexError, match="layer 12"):
        charts.tail_curve_chart(sample.profile(), [12])


# -- skipped bands ------------------------------------------------------------------------------------------------


def test_a_skip_set_becomes_bands_with_words() -> None:
    skipset = SkipSet.parse("vision absent 0-2; whole 5; attn 7") | SkipSet.attn(2)
    assert skipped_bands(skipset, 9) == (
        SkippedBand(0, 2, "vision absent"),
        SkippedBand(2, 3, "vision absent, text attn"),
        SkippedBand(5, 6, "whole"),
        SkippedBand(7, 8, "attn"),
    )
    assert skipped_bands(None, 9) == skipped_bands(SkipSet.none(), 9) == ()


def test_a_skip_set_of_another_model_is_refused() -> None:
    with pytest.raises(LayerCountError):
        charts.distance_chart(sample.profile(), skipset=SkipSet.early_exit(3, num_layers=32))
    with pytest.raises(LayerIndexError):
        charts.distance_chart(sample.profile(), skipset=SkipSet.whole(12))


# -- conditions, comparison, sweep --------------------------------------------------------------------------------


def test_conditions_name_the_layers_that_meet_both() -> None:
    spec = charts.conditions_chart(sample.recommendation()).to_dict()
    assert "7, 8, 9, 10, 11." in spec["description"]
    meets = {row["layer"]: row["meets"] for rows in spec["datasets"].values() for row in rows if "meets" in row}
    assert meets[3] == "redundant, but read by the text"
    assert meets[6] == "not read, but moved"
    assert meets[0] == "neither"


def test_labels_of_layers_that_stand_together_are_joined() -> None:
    spec = charts.conditions_chart(sample.recommendation()).to_dict()
    labels = [row["layers"] for rows in spec["datasets"].values() for row in rows if "layers" in row]
    assert labels == ["0", "1", "2", "3", "4", "5", "6", "7-9", "10-11"]


def test_a_comparison_has_a_row_per_type_and_one_for_all_each_with_its_interval() -> None:
    color, shape, everything = comparison_rows(sample.comparison())
    assert (color["row"], color["a"], color["b"]) == ("color (n = 40)", 0.9, 0.85)
    assert (shape["delta"], shape["low"], shape["high"]) == (0.1, -0.05, 0.25)
    assert (everything["row"], everything["low"], everything["high"]) == ("all questions (n = 60)", -0.07, 0.07)


def test_a_comparison_prints_differences_in_points() -> None:
    spec = charts.comparison_chart(sample.comparison()).to_dict()
    words = [row["words"] for rows in spec["datasets"].values() for row in rows if "words" in row]
    minus = "\N{MINUS SIGN}"
    assert words == [f"{minus}5.0 [{minus}15.0, +5.0]", f"+10.0 [{minus}5.0, +25.0]", f"+0.0 [{minus}7.0, +7.0]"]


def test_a_sweep_knows_its_families() -> None:
    entry, leave = SkipSet.late_entry(3, num_layers=12), SkipSet.early_exit(5, num_layers=12)
    single = SkipSet.freeze(4, num_layers=12)
    found = places([entry, leave, single])
    assert found == [Place("late entry", 3), Place("early exit", 5), Place("vision frozen, one layer", 4)]
    assert places([entry, SkipSet.whole([1, 2], num_layers=12)]) is None
    assert places([]) is None


def test_the_ends_of_a_family_stay_in_it() -> None:
    sweep = sample.entries_and_exits()
    found = places([row.skipset for row in sweep.rows])
    assert found == [Place("late entry", k) for k in range(13)] + [Place("early exit", k) for k in range(13)]


def test_the_interval_of_a_sweep_is_in_accuracy() -> None:
    row, *_ = sweep_rows(sample.sweep([SkipSet.none(num_layers=12)], [0.9]))
    assert (row["accuracy"], row["low"], row["high"]) == pytest.approx((0.9, 0.88, 0.92))


def test_an_empty_sweep_is_drawn() -> None:
    assert "full model 97.0%" in charts.sweep_chart(sample.sweep([], [])).to_dict()["description"]


def test_methods_at_one_cost_stand_best_first_with_controls_apart():
    found = equal_cost_rows(sample.equal_cost())
    assert [(row["kind"], row["points"]) for row in found] == [
        ("skips layers", 0.0), ("drops tokens", -1.0), ("random", -10.0)
    ]  # fmt: skip
    assert found[1]["row"] == "2. fastv: 60 % left from 2"


# -- overlay ------------------------------------------------------------------------------------------------------


def test_vision_tokens_lie_in_reading_order() -> None:
    rows = overlay_rows(sample.token_distances(rows=2, columns=3), layer=1)
    assert [(row["row"], row["column"]) for row in rows] == [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2)]
    assert [row["distance"] for row in rows] == pytest.approx([0.0, 0.002, 0.004, 0.006, 0.008, 0.01])


def test_a_large_image_is_embedded_small() -> None:
    assert len(image_url(sample.picture(2000))) < 5_000
    assert image_url(sample.picture()).startswith("data:image/png;base64,")


def test_what_cannot_be_laid_over_is_refused() -> None:
    with pytest.raises(LayerIndexError, match="layer 12"):
        charts.overlay_chart(sample.token_distances(), 12)
    with pytest.raises(SettingError, match="grid"):
        charts.overlay_chart(sample.token_distances(rows=0, columns=0), 0)
    with pytest.raises(ImageError, match="str is not an image"):
        charts.overlay_chart(sample.token_distances(), 0, "photo.png")  # type: ignore[arg-type]


# -- text from data -----------------------------------------------------------------------------------------------

PAYLOADS = ["<img src=x onerror=alert(1)>", "datum.layer'); alert(1)//", '{"expr": "alert(1)"}', "**bold** `code`"]


@pytest.mark.parametrize("payload", PAYLOADS)
def test_text_from_a_model_is_data_and_nothing_else(payload: str) -> None:
    spec = charts.distance_chart(sample.profile(model=payload)).to_dict()
    assert spec["title"]["subtitle"][0].startswith(payload)
    assert payload not in json.dumps({name: part for name, part in spec.items() if name != "title"})


def test_a_chart_is_drawn_without_a_browser() -> None:
    svg = __import__("vl_convert").vegalite_to_svg(charts.tail_chart(sample.profile(), 0.02).to_dict())
    assert "Share of tokens" in svg
    assert isinstance(charts.flow_chart(sample.profile()), alt.LayerChart)


@pytest.mark.parametrize("name", ["sweep, listed", "equal cost", "comparison", "agreement"])
def test_the_outermost_numbers_of_an_axis_stand_below_their_ticks(name: str) -> None:
    drawn = vl_convert.vegalite_to_svg(EVERY[name]().to_dict())
    axes = re.findall(r'aria-label="X-axis.*?role-axis-label(.*?)role-axis-(?:title|domain)', drawn, re.DOTALL)
    anchors = {anchor for axis in axes for anchor in re.findall(r'<text text-anchor="(\w+)"', axis)}
    assert anchors == {"middle"}, "a label that is pushed inward runs into its neighbour"
