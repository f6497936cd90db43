"""How steeply the rest of the network answers to a layer's own step: Lipschitz constants, measured.

f_l maps the states after layer l to the loss of the answer. Skipping the layer gives f_l the states before it, so
its change along the real step costs one more forward pass and no derivative.

Shapes: layer, sample.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from skipit_nb.backend.live.anatomy import Anatomy
from skipit_nb.backend.live.model import Inputs, LiveModel
from skipit_nb.backend.redundancy.geometric import layer_distance, token_kinds
from skipit_nb.backend.tasks.task import Example
from skipit_nb.errors import UnsupportedSkipError
from skipit_nb.jobs import Tick
from skipit_nb.skipset import SkipSet

Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Steps:
    """What every layer does to every question, and what the answer's loss makes of it."""

    distance: Values
    """[layer, sample] Σ over tokens of d: half the squared length of the step, states at length 1."""
    change: Values
    """[layer, sample] loss without the layer - loss with it; NaN where this model cannot skip it whole.
    The loss is 1 - p(first token of the right answer), 0 to 1."""

    def slope(self) -> Values:
        """[layer, sample] |change| / step. Its largest value is a *lower* bound of the Lipschitz constant α."""
        step = np.sqrt(2 * self.distance)
        return np.abs(self.change) / np.where(step > 0, step, np.inf)


def steps(live: LiveModel, examples: Sequence[Example], *, batch_size: int, tick: Tick) -> Steps:
    """Run the model as it is, and once without each layer. The lock is taken per batch."""
    found: list[tuple[Tensor, Tensor]] = []
    for start in range(0, len(examples), batch_size):
        tick(start, len(examples))
        batch = examples[start : start + batch_size]
        inputs = live.inputs([example.image for example in batch], [example.question for example in batch])
        rights = torch.tensor([live.answer_ids(example.answer)[0] for example in batch], device=live.device)
        with live.lock, torch.inference_mode():
            with _turns(live.anatomy, inputs) as distances:
                full = _loss(live, inputs, rights)
            losses = [_loss_without(live, layer, inputs, rights) for layer in range(live.shape.num_layers)]
        found.append((torch.stack(distances).cpu(), torch.stack(losses) - full))
    tick(len(examples), len(examples))
    distance, change = (torch.cat(parts, dim=1).double().numpy() for parts in zip(*found, strict=True))
    return Steps(distance, change)


def _loss(live: LiveModel, inputs: Inputs, rights: Tensor) -> Tensor:
    """[batch] 1 - p(first token of the right answer)."""
    logits = live.model(**inputs, use_cache=False, logits_to_keep=1).logits[:, -1].float()
    right: Tensor = logits.softmax(-1).gather(1, rights.to(logits.device)[:, None])[:, 0]
    return (1 - right).cpu()


def _loss_without(live: LiveModel, layer: int, inputs: Inputs, rights: Tensor) -> Tensor:
    skipset = SkipSet.whole([layer], num_layers=live.shape.num_layers)
    try:
        with live.skipping(skipset):
            return _loss(live, inputs, rights)
    except UnsupportedSkipError:
        return torch.full((len(rights),), torch.nan)


@contextlib.contextmanager
def _turns(anatomy: Anatomy, inputs: Inputs) -> Iterator[list[Tensor]]:
    """Collect [batch] sums of d over the tokens, for every layer of the forward pass inside the block."""
    is_token = token_kinds(inputs, anatomy).any(0)
    found: list[Tensor] = []

    def hook(_: nn.Module, args: tuple[Tensor, ...], out: Tensor | tuple[Tensor, ...]) -> Any:
        distance = layer_distance(args[0], out[0] if isinstance(out, tuple) else out)
        found.append(distance.masked_fill(~is_token.to(distance.device), 0.0).sum(1).cpu())

    with contextlib.ExitStack() as undo:
        for layer in anatomy.layers:
            undo.callback(layer.register_forward_hook(hook).remove)
        yield found
