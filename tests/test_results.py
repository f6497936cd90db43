"""Results are values: they read back equal, make frames, and refuse what is not one."""

import dataclasses

import pytest

from skipit_nb import RedundancyProfile, SkipSet, results
from skipit_nb.errors import ResultFormatError, SettingError
from skipit_nb.results import (
    EPSILONS,
    Answer,
    Comparison,
    KindDelta,
    LayerDistance,
    LayerFlow,
    Metric,
    PairedAnswer,
    Provenance,
    Sweep,
    SweepRow,
    TokenDistances,
    Verdict,
)
from skipit_nb.results.profile import epsilon_index
from tests.charts.sample_robustness import robustness

MADE = Provenance("tiny", "", 2, "float32", "cpu", "sdpa", (("torch", "2.13.0"),), "digits-vqa/test", ("a", "b"), 7)


def a_profile():
    rows = tuple(
        LayerDistance(layer, tokens, 0.1 * layer, 0.01, tuple(float(0.1 * layer > e) for e in EPSILONS), 3.0, 0.2)
        for layer in range(2)
        for tokens in ("vision", "text")
    )
    return RedundancyProfile(MADE, rows, (LayerFlow(0, 0.4, 0.1, 0.8), LayerFlow(1, 0.1, 0.1, 0.8)))


def a_comparison():
    answers = (
        PairedAnswer("k1", "what?", "red", "color", "i1", "red", "blue", 1.0, 0.0, True, True),
        PairedAnswer("k2", "why?", "yes", "yes/no", "i1", "no", "yes", 0.0, 1.0, True, True),
        PairedAnswer("k3", "who?", "yes", "yes/no", "i2", "no", "", 0.0, 0.0, True, False),
    )
    metric = Metric("accuracy", "share", 1 / 3, 1 / 3, "B - A", 0.0, -0.5, 0.5, "Tango score interval")
    none, b = SkipSet.none(num_layers=2), SkipSet.whole(1, num_layers=2)
    kinds = (
        KindDelta("color", 1, 1.0, 0.0, -1.0, -1.0, 0.5, 1, 0),
        KindDelta("yes/no", 2, 0.0, 0.5, 0.5, -0.5, 1.0, 0, 1),
    )
    return Comparison(
        MADE, none, b, answers, (metric,), kinds, Verdict("inconclusive", "Who knows.", 0.01), 1.0, 0.5, 1.0
    )


EVERY = [
    a_profile(),
    a_comparison(),
    Answer("red", 0.9, SkipSet.none(num_layers=2), 2),
    Sweep(MADE, 0.9, (SweepRow(SkipSet.whole(1, num_layers=2), 0.8, -0.1, -0.2, 0.0, 3, 1, 1.5),)),
    robustness(),
    TokenDistances(MADE, ("<s>", "<image>"), (False, True), (1, 1), ((0.1, 0.2), (0.3, 0.4))),
]


@pytest.mark.parametrize("result", EVERY, ids=lambda r: type(r).__name__)
def test_every_result_reads_back_equal_and_is_frozen(result):
    assert type(result).from_json(result.to_json()) == result
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(result, dataclasses.fields(result)[0].name, None)


@pytest.mark.parametrize("result", EVERY, ids=lambda r: type(r).__name__)
def test_every_repr_is_the_same_twice_and_holds_no_address(result):
    assert repr(result) == repr(type(result).from_json(result.to_json()))
    assert "0x" not in repr(result)


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"skipit": "Sweep", "format": 1, "value": {}}', "null"])
def test_json_of_something_else_is_refused(text):
    with pytest.raises(ResultFormatError, match="not a stored RedundancyProfile"):
        RedundancyProfile.from_json(text)


def test_json_of_another_version_or_cut_short_is_refused():
    text = a_profile().to_json()
    with pytest.raises(ResultFormatError, match="format 99"):
        RedundancyProfile.from_json(text.replace('"format": 1', '"format": 99'))
    with pytest.raises(ResultFormatError):
        RedundancyProfile.from_json(text[: len(text) // 2])


def test_a_profile_gives_distances_and_tails_by_layer():
    profile = a_profile()
    assert profile.distances("vision") == (0.0, 0.1)
    assert profile.tails(0.05, "text") == (0.0, 1.0)
    assert list(profile.frame.columns) == [
        "layer", "tokens", "distance", "spread", "norm", "update", "var", "var_uniform",
    ]  # fmt: skip
    assert list(profile.tail_frame(0.05)["tail"]) == [0, 0, 1, 1]
    with pytest.raises(SettingError, match="tokens is 'first'"):
        profile.of("first")


@pytest.mark.parametrize("epsilon", [0, -1, 2.1])
def test_an_epsilon_outside_the_scale_is_refused(epsilon):
    with pytest.raises(SettingError, match="epsilon is"):
        epsilon_index(epsilon)


def test_epsilon_is_rounded_up_to_the_grid():
    assert all(epsilon_index(value) == index for index, value in enumerate(EPSILONS))
    assert EPSILONS[epsilon_index(0.02)] >= 0.02
    assert EPSILONS[epsilon_index(0.02) - 1] < 0.02


def test_flips_are_sorted_by_what_happened():
    comparison = a_comparison()
    assert list(comparison.flips("worse").key) == ["k1"]
    assert list(comparison.flips("better").key) == ["k2"]
    assert list(comparison.flips().key) == ["k1", "k2"]
    assert list(comparison.flips("changed").key) == ["k1", "k2", "k3"]
    with pytest.raises(SettingError, match="kind is 'bad'"):
        comparison.flips("bad")


def test_a_comparison_counts_questions_images_and_types():
    comparison = a_comparison()
    assert (comparison.num_questions, comparison.num_clusters) == (3, 2)
    table = comparison.by_kind().set_index("kind")
    assert table.loc["yes/no"].tolist() == [2, 0.0, 0.5, 0.5, -0.5, 1.0, 0, 1]
    assert comparison.metric("accuracy").value == 0
    with pytest.raises(SettingError, match="metric is 'speed'"):
        comparison.metric("speed")


def test_the_vision_tokens_of_a_layer_come_in_reading_order():
    assert EVERY[-1].vision(1) == (0.4,)
    assert len(EVERY[-1].frame) == 4


def test_an_answer_prints_as_its_text():
    assert str(EVERY[2]) == "red"


@pytest.mark.parametrize(
    "kind",
    [
        results.Agreement,
        results.BandDistances,
        results.BoundsReport,
        results.Contribution,
        results.EqualCost,
        results.Functional,
        results.Information,
        results.Knockout,
        results.Lipschitz,
        results.Proposal,
        results.RaceResult,
        results.Recommendation,
        results.RedundancyProfile,
        results.Robustness,
        results.SearchResult,
        results.Similarity,
        results.TokenDistances,
    ],
)
def test_what_measures_or_chooses_layers_knows_its_unit_its_direction_and_its_source(kind):
    fields = {field.name: field.default for field in dataclasses.fields(kind)}
    assert isinstance(kind.frame, property)
    assert {"unit", "redundant_when", "source"} <= fields.keys()
    assert "arXiv:" in fields["source"] or "ours" in fields["source"] or kind is results.Proposal
