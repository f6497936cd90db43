"""How steeply the rest of the network can answer: the top singular value of its Jacobian, by power iteration.

f_l maps the directions of the tokens' states after layer l, their lengths held, to what the model says next. One
forward pass gives the graph of every f_l; J and its transpose are applied, never built.

Shapes:
    batch    samples
    seq      positions, padding included
    outcome  the vocabulary for log-probabilities, 1 for the loss
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from skipit_nb.backend.live.model import Inputs, LiveModel
from skipit_nb.backend.live.uncompiled import uncompiled
from skipit_nb.backend.redundancy.geometric import token_kinds
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
        answers = _Answers.of(live, batch, outcome)
        with live.lock, differentiable(), boundaries(live) as states:
            said = answers.said()
            for layer, (before, after) in enumerate(states):
                tick(start * len(states) + layer * len(batch), len(examples) * len(states))
                rest = _Rest(answers, layer, before, after, said, Jacobian.at(layer, said, after))
                for kind, chosen in zip(KINDS, token_kinds(answers.inputs, live.anatomy), strict=False):
                    found.setdefault((layer, kind), []).append(_measured(rest, chosen, iterations))
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


@dataclass(frozen=True, slots=True)
class _Answers:
    """What the model says to one batch of questions."""

    live: LiveModel
    inputs: Inputs
    rights: Tensor | None
    """[batch] first token of the right answer, if the loss is asked for."""

    @classmethod
    def of(cls, live: LiveModel, batch: Sequence[Example], outcome: str) -> _Answers:
        inputs = live.inputs([example.image for example in batch], [example.question for example in batch])
        rights = [live.answer_ids(example.answer)[0] for example in batch] if outcome == "loss" else None
        return cls(live, inputs, None if rights is None else torch.tensor(rights, device=live.device))

    def said(self) -> Tensor:
        """[batch, outcome] of one forward pass, in float32."""
        logits: Tensor = self.live.model(**self.inputs, use_cache=False, logits_to_keep=1).logits[:, -1].float()
        if self.rights is None:
            return logits.log_softmax(-1)
        right: Tensor = logits.softmax(-1).gather(1, self.rights.to(logits.device)[:, None])
        return 1 - right

    def said_with(self, layer: int, states: Tensor) -> Tensor:
        """[batch, outcome] with other states [batch, seq, d_model] after a layer."""

        def hook(_: nn.Module, __: object, out: Tensor | tuple[Tensor, ...]) -> Tensor | tuple[Tensor, ...]:
            return (states, *out[1:]) if isinstance(out, tuple) else states

        with contextlib.ExitStack() as undo, torch.no_grad():
            undo.callback(self.live.anatomy.layers[layer].register_forward_hook(hook).remove)
            return self.said()


@contextlib.contextmanager
def differentiable() -> Iterator[None]:
    """Attention by kernels that autograd can differentiate twice; the fused ones cannot."""
    with torch.inference_mode(mode=False), sdpa_kernel(SDPBackend.MATH), uncompiled():
        yield


@contextlib.contextmanager
def boundaries(live: LiveModel) -> Iterator[list[tuple[Tensor, Tensor]]]:
    """Collect the states before and after every layer of the first forward pass inside the block.

    Those after are in one graph, which starts after layer 0: what comes before, the vision tower too, has none.
    """
    found: list[tuple[Tensor, Tensor]] = []

    def hook(_: nn.Module, args: tuple[Tensor, ...], out: Tensor | tuple[Tensor, ...]) -> Tensor | tuple[Tensor, ...]:
        states = out[0] if isinstance(out, tuple) else out
        if not found:
            torch.set_grad_enabled(True)  # until the block ends
            states = states.detach().requires_grad_()
        if len(found) < live.shape.num_layers:
            found.append((args[0].detach(), states))
        return (states, *out[1:]) if isinstance(out, tuple) else states

    with contextlib.ExitStack() as undo, torch.no_grad():
        for layer in live.anatomy.layers:
            undo.callback(layer.register_forward_hook(hook).remove)
        yield found


@dataclass(frozen=True, slots=True)
class _Rest:
    """f_l at one batch."""

    answers: _Answers
    layer: int
    before: Tensor
    """[batch, seq, d_model]"""
    after: Tensor
    """[batch, seq, d_model], in the graph of `said`."""
    said: Tensor
    """[batch, outcome]"""
    jacobian: Jacobian

    def turned(self, towards: Tensor, chosen: Tensor) -> tuple[Tensor, Tensor]:
        """Turn the chosen tokens' states to other directions: change of the outcome, and the turn, both [batch]."""
        state = self.after.detach().float()
        there, here = nn.functional.normalize(towards.float(), dim=-1), nn.functional.normalize(state, dim=-1)
        other = torch.where(chosen[..., None], there * state.norm(dim=-1, keepdim=True), state)
        change = self.answers.said_with(self.layer, other.to(self.after.dtype)) - self.said.detach()
        turn = ((there - here) * chosen[..., None]).flatten(1).norm(dim=1)
        return change.norm(dim=1), turn.to(change.device)


def _measured(rest: _Rest, chosen: Tensor, iterations: int) -> Tensor:
    """[batch, (sigma, slope, rise)]; NaN for samples without such tokens."""
    chosen = chosen.to(rest.after.device)
    sigma, rise, _ = top_singular_value(rest.jacobian.of(chosen), iterations)
    change, turn = rest.turned(rest.before, chosen)
    slope = torch.where(turn > 0, change / turn.clamp_min(TINY), 0.0)
    found = torch.stack([sigma, slope, rise], dim=1)
    return found.masked_fill(~chosen.any(1, keepdim=True).to(found.device), torch.nan)


@dataclass(frozen=True, slots=True)
class Jacobian:
    """J of the outcome by the directions of chosen tokens' states, one a sample: two products, no matrix.

    A state x of length r turns by dx = r (t - u ⟨u, t⟩), u = x / r: what would change its length does not count.
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
        return replace(self, chosen=chosen)

    def push(self, turn: Tensor) -> Tensor:
        """J t: [batch, seq, d_model] -> [batch, outcome]."""
        stop_if_cancelled()  # a product is a pass through the network, and calls no layer
        (found,) = torch.autograd.grad(
            self._pulled, self._cotangent, self._moved(turn).to(self._pulled.dtype), retain_graph=True
        )
        return found

    def pull(self, change: Tensor) -> Tensor:
        """Jᵀ v: [batch, outcome] -> [batch, seq, d_model]."""
        stop_if_cancelled()  # a product is a pass through the network, and calls no layer
        (found,) = torch.autograd.grad(self.outcome, self.states, change, retain_graph=True)
        return self._moved(found)

    def _moved(self, turn: Tensor) -> Tensor:
        """How the states move with a turn; symmetric, so it stands on either side of the derivative."""
        states = self.states.detach().float()
        unit, length = nn.functional.normalize(states, dim=-1), states.norm(dim=-1, keepdim=True)
        turn = turn.float() * self.chosen[..., None]
        moved: Tensor = length * (turn - unit * (unit * turn).sum(-1, keepdim=True))
        return moved


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
