"""How steeply the rest of the network can answer: the top singular value of its Jacobian, by power iteration.

f_l maps the directions of the tokens' states after layer l, their lengths held, to what the model says next. J and its
transpose are applied, never built.

Shapes:
    batch    samples
    seq      positions, padding included
    outcome  the vocabulary for log-probabilities, 1 for the loss
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from skipit_nb.backend.live.model import LiveModel
from skipit_nb.backend.redundancy.geometric import token_kinds
from skipit_nb.backend.redundancy.rest_of_network import Answers, Rest, blind_spots, boundaries, differentiable, moved
from skipit_nb.backend.tasks.task import Example
from skipit_nb.errors import NoExamplesError, NoGradientError, SettingError
from skipit_nb.jobs import Tick, stop_if_cancelled
from skipit_nb.results import Lipschitz, LipschitzRow, Provenance

OUTCOMES = ("log_probabilities", "loss")
KINDS = ("vision", "text")
TINY = 1e-30


def lipschitz(
    live: LiveModel,
    examples: Sequence[Example],
    provenance: Provenance,
    *,
    outcome: str,
    iterations: int,
    batch_size: int,
    tick: Tick,
) -> Lipschitz:
    """Measure every layer's rest of the network, for vision and for text tokens. The lock is taken per batch.

    Parameters keep their `requires_grad` and `grad`; the attention kernels are as before afterwards.

    Raises:
        NoExamplesError: If there are no examples.
        SettingError: If the outcome is unknown, or there is no iteration.
        NoGradientError: If autograd cannot differentiate the model twice.
    """
    if not examples:
        raise NoExamplesError("a Lipschitz constant")
    if outcome not in OUTCOMES:
        raise SettingError("outcome", outcome, " or ".join(map(repr, OUTCOMES)))
    if iterations < 1:
        raise SettingError("iterations", iterations, "at least 1")
    found: dict[tuple[int, str], list[Tensor]] = {}
    for start in range(0, len(examples), batch_size):
        batch = examples[start : start + batch_size]
        answers = Answers.to(live, batch, outcome)
        with live.lock, differentiable(), boundaries(live) as states, blind_spots(live) as unseen:
            said = answers.said()
            if unseen:
                raise unseen[0]
            for layer, (before, after) in enumerate(states):
                tick(start * len(states) + layer * len(batch), len(examples) * len(states))
                rest, there = Rest(answers, layer, before, after, said), Jacobian.at(layer, said, after)
                for kind, chosen in zip(KINDS, token_kinds(answers.inputs, live.anatomy), strict=False):
                    found.setdefault((layer, kind), []).append(_measured(rest, there.of(chosen), iterations))
    tick(len(examples) * live.shape.num_layers, len(examples) * live.shape.num_layers)
    rows = (_row(layer, kind, torch.cat(parts)) for (layer, kind), parts in found.items())
    return Lipschitz(provenance, outcome, iterations, tuple(row for row in rows if row is not None))


def _row(layer: int, kind: str, measured: Tensor) -> LipschitzRow | None:
    """[sample, (sigma, slope, rise)], NaN where a sample has no such token."""
    sigma, slope, rise = measured[~measured.isnan().any(1)].double().cpu().unbind(1)
    if not len(sigma):
        return None
    return LipschitzRow(
        layer, kind, float(sigma.mean()), float(sigma.max()), float(slope.mean()), float(slope.max()), float(rise.max())
    )


def _measured(rest: Rest, jacobian: Jacobian, iterations: int) -> Tensor:
    """[batch, (sigma, slope, rise)]; NaN for samples without such tokens."""
    chosen = jacobian.chosen
    sigma, rise, _ = top_singular_value(jacobian, iterations)
    change, turn = rest.turned(rest.before, chosen)
    slope = torch.where(turn > 0, change / turn.clamp_min(TINY), 0.0)
    found = torch.stack([sigma, slope, rise], dim=1)
    return found.masked_fill(~chosen.any(1, keepdim=True).to(found.device), torch.nan)


@dataclass(frozen=True, slots=True)
class Jacobian:
    """J of the outcome by the directions of chosen tokens' states, one a sample: two products, no matrix.

    What would change a state's length does not count: see `moved`.
    """

    outcome: Tensor
    """[batch, outcome], a differentiable function of `states`."""
    states: Tensor
    """[batch, seq, d_model]"""
    chosen: Tensor
    """[batch, seq] bool; all by default."""
    _cotangent: Tensor = field(repr=False)
    _pulled: Tensor = field(repr=False)
    """Jᵀ of `_cotangent`, in which it is linear: its own derivative is J."""

    @classmethod
    def at(cls, layer: int, outcome: Tensor, states: Tensor) -> Jacobian:
        """Prepare the products for all tokens' states after a layer.

        Raises:
            NoGradientError: If autograd cannot differentiate twice.
        """
        cotangent = torch.zeros_like(outcome, requires_grad=True)
        try:
            (pulled,) = torch.autograd.grad(outcome, states, cotangent, create_graph=True)
            torch.autograd.grad(pulled, cotangent, torch.zeros_like(pulled), retain_graph=True)
        except torch.OutOfMemoryError:
            raise
        except RuntimeError as error:
            raise NoGradientError(layer, str(error).splitlines()[0].rstrip(".")) from error
        everything = torch.ones(states.shape[:2], dtype=torch.bool, device=states.device)
        return cls(outcome, states, everything, cotangent, pulled)

    def of(self, chosen: Tensor) -> Jacobian:
        """The same for some of the tokens: [batch, seq] bool."""
        return replace(self, chosen=chosen.to(self.states.device))

    def push(self, turn: Tensor) -> Tensor:
        """J t: [batch, seq, d_model] -> [batch, outcome]."""
        stop_if_cancelled()  # a product is a pass through the network, and calls no layer
        (found,) = torch.autograd.grad(
            self._pulled,
            self._cotangent,
            moved(self.states, turn, self.chosen).to(self._pulled.dtype),
            retain_graph=True,
        )
        return found

    def pull(self, change: Tensor) -> Tensor:
        """Jᵀ v: [batch, outcome] -> [batch, seq, d_model]."""
        stop_if_cancelled()  # a product is a pass through the network, and calls no layer
        (found,) = torch.autograd.grad(self.outcome, self.states, change, retain_graph=True)
        return moved(self.states, found, self.chosen)


def top_singular_value(jacobian: Jacobian, iterations: int, seed: int = 0) -> tuple[Tensor, Tensor, Tensor]:
    """Power iteration on Jᵀ J, every sample by itself: never above the top singular value.

    Returns:
        The value [batch]; its relative rise in the last iteration [batch], 0 to 1; the direction it is attained in
        [batch, seq, d_model], of length 1 (of length 0 where J is 0).
    """
    random = torch.Generator().manual_seed(seed)
    change = torch.randn(jacobian.outcome.shape, generator=random).to(jacobian.outcome)
    value = torch.zeros(len(change), device=change.device)
    for _ in range(iterations):
        direction = _unit(jacobian.pull(_unit(change)))
        change = jacobian.push(direction)
        earlier, value = value, change.flatten(1).norm(dim=1)
    return value, (1 - earlier / value.clamp_min(TINY)).clamp(0, 1) * (value > 0), direction


def _unit(vectors: Tensor) -> Tensor:
    """Length 1 over all but the first axis; 0 stays 0."""
    length = vectors.flatten(1).norm(dim=1).clamp_min(TINY)
    found: Tensor = vectors / length.reshape(-1, *[1] * (vectors.dim() - 1))
    return found
