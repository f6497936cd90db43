"""The matrix can fail: each of these bugs, planted in the engine, is noticed by one of the cases that always run."""

from dataclasses import replace

import pytest
import torch

from skipit_nb.backend.live import layer_forwards, skipping
from skipit_nb.backend.live.key_rows import KeyRows
from skipit_nb.backend.live.rows import Rows
from tests.families.matrix import covering_cases, outcome_of

pytestmark = pytest.mark.filterwarnings("ignore::skipit_nb.backend.live.forward_pass.NoVisionTokensWarning")

span_of, take_each, mask = layer_forwards.span_of, Rows.take_each, KeyRows.mask


def renumbered(rows, values):
    """The tables and positions of the first rows, whichever were picked."""
    first = torch.arange(len(rows)).expand_as(rows.index)
    return take_each(replace(rows, index=first), values)


def without_windows(keys, whole, queries, span):
    """What the model's mask would be if it had no window, for a prompt without padding."""
    if whole is not None and len(keys.index) == 1:
        asked = torch.arange(keys.seen - queries.seq, keys.seen)
        is_later = asked[:, None] < span.offset + torch.arange(whole.shape[-1])
        lowest = False if whole.dtype == torch.bool else torch.finfo(whole.dtype).min
        whole = whole.new_full(whole.shape, whole.dtype == torch.bool).masked_fill(is_later, lowest)
    return mask(keys, whole, queries, span)


def unseen(*layer, others_look):
    return layer_forwards.absent_forward(*layer)


BUGS = {
    "a skipped layer writes no stub": (layer_forwards, "write_stub", lambda *_: None),
    "masks are not cut to the window": (KeyRows, "mask", without_windows),
    "masks are cut from the wrong column": (layer_forwards, "span_of", lambda slot: replace(span_of(slot), offset=0)),
    "rows left out are still seen": (KeyRows, "mask", lambda self, whole, queries, span: whole),
    "a shortened cache counts what it holds": (layer_forwards, "shorten", lambda *_: None),
    "frozen rows are not seen": (skipping, "frozen_forward", unseen),
    "positions are counted anew": (Rows, "take_each", renumbered),
}


@pytest.mark.parametrize("bug", BUGS)
def test_the_matrix_notices_that(bug, monkeypatch):
    monkeypatch.setattr(*BUGS[bug])
    assert any(fails(case) for case in covering_cases())


def fails(case):
    try:
        return not outcome_of(case).is_exact
    except (AttributeError, IndexError, RuntimeError):
        return True
