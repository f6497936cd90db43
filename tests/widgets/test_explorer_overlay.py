"""Which stages an overlay has, and the numbers on them."""

import dataclasses

import pytest

from skipit_nb.results import PatchPlace, TokenDistances
from skipit_nb.widgets.explorer.overlay import overlay_values, stages_of
from tests.charts import sample_results as sample


def tokens_with(places: tuple[PatchPlace | None, ...]) -> TokenDistances:
    """One text token, then a vision token for each place, at two layers; the last one is a sink at layer 1."""
    count = len(places)
    return TokenDistances(
        provenance=sample.provenance(2),
        tokens=("<s>", *["<image>"] * count),
        is_vision=(False, *[True] * count),
        grid=(0, 0),
        distance=tuple(tuple((layer + 1) * at / 100 for at in range(count + 1)) for layer in range(2)),
        norm=((1.0,) * count + (3.0,), (2.0,) * count + (200.0,)),
        places=places,
    )


HALVES = PatchPlace(0, 0, 0.0, 0.0, 0.5, 1.0), PatchPlace(0, 0, 0.5, 0.0, 1.0, 1.0)
TILE = PatchPlace(0, 1, 0.0, 0.0, 1.0, 1.0)
CROPPED = PatchPlace(1, 0, 0.25, 0.0, 0.75, 1.0)


def test_there_is_a_stage_for_each_image_and_each_view_of_it() -> None:
    seen = tokens_with((*HALVES, TILE, None, CROPPED))
    whole, tiles, other = stages_of(seen, [(40, 20), (30, 30)])
    assert [stage["image"] for stage in (whole, tiles, other)] == [0, 0, 1]
    assert (whole["at"], tiles["at"], other["at"]) == ([0, 1], [2], [4])  # the newline has no place
    assert whole["caption"] == "image 1, the whole image, 1 × 2 tokens"
    assert tiles["caption"] == "image 1, tiles, 1 × 1 tokens"
    assert whole["aspect"] == 2.0
    assert whole["boxes"] == [[0, 0, 0.5, 1], [0.5, 0, 1, 1]]


def test_a_crop_is_said() -> None:
    (stage,) = stages_of(tokens_with((dataclasses.replace(CROPPED, image=0),)), [(40, 20)])
    assert stage["caption"] == "1 × 1 tokens, the model sees 50% of its width and 100% of its height"


def test_an_older_result_has_a_single_grid_and_an_unknown_one_no_stage() -> None:
    (stage,) = stages_of(sample.token_distances(rows=2, columns=3), [(30, 20)])
    assert stage["boxes"][4] == pytest.approx([1 / 3, 0.5, 2 / 3, 1.0], abs=1e-5)
    assert stages_of(sample.token_distances(rows=0, columns=0), [(30, 20)]) == []


def test_values_are_of_the_layer_and_of_the_quantity() -> None:
    seen = tokens_with(HALVES)
    assert overlay_values(seen, 1)["values"] == [0.02, 0.04]
    assert overlay_values(seen, 1)["token_values"] == [0.0]
    lengths = overlay_values(seen, 1, shows="length")
    assert lengths["values"] == [2.0, 200.0]
    assert lengths["unit"] == "length of the state before the layer"
    assert overlay_values(seen, 0, is_shared=True)["span"] == [0.0, 0.04]


def test_a_sink_is_marked_at_the_layer_where_its_state_is_long() -> None:
    seen = tokens_with(HALVES)
    assert overlay_values(seen, 0)["sinks"] == []
    assert overlay_values(seen, 1)["sinks"] == [1]
    assert overlay_values(seen, 1)["token_sinks"] == []
    assert overlay_values(seen, 1)["lengths"] == [2.0, 200.0, 2.0]


def test_places_survive_json_and_old_json_is_still_read() -> None:
    seen = tokens_with((*HALVES, TILE, None, CROPPED))
    assert TokenDistances.from_json(seen.to_json()) == seen
    old = sample.token_distances().to_json().replace(', "norm": [], "places": []', "")
    assert '"places"' not in old
    assert TokenDistances.from_json(old) == sample.token_distances()
