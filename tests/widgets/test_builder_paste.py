"""Reading a skip set from what was copied: every form is read, and nothing is ever executed."""

import ast
import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skipit_nb.cost import ModelShape
from skipit_nb.errors import LayerCountError, ResultFormatError, SettingError, SkipitError, SkipSetSyntaxError
from skipit_nb.skipset import SkipSet
from skipit_nb.widgets import SkipSetBuilder
from skipit_nb.widgets.builder.paste import MOST_CODE, read_skipset
from skipit_nb.widgets.saving import to_json

SHAPE = ModelShape(num_layers=4, d_model=8, d_ff=16, num_heads=2, num_kv_heads=2, head_dim=4, vocab=100, num_vision=9)

CELL = """
from skipit_nb import Session, SkipSet, SkipSetBuilder

session = Session.open()
early: SkipSet = SkipSet.early_exit(3)
skipset = early | SkipSet.whole([0])  # the last one counts
data = SkipSetBuilder(session, skipset=skipset, num_vision=64).data
data
"""


@pytest.mark.parametrize(
    "text, written",
    [
        ("vision absent 0-3", "vision absent 0-3"),
        ("  none\n", "none"),
        ("attn 16-", "attn 16-"),
        ("SkipSet.late_entry(4)", "vision absent 0-3"),
        ("SkipSet.early_exit(k=4, modality='text')", "text absent 4-"),
        ("SkipSet.freeze(range(2, 8, 2))", "vision frozen 2+4+6"),
        ("SkipSet.mlp((1, 2))", "mlp 1-2"),
        ("SkipSet.none()", "none"),
        ("SkipSet.parse('whole 3; attn 4')", "attn 4; whole 3"),
        ("SkipSet.late_entry(2) | SkipSet.whole({9}) | SkipSet.attn(5)", "vision absent 0-1; attn 5; whole 9"),
        ("SkipSet.late_entry(4).bind(12).open().replace([0], 'run', 'vision')", "vision absent 1-3"),
        ("skipset = 'whole 3'", "whole 3"),
        (CELL, "vision absent 3-; whole 0"),
    ],
)
def test_every_form_that_people_copy_is_read(text: str, written: str) -> None:
    assert str(read_skipset(text)) == written


@given(st.integers(1, 9), st.data())
def test_what_a_skip_set_prints_and_stores_is_read_back_equal(num_layers: int, data: st.DataObject) -> None:
    actions = st.sampled_from([("run", None), ("absent", "vision"), ("frozen", "text"), ("whole", None), ("mlp", None)])
    skipset = SkipSet.none(num_layers=num_layers)
    for layer in range(num_layers):
        skipset = skipset.replace(layer, *data.draw(actions))
    for text in (repr(skipset), skipset.to_json(), f"x = {skipset!r}\nx"):
        assert read_skipset(text) == skipset
    assert read_skipset(skipset.code()) == skipset.open()


def test_the_json_and_the_code_of_a_builder_are_read() -> None:
    builder = SkipSetBuilder(SHAPE, skipset="vision frozen 1-2")
    assert read_skipset(to_json(builder)) == builder.skipset
    assert read_skipset(builder.code()) == builder.skipset.open()


@pytest.mark.parametrize(
    "text, words",
    [
        ("SkipSet.whole(open('x'))", "is not a number, a list of numbers, a range or text"),
        ("SkipSet.parse(__import__('os').getcwd())", "is not a number"),
        ("SkipSet.parse.__globals__['x']", "is not a call that makes one"),
        ("SkipSet.from_json('{}')", "is not a call that makes one"),
        ("SkipSet.late_entry(4).__class__", "is not a call that makes one"),
        ("SkipSet.none() & SkipSet.none()", "is not a call that makes one"),
        ("SkipSet.whole(*layers)", "is not a number"),
        ("SkipSet.whole(**{'layers': 1})", "has arguments that are not written out"),
        ("SkipSet.whole(range(10 ** 9))", "is not a number"),
        ("SkipSet.whole(range(1000000000))", "no model has the layers of 'range(1000000000)'"),
        ("SkipSet.whole(range('a'))", "cannot be interpreted as an integer"),
        ("SkipSet.late_entry()", "missing 1 required positional argument: 'k'"),
        ("SkipSet.late_entry(4, speed=1)", "unexpected keyword argument 'speed'"),
        ("__import__('os').system('touch /tmp/x')", "has no action that is known"),
        ("|".join(["SkipSet.none()"] * 5000), "nested too deeply"),
        ("(" * 300, "is not a skip set"),
        ("x" * (MOST_CODE + 1), "longer than any tool writes"),
        ("word " * 1000, "neither the written form nor code"),
        ("whole 1\0", "is not a skip set"),
        ("", "it has an empty clause"),
    ],
)
def test_what_makes_no_skip_set_is_refused_in_few_words(text: str, words: str) -> None:
    with pytest.raises(SkipSetSyntaxError, match="is not a skip set: ") as refusal:
        read_skipset(text)
    assert words in str(refusal.value)
    assert len(str(refusal.value)) < 1000


def test_what_the_code_itself_would_raise_is_raised() -> None:
    with pytest.raises(SettingError, match=r"k is -1, but should be an int"):
        read_skipset("SkipSet.late_entry(-1)")


@pytest.mark.parametrize(
    "stored, words",
    [
        ({"skipit": "Sweep", "format": 1, "value": {}}, "it holds a Sweep"),
        ({"layers": [1]}, "skipset"),
        ({"skipset": "whole 1", "num_layers": 4, "skipit": None}, "it holds a None"),
        ({"skipit": "SkipSetBuilder", "state": {"format": 99, "value": {"skipset": {}}}}, "it has format 99"),
        ({"skipit": "SkipSetBuilder", "state": []}, "it holds a SkipSetBuilder"),
    ],
)
def test_json_of_something_else_or_another_version_is_refused(stored: object, words: str) -> None:
    with pytest.raises(ResultFormatError, match=words):
        read_skipset(json.dumps(stored))


@pytest.mark.parametrize("text", ["{", '{"a":' * 9000])
def test_broken_json_is_refused(text: str) -> None:
    with pytest.raises(SkipitError, match="is not a"):
        read_skipset(text)


def test_a_set_of_another_model_is_refused_by_the_builder_and_nothing_changes() -> None:
    builder = SkipSetBuilder(SHAPE, skipset="whole 1")
    with pytest.raises(LayerCountError, match="made for 12 layers, but 4 are expected"):
        builder.take(SkipSet.whole(3, num_layers=12).to_json())
    assert str(builder.skipset) == "whole 1"


@given(st.text(alphabet="SkipSet.laten_try(04)|'[]{}=\n ", max_size=40))
def test_any_text_is_read_or_refused_in_our_words(text: str) -> None:
    with suppress(SkipitError):
        assert isinstance(read_skipset(text), SkipSet)


def test_nothing_is_executed(monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(*_: object, **__: object) -> None:
        pytest.fail("it was executed")

    monkeypatch.setattr("builtins.eval", forbidden)
    monkeypatch.setattr("builtins.exec", forbidden)
    monkeypatch.setattr(ast, "literal_eval", forbidden)
    assert str(read_skipset(CELL)) == "vision absent 3-; whole 0"
