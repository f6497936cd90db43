"""Pooled states: the slow way, padding, and layers that give no numbers."""

from dataclasses import replace

import pytest
import torch

from skipit_nb.backend.live.anatomy import anatomy_of
from skipit_nb.backend.redundancy.states import VIEWS, pooled_states, recording
from skipit_nb.errors import ConstantAnswerError, NoExamplesError, NotFiniteError, SettingError
from skipit_nb.jobs import no_tick
from tests.backend.live.tiny_llava import NUM_LAYERS, NUM_VISION, prompts, tiny_llava


def recorded(model, inputs):
    with torch.no_grad(), recording(anatomy_of(model), inputs) as states:
        model(**inputs)
    return torch.stack(states)


def test_views_are_means_over_tokens_at_every_boundary_before_the_final_norm():
    model, inputs = tiny_llava(), prompts(padded=True)
    states = recorded(model, inputs)
    assert states.shape == (NUM_LAYERS + 1, len(VIEWS), 2, 32)
    with torch.no_grad():
        hidden = model(**inputs, output_hidden_states=True).hidden_states
    is_token, is_vision = inputs["attention_mask"].bool(), inputs["input_ids"] == 49
    for boundary in range(NUM_LAYERS):  # the last entry of hidden_states is after the final norm
        for b in range(2):
            text = (is_token & ~is_vision)[b].nonzero()[1:, 0]
            expected = [hidden[boundary][b, is_vision[b]].mean(0), hidden[boundary][b, text].mean(0)]
            for view, state in enumerate([*expected, hidden[boundary][b, -1]]):
                assert torch.allclose(states[boundary, view, b], state, atol=1e-6)
    assert int(is_vision[0].sum()) == NUM_VISION
    normed = anatomy_of(model).final_norm(states[NUM_LAYERS, 2])
    assert torch.allclose(normed, hidden[NUM_LAYERS][:, -1], atol=1e-5)


def test_padding_counts_nowhere():
    model, both = tiny_llava(), prompts(padded=True)
    short = {name: value[1:] for name, value in both.items()}
    start = int((short["attention_mask"] == 0).sum())
    bare = {name: value if value.dim() > 2 else value[:, start:] for name, value in short.items()}
    assert torch.allclose(recorded(model, both)[:, :, 1:], recorded(model, bare), atol=1e-4)


def test_states_of_a_task_are_the_same_in_any_batch_and_know_their_images(session):
    examples = session.examples("digits-vqa", limit=12)
    found, one = (pooled_states(session._open, examples, batch_size=b, tick=no_tick) for b in (5, 1))
    for view in VIEWS:
        assert found.of(view).shape == (13, len(examples), 128)
        assert found.of(view) == pytest.approx(one.of(view), abs=1e-4)
    assert [found.words[i] for i in found.answers] == [example.answer for example in examples]
    assert len(set(found.clusters)) == len({example.cluster for example in examples})
    with pytest.raises(SettingError, match=r"view is 'first', but should be one that every question has: vision, text"):
        found.of("first")


def test_a_layer_without_numbers_is_named(session):
    examples = session.examples("digits-vqa", limit=4)
    hook = session._open.anatomy.layers[3].register_forward_hook(lambda _, __, out: out * torch.nan)
    with pytest.raises(NotFiniteError, match=r"layer 3 gives NaN or infinity for \d question"):
        pooled_states(session._open, examples, batch_size=2, tick=no_tick)
    hook.remove()


def test_no_questions_and_no_choice_of_answers_are_refused(session):
    examples = session.examples("digits-vqa", limit=4)
    same = [replace(example, answer="yes") for example in examples]
    with pytest.raises(ConstantAnswerError, match=r"questions have the answer 'yes', so there is nothing to know"):
        pooled_states(session._open, same, batch_size=2, tick=no_tick)
    with pytest.raises(NoExamplesError, match="needs at least one example"):
        pooled_states(session._open, [], batch_size=2, tick=no_tick)
