"""A sound model passes, and each planted fault fails its own check and no other."""

import pytest
import torch

from skipit_nb import Session, SkipSet
from skipit_nb.backend.checks import costs, sameness
from skipit_nb.backend.checks.running import check
from skipit_nb.backend.checks.sameness import judged_time, same_alone, same_twice
from skipit_nb.backend.checks.state import changes, state_of
from skipit_nb.backend.checks.trial import Trial, usual_set
from skipit_nb.backend.live.anatomy import anatomy_of
from skipit_nb.backend.live.limits import limits
from skipit_nb.errors import LayerIndexError, LimitError, NoExamplesError, SettingError
from skipit_nb.results import Checks, SelfCheck
from tests.checks.faults import FAULTS
from tests.efficiency.samples import Told, row
from tests.families.all_families import BUILDERS, family

NAMES = ["empty set", "model restored", "A/A answers", "KV cache", "left padding", "FLOPs", "A/A times", "GPU clock"]
SKIPSET = "vision absent 6-; whole 3"


@pytest.fixture
def opened():
    """A model that a test may break."""
    with Session.open(device="cpu") as session:
        yield session


@pytest.fixture
def even(monkeypatch):
    """A machine on which a skip set is as fast as itself; what time does is tested in tests/efficiency."""
    same = row("time to first token", 20.0, 20.0, low=0.98, high=1.02)
    monkeypatch.setattr(sameness, "time_arms", lambda *_, **__: [same])


def failed(found):
    return [row.name for row in found.rows if row.outcome == "failed"]


def test_a_sound_model_passes_and_the_list_is_short_and_readable(opened, even):
    found = opened.check(SKIPSET, limit=3)
    assert [row.name for row in found.rows] == NAMES
    assert failed(found) == []
    assert found.passed
    assert found.check("GPU clock").outcome == "not applicable"
    assert found.check("FLOPs").value < 0.01
    assert all(row.sentence and len(row.sentence) < 140 for row in found.rows)
    assert repr(found).startswith("Checks(tiny under 'vision absent 6-11; whole 3': none failed of 8)\n  ok     empty")
    assert Checks.from_json(found.to_json()) == found
    assert list(found.frame.columns) == ["name", "outcome", "value", "unit", "sentence"]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_a_planted_fault_fails_the_check_that_is_about_it_and_no_other(opened, even, monkeypatch, fault):
    fault(monkeypatch, opened)
    found = opened.check(SKIPSET, limit=3)
    assert failed(found) == [FAULTS[fault]]
    assert not found.passed
    assert "1 FAILED of 8" in repr(found)


def test_a_change_is_named(opened, even, monkeypatch):
    fault = next(fault for fault in FAULTS if fault.__name__ == "changes_one_weight")
    fault(monkeypatch, opened)
    sentence = opened.check(SKIPSET, limit=2).check("model restored").sentence
    assert "weights of model.language_model.layers.3.mlp.up_proj.weight" in sentence


def test_a_slow_card_and_a_restless_machine_fail_their_own_checks(opened, monkeypatch):
    slow = row("time to first token", 26.0, 20.0, low=1.28, high=1.32)
    monkeypatch.setattr(sameness, "time_arms", lambda *_, **__: [slow])
    live, questions = opened._open, opened.examples("digits-vqa", limit=2)
    skipset = SkipSet.of(SKIPSET, num_layers=12)
    device = Told(slowed=("heat, by the hardware",))
    found = check(live, skipset, questions, opened.provenance, tick=lambda *_: None, device=device)
    assert failed(found) == ["A/A times", "GPU clock"]
    assert found.check("GPU clock").sentence == "1980 MHz at 45 °C: slowed down by heat, by the hardware"
    assert costs.not_slowed_down(Told()).outcome == "passed"


@pytest.mark.parametrize(
    ("ratio", "low", "high", "outcome"),
    [
        (1.0, 0.9, 1.1, "passed"),
        (1.05, 1.01, 1.09, "passed"),  # within twice of what the interval reaches
        (1.15, 1.12, 1.18, "failed"),
        (0.85, 0.83, 0.87, "failed"),
        (1.015, 1.014, 1.016, "passed"),  # so near that nobody minds
    ],
)
def test_a_ratio_of_equals_is_judged_by_twice_its_interval(ratio, low, high, outcome):
    found = judged_time(row("time to first token", ratio, 1.0, low=low, high=high))
    assert (found.outcome, found.value) == (outcome, ratio)


def test_the_same_arm_is_timed_against_itself_for_real(session):
    live = session._open
    trial = Trial(live, SkipSet.of(SKIPSET, num_layers=12), session.examples("digits-vqa", limit=2)[:2])
    found = sameness.same_time_twice(trial, Told())
    assert found.value > 0
    assert "timed against itself" in found.sentence


def test_noise_in_a_layer_makes_answers_differ_from_themselves(opened):
    trial = Trial(opened._open, SkipSet.of(SKIPSET, num_layers=12), opened.examples("digits-vqa", limit=6))
    assert same_twice(trial).outcome == "passed"
    opened._open.anatomy.layers[0].register_forward_hook(lambda _, __, out: out + torch.randn_like(out))
    found = same_twice(trial)
    assert (found.outcome, found.value > 0) == ("failed", True)


def test_half_precision_is_told_and_not_judged(opened, even):
    opened.model.bfloat16()
    found = opened.check(SKIPSET, limit=3)
    for name in ("KV cache", "left padding"):
        assert found.check(name).outcome == "not applicable"
        assert found.check(name).value is not None
        assert "in bfloat16 rounding may do that; try float32" in found.check(name).sentence


def test_prompts_of_one_length_have_no_padding_to_check(opened):
    one = opened.examples("digits-vqa", limit=1)[:1]
    assert same_alone(Trial(opened._open, SkipSet.of(SKIPSET, num_layers=12), one)).outcome == "not applicable"


def test_nothing_skipped_saves_nothing_and_the_rest_is_checked(opened, even):
    found = opened.check("none", limit=2)
    assert found.check("FLOPs").outcome == "not applicable"
    assert found.passed


def test_without_a_set_the_usual_one_or_the_exported_one_is_checked(opened, even, tmp_path):
    assert str(opened.check(limit=2).skipset) == "vision absent 6-11; whole 5"
    opened.export("attn 3", tmp_path / "model")
    with Session.open(str(tmp_path / "model"), device="cpu", dtype="float32") as exported:
        assert str(exported.check(limit=2).skipset) == "attn 3"


@pytest.mark.families
@pytest.mark.parametrize("name", BUILDERS)
def test_the_usual_set_is_one_that_the_family_can_run(name):
    anatomy = anatomy_of(family(name).model)
    assert list(limits(anatomy, usual_set(anatomy))) == []


def test_the_state_sees_every_setting(session):
    before = state_of(session._open)
    assert changes(before, state_of(session._open)) == []
    tokenizer = session.processor.tokenizer
    side, tokenizer.padding_side = tokenizer.padding_side, "right"
    session.model.generation_config.max_length, length = 7, session.model.generation_config.max_length
    try:
        assert changes(before, state_of(session._open)) == ["generation settings", "padding side"]
    finally:
        tokenizer.padding_side = side
        session.model.generation_config.max_length = length


def test_a_swap_of_two_equal_sums_is_seen():
    layer = torch.nn.Linear(2, 1, bias=False)
    from skipit_nb.backend.checks.state import _bits

    with torch.no_grad():
        layer.weight[:] = torch.tensor([[1.0, 2.0]])
        before = _bits(layer.weight)
        layer.weight[:] = torch.tensor([[2.0, 1.0]])
    assert _bits(layer.weight) != before


def test_bad_input_is_refused(session):
    with pytest.raises(LayerIndexError):
        session.check("whole 12")
    with pytest.raises(LimitError):
        session.check(limit=0)
    with pytest.raises(NoExamplesError):
        session.check(task=[])
    sample = Checks(session.provenance, SkipSet.none(num_layers=12), (SelfCheck("A", "passed", 0.0, "x", "fine"),))
    with pytest.raises(SettingError, match="check is 'B', but should be one of A"):
        sample.check("B")
