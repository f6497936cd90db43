"""Attacks raise the loss, stay within ε, leave the model alone, and are refused where there is no gradient."""

import threading
from dataclasses import replace

import pytest
import torch

from skipit_nb import SkipSet
from skipit_nb.backend.live.model import LiveModel
from skipit_nb.backend.robustness import adversarial
from skipit_nb.backend.robustness.adversarial import PIXELS, PixelScale, answer_losses, attacked
from skipit_nb.backend.trie.scores import prefill_batch
from skipit_nb.errors import SettingError
from tests.backend.live.tiny_llava import tiny_llava

TASK = "digits-vqa"
EPSILON = 8 / 255


@pytest.fixture(scope="module")
def batch(session):
    return session.examples(TASK, limit=4)


@pytest.fixture(scope="module")
def live(session):
    return session._open


def prompts_of(live, batch):
    return live.inputs([example.image for example in batch], [example.question for example in batch])


def hooks_of(model):
    return [(*module._forward_hooks, *module._forward_pre_hooks) for module in model.modules()]


def losses(live, batch, pixels):
    answers = [live.answer_ids(example.answer) for example in batch]
    with torch.no_grad():
        return answer_losses(live, prompts_of(live, batch) | {PIXELS: pixels}, answers)


def test_the_processor_itself_says_what_black_and_white_are(live, batch):
    scale = PixelScale.of(live, [example.image for example in batch], [example.question for example in batch])
    assert scale.black.shape == prompts_of(live, batch)[PIXELS].shape
    assert torch.equal(scale.black, torch.full_like(scale.black, -1))  # mean and std of the box are 0.5
    assert torch.equal(scale.white, torch.full_like(scale.white, 1))


@pytest.mark.parametrize("kind", ["fgsm", "pgd"])
@pytest.mark.parametrize("epsilon", [1 / 255, EPSILON, 0.3])
def test_no_value_moves_further_than_epsilon_or_leaves_the_scale(live, batch, kind, epsilon):
    before, after = prompts_of(live, batch)[PIXELS], attacked(live, batch, kind=kind, epsilon=epsilon)
    moved = (after - before).abs() / 2  # from -1..1 to 0..1
    assert moved.max() <= epsilon + 1e-6
    assert moved.max() > 0.9 * epsilon
    assert after.abs().max() <= 1 + 1e-6
    assert after.dtype == before.dtype


def test_one_step_goes_all_the_way_up_or_down(live, batch):
    before, after = prompts_of(live, batch)[PIXELS], attacked(live, batch, kind="fgsm", epsilon=EPSILON)
    inside = (before.abs() < 1 - 2 * EPSILON) & (after != before)
    assert inside.any()
    assert torch.allclose((after - before).abs()[inside] / 2, torch.tensor(EPSILON), atol=1e-6)


def test_attacks_raise_the_loss_and_ten_steps_raise_it_more_than_noise_of_that_size(live, batch):
    before = prompts_of(live, batch)[PIXELS]
    noise = EPSILON * 2 * torch.randn(before.shape, generator=torch.Generator().manual_seed(0)).sign()
    clean = losses(live, batch, before).mean()
    of_noise = losses(live, batch, (before + noise).clamp(-1, 1)).mean()
    fgsm, pgd = (losses(live, batch, attacked(live, batch, kind=kind, epsilon=EPSILON)) for kind in ("fgsm", "pgd"))
    assert fgsm.mean() > clean
    assert fgsm.mean() > of_noise
    assert pgd.mean() > of_noise
    assert pgd.mean() > fgsm.mean()


def test_the_slope_is_what_small_differences_say(live, batch):
    prompts, answers = prompts_of(live, batch), [live.answer_ids(example.answer) for example in batch]
    with torch.enable_grad():
        slope = adversarial._slope(live, prompts, prompts[PIXELS], answers, "fgsm")
    for at in slope[0].abs().flatten().topk(3).indices.tolist():
        step = torch.zeros_like(prompts[PIXELS])
        step[0].view(-1)[at] = 1e-2
        up, down = (losses(live, batch, prompts[PIXELS] + sign * step)[0] for sign in (1, -1))
        assert float((up - down) / 2e-2) == pytest.approx(float(slope[0].view(-1)[at]), rel=0.05)


def test_the_loss_of_an_answer_is_its_log_likelihood_in_a_sweep(live, batch):
    empty = SkipSet.none(num_layers=live.shape.num_layers)
    found = [row.log_likelihoods[0] for row in prefill_batch(live, batch, skipsets=[empty])]
    assert (-losses(live, batch, prompts_of(live, batch)[PIXELS])).tolist() == pytest.approx(found, abs=1e-4)


def test_a_question_is_attacked_alike_alone_and_in_a_batch(live, batch):
    together, alone = (attacked(live, asked, kind="fgsm", epsilon=EPSILON)[:1] for asked in (batch, batch[:1]))
    assert (together == alone).float().mean() > 0.99  # a slope of about 0 may have either sign


@pytest.mark.parametrize("kind", ["fgsm", "pgd"])
def test_epsilon_zero_moves_nothing(live, batch, kind):
    assert torch.equal(attacked(live, batch, kind=kind, epsilon=0.0), prompts_of(live, batch)[PIXELS])


def test_the_model_is_as_before(session, live, batch):
    model = session.model
    weights = {name: value.clone() for name, value in model.state_dict().items()}
    held = next(model.parameters())
    losses(live, batch, prompts_of(live, batch)[PIXELS])  # transformers puts hooks of its own on at the first pass
    modes, hooks = [module.training for module in model.modules()], hooks_of(model)
    held.requires_grad_(False)
    other = list(model.parameters())[-1]
    other.grad = kept = torch.ones_like(other)
    try:
        attacked(live, batch, kind="pgd", epsilon=EPSILON)
        assert other.grad is kept
        assert torch.equal(kept, torch.ones_like(kept))
        assert [p.requires_grad for p in model.parameters()].count(False) == 1
    finally:
        held.requires_grad_(True)
        other.grad = None
    assert all(parameter.grad is None for parameter in model.parameters())
    assert [module.training for module in model.modules()] == modes
    assert all(torch.equal(weights[name], value) for name, value in model.state_dict().items())
    assert hooks_of(model) == hooks


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_it_works_for_a_caller_who_wants_no_gradients(live, batch, mode):
    with mode():
        inside = attacked(live, batch, kind="fgsm", epsilon=EPSILON)
    assert torch.equal(inside, attacked(live, batch, kind="fgsm", epsilon=EPSILON))
    assert not inside.requires_grad


def test_it_waits_for_the_model(live, batch):
    ended = threading.Event()

    def attack():
        attacked(live, batch[:1], kind="fgsm", epsilon=EPSILON)
        ended.set()

    with live.lock:
        thread = threading.Thread(target=attack)
        thread.start()
        assert not ended.wait(0.5)
    assert ended.wait(30)
    thread.join()


def test_padding_and_what_a_processor_overshoots_stay_where_they_are():
    scale = PixelScale(black=torch.tensor([-1.0, 0.0, -1.0, -1.0]), white=torch.tensor([1.0, 0.0, 1.0, 1.0]))
    start = torch.tensor([0.0, 0.0, 1.02, -0.99])
    assert scale.moved(start + 5, start, 0.1).tolist() == pytest.approx([0.2, 0.0, 1.02, -0.79])
    assert scale.moved(start - 5, start, 0.1).tolist() == pytest.approx([-0.2, 0.0, 0.82, -1.0])


def test_a_model_outside_memory_is_refused(batch):
    with torch.device("meta"):
        model = tiny_llava()
    live = LiveModel(model, None, name="somewhere else", revision="")
    with pytest.raises(SettingError, match=r"perturbations is 'pgd'.* meta device.* noise, blur and occlusion"):
        attacked(live, batch, kind="pgd", epsilon=EPSILON)


def test_a_model_that_lets_no_gradient_through_is_refused(session, live, batch):
    with (
        session.model.model.multi_modal_projector.register_forward_hook(lambda _, args, out: out.detach()),
        pytest.raises(SettingError, match=r"perturbations is 'fgsm'.* no gradient comes back to the image"),
    ):
        attacked(live, batch, kind="fgsm", epsilon=EPSILON)


def test_a_gradient_that_is_no_number_is_refused(session, live, batch):
    def endless(_, args, out):
        return out * torch.inf

    with (
        session.model.model.multi_modal_projector.register_forward_hook(endless),
        pytest.raises(SettingError, match="its gradient is NaN or infinite"),
    ):
        attacked(live, batch, kind="fgsm", epsilon=EPSILON)


def test_questions_without_pixels_are_refused(live, batch):
    with pytest.raises(SettingError, match="gives no pixel_values"):
        attacked(live, [replace(batch[0], loader=lambda: None)], kind="fgsm", epsilon=EPSILON)
