"""Scores from one prefill: what generation, other batches and a direct count say too."""

import gc
import math
import weakref

import pytest
import torch

from skipit_nb import Session, SkipSet
from skipit_nb.backend.trie.scores import prefill_batch, with_answers
from skipit_nb.errors import MemoryBudgetError, NoImagesError, OutOfMemoryError, SettingError
from tests.backend.live.tiny_llava import prompts, tiny_llava

TASK = "digits-vqa"
SETS = ["whole 0", "whole 11", "vision absent 0-3", "vision absent 6-", "vision frozen 2+5", "attn 4", "mlp 7"]


def bound(session):
    return [SkipSet.parse(text, num_layers=session.num_layers) for text in SETS]


@pytest.fixture(scope="module")
def examples(session):
    return session.examples(TASK, limit=12)[:12]


def test_the_greedy_answer_is_what_generation_writes_where_that_is_right(session, examples):
    rows = prefill_batch(session._open, examples, skipsets=bound(session))
    for arm, skipset in enumerate([None, *SETS]):
        for row, example in zip(rows, examples, strict=True):
            written = session.ask(example.image, example.question, skipset=skipset).text
            assert (row.texts[arm] == example.answer) == (written == example.answer)


def test_the_likelihood_is_that_of_the_answer_token_by_token(session, examples):
    rows = prefill_batch(session._open, examples, skipsets=bound(session))
    for arm, skipset in ((0, None), (2, SETS[1])):
        answer = session.ask(examples[0].image, examples[0].question, skipset=skipset, max_new_tokens=1)
        if answer.text == examples[0].answer:
            assert math.exp(rows[0].log_likelihoods[arm]) == pytest.approx(answer.probability, rel=1e-4)
    assert all(value <= 0 for row in rows for value in row.log_likelihoods)


def test_the_full_model_is_no_distance_from_itself(session, examples):
    rows = prefill_batch(session._open, examples, skipsets=bound(session))
    assert all(row.kls[0] == 0 and row.agrees[0] for row in rows)
    assert all(value >= 0 for row in rows for value in row.kls)
    assert any(not row.agrees[3] for row in rows), "without early vision some answers change"


def test_longer_answers_are_read_token_by_token():
    inputs = {name: value for name, value in prompts(padded=True).items() if name != "pixel_values"}
    longer = with_answers(inputs | {"mm_token_type_ids": torch.zeros_like(inputs["input_ids"])}, [(7, 8, 9), (5,)])
    assert longer["input_ids"][:, -3:].tolist() == [[7, 8, 9], [5, 5, 5]]
    assert longer["attention_mask"][:, -3:].all()
    assert not longer["mm_token_type_ids"][:, -3:].any()


def test_a_small_budget_costs_layers_and_changes_nothing(session):
    sets = [*bound(session), *(SkipSet.whole(layer, num_layers=session.num_layers) for layer in range(10))]
    usual = session.sweep(TASK, sets, limit=6, batch_size=6)
    with pytest.raises(MemoryBudgetError) as refused:
        session.sweep(TASK, sets, limit=6, batch_size=6, memory=1)
    small = session.sweep(TASK, sets, limit=6, batch_size=6, memory=refused.value.needed)
    assert small.layers_executed > usual.layers_executed == usual.layers_bound == small.layers_bound
    assert usual.layers_naive == small.layers_naive
    for one, other in zip(usual.rows, small.rows, strict=True):
        assert one.accuracy == other.accuracy
        assert one.log_likelihood == pytest.approx(other.log_likelihood, abs=1e-4)


def test_finalists_are_judged_by_what_they_write(session):
    sweep = session.sweep(TASK, bound(session), limit=12, finalists=2)
    assert sorted(row.scored for row in sweep.rows).count("generated") == 2
    for row in sweep.rows:
        if row.scored == "generated":
            alone = session.compare(TASK, b=row.skipset, limit=12, measure=("accuracy",))
            assert row.delta == pytest.approx(alone.metric("accuracy").value)


def test_half_precision_tells_its_noise():
    with Session.open(device="cpu", dtype="bfloat16") as session:
        sweep = session.sweep(TASK, ["whole 11", "none"], limit=4, batch_size=4)
    assert sweep.noise_floor is not None
    assert 0 <= sweep.noise_floor < 0.05
    assert "A/A noise" in repr(sweep)


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"memory": 1000}, MemoryBudgetError, "lower batch_size"),
        ({"memory": 0}, SettingError, "memory"),
        ({"finalists": -1}, SettingError, "finalists"),
    ],
)
def test_bad_settings_are_refused(session, settings, error, message):
    with pytest.raises(error, match=message):
        session.sweep(TASK, ["whole 3"], limit=4, **settings)


class Blind:
    """A question without an image."""

    image = None


def test_vision_actions_need_a_question_with_an_image():
    from skipit_nb.backend.evaluation.answering import refuse_without_images

    with pytest.raises(NoImagesError, match="none of these questions has an image"):
        refuse_without_images([Blind(), Blind()], [SkipSet.parse("vision absent 0", num_layers=2)])
    refuse_without_images([Blind()], [SkipSet.parse("whole 0", num_layers=2)])


def test_out_of_memory_gives_everything_back_and_says_what_to_lower(session, monkeypatch):
    layer = session.model.get_decoder().layers[5]
    alive = []

    def fails(hidden, *_, **__):
        big = torch.zeros(1000, 1000)
        alive.append(weakref.ref(big))
        raise torch.OutOfMemoryError("tried to allocate 20 GiB")

    plain = session.sweep(TASK, ["whole 3"], limit=4)
    with monkeypatch.context() as patched:
        patched.setattr(layer.mlp, "forward", fails)
        for call in (
            lambda: session.sweep(TASK, ["whole 3"], limit=4),
            lambda: session.compare(TASK, b="whole 3", limit=4),
            lambda: session.profile(TASK, limit=4),
        ):
            with pytest.raises(OutOfMemoryError, match="Lower batch_size first") as caught:
                call()
            gc.collect()
            assert caught.value.__suppress_context__
            assert all(made() is None for made in alive)
    assert all("forward" not in module.__dict__ for module in session.model.modules())
    assert session.sweep(TASK, ["whole 3"], limit=4) == plain


def test_a_tiny_model_without_a_processor_is_told_so():
    from skipit_nb.errors import MissingProcessorError

    with Session(tiny_llava()) as session, pytest.raises(MissingProcessorError):
        session.sweep(TASK, ["whole 1"], limit=1)
