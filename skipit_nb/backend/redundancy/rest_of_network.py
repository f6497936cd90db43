"""The rest of the network: f_l maps the states after layer l to what the model says next.

One forward pass gives the graph of every f_l; a turn of some tokens' states costs one more, and no derivative.

Shapes:
    batch    samples
    seq      positions, padding included
    outcome  the vocabulary for log-probabilities, 1 for the loss
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from skipit_nb.backend.live.model import Inputs, LiveModel
from skipit_nb.backend.live.uncompiled import uncompiled
from skipit_nb.backend.tasks.task import Example
from skipit_nb.errors import NoGradientError


@dataclass(frozen=True, slots=True)
class Answers:
    """What the model says to one batch of questions."""

    live: LiveModel
    inputs: Inputs
    rights: Tensor | None
    """[batch] first token of the right answer, if the loss is asked for."""

    @classmethod
    def to(cls, live: LiveModel, batch: Sequence[Example], outcome: str) -> Answers:
        """Read the questions, and for the loss what is right."""
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


@contextlib.contextmanager
def blind_spots(live: LiveModel) -> Iterator[list[NoGradientError]]:
    """Collect linear layers in the graph whose results autograd does not see, such as those of a quantised kernel.

    Past them the residual stream still has a derivative, which would be that of another network.
    """
    layer_of = {id(part): i for i, layer in enumerate(live.anatomy.layers) for part in layer.modules()}
    found: list[NoGradientError] = []

    def hook(name: str, module: nn.Module, args: tuple[object, ...], out: object) -> None:
        taken = [arg for arg in args if isinstance(arg, Tensor) and arg.requires_grad]
        if taken and isinstance(out, Tensor) and not _is_seen(out, taken):
            before = layer_of.get(id(module), live.shape.num_layers) - 1
            kind = f"{type(module).__module__}.{type(module).__qualname__}"
            found.append(NoGradientError(before, f"autograd does not see through {name} ({kind})"))

    with contextlib.ExitStack() as undo:
        for name, module in live.model.named_modules():
            if hasattr(module, "in_features"):  # linear, whatever its class
                undo.callback(module.register_forward_hook(functools.partial(hook, name)).remove)
        yield found


def _is_seen(out: Tensor, taken: Sequence[Tensor]) -> bool:
    """Whether there is a derivative. A kernel without one may still say that its result requires it."""
    if not out.requires_grad:
        return False
    try:
        found = torch.autograd.grad(out, taken, torch.ones_like(out), retain_graph=True, allow_unused=True)
    except torch.OutOfMemoryError:
        raise
    except RuntimeError:
        return False
    return all(gradient is not None for gradient in found)


@dataclass(frozen=True, slots=True)
class Rest:
    """f_l at one batch."""

    answers: Answers
    layer: int
    before: Tensor
    """[batch, seq, d_model]"""
    after: Tensor
    """[batch, seq, d_model], in the graph of `said`."""
    said: Tensor
    """[batch, outcome]"""

    def turned(self, towards: Tensor, chosen: Tensor) -> tuple[Tensor, Tensor]:
        """Turn the chosen tokens' states to other directions: change of the outcome, and the turn, both [batch].

        A state that is there already keeps every bit.
        """
        state = self.after.detach().float()
        there, here = nn.functional.normalize(towards.float(), dim=-1), nn.functional.normalize(state, dim=-1)
        is_turned = chosen[..., None] & (there != here).any(-1, keepdim=True)
        other = torch.where(is_turned, there * state.norm(dim=-1, keepdim=True), state)
        change = self.answers.said_with(self.layer, other.to(self.after.dtype)) - self.said.detach()
        return change.norm(dim=1), self.turn(towards, chosen).to(change.device)

    def turn(self, towards: Tensor, chosen: Tensor) -> Tensor:
        """[batch] ‖u - u'‖ over the chosen tokens together, states at length 1; 0 without such tokens."""
        there, here = (nn.functional.normalize(s.detach().float(), dim=-1) for s in (towards, self.after))
        turn: Tensor = ((there - here) * chosen[..., None]).flatten(1).norm(dim=1)
        return turn


def moved(states: Tensor, turn: Tensor, chosen: Tensor) -> Tensor:
    """How states [batch, seq, d_model] move with a turn of the chosen tokens, [batch, seq] bool; lengths stay.

    A state x of length r turns by dx = r (t - u ⟨u, t⟩), u = x / r. The map is symmetric, so it takes a derivative by
    the states to one by their directions too.
    """
    states = states.detach().float()
    unit, length = nn.functional.normalize(states, dim=-1), states.norm(dim=-1, keepdim=True)
    turn = turn.float() * chosen[..., None]
    found: Tensor = length * (turn - unit * (unit * turn).sum(-1, keepdim=True))
    return found
