"""Skip sets and sizes through `--model_args`, whatever lmms-eval makes of them on the way."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skipit_nb import SkipSet
from skipit_nb.errors import SettingError, SkipSetSyntaxError
from skipit_nb.integrations.lmms_eval.arguments import batch_argument, skip_argument, text_argument

LAYERS = st.sets(st.integers(0, 7), min_size=1)
SETS = st.builds(
    lambda make, layers: make(layers), st.sampled_from([SkipSet.freeze, SkipSet.whole, SkipSet.attn]), LAYERS
)


def as_lmms_eval_reads(text):
    """What its `--model_args` parser makes of one value."""
    if text.isnumeric():
        return int(text)
    try:
        return float(text)
    except ValueError:
        return text


@pytest.mark.parametrize(
    ("value", "meant"),
    [
        (None, "none"),
        ("", "none"),
        ("none", "none"),
        (12, "whole 12"),
        ("12+13", "whole 12-13"),
        ("4-7", "whole 4-7"),
        ("vision absent 2-", "vision absent 2-"),
        ("vision:absent:2-", "vision absent 2-"),
        ("vision:absent:2-/whole:1", "vision absent 2-; whole 1"),
        (SkipSet.early_exit(3), "vision absent 3-"),
    ],
)
def test_a_skip_set_is_read_as_it_was_meant(value, meant):
    assert skip_argument(value) == SkipSet.parse(meant)


@given(one=SETS, other=SETS)
def test_every_written_form_goes_through_with_and_without_quotes(one, other):
    skipset = one | other
    bare = str(skipset).replace("; ", "/").replace(" ", ":")
    assert "," not in str(skipset)
    assert not set(bare) & set(" ;,'\"[]{}")
    assert skip_argument(as_lmms_eval_reads(str(skipset))) == skip_argument(as_lmms_eval_reads(bare)) == skipset


@pytest.mark.parametrize("written", ["12_13", "1e5", "-3"])
def test_what_lmms_eval_has_made_a_float_is_refused(written):
    value = as_lmms_eval_reads(written)
    assert isinstance(value, float)
    with pytest.raises(SettingError, match=r"skip is .*reads 12_13 and 1e5 as numbers"):
        skip_argument(value)


def test_yes_is_no_layer():
    with pytest.raises(SettingError, match="skip is True"):
        skip_argument(True)


def test_what_is_no_skip_set_is_refused():
    with pytest.raises(SkipSetSyntaxError, match="late 4"):
        skip_argument("late:4")


def test_a_batch_size_comes_as_text():
    assert (batch_argument("32"), batch_argument(1)) == (32, 1)


@pytest.mark.parametrize("value", ["auto", "auto:4", "0", -1, 1.5, None])
def test_a_batch_size_that_depends_on_the_day_is_refused(value):
    with pytest.raises(SettingError, match=r"batch_size is .*the same for both arms"):
        batch_argument(value)


def test_a_commit_of_digits_is_text_again_and_one_made_a_float_is_refused():
    assert (text_argument("revision", 1234567), text_argument("revision", "main")) == ("1234567", "main")
    assert text_argument("revision", None) is None
    with pytest.raises(SettingError, match=r"revision is inf.*name a branch"):
        text_argument("revision", as_lmms_eval_reads("12e45678"))
