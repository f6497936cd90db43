"""The word everything else is written in: written form, joining, binding, refusals."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from skipit_nb import SkipSet
from skipit_nb.errors import (
    LayerCountError,
    LayerIndexError,
    ResultFormatError,
    SettingError,
    SkipSetConflictError,
    SkipSetSyntaxError,
    UnboundSkipSetError,
)

NUM_LAYERS = 12

one_choice = st.tuples(
    st.sampled_from([("vision", "absent"), ("vision", "frozen"), ("text", "absent"), ("text", "frozen"),
                     (None, "attn"), (None, "mlp"), (None, "whole")]),
    st.integers(0, NUM_LAYERS - 1),
    st.booleans(),
)  # fmt: skip


def written(choice: tuple[tuple[str | None, str], int, bool]) -> SkipSet:
    (modality, action), layer, to_last = choice
    name = f"{modality} {action}" if modality else action
    return SkipSet.parse(f"{name} {layer}{'-' if to_last else ''}")


skipsets = st.lists(one_choice, max_size=5).map(
    lambda choices: __import__("functools").reduce(lambda a, b: a | b, map(written, choices), SkipSet.none())
)


@given(skipsets)
def test_the_written_form_reads_back_equal(skipset):
    assert SkipSet.parse(str(skipset)) == skipset
    assert eval(repr(skipset)) == skipset  # noqa: S307 - repr is code
    assert SkipSet.from_json(skipset.to_json()) == skipset


@given(skipsets)
def test_a_bound_set_reads_back_with_its_number_of_layers_and_opens_again(skipset):
    bound = skipset.bind(NUM_LAYERS)
    assert SkipSet.parse(str(bound), num_layers=NUM_LAYERS) == bound
    assert bound != skipset
    assert bound.open().bind(NUM_LAYERS) == bound
    assert eval(bound.code()).bind(NUM_LAYERS) == bound  # noqa: S307


@given(skipsets, skipsets, skipsets)
def test_joining_is_idempotent_commutative_and_associative(a, b, c):
    assert a | a == a
    assert a | b == b | a
    assert (a | b) | c == a | (b | c)


@given(skipsets, skipsets)
def test_joining_never_weakens_an_action(a, b):
    strength = ["run", "attn", "mlp", "frozen", "absent", "whole"].index
    joined = (a | b).bind(NUM_LAYERS)
    for layer in range(NUM_LAYERS):
        for modality in ("vision", "text"):
            assert strength(joined.action(layer, modality)) >= strength(a.bind(NUM_LAYERS).action(layer, modality))


@given(skipsets)
def test_equal_sets_share_a_fingerprint_and_a_hash_and_others_do_not(skipset):
    bound = skipset.bind(NUM_LAYERS)
    twin = SkipSet.parse(str(skipset)).bind(NUM_LAYERS)
    assert (hash(bound), bound.fingerprint) == (hash(twin), twin.fingerprint)
    other = bound | SkipSet.whole(3)
    assert (other.fingerprint == bound.fingerprint) == (other == bound)


@pytest.mark.parametrize(
    ("made", "text"),
    [
        (SkipSet.none(), "none"),
        (SkipSet.late_entry(0), "none"),
        (SkipSet.late_entry(8), "vision absent 0-7"),
        (SkipSet.early_exit(16), "vision absent 16-"),
        (SkipSet.early_exit(16, num_layers=32), "vision absent 16-31"),
        (SkipSet.early_exit(32, num_layers=32), "none"),
        (SkipSet.freeze([12, 14], modality="text"), "text frozen 12+14"),
        (SkipSet.whole(range(2, 4)), "whole 2-3"),
        (SkipSet.attn(5) | SkipSet.mlp(5), "whole 5"),
        (SkipSet.attn(5) | SkipSet.freeze(5), "vision frozen 5; attn 5"),
        (SkipSet.parse("vision absent 3-; text frozen 5-"), "vision absent 3-4; whole 5-"),
        (SkipSet.parse(" Whole  3 ; VISION frozen 0-1+5 "), "vision frozen 0-1+5; whole 3"),
        (SkipSet.absent(range(4, 6)) | SkipSet.freeze(range(5)), "vision absent 4-5; vision frozen 0-3"),
    ],
)
def test_constructors_and_parser_write_one_canonical_form(made, text):
    assert str(made) == text


def test_the_strongest_action_that_covers_a_token_is_told():
    skipset = SkipSet.parse("vision absent 2-3; attn 3; whole 5", num_layers=6)
    assert [skipset.action(layer, "vision") for layer in range(6)] == ["run", "run", "absent", "absent", "run", "whole"]
    assert [skipset.action(layer, "text") for layer in range(6)] == ["run", "run", "run", "attn", "run", "whole"]
    assert skipset.layers("absent") == (2, 3)
    assert skipset.layers("run", "text") == (0, 1, 2, 4)


def test_a_click_replaces_what_was_there():
    skipset = SkipSet.early_exit(2, num_layers=4)
    assert str(skipset.replace(3, "frozen", "vision")) == "vision absent 2; vision frozen 3"
    assert str(skipset.replace([2, 3], "run")) == "none"
    assert str(skipset.replace(0, "whole").replace(0, "frozen", "vision")) == "vision absent 2-3; vision frozen 0"


def test_sets_sort_by_their_written_form():
    sets = [SkipSet.whole(1), SkipSet.none(), SkipSet.attn(1)]
    assert [str(s) for s in sorted(sets)] == ["attn 1", "none", "whole 1"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "empty clause"),
        ("whole 3;", "empty clause"),
        ("vision absent 3,4", "comma"),
        ("vision absent 3 4", "no spaces"),
        ("vision gone 3", "no action that is known"),
        ("whole 5-3", "runs backwards"),
        ("whole -1", "is not a layer"),
        ("whole 99999999999", "no model has"),
        ("whole", "no action that is known"),
        (7, "not text"),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_reason(text, problem):
    with pytest.raises(SkipSetSyntaxError, match=problem):
        SkipSet.parse(text)


@pytest.mark.parametrize(
    "text", ["vision absent 3; vision frozen 2-4", "attn 3; mlp 3", "whole 3; vision frozen 3", "whole 2-; attn 9"]
)
def test_a_string_that_contradicts_itself_is_refused(text):
    with pytest.raises(SkipSetConflictError, match="contradicts itself at layer"):
        SkipSet.parse(text)


def test_binding_refuses_what_the_model_does_not_have():
    with pytest.raises(LayerIndexError, match=r"layer 16 is outside 0\.\.11"):
        SkipSet.early_exit(16).bind(12)
    with pytest.raises(LayerIndexError, match=r"layer 12 is outside 0\.\.11"):
        SkipSet.parse("whole 12", num_layers=12)
    with pytest.raises(LayerCountError, match="made for 12 layers, but 32"):
        SkipSet.none(num_layers=12).bind(32)
    with pytest.raises(SettingError, match="modality is 'audio'"):
        SkipSet.parse("audio absent 3", num_layers=12)
    with pytest.raises(SettingError, match="num_layers is 0"):
        SkipSet.none(num_layers=0)


@pytest.mark.parametrize("layers", [-1, True, [1.5], "3", [0, -2], 10**9])
def test_a_layer_that_is_no_layer_is_refused(layers):
    with pytest.raises((SettingError, TypeError)):
        SkipSet.whole(layers)


def test_an_open_set_has_no_fingerprint_and_no_endless_list_of_layers():
    with pytest.raises(UnboundSkipSetError, match="Bind it first"):
        _ = SkipSet.none().fingerprint
    with pytest.raises(UnboundSkipSetError):
        SkipSet.early_exit(3).layers("absent")


@pytest.mark.parametrize("text", ["", "[]", '{"skipset": "none"}', '{"skipset": 3, "num_layers": null}', "null"])
def test_json_of_something_else_is_refused(text):
    with pytest.raises(ResultFormatError, match="not a stored skip set"):
        SkipSet.from_json(text)


def test_a_set_cannot_be_changed():
    with pytest.raises(AttributeError):
        SkipSet.none().num_layers = 3


@pytest.mark.parametrize("three", [3, np.int64(3), np.array(3), np.array([3]), torch.tensor(3)], ids=repr)
def test_a_layer_is_any_whole_number(three):
    assert SkipSet.absent(three) == SkipSet.absent([3])


@pytest.mark.parametrize("bad", [True, 1.5, None, "3", np.float64(3)], ids=repr)
def test_what_is_no_whole_number_is_no_layer(bad):
    with pytest.raises(SettingError, match="layer is"):
        SkipSet.absent(bad)
