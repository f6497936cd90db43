"""Top singular values: of planted matrices, of a whole Jacobian built the slow way, and of small steps."""

import json

import pytest
import torch
from torch import nn

from skipit_nb.backend.live.model import LiveModel
from skipit_nb.backend.redundancy import jacobian
from skipit_nb.backend.redundancy.geometric import token_kinds
from skipit_nb.backend.redundancy.jacobian import Jacobian, top_singular_value
from skipit_nb.backend.redundancy.rest_of_network import Answers, Rest, boundaries, differentiable
from skipit_nb.errors import NoExamplesError, NoGradientError, SettingError
from skipit_nb.jobs import no_tick
from skipit_nb.results import Lipschitz
from tests.backend.live.tiny_llava import NUM_LAYERS, prompts, tiny_llava
from tests.backend.redundancy.planted import planted

TASK = "digits-vqa"


def tangents(state):
    """Every turn of a state [d_model], lengths held: [d_model, d_model]."""
    unit = nn.functional.normalize(state, dim=0)
    return state.norm() * (torch.eye(len(state)) - torch.outer(unit, unit))


def test_of_a_linear_map_it_is_the_largest_singular_value_of_the_chosen_columns():
    torch.manual_seed(0)
    matrix, states = torch.randn(2, 5, 3 * 4), torch.randn(2, 3, 4, requires_grad=True)
    outcome = torch.einsum("bon,bn->bo", matrix, states.flatten(1))
    chosen = torch.tensor([[True, False, True], [False, True, False]])
    value, rise, direction = top_singular_value(Jacobian.at(0, outcome, states).of(chosen), 100)
    for sample in range(2):
        turning = [matrix[sample].reshape(5, 3, 4)[:, i] @ tangents(states[sample, i].detach()) for i in range(3)]
        every = torch.cat([turn for turn, is_in in zip(turning, chosen[sample], strict=True) if is_in], dim=1)
        assert float(value[sample]) == pytest.approx(float(torch.linalg.svdvals(every)[0]), rel=1e-4)
    assert rise.max() < 1e-5
    assert direction.flatten(1).norm(dim=1) == pytest.approx(1)
    assert not direction[~chosen].any()
    assert (direction * states.detach()).sum(-1) == pytest.approx(0, abs=1e-5), "a turn leaves lengths alone"


def test_the_value_rises_with_the_iterations_and_never_above_the_top():
    torch.manual_seed(1)
    matrix, states = torch.randn(1, 30, 8), torch.randn(1, 2, 4, requires_grad=True)
    there = Jacobian.at(0, torch.einsum("bon,bn->bo", matrix, states.flatten(1)), states)
    values = [float(top_singular_value(there, count)[0]) for count in (1, 2, 5, 200)]
    assert values == sorted(values)
    assert float(top_singular_value(there, 1)[1]) == 1, "one iteration tells nothing of convergence"


def test_nothing_depends_on_states_that_nobody_reads():
    states = torch.randn(1, 3, 4, requires_grad=True)
    there = Jacobian.at(0, states[:, 0] @ torch.randn(4, 5), states)
    value, rise, _ = top_singular_value(there.of(torch.tensor([[False, True, True]])), 3)
    assert (float(value), float(rise)) == (0, 0)


class Bound:
    """What `jacobian` needs of a session's questions: a tiny model and ready inputs."""

    def __init__(self, model=None):
        self.live = LiveModel(model or tiny_llava(), None, name="tiny llava", revision="")
        self.inputs = prompts(padded=True)
        self.answers = Answers(self.live, self.inputs, None)


@pytest.fixture(scope="module")
def bound():
    return Bound()


def slow_jacobian(bound, layer, states, chosen):
    """[outcome, chosen tokens · d_model] of one sample, by asking autograd for every row."""

    def said(turned):
        with torch.enable_grad():
            full = states.clone()
            full[0][chosen] = turned
            hook = bound.live.anatomy.layers[layer].register_forward_hook(lambda *_: full)
            try:
                return bound.live.model(**bound.inputs).logits[0, -1].log_softmax(-1)
            finally:
                hook.remove()

    raw = torch.autograd.functional.jacobian(said, states[0][chosen].clone())  # [outcome, token, d_model]
    turns = torch.stack([tangents(state) for state in states[0][chosen]])
    return torch.einsum("otd,tde->ote", raw, turns).flatten(1)


@pytest.mark.parametrize("kind", [0, 1])
@pytest.mark.parametrize("layer", [0, 2])
def test_of_a_model_it_is_that_of_the_whole_jacobian(layer, kind):
    bound = Bound(tiny_llava("eager"))
    bound.inputs = prompts(padded=False)
    chosen = token_kinds(bound.inputs, bound.live.anatomy)[kind]
    answers = Answers(bound.live, bound.inputs, None)
    with differentiable(), boundaries(bound.live) as states:
        said = answers.said()
        value, _, _ = top_singular_value(Jacobian.at(layer, said, states[layer][1]).of(chosen), 60)
    slow = slow_jacobian(bound, layer, states[layer][1].detach(), chosen[0])
    assert float(value) == pytest.approx(float(torch.linalg.svdvals(slow)[0]), rel=1e-3)


@pytest.mark.parametrize("layer", [0, 2])
def test_a_small_step_in_the_top_direction_changes_that_much_and_in_no_other_direction_more(bound, layer):
    chosen = token_kinds(bound.inputs, bound.live.anatomy)[0]
    with differentiable(), boundaries(bound.live) as states:
        said = bound.answers.said()
        before, after = states[layer]
        there = Jacobian.at(layer, said, after)
        value, _, top = top_singular_value(there.of(chosen), 40)
        rest = Rest(bound.answers, layer, before, after, said)
        unit = nn.functional.normalize(after.detach(), dim=-1)
        torch.manual_seed(0)
        slopes = []
        for direction in (top, *torch.randn(5, *top.shape)):
            change, turn = rest.turned(unit + 3e-3 * jacobian._unit(direction * chosen[..., None]), chosen)
            slopes.append(change / turn)
    assert slopes[0] == pytest.approx(value, rel=0.02)
    assert all((slope < value).all() for slope in slopes[1:])


def test_the_slope_is_that_of_turning_the_tokens_back_to_where_they_were(bound):
    chosen = token_kinds(bound.inputs, bound.live.anatomy)[0]
    with differentiable(), boundaries(bound.live) as states:
        said = bound.answers.said()
        rest = Rest(bound.answers, 1, *states[1], said)
        change, turn = rest.turned(states[1][0], chosen)
    before, after = (nn.functional.normalize(s.detach(), dim=-1) for s in states[1])
    assert turn == pytest.approx(((before - after) * chosen[..., None]).square().sum((1, 2)).sqrt(), rel=1e-5)
    lengths = states[1][1].detach().norm(dim=-1, keepdim=True)
    with torch.no_grad():
        other = bound.answers.said_with(1, torch.where(chosen[..., None], before * lengths, states[1][1].detach()))
    assert change == pytest.approx((other - said.detach()).norm(dim=1), rel=1e-4)
    assert change.min() > 0


def test_the_model_is_as_before_also_when_it_raises(bound):
    model = bound.live.model
    parameters = list(model.parameters())
    parameters[3].requires_grad_(False)
    wanted = [p.requires_grad for p in parameters]
    kernels = torch.backends.cuda.flash_sdp_enabled(), torch.backends.cuda.math_sdp_enabled()
    for stop in (False, True):
        try:
            with differentiable(), boundaries(bound.live) as states:
                Jacobian.at(0, bound.answers.said(), states[0][1])
                if stop:
                    raise RuntimeError
        except RuntimeError:
            pass
        assert torch.is_grad_enabled()
        assert [p.requires_grad for p in parameters] == wanted
        assert all(p.grad is None for p in parameters)
        assert (torch.backends.cuda.flash_sdp_enabled(), torch.backends.cuda.math_sdp_enabled()) == kernels
        assert all(not layer._forward_hooks for layer in bound.live.anatomy.layers)
    parameters[3].requires_grad_(True)
    assert model.config.text_config._attn_implementation == "sdpa"


def test_a_layer_without_a_derivative_is_named():
    def rounded(hidden, *_, **__):
        return (hidden.detach() / 0.1).round().to(torch.int8) * 0.1

    bound = Bound(planted(layer_2=rounded))
    with differentiable(), boundaries(bound.live) as states:
        said = bound.answers.said()
        with pytest.raises(NoGradientError, match=r"no derivative by the states after layer 0: .*unquantised"):
            Jacobian.at(0, said, states[0][1])
        assert len(states) == NUM_LAYERS
        Jacobian.at(3, said, states[3][1])


@pytest.fixture(scope="module")
def found(session):
    return session.lipschitz(session.examples(TASK, limit=2)[:2], iterations=3)


def test_every_layer_has_a_row_for_vision_and_for_text_and_it_reads_back(found, session):
    assert [(row.layer, row.tokens) for row in found.rows] == [(i, k) for i in range(12) for k in ("vision", "text")]
    assert Lipschitz.from_json(found.to_json()) == found
    assert json.loads(found.to_json())["value"]["outcome"] == "log_probabilities"
    assert len(found.frame) == 24
    assert found.alpha == tuple(row.sigma_max for row in found.of("vision"))
    assert found.beta == tuple(row.sigma_max for row in found.of("text"))
    assert all(row.sigma <= row.sigma_max and row.slope <= row.slope_max and 0 <= row.rise <= 1 for row in found.rows)
    count = len(found.provenance.samples)
    about = f"tiny, 12 layers, own questions, {count} questions, log_probabilities, 3 iterations"
    assert repr(found) == f"Lipschitz({about})"
    with pytest.raises(SettingError, match="tokens is 'first'"):
        found.of("first")


def test_nobody_reads_the_vision_tokens_after_the_last_layer_but_all_read_the_last_text_token(found):
    vision, text = found.of("vision")[-1], found.of("text")[-1]
    assert (vision.sigma, vision.slope) == (0, 0)
    assert text.sigma > 0


def test_batches_do_not_matter_and_a_loss_has_the_slope_of_its_gradient(session):
    together, apart = (
        session.lipschitz(session.examples(TASK, limit=2)[1:3], iterations=2, outcome="loss", batch_size=size)
        for size in (2, 1)
    )
    assert [row.sigma for row in together.rows] == pytest.approx([row.sigma for row in apart.rows], rel=0.01, abs=1e-4)
    assert max(row.rise for row in together.rows) < 1e-3, "one row of a Jacobian is found in one iteration"


def test_what_cannot_be_measured_is_refused(session):
    with pytest.raises(SettingError, match="outcome is 'accuracy', but should be 'log_probabilities' or 'loss'"):
        session.lipschitz(TASK, outcome="accuracy", limit=1)
    with pytest.raises(SettingError, match="iterations is 0"):
        session.lipschitz(TASK, iterations=0, limit=1)
    with pytest.raises(NoExamplesError):
        jacobian.lipschitz(session._open, (), session.provenance, outcome="loss", iterations=1, batch_size=1,
                           tick=no_tick)  # fmt: skip
