"""Is a draft the skipped model? Asked of the model that transformers builds of it, before anything is written.

Two models are built on the live model's own tensors: one of its own configuration, run under the skip set, and one of
the draft. They must have the same tensors and settings in every layer that stays, and answer a prompt alike, bit for
bit. The live model itself is not run.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from itertools import chain
from typing import Any

import torch
from huggingface_hub.errors import StrictDataclassError
from torch import Tensor, nn
from transformers import PreTrainedModel

from skipit_nb.backend.export.draft import Draft, whole_draft
from skipit_nb.backend.export.shell import build, fill, fitted
from skipit_nb.backend.live.anatomy import anatomy_of
from skipit_nb.backend.live.model import Inputs
from skipit_nb.backend.live.skipping import skipping
from skipit_nb.skipset import SkipSet

CANNOT_BE = (
    AttributeError, IndexError, KeyError, RuntimeError, StrictDataclassError, TypeError, ValueError,
)  # fmt: skip
"""What transformers raises of a configuration that it cannot build or run."""

TRIAL_TOKENS = 2
"""One from the prompt, one from the cache."""


class NotTheSameError(Exception):
    """The draft is another model than the skipped one; the message says in what."""


def proven(model: PreTrainedModel, draft: Draft, skipset: SkipSet, prompt: Inputs) -> tuple[Draft, str]:
    """The draft with weights that fit it, if it is the skipped model, and what has been seen of it.

    Raises:
        NotTheSameError: With the first difference found.
    """
    whole = whole_draft(model, anatomy_of(model))
    try:
        reference, shell = build(model, whole), build(model, draft)
        weights = fitted(draft, shell)
        for difference in chain(_other_tensors(weights, shell), _other_settings(reference, shell, draft.kept)):
            raise NotTheSameError(difference)
        seen = "its layers are those of the skipped model"
        if len({tensor.device for tensor in weights.values()}) == 1:  # spread over devices, it would not run
            fill(reference, whole.weights, whole.buffers)
            fill(shell, weights, draft.buffers)
            _compare_answers(reference, shell, skipset, prompt)
            seen += f", and on a trial prompt {_kind(prompt)} its logits are too, bit for bit"
    except CANNOT_BE as error:
        why = str(error).partition("\n")[0]
        raise NotTheSameError(f"transformers cannot build or run that model ({type(error).__name__}: {why})") from error
    return dataclasses.replace(draft, weights=weights), seen


def _has_image(prompt: Inputs) -> bool:
    return any("pixel" in name for name in prompt)


def _kind(prompt: Inputs) -> str:
    return "with an image" if _has_image(prompt) else "of text (a session without a processor)"


def _other_tensors(weights: dict[str, Tensor], shell: PreTrainedModel) -> Iterator[str]:
    expected = {name: tensor.shape for name, tensor in shell.state_dict().items()}
    for name in sorted(weights.keys() ^ expected.keys()):
        yield f"tensor {name} would be {'missing' if name in expected else 'one too many'}"
    for name in sorted(weights.keys() & expected.keys()):
        if weights[name].shape != expected[name]:
            yield f"tensor {name} would be {[*expected[name]]} and not {[*weights[name].shape]}"


def _other_settings(reference: PreTrainedModel, shell: PreTrainedModel, kept: tuple[int, ...]) -> Iterator[str]:
    """Numbers and names that a layer would hold at its new place and did not at its old one, such as a window."""
    old, new = anatomy_of(reference).layers, anatomy_of(shell).layers
    for place, layer in enumerate(kept):
        before, after = _settings(old[layer]), _settings(new[place])
        for name in sorted(before.keys() | after.keys()):
            values = before.get(name), after.get(name)
            if values[0] != values[1] and values != (layer, place):
                yield f"layer {layer} would have {name} {values[1]!r} instead of {values[0]!r} at place {place}"


def _settings(layer: nn.Module) -> dict[str, Any]:
    plain = (bool, int, float, str, type(None))
    return {
        f"{module_name}.{name}".lstrip("."): value
        for module_name, module in layer.named_modules()
        for name, value in (vars(module) | {"class": type(module).__name__}).items()
        if isinstance(value, plain)
    }


@torch.inference_mode()
def _compare_answers(reference: PreTrainedModel, shell: PreTrainedModel, skipset: SkipSet, prompt: Inputs) -> None:
    with skipping(reference, anatomy_of(reference), skipset):
        expected = _logits(reference, prompt)
    given = _logits(shell, prompt)
    if not torch.equal(expected, given):
        distance = (expected.float() - given.float()).abs().max().item()
        raise NotTheSameError(f"on a trial prompt its logits differ from the skipped model's by up to {distance:.2g}")


def _logits(model: PreTrainedModel, prompt: Inputs) -> Tensor:
    """[batch, token, vocab]: greedy, of the prompt and of one step with the cache."""
    out = _speaker(model, prompt).generate(
        **prompt,
        max_new_tokens=TRIAL_TOKENS,
        min_new_tokens=TRIAL_TOKENS,
        do_sample=False,
        num_beams=1,
        return_dict_in_generate=True,
        output_logits=True,
    )
    logits: Tensor = torch.stack(out.logits, dim=1)
    return logits


def _speaker(model: PreTrainedModel, prompt: Inputs) -> PreTrainedModel:
    """Who answers: the model, or the language model inside it where the prompt brings no image and it must have one."""
    if _has_image(prompt):
        return model
    decoder = anatomy_of(model).decoder
    holders = (m for m in model.modules() if any(part is decoder for part in m.modules()))
    return [holder for holder in holders if isinstance(holder, PreTrainedModel) and holder.can_generate()][-1]
