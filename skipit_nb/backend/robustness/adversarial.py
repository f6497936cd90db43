"""Small changes of the pixels that the model itself points to: FGSM in one step, PGD in ten.

Attacks are made against the full model. No value of the image, on a scale from 0 to 1, moves further than ε, and none
leaves that scale.

Shapes:
    batch   questions
    row     positions whose logits predict the answer
    pixels  `pixel_values`, in whatever layout the family has
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from skipit_nb.backend.live.images import as_images
from skipit_nb.backend.live.model import Inputs, LiveModel
from skipit_nb.backend.tasks.task import Example
from skipit_nb.backend.trie.logits import last_logits
from skipit_nb.backend.trie.scores import with_answers
from skipit_nb.errors import SettingError

STEPS = {"fgsm": 1, "pgd": 10}
"""Kind → steps of the attack."""

REACH = 2.5
"""All steps of PGD together could go this many ε: enough to come to any corner of the ball, and back."""

PIXELS = "pixel_values"
BLACK, WHITE = (0, 0, 0), (255, 255, 255)
OTHERS = "noise, blur and occlusion, which need no gradient"

Answers = Sequence[tuple[int, ...]]
"""The tokens of each question's right answer."""


@dataclass(frozen=True, slots=True)
class PixelScale:
    """What the model's own processor makes of black and of white, value by value.

    So ε is converted by the processor itself, whatever its mean, its scale and its layout; a value that is the same
    for black and white is padding, and is left alone.
    """

    black: Tensor
    """[pixels] float32."""
    white: Tensor

    @classmethod
    def of(cls, live: LiveModel, images: Sequence[Any], questions: Sequence[str]) -> PixelScale:
        """Ask the processor.

        Args:
            live: The model.
            images: As `LiveModel.inputs` takes them; their sizes count.
            questions: One an entry.
        """
        sizes = [[image.size for image in as_images(given)] for given in images]
        of_color = [
            live.inputs([[Image.new("RGB", size, color) for size in own] for own in sizes], questions)[PIXELS].float()
            for color in (BLACK, WHITE)
        ]
        return cls(*of_color)

    def moved(self, pixels: Tensor, start: Tensor, epsilon: float) -> Tensor:
        """`pixels`, brought back to within ε of `start` and between black and white."""
        reach = epsilon * (self.white - self.black).abs()
        least, most = torch.minimum(self.black, self.white), torch.maximum(self.black, self.white)
        # A processor may overshoot black or white a little: what is outside already may stay where it is.
        low, high = (start - reach).maximum(least.minimum(start)), (start + reach).minimum(most.maximum(start))
        return pixels.maximum(low).minimum(high)


def attacked(live: LiveModel, batch: Sequence[Example], *, kind: str, epsilon: float) -> Tensor:
    """The pixels of a batch, moved so that the full model finds the right answers less likely.

        x ← clip(x + step · sign ∂loss/∂x)    step: ε (FGSM), 2.5 ε / 10 (PGD)

    PGD starts from the image itself, so that the same question gives the same attack. The model is held meanwhile and
    not changed: its weights, their `requires_grad` and `grad`, and its mode stay as they are.

    Args:
        live: The model.
        batch: Questions about images.
        kind: "fgsm" or "pgd".
        epsilon: The most that a value from 0 to 1 may move; 0 gives the pixels as they are.

    Returns:
        `pixel_values` in the model's number format.

    Raises:
        SettingError: If no gradient comes back to the image.
    """
    _refuse_meta(live, kind)
    steps = STEPS[kind]
    images, questions = [example.image for example in batch], [example.question for example in batch]
    answers = [live.answer_ids(example.answer) for example in batch]
    # Also for a caller in inference mode, whose tensors no gradient would pass.
    with torch.inference_mode(mode=False), torch.enable_grad():
        prompts = live.inputs(images, questions)
        _refuse_without_pixels(prompts, kind)
        scale = PixelScale.of(live, images, questions)
        start = prompts[PIXELS].float()
        size = epsilon * (scale.white - scale.black).abs() * (REACH / steps if steps > 1 else 1.0)
        pixels = start
        for _ in range(steps):
            with live.lock:
                slope = _slope(live, prompts, pixels, answers, kind)
            pixels = scale.moved(pixels + size * slope.sign(), start, epsilon)
        return pixels.to(prompts[PIXELS].dtype)


def answer_losses(live: LiveModel, prompts: Inputs, answers: Answers) -> Tensor:
    """-log p(right answer) of every question, in nats, summed over its tokens: [batch] float32, with a gradient.

    Where a family reads its prompt in both directions, the first token stands for the answer. Call it with the lock
    held.
    """
    leaks = live.anatomy.reads_both_ways
    asked = [answer[:1] if leaks else answer for answer in answers]
    longest = max(map(len, asked))
    inputs = prompts if leaks else with_answers(prompts, asked)
    logs = last_logits(live, inputs, longest + (not leaks))[:, :longest].float().log_softmax(-1)
    wanted = torch.tensor([(answer + answer[-1:] * longest)[:longest] for answer in asked], device=logs.device)
    is_answer = torch.arange(longest) < torch.tensor([len(answer) for answer in asked])[:, None]
    given = logs.gather(2, wanted[..., None])[..., 0]
    return -given.masked_fill(~is_answer.to(logs.device), 0.0).sum(1)


def refuse_without_gradient(live: LiveModel, example: Example, kind: str) -> None:
    """Try an attack on one question, before anything long begins.

    Raises:
        SettingError: If no gradient comes back to the image.
    """
    attacked(live, [example], kind=kind, epsilon=0.0)


def _slope(live: LiveModel, prompts: Inputs, pixels: Tensor, answers: Answers, kind: str) -> Tensor:
    """∂loss/∂pixels: [pixels] float32. Nothing is accumulated in the model's parameters."""
    leaf = pixels.detach().requires_grad_()
    inputs = prompts | {PIXELS: leaf.to(prompts[PIXELS].dtype)}
    try:
        loss = answer_losses(live, inputs, answers).sum()
        (slope,) = torch.autograd.grad(loss, leaf)
    except torch.OutOfMemoryError:
        raise
    except RuntimeError as error:
        raise _refusal(kind, "no gradient comes back to the image") from error
    if not slope.isfinite().all():
        raise _refusal(kind, "its gradient is NaN or infinite")
    return slope


def _refuse_meta(live: LiveModel, kind: str) -> None:
    if any(parameter.is_meta for parameter in live.model.parameters()):
        raise _refusal(kind, "some of its weights are on the meta device, outside memory")


def _refuse_without_pixels(prompts: Inputs, kind: str) -> None:
    if PIXELS not in prompts or not prompts[PIXELS].is_floating_point():
        raise _refusal(kind, f"its processor gives no {PIXELS} that could be moved a little")


def _refusal(kind: str, why: str) -> SettingError:
    return SettingError("perturbations", kind, f"one that this model allows: {why}. Take {OTHERS}")
