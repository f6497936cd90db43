"""Functional redundancy of planted layers: one that does nothing, turns, rescales, or copies the answer in."""

from dataclasses import MISSING, fields

import numpy as np
import pytest

from skipit_nb.backend.redundancy.functional import measure
from skipit_nb.backend.redundancy.states import PooledStates
from skipit_nb.errors import SettingError, TooFewSamplesError
from skipit_nb.jobs import no_tick
from skipit_nb.results import (
    BandDistances,
    Contribution,
    Functional,
    Knockout,
    Provenance,
    RedundancyProfile,
    Similarity,
)

WIDTH, QUESTIONS, ANSWERS = 7, 240, 3


@pytest.fixture(scope="module")
def rows():
    """By layer: identity, a turn of all states together, times 3, the answer copied in, and forgotten again."""
    rng = np.random.default_rng(0)
    answers = rng.integers(ANSWERS, size=QUESTIONS)
    start = rng.standard_normal((QUESTIONS, WIDTH))
    turned = np.linalg.qr(rng.standard_normal((WIDTH, WIDTH)))[0]
    copied = np.concatenate([start[:, :-ANSWERS], np.eye(ANSWERS)[answers]], axis=1)
    boundaries = [start, start, start @ turned, 3 * start @ turned, copied, start]
    states = {"last": np.stack(boundaries).astype(np.float32)}
    found = PooledStates(states, answers, ("a", "b", "c"), np.arange(QUESTIONS) // 3)
    made = Provenance("planted", "", len(boundaries) - 1, "float32", "cpu", "sdpa")
    views = ("last", "last")
    measured = measure(found, made, views=views, folds=5, strength=0.1, permutations=99, tick=no_tick)
    assert measured.blind_log_loss == pytest.approx(np.log(ANSWERS), abs=0.03)
    return measured.of("last")


def test_results_of_this_part_say_unit_direction_and_source():
    for kind in (RedundancyProfile, BandDistances, Similarity, Knockout, Contribution, Functional):
        named = {field.name: field.default for field in fields(kind)}
        assert all(named[name] for name in ("unit", "redundant_when", "source")), kind
        assert "arXiv" in named["source"]
        assert named["unit"] is not MISSING


def test_a_view_asked_for_twice_is_measured_once(rows):
    assert [row.boundary for row in rows] == list(range(6))


def test_a_layer_that_does_nothing_has_no_gap_and_breaks_no_chain(rows):
    assert (rows[1].gap, rows[1].gap_low, rows[1].gap_high, rows[1].error_gap) == (0, 0, 0, 0)
    assert (rows[1].chain_gain, rows[1].chain_p) == (0, 1)
    assert rows[1].error_gap_low < 0 < rows[1].error_gap_high, "240 questions are no proof"


@pytest.mark.parametrize("layer", [1, 2], ids=["turn", "rescale"])
def test_a_turn_and_a_change_of_length_tell_a_reader_nothing(rows, layer):
    row = rows[layer + 1]
    assert row.gap == pytest.approx(0, abs=0.02)
    assert row.gap_low <= 0 <= row.gap_high
    assert row.chain_p > 0.05


def test_a_layer_that_copies_the_answer_in_gains_all_that_can_be_known(rows):
    copy, forget = rows[4], rows[5]
    assert copy.error == 0
    assert copy.gap == pytest.approx(np.log(ANSWERS), abs=0.15)
    assert copy.gap_low > 0.9
    assert copy.error_gap == pytest.approx(2 / 3, abs=0.1)
    assert forget.gap == pytest.approx(-copy.gap, abs=0.05)
    assert forget.chain_gain > 0.8, "the boundary before a layer that forgets still knows"
    assert forget.chain_p == pytest.approx(0.01)


def test_what_cannot_be_measured_is_refused_before_the_model_runs(session):
    ran = []
    hook = session.model.register_forward_pre_hook(lambda *_: ran.append(1))
    for views in ((), ("vison",)):
        with pytest.raises(SettingError, match=r"views is .* a tuple of some of \('vision', 'text', 'last'\)"):
            session.functional("digits-vqa", views=views, limit=40)
    with pytest.raises(SettingError, match="views is 'last', but should be a list"):
        session.functional("digits-vqa", views="last", limit=40)
    with pytest.raises(SettingError, match="permutations is 0"):
        session.functional("digits-vqa", permutations=0, limit=40)
    with pytest.raises(SettingError, match="folds is 1"):
        session.functional("digits-vqa", folds=1, limit=40)
    with pytest.raises(TooFewSamplesError, match=r"images for 5 folds: there are 1, but at least 5"):
        session.functional("digits-vqa", limit=2)
    hook.remove()
    assert ran == []
