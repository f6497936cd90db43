"""α and β: how steeply the loss answers to a turn of the vision tokens, and of the text tokens, at every layer.

h(x, y) is the loss of the rest of the network as a function of two arguments, the directions of the vision tokens'
and of the text tokens' states. Each constant is seen from below in two ways: by the gradient, which for a loss (one
number) is the whole Jacobian, so that its length is the top singular value; and along the layer's own step.

Shapes:
    kind    `KINDS`: vision, text
    layer   num_layers
    sample  questions
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from skipit_nb.backend.live.model import LiveModel
from skipit_nb.backend.redundancy.geometric import token_kinds
from skipit_nb.backend.redundancy.jacobian import KINDS
from skipit_nb.backend.redundancy.rest_of_network import Answers, Rest, blind_spots, boundaries, differentiable, moved
from skipit_nb.backend.tasks.task import Example
from skipit_nb.errors import NoGradientError
from skipit_nb.jobs import Tick, stop_if_cancelled

Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Slopes:
    """Slopes of the loss at some questions, 0 or more. Their largest are lower bounds of α and of β."""

    along: Values
    """[kind, layer, sample] |change| / turn, with that kind of token turned back to before the layer; 0 where it turns
    nothing."""
    steepest: Values
    """[kind, layer, sample] length of the gradient by the directions; empty, [kind, layer, 0], without derivatives."""
    why_not: str = ""
    """Why there are no derivatives."""


@dataclass(frozen=True, slots=True)
class Turns:
    """What the layers' own steps do at other questions."""

    turn: Values
    """[kind, layer, sample] ‖u - u'‖ over all tokens of that kind, states at length 1."""
    change: Values
    """[layer, sample] |h(x, y) - h(x', y')|, both kinds of token turned back; 0 to 1."""


def slopes(live: LiveModel, examples: Sequence[Example], *, batch_size: int, tick: Tick) -> Slopes:
    """Measure both slopes of both arguments: one derivative a batch, two forward passes a layer."""
    why_not = ""

    def of(rests: Sequence[Rest], kinds: Tensor, unseen: Sequence[NoGradientError]) -> tuple[Tensor, Tensor]:
        nonlocal why_not
        steepest = torch.empty(len(KINDS), len(rests), 0)
        try:
            steepest = steepest if why_not else _gradients(rests, kinds, unseen)
        except NoGradientError as error:
            why_not = str(error)
        return torch.stack([torch.stack([_along(rest, chosen) for rest in rests]) for chosen in kinds]), steepest

    along, steepest = _over(live, examples, of, batch_size, tick)
    return Slopes(along, steepest[..., :0] if why_not else steepest, why_not)


def turns(live: LiveModel, examples: Sequence[Example], *, batch_size: int, tick: Tick) -> Turns:
    """Turn both kinds of token back to where they were before each layer: one forward pass a layer."""

    def of(rests: Sequence[Rest], kinds: Tensor, _: object) -> tuple[Tensor, Tensor]:
        both = [rest.turned(rest.before, kinds.any(0))[0] for rest in rests]
        return torch.stack([torch.stack([rest.turn(rest.before, c) for rest in rests]) for c in kinds]), torch.stack(
            both
        )

    turn, change = _over(live, examples, of, batch_size, tick)
    return Turns(turn, change)


Measure = Callable[[Sequence[Rest], Tensor, Sequence[NoGradientError]], tuple[Tensor, Tensor]]
"""From every layer's rest of the network, which tokens are of which kind, [kind, batch, seq], and where autograd does
not see."""


def _over(
    live: LiveModel, examples: Sequence[Example], measure: Measure, batch_size: int, tick: Tick
) -> tuple[Values, Values]:
    """Both parts of `measure` over all batches, joined along the last axis. The lock is taken per batch."""
    found: list[tuple[Tensor, Tensor]] = []
    for start in range(0, len(examples), batch_size):
        tick(start, len(examples))
        answers = Answers.to(live, examples[start : start + batch_size], "loss")
        with live.lock, differentiable(), boundaries(live) as states, blind_spots(live) as unseen:
            said = answers.said()
            rests = [Rest(answers, layer, *pair, said) for layer, pair in enumerate(states)]
            first, second = measure(rests, token_kinds(answers.inputs, live.anatomy)[: len(KINDS)], unseen)
            found.append((first.detach().cpu(), second.detach().cpu()))
    tick(len(examples), len(examples))
    joined = (torch.cat(parts, dim=-1).double().numpy() for parts in zip(*found, strict=True))
    first_values, second_values = joined
    return first_values, second_values


def _along(rest: Rest, chosen: Tensor) -> Tensor:
    """[batch] |change| / turn along the layer's own step; 0 where nothing turns."""
    stop_if_cancelled()
    change, turn = rest.turned(rest.before, chosen)
    return torch.where(turn > 0, change / torch.where(turn > 0, turn, 1), 0).cpu()


def _gradients(rests: Sequence[Rest], kinds: Tensor, unseen: Sequence[NoGradientError]) -> Tensor:
    """[kind, layer, batch] lengths of the gradient by directions, of all layers from one backward pass.

    Raises:
        NoGradientError: If a layer has no derivative, or not that of the network.
    """
    if unseen:
        raise unseen[0]
    try:
        found = torch.autograd.grad(rests[0].said.sum(), [rest.after for rest in rests], allow_unused=True)
    except torch.OutOfMemoryError:
        raise
    except RuntimeError as error:
        raise NoGradientError(0, str(error).splitlines()[0].rstrip(".")) from error
    lengths = [
        [_length(rest, gradient, chosen) for rest, gradient in zip(rests, found, strict=True)] for chosen in kinds
    ]
    return torch.stack([torch.stack(of_kind) for of_kind in lengths])


def _length(rest: Rest, gradient: Tensor | None, chosen: Tensor) -> Tensor:
    if gradient is None:
        raise NoGradientError(rest.layer, "the answer does not depend on them in a way that autograd sees")
    length: Tensor = moved(rest.after, gradient, chosen.to(gradient.device)).flatten(1).norm(dim=1)
    return length.cpu()
